//! Places within a value, by its schema.

use openapiv3::{ReferenceOr, SchemaKind, Type};
use serde_json::Value;

use super::{SchemaRef, Schemas, ShapeKind};
use crate::document::pointer;

/// What a JSON Pointer into a value leads to, by its schema.
pub(in crate::plan) enum Located<'a> {
    /// This.
    Found {
        schema: SchemaRef<'a>,
        /// Whether every value must have something there.
        required: bool,
    },
    /// Nothing: the object at `parent` has other properties.
    Missing { parent: String, segment: String, names: Vec<&'a str> },
    /// Into something that the document does not describe.
    Free,
}

impl<'a> Schemas<'a> {
    /// What `path` leads to in a value of `schema`.
    pub(in crate::plan) fn locate(&self, schema: &SchemaRef<'a>, path: &str) -> Located<'a> {
        let mut at = schema.clone();
        let mut required = true;
        let mut parent = String::new();
        for segment in pointer::segments(path) {
            match self.shape(&at).kind {
                ShapeKind::Object { properties, additional, .. } => {
                    match (properties.get(segment.as_ref()), additional) {
                        (Some(property), _) => {
                            required &= property.required;
                            at = property.schema.clone();
                        }
                        (None, Some(additional)) => {
                            required = false;
                            at = additional;
                        }
                        (None, None) if properties.is_empty() => return Located::Free,
                        (None, None) => {
                            let names = properties.into_keys().collect();
                            return Located::Missing { parent, segment: segment.into_owned(), names };
                        }
                    }
                }
                ShapeKind::Any | ShapeKind::OneOf(_) => return Located::Free,
                _ => return Located::Missing { parent, segment: segment.into_owned(), names: Vec::new() },
            }
            let followed = self.follow(at.clone());
            required &= !(followed.nullable || self.shape(&followed.schema).nullable);
            parent = pointer::join(&parent, &segment);
        }
        Located::Found { schema: at, required }
    }

    /// `default` and `minimum` of a schema.
    pub(in crate::plan) fn default_and_minimum(&self, schema: &SchemaRef<'a>) -> (Option<Value>, Option<i64>) {
        let schema = match self.follow(schema.clone()).schema {
            SchemaRef::Inline(schema) => schema,
            SchemaRef::Named(name) => match self.component(name) {
                Some(ReferenceOr::Item(schema)) => schema,
                _ => return (None, None),
            },
            SchemaRef::All(_) | SchemaRef::ListOf(_) => return (None, None),
        };
        let minimum = match &schema.schema_kind {
            SchemaKind::Type(Type::Integer(integer)) => integer.minimum,
            _ => None,
        };
        (schema.schema_data.default.clone(), minimum)
    }
}
