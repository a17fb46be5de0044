//! The type of a stream's records: always a struct, if only for what the document does not declare.

use super::{FieldNames, Lowered, Types, field as unnamed};
use crate::plan::model::{Element, Scalar, StructType, TypeId, TypeKind, UnionType};
use crate::plan::schema::SchemaRef;

impl<'a> Types<'a> {
    /// The record type of a schema; one without a name of its own is called `wanted`. Records of several types become
    /// one with the fields of all: a topic's readers want one schema. One that the document does not describe has no fields.
    pub(in crate::plan) fn record(&mut self, schema: SchemaRef<'a>, wanted: &str) -> TypeId {
        let has_no_fields = self.schemas.has_no_fields(&schema) || self.schemas.is_one_of_several(&schema);
        let Lowered { ty: id, doc, .. } = self.lower(schema, wanted);
        let merged = match self.kind(id) {
            Some(TypeKind::Struct(_)) => Some(id),
            Some(TypeKind::Union(union)) => {
                let union = union.clone();
                self.one_of_all(&union, id)
            }
            _ => None,
        };
        match merged {
            Some(record) => record,
            None if has_no_fields => {
                let structure = FieldNames::default().structure(wanted, Vec::new(), None);
                self.add(doc, TypeKind::Struct(structure))
            }
            None => id,
        }
    }

    /// A struct with the fields of all branches, if they are structs.
    fn one_of_all(&mut self, union: &UnionType, id: TypeId) -> Option<TypeId> {
        let branches: Vec<StructType> = union
            .variants
            .iter()
            .map(|variant| match self.kind(variant.ty) {
                Some(TypeKind::Struct(branch)) => Some(branch.clone()),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let mut fields: Vec<crate::plan::model::Field> = Vec::new();
        for field in branches.iter().flat_map(|branch| &branch.fields) {
            match fields.iter().position(|known| known.wire_name == field.wire_name) {
                Some(index) => {
                    let known = fields.get(index).map_or(field.element, |known| known.element);
                    let element = self.either(known, field.element);
                    if let Some(known) = fields.get_mut(index) {
                        known.element = element;
                    }
                }
                None => fields.push(unnamed(&field.wire_name, field.doc.as_deref(), field.element)),
            }
        }
        for field in &mut fields {
            let is_in = |branch: &StructType| branch.fields.iter().any(|it| it.wire_name == field.wire_name);
            field.element.optional |= !branches.iter().all(is_in);
        }
        let mut names = FieldNames::default();
        names.give(&mut fields);
        let structure = names.structure(&union.names.rust, fields, None);
        let doc = self.types.get(id.0).and_then(|ty| ty.doc.clone());
        Some(self.add(doc.as_deref(), TypeKind::Struct(structure)))
    }

    /// What takes the values of both.
    fn either(&mut self, left: Element, right: Element) -> Element {
        let optional = left.optional || right.optional;
        let ty = if left.ty == right.ty {
            left.ty
        } else if self.is_text(left.ty) && self.is_text(right.ty) {
            self.scalar(Scalar::String)
        } else {
            self.scalar(Scalar::Json)
        };
        Element { ty, optional }
    }

    fn is_text(&self, id: TypeId) -> bool {
        matches!(self.kind(id), Some(TypeKind::Enum(_) | TypeKind::Scalar(Scalar::String)))
    }
}
