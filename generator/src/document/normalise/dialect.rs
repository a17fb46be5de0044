//! OpenAPI 3.1 brought down to 3.0: its schemas are JSON Schema 2020-12 (OAS 3.1 section 4.8.24), and say in other words
//! what those of 3.0 can say too. What 3.0 has no words for is dropped: it constrains values, and a reader takes what comes.

use serde_json::{Map, Value, json};

use super::super::walk::{Node, walk};

/// Rewrites a document of OpenAPI 3.1 or 3.2; leaves others alone.
pub(super) fn lower(document: &mut Value) {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !["3.1", "3.2"].iter().any(|lowered| version.starts_with(lowered)) {
        return;
    }
    let Value::Object(root) = document else { return };
    root.insert("openapi".to_owned(), json!("3.0.3"));
    root.entry("paths").or_insert_with(|| json!({}));
    if let Some(Value::Object(schemes)) = document.pointer_mut("/components/securitySchemes") {
        schemes.retain(|_, scheme| scheme.get("type").is_none_or(|kind| kind != "mutualTLS"));
    }
    booleans_under(document, "/components/schemas");
    walk(document, &mut |node, _, value| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            schema_object(schema);
        }
    });
}

/// Applies each rule to one schema. Children come later, so that what a rule moves is still rewritten.
fn schema_object(schema: &mut Map<String, Value>) {
    if schema.contains_key("$ref") {
        return;
    }
    booleans(schema);
    constant(schema);
    tuple(schema);
    patterns(schema);
    bound(schema, "exclusiveMinimum", "minimum");
    bound(schema, "exclusiveMaximum", "maximum");
    binary(schema);
    null_branches(schema, "anyOf");
    null_branches(schema, "oneOf");
    type_list(schema);
    if let Some(Value::Array(examples)) = schema.shift_remove("examples") {
        examples.into_iter().next().map(|example| schema.entry("example").or_insert(example));
    }
}

/// `true` allows everything and `false` nothing (JSON Schema 2020-12 section 4.3.2).
fn as_object(value: &mut Value) {
    match value {
        Value::Bool(true) => *value = json!({}),
        Value::Bool(false) => *value = json!({ "not": {} }),
        _ => {}
    }
}

fn booleans_under(document: &mut Value, pointer: &str) {
    for (_, schema) in document.pointer_mut(pointer).and_then(Value::as_object_mut).into_iter().flatten() {
        as_object(schema);
    }
}

fn booleans(schema: &mut Map<String, Value>) {
    for (_, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        as_object(property);
    }
    for key in ["items", "not"] {
        schema.get_mut(key).map(as_object);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().for_each(as_object);
    }
}

/// A constant is an enum of one.
fn constant(schema: &mut Map<String, Value>) {
    let Some(value) = schema.shift_remove("const") else { return };
    if let (None, Some(kind)) = (schema.get("type"), kind_of(&value)) {
        schema.insert("type".to_owned(), json!(kind));
    }
    schema.insert("enum".to_owned(), json!([value]));
}

fn kind_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(_) => Some("string"),
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) => Some(if number.is_f64() { "number" } else { "integer" }),
        Value::Null => Some("null"),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The places of a tuple may differ, so that its items can be anything.
fn tuple(schema: &mut Map<String, Value>) {
    if schema.shift_remove("prefixItems").is_some() {
        schema.insert("items".to_owned(), json!({}));
    }
}

/// Keys by pattern are a map, of one type if there is one pattern.
fn patterns(schema: &mut Map<String, Value>) {
    let Some(Value::Object(patterns)) = schema.shift_remove("patternProperties") else { return };
    let mut schemas = patterns.into_iter().map(|(_, schema)| schema);
    let values = match (schemas.next(), schemas.next()) {
        (Some(only), None) => only,
        _ => json!(true),
    };
    match schema.get("additionalProperties") {
        None | Some(Value::Bool(_)) => drop(schema.insert("additionalProperties".to_owned(), values)),
        Some(_) => {}
    }
}

/// An exclusive bound is a number of its own, and in 3.0 a flag beside the bound.
fn bound(schema: &mut Map<String, Value>, exclusive: &str, inclusive: &str) {
    if let Some(value @ Value::Number(_)) = schema.get(exclusive).cloned() {
        schema.insert(inclusive.to_owned(), value);
        schema.insert(exclusive.to_owned(), json!(true));
    }
}

/// Binary data is told by its encoding, and in 3.0 by the format.
fn binary(schema: &mut Map<String, Value>) {
    let encoding = schema.shift_remove("contentEncoding");
    if encoding.is_some_and(|encoding| encoding == "base64") && !schema.contains_key("format") {
        schema.insert("format".to_owned(), json!("byte"));
    }
}

