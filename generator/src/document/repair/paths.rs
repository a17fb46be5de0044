//! Path templates and what belongs to them: parameters, what stands behind `?` and `#`, the operations' ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Repairs;
use crate::document::pointer;
use crate::document::walk::{METHODS, reference};

pub(super) fn repair(document: &mut Value, repairs: &mut Repairs) {
    ids(document, repairs);
    let paths: Vec<String> =
        document.get("paths").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect();
    for path in paths.iter().filter(|path| path.starts_with('/')) {
        let at = pointer::join("/paths", path);
        query(document, &at, path, repairs);
        for method in METHODS {
            templates(document, &at, method, path, repairs);
        }
    }
}

/// An `operationId` is that of one operation (OAS 3.0.3 section 4.7.10.1).
fn ids(document: &mut Value, repairs: &mut Repairs) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    each_operation(document, |_, operation| {
        if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
            *counts.entry(id.to_owned()).or_default() += 1;
        }
    });
    let mut taken: BTreeSet<String> = counts.keys().cloned().collect();
    let mut seen = BTreeSet::new();
    each_operation(document, |at, operation| {
        let Some(id) = operation.get("operationId").and_then(Value::as_str).map(str::to_owned) else { return };
        let at = pointer::join(&at, "operationId");
        if id.is_empty() {
            operation.shift_remove("operationId");
            repairs.note("id", &at, "the `operationId` is empty: method and path are taken");
        } else if !seen.insert(id.clone()) {
            let free = (2_usize..).map(|number| format!("{id}-{number}")).find(|free| taken.insert(free.clone()));
            let free = free.unwrap_or_default();
            repairs.note(
                "id",
                &at,
                format!("another operation has the `operationId` `{id}` too: this one is `{free}` here"),
            );
            operation.insert("operationId".to_owned(), json!(free));
        }
    });
}

fn each_operation(document: &mut Value, mut visit: impl FnMut(String, &mut Map<String, Value>)) {
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    for (path, item) in paths.iter_mut().filter(|(path, _)| path.starts_with('/')) {
        let at = pointer::join("/paths", path);
        for method in METHODS {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                visit(pointer::join(&at, method), operation);
            }
        }
    }
}

/// The names in the braces of a path template.
fn names(path: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for part in path.split('{').skip(1) {
        if let Some((name, _)) = part.split_once('}')
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Some paths tell operations apart by a query that each request has.
fn query(document: &mut Value, at: &str, path: &str, repairs: &mut Repairs) {
    let path = path.split('#').next().unwrap_or(path);
    let Some((_, query)) = path.split_once('?') else { return };
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(['{', '}'])) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let is_declared = METHODS.iter().any(|method| {
            let declared = declared(document, at, method);
            declared.is_none_or(|declared| declared.iter().any(|(place, other)| place == "query" && other == name))
        });
        if is_declared {
            continue;
        }
        repairs.note("query", at, format!("the path holds the query `{pair}`: every request has it"));
        add(
            document,
            at,
            json!({
                "name": name, "in": "query", "required": true, "schema": {"type": "string", "enum": [value]}
            }),
        );
    }
}

/// Every name in a template is a parameter, and every parameter in the path stands in the template (OAS 3.0.3
/// section 4.7.8.2).
fn templates(document: &mut Value, at: &str, method: &str, path: &str, repairs: &mut Repairs) {
    let operation_at = pointer::join(at, method);
    if document.pointer(&operation_at).is_none_or(|operation| !operation.is_object()) {
        return;
    }
    let Some(declared) = declared(document, at, method) else { return };
    let in_path = |name: &str| declared.iter().any(|(place, other)| place == "path" && other == name);
    let names = names(path);
    let missing: Vec<_> = names.iter().filter(|name| !in_path(name)).collect();
    for name in missing {
        let message = format!("the path has `{{{name}}}`, of which no parameter tells: it is taken for a text");
        repairs.note("template", &operation_at, message);
        add(
            document,
            &operation_at,
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
        );
    }
    for (_, unused) in declared.iter().filter(|(place, name)| place == "path" && !names.contains(&name.as_str())) {
        let message = format!("the path has no `{{{unused}}}`: the parameter is left out");
        repairs.note("template", &operation_at, message);
        for holder in [at, &operation_at] {
            let list = pointer::join(holder, "parameters");
            let kept: Option<Vec<Value>> = document.pointer(&list).and_then(Value::as_array).map(|parameters| {
                let is_unused = |parameter: &Value| {
                    place_and_name(document, parameter).is_some_and(|(place, name)| place == "path" && name == *unused)
                };
                parameters.iter().filter(|parameter| !is_unused(parameter)).cloned().collect()
            });
            if let (Some(kept), Some(slot)) = (kept, document.pointer_mut(&list)) {
                *slot = Value::Array(kept);
            }
        }
    }
}

