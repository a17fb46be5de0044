use std::collections::BTreeSet;

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
    let untyped = json!({"type": "array", "items": {}});
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
        (json!({"type": "object"}), Ok("records: `` (undescribed)")),
        (json!({"type": "array"}), Ok("records: `` (undescribed)")),
        (json!({"type": "array", "items": {"type": "object"}}), Ok("records: `` (undescribed)")),
        (object(json!({"data": untyped, "total": number()})), Ok("records: `/data` (envelope-name)")),
        (object(json!({"things": untyped})), Ok("records: `/things` (path-segment)")),
        (object(json!({"data": object(json!({"items": untyped}))})), Ok("records: `/data/items` (envelope-name)")),
        (object(json!({"odd": untyped})), Ok("records: `` (single-object)")),
        (object(json!({"id": text(), "data": untyped})), Ok("records: `` (single-object)")),
        (
            json!({"type": "object", "additionalProperties": text()}),
            Err("the response is an object whose keys are data"),
        ),
        (
            object(json!({"data": {"type": "array", "items": {"type": "object", "additionalProperties": text()}}})),
            Err("the list `data` holds objects whose keys are data"),
        ),
        (
            json!({"type": "array", "items": text()}),
            Err("the response is a list, but not of objects with fields, of which records are made"),
        ),
        (text(), Err("the response is neither an object nor a list")),
        (json!({}), Ok("records: `` (undescribed)")),
        (json!({"oneOf": [{"type": "object"}, text()]}), Ok("records: `` (undescribed)")),
        (json!({"oneOf": [list(json!({"a": text()})), object(json!({}))]}), Ok("records: `` (undescribed)")),
        (
            json!({"type": "object", "oneOf": [object(json!({"a": text()})), object(json!({"b": text()}))]}),
            Ok("records: `` (single-object)"),
        ),
    ] {
        assert_eq!(records(response), expected.map(str::to_owned).map_err(str::to_owned));
    }
}

#[test]
fn what_is_not_described_pages_by_a_header_only() {
    let pages = json!({"page": number(), "per_page": number(), "cursor": text()});
    let pagination = |headers, response| about("pagination", inferred(pages.clone(), headers, response));
    for response in [json!({}), json!({"type": "object", "additionalProperties": true})] {
        assert_eq!(pagination(json!({}), response.clone()), "none (undescribed)");
    }
    assert_eq!(pagination(json!({"Link": {"schema": text()}}), json!({})), "link-header (link-header)");
    // Of a list, there is nothing more to know.
    assert_eq!(pagination(json!({}), json!({"type": "array", "items": {}})), "page in `page`, from 1 (page-parameter)");
}

