//! What the requests of an operation carry: its members are parameters like any other.

use indexmap::IndexMap;
use serde_json::Value;

use super::components::resolve;
use super::model::{BodyPlan, ParameterLocation, ParameterPlan, ParameterScalar, ParameterType};
use super::names::{self, Scope};
use super::operations::{OperationRef, is_json};
use super::parameters::{self, Known};
use super::schema::{Property, SchemaRef, Schemas, ShapeKind, schema_ref};
use crate::document::Document;

/// What requests carry, as far as the document says.
pub(super) struct Body {
    pub(super) plan: BodyPlan,
    pub(super) members: Vec<Known>,
}

/// The body of the operation's requests. Of a body that the document does not describe, the members are those that the
/// annotation has values for. `Err`: it must have one, and it is of a kind that cannot be made.
pub(super) fn of(
    document: &Document,
    schemas: Schemas<'_>,
    operation: &OperationRef<'_>,
    values: &IndexMap<String, Value>,
    known: &[Known],
    scope: &mut Scope,
) -> Result<Option<Body>, String> {
    // What a GET carries means nothing (RFC 9110 section 9.3.1).
    let body = operation.operation.request_body.as_ref().filter(|_| operation.method != "GET");
    let Some(body) = body.and_then(|body| resolve(document, body)) else { return Ok(None) };
    let json = body.content.iter().filter(|(media_type, _)| is_json(media_type));
    let json = json.min_by_key(|(media_type, _)| (*media_type != "application/json", *media_type));
    let form = || body.content.iter().find(|(media_type, _)| media_type.starts_with(BodyPlan::FORM));
    let (plan, content) = match (json, form()) {
        (Some((media_type, content)), _) => {
            let written = if media_type.contains('*') { "application/json" } else { media_type };
            (BodyPlan::Json(written.to_owned()), content)
        }
        (None, Some((_, content))) => (BodyPlan::Form, content),
        (None, None) if body.required => {
            return Err("what its requests must carry is neither JSON nor a form".to_owned());
        }
        (None, None) => return Ok(None),
    };
    let schema = content.schema.as_ref().map(schema_ref);
    let (properties, is_open) = match schema.map(|schema| schemas.shape(&schema).kind) {
        Some(ShapeKind::Object { properties, additional, .. }) => {
            let is_open = properties.is_empty() || additional.is_some();
            (properties, is_open)
        }
        None | Some(ShapeKind::Any | ShapeKind::OneOf(_)) => (IndexMap::new(), true),
        Some(_) if body.required => return Err("what its requests must carry is no object".to_owned()),
        Some(_) => return Ok(None),
    };
    let mut members = Vec::with_capacity(properties.len());
    for (name, Property { schema, required, .. }) in properties {
        let shape = schemas.shape(&schema);
        let member =
            Member { name, doc: shape.doc, ty: type_of(schemas, &schema), required: required && body.required };
        members.push(member.known(schemas, Some(schema), scope));
    }
    if is_open {
        let is_known = |name: &str| known.iter().chain(&members).any(|known| known.plan.wire_name == name);
        let undescribed: Vec<_> = values.iter().filter(|(name, _)| !is_known(name)).collect();
        for (name, value) in undescribed {
            let member = Member { name, doc: None, ty: ParameterType::One(scalar(value)), required: false };
            members.push(member.known(schemas, None, scope));
        }
    }
    Ok(Some(Body { plan, members }))
}

/// A member of the body.
struct Member<'a> {
    name: &'a str,
    doc: Option<&'a str>,
    ty: ParameterType,
    required: bool,
}

impl Member<'_> {
    fn known(self, schemas: Schemas<'_>, schema: Option<SchemaRef<'_>>, scope: &mut Scope) -> Known {
        let location = ParameterLocation::Body;
        let plan = ParameterPlan {
            wire_name: self.name.to_owned(),
            rust_name: names::field_name(self.name, scope),
            doc: self.doc.map(str::to_owned),
            location,
            ty: self.ty,
            style: location.style(),
            required: self.required,
            value: None,
        };
        Known::new(schemas, plan, schema)
    }
}

/// JSON can hold anything, so what is no single value and no list of them is given as that.
fn type_of(schemas: Schemas<'_>, schema: &SchemaRef<'_>) -> ParameterType {
    let plain = |kind: &ShapeKind<'_>| match kind {
        ShapeKind::Any | ShapeKind::OneOf(_) => None,
        kind => parameters::scalar_of(kind),
    };
    let kind = schemas.shape(schema).kind;
    let list = match &kind {
        ShapeKind::Array { items: Some(items) } => plain(&schemas.shape(items).kind),
        _ => None,
    };
    match (list, plain(&kind)) {
        (Some(item), _) => ParameterType::List { item },
        (None, Some(scalar)) => ParameterType::One(scalar),
        (None, None) => ParameterType::One(ParameterScalar::Json),
    }
}

