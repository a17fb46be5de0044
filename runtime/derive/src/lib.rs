//! The derives of generated record types. They write what is the same for every type, so that a generated file holds
//! only what its document says.
//!
//! Everything they name is in `headwater_runtime::codegen`.

mod attributes;
mod object;
mod open_enum;
mod union;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// An object with declared fields.
///
/// Each field is a `Field<'page, T>` with `#[field(number = 1)]`; further keys are `name = "…"`, where the API's name is
/// not the Rust name, and `required`. A field `#[field(additional, number = 2)]` is a `Map<'page, T>` of the fields whose
/// names are data; the last field, `#[field(undeclared)]`, is `Undeclared<'page>`.
#[proc_macro_derive(Object, attributes(field))]
pub fn object(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    object::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A text out of a list that may grow: variants with `#[value("…")]`, and one `Unknown(Text<'page>)`.
#[proc_macro_derive(OpenEnum, attributes(value))]
pub fn open_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    open_enum::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A value of one of several types.
///
/// Each variant holds one type and has `#[branch(Kind, number = 1)]`, `Kind` being a `JsonKind`; an object that declares
/// fields adds `fields`, and `tags("…")`, the discriminator's values that stand for it. `#[union(discriminator = "…")]`
/// names the discriminator.
#[proc_macro_derive(Union, attributes(union, branch))]
pub fn union(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    union::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
