//! Plans by hand: a small connector as people have them, and one that has everything there is.

use headwater::plan::FieldNumbers;
use headwater::plan::model::*;
use serde_json::json;

/// Collects types and hands out their ids.
#[derive(Default)]
struct Types(Vec<Type>);

impl Types {
    fn add(&mut self, doc: Option<&str>, borrows: bool, kind: TypeKind) -> TypeId {
        self.0.push(Type { doc: doc.map(str::to_owned), kind, borrows });
        TypeId(self.0.len() - 1)
    }

    fn scalar(&mut self, scalar: Scalar) -> TypeId {
        use Scalar::*;
        let borrows = !matches!(scalar, Boolean | Int32 | Int64);
        self.add(None, borrows, TypeKind::Scalar(scalar))
    }

    fn list(&mut self, item: Element) -> TypeId {
        let borrows = self.0[item.ty.0].borrows;
        self.add(None, borrows, TypeKind::List(item))
    }

    fn map(&mut self, value: Element) -> TypeId {
        self.add(None, true, TypeKind::Map(value))
    }
}

fn names(rust: &str, module: &str) -> TypeNames {
    TypeNames { rust: rust.to_owned(), module: module.to_owned(), avro: rust.to_owned() }
}

fn some(ty: TypeId) -> Element {
    Element { ty, optional: true }
}

fn one(ty: TypeId) -> Element {
    Element { ty, optional: false }
}

fn field(name: &str, element: Element) -> Field {
    Field {
        wire_name: name.to_owned(),
        rust_name: name.to_owned(),
        avro_name: name.to_owned(),
        proto_name: name.to_owned(),
        number: 0,
        doc: None,
        element,
        boxed: false,
    }
}

fn structure(names: TypeNames, fields: Vec<Field>) -> TypeKind {
    TypeKind::Struct(StructType { names, fields, additional: None, undeclared: "undeclared".to_owned() })
}

/// The branches of a union: name, discriminator values and type.
fn union(names: TypeNames, discriminator: Option<&str>, variants: &[(&str, &[&str], TypeId)]) -> TypeKind {
    let variants = variants.iter().map(|&(rust_name, tags, ty)| UnionVariant {
        rust_name: rust_name.to_owned(),
        proto_name: rust_name.to_lowercase(),
        number: 0,
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        ty,
    });
    TypeKind::Union(UnionType { names, discriminator: discriminator.map(str::to_owned), variants: variants.collect() })
}

/// The types with field numbers.
fn numbered(mut types: Vec<Type>) -> Vec<Type> {
    for ty in &mut types {
        match &mut ty.kind {
            TypeKind::Struct(ty) => {
                (1..).zip(&mut ty.fields).for_each(|(number, field)| field.number = number);
                ty.additional.iter_mut().for_each(|additional| additional.number = 1_000);
            }
            TypeKind::Union(ty) => (1..).zip(&mut ty.variants).for_each(|(number, variant)| variant.number = number),
            _ => {}
        }
    }
    types
}

fn path(pointer: &str, steps: &[&str], scalar: Scalar) -> FieldPath {
    let steps = steps.iter().map(|&rust_name| FieldStep { rust_name: rust_name.to_owned() });
    FieldPath { pointer: pointer.to_owned(), steps: steps.collect(), scalar }
}

fn parameter(name: &str, location: ParameterLocation, ty: ParameterType) -> ParameterPlan {
    ParameterPlan {
        wire_name: name.to_owned(),
        rust_name: name.to_owned(),
        doc: None,
        location,
        ty,
        style: location.style(),
        required: false,
        value: None,
    }
}

fn stream(operation_id: &str, rust_name: &str, module: &str, path: &str, record: TypeId) -> StreamPlan {
    StreamPlan {
        operation_id: operation_id.to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        summary: None,
        description: None,
        rust_name: rust_name.to_owned(),
        module: module.to_owned(),
        topic: operation_id.to_owned(),
        record,
        records: String::new(),
        records_required: true,
        body: None,
        parameters: Vec::new(),
        key: None,
        timestamp: None,
        offset: None,
        backfill: None,
        pagination: PaginationPlan::None,
        is_single: false,
        lines: None,
        page_size_parameter: None,
        auth: Vec::new(),
        parent: None,
        children: Vec::new(),
        rate_limit: None,
        interval_ms: 60_000,
        writes_changes: false,
        redact: Vec::new(),
        is_hooked: false,
        inferences: Vec::new(),
    }
}

