//! What one file names, and so imports.
//!
//! A document may call its schemas `Record`, `Text` or `Option`. A name of the runtime or the standard library that a
//! type of the plan takes is written out as a path instead of being imported.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::name;
use crate::plan::model::{ConnectorPlan, DecimalFacts, Element, Scalar, TypeId, TypeKind};

/// A crate, with the names that its types take.
pub(super) struct Names<'plan> {
    pub(super) plan: &'plan ConnectorPlan,
    taken: BTreeSet<&'plan str>,
}

impl<'plan> Names<'plan> {
    pub(super) fn of(plan: &'plan ConnectorPlan) -> Self {
        Self { plan, taken: plan.types.iter().filter_map(|ty| rust_name(&ty.kind)).collect() }
    }
}

/// The names of one file.
pub(super) struct Scope<'plan> {
    pub(super) plan: &'plan ConnectorPlan,
    /// The type that the file defines.
    own: &'plan str,
    /// Whether the file stands among the models.
    is_model: bool,
    /// Names taken by types of the plan.
    taken: &'plan BTreeSet<&'plan str>,
    runtime: BTreeSet<&'static str>,
    anonymous_traits: BTreeSet<&'static str>,
    models: BTreeSet<&'plan str>,
}

impl<'plan> Scope<'plan> {
    /// The scope of a file of `models`, which defines `own`.
    pub(super) fn of_model(names: &'plan Names<'plan>, own: &'plan str) -> Self {
        Self::new(names, own, true)
    }

    /// The scope of a file of `operations`, which defines `own`.
    pub(super) fn of_operation(names: &'plan Names<'plan>, own: &'plan str) -> Self {
        Self::new(names, own, false)
    }

    fn new(names: &'plan Names<'plan>, own: &'plan str, is_model: bool) -> Self {
        Self {
            plan: names.plan,
            own,
            is_model,
            taken: &names.taken,
            runtime: BTreeSet::new(),
            anonymous_traits: BTreeSet::new(),
            models: BTreeSet::new(),
        }
    }

    fn is_taken(&self, item: &str) -> bool {
        item == self.own || self.taken.contains(item)
    }

    /// A name of the runtime's `codegen` module.
    pub(super) fn runtime(&mut self, item: &'static str) -> TokenStream {
        let ident = name(item);
        if self.is_taken(item) {
            quote!(headwater_runtime::codegen::#ident)
        } else {
            self.runtime.insert(item);
            ident
        }
    }

    /// A trait of the runtime's `codegen` module whose methods the file calls.
    pub(super) fn runtime_trait(&mut self, item: &'static str) -> TokenStream {
        if self.is_taken(item) {
            self.anonymous_traits.insert(item);
        }
        self.runtime(item)
    }

    /// A name of the standard prelude; `path` is where it comes from.
    pub(super) fn std(&self, path: &'static str, item: &'static str) -> TokenStream {
        let ident = name(item);
        if !self.is_taken(item) {
            return ident;
        }
        let path = path.split("::").map(name);
        quote!(std::#(#path::)*#ident)
    }

    /// `Option<inner>`.
    pub(super) fn option(&self, inner: &TokenStream) -> TokenStream {
        let option = self.std("option", "Option");
        quote!(#option<#inner>)
    }

    /// The type of a field, which may hold anything or nothing.
    pub(super) fn field(&mut self, ty: TypeId, boxed: bool) -> TokenStream {
        let mut ty = self.ty(ty, &quote!('page));
        if boxed {
            let pointer = self.std("boxed", "Box");
            ty = quote!(#pointer<#ty>);
        }
        let field = self.runtime("Field");
        quote!(#field<'page, #ty>)
    }

    /// The type of a place in a list or a map, with the lifetime `'page` where it borrows.
    pub(super) fn element(&mut self, element: Element) -> TokenStream {
        let ty = self.ty(element.ty, &quote!('page));
        if element.optional { self.option(&ty) } else { ty }
    }

    /// A type; `lifetime` is what it is given where it borrows.
    pub(super) fn ty(&mut self, id: TypeId, lifetime: &TokenStream) -> TokenStream {
        let Some(ty) = self.plan.types.get(id.0) else { return quote!(!) };
        match &ty.kind {
            TypeKind::Scalar(scalar) => self.scalar(*scalar, lifetime),
            TypeKind::List(item) => {
                let (list, item) = (self.std("vec", "Vec"), self.element(*item));
                quote!(#list<#item>)
            }
            TypeKind::Map(value) => {
                let (map, value) = (self.runtime("Map"), self.element(*value));
                quote!(#map<#lifetime, #value>)
            }
            TypeKind::Struct(_) | TypeKind::Enum(_) | TypeKind::Union(_) => {
                let path = self.model(rust_name(&ty.kind).unwrap_or_default());
                if borrows(self.plan, id) { quote!(#path<#lifetime>) } else { path }
            }
        }
    }

    fn model(&mut self, model: &'plan str) -> TokenStream {
        let ident = name(model);
        match (model == self.own, self.is_model) {
            (true, true) => ident,
            (true, false) => quote!(crate::models::#ident),
            (false, _) => {
                self.models.insert(model);
                ident
            }
        }
    }

    fn scalar(&mut self, scalar: Scalar, lifetime: &TokenStream) -> TokenStream {
        let borrowed = match scalar {
            Scalar::Boolean => return quote!(bool),
            Scalar::Int32 => return quote!(i32),
            Scalar::Int64 => return quote!(i64),
            Scalar::Number => "Number",
            Scalar::Decimal(DecimalFacts { precision, scale, is_text }) => {
                let ty = self.runtime(if is_text { "Decimal" } else { "DecimalNumber" });
                let (precision, scale) = (Literal::u32_unsuffixed(precision), Literal::u32_unsuffixed(scale));
                return quote!(#ty<#lifetime, #precision, #scale>);
            }
            Scalar::String => "Text",
            Scalar::Date => "Date",
            Scalar::DateTime => "DateTime",
            Scalar::Uuid => "Uuid",
            Scalar::Base64 => "Base64",
            Scalar::Json => "Json",
        };
        let ty = self.runtime(borrowed);
        quote!(#ty<#lifetime>)
    }

    /// The `use` declarations of all that was asked for.
    pub(super) fn imports(&self) -> TokenStream {
        let runtime = self.runtime.iter().map(|item| name(item));
        let anonymous = self.anonymous_traits.iter().map(|item| name(item)).map(|item| quote!(#item as _));
        let items: Vec<_> = runtime.chain(anonymous).collect();
        let runtime = (!items.is_empty()).then(|| quote!(use headwater_runtime::codegen::{#(#items),*};));
        let models: Vec<_> = self.models.iter().map(|model| name(model)).collect();
        let place = if self.is_model { quote!(super) } else { quote!(crate::models) };
        let models = (!models.is_empty()).then(|| quote!(use #place::{#(#models),*};));
        quote!(#runtime #models)
    }
}

/// The Rust name of a type that has one.
pub(super) fn rust_name(kind: &TypeKind) -> Option<&str> {
    match kind {
        TypeKind::Struct(it) => Some(&it.names.rust),
        TypeKind::Enum(it) => Some(&it.names.rust),
        TypeKind::Union(it) => Some(&it.names.rust),
        TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Scalar(_) => None,
    }
}

/// Whether a named type has the lifetime `'page`. Records and enums always have, for what is not declared.
pub(super) fn borrows(plan: &ConnectorPlan, id: TypeId) -> bool {
    plan.types.get(id.0).is_some_and(|ty| ty.borrows || matches!(ty.kind, TypeKind::Struct(_) | TypeKind::Enum(_)))
}
