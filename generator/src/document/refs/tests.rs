use serde_json::json;

use super::*;
use crate::diagnostic::Place;

fn resolved(mut document: Value) -> (Value, Vec<String>) {
    let mut faults = Faults::default();
    resolve(&mut document, &mut Sources::new("d.yaml"), &mut faults);
    let said = faults.iter().map(|said| {
        let place = said.place.as_ref().map(Place::to_string).unwrap_or_default();
        format!("{} --> {place} ({})", said.message, said.hint.as_deref().unwrap_or(""))
    });
    (document, said.collect())
}

#[test]
fn a_dangling_reference_is_reported_with_its_place_and_a_near_name() {
    let (_, said) = resolved(json!({"components": {"schemas": {
        "Pet": {"properties": {"owner": {"$ref": "#/components/schemas/Onwer"}, "x": {"$ref": "other.yaml#/A"}}},
        "Owner": {"items": {"$ref": "#/components/schemas/Zebra"}}
    }}}));
    assert_eq!(
        said,
        [
            "the `$ref` to `#/components/schemas/Onwer` leads nowhere --> \
             d.yaml#/components/schemas/Pet/properties/owner/$ref (did you mean `#/components/schemas/Owner`?)",
            "the `$ref` to `other.yaml#/A` leads out of the document --> \
             d.yaml#/components/schemas/Pet/properties/x/$ref (bundle the document into one file first)",
            "the `$ref` to `#/components/schemas/Zebra` leads nowhere --> \
             d.yaml#/components/schemas/Owner/items/$ref (`#/components/schemas` has no `Zebra`)",
        ]
    );
}

#[test]
fn a_circle_of_references_is_reported() {
    let (_, said) = resolved(json!({"components": {"schemas": {
        "A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}
    }}}));
    assert_eq!(said.len(), 2);
}

#[test]
fn what_is_no_component_becomes_one() {
    let (document, said) = resolved(json!({
        "paths": {"/a": {"get": {
            "parameters": [{"name": "p", "in": "query"}],
            "responses": {"200": {"content": {"application/json": {"schema": {"type": "string"}}}}}
        }}, "/b": {"get": {
            "parameters": [{"$ref": "#/paths/~1a/get/parameters/0"}],
            "responses": {"200": {"content": {"application/json": {
                "schema": {"$ref": "#/paths/~1a/get/responses/200/content/application~1json/schema"}}}}}
        }}, "/c": {"$ref": "#/paths/~1b"}},
        "components": {"schemas": {
            "Pet": {"properties": {"tag": {"properties": {"sub": {"$ref": "#/components/schemas/Pet/properties/tag"}}}}},
            "Pet-tag": {}
        }}
    }));
    assert_eq!(said, Vec::<String>::new());
    let at = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or("nothing");
    assert_eq!(at("/paths/~1b/get/parameters/0/$ref"), "#/components/parameters/a-parameters-0");
    assert_eq!(at("/paths/~1b/get/responses/200/content/application~1json/schema/$ref"), "#/components/schemas/a-200");
    assert_eq!(at("/paths/~1c/get/parameters/0/$ref"), "#/components/parameters/a-parameters-0");
    assert_eq!(at("/components/schemas/Pet/properties/tag/properties/sub/$ref"), "#/components/schemas/Pet-tag-2");
    assert_eq!(at("/components/schemas/Pet-tag-2/properties/sub/$ref"), "#/components/schemas/Pet-tag-2");
    assert_eq!(at("/components/parameters/a-parameters-0/name"), "p");
}

#[test]
fn names_are_read_as_uris_have_them() {
    let (document, said) = resolved(json!({"components": {"schemas": {
        "A b": {}, "C/d": {"type": "string"}, "E": {"$anchor": "e"}, "F": {"$id": "https://example.com/f"},
        "X": {"properties": {
            "a": {"$ref": "#/components/schemas/A%20b"}, "c": {"$ref": "#/components/schemas/C~1d"},
            "e": {"$ref": "#e"}, "f": {"$ref": "https://example.com/f"}
        }}
    }}}));
    assert_eq!(said, Vec::<String>::new());
    let at = |name: &str| document.pointer(&format!("/components/schemas/X/properties/{name}/$ref")).unwrap();
    assert_eq!(at("a"), "#/components/schemas/A b");
    assert_eq!(at("c"), "#/components/schemas/C-d");
    assert_eq!(at("e"), "#/components/schemas/E");
    assert_eq!(at("f"), "#/components/schemas/F");
    assert_eq!(document.pointer("/components/schemas/C-d/type").unwrap(), "string");
}

#[test]
fn uris_are_decoded() {
    assert_eq!(percent_decode("/paths/~1a%7Bid%7D%2"), "/paths/~1a{id}%2");
}

#[test]
fn definitions_within_a_schema_become_components() {
    let (document, said) = resolved(json!({"components": {"schemas": {"A": {
        "properties": {"b": {"$ref": "#/components/schemas/A/$defs/B"}, "c": {"$ref": "#/$defs/C"}},
        "$defs": {"B": {"type": "string"}, "C": {"items": {"$ref": "#/$defs/B"}}}
    }}}}));
    assert_eq!(said, Vec::<String>::new());
    let schemas = document.pointer("/components/schemas").unwrap();
    assert_eq!(schemas.pointer("/A/properties/b/$ref").unwrap(), "#/components/schemas/A-B");
    assert_eq!(schemas.pointer("/A/properties/c/$ref").unwrap(), "#/components/schemas/A-C");
    assert_eq!(schemas.pointer("/A-C/items/$ref").unwrap(), "#/components/schemas/A-B");
}
