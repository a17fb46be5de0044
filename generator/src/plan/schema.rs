//! Schemas as they are meant: `$ref`s followed, `allOf` merged, the typed model's two ways to say the same made one.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use openapiv3::{
    AdditionalProperties, AnySchema, Discriminator, IntegerFormat, OpenAPI, ReferenceOr, Schema, SchemaData,
    SchemaKind, StringFormat, Type, VariantOrUnknownOrEmpty,
};
use serde_json::Value;

use super::model::DecimalFacts;
use decimal::Bounds;
pub(super) use locate::Located;
pub(crate) use select::SchemaPath;
#[cfg(feature = "run")]
pub(crate) use select::{Step, literal};

mod decimal;
mod family;
mod locate;
mod select;
mod undescribed;

/// The format of decimals (OpenAPI Format Registry).
const DECIMAL: &str = "decimal";

/// A schema in the document.
#[derive(Clone, Debug)]
pub(super) enum SchemaRef<'a> {
    /// A component, by its name.
    Named(&'a str),
    /// One that stands where it is used.
    Inline(&'a Schema),
    /// All of these at once: a property that several branches of an `allOf` describe. All of none: anything.
    All(Vec<SchemaRef<'a>>),
    /// A list of such values, which the document describes one by one: JSON lines.
    ListOf(Box<SchemaRef<'a>>),
}

impl SchemaRef<'_> {
    /// Of what the document does not describe.
    pub(super) fn of_anything() -> Self {
        Self::All(Vec::new())
    }
}

/// What a schema says.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape<'a> {
    pub(super) doc: Option<&'a str>,
    pub(super) nullable: bool,
    pub(super) kind: ShapeKind<'a>,
    /// Which field says of what branch a value is, if it is one of several.
    pub(super) discriminator: Option<&'a Discriminator>,
    /// The branch that takes what is of no other: the component that the others are made of.
    pub(super) base: Option<&'a str>,
    /// Whether it has branches beside what it says itself, which the kind leaves aside.
    pub(super) has_branches: bool,
}

/// What kind of value a schema describes.
#[derive(Clone, Debug, Default)]
pub(super) enum ShapeKind<'a> {
    /// Anything.
    #[default]
    Any,
    Boolean,
    Integer {
        is_int32: bool,
    },
    Number,
    /// A text or a number of a known precision and scale.
    Decimal(DecimalFacts),
    String {
        format: Option<&'a str>,
        values: Vec<&'a str>,
    },
    Array {
        items: Option<SchemaRef<'a>>,
    },
    Object {
        properties: IndexMap<&'a str, Property<'a>>,
        /// Names that must be there, also of properties that another branch of an `allOf` describes.
        required: Vec<&'a str>,
        /// The type of what is not listed; `None`: not known.
        additional: Option<SchemaRef<'a>>,
    },
    /// One of several.
    OneOf(Vec<SchemaRef<'a>>),
}

impl ShapeKind<'_> {
    /// Whether it is text out of a list, and that list.
    pub(super) fn listed(&self) -> Option<&[&str]> {
        match self {
            ShapeKind::String { values, .. } if !values.is_empty() => Some(values),
            _ => None,
        }
    }
}

/// A property of an object.
#[derive(Clone, Debug)]
pub(super) struct Property<'a> {
    pub(super) schema: SchemaRef<'a>,
    pub(super) required: bool,
    /// The component that it stands in, which others can be `allOf`.
    pub(super) owner: Option<&'a str>,
}

