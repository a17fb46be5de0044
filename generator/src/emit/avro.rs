//! Avro schemas (specification 1.12): one per record type, with everything it holds inside.
//!
//! The encoders that `rust` emits write by these schemas; both follow the same table of types.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{EmitError, FileSet, avro_path, records};
use crate::plan::model::{ConnectorPlan, Element, Field, Scalar, StructType, Type, TypeId, TypeKind};

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    for record in records(plan) {
        let Some(path) = avro_path(plan, record) else { continue };
        // A package name differs from an Avro name only in its hyphens.
        let namespace = plan.name.replace('-', "_");
        let schema = Schemas { plan, namespace: &namespace, defined: BTreeSet::new() }.of(record);
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
    namespace: &'plan str,
    defined: BTreeSet<TypeId>,
}

impl Schemas<'_> {
    fn of(&mut self, id: TypeId) -> Value {
        let Some(ty) = self.plan.types.get(id.0) else { return Value::Null };
        match &ty.kind {
            TypeKind::Struct(it) if self.defined.insert(id) => self.record(ty, it),
            TypeKind::Struct(it) => Value::String(format!("{}.{}", self.namespace, it.names.avro)),
            // Not an Avro enum: that could not carry a value that the document does not list.
            TypeKind::Enum(_) => json!("string"),
            TypeKind::Union(it) => it.variants.iter().map(|variant| self.of(variant.ty)).collect(),
            TypeKind::List(item) => json!({ "type": "array", "items": self.element(*item) }),
            TypeKind::Map(value) => json!({ "type": "map", "values": self.element(*value) }),
            TypeKind::Scalar(it) => scalar(*it),
        }
    }

    /// An optional union is one union: `null` comes before its branches.
    fn element(&mut self, element: Element) -> Value {
        match (element.optional, self.of(element.ty)) {
            (false, schema) => schema,
            (true, Value::Array(branches)) => std::iter::once(json!("null")).chain(branches).collect(),
            (true, schema) => json!(["null", schema]),
        }
    }

    fn record(&mut self, ty: &Type, it: &StructType) -> Value {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("record"));
        schema.insert("name".to_owned(), json!(it.names.avro));
        // Named types inside inherit the namespace.
        if self.defined.len() == 1 {
            schema.insert("namespace".to_owned(), json!(self.namespace));
        }
        insert_doc(&mut schema, ty.doc.as_deref());
        schema.insert("fields".to_owned(), it.fields.iter().map(|field| self.field(field)).collect());
        Value::Object(schema)
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = Map::new();
        schema.insert("name".to_owned(), json!(field.avro_name));
        insert_doc(&mut schema, field.doc.as_deref());
        // Readers have no other way to learn what the API calls it.
        if field.avro_name != field.wire_name {
            schema.insert("jsonName".to_owned(), json!(field.wire_name));
        }
        schema.insert("type".to_owned(), self.element(field.element));
        if field.element.optional {
            schema.insert("default".to_owned(), Value::Null);
        }
        Value::Object(schema)
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
        Scalar::Float => json!("float"),
        Scalar::Double => json!("double"),
        Scalar::String | Scalar::Json => json!("string"),
        Scalar::Date => json!({ "type": "int", "logicalType": "date" }),
        Scalar::DateTime => json!({ "type": "long", "logicalType": "timestamp-millis" }),
        Scalar::Uuid => json!({ "type": "string", "logicalType": "uuid" }),
        Scalar::Base64 => json!("bytes"),
    }
}
