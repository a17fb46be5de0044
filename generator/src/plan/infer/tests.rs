use serde_json::{Value, json};

use super::*;
use crate::document::Document;
use crate::plan::survey;

/// What is inferred of an operation with these query parameters, response headers and response: subject, value and rule.
fn inferred(parameters: Value, headers: Value, response: Value) -> Result<Vec<String>, String> {
    let parameters: Vec<Value> = parameters
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| json!({"name": name, "in": "query", "schema": schema}))
        .collect();
    let operation = json!({
        "operationId": "listThings", "parameters": parameters,
        "responses": {"200": {
            "description": "ok", "headers": headers, "content": {"application/json": {"schema": response}},
        }},
    });
    let survey = survey(&Document::of_operation(operation, json!({}))).unwrap();
    match survey.streams.first() {
        Some(stream) => Ok(stream
            .inferences
            .iter()
            .filter(|inference| inference.subject != "topic")
            .map(|inference| format!("{}: {} ({})", inference.subject, inference.value, inference.rule))
            .collect()),
        None => Err(survey.others[0].reason.clone()),
    }
}

/// An object with these properties, all required.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn list(properties: Value) -> Value {
    json!({"type": "array", "items": object(properties)})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn number() -> Value {
    json!({"type": "integer"})
}

fn instant() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// The line about one subject.
fn about(subject: &str, inferred: Result<Vec<String>, String>) -> String {
    let lines = inferred.unwrap();
    let line = lines.iter().find_map(|line| line.strip_prefix(subject)?.strip_prefix(": "));
    line.unwrap_or("nothing").to_owned()
}

#[test]
fn names_are_the_same_however_they_are_written() {
    assert!(is_same("page_token", "pageToken"));
    assert!(is_same("per_page", "per-page"));
    assert!(!is_same("page", "pages"));
    assert_eq!(first_of(&["cursor", "page_token"], ["pageToken", "x"]), Some("pageToken"));
    assert_eq!(first_of(&["cursor"], ["pageToken", "x"]), None);
}

#[test]
fn records() {
    let records = |response| inferred(json!({}), json!({}), response).map(|lines| lines[0].clone());
    let things = || list(json!({"a": text()}));
    for (response, expected) in [
        (things(), Ok("records: `` (root-array)")),
        (object(json!({"total": number(), "odd": things()})), Ok("records: `/odd` (only-array)")),
        (object(json!({"errors": things(), "items": things()})), Ok("records: `/items` (envelope-name)")),
        (object(json!({"data": things(), "things": things()})), Ok("records: `/things` (path-segment)")),
        (object(json!({"data": object(json!({"orders": things()}))})), Ok("records: `/data/orders` (only-array)")),
        (object(json!({"orders": object(json!({"items": things()}))})), Ok("records: `/orders/items` (envelope-name)")),
        (object(json!({"a": things(), "b": things()})), Ok("records: `` (single-object)")),
        (object(json!({"id": text(), "items": things()})), Ok("records: `` (single-object)")),
        (object(json!({"a": text()})), Ok("records: `` (single-object)")),
        (json!({"type": "object"}), Err("the response is an object whose fields the document does not say")),
        (
            json!({"type": "array", "items": text()}),
            Err("the response is a list, but not of objects with fields, of which records are made"),
        ),
        (text(), Err("the response is neither an object nor a list")),
        (json!({}), Err("the document does not say what the response is")),
    ] {
        assert_eq!(records(response), expected.map(str::to_owned).map_err(str::to_owned));
    }
}

#[test]
fn keys() {
    let key = |properties| about("key", inferred(json!({}), json!({}), list(properties)));
    assert_eq!(key(json!({"name": text(), "id": number()})), "`/id` (required-id)");
    assert_eq!(key(json!({"key": text(), "uuid": text()})), "`/uuid` (required-id)");
    assert_eq!(key(json!({"thing_id": text()})), "`/thing_id` (required-id)");
    assert_eq!(key(json!({"id": {"type": "number"}})), "nothing");
    assert_eq!(key(json!({"id": {"type": "integer", "nullable": true}})), "nothing");
}

#[test]
fn offsets() {
    let offset = |parameters, properties| about("offset", inferred(parameters, json!({}), list(properties)));
    assert_eq!(
        offset(json!({"since": instant()}), json!({"created_at": instant(), "updated_at": instant()})),
        "`since` asks from `/updated_at` (updated-since)"
    );
    assert_eq!(
        offset(json!({"updatedAfter": text()}), json!({"updatedAt": instant()})),
        "`updatedAfter` asks from `/updatedAt` (updated-since)"
    );
    assert_eq!(
        offset(json!({"since": instant()}), json!({"occurred_at": instant()})),
        "`since` asks from `/occurred_at` (created-since)"
    );
    assert_eq!(offset(json!({"since": instant()}), json!({"updated_at": text()})), "nothing");
    assert_eq!(offset(json!({}), json!({"updated_at": instant()})), "nothing");
}

#[test]
fn pagination() {
    let page = |parameters, headers, response| about("pagination", inferred(parameters, headers, response));
    let with = |extra: Value| {
        let mut properties = json!({"items": list(json!({"a": text()}))});
        properties.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        object(properties)
    };
    let none = || json!({});
    for (parameters, headers, extra, expected) in [
        (json!({"page": number()}), json!({"link": {"schema": text()}}), none(), "link-header (link-header)"),
        (
            json!({"cursor": text(), "page": number()}),
            none(),
            json!({"next_cursor": text()}),
            "cursor from `/next_cursor` to `cursor` (cursor-in-body)",
        ),
        (
            json!({"continue": text()}),
            none(),
            json!({"metadata": object(json!({"continue": text()}))}),
            "cursor from `/metadata/continue` to `continue` (cursor-in-body)",
        ),
        (
            none(),
            none(),
            json!({"links": object(json!({"next": {"type": "string", "format": "uri"}}))}),
            "next-url at `/links/next` (next-url-in-body)",
        ),
        (
            json!({"page": {"type": "integer", "minimum": 0}, "size": number()}),
            none(),
            none(),
            "page in `page`, from 0 (page-parameter)",
        ),
        (json!({"offset": number(), "limit": number()}), none(), none(), "offset in `offset` (offset-parameter)"),
        (json!({"offset": number()}), none(), none(), "none (nothing-found)"),
        (json!({"cursor": text()}), none(), none(), "none (nothing-found)"),
    ] {
        assert_eq!(page(parameters, headers, with(extra)), expected);
    }
}
