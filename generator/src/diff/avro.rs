//! Whether Avro schemas can be read by one another (specification 1.12, "Schema Resolution"), told by Avro's own
//! checker. To tell it of one field, the field stands alone in a record of its own.

use std::collections::{BTreeMap, BTreeSet};

use apache_avro::Schema;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
use serde_json::{Value, json};

use super::change::Ways;
use crate::emit::EmitError;
use crate::plan::model::TypeId;

/// The emitted schemas of a record, before and after.
pub(super) struct Schemas {
    old: Definitions,
    new: Definitions,
}

/// A field, by the Avro names of its record and its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldName<'a> {
    pub(super) record: &'a str,
    pub(super) field: &'a str,
}

impl Schemas {
    /// Of the emitted schemas.
    pub(super) fn new(old: (TypeId, Option<&Value>), new: (TypeId, Option<&Value>)) -> Result<Self, EmitError> {
        Ok(Self { old: Definitions::of(old.1), new: Definitions::of(new.1) })
    }

    /// Of the records as a whole.
    pub(super) fn whole(&self) -> Result<Ways, EmitError> {
        ways(&self.old.alone(&self.old.root), &self.new.alone(&self.new.root))
    }

    /// Of two records by their names alone.
    pub(super) fn names(&self, old: &str, new: &str) -> Result<Ways, EmitError> {
        ways(&record(old, None), &record(new, None))
    }

    /// Of a field; on one side it may be absent.
    pub(super) fn field(&self, old: Option<FieldName<'_>>, new: Option<FieldName<'_>>) -> Result<Ways, EmitError> {
        const HOLDER: &str = "Holder";
        let old = old.and_then(|name| self.old.field(name));
        let new = new.and_then(|name| self.new.field(name));
        // The field may have another name after the change; here it must not matter.
        ways(&record(HOLDER, old), &record(HOLDER, new))
    }
}

fn record(name: &str, field: Option<Value>) -> Value {
    json!({ "type": "record", "name": name, "fields": field.into_iter().collect::<Vec<_>>() })
}

fn ways(old: &Value, new: &Value) -> Result<Ways, EmitError> {
    let parse = |schema: &Value| {
        let source = |source| EmitError::Avro { path: "schemas/avro".to_owned(), source: Box::new(source) };
        Schema::parse(schema).map_err(source)
    };
    let (old, new) = (parse(old)?, parse(new)?);
    // What may fail with some records counts as a failure: so does Avro's checker in Java, which registries use.
    let reads = |reader: &Schema, writer: &Schema| {
        matches!(SchemaCompatibility::can_read(writer, reader), Ok(Compatibility::Full))
    };
    Ok(Ways { backward: reads(&new, &old), forward: reads(&old, &new) })
}

/// The named types of a schema by their names without namespace, which are unique in a connector.
struct Definitions {
    root: Value,
    named: BTreeMap<String, Value>,
}

impl Definitions {
    fn of(schema: Option<&Value>) -> Self {
        let mut named = BTreeMap::new();
        let root = schema.cloned().unwrap_or_else(|| json!("null"));
        collect(&root, &mut named);
        Self { root, named }
    }

    fn field(&self, name: FieldName<'_>) -> Option<Value> {
        let fields = self.named.get(name.record)?.get("fields")?.as_array()?;
        let field = fields.iter().find(|field| field.get("name").and_then(Value::as_str) == Some(name.field))?;
        Some(self.alone(field))
    }

    /// A part of the schema with every named type written out where it first stands.
    fn alone(&self, part: &Value) -> Value {
        self.write_out(part, &mut BTreeSet::new())
    }

    fn write_out(&self, part: &Value, written: &mut BTreeSet<String>) -> Value {
        match part {
            Value::String(name) => {
                let short = short(name);
                match self.named.get(short) {
                    Some(definition) if !written.contains(short) => self.write_out(definition, written),
                    Some(_) => json!(short),
                    None => part.clone(),
                }
            }
            Value::Array(branches) => branches.iter().map(|branch| self.write_out(branch, written)).collect(),
            Value::Object(object) => {
                if let Some(name) = named(part) {
                    // A record that holds itself is defined again, within itself.
                    if !written.insert(name.to_owned()) {
                        return json!(name);
                    }
                }
                let member = |(key, value): (&String, &Value)| {
                    let value = match key.as_str() {
                        "fields" | "items" | "values" | "type" => self.write_out(value, written),
                        _ => value.clone(),
                    };
                    (key.clone(), value)
                };
                object.iter().filter(|(key, _)| *key != "namespace").map(member).collect()
            }
            other => other.clone(),
        }
    }
}

fn collect(part: &Value, into: &mut BTreeMap<String, Value>) {
    match part {
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, into)),
        Value::Object(object) => {
            if let Some(name) = named(part) {
                into.insert(name.to_owned(), part.clone());
            }
            for key in ["fields", "items", "values", "type"] {
                if let Some(part) = object.get(key) {
                    collect(part, into);
                }
            }
        }
        _ => {}
    }
}

/// The name of a definition, without its namespace.
fn named(part: &Value) -> Option<&str> {
    let is_definition = matches!(part.get("type").and_then(Value::as_str), Some("record" | "enum" | "fixed"));
    part.get("name").and_then(Value::as_str).filter(|_| is_definition).map(short)
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
