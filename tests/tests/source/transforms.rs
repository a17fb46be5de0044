//! Transforms: what comes out is what comes out of Kafka Connect, and what stands in the way is told.

use headwater_runtime::error::chain;
use headwater_tests::harness::connect_transforms;
use headwater_tests::{Consumed, Received, ScriptedApi, workspace};
use serde_json::{Value, json};

use crate::support::{Broker, TOPIC, config};

const CASES: &str = "tests/cases/transforms.json";

fn cases() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(workspace().join(CASES)).unwrap()).unwrap()
}

fn text(bytes: &Option<Vec<u8>>) -> Option<String> {
    bytes.as_ref().map(|bytes| String::from_utf8(bytes.clone()).unwrap())
}

/// A record as the cases write it. Keys of text stand there as they are, others as JSON.
fn shown(record: &Consumed, topic: &str, expected_key: &Value) -> Value {
    let key = match (text(&record.key), expected_key) {
        (None, _) => Value::Null,
        (Some(key), Value::String(_)) => json!(key),
        (Some(key), _) => serde_json::from_str(&key).unwrap(),
    };
    let value = text(&record.value).map_or(Value::Null, |value| serde_json::from_str(&value).unwrap());
    let headers = record.headers.iter().map(|(name, value)| (name.clone(), json!(text(value).unwrap())));
    json!({ "topic": topic, "key": key, "value": value, "headers": Value::Object(headers.collect()) })
}

#[test]
fn every_case_comes_out_as_of_kafka_connect() {
    let cases = cases();
    assert!(cases.len() >= 60);
    let broker = Broker::start();
    for (index, case) in cases.iter().enumerate() {
        let (name, expected) = (case["name"].as_str().unwrap(), &case["expected"]);
        let sent = case["value"].clone();
        let api = ScriptedApi::start(move |_: &Received| json!({ "records": [sent] })).unwrap();
        let mut more = case["config"].clone();
        for (property, value) in [
            ("name", format!("case-{index}")),
            ("api1.http.response.data.json.pointer", "/records".to_owned()),
            ("api1.record.key.json.pointer", "/key".to_owned()),
            ("api1.record.timestamp.json.pointer", "/at".to_owned()),
        ] {
            more[property] = json!(value);
        }
        let topic = expected["topic"].as_str().unwrap_or(TOPIC);
        let before = broker.consume(topic);
        let run = broker.run(&config(&api, more));
        if expected["error"] == true {
            let error = chain(&run.err().unwrap_or_else(|| panic!("{name}: no error")));
            assert!(error.contains("changing record 0 of the page: the transform `t"), "{name}: {error}");
            continue;
        }
        let summary = run.unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        if expected["dropped"] == true {
            assert_eq!(summary.records, 0, "{name}");
            continue;
        }
        assert_eq!(summary.records, 1, "{name}");
        let written = broker.consume(topic);
        let new = written.iter().find(|record| !before.contains(record)).unwrap();
        assert_eq!(&shown(new, topic, &expected["key"]), expected, "{name}");
    }
}

#[test]
fn the_cases_say_what_kafka_connect_does() {
    let Some(outcomes) = connect_transforms(&workspace().join(CASES)).unwrap() else { return };
    let cases = cases();
    assert_eq!(outcomes.len(), cases.len());
    for (case, outcome) in cases.iter().zip(outcomes) {
        let outcome = if outcome.get("error").is_some() { json!({ "error": true }) } else { outcome };
        assert_eq!(case["expected"], outcome, "{}", case["name"]);
    }
}

const PREFIX: &str = "org.apache.kafka.connect.transforms.";

fn of_type(name: &str) -> String {
    format!("{PREFIX}{name}")
}

