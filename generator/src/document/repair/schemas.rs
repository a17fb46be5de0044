//! Schemas.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value, json};

use super::{Repairs, remove, text, word};
use crate::document::pointer;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// Other words for them that are found in documents, with the format that they say.
const OTHER_WORDS: [(&str, &str, Option<&str>); 30] = [
    ("str", "string", None),
    ("text", "string", None),
    ("char", "string", None),
    ("file", "string", Some("binary")),
    ("binary", "string", Some("binary")),
    ("byte", "string", Some("byte")),
    ("uuid", "string", Some("uuid")),
    ("guid", "string", Some("uuid")),
    ("date", "string", Some("date")),
    ("datetime", "string", Some("date-time")),
    ("date-time", "string", Some("date-time")),
    ("email", "string", Some("email")),
    ("uri", "string", Some("uri")),
    ("url", "string", Some("uri")),
    ("password", "string", Some("password")),
    ("enum", "string", None),
    ("int", "integer", None),
    ("int32", "integer", Some("int32")),
    ("int64", "integer", Some("int64")),
    ("long", "integer", Some("int64")),
    ("short", "integer", Some("int32")),
    ("float", "number", Some("float")),
    ("double", "number", Some("double")),
    ("decimal", "number", None),
    ("bool", "boolean", None),
    ("dict", "object", None),
    ("map", "object", None),
    ("hash", "object", None),
    ("list", "array", None),
    ("none", "null", None),
];

/// Makes an object of what stands in the place of a schema, where it is plain what is meant.
pub(super) fn shape(at: &str, value: &mut Value, is_older: bool, repairs: &mut Repairs) {
    match value {
        Value::Null => {
            *value = json!({});
            repairs.note("null", at, "nothing stands where a schema should: it is taken for one that allows anything");
        }
        // `true` allows everything and `false` nothing (JSON Schema 2020-12 section 4.3.2).
        Value::Bool(allows) => {
            if is_older {
                let message = format!("a schema that is `{allows}` is of OpenAPI 3.1: it is read as there");
                repairs.note("newer", at, message);
            }
            *value = if *allows { json!({}) } else { json!({ "not": {} }) };
        }
        Value::Array(schemas) => {
            let message = match schemas.len() {
                0 | 1 => "a list stands where a schema should: what is in it is taken",
                _ => "a list stands where a schema should: it is taken for `anyOf`",
            };
            repairs.note("list", at, message);
            *value = match schemas.len() {
                0 | 1 => schemas.pop().unwrap_or_else(|| json!({})),
                _ => json!({ "anyOf": schemas }),
            };
            shape(at, value, is_older, repairs);
        }
        Value::String(name) if known_type(name).is_some() => {
            let message = format!("the text `{name}` stands where a schema should: it is taken for its `type`");
            repairs.note("word", at, message);
            *value = json!({ "type": name });
        }
        Value::Object(schema) => {
            if schema.get("$ref").is_some_and(|target| !target.is_string()) {
                schema.shift_remove("$ref");
                repairs.note("reference", at, "the `$ref` is no text, and is left out");
            }
        }
        Value::String(_) | Value::Number(_) => {}
    }
}

pub(super) fn repair(at: &str, value: &mut Value, repairs: &mut Repairs) {
    let Value::Object(schema) = value else { return };
    types(at, schema, repairs);
    items(at, schema, repairs);
    for key in ["allOf", "anyOf", "oneOf"] {
        branches(at, schema, key, repairs);
    }
    enumeration(at, schema, repairs);
    discriminator(at, schema, repairs);
    if let Some(Value::String(word)) = schema.get("additionalProperties") {
        let allows = word.to_ascii_lowercase().parse::<bool>().ok();
        let message = "`additionalProperties` is a text where a schema should stand";
        repairs.note("additional", &pointer::join(at, "additionalProperties"), message);
        match allows {
            Some(allows) => drop(schema.insert("additionalProperties".to_owned(), json!(allows))),
            None => drop(schema.shift_remove("additionalProperties")),
        }
    }
    for key in ["$dynamicRef", "$recursiveRef", "if"] {
        if schema.contains_key(key) && !schema.get(key).is_some_and(Value::is_null) {
            let message = format!("`{key}` is not looked at: what it says of the value is not known");
            repairs.note("not looked at", &pointer::join(at, key), message);
            schema.shift_remove(key);
        }
    }
}

