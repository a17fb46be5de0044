//! The attributes of fields and variants, and what the derives share.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::ParseStream;
use syn::{Attribute, Generics, Ident, Lifetime, LitInt, LitStr, Token, parenthesized};

/// The one attribute of this name.
pub(crate) fn attribute<'a>(attributes: &'a [Attribute], name: &str, at: &Ident) -> syn::Result<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.path().is_ident(name))
        .ok_or_else(|| syn::Error::new(at.span(), format!("`#[{name}(…)]` is missing")))
}

/// `#[field(…)]`.
#[derive(Default)]
pub(crate) struct FieldAttribute {
    pub(crate) number: Option<LitInt>,
    pub(crate) name: Option<LitStr>,
    pub(crate) required: bool,
    pub(crate) additional: bool,
    pub(crate) undeclared: bool,
}

impl FieldAttribute {
    pub(crate) fn parse(attribute: &Attribute) -> syn::Result<Self> {
        let mut parsed = Self::default();
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("number") {
                parsed.number = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("name") {
                parsed.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("required") {
                parsed.required = true;
            } else if meta.path.is_ident("additional") {
                parsed.additional = true;
            } else if meta.path.is_ident("undeclared") {
                parsed.undeclared = true;
            } else {
                return Err(meta.error("expected `number`, `name`, `required`, `additional` or `undeclared`"));
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

/// `#[branch(…)]`.
pub(crate) struct BranchAttribute {
    pub(crate) kind: Ident,
    pub(crate) number: LitInt,
    pub(crate) fields: bool,
    pub(crate) tags: Vec<LitStr>,
}

impl BranchAttribute {
    pub(crate) fn parse(attribute: &Attribute) -> syn::Result<Self> {
        attribute.parse_args_with(|input: ParseStream<'_>| {
            let kind = input.parse()?;
            let (mut number, mut fields, mut tags) = (None, false, Vec::new());
            while !input.is_empty() {
                input.parse::<Token![,]>()?;
                let key: Ident = input.parse()?;
                if key == "number" {
                    input.parse::<Token![=]>()?;
                    number = Some(input.parse()?);
                } else if key == "fields" {
                    fields = true;
                } else if key == "tags" {
                    let list;
                    parenthesized!(list in input);
                    tags =
                        list.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?.into_iter().collect();
                } else {
                    return Err(syn::Error::new(key.span(), "expected `number`, `fields` or `tags`"));
                }
            }
            let number = number.ok_or_else(|| input.error("`number` is missing"))?;
            Ok(Self { kind, number, fields, tags })
        })
    }
}

/// The lifetime of what is borrowed from the page, and the parameters of an `impl` for it.
pub(crate) fn lifetime(generics: &Generics) -> Lifetime {
    match generics.lifetimes().next() {
        Some(parameter) => parameter.lifetime.clone(),
        None => Lifetime::new("'page", proc_macro2::Span::call_site()),
    }
}

/// Where everything that generated code names is.
pub(crate) fn codegen() -> TokenStream {
    quote!(::headwater_runtime::codegen)
}

/// A JSON string (RFC 8259 section 7).
pub(crate) fn json_string(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if (c as u32) < 0x20 => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
