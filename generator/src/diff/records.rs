//! What changed about the records of a stream, field by field.

use std::collections::BTreeSet;

use super::avro::{FieldName, Schemas};
use super::change::{Change, ChangeKind, Impact, Rule, Verdict, Ways};
use super::formats;
use crate::emit::EmitError;
use crate::plan::model::{ConnectorPlan, DecimalFacts, Element, EnumType, Field, Scalar, StructType, TypeId, TypeKind};

/// The comparison of two record types. A type that stands at several places is compared where it stands first.
pub(super) struct Records<'a> {
    old: &'a ConnectorPlan,
    new: &'a ConnectorPlan,
    schemas: &'a Schemas,
    rule: Rule,
    compared: BTreeSet<(TypeId, TypeId)>,
    changes: Vec<Change>,
}

/// The field that a value stands in, with what is around it on the way there.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    old: FieldName<'a>,
    new: FieldName<'a>,
}

impl<'a> Records<'a> {
    pub(super) fn new(old: &'a ConnectorPlan, new: &'a ConnectorPlan, schemas: &'a Schemas, rule: Rule) -> Self {
        Self { old, new, schemas, rule, compared: BTreeSet::new(), changes: Vec::new() }
    }

    pub(super) fn compare(mut self, old: TypeId, new: TypeId) -> Result<Vec<Change>, EmitError> {
        self.types(old, new, "")?;
        // Nothing that the checker refuses goes unsaid.
        let whole = self.schemas.whole()?;
        let is_said = self.changes.iter().any(|change| change.avro == Verdict::Breaking);
        if whole.verdict(self.rule) == Verdict::Breaking && !is_said {
            let impact = Impact::Schemas { avro: whole, protobuf: Ways::BOTH, json_schema: Ways::BOTH };
            self.push(ChangeKind::Schema, "", None, None, impact);
        }
        Ok(self.changes)
    }

    fn push(&mut self, kind: ChangeKind, path: &str, before: Option<String>, after: Option<String>, impact: Impact) {
        self.changes.push(Change::new(kind, path, before, after, impact, self.rule));
    }

    /// Two types that both are records, at a place of their own.
    fn types(&mut self, old: TypeId, new: TypeId, path: &str) -> Result<(), EmitError> {
        let (Some(TypeKind::Struct(before)), Some(TypeKind::Struct(after))) =
            (kind(self.old, old), kind(self.new, new))
        else {
            return Ok(());
        };
        if !self.compared.insert((old, new)) {
            return Ok(());
        }
        let names = (&before.names.avro, &after.names.avro);
        if names.0 != names.1 {
            let avro = self.schemas.names(names.0, names.1)?;
            let impact = Impact::Schemas { avro, protobuf: Ways::NEITHER, json_schema: Ways::BOTH };
            self.push(ChangeKind::RecordName, path, Some(names.0.clone()), Some(names.1.clone()), impact);
        }
        for field in &before.fields {
            let path = format!("{path}/{}", field.wire_name);
            match after.fields.iter().find(|other| other.wire_name == field.wire_name) {
                Some(other) => {
                    let place = Place { path: &path, old: name(before, field), new: name(after, other) };
                    self.elements(field.element, other.element, place)?;
                }
                None => {
                    let avro = self.schemas.field(Some(name(before, field)), None)?;
                    let added = formats::json_schema_added(self.old, field.element.ty);
                    let json_schema = Ways { backward: added.forward, forward: added.backward };
                    let impact = Impact::Schemas { avro, protobuf: Ways::BOTH, json_schema };
                    let was = describe(self.old, field.element);
                    self.push(ChangeKind::FieldRemoved, &path, Some(was), None, impact);
                }
            }
        }
        for field in &after.fields {
            if before.fields.iter().all(|other| other.wire_name != field.wire_name) {
                let avro = self.schemas.field(None, Some(name(after, field)))?;
                let json_schema = formats::json_schema_added(self.new, field.element.ty);
                let impact = Impact::Schemas { avro, protobuf: Ways::BOTH, json_schema };
                let is = describe(self.new, field.element);
                let path = format!("{path}/{}", field.wire_name);
                self.push(ChangeKind::FieldAdded, &path, None, Some(is), impact);
            }
        }
        Ok(())
    }

