//! Avro schemas (specification 1.12): one per record type, with everything it holds inside.
//!
//! The encoder of the runtime writes by these schemas. Every field can be `null`: what documents promise and what APIs
//! send are two things, and a schema outlives both. The types inside a record have a namespace of their own, so that the
//! schemas of two records never define one name twice.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{EmitError, FileSet, Language, namespace, records, schema_path};
use crate::plan::UNMAPPED;
use crate::plan::model::{ConnectorPlan, DecimalFacts, Element, Field, Scalar, StructType, Type, TypeId, TypeKind};

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    for record in records(plan) {
        let (Some(path), Some(ty)) = (schema_path(plan, record, Language::Avro), plan.types.get(record.0)) else {
            continue;
        };
        let TypeKind::Struct(it) = &ty.kind else { continue };
        let namespace = namespace(plan);
        let inner = format!("{namespace}.{}", it.names.module);
        let schema = Schemas { plan, namespace: &inner, defined: BTreeSet::new() }.root(&namespace, ty, it);
        let mut text =
            serde_json::to_string_pretty(&schema).map_err(|source| EmitError::Json { path: path.clone(), source })?;
        apache_avro::Schema::parse_str(&text)
            .map_err(|source| EmitError::Avro { path: path.clone(), source: Box::new(source) })?;
        text.push('\n');
        files.add(path, text)?;
    }
    Ok(())
}

/// The schemas of one file's types. A named type is written out where it first stands, and by its name after that.
struct Schemas<'plan> {
    plan: &'plan ConnectorPlan,
    /// Of the types inside the record.
    namespace: &'plan str,
    defined: BTreeSet<TypeId>,
}

impl Schemas<'_> {
    /// The record itself. One that holds itself is there a second time, among the types inside.
    fn root(&mut self, namespace: &str, ty: &Type, it: &StructType) -> Value {
        let mut fields = self.fields(it);
        fields.push(json!({
            "name": UNMAPPED,
            "doc": "What the API sent and has no place above: JSON, by JSON Pointer from the record.",
            "type": { "type": "map", "values": "string" },
            "default": {},
        }));
        record(namespace, ty, it, fields)
    }

    fn of(&mut self, id: TypeId) -> Value {
        let Some(ty) = self.plan.types.get(id.0) else { return Value::Null };
        match &ty.kind {
            TypeKind::Struct(it) if self.defined.insert(id) => {
                let fields = self.fields(it);
                record(self.namespace, ty, it, fields)
            }
            TypeKind::Struct(it) => Value::String(format!("{}.{}", self.namespace, it.names.avro)),
            // Not an Avro enum: that could not carry a value that the document does not list.
            TypeKind::Enum(_) => json!("string"),
            TypeKind::Union(it) => it.variants.iter().map(|variant| self.of(variant.ty)).collect(),
            TypeKind::List(item) => json!({ "type": "array", "items": self.element(*item) }),
            TypeKind::Map(value) => json!({ "type": "map", "values": self.element(*value) }),
            TypeKind::Scalar(it) => scalar(*it),
        }
    }

    /// What a list or a map holds.
    fn element(&mut self, element: Element) -> Value {
        let schema = self.of(element.ty);
        if element.optional { nullable(schema) } else { schema }
    }

    fn fields(&mut self, it: &StructType) -> Vec<Value> {
        let mut fields: Vec<_> = it.fields.iter().map(|field| self.field(field)).collect();
        if let Some(additional) = &it.additional {
            let values = self.element(additional.element);
            fields.push(json!({
                "name": additional.avro_name,
                "doc": "The fields whose names are data.",
                "type": { "type": "map", "values": values },
                "default": {},
            }));
        }
        fields
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = Map::new();
        schema.insert("name".to_owned(), json!(field.avro_name));
        insert_doc(&mut schema, field.doc.as_deref());
        // Readers have no other way to learn what the API calls it.
        if field.avro_name != field.wire_name {
            schema.insert("jsonName".to_owned(), json!(field.wire_name));
        }
        schema.insert("type".to_owned(), nullable(self.of(field.element.ty)));
        schema.insert("default".to_owned(), Value::Null);
        Value::Object(schema)
    }
}

fn record(namespace: &str, ty: &Type, it: &StructType, fields: Vec<Value>) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("record"));
    schema.insert("name".to_owned(), json!(it.names.avro));
    schema.insert("namespace".to_owned(), json!(namespace));
    insert_doc(&mut schema, ty.doc.as_deref());
    schema.insert("fields".to_owned(), Value::Array(fields));
    Value::Object(schema)
}

/// A union that is nullable is one union: `null` comes before its branches.
fn nullable(schema: Value) -> Value {
    match schema {
        Value::Array(branches) => std::iter::once(json!("null")).chain(branches).collect(),
        schema => json!(["null", schema]),
    }
}

fn insert_doc(schema: &mut Map<String, Value>, doc: Option<&str>) {
    if let Some(doc) = doc.map(str::trim).filter(|doc| !doc.is_empty()) {
        schema.insert("doc".to_owned(), json!(doc));
    }
}

fn scalar(scalar: Scalar) -> Value {
    match scalar {
        Scalar::Boolean => json!("boolean"),
        Scalar::Int32 => json!("int"),
        Scalar::Int64 => json!("long"),
        Scalar::Number => json!("double"),
        Scalar::Decimal(DecimalFacts { precision, scale, .. }) => {
            json!({ "type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale })
        }
        Scalar::String | Scalar::Json => json!("string"),
        Scalar::Date => json!({ "type": "int", "logicalType": "date" }),
        Scalar::DateTime => json!({ "type": "long", "logicalType": "timestamp-millis" }),
        Scalar::Uuid => json!({ "type": "string", "logicalType": "uuid" }),
        Scalar::Base64 => json!("bytes"),
    }
}