#[test]
fn keys() {
    let key = |properties| about("key", inferred(json!({}), json!({}), list(properties)));
    assert_eq!(key(json!({"name": text(), "id": number()})), "`/id` (required-id)");
    assert_eq!(key(json!({"key": text(), "uuid": text()})), "`/uuid` (required-id)");
    assert_eq!(key(json!({"thing_id": text()})), "`/thing_id` (required-id)");
    assert_eq!(key(json!({"account_id": text(), "key": text()})), "`/account_id` (required-id)");
    assert_eq!(key(json!({"parent_id": text(), "key": text()})), "`/key` (required-id)");
    assert_eq!(key(json!({"metadata": object(json!({"uid": text()}))})), "`/metadata/uid` (metadata-uid)");
    assert_eq!(key(json!({"id": {"type": "number"}})), "nothing");
    assert_eq!(key(json!({"id": {"type": "integer", "nullable": true}, "name": text()})), "nothing");
    // Where something is required, and this is not.
    let key = |properties: Value, required: Value| {
        let items = json!({"type": "object", "required": required, "properties": properties});
        about("key", inferred(json!({}), json!({}), json!({"type": "array", "items": items})))
    };
    let read_only = json!({"type": "string", "readOnly": true});
    assert_eq!(key(json!({"id": text(), "name": text()}), json!([])), "`/id` (conventional-id)");
    assert_eq!(key(json!({"id": text(), "name": text()}), json!(["name"])), "nothing");
    assert_eq!(key(json!({"id": read_only, "name": text()}), json!(["name"])), "`/id` (read-only-id)");
    assert_eq!(key(json!({"thingId": text(), "name": text()}), json!(["name"])), "`/thingId` (own-id)");
    let nullable = json!({"type": "string", "nullable": true});
    assert_eq!(key(json!({"id": nullable, "name": text()}), json!([])), "nothing");
    assert_eq!(key(json!({"sid": nullable, "name": nullable}), json!([])), "`/sid` (conventional-id)");
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
    assert_eq!(
        offset(json!({"created_at[gte]": instant()}), json!({"created_at": instant()})),
        "`created_at[gte]` asks from `/created_at` (field-bound)"
    );
    assert_eq!(
        offset(json!({"since": instant(), "timestamp_gte": instant()}), json!({"timestamp": instant()})),
        "`timestamp_gte` asks from `/timestamp` (field-bound)"
    );
    assert_eq!(offset(json!({"since": number()}), json!({"updated_at": instant()})), "nothing");
    // One of the two must be an instant for sure.
    assert_eq!(
        offset(json!({"since": instant()}), json!({"updated_at": text()})),
        "`since` asks from `/updated_at` (text-instant)"
    );
    assert_eq!(offset(json!({"since": text()}), json!({"updated_at": text()})), "nothing");
    // Of no field is it said that every record has it, or of another one.
    let of = |item: Value| {
        about("offset", inferred(json!({"start": instant()}), json!({}), json!({"type": "array", "items": item})))
    };
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let unrequired = "`start` asks from `/issuanceTime` (unrequired-instant)";
    assert_eq!(of(object(json!({"id": text(), "issuanceTime": instant()}))), unrequired);
    let mut other = object(json!({"id": text(), "issuanceTime": instant()}));
    other["required"] = json!(["id"]);
    assert_eq!(of(other), "nothing");
    let wrapped = "`start` asks from `/properties/timestamp` (unrequired-instant)";
    assert_eq!(of(object(json!({"properties": object(json!({"timestamp": instant()}))}))), wrapped);
    assert_eq!(of(object(json!({"owner": object(json!({"timestamp": instant()}))}))), "nothing");
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
        (
            json!({"page": text()}),
            none(),
            json!({"next_page": text()}),
            "cursor from `/next_page` to `page` (cursor-in-body)",
        ),
        (
            none(),
            none(),
            json!({"_links": object(json!({"next": object(json!({"href": text()}))}))}),
            "next-url at `/_links/next/href` (next-url-in-body)",
        ),
        (
            none(),
            none(),
            json!({"next": {"type": "string", "description": "URL of the next page."}}),
            "next-url at `/next` (next-url-in-body)",
        ),
        (
            json!({"page": number()}),
            json!({"X-Total-Pages": {"schema": number()}, "X-Total-Count": {"schema": number()}}),
            json!({"total": number()}),
            "page in `page`, from 1 of as many pages as header X-Total-Pages (page-parameter)",
        ),
        (
            json!({"offset": number(), "limit": number()}),
            json!({"X-Total-Pages": {"schema": number()}}),
            json!({"meta": object(json!({"totalCount": number()})), "has_more": {"type": "boolean"}}),
            "offset in `offset` of as many records as /meta/totalCount (offset-parameter)",
        ),
        (
            json!({"page": number()}),
            none(),
            json!({"has_more": {"type": "boolean"}, "total": {"type": "number"}}),
            "page in `page`, from 1 while /has_more (page-parameter)",
        ),
        (
            json!({"page_token": text()}),
            json!({"X-Next-Page-Token": {"schema": text()}}),
            none(),
            "cursor from `header X-Next-Page-Token` to `page_token` (cursor-in-body)",
        ),
        (
            none(),
            none(),
            json!({"@odata.nextLink": text(), "@odata.deltaLink": text()}),
            "next-url at `/@odata.nextLink`, then `/@odata.deltaLink` (next-url-in-body)",
        ),
        // A text is no number of records to skip.
        (json!({"start": text(), "limit": number()}), none(), none(), "none (nothing-found)"),
        (json!({"starting_after": text()}), none(), json!({"has_more": {"type": "boolean"}}), "none (nothing-found)"),
        (json!({"offset": number()}), none(), none(), "none (nothing-found)"),
        (json!({"cursor": text()}), none(), none(), "none (nothing-found)"),
    ] {
        assert_eq!(page(parameters, headers, with(extra)), expected);
    }
}