    fn elements(&mut self, old: Element, new: Element, place: Place<'_>) -> Result<(), EmitError> {
        let (Some(before), Some(after)) = (kind(self.old, old.ty), kind(self.new, new.ty)) else { return Ok(()) };
        let is_same = match (before, after) {
            (TypeKind::Struct(_), TypeKind::Struct(_))
            | (TypeKind::Enum(_), TypeKind::Enum(_))
            | (TypeKind::List(_), TypeKind::List(_))
            | (TypeKind::Map(_), TypeKind::Map(_)) => true,
            (TypeKind::Union(_), TypeKind::Union(_)) | (TypeKind::Scalar(_), TypeKind::Scalar(_)) => {
                describe_type(self.old, old.ty) == describe_type(self.new, new.ty)
            }
            _ => false,
        };
        if !is_same {
            let (before, after) = (describe(self.old, old), describe(self.new, new));
            let impact = Impact::Schemas {
                avro: self.schemas.field(Some(place.old), Some(place.new))?,
                protobuf: formats::protobuf((self.old, old.ty), (self.new, new.ty)),
                json_schema: formats::json_schema((self.old, old.ty), (self.new, new.ty)),
            };
            self.push(ChangeKind::FieldType, place.path, Some(before), Some(after), impact);
            return Ok(());
        }
        if old.optional != new.optional {
            let kind = if new.optional { ChangeKind::FieldOptional } else { ChangeKind::FieldRequired };
            let impact = self.within(place)?;
            self.push(kind, place.path, None, None, impact);
        }
        let is_record = matches!(before, TypeKind::Struct(_));
        if !is_record && !self.compared.insert((old.ty, new.ty)) {
            return Ok(());
        }
        match (before, after) {
            (TypeKind::Struct(_), TypeKind::Struct(_)) => self.types(old.ty, new.ty, place.path),
            (TypeKind::Enum(before), TypeKind::Enum(after)) => self.values(before, after, place),
            (TypeKind::List(before), TypeKind::List(after)) | (TypeKind::Map(before), TypeKind::Map(after)) => {
                let path = format!("{}/*", place.path);
                self.elements(*before, *after, Place { path: &path, ..place })
            }
            (TypeKind::Union(before), TypeKind::Union(after)) => {
                let pairs = before.variants.iter().zip(&after.variants);
                pairs.into_iter().try_for_each(|(before, after)| self.types(before.ty, after.ty, place.path))
            }
            _ => Ok(()),
        }
    }

    /// The listed values. What is not listed is kept as it comes, so that they are no part of a schema.
    fn values(&mut self, old: &EnumType, new: &EnumType, place: Place<'_>) -> Result<(), EmitError> {
        let lists = |list: &EnumType, name: &str| list.values.iter().any(|value| value.wire_name == name);
        for value in old.values.iter().filter(|value| !lists(new, &value.wire_name)) {
            let impact = self.within(place)?;
            self.push(ChangeKind::ValueRemoved, place.path, Some(value.wire_name.clone()), None, impact);
        }
        for value in new.values.iter().filter(|value| !lists(old, &value.wire_name)) {
            let impact = self.within(place)?;
            self.push(ChangeKind::ValueAdded, place.path, None, Some(value.wire_name.clone()), impact);
        }
        Ok(())
    }

    /// What Protobuf and JSON Schema do not see, and of Avro what its checker says.
    fn within(&self, place: Place<'_>) -> Result<Impact, EmitError> {
        let avro = self.schemas.field(Some(place.old), Some(place.new))?;
        Ok(Impact::Schemas { avro, protobuf: Ways::BOTH, json_schema: Ways::BOTH })
    }
}

fn kind(plan: &ConnectorPlan, ty: TypeId) -> Option<&TypeKind> {
    plan.types.get(ty.0).map(|ty| &ty.kind)
}

fn name<'a>(record: &'a StructType, field: &'a Field) -> FieldName<'a> {
    FieldName { record: &record.names.avro, field: &field.avro_name }
}

fn describe(plan: &ConnectorPlan, element: Element) -> String {
    describe_element(plan, element, DEPTH)
}

fn describe_type(plan: &ConnectorPlan, ty: TypeId) -> String {
    describe_to(plan, ty, DEPTH)
}

/// How many lists and maps of one another are told; one may hold itself.
const DEPTH: usize = 4;

fn describe_element(plan: &ConnectorPlan, element: Element, depth: usize) -> String {
    let text = describe_to(plan, element.ty, depth);
    if element.optional { format!("optional {text}") } else { text }
}

/// A type in the words of OpenAPI; records by their names alone.
fn describe_to(plan: &ConnectorPlan, ty: TypeId, depth: usize) -> String {
    let Some(inner) = depth.checked_sub(1) else { return "…".to_owned() };
    match kind(plan, ty) {
        None => String::new(),
        Some(TypeKind::Struct(it)) => it.names.avro.clone(),
        Some(TypeKind::Enum(it)) => {
            let values: Vec<_> = it.values.iter().map(|value| value.wire_name.as_str()).collect();
            format!("one of {}", values.join(", "))
        }
        Some(TypeKind::Union(it)) => {
            let branches: Vec<_> = it.variants.iter().map(|variant| describe_to(plan, variant.ty, inner)).collect();
            branches.join(" or ")
        }
        Some(TypeKind::List(item)) => format!("array of {}", describe_element(plan, *item, inner)),
        Some(TypeKind::Map(value)) => format!("map of {}", describe_element(plan, *value, inner)),
        Some(TypeKind::Scalar(scalar)) => match scalar {
            Scalar::Boolean => "boolean",
            Scalar::Int32 => "int32",
            Scalar::Int64 => "int64",
            Scalar::Number => "number",
            Scalar::Decimal(DecimalFacts { precision, scale, .. }) => {
                return format!("decimal({precision}, {scale})");
            }
            Scalar::String => "string",
            Scalar::Date => "date",
            Scalar::DateTime => "date-time",
            Scalar::Uuid => "uuid",
            Scalar::Base64 => "byte",
            Scalar::Json => "any",
        }
        .to_owned(),
    }
}
