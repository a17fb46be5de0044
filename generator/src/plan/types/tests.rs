use serde_json::{Value, json};

use super::*;
use crate::document::Document;
use crate::plan::{PlanOptions, Selection, model::ConnectorPlan, plan};

/// The plan of a list of things of this schema.
fn planned(thing: Value, components: Value) -> ConnectorPlan {
    let document = Document::of(json!({"type": "array", "items": thing}), components);
    plan(&document, &PlanOptions { selection: Selection::All, ..PlanOptions::default() }).unwrap().plan
}

/// The plan's types in a few words, one after the other.
fn types(plan: &ConnectorPlan) -> Vec<String> {
    let show = |id: TypeId| match &plan.types[id.0].kind {
        TypeKind::Struct(ty) => ty.names.rust.clone(),
        TypeKind::Enum(ty) => ty.names.rust.clone(),
        TypeKind::Union(ty) => ty.names.rust.clone(),
        kind => format!(
            "#{} {}",
            id.0,
            if let TypeKind::Scalar(scalar) = kind { format!("{scalar:?}") } else { String::new() }
        ),
    };
    let optional = |element: &Element| if element.optional { "?" } else { "" };
    let shown = |element: &Element| format!("{}{}", show(element.ty), optional(element));
    plan.types
        .iter()
        .filter_map(|ty| match &ty.kind {
            TypeKind::Struct(ty) => {
                let fields = ty.fields.iter().map(|field| {
                    format!("{}: {}{}", field.wire_name, if field.boxed { "box " } else { "" }, shown(&field.element))
                });
                Some(format!("{} {{{}}}", ty.names.rust, fields.collect::<Vec<_>>().join(", ")))
            }
            TypeKind::Enum(ty) => {
                let values = ty.values.iter().map(|value| value.rust_name.as_str());
                Some(format!("{} = {}", ty.names.rust, values.collect::<Vec<_>>().join("|")))
            }
            TypeKind::Union(ty) => {
                let variants = ty.variants.iter().map(|variant| format!("{}({})", variant.rust_name, show(variant.ty)));
                Some(format!("{} = {}", ty.names.rust, variants.collect::<Vec<_>>().join("|")))
            }
            TypeKind::List(element) => Some(format!("[{}]", shown(element))),
            TypeKind::Map(element) => Some(format!("map of {}", shown(element))),
            TypeKind::Scalar(_) => None,
        })
        .collect()
}

fn of(thing: Value, components: Value) -> Vec<String> {
    types(&planned(thing, components))
        .into_iter()
        .map(|ty| {
            // Places in the arena are no one's business here.
            ty.split('#')
                .enumerate()
                .map(|(index, part)| {
                    if index == 0 {
                        part.to_owned()
                    } else {
                        part.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().to_owned()
                    }
                })
                .collect()
        })
        .collect()
}

#[test]
fn scalars_by_type_and_format() {
    let property = |ty: &str, format: Option<&str>| match format {
        Some(format) => json!({"type": ty, "format": format}),
        None => json!({"type": ty}),
    };
    assert_eq!(
        of(
            json!({"type": "object", "required": ["a", "b"], "properties": {
                "a": property("integer", None), "b": property("integer", Some("int32")),
                "c": property("number", None), "d": property("number", Some("float")),
                "e": property("string", Some("date-time")), "f": property("string", Some("date")),
                "g": property("string", Some("uuid")), "h": property("string", Some("byte")),
                "i": property("string", Some("uri")), "j": property("boolean", None),
                "k": {}, "l": property("object", None),
            }}),
            json!({})
        ),
        [
            "Thing {a: Int64, b: Int32, c: Double?, d: Float?, e: DateTime?, f: Date?, g: Uuid?, h: Base64?, i: String?, \
          j: Boolean?, k: Json?, l: Json?}"
        ]
    );
}

#[test]
fn inline_objects_are_named_after_where_they_stand() {
    assert_eq!(
        of(
            json!({"type": "object", "required": ["owner", "labels", "extra"], "properties": {
                "owner": {"type": "object", "properties": {"id": {"type": "integer"}}},
                "labels": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
                "extra": {"type": "object", "additionalProperties": {"type": "object", "properties": {"id": {"type": "integer"}}}},
                "kind": {"type": "string", "nullable": true, "enum": ["a", "b", null, "b"]},
            }}),
            json!({})
        ),
        [
            "Thing {owner: ThingOwner, labels: , extra: , kind: ThingKind?}",
            "ThingOwner {id: Int64?}",
            "[ThingLabel]",
            "ThingLabel {id: Int64?}",
            "map of ThingExtraValue",
            "ThingExtraValue {id: Int64?}",
            "ThingKind = A|B",
        ]
    );
}

