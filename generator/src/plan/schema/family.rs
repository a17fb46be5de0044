//! Schemas that others are made of, and that say which of them a value is: a `discriminator` without `oneOf` (OAS 3.0.3
//! section 4.7.25.1, "Models with Polymorphism Support").

use std::collections::BTreeSet;

use openapiv3::{Discriminator, ReferenceOr, Schema, SchemaKind};

use super::{SchemaRef, Schemas, ShapeKind, named};

impl<'a> Schemas<'a> {
    /// The discriminator of the component `name` and the components that it tells apart: those that are `allOf` it, directly
    /// or by way of others, and those that it maps to. `None` if there are none of it.
    pub(in crate::plan) fn heirs(&self, name: &str) -> Option<(&'a Discriminator, Vec<&'a str>)> {
        let Some(ReferenceOr::Item(schema)) = self.component(name) else { return None };
        let discriminator = schema.schema_data.discriminator.as_ref()?;
        let is_union = match &schema.schema_kind {
            SchemaKind::OneOf { .. } | SchemaKind::AnyOf { .. } => true,
            SchemaKind::Any(any) => !any.one_of.is_empty() || !any.any_of.is_empty(),
            _ => false,
        };
        if is_union {
            return None;
        }
        let components = &self.api.components.as_ref()?.schemas;
        let mapped = discriminator.mapping.values().filter_map(|target| target.rsplit('/').next());
        let mapped: BTreeSet<&str> = mapped.collect();
        let mut family = BTreeSet::from([name]);
        loop {
            let known = family.len();
            let made_of = |schema: &'a ReferenceOr<Schema>| parts(schema).any(|part| family.contains(part));
            let heirs = components.iter().filter(|(_, schema)| made_of(schema)).map(|(heir, _)| heir.as_str());
            let heirs: Vec<&str> = heirs.collect();
            family.extend(heirs);
            if family.len() == known {
                break;
            }
        }
        let is_heir = |heir: &&str| {
            (family.contains(heir) || mapped.contains(heir)) && *heir != name && self.adds_fields(heir, name)
        };
        let heirs: Vec<&str> = components.keys().map(String::as_str).filter(is_heir).collect();
        (!heirs.is_empty()).then_some((discriminator, heirs))
    }

    /// Whether it is an object with fields, and not only another name of the component `base`.
    fn adds_fields(&self, heir: &'a str, base: &str) -> bool {
        let followed = self.follow(SchemaRef::Named(heir)).schema;
        !matches!(followed, SchemaRef::Named(name) if name == base || name != heir)
            && matches!(self.shape(&followed).kind, ShapeKind::Object { properties, .. } if !properties.is_empty())
    }
}

/// The components that a schema is `allOf`.
fn parts(schema: &ReferenceOr<Schema>) -> impl Iterator<Item = &str> {
    let all_of = match schema {
        ReferenceOr::Item(Schema { schema_kind: SchemaKind::AllOf { all_of }, .. }) => all_of.as_slice(),
        ReferenceOr::Item(Schema { schema_kind: SchemaKind::Any(any), .. }) => any.all_of.as_slice(),
        _ => &[],
    };
    all_of.iter().filter_map(|part| match part {
        ReferenceOr::Reference { reference } => match named(reference) {
            Some(SchemaRef::Named(name)) => Some(name),
            _ => None,
        },
        ReferenceOr::Item(_) => None,
    })
}
