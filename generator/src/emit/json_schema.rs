//! JSON Schemas (2020-12): one per record type.
//!
//! The runtime writes JSON that is true to them. Like the Avro schemas they let every field be `null`, and they leave
//! room for fields that the document does not declare.

use serde_json::{Map, Value, json};

use super::{EmitError, FileSet, Language, records, schema_path};
use crate::plan::UNMAPPED;
use crate::plan::model::{ConnectorPlan, Element, Scalar, StructType, TypeId, TypeKind};

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    for record in records(plan) {
        let Some(path) = schema_path(plan, record, Language::Json) else { continue };
        let schema = Schemas { plan, definitions: Map::new() }.root(record);
        let mut text =
            serde_json::to_string_pretty(&schema).map_err(|source| EmitError::Json { path: path.clone(), source })?;
        text.push('\n');
        files.add(path, text)?;
    }
    Ok(())
}

/// The schema of one record, and the definitions that it refers to.
struct Schemas<'plan> {
    plan: &'plan ConnectorPlan,
    definitions: Map<String, Value>,
}

impl Schemas<'_> {
    fn root(mut self, record: TypeId) -> Value {
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        if let Some((ty, TypeKind::Struct(it))) = self.plan.types.get(record.0).map(|ty| (ty, &ty.kind)) {
            schema.insert("title".to_owned(), json!(it.names.rust));
            schema.extend(self.object(ty.doc.as_deref(), it));
            if let Some(Value::Object(properties)) = schema.get_mut("properties") {
                let unmapped = json!({
                    "description": "What the API sent and is not of its declared type, by JSON Pointer from the record.",
                    "type": "object",
                });
                properties.entry(UNMAPPED).or_insert(unmapped);
            }
        }
        if !self.definitions.is_empty() {
            schema.insert("$defs".to_owned(), Value::Object(self.definitions));
        }
        Value::Object(schema)
    }

    fn of(&mut self, id: TypeId) -> Value {
        let Some(ty) = self.plan.types.get(id.0) else { return json!({}) };
        let doc = ty.doc.as_deref();
        match &ty.kind {
            TypeKind::Struct(it) => self.defined(&it.names.rust, |schemas| schemas.object(doc, it)),
            TypeKind::Enum(it) => self.defined(&it.names.rust, |_| {
                // Not `enum`: that would forbid a value that the document does not list yet.
                let values: Vec<_> = it.values.iter().map(|value| value.wire_name.as_str()).collect();
                with_description(doc, json!({ "type": "string", "examples": values }))
            }),
            TypeKind::Union(it) => self.defined(&it.names.rust, |schemas| {
                let branches: Vec<_> = it.variants.iter().map(|variant| schemas.of(variant.ty)).collect();
                with_description(doc, json!({ "anyOf": branches }))
            }),
            TypeKind::List(item) => json!({ "type": "array", "items": self.element(*item) }),
            TypeKind::Map(value) => json!({ "type": "object", "additionalProperties": self.element(*value) }),
            TypeKind::Scalar(it) => scalar(*it),
        }
    }

    /// A reference to a definition, which is made the first time.
    fn defined(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Map<String, Value>) -> Value {
        if !self.definitions.contains_key(name) {
            // The place is taken first: the type may hold itself.
            self.definitions.insert(name.to_owned(), Value::Null);
            let definition = make(self);
            self.definitions.insert(name.to_owned(), Value::Object(definition));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn object(&mut self, doc: Option<&str>, it: &StructType) -> Map<String, Value> {
        let mut properties = Map::new();
        for field in &it.fields {
            let schema = nullable(self.of(field.element.ty));
            properties.insert(field.wire_name.clone(), Value::Object(with_description(field.doc.as_deref(), schema)));
        }
        with_description(doc, json!({ "type": "object", "properties": properties }))
    }

    fn element(&mut self, element: Element) -> Value {
        let schema = self.of(element.ty);
        if element.optional { nullable(schema) } else { schema }
    }
}

/// The same, or `null`.
fn nullable(schema: Value) -> Value {
    match schema {
        Value::Object(mut schema) if schema.contains_key("type") => {
            if let Some(ty) = schema.get_mut("type") {
                *ty = json!([ty, "null"]);
            }
            Value::Object(schema)
        }
        Value::Object(schema) if !schema.is_empty() => json!({ "anyOf": [schema, { "type": "null" }] }),
        schema => schema,
    }
}

fn with_description(doc: Option<&str>, schema: Value) -> Map<String, Value> {
    let mut described = Map::new();
    if let Some(doc) = doc.map(str::trim).filter(|doc| !doc.is_empty()) {
        described.insert("description".to_owned(), json!(doc));
    }
    if let Value::Object(schema) = schema {
        described.extend(schema);
    }
    described
}

fn scalar(scalar: Scalar) -> Value {
    match scalar {
        Scalar::Boolean => json!({ "type": "boolean" }),
        Scalar::Int32 | Scalar::Int64 => json!({ "type": "integer" }),
        Scalar::Number => json!({ "type": "number" }),
        Scalar::Decimal(decimal) if decimal.is_text => {
            json!({ "type": "string", "format": "decimal", "pattern": r"^-?[0-9]+(\.[0-9]+)?$" })
        }
        Scalar::Decimal(_) => json!({ "type": "number", "format": "decimal" }),
        Scalar::String => json!({ "type": "string" }),
        Scalar::Date => json!({ "type": "string", "format": "date" }),
        Scalar::DateTime => json!({ "type": "string", "format": "date-time" }),
        Scalar::Uuid => json!({ "type": "string", "format": "uuid" }),
        Scalar::Base64 => json!({ "type": "string", "contentEncoding": "base64" }),
        Scalar::Json => json!({}),
    }
}
