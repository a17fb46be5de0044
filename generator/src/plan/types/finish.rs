//! The arena, finished: only what the records reach, in a stable order, named, boxed where a type holds itself.

use std::collections::{BTreeMap, BTreeSet};

use super::Types;
use crate::plan::model::{Scalar, Type, TypeId, TypeKind, TypeNames};
use crate::plan::names::{self, Items};

/// The types that emission sees, and where the records are among them.
pub(in crate::plan) struct Finished {
    pub(in crate::plan) types: Vec<Type>,
    /// New ids, by the order of the records given.
    pub(in crate::plan) records: Vec<TypeId>,
}

impl Types<'_> {
    /// Keeps what `records`, each with the id of its operation, reach.
    pub(in crate::plan) fn finish(mut self, records: &[(&str, TypeId)], items: &mut Items) -> Finished {
        self.cut_endless();
        let old: Vec<TypeId> = records.iter().map(|(_, record)| *record).collect();
        self.cut_deep(&old);
        let order = reach(&self.types, &old, ids);
        let places: BTreeMap<TypeId, TypeId> = order.iter().enumerate().map(|(new, old)| (*old, TypeId(new))).collect();
        let place = |id: TypeId| places.get(&id).copied().unwrap_or(id);
        let mut types: Vec<Type> = Vec::with_capacity(order.len());
        for old in &order {
            let Some(ty) = self.types.get(old.0) else { continue };
            let mut ty = ty.clone();
            each_id(&mut ty.kind, &mut |id| *id = place(*id));
            types.push(ty);
        }
        let records: Vec<(&str, TypeId)> = records.iter().map(|(id, record)| (*id, place(*record))).collect();
        let components = self.components.iter().filter_map(|(name, old)| Some((*name, *places.get(old)?))).collect();
        name(&mut types, components, &records, items);
        mark_boxed(&mut types);
        mark_borrowing(&mut types);
        Finished { types, records: records.into_iter().map(|(_, record)| record).collect() }
    }

    /// Makes JSON of lists, maps and unions that contain themselves without a struct between: they have no name in Avro
    /// to refer to themselves by.
    fn cut_endless(&mut self) {
        for index in 0..self.types.len() {
            let mut seen = BTreeSet::new();
            let mut next = vec![TypeId(index)];
            let mut is_endless = false;
            while let Some(id) = next.pop() {
                let Some(ty) = self.types.get(id.0) else { continue };
                if matches!(ty.kind, TypeKind::Struct(_)) {
                    continue;
                }
                for child in ids(&ty.kind) {
                    is_endless |= child.0 == index;
                    if seen.insert(child) {
                        next.push(child);
                    }
                }
            }
            if let (true, Some(ty)) = (is_endless, self.types.get_mut(index)) {
                ty.kind = TypeKind::Scalar(Scalar::Json);
            }
        }
    }
}

/// How deep the JSON of an Avro schema may be. A named type is written out where it first stands, so that a chain of types
/// is as deep as it is long; parsers give up at 128.
const DEEPEST_SCHEMA: usize = 116;

impl Types<'_> {
    /// Makes JSON of records that would stand too deep in the schema of one of `records`.
    fn cut_deep(&mut self, records: &[TypeId]) {
        for record in records {
            while let Some(TypeId(deep)) = self.too_deep(*record, 0, &mut BTreeSet::new()) {
                if let Some(ty) = self.types.get_mut(deep) {
                    ty.kind = TypeKind::Scalar(Scalar::Json);
                }
            }
        }
    }

    /// The first record that would be written out deeper than it may be.
    fn too_deep(&self, id: TypeId, depth: usize, written: &mut BTreeSet<TypeId>) -> Option<TypeId> {
        let kind = self.kind(id)?;
        // Object, list of fields, field and union; object and union.
        let levels = match kind {
            TypeKind::Struct(_) if depth + 4 > DEEPEST_SCHEMA => return Some(id),
            TypeKind::Struct(_) if !written.insert(id) => return None,
            TypeKind::Struct(_) => 4,
            TypeKind::Union(_) => 1,
            TypeKind::List(_) | TypeKind::Map(_) => 2,
            TypeKind::Enum(_) | TypeKind::Scalar(_) => return None,
        };
        ids(kind).into_iter().find_map(|inner| self.too_deep(inner, depth + levels, written))
    }
}

/// The types that a type is made of.
fn ids(kind: &TypeKind) -> Vec<TypeId> {
    match kind {
        TypeKind::Struct(ty) => {
            let additional = ty.additional.as_ref().map(|additional| additional.element.ty);
            ty.fields.iter().map(|field| field.element.ty).chain(additional).collect()
        }
        TypeKind::Union(ty) => ty.variants.iter().map(|variant| variant.ty).collect(),
        TypeKind::List(element) | TypeKind::Map(element) => vec![element.ty],
        TypeKind::Enum(_) | TypeKind::Scalar(_) => Vec::new(),
    }
}