fn document(file: &str, title: &str, description: Option<&str>) -> DocumentFacts {
    DocumentFacts {
        file: file.to_owned(),
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        title: title.to_owned(),
        version: "1.2.3".to_owned(),
        description: description.map(str::to_owned),
        part: json!({ "openapi": "3.0.3", "info": { "title": title, "version": "1.2.3" }, "paths": {} }),
    }
}

/// A connector as people have them.
pub(crate) fn tickets() -> ConnectorPlan {
    use ParameterLocation::*;
    let mut types = Types::default();
    let (integer, text) = (types.scalar(Scalar::Int64), types.scalar(Scalar::String));
    let time = types.scalar(Scalar::DateTime);
    let state = TypeKind::Enum(EnumType {
        names: names("TicketState", "ticket_state"),
        values: [("open", "Open"), ("closed", "Closed")]
            .map(|(wire_name, rust_name)| EnumValue {
                wire_name: wire_name.to_owned(),
                rust_name: rust_name.to_owned(),
            })
            .into(),
    });
    let state = types.add(Some("Where a ticket stands."), true, state);
    let fields = vec![field("id", one(integer)), field("login", one(text))];
    let user = types.add(None, true, structure(names("User", "user"), fields));
    let labels = types.list(one(text));
    let fields = vec![
        Field { doc: Some("Number of the ticket.".to_owned()), ..field("id", one(integer)) },
        field("state", one(state)),
        field("title", one(text)),
        field("author", some(user)),
        field("labels", one(labels)),
        Field { doc: Some("When anything last changed.".to_owned()), ..field("updated_at", one(time)) },
    ];
    let kind = structure(names("Ticket", "ticket"), fields);
    let ticket = types.add(Some("Something to be done."), true, kind);
    let string = ParameterType::One(ParameterScalar::String);
    let list = StreamPlan {
        summary: Some("List tickets".to_owned()),
        description: Some("Lists the tickets of a project, those last updated first.".to_owned()),
        topic: "tickets".to_owned(),
        parameters: vec![
            ParameterPlan {
                doc: Some("The project.".to_owned()),
                required: true,
                value: Some(ParameterValue::Config("project".to_owned())),
                ..parameter("project", Path, string)
            },
            ParameterPlan {
                doc: Some("Only tickets in this state.".to_owned()),
                value: Some(ParameterValue::Literal(json!("all"))),
                ..parameter("state", Query, string)
            },
            ParameterPlan {
                doc: Some("Tickets per page.".to_owned()),
                value: Some(ParameterValue::Literal(json!(100))),
                ..parameter("per_page", Query, ParameterType::One(ParameterScalar::Int64))
            },
        ],
        key: Some(path("/id", &["id"], Scalar::Int64)),
        timestamp: Some(path("/updated_at", &["updated_at"], Scalar::DateTime)),
        offset: Some(OffsetPlan {
            mode: OffsetMode::Timestamp,
            field: path("/updated_at", &["updated_at"], Scalar::DateTime),
            parameter: "since".into(),
            initial: Some("2024-01-01T00:00:00Z".to_owned()),
            lookback_ms: None,
        }),
        backfill: Some(BackfillPlan {
            until: "before".into(),
            start: Some("2020-01-01".to_owned()),
            end: None,
            step: Some("P1M".to_owned()),
        }),
        pagination: PaginationPlan::LinkHeader,
        ..stream("tickets/list", "ListTickets", "list_tickets", "/projects/{project}/tickets", ticket)
    };
    let description = "The project.".to_owned();
    ConnectorPlan {
        name: "tickets".to_owned(),
        document: document("tickets.yaml", "Tickets API", Some("Tickets of projects.")),
        base_url: Some("https://tickets.example/api".to_owned()),
        parameters: [("project".to_owned(), ConfigParameter { description })].into(),
        types: numbered(types.0),
        numbers: FieldNumbers::default(),
        streams: vec![list],
    }
}

