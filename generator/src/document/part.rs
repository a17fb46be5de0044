//! A document with no more in it than some of its operations need.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Document, pointer};
use crate::plan::SOURCE;

/// The methods of a path item (OAS 3.0.3 section 4.7.9).
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Document {
    /// The document with the operations at these JSON Pointers, the components that they reach, and what is said of the
    /// API as a whole.
    pub(crate) fn part(&self, operations: &[String]) -> Value {
        let Value::Object(whole) = &self.value else { return Value::Null };
        let mut part = Map::new();
        for (name, value) in whole {
            let value = match name.as_str() {
                "paths" => paths(value, operations),
                // Filled when it is known what is reached.
                "components" => Value::Object(Map::new()),
                "openapi" | "info" | "servers" | "security" => value.clone(),
                name if name.starts_with("x-kafka-") => value.clone(),
                _ => continue,
            };
            part.insert(name.clone(), value);
        }
        let reached = self.reached(part.get("paths"));
        if let (Some(components), Some(Value::Object(all))) = (part.get_mut("components"), whole.get("components")) {
            *components = Value::Object(all.iter().filter_map(|group| chosen(group, &reached)).collect());
        }
        Value::Object(part)
    }

    /// The components that are referred to from `start`, as JSON Pointers.
    fn reached(&self, start: Option<&Value>) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&Value> = start.into_iter().collect();
        while let Some(value) = waiting.pop() {
            match value {
                Value::Array(items) => waiting.extend(items),
                Value::Object(members) => {
                    waiting.extend(members.values());
                    for target in members.iter().filter_map(|(name, value)| refers(name, value)) {
                        // The component as a whole, whatever part of it is meant.
                        let component: String = target.split('/').take(4).collect::<Vec<_>>().join("/");
                        if let Some(value) = self.value.pointer(&component)
                            && reached.insert(component)
                        {
                            waiting.push(value);
                        }
                    }
                }
                _ => {}
            }
        }
        reached
    }
}

/// The JSON Pointers that a member refers to: a `$ref`, and what a discriminator maps to.
fn refers<'a>(name: &str, value: &'a Value) -> Option<&'a str> {
    let Value::String(text) = value else { return None };
    let is_mapped = text.starts_with("#/components/schemas/");
    (name == "$ref" || is_mapped).then(|| text.strip_prefix('#')).flatten()
}

fn paths(all: &Value, operations: &[String]) -> Value {
    let items = all.as_object().into_iter().flatten().filter_map(|(path, item)| {
        let at = pointer::join("/paths", path);
        let is_chosen = |method: &str| operations.contains(&pointer::join(&at, method));
        let members = item.as_object()?;
        members.keys().any(|name| is_chosen(name)).then(|| {
            let kept = members.iter().filter(|(name, _)| !METHODS.contains(&name.as_str()) || is_chosen(name));
            (path.clone(), kept.map(|(name, value)| (name.clone(), told(name, value))).collect())
        })
    });
    Value::Object(items.collect())
}

/// A member of a path item. That a POST reads may have been told on the command line, which the part does not have: so it is
/// annotated.
fn told(name: &str, value: &Value) -> Value {
    let mut value = value.clone();
    if let ("post", Value::Object(operation)) = (name, &mut value)
        && !operation.contains_key(SOURCE)
    {
        operation.insert(SOURCE.to_owned(), Value::Object(Map::new()));
    }
    value
}

/// A group of components with those that are reached. Ways to be let in are named without a `$ref`: they all stay.
fn chosen((group, all): (&String, &Value), reached: &BTreeSet<String>) -> Option<(String, Value)> {
    let at = pointer::join("/components", group);
    let kept = all
        .as_object()?
        .iter()
        .filter(|(name, _)| group == "securitySchemes" || reached.contains(&pointer::join(&at, name)));
    let kept: Map<_, _> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    (!kept.is_empty()).then(|| (group.clone(), Value::Object(kept)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_operations_reach_stays() {
        let operation = json!({
            "operationId": "list",
            "responses": {"200": {"description": "ok", "content": {"application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
            }}}},
        });
        let schemas = json!({
            "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
            "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}},
            "C": {"type": "string"},
        });
        let mut document = Document::of_operation(operation.clone(), schemas.clone());
        document.value["paths"]["/things"]["post"] = operation;
        document.value["paths"]["/others"] = json!({"get": {}});
        document.value["tags"] = json!([]);
        let part = document.part(&["/paths/~1things/get".to_owned()]);
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&part), ["openapi", "paths", "components", "info"]);
        assert_eq!(names(&part["paths"]), ["/things"]);
        assert_eq!(names(&part["paths"]["/things"]), ["get"]);
        assert_eq!(names(&part["components"]["schemas"]), ["A", "B"]);
        let part = document.part(&["/paths/~1things/post".to_owned()]);
        assert_eq!(part["paths"]["/things"]["post"]["x-kafka-source"], json!({}));
        assert_eq!(part["components"]["schemas"]["B"], schemas["B"]);
    }
}
