//! What is to be done with personal data: whether the records have it, and whether the stream can do without it.

use std::borrow::Cow;

use super::annotations;
use super::fields;
use super::model::{FieldPath, PaginationPlan, RedactAction, Redaction, Scalar, StreamPlan, TypeId, TypeKind};
use super::operations::OperationRef;
use super::streams::{Context, Draft};
use super::types::Types;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::document::pointer;

/// What stands for every member or element.
const EACH: &str = "*";

/// Refuses to redact what streams are read by, and warns of what the schemas of their records do not have.
pub(super) fn check(context: &Context<'_>, all: &[OperationRef<'_>], drafts: &[Draft], said: &mut Diagnostics) {
    for stream in drafts.iter().map(|draft| &draft.stream) {
        let Some(operation) = all.iter().find(|operation| operation.id == stream.operation_id) else { continue };
        let at = format!("{}/redact", pointer::join(&operation.at, annotations::SOURCE));
        for redaction in &stream.redact {
            let found = match refusal(stream, redaction) {
                Some(message) => Some(Diagnostic::error(message)),
                None => warning(&context.types, stream, redaction),
            };
            if let Some(found) = found {
                said.push(context.document.locate(found, &pointer::join(&at, &redaction.pointer)));
            }
        }
    }
}

/// Why a field cannot be redacted.
fn refusal(stream: &StreamPlan, redaction: &Redaction) -> Option<String> {
    let Redaction { pointer, action } = redaction;
    let asks_by_key = matches!(stream.pagination, PaginationPlan::LastRecord { .. });
    let is_met = |field: &&FieldPath| meet(pointer, &field.pointer);
    let offset = stream.offset.as_ref().map(|offset| &offset.field);
    let mut bound = stream.children.iter().flat_map(|child| child.bind.iter().map(|(_, field)| field));
    let what = if offset.filter(is_met).is_some() {
        "the stream's position is made of"
    } else if bound.any(|field| is_met(&field)) {
        "the records of another operation are asked for by"
    } else if stream.timestamp.as_ref().filter(is_met).is_some() {
        "the records have their time from"
    } else if stream.key.as_ref().filter(is_met).is_some() && (*action != RedactAction::Hash || asks_by_key) {
        match asks_by_key {
            true => "the next page is asked for by",
            false => "the records have their key from, which only `hash` keeps",
        }
    } else {
        return None;
    };
    Some(format!("`{pointer}` cannot be redacted, as it is what {what}"))
}

/// What is odd about redacting a field.
fn warning(types: &Types<'_>, stream: &StreamPlan, redaction: &Redaction) -> Option<Diagnostic> {
    let Redaction { pointer, action } = redaction;
    let segments: Vec<_> = pointer::segments(pointer).collect();
    match end(types, stream.record, &segments) {
        Ok(Some(scalar)) if *action == RedactAction::Hash && scalar != Scalar::String => {
            let message = format!("`{pointer}` is {}, and a hash is text", fields::name_of(scalar));
            Some(
                Diagnostic::warning(message)
                    .hint("by the schema, it stands in `unmapped`; `mask` and `drop` leave nothing there"),
            )
        }
        Ok(_) => None,
        Err(Unknown { segment, near }) => {
            let message = format!("`{pointer}`: the schema of the records has no field `{segment}`");
            let diagnostic = Diagnostic::warning(message);
            Some(match near {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic,
            })
        }
    }
}

/// A name that a type does not have.
struct Unknown {
    segment: String,
    near: Option<String>,
}

/// The value that segments lead to, if it is one that has a type of its own.
fn end(types: &Types<'_>, at: TypeId, segments: &[Cow<'_, str>]) -> Result<Option<Scalar>, Unknown> {
    let rest = segments.split_first();
    match (types.kind(at), rest) {
        (Some(TypeKind::Scalar(scalar)), None) => Ok(Some(*scalar).filter(|scalar| *scalar != Scalar::Json)),
        (Some(TypeKind::List(item)), None) => end(types, item.ty, segments),
        (_, None) => Ok(None),
        (Some(TypeKind::Struct(_)), Some((first, _))) if first == EACH => Ok(None),
        (Some(TypeKind::Struct(it)), Some(_)) if it.is_undescribed() => Ok(None),
        (Some(TypeKind::Struct(it)), Some((first, rest))) => {
            let field = it.fields.iter().find(|field| *first == field.wire_name);
            match (field.map(|field| &field.element), &it.additional) {
                (Some(element), _) => end(types, element.ty, rest),
                (None, Some(additional)) => end(types, additional.element.ty, rest),
                (None, None) => {
                    let names = it.fields.iter().map(|field| field.wire_name.as_str());
                    Err(Unknown { segment: first.to_string(), near: nearest(first, names).map(str::to_owned) })
                }
            }
        }
        (Some(TypeKind::List(item)), Some((first, rest))) => {
            // A name is meant of each element.
            let is_element = first == EACH || first.parse::<usize>().is_ok();
            end(types, item.ty, if is_element { rest } else { segments })
        }
        (Some(TypeKind::Map(value)), Some((_, rest))) => end(types, value.ty, rest),
        (Some(TypeKind::Scalar(Scalar::Json) | TypeKind::Union(_)) | None, _) => Ok(None),
        (Some(TypeKind::Scalar(_) | TypeKind::Enum(_)), Some((first, _))) => {
            Err(Unknown { segment: first.to_string(), near: None })
        }
    }
}

/// Whether one pointer leads to what the other leads to, or to where that is in, or into it.
fn meet(rule: &str, field: &str) -> bool {
    pointer::segments(rule).zip(pointer::segments(field)).all(|(rule, segment)| rule == EACH || rule == segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_meet_where_one_leads_into_the_other() {
        for (rule, field, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a/b", "/a", true),
            ("/*/b", "/a/b", true),
            ("/a/c", "/a/b", false),
            ("/ab", "/a", false),
        ] {
            assert_eq!(meet(rule, field), expected, "{rule} {field}");
        }
    }
}