/// Everything that a plan can hold, under the names that hurt.
pub(crate) fn everything() -> ConnectorPlan {
    let mut types = Types::default();
    let event = event(&mut types);
    let plain = plain(&mut types);
    let config =
        |name: &str, description: &str| (name.to_owned(), ConfigParameter { description: description.to_owned() });
    ConnectorPlan {
        name: "every-thing".to_owned(),
        document: document(
            "every thing.json",
            "Every \"Thing\" [API]",
            Some("See https://every.example/docs.\n\n# Notes\n\n- a `Vec<T>`\n- an [item]\n\n```rust\npanic!()\n```\n"),
        ),
        base_url: None,
        parameters: [
            config("flag", "Whether | or not, see https://every.example."),
            config("ids", "Some [ids]."),
            config("ratio", "Some \"ratio\"."),
            config("object", "The object."),
            config("session", "The session."),
            config("tenant", "The tenant."),
        ]
        .into(),
        types: numbered(types.0),
        numbers: FieldNumbers::default(),
        streams: streams(event, plain),
    }
}

/// A record of every kind of type.
fn event(types: &mut Types) -> TypeId {
    let scalars = [
        ("boolean", Scalar::Boolean),
        ("int32", Scalar::Int32),
        ("int64", Scalar::Int64),
        ("number", Scalar::Number),
        ("string", Scalar::String),
        ("date", Scalar::Date),
        ("date_time", Scalar::DateTime),
        ("uuid", Scalar::Uuid),
        ("base64", Scalar::Base64),
        ("json", Scalar::Json),
    ]
    .map(|(name, scalar)| (name, types.scalar(scalar)));
    let of = |name: &str| scalars.iter().find(|(other, _)| *other == name).unwrap().1;

    let values = [("a b", "AB"), ("\"quoted\"", "Quoted"), ("", "Empty"), ("self", "Self_")]
        .map(|(wire_name, rust_name)| EnumValue { wire_name: wire_name.to_owned(), rust_name: rust_name.to_owned() });
    let kind = EnumType { names: names("Option", "option"), values: values.into() };
    let kind = types.add(Some("One of <b>these</b>."), true, TypeKind::Enum(kind));

    // A union of every kind of JSON value, under a name of the runtime. It reaches itself through `Node`.
    let texts = types.list(some(of("string")));
    let union = TypeId(types.0.len());
    let node = TypeId(union.0 + 1);
    let kind_of_union = self::union(
        names("Text", "text"),
        None,
        &[
            ("Flag", &[], of("boolean")),
            ("Number", &[], of("number")),
            ("Kind", &[], kind),
            ("List", &[], texts),
            ("Node", &[], node),
        ],
    );
    assert_eq!(types.add(None, true, kind_of_union), union);
    let children = TypeId(node.0 + 1);
    let fields = vec![
        Field { boxed: true, ..field("parent", some(node)) },
        field("children", one(children)),
        Field { boxed: true, ..field("value", some(union)) },
    ];
    let kind_of_node = structure(names("Record", "record"), fields);
    assert_eq!(types.add(Some("A node that holds nodes."), true, kind_of_node), node);
    assert_eq!(types.list(one(node)), children);

    // A union that owns all it holds, and a record without fields.
    let owned = self::union(
        names("FlagOrCount", "flag_or_count"),
        None,
        &[("Yes", &[], of("boolean")), ("Count", &[], of("int32"))],
    );
    let owned = types.add(None, false, owned);

    // Objects, told apart by a discriminator, one of them with fields whose names are data.
    let cat = structure(names("Cat", "cat"), vec![field("kind", one(of("string"))), field("lives", one(of("int32")))]);
    let cat = types.add(None, true, cat);
    let dog = TypeKind::Struct(StructType {
        names: names("Dog", "dog"),
        fields: vec![field("kind", one(of("string"))), field("undeclared", some(of("string")))],
        additional: Some(AdditionalFields {
            rust_name: "additional_properties".to_owned(),
            avro_name: "additional_properties".to_owned(),
            proto_name: "additional_properties".to_owned(),
            number: 0,
            element: one(of("int64")),
        }),
        undeclared: "undeclared_2".to_owned(),
    });
    let dog = types.add(None, true, dog);
    let pet = self::union(names("Pet", "pet"), Some("kind"), &[("Cat", &["cat"], cat), ("Dog", &["dog", "DOG"], dog)]);
    let pet = types.add(None, true, pet);
    let empty = types.add(None, true, structure(names("Empty", "empty"), Vec::new()));

    let optional_unions = types.list(some(union));
    let lists_of_lists = {
        let inner = types.list(one(of("int64")));
        types.list(one(inner))
    };
    let counts = types.map(some(of("int64")));
    let unions_by_name = types.map(one(owned));

    let mut fields: Vec<_> = scalars.iter().map(|&(name, ty)| field(name, one(ty))).collect();
    fields.extend(scalars.iter().map(|&(name, ty)| field(&format!("maybe_{name}"), some(ty))));
    fields.extend([
        Field { rust_name: "r#type".to_owned(), ..field("type", one(kind)) },
        Field {
            wire_name: "@odd \"name\"".to_owned(),
            doc: Some("Odd: `[x]`, [y], <z>,\n    indented\thttps://every.example/a_b_c.\n\u{202e}".to_owned()),
            ..field("odd_name", some(kind))
        },
        field("value", one(union)),
        field("maybe_value", some(union)),
        field("values", one(optional_unions)),
        field("node", some(node)),
        field("flag_or_count", one(owned)),
        field("maybe_flag_or_count", some(owned)),
        field("empty", some(empty)),
        field("matrix", one(lists_of_lists)),
        field("counts", one(counts)),
        field("by_name", some(unions_by_name)),
        field("pet", some(pet)),
    ]);
    let kind = structure(names("Event", "event"), fields);
    types.add(Some("Anything that happens.\n\nMore of it."), true, kind)
}

