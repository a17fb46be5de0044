//! Keys with a value of the wrong kind. What only describes is read if it can be, and left out if not; what a type
//! depends on is left out only if it is `null`.

use serde_json::{Value, json};

use super::{Repairs, remove, text, word};
use crate::document::pointer;
use crate::document::walk::Node;

/// What stands under a key.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    /// A list of texts.
    Texts,
    List,
    Object,
    /// An object with a `url`.
    Docs,
    /// What cannot be left out.
    Part,
}

use Kind::{Docs, Flag, List, Object, Part, Text, Texts};

fn keys(node: Node) -> &'static [(&'static str, Kind)] {
    match node {
        Node::Document => &[
            ("paths", Part),
            ("components", Part),
            ("webhooks", Part),
            ("servers", Part),
            ("security", Part),
            ("externalDocs", Docs),
        ],
        Node::PathItem => &[
            ("summary", Text),
            ("description", Text),
            ("parameters", Part),
            ("servers", Part),
            ("get", Part),
            ("put", Part),
            ("post", Part),
            ("delete", Part),
            ("options", Part),
            ("head", Part),
            ("patch", Part),
            ("trace", Part),
        ],
        Node::Operation => &[
            ("operationId", Text),
            ("summary", Text),
            ("description", Text),
            ("deprecated", Flag),
            ("tags", Texts),
            ("externalDocs", Docs),
            ("parameters", Part),
            ("requestBody", Part),
            ("responses", Part),
            ("callbacks", Object),
            ("servers", Part),
            ("security", Part),
        ],
        Node::Parameter | Node::Header => &[
            ("name", Text),
            ("description", Text),
            ("required", Flag),
            ("deprecated", Flag),
            ("allowEmptyValue", Flag),
            ("allowReserved", Flag),
            ("explode", Flag),
            ("style", Text),
            ("examples", Object),
            ("schema", Part),
            ("content", Part),
        ],
        Node::RequestBody => &[("description", Text), ("required", Flag), ("content", Part)],
        Node::MediaType => &[("schema", Part), ("examples", Object), ("encoding", Object)],
        Node::Encoding => {
            &[("contentType", Text), ("style", Text), ("explode", Flag), ("allowReserved", Flag), ("headers", Object)]
        }
        Node::Response => &[("description", Text), ("headers", Object), ("content", Part), ("links", Object)],
        Node::Schema => &[
            ("title", Text),
            ("description", Text),
            ("format", Text),
            ("pattern", Text),
            ("nullable", Flag),
            ("readOnly", Flag),
            ("writeOnly", Flag),
            ("deprecated", Flag),
            ("uniqueItems", Flag),
            ("required", Texts),
            ("enum", List),
            ("externalDocs", Docs),
            ("type", Part),
            ("properties", Part),
            ("items", Part),
            ("additionalProperties", Part),
            ("allOf", Part),
            ("oneOf", Part),
            ("anyOf", Part),
            ("not", Part),
        ],
        Node::Components => &[
            ("schemas", Part),
            ("responses", Part),
            ("parameters", Part),
            ("examples", Object),
            ("requestBodies", Part),
            ("headers", Part),
            ("securitySchemes", Part),
            ("links", Object),
            ("callbacks", Object),
        ],
        Node::Example => &[("summary", Text), ("description", Text), ("externalValue", Text)],
        Node::SecurityScheme => &[("description", Text), ("bearerFormat", Text)],
        Node::Paths | Node::Responses | Node::Callback | Node::Link => &[],
    }
}

/// How a value fits.
enum Fit {
    Well,
    As(Value),
    Not,
}

fn fit(kind: Kind, value: &Value) -> Fit {
    match (kind, value) {
        (Text, Value::String(_)) | (Flag, Value::Bool(_)) | (List, Value::Array(_)) | (Object, Value::Object(_)) => {
            Fit::Well
        }
        (_, Value::Null) => Fit::Not,
        (Part, _) => Fit::Well,
        (Text, value) => text(value).map_or(Fit::Not, |text| Fit::As(json!(text))),
        (Flag, Value::String(text)) => {
            text.to_ascii_lowercase().parse().map_or(Fit::Not, |flag: bool| Fit::As(json!(flag)))
        }
        (Texts, Value::String(text)) => Fit::As(json!([text])),
        (Texts, Value::Array(items)) if items.iter().all(Value::is_string) => Fit::Well,
        (Texts, Value::Array(items)) => Fit::As(items.iter().filter_map(text).collect()),
        (Docs, Value::Object(docs)) if docs.get("url").is_some_and(Value::is_string) => {
            match docs.get("description").is_none_or(Value::is_string) {
                true => Fit::Well,
                false => Fit::Not,
            }
        }
        (Flag | Texts | List | Object | Docs, _) => Fit::Not,
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Text => "a text",
        Flag => "`true` or `false`",
        Texts => "a list of texts",
        List => "a list",
        Object => "an object",
        Docs => "an object with a `url`",
        Part => "something",
    }
}

pub(super) fn repair(node: Node, at: &str, value: &mut Value, repairs: &mut Repairs) {
    for (key, kind) in keys(node) {
        let Some(found) = value.get(key) else { continue };
        let (what, should) = (word(found), expected(*kind));
        let found = fit(*kind, found);
        let at = || pointer::join(at, key);
        match found {
            Fit::Well => {}
            Fit::As(fitting) => {
                let message = format!("`{key}` is {what} where {should} should stand: it is read as `{fitting}`");
                repairs.note("kind", &at(), message);
                if let Some(slot) = value.get_mut(key) {
                    *slot = fitting;
                }
            }
            Fit::Not => {
                remove(value, key);
                let message = format!("`{key}` is {what} where {should} should stand: it is left out");
                repairs.note("kind", &at(), message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::repair::repaired;
    use serde_json::json;

    #[test]
    fn values_of_the_wrong_kind_are_read_or_left_out() {
        let (document, said) = repaired(
            json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, "components": {
                "examples": null,
                "schemas": {"A": {
                    "description": {"$ref": "a.md"}, "title": 7, "nullable": "True", "required": true, "properties": null,
                    "externalDocs": "https://example.com", "deprecated": "soon", "example": null
                }, "B": {"required": ["a", 1], "format": null}}
            }}),
        );
        assert_eq!(
            document.pointer("/components").unwrap(),
            &json!({"schemas": {
                "A": {"title": "7", "nullable": true, "example": null},
                "B": {"required": ["a", "1"]}
            }})
        );
        let at = "/components/schemas";
        assert_eq!(
            said,
            [
                "/components/examples: `examples` is `null` where an object should stand: it is left out".to_owned(),
                format!("{at}/A/title: `title` is a number where a text should stand: it is read as `\"7\"`"),
                format!("{at}/A/description: `description` is an object where a text should stand: it is left out"),
                format!(
                    "{at}/A/nullable: `nullable` is a text where `true` or `false` should stand: it is read as `true`"
                ),
                format!(
                    "{at}/A/deprecated: `deprecated` is a text where `true` or `false` should stand: it is left out"
                ),
                format!(
                    "{at}/A/required: `required` is a truth value where a list of texts should stand: it is left out"
                ),
                format!(
                    "{at}/A/externalDocs: `externalDocs` is a text where an object with a `url` should stand: it is left out"
                ),
                format!("{at}/A/properties: `properties` is `null` where something should stand: it is left out"),
                format!("{at}/B/format: `format` is `null` where a text should stand: it is left out"),
                format!(
                    "{at}/B/required: `required` is a list where a list of texts should stand: it is read as `[\"a\",\"1\"]`"
                ),
            ]
        );
    }
}
