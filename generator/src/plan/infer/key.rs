//! The field that identifies a record.

use super::{Inferred, first_of};
use crate::plan::fields::{self, Use};
use crate::plan::model::{FieldPath, TypeId, TypeKind};
use crate::plan::types::Types;

const NAMES: [&str; 4] = ["id", "uuid", "guid", "key"];

/// A required field with the name of an identifier.
pub(in crate::plan) fn infer(types: &Types<'_>, record: TypeId) -> Option<Inferred<FieldPath>> {
    let TypeKind::Struct(ty) = types.kind(record)? else { return None };
    let own = format!("{}Id", ty.names.rust);
    let names = NAMES[..3].iter().copied().chain([own.as_str(), NAMES[3]]);
    let required = ty.fields.iter().filter(|field| !field.element.optional).map(|field| field.wire_name.as_str());
    let name = first_of(&names.collect::<Vec<_>>(), required)?;
    let path = fields::resolve(types, record, &crate::document::pointer::join("", name), Use::Value).ok()?;
    let reason = format!("every record has `{name}`, which has the name of an identifier");
    Some(Inferred { value: path, rule: "required-id", reason })
}