/// A record that does not borrow, whose key stands deep inside.
fn plain(types: &mut Types) -> TypeId {
    let (number, flag) = (types.scalar(Scalar::Int64), types.scalar(Scalar::Boolean));
    let values = vec![EnumValue { wire_name: "x".to_owned(), rust_name: "X".to_owned() }];
    let code = types.add(None, true, TypeKind::Enum(EnumType { names: names("Code", "code"), values }));
    let fields = vec![field("code", some(code)), field("number", one(number)), field("flag", some(flag))];
    let inner = types.add(None, true, structure(names("Inner", "inner"), fields));
    let time = types.scalar(Scalar::DateTime);
    let fields = vec![Field { boxed: true, ..field("inner", some(inner)) }, field("at", some(time))];
    let middle = types.add(None, true, structure(names("Middle", "middle"), fields));
    let fields = vec![field("middle", some(middle)), field("inner", one(inner))];
    types.add(None, true, structure(names("Outer", "outer"), fields))
}

fn streams(event: TypeId, plain: TypeId) -> Vec<StreamPlan> {
    let code = path("/middle/inner/code", &["middle", "inner", "code"], Scalar::String);
    let at = path("/middle/at", &["middle", "at"], Scalar::DateTime);
    let event_time = path("/maybe_date_time", &["maybe_date_time"], Scalar::DateTime);
    vec![
        StreamPlan {
            summary: Some("Every event".to_owned()),
            records: "/data/~1events".to_owned(),
            records_required: false,
            parameters: parameters(),
            key: Some(path("/type", &["r#type"], Scalar::String)),
            timestamp: Some(event_time.clone()),
            offset: Some(OffsetPlan {
                mode: OffsetMode::Cursor,
                field: path("/int64", &["int64"], Scalar::Int64),
                parameter: "after".into(),
                initial: None,
                lookback_ms: Some(90_000),
            }),
            pagination: PaginationPlan::Cursor { pointer: "/next".into(), parameter: "cursor".into(), initial: None },
            interval_ms: 5_000,
            ..stream(
                "every/event",
                "EveryEvent",
                "every_event",
                "/tenants/{tenant}/{number}/{list}{matrix}/events",
                event,
            )
        },
        StreamPlan {
            description: Some("Outer ones, by offset.".to_owned()),
            key: Some(code.clone()),
            timestamp: Some(at.clone()),
            offset: Some(OffsetPlan {
                mode: OffsetMode::Timestamp,
                field: at,
                parameter: "since".into(),
                initial: None,
                lookback_ms: None,
            }),
            pagination: PaginationPlan::Offset {
                parameter: "offset".into(),
                limit: Some(50),
                until: Until::Records("/total".into()),
            },
            ..stream("outer", "Outer", "outer", "/outer", plain)
        },
        StreamPlan {
            key: Some(path("/inner/flag", &["inner", "flag"], Scalar::Boolean)),
            offset: Some(OffsetPlan {
                mode: OffsetMode::Cursor,
                field: code,
                parameter: "since".into(),
                initial: Some("x".to_owned()),
                lookback_ms: None,
            }),
            pagination: PaginationPlan::Page {
                parameter: TokenIn { place: TokenPlace::Header, name: "X-Page".to_owned(), is_number: false },
                first: 0,
                size: None,
                until: Until::Pages(FoundIn::Header("X-Total-Pages".to_owned())),
            },
            ..stream("pages", "Pages", "pages", "/pages", plain)
        },
        StreamPlan {
            key: Some(path("/inner/number", &["inner", "number"], Scalar::Int64)),
            pagination: PaginationPlan::NextUrl {
                pointer: "/links/next".into(),
                delta: Some("/links/changes".to_owned()),
            },
            ..stream("urls", "Urls", "r#loop", "/urls", plain)
        },
        StreamPlan {
            records: "/data".to_owned(),
            key: Some(path("/inner/number", &["inner", "number"], Scalar::Int64)),
            pagination: PaginationPlan::LastRecord {
                parameter: "starting_after".into(),
                has_more: Some("/has_more".to_owned()),
            },
            writes_changes: true,
            ..stream("last", "Last", "last", "/last", plain)
        },
        search(path("/inner/number", &["inner", "number"], Scalar::Int64), plain),
        StreamPlan {
            method: "POST".to_owned(),
            body: Some(BodyPlan::Form),
            parameters: members(),
            pagination: PaginationPlan::Page {
                parameter: TokenIn { place: TokenPlace::Body, name: "/page".to_owned(), is_number: false },
                first: 1,
                size: None,
                until: Until::EmptyPage,
            },
            ..stream("form", "Form", "form", "/form", plain)
        },
        stream("once", "Vec", "vec", "/once", event),
    ]
}

