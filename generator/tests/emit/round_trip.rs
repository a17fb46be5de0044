//! Put beside a generated crate: its records, from JSON to every wire format, read back by other readers.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;
use every_thing::models::{Event, Option as Kind, Pet, Text as Anything};
use every_thing::operations::{EveryEvent, Outer};
use headwater_runtime::codegen::serde::Deserialize;
use headwater_runtime::codegen::{Record, TypedOperation};
use headwater_runtime::format::{OutputFormat, write};
use prost::Message as _;
use serde_json::{Value, json};

/// What prost makes of the emitted Protobuf schemas.
#[allow(dead_code, reason = "it is what was asked for: whether it compiles")]
mod protobuf {
    include!("every_thing.rs");
}

const EVENT: &str = r#"{
    "boolean": true, "int32": -7, "int64": 9007199254740993, "number": 1e-3, "string": "é\n",
    "date": "1970-01-03", "date_time": "1970-01-01T00:00:01Z", "uuid": "6f2f1b9e-6ec0-4f3c-8a5e-1d2c3b4a5968",
    "base64": "aGk=", "json": {"any": [1, null]}, "maybe_int64": null, "maybe_date": "1970-01-02",
    "type": "a b", "@odd \"name\"": "new", "value": "self",
    "maybe_value": {"children": [{"children": []}], "value": [null, "x"], "parent": {"children": []}},
    "values": [null, true, 2.5, "\"quoted\"", ["y"]],
    "flag_or_count": 3, "maybe_flag_or_count": false, "empty": {"unknown": 1}, "matrix": [[1, 2], []],
    "counts": {"a": 1, "b": null}, "by_name": {"c": true}, "pet": {"kind": "DOG", "undeclared": "u", "extra": 4},
    "not in the document": {"x": [1]}
}"#;

fn event() -> Event<'static> {
    serde_json::from_str(EVENT).unwrap()
}

fn written(format: OutputFormat) -> Vec<u8> {
    let mut out = Vec::new();
    write(format, &event(), &mut out);
    out
}

