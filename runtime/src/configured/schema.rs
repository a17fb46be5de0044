//! What records look like, learnt from them, as a JSON Schema (draft-07) that only ever widens.
//!
//! Nothing is required and nothing besides what was seen is allowed: by the rules of Confluent's registry, a further
//! optional property and a further type are then compatible with every earlier version, in the mode BACKWARD. An array or
//! object of which no content was seen has none, for the same reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// What values look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    types: BTreeSet<Type>,
    members: BTreeMap<String, Shape>,
    items: Option<Box<Shape>>,
}

/// A type of JSON Schema. The order is that of the written schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

const TYPES: [(Type, &str); 7] = [
    (Type::Null, "null"),
    (Type::Boolean, "boolean"),
    (Type::Integer, "integer"),
    (Type::Number, "number"),
    (Type::String, "string"),
    (Type::Array, "array"),
    (Type::Object, "object"),
];

impl Type {
    fn name(self) -> &'static str {
        TYPES.iter().find(|(of, _)| *of == self).map_or("", |(_, name)| name)
    }
}

impl Shape {
    fn of(only: Type) -> Self {
        Self { types: BTreeSet::from([only]), ..Self::default() }
    }

    /// Widens the shape so that it takes what `other` takes.
    pub(crate) fn merge(&mut self, other: Self) {
        self.types.extend(other.types);
        // Every integer is a number.
        if self.types.contains(&Type::Number) {
            self.types.remove(&Type::Integer);
        }
        for (name, shape) in other.members {
            self.members.entry(name).or_default().merge(shape);
        }
        match (&mut self.items, other.items) {
            (Some(items), Some(others)) => items.merge(*others),
            (None, Some(others)) => self.items = Some(others),
            (_, None) => {}
        }
    }

    /// The schema as JSON text.
    pub(crate) fn to_schema(&self) -> String {
        let mut schema = Map::from_iter([("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"))]);
        schema.extend(self.members());
        Value::Object(schema).to_string()
    }

    fn members(&self) -> Map<String, Value> {
        let mut schema = Map::new();
        let types: Vec<_> = self.types.iter().map(|of| of.name()).collect();
        schema.insert("type".to_owned(), if let [only] = types[..] { json!(only) } else { json!(types) });
        if self.types.contains(&Type::Object) {
            let members = self.members.iter().map(|(name, shape)| (name.clone(), Value::Object(shape.members())));
            schema.insert("properties".to_owned(), Value::Object(members.collect()));
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
        if self.types.contains(&Type::Array) {
            let none = Self::of(Type::Null);
            let items = self.items.as_deref().unwrap_or(&none);
            schema.insert("items".to_owned(), Value::Object(items.members()));
        }
        schema
    }

    /// Reads a schema that [`Shape::to_schema`] wrote; `None` for any other.
    pub(crate) fn from_schema(text: &str) -> Option<Self> {
        let schema: Value = serde_json::from_str(text).ok()?;
        let shape = Self::from_value(&schema)?;
        // What it cannot express would be lost.
        let again: Value = serde_json::from_str(&shape.to_schema()).ok()?;
        (again == schema).then_some(shape)
    }

    fn from_value(schema: &Value) -> Option<Self> {
        let names: Vec<_> = match schema.get("type")? {
            Value::String(name) => vec![name.as_str()],
            Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
            _ => return None,
        };
        let of_name = |name: &str| TYPES.iter().find(|(_, known)| *known == name).map(|(of, _)| *of);
        let types = names.into_iter().map(of_name).collect::<Option<_>>()?;
        let members = match schema.get("properties") {
            Some(Value::Object(properties)) => properties
                .iter()
                .map(|(name, schema)| Some((name.clone(), Self::from_value(schema)?)))
                .collect::<Option<_>>()?,
            Some(_) => return None,
            None => BTreeMap::new(),
        };
        let items = schema.get("items").map(Self::from_value);
        let items = match items {
            Some(items) => Some(Box::new(items?)),
            None => None,
        };
        Some(Self { types, members, items })
    }
}

impl<'de> Deserialize<'de> for Shape {
    /// The shape of one value.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfValue)
    }
}

struct OfValue;

impl<'de> Visitor<'de> for OfValue {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::of(Type::Boolean))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::of(Type::Integer))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::of(Type::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::of(Type::Number))
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::of(Type::String))
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::of(Type::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::of(Type::Array);
        while let Some(item) = seq.next_element::<Shape>()? {
            match &mut shape.items {
                Some(items) => items.merge(item),
                none => *none = Some(Box::new(item)),
            }
        }
        Ok(shape)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::of(Type::Object);
        while let Some((name, member)) = map.next_entry::<String, Shape>()? {
            shape.members.entry(name).or_default().merge(member);
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(records: &[&str]) -> Shape {
        let mut shape = Shape::default();
        for record in records {
            shape.merge(serde_json::from_str(record).unwrap());
        }
        shape
    }

    #[test]
    fn a_schema_allows_what_was_seen_and_nothing_else() {
        let records = [r#"{"id": 1, "tags": [], "at": null}"#, r#"{"id": 1.5, "tags": ["a", 2], "at": "x", "o": {}}"#];
        let schema: Value = serde_json::from_str(&shape(&records).to_schema()).unwrap();
        assert_eq!(
            schema,
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
        let empty: Value = serde_json::from_str(&shape(&["[]"]).to_schema()).unwrap();
        assert_eq!(empty["items"], json!({ "type": "null" }));
    }

    #[test]
    fn the_order_of_records_makes_no_difference() {
        let records = ["1", r#""a""#, "[1]", "[[true]]", r#"{"a": {"b": 1}}"#, r#"{"a": [2.5]}"#, "null", "2.5"];
        let forth = shape(&records);
        let mut reversed = records;
        reversed.reverse();
        assert_eq!(forth, shape(&reversed));
        assert_eq!(forth.to_schema(), shape(&reversed).to_schema());
    }

    #[test]
    fn a_written_schema_is_read_back_and_a_foreign_one_is_not() {
        let known = shape(&[r#"{"a": [{"b": null}], "c": [], "d": {}}"#, "7"]);
        let read = Shape::from_schema(&known.to_schema()).unwrap();
        assert_eq!(read.to_schema(), known.to_schema());
        for foreign in [
            r#"{"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}}"#,
            r#"{"$ref": "x"}"#,
            "nothing",
        ] {
            assert_eq!(Shape::from_schema(foreign), None, "{foreign}");
        }
    }
}
