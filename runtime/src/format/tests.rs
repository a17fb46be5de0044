//! What real APIs send, through every format, read back by other readers.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use DriftKind::{Coerced, Misfit, Missing, Null, Undeclared as Extra, Unlisted};

use super::{OutputFormat, write};
use crate::codegen::{Object, OpenEnum, Union};
use crate::record::{
    Base64, Date, DateTime, Decimal, DecimalNumber, DriftKind, Field, Json, Map, Number, Reading, Record, Text,
    Undeclared, Uuid, Value as _,
};

#[derive(Clone, Debug, PartialEq, OpenEnum)]
enum Color<'page> {
    #[value("red")]
    Red,
    #[value("")]
    Empty,
    Unknown(Text<'page>),
}

#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Cat<'page> {
    #[field(number = 1, required)]
    kind: Field<'page, Text<'page>>,
    #[field(number = 2, required)]
    lives: Field<'page, i64>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Dog<'page> {
    #[field(number = 1, required)]
    kind: Field<'page, Text<'page>>,
    #[field(number = 2)]
    breed: Field<'page, Text<'page>>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

#[derive(Clone, Debug, PartialEq, Union)]
#[union(discriminator = "kind")]
enum Pet<'page> {
    #[branch(Object, number = 1, fields, tags("cat"))]
    Cat(Cat<'page>),
    #[branch(Object, number = 2, fields, tags("dog"))]
    Dog(Dog<'page>),
    #[branch(String, number = 3)]
    Name(Text<'page>),
    #[branch(Array, number = 4)]
    List(Vec<i64>),
}

#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Probe<'page> {
    #[field(number = 1, required)]
    id: Field<'page, i64>,
    #[field(number = 2)]
    small: Field<'page, i32>,
    #[field(number = 3)]
    ratio: Field<'page, Number<'page>>,
    #[field(number = 4, name = "is-on")]
    is_on: Field<'page, bool>,
    #[field(number = 5)]
    name: Field<'page, Text<'page>>,
    #[field(number = 6)]
    color: Field<'page, Color<'page>>,
    #[field(number = 7)]
    at: Field<'page, DateTime<'page>>,
    #[field(number = 8)]
    day: Field<'page, Date<'page>>,
    #[field(number = 9)]
    uuid: Field<'page, Uuid<'page>>,
    #[field(number = 10)]
    bytes: Field<'page, Base64<'page>>,
    #[field(number = 11)]
    any: Field<'page, Json<'page>>,
    #[field(number = 12)]
    pet: Field<'page, Pet<'page>>,
    #[field(number = 13)]
    pets: Field<'page, Vec<Pet<'page>>>,
    #[field(number = 14)]
    node: Field<'page, Node<'page>>,
    #[field(number = 15)]
    matrix: Field<'page, Vec<Vec<i64>>>,
    #[field(number = 16)]
    gaps: Field<'page, Vec<Option<Text<'page>>>>,
    #[field(number = 17)]
    counts: Field<'page, Map<'page, i64>>,
    #[field(number = 18)]
    lists: Field<'page, Map<'page, Vec<Text<'page>>>>,
    #[field(number = 19)]
    typed: Field<'page, Tagged<'page>>,
    #[field(number = 20)]
    price: Field<'page, Decimal<'page, 10, 2>>,
    #[field(number = 21)]
    rate: Field<'page, DecimalNumber<'page, 38, 20>>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Node<'page> {
    #[field(number = 1)]
    id: Field<'page, i64>,
    #[field(number = 2)]
    parent: Field<'page, Box<Node<'page>>>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Tagged<'page> {
    #[field(number = 1)]
    name: Field<'page, Text<'page>>,
    #[field(additional, number = 2)]
    additional: Map<'page, i64>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Probe<'page> {
    const AVRO_SCHEMA: &'static str = r#"{"type": "record", "name": "Probe", "fields": [
        {"name": "id", "type": ["null", "long"]},
        {"name": "small", "type": ["null", "int"]},
        {"name": "ratio", "type": ["null", "double"]},
        {"name": "is_on", "type": ["null", "boolean"]},
        {"name": "name", "type": ["null", "string"]},
        {"name": "color", "type": ["null", "string"]},
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "uuid", "type": ["null", {"type": "string", "logicalType": "uuid"}]},
        {"name": "bytes", "type": ["null", "bytes"]},
        {"name": "any", "type": ["null", "string"]},
        {"name": "pet", "type": ["null",
            {"type": "record", "name": "Cat", "fields": [
                {"name": "kind", "type": ["null", "string"]}, {"name": "lives", "type": ["null", "long"]}]},
            {"type": "record", "name": "Dog", "fields": [
                {"name": "kind", "type": ["null", "string"]}, {"name": "breed", "type": ["null", "string"]}]},
            "string", {"type": "array", "items": "long"}]},
        {"name": "pets", "type": ["null",
            {"type": "array", "items": ["Cat", "Dog", "string", {"type": "array", "items": "long"}]}]},
        {"name": "node", "type": ["null", {"type": "record", "name": "Node", "fields": [
            {"name": "id", "type": ["null", "long"]}, {"name": "parent", "type": ["null", "Node"]}]}]},
        {"name": "matrix", "type": ["null", {"type": "array", "items": {"type": "array", "items": "long"}}]},
        {"name": "gaps", "type": ["null", {"type": "array", "items": ["null", "string"]}]},
        {"name": "counts", "type": ["null", {"type": "map", "values": "long"}]},
        {"name": "lists", "type": ["null", {"type": "map", "values": {"type": "array", "items": "string"}}]},
        {"name": "typed", "type": ["null", {"type": "record", "name": "Tagged", "fields": [
            {"name": "name", "type": ["null", "string"]},
            {"name": "additional", "type": {"type": "map", "values": "long"}}]}]},
        {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}]},
        {"name": "rate", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 20}]},
        {"name": "unmapped", "type": {"type": "map", "values": "string"}}]}"#;
    const PROTOBUF_SCHEMA: &'static str = r#"
        syntax = "proto3";
        import "google/protobuf/timestamp.proto";
        message Probe {
            message Cat { optional string kind = 1; optional int64 lives = 2; }
            message Dog { optional string kind = 1; optional string breed = 2; }
            message Node { optional int64 id = 1; optional Node parent = 2; }
            message Longs { repeated int64 value = 1; }
            message Texts { repeated string value = 1; }
            message MaybeText { optional string value = 1; }
            message Pet { oneof value { Cat cat = 1; Dog dog = 2; string name = 3; Longs list = 4; } }
            message Tagged { optional string name = 1; map<string, int64> additional = 2; }
            optional int64 id = 1;
            optional int32 small = 2;
            optional double ratio = 3;
            optional bool is_on = 4 [json_name = "is-on"];
            optional string name = 5;
            optional string color = 6;
            optional google.protobuf.Timestamp at = 7;
            optional string day = 8;
            optional string uuid = 9;
            optional bytes bytes = 10;
            optional string any = 11;
            optional Pet pet = 12;
            repeated Pet pets = 13;
            optional Node node = 14;
            repeated Longs matrix = 15;
            repeated MaybeText gaps = 16;
            map<string, int64> counts = 17;
            map<string, Texts> lists = 18;
            optional Tagged typed = 19;
            optional string price = 20;
            optional string rate = 21;
            map<string, string> unmapped = 536870911;
        }"#;
    const JSON_SCHEMA: &'static str = "{}";
}