/// The schemas of a document.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    api: &'a OpenAPI,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(api: &'a OpenAPI) -> Self {
        Self { api }
    }

    fn component(&self, name: &str) -> Option<&'a ReferenceOr<Schema>> {
        self.api.components.as_ref()?.schemas.get(name)
    }

    /// The component or the inline schema that a schema is only another name for, whether it adds that the value can be
    /// `null`, and the description nearest to where it is used.
    pub(super) fn follow(&self, schema: SchemaRef<'a>) -> Followed<'a> {
        let mut followed = Followed { schema, nullable: false, doc: None };
        let mut seen = BTreeSet::new();
        loop {
            let schema = match &followed.schema {
                SchemaRef::Named(name) => {
                    if !seen.insert(*name) {
                        return followed;
                    }
                    match self.component(name) {
                        Some(ReferenceOr::Reference { reference }) => match named(reference) {
                            Some(next) => {
                                followed.schema = next;
                                continue;
                            }
                            None => return followed,
                        },
                        Some(ReferenceOr::Item(schema)) => schema,
                        None => return followed,
                    }
                }
                SchemaRef::Inline(schema) => *schema,
                SchemaRef::All(_) | SchemaRef::ListOf(_) => return followed,
            };
            let Some((next, nullable)) = only_branch(schema) else { return followed };
            // A component around a schema without a name is the name of that schema, which may hold it again.
            if let (SchemaRef::Named(_), SchemaRef::Inline(_)) = (&followed.schema, &next) {
                return followed;
            }
            followed.nullable |= nullable || schema.schema_data.nullable;
            followed.doc = followed.doc.or(schema.schema_data.description.as_deref());
            followed.schema = next;
        }
    }

    /// What a schema says, with everything that it refers to for that taken in.
    pub(super) fn shape(&self, schema: &SchemaRef<'a>) -> Shape<'a> {
        self.shape_within(schema, &mut Vec::new())
    }

    /// The properties of an object, or those that all kinds of object have that it can be: each as one of them says, and required
    /// if all require it.
    pub(super) fn properties_of_all(&self, schema: &SchemaRef<'a>) -> Option<IndexMap<&'a str, Property<'a>>> {
        let of = |schema: &SchemaRef<'a>| match self.shape(schema).kind {
            ShapeKind::Object { properties, .. } => Some(properties),
            _ => None,
        };
        let ShapeKind::OneOf(branches) = self.shape(schema).kind else { return of(schema) };
        let (first, others) = branches.split_first()?;
        let others = others.iter().map(of).collect::<Option<Vec<_>>>()?;
        let mut common = of(first)?;
        common.retain(|name, property| {
            let same: Vec<_> = others.iter().filter_map(|other| other.get(name)).collect();
            property.required &= same.iter().all(|other| other.required);
            same.len() == others.len()
        });
        Some(common)
    }

    /// `within`: the components being looked into, so that one that contains itself comes to an end.
    fn shape_within(&self, schema: &SchemaRef<'a>, within: &mut Vec<&'a str>) -> Shape<'a> {
        match schema {
            SchemaRef::Named(name) => {
                if within.contains(name) {
                    return Shape::default();
                }
                within.push(name);
                let shape = match self.component(name) {
                    Some(ReferenceOr::Item(schema)) => owned_by(name, self.shape_of(schema, within)),
                    Some(ReferenceOr::Reference { reference }) => {
                        named(reference).map(|schema| self.shape_within(&schema, within)).unwrap_or_default()
                    }
                    None => Shape::default(),
                };
                within.pop();
                shape
            }
            SchemaRef::Inline(schema) => self.shape_of(schema, within),
            SchemaRef::All(schemas) => self.all_of(schemas.iter().cloned(), within),
            SchemaRef::ListOf(item) => of(ShapeKind::Array { items: Some(SchemaRef::clone(item)) }),
        }
    }

    fn shape_of(&self, schema: &'a Schema, within: &mut Vec<&'a str>) -> Shape<'a> {
        let SchemaData { nullable, description, .. } = &schema.schema_data;
        let mut shape = match &schema.schema_kind {
            SchemaKind::Type(Type::Boolean(_)) => of(ShapeKind::Boolean),
            SchemaKind::Type(Type::Integer(integer)) => {
                let is_int32 = integer.format == VariantOrUnknownOrEmpty::Item(IntegerFormat::Int32);
                Shape { nullable: integer.enumeration.contains(&None), ..of(ShapeKind::Integer { is_int32 }) }
            }
            SchemaKind::Type(Type::Number(number)) => {
                let is_decimal =
                    matches!(&number.format, VariantOrUnknownOrEmpty::Unknown(format) if format == DECIMAL);
                let bounds =
                    Bounds { multiple_of: number.multiple_of, minimum: number.minimum, maximum: number.maximum };
                let decimal = is_decimal.then(|| decimal::of(&schema.schema_data, bounds, false)).flatten();
                let kind = decimal.map_or(ShapeKind::Number, ShapeKind::Decimal);
                Shape { nullable: number.enumeration.contains(&None), ..of(kind) }
            }
            SchemaKind::Type(Type::String(string)) => {
                let values: Vec<_> = string.enumeration.iter().flatten().map(String::as_str).collect();
                let format = string_format(&string.format);
                let is_decimal = format == Some(DECIMAL) && values.is_empty();
                let decimal = is_decimal.then(|| decimal::of(&schema.schema_data, Bounds::default(), true)).flatten();
                let kind = decimal.map_or(ShapeKind::String { format, values }, ShapeKind::Decimal);
                Shape { nullable: string.enumeration.contains(&None), ..of(kind) }
            }
            SchemaKind::Type(Type::Array(array)) => of(ShapeKind::Array { items: array.items.as_ref().map(boxed_ref) }),
            SchemaKind::Type(Type::Object(object)) => {
                of(object_of(&object.properties, &object.required, object.additional_properties.as_ref()))
            }
            SchemaKind::OneOf { one_of: branches } | SchemaKind::AnyOf { any_of: branches } => {
                self.one_of(branches, within)
            }
            SchemaKind::AllOf { all_of } => self.all_of(all_of.iter().map(schema_ref), within),
            SchemaKind::Not { .. } => Shape::default(),
            SchemaKind::Any(any) => self.shape_of_any(any, within),
        };
        shape.nullable |= nullable;
        shape.doc = description.as_deref().or(shape.doc);
        shape.discriminator = schema.schema_data.discriminator.as_ref().or(shape.discriminator);
        shape
    }

    /// A schema with keys that do not usually stand together.
    fn shape_of_any(&self, any: &'a AnySchema, within: &mut Vec<&'a str>) -> Shape<'a> {
        let texts: Option<Vec<&str>> =
            any.enumeration.iter().filter(|value| !value.is_null()).map(Value::as_str).collect();
        let kind = match any.typ.as_deref() {
            Some("boolean") => ShapeKind::Boolean,
            Some("integer") => ShapeKind::Integer { is_int32: any.format.as_deref() == Some("int32") },
            Some("number") => ShapeKind::Number,
            Some("string") => ShapeKind::String { format: any.format.as_deref(), values: texts.unwrap_or_default() },
            Some("array") => ShapeKind::Array { items: any.items.as_ref().map(boxed_ref) },
            Some(_) => object_of(&any.properties, &any.required, any.additional_properties.as_ref()),
            None if !any.properties.is_empty() || !any.required.is_empty() || any.additional_properties.is_some() => {
                object_of(&any.properties, &any.required, any.additional_properties.as_ref())
            }
            None if any.items.is_some() => ShapeKind::Array { items: any.items.as_ref().map(boxed_ref) },
            None => match texts {
                Some(values) if !values.is_empty() => ShapeKind::String { format: None, values },
                _ => ShapeKind::Any,
            },
        };
        let own = Shape { nullable: any.enumeration.iter().any(Value::is_null), ..of(kind) };
        let mut shape = own;
        if !any.all_of.is_empty() {
            shape = merge(shape, self.all_of(any.all_of.iter().map(schema_ref), within));
        }
        // That it is an object, each branch says better.
        if let ShapeKind::Object { properties, additional: None, .. } = &shape.kind
            && properties.is_empty()
            && [&any.one_of, &any.any_of].into_iter().any(|branches| self.are_described(branches, within))
        {
            shape.kind = ShapeKind::Any;
        }
        // Beside properties, branches mostly say which of them go together.
        if matches!(shape.kind, ShapeKind::Any) {
            for branches in [&any.one_of, &any.any_of] {
                if !branches.is_empty() {
                    shape = merge(shape, self.one_of(branches, within));
                }
            }
        } else {
            shape.has_branches |= !any.one_of.is_empty() || !any.any_of.is_empty();
        }
        shape
    }

    /// Whether each of the branches says what fields it has.
    fn are_described(&self, branches: &'a [ReferenceOr<Schema>], within: &mut Vec<&'a str>) -> bool {
        let mut has_fields = |branch: &'a ReferenceOr<Schema>| {
            let shape = self.shape_within(&schema_ref(branch), within);
            matches!(shape.kind, ShapeKind::Object { properties, .. } if !properties.is_empty())
        };
        !branches.is_empty() && branches.iter().all(|branch| is_null(branch) || has_fields(branch))
    }

    fn one_of(&self, branches: &'a [ReferenceOr<Schema>], within: &mut Vec<&'a str>) -> Shape<'a> {
        let nullable = branches.iter().any(is_null);
        let rest: Vec<SchemaRef<'a>> = branches.iter().filter(|branch| !is_null(branch)).map(schema_ref).collect();
        match rest.as_slice() {
            [one] => {
                let shape = self.shape_within(one, within);
                Shape { nullable: nullable || shape.nullable, ..shape }
            }
            _ => Shape { nullable, ..of(ShapeKind::OneOf(rest)) },
        }
    }

    fn all_of(&self, schemas: impl Iterator<Item = SchemaRef<'a>>, within: &mut Vec<&'a str>) -> Shape<'a> {
        let shapes: Vec<_> = schemas.map(|schema| self.shape_within(&schema, within)).collect();
        // `null` is only allowed by all of them if every one allows it; one that says nothing does not forbid it.
        let typed: Vec<bool> =
            shapes.iter().filter(|shape| !matches!(shape.kind, ShapeKind::Any)).map(|shape| shape.nullable).collect();
        let nullable = !typed.is_empty() && typed.iter().all(|nullable| *nullable);
        let merged = shapes.into_iter().fold(Shape::default(), merge);
        Shape { nullable, ..merged }
    }
}

