//! A learnt shape as a JSON Schema (draft-07).
//!
//! Nothing is required and nothing besides what was seen is allowed: by the rules of Confluent's registry, a further
//! optional property and a further type are then compatible with every earlier version, in the mode BACKWARD. An array or
//! object of which no content was seen has none, for the same reason.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::shape::{Shape, Type};

const TYPES: [(Type, &str); 7] = [
    (Type::Null, "null"),
    (Type::Boolean, "boolean"),
    (Type::Integer, "integer"),
    (Type::Number, "number"),
    (Type::String, "string"),
    (Type::Array, "array"),
    (Type::Object, "object"),
];

/// The schema as JSON text.
pub(super) fn schema(shape: &Shape) -> String {
    let mut schema = Map::from_iter([("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"))]);
    schema.extend(members(shape));
    Value::Object(schema).to_string()
}

fn members(shape: &Shape) -> Map<String, Value> {
    let mut schema = Map::new();
    let types: Vec<_> = TYPES.iter().filter(|(of, _)| shape.has(*of)).map(|(_, name)| *name).collect();
    schema.insert("type".to_owned(), if let [only] = types[..] { json!(only) } else { json!(types) });
    if shape.has(Type::Object) {
        // By name, so that the order of records makes no difference.
        let sorted: BTreeMap<_, _> = shape.members.iter().collect();
        let properties = sorted.into_iter().map(|(name, shape)| (name.clone(), Value::Object(members(shape))));
        schema.insert("properties".to_owned(), Value::Object(properties.collect()));
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    if shape.has(Type::Array) {
        let none = Shape::of_type(Type::Null);
        let items = shape.items.as_deref().unwrap_or(&none);
        schema.insert("items".to_owned(), Value::Object(members(items)));
    }
    schema
}

/// Reads a schema that [`schema`] wrote; `None` for any other.
pub(super) fn restore(text: &str) -> Option<Shape> {
    let written: Value = serde_json::from_str(text).ok()?;
    let shape = from_value(&written)?;
    // What it cannot express would be lost.
    let again: Value = serde_json::from_str(&schema(&shape)).ok()?;
    (again == written).then_some(shape)
}

fn from_value(schema: &Value) -> Option<Shape> {
    let names: Vec<_> = match schema.get("type")? {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let of_name = |name: &str| TYPES.iter().find(|(_, known)| *known == name).map(|(of, _)| *of);
    let types = names.into_iter().map(of_name).collect::<Option<_>>()?;
    let members = match schema.get("properties") {
        Some(Value::Object(properties)) => {
            properties.iter().map(|(name, schema)| Some((name.clone(), from_value(schema)?))).collect::<Option<_>>()?
        }
        Some(_) => return None,
        None => indexmap::IndexMap::new(),
    };
    let items = match schema.get("items") {
        Some(items) => Some(Box::new(from_value(items)?)),
        None => None,
    };
    Some(Shape { types, members, items })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Tree;

    fn shape(records: &[&str]) -> Shape {
        let mut shape = Shape::default();
        for record in records {
            shape.learn(&Tree::parse(record).unwrap());
        }
        shape
    }

    #[test]
    fn a_schema_allows_what_was_seen_and_nothing_else() {
        let records = [r#"{"id": 1, "tags": [], "at": null}"#, r#"{"id": 1.5, "tags": ["a", 2], "at": "x", "o": {}}"#];
        let shape_of_both = shape(&records);
        let written: Value = serde_json::from_str(&schema(&shape_of_both)).unwrap();
        assert_eq!(
            written,
            json!({
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": {
                    "at": { "type": ["null", "string"] },
                    "id": { "type": "number" },
                    "o": { "type": "object", "properties": {}, "additionalProperties": false },
                    "tags": { "type": "array", "items": { "type": ["integer", "string"] } },
                },
                "additionalProperties": false,
            })
        );
        let empty: Value = serde_json::from_str(&schema(&shape(&["[]"]))).unwrap();
        assert_eq!(empty["items"], json!({ "type": "null" }));
        assert!(records.iter().all(|record| shape_of_both.takes(&Tree::parse(record).unwrap())));
        for other in [r#"{"id": "1"}"#, r#"{"x": 1}"#, r#"{"tags": [null]}"#, "7"] {
            assert!(!shape_of_both.takes(&Tree::parse(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn the_order_of_records_makes_no_difference() {
        let records = ["1", r#""a""#, "[1]", "[[true]]", r#"{"a": {"b": 1}}"#, r#"{"a": [2.5]}"#, "null", "2.5"];
        let forth = shape(&records);
        let mut reversed = records;
        reversed.reverse();
        assert_eq!(forth, shape(&reversed));
        assert_eq!(schema(&forth), schema(&shape(&reversed)));
        let mut widened = Shape::default();
        for record in records {
            widened.widen(&shape(&[record]), &mut super::super::Widening::default());
        }
        assert_eq!(widened, forth);
    }

    #[test]
    fn a_written_schema_is_read_back_and_a_foreign_one_is_not() {
        let known = shape(&[r#"{"a": [{"b": null}], "c": [], "d": {}}"#, "7"]);
        let read = restore(&schema(&known)).unwrap();
        assert_eq!(schema(&read), schema(&known));
        for foreign in [
            r#"{"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}}"#,
            r#"{"$ref": "x"}"#,
            "nothing",
        ] {
            assert_eq!(restore(foreign), None, "{foreign}");
        }
    }
}
