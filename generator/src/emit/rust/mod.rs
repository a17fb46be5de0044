//! The Rust of a crate: facts, as types and as data. What happens with them is in the runtime.

mod connector;
mod hooks;
mod models;
mod operations;
mod path;
mod scope;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::doc::Doc;
use super::{EmitError, FileSet, header};
use crate::plan::model::ConnectorPlan;
pub(super) use hooks::hooks;
pub use hooks::{HOOKS, Hook, Hooks};

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    let mut add = |path: &str, tokens: TokenStream| {
        let text = format(path, tokens, plan)?;
        files.add(path, text)
    };
    models::emit(plan, &mut add)?;
    operations::emit(plan, &mut add)?;
    add("src/connector.rs", connector::file(plan))?;
    add("src/lib.rs", lib(plan))?;
    add("src/main.rs", main(plan))
}

/// Takes a finished file.
type Add<'a> = dyn FnMut(&str, TokenStream) -> Result<(), EmitError> + 'a;

/// Tokens as a source file. The header comes last, because the formatter keeps no plain comments.
fn format(path: &str, tokens: TokenStream, plan: &ConnectorPlan) -> Result<String, EmitError> {
    let not_rust = |source| EmitError::Rust { path: path.to_owned(), source };
    let file: syn::File = syn::parse2(tokens).map_err(not_rust)?;
    let text = format!("// {}\n\n{}", header(&plan.document), spaced(file));
    syn::parse_file(&text).map_err(not_rust)?;
    Ok(text)
}

/// A file as text, with the empty lines between items that the formatter does not make.
fn spaced(mut file: syn::File) -> String {
    let items = std::mem::take(&mut file.items);
    let mut text = prettyplease::unparse(&file);
    file.attrs.clear();
    let mut previous = None;
    for item in items {
        let kind = match item {
            syn::Item::Use(_) | syn::Item::Mod(_) => Some(std::mem::discriminant(&item)),
            _ => None,
        };
        if !text.is_empty() && (kind.is_none() || kind != previous) {
            text.push('\n');
        }
        previous = kind;
        file.items = vec![item];
        text.push_str(&prettyplease::unparse(&file));
    }
    // At this depth these are the functions of an `impl`.
    text.replace("\n    }\n    ", "\n    }\n\n    ").replace(";\n    fn ", ";\n\n    fn ")
}

/// A name of the plan. What is no identifier becomes a literal, which no parser takes for a name.
fn name(name: &str) -> TokenStream {
    match syn::parse_str::<syn::Ident>(name) {
        Ok(ident) => quote!(#ident),
        Err(_) => TokenStream::from(proc_macro2::TokenTree::from(Literal::string(name))),
    }
}

/// The modules are kept from rustfmt: whoever formats a workspace that holds the crate would change what was generated.
fn lib(plan: &ConnectorPlan) -> TokenStream {
    let doc = Doc::described(Some(&plan.document.title), || format!("The connector `{}`.", plan.name))
        .and_described(plan.document.description.as_deref())
        .inner();
    let hooks = plan.streams.iter().any(|stream| stream.is_hooked).then(|| {
        quote!(
            mod hooks;
        )
    });
    quote! {
        #doc
        #![forbid(unsafe_code)]
        #![allow(
            clippy::approx_constant,
            clippy::large_enum_variant,
            clippy::module_inception,
            clippy::should_implement_trait,
            clippy::too_many_arguments,
            reason = "names, values and shapes are those of the API"
        )]

        #[rustfmt::skip]
        mod connector;
        #hooks
        #[rustfmt::skip]
        pub mod models;
        #[rustfmt::skip]
        pub mod operations;

        pub use connector::connector;
    }
}

fn main(plan: &ConnectorPlan) -> TokenStream {
    let krate = name(&plan.name.replace('-', "_"));
    quote! {
        //! Runs the connector: see `README.md`.

        fn main() -> std::process::ExitCode {
            headwater_runtime::cli::main(#krate::connector())
        }
    }
}
