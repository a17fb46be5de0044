//! `src/models`: one file per named type.

use proc_macro2::TokenStream;
use quote::quote;

use super::scope::{Scope, borrows};
use super::{Add, name, path};
use crate::emit::doc::Doc;
use crate::emit::markdown::code;
use crate::emit::{EmitError, avro_path, records};
use crate::plan::model::{
    ConnectorPlan, EnumType, Field, Scalar, StructType, Type, TypeId, TypeKind, TypeNames, UnionType,
};

pub(super) fn emit(plan: &ConnectorPlan, add: &mut Add<'_>) -> Result<(), EmitError> {
    let records = records(plan);
    let keys = path::enums_at_path_ends(plan);
    let mut all: Vec<&TypeNames> = Vec::new();
    for (index, ty) in plan.types.iter().enumerate() {
        let id = TypeId(index);
        let (names, tokens) = match &ty.kind {
            TypeKind::Struct(it) => {
                let schema = if records.contains(&id) { avro_path(plan, id) } else { None };
                (&it.names, structure(plan, id, ty, it, schema.as_deref()))
            }
            TypeKind::Enum(it) => (&it.names, enumeration(plan, ty, it, keys.contains(&id))),
            TypeKind::Union(it) => (&it.names, union(plan, id, ty, it)),
            TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Scalar(_) => continue,
        };
        add(&format!("src/models/{}.rs", file_stem(&names.module)), tokens)?;
        all.push(names);
    }
    all.sort_by(|a, b| a.module.cmp(&b.module));
    add("src/models/mod.rs", index(&all))
}

/// The file that a module is looked for in: a raw name without its sign.
pub(super) fn file_stem(module: &str) -> &str {
    module.strip_prefix("r#").unwrap_or(module)
}

fn index(all: &[&TypeNames]) -> TokenStream {
    let modules: Vec<_> = all.iter().map(|names| name(&names.module)).collect();
    let types = all.iter().map(|names| name(&names.rust));
    quote! {
        //! The types of the records.

        #(mod #modules;)*

        #(pub use self::#modules::#types;)*
    }
}