/// A record as the page reads it.
fn read(json: &str) -> Probe<'_> {
    match serde_json::from_str(json) {
        Ok(probe) => probe,
        Err(_) => match Probe::tolerant(serde_json::from_str(json).unwrap()) {
            Reading::Exact(probe) => probe,
            other => panic!("{other:?}"),
        },
    }
}

fn written(format: OutputFormat, json: &str) -> (Vec<u8>, Vec<DriftKind>) {
    let mut out = Vec::new();
    let drift = write(format, &read(json), &mut out);
    (out, drift.into_iter().map(|drift| drift.kind).collect())
}

/// The record as an Avro reader has it: the fields that are not null.
fn as_avro(json: &str) -> Value {
    avro(&written(OutputFormat::Avro, json).0, Probe::AVRO_SCHEMA)
}

fn avro(mut rest: &[u8], schema: &str) -> Value {
    let schema = apache_avro::Schema::parse_str(schema).unwrap();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "the reader left {} bytes", rest.len());
    plain(&value)
}

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
        // Without its point.
        Avro::Decimal(value) => {
            let bytes = Vec::try_from(value).unwrap();
            let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
            json!(bytes.iter().fold(sign, |value: i128, byte| value << 8 | i128::from(*byte)).to_string())
        }
        other => panic!("{other:?}"),
    }
}

