//! An operation's parameters, and what the connector sets them to.

use std::collections::BTreeMap;

use openapiv3::{Parameter, ParameterSchemaOrContent, PathStyle, QueryStyle, ReferenceOr};
use serde_json::Value;

use super::components::resolve;
use super::model::{
    ListedValues, ParameterLocation, ParameterPlan, ParameterScalar, ParameterStyle, ParameterType, ParameterValue,
    StyleKind, TokenIn, TokenPlace,
};
use super::names::{self, Scope};
use super::operations::{OperationRef, is_json};
use super::schema::{SchemaRef, Schemas, ShapeKind, schema_ref};
use super::{infer, reserved};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{Document, pointer};

/// A parameter, and what inference asks of its schema.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) plan: ParameterPlan,
    /// `default` of its schema.
    pub(super) default: Option<Value>,
    /// `minimum` of its schema.
    pub(super) minimum: Option<i64>,
    /// Whether it is a `format: date-time`.
    pub(super) is_instant: bool,
}

/// The parameters of an operation: the path item's, then its own, which replace those of the same name and place
/// (OAS 3.0.3 section 4.7.10). `Err` names a required one that cannot be sent; of others that cannot, `said` is told.
pub(super) fn of(
    document: &Document,
    schemas: Schemas<'_>,
    operation: &OperationRef<'_>,
    scope: &mut Scope,
    said: &mut Diagnostics,
) -> Result<Vec<Known>, String> {
    let mut found: Vec<(&Parameter, ParameterLocation, String)> = Vec::new();
    let item_at = operation.at.rsplit_once('/').map_or("", |(item, _)| item);
    let listed = |at: &str, parameters: &'_ [ReferenceOr<Parameter>]| -> Vec<String> {
        (0..parameters.len()).map(|index| format!("{at}/parameters/{index}")).collect()
    };
    let (shared, own) = (&operation.item.parameters, &operation.operation.parameters);
    let places = listed(item_at, shared).into_iter().chain(listed(&operation.at, own));
    for (parameter, at) in shared.iter().chain(own).zip(places) {
        let Some(parameter) = resolve(document, parameter) else { continue };
        let data = parameter.parameter_data_ref();
        let location = match parameter {
            Parameter::Path { .. } => ParameterLocation::Path,
            Parameter::Query { .. } => ParameterLocation::Query,
            Parameter::Header { .. } if is_ignored_header(&data.name) => continue,
            Parameter::Header { .. } => ParameterLocation::Header,
            Parameter::Cookie { .. } => ParameterLocation::Cookie,
        };
        let same = found
            .iter()
            .position(|(other, place, _)| *place == location && other.parameter_data_ref().name == data.name);
        match same.and_then(|index| found.get_mut(index)) {
            Some(place) => *place = (parameter, location, at),
            None => found.push((parameter, location, at)),
        }
    }
    let mut known = Vec::new();
    for (parameter, location, at) in found {
        let data = parameter.parameter_data_ref();
        let style = style(parameter);
        let (schema, ty) = match &data.format {
            ParameterSchemaOrContent::Schema(schema) => {
                let schema = schema_ref(schema);
                let ty = type_of(schemas, &schema, style);
                (Some(schema), ty)
            }
            // The value is one of its media type (OAS 3.0.3 section 4.7.12.2, "Fixed Fields and considerations").
            ParameterSchemaOrContent::Content(content) => {
                let is_json = content.keys().any(|media_type| is_json(media_type));
                let scalar = if is_json { ParameterScalar::Json } else { ParameterScalar::String };
                (None, Some(ParameterType::One(scalar)))
            }
        };
        let ty = match ty {
            Some(ty) => ty,
            None if data.required => {
                return Err(format!(
                    "the required parameter `{}` holds more than single values and lists of them",
                    data.name
                ));
            }
            None => {
                let message = format!(
                    "the parameter `{}` of `{}` holds more than single values and lists of them, of which OpenAPI does not \
                     say how they are written: it is left out",
                    data.name, operation.id
                );
                let hint =
                    "give it `style: deepObject`, or `content` with a media type of JSON, whichever the API reads";
                said.push(document.locate(Diagnostic::warning(message), &at).hint(hint));
                continue;
            }
        };
        let plan = ParameterPlan {
            wire_name: data.name.clone(),
            rust_name: names::field_name(&data.name, scope),
            doc: data.description.clone(),
            location,
            ty,
            style,
            required: data.required || location == ParameterLocation::Path,
            value: None,
        };
        known.push(Known::new(schemas, plan, schema));
    }
    Ok(known)
}

