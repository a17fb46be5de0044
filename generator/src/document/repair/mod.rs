//! What documents get wrong and can be lived with is put right, each repair with a warning that has its place. What cannot
//! be put right stays as it is: the typed model refuses it, for the operations that need it.

mod keys;
mod parameters;
mod paths;
mod root;
mod schemas;
mod security;
mod servers;

use serde_json::{Value, json};

use super::pointer;
use super::source::Sources;
use super::walk::{Node, reference, walk};
use crate::diagnostic::Diagnostic;

/// How many repairs by one rule are told of one by one: some documents make the same mistake a thousand times.
const SHOWN: usize = 3;

/// How many schemas may stand in one another. No document that a person reads comes near; but what reads a schema needs a
/// stack as deep as the schema, and nobody's stack is without an end.
const DEEPEST: usize = 24;

/// What has been put right.
#[derive(Debug, Default)]
pub(super) struct Repairs(Vec<Repair>);

#[derive(Debug)]
struct Repair {
    rule: &'static str,
    /// JSON Pointer into the document.
    at: String,
    message: String,
}

impl Repairs {
    /// Notes that `rule` has put right what stands at `at`.
    pub(super) fn note(&mut self, rule: &'static str, at: &str, message: impl Into<String>) {
        self.0.push(Repair { rule, at: at.to_owned(), message: message.into() });
    }

    /// As warnings, the first few of each rule; the last of them says how many more there are.
    pub(super) fn warnings(&self, locate: impl Fn(Diagnostic, &str) -> Diagnostic) -> Vec<Diagnostic> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for repair in &self.0 {
            match counts.iter_mut().find(|(rule, _)| *rule == repair.rule) {
                Some((_, count)) => *count += 1,
                None => counts.push((repair.rule, 1)),
            }
        }
        let mut warnings = Vec::new();
        for (rule, count) in counts {
            for (index, repair) in self.0.iter().filter(|repair| repair.rule == rule).take(SHOWN).enumerate() {
                let warning = locate(Diagnostic::warning(&repair.message), &repair.at);
                warnings.push(match count.checked_sub(SHOWN) {
                    Some(more @ 1..) if index + 1 == SHOWN => warning.hint(format!("so in {more} more places")),
                    _ => warning,
                });
            }
        }
        warnings
    }
}

/// Puts right what stands at the top, and every object by itself.
pub(super) fn objects(document: &mut Value, repairs: &mut Repairs) {
    root::repair(document, repairs);
    let is_older = document.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3.0"));
    // The schemas around the one that is looked at.
    let mut around: Vec<String> = Vec::new();
    walk(document, &mut |node, at, value| {
        while around.last().is_some_and(|above| pointer::below(at, above).is_none()) {
            around.pop();
        }
        if node == Node::Schema {
            if around.len() >= DEEPEST && value.as_object().is_none_or(|schema| !schema.is_empty()) {
                *value = json!({});
                let message =
                    format!("more than {DEEPEST} schemas stand in one another: what is deeper can be anything");
                repairs.note("deep", at, message);
            }
            around.push(at.to_owned());
        }
        object(node, at, value, is_older, repairs);
    });
}

/// Puts right what shows only when every `$ref` leads somewhere.
pub(super) fn operations(document: &mut Value, repairs: &mut Repairs) {
    paths::repair(document, repairs);
}

fn object(node: Node, at: &str, value: &mut Value, is_older: bool, repairs: &mut Repairs) {
    if value.get("$ref").is_some_and(|target| !target.is_string()) && node != Node::Schema {
        remove(value, "$ref");
        repairs.note("reference", at, "the `$ref` is no text, and is left out");
    }
    if reference(value).is_some() {
        return;
    }
    if node == Node::Schema {
        schemas::shape(at, value, is_older, repairs);
    } else if value.is_null() && !matches!(node, Node::Document | Node::Link | Node::SecurityScheme) {
        *value = json!({});
        repairs.note("null", at, "nothing stands where an object should: it is taken for an empty one");
    }
    keys::repair(node, at, value, repairs);
    match node {
        Node::Schema => schemas::repair(at, value, repairs),
        Node::Parameter | Node::Header => parameters::repair(node, at, value, repairs),
        Node::Response => parameters::response(at, value, repairs),
        Node::Responses => parameters::statuses(at, value, repairs),
        Node::PathItem | Node::Operation => {
            parameters::list(at, value, repairs);
            servers::repair(at, value, repairs);
            if node == Node::Operation {
                security::requirements(at, value, repairs);
                parameters::responses(at, value, repairs);
            }
        }
        Node::SecurityScheme => security::scheme(at, value, repairs),
        _ => {}
    }
}

/// Takes a key out of an object.
fn remove(value: &mut Value, key: &str) -> Option<Value> {
    value.as_object_mut()?.shift_remove(key)
}

/// A value in a word, for messages.
fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "`null`",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A text, or a single value that one can be made of.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

impl super::Document {
    /// What in the document has been put right, as warnings.
    pub(crate) fn repairs(&self) -> &[Diagnostic] {
        &self.repairs
    }
}

/// The repairs as warnings with their places.
pub(super) fn warnings(repairs: &Repairs, sources: &Sources, origins: &[super::overlay::Origin]) -> Vec<Diagnostic> {
    repairs.warnings(|warning, at| warning.at(sources.place(at)).from_origin(super::overlay::origin(origins, at)))
}

#[cfg(test)]
pub(in crate::document) fn repaired(mut document: Value) -> (Value, Vec<String>) {
    let mut repairs = Repairs::default();
    objects(&mut document, &mut repairs);
    operations(&mut document, &mut repairs);
    let said = repairs.0.iter().map(|repair| format!("{}: {}", repair.at, repair.message)).collect();
    (document, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_has_an_end() {
        let mut schema = json!({"type": "string"});
        for _ in 0..DEEPEST {
            schema = json!({ "items": schema });
        }
        let document = json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {},
            "components": {"schemas": {"A": schema, "B": schema["items"]}}
        });
        let (document, said) = repaired(document);
        let deepest = format!("/components/schemas/A{}", "/items".repeat(DEEPEST));
        assert_eq!(document.pointer(&deepest), Some(&json!({})));
        assert_eq!(
            said,
            [format!("{deepest}: more than {DEEPEST} schemas stand in one another: what is deeper can be anything")]
        );
    }

    #[test]
    fn a_rule_that_applies_often_is_told_of_a_few_times() {
        let mut repairs = Repairs::default();
        for index in 0..5 {
            repairs.note("a", &format!("/{index}"), "wrong");
        }
        repairs.note("b", "/b", "also wrong");
        let warnings = repairs.warnings(|warning, at| warning.at(Sources::new("d").place(at)));
        let said: Vec<_> = warnings
            .iter()
            .map(|said| format!("{} {}", said.place.as_ref().unwrap(), said.hint.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(said, ["d#/0 ", "d#/1 ", "d#/2 so in 2 more places", "d#/b "]);
    }
}
