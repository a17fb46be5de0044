//! `#[derive(Object)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, LitInt};

use crate::attributes::{FieldAttribute, attribute, codegen, json_string, lifetime};

/// A declared field.
struct Declared {
    ident: Ident,
    name: String,
    number: LitInt,
    required: bool,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let whole = &input.ident;
    let wrong = |message: &str| syn::Error::new(whole.span(), message);
    let Data::Struct(data) = &input.data else { return Err(wrong("only a struct is an object")) };
    let Fields::Named(fields) = &data.fields else { return Err(wrong("an object has named fields")) };
    let (mut declared, mut additional, mut undeclared) = (Vec::new(), None, None);
    for field in &fields.named {
        let Some(ident) = field.ident.clone() else { continue };
        let parsed = FieldAttribute::parse(attribute(&field.attrs, "field", &ident)?)?;
        if parsed.undeclared {
            undeclared = Some(ident);
            continue;
        }
        let name = parsed.name.map_or_else(|| ident.unraw().to_string(), |name| name.value());
        let number = parsed.number.ok_or_else(|| syn::Error::new(ident.span(), "`number` is missing"))?;
        let field = Declared { ident, name, number, required: parsed.required };
        if parsed.additional {
            additional = Some(field);
        } else {
            declared.push(field);
        }
    }
    let undeclared = undeclared.ok_or_else(|| wrong("a field `#[field(undeclared)]` is missing"))?;
    Ok(implement(input, &declared, additional.as_ref(), &undeclared))
}

fn implement(
    input: &DeriveInput,
    declared: &[Declared],
    additional: Option<&Declared>,
    undeclared: &Ident,
) -> TokenStream {
    let codegen = codegen();
    let ident = &input.ident;
    let page = lifetime(&input.generics);
    let (_, parameters, _) = input.generics.split_for_impl();
    let names: Vec<_> = declared.iter().map(|field| &field.name).collect();
    let idents: Vec<_> = declared.iter().map(|field| &field.ident).collect();
    let indexes: Vec<_> = (0..declared.len()).collect();
    let facts = declared.iter().map(|field| facts(&codegen, field));
    let (set_other, visit_other) = match additional {
        Some(field) => {
            let (ident, facts) = (&field.ident, facts_of_additional(&codegen, field));
            (
                quote!(sent.into_additional(name, &mut self.#ident)),
                quote!(visitor.visit_additional(&#facts, &self.#ident);),
            )
        }
        None => (quote!(::std::result::Result::Ok(false)), TokenStream::new()),
    };
    quote! {
        impl<#page> ::headwater_runtime::codegen::serde::Deserialize<#page> for #ident #parameters {
            fn deserialize<D: #codegen::serde::Deserializer<#page>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                #codegen::decode_object(deserializer)
            }
        }

        impl<#page> #codegen::Value<#page> for #ident #parameters {
            fn tolerant(sent: #codegen::Json<#page>) -> #codegen::Reading<Self> {
                #codegen::tolerate_object(sent)
            }

            fn encode<E: #codegen::Encoder>(&self, out: &mut E) {
                out.object(self);
            }

            fn inspect(&self, inspection: &mut #codegen::Inspection<#page>) {
                #codegen::inspect_object(self, inspection);
            }
        }

        impl<#page> #codegen::Object<#page> for #ident #parameters {
            const FIELDS: &'static [#codegen::FieldFacts] = &[#(#facts),*];

            fn set<S: #codegen::Sent<#page>>(
                &mut self,
                name: &#codegen::Text<#page>,
                sent: S,
            ) -> ::std::result::Result<bool, S::Error> {
                match name.as_str() {
                    #(#names => sent.into_field(&mut self.#idents),)*
                    _ => #set_other,
                }
            }

            fn undeclared(&self) -> &#codegen::Undeclared<#page> {
                &self.#undeclared
            }

            fn undeclared_mut(&mut self) -> &mut #codegen::Undeclared<#page> {
                &mut self.#undeclared
            }

            fn visit<V: #codegen::FieldVisitor<#page>>(&self, visitor: &mut V) {
                #(visitor.visit_field(&Self::FIELDS[#indexes], &self.#idents);)*
                #visit_other
            }
        }
    }
}

fn facts(codegen: &TokenStream, field: &Declared) -> TokenStream {
    let Declared { name, number, required, .. } = field;
    let json = format!("{}:", json_string(name));
    quote!(#codegen::FieldFacts { name: #name, json: #json, number: #number, required: #required })
}

fn facts_of_additional(codegen: &TokenStream, field: &Declared) -> TokenStream {
    let number = &field.number;
    quote!(#codegen::FieldFacts { name: "", json: "", number: #number, required: false })
}
