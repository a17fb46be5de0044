//! The operations of a document.

use std::collections::BTreeSet;

use openapiv3::{Link, Operation, PathItem, ReferenceOr, Response, StatusCode};

use super::schema::{SchemaRef, schema_ref};
use crate::document::{Document, pointer};

/// An operation and where it is.
#[derive(Clone, Debug)]
pub(super) struct OperationRef<'a> {
    /// `operationId`, or method and path; unique.
    pub(super) id: String,
    /// HTTP method, in upper case.
    pub(super) method: String,
    pub(super) path: &'a str,
    /// JSON Pointer to the operation.
    pub(super) at: String,
    pub(super) item: &'a PathItem,
    pub(super) operation: &'a Operation,
}

/// All of them, in the document's order.
pub(super) fn operations(document: &Document) -> Vec<OperationRef<'_>> {
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for (path, item) in document.api.paths.iter() {
        let ReferenceOr::Item(item) = item else { continue };
        for (method, operation) in item.iter() {
            let at = pointer::join(&pointer::join("/paths", path), method);
            let base = operation.operation_id.clone().unwrap_or_else(|| format!("{method}{path}"));
            let mut id = base.clone();
            let mut number = 2;
            while !taken.insert(id.clone()) {
                id = format!("{base}-{number}");
                number += 1;
            }
            found.push(OperationRef { id, method: method.to_uppercase(), path, at, item, operation });
        }
    }
    found
}

/// What an operation answers when all is well.
pub(super) struct Answer<'a> {
    /// The schema of the JSON body.
    pub(super) schema: SchemaRef<'a>,
    /// Names of the documented headers.
    pub(super) headers: Vec<&'a str>,
    /// What the response leads to, by the links' names.
    pub(super) links: Vec<&'a Link>,
}

impl<'a> OperationRef<'a> {
    /// The first 2xx response with a JSON body, or why there is none.
    pub(super) fn answer(&self, document: &'a Document) -> Result<Answer<'a>, String> {
        let mut has_success = false;
        for (status, response) in &self.operation.responses.responses {
            let is_success = matches!(status, StatusCode::Code(200..=299) | StatusCode::Range(2));
            let Some(response) = is_success.then(|| resolve(document, response)).flatten() else { continue };
            has_success = true;
            let json = response.content.iter().find(|(media_type, _)| is_json(media_type));
            if let Some(schema) = json.and_then(|(_, content)| content.schema.as_ref()) {
                let headers = response.headers.keys().map(String::as_str).collect();
                let links = response.links.values().filter_map(|link| link.as_item()).collect();
                return Ok(Answer { schema: schema_ref(schema), headers, links });
            }
        }
        Err(if has_success { "no 2xx response has a JSON body with a schema" } else { "no 2xx response" }.to_owned())
    }

    /// Whether an answer is 429, and the names of the headers that the answers have.
    pub(super) fn limits(&self, document: &'a Document) -> (bool, Vec<&'a str>) {
        let responses = &self.operation.responses.responses;
        let refuses = responses.keys().any(|status| *status == StatusCode::Code(429));
        let responses = responses.values().filter_map(|response| resolve(document, response));
        (refuses, responses.flat_map(|response| response.headers.keys().map(String::as_str)).collect())
    }
}

fn resolve<'a>(document: &'a Document, response: &'a ReferenceOr<Response>) -> Option<&'a Response> {
    let mut response = response;
    // A bound; circles of `$ref`s have been refused.
    for _ in 0..32 {
        match response {
            ReferenceOr::Item(response) => return Some(response),
            ReferenceOr::Reference { reference } => {
                let name = reference.strip_prefix("#/components/responses/")?;
                response = document.api.components.as_ref()?.responses.get(name)?;
            }
        }
    }
    None
}

/// `application/json`, with parameters or a structured suffix (RFC 6839 section 3.1).
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or(media_type).trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json" | "application/*" | "*/*") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_many_names() {
        for media_type in ["application/json", "application/json; charset=utf-8", "application/vnd.api+json", "*/*"] {
            assert!(is_json(media_type), "{media_type}");
        }
        for media_type in ["text/plain", "application/xml", "application/jsonp"] {
            assert!(!is_json(media_type), "{media_type}");
        }
    }
}