/// A record with fields. `schema` is the path of its Avro schema if it is the record of a stream.
fn structure(plan: &ConnectorPlan, id: TypeId, ty: &Type, it: &StructType, schema: Option<&str>) -> TokenStream {
    let mut scope = Scope::of_model(plan, &it.names.rust);
    let deserialize = scope.runtime("Deserialize");
    let doc = described(ty, "An object");
    let ident = name(&it.names.rust);
    let (parameters, anonymous, bound) = lifetimes(borrows(plan, id));
    let bound = bound.map(|bound| quote!(, bound(deserialize = #bound)));
    let fields: Vec<_> = it.fields.iter().map(|field| structure_field(&mut scope, field)).collect();
    let avro = scope.runtime("avro");
    let result = scope.encode_result();
    let writes = it.fields.iter().map(|field| {
        let (wire_name, ident) = (&field.wire_name, name(&field.rust_name));
        quote!(out.field(#wire_name, &self.#ident)?;)
    });
    let out = if it.fields.is_empty() { quote!(_) } else { quote!(out) };
    let record = schema.map(|schema| {
        let record = scope.runtime("Record");
        let path = format!("../../{schema}");
        quote! {
            impl #record for #ident #anonymous {
                const AVRO_SCHEMA: &'static str = include_str!(#path);
            }
        }
    });
    let imports = scope.imports();
    quote! {
        #imports

        #doc
        #[derive(Clone, Debug, PartialEq, #deserialize)]
        #[serde(crate = "headwater_runtime::codegen::serde" #bound)]
        pub struct #ident #parameters {
            #(#fields,)*
        }

        impl #avro::Encode for #ident #anonymous {
            fn encode(&self, #out: &mut #avro::Writer) -> #result {
                #(#writes)*
                Ok(())
            }
        }

        #record
    }
}

fn structure_field(scope: &mut Scope<'_>, field: &Field) -> TokenStream {
    let doc = Doc::described(field.doc.as_deref(), || {
        format!("The field {}, which the document does not describe.", code(&field.wire_name))
    })
    .outer();
    let (ident, wire_name) = (name(&field.rust_name), &field.wire_name);
    // serde itself takes the sign off a raw name.
    let rename = (file_stem(&field.rust_name) != field.wire_name).then(|| quote!(#[serde(rename = #wire_name)]));
    let ty = scope.element(field.element, field.boxed);
    quote!(#doc #rename pub #ident: #ty)
}

/// A string out of a list. `is_key` if a stream's key or offset ends in it.
fn enumeration(plan: &ConnectorPlan, ty: &Type, it: &EnumType, is_key: bool) -> TokenStream {
    let mut scope = Scope::of_model(plan, &it.names.rust);
    let (text, deserialize) = (scope.runtime("Text"), scope.runtime_trait("Deserialize"));
    let (deserializer, avro) = (scope.runtime("Deserializer"), scope.runtime("avro"));
    let (result, encode_result) = (scope.std("result", "Result"), scope.encode_result());
    let doc = described(ty, "A text out of a list");
    let ident = name(&it.names.rust);
    let variants: Vec<_> = it.values.iter().map(|value| name(&value.rust_name)).collect();
    let values: Vec<_> = it.values.iter().map(|value| value.wire_name.as_str()).collect();
    let docs = values.iter().map(|value| Doc::line(format!("The value {}.", code(value))).outer());
    let offset = is_key.then(|| {
        let (field, value) = (scope.runtime("OffsetField"), scope.runtime("OffsetValue"));
        let option = scope.option(&quote!(#value<'_>));
        quote! {
            impl #field for #ident<'_> {
                fn offset_value(&self) -> #option {
                    Some(#value::text(self.as_str()))
                }
            }
        }
    });
    let imports = scope.imports();
    quote! {
        #imports

        #doc
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum #ident<'page> {
            #(#docs #variants,)*
            /// A value that the document does not list.
            Unknown(#text<'page>),
        }

        impl #ident<'_> {
            /// The value as the API writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #values,)*
                    Self::Unknown(text) => text.as_str(),
                }
            }
        }

        impl<'de: 'page, 'page> #deserialize<'de> for #ident<'page> {
            fn deserialize<D: #deserializer<'de>>(deserializer: D) -> #result<Self, D::Error> {
                let text = #text::deserialize(deserializer)?;
                Ok(match text.as_str() {
                    #(#values => Self::#variants,)*
                    _ => Self::Unknown(text),
                })
            }
        }

        impl #avro::Encode for #ident<'_> {
            fn encode(&self, out: &mut #avro::Writer) -> #encode_result {
                out.blob(self.as_str().as_bytes());
                Ok(())
            }
        }

        #offset
    }
}

