//! Hints that other generators read: extensions of an operation that say where records are and how it pages.

use openapiv3::Operation;
use serde_json::Value;

use super::Inferred;
use crate::document::pointer;
use crate::plan::annotations::{Limit, Pagination};
use crate::plan::model::{FoundIn, Until};

/// What an extension says.
#[derive(Clone, Debug, Default)]
pub(in crate::plan) struct Hints {
    pub(in crate::plan) records: Option<Inferred<String>>,
    pub(in crate::plan) pagination: Option<Inferred<Pagination>>,
}

impl Hints {
    /// Those of an operation.
    pub(in crate::plan) fn of(operation: &Operation) -> Self {
        let extension = |name: &str| operation.extensions.get(name).map(|value| (name.to_owned(), value));
        let found = extension("x-ms-pageable").map(|(name, value)| Self::pageable(&name, value));
        let found = found.or_else(|| extension("x-speakeasy-pagination").map(|(name, value)| speakeasy(&name, value)));
        found.or_else(|| extension("x-fern-pagination").map(|(name, value)| fern(&name, value))).unwrap_or_default()
    }

    /// `x-ms-pageable`: the list is called `value` where nothing else is said, and the URL of the next page `nextLink`.
    fn pageable(name: &str, value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let records = pointer::join("", text("itemName").unwrap_or("value"));
        let next = match value.get("nextLinkName") {
            Some(Value::Null) => Pagination::None,
            link => {
                let pointer = pointer::join("", link.and_then(Value::as_str).unwrap_or("nextLink"));
                Pagination::NextUrl { pointer: FoundIn::Body(pointer), delta: None }
            }
        };
        Self { records: Some(said(name, records)), pagination: Some(said(name, next)) }
    }
}

fn said<T>(extension: &str, value: T) -> Inferred<T> {
    Inferred { value, rule: "extension", reason: format!("the operation's `{extension}` says so") }
}

/// `x-speakeasy-pagination`: inputs have a type and a parameter, outputs are JSONPaths.
fn speakeasy(name: &str, value: &Value) -> Hints {
    let outputs = |key: &str| json_path(value.get("outputs")?.get(key)?.as_str()?);
    let inputs = value.get("inputs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let input = |kind: &str| {
        let input = inputs.iter().find(|input| input.get("type").and_then(Value::as_str) == Some(kind))?;
        let is_query = input.get("in").and_then(Value::as_str).is_none_or(|place| place == "parameters");
        input.get("name").and_then(Value::as_str).filter(|_| is_query).map(str::to_owned)
    };
    let limit = || Limit { parameter: input("limit"), value: None };
    let pagination = match value.get("type").and_then(Value::as_str) {
        Some("url") => {
            outputs("nextUrl").map(|pointer| Pagination::NextUrl { pointer: FoundIn::Body(pointer), delta: None })
        }
        Some("cursor") => outputs("nextCursor")
            .zip(input("cursor"))
            .map(|(pointer, parameter)| by_cursor(&pointer, &parameter, limit())),
        Some("offsetLimit") => match (input("page"), input("offset")) {
            (Some(parameter), _) => Some(page(&parameter, limit())),
            (None, Some(parameter)) => Some(offset(&parameter, limit())),
            (None, None) => None,
        },
        _ => None,
    };
    Hints {
        records: outputs("results").map(|pointer| said(name, pointer)),
        pagination: pagination.map(|pagination| said(name, pagination)),
    }
}

/// `x-fern-pagination`: `$request.PARAMETER` and `$response.FIELD`.
fn fern(name: &str, value: &Value) -> Hints {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let request = |key: &str| text(key)?.strip_prefix("$request.").map(str::to_owned);
    let response = |key: &str| json_path(&format!("$.{}", text(key)?.strip_prefix("$response.")?));
    let cursor = request("cursor").zip(response("next_cursor"));
    let pagination = match (cursor, request("offset")) {
        (Some((parameter, pointer)), _) => Some(by_cursor(&pointer, &parameter, Limit::default())),
        (None, Some(parameter)) => Some(offset(&parameter, Limit::default())),
        (None, None) => None,
    };
    Hints {
        records: response("results").map(|pointer| said(name, pointer)),
        pagination: pagination.map(|pagination| said(name, pagination)),
    }
}

fn by_cursor(pointer: &str, parameter: &str, limit: Limit) -> Pagination {
    Pagination::Cursor { pointer: pointer.into(), parameter: parameter.into(), initial: None, limit }
}

fn page(parameter: &str, limit: Limit) -> Pagination {
    Pagination::Page { parameter: parameter.into(), first: 1, limit, until: Until::EmptyPage }
}

fn offset(parameter: &str, limit: Limit) -> Pagination {
    Pagination::Offset { parameter: parameter.into(), limit, until: Until::EmptyPage }
}

/// A JSONPath of names alone as a JSON Pointer.
fn json_path(path: &str) -> Option<String> {
    let names = path.strip_prefix('$')?;
    let is_plain = names.chars().all(|c| c.is_alphanumeric() || "._-@".contains(c));
    is_plain.then(|| names.split('.').skip(1).fold(String::new(), |at, name| pointer::join(&at, name)))
}
