//! `#[derive(OpenEnum)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitStr};

use crate::attributes::{attribute, codegen, lifetime};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new(ident.span(), "only an enum is a list of texts"));
    };
    let (mut variants, mut values, mut unknown) = (Vec::new(), Vec::new(), None);
    for variant in &data.variants {
        match variant.fields {
            Fields::Unit => {
                values.push(attribute(&variant.attrs, "value", &variant.ident)?.parse_args::<LitStr>()?);
                variants.push(&variant.ident);
            }
            _ => unknown = Some(&variant.ident),
        }
    }
    let unknown = unknown.ok_or_else(|| syn::Error::new(ident.span(), "a variant for other texts is missing"))?;
    let codegen = codegen();
    let page = lifetime(&input.generics);
    let (_, parameters, _) = input.generics.split_for_impl();
    Ok(quote! {
        impl<#page> #ident #parameters {
            /// The value as the API writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #values,)*
                    Self::#unknown(text) => text.as_str(),
                }
            }

            fn of(text: #codegen::Text<#page>) -> Self {
                match text.as_str() {
                    #(#values => Self::#variants,)*
                    _ => Self::#unknown(text),
                }
            }
        }

        impl<#page> #codegen::serde::Deserialize<#page> for #ident #parameters {
            fn deserialize<D: #codegen::serde::Deserializer<#page>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                #codegen::serde::Deserialize::deserialize(deserializer).map(Self::of)
            }
        }

        impl<#page> #codegen::Value<#page> for #ident #parameters {
            fn tolerant(sent: #codegen::Json<#page>) -> #codegen::Reading<Self> {
                #codegen::Reading::map(#codegen::Value::tolerant(sent), Self::of)
            }

            fn encode<E: #codegen::Encoder>(&self, out: &mut E) {
                if let Self::#unknown(_) = self {
                    out.drifted();
                }
                out.text(self.as_str());
            }

            fn inspect(&self, inspection: &mut #codegen::Inspection<#page>) {
                if let Self::#unknown(_) = self {
                    inspection.unlisted();
                }
            }
        }

        impl<#page> #codegen::OffsetField for #ident #parameters {
            fn offset_value(&self) -> ::std::option::Option<#codegen::OffsetValue<'_>> {
                ::std::option::Option::Some(#codegen::OffsetValue::text(self.as_str()))
            }
        }
    })
}