/// The type and the format that a word stands for.
fn known_type(word: &str) -> Option<(&'static str, Option<&'static str>)> {
    if let Some(known) = TYPES.iter().find(|known| **known == word) {
        return Some((known, None));
    }
    let word = word.trim().to_ascii_lowercase();
    if let Some(known) = TYPES.iter().find(|known| **known == word) {
        return Some((known, None));
    }
    OTHER_WORDS.iter().find(|(other, ..)| *other == word).map(|(_, known, format)| (*known, *format))
}

fn types(at: &str, schema: &mut Map<String, Value>, repairs: &mut Repairs) {
    let at = pointer::join(at, "type");
    match schema.get("type") {
        Some(Value::String(word)) if TYPES.contains(&word.as_str()) => {}
        Some(Value::String(word)) => match known_type(word) {
            Some((known, format)) => {
                repairs.note("type", &at, format!("there is no type `{word}`: it is taken for `{known}`"));
                schema.insert("type".to_owned(), json!(known));
                if let Some(format) = format {
                    schema.entry("format").or_insert_with(|| json!(format));
                }
            }
            None => {
                repairs.note("type", &at, format!("there is no type `{word}`: the value can be anything"));
                schema.shift_remove("type");
            }
        },
        Some(Value::Array(words)) => {
            let known: Vec<_> =
                words.iter().filter_map(|word| known_type(word.as_str()?)).map(|(known, _)| known).collect();
            if known.len() < words.len() || words.iter().zip(&known).any(|(word, known)| word != known) {
                repairs.note("type", &at, format!("not all of {} are types", json!(words)));
            }
            if known.is_empty() {
                schema.shift_remove("type");
            } else {
                schema.insert("type".to_owned(), json!(known));
            }
        }
        Some(other) => {
            let message = format!("`type` is {} where a text should stand: it is left out", word(other));
            repairs.note("type", &at, message);
            schema.shift_remove("type");
        }
        None => {}
    }
}

/// A list of schemas is how older JSON Schemas have tuples; of one it is mostly a slip.
fn items(at: &str, schema: &mut Map<String, Value>, repairs: &mut Repairs) {
    let Some(Value::Array(items)) = schema.get_mut("items") else { return };
    let (message, items) = match items.as_mut_slice() {
        [only] => ("`items` is a list: the schema in it is taken", only.take()),
        _ => ("`items` is a list: the items can be anything", json!({})),
    };
    repairs.note("items", &pointer::join(at, "items"), message);
    schema.insert("items".to_owned(), items);
}

fn branches(at: &str, schema: &mut Map<String, Value>, key: &str, repairs: &mut Repairs) {
    let at = pointer::join(at, key);
    match schema.get_mut(key) {
        Some(Value::Array(branches)) => {
            for branch in branches.iter_mut().filter(|branch| branch.is_null()) {
                *branch = if key == "allOf" { json!({}) } else { json!({ "type": "null" }) };
                repairs.note("branch", &at, format!("`null` stands in `{key}` where a schema should"));
            }
            if branches.is_empty() {
                repairs.note("branch", &at, format!("`{key}` is empty: it is left out"));
                schema.shift_remove(key);
            }
        }
        Some(only @ Value::Object(_)) => {
            *only = Value::Array(vec![only.take()]);
            repairs.note(
                "branch",
                &at,
                format!("`{key}` is an object where a list should stand: it is taken for its only item"),
            );
        }
        Some(_) => {
            schema.shift_remove(key);
            repairs.note("branch", &at, format!("`{key}` is no list: it is left out"));
        }
        None => {}
    }
}