#[test]
fn the_last_record_leads_on_by_its_key() {
    let response = object(json!({"data": list(json!({"id": text()})), "has_more": {"type": "boolean"}}));
    assert_eq!(
        about("pagination", inferred(json!({"starting_after": text()}), json!({}), response)),
        "last-record in `starting_after` while `/has_more` (last-record)"
    );
}

#[test]
fn what_is_read_in_pages_is_no_single_object() {
    let things = || list(json!({"a": text()}));
    let response = object(json!({"a": things(), "b": things()}));
    assert_eq!(
        inferred(json!({"page": number()}), json!({}), response),
        Err("it is read in pages, but where the records are on a page cannot be told: the response has several lists of \
             objects: `a`, `b`, so the response is one record"
            .to_owned())
    );
    let mixed = |other: Value| json!({"type": "array", "items": {"oneOf": [object(json!({"a": text()})), other]}});
    assert_eq!(
        inferred(json!({}), json!({}), object(json!({"items": mixed(text()), "order": things()}))),
        Err("the list `items` holds things of several kinds".to_owned())
    );
    // What all of them have is there to be found.
    let both = |fields: Value| object(json!({"items": mixed(object(fields)), "order": things()}));
    assert_eq!(
        inferred(json!({}), json!({}), both(json!({"a": text(), "b": text()}))),
        Ok(vec!["records: `/items` (envelope-name)".to_owned(), "pagination: none (nothing-found)".to_owned()])
    );
}

/// The survey of a document with these paths: path, parameters in it, schema of the response, and what the operation has
/// besides.
fn surveyed(operations: &[(&str, &str, Value, Value)]) -> survey::Survey {
    let folder = tempfile::tempdir().unwrap();
    let mut document = json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}});
    for (id, path, response, more) in operations {
        let names = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
        let parameters: Vec<Value> =
            names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": text()})).collect();
        let mut operation = json!({"operationId": id, "parameters": parameters, "responses": {"200": {
            "description": "ok", "content": {"application/json": {"schema": response}}}}});
        for (key, value) in more.as_object().unwrap() {
            operation[key.as_str()] = value.clone();
        }
        document["paths"][*path]["get"] = operation;
    }
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    survey(&Document::load(&file, &[]).unwrap()).unwrap()
}

fn parent(survey: &survey::Survey, id: &str) -> String {
    let stream = survey.streams.iter().find(|stream| stream.operation_id == id).unwrap();
    let inference = stream.inferences.iter().find(|inference| inference.subject == "parent");
    inference.map_or_else(|| "nothing".to_owned(), |inference| format!("{} ({})", inference.value, inference.rule))
}

