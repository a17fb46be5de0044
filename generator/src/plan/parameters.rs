//! An operation's parameters, and what the connector sets them to.

use std::collections::BTreeMap;

use openapiv3::{Parameter, ParameterSchemaOrContent, QueryStyle, ReferenceOr};
use serde_json::Value;

use super::model::{ParameterLocation, ParameterPlan, ParameterScalar, ParameterType, ParameterValue};
use super::operations::OperationRef;
use super::schema::{SchemaRef, Schemas, ShapeKind, schema_ref};
use super::{infer, names, reserved};
use crate::document::Document;

/// A parameter, and what inference asks of its schema.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) plan: ParameterPlan,
    /// `default` of its schema.
    pub(super) default: Option<Value>,
    /// `minimum` of its schema.
    pub(super) minimum: Option<i64>,
}

/// The parameters of an operation: the path item's, then its own, which replace those of the same name and place
/// (OAS 3.0.3 section 4.7.10). `Err` names a required one that cannot be sent.
pub(super) fn of(
    document: &Document,
    schemas: Schemas<'_>,
    operation: &OperationRef<'_>,
) -> Result<Vec<Known>, String> {
    let mut scope = names::builder_scope();
    let mut found: Vec<(&Parameter, ParameterLocation)> = Vec::new();
    for parameter in operation.item.parameters.iter().chain(&operation.operation.parameters) {
        let Some(parameter) = resolve(document, parameter) else { continue };
        let data = parameter.parameter_data_ref();
        let location = match parameter {
            Parameter::Path { .. } => ParameterLocation::Path,
            Parameter::Query { .. } => ParameterLocation::Query,
            Parameter::Header { .. } if is_ignored_header(&data.name) => continue,
            Parameter::Header { .. } => ParameterLocation::Header,
            Parameter::Cookie { .. } if data.required => {
                return Err(format!("the required parameter `{}` goes into a cookie", data.name));
            }
            Parameter::Cookie { .. } => continue,
        };
        let same =
            found.iter().position(|(other, place)| *place == location && other.parameter_data_ref().name == data.name);
        match same.and_then(|index| found.get_mut(index)) {
            Some(place) => *place = (parameter, location),
            None => found.push((parameter, location)),
        }
    }
    let mut known = Vec::new();
    for (parameter, location) in found {
        let data = parameter.parameter_data_ref();
        let schema = match &data.format {
            ParameterSchemaOrContent::Schema(schema) => Some(schema_ref(schema)),
            ParameterSchemaOrContent::Content(_) => None,
        };
        let ty = match schema.as_ref().and_then(|schema| type_of(schemas, schema, parameter)) {
            Some(ty) => ty,
            None if data.required => {
                return Err(format!("the required parameter `{}` is neither a value nor a list of values", data.name));
            }
            None => continue,
        };
        let (default, minimum) = schema.map(|schema| schemas.default_and_minimum(&schema)).unwrap_or_default();
        known.push(Known {
            plan: ParameterPlan {
                wire_name: data.name.clone(),
                rust_name: names::field_name(&data.name, &mut scope),
                doc: data.description.clone(),
                location,
                ty,
                required: data.required || location == ParameterLocation::Path,
                value: None,
            },
            default,
            minimum,
        });
    }
    Ok(known)
}

fn resolve<'a>(document: &'a Document, parameter: &'a ReferenceOr<Parameter>) -> Option<&'a Parameter> {
    let mut parameter = parameter;
    // A bound; circles of `$ref`s have been refused.
    for _ in 0..32 {
        match parameter {
            ReferenceOr::Item(parameter) => return Some(parameter),
            ReferenceOr::Reference { reference } => {
                let name = reference.strip_prefix("#/components/parameters/")?;
                parameter = document.api.components.as_ref()?.parameters.get(name)?;
            }
        }
    }
    None
}

