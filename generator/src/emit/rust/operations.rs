//! `src/operations`: one file per stream, with its request builder and its facts.

use proc_macro2::TokenStream;
use quote::quote;

use super::models::file_stem;
use super::name;
use super::path::{self, Use};
use super::scope::{Names, Scope};
use crate::emit::doc::Doc;
use crate::emit::markdown::code;
use crate::plan::model::{
    BodyPlan, ConnectorPlan, FoundIn, OffsetMode, OffsetPlan, PaginationPlan, ParameterLocation, ParameterPlan,
    ParameterScalar, ParameterStyle, ParameterType, StreamPlan, StyleKind, TokenIn, TokenPlace, Until,
};

/// The file of a stream: its path and what is in it.
pub(super) fn file(names: &Names<'_>, stream: &StreamPlan) -> (String, TokenStream) {
    let mut scope = Scope::of_operation(names, &stream.rust_name);
    let builder = builder(&mut scope, stream);
    let operation = operation(&mut scope, stream);
    let imports = scope.imports();
    (format!("src/operations/{}.rs", file_stem(&stream.module)), quote!(#imports #builder #operation))
}

/// `src/operations/mod.rs`.
pub(super) fn index(plan: &ConnectorPlan) -> TokenStream {
    let mut streams: Vec<_> = plan.streams.iter().collect();
    streams.sort_by(|a, b| a.module.cmp(&b.module));
    let modules: Vec<_> = streams.iter().map(|stream| name(&stream.module)).collect();
    let types = streams.iter().map(|stream| name(&stream.rust_name));
    quote! {
        //! The operations that are read as streams.

        #(mod #modules;)*

        #(pub use self::#modules::#types;)*
    }
}

/// The operation with its parameters: those that a request needs are arguments of `new`, each other one has a method.
fn builder(scope: &mut Scope<'_>, stream: &StreamPlan) -> TokenStream {
    let ident = name(&stream.rust_name);
    let call = code(&format!("{} {}", stream.method, stream.path));
    let doc = match (stream.summary.as_deref(), stream.description.as_deref()) {
        (None, None) => Doc::line(call),
        (Some(summary), description) => {
            Doc::described(Some(summary), || "An operation.".to_owned()).and_described(description).and_line(call)
        }
        (None, description) => Doc::described(description, || "An operation.".to_owned()).and_line(call),
    }
    .outer();
    let (required, optional): (Vec<_>, Vec<_>) = stream.parameters.iter().partition(|parameter| parameter.required);
    let fields = stream.parameters.iter().map(|parameter| {
        let (field, ty) = (name(&parameter.rust_name), field_type(scope, parameter));
        quote!(#field: #ty)
    });
    let fields: Vec<_> = fields.collect();
    let setters: Vec<_> = optional.iter().map(|parameter| setter(scope, parameter)).collect();
    let (default, new) = if required.is_empty() {
        let new = quote! {
            /// The operation without parameters.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }
        };
        (Some(quote!(, Default)), new)
    } else {
        (None, constructor(scope, &required, &optional))
    };
    quote! {
        #doc
        #[derive(Clone, Debug #default)]
        pub struct #ident {
            #(#fields,)*
        }

        impl #ident {
            #new
            #(#setters)*
        }
    }
}

fn constructor(scope: &Scope<'_>, required: &[&ParameterPlan], optional: &[&ParameterPlan]) -> TokenStream {
    let mut doc = Doc::line("The operation with the parameters that every request needs.");
    for parameter in required {
        doc = doc.and_item(&code(&parameter.wire_name), parameter.doc.as_deref());
    }
    let doc = doc.outer();
    let arguments = required.iter().map(|parameter| {
        let (ident, ty) = (name(&parameter.rust_name), argument_type(scope, parameter.ty));
        quote!(#ident: #ty)
    });
    let values = required.iter().map(|parameter| {
        let (ident, value) = (name(&parameter.rust_name), converted(parameter));
        if value.to_string() == ident.to_string() { ident } else { quote!(#ident: #value) }
    });
    let none = optional.iter().map(|parameter| {
        let ident = name(&parameter.rust_name);
        match parameter.ty {
            ParameterType::One(_) => quote!(#ident: None),
            ParameterType::List { .. } | ParameterType::Object => {
                let list = scope.std("vec", "Vec");
                quote!(#ident: #list::new())
            }
        }
    });
    quote! {
        #doc
        #[must_use]
        pub fn new(#(#arguments),*) -> Self {
            Self { #(#values,)* #(#none,)* }
        }
    }
}

fn setter(scope: &Scope<'_>, parameter: &ParameterPlan) -> TokenStream {
    let ident = name(&parameter.rust_name);
    let doc = Doc::described(parameter.doc.as_deref(), || {
        let place = parameter.location.word();
        format!("The {place} parameter {}, which the document does not describe.", code(&parameter.wire_name))
    })
    .outer();
    let (ty, value) = (argument_type(scope, parameter.ty), converted(parameter));
    let value = match parameter.ty {
        ParameterType::One(_) => quote!(Some(#value)),
        ParameterType::List { .. } | ParameterType::Object => value,
    };
    quote! {
        #doc
        #[must_use]
        pub fn #ident(mut self, #ident: #ty) -> Self {
            self.#ident = #value;
            self
        }
    }
}

fn field_type(scope: &Scope<'_>, parameter: &ParameterPlan) -> TokenStream {
    match parameter.ty {
        ParameterType::One(scalar) if parameter.required => scalar_type(scope, scalar),
        ParameterType::One(scalar) => scope.option(&scalar_type(scope, scalar)),
        ParameterType::List { item } => {
            let (list, item) = (scope.std("vec", "Vec"), scalar_type(scope, item));
            quote!(#list<#item>)
        }
        ParameterType::Object => {
            let (list, text) = (scope.std("vec", "Vec"), scope.std("string", "String"));
            quote!(#list<(#text, #text)>)
        }
    }
}

fn argument_type(scope: &Scope<'_>, ty: ParameterType) -> TokenStream {
    let one = |scalar| {
        let ty = scalar_type(scope, scalar);
        match scalar {
            ParameterScalar::String | ParameterScalar::Json => {
                let into = scope.std("convert", "Into");
                quote!(impl #into<#ty>)
            }
            _ => ty,
        }
    };
    match ty {
        ParameterType::One(scalar) => one(scalar),
        ParameterType::List { item } => {
            let (list, item) = (scope.std("iter", "IntoIterator"), one(item));
            quote!(impl #list<Item = #item>)
        }
        ParameterType::Object => {
            let (list, text) = (scope.std("iter", "IntoIterator"), one(ParameterScalar::String));
            quote!(impl #list<Item = (#text, #text)>)
        }
    }
}

/// An argument as the field holds it.
fn converted(parameter: &ParameterPlan) -> TokenStream {
    let ident = name(&parameter.rust_name);
    match parameter.ty {
        ParameterType::One(ParameterScalar::String | ParameterScalar::Json) => quote!(#ident.into()),
        ParameterType::One(_) => ident,
        ParameterType::Object => quote!(#ident.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
        ParameterType::List { item: ParameterScalar::String | ParameterScalar::Json } => {
            quote!(#ident.into_iter().map(|item| item.into()).collect())
        }
        ParameterType::List { .. } => quote!(#ident.into_iter().collect()),
    }
}

fn scalar_type(scope: &Scope<'_>, scalar: ParameterScalar) -> TokenStream {
    match scalar {
        ParameterScalar::String | ParameterScalar::Json => scope.std("string", "String"),
        ParameterScalar::Boolean => quote!(bool),
        ParameterScalar::Int32 => quote!(i32),
        ParameterScalar::Int64 => quote!(i64),
        ParameterScalar::Double => quote!(f64),
    }
}

/// Puts a parameter into the request, in its style: the usual ones have short forms.
fn set(scope: &mut Scope<'_>, body: Option<&BodyPlan>, parameter: &ParameterPlan) -> TokenStream {
    let (wire_name, field) = (&parameter.wire_name, name(&parameter.rust_name));
    let ParameterStyle { kind, explode, allow_reserved } = parameter.style;
    let is_object = parameter.ty == ParameterType::Object;
    let mut styled = |method: TokenStream| {
        let style = style(scope, kind);
        quote!(.#method(#wire_name, &self.#field, #style, #explode))
    };
    match (parameter.location, kind) {
        (ParameterLocation::Path, StyleKind::Simple) if !(is_object && explode) => {
            quote!(.path(#wire_name, &self.#field))
        }
        (ParameterLocation::Path, _) => styled(quote!(path_as)),
        (ParameterLocation::Header, _) if is_object && explode => quote!(.header_as(#wire_name, &self.#field, true)),
        (ParameterLocation::Header, _) => quote!(.header(#wire_name, &self.#field)),
        (ParameterLocation::Cookie, _) => quote!(.cookie(#wire_name, &self.#field, #explode)),
        (ParameterLocation::Body, _) => match (body, parameter.ty) {
            (Some(BodyPlan::Form), _) => quote!(.field(#wire_name, &self.#field)),
            (_, ParameterType::One(ParameterScalar::Json)) => quote!(.member_json(#wire_name, &self.#field)),
            _ => quote!(.member(#wire_name, &self.#field)),
        },
        (ParameterLocation::Query, _) if allow_reserved => styled(quote!(query_reserved)),
        (ParameterLocation::Query, StyleKind::DeepObject) => styled(quote!(query_as)),
        (ParameterLocation::Query, _) if explode || matches!(parameter.ty, ParameterType::One(_)) => {
            quote!(.query(#wire_name, &self.#field))
        }
        (ParameterLocation::Query, kind) => {
            let separator = match kind {
                StyleKind::SpaceDelimited => " ",
                StyleKind::PipeDelimited => "|",
                _ => ",",
            };
            quote!(.query_joined(#wire_name, &self.#field, #separator))
        }
    }
}

fn style(scope: &mut Scope<'_>, kind: StyleKind) -> TokenStream {
    let style = scope.runtime("Style");
    match kind {
        StyleKind::Simple => quote!(#style::Simple),
        StyleKind::Label => quote!(#style::Label),
        StyleKind::Matrix => quote!(#style::Matrix),
        StyleKind::Form => quote!(#style::Form),
        StyleKind::SpaceDelimited => quote!(#style::SpaceDelimited),
        StyleKind::PipeDelimited => quote!(#style::PipeDelimited),
        StyleKind::DeepObject => quote!(#style::DeepObject),
    }
}

/// What the runtime asks of the operation.
fn operation(scope: &mut Scope<'_>, stream: &StreamPlan) -> TokenStream {
    let ident = name(&stream.rust_name);
    let typed = scope.runtime("TypedOperation");
    let record = scope.ty(stream.record, &quote!('page));
    let facts_type = scope.runtime("OperationFacts");
    let facts = facts(scope, stream, &facts_type);
    let request_type = scope.runtime("Request");
    let path = stream.sent_path();
    let body = stream.body.as_ref();
    let parameters: Vec<_> = stream.parameters.iter().map(|parameter| set(scope, body, parameter)).collect();
    let method = if stream.method == "POST" { quote!(post) } else { quote!(get) };
    let json = match body {
        Some(BodyPlan::Json(media_type)) => Some(quote!(.json(#media_type))),
        Some(BodyPlan::Form) | None => None,
    };
    let accept = stream.lines.as_ref().map(|media_type| quote!(.header("accept", &#media_type.to_owned())));
    let request = quote!(#request_type::#method(#path) #accept #json #(#parameters)*);
    let key = stream.key.as_ref().map(|key| {
        scope.runtime_trait("KeyField");
        let usage = Use { through: quote!(is_some_and), call: quote!(write_key(out)) };
        let key = path::expression(&quote!(record), key, &usage);
        let list = scope.std("vec", "Vec");
        quote! {
            fn key(record: &Self::Record<'_>, out: &mut #list<u8>) -> bool {
                #key
            }
        }
    });
    let offset = stream.offset.as_ref().map(|offset| {
        scope.runtime_trait("OffsetField");
        let usage = Use { through: quote!(and_then), call: quote!(offset_value()) };
        let offset = path::expression(&quote!(record), &offset.field, &usage);
        let value = scope.runtime("OffsetValue");
        let value = scope.option(&quote!(#value<'record>));
        quote! {
            fn offset<'record>(record: &'record Self::Record<'_>) -> #value {
                #offset
            }
        }
    });
    let slicing = stream.followed_parent().map(|parent| {
        let (slicing, parent) = (scope.runtime("Slicing"), &parent.operation_id);
        quote! {
            fn slicing() -> #slicing {
                #slicing { parent: Some(#parent.into()), ..#slicing::default() }
            }
        }
    });
    let children = (!stream.children.is_empty()).then(|| {
        scope.runtime_trait("OffsetField");
        let children = scope.runtime("Children");
        let usage = Use { through: quote!(and_then), call: quote!(offset_value()) };
        let each = stream.children.iter().map(|child| {
            let operation = &child.operation_id;
            let bind = child.bind.iter().map(|(parameter, field)| {
                let value = path::expression(&quote!(record), field, &usage);
                quote!((#parameter, #value))
            });
            quote!(children.add(#operation, [#(#bind),*]);)
        });
        let each: Vec<_> = each.collect();
        quote! {
            fn children(record: &Self::Record<'_>, children: &mut #children) {
                #(#each)*
            }
        }
    });
    let timestamp = stream.timestamp.as_ref().map(|timestamp| {
        let usage = Use { through: quote!(and_then), call: quote!(epoch_millis()) };
        let timestamp = path::expression(&quote!(record), timestamp, &usage);
        let millis = scope.option(&quote!(i64));
        quote! {
            fn timestamp(record: &Self::Record<'_>) -> #millis {
                #timestamp
            }
        }
    });
    let writes_changes = stream.writes_changes.then(|| {
        quote! {
            fn writes_changes() -> bool {
                true
            }
        }
    });
    let hook = stream.is_hooked.then(|| {
        let (verdict, function) = (scope.runtime("Verdict"), name(&stream.module));
        let hook = scope.option(&quote!(fn(&mut Self::Record<'_>) -> #verdict));
        quote! {
            fn hook() -> #hook {
                Some(crate::hooks::#function)
            }
        }
    });
    let redact = (!stream.redact.is_empty()).then(|| {
        let rules =
            stream.redact.iter().map(|it| format!("{} -> {}", it.pointer, it.action.annotated().to_uppercase()));
        let rules = rules.collect::<Vec<_>>().join("; ");
        quote! {
            fn redact() -> &'static str {
                #rules
            }
        }
    });
    quote! {
        impl #typed for #ident {
            type Record<'page> = #record;

            fn facts() -> #facts_type {
                #facts
            }

            fn request(&self) -> #request_type {
                #request
            }

            #slicing
            #key
            #offset
            #children
            #timestamp
            #writes_changes
            #hook
            #redact
        }
    }
}

fn facts(scope: &mut Scope<'_>, stream: &StreamPlan, facts_type: &TokenStream) -> TokenStream {
    let StreamPlan { operation_id, topic, records, records_required, interval_ms, .. } = stream;
    let pagination = pagination(scope, &stream.pagination);
    let incremental = match &stream.offset {
        Some(offset) => incremental(scope, offset),
        None => quote!(None),
    };
    let interval = number(*interval_ms);
    quote! {
        #facts_type {
            id: #operation_id.into(),
            topic: #topic.into(),
            records: #records.into(),
            records_required: #records_required,
            pagination: #pagination,
            incremental: #incremental,
            interval: std::time::Duration::from_millis(#interval),
        }
    }
}

fn pagination(scope: &mut Scope<'_>, plan: &PaginationPlan) -> TokenStream {
    let pagination = scope.runtime("Pagination");
    match plan {
        PaginationPlan::None => quote!(#pagination::None),
        PaginationPlan::LinkHeader => quote!(#pagination::LinkHeader),
        PaginationPlan::NextUrl { pointer, delta } => {
            let (pointer, delta) = (found_in(scope, pointer), optional_text(delta.as_deref()));
            quote!(#pagination::NextUrl { pointer: #pointer, delta: #delta })
        }
        PaginationPlan::Cursor { pointer, parameter, initial } => {
            let (pointer, parameter) = (found_in(scope, pointer), token_in(scope, parameter));
            let initial = optional_text(initial.as_deref());
            quote!(#pagination::Cursor { pointer: #pointer, parameter: #parameter, initial: #initial })
        }
        PaginationPlan::LastRecord { parameter, has_more } => {
            let (parameter, has_more) = (token_in(scope, parameter), optional_text(has_more.as_deref()));
            quote!(#pagination::LastRecord { parameter: #parameter, has_more: #has_more })
        }
        PaginationPlan::Offset { parameter, limit, until } => {
            let (parameter, until) = (token_in(scope, parameter), self::until(scope, until));
            let limit = optional_number(*limit);
            quote!(#pagination::Offset { parameter: #parameter, limit: #limit, until: #until })
        }
        PaginationPlan::Page { parameter, first, size, until } => {
            let (parameter, until) = (token_in(scope, parameter), self::until(scope, until));
            let (first, size) = (number(*first), optional_number(*size));
            quote!(#pagination::Page { parameter: #parameter, first: #first, size: #size, until: #until })
        }
    }
}

fn found_in(scope: &mut Scope<'_>, found: &FoundIn) -> TokenStream {
    match found {
        FoundIn::Body(pointer) => quote!(#pointer.into()),
        FoundIn::Header(name) => {
            let found_in = scope.runtime("FoundIn");
            quote!(#found_in::Header(#name.into()))
        }
    }
}

fn token_in(scope: &mut Scope<'_>, TokenIn { place, name, is_number }: &TokenIn) -> TokenStream {
    let mut to = |variant: TokenStream| {
        let token_in = scope.runtime("TokenIn");
        quote!(#token_in::#variant(#name.into()))
    };
    match place {
        TokenPlace::Query => quote!(#name.into()),
        TokenPlace::Header => to(quote!(Header)),
        TokenPlace::Path => to(quote!(Path)),
        TokenPlace::Body if *is_number => to(quote!(BodyNumber)),
        TokenPlace::Body => to(quote!(Body)),
    }
}

fn until(scope: &mut Scope<'_>, until: &Until) -> TokenStream {
    let name = scope.runtime("Until");
    match until {
        Until::EmptyPage => quote!(#name::EmptyPage),
        Until::ShortPage => quote!(#name::ShortPage),
        Until::NoMore(found) => {
            let found = found_in(scope, found);
            quote!(#name::NoMore(#found))
        }
        Until::Records(found) => {
            let found = found_in(scope, found);
            quote!(#name::Records(#found))
        }
        Until::Pages(found) => {
            let found = found_in(scope, found);
            quote!(#name::Pages(#found))
        }
    }
}

fn optional_text(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(Some(#text.into())),
        None => quote!(None),
    }
}

fn incremental(scope: &mut Scope<'_>, offset: &OffsetPlan) -> TokenStream {
    let (incremental, mode) = (scope.runtime("Incremental"), scope.runtime("IncrementalMode"));
    let mode = match offset.mode {
        OffsetMode::Timestamp => quote!(#mode::Timestamp),
        OffsetMode::Cursor => quote!(#mode::Cursor),
    };
    let (field, parameter) = (&offset.field.pointer, token_in(scope, &offset.parameter));
    let initial = optional_text(offset.initial.as_deref());
    let lookback = match offset.lookback_ms.map(number) {
        Some(millis) => quote!(Some(std::time::Duration::from_millis(#millis))),
        None => quote!(None),
    };
    quote! {
        Some(#incremental {
            mode: #mode,
            field: #field.into(),
            parameter: #parameter,
            initial: #initial,
            lookback: #lookback,
        })
    }
}

fn number(number: u64) -> proc_macro2::Literal {
    proc_macro2::Literal::u64_unsuffixed(number)
}

fn optional_number(limit: Option<u64>) -> TokenStream {
    match limit.map(number) {
        Some(limit) => quote!(Some(#limit)),
        None => quote!(None),
    }
}
