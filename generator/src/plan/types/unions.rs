//! Unions: one of several types.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use openapiv3::Discriminator;

use super::{DEEPEST, Types, scalar_of, wanted_names};
use crate::plan::model::{Scalar, TypeKind, UnionType, UnionVariant};
use crate::plan::names::{self, Scope};
use crate::plan::schema::{SchemaRef, Shape, ShapeKind};

/// The branches of a union, those of branches that are unions themselves in their place.
#[derive(Default)]
struct Leaves<'a> {
    schemas: Vec<SchemaRef<'a>>,
    discriminators: Vec<&'a Discriminator>,
    /// Of the union itself, and of families among its branches: see [`Shape::base`].
    bases: Vec<&'a str>,
}

impl<'a> Types<'a> {
    /// One of several types: told apart by the kind of JSON value, objects by a discriminator or their fields. What
    /// cannot be told apart is kept as JSON.
    pub(super) fn union_of(
        &mut self,
        wanted: &str,
        branches: Vec<SchemaRef<'a>>,
        discriminator: Option<&'a Discriminator>,
        base: Option<&'a str>,
    ) -> TypeKind {
        let mut leaves = Leaves::default();
        leaves.discriminators.extend(discriminator);
        leaves.bases.extend(base);
        self.collect(branches, &mut leaves, 0);
        let mut by_kind: IndexMap<&'static str, Vec<SchemaRef<'a>>> = IndexMap::new();
        for leaf in std::mem::take(&mut leaves.schemas) {
            let shape = self.shape(&leaf);
            match json_kind(&shape) {
                // An object of any fields is kept as JSON text, which no schema tells from a string.
                Some(kind) if scalar_of(&shape) != Some(Scalar::Json) => by_kind.entry(kind).or_default().push(leaf),
                _ => return TypeKind::Scalar(Scalar::Json),
            }
        }
        let mut drafts = Drafts::default();
        let mut tagged_by = None;
        for (kind, branches) in by_kind {
            let scalar = match (kind, branches.as_slice()) {
                ("String", [one]) if self.shape(one).listed().is_some() => None,
                ("String", _) => Some(Scalar::String),
                ("Number", [_, _, ..]) => Some(self.wider(&branches)),
                ("Boolean", [_, _, ..]) => Some(Scalar::Boolean),
                ("Object", [_, _, ..]) => {
                    let Some(tags) = self.objects(wanted, &branches, &leaves, base, &mut drafts) else {
                        return TypeKind::Scalar(Scalar::Json);
                    };
                    tagged_by = tags;
                    continue;
                }
                // Two kinds of list: nothing in the value itself says which.
                ("Array", [_, _, ..]) => return TypeKind::Scalar(Scalar::Json),
                _ => None,
            };
            let ty = match (scalar, branches.into_iter().next_back()) {
                (Some(scalar), _) => self.scalar(scalar),
                (None, Some(branch)) => self.lower_one(branch, &format!("{wanted}{kind}")).ty,
                (None, None) => continue,
            };
            drafts.add(kind, Vec::new(), ty);
        }
        let variants = drafts.variants;
        match variants.as_slice() {
            [] => TypeKind::Scalar(Scalar::Json),
            // Several branches of one scalar; one branch alone has been followed to what it is.
            [one] => self.kind(one.ty).cloned().unwrap_or(TypeKind::Scalar(Scalar::Json)),
            _ => TypeKind::Union(UnionType { names: wanted_names(wanted), discriminator: tagged_by, variants }),
        }
    }

