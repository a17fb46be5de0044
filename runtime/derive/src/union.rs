//! `#[derive(Union)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitStr, Type};

use crate::attributes::{BranchAttribute, attribute, codegen, lifetime};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let Data::Enum(data) = &input.data else { return Err(syn::Error::new(ident.span(), "only an enum is a union")) };
    let codegen = codegen();
    let page = lifetime(&input.generics);
    let (_, parameters, _) = input.generics.split_for_impl();
    let (mut variants, mut facts) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let parsed = BranchAttribute::parse(attribute(&variant.attrs, "branch", &variant.ident)?)?;
        let BranchAttribute { kind, number, fields, tags } = parsed;
        let ty = only_type(&variant.fields)
            .ok_or_else(|| syn::Error::new(variant.ident.span(), "a branch holds one type"))?;
        let fields = if fields { quote!(<#ty as #codegen::Object<#page>>::FIELDS) } else { quote!(&[]) };
        facts.push(quote!(#codegen::BranchFacts {
            kind: #codegen::JsonKind::#kind,
            number: #number,
            tags: &[#(#tags),*],
            fields: #fields,
        }));
        variants.push(&variant.ident);
    }
    let discriminator = match discriminator(input)? {
        Some(name) => quote!(::std::option::Option::Some(#name)),
        None => quote!(::std::option::Option::None),
    };
    let indexes: Vec<_> = (0..variants.len()).collect();
    Ok(quote! {
        impl<#page> #ident #parameters {
            const BRANCHES: &'static [#codegen::BranchFacts] = &[#(#facts),*];
        }

        impl<#page> #codegen::serde::Deserialize<#page> for #ident #parameters {
            fn deserialize<D: #codegen::serde::Deserializer<#page>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let sent: #codegen::Json<#page> = #codegen::serde::Deserialize::deserialize(deserializer)?;
                match #codegen::choose(sent, #discriminator, Self::BRANCHES) {
                    #(::std::option::Option::Some(#indexes) => sent.decode().map(Self::#variants),)*
                    _ => ::std::result::Result::Err(#codegen::serde::de::Error::custom("the value is of no branch")),
                }
            }
        }

        impl<#page> #codegen::Value<#page> for #ident #parameters {
            const IS_UNION: bool = true;

            fn tolerant(sent: #codegen::Json<#page>) -> #codegen::Reading<Self> {
                match #codegen::choose(sent, #discriminator, Self::BRANCHES) {
                    #(::std::option::Option::Some(#indexes) => {
                        #codegen::Reading::map(#codegen::Value::tolerant(sent), Self::#variants)
                    })*
                    _ => #codegen::Reading::Misfit,
                }
            }

            fn encode<E: #codegen::Encoder>(&self, out: &mut E) {
                match self {
                    #(Self::#variants(value) => out.branch(#indexes, &Self::BRANCHES[#indexes], value),)*
                }
            }

            fn inspect(&self, inspection: &mut #codegen::Inspection<#page>) {
                match self {
                    #(Self::#variants(value) => #codegen::Value::inspect(value, inspection),)*
                }
            }
        }
    })
}

fn only_type(fields: &Fields) -> Option<&Type> {
    match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| &field.ty),
        _ => None,
    }
}

/// The name in `#[union(discriminator = "…")]`.
fn discriminator(input: &DeriveInput) -> syn::Result<Option<LitStr>> {
    let mut name = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("union")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("discriminator") {
                return Err(meta.error("expected `discriminator`"));
            }
            name = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    Ok(name)
}