/// The values of an enum are different, and of its type (OAS 3.0.3 section 4.7.24).
fn enumeration(at: &str, schema: &mut Map<String, Value>, repairs: &mut Repairs) {
    let kind = schema.get("type").and_then(Value::as_str).map(str::to_owned);
    let Some(Value::Array(values)) = schema.get_mut("enum") else { return };
    let at = pointer::join(at, "enum");
    if values.is_empty() {
        repairs.note("enum empty", &at, "the enum has no values: it is left out");
    }
    let fitting: Option<Vec<Value>> = values.iter().map(|value| as_type(value, kind.as_deref())).collect();
    match fitting {
        Some(fitting) if fitting == *values => {}
        Some(fitting) => {
            let kind = kind.as_deref().unwrap_or_default();
            repairs.note(
                "enum type",
                &at,
                format!("values of the enum are not of type `{kind}`: they are read as such"),
            );
            *values = fitting;
        }
        None => {
            let kind = kind.as_deref().unwrap_or_default();
            repairs.note(
                "enum type",
                &at,
                format!("values of the enum are not of type `{kind}`: the enum is left out"),
            );
            values.clear();
        }
    }
    let before = values.len();
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(value.to_string()));
    if values.len() < before {
        repairs.note("enum twice", &at, "values stand in the enum twice");
    }
    if values.is_empty() {
        schema.shift_remove("enum");
    }
}

/// An enum's value as one of the type: YAML reads `1`, `on` and `1.0` as what they look like.
fn as_type(value: &Value, kind: Option<&str>) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) | (None | Some("object" | "array" | "null"), _) => Some(value.clone()),
        (Some("string"), value) => text(value).map(Value::String),
        (Some("integer"), Value::Number(number)) if number.is_i64() => Some(value.clone()),
        (Some("integer"), value) => text(value)?.trim_end_matches(".0").parse::<i64>().ok().map(|number| json!(number)),
        (Some("number"), Value::Number(_)) => Some(value.clone()),
        (Some("number"), value) => text(value)?.parse().ok().and_then(Number::from_f64).map(Value::Number),
        (Some("boolean"), Value::Bool(_)) => Some(value.clone()),
        (Some("boolean"), value) => text(value)?.to_ascii_lowercase().parse().ok().map(Value::Bool),
        (Some(_), value) => Some(value.clone()),
    }
}

/// OAS 3.0.3 section 4.7.25; in Swagger 2.0 it is the property's name alone.
fn discriminator(at: &str, schema: &mut Map<String, Value>, repairs: &mut Repairs) {
    let at = pointer::join(at, "discriminator");
    match schema.get_mut("discriminator") {
        Some(Value::String(name)) => {
            repairs.note("discriminator", &at, "the discriminator is a text, as in Swagger 2.0");
            let name = std::mem::take(name);
            schema.insert("discriminator".to_owned(), json!({ "propertyName": name }));
        }
        Some(Value::Object(discriminator)) if discriminator.get("propertyName").is_some_and(Value::is_string) => {
            if let Some(mapping) = discriminator.get_mut("mapping") {
                let count = mapping.as_object().map_or(0, Map::len);
                let texts: Map<_, _> = mapping
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(_, value)| value.is_string())
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                if !mapping.is_object() || texts.len() < count {
                    repairs.note("discriminator", &pointer::join(&at, "mapping"), "the mapping holds more than texts");
                    *mapping = Value::Object(texts);
                }
            }
        }
        Some(_) => {
            repairs.note("discriminator", &at, "the discriminator names no property: it is left out");
            schema.shift_remove("discriminator");
        }
        None => {}
    }
}

/// A key of a schema, taken out of what holds it.
pub(super) fn taken(holder: &mut Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), remove(holder, key)?))).collect()
}
