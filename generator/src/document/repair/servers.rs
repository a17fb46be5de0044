//! Servers (OAS 3.0.3 section 4.7.5).

use serde_json::{Map, Value, json};

use super::{Repairs, remove, text, word};
use crate::document::pointer;

/// Puts right the `servers` of a document, a path item or an operation.
pub(super) fn repair(at: &str, holder: &mut Value, repairs: &mut Repairs) {
    let at = pointer::join(at, "servers");
    let Some(servers) = holder.get_mut("servers") else { return };
    if servers.is_object() {
        *servers = json!([servers.take()]);
        repairs.note("servers", &at, "`servers` is an object where a list should stand: it is taken for its only item");
    }
    let Some(list) = servers.as_array_mut() else {
        let message = format!("`servers` is {} where a list should stand: it is left out", word(servers));
        repairs.note("servers", &at, message);
        remove(holder, "servers");
        return;
    };
    let mut index = 0;
    list.retain_mut(|server| {
        let at = format!("{at}/{index}");
        index += 1;
        if let Value::String(url) = server {
            repairs.note("servers", &at, "a text stands where a server should: it is taken for its `url`");
            *server = json!({ "url": url });
        }
        if !server.get("url").is_some_and(Value::is_string) {
            repairs.note("servers", &at, "the server has no `url`: it is left out");
            return false;
        }
        if server.get("description").is_some_and(|description| !description.is_string()) {
            repairs.note("servers", &pointer::join(&at, "description"), "the `description` is no text: it is left out");
            remove(server, "description");
        }
        variables(&at, server, repairs);
        true
    });
}

fn variables(at: &str, server: &mut Value, repairs: &mut Repairs) {
    let at = pointer::join(at, "variables");
    let variables = match server.get_mut("variables") {
        None => return,
        Some(Value::Object(variables)) => variables,
        Some(_) => {
            repairs.note("servers", &at, "`variables` is no object: it is left out");
            remove(server, "variables");
            return;
        }
    };
    let mut kept = Map::new();
    for (name, variable) in std::mem::take(variables) {
        let values: Option<Vec<String>> =
            variable.get("enum").and_then(Value::as_array).map(|values| values.iter().filter_map(text).collect());
        let default = variable.get("default").and_then(text);
        let default = default.or_else(|| values.as_ref()?.first().cloned());
        let at = pointer::join(&at, &name);
        match default {
            None => repairs.note("servers", &at, "the variable has no `default`: it is left out"),
            Some(default) => {
                if variable.get("default").is_none_or(|default| !default.is_string()) {
                    repairs.note(
                        "servers",
                        &at,
                        format!("the variable has no text as `default`: `{default}` is taken"),
                    );
                }
                let mut right = Map::from_iter([("default".to_owned(), json!(default))]);
                right.extend(
                    values.filter(|values| !values.is_empty()).map(|values| ("enum".to_owned(), json!(values))),
                );
                kept.insert(name, Value::Object(right));
            }
        }
    }
    *variables = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::repair::repaired;

    #[test]
    fn servers_are_read_as_far_as_they_can_be() {
        let (document, said) = repaired(json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "servers": [
                "https://a", {"description": "no url"}, {"url": "https://{b}:{c}/{d}", "variables": {
                    "b": {"enum": ["x", "y"]}, "c": {"default": 80}, "d": {}
                }}
            ], "paths": {"/a": {"servers": {"url": "https://e"}, "get": {"servers": 1, "responses": {}}}}
        }));
        assert_eq!(
            document["servers"],
            json!([{"url": "https://a"}, {"url": "https://{b}:{c}/{d}", "variables": {
                "b": {"default": "x", "enum": ["x", "y"]}, "c": {"default": "80"}
            }}])
        );
        assert_eq!(document["paths"]["/a"], json!({"servers": [{"url": "https://e"}], "get": {"responses": {}}}));
        assert_eq!(
            said,
            [
                "/servers/0: a text stands where a server should: it is taken for its `url`",
                "/servers/1: the server has no `url`: it is left out",
                "/servers/2/variables/b: the variable has no text as `default`: `x` is taken",
                "/servers/2/variables/c: the variable has no text as `default`: `80` is taken",
                "/servers/2/variables/d: the variable has no `default`: it is left out",
                "/paths/~1a/servers: `servers` is an object where a list should stand: it is taken for its only item",
                "/paths/~1a/get/servers: `servers` is a number where a list should stand: it is left out",
            ]
        );
    }
}