impl Known {
    /// A parameter of this schema, if it has one.
    pub(super) fn new(schemas: Schemas<'_>, plan: ParameterPlan, schema: Option<SchemaRef<'_>>) -> Self {
        let is_instant = schema.as_ref().is_some_and(|schema| {
            matches!(schemas.shape(schema).kind, ShapeKind::String { format: Some("date-time"), .. })
        });
        let required = schema.as_ref().filter(|_| plan.required);
        let value = required.and_then(|schema| constant(schemas, schema, plan.ty));
        let (default, minimum) = schema.map(|schema| schemas.default_and_minimum(&schema)).unwrap_or_default();
        Self { plan: ParameterPlan { value, ..plan }, default, minimum, is_instant }
    }
}

/// Where a request has the parameter of a name that says what it asks for; in the query, if it is not known.
pub(super) fn token<'k>(known: impl IntoIterator<Item = &'k Known>, name: &str) -> TokenIn {
    let mut asking = known.into_iter().filter(|known| known.plan.location.asks() && known.plan.wire_name == name);
    match asking.next() {
        Some(known) if known.plan.location == ParameterLocation::Body => {
            TokenIn { place: TokenPlace::Body, name: pointer::join("", name), is_number: is_number(&known.plan) }
        }
        _ => name.into(),
    }
}

/// Whether its value is a number.
pub(super) fn is_number(plan: &ParameterPlan) -> bool {
    use ParameterScalar::{Double, Int32, Int64};
    matches!(plan.ty, ParameterType::One(Int32 | Int64 | Double))
}

/// What the runtime itself sets (OAS 3.0.3 section 4.7.12.1).
fn is_ignored_header(name: &str) -> bool {
    ["accept", "content-type", "authorization"].contains(&name.to_ascii_lowercase().as_str())
}

/// Its type, if its style can write it.
fn type_of(schemas: Schemas<'_>, schema: &SchemaRef<'_>, style: ParameterStyle) -> Option<ParameterType> {
    match schemas.shape(schema).kind {
        ShapeKind::Array { items } => {
            let item = match items {
                Some(items) => scalar_of(&schemas.shape(&items).kind),
                None => Some(ParameterScalar::String),
            };
            match item {
                Some(item) => Some(ParameterType::List { item }),
                // With brackets, the names of its pairs lead into it.
                None => (style.kind == StyleKind::DeepObject).then_some(ParameterType::Object),
            }
        }
        ShapeKind::Object { .. } | ShapeKind::OneOf(_) if style.kind == StyleKind::DeepObject => {
            Some(ParameterType::Object)
        }
        ShapeKind::Object { properties, .. } => {
            let is_flat = |schema| scalar_of(&schemas.shape(schema).kind).is_some();
            properties.values().all(|property| is_flat(&property.schema)).then_some(ParameterType::Object)
        }
        kind => scalar_of(&kind).map(ParameterType::One),
    }
}