    /// The shape of a component. One that says by a discriminator of which others, made of it, its values are is all of these,
    /// or the component itself.
    pub(super) fn with_heirs(&self, name: &'a str, shape: Shape<'a>) -> Shape<'a> {
        let heirs = self.schemas.heirs(name).filter(|_| matches!(shape.kind, ShapeKind::Object { .. }));
        let Some((discriminator, heirs)) = heirs else { return shape };
        // What is in the way of itself, or of heirs of its own, is meant without them.
        let alone = |name| SchemaRef::All(vec![SchemaRef::Named(name)]);
        let heir =
            |heir: &&'a str| if self.schemas.heirs(heir).is_some() { alone(*heir) } else { SchemaRef::Named(heir) };
        let branches = heirs.iter().map(heir).chain([alone(name)]).collect();
        Shape { kind: ShapeKind::OneOf(branches), discriminator: Some(discriminator), base: Some(name), ..shape }
    }

    /// Adds several objects, and returns the name of the field that tells which is which. `None`: they cannot be told
    /// apart, because one of them takes any field.
    fn objects(
        &mut self,
        wanted: &str,
        branches: &[SchemaRef<'a>],
        leaves: &Leaves<'a>,
        base: Option<&str>,
        drafts: &mut Drafts,
    ) -> Option<Option<String>> {
        let shapes: Vec<_> = branches.iter().map(|branch| self.shape(branch)).collect();
        let has_fields =
            |shape: &ShapeKind<'_>| matches!(shape, ShapeKind::Object { properties, .. } if !properties.is_empty());
        if !shapes.iter().all(has_fields) {
            return None;
        }
        let property = match leaves.discriminators.first() {
            Some(discriminator) => Some(discriminator.property_name.as_str()),
            None => self.constant_property(&shapes),
        };
        for (branch, shape) in branches.iter().zip(&shapes) {
            let tags = property.map(|property| self.tags(property, branch, shape, leaves)).unwrap_or_default();
            let wanted_variant = match (component(branch), tags.first()) {
                (Some(name), _) if base == Some(name) => "Base".to_owned(),
                (Some(name), _) => names::type_name(name),
                (_, Some(tag)) => names::type_name(tag),
                _ => "Object".to_owned(),
            };
            let ty = self.lower_one(branch.clone(), &format!("{wanted}{wanted_variant}")).ty;
            if !drafts.variants.iter().any(|variant| variant.ty == ty) {
                drafts.add(&wanted_variant, tags, ty);
            }
        }
        Some(property.map(str::to_owned))
    }

    /// A property that every branch lists values of, none of them another branch's.
    fn constant_property(&self, shapes: &[ShapeKind<'a>]) -> Option<&'a str> {
        let ShapeKind::Object { properties, .. } = shapes.first()? else { return None };
        properties.keys().copied().find(|name| {
            let mut seen = BTreeSet::new();
            shapes.iter().all(|shape| {
                let values = self.listed(shape, name);
                !values.is_empty() && values.into_iter().all(|value| seen.insert(value))
            })
        })
    }

    /// The values of the discriminator that stand for a branch (OAS 3.0.3 section 4.7.25): those that are mapped to it,
    /// or else its name; and those that its own schema lists.
    fn tags(&self, property: &str, branch: &SchemaRef<'a>, shape: &ShapeKind<'a>, leaves: &Leaves<'a>) -> Vec<String> {
        let discriminators = &leaves.discriminators;
        let mut tags: Vec<String> = Vec::new();
        if component(branch).is_some_and(|name| leaves.bases.contains(&name)) {
            return tags;
        }
        if let Some(name) = component(branch) {
            let mappings = discriminators.iter().filter(|it| it.property_name == property).flat_map(|it| &it.mapping);
            let targets = |target: &str| target.rsplit('/').next() == Some(name);
            tags.extend(mappings.filter(|(_, target)| targets(target)).map(|(tag, _)| tag.clone()));
            if tags.is_empty() && !discriminators.is_empty() {
                tags.push(name.to_owned());
            }
        }
        // What is listed for all of a family is of none of them.
        let listed = self.listed(shape, property);
        let is_of_all = |base: &&'a str| self.listed(&self.shape(&SchemaRef::Named(base)), property) == listed;
        let listed = if leaves.bases.iter().any(is_of_all) { Vec::new() } else { listed };
        for value in listed {
            if !tags.iter().any(|tag| tag == value) {
                tags.push(value.to_owned());
            }
        }
        tags
    }

    /// The values that a property of an object lists.
    fn listed(&self, object: &ShapeKind<'a>, property: &str) -> Vec<&'a str> {
        let ShapeKind::Object { properties, .. } = object else { return Vec::new() };
        match properties.get(property).map(|property| self.shape(&property.schema)) {
            Some(ShapeKind::String { values, .. }) => values,
            _ => Vec::new(),
        }
    }

    fn shape(&self, schema: &SchemaRef<'a>) -> ShapeKind<'a> {
        self.schemas.shape(schema).kind
    }

    fn collect(&self, branches: Vec<SchemaRef<'a>>, into: &mut Leaves<'a>, depth: usize) {
        for branch in branches {
            let schema = self.schemas.follow(branch).schema;
            let shape = self.schemas.shape(&schema);
            let shape = match &schema {
                SchemaRef::Named(name) => self.with_heirs(name, shape),
                SchemaRef::Inline(_) | SchemaRef::All(_) | SchemaRef::ListOf(_) => shape,
            };
            match shape.kind {
                ShapeKind::OneOf(inner) if depth < DEEPEST => {
                    into.discriminators.extend(shape.discriminator);
                    into.bases.extend(shape.base);
                    self.collect(inner, into, depth + 1);
                }
                _ => into.schemas.push(schema),
            }
        }
    }

    fn wider(&self, numbers: &[SchemaRef<'a>]) -> Scalar {
        let is_integer = |schema| matches!(self.shape(schema), ShapeKind::Integer { .. });
        if numbers.iter().all(is_integer) { Scalar::Int64 } else { Scalar::Number }
    }
}

/// The component that a branch is.
fn component<'a>(branch: &SchemaRef<'a>) -> Option<&'a str> {
    match branch {
        SchemaRef::Named(name) => Some(name),
        SchemaRef::All(all) => match all.as_slice() {
            [SchemaRef::Named(name)] => Some(name),
            _ => None,
        },
        SchemaRef::Inline(_) | SchemaRef::ListOf(_) => None,
    }
}

/// The variants of a union as they come.
#[derive(Default)]
struct Drafts {
    rust: Scope,
    proto: Scope,
    variants: Vec<UnionVariant>,
}

impl Drafts {
    fn add(&mut self, wanted: &str, tags: Vec<String>, ty: crate::plan::model::TypeId) {
        self.variants.push(UnionVariant {
            rust_name: names::variant_name(wanted, &mut self.rust),
            proto_name: names::proto_field_name(wanted, &mut self.proto),
            number: 0,
            tags,
            ty,
        });
    }
}

/// The kind of JSON value, if it is one; also the name of the variant that holds it.
fn json_kind(kind: &ShapeKind<'_>) -> Option<&'static str> {
    match kind {
        ShapeKind::Boolean => Some("Boolean"),
        ShapeKind::Decimal(decimal) if decimal.is_text => Some("String"),
        ShapeKind::Integer { .. } | ShapeKind::Number | ShapeKind::Decimal(_) => Some("Number"),
        ShapeKind::String { .. } => Some("String"),
        ShapeKind::Array { .. } => Some("Array"),
        ShapeKind::Object { .. } => Some("Object"),
        ShapeKind::Any | ShapeKind::OneOf(_) => None,
    }
}