fn add(document: &mut Value, at: &str, parameter: Value) {
    let Some(Value::Object(holder)) = document.pointer_mut(at) else { return };
    let list = holder.entry("parameters").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(parameter);
    }
}

/// Place and name of an operation's parameters; `None` if they are not known: one of them cannot be read.
fn declared(document: &Value, at: &str, method: &str) -> Option<Vec<(String, String)>> {
    let mut declared = Vec::new();
    for holder in [at.to_owned(), pointer::join(at, method)] {
        let list = document.pointer(&pointer::join(&holder, "parameters"));
        for parameter in list.and_then(Value::as_array).into_iter().flatten() {
            declared.push(place_and_name(document, parameter)?);
        }
    }
    Some(declared)
}

fn place_and_name(document: &Value, parameter: &Value) -> Option<(String, String)> {
    let mut parameter = parameter;
    // A bound, in case of `$ref`s that lead in a circle.
    for _ in 0..32 {
        match reference(parameter) {
            Some(target) => parameter = document.pointer(target.strip_prefix('#')?)?,
            None => {
                let text = |key: &str| parameter.get(key).and_then(Value::as_str).map(str::to_owned);
                return Some((text("in")?, text("name")?));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::repair::repaired;

    fn paths(paths: Value) -> (Value, Vec<String>) {
        let (mut document, said) = repaired(json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths,
            "components": {"parameters": {"C": {"name": "c", "in": "path", "required": true, "schema": {}}}}
        }));
        (document["paths"].take(), said)
    }

    #[test]
    fn templates_and_parameters_agree() {
        let c = json!({"$ref": "#/components/parameters/C"});
        let (paths, said) = paths(json!({
            "/a/{b}/{c}": {"parameters": [c], "get": {"responses": {}}},
            "/d": {"get": {"parameters": [c], "responses": {}}},
            "/e/{f}": {"get": {"parameters": [{"$ref": "#/x-headwater-fault/0"}], "responses": {}}},
        }));
        let b = json!({"name": "b", "in": "path", "required": true, "schema": {"type": "string"}});
        assert_eq!(paths["/a/{b}/{c}"], json!({"parameters": [c], "get": {"responses": {}, "parameters": [b]}}));
        assert_eq!(paths["/d"]["get"], json!({"parameters": [], "responses": {}}));
        assert_eq!(
            said,
            [
                "/paths/~1a~1{b}~1{c}/get: the path has `{b}`, of which no parameter tells: it is taken for a text",
                "/paths/~1d/get: the path has no `{c}`: the parameter is left out",
            ]
        );
    }

    #[test]
    fn a_query_in_a_path_is_a_parameter() {
        let (paths, said) = paths(json!({"/a?list-type=2&acl#x?y": {"get": {"responses": {}}}}));
        assert_eq!(
            paths["/a?list-type=2&acl#x?y"]["parameters"],
            json!([
                {"name": "list-type", "in": "query", "required": true, "schema": {"type": "string", "enum": ["2"]}},
                {"name": "acl", "in": "query", "required": true, "schema": {"type": "string", "enum": [""]}},
            ])
        );
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn ids_are_unique() {
        let operation = |id: Value| json!({"get": {"operationId": id, "responses": {}}});
        let (paths, said) = paths(json!({
            "/a": operation(json!("x")), "/b": operation(json!("x")), "/c": operation(json!("x-2")), "/d": operation(json!("")),
            "/e": operation(json!(7))
        }));
        let id = |path: &str| paths[path]["get"]["operationId"].as_str().map(str::to_owned);
        assert_eq!(
            ["/a", "/b", "/c", "/d", "/e"].map(id),
            [Some("x".to_owned()), Some("x-3".to_owned()), Some("x-2".to_owned()), None, Some("7".to_owned())]
        );
        assert_eq!(
            said,
            [
                "/paths/~1e/get/operationId: `operationId` is a number where a text should stand: it is read as `\"7\"`",
                "/paths/~1b/get/operationId: another operation has the `operationId` `x` too: this one is `x-3` here",
                "/paths/~1d/get/operationId: the `operationId` is empty: method and path are taken",
            ]
        );
    }
}