/// What [`Schemas::follow`] found.
pub(super) struct Followed<'a> {
    pub(super) schema: SchemaRef<'a>,
    pub(super) nullable: bool,
    pub(super) doc: Option<&'a str>,
}

/// The one schema that another is made of, if it is made of one, and whether a second branch is `null`.
fn only_branch(schema: &Schema) -> Option<(SchemaRef<'_>, bool)> {
    let branches = match &schema.schema_kind {
        SchemaKind::AllOf { all_of } => all_of,
        SchemaKind::OneOf { one_of } => one_of,
        SchemaKind::AnyOf { any_of } => any_of,
        SchemaKind::Any(any)
            if any.properties.is_empty()
                && any.additional_properties.is_none()
                && any.enumeration.is_empty()
                && any.one_of.is_empty()
                && any.any_of.is_empty()
                && any.format.is_none() =>
        {
            &any.all_of
        }
        _ => return None,
    };
    let rest: Vec<_> = branches.iter().filter(|branch| !is_null(branch)).collect();
    match rest.as_slice() {
        [one] => Some((schema_ref(one), rest.len() < branches.len())),
        _ => None,
    }
}

/// Both at once. Where they contradict each other, nothing is known.
fn merge<'a>(left: Shape<'a>, right: Shape<'a>) -> Shape<'a> {
    let is_union = |shape: &Shape<'a>| matches!(shape.kind, ShapeKind::OneOf(_));
    let (has_branches, has_unions) = (left.has_branches || right.has_branches, is_union(&left) || is_union(&right));
    let kind = match (left.kind, right.kind) {
        (ShapeKind::Any, kind) | (kind, ShapeKind::Any) => kind,
        (
            ShapeKind::Object { mut properties, mut required, additional },
            ShapeKind::Object { properties: others, required: other_required, additional: other },
        ) => {
            required.extend(other_required);
            for (name, other) in others {
                match properties.get_mut(name) {
                    Some(property) if is_same(&property.schema, &other.schema) => {}
                    Some(property) => {
                        property.schema = both(property.schema.clone(), other.schema);
                        property.owner = None;
                    }
                    None => {
                        properties.insert(name, other);
                    }
                }
            }
            for (name, property) in &mut properties {
                property.required = required.contains(name);
            }
            ShapeKind::Object { properties, required, additional: additional.or(other) }
        }
        (ShapeKind::Array { items: left }, ShapeKind::Array { items: right }) => ShapeKind::Array {
            items: match (left, right) {
                (Some(left), Some(right)) => Some(both(left, right)),
                (left, right) => left.or(right),
            },
        },
        (ShapeKind::String { format, values }, ShapeKind::String { format: other, values: others }) => {
            let values = match (values.is_empty(), others.is_empty()) {
                (true, _) => others,
                (_, true) => values,
                _ => values.into_iter().filter(|value| others.contains(value)).collect(),
            };
            ShapeKind::String { format: format.or(other), values }
        }
        (ShapeKind::Integer { is_int32: left }, ShapeKind::Integer { is_int32: right }) => {
            ShapeKind::Integer { is_int32: left || right }
        }
        (integer @ ShapeKind::Integer { .. }, ShapeKind::Number)
        | (ShapeKind::Number, integer @ ShapeKind::Integer { .. }) => integer,
        (integer @ ShapeKind::Integer { .. }, ShapeKind::Decimal(DecimalFacts { is_text: false, .. }))
        | (ShapeKind::Decimal(DecimalFacts { is_text: false, .. }), integer @ ShapeKind::Integer { .. }) => integer,
        (ShapeKind::Number, ShapeKind::Number) => ShapeKind::Number,
        (ShapeKind::Decimal(decimal), ShapeKind::Number) | (ShapeKind::Number, ShapeKind::Decimal(decimal))
            if !decimal.is_text =>
        {
            ShapeKind::Decimal(decimal)
        }
        (ShapeKind::Decimal(decimal), ShapeKind::String { format: None, .. })
        | (ShapeKind::String { format: None, .. }, ShapeKind::Decimal(decimal))
            if decimal.is_text =>
        {
            ShapeKind::Decimal(decimal)
        }
        (ShapeKind::Decimal(left), ShapeKind::Decimal(right)) if left == right => ShapeKind::Decimal(left),
        (ShapeKind::Boolean, ShapeKind::Boolean) => ShapeKind::Boolean,
        // Branches beside properties mostly say which of them go together.
        (object @ ShapeKind::Object { .. }, ShapeKind::OneOf(_))
        | (ShapeKind::OneOf(_), object @ ShapeKind::Object { .. }) => object,
        _ => ShapeKind::Any,
    };
    let discriminator = left.discriminator.or(right.discriminator);
    let nullable = left.nullable || right.nullable;
    let has_branches = has_branches || (has_unions && !matches!(kind, ShapeKind::OneOf(_)));
    Shape { doc: left.doc.or(right.doc), nullable, kind, discriminator, base: None, has_branches }
}

