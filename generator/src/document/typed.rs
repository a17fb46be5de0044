//! The document as typed values.

use openapiv3::{Header, MediaType, OpenAPI, Operation, Parameter, PathItem, RequestBody, Response, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::pointer;
use super::walk::{Node, reference, walk};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

/// Parses the document. What does not fit is reported at the smallest object that does not.
pub(super) fn parse(document: &Value, file: &str) -> Result<OpenAPI, Diagnostics> {
    let error = match misfit_of::<OpenAPI>(document) {
        Ok(api) => return Ok(api),
        Err(error) => error,
    };
    // The typed model tries references and objects one after the other, which costs it the place. The objects one by
    // one, the smallest first, have it.
    let mut found: Vec<(String, Misfit)> = Vec::new();
    walk(&mut document.clone(), &mut |node, at, value| {
        if reference(value).is_none()
            && let Some(misfit) = misfit(node, value)
        {
            found.push((at.to_owned(), misfit));
        }
    });
    let innermost =
        |at: &str| !found.iter().any(|(other, _)| other.len() > at.len() && other.starts_with(&format!("{at}/")));
    let mut diagnostics = Diagnostics::default();
    for (at, misfit) in found.iter().filter(|(at, _)| innermost(at)) {
        diagnostics.push(misfit.report(file, at));
    }
    if !diagnostics.has_errors() {
        diagnostics.push(error.report(file, ""));
    }
    Err(diagnostics)
}

/// Why an object is not what it should be.
struct Misfit {
    /// JSON Pointer from the object.
    at: String,
    reason: String,
}

impl Misfit {
    fn report(&self, file: &str, at: &str) -> Diagnostic {
        Diagnostic::error(format!("the document is not as OpenAPI 3.0 has it: {}", self.reason))
            .at(Place::pointer(file, &format!("{at}{}", self.at)))
    }
}

fn misfit(node: Node, value: &Value) -> Option<Misfit> {
    match node {
        Node::PathItem => misfit_of::<PathItem>(value).err(),
        Node::Operation => misfit_of::<Operation>(value).err(),
        Node::Parameter => misfit_of::<Parameter>(value).err(),
        Node::RequestBody => misfit_of::<RequestBody>(value).err(),
        Node::MediaType => misfit_of::<MediaType>(value).err(),
        Node::Response => misfit_of::<Response>(value).err(),
        Node::Header => misfit_of::<Header>(value).err(),
        Node::Schema => misfit_of::<Schema>(value).err(),
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

    #[test]
    fn what_does_not_fit_is_found() {
        let document = json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {
                "type": "object", "properties": {"b": {"type": "array", "items": {"type": 7}}}
            }}}, "description": "ok"}}}}}
        });
        let diagnostics = parse(&document, "d.json").unwrap_err();
        let said: Vec<_> = diagnostics.iter().collect();
        assert_eq!(said.len(), 1);
        assert_eq!(
            said[0].place.as_ref().unwrap().to_string(),
            "d.json#/paths/~1a/get/responses/200/content/application~1json/schema/properties/b/items"
        );
        let diagnostics =
            parse(&json!({"openapi": "3.0.3", "info": {"title": "t"}, "paths": {}}), "d.json").unwrap_err();
        let said = diagnostics.iter().next().unwrap();
        assert_eq!(said.message, "the document is not as OpenAPI 3.0 has it: missing field `version`");
        assert_eq!(said.place.as_ref().unwrap().to_string(), "d.json#/info");
    }
}
