//! `$ref`s: every one must lead somewhere (OAS 3.0.3 section 4.7.23), and after this pass every one leads to a component.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fault::{self, Faults};
use super::pointer;
use super::source::Sources;
use super::walk::{Node, reference, walk};
use crate::diagnostic::Diagnostic;

/// How often what was copied is looked through for further `$ref`s.
const ROUNDS: usize = 16;

/// Marks every `$ref` that leads nowhere, and gives a name among the components to whatever else is referred to.
pub(super) fn resolve(document: &mut Value, sources: &mut Sources, faults: &mut Faults) {
    let mut components = BTreeMap::new();
    for _ in 0..ROUNDS {
        let elsewhere = check(document, sources, faults);
        if elsewhere.is_empty() {
            return;
        }
        name_what_has_none(document, elsewhere, &mut components, sources);
    }
}

/// Marks every `$ref` that leads nowhere; those that lead elsewhere than to a component.
fn check(document: &mut Value, sources: &Sources, faults: &mut Faults) -> Vec<(Node, String)> {
    let mut found = Vec::new();
    walk(document, &mut |node, at, value| {
        if let Some(target) = reference(value).filter(|target| !fault::is_mark(target)) {
            found.push((node, at.to_owned(), target.to_owned()));
        }
    });
    let (mut elsewhere, mut broken, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    let anchors = anchors(document);
    for (node, at, target) in found {
        let error = |reason: &str| {
            let place = sources.place(&pointer::join(&at, "$ref"));
            Diagnostic::error(format!("the `$ref` to `{target}` {reason}")).at(place)
        };
        if let Some(place) = anchors.get(target.as_str()) {
            elsewhere.push((node, place.clone(), Some(at)));
            continue;
        }
        let Some(place) = target.strip_prefix('#') else {
            broken
                .push((at.clone(), error("leads out of the document").hint("bundle the document into one file first")));
            continue;
        };
        let place = percent_decode(place);
        match find(document, &place) {
            Err(missing) => match within(document, &at, &place) {
                Some(place) => elsewhere.push((node, place, Some(at))),
                None => broken.push((at.clone(), missing.explain(error("leads nowhere"), document))),
            },
            Ok(value) if leads_to_itself(document, value) => {
                broken.push((at.clone(), error("leads only to further `$ref`s, in a circle")));
            }
            Ok(_) if is_component(node, &place) => {
                if target.strip_prefix('#') != Some(&place) {
                    decoded.push((at, place));
                }
            }
            Ok(_) => elsewhere.push((node, place, None)),
        }
    }
    for (at, diagnostic) in broken {
        if let Some(value) = document.pointer_mut(&at) {
            *value = faults.mark(diagnostic);
        }
    }
    for (at, place) in decoded {
        turn(document, &at, &place);
    }
    let turned = elsewhere.into_iter().map(|(node, place, at)| {
        if let Some(at) = at {
            turn(document, &at, &place);
        }
        (node, place)
    });
    turned.collect()
}

/// Makes the `$ref` at `at` lead to `place`.
fn turn(document: &mut Value, at: &str, place: &str) {
    if let Some(Value::Object(object)) = document.pointer_mut(at) {
        object.insert("$ref".to_owned(), Value::String(format!("#{place}")));
    }
}

/// Names that schemas give themselves (JSON Schema 2020-12 sections 8.2.1 and 8.2.2), as `$ref`s say them, with the places.
fn anchors(document: &mut Value) -> BTreeMap<String, String> {
    let mut anchors = BTreeMap::new();
    walk(document, &mut |node, at, value| {
        if node == Node::Schema && !at.is_empty() {
            let text = |key: &str| value.get(key).and_then(Value::as_str);
            let names = [text("$anchor").map(|anchor| format!("#{anchor}")), text("$id").map(str::to_owned)];
            for name in names.into_iter().flatten() {
                anchors.entry(name).or_insert_with(|| at.to_owned());
            }
        }
    });
    anchors
}

/// Where a `$ref` to `/$defs/NAME` leads from `at` if the schema around it is taken for the root, as JSON Schema does
/// with one that has an identity of its own, and tools that embed schemas forget.
fn within(document: &Value, at: &str, place: &str) -> Option<String> {
    if !["/$defs/", "/definitions/"].iter().any(|start| place.starts_with(start)) {
        return None;
    }
    let mut around = at;
    while let Some((above, _)) = around.rsplit_once('/') {
        let candidate = format!("{above}{place}");
        if document.pointer(&candidate).is_some() {
            return Some(candidate);
        }
        around = above;
    }
    None
}

/// `/components/SECTION/NAME`, in the section of the node's kind, with a name that can be read off a `$ref` as it is.
fn is_component(node: Node, place: &str) -> bool {
    if place.contains(['~', '%']) {
        return false;
    }
    let mut segments = pointer::segments(place);
    segments.next().as_deref() == Some("components")
        && node.section().is_some_and(|section| segments.next().as_deref() == Some(section))
        && segments.next().is_some()
        && segments.next().is_none()
}

/// Where a pointer stops leading anywhere.
pub(super) struct Missing {
    /// The last place that exists.
    pub(super) parent: String,
    /// The name that is not in it.
    pub(super) name: String,
}

impl Missing {
    pub(super) fn explain(&self, diagnostic: Diagnostic, document: &Value) -> Diagnostic {
        let names = document.pointer(&self.parent).and_then(Value::as_object).into_iter().flatten();
        let near = crate::diagnostic::nearest(&self.name, names.map(|(name, _)| name.as_str()));
        match near {
            Some(near) => diagnostic.hint(format!("did you mean `#{}`?", pointer::join(&self.parent, near))),
            None if self.parent.is_empty() => diagnostic,
            None => diagnostic.hint(format!("`#{}` has no `{}`", self.parent, self.name)),
        }
    }
}

/// What a pointer leads to, also by way of `$ref`s.
fn find<'a>(document: &'a Value, place: &str) -> Result<&'a Value, Missing> {
    let mut at = document;
    let mut parent = String::new();
    for segment in pointer::segments(place) {
        // A bound, in case of `$ref`s that lead in a circle.
        for _ in 0..32 {
            match reference(at).and_then(|target| target.strip_prefix('#')).and_then(|target| document.pointer(target))
            {
                Some(target) => at = target,
                None => break,
            }
        }
        let next = match at {
            Value::Object(object) => object.get(segment.as_ref()),
            Value::Array(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        at = next.ok_or_else(|| Missing { parent: parent.clone(), name: segment.clone().into_owned() })?;
        parent = pointer::join(&parent, &segment);
    }
    Ok(at)
}

fn leads_to_itself(document: &Value, value: &Value) -> bool {
    let mut seen = BTreeSet::new();
    let mut at = value;
    while let Some(target) = reference(at) {
        if !seen.insert(target) {
            return true;
        }
        match target.strip_prefix('#').and_then(|place| find(document, &percent_decode(place)).ok()) {
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

/// Copies what is referred to outside the components into them, and turns the `$ref`s there. A path item has no
/// section: it is copied to where the `$ref` stands.
fn name_what_has_none(
    document: &mut Value,
    mut elsewhere: Vec<(Node, String)>,
    components: &mut BTreeMap<String, String>,
    sources: &mut Sources,
) {
    let mut copies: BTreeMap<String, Value> = BTreeMap::new();
    while let Some((node, place)) = elsewhere.pop() {
        if components.contains_key(&place) || copies.contains_key(&place) {
            continue;
        }
        let Ok(value) = find(document, &place) else { continue };
        let value = value.clone();
        let Some(section) = node.section() else {
            copies.insert(place, value);
            continue;
        };
        let name = free_name(document, section, &place);
        let component = format!("/components/{section}/{}", pointer::escape(&name));
        sources.copied(&component, &place);
        components.insert(place, format!("#{component}"));
        if let Some(section) = section_mut(document, section) {
            section.insert(name, value);
        }
    }
    let mut turn = |node: Node, at: &str, value: &mut Value| {
        let Some(place) = reference(value).and_then(|target| target.strip_prefix('#')).map(percent_decode) else {
            return;
        };
        if is_component(node, &place) {
            return;
        }
        if let (Some(component), Value::Object(object)) = (components.get(&place), &mut *value) {
            object.insert("$ref".to_owned(), Value::String(component.clone()));
        } else if let Some(copy) = copies.get(&place) {
            sources.copied(at, &place);
            *value = copy.clone();
        }
    };
    walk(document, &mut turn);
}

fn section_mut<'a>(document: &'a mut Value, section: &str) -> Option<&'a mut Map<String, Value>> {
    let components = document.as_object_mut()?.entry("components").or_insert_with(|| Value::Object(Map::new()));
    components.as_object_mut()?.entry(section).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

/// A name that says where it was: of `/components/schemas/Pet/properties/tag`, `Pet-tag`.
fn free_name(document: &Value, section: &str, place: &str) -> String {
    let base = words(place);
    let taken =
        |name: &str| document.pointer(&format!("/components/{section}")).is_some_and(|map| map.get(name).is_some());
    let mut name = base.clone();
    let mut number = 2;
    while taken(&name) {
        name = format!("{base}-{number}");
        number += 1;
    }
    name
}

/// What a pointer says that is no structure of OpenAPI.
pub(super) fn words(place: &str) -> String {
    const SILENT: [&str; 10] = [
        "components",
        "schemas",
        "paths",
        "properties",
        "content",
        "schema",
        "responses",
        "get",
        "application/json",
        "$defs",
    ];
    let words: Vec<String> = pointer::segments(place)
        .filter(|segment| !SILENT.contains(&segment.as_ref()))
        .map(|segment| {
            segment.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

/// `$ref`s are URIs: `%7B` stands for `{` (RFC 3986 section 2.1, RFC 6901 section 6).
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
