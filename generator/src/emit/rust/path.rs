//! Ways from a record to one of its fields, as expressions.

use proc_macro2::TokenStream;
use quote::quote;

use super::name;
use crate::plan::model::{FieldPath, FieldStep};

/// How the end of a path is used.
pub(super) struct Use {
    /// What a field on the way is unwrapped with: takes a closure of what it holds.
    pub(super) through: TokenStream,
    /// The method call on the last field.
    pub(super) call: TokenStream,
}

/// The field that `path` leads to from `record`, used.
pub(super) fn expression(record: &TokenStream, path: &FieldPath, usage: &Use) -> TokenStream {
    step(record, &path.steps, usage)
}

fn step(place: &TokenStream, steps: &[FieldStep], usage: &Use) -> TokenStream {
    let (through, call) = (&usage.through, &usage.call);
    let Some((first, rest)) = steps.split_first() else { return quote!(#place.#call) };
    let field = name(&first.rust_name);
    if rest.is_empty() {
        return quote!(#place.#field.#call);
    }
    let inner = step(&quote!(value), rest, usage);
    quote!(#place.#field.get().#through(|value| #inner))
}
