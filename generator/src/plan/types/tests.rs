use serde_json::{Value, json};

use super::*;
use crate::document::Document;
use crate::emit::{EmitOptions, RuntimeDependency, emit};
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
            "Thing {a: Int64, b: Int32, c: Number?, d: Number?, e: DateTime?, f: Date?, g: Uuid?, h: Base64?, i: String?, \
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
            "CatTail {length: Number?, colour: String?}",
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
            "Thing {a: ThingA?, b: ThingB?, c: ThingC?, d: String?, e: Json?, f: ThingF?}",
            "ThingA = String(String)|Object(ThingAObject)",
            "ThingAObject {id: Int64?}",
            "ThingB = String(String)|Number(Number)",
            "ThingC = Object(ThingCObject)|Object2(ThingCObject2)",
            "ThingCObject {x: Json?}",
            "ThingCObject2 {y: Json?}",
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

/// The variants of the first union: Rust name and discriminator values; and the discriminator.
fn union(plan: &ConnectorPlan) -> (Vec<(String, Vec<String>)>, Option<String>) {
    let union = plan.types.iter().find_map(|ty| match &ty.kind {
        TypeKind::Union(union) => Some(union),
        _ => None,
    });
    let union = union.unwrap();
    let variants = union.variants.iter().map(|variant| (variant.rust_name.clone(), variant.tags.clone()));
    (variants.collect(), union.discriminator.clone())
}

