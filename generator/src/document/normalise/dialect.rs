//! OpenAPI 3.1 brought down to 3.0: its schemas are JSON Schema 2020-12 (OAS 3.1 section 4.8.24), and say in other words
//! what those of 3.0 can say too. What 3.0 has no words for is dropped: it constrains values, and a reader takes what comes.

use serde_json::{Map, Value, json};

use super::super::repair::Repairs;
use super::super::walk::{Node, walk};
use crate::document::pointer;

/// What schemas of OpenAPI 3.0 do not have.
const NEWER: [&str; 6] = ["const", "prefixItems", "patternProperties", "contentEncoding", "examples", "$defs"];

/// Rewrites what only OpenAPI 3.1 and later have; in a document of 3.0, where it is plainly meant too, with a note.
pub(super) fn lower(document: &mut Value, repairs: &mut Repairs) {
    let version =
        document.get("openapi").map(|version| version.as_str().map_or_else(|| version.to_string(), str::to_owned));
    let is_older = version.is_some_and(|version| version.starts_with("3.0"));
    let Value::Object(root) = document else { return };
    root.insert("openapi".to_owned(), json!("3.0.3"));
    if let Some(Value::Object(schemes)) = document.pointer_mut("/components/securitySchemes") {
        schemes.retain(|_, scheme| scheme.get("type").is_none_or(|kind| kind != "mutualTLS"));
    }
    walk(document, &mut |node, at, value| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            if is_older {
                note(at, schema, repairs);
            }
            lossy(at, schema, repairs);
            schema_object(schema);
        }
    });
}

/// Tells of what a document of OpenAPI 3.0 has from 3.1.
fn note(at: &str, schema: &Map<String, Value>, repairs: &mut Repairs) {
    let mut found: Vec<&str> = NEWER.iter().copied().filter(|key| schema.contains_key(*key)).collect();
    found.extend(
        ["exclusiveMinimum", "exclusiveMaximum"].iter().filter(|key| schema.get(**key).is_some_and(Value::is_number)),
    );
    if schema.get("type").is_some_and(|kind| kind.is_array() || kind == "null") {
        found.push("type");
    }
    for key in found {
        let message = format!("this `{key}` is of OpenAPI 3.1: it is read as there");
        repairs.note("newer", &pointer::join(at, key), message);
    }
}

/// Tells of what cannot be said in the words of 3.0, and is lost.
fn lossy(at: &str, schema: &Map<String, Value>, repairs: &mut Repairs) {
    if schema.contains_key("prefixItems") {
        let message = "the items of a tuple can be anything here, whatever their place";
        repairs.note("tuple", &pointer::join(at, "prefixItems"), message);
    }
    if schema.get("patternProperties").and_then(Value::as_object).is_some_and(|patterns| patterns.len() > 1) {
        let message = "the values can be anything here, whatever pattern their names are of";
        repairs.note("patterns", &pointer::join(at, "patternProperties"), message);
    }
}

/// Applies each rule to one schema. Children come later, so that what a rule moves is still rewritten.
fn schema_object(schema: &mut Map<String, Value>) {
    if schema.contains_key("$ref") {
        return;
    }
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
        lower(&mut document, &mut Repairs::default());
        assert_eq!(document["openapi"], "3.0.3");
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
            (json!({"type": "string", "examples": ["a", "b"]}), json!({"type": "string", "example": "a"})),
        ] {
            assert_eq!(lowered(schema.clone()), expected, "{schema}");
        }
    }

    #[test]
    fn what_documents_of_3_0_have_from_3_1_is_told_of() {
        let schema = json!({
            "type": ["string", "null"], "const": "a", "exclusiveMinimum": 1, "examples": ["a"], "prefixItems": [{}],
            "patternProperties": {"a": {}, "b": {}}
        });
        let mut document = json!({ "openapi": "3.0.1", "components": { "schemas": { "A": schema } } });
        let mut newer = document.clone();
        newer["openapi"] = json!("3.1.0");
        let said = |document: &mut Value| {
            let mut repairs = Repairs::default();
            lower(document, &mut repairs);
            let warnings = repairs.warnings(|warning, at| warning.at(crate::diagnostic::Place::pointer("d", at)));
            let said = warnings.iter().map(|said| format!("{}: {}", said.place.as_ref().unwrap(), said.message));
            said.collect::<Vec<_>>()
        };
        let at = "d#/components/schemas/A";
        let lost = [
            format!("{at}/prefixItems: the items of a tuple can be anything here, whatever their place"),
            format!("{at}/patternProperties: the values can be anything here, whatever pattern their names are of"),
        ];
        let (older_said, newer_said) = (said(&mut document), said(&mut newer));
        assert_eq!(older_said[0], format!("{at}/const: this `const` is of OpenAPI 3.1: it is read as there"));
        assert_eq!(older_said[3..], lost);
        assert_eq!(newer_said, lost);
        assert_eq!(document, newer);
    }
}
