//! `src/hooks.rs`: what the crate's user does with records. It is written once, and theirs from then on.

use proc_macro2::TokenStream;
use quote::quote;

use super::scope::{Names, Scope};
use super::{name, spaced};
use crate::emit::EmitError;
use crate::emit::doc::Doc;
use crate::emit::markdown::code;
use crate::plan::model::{ConnectorPlan, StreamPlan};

/// Path of the file, from the crate's root.
pub const HOOKS: &str = "src/hooks.rs";

/// What the file has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hooks {
    /// The file as it is begun: it compiles, and keeps every record.
    pub text: String,
    /// The functions that generated code calls, in the document's order.
    pub functions: Vec<Hook>,
}

/// A function that generated code calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// The operation whose records it is called with.
    pub operation_id: String,
    /// What it is declared as.
    pub signature: String,
}

/// What `src/hooks.rs` has to hold; `None` if there is no need of it.
pub(in crate::emit) fn hooks(plan: &ConnectorPlan) -> Result<Option<Hooks>, EmitError> {
    let names = Names::of(plan);
    let mut scope = Scope::of_operation(&names, "");
    let verdict = scope.runtime("Verdict");
    let (mut functions, mut all) = (Vec::new(), Vec::new());
    for stream in plan.streams.iter().filter(|stream| stream.is_hooked) {
        let (signature, function) = function(&mut scope, stream, &verdict);
        functions.push(Hook {
            name: stream.module.trim_start_matches("r#").to_owned(),
            operation_id: stream.operation_id.clone(),
            signature: shown(&signature)?,
        });
        all.push(function);
    }
    if all.is_empty() {
        return Ok(None);
    }
    let imports = scope.imports();
    let file = quote! {
        //! What is done with the records before they are written. This file was begun by `headwater generate`, which never
        //! touches it again: it is yours. `headwater_runtime::hook` has what records are made of.

        #imports

        #(#all)*
    };
    let file = syn::parse2(file).map_err(not_rust)?;
    // Whoever writes here has no need of the module that is made for generated code.
    let text = spaced(file).replace("headwater_runtime::codegen", "headwater_runtime::hook");
    // As rustfmt leaves it, which this file is not kept from.
    let text = text.replace(";\nuse crate::", ";\n\nuse crate::");
    Ok(Some(Hooks { text, functions }))
}

fn function(scope: &mut Scope<'_>, stream: &StreamPlan, verdict: &TokenStream) -> (TokenStream, TokenStream) {
    let (ident, record) = (name(&stream.module), scope.ty(stream.record, &quote!('_)));
    let doc =
        Doc::line(format!("Each record of {}, which can be changed here, or left out.", code(&stream.operation_id)));
    let (doc, signature) = (doc.outer(), quote!(pub fn #ident(record: &mut #record) -> #verdict));
    let function = quote! {
        #doc
        #signature {
            let _ = record;
            #verdict::Keep
        }
    };
    (signature, function)
}

/// A signature as it is written in a file.
fn shown(signature: &TokenStream) -> Result<String, EmitError> {
    let file = syn::parse2(quote!(#signature {})).map_err(not_rust)?;
    Ok(prettyplease::unparse(&file).trim_end().trim_end_matches("{}").trim_end().to_owned())
}

fn not_rust(source: syn::Error) -> EmitError {
    EmitError::Rust { path: HOOKS.to_owned(), source }
}
