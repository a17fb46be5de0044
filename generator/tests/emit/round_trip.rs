//! Put beside a generated crate: its records, from JSON to Avro, read back by another reader.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use every_thing::models::{Event, Option as Kind, Text as Anything};
use every_thing::operations::{EveryEvent, Outer};
use headwater_runtime::codegen::{Deserialize, Record, TypedOperation, avro};

fn read_back<'a, R: Record + Deserialize<'a>>(json: &'a str) -> Value {
    let record: R = serde_json::from_str(json).unwrap();
    let mut out = avro::Writer::default();
    record.encode(&mut out).unwrap();
    let schema = Schema::parse_str(R::AVRO_SCHEMA).unwrap();
    let mut bytes = out.bytes();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut bytes).unwrap();
    assert!(bytes.is_empty(), "the reader left {} bytes", bytes.len());
    value
}

const EVENT: &str = r#"{
    "boolean": true, "int32": -7, "int64": 9007199254740993, "float": 0.5, "double": 1e-3, "string": "é\n",
    "date": "1970-01-03", "date_time": "1970-01-01T00:00:01Z", "uuid": "6f2f1b9e-6ec0-4f3c-8a5e-1d2c3b4a5968",
    "base64": "aGk=", "json": {"any": [1, null]}, "maybe_int64": null, "maybe_date": "1970-01-02",
    "type": "a b", "@odd \"name\"": "new", "value": "self",
    "maybe_value": {"children": [{"children": []}], "value": [null, "x"], "parent": {"children": []}},
    "values": [null, true, 2.5, "\"quoted\"", ["y"]],
    "flag_or_count": 3, "maybe_flag_or_count": false, "empty": {"unknown": 1}, "matrix": [[1, 2], []],
    "counts": {"a": 1, "b": null}, "by_name": {"c": true}, "not in the document": {"x": [1]}
}"#;

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let Value::Record(fields) = value else { panic!("a record: {value:?}") };
    &fields.iter().find(|(field, _)| field == name).unwrap().1
}

fn branch(index: u32, value: Value) -> Value {
    Value::Union(index, Box::new(value))
}

#[test]
fn every_kind_of_value_reads_back() {
    let event = read_back::<Event>(EVENT);
    let text = |text: &str| Value::String(text.to_owned());
    for (name, expected) in [
        ("boolean", Value::Boolean(true)),
        ("int32", Value::Int(-7)),
        ("int64", Value::Long(9_007_199_254_740_993)),
        ("float", Value::Float(0.5)),
        ("double", Value::Double(1e-3)),
        ("string", text("é\n")),
        ("date", Value::Date(2)),
        ("date_time", Value::TimestampMillis(1000)),
        ("base64", Value::Bytes(b"hi".to_vec())),
        ("json", text(r#"{"any": [1, null]}"#)),
        ("maybe_boolean", branch(0, Value::Null)),
        ("maybe_int64", branch(0, Value::Null)),
        ("maybe_date", branch(1, Value::Date(1))),
        ("type", text("a b")),
        ("odd_name", branch(1, text("new"))),
        ("value", branch(2, text("self"))),
        (
            "values",
            Value::Array(vec![
                branch(0, Value::Null),
                branch(1, Value::Boolean(true)),
                branch(2, Value::Double(2.5)),
                branch(3, text("\"quoted\"")),
                branch(4, Value::Array(vec![branch(1, text("y"))])),
            ]),
        ),
        ("node", branch(0, Value::Null)),
        ("flag_or_count", branch(1, Value::Int(3))),
        ("maybe_flag_or_count", branch(1, Value::Boolean(false))),
        ("empty", branch(1, Value::Record(vec![]))),
        ("matrix", Value::Array(vec![Value::Array(vec![Value::Long(1), Value::Long(2)]), Value::Array(vec![])])),
        (
            "counts",
            Value::Map([("a".to_owned(), branch(1, Value::Long(1))), ("b".to_owned(), branch(0, Value::Null))].into()),
        ),
        ("by_name", branch(1, Value::Map([("c".to_owned(), branch(0, Value::Boolean(true)))].into()))),
    ] {
        assert_eq!(field(&event, name), &expected, "{name}");
    }
    let Value::Union(5, node) = field(&event, "maybe_value") else { panic!("the node") };
    let strings = Value::Array(vec![branch(0, Value::Null), branch(1, text("x"))]);
    assert_eq!(field(node, "value"), &branch(4, strings));
    assert!(matches!(field(node, "parent"), Value::Union(1, _)));
    assert!(matches!(field(node, "children"), Value::Array(children) if children.len() == 1));
}

#[test]
fn values_that_are_not_listed_are_kept() {
    let event: Event = serde_json::from_str(EVENT).unwrap();
    assert_eq!(event.r#type, Kind::AB);
    assert_eq!(event.odd_name.as_ref().unwrap().as_str(), "new");
    assert!(matches!(&event.odd_name, Some(Kind::Unknown(text)) if text.as_str() == "new"));
    assert_eq!(event.value, Anything::Kind(Kind::Self_));
    let error = serde_json::from_str::<every_thing::models::FlagOrCount>("\"x\"").unwrap_err();
    assert!(error.to_string().starts_with("expected a boolean or an integer"), "{error}");
}

#[test]
fn keys_and_offsets_are_found() {
    let key = |json: &str| {
        let mut key = Vec::new();
        let record = serde_json::from_str(json).unwrap();
        Outer::key(&record, &mut key).then(|| String::from_utf8(key).unwrap())
    };
    let inner = r#""inner": {"number": 1}"#;
    assert_eq!(key(&format!(r#"{{{inner}}}"#)), None);
    assert_eq!(key(&format!(r#"{{{inner}, "middle": {{"inner": {{"number": 2}}}}}}"#)), None);
    assert_eq!(
        key(&format!(r#"{{{inner}, "middle": {{"inner": {{"code": "z", "number": 2}}}}}}"#)).as_deref(),
        Some("z")
    );
    let outer = format!(r#"{{{inner}, "middle": {{"at": "1970-01-01T00:00:02Z"}}}}"#);
    assert_eq!(Outer::timestamp(&serde_json::from_str(&outer).unwrap()), Some(2000));
}

#[test]
fn a_request_holds_its_parameters() {
    let operation = EveryEvent::new("t/1", -3, ["a", "b"], true, [1, 2], 0.5, "x", 9, [7, 8])
        .r#type("y")
        .texts(["p", "q"])
        .deep([("a", "b c")])
        .flat([("k", "v")])
        .x_object([("k", "v w")])
        .filter("{}")
        .session("s 1")
        .reserved("a/b&c");
    let request = format!("{:?}", operation.request());
    for part in [
        r#"path: "/tenants/t%2F1/-3/a,b;matrix=7;matrix=8/events""#,
        r#"("required_ids", "1"), ("required_ids", "2")"#,
        r#"("type", "y")"#,
        r#"("texts", "p%7Cq"), ("deep[a]", "b%20c"), ("flat", "k,v")"#,
        r#"("X-Object", "k=v w")"#,
        r#"("filter", "%7B%7D")"#,
        r#"("Cookie", "session=s%201")"#,
        r#"("reserved", "a/b%26c")"#,
        r#"("required_ratio", "0.5")"#,
    ] {
        assert!(request.contains(part), "{part} in {request}");
    }
    assert!(!request.contains("unset") && !request.contains("X-Trace"), "{request}");
    let _ = every_thing::connector();
}
