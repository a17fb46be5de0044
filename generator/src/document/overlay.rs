//! OpenAPI Overlays: changes laid over a document (OpenAPI Overlay Specification 1.0.0 and 1.1.0).

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

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
    /// It is warned of: it is nearly always a slip, and would otherwise leave the annotations out in silence.
    Warned,
    /// Nothing, as the specification says.
    Ignored,
}

const KEYS: [&str; 5] = ["overlay", "info", "extends", "actions", "description"];
const ACTION_KEYS: [&str; 5] = ["target", "description", "update", "copy", "remove"];

/// Applies the actions of `overlay` to `document`, in their order (section 4.4.3.1 of the specification). A target that
/// matches nothing is allowed, but most often a slip.
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
        Some(version)
            if ["1.0", "1.1"].iter().any(|known| {
                version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }) => {}
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
        let Some(path) = parsed(target, "target", &at(&target_at), diagnostics) else { continue };
        let found = located(&path, document);
        if found.is_empty() {
            if unmatched == Unmatched::Warned {
                diagnostics.push(matches_nothing(target, document).at(at(&target_at)));
            }
            continue;
        }
        if action.get("remove").and_then(Value::as_bool) == Some(true) {
            remove_all(document, &found, || {
                diagnostics.push(Diagnostic::error("the document itself cannot be removed").at(at(&target_at)))
            });
            continue;
        }
        let (key, update, is_copy) = match (action.get("copy"), action.get("update")) {
            (Some(source), _) => {
                let copy_at = at(&format!("{action_at}/copy"));
                match copied(source, document, &copy_at, diagnostics) {
                    Some(value) => ("copy", Cow::Owned(value), true),
                    None => continue,
                }
            }
            (None, Some(update)) => ("update", Cow::Borrowed(update), false),
            (None, None) => {
                let message = format!("action {index} has neither `update` nor `copy` nor `remove: true`");
                diagnostics.push(Diagnostic::error(message).at(at(&action_at)));
                continue;
            }
        };
        let update_at = format!("{action_at}/{key}");
        let mut merge = Merge { file, origins, copy_at: is_copy.then(|| update_at.clone()), key, mismatch: None };
        for pointer in &found {
            if let Some(value) = document.pointer_mut(pointer) {
                merge.target(value, &update, pointer, &update_at);
            }
        }
        if let Some(message) = merge.mismatch {
            diagnostics.push(Diagnostic::error(message).at(at(&update_at)));
        }
    }
}

/// A JSONPath (RFC 9535).
fn parsed(text: &str, key: &str, place: &Place, diagnostics: &mut Diagnostics) -> Option<JsonPath> {
    let error = match JsonPath::parse(text) {
        Ok(path) => return Some(path),
        Err(error) => error,
    };
    let message =
        format!("the {key} `{text}` is no JSONPath: it cannot be read from character {} on", error.position() + 1);
    let diagnostic = Diagnostic::error(message).at(place.clone());
    diagnostics.push(match bare_name_with_dash(text) {
        Some(name) => diagnostic.hint(format!("a name with a `-` stands in brackets: `['{name}']`")),
        None => diagnostic.hint("see RFC 9535: `$.paths['/pets'].get`"),
    });
    None
}

/// What a path leads to, as JSON Pointers, each once.
fn located(path: &JsonPath, document: &Value) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let found = path.query_located(document);
    found.locations().map(|location| location.to_json_pointer()).filter(|at| seen.insert(at.clone())).collect()
}

/// What a `copy` says to copy: exactly one thing (section 4.4.3 of version 1.1.0).
fn copied(source: &Value, document: &Value, place: &Place, diagnostics: &mut Diagnostics) -> Option<Value> {
    let Some(text) = source.as_str() else {
        diagnostics.push(Diagnostic::error("`copy` is no text with a JSONPath").at(place.clone()));
        return None;
    };
    let path = parsed(text, "copy", place, diagnostics)?;
    let found = located(&path, document);
    match found.as_slice() {
        [only] => document.pointer(only).cloned(),
        _ => {
            let message = format!("the copy `{text}` matches {} places in the document, not one", found.len());
            diagnostics.push(Diagnostic::error(message).at(place.clone()));
            None
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
    let diagnostic = Diagnostic::warning(format!("the target `{target}` matches nothing in the document"));
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

/// Removes all of these; `refuse` is called for the document itself.
fn remove_all(document: &mut Value, found: &[String], mut refuse: impl FnMut()) {
    // From the end, so that the places of a list's earlier items stay.
    let order = |pointer: &String| -> Vec<(usize, String)> {
        pointer::segments(pointer).map(|segment| (segment.parse().unwrap_or(0), segment.into_owned())).collect()
    };
    let mut found = found.to_vec();
    found.sort_by_cached_key(order);
    for pointer in found.iter().rev() {
        if pointer.is_empty() {
            refuse();
        } else {
            remove(document, pointer);
        }
    }
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

/// The merging of an `update` or a `copy` into what a target selected.
struct Merge<'a> {
    file: &'a str,
    origins: &'a mut Vec<Origin>,
    /// The place of the `copy`, if it is one: what it copies is not written in the overlay.
    copy_at: Option<String>,
    /// `update` or `copy`.
    key: &'static str,
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
                self.mismatch = Some(format!("`{at}` is an object, so its `{}` must be one", self.key));
            }
            // Version 1.1.0: a single value is replaced by another.
            (_, update) if !update.is_object() && !update.is_array() => {
                self.wrote(at, update_at);
                *target = update.clone();
            }
            _ => {
                self.mismatch =
                    Some(format!("`{at}` is neither an object nor a list, so nothing can be merged into it"));
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
        let update_at = self.copy_at.as_deref().unwrap_or(update_at);
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