/// An Avro value as JSON, without what is null.
fn plain(value: &Avro) -> Value {
    match value {
        Avro::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), plain(value)));
            Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
        }
        Avro::Union(_, value) => plain(value),
        Avro::Map(entries) => Value::Object(entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        Avro::Array(items) => items.iter().map(plain).collect(),
        Avro::Null => Value::Null,
        Avro::Long(value) | Avro::TimestampMillis(value) => json!(value),
        Avro::Int(value) | Avro::Date(value) => json!(value),
        Avro::Double(value) => json!(value),
        Avro::Boolean(value) => json!(value),
        Avro::String(value) => json!(value),
        Avro::Uuid(value) => json!(value.to_string()),
        Avro::Bytes(value) => json!(value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_value_reads_back_from_avro() {
    let bytes = written(OutputFormat::Avro);
    let schema = Schema::parse_str(<Event<'_> as Record<'_>>::AVRO_SCHEMA).unwrap();
    let mut rest = bytes.as_slice();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "the reader left {} bytes", rest.len());
    assert_eq!(
        plain(&value),
        json!({
            "boolean": true, "int32": -7, "int64": 9_007_199_254_740_993_i64, "number": 1e-3, "string": "é\n",
            "date": 2, "date_time": 1000, "uuid": "6f2f1b9e-6ec0-4f3c-8a5e-1d2c3b4a5968", "base64": [104, 105],
            "json": r#"{"any": [1, null]}"#, "maybe_date": 1, "type": "a b", "odd_name": "new", "value": "self",
            "maybe_value": {"children": [{"children": []}], "value": [null, "x"], "parent": {"children": []}},
            "values": [null, true, 2.5, "\"quoted\"", ["y"]],
            "flag_or_count": 3, "maybe_flag_or_count": false, "empty": {}, "matrix": [[1, 2], []],
            "counts": {"a": 1, "b": null}, "by_name": {"c": true},
            "pet": {"kind": "DOG", "undeclared": "u", "additional_properties": {"extra": 4}},
            "unmapped": {"/empty/unknown": "1", "/not in the document": "{\"x\": [1]}"},
        })
    );
}

#[test]
fn every_kind_of_value_reads_back_from_protobuf() {
    use protobuf::event as inner;
    let event = protobuf::Event::decode(written(OutputFormat::Protobuf).as_slice()).unwrap();
    assert_eq!((event.boolean, event.int32, event.int64), (Some(true), Some(-7), Some(9_007_199_254_740_993)));
    assert_eq!((event.number, event.string.as_deref()), (Some(1e-3), Some("é\n")));
    assert_eq!(event.date_time.as_ref().map(|time| (time.seconds, time.nanos)), Some((1, 0)));
    assert_eq!((event.base64.as_deref(), event.maybe_int64), (Some(&b"hi"[..]), None));
    assert_eq!(event.odd_name.as_deref(), Some("new"));
    let values: Vec<_> = event.values.iter().map(|value| value.value.clone().and_then(|value| value.value)).collect();
    assert!(matches!(
        values.as_slice(),
        [
            None,
            Some(inner::text::Value::Flag(true)),
            Some(inner::text::Value::Number(2.5)),
            Some(inner::text::Value::Kind(_)),
            Some(inner::text::Value::List(_)),
        ]
    ));
    let matrix: Vec<_> = event.matrix.iter().map(|row| row.value.clone()).collect();
    assert_eq!(matrix, [vec![1, 2], vec![]]);
    assert_eq!(event.counts["a"].value, Some(1));
    assert_eq!(event.counts["b"].value, None);
    let Some(inner::pet::Value::Dog(dog)) = event.pet.unwrap().value else { panic!("a dog") };
    assert_eq!(dog.additional_properties["extra"], 4);
    assert_eq!(event.unmapped["/empty/unknown"], "1");
}

#[test]
fn json_comes_out_as_it_went_in() {
    let sent: Value = serde_json::from_str(EVENT).unwrap();
    for format in [OutputFormat::Json, OutputFormat::JsonSchema] {
        assert_eq!(serde_json::from_slice::<Value>(&written(format)).unwrap(), sent, "{format:?}");
    }
}

#[test]
fn values_that_are_not_listed_are_kept() {
    let event = event();
    assert_eq!(event.r#type.get(), Some(&Kind::AB));
    assert!(matches!(event.odd_name.get(), Some(Kind::Unknown(text)) if text.as_str() == "new"));
    assert_eq!(event.value.get(), Some(&Anything::Kind(Kind::Self_)));
    assert!(matches!(event.pet.get(), Some(Pet::Dog(_))));
    let error = serde_json::from_str::<every_thing::models::FlagOrCount>("\"x\"").unwrap_err();
    assert!(error.to_string().starts_with("the value is of no branch"), "{error}");
}

fn read<'a, R: Deserialize<'a>>(json: &'a str) -> R {
    serde_json::from_str(json).unwrap()
}

#[test]
fn keys_and_offsets_are_found() {
    let key = |json: &str| {
        let mut key = Vec::new();
        Outer::key(&read(json), &mut key).then(|| String::from_utf8(key).unwrap())
    };
    let inner = r#""inner": {"number": 1}"#;
    assert_eq!(key(&format!(r#"{{{inner}}}"#)), None);
    assert_eq!(key(&format!(r#"{{{inner}, "middle": {{"inner": {{"number": 2}}}}}}"#)), None);
    assert_eq!(
        key(&format!(r#"{{{inner}, "middle": {{"inner": {{"code": "z", "number": 2}}}}}}"#)).as_deref(),
        Some("z")
    );
    let outer = format!(r#"{{{inner}, "middle": {{"at": "1970-01-01T00:00:02Z"}}}}"#);
    assert_eq!(Outer::timestamp(&read(&outer)), Some(2000));
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