/// The type of what an annotation sets a member to of which nothing else is known.
fn scalar(value: &Value) -> ParameterScalar {
    match value {
        Value::String(_) => ParameterScalar::String,
        Value::Bool(_) => ParameterScalar::Boolean,
        Value::Number(number) if number.is_i64() => ParameterScalar::Int64,
        Value::Number(_) => ParameterScalar::Double,
        Value::Null | Value::Array(_) | Value::Object(_) => ParameterScalar::Json,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::operations::operations;

    /// The body of a POST with this `requestBody`, whose annotation has these values.
    fn body(request: Value, values: Value) -> Result<Option<(BodyPlan, Vec<String>)>, String> {
        let operation = json!({"responses": {}, "requestBody": request});
        let filter = json!({"type": "object", "properties": {"state": {"type": "string"}}});
        let document = Document::of_operation(operation, json!({ "Filter": filter }));
        let mut operations = operations(&document);
        operations[0].method = "POST".to_owned();
        let values = values.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let schemas = Schemas::new(&document.api);
        let body = of(&document, schemas, &operations[0], &values, &[], &mut names::builder_scope())?;
        Ok(body.map(|body| {
            let told = body.members.iter().map(|Known { plan, .. }| {
                let required = if plan.required { "!" } else { "" };
                format!("{}{required}: {:?}", plan.wire_name, plan.ty)
            });
            (body.plan, told.collect())
        }))
    }

    #[test]
    fn members_are_parameters() {
        let schema = json!({"type": "object", "required": ["query"], "properties": {
            "query": {"type": "string"},
            "size": {"type": "integer"},
            "ids": {"type": "array", "items": {"type": "integer", "format": "int32"}},
            "filter": {"$ref": "#/components/schemas/Filter"},
            "filters": {"type": "array", "items": {"$ref": "#/components/schemas/Filter"}},
            "any": {},
        }});
        let members = |required: &str| {
            [&format!("query{required}: One(String)"), "size: One(Int64)", "ids: List {{ item: Int32 }}"]
                .map(|text| text.replace("{{", "{").replace("}}", "}"))
                .into_iter()
                .chain(["filter", "filters", "any"].map(|name| format!("{name}: One(Json)")))
                .collect::<Vec<_>>()
        };
        let content = json!({"text/csv": {}, "application/vnd.api+json": {"schema": schema}});
        let found = body(json!({"required": true, "content": content}), json!({"other": 1}));
        assert_eq!(found, Ok(Some((BodyPlan::Json("application/vnd.api+json".to_owned()), members("!")))));
        // Where the body itself need not be there, neither does what is in it.
        let content = json!({"application/x-www-form-urlencoded; charset=utf-8": {"schema": schema}});
        assert_eq!(body(json!({ "content": content }), json!({})), Ok(Some((BodyPlan::Form, members("")))));
    }

    #[test]
    fn what_is_not_described_is_what_the_annotation_has() {
        let json = BodyPlan::Json("application/json".to_owned());
        for content in [
            json!({"*/*": {}}),
            json!({"application/json": {"schema": {"type": "object"}}}),
            json!({"application/json": {"schema": {"oneOf": [{"type": "object"}, {"type": "array", "items": {}}]}}}),
        ] {
            let values = json!({"query": "${config:query}", "deep": true, "first": 10, "ratio": 0.5, "by": {"a": 1}});
            let members = [
                "query: One(String)",
                "deep: One(Boolean)",
                "first: One(Int64)",
                "ratio: One(Double)",
                "by: One(Json)",
            ];
            let members = members.map(str::to_owned).to_vec();
            let found = body(json!({"required": true, "content": content}), values);
            assert_eq!(found, Ok(Some((json.clone(), members))), "{content}");
        }
    }

    #[test]
    fn bodies_of_other_kinds_are_left_out_or_refused() {
        let list = json!({"application/json": {"schema": {"type": "array", "items": {}}}});
        for (content, reason) in [
            (list, "what its requests must carry is no object"),
            (json!({"multipart/form-data": {}}), "what its requests must carry is neither JSON nor a form"),
        ] {
            assert_eq!(body(json!({ "content": content }), json!({})), Ok(None));
            assert_eq!(body(json!({"required": true, "content": content}), json!({})), Err(reason.to_owned()));
        }
    }
}
