//! `src/connector.rs`: the connector's name, API, parameters and operations.

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::quote;
use serde_json::Value;

use super::name;
use crate::emit::doc::Doc;
use crate::emit::markdown::code;
use crate::plan::model::{
    BackfillPlan, ConnectorPlan, ListedValues, ParameterPlan, ParameterScalar, ParameterType, ParameterValue,
    StreamPlan, TokenPlace,
};

pub(super) fn file(plan: &ConnectorPlan) -> TokenStream {
    let doc = Doc::line(format!("The connector {}.", code(&plan.name))).outer();
    let default_name = &plan.name;
    let base_url = plan.base_url.as_ref().map(|url| quote!(.base_url(#url)));
    let parameters = plan.parameters.iter().map(|(name, parameter)| {
        let description = &parameter.description;
        quote!(.parameter(#name, #description))
    });
    let operations = plan.streams.iter().map(operation);
    let mut backfills = plan.streams.iter().filter_map(|stream| stream.backfill.as_ref()).peekable();
    let facts = backfills.peek().map(|_| quote!(BackfillFacts,));
    let token = backfills.any(|backfill| backfill.until.place == TokenPlace::Body).then(|| quote!(, TokenIn));
    let names = match facts {
        None => quote!(Connector),
        Some(facts) => quote!({#facts Connector #token}),
    };
    quote! {
        use headwater_runtime::codegen::#names;

        use crate::operations;

        #doc
        pub fn connector() -> Connector {
            Connector::new(#default_name) #base_url .document(include_str!("../spec/openapi.json")) #(#parameters)* #(#operations)*
        }
    }
}

fn operation(stream: &StreamPlan) -> TokenStream {
    let ident = name(&stream.rust_name);
    let valued = |required: bool| {
        let parameters = stream.parameters.iter().filter(move |parameter| parameter.required == required);
        parameters.filter_map(|parameter| Some((parameter, value(parameter)?)))
    };
    let arguments = valued(true).map(|(_, value)| value);
    let setters = valued(false).map(|(parameter, value)| {
        let setter = name(&parameter.rust_name);
        quote!(.#setter(#value))
    });
    let configured = |parameter: &ParameterPlan| {
        matches!(parameter.value, Some(ParameterValue::Config(_) | ParameterValue::Slice(_) | ParameterValue::Each(_)))
    };
    let parameters = if stream.parameters.iter().any(configured) { quote!(parameters) } else { quote!(_) };
    let lists = stream.parameters.iter().filter_map(listed);
    let backfill = stream.backfill.as_ref().map(backfill);
    quote!(.operation(|#parameters| { Ok(operations::#ident::new(#(#arguments),*) #(#setters)*) }) #(#lists)* #backfill)
}

/// How the operation can be read step by step.
fn backfill(BackfillPlan { until, start, end, step }: &BackfillPlan) -> TokenStream {
    let [start, end, step] = [start, end, step].map(|text| match text {
        Some(text) => quote!(Some(#text)),
        None => quote!(None),
    });
    let name = &until.name;
    let until = match until.place {
        TokenPlace::Body => quote!(TokenIn::Body(#name.into())),
        _ => quote!(#name.into()),
    };
    quote!(.backfill(BackfillFacts { until: #until, start: #start, end: #end, step: #step }))
}

/// The values that a parameter has one after the other.
fn listed(parameter: &ParameterPlan) -> Option<TokenStream> {
    let name = &parameter.wire_name;
    match parameter.value.as_ref()? {
        ParameterValue::Each(ListedValues::Literals(values)) => {
            Some(quote!(.slices(#name, |_| Ok([#(#values),*].map(str::to_owned).to_vec()))))
        }
        ParameterValue::Each(ListedValues::Config(property)) => {
            let (ParameterType::One(scalar) | ParameterType::List { item: scalar }) = parameter.ty else { return None };
            let (ty, expected) = parsed(scalar);
            Some(quote!(.slices(#name, |parameters| parameters.values::<#ty>(#property, #expected))))
        }
        _ => None,
    }
}

/// What the connector sets a parameter to, as an expression.
fn value(parameter: &ParameterPlan) -> Option<TokenStream> {
    Some(match (parameter.value.as_ref()?, parameter.ty) {
        (ParameterValue::Config(property), ParameterType::One(ParameterScalar::String | ParameterScalar::Json)) => {
            quote!(parameters.text(#property)?)
        }
        (ParameterValue::Config(property), ParameterType::One(scalar)) => {
            let (ty, expected) = parsed(scalar);
            quote!(parameters.parse::<#ty>(#property, #expected)?)
        }
        (ParameterValue::Config(property), ParameterType::List { item }) => {
            let (ty, expected) = parsed(item);
            quote!(parameters.list::<#ty>(#property, #expected)?)
        }
        (ParameterValue::Slice(name), ParameterType::One(scalar)) => of_slice(name, scalar),
        (ParameterValue::Each(_), ParameterType::One(scalar)) => of_slice(&parameter.wire_name, scalar),
        (ParameterValue::Each(_), ParameterType::List { item }) => {
            let value = of_slice(&parameter.wire_name, item);
            quote!([#value])
        }
        // A record has one value for a list.
        (ParameterValue::Slice(name), ParameterType::List { item }) => {
            let value = of_slice(name, item);
            quote!([#value])
        }
        // The plan binds no objects.
        (ParameterValue::Slice(_) | ParameterValue::Each(_), ParameterType::Object) => return None,
        (ParameterValue::Config(property), ParameterType::Object) => quote!(parameters.object(#property)?),
        (ParameterValue::Literal(value), ParameterType::Object) => {
            let properties = value.as_object().into_iter().flatten();
            let properties = properties.map(|(key, value)| {
                let value = literal(value, ParameterScalar::String);
                quote!((#key, #value))
            });
            let properties: Vec<_> = properties.collect();
            if properties.is_empty() { quote!([] as [(&str, &str); 0]) } else { quote!([#(#properties),*]) }
        }
        (ParameterValue::Literal(value), ParameterType::One(scalar)) => literal(value, scalar),
        (ParameterValue::Literal(Value::Array(items)), ParameterType::List { item }) if items.is_empty() => {
            let (ty, _) = parsed(item);
            quote!([] as [#ty; 0])
        }
        (ParameterValue::Literal(Value::Array(items)), ParameterType::List { item }) => {
            let items = items.iter().map(|value| literal(value, item));
            quote!([#(#items),*])
        }
        (ParameterValue::Literal(value), ParameterType::List { item }) => {
            let item = literal(value, item);
            quote!([#item])
        }
    })
}

/// A value of the slice that is read.
fn of_slice(name: &str, scalar: ParameterScalar) -> TokenStream {
    match scalar {
        ParameterScalar::String | ParameterScalar::Json => quote!(parameters.slice(#name)?),
        scalar => {
            let (ty, expected) = parsed(scalar);
            quote!(parameters.parse_slice::<#ty>(#name, #expected)?)
        }
    }
}

/// The Rust type of a configured value, and what to say it should be.
fn parsed(scalar: ParameterScalar) -> (TokenStream, &'static str) {
    match scalar {
        ParameterScalar::String | ParameterScalar::Json => (quote!(String), "text"),
        ParameterScalar::Boolean => (quote!(bool), "`true` or `false`"),
        ParameterScalar::Int32 => (quote!(i32), "a 32-bit integer"),
        ParameterScalar::Int64 => (quote!(i64), "an integer"),
        ParameterScalar::Double => (quote!(f64), "a number"),
    }
}

/// A value of the plan as a Rust literal of the parameter's type.
fn literal(value: &Value, scalar: ParameterScalar) -> TokenStream {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text_literal = || TokenStream::from(TokenTree::from(Literal::string(&text)));
    match scalar {
        ParameterScalar::String | ParameterScalar::Json => text_literal(),
        ParameterScalar::Double if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            format!("{text}.0").parse().unwrap_or_else(|_| text_literal())
        }
        // The plan has checked the value; if it had not, the literal would be of the wrong type and not compile.
        _ => text.parse().unwrap_or_else(|_| text_literal()),
    }
}
