//! The field that identifies a record.

use heck::ToSnakeCase;

use super::{Inferred, first_of, is_same, last_name};
use crate::document::pointer;
use crate::plan::fields::{self, Use};
use crate::plan::model::{FieldPath, TypeId, TypeKind};
use crate::plan::names;
use crate::plan::schema::{Property, SchemaRef, Schemas};
use crate::plan::types::Types;

/// What identifiers are called, the likeliest first; those of the record's own kind stand after the first.
const NAMES: [&str; 9] = ["id", "uuid", "guid", "uid", "sid", "gid", "_id", "@id", "sha"];

/// What an identifier is called after its kind of record: `order_id`, `order_key`.
const SUFFIXES: [&str; 4] = ["Id", "Uuid", "Sid", "Key"];

/// What a field is called that says what kind of thing the record is. To require it says nothing of the others.
const TAGS: [&str; 5] = ["type", "kind", "object", "resource_type", "object_type"];

/// Identifiers of something else.
const OF_OTHERS: [&str; 8] =
    ["node_id", "parent_id", "external_id", "request_id", "user_id", "owner_id", "account_sid", "tenant_id"];

/// What is known of the records.
pub(in crate::plan) struct Facts<'f, 'a> {
    pub(in crate::plan) types: &'f Types<'a>,
    pub(in crate::plan) record: TypeId,
    pub(in crate::plan) schemas: Schemas<'a>,
    pub(in crate::plan) schema: &'f SchemaRef<'a>,
    /// The operation's path template.
    pub(in crate::plan) path: &'f str,
    /// JSON Pointer to the records.
    pub(in crate::plan) records: &'f str,
    /// Whether the next page is asked for by the last record.
    pub(in crate::plan) is_paged_by_record: bool,
}

/// A field with the name of an identifier that every record has. One that can be `null` is none, unless the document says
/// of every field that it can be missing or `null`, and so says nothing.
pub(in crate::plan) fn infer(facts: &Facts<'_, '_>) -> Option<Inferred<FieldPath>> {
    let properties = facts.schemas.properties_of_all(facts.schema)?;
    let own = facts.own_names();
    let nullable = |property: &Property<'_>| facts.schemas.shape(&property.schema).nullable;
    // Without the likely names, a field that alone is called an identifier is one; `key` can be a word like any other.
    let only = facts.only_id(properties.keys().copied());
    let (first, rest) = NAMES.split_at(1);
    let mut names: Vec<&str> = first.to_vec();
    names.extend(own.iter().map(String::as_str));
    names.extend(rest);
    names.extend(only);
    names.push("key");
    let find = |names: &[&str], fits: &dyn Fn(&Property<'_>) -> bool| {
        let fitting = properties.iter().filter(|(name, property)| fits(property) && facts.path_to(name).is_some());
        let name = first_of(names, fitting.map(|(name, _)| *name).collect::<Vec<_>>())?;
        Some((name, facts.path_to(name)?))
    };
    if let Some((name, value)) = find(&names, &|property| property.required && !nullable(property)) {
        let reason = format!("every record has `{name}`, which has the name of an identifier");
        return Some(Inferred { value, rule: "required-id", reason });
    }
    if let Some((name, value)) = find(&names, &|property| is_read_only(property) && !nullable(property)) {
        let reason = format!("`{name}` has the name of an identifier, and only the API itself gives it");
        return Some(Inferred { value, rule: "read-only-id", reason });
    }
    let is_silent = properties.iter().all(|(name, property)| !property.required || TAGS.contains(name));
    let nullables = properties.values().filter(|property| nullable(property)).count();
    let null_says_nothing = nullables * 4 >= properties.len() * 3;
    if is_silent && let Some((name, value)) = find(&names, &|property| null_says_nothing || !nullable(property)) {
        let reason = format!(
            "`{name}` has the name of an identifier; the document requires no field of this record, and so does not say \
                 that `{name}` can be missing"
        );
        return Some(Inferred { value, rule: "conventional-id", reason });
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    if let Some((name, value)) = find(&own, &|property| !nullable(property)) {
        let reason = format!("`{name}` is called the identifier of just this kind of record");
        return Some(Inferred { value, rule: "own-id", reason });
    }
    if facts.is_paged_by_record
        && let Some((name, value)) = find(first, &|property| !nullable(property))
    {
        let reason = format!("the next page is asked for by the last record, and so by its `{name}`");
        return Some(Inferred { value, rule: "paged-by-id", reason });
    }
    metadata_uid(facts).or_else(|| facts.wrapped())
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

    /// The identifier of an object that the record holds, if that is `data`, or the only one and called as the record is.
    fn wrapped(&self) -> Option<Inferred<FieldPath>> {
        let Some(TypeKind::Struct(ty)) = self.types.kind(self.record) else { return None };
        let is_object = |ty: TypeId| matches!(self.types.kind(ty), Some(TypeKind::Struct(_)));
        let segment = last_name(self.path).map(names::singular).unwrap_or_default();
        let objects: Vec<&str> = ty
            .fields
            .iter()
            .filter(|field| is_object(field.element.ty))
            .map(|field| field.wire_name.as_str())
            .collect();
        let within = match objects.as_slice() {
            [only] if is_same(only, &segment) => *only,
            objects => objects.iter().copied().find(|name| *name == "data")?,
        };
        let path = |name: &&str| pointer::join(&pointer::join("", within), name);
        let resolve = |path: String| fields::resolve(self.types, self.record, &path, Use::Value).ok();
        let (name, value) = NAMES.iter().find_map(|name| Some((name, resolve(path(name))?)))?;
        let reason =
            format!("the record holds what it is about in `{within}`, whose `{name}` has the name of an identifier");
        Some(Inferred { value, rule: "wrapped-id", reason })
    }

    /// Names of identifiers made of what the record is called, and what the list and the end of the path are.
    fn own_names(&self) -> Vec<String> {
        let kind = match self.types.kind(self.record) {
            Some(TypeKind::Struct(ty)) => Some(ty.names.rust.clone()),
            _ => None,
        };
        let segment = last_name(self.path).map(names::singular);
        let list = self.records.rsplit('/').next().filter(|name| !name.is_empty()).map(names::singular);
        let kinds: Vec<String> = kind.into_iter().chain(segment).chain(list).collect();
        // Of a `SpecialEvent`, also `eventId`.
        let last_words = kinds.iter().filter_map(|kind| last_word(kind));
        let kinds: Vec<String> = kinds.iter().cloned().chain(last_words).collect();
        kinds.iter().flat_map(|kind| SUFFIXES.map(|suffix| format!("{kind}{suffix}"))).collect()
    }

    /// The one field whose name ends as that of an identifier does.
    fn only_id<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        let is_id = |name: &&str| name.ends_with("_id") || name.ends_with("Id") || name.ends_with("ID");
        let is_own = |name: &&str| !OF_OTHERS.iter().any(|other| is_same(other, name));
        let ids: Vec<&str> = names.filter(is_id).filter(is_own).collect();
        match ids.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// The last of several words.
fn last_word(name: &str) -> Option<String> {
    let snake = name.to_snake_case();
    let (_, last) = snake.rsplit_once('_')?;
    Some(last.to_owned())
}
