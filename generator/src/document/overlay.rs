//! OpenAPI Overlays 1.0: changes laid over a document (OpenAPI Overlay Specification 1.0.0).

use serde_json::Value;
use serde_json_path::JsonPath;

use super::pointer;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

/// What an overlay wrote, and where it stands in the overlay.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// JSON Pointer into the document.
    pub(super) pointer: String,
    /// Where in the overlay.
    pub(super) place: Place,
}

/// What becomes of a target that matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// It is an error: it is nearly always a slip, and would otherwise leave the annotations out in silence.
    Refused,
    /// Nothing, as the specification says.
    Ignored,
}

const KEYS: [&str; 5] = ["overlay", "info", "extends", "actions", "description"];
const ACTION_KEYS: [&str; 4] = ["target", "description", "update", "remove"];

/// Applies the actions of `overlay` to `document`, in their order (section 4.4.3.1 of the specification).
pub(super) fn apply(
    document: &mut Value,
    overlay: &Value,
    file: &str,
    unmatched: Unmatched,
    origins: &mut Vec<Origin>,
    diagnostics: &mut Diagnostics,
) {
    let at = |pointer: &str| Place::pointer(file, pointer);
    match overlay.get("overlay").and_then(Value::as_str) {
        Some(version) if version == "1.0" || version.starts_with("1.0.") || version.starts_with("1.1.") => {}
        Some(version) => diagnostics.push(
            Diagnostic::error(format!("the overlay is of version `{version}`, which is not known here"))
                .at(at("/overlay"))
                .hint("write `overlay: 1.0.0`"),
        ),
        None => {
            let message = "the file is no overlay: it has no `overlay` with a version";
            diagnostics.push(Diagnostic::error(message).at(Place::file(file)).hint("write `overlay: 1.0.0`"));
            return;
        }
    }
    refuse_unknown(overlay, &KEYS, "an overlay", "", file, diagnostics);
    let Some(actions) = overlay.get("actions").and_then(Value::as_array) else {
        diagnostics.push(Diagnostic::error("the overlay has no list of `actions`").at(Place::file(file)));
        return;
    };
    for (index, action) in actions.iter().enumerate() {
        let action_at = format!("/actions/{index}");
        refuse_unknown(action, &ACTION_KEYS, "an action", &action_at, file, diagnostics);
        let target_at = format!("{action_at}/target");
        let Some(target) = action.get("target").and_then(Value::as_str) else {
            diagnostics.push(Diagnostic::error(format!("action {index} has no `target`")).at(at(&action_at)));
            continue;
        };
        let path = match JsonPath::parse(target) {
            Ok(path) => path,
            Err(_) => {
                let message = format!("the target `{target}` is no JSONPath");
                let diagnostic = Diagnostic::error(message).at(at(&target_at));
                diagnostics.push(match bare_name_with_dash(target) {
                    Some(name) => diagnostic.hint(format!("a name with a `-` stands in brackets: `['{name}']`")),
                    None => diagnostic.hint("see RFC 9535: `$.paths['/pets'].get`"),
                });
                continue;
            }
        };
        let mut found: Vec<String> =
            path.query_located(document).locations().map(|location| location.to_json_pointer()).collect();
        if found.is_empty() {
            if unmatched == Unmatched::Refused {
                diagnostics.push(matches_nothing(target, document).at(at(&target_at)));
            }
            continue;
        }
        if action.get("remove").and_then(Value::as_bool) == Some(true) {
            // From the end, so that the places of a list's earlier items stay.
            found.reverse();
            for pointer in &found {
                remove(document, pointer);
            }
        } else if let Some(update) = action.get("update") {
            let update_at = format!("{action_at}/update");
            let mut merge = Merge { file, origins, mismatch: None };
            for pointer in &found {
                if let Some(value) = document.pointer_mut(pointer) {
                    merge.target(value, update, pointer, &update_at);
                }
            }
            if let Some(message) = merge.mismatch {
                diagnostics.push(Diagnostic::error(message).at(at(&update_at)));
            }
        } else {
            let message = format!("action {index} has neither `update` nor `remove: true`");
            diagnostics.push(Diagnostic::error(message).at(at(&action_at)));
        }
    }
}

