//! Parameters, headers and responses (OAS 3.0.3 sections 4.7.12, 4.7.16 and 4.7.17).

use serde_json::{Map, Value, json};

use super::{Repairs, remove, schemas, word};
use crate::document::pointer;
use crate::document::walk::Node;

/// What a parameter of Swagger 2.0 says of its value, and one of OpenAPI 3 says in its schema.
const SCHEMA_KEYS: [&str; 12] = [
    "type",
    "format",
    "items",
    "default",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
];

/// The `parameters` of a path item or an operation.
pub(super) fn list(at: &str, holder: &mut Value, repairs: &mut Repairs) {
    let at = pointer::join(at, "parameters");
    let Some(parameters) = holder.get_mut("parameters") else { return };
    let Some(list) = parameters.as_array_mut() else {
        let is_one = parameters.get("name").is_some() || parameters.get("$ref").is_some();
        let message = format!("`parameters` is {} where a list should stand", word(parameters));
        repairs.note("parameters", &at, message);
        match parameters {
            Value::Object(_) if is_one => *parameters = json!([parameters.take()]),
            Value::Object(named) => *parameters = std::mem::take(named).into_iter().map(|(_, value)| value).collect(),
            _ => drop(remove(holder, "parameters")),
        }
        return;
    };
    let mut index = 0;
    list.retain(|parameter| {
        let at = format!("{at}/{index}");
        index += 1;
        if parameter.is_null() {
            repairs.note("parameters", &at, "nothing stands where a parameter should: it is left out");
            return false;
        }
        match parameter.get("in").and_then(Value::as_str) {
            Some(place @ ("body" | "formData")) => {
                repairs.note("parameters", &at, format!("parameters in `{place}` are of Swagger 2.0: it is left out"));
                false
            }
            _ => true,
        }
    });
}

pub(super) fn repair(node: Node, at: &str, value: &mut Value, repairs: &mut Repairs) {
    let Value::Object(parameter) = &*value else { return };
    let place = parameter.get("in").and_then(Value::as_str).map(str::to_ascii_lowercase);
    if node == Node::Parameter
        && let Some(place) =
            place.as_deref().filter(|place| parameter.get("in").is_some_and(|written| written != place))
    {
        repairs.note("parameter", &pointer::join(at, "in"), format!("it is read as `{place}`"));
        set(value, "in", json!(place));
    }
    let has_content = value.get("content").is_some_and(|content| content.as_object().is_some_and(|it| !it.is_empty()));
    if value.get("content").is_some() && !has_content {
        remove(value, "content");
    }
    if value.get("schema").is_none() && !has_content {
        let schema = schemas::taken(value, &SCHEMA_KEYS);
        repairs.note(
            "parameter",
            at,
            match schema.is_empty() {
                true => "there is neither `schema` nor `content`: the value can be anything",
                false => "`type` and the like are of Swagger 2.0: they are taken for the `schema`",
            },
        );
        set(value, "schema", Value::Object(schema));
    }
    if node == Node::Parameter {
        style(at, value, place.as_deref(), repairs);
        if place.as_deref() == Some("path") && value.get("required") != Some(&json!(true)) {
            repairs.note("required", at, "parameters in the path are required, whether it is said or not");
            set(value, "required", json!(true));
        }
    } else if value.get("style").is_some_and(|style| style != "simple") {
        remove(value, "style");
    }
}

/// OAS 3.0.3 section 4.7.12.2, "Style Values".
fn style(at: &str, value: &mut Value, place: Option<&str>, repairs: &mut Repairs) {
    let styles: &[&str] = match place {
        Some("path") => &["simple", "label", "matrix"],
        Some("query") => &["form", "spaceDelimited", "pipeDelimited", "deepObject"],
        Some("header") => &["simple"],
        Some("cookie") => &["form"],
        _ => return,
    };
    let (Some(style), Some(place)) = (value.get("style").and_then(Value::as_str), place) else { return };
    if !styles.contains(&style) {
        let message = format!("a parameter in `{place}` has no style `{style}`: it is left out");
        repairs.note("style", &pointer::join(at, "style"), message);
        remove(value, "style");
    }
}

/// The `responses` of an operation.
pub(super) fn responses(at: &str, operation: &mut Value, repairs: &mut Repairs) {
    if operation.is_object() && operation.get("responses").is_none() {
        repairs.note("responses", at, "the operation has no `responses`");
        set(operation, "responses", json!({}));
    }
}

