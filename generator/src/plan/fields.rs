//! Ways from a record to its fields.

use super::model::{FieldPath, FieldStep, Scalar, TypeId, TypeKind};
use super::types::Types;
use crate::diagnostic::nearest;
use crate::document::pointer;

/// What helps where the document does not describe the records.
pub(super) const DESCRIBE: &str = "describe the fields of the response in the document, or by an overlay";

/// Why a pointer leads to no field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoField {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// What a field is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A value that can be written as text: of a key, or a cursor.
    Value,
    /// An instant.
    Instant,
    /// An instant, or a text that may be one.
    Moment,
}

/// The way from a record to the field that a JSON Pointer leads to.
pub(super) fn resolve(types: &Types<'_>, record: TypeId, path: &str, usage: Use) -> Result<FieldPath, NoField> {
    let mut at = record;
    let mut steps = Vec::new();
    let refuse = |message: String, hint: Option<String>| Err(NoField { message, hint });
    if path.is_empty() {
        return refuse("the pointer is empty, so it leads to the whole record".to_owned(), None);
    }
    for segment in pointer::segments(path) {
        let Some(TypeKind::Struct(ty)) = types.kind(at) else {
            return refuse(format!("`{path}` leads into something that has no fields, at `{segment}`"), None);
        };
        if ty.is_undescribed() {
            let message = format!("`{path}`: the document does not describe the records");
            return refuse(message, Some(DESCRIBE.to_owned()));
        }
        let Some(field) = ty.fields.iter().find(|field| field.wire_name == segment) else {
            let near = nearest(&segment, ty.fields.iter().map(|field| field.wire_name.as_str()));
            let message = format!("`{path}`: the schema of `{}` has no field `{segment}`", ty.names.rust);
            return refuse(message, near.map(|near| format!("did you mean `{near}`?")));
        };
        steps.push(FieldStep { rust_name: field.rust_name.clone() });
        at = field.element.ty;
    }
    let scalar = match types.kind(at) {
        Some(TypeKind::Scalar(scalar)) => *scalar,
        Some(TypeKind::Enum(_)) => Scalar::String,
        _ => return refuse(format!("`{path}` leads to something that has parts"), None),
    };
    let fits = match usage {
        Use::Instant => scalar == Scalar::DateTime,
        Use::Moment => matches!(scalar, Scalar::DateTime | Scalar::String),
        Use::Value => {
            !matches!(scalar, Scalar::Boolean | Scalar::Json | Scalar::Base64 | Scalar::Number | Scalar::Decimal(_))
        }
    };
    if !fits {
        let wanted = match usage {
            Use::Instant | Use::Moment => "an instant (`type: string, format: date-time`)",
            Use::Value => "a text, an integer or an instant",
        };
        return refuse(format!("`{path}` leads to {}, not to {wanted}", name_of(scalar)), None);
    }
    Ok(FieldPath { pointer: path.to_owned(), steps, scalar })
}

pub(super) fn name_of(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Boolean => "a truth value",
        Scalar::Int32 | Scalar::Int64 => "an integer",
        Scalar::Number => "a floating-point number",
        Scalar::Decimal(_) => "a decimal",
        Scalar::String => "a text",
        Scalar::Date => "a date",
        Scalar::DateTime => "an instant",
        Scalar::Uuid => "a UUID",
        Scalar::Base64 => "bytes",
        Scalar::Json => "free JSON",
    }
}