fn each_id(kind: &mut TypeKind, change: &mut dyn FnMut(&mut TypeId)) {
    match kind {
        TypeKind::Struct(ty) => {
            ty.fields.iter_mut().for_each(|field| change(&mut field.element.ty));
            ty.additional.iter_mut().for_each(|additional| change(&mut additional.element.ty));
        }
        TypeKind::Union(ty) => ty.variants.iter_mut().for_each(|variant| change(&mut variant.ty)),
        TypeKind::List(element) | TypeKind::Map(element) => change(&mut element.ty),
        TypeKind::Enum(_) | TypeKind::Scalar(_) => {}
    }
}

/// The same, in an order that is not that of the fields.
fn ids_by_name(kind: &TypeKind) -> Vec<TypeId> {
    let TypeKind::Struct(ty) = kind else { return ids(kind) };
    let mut fields: Vec<_> = ty.fields.iter().collect();
    fields.sort_by(|left, right| left.wire_name.cmp(&right.wire_name));
    let additional = ty.additional.as_ref().map(|additional| additional.element.ty);
    fields.into_iter().map(|field| field.element.ty).chain(additional).collect()
}

/// Parents before children, these in the order of `ids`.
fn reach(types: &[Type], records: &[TypeId], ids: fn(&TypeKind) -> Vec<TypeId>) -> Vec<TypeId> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    let mut next: Vec<TypeId> = records.iter().rev().copied().collect();
    while let Some(id) = next.pop() {
        if seen.insert(id) {
            order.push(id);
            next.extend(types.get(id.0).map(|ty| ids(&ty.kind)).unwrap_or_default().into_iter().rev());
        }
    }
    order
}

/// Names the types, whatever their order is. Components have their names before types that are named after where they stand,
/// and of these, records that are described before others.
fn name(types: &mut [Type], mut components: Vec<(&str, TypeId)>, records: &[(&str, TypeId)], items: &mut Items) {
    components.sort_by_key(|(name, _)| (names::type_name(name) != *name, *name));
    let mut records = records.to_vec();
    records.sort_by_cached_key(|(id, record)| {
        let kind = types.get_mut(record.0).map(|ty| &mut ty.kind);
        let is_undescribed = matches!(&kind, Some(TypeKind::Struct(it)) if it.is_undescribed());
        (is_undescribed, kind.and_then(names_of).map(|names| names.rust.clone()), *id)
    });
    let records: Vec<TypeId> = records.into_iter().map(|(_, record)| record).collect();
    let inner = reach(types, &records, ids_by_name);
    let mut named = BTreeSet::new();
    for id in components.into_iter().map(|(_, id)| id).chain(inner) {
        let names = types.get_mut(id.0).and_then(|ty| names_of(&mut ty.kind));
        if let Some(names) = names.filter(|_| named.insert(id)) {
            let item = items.of_type(&names.rust);
            *names = TypeNames { avro: item.rust.clone(), rust: item.rust, module: item.module };
        }
    }
}

fn names_of(kind: &mut TypeKind) -> Option<&mut TypeNames> {
    match kind {
        TypeKind::Struct(ty) => Some(&mut ty.names),
        TypeKind::Enum(ty) => Some(&mut ty.names),
        TypeKind::Union(ty) => Some(&mut ty.names),
        TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Scalar(_) => None,
    }
}

/// A field is boxed if its value could hold a value of the struct that the field is in, with no list or map between.
fn mark_boxed(types: &mut [Type]) {
    let mut boxed = Vec::new();
    for (index, ty) in types.iter().enumerate() {
        let TypeKind::Struct(ty) = &ty.kind else { continue };
        for (field_index, field) in ty.fields.iter().enumerate() {
            if holds(types, field.element.ty, TypeId(index)) {
                boxed.push((index, field_index));
            }
        }
    }
    for (index, field_index) in boxed {
        if let Some(Type { kind: TypeKind::Struct(ty), .. }) = types.get_mut(index)
            && let Some(field) = ty.fields.get_mut(field_index)
        {
            field.boxed = true;
        }
    }
}

fn holds(types: &[Type], outer: TypeId, inner: TypeId) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![outer];
    while let Some(id) = next.pop() {
        if id == inner {
            return true;
        }
        if !seen.insert(id) {
            continue;
        }
        if let Some(Type { kind: kind @ (TypeKind::Struct(_) | TypeKind::Union(_)), .. }) = types.get(id.0) {
            next.extend(ids(kind));
        }
    }
    false
}

/// A type borrows if anything in it does, however deep.
fn mark_borrowing(types: &mut [Type]) {
    loop {
        let borrows: Vec<bool> = types
            .iter()
            .map(|ty| match &ty.kind {
                TypeKind::Scalar(Scalar::Boolean | Scalar::Int32 | Scalar::Int64) => false,
                TypeKind::Scalar(_) | TypeKind::Struct(_) | TypeKind::Enum(_) | TypeKind::Map(_) => true,
                kind => ids(kind).iter().any(|id| types.get(id.0).is_some_and(|ty| ty.borrows)),
            })
            .collect();
        let is_settled = types.iter().zip(&borrows).all(|(ty, borrows)| ty.borrows == *borrows);
        for (ty, borrows) in types.iter_mut().zip(borrows) {
            ty.borrows = borrows;
        }
        if is_settled {
            return;
        }
    }
}
