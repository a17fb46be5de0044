//! Siblings of a schema's `$ref`. OAS 3.0 ignores them, but documents that write `description` or `nullable` there mean
//! it: `{$ref, nullable}` becomes `{allOf: [{$ref}], nullable}`.

use serde_json::{Map, Value, json};

use crate::document::walk::{Node, reference, walk};

const KEPT: [&str; 2] = ["description", "nullable"];

pub(super) fn keep(document: &mut Value) {
    walk(document, &mut |node, _, value| {
        if node != Node::Schema {
            return;
        }
        let Some(target) = reference(value) else { return };
        let kept: Map<String, Value> =
            KEPT.iter().filter_map(|&key| value.get(key).map(|sibling| (key.to_owned(), sibling.clone()))).collect();
        if !kept.is_empty() {
            let mut wrapped = Map::from_iter([("allOf".to_owned(), json!([{ "$ref": target }]))]);
            wrapped.extend(kept);
            *value = Value::Object(wrapped);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_stays() {
        let mut document = json!({"components": {"schemas": {"A": {"properties": {
            "b": {"$ref": "#/components/schemas/B", "nullable": true, "example": 1},
            "c": {"$ref": "#/components/schemas/B", "example": 1}
        }}}}});
        keep(&mut document);
        assert_eq!(
            document.pointer("/components/schemas/A/properties").unwrap(),
            &json!({
                "b": {"allOf": [{"$ref": "#/components/schemas/B"}], "nullable": true},
                "c": {"$ref": "#/components/schemas/B", "example": 1}
            })
        );
    }
}