#[test]
fn a_discriminator_tells_objects_apart() {
    let object = |kind: Value| json!({"type": "object", "required": ["kind"], "properties": {"kind": kind}});
    let text = json!({"type": "string"});
    let pets = json!({"Cat": object(text.clone()), "Dog": object(text)});
    let branches = json!([{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]);
    let thing = |union: Value| json!({"type": "object", "properties": {"pet": union}});
    let tagged = |tags: [&[&str]; 2]| {
        let tags = tags.map(|tags| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>());
        ["Cat", "Dog"].map(str::to_owned).into_iter().zip(tags).collect::<Vec<_>>()
    };
    // By mapping, or else by the component's name.
    let mapped = json!({"oneOf": branches, "discriminator": {"propertyName": "kind",
        "mapping": {"cat": "#/components/schemas/Cat", "kitten": "Cat"}}});
    let found = union(&planned(thing(mapped), pets.clone()));
    assert_eq!(found, (tagged([&["cat", "kitten"], &["Dog"]]), Some("kind".to_owned())));
    // By values that the branches list, although nobody says discriminator.
    let constant = |value: &str| object(json!({"type": "string", "enum": [value]}));
    let found =
        union(&planned(thing(json!({"anyOf": branches})), json!({"Cat": constant("cat"), "Dog": constant("dog")})));
    assert_eq!(found, (tagged([&["cat"], &["dog"]]), Some("kind".to_owned())));
    // By nothing: the fields decide at run time.
    let found = union(&planned(thing(json!({"anyOf": branches})), pets));
    assert_eq!(found, (tagged([&[], &[]]), None));
}

#[test]
fn a_schema_and_those_made_of_it_are_told_apart_by_its_discriminator() {
    let made_of = |base: &str, name: &str| {
        json!({"allOf": [{"$ref": format!("#/components/schemas/{base}")},
            {"type": "object", "properties": {name: {"type": "integer"}}}]})
    };
    let pet = |discriminator: Value| {
        json!({"type": "object", "required": ["kind"], "discriminator": discriminator,
            "properties": {"kind": {"type": "string", "enum": ["cat", "Dog", "Puppy"]}}})
    };
    let schemas = |discriminator: Value| {
        json!({
            "Pet": pet(discriminator), "Cat": made_of("Pet", "lives"), "Dog": made_of("Pet", "good"),
            "Puppy": made_of("Dog", "age"), "Alias": {"allOf": [{"$ref": "#/components/schemas/Pet"}]},
            "Other": {"type": "object", "properties": {"x": {"type": "string"}}},
        })
    };
    let owner = json!({"type": "object", "properties": {
        "pet": {"$ref": "#/components/schemas/Pet"}, "dog": {"$ref": "#/components/schemas/Dog"}}});
    let components = schemas(json!({"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}}));
    assert_eq!(
        of(owner.clone(), components.clone()),
        [
            "Thing {pet: Pet?, dog: Dog?}",
            "Pet = Cat(Cat)|Dog(Dog)|Puppy(Puppy)|Base(PetBase)",
            // What all of them have from the base has one type, which is called after that.
            "Cat {kind: PetKind, lives: Int64?}",
            "PetKind = Cat|Dog|Puppy",
            "Dog {kind: PetKind, good: Int64?}",
            "Puppy {kind: PetKind, good: Int64?, age: Int64?}",
            "PetBase {kind: PetKind}",
        ]
    );
    let tagged =
        |name: &str, tags: &[&str]| (name.to_owned(), tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>());
    let (variants, property) = union(&planned(owner.clone(), components));
    assert_eq!(property.as_deref(), Some("kind"));
    assert_eq!(
        variants,
        [tagged("Cat", &["cat"]), tagged("Dog", &["Dog"]), tagged("Puppy", &["Puppy"]), tagged("Base", &[])]
    );
    // As the record itself it is one type with the fields of all.
    let of_all = of(json!({"$ref": "#/components/schemas/Pet"}), schemas(json!({"propertyName": "kind"})));
    assert!(
        of_all[0].starts_with("Pet {kind: ") && of_all[0].contains("lives: Int64?, good: Int64?, age: Int64?"),
        "{of_all:?}"
    );
    // Nothing is made of it.
    let alone = of(json!({"$ref": "#/components/schemas/Pet"}), json!({"Pet": pet(json!({"propertyName": "kind"}))}));
    assert_eq!(alone[0], "Pet {kind: PetKind}");
}

#[test]
fn decimals_are_of_a_known_precision_and_scale() {
    let number = |more: Value| {
        let mut schema = json!({"type": "number", "format": "decimal"});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    let sized = json!({"type": "string", "format": "decimal", "x-precision": 12, "x-scale": 2});
    let decimal = |precision: u32, scale: u32, is_text: bool| {
        format!("Decimal(DecimalFacts {{ precision: {precision}, scale: {scale}, is_text: {is_text} }})")
    };
    assert_eq!(
        of(
            json!({"type": "object", "properties": {
                "a": sized, "b": {"type": "string", "format": "decimal"},
                "c": number(json!({"multipleOf": 0.01, "minimum": 0, "maximum": 9_999_999.99})), "d": number(json!({})),
                "e": {"allOf": [sized, {"description": "d"}]}, "f": {"oneOf": [sized, {"type": "string"}]},
                "g": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1},
            }}),
            json!({})
        ),
        [format!(
            "Thing {{a: {0}?, b: String?, c: {1}?, d: Number?, e: {0}?, f: String?, g: Number?}}",
            decimal(12, 2, true),
            decimal(9, 2, false)
        )]
    );
}

#[test]
fn records_of_several_types_are_one_with_the_fields_of_all() {
    let object = |properties: Value, required: &[&str]| json!({"type": "object", "required": required, "properties": properties});
    assert_eq!(
        of(
            json!({"oneOf": [
                object(json!({"id": {"type": "string"}, "object": {"type": "string", "enum": ["page"]},
                    "parent": {"type": "string"}, "size": {"type": "integer"}}), &["id", "object", "parent"]),
                object(json!({"id": {"type": "string"}, "object": {"type": "string", "enum": ["database"]},
                    "size": {"type": "boolean"}}), &["id", "object"]),
            ]}),
            json!({})
        ),
        ["Thing {id: String, object: String, parent: String?, size: Json?}"]
    );
}

#[test]
fn fields_whose_names_are_data_stand_beside_the_others() {
    let plan = planned(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "undeclared": {}, "unmapped": {}},
            "additionalProperties": {"type": "integer"}}),
        json!({}),
    );
    let TypeKind::Struct(thing) = &plan.types[0].kind else { panic!("a struct") };
    let additional = thing.additional.as_ref().unwrap();
    assert!(matches!(plan.types[additional.element.ty.0].kind, TypeKind::Scalar(Scalar::Int64)));
    assert_eq!((additional.number, thing.undeclared.as_str()), (4, "undeclared_2"));
    assert_eq!(thing.fields[2].avro_name, "unmapped_2", "the name is the record's own");
}

#[test]
fn a_chain_of_types_is_cut_before_no_parser_can_read_its_schema() {
    let mut components = serde_json::Map::new();
    for index in 0..200 {
        let next = json!({"$ref": format!("#/components/schemas/T{}", index + 1)});
        components.insert(format!("T{index}"), json!({"type": "object", "properties": {"next": next}}));
    }
    components.insert("T200".to_owned(), json!({"type": "object", "properties": {"id": {"type": "integer"}}}));
    let plan = planned(json!({"$ref": "#/components/schemas/T0"}), Value::Object(components));
    let structs = plan.types.iter().filter(|ty| matches!(ty.kind, TypeKind::Struct(_))).count();
    assert_eq!(structs, 29);
    let options = EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) };
    emit(&plan, &options).unwrap();
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