/// One that is asked for in a body.
fn search(number: FieldPath, record: TypeId) -> StreamPlan {
    let within = |name: &str, is_number| TokenIn { place: TokenPlace::Body, name: name.to_owned(), is_number };
    StreamPlan {
        method: "POST".to_owned(),
        body: Some(BodyPlan::Json("application/vnd.api+json".to_owned())),
        parameters: members(),
        key: Some(number.clone()),
        offset: Some(OffsetPlan {
            mode: OffsetMode::Cursor,
            field: number,
            parameter: within("/above", true),
            initial: Some("0".to_owned()),
            lookback_ms: None,
        }),
        pagination: PaginationPlan::Cursor {
            pointer: "/next".into(),
            parameter: within("/page/after", false),
            initial: None,
        },
        ..stream("search", "Search", "search", "/search", record)
    }
}

/// What a body has, of every type.
fn members() -> Vec<ParameterPlan> {
    use ParameterScalar::{Boolean, Double, Int32, Int64, Json};
    let member = |name: &str, ty, value| ParameterPlan { value, ..parameter(name, ParameterLocation::Body, ty) };
    let list = |item| ParameterType::List { item };
    let literal = |value| Some(ParameterValue::Literal(value));
    vec![
        ParameterPlan {
            required: true,
            ..member("query", ParameterType::One(ParameterScalar::String), literal(json!("a \"b\"")))
        },
        ParameterPlan { required: true, ..member("filter", ParameterType::One(Json), literal(json!("{\"a\":[1]}"))) },
        member("sort", ParameterType::One(Json), None),
        member("flag", ParameterType::One(Boolean), literal(json!(true))),
        member("int32", ParameterType::One(Int32), None),
        member("int64", ParameterType::One(Int64), literal(json!(7))),
        member("ratio", ParameterType::One(Double), literal(json!(3))),
        member("texts", list(ParameterScalar::String), literal(json!(["a", "b"]))),
        member("numbers", list(Int64), None),
    ]
}

