use super::*;
use crate::document::repair::repaired;

/// What becomes of a schema, and what is said without its place.
fn schema(schema: Value) -> (Value, Vec<String>) {
    let (mut document, said) = repaired(json!({
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, "components": {"schemas": {"A": schema}}
    }));
    let said = said.iter().map(|said| said.replace("/components/schemas/A", "")).collect();
    (document["components"]["schemas"]["A"].take(), said)
}

#[test]
fn what_is_meant_is_taken() {
    for (wrong, right, message) in [
        (json!(null), json!({}), ": nothing stands where a schema should: it is taken for one that allows anything"),
        (json!(true), json!({}), ": a schema that is `true` is of OpenAPI 3.1: it is read as there"),
        (json!(false), json!({"not": {}}), ": a schema that is `false` is of OpenAPI 3.1: it is read as there"),
        (
            json!([{"type": "string"}]),
            json!({"type": "string"}),
            ": a list stands where a schema should: what is in it is taken",
        ),
        (
            json!([{"type": "string"}, {}]),
            json!({"anyOf": [{"type": "string"}, {}]}),
            ": a list stands where a schema should: it is taken for `anyOf`",
        ),
        (
            json!("string"),
            json!({"type": "string"}),
            ": the text `string` stands where a schema should: it is taken for its `type`",
        ),
        (
            json!({"$ref": null, "type": "string"}),
            json!({"type": "string"}),
            ": the `$ref` is no text, and is left out",
        ),
        (
            json!({"type": "datetime"}),
            json!({"type": "string", "format": "date-time"}),
            "/type: there is no type `datetime`: it is taken for `string`",
        ),
        (
            json!({"type": "String"}),
            json!({"type": "string"}),
            "/type: there is no type `String`: it is taken for `string`",
        ),
        (json!({"type": "any"}), json!({}), "/type: there is no type `any`: the value can be anything"),
        (
            json!({"type": ["string", "any"]}),
            json!({"type": ["string"]}),
            "/type: not all of [\"string\",\"any\"] are types",
        ),
        (json!({"type": {"a": 1}}), json!({}), "/type: `type` is an object where a text should stand: it is left out"),
        (
            json!({"items": [{"type": "string"}]}),
            json!({"items": {"type": "string"}}),
            "/items: `items` is a list: the schema in it is taken",
        ),
        (json!({"items": [{}, {}]}), json!({"items": {}}), "/items: `items` is a list: the items can be anything"),
        (
            json!({"items": true}),
            json!({"items": {}}),
            "/items: a schema that is `true` is of OpenAPI 3.1: it is read as there",
        ),
        (
            json!({"allOf": {"type": "string"}}),
            json!({"allOf": [{"type": "string"}]}),
            "/allOf: `allOf` is an object where a list should stand: it is taken for its only item",
        ),
        (json!({"oneOf": []}), json!({}), "/oneOf: `oneOf` is empty: it is left out"),
        (
            json!({"oneOf": [null, {}]}),
            json!({"oneOf": [{"type": "null"}, {}]}),
            "/oneOf: `null` stands in `oneOf` where a schema should",
        ),
        (json!({"anyOf": "a"}), json!({}), "/anyOf: `anyOf` is no list: it is left out"),
        (
            json!({"type": "string", "enum": ["a", "b", "a"]}),
            json!({"type": "string", "enum": ["a", "b"]}),
            "/enum: values stand in the enum twice",
        ),
        (
            json!({"type": "string", "enum": [1, true, "a", null]}),
            json!({"type": "string", "enum": ["1", "true", "a", null]}),
            "/enum: values of the enum are not of type `string`: they are read as such",
        ),
        (
            json!({"type": "integer", "enum": ["1", 2.0]}),
            json!({"type": "integer", "enum": [1, 2]}),
            "/enum: values of the enum are not of type `integer`: they are read as such",
        ),
        (
            json!({"type": "integer", "enum": ["a"]}),
            json!({"type": "integer"}),
            "/enum: values of the enum are not of type `integer`: the enum is left out",
        ),
        (
            json!({"type": "string", "enum": []}),
            json!({"type": "string"}),
            "/enum: the enum has no values: it is left out",
        ),
        (
            json!({"discriminator": "kind"}),
            json!({"discriminator": {"propertyName": "kind"}}),
            "/discriminator: the discriminator is a text, as in Swagger 2.0",
        ),
        (
            json!({"discriminator": {"mapping": {}}}),
            json!({}),
            "/discriminator: the discriminator names no property: it is left out",
        ),
        (
            json!({"additionalProperties": "false"}),
            json!({"additionalProperties": false}),
            "/additionalProperties: `additionalProperties` is a text where a schema should stand",
        ),
        (
            json!({"if": {"type": "string"}}),
            json!({}),
            "/if: `if` is not looked at: what it says of the value is not known",
        ),
        (
            json!({"properties": {"a": null}}),
            json!({"properties": {"a": {}}}),
            "/properties/a: nothing stands where a schema should: it is taken for one that allows anything",
        ),
    ] {
        assert_eq!(schema(wrong.clone()), (right, vec![message.to_owned()]), "{wrong}");
    }
}

#[test]
fn what_is_right_stays() {
    for right in [
        json!({"type": "object", "properties": {"type": {"type": "string"}, "enum": {}, "items": {}}, "additionalProperties": false}),
        json!({"type": "string", "enum": ["a", "A", null], "default": "a"}),
        json!({"enum": ["a", 1, null]}),
        json!({"type": ["string", "null"], "examples": [true]}),
        json!({"discriminator": {"propertyName": "kind", "mapping": {"a": "A"}}}),
    ] {
        assert_eq!(schema(right.clone()), (right, Vec::new()));
    }
}
