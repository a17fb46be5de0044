//! What stands at the top of a document.

use serde_json::{Map, Value, json};

use super::{Repairs, remove, security, servers, text};
use crate::document::pointer;
use crate::document::walk::METHODS;

pub(super) fn repair(document: &mut Value, repairs: &mut Repairs) {
    let Value::Object(root) = document else { return };
    // Nothing is made of them, so they cannot be wrong.
    root.shift_remove("tags");
    if let Some(webhooks) = root.get("webhooks").and_then(Value::as_object).filter(|webhooks| !webhooks.is_empty()) {
        let message = format!("webhooks are left out ({}): the API calls them, they cannot be read", webhooks.len());
        repairs.note("webhooks", "/webhooks", message);
        root.shift_remove("webhooks");
    }
    info(root, repairs);
    if !root.get("paths").is_some_and(Value::is_object) {
        // OpenAPI 3.1 allows documents without.
        if root.get("paths").is_some_and(|paths| !paths.is_null()) {
            repairs.note("paths", "/paths", "`paths` is no object: the document has no operations");
        }
        root.insert("paths".to_owned(), json!({}));
    }
    servers::repair("", document, repairs);
    if document.get("security").is_some_and(|security| !security.is_null()) {
        security::requirements("", document, repairs);
    }
    paths(document, repairs);
}

/// OAS 3.0.3 section 4.7.2.
fn info(root: &mut Map<String, Value>, repairs: &mut Repairs) {
    let mut info = match root.shift_remove("info") {
        Some(Value::Object(info)) => info,
        _ => {
            repairs.note("info", "/info", "the document has no `info`");
            Map::new()
        }
    };
    for (key, fallback) in [("title", "API"), ("version", "")] {
        match info.get(key) {
            Some(Value::String(_)) => {}
            Some(other) if text(other).is_some() => {
                let read = text(other).unwrap_or_default();
                repairs.note(
                    "info",
                    &pointer::join("/info", key),
                    format!("`{key}` is no text: it is read as `{read}`"),
                );
                info.insert(key.to_owned(), json!(read));
            }
            _ => {
                let message = format!("the document has no `{key}`: `{fallback}` is taken");
                repairs.note("info", "/info", message);
                info.insert(key.to_owned(), json!(fallback));
            }
        }
    }
    for key in ["description", "termsOfService"] {
        if info.get(key).is_some_and(|said| !said.is_string()) {
            repairs.note("info", &pointer::join("/info", key), format!("`{key}` is no text: it is left out"));
            info.shift_remove(key);
        }
    }
    // Nothing is made of them, so they cannot be wrong.
    for key in ["contact", "license"] {
        info.shift_remove(key);
    }
    root.insert("info".to_owned(), Value::Object(info));
}

/// Paths begin with `/` (OAS 3.0.3 section 4.7.8).
fn paths(document: &mut Value, repairs: &mut Repairs) {
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    let is_right = |key: &String| key.starts_with('/') || key.starts_with("x-");
    if paths.keys().all(is_right) {
        return;
    }
    let mut right = Map::new();
    for (key, mut item) in std::mem::take(paths) {
        if is_right(&key) {
            right.insert(key, item);
            continue;
        }
        let at = pointer::join("/paths", &key);
        let with_slash = format!("/{key}");
        let has_operations = METHODS.iter().any(|method| item.get(method).is_some()) || item.get("$ref").is_some();
        if has_operations && !right.contains_key(&with_slash) {
            repairs.note(
                "path",
                &pointer::join("/paths", &with_slash),
                format!("the path `{key}` does not begin with `/`"),
            );
            right.insert(with_slash, item);
        } else {
            repairs.note("path", &at, format!("`{key}` is no path: it is left out"));
            remove(&mut item, "$ref");
        }
    }
    *paths = right;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::repair::repaired;

    #[test]
    fn a_document_is_read_without_much() {
        let (document, said) = repaired(json!({"openapi": "3.1.0", "webhooks": {"a": {"post": {}}}, "tags": ["a"]}));
        assert_eq!(document, json!({"openapi": "3.1.0", "info": {"title": "API", "version": ""}, "paths": {}}));
        assert_eq!(
            said,
            [
                "/webhooks: webhooks are left out (1): the API calls them, they cannot be read",
                "/info: the document has no `info`",
                "/info: the document has no `title`: `API` is taken",
                "/info: the document has no `version`: `` is taken",
            ]
        );
    }

    #[test]
    fn texts_that_look_like_numbers() {
        let info = json!({"title": 1, "version": 2.5, "description": {"$ref": "a.md"}, "contact": "me"});
        let (document, said) = repaired(json!({"openapi": "3.0.3", "info": info, "paths": {}}));
        assert_eq!(document["info"], json!({"title": "1", "version": "2.5"}));
        assert_eq!(
            said,
            [
                "/info/title: `title` is no text: it is read as `1`",
                "/info/version: `version` is no text: it is read as `2.5`",
                "/info/description: `description` is no text: it is left out",
            ]
        );
    }

    #[test]
    fn paths_begin_with_a_slash() {
        let operation = json!({"get": {"responses": {}}});
        let (document, said) = repaired(json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
            "a": operation, "x-b": 1, "c": {"note": 1}, "/d": operation
        }}));
        assert_eq!(document["paths"], json!({"/a": operation, "x-b": 1, "/d": operation}));
        assert_eq!(
            said,
            ["/paths/~1a: the path `a` does not begin with `/`", "/paths/c: `c` is no path: it is left out"]
        );
    }
}