/// Parameters of every type in every place.
fn parameters() -> Vec<ParameterPlan> {
    use ParameterLocation::*;
    use ParameterScalar::*;
    use StyleKind::*;
    let list = |item| ParameterType::List { item };
    let styled = |kind, explode, plan: ParameterPlan| ParameterPlan {
        style: ParameterStyle { kind, explode, allow_reserved: false },
        ..plan
    };
    let literal = |value| Some(ParameterValue::Literal(value));
    let config = |name: &str| Some(ParameterValue::Config(name.to_owned()));
    let required = |name: &str, location, ty, value| ParameterPlan {
        required: true,
        value,
        doc: Some(format!("The {name}; see [docs].\n\nMore.")),
        ..parameter(name, location, ty)
    };
    let optional = |name: &str, location, ty, value| ParameterPlan { value, ..parameter(name, location, ty) };
    vec![
        required("tenant", Path, ParameterType::One(String), config("tenant")),
        required("number", Path, ParameterType::One(Int32), literal(json!(-3))),
        required("list", Path, list(String), literal(json!(["a", "b"]))),
        required("required_flag", Query, ParameterType::One(Boolean), config("flag")),
        required("required_ids", Query, list(Int64), config("ids")),
        required("required_ratio", Header, ParameterType::One(Double), config("ratio")),
        required("required_text", Query, ParameterType::One(String), literal(json!("it's \"quoted\""))),
        required("required_big", Query, ParameterType::One(Int64), literal(json!(9_007_199_254_740_993_i64))),
        ParameterPlan {
            rust_name: "r#type".to_owned(),
            ..optional("type", Query, ParameterType::One(String), literal(json!("x")))
        },
        optional("flag", Query, ParameterType::One(Boolean), literal(json!(true))),
        optional("int32", Query, ParameterType::One(Int32), None),
        optional("int64", Header, ParameterType::One(Int64), literal(json!(7))),
        optional("ratio", Query, ParameterType::One(Double), literal(json!(3))),
        optional("pi", Query, ParameterType::One(Double), literal("3.14".parse().unwrap())),
        styled(PipeDelimited, false, optional("texts", Query, list(String), literal(json!(["a", "b"])))),
        styled(Matrix, true, required("matrix", Path, list(Int32), literal(json!([1])))),
        styled(
            DeepObject,
            true,
            optional("deep", Query, ParameterType::Object, literal(json!({"a": "1", "b": "x y"}))),
        ),
        styled(Form, false, optional("flat", Query, ParameterType::Object, literal(json!({})))),
        styled(
            Simple,
            true,
            ParameterPlan {
                rust_name: "x_object".to_owned(),
                ..optional("X-Object", Header, ParameterType::Object, config("object"))
            },
        ),
        optional("filter", Query, ParameterType::One(Json), literal(json!("{\"a\":1}"))),
        optional("session", Cookie, ParameterType::One(String), config("session")),
        ParameterPlan {
            style: ParameterStyle { allow_reserved: true, ..Query.style() },
            ..optional("reserved", Query, ParameterType::One(String), literal(json!("a/b")))
        },
        optional("numbers", Query, list(Double), literal(json!([1, 2.5]))),
        optional("none", Query, list(Int32), literal(json!([]))),
        optional("unset", Query, list(String), None),
        optional("names", Header, list(String), config("ids")),
        ParameterPlan {
            rust_name: "x_trace".to_owned(),
            ..optional("X-Trace", Header, ParameterType::One(String), None)
        },
    ]
}
