//! Unions: one of several types.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use openapiv3::Discriminator;

use super::{DEEPEST, Types, scalar_of, wanted_names};
use crate::plan::model::{Scalar, TypeKind, UnionType, UnionVariant};
use crate::plan::names::{self, Scope};
use crate::plan::schema::{SchemaRef, ShapeKind};

/// The branches of a union, those of branches that are unions themselves in their place.
#[derive(Default)]
struct Leaves<'a> {
    schemas: Vec<SchemaRef<'a>>,
    discriminators: Vec<&'a Discriminator>,
}

impl<'a> Types<'a> {
    /// One of several types: told apart by the kind of JSON value, objects by a discriminator or their fields. What
    /// cannot be told apart is kept as JSON.
    pub(super) fn union_of(
        &mut self,
        wanted: &str,
        branches: Vec<SchemaRef<'a>>,
        discriminator: Option<&'a Discriminator>,
    ) -> TypeKind {
        let mut leaves = Leaves::default();
        leaves.discriminators.extend(discriminator);
        self.collect(branches, &mut leaves, 0);
        let mut by_kind: IndexMap<&'static str, Vec<SchemaRef<'a>>> = IndexMap::new();
        for leaf in leaves.schemas {
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
                    let Some(tags) = self.objects(wanted, &branches, &leaves.discriminators, &mut drafts) else {
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

    /// Adds several objects, and returns the name of the field that tells which is which. `None`: they cannot be told
    /// apart, because one of them takes any field.
    fn objects(
        &mut self,
        wanted: &str,
        branches: &[SchemaRef<'a>],
        discriminators: &[&'a Discriminator],
        drafts: &mut Drafts,
    ) -> Option<Option<String>> {
        let shapes: Vec<_> = branches.iter().map(|branch| self.shape(branch)).collect();
        let has_fields =
            |shape: &ShapeKind<'_>| matches!(shape, ShapeKind::Object { properties, .. } if !properties.is_empty());
        if !shapes.iter().all(has_fields) {
            return None;
        }
        let property = match discriminators.first() {
            Some(discriminator) => Some(discriminator.property_name.as_str()),
            None => self.constant_property(&shapes),
        };
        for (branch, shape) in branches.iter().zip(&shapes) {
            let tags = property.map(|property| self.tags(property, branch, shape, discriminators)).unwrap_or_default();
            let wanted_variant = match (branch, tags.first()) {
                (SchemaRef::Named(name), _) => names::type_name(name),
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
    fn tags(
        &self,
        property: &str,
        branch: &SchemaRef<'a>,
        shape: &ShapeKind<'a>,
        discriminators: &[&'a Discriminator],
    ) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        if let SchemaRef::Named(name) = branch {
            let mappings = discriminators.iter().filter(|it| it.property_name == property).flat_map(|it| &it.mapping);
            let targets = |target: &str| target.rsplit('/').next() == Some(name);
            tags.extend(mappings.filter(|(_, target)| targets(target)).map(|(tag, _)| tag.clone()));
            if tags.is_empty() && !discriminators.is_empty() {
                tags.push((*name).to_owned());
            }
        }
        for value in self.listed(shape, property) {
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
            let shape = self.schemas.shape(&branch);
            match shape.kind {
                ShapeKind::OneOf(inner) if depth < DEEPEST => {
                    into.discriminators.extend(shape.discriminator);
                    self.collect(inner, into, depth + 1);
                }
                _ => into.schemas.push(self.schemas.follow(branch).schema),
            }
        }
    }

    fn wider(&self, numbers: &[SchemaRef<'a>]) -> Scalar {
        let is_integer = |schema| matches!(self.shape(schema), ShapeKind::Integer { .. });
        if numbers.iter().all(is_integer) { Scalar::Int64 } else { Scalar::Number }
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
        ShapeKind::Integer { .. } | ShapeKind::Number => Some("Number"),
        ShapeKind::String { .. } => Some("String"),
        ShapeKind::Array { .. } => Some("Array"),
        ShapeKind::Object { .. } => Some("Object"),
        ShapeKind::Any | ShapeKind::OneOf(_) => None,
    }
}
