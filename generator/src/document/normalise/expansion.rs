//! References that an API expands on request only (`x-expansionResources`): a field that is an id, or the whole object if
//! a request asks for it. Requests of a connector do not ask, so it is the id. Taken as both, every record would reach
//! nearly every type of its API.

use serde_json::Value;

use crate::document::walk::{Node, walk};

pub(super) fn drop(document: &mut Value) {
    walk(document, &mut |node, _, value| {
        if node != Node::Schema || value.get("x-expansionResources").is_none() {
            return;
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = value.get_mut(key)
                && branches.iter().any(is_id)
            {
                branches.retain(is_id);
            }
        }
    });
}

fn is_id(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("string")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expandable_reference_is_an_id() {
        let branches = json!([{"type": "string", "maxLength": 5}, {"$ref": "#/components/schemas/B"}]);
        let schema = |extension: &str| json!({"anyOf": branches, extension: {"oneOf": []}});
        let mut document = json!({"components": {"schemas": {"A": {"properties": {
            "b": schema("x-expansionResources"), "c": schema("x-other")
        }}}}});
        drop(&mut document);
        let of = |name: &str| document["components"]["schemas"]["A"]["properties"][name]["anyOf"].clone();
        assert_eq!(of("b"), json!([{"type": "string", "maxLength": 5}]));
        assert_eq!(of("c"), branches);
    }
}