#[test]
fn parents() {
    let owned = object(json!({"id": number(), "name": text(), "owner": object(json!({"login": text()}))}));
    let listed = |items: &Value| json!({"type": "array", "items": items});
    let thing = || list(json!({"id": text()}));
    let none = || json!({});
    let survey = surveyed(&[
        ("shops", "/shops", thing(), none()),
        ("orders", "/shops/{shop}/orders", thing(), none()),
        ("lines", "/shops/{shop}/orders/{order_id}/lines", thing(), none()),
        ("repos", "/user/repos", listed(&owned), none()),
        ("issues", "/repos/{owner}/{repo}/issues", thing(), none()),
        // Named by a text, and listed by nobody.
        ("parts", "/machines/{machine}/parts", thing(), none()),
        // Only those that are asked for are listed.
        (
            "cars",
            "/cars",
            thing(),
            json!({"parameters": [
            {"name": "ids", "in": "query", "required": true, "schema": {"type": "string"}}]}),
        ),
        ("trips", "/cars/{car}/trips", thing(), none()),
    ]);
    assert_eq!(parent(&survey, "shops"), "nothing");
    assert_eq!(parent(&survey, "orders"), "shops: shop from /id (path-prefix)");
    assert_eq!(parent(&survey, "lines"), "orders: order_id from /id (path-prefix)");
    assert_eq!(parent(&survey, "issues"), "repos: owner from /owner/login, repo from /name (path-of-list)");
    assert_eq!(parent(&survey, "parts"), "nothing");
    assert_eq!(parent(&survey, "trips"), "nothing");
}

#[test]
fn a_link_of_a_response_says_who_the_parent_is() {
    let linked = json!({"responses": {"200": {
        "description": "ok",
        "content": {"application/json": {"schema": object(json!({"items": list(json!({"no": text()}))}))}},
        "links": {"visits": {"operationId": "visits", "parameters": {"pet": "$response.body#/items/0/no"}}},
    }}});
    let survey = surveyed(&[
        ("pets", "/animals", json!({}), linked),
        ("visits", "/visits/{pet}", object(json!({"visits": list(json!({"id": text()}))})), json!({})),
    ]);
    assert_eq!(parent(&survey, "visits"), "pets: pet from /no (openapi-link)");
}

#[test]
fn limits() {
    let of = |refuses, headers: &[&str]| super::limits::infer(refuses, headers).map(|inferred| inferred.rule);
    assert_eq!(of(false, &["Link", "Content-Length"]), None);
    assert_eq!(of(true, &["Link"]), Some("status-429"));
    assert_eq!(of(true, &["X-Rate-Limit-Remaining"]), Some("rate-limit-headers"));
    assert_eq!(of(false, &["RateLimit"]), Some("rate-limit-headers"));
    assert_eq!(of(false, &["Retry-After"]), Some("rate-limit-headers"));
}

#[test]
fn extensions_of_other_generators() {
    let response =
        || object(json!({"odd": list(json!({"id": text()})), "more": text(), "other": list(json!({"a": text()}))}));
    let with = |name: &str, value: Value| {
        let survey = surveyed(&[("things", "/things", response(), json!({name: value}))]);
        let stream = survey.streams.first().unwrap();
        let rules: BTreeSet<_> =
            stream.inferences.iter().map(|inference| (inference.subject, inference.rule)).collect();
        assert!(rules.contains(&("records", "extension")) && rules.contains(&("pagination", "extension")), "{rules:?}");
        (stream.records.clone(), stream.pagination.clone())
    };
    let expected = |pagination: &str| ("/odd".to_owned(), pagination.to_owned());
    assert_eq!(
        with("x-ms-pageable", json!({"itemName": "odd", "nextLinkName": "more"})),
        expected("next-url at /more")
    );
    // What it speaks of by default, not every response has.
    let survey = surveyed(&[("things", "/things", response(), json!({"x-ms-pageable": {"itemName": "odd"}}))]);
    assert_eq!(survey.streams.first().map(|stream| stream.pagination.as_str()), Some("none"));
    assert_eq!(
        with(
            "x-speakeasy-pagination",
            json!({"type": "cursor", "inputs": [{"name": "c", "in": "parameters", "type": "cursor"}],
            "outputs": {"results": "$.odd", "nextCursor": "$.more"}})
        ),
        expected("cursor c from /more")
    );
    assert_eq!(
        with(
            "x-fern-pagination",
            json!({"cursor": "$request.c", "next_cursor": "$response.more", "results": "$response.odd"})
        ),
        expected("cursor c from /more")
    );
}