/// What a required parameter is always set to: the only value that it can have.
fn constant(schemas: Schemas<'_>, schema: &SchemaRef<'_>, ty: ParameterType) -> Option<ParameterValue> {
    match (schemas.shape(schema).kind, ty) {
        (ShapeKind::String { values, .. }, ParameterType::One(ParameterScalar::String)) => match values.as_slice() {
            [only] => Some(ParameterValue::Literal(Value::from(*only))),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn scalar_of(kind: &ShapeKind<'_>) -> Option<ParameterScalar> {
    Some(match kind {
        ShapeKind::Boolean => ParameterScalar::Boolean,
        ShapeKind::Integer { is_int32: true } => ParameterScalar::Int32,
        ShapeKind::Integer { is_int32: false } => ParameterScalar::Int64,
        ShapeKind::Decimal(decimal) if decimal.is_text => ParameterScalar::String,
        ShapeKind::Number | ShapeKind::Decimal(_) => ParameterScalar::Double,
        ShapeKind::String { .. } | ShapeKind::Any | ShapeKind::OneOf(_) => ParameterScalar::String,
        ShapeKind::Array { .. } | ShapeKind::Object { .. } => return None,
    })
}

/// How its value is written (OAS 3.0.3 section 4.7.12.2, "Style Values").
fn style(parameter: &Parameter) -> ParameterStyle {
    let (kind, allow_reserved) = match parameter {
        Parameter::Query { style, allow_reserved, .. } => (
            match style {
                QueryStyle::Form => StyleKind::Form,
                QueryStyle::SpaceDelimited => StyleKind::SpaceDelimited,
                QueryStyle::PipeDelimited => StyleKind::PipeDelimited,
                QueryStyle::DeepObject => StyleKind::DeepObject,
            },
            *allow_reserved,
        ),
        Parameter::Path { style, .. } => (
            match style {
                PathStyle::Simple => StyleKind::Simple,
                PathStyle::Label => StyleKind::Label,
                PathStyle::Matrix => StyleKind::Matrix,
            },
            false,
        ),
        Parameter::Header { .. } => (StyleKind::Simple, false),
        Parameter::Cookie { .. } => (StyleKind::Form, false),
    };
    // `form` and `deepObject` repeat the name unless told otherwise, the other styles join unless told otherwise.
    let explodes = matches!(kind, StyleKind::Form | StyleKind::DeepObject);
    let explode = parameter.parameter_data_ref().explode.unwrap_or(explodes);
    ParameterStyle { kind, explode, allow_reserved }
}

/// The property that `${config:NAME}` refers to, if a text is that.
fn reference(text: &str) -> Option<Result<String, String>> {
    if let Some(name) = text.strip_prefix("${config:").and_then(|rest| rest.strip_suffix('}')) {
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        return Some(match is_name {
            true if reserved::is_reserved(name) && !name.starts_with("parameter.") => {
                Err(format!("`{name}` is a property of every connector; choose another name"))
            }
            true => Ok(name.to_owned()),
            false => Err(format!("`{name}` cannot be the name of a property")),
        });
    }
    let message = || format!("`{text}` has a reference with text around it; only the whole value can be one");
    text.contains("${config:").then(|| Err(message()))
}

/// What an annotation sets a parameter of type `ty` to one after the other, or why it cannot.
pub(super) fn each(values: &Value, ty: ParameterType) -> Result<ParameterValue, String> {
    let (ParameterType::One(scalar) | ParameterType::List { item: scalar }) = ty else {
        return Err("it is an object, and a slice has one value for it".to_owned());
    };
    if let Some(name) = values.as_str().and_then(reference) {
        return Ok(ParameterValue::Each(ListedValues::Config(name?)));
    }
    let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
        return Err(format!("`{values}` is no list of values, nor `${{config:NAME}}`"));
    };
    let mut texts: Vec<String> = Vec::new();
    for value in values {
        let text = match literal(value, scalar)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if texts.contains(&text) {
            return Err(format!("`{text}` is there twice"));
        }
        texts.push(text);
    }
    Ok(ParameterValue::Each(ListedValues::Literals(texts)))
}

/// What an annotation sets a parameter of type `ty` to, or why it cannot.
pub(super) fn value(value: &Value, ty: ParameterType) -> Result<ParameterValue, String> {
    if let Some(name) = value.as_str().and_then(reference) {
        return Ok(ParameterValue::Config(name?));
    }
    let literal = match (ty, value) {
        (ParameterType::One(scalar), value) => literal(value, scalar)?,
        (ParameterType::List { item }, Value::Array(items)) => {
            items.iter().map(|value| literal(value, item)).collect::<Result<Value, _>>()?
        }
        (ParameterType::List { item }, value) => Value::Array(vec![literal(value, item)?]),
        (ParameterType::Object, Value::Object(properties)) => {
            let text = |(key, value): (&String, &Value)| Ok((key.clone(), literal(value, ParameterScalar::String)?));
            Value::Object(properties.iter().map(text).collect::<Result<_, String>>()?)
        }
        (ParameterType::Object, value) => return Err(format!("`{value}` is not an object")),
    };
    Ok(ParameterValue::Literal(literal))
}

/// Names that say nothing without what they are the name of.
const GENERIC: [&str; 10] = ["id", "uuid", "guid", "uid", "sid", "key", "name", "slug", "type", "code"];

/// The configuration property that a parameter is set from where nobody chose another: its own name, in lower case with
/// dots. One that says nothing by itself stands after what the path has before it, so that `/pets/{id}` asks for
/// `pet.id`; one that has a meaning in every connector stands after `parameter`.
pub(super) fn property_name(parameter: &ParameterPlan, path: &str) -> String {
    let dotted = |text: &str| names::package_name(text).replace('-', ".");
    let mut name = dotted(&parameter.wire_name);
    if GENERIC.contains(&name.as_str()) {
        let placeholder = format!("{{{}}}", parameter.wire_name);
        let before = match parameter.location {
            ParameterLocation::Path => path.split_once(&placeholder).map_or(path, |(before, _)| before),
            _ => path,
        };
        if let Some(owner) = infer::last_name(before) {
            name = format!("{}.{name}", dotted(&names::singular(owner)));
        }
    }
    if reserved::is_reserved(&name) { format!("parameter.{name}") } else { name }
}

/// A parameter's value that is configured.
pub(super) fn configured_value(parameter: &ParameterPlan, path: &str) -> ParameterValue {
    ParameterValue::Config(property_name(parameter, path))
}

fn literal(value: &Value, scalar: ParameterScalar) -> Result<Value, String> {
    let (fits, expected) = match scalar {
        ParameterScalar::String => {
            return match value {
                Value::String(_) => Ok(value.clone()),
                Value::Number(_) | Value::Bool(_) => Ok(Value::String(value.to_string())),
                _ => Err(format!("`{value}` is not a text")),
            };
        }
        // A text that is JSON is taken for it.
        ParameterScalar::Json => {
            let text = value.as_str().filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
            return Ok(Value::String(text.map_or_else(|| value.to_string(), str::to_owned)));
        }
        ParameterScalar::Boolean => (value.is_boolean(), "`true` or `false`"),
        ParameterScalar::Int32 => {
            (value.as_i64().is_some_and(|value| i32::try_from(value).is_ok()), "a 32-bit integer")
        }
        ParameterScalar::Int64 => (value.is_i64(), "an integer"),
        ParameterScalar::Double => (value.is_number(), "a number"),
    };
    if fits { Ok(value.clone()) } else { Err(format!("`{value}` is not {expected}")) }
}

/// Adds the configuration properties that parameters refer to.
pub(super) fn configured(parameters: &[ParameterPlan], into: &mut BTreeMap<String, super::model::ConfigParameter>) {
    for parameter in parameters {
        let described = || parameter.doc.clone().unwrap_or_else(|| format!("The parameter `{}`.", parameter.wire_name));
        let (name, description) = match &parameter.value {
            Some(ParameterValue::Config(name)) => (name, described()),
            Some(ParameterValue::Each(ListedValues::Config(name))) => {
                (name, format!("{} Values with commas between them; each is read by itself.", described()))
            }
            _ => continue,
        };
        into.entry(name.clone()).or_insert(super::model::ConfigParameter { description });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_style_has_a_type() {
        let object = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
        let list = json!({"type": "array", "items": {"type": "integer"}});
        let document = Document::of_operation(
            json!({"responses": {}, "parameters": [
                {"name": "deep", "in": "query", "style": "deepObject", "schema": object},
                {"name": "deep-list", "in": "query", "style": "deepObject", "schema": list},
                {"name": "deep-lists", "in": "query", "style": "deepObject", "schema": {"type": "array", "items": object}},
                {"name": "flat", "in": "query", "explode": false, "schema": object},
                {"name": "nested", "in": "query", "schema": {"type": "object", "properties": {"b": object}}},
                {"name": "json", "in": "query", "content": {"application/json": {"schema": object}}},
                {"name": "csv", "in": "query", "content": {"text/csv": {}}},
                {"name": "pipes", "in": "query", "style": "pipeDelimited", "allowReserved": true, "schema": list},
                {"name": "fixed", "in": "query", "required": true, "schema": {"type": "string", "enum": ["2"]}},
                {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                {"name": "X-List", "in": "header", "schema": list},
            ]}),
            json!({}),
        );
        let operations = super::super::operations::operations(&document);
        let mut said = Diagnostics::default();
        let mut scope = names::builder_scope();
        let known = of(&document, Schemas::new(&document.api), &operations[0], &mut scope, &mut said).unwrap();
        let said: Vec<_> =
            said.iter().map(|said| (said.message.as_str(), said.place.clone().unwrap().to_string())).collect();
        assert_eq!(
            said,
            [(
                "the parameter `nested` of `get/things` holds more than single values and lists of them, of which OpenAPI \
                 does not say how they are written: it is left out",
                "test.yaml#/paths/~1things/get/parameters/4".to_owned()
            )]
        );
        let found: Vec<_> = known
            .iter()
            .map(|Known { plan, .. }| (plan.wire_name.as_str(), plan.ty, plan.style.kind, plan.style.explode))
            .collect();
        let (one, list) = (ParameterType::One, ParameterType::List { item: ParameterScalar::Int64 });
        assert_eq!(
            found,
            [
                ("deep", ParameterType::Object, StyleKind::DeepObject, true),
                ("deep-list", list, StyleKind::DeepObject, true),
                ("deep-lists", ParameterType::Object, StyleKind::DeepObject, true),
                ("flat", ParameterType::Object, StyleKind::Form, false),
                ("json", one(ParameterScalar::Json), StyleKind::Form, true),
                ("csv", one(ParameterScalar::String), StyleKind::Form, true),
                ("pipes", list, StyleKind::PipeDelimited, false),
                ("fixed", one(ParameterScalar::String), StyleKind::Form, true),
                ("session", one(ParameterScalar::String), StyleKind::Form, true),
                ("X-List", list, StyleKind::Simple, false),
            ]
        );
        assert!(known[6].plan.style.allow_reserved);
        assert_eq!(known[7].plan.value, Some(ParameterValue::Literal(json!("2"))));
    }

    #[test]
    fn values_fit_their_types() {
        let one = ParameterType::One;
        let literal = |value| Ok(ParameterValue::Literal(value));
        assert_eq!(
            value(&json!("${config:owner}"), one(ParameterScalar::Int64)),
            Ok(ParameterValue::Config("owner".to_owned()))
        );
        assert_eq!(value(&json!(100), one(ParameterScalar::Int64)), literal(json!(100)));
        assert_eq!(value(&json!(100), one(ParameterScalar::String)), literal(json!("100")));
        let list = ParameterType::List { item: ParameterScalar::String };
        assert_eq!(value(&json!("a"), list), literal(json!(["a"])));
        assert_eq!(value(&json!(["a", 1]), list), literal(json!(["a", "1"])));
        assert_eq!(value(&json!({"a": 1, "b": "c"}), ParameterType::Object), literal(json!({"a": "1", "b": "c"})));
        assert_eq!(value(&json!({"a": [1]}), one(ParameterScalar::Json)), literal(json!("{\"a\":[1]}")));
        assert_eq!(value(&json!("{\"a\": 1}"), one(ParameterScalar::Json)), literal(json!("{\"a\": 1}")));
        assert_eq!(value(&json!("a"), one(ParameterScalar::Json)), literal(json!("\"a\"")));
        for (refused, ty) in [
            (json!("a=b"), ParameterType::Object),
            (json!({"a": {}}), ParameterType::Object),
            (json!("100"), one(ParameterScalar::Int64)),
            (json!(1.5), one(ParameterScalar::Int64)),
            (json!(3_000_000_000_i64), one(ParameterScalar::Int32)),
            (json!("x-${config:a}"), one(ParameterScalar::String)),
            (json!("${config:}"), one(ParameterScalar::String)),
            (json!({}), one(ParameterScalar::String)),
            (json!([[1]]), list),
        ] {
            assert!(value(&refused, ty).is_err(), "{refused}");
        }
    }
}
