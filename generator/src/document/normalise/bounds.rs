//! Bounds that the typed model cannot hold: integers beyond 64 bits, negative or fractional lengths. They say nothing
//! about the type, so they are dropped.

use serde_json::Value;

use crate::document::walk::{Node, walk};

const VALUES: [&str; 3] = ["minimum", "maximum", "multipleOf"];
const SIZES: [&str; 6] = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];

pub(super) fn drop(document: &mut Value) {
    walk(document, &mut |node, _, value| {
        let (Node::Schema, Value::Object(schema)) = (node, value) else { return };
        let is_integer = schema.get("type").and_then(Value::as_str) == Some("integer");
        schema.retain(|key, value| {
            if VALUES.contains(&key.as_str()) {
                if is_integer { value.is_i64() } else { value.is_number() }
            } else {
                !SIZES.contains(&key.as_str()) || value.is_u64()
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_bounds_that_fit_stay() {
        let mut document = json!({"components": {"schemas": {
            "A": {"type": "integer", "minimum": 0, "maximum": 18446744073709551615u64},
            "B": {"type": "string", "minLength": -1, "maxLength": 10},
            "C": {"type": "number", "maximum": 1e30},
            "D": {"properties": {"minimum": {"type": "integer"}}}
        }}});
        drop(&mut document);
        assert_eq!(
            document.pointer("/components/schemas").unwrap(),
            &json!({
                "A": {"type": "integer", "minimum": 0},
                "B": {"type": "string", "maxLength": 10},
                "C": {"type": "number", "maximum": 1e30},
                "D": {"properties": {"minimum": {"type": "integer"}}}
            })
        );
    }
}
