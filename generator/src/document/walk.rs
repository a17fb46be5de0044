//! The structure of an OpenAPI document: which object stands where (OAS 3.0.3 section 4.7). Examples, defaults and
//! extensions are data, and not walked: a `$ref` in them is no reference.

use serde_json::Value;

use super::pointer;

/// What an object in the document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the objects of OAS 3.0.3 section 4.7")]
pub(super) enum Node {
    Document,
    Paths,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    MediaType,
    Encoding,
    Responses,
    Response,
    Header,
    Schema,
    Components,
    Callback,
    Link,
    Example,
    SecurityScheme,
}

/// The keys of a path item that hold operations (OAS 3.0.3 section 4.7.9).
pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// How a node's children hang on one of its keys.
enum Under {
    /// One child.
    One(&'static str, Node),
    /// A list of them.
    List(&'static str, Node),
    /// A map of them by name.
    Map(&'static str, Node),
    /// The node itself is the map; extensions are no children.
    Every(Node),
}

impl Node {
    fn children(self) -> &'static [Under] {
        use Under::{Every, List, Map, One};
        match self {
            Self::Document => &[One("paths", Self::Paths), One("components", Self::Components)],
            Self::Paths | Self::Callback => &[Every(Self::PathItem)],
            Self::PathItem => &[
                List("parameters", Self::Parameter),
                One("get", Self::Operation),
                One("put", Self::Operation),
                One("post", Self::Operation),
                One("delete", Self::Operation),
                One("options", Self::Operation),
                One("head", Self::Operation),
                One("patch", Self::Operation),
                One("trace", Self::Operation),
            ],
            Self::Operation => &[
                List("parameters", Self::Parameter),
                One("requestBody", Self::RequestBody),
                One("responses", Self::Responses),
                Map("callbacks", Self::Callback),
            ],
            Self::Responses => &[Every(Self::Response)],
            Self::Parameter | Self::Header => {
                &[One("schema", Self::Schema), Map("content", Self::MediaType), Map("examples", Self::Example)]
            }
            Self::RequestBody => &[Map("content", Self::MediaType)],
            Self::MediaType => {
                &[One("schema", Self::Schema), Map("examples", Self::Example), Map("encoding", Self::Encoding)]
            }
            Self::Encoding => &[Map("headers", Self::Header)],
            Self::Response => {
                &[Map("headers", Self::Header), Map("content", Self::MediaType), Map("links", Self::Link)]
            }
            Self::Schema => &[
                Map("properties", Self::Schema),
                One("items", Self::Schema),
                One("additionalProperties", Self::Schema),
                List("allOf", Self::Schema),
                List("oneOf", Self::Schema),
                List("anyOf", Self::Schema),
                One("not", Self::Schema),
                Map("patternProperties", Self::Schema),
                List("prefixItems", Self::Schema),
                Map("$defs", Self::Schema),
                Map("definitions", Self::Schema),
            ],
            Self::Components => &[
                Map("schemas", Self::Schema),
                Map("responses", Self::Response),
                Map("parameters", Self::Parameter),
                Map("examples", Self::Example),
                Map("requestBodies", Self::RequestBody),
                Map("headers", Self::Header),
                Map("securitySchemes", Self::SecurityScheme),
                Map("links", Self::Link),
                Map("callbacks", Self::Callback),
            ],
            Self::Link | Self::Example | Self::SecurityScheme => &[],
        }
    }

    /// The section of `components` that holds nodes of this kind, if one does.
    pub(super) fn section(self) -> Option<&'static str> {
        Self::Components.children().iter().find_map(|under| match under {
            Under::Map(section, node) if *node == self => Some(*section),
            _ => None,
        })
    }
}

/// What a node refers to, if it is a Reference Object (OAS 3.0.3 section 4.7.23).
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// Calls `visit` with what hangs on a node.
pub(super) fn children<'a>(node: Node, value: &'a Value, visit: &mut dyn FnMut(Node, &'a Value)) {
    let Value::Object(object) = value else { return };
    for under in node.children() {
        match under {
            Under::One(key, child) => {
                if let Some(value) = object.get(*key) {
                    visit(*child, value);
                }
            }
            Under::List(key, child) => {
                object.get(*key).and_then(Value::as_array).into_iter().flatten().for_each(|value| visit(*child, value));
            }
            Under::Map(key, child) => {
                let values = object.get(*key).and_then(Value::as_object).into_iter().flatten();
                values.for_each(|(_, value)| visit(*child, value));
            }
            Under::Every(child) => {
                object.iter().filter(|(name, _)| !name.starts_with("x-")).for_each(|(_, value)| visit(*child, value));
            }
        }
    }
}

/// Calls `visit` with every node of the document, parents before children, in the document's order where it is free; also
/// with what stands in the place of one and is no object. The children of references are not walked.
pub(super) fn walk(document: &mut Value, visit: &mut dyn FnMut(Node, &str, &mut Value)) {
    walk_node(Node::Document, "", document, visit);
}

/// As [`walk`], from a node within the document.
pub(super) fn walk_node(node: Node, at: &str, value: &mut Value, visit: &mut dyn FnMut(Node, &str, &mut Value)) {
    visit(node, at, value);
    if reference(value).is_some() {
        return;
    }
    let Value::Object(object) = value else { return };
    for under in node.children() {
        match under {
            Under::One(key, child) => {
                // This one is a truth value, or a schema.
                let is_either = *key == "additionalProperties";
                if let Some(value) = object.get_mut(*key).filter(|value| !(is_either && value.is_boolean())) {
                    walk_node(*child, &pointer::join(at, key), value, visit);
                }
            }
            Under::List(key, child) => {
                let at = pointer::join(at, key);
                let items = object.get_mut(*key).and_then(Value::as_array_mut).into_iter().flatten();
                for (index, value) in items.enumerate() {
                    walk_node(*child, &format!("{at}/{index}"), value, visit);
                }
            }
            Under::Map(key, child) => {
                let at = pointer::join(at, key);
                for (name, value) in object.get_mut(*key).and_then(Value::as_object_mut).into_iter().flatten() {
                    walk_node(*child, &pointer::join(&at, name), value, visit);
                }
            }
            Under::Every(child) => {
                for (name, value) in object.iter_mut().filter(|(name, _)| !name.starts_with("x-")) {
                    walk_node(*child, &pointer::join(at, name), value, visit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_are_found_and_data_is_not() {
        let mut document = json!({
            "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
                "example": {"$ref": "no reference"}
            }}}}}}, "x-b": {"get": {}}},
            "components": {"schemas": {"A": {"properties": {"$ref": {"type": "string"}}, "allOf": [{}]}}}
        });
        let mut found = Vec::new();
        walk(&mut document, &mut |node, at, _| {
            if node == Node::Schema {
                found.push(at.to_owned());
            }
        });
        assert_eq!(
            found,
            [
                "/paths/~1a/get/responses/200/content/application~1json/schema",
                "/paths/~1a/get/responses/200/content/application~1json/schema/items",
                "/components/schemas/A",
                "/components/schemas/A/properties/$ref",
                "/components/schemas/A/allOf/0",
            ]
        );
    }

    #[test]
    fn sections_hold_what_can_be_shared() {
        assert_eq!(Node::Schema.section(), Some("schemas"));
        assert_eq!(Node::PathItem.section(), None);
    }
}