fn refuse_unknown(value: &Value, known: &[&str], what: &str, at: &str, file: &str, diagnostics: &mut Diagnostics) {
    for key in value.as_object().into_iter().flat_map(|object| object.keys()) {
        if !known.contains(&key.as_str()) && !key.starts_with("x-") {
            diagnostics.push(
                Diagnostic::error(format!("{what} has no key `{key}`"))
                    .at(Place::pointer(file, &pointer::join(at, key)))
                    .nearest(key, known.iter().copied()),
            );
        }
    }
}

/// The first name written after a dot that holds a `-`, which JSONPath does not allow there.
fn bare_name_with_dash(target: &str) -> Option<&str> {
    let unquoted = target.split(['[', ']']).step_by(2);
    unquoted.flat_map(|part| part.split('.')).find(|name| name.contains('-'))
}

/// A target that matches nothing; most often a path of the API is misspelt.
fn matches_nothing(target: &str, document: &Value) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("the target `{target}` matches nothing in the document"));
    let quoted = target.split(['\'', '"']).skip(1).step_by(2);
    let keys: Vec<&str> = ["/paths", "/components/schemas"]
        .iter()
        .filter_map(|section| document.pointer(section)?.as_object())
        .flat_map(|object| object.keys().map(String::as_str))
        .collect();
    for name in quoted {
        if !keys.contains(&name) {
            return diagnostic.nearest(name, keys.iter().copied());
        }
    }
    diagnostic
}

fn remove(document: &mut Value, pointer: &str) {
    let Some((parent, _)) = pointer.rsplit_once('/') else { return };
    let Some(last) = pointer::segments(&pointer[parent.len()..]).next() else { return };
    match document.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.shift_remove(last.as_ref());
        }
        Some(Value::Array(items)) => {
            if let Some(index) = last.parse::<usize>().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

/// The merging of an `update` into what a target selected.
struct Merge<'a> {
    file: &'a str,
    origins: &'a mut Vec<Origin>,
    mismatch: Option<String>,
}

impl Merge<'_> {
    fn target(&mut self, target: &mut Value, update: &Value, at: &str, update_at: &str) {
        match (&*target, update) {
            (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => {
                self.merge(target, update, at, update_at);
            }
            (Value::Array(items), _) => {
                self.wrote(&format!("{at}/{}", items.len()), update_at);
                if let Value::Array(items) = target {
                    items.push(update.clone());
                }
            }
            (Value::Object(_), _) => {
                self.mismatch = Some(format!("`{at}` is an object, so its `update` must be one"));
            }
            _ => {
                self.mismatch = Some(format!("`{at}` is neither an object nor a list, so it cannot be updated"));
            }
        }
    }

    /// Objects are merged key by key, lists are joined, anything else is replaced.
    fn merge(&mut self, target: &mut Value, update: &Value, at: &str, update_at: &str) {
        match (target, update) {
            (Value::Object(target), Value::Object(update)) => {
                for (key, update) in update {
                    let (at, update_at) = (pointer::join(at, key), pointer::join(update_at, key));
                    if let Some(existing) = target.get_mut(key) {
                        self.merge(existing, update, &at, &update_at);
                    } else {
                        self.wrote(&at, &update_at);
                        target.insert(key.clone(), update.clone());
                    }
                }
            }
            (Value::Array(target), Value::Array(update)) => {
                for (index, item) in update.iter().enumerate() {
                    self.wrote(&format!("{at}/{}", target.len()), &format!("{update_at}/{index}"));
                    target.push(item.clone());
                }
            }
            (target, update) => {
                self.wrote(at, update_at);
                *target = update.clone();
            }
        }
    }

    fn wrote(&mut self, at: &str, update_at: &str) {
        self.origins.push(Origin { pointer: at.to_owned(), place: Place::pointer(self.file, update_at) });
    }
}

