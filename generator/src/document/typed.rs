//! The document as typed values.

use std::collections::BTreeSet;

use openapiv3::{Header, MediaType, OpenAPI, Operation, Parameter, PathItem, RequestBody, Response, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_path_to_error::{Path, Segment};

use super::fault::Faults;
use super::pointer;
use super::source::Sources;
use super::walk::{METHODS, Node, reference, walk};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// How often what stands around something unreadable is tried again without it.
const ROUNDS: usize = 32;

/// How deep within other schemas one is read by itself first. The typed model tries what a schema can be one after the other,
/// so that the time until it knows that something in it does not fit doubles with each schema around that.
const DEEP: usize = 6;

/// Parses the document. What does not fit is marked at the smallest object that does not; if that is the document itself,
/// it cannot be read.
pub(super) fn parse(document: &mut Value, sources: &Sources, faults: &mut Faults) -> Result<OpenAPI, Diagnostics> {
    for at in deep_schemas(document) {
        if let Some(misfit) = document.pointer(&at).and_then(|schema| misfit(Node::Schema, schema)) {
            mark(document, Node::Schema, &at, &misfit, sources, faults);
        }
    }
    for _ in 0..ROUNDS {
        match misfit_of::<OpenAPI>(document) {
            Ok(api) => return Ok(api),
            Err(error) => {
                if !mark_misfits(document, sources, faults) {
                    return Err(error.report(sources, "").into());
                }
            }
        }
    }
    misfit_of::<OpenAPI>(document).map_err(|error| error.report(sources, "").into())
}

/// The pointers to the schemas that stand deep within others, the deepest first.
fn deep_schemas(document: &mut Value) -> Vec<String> {
    let (mut around, mut deep): (Vec<String>, _) = (Vec::new(), Vec::new());
    walk(document, &mut |node, at, value| {
        if node != Node::Schema || reference(value).is_some() {
            return;
        }
        while around.last().is_some_and(|outer| !at.strip_prefix(outer).is_some_and(|inner| inner.starts_with('/'))) {
            around.pop();
        }
        if around.len() >= DEEP {
            deep.push(at.to_owned());
        }
        around.push(at.to_owned());
    });
    deep.reverse();
    deep
}

fn mark(document: &mut Value, node: Node, at: &str, misfit: &Misfit, sources: &Sources, faults: &mut Faults) {
    if let Some(value) = document.pointer_mut(at) {
        let mark = faults.mark(misfit.report(sources, at));
        *value = instead(node, value, &mark);
    }
}

/// Marks what does not fit; whether there was anything.
fn mark_misfits(document: &mut Value, sources: &Sources, faults: &mut Faults) -> bool {
    // The typed model tries references and objects one after the other, which costs it the place. The objects one by
    // one, the smallest first, have it.
    let mut found: Vec<(Node, String, Misfit)> = Vec::new();
    walk(document, &mut |node, at, value| {
        if reference(value).is_none()
            && let Some(misfit) = misfit(node, value)
        {
            found.push((node, at.to_owned(), misfit));
        }
    });
    let outer: BTreeSet<&str> = found.iter().flat_map(|(_, at, _)| above(at)).collect();
    let innermost: Vec<_> = found.iter().filter(|(_, at, _)| !outer.contains(at.as_str())).collect();
    for (node, at, misfit) in &innermost {
        mark(document, *node, at, misfit, sources, faults);
    }
    !innermost.is_empty()
}

/// The pointers to what stands around.
fn above(at: &str) -> impl Iterator<Item = &str> {
    at.rmatch_indices('/').map(|(index, _)| at.get(..index).unwrap_or_default())
}

/// What stands in the place of something unreadable: operations stay, so that they can be told of.
fn instead(node: Node, value: &Value, mark: &Value) -> Value {
    match node {
        Node::PathItem => {
            let operations = value.as_object().into_iter().flatten().filter(|(key, _)| METHODS.contains(&key.as_str()));
            operations.map(|(key, value)| (key.clone(), instead(Node::Operation, value, mark))).collect()
        }
        Node::Operation => {
            let kept = value.as_object().into_iter().flatten();
            let kept =
                kept.filter(|(key, value)| key.starts_with("x-") || (*key == "operationId" && value.is_string()));
            let mut operation: Map<String, Value> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
            operation.insert("responses".to_owned(), json!({ "200": mark }));
            Value::Object(operation)
        }
        Node::Responses => json!({ "200": mark }),
        Node::MediaType => json!({ "schema": mark }),
        Node::Encoding | Node::Paths | Node::Components => json!({}),
        _ => mark.clone(),
    }
}

/// Why an object is not what it should be.
struct Misfit {
    /// JSON Pointer from the object.
    at: String,
    reason: String,
}

impl Misfit {
    fn report(&self, sources: &Sources, at: &str) -> Diagnostic {
        Diagnostic::error(format!("the document is not as OpenAPI has it: {}", self.reason))
            .at(sources.place(&format!("{at}{}", self.at)))
    }
}

fn misfit(node: Node, value: &Value) -> Option<Misfit> {
    let found = match value {
        Value::Object(_) => None,
        Value::Array(_) => Some("a list"),
        Value::Null => Some("nothing"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some("a single value"),
    };
    if let Some(found) = found {
        return Some(Misfit { at: String::new(), reason: format!("{found} stands where an object should") });
    }
    match node {
        Node::PathItem => misfit_of::<PathItem>(value).err(),
        Node::Operation => misfit_of::<Operation>(value).err(),
        Node::Parameter => misfit_of::<Parameter>(value).err(),
        Node::RequestBody => misfit_of::<RequestBody>(value).err(),
        Node::MediaType => misfit_of::<MediaType>(value).err(),
        Node::Response => misfit_of::<Response>(value).err(),
        Node::Header => misfit_of::<Header>(value).err(),
        Node::Schema => misfit_of::<Schema>(value).err(),
        Node::Encoding => misfit_of::<openapiv3::Encoding>(value).err(),
        Node::Responses => misfit_of::<openapiv3::Responses>(value).err(),
        Node::Link => misfit_of::<openapiv3::Link>(value).err(),
        Node::Example => misfit_of::<openapiv3::Example>(value).err(),
        Node::SecurityScheme => misfit_of::<openapiv3::SecurityScheme>(value).err(),
        _ => None,
    }
}

fn misfit_of<T: DeserializeOwned>(value: &Value) -> Result<T, Misfit> {
    let mut track = serde_path_to_error::Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(value, &mut track))
        .map_err(|error| Misfit { at: to_pointer(&track.path()), reason: error.to_string() })
}

fn to_pointer(path: &Path) -> String {
    let mut at = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Map { key } => at = pointer::join(&at, key),
            Segment::Seq { index } => at = format!("{at}/{index}"),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(mut document: Value) -> (Result<OpenAPI, Diagnostics>, Value, Vec<String>) {
        let mut faults = Faults::default();
        let parsed = parse(&mut document, &Sources::new("d.json"), &mut faults);
        let said = faults.iter().map(|said| said.place.as_ref().unwrap().to_string()).collect();
        (parsed, document, said)
    }

    fn document(operation: Value) -> Value {
        json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}})
    }

    #[test]
    fn what_does_not_fit_deep_within_schemas_is_found_in_no_more_time() {
        let mut schema = json!({"type": "array", "items": "id"});
        for _ in 0..40 {
            schema = json!({"type": "array", "items": schema});
        }
        let (api, _, said) = parsed(json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {},
            "components": {"schemas": {"Deep": schema}}
        }));
        assert!(api.is_ok());
        assert_eq!(said, [format!("d.json#/components/schemas/Deep{}", "/items".repeat(41))]);
    }

    #[test]
    fn what_does_not_fit_is_marked_where_it_stands() {
        let (parsed, document, said) = parsed(document(json!({"responses": {"200": {
            "content": {"application/json": {"schema": {
                "type": "object", "properties": {"b": {"type": "array", "items": {"type": 7}}, "c": [{}]}
            }}}, "description": "ok"
        }}})));
        let at = "/paths/~1a/get/responses/200/content/application~1json/schema/properties";
        assert_eq!(said, [format!("d.json#{at}/b/items"), format!("d.json#{at}/c")]);
        assert_eq!(document.pointer(&format!("{at}/c/$ref")).unwrap(), "#/x-headwater-fault/1");
        assert!(parsed.is_ok());
    }

    #[test]
    fn an_operation_keeps_its_name() {
        let (parsed, document, said) =
            parsed(document(json!({"operationId": "listA", "x-b": 1, "tags": 1, "responses": {}})));
        assert_eq!(said, ["d.json#/paths/~1a/get/tags"]);
        assert_eq!(
            document.pointer("/paths/~1a/get").unwrap(),
            &json!({"operationId": "listA", "x-b": 1, "responses": {"200": {"$ref": "#/x-headwater-fault/0"}}})
        );
        assert!(parsed.is_ok());
    }

    #[test]
    fn a_document_without_a_version_of_its_api_cannot_be_read() {
        let (parsed, ..) = parsed(json!({"openapi": "3.0.3", "info": {"title": "t"}, "paths": {}}));
        let said = parsed.unwrap_err().iter().next().unwrap().clone();
        assert_eq!(said.message, "the document is not as OpenAPI has it: missing field `version`");
        assert_eq!(said.place.unwrap().to_string(), "d.json#/info");
    }
}