/// A branch that is `null` makes the others nullable.
fn null_branches(schema: &mut Map<String, Value>, key: &str) {
    let Some(Value::Array(branches)) = schema.get_mut(key) else { return };
    let count = branches.len();
    branches.retain(|branch| {
        let is_null = branch.get("type").is_some_and(|kind| kind == "null" || *kind == json!(["null"]));
        !is_null && branch.get("const").is_none_or(|value| !value.is_null())
    });
    let (found, empty) = (branches.len() < count, branches.is_empty());
    if empty {
        schema.shift_remove(key);
    }
    if found {
        schema.insert("nullable".to_owned(), json!(true));
    }
}

/// A list of types: `null` makes the others nullable, and several others are branches of their own.
fn type_list(schema: &mut Map<String, Value>) {
    let types: Vec<String> = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(only)) if only == "null" => vec![only.clone()],
        _ => return,
    };
    schema.shift_remove("type");
    let others: Vec<_> = types.iter().filter(|kind| *kind != "null").collect();
    if others.len() < types.len() {
        schema.insert("nullable".to_owned(), json!(true));
    }
    match others.as_slice() {
        [] => {}
        [only] => drop(schema.insert("type".to_owned(), json!(only))),
        several => {
            let branches = several.iter().map(|kind| branch(schema, kind)).collect();
            for key in ["format", "enum", "items", "properties", "required", "additionalProperties"] {
                schema.shift_remove(key);
            }
            schema.insert("anyOf".to_owned(), Value::Array(branches));
        }
    }
}

/// What a schema of several types says of one of them.
fn branch(schema: &Map<String, Value>, kind: &str) -> Value {
    let keys: &[&str] = match kind {
        "array" => &["items"],
        "object" => &["properties", "required", "additionalProperties"],
        "string" | "integer" | "number" => &["format"],
        _ => &[],
    };
    let mut branch = Map::from_iter([("type".to_owned(), json!(kind))]);
    branch.extend(keys.iter().filter_map(|key| Some(((*key).to_owned(), schema.get(*key)?.clone()))));
    Value::Object(branch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(schema: Value) -> Value {
        let mut document = json!({ "openapi": "3.1.0", "components": { "schemas": { "A": schema } } });
        lower(&mut document);
        assert_eq!(document["openapi"], "3.0.3");
        assert_eq!(document["paths"], json!({}));
        document["components"]["schemas"]["A"].take()
    }

    #[test]
    fn schemas_say_the_same_in_the_words_of_3_0() {
        for (schema, expected) in [
            (json!({"type": ["string", "null"]}), json!({"nullable": true, "type": "string"})),
            (json!({"type": ["string"]}), json!({"type": "string"})),
            (json!({"type": "null"}), json!({"nullable": true})),
            (
                json!({"type": ["string", "array"], "items": {"type": "integer"}}),
                json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}),
            ),
            (
                json!({"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}]}),
                json!({"anyOf": [{"$ref": "#/components/schemas/B"}], "nullable": true}),
            ),
            (json!({"oneOf": [{"type": "null"}]}), json!({"nullable": true})),
            (json!({"const": "user"}), json!({"type": "string", "enum": ["user"]})),
            (json!({"const": 1}), json!({"type": "integer", "enum": [1]})),
            (
                json!({"type": "number", "exclusiveMinimum": 0}),
                json!({"type": "number", "exclusiveMinimum": true, "minimum": 0}),
            ),
            (json!({"type": "string", "contentEncoding": "base64"}), json!({"type": "string", "format": "byte"})),
            (json!({"type": "array", "prefixItems": [{"type": "string"}]}), json!({"type": "array", "items": {}})),
            (
                json!({"type": "object", "patternProperties": {"^x": {"type": ["integer", "null"]}}}),
                json!({"type": "object", "additionalProperties": {"nullable": true, "type": "integer"}}),
            ),
            (
                json!({"type": "object", "properties": {"any": true, "none": false}}),
                json!({"type": "object", "properties": {"any": {}, "none": {"not": {}}}}),
            ),
            (json!({"type": "string", "examples": ["a", "b"]}), json!({"type": "string", "example": "a"})),
            (json!(true), json!({})),
        ] {
            assert_eq!(lowered(schema.clone()), expected, "{schema}");
        }
    }

    #[test]
    fn documents_of_3_0_are_left_alone() {
        let document = json!({ "openapi": "3.0.3", "components": { "schemas": { "A": { "type": ["string"] } } } });
        let mut same = document.clone();
        lower(&mut same);
        assert_eq!(same, document);
    }
}
