//! The Rust of a crate: facts, as types and as data. What happens with them is in the runtime.

mod connector;
mod hooks;
mod models;
mod operations;
mod path;
mod scope;

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use super::doc::Doc;
use super::{EmitError, FileSet, header};
use crate::plan::model::{ConnectorPlan, TypeId};
pub(super) use hooks::hooks;
pub use hooks::{HOOKS, Hook, Hooks};
use scope::Names;

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    let names = Names::of(plan);
    let types = each(plan, &plan.types, |index, ty| models::file(&names, TypeId(index), ty))?;
    let operations = each(plan, &plan.streams, |_, stream| Some(operations::file(&names, stream)))?;
    types.into_iter().chain(operations).try_for_each(|(path, text)| files.add(path, text))?;
    let others = [
        ("src/models/mod.rs", models::index(plan)),
        ("src/operations/mod.rs", operations::index(plan)),
        ("src/connector.rs", connector::file(plan)),
        ("src/lib.rs", lib(plan)),
        ("src/main.rs", main(plan)),
    ];
    others.into_iter().try_for_each(|(path, tokens)| files.add(path, format(path, tokens, plan)?))
}

/// The file of each of these, if it has one: its path and its text. What is most of the work is done on all processors.
fn each<T: Sync>(
    plan: &ConnectorPlan,
    items: &[T],
    file: impl Fn(usize, &T) -> Option<(String, TokenStream)> + Sync,
) -> Result<Vec<(String, String)>, EmitError> {
    let files = items.par_iter().enumerate().filter_map(|(index, item)| {
        let (path, tokens) = file(index, item)?;
        Some(format(&path, tokens, plan).map(|text| (path, text)))
    });
    files.collect()
}

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
            clippy::disallowed_names,
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
