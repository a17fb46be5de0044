//! `src/models`: one file per named type.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::name;
use super::scope::{Names, Scope, borrows};
use crate::emit::doc::Doc;
use crate::emit::{Language, schema_path};
use crate::plan::model::{
    ConnectorPlan, EnumType, Field, Scalar, StructType, Type, TypeId, TypeKind, TypeNames, UnionType, UnionVariant,
};

/// The file of a type, if it has one: its path and what is in it.
pub(super) fn file(crate_names: &Names<'_>, id: TypeId, ty: &Type) -> Option<(String, TokenStream)> {
    let names = names(&ty.kind)?;
    let tokens = match &ty.kind {
        TypeKind::Struct(it) => structure(crate_names, id, ty, it),
        TypeKind::Enum(it) => enumeration(crate_names, ty, it),
        TypeKind::Union(it) => union(crate_names, id, ty, it),
        TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Scalar(_) => return None,
    };
    Some((format!("src/models/{}.rs", file_stem(&names.module)), tokens))
}

/// The names of a type that has a file.
fn names(kind: &TypeKind) -> Option<&TypeNames> {
    match kind {
        TypeKind::Struct(it) => Some(&it.names),
        TypeKind::Enum(it) => Some(&it.names),
        TypeKind::Union(it) => Some(&it.names),
        TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Scalar(_) => None,
    }
}

/// The file that a module is looked for in: a raw name without its sign.
pub(super) fn file_stem(module: &str) -> &str {
    module.strip_prefix("r#").unwrap_or(module)
}

/// `src/models/mod.rs`.
pub(super) fn index(plan: &ConnectorPlan) -> TokenStream {
    let mut all: Vec<&TypeNames> = plan.types.iter().filter_map(|ty| names(&ty.kind)).collect();
    all.sort_by(|a, b| a.module.cmp(&b.module));
    let modules: Vec<_> = all.iter().map(|names| name(&names.module)).collect();
    let types = all.iter().map(|names| name(&names.rust));
    quote! {
        //! The types of the records.

        #(mod #modules;)*

        #(pub use self::#modules::#types;)*
    }
}