/// Two descriptions of one place. What both say in the same place of the document is said once: a schema that is all of
/// itself twice would otherwise double with each step into it.
fn both<'a>(left: SchemaRef<'a>, right: SchemaRef<'a>) -> SchemaRef<'a> {
    let mut all = match left {
        SchemaRef::All(all) => all,
        one => vec![one],
    };
    let others = match right {
        SchemaRef::All(others) => others,
        one => vec![one],
    };
    for other in others {
        if !all.iter().any(|known| is_same(known, &other)) {
            all.push(other);
        }
    }
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            all.extend(last);
            SchemaRef::All(all)
        }
    }
}

fn is_same(left: &SchemaRef<'_>, right: &SchemaRef<'_>) -> bool {
    match (left, right) {
        (SchemaRef::Named(left), SchemaRef::Named(right)) => left == right,
        (SchemaRef::Inline(left), SchemaRef::Inline(right)) => std::ptr::eq(*left, *right),
        _ => false,
    }
}

/// The same, with what is nobody else's standing in the component `name`.
fn owned_by<'a>(name: &'a str, mut shape: Shape<'a>) -> Shape<'a> {
    if let ShapeKind::Object { properties, .. } = &mut shape.kind {
        properties.values_mut().for_each(|property| property.owner = property.owner.or(Some(name)));
    }
    shape
}

