//! Ways from a record to one of its fields, as expressions.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::name;
use crate::plan::model::{ConnectorPlan, FieldPath, FieldStep, StreamPlan, StructType, TypeId, TypeKind};

/// How the end of a path is used.
pub(super) struct Use {
    /// What an optional field on the way is unwrapped with: takes a closure of what it holds.
    pub(super) through: TokenStream,
    /// The method call on the last field.
    pub(super) call: TokenStream,
    /// Whether the method is also one of the last field's `Option`.
    pub(super) takes_option: bool,
}

/// The field that `path` leads to from `record`, used.
pub(super) fn expression(record: TokenStream, path: &FieldPath, usage: &Use) -> TokenStream {
    step(record, &path.steps, usage)
}

fn step(mut place: TokenStream, steps: &[FieldStep], usage: &Use) -> TokenStream {
    let (through, call) = (&usage.through, &usage.call);
    for (index, step) in steps.iter().enumerate() {
        let field = name(&step.rust_name);
        place = quote!(#place.#field);
        let rest = steps.get(index + 1..).unwrap_or_default();
        if step.optional && !(rest.is_empty() && usage.takes_option) {
            let inner = self::step(quote!(value), rest, usage);
            return quote!(#place.as_ref().#through(|value| #inner));
        }
    }
    quote!(#place.#call)
}

/// The enums that a stream's key or offset ends in.
pub(super) fn enums_at_path_ends(plan: &ConnectorPlan) -> BTreeSet<TypeId> {
    let paths = plan.streams.iter().flat_map(|stream| {
        let offset = stream.offset.as_ref().map(|offset| &offset.field);
        stream.key.iter().chain(offset).map(move |path| (stream, path))
    });
    paths.filter_map(|(stream, path)| enum_at_end(plan, stream, path)).collect()
}

fn enum_at_end(plan: &ConnectorPlan, stream: &StreamPlan, path: &FieldPath) -> Option<TypeId> {
    let end = path.steps.iter().try_fold(stream.record, |at, step| {
        let fields = &structure(plan, at)?.fields;
        fields.iter().find(|field| field.rust_name == step.rust_name).map(|field| field.element.ty)
    })?;
    matches!(plan.types.get(end.0)?.kind, TypeKind::Enum(_)).then_some(end)
}

fn structure(plan: &ConnectorPlan, id: TypeId) -> Option<&StructType> {
    match &plan.types.get(id.0)?.kind {
        TypeKind::Struct(it) => Some(it),
        _ => None,
    }
}