/// Where what stands at `pointer` in the document was written, if an overlay did.
pub(super) fn origin(origins: &[Origin], pointer: &str) -> Option<Place> {
    let found = origins.iter().rev().find_map(|origin| {
        let rest = pointer.strip_prefix(&origin.pointer)?;
        (rest.is_empty() || rest.starts_with('/')).then_some((origin, rest))
    });
    let (origin, rest) = found?;
    let crate::diagnostic::Spot::Pointer(written) = &origin.place.spot else { return None };
    Some(Place::pointer(&origin.place.file, &format!("{written}{rest}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(document: Value, actions: Value) -> (Value, Vec<Origin>, Vec<String>) {
        let overlay = json!({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions});
        let (mut document, mut origins, mut diagnostics) = (document, Vec::new(), Diagnostics::default());
        apply(&mut document, &overlay, "o.yaml", Unmatched::Refused, &mut origins, &mut diagnostics);
        let said = diagnostics
            .iter()
            .map(|said| {
                format!("{} --> {}", said.message, said.place.as_ref().map(Place::to_string).unwrap_or_default())
            })
            .collect();
        (document, origins, said)
    }

    #[test]
    fn objects_merge_and_lists_grow() {
        let (document, _, said) = applied(
            json!({"a": {"b": {"c": 1, "d": [1]}, "e": [1]}}),
            json!([
                {"target": "$.a", "update": {"b": {"c": 2, "d": [2], "n": null}}},
                {"target": "$.a.e", "update": {"x": 1}},
                {"target": "$.a.e", "update": [3]}
            ]),
        );
        assert_eq!(document, json!({"a": {"b": {"c": 2, "d": [1, 2], "n": null}, "e": [1, {"x": 1}, 3]}}));
        assert_eq!(said, Vec::<String>::new());
    }

    #[test]
    fn every_match_is_changed_and_actions_follow_one_another() {
        let (document, ..) = applied(
            json!({"p": [{"id": "a"}, {"id": "b"}, {"id": "a"}], "k": 1}),
            json!([
                {"target": "$.p[?@.id == 'a']", "remove": true},
                {"target": "$.p[*]", "update": {"seen": true}},
                {"target": "$.k", "remove": true}
            ]),
        );
        assert_eq!(document, json!({"p": [{"id": "b", "seen": true}]}));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let (_, _, said) = applied(
            json!({"paths": {"/pets": {"get": {}}}, "n": 1}),
            json!([
                {"target": "$.paths['/pet'].get", "update": {}},
                {"target": "$.paths[", "update": {}},
                {"target": "$.n", "update": {"a": 1}},
                {"target": "$.paths"},
                {"tarjet": "$"}
            ]),
        );
        assert_eq!(
            said,
            [
                "the target `$.paths['/pet'].get` matches nothing in the document --> o.yaml#/actions/0/target",
                "the target `$.paths[` is no JSONPath --> o.yaml#/actions/1/target",
                "`/n` is neither an object nor a list, so it cannot be updated --> o.yaml#/actions/2/update",
                "action 3 has neither `update` nor `remove: true` --> o.yaml#/actions/3",
                "an action has no key `tarjet` --> o.yaml#/actions/4/tarjet",
                "action 4 has no `target` --> o.yaml#/actions/4",
            ]
        );
    }

    #[test]
    fn origins_lead_back_to_the_overlay() {
        let update = json!({"x-kafka-source": {"key": "/id"}});
        let (_, origins, _) =
            applied(json!({"paths": {"/a": {"get": {}}}}), json!([{"target": "$.paths['/a'].get", "update": update}]));
        let place = origin(&origins, "/paths/~1a/get/x-kafka-source/key").unwrap();
        assert_eq!(place.to_string(), "o.yaml#/actions/0/update/x-kafka-source/key");
        assert_eq!(origin(&origins, "/paths/~1a/get"), None);
    }
}