fn of(kind: ShapeKind<'_>) -> Shape<'_> {
    Shape { kind, ..Shape::default() }
}

fn object_of<'a>(
    properties: &'a IndexMap<String, ReferenceOr<Box<Schema>>>,
    required: &'a [String],
    additional: Option<&'a AdditionalProperties>,
) -> ShapeKind<'a> {
    let is_write_only = |schema: &ReferenceOr<Box<Schema>>| match schema {
        ReferenceOr::Item(schema) => schema.schema_data.write_only,
        ReferenceOr::Reference { .. } => false,
    };
    let properties = properties
        .iter()
        // Never in a response (OAS 3.0.3 section 4.7.24.2).
        .filter(|(_, schema)| !is_write_only(schema))
        .map(|(name, schema)| {
            let property = Property { schema: boxed_ref(schema), required: required.contains(name), owner: None };
            (name.as_str(), property)
        })
        .collect();
    let additional = match additional {
        Some(AdditionalProperties::Schema(schema)) => Some(schema_ref(schema)),
        Some(AdditionalProperties::Any(_)) | None => None,
    };
    ShapeKind::Object { properties, required: required.iter().map(String::as_str).collect(), additional }
}

/// The schema that `reference` names.
fn named(reference: &str) -> Option<SchemaRef<'_>> {
    reference.strip_prefix("#/components/schemas/").map(SchemaRef::Named)
}