/// The record as a Protobuf reader has it, in Protobuf's own JSON.
fn as_protobuf(json: &str) -> Value {
    protobuf(&written(OutputFormat::Protobuf, json).0, Probe::PROTOBUF_SCHEMA, "Probe")
}

fn protobuf(bytes: &[u8], schema: &str, name: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("probe.proto"), schema).unwrap();
    let set = protox::compile(["probe.proto"], [folder.path()]).unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(set).unwrap();
    let message = pool.get_message_by_name(name).unwrap();
    serde_json::to_value(DynamicMessage::decode(message, bytes).unwrap()).unwrap()
}

fn as_json(json: &str, format: OutputFormat) -> Value {
    serde_json::from_slice(&written(format, json).0).unwrap()
}

/// Of a record: that it comes out of JSON as it went in, what departs in it, and what Avro, Protobuf and JSON that is
/// true to a schema make of it.
#[track_caller]
fn probe(json: &str, drift: &[DriftKind], avro: Value, protobuf: Value, schema_true: Value) {
    assert_eq!(as_json(json, OutputFormat::Json), serde_json::from_str::<Value>(json).unwrap(), "as sent");
    for format in [OutputFormat::Avro, OutputFormat::Protobuf, OutputFormat::Json, OutputFormat::JsonSchema] {
        assert_eq!(written(format, json).1, drift, "{format:?}");
    }
    assert_eq!(as_avro(json), avro, "Avro");
    assert_eq!(as_protobuf(json), protobuf, "Protobuf");
    assert_eq!(as_json(json, OutputFormat::JsonSchema), schema_true, "JSON by a schema");
}

#[test]
fn what_is_as_declared() {
    let json = r#"{"id": 9007199254740993, "small": -7, "ratio": 0.5, "is-on": true, "name": "é\n\"\u0001",
        "color": "red", "at": "1970-01-01T01:00:01.25+01:00", "day": "1970-01-03",
        "uuid": "6f2f1b9e-6ec0-4f3c-8a5e-1d2c3b4a5968", "bytes": "aGk=", "any": {"x":[1,null]},
        "pet": {"kind": "cat", "lives": 9}, "pets": ["Rex", {"kind": "dog"}, [1]], "node": {"id": 1, "parent": {"id": 2}},
        "matrix": [[1, 2], []], "gaps": ["a", null], "counts": {"a": 1}, "lists": {"b": ["c"]},
        "typed": {"name": "n", "more": 2}}"#;
    let uuid = "6f2f1b9e-6ec0-4f3c-8a5e-1d2c3b4a5968";
    let avro = json!({"id": 9_007_199_254_740_993_i64, "small": -7, "ratio": 0.5, "is_on": true, "name": "é\n\"\u{1}",
        "color": "red", "at": 1250, "day": 2, "uuid": uuid, "bytes": [104, 105], "any": r#"{"x":[1,null]}"#,
        "pet": {"kind": "cat", "lives": 9}, "pets": ["Rex", {"kind": "dog"}, [1]],
        "node": {"id": 1, "parent": {"id": 2}}, "matrix": [[1, 2], []], "gaps": ["a", null], "counts": {"a": 1},
        "lists": {"b": ["c"]}, "typed": {"name": "n", "additional": {"more": 2}}, "unmapped": {}});
    let protobuf = json!({"id": "9007199254740993", "small": -7, "ratio": 0.5, "is-on": true, "name": "é\n\"\u{1}",
        "color": "red", "at": "1970-01-01T00:00:01.250Z", "day": "1970-01-03", "uuid": uuid, "bytes": "aGk=",
        "any": r#"{"x":[1,null]}"#, "pet": {"cat": {"kind": "cat", "lives": "9"}},
        "pets": [{"name": "Rex"}, {"dog": {"kind": "dog"}}, {"list": {"value": ["1"]}}], "node": {"id": "1", "parent": {"id": "2"}},
        "matrix": [{"value": ["1", "2"]}, {}], "gaps": [{"value": "a"}, {}], "counts": {"a": "1"},
        "lists": {"b": {"value": ["c"]}}, "typed": {"name": "n", "additional": {"more": "2"}}});
    probe(json, &[], avro, protobuf, serde_json::from_str(json).unwrap());
}