#[test]
fn what_a_transform_cannot_act_on_goes_to_the_dead_letters_if_that_is_tolerated() {
    let api = ScriptedApi::start(|_: &Received| json!([{ "n": "1" }, { "n": "x", "o": 2 }, { "n": "3" }])).unwrap();
    let broker = Broker::start();
    let tolerating = |tolerance: &str| {
        let more = json!({
            "errors.tolerance": tolerance,
            "transforms": "asNumber",
            "transforms.asNumber.type": of_type("Cast$Value"),
            "transforms.asNumber.spec": "n:int32",
        });
        config(&api, more)
    };
    let error = chain(&broker.run(&tolerating("none")).unwrap_err());
    let told = "changing record 1 of the page: the transform `asNumber` cannot act on it, field `n`: \"x\" is no value";
    assert!(error.contains(told), "{error}");
    assert!(broker.values().is_empty());
    let summary = broker.run(&tolerating("all")).unwrap();
    assert_eq!((summary.records, summary.dead_letters), (2, 1));
    assert_eq!(broker.values(), [r#"{"n":1}"#, r#"{"n":3}"#]);
    let dead = broker.consume("dlq-source");
    assert_eq!(text(&dead[0].value).unwrap(), r#"{"n":"x","o":2}"#);
    let header = |name: &str| {
        let found = dead[0].headers.iter().find(|(known, _)| known == name);
        text(&found.unwrap().1).unwrap()
    };
    assert!(header("headwater.error.reason").contains("the transform `asNumber` cannot act on it, field `n`"));
    assert_eq!(header("headwater.record.index"), "1");
}

#[test]
fn schemas_are_learnt_from_what_comes_out() {
    let records = json!([{ "id": 1, "user": { "name": "a", "mail": "m" } }, { "id": 2, "drop": true }]);
    let api = ScriptedApi::start(move |_: &Received| records.clone()).unwrap();
    for format in ["AVRO", "PROTOBUF", "JSON_SR"] {
        let broker = Broker::start();
        let more = json!({
            "output.data.format": format,
            "transforms": "flat,secret,named,to",
            "transforms.flat.type": of_type("Flatten$Value"),
            "transforms.flat.delimiter": "_",
            "transforms.secret.type": of_type("ReplaceField$Value"),
            "transforms.secret.exclude": "user_mail",
            "transforms.named.type": of_type("SetSchemaMetadata$Value"),
            "transforms.named.schema.name": "com.acme.Order",
            "transforms.to.type": of_type("RegexRouter"),
            "transforms.to.regex": "(.*)",
            "transforms.to.replacement": "$1-flat",
        });
        assert_eq!(broker.run(&config(&api, more)).unwrap().records, 2);
        assert_eq!(broker.registry("subjects"), json!(["records-flat-value"]));
        assert_eq!((broker.consume("records-flat").len(), broker.consume(TOPIC).len()), (2, 0));
        let schema = broker.registry("subjects/records-flat-value/versions/latest")["schema"].clone();
        let schema = schema.as_str().unwrap();
        assert!(schema.contains("user_name") && !schema.contains("mail"), "{schema}");
        match format {
            "AVRO" => assert!(schema.contains(r#""name":"Order","namespace":"com.acme""#), "{schema}"),
            "PROTOBUF" => assert!(schema.contains("package com.acme;\n\nmessage Order {"), "{schema}"),
            _ => {}
        }
    }
}

#[test]
fn a_record_without_a_time_has_that_of_its_writing() {
    let api = ScriptedApi::start(|_: &Received| json!([{ "id": 1 }])).unwrap();
    let broker = Broker::start();
    let more = json!({
        "transforms": "when",
        "transforms.when.type": of_type("InsertField$Value"),
        "transforms.when.timestamp.field": "ingested_at",
    });
    broker.run(&config(&api, more)).unwrap();
    let written = &broker.consume(TOPIC)[0];
    let value: Value = serde_json::from_str(&text(&written.value).unwrap()).unwrap();
    assert_eq!(value["ingested_at"].as_i64(), written.timestamp);
    assert!(written.timestamp.unwrap() > 1_700_000_000_000);
}

#[test]
fn everything_that_is_wrong_with_transforms_is_told_at_once() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let more = json!({
        "transforms": "a,b,c,d,e,f,g",
        "transforms.a.type": of_type("InsertFeild$Value"),
        "transforms.b.type": of_type("MaskField$Value"),
        "transforms.b.felds": "x",
        "transforms.c.type": of_type("RegexRouter"),
        "transforms.c.regex": "(a",
        "transforms.c.replacement": "$2",
        "transforms.d.type": of_type("Filter"),
        "transforms.d.predicate": "isTombston",
        "transforms.e.type": of_type("TimestampConverter$Value"),
        "transforms.e.target.type": "string",
        "transforms.f.type": of_type("InsertField$Value"),
        "transforms.f.offset.field": "o",
        "transforms.g.predicate": "isTombstone",
        "transforms.gg.type": of_type("Filter"),
        "predicates": "isTombstone",
        "predicates.isTombstone.type": of_type("predicates.RecordIsTombstone"),
    });
    let told = Broker::start().problems_with(&config(&api, more), &[], true);
    for expected in [
        "property `transforms.a.type` is `org.apache.kafka.connect.transforms.InsertFeild$Value`, which is not one of",
        "did you mean `org.apache.kafka.connect.transforms.InsertField$Value`?",
        "property `transforms.b.felds` is unknown / did you mean `transforms.b.fields`?",
        "property `transforms.b.fields` is missing",
        "property `transforms.c.regex` is `(a`, which is not a regular expression",
        "property `transforms.d.predicate` is `isTombston`, which is not one of the names in `predicates` / did you mean \
         `isTombstone`?",
        "property `transforms.e.format` is missing",
        "property `transforms.f.offset.field` cannot be honoured",
        "property `transforms.g.type` is missing",
        "property `transforms.gg.type` is unknown / did you mean `transforms.g.…`?",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
}

#[test]
fn a_generated_connector_takes_transforms_too() {
    let api = ScriptedApi::start(|request: &Received| match request.path() {
        "/events" => json!({ "data": [
            { "id": "e1", "occurred_at": "2024-01-01T00:00:00Z", "kind": "sold", "extra": { "x": 1.50 } },
        ] }),
        _ => json!([]),
    })
    .unwrap();
    let broker = Broker::start();
    let more = json!({
        "name": "generated",
        "http.api.base.url": api.url(),
        "auth.type": "NONE",
        "store": "s",
        "api1.output.data.format": "AVRO",
        "transforms": "flat,shop",
        "transforms.flat.type": of_type("Flatten$Value"),
        "transforms.shop.type": of_type("InsertField$Value"),
        "transforms.shop.static.field": "shop",
        "transforms.shop.static.value": "eu",
    });
    let summary = broker.run_generated(&petstore_events::connector(), &more).unwrap();
    assert_eq!(summary.records, 1);
    let schema = broker.registry("subjects/petstore.events-value/versions/latest")["schema"].clone();
    let schema: Value = serde_json::from_str(schema.as_str().unwrap()).unwrap();
    let names: Vec<_> = schema["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert!(["id", "extra_x", "shop", "unmapped"].iter().all(|name| names.contains(&json!(name))), "{names:?}");
    let value = broker.consume("petstore.events")[0].value.clone().unwrap();
    assert!(value.windows(8).any(|bytes| bytes == 1.5_f64.to_le_bytes()), "a number of an undeclared field");
}