pub(super) fn schema_ref(schema: &ReferenceOr<Schema>) -> SchemaRef<'_> {
    match schema {
        ReferenceOr::Reference { reference } => named(reference).unwrap_or_else(SchemaRef::of_anything),
        ReferenceOr::Item(schema) => SchemaRef::Inline(schema),
    }
}

fn boxed_ref(schema: &ReferenceOr<Box<Schema>>) -> SchemaRef<'_> {
    match schema {
        ReferenceOr::Reference { reference } => named(reference).unwrap_or_else(SchemaRef::of_anything),
        ReferenceOr::Item(schema) => SchemaRef::Inline(schema),
    }
}

/// A branch that allows `null` and nothing else.
fn is_null(schema: &ReferenceOr<Schema>) -> bool {
    let ReferenceOr::Item(schema) = schema else { return false };
    match &schema.schema_kind {
        SchemaKind::Any(any) => {
            any.typ.as_deref() == Some("null")
                || (!any.enumeration.is_empty() && any.enumeration.iter().all(Value::is_null))
        }
        _ => false,
    }
}

fn string_format(format: &VariantOrUnknownOrEmpty<StringFormat>) -> Option<&str> {
    match format {
        VariantOrUnknownOrEmpty::Item(StringFormat::Date) => Some("date"),
        VariantOrUnknownOrEmpty::Item(StringFormat::DateTime) => Some("date-time"),
        VariantOrUnknownOrEmpty::Item(StringFormat::Password) => Some("password"),
        VariantOrUnknownOrEmpty::Item(StringFormat::Byte) => Some("byte"),
        VariantOrUnknownOrEmpty::Item(StringFormat::Binary) => Some("binary"),
        VariantOrUnknownOrEmpty::Unknown(format) => Some(format),
        VariantOrUnknownOrEmpty::Empty => None,
    }
}