#[test]
fn all_of_is_merged_and_an_only_branch_is_followed() {
    assert_eq!(
        of(
            json!({"$ref": "#/components/schemas/Cat"}),
            json!({
                "Cat": {"allOf": [
                    {"$ref": "#/components/schemas/Animal"},
                    {"type": "object", "required": ["name", "tail"], "properties": {
                        "tail": {"type": "object", "properties": {"colour": {"type": "string"}}},
                        "owner": {"nullable": true, "description": "d", "allOf": [{"$ref": "#/components/schemas/Owner"}]},
                    }},
                ]},
                "Animal": {"type": "object", "required": ["owner"], "properties": {
                    "name": {"type": "string"},
                    "tail": {"type": "object", "properties": {"length": {"type": "number"}}},
                    "secret": {"type": "string", "writeOnly": true},
                }},
                "Owner": {"$ref": "#/components/schemas/Person"},
                "Person": {"type": "object", "properties": {"name": {"type": "string"}}},
            })
        ),
        [
            "Cat {name: String, tail: CatTail, owner: Person?}",
            "CatTail {length: Double?, colour: String?}",
            "Person {name: String?}",
        ]
    );
}

#[test]
fn unions_are_told_apart_by_the_kind_of_value() {
    assert_eq!(
        of(
            json!({"type": "object", "properties": {
                "a": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"id": {"type": "integer"}}}]},
                "b": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}, {"type": "number"}]},
                "c": {"oneOf": [{"type": "object", "properties": {"x": {}}}, {"type": "object", "properties": {"y": {}}}]},
                "d": {"oneOf": [{"type": "string"}, {"type": "string", "format": "uuid"}]},
                "e": {"oneOf": [{"type": "string"}, {}]},
                "f": {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "boolean"}]},
            }}),
            json!({})
        ),
        [
            "Thing {a: ThingA?, b: ThingB?, c: Json?, d: String?, e: Json?, f: ThingF?}",
            "ThingA = String(String)|Object(ThingAObject)",
            "ThingAObject {id: Int64?}",
            "ThingB = String(String)|Number(Double)",
            "ThingF = Array()|Boolean(Boolean)",
            "[String]",
        ]
    );
}

#[test]
fn what_holds_itself_is_boxed_but_not_through_a_list() {
    assert_eq!(
        of(
            json!({"$ref": "#/components/schemas/Node"}),
            json!({
                "Node": {"type": "object", "required": ["leaf"], "properties": {
                    "parent": {"$ref": "#/components/schemas/Node"},
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
                    "link": {"$ref": "#/components/schemas/Link"},
                    "leaf": {"$ref": "#/components/schemas/Leaf"},
                }},
                "Link": {"type": "object", "properties": {"to": {"$ref": "#/components/schemas/Node"}}},
                "Leaf": {"type": "object", "properties": {"x": {"type": "integer"}}},
            })
        ),
        [
            "Node {parent: box Node?, children: ?, link: box Link?, leaf: Leaf}",
            "[Node]",
            "Link {to: box Node?}",
            "Leaf {x: Int64?}",
        ]
    );
}

#[test]
fn what_only_lists_hold_without_an_end_is_json() {
    assert_eq!(
        of(
            json!({"type": "object", "properties": {"v": {"$ref": "#/components/schemas/Any"}}}),
            json!({"Any": {"oneOf": [
                {"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Any"}}
            ]}})
        ),
        ["Thing {v: Json?}"]
    );
}

#[test]
fn all_of_itself_comes_to_an_end() {
    assert_eq!(
        of(
            json!({"$ref": "#/components/schemas/A"}),
            json!({"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"x": {"type": "string"}}}]}})
        ),
        ["A {x: String?}"]
    );
}

#[test]
fn only_what_borrows_says_so() {
    let plan = planned(
        json!({"type": "object", "properties": {
            "n": {"$ref": "#/components/schemas/Numbers"}, "t": {"type": "string"},
        }}),
        json!({"Numbers": {"type": "object", "properties": {
            "a": {"type": "array", "items": {"type": "integer"}}, "next": {"$ref": "#/components/schemas/Numbers"},
        }}}),
    );
    let borrows = |name: &str| {
        plan.types.iter().find(|ty| matches!(&ty.kind, TypeKind::Struct(ty) if ty.names.rust == name)).unwrap().borrows
    };
    assert!(borrows("Thing"));
    assert!(!borrows("Numbers"));
}

#[test]
fn components_keep_their_names() {
    let names = of(
        json!({"type": "object", "properties": {
            "owner": {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/ThingOwner"}}},
        }}),
        json!({"ThingOwner": {"type": "object", "properties": {"id": {"type": "integer"}}}}),
    );
    assert_eq!(names, ["Thing {owner: ThingOwner2?}", "ThingOwner2 {x: ThingOwner?}", "ThingOwner {id: Int64?}"]);
}
