//! The field that identifies a record.

use super::{Inferred, first_of, last_name};
use crate::document::pointer;
use crate::plan::fields::{self, Use};
use crate::plan::model::{FieldPath, TypeId, TypeKind};
use crate::plan::names;
use crate::plan::schema::{Property, SchemaRef, Schemas, ShapeKind};
use crate::plan::types::Types;

/// What identifiers are called, the likeliest first; those of the record's own kind stand after the first.
const NAMES: [&str; 9] = ["id", "uuid", "guid", "uid", "sid", "gid", "_id", "@id", "key"];

/// What an identifier is called after its kind of record: `order_id`, `order_key`.
const SUFFIXES: [&str; 4] = ["Id", "Uuid", "Sid", "Key"];

/// What is known of the records.
pub(in crate::plan) struct Facts<'f, 'a> {
    pub(in crate::plan) types: &'f Types<'a>,
    pub(in crate::plan) record: TypeId,
    pub(in crate::plan) schemas: Schemas<'a>,
    pub(in crate::plan) schema: &'f SchemaRef<'a>,
    /// The operation's path template.
    pub(in crate::plan) path: &'f str,
}

/// A field with the name of an identifier that every record has. One that can be `null` is none, unless the document says
/// of every field that it can be missing or `null`, and so says nothing.
pub(in crate::plan) fn infer(facts: &Facts<'_, '_>) -> Option<Inferred<FieldPath>> {
    let ShapeKind::Object { properties, .. } = facts.schemas.shape(facts.schema).kind else { return None };
    let names = facts.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let nullable = |property: &Property<'_>| facts.schemas.shape(&property.schema).nullable;
    let find = |fits: &dyn Fn(&Property<'_>) -> bool| {
        let fitting = properties.iter().filter(|(name, property)| fits(property) && facts.path_to(name).is_some());
        let name = first_of(&names, fitting.map(|(name, _)| *name).collect::<Vec<_>>())?;
        Some((name, facts.path_to(name)?))
    };
    if let Some((name, value)) = find(&|property| property.required && !nullable(property)) {
        let reason = format!("every record has `{name}`, which has the name of an identifier");
        return Some(Inferred { value, rule: "required-id", reason });
    }
    if let Some((name, value)) = find(&|property| is_read_only(property) && !nullable(property)) {
        let reason = format!("`{name}` has the name of an identifier, and only the API itself gives it");
        return Some(Inferred { value, rule: "read-only-id", reason });
    }
    let is_silent = properties.values().all(|property| !property.required);
    let all_nullable = properties.len() > 1 && properties.values().all(nullable);
    if is_silent {
        if let Some((name, value)) = find(&|property| all_nullable || !nullable(property)) {
            let reason = format!(
                "`{name}` has the name of an identifier; the document requires no field of this record, so that it does \
                 not say that `{name}` can be missing"
            );
            return Some(Inferred { value, rule: "conventional-id", reason });
        }
    }
    metadata_uid(facts)
}

/// Whether only the API itself gives a value (`readOnly`, OAS 3.0.3 section 4.7.24.2).
fn is_read_only(property: &Property<'_>) -> bool {
    matches!(&property.schema, SchemaRef::Inline(schema) if schema.schema_data.read_only)
}

/// The identifier of a Kubernetes object (Kubernetes API conventions, "Metadata").
fn metadata_uid(facts: &Facts<'_, '_>) -> Option<Inferred<FieldPath>> {
    let value = fields::resolve(facts.types, facts.record, "/metadata/uid", Use::Value).ok()?;
    let reason = "the record has `metadata` with `uid`, as every object of Kubernetes has".to_owned();
    Some(Inferred { value, rule: "metadata-uid", reason })
}

impl Facts<'_, '_> {
    fn path_to(&self, name: &str) -> Option<FieldPath> {
        fields::resolve(self.types, self.record, &pointer::join("", name), Use::Value).ok()
    }

    /// Names of identifiers, with those made of what the record is called and of the end of the path.
    fn names(&self) -> Vec<String> {
        let kind = match self.types.kind(self.record) {
            Some(TypeKind::Struct(ty)) => Some(ty.names.rust.clone()),
            _ => None,
        };
        let segment = last_name(self.path).map(names::singular);
        let own = kind.into_iter().chain(segment);
        let own = own.flat_map(|kind| SUFFIXES.map(|suffix| format!("{kind}{suffix}")));
        let (first, rest) = NAMES.split_at(1);
        let text = |name: &&str| (*name).to_owned();
        first.iter().map(text).chain(own).chain(rest.iter().map(text)).collect()
    }
}
