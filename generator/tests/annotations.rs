//! The reference of the annotations: every example in it is one, and every key is in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::Path;

use headwater::plan::{PlanOptions, Selection};
use headwater::plan_document;
use serde_json::{Value, json};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/annotations.md")).unwrap()
}

/// A document with a list of orders, a list of shops, and this annotation.
fn document(example: &Value) -> Value {
    let text = json!({"type": "string"});
    let integer = json!({"type": "integer"});
    let query = |name: &str, schema: &Value| json!({"name": name, "in": "query", "schema": schema});
    let order = json!({"type": "object", "required": ["id", "updated_at"], "properties": {
        "id": integer, "updated_at": {"type": "string", "format": "date-time"},
        "customer": {"type": "object", "properties": {
            "email": text, "name": text, "phones": {"type": "array", "items": text}}}}});
    let answer =
        |schema: Value| json!({"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}});
    let mut orders = json!({
        "operationId": "listOrders",
        "parameters": [
            {"name": "shop", "in": "path", "required": true, "schema": text},
            query("state", &text), query("cursor", &text), query("limit", &integer), query("updated_since", &text), query("before", &text),
            query("starting_after", &text), query("page", &integer), query("skip", &integer), query("after_id", &integer),
            {"name": "X-Page", "in": "header", "schema": integer},
        ],
        "responses": answer(json!({"type": "object", "properties": {
            "data": {"type": "array", "items": order},
            "events": {"type": "array", "items": {"type": "object", "properties": {"type": text, "order": order}}},
            "next_cursor": text, "next": text,
            "has_more": {"type": "boolean"}}})),
    });
    orders["responses"]["200"]["headers"] = json!({"X-Total-Count": {"schema": integer}});
    if example.to_string().contains("@odata") {
        let schema = &mut orders["responses"]["200"]["content"]["application/json"]["schema"];
        schema["properties"] = json!({
            "value": {"type": "array", "items": order}, "@odata.nextLink": text, "@odata.deltaLink": text});
    }
    let mut method = "get";
    if example.pointer("/x-kafka-source/parameters/filter").is_some() {
        method = "post";
        let schema = json!({"type": "object", "properties": {
            "filter": {"type": "object"}, "cursor": text, "limit": integer}});
        orders["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        orders["parameters"].as_array_mut().unwrap().truncate(1);
    }
    let mut document = json!({"openapi": "3.0.3", "info": {"title": "Orders", "version": "1"}});
    match example.get("x-kafka-source") {
        Some(source) => orders["x-kafka-source"] = source.clone(),
        None => document["x-kafka-connector"] = example["x-kafka-connector"].clone(),
    }
    document["paths"] = json!({
        "/shops/{shop}/orders": {method: orders},
        "/shops": {"get": {"operationId": "listShops", "responses": answer(json!({"type": "array", "items": {
            "type": "object", "required": ["id"], "properties": {"id": text}}}))}},
    });
    document
}

#[test]
fn every_example_is_taken() {
    let page = page();
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 10, "{} examples", examples.len());
    for example in examples {
        let value: Value = serde_yaml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path().join("openapi.json");
        std::fs::write(&spec, document(&value).to_string()).unwrap();
        // A parent has to be a stream, too.
        let selected = match value.pointer("/x-kafka-source/parent") {
            Some(_) => vec!["listOrders", "listShops"],
            None => vec!["listOrders"],
        };
        let options = PlanOptions {
            selection: Selection::Operations(selected.into_iter().map(str::to_owned).collect()),
            configures_missing: true,
            ..PlanOptions::default()
        };
        let planned = plan_document(&spec, &[], &options).unwrap_or_else(|said| panic!("{example}: {said:?}"));
        let warnings: Vec<_> = planned.warnings.iter().map(|said| said.message.as_str()).collect();
        assert!(warnings.is_empty(), "{example}: {warnings:?}");
    }
}

/// The keys as the command itself lists them where it refuses one that it does not know.
#[test]
fn every_key_is_described() {
    let page = page();
    let unknown = |example: Value| -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path().join("openapi.json");
        std::fs::write(&spec, document(&example).to_string()).unwrap();
        let said = plan_document(&spec, &[], &PlanOptions::default()).unwrap_err();
        let hint = said.iter().find_map(|said| said.hint.as_ref()?.strip_prefix("known here: ").map(str::to_owned));
        hint.unwrap().split(", ").map(str::to_owned).collect()
    };
    for (section, example) in [
        ("## `x-kafka-source`", json!({"x-kafka-source": {"qqqqqqqqqqqqqqqqq": 1}})),
        (
            "### `offset`",
            json!({"x-kafka-source": {"offset": {"mode": "timestamp", "field": "/updated_at",
            "parameter": "updated_since", "qqqqqqqqqqqqqqqqq": 1}}}),
        ),
        (
            "### `parent`",
            json!({"x-kafka-source": {"parent": {"operation": "listShops", "bind": {},
            "qqqqqqqqqqqqqqqqq": 1}}}),
        ),
        ("## `x-kafka-connector`", json!({"x-kafka-connector": {"qqqqqqqqqqqqqqqqq": 1}})),
    ] {
        let described = page.split(&format!("{section}\n")).nth(1).unwrap().split("\n#").next().unwrap();
        for key in unknown(example) {
            assert!(described.contains(&format!("| `{key}` |")), "{section}: `{key}` is not described");
        }
    }
}
