//! A program that sends one request of each builder of a generated crate, with every parameter that a value can be made
//! up for.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use syn::{Expr, FnArg, ImplItem, Item, Lit, Pat};

use super::crates::{Generated, files};
use super::examples::Examples;
use crate::HarnessError;

/// A generated request builder.
struct Builder {
    /// Its Rust name.
    name: String,
    /// The template of its path.
    path: String,
    /// What `new` takes.
    arguments: Vec<Argument>,
    /// Its setters.
    setters: Vec<Argument>,
    /// Parameters' names in the API, by their fields.
    wire_names: Vec<(String, String)>,
}

/// A parameter of a builder: its Rust name and type, as text.
struct Argument {
    name: String,
    ty: String,
}

/// The text of the program, and how many requests it sends. It takes the base URL as its argument and writes a line for
/// each request: the operation's path, and what came of it.
///
/// # Errors
///
/// If a file of the crate cannot be read, or is not as expected.
pub fn program(generated: &Generated, package: &str, examples: &Examples) -> Result<(String, usize), HarnessError> {
    let mut calls = String::new();
    let mut count = 0;
    for file in files(&generated.folder.join("src/operations"))? {
        let Some(builder) = builder(&file)? else { continue };
        let Some(made) = builder.call(examples) else { continue };
        let headers: Vec<_> = examples
            .credentials(&builder.path)
            .iter()
            .map(|(name, value)| format!("({name:?}.to_owned(), Secret::new({value:?}))"))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            calls,
            "    send({:?}, &base, vec![{}], operations::{made}.request()).await;",
            builder.path,
            headers.join(", ")
        );
        count += 1;
    }
    let library = package.replace('-', "_");
    let text = format!(
        "use {library}::operations;\n\
         use headwater_runtime::codegen::TypedOperation as _;\n\
         use headwater_runtime::http::{{Client, ClientSettings, Request}};\n\
         use headwater_runtime::secret::Secret;\n\n\
         #[tokio::main(flavor = \"current_thread\")]\n\
         async fn main() {{\n    let base = std::env::args().nth(1).unwrap();\n{calls}}}\n\n\
         async fn send(path: &str, base: &str, headers: Vec<(String, Secret)>, request: Request) {{\n    \
             let settings = ClientSettings {{ headers, ..ClientSettings::new(base.parse().unwrap()) }};\n    \
             match Client::new(settings).unwrap().send(&request).await {{\n        \
                 Ok(response) => println!(\"{{path}}: {{}}\", response.status),\n        \
                 Err(error) => println!(\"{{path}}: {{error}}\"),\n    \
             }}\n}}\n"
    );
    Ok((text, count))
}

impl Builder {
    /// The expression that makes it, with all its parameters. `None` if a required one has no value.
    fn call(&self, examples: &Examples) -> Option<String> {
        let value = |argument: &Argument| {
            let (_, wire_name) = self.wire_names.iter().find(|(field, _)| *field == argument.name)?;
            literal(&examples.parameter(&self.path, wire_name)?, &argument.ty)
        };
        let arguments: Option<Vec<String>> = self.arguments.iter().map(value).collect();
        let mut call = format!("{}::new({})", self.name, arguments?.join(", "));
        for setter in &self.setters {
            if let Some(value) = value(setter) {
                let _ = write!(call, ".{}({value})", setter.name);
            }
        }
        Some(call)
    }
}

/// A value as an argument of this type.
fn literal(value: &Value, ty: &str) -> Option<String> {
    if ty.contains("IntoIterator") {
        let item = ty.split_once("Item = ").map_or("", |(_, item)| item);
        let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let items: Option<Vec<String>> = items.iter().map(|value| literal(value, item)).collect();
        return Some(format!("[{}]", items?.join(", ")));
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match ty.trim_end_matches([' ', '>']) {
        "i32" | "i64" => text.parse::<i64>().ok().map(|number| number.to_string()),
        "f32" | "f64" => text.parse::<f64>().ok().map(|number| format!("{number:?}")),
        "bool" => text.parse::<bool>().ok().map(|truth| truth.to_string()),
        _ => Some(format!("{text:?}")),
    }
}

/// The builder in a file of operations.
fn builder(file: &Path) -> Result<Option<Builder>, HarnessError> {
    let failed = |error: &dyn std::fmt::Display| HarnessError::Setup(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    let parsed = syn::parse_file(&text).map_err(|error| failed(&error))?;
    let Some(name) = parsed.items.iter().find_map(|item| match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        _ => None,
    }) else {
        return Ok(None);
    };
    let mut builder =
        Builder { name, path: String::new(), arguments: Vec::new(), setters: Vec::new(), wire_names: Vec::new() };
    for item in &parsed.items {
        let Item::Impl(item) = item else { continue };
        for method in &item.items {
            let ImplItem::Fn(method) = method else { continue };
            let name = method.sig.ident.to_string();
            if item.trait_.is_some() {
                if let ("request", [syn::Stmt::Expr(body, None)]) = (name.as_str(), method.block.stmts.as_slice()) {
                    builder.read_request(body);
                }
                continue;
            }
            let arguments = method.sig.inputs.iter().filter_map(|input| match input {
                FnArg::Typed(input) => Some((&*input.pat, &*input.ty)),
                FnArg::Receiver(_) => None,
            });
            let arguments = arguments.filter_map(|(pattern, ty)| match pattern {
                Pat::Ident(ident) => Some(Argument { name: ident.ident.to_string(), ty: text_of(ty) }),
                _ => None,
            });
            match name.as_str() {
                "new" => builder.arguments = arguments.collect(),
                _ => builder.setters.extend(arguments),
            }
        }
    }
    Ok(Some(builder))
}

impl Builder {
    /// Reads `Request::get("/path").path("name", &self.field)…` from its end to its beginning.
    fn read_request(&mut self, expression: &Expr) {
        match expression {
            Expr::MethodCall(call) => {
                let mut arguments = call.args.iter();
                if let (Some(Expr::Lit(name)), Some(Expr::Reference(field))) = (arguments.next(), arguments.next())
                    && let (Lit::Str(name), Expr::Field(field)) = (&name.lit, &*field.expr)
                    && let syn::Member::Named(field) = &field.member
                {
                    self.wire_names.push((field.to_string(), name.value()));
                }
                self.read_request(&call.receiver);
            }
            Expr::Call(call) => {
                if let Some(Expr::Lit(path)) = call.args.first()
                    && let Lit::Str(path) = &path.lit
                {
                    self.path = path.value();
                }
            }
            _ => {}
        }
    }
}

fn text_of(ty: &syn::Type) -> String {
    quote::ToTokens::to_token_stream(ty).to_string()
}