/// What the runtime itself sets (OAS 3.0.3 section 4.7.12.1).
fn is_ignored_header(name: &str) -> bool {
    ["accept", "content-type", "authorization"].contains(&name.to_ascii_lowercase().as_str())
}

/// Its type, if it is a value or a list of values.
fn type_of(schemas: Schemas<'_>, schema: &SchemaRef<'_>, parameter: &Parameter) -> Option<ParameterType> {
    match schemas.shape(schema).kind {
        ShapeKind::Array { items } => {
            let item = match items {
                Some(items) => scalar_of(&schemas.shape(&items).kind)?,
                None => ParameterScalar::String,
            };
            Some(ParameterType::List { item, separator: separator(parameter)? })
        }
        kind => scalar_of(&kind).map(ParameterType::One),
    }
}

fn scalar_of(kind: &ShapeKind<'_>) -> Option<ParameterScalar> {
    Some(match kind {
        ShapeKind::Boolean => ParameterScalar::Boolean,
        ShapeKind::Integer { is_int32: true } => ParameterScalar::Int32,
        ShapeKind::Integer { is_int32: false } => ParameterScalar::Int64,
        ShapeKind::Number => ParameterScalar::Double,
        ShapeKind::String { .. } | ShapeKind::Any | ShapeKind::OneOf(_) => ParameterScalar::String,
        ShapeKind::Array { .. } | ShapeKind::Object { .. } => return None,
    })
}

/// How a list is written (OAS 3.0.3 section 4.7.12.2, "Style Values"); the outer `None`: in no way known here.
fn separator(parameter: &Parameter) -> Option<Option<char>> {
    let Parameter::Query { parameter_data, style, .. } = parameter else { return Some(Some(',')) };
    // `form` repeats the name unless told otherwise, the other styles join unless told otherwise.
    let explode = parameter_data.explode.unwrap_or(*style == QueryStyle::Form);
    match style {
        _ if explode => Some(None),
        QueryStyle::Form => Some(Some(',')),
        QueryStyle::SpaceDelimited => Some(Some(' ')),
        QueryStyle::PipeDelimited => Some(Some('|')),
        QueryStyle::DeepObject => None,
    }
}

/// What an annotation sets a parameter of type `ty` to, or why it cannot.
pub(super) fn value(value: &Value, ty: ParameterType) -> Result<ParameterValue, String> {
    if let Some(text) = value.as_str() {
        if let Some(name) = text.strip_prefix("${config:").and_then(|rest| rest.strip_suffix('}')) {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            return match is_name {
                true if reserved::is_reserved(name) && !name.starts_with("parameter.") => {
                    Err(format!("`{name}` is a property of every connector; choose another name"))
                }
                true => Ok(ParameterValue::Config(name.to_owned())),
                false => Err(format!("`{name}` cannot be the name of a property")),
            };
        }
        if text.contains("${config:") {
            return Err(format!("`{text}` has a reference with text around it; only the whole value can be one"));
        }
    }
    let literal = match (ty, value) {
        (ParameterType::One(scalar), value) => literal(value, scalar)?,
        (ParameterType::List { item, .. }, Value::Array(items)) => {
            items.iter().map(|value| literal(value, item)).collect::<Result<Value, _>>()?
        }
        (ParameterType::List { item, .. }, value) => Value::Array(vec![literal(value, item)?]),
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
            ParameterLocation::Query | ParameterLocation::Header => path,
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
        if let Some(ParameterValue::Config(name)) = &parameter.value {
            let description =
                parameter.doc.clone().unwrap_or_else(|| format!("The parameter `{}`.", parameter.wire_name));
            into.entry(name.clone()).or_insert(super::model::ConfigParameter { description });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let list = ParameterType::List { item: ParameterScalar::String, separator: Some(',') };
        assert_eq!(value(&json!("a"), list), literal(json!(["a"])));
        assert_eq!(value(&json!(["a", 1]), list), literal(json!(["a", "1"])));
        for (refused, ty) in [
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