/// A record of `id` 1 and one more field, of which nothing is left to the schema-true formats but the field's value, or
/// its JSON among the unmapped.
#[track_caller]
fn probe_field(name: &str, sent: &str, drift: DriftKind, avro: Value, protobuf: Value, schema_true: Value) {
    let json = format!(r#"{{"id": 1, "{name}": {sent}}}"#);
    let is_unmapped = matches!(drift, Misfit | Extra);
    let unmapped = || json!({ format!("/{name}"): sent });
    let expected = |id: Value, value: &Value| {
        let mut object = json!({ "id": id });
        if !value.is_null() {
            object[name] = value.clone();
        }
        object
    };
    let mut of_avro = expected(json!(1), &avro);
    of_avro["unmapped"] = if is_unmapped { unmapped() } else { json!({}) };
    let mut of_protobuf = expected(json!("1"), &protobuf);
    if is_unmapped {
        of_protobuf["unmapped"] = unmapped();
    }
    let mut of_schema = json!({"id": 1, name: schema_true});
    if drift == Misfit {
        of_schema["unmapped"] = json!({ format!("/{name}"): serde_json::from_str::<Value>(sent).unwrap() });
    }
    probe(&json, &[drift], of_avro, of_protobuf, of_schema);
}

#[test]
fn texts_that_are_not_listed_are_kept() {
    probe_field("color", "\"violet\"", Unlisted, json!("violet"), json!("violet"), json!("violet"));
    let json = r#"{"id": 1, "color": ""}"#;
    let unmapped = json!({"id": 1, "color": "", "unmapped": {}});
    probe(json, &[], unmapped, json!({"id": "1", "color": ""}), serde_json::from_str(json).unwrap());
}

#[test]
fn decimals_keep_every_digit() {
    for (text, unscaled) in
        [("12345678.90", "1234567890"), ("-0.01", "-1"), ("1.28", "128"), ("-1.28", "-128"), ("0", "0")]
    {
        let json = format!(r#"{{"id": 1, "price": "{text}"}}"#);
        let avro = json!({"id": 1, "price": unscaled, "unmapped": {}});
        probe(&json, &[], avro, json!({"id": "1", "price": text}), serde_json::from_str(&json).unwrap());
    }
    // More digits than a double has.
    let sent = "123456789012345678.10000000000000000001";
    let (bytes, drift) = written(OutputFormat::JsonSchema, &format!(r#"{{"id": 1, "rate": {sent}}}"#));
    assert_eq!(
        (std::str::from_utf8(&bytes).unwrap(), drift),
        (format!(r#"{{"id":1,"rate":{sent}}}"#).as_str(), vec![])
    );
    let json = format!(r#"{{"id": 1, "rate": {sent}}}"#);
    let unscaled = sent.replace('.', "");
    assert_eq!(as_avro(&json), json!({"id": 1, "rate": unscaled, "unmapped": {}}));
    assert_eq!(as_protobuf(&json), json!({"id": "1", "rate": sent}));
    // A number where text should be means the same; what has more digits than declared has no place.
    probe_field("price", "1.5", Coerced, json!("150"), json!("1.5"), json!("1.5"));
    probe_field("rate", "\"7\"", Coerced, json!("700000000000000000000"), json!("7"), json!(7));
    for sent in ["\"1.005\"", "\"123456789.00\"", "\"twelve\"", "\"\"", "[1]"] {
        probe_field("price", sent, Misfit, json!(null), json!(null), json!(null));
    }
}

#[test]
fn null_and_absence_are_two_things_in_json() {
    let without = |drift: &[DriftKind], json: &str| {
        probe(json, drift, json!({"unmapped": {}}), json!({}), serde_json::from_str(json).unwrap());
    };
    without(&[Missing], "{}");
    without(&[Null], r#"{"id": null}"#);
    without(&[Missing], r#"{"name": null, "color": null, "any": null, "node": null, "gaps": null, "pet": null}"#);
}

#[test]
fn what_is_not_declared_is_kept() {
    probe_field("new", r#"{"a": [1, "x"]}"#, Extra, json!(null), json!(null), json!({"a": [1, "x"]}));
    let json = r#"{"id": 1, "node": {"parent": {"new~/": 1.50}}, "pets": [{"kind": "dog", "x": null}]}"#;
    let unmapped = json!({"/node/parent/new~0~1": "1.50", "/pets/0/x": "null"});
    probe(
        json,
        &[Extra, Extra],
        json!({"id": 1, "pets": [{"kind": "dog"}], "node": {"parent": {}}, "unmapped": unmapped}),
        json!({"id": "1", "pets": [{"dog": {"kind": "dog"}}], "node": {"parent": {}}, "unmapped": unmapped}),
        serde_json::from_str(json).unwrap(),
    );
}

#[test]
fn integers_come_in_other_clothes() {
    for sent in ["7.0", "\"7\"", "7e0"] {
        probe_field("small", sent, Coerced, json!(7), json!(7), json!(7));
    }
    probe_field("small", "3000000000", Misfit, json!(null), json!(null), json!(null));
    probe_field("small", "7.5", Misfit, json!(null), json!(null), json!(null));
    probe_field("small", "18446744073709551616", Misfit, json!(null), json!(null), json!(null));
}

#[test]
fn numbers_keep_their_digits() {
    for sent in ["0.1", "1.10", "12345678901234567890.123456789", "1E400", "-0"] {
        let json = format!(r#"{{"id":1,"ratio":{sent}}}"#);
        let text = String::from_utf8(written(OutputFormat::Json, &json).0).unwrap();
        assert_eq!(text, json);
        let text = String::from_utf8(written(OutputFormat::JsonSchema, &json).0).unwrap();
        assert_eq!(text, json);
    }
    assert_eq!(as_avro(r#"{"id": 1, "ratio": 1.10}"#), json!({"id": 1, "ratio": 1.1, "unmapped": {}}));
    probe_field("ratio", "\"0.5\"", Coerced, json!(0.5), json!(0.5), json!(0.5));
    probe_field("ratio", "\"half\"", Misfit, json!(null), json!(null), json!(null));
}

#[test]
fn times_come_in_other_clothes() {
    for (sent, nanos, schema_true) in [
        ("1970-01-01T00:00:01", "", "1970-01-01T00:00:01Z"),
        ("1970-01-01 00:00:01.123456789", ".123456789", "1970-01-01 00:00:01.123456789Z"),
    ] {
        let millis = if nanos.is_empty() { 1000 } else { 1123 };
        let at = format!("1970-01-01T00:00:01{nanos}Z");
        probe_field("at", &format!("\"{sent}\""), Coerced, json!(millis), json!(at), json!(schema_true));
    }
    let json = r#"{"id": 1, "at": "1970-01-01T00:00:01.123456789Z"}"#;
    assert_eq!(as_protobuf(json)["at"], "1970-01-01T00:00:01.123456789Z");
    assert_eq!(as_avro(json)["at"], 1123);
    probe_field("at", "\"soon\"", Misfit, json!(null), json!(null), json!(null));
    probe_field("at", "1700000000", Misfit, json!(null), json!(null), json!(null));
    probe_field("day", "\"1970-01-03T00:00:00Z\"", Coerced, json!(2), json!("1970-01-03"), json!("1970-01-03"));
    probe_field("day", "\"0000-00-00\"", Misfit, json!(null), json!(null), json!(null));
}

#[test]
fn what_is_of_another_type_is_kept() {
    probe_field("uuid", "\"6f2f\"", Misfit, json!(null), json!(null), json!(null));
    probe_field("bytes", "\"%%\"", Misfit, json!(null), json!(null), json!(null));
    probe_field("is-on", "1", Misfit, json!(null), json!(null), json!(null));
    probe_field("name", "{\"first\": \"x\"}", Misfit, json!(null), json!(null), json!(null));
    probe_field("name", "12.50", Coerced, json!("12.50"), json!("12.50"), json!("12.50"));
    probe_field("node", "[1]", Misfit, json!(null), json!(null), json!(null));
    probe_field("matrix", "[[1], null]", Misfit, json!(null), json!(null), json!(null));
    probe_field("counts", "{\"a\": {}}", Misfit, json!(null), json!(null), json!(null));
    probe_field(
        "gaps",
        "[1, \"b\"]",
        Coerced,
        json!(["1", "b"]),
        json!([{"value": "1"}, {"value": "b"}]),
        json!(["1", "b"]),
    );
    let json = r#"{"id": 1, "typed": {"name": "n", "count": 2, "note": "x"}}"#;
    let unmapped = json!({"/typed/note": "\"x\""});
    probe(
        json,
        &[Extra],
        json!({"id": 1, "typed": {"name": "n", "additional": {"count": 2}}, "unmapped": unmapped}),
        json!({"id": "1", "typed": {"name": "n", "additional": {"count": "2"}}, "unmapped": unmapped}),
        serde_json::from_str(json).unwrap(),
    );
}

#[test]
fn unions_take_what_fits_and_keep_the_rest() {
    probe_field("pet", r#"{"kind": "fish"}"#, Misfit, json!(null), json!(null), json!(null));
    probe_field("pet", r#"{"wings": 2}"#, Misfit, json!(null), json!(null), json!(null));
    probe_field("pet", "7", Misfit, json!(null), json!(null), json!(null));
    let json = r#"{"id": 1, "pet": {"kind": "cat", "lives": "many"}}"#;
    let unmapped = json!({"/pet/lives": "\"many\""});
    probe(
        json,
        &[Misfit],
        json!({"id": 1, "pet": {"kind": "cat"}, "unmapped": unmapped}),
        json!({"id": "1", "pet": {"cat": {"kind": "cat"}}, "unmapped": unmapped}),
        json!({"id": 1, "pet": {"kind": "cat", "lives": null}, "unmapped": {"/pet/lives": "many"}}),
    );
    let json = r#"{"id": 1, "pet": {"breed": "x"}}"#;
    let dog = json!({"id": "1", "pet": {"dog": {"breed": "x"}}});
    let avro = json!({"id": 1, "pet": {"breed": "x"}, "unmapped": {}});
    probe(json, &[Missing], avro, dog, serde_json::from_str(json).unwrap());
}

#[test]
fn long_messages_have_long_lengths() {
    let text = "x".repeat(300);
    let json =
        format!(r#"{{"id": 1, "node": {{"parent": {{"parent": {{"{text}": "{text}", "id": 5}}}}}}, "pet": "{text}"}}"#);
    let read = as_protobuf(&json);
    assert_eq!(read["node"]["parent"]["parent"]["id"], "5");
    assert_eq!(read["pet"]["name"], text);
    assert_eq!(read["unmapped"][format!("/node/parent/parent/{text}")], format!("\"{text}\""));
}

/// A record that the document does not describe.
#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Anything<'page> {
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Anything<'page> {
    const AVRO_SCHEMA: &'static str = r#"{"type": "record", "name": "Anything", "fields": [
        {"name": "unmapped", "type": {"type": "map", "values": "string"}}]}"#;
    const PROTOBUF_SCHEMA: &'static str =
        r#"syntax = "proto3"; message Anything { map<string, string> unmapped = 536870911; }"#;
    const JSON_SCHEMA: &'static str = "{}";
}

#[test]
fn what_is_not_described_departs_from_nothing() {
    let sent = r#"{"id":9007199254740993,"a/b":{"c":[1.50,null]},"unmapped":""}"#;
    let written = |format| {
        let (record, mut out) = (serde_json::from_str::<Anything<'_>>(sent).unwrap(), Vec::new());
        assert!(write(format, &record, &mut out).is_empty());
        out
    };
    for format in [OutputFormat::Json, OutputFormat::JsonSchema] {
        assert_eq!(String::from_utf8(written(format)).unwrap(), sent);
    }
    let unmapped =
        json!({"unmapped": {"/id": "9007199254740993", "/a~1b": r#"{"c":[1.50,null]}"#, "/unmapped": "\"\""}});
    assert_eq!(avro(&written(OutputFormat::Avro), Anything::AVRO_SCHEMA), unmapped);
    assert_eq!(protobuf(&written(OutputFormat::Protobuf), Anything::PROTOBUF_SCHEMA, "Anything"), unmapped);
}