/// An object with fields; the record of a stream has schemas besides.
fn structure(names: &Names<'_>, id: TypeId, ty: &Type, it: &StructType) -> TokenStream {
    let plan = names.plan;
    let record = plan.streams.iter().any(|stream| stream.record == id).then_some(id);
    let mut scope = Scope::of_model(names, &it.names.rust);
    let derives = derives(&mut scope, "Object", true);
    let doc = described(ty, "An object");
    let ident = name(&it.names.rust);
    let mut fields: Vec<_> = it.fields.iter().map(|field| structure_field(&mut scope, field)).collect();
    if let Some(additional) = &it.additional {
        let (ident, number) = (name(&additional.rust_name), Literal::u32_unsuffixed(additional.number));
        let (map, element) = (scope.runtime("Map"), scope.element(additional.element));
        let doc = Doc::line("The fields whose names are data.").outer();
        fields.push(quote!(#doc #[field(additional, number = #number)] pub #ident: #map<'page, #element>));
    }
    let undeclared = name(&it.undeclared);
    let undeclared_type = scope.runtime("Undeclared");
    let undeclared_doc = Doc::line("What the document does not declare.").outer();
    fields.push(quote!(#undeclared_doc #[field(undeclared)] pub #undeclared: #undeclared_type<'page>));
    let record = record.map(|id| {
        let record = scope.runtime("Record");
        let constants =
            [("AVRO_SCHEMA", Language::Avro), ("PROTOBUF_SCHEMA", Language::Protobuf), ("JSON_SCHEMA", Language::Json)];
        let constants = constants.map(|(constant, language)| {
            let (constant, path) = (name(constant), schema_path(plan, id, language).unwrap_or_default());
            let path = format!("../../{path}");
            quote!(const #constant: &'static str = include_str!(#path);)
        });
        quote! {
            impl<'page> #record<'page> for #ident<'page> {
                #(#constants)*
            }
        }
    });
    let imports = scope.imports();
    quote! {
        #imports

        #doc
        #derives
        pub struct #ident<'page> {
            #(#fields,)*
        }

        #record
    }
}

fn structure_field(scope: &mut Scope<'_>, field: &Field) -> TokenStream {
    let doc = Doc::optional(field.doc.as_deref()).outer();
    let (ident, wire_name) = (name(&field.rust_name), &field.wire_name);
    let number = Literal::u32_unsuffixed(field.number);
    // The derive itself takes the sign off a raw name.
    let rename = (file_stem(&field.rust_name) != field.wire_name).then(|| quote!(, name = #wire_name));
    let required = (!field.element.optional).then(|| quote!(, required));
    let ty = scope.field(field.element.ty, field.boxed);
    quote!(#doc #[field(number = #number #rename #required)] pub #ident: #ty)
}

/// A string out of a list.
fn enumeration(names: &Names<'_>, ty: &Type, it: &EnumType) -> TokenStream {
    let mut scope = Scope::of_model(names, &it.names.rust);
    let derives = derives(&mut scope, "OpenEnum", false);
    let text = scope.runtime("Text");
    let doc = described(ty, "A text out of a list");
    let ident = name(&it.names.rust);
    let variants = it.values.iter().map(|value| {
        let (ident, wire_name) = (name(&value.rust_name), &value.wire_name);
        quote!(#[value(#wire_name)] #ident)
    });
    let variants: Vec<_> = variants.collect();
    let imports = scope.imports();
    quote! {
        #imports

        #doc
        #derives
        pub enum #ident<'page> {
            #(#variants,)*
            /// A value that the document does not list.
            Unknown(#text<'page>),
        }
    }
}

/// One of several types.
fn union(names: &Names<'_>, id: TypeId, ty: &Type, it: &UnionType) -> TokenStream {
    let plan = names.plan;
    let mut scope = Scope::of_model(names, &it.names.rust);
    let derives = derives(&mut scope, "Union", false);
    let doc = described(ty, "One of several types");
    let ident = name(&it.names.rust);
    let parameters = borrows(plan, id).then(|| quote!(<'page>));
    let discriminator = it.discriminator.as_ref().map(|name| quote!(#[union(discriminator = #name)]));
    let variants: Vec<_> = it.variants.iter().map(|variant| branch(plan, &mut scope, variant)).collect();
    let imports = scope.imports();
    quote! {
        #imports

        #doc
        #derives
        #discriminator
        pub enum #ident #parameters {
            #(#variants,)*
        }
    }
}

fn branch(plan: &ConnectorPlan, scope: &mut Scope<'_>, variant: &UnionVariant) -> TokenStream {
    let ident = name(&variant.rust_name);
    let number = Literal::u32_unsuffixed(variant.number);
    let kind = plan.types.get(variant.ty.0).map(|ty| &ty.kind);
    let json_kind = name(match kind {
        Some(TypeKind::Struct(_) | TypeKind::Map(_)) => "Object",
        Some(TypeKind::List(_)) => "Array",
        Some(TypeKind::Scalar(Scalar::Boolean)) => "Boolean",
        Some(TypeKind::Scalar(Scalar::Decimal(decimal))) if decimal.is_text => "String",
        Some(TypeKind::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::Number | Scalar::Decimal(_))) => "Number",
        _ => "String",
    });
    let fields = matches!(kind, Some(TypeKind::Struct(_))).then(|| quote!(, fields));
    let tags = (!variant.tags.is_empty()).then(|| {
        let tags = &variant.tags;
        quote!(, tags(#(#tags),*))
    });
    let ty = scope.ty(variant.ty, &quote!('page));
    quote!(#[branch(#json_kind, number = #number #fields #tags)] #ident(#ty))
}

/// What every type can do, and the derive that makes it what it is.
fn derives(scope: &mut Scope<'_>, own: &'static str, has_default: bool) -> TokenStream {
    let default = has_default.then(|| quote!(Default,));
    let own = scope.runtime(own);
    quote!(#[derive(Clone, Debug, #default PartialEq, #own)])
}

fn described(ty: &Type, what: &str) -> TokenStream {
    Doc::described(ty.doc.as_deref(), || format!("{what} that the document does not describe.")).outer()
}
