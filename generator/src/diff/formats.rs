//! Which changes of type the rules for Protobuf and JSON Schema allow. Only the plan is looked at.

use std::collections::BTreeSet;

use super::change::Ways;
use crate::plan::model::{ConnectorPlan, Scalar, TypeId, TypeKind};

/// Types that Protobuf's wire format tells apart. Within one, old and new read one another, at most with a loss of high
/// bits (<https://protobuf.dev/programming-guides/proto3/#updating>); Confluent's registry has the same groups.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wire {
    Varint,
    Fixed64,
    Bytes,
    DateTime,
    /// Told apart by its name too.
    Message(String),
    Repeated,
    Map,
    OneOf,
}

fn wire(plan: &ConnectorPlan, ty: TypeId) -> Option<Wire> {
    Some(match &plan.types.get(ty.0)?.kind {
        TypeKind::Struct(it) => Wire::Message(it.names.avro.clone()),
        TypeKind::Enum(_) => Wire::Bytes,
        TypeKind::Union(_) => Wire::OneOf,
        TypeKind::List(_) => Wire::Repeated,
        TypeKind::Map(_) => Wire::Map,
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::Boolean | Scalar::Int32 | Scalar::Int64 => Wire::Varint,
            Scalar::Number => Wire::Fixed64,
            Scalar::String | Scalar::Date | Scalar::Uuid | Scalar::Base64 | Scalar::Decimal(_) | Scalar::Json => {
                Wire::Bytes
            }
            Scalar::DateTime => Wire::DateTime,
        },
    })
}

/// Whether a field may change from one type to another in Protobuf.
pub(super) fn protobuf(old: (&ConnectorPlan, TypeId), new: (&ConnectorPlan, TypeId)) -> Ways {
    let (old, new) = (wire(old.0, old.1), wire(new.0, new.1));
    // What one may be of is not looked into.
    if old == new && old != Some(Wire::OneOf) { Ways::BOTH } else { Ways::NEITHER }
}

/// Kinds of JSON value that JSON Schema tells apart; formats are no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Boolean, Self::Number, Self::String, Self::Array, Self::Object];
}

fn kinds(plan: &ConnectorPlan, ty: TypeId) -> BTreeSet<Kind> {
    let Some(ty) = plan.types.get(ty.0) else { return BTreeSet::new() };
    match &ty.kind {
        TypeKind::Struct(_) | TypeKind::Map(_) => [Kind::Object].into(),
        TypeKind::Enum(_) => [Kind::String].into(),
        // None of its branches is a union.
        TypeKind::Union(it) => it.variants.iter().flat_map(|variant| kinds(plan, variant.ty)).collect(),
        TypeKind::List(_) => [Kind::Array].into(),
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::Boolean => [Kind::Boolean].into(),
            Scalar::Int32 | Scalar::Int64 => [Kind::Integer].into(),
            Scalar::Decimal(decimal) if decimal.is_text => [Kind::String].into(),
            Scalar::Number | Scalar::Decimal(_) => [Kind::Number].into(),
            Scalar::String | Scalar::Date | Scalar::DateTime | Scalar::Uuid | Scalar::Base64 => [Kind::String].into(),
            Scalar::Json => Kind::ALL.into(),
        },
    }
}

/// Whether a field may change from one type to another in JSON Schema: one that takes more reads what the other wrote.
pub(super) fn json_schema(old: (&ConnectorPlan, TypeId), new: (&ConnectorPlan, TypeId)) -> Ways {
    let (old, new) = (kinds(old.0, old.1), kinds(new.0, new.1));
    let reads = |reader: &BTreeSet<Kind>, writer: &BTreeSet<Kind>| {
        let takes = |kind: &Kind| reader.contains(kind) || (*kind == Kind::Integer && reader.contains(&Kind::Number));
        writer.iter().all(takes)
    };
    Ways { backward: reads(&new, &old), forward: reads(&old, &new) }
}

/// Whether a field may come, in JSON Schema, to an object that takes other fields too: what was written before could hold
/// anything under its name, so that only a field of any type can be read for sure. What goes may come, the other way.
pub(super) fn json_schema_added(plan: &ConnectorPlan, ty: TypeId) -> Ways {
    Ways { backward: Kind::ALL.iter().all(|kind| kinds(plan, ty).contains(kind)), forward: true }
}