/// The keys of responses: status codes, ranges of them, `default` (OAS 3.0.3 section 4.7.16.1).
pub(super) fn statuses(at: &str, responses: &mut Value, repairs: &mut Repairs) {
    let Value::Object(responses) = responses else { return };
    if responses.keys().all(|key| is_status(key)) {
        return;
    }
    let mut right = Map::new();
    for (key, response) in std::mem::take(responses) {
        let at = pointer::join(at, &key);
        if is_status(&key) {
            right.insert(key, response);
            continue;
        }
        let digits: String = key.trim().chars().take(3).collect();
        let is_new = is_status(&digits) && !right.contains_key(&digits);
        let is_alone = key.trim().chars().nth(3).is_none_or(|next| !next.is_alphanumeric());
        if is_new && is_alone {
            repairs.note("status", &at, format!("`{key}` is no status: it is read as `{digits}`"));
            right.insert(digits, response);
        } else {
            repairs.note("status", &at, format!("`{key}` is no status: it is left out"));
        }
    }
    *responses = right;
}

fn is_status(key: &str) -> bool {
    let is_code = |key: &str| match key.as_bytes() {
        [b'1'..=b'9', second, third] => {
            [second, third].iter().all(|byte| byte.is_ascii_digit()) || key[1..].eq_ignore_ascii_case("xx")
        }
        _ => false,
    };
    key == "default" || key.starts_with("x-") || is_code(key)
}

/// A response has a description; nothing is made of it.
pub(super) fn response(at: &str, value: &mut Value, repairs: &mut Repairs) {
    if value.is_object() && value.get("description").is_none() {
        repairs.note("response", at, "the response has no `description`");
        set(value, "description", json!(""));
    }
}

fn set(holder: &mut Value, key: &str, value: Value) {
    if let Value::Object(holder) = holder {
        holder.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::repair::repaired;

    fn operation(operation: Value) -> (Value, Vec<String>) {
        let (mut document, said) = repaired(json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a/{b}": {"get": operation}}
        }));
        let said = said.iter().map(|said| said.replace("/paths/~1a~1{b}/get", "")).collect();
        (document["paths"]["/a/{b}"]["get"].take(), said)
    }

    #[test]
    fn parameters_of_older_documents() {
        let (operation, said) = operation(json!({"parameters": [
            null,
            {"name": "b", "in": "Path", "type": "string", "enum": ["x"]},
            {"name": "c", "in": "query", "style": "simple", "required": "false"},
            {"name": "d", "in": "body", "schema": {}},
            {"name": "e", "in": "header", "content": {"application/json": null}}
        ], "responses": {}}));
        assert_eq!(
            operation["parameters"],
            json!([
                {"name": "b", "in": "path", "schema": {"type": "string", "enum": ["x"]}, "required": true},
                {"name": "c", "in": "query", "required": false, "schema": {}},
                {"name": "e", "in": "header", "content": {"application/json": {}}}
            ])
        );
        assert_eq!(
            said,
            [
                "/parameters/0: nothing stands where a parameter should: it is left out",
                "/parameters/3: parameters in `body` are of Swagger 2.0: it is left out",
                "/parameters/0/in: it is read as `path`",
                "/parameters/0: `type` and the like are of Swagger 2.0: they are taken for the `schema`",
                "/parameters/0: parameters in the path are required, whether it is said or not",
                "/parameters/1/required: `required` is a text where `true` or `false` should stand: it is read as `false`",
                "/parameters/1: there is neither `schema` nor `content`: the value can be anything",
                "/parameters/1/style: a parameter in `query` has no style `simple`: it is left out",
                "/parameters/2/content/application~1json: nothing stands where an object should: it is taken for an empty one",
            ]
        );
    }

    #[test]
    fn responses_have_statuses() {
        let b = json!({"name": "b", "in": "path", "required": true, "schema": {}});
        let (operation, said) = operation(json!({"parameters": b, "responses": {
            "200 OK": {}, "2xx": {"description": "d"}, "20x": {"description": "d"}, "default": {"description": "d"}, "x-a": 1
        }}));
        assert_eq!(
            operation["responses"],
            json!({"200": {"description": ""}, "2xx": {"description": "d"}, "default": {"description": "d"}, "x-a": 1})
        );
        assert_eq!(
            said,
            [
                "/parameters: `parameters` is an object where a list should stand",
                "/responses/200 OK: `200 OK` is no status: it is read as `200`",
                "/responses/20x: `20x` is no status: it is left out",
                "/responses/200: the response has no `description`",
            ]
        );
    }
}