/// One of several types. Its Avro form is a union of them; where it is optional, `null` comes first.
fn union(plan: &ConnectorPlan, id: TypeId, ty: &Type, it: &UnionType) -> TokenStream {
    let mut scope = Scope::of_model(plan, &it.names.rust);
    let (json, kind, deserialize) =
        (scope.runtime("Json"), scope.runtime("JsonKind"), scope.runtime_trait("Deserialize"));
    let (deserializer, error) = (scope.runtime("Deserializer"), scope.runtime("DeserializeError"));
    let avro = scope.runtime("avro");
    let (result, encode_result) = (scope.std("result", "Result"), scope.encode_result());
    let doc = described(ty, "One of several types");
    let ident = name(&it.names.rust);
    let (parameters, anonymous, bound) = lifetimes(borrows(plan, id));
    // Without the bound a type that owns all it holds has one lifetime less.
    let generics = if bound.is_some() { quote!(<'de: 'page, 'page>) } else { quote!(<'de>) };
    let variants: Vec<_> = it.variants.iter().map(|variant| name(&variant.rust_name)).collect();
    let types: Vec<_> = it.variants.iter().map(|variant| scope.ty(variant.ty, &quote!('page))).collect();
    let shapes: Vec<_> = it.variants.iter().map(|variant| Shape::of(plan, variant.ty)).collect();
    let docs = shapes.iter().map(|shape| Doc::line(format!("The value is {}.", shape.noun)).outer());
    let kinds = shapes.iter().map(|shape| {
        let kinds = shape.kinds.iter().map(|kind| name(kind));
        quote!(#(#kind::#kinds)|*)
    });
    let nouns: Vec<_> = shapes.iter().map(|shape| shape.noun).collect();
    let expected = match nouns.split_last() {
        Some((last, others)) if !others.is_empty() => format!("expected {} or {last}", others.join(", ")),
        _ => format!("expected {}", nouns.join("")),
    };
    let branches = (0_i64..).zip(&variants).map(|(index, variant)| {
        let branch = match proc_macro2::Literal::i64_unsuffixed(index) {
            _ if index == 0 => quote!(first),
            index => quote!(first + #index),
        };
        quote! {
            Self::#variant(value) => {
                out.branch(#branch);
                #avro::Encode::encode(value, out)
            }
        }
    });
    let imports = scope.imports();
    quote! {
        #imports

        #doc
        #[derive(Clone, Debug, PartialEq)]
        pub enum #ident #parameters {
            #(#docs #variants(#types),)*
        }

        impl #generics #deserialize<'de> for #ident #parameters {
            fn deserialize<D: #deserializer<'de>>(deserializer: D) -> #result<Self, D::Error> {
                let json = #json::deserialize(deserializer)?;
                match json.kind() {
                    #(#kinds => json.decode().map(Self::#variants),)*
                    _ => Err(#error::custom(#expected)),
                }
            }
        }

        impl #ident #anonymous {
            fn encode_branch(&self, first: i64, out: &mut #avro::Writer) -> #encode_result {
                match self {
                    #(#branches)*
                }
            }
        }

        impl #avro::Encode for #ident #anonymous {
            fn encode(&self, out: &mut #avro::Writer) -> #encode_result {
                self.encode_branch(0, out)
            }

            fn encode_some(&self, out: &mut #avro::Writer) -> #encode_result {
                self.encode_branch(1, out)
            }
        }
    }
}

/// A union's branch as JSON.
struct Shape {
    kinds: &'static [&'static str],
    noun: &'static str,
}

impl Shape {
    fn of(plan: &ConnectorPlan, id: TypeId) -> Self {
        let (kinds, noun): (&[_], _) = match plan.types.get(id.0).map(|ty| &ty.kind) {
            Some(TypeKind::Struct(_) | TypeKind::Map(_)) => (&["Object"], "an object"),
            Some(TypeKind::List(_)) => (&["Array"], "an array"),
            Some(TypeKind::Enum(_)) => (&["String"], "a string"),
            Some(TypeKind::Scalar(Scalar::Boolean)) => (&["Boolean"], "a boolean"),
            Some(TypeKind::Scalar(Scalar::Int32 | Scalar::Int64)) => (&["Number"], "an integer"),
            Some(TypeKind::Scalar(Scalar::Float | Scalar::Double)) => (&["Number"], "a number"),
            Some(TypeKind::Scalar(
                Scalar::String | Scalar::Date | Scalar::DateTime | Scalar::Uuid | Scalar::Base64,
            )) => (&["String"], "a string"),
            Some(TypeKind::Scalar(Scalar::Json) | TypeKind::Union(_)) | None => {
                (&["Object", "Array", "Boolean", "Number", "String"], "of any kind")
            }
        };
        Self { kinds, noun }
    }
}

/// What a type that borrows is declared with, used with, and its bound on serde's lifetime.
fn lifetimes(borrows: bool) -> (Option<TokenStream>, Option<TokenStream>, Option<&'static str>) {
    if borrows { (Some(quote!(<'page>)), Some(quote!(<'_>)), Some("'de: 'page")) } else { (None, None, None) }
}

fn described(ty: &Type, what: &str) -> TokenStream {
    Doc::described(ty.doc.as_deref(), || format!("{what} that the document does not describe.")).outer()
}
