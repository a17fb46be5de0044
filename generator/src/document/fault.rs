//! What cannot be read is no reason to refuse the rest of the document. In its place stands a `$ref` that says what is
//! wrong, and only the operations that reach it cannot be read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::walk::{Node, children, reference};
use crate::diagnostic::Diagnostic;

/// Begins the `$ref`s that stand for faults.
const MARK: &str = "#/x-headwater-fault/";

/// What cannot be read, as errors.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<Diagnostic>);

impl Faults {
    /// Notes a fault; what is to stand in its place.
    pub(super) fn mark(&mut self, diagnostic: Diagnostic) -> Value {
        self.0.push(diagnostic);
        json!({ "$ref": format!("{MARK}{}", self.0.len() - 1) })
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Those that the operation at `at` reaches by its parameters or by what it answers when all is well.
    pub(super) fn reached(&self, document: &Value, at: &str) -> Vec<&Diagnostic> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let found: BTreeSet<usize> = targets(document, at, true).into_iter().filter_map(number).collect();
        found.into_iter().filter_map(|index| self.0.get(index)).collect()
    }
}

/// The `$ref`s that the operation at `at` reaches by what it answers when all is well, and by its parameters if wanted.
pub(super) fn targets<'a>(document: &'a Value, at: &str, with_parameters: bool) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let Some(operation) = document.pointer(at) else { return seen };
    let mut open = Vec::new();
    let item = at.rsplit_once('/').and_then(|(item, _)| document.pointer(item));
    for owner in [item, Some(operation)].into_iter().flatten().filter(|_| with_parameters) {
        let parameters = owner.get("parameters").and_then(Value::as_array).into_iter().flatten();
        open.extend(parameters.map(|parameter| (Node::Parameter, parameter)));
    }
    let responses = operation.get("responses").and_then(Value::as_object);
    let is_success = |status: &str| status.starts_with('2');
    let has_success = responses.is_some_and(|responses| responses.keys().any(|status| is_success(status)));
    let answers = responses.into_iter().flatten();
    let answers = answers.filter(|(status, _)| is_success(status) || (!has_success && *status == "default"));
    open.extend(answers.map(|(_, value)| (Node::Response, value)));
    while let Some((node, value)) = open.pop() {
        match reference(value) {
            Some(target) => {
                if seen.insert(target)
                    && let Some(value) = target.strip_prefix('#').and_then(|place| document.pointer(place))
                {
                    open.push((node, value));
                }
            }
            None => children(node, value, &mut |node, value| {
                if !matches!(node, Node::Example | Node::Link) {
                    open.push((node, value));
                }
            }),
        }
    }
    seen
}

/// The fault that a `$ref` stands for, if it does.
fn number(target: &str) -> Option<usize> {
    target.strip_prefix(MARK)?.parse().ok()
}

/// Whether a `$ref` stands for a fault.
pub(super) fn is_mark(target: &str) -> bool {
    target.starts_with(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_read_counts() {
        let mut faults = Faults::default();
        let [in_parameter, in_schema, elsewhere] =
            ["a", "b", "c"].map(|message| faults.mark(Diagnostic::error(message)));
        let document = json!({
            "paths": {"/a": {
                "parameters": [in_parameter],
                "get": {"responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
                    "400": elsewhere.clone()
                }},
            }, "/b": {"get": {"requestBody": elsewhere}}},
            "components": {"schemas": {"A": {"items": {"$ref": "#/components/schemas/A"}, "not": in_schema}}}
        });
        let reached = |at| faults.reached(&document, at).iter().map(|said| said.message.clone()).collect::<Vec<_>>();
        assert_eq!(reached("/paths/~1a/get"), ["a", "b"]);
        assert_eq!(reached("/paths/~1b/get"), Vec::<String>::new());
    }
}
