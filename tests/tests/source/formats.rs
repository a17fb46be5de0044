//! How records are written.

use std::sync::Mutex;

use headwater_runtime::error::chain;
use headwater_tests::{
    Consumed, Isolation, RealParts, Received, ScriptedApi, consume, headwater, python, real_parts, unique_name,
};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Value, json};

use crate::support::{Broker, TOPIC, config};

#[test]
fn json_is_written_digit_by_digit_as_the_api_wrote_it() {
    let body = r#"{"data": [{"id": 9007199254740993, "d": 0.10000000000000000000001, "e": 1E400, "s": "é\u00e9"},
        { "id" : 2 } ], "more": false}"#;
    let api = ScriptedApi::start(move |_: &Received| body).unwrap();
    let broker = Broker::start();
    for pointer in ["/data", "$.data[*]"] {
        broker
            .run(&config(
                &api,
                json!({ "name": pointer.len().to_string(), "api1.http.response.data.json.pointer": pointer }),
            ))
            .unwrap();
    }
    let record = r#"{"id": 9007199254740993, "d": 0.10000000000000000000001, "e": 1E400, "s": "é\u00e9"}"#;
    assert_eq!(broker.values(), [record, r#"{ "id" : 2 }"#].repeat(2));
}

#[test]
fn keys_and_times_come_from_the_records() {
    let api = ScriptedApi::start(|_: &Received| {
        json!([
            { "id": 7, "a": { "b/c": "x" }, "at": "2024-01-01T00:00:00Z" },
            { "id": null, "at": 1704067201 },
            { "at": 1704067202000_u64 },
        ])
    })
    .unwrap();
    let broker = Broker::start();
    let run = |name: &str, key: &str| {
        let more = json!({
            "name": name,
            "api1.topics": name,
            "api1.record.key.json.pointer": key,
            "api1.record.timestamp.json.pointer": "/at",
        });
        broker.run(&config(&api, more)).unwrap();
        broker.read(name)
    };
    let records = run("ids", "/id");
    let keys: Vec<_> = records.iter().map(|record| record.key.as_deref()).collect();
    assert_eq!(keys, [Some("7"), None, None]);
    let times: Vec<_> = records.iter().map(|record| record.timestamp.unwrap()).collect();
    assert_eq!(times, [1_704_067_200_000, 1_704_067_201_000, 1_704_067_202_000]);
    assert_eq!(run("deep", "/a/b~1c")[0].key.as_deref(), Some("x"));
}

/// Answers with the records of one cycle after the other.
fn cycles(pages: Vec<Value>) -> impl Fn(&Received) -> Value + Send + Sync + 'static {
    let pages = Mutex::new(pages.into_iter());
    move |_| pages.lock().unwrap().next().unwrap_or_else(|| json!([]))
}

#[test]
fn by_default_a_json_schema_is_learnt_and_only_widens() {
    let first = json!([{ "id": 1, "tags": [] }, { "id": 2, "name": "x" }]);
    let second = json!([{ "id": "three" }]);
    let third = json!([{ "id": 4 }]);
    let api = ScriptedApi::start(cycles(vec![first, second, third])).unwrap();
    let broker = Broker::start();
    let mut config = config(&api, json!({}));
    config.as_object_mut().unwrap().remove("output.data.format");
    for _ in 0..3 {
        broker.run(&config).unwrap();
    }
    let written = broker.read_with_schemas(TOPIC);
    let values: Vec<_> = written.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(values, [r#"{"id":1,"tags":[]}"#, r#"{"id":2,"name":"x"}"#, r#"{"id":"three"}"#, r#"{"id":4}"#]);
    let ids: Vec<_> = written.iter().map(|(_, schema)| schema["properties"]["id"]["type"].clone()).collect();
    assert_eq!(ids, [json!("integer"), json!("integer"), json!(["integer", "string"]), json!(["integer", "string"])]);
    assert_eq!(written[3].1["properties"]["name"]["type"], "string", "what was learnt is not forgotten");
    assert_eq!(broker.registry("subjects/records-value/versions"), json!([1, 2]));
}

#[test]
fn subjects_are_in_the_configured_context() {
    let api = ScriptedApi::start(|_: &Received| json!([{ "id": 1 }])).unwrap();
    let broker = Broker::start();
    let more = json!({ "output.data.format": "JSON_SR", "schema.context.name": "team" });
    broker.run(&config(&api, more)).unwrap();
    assert_eq!(broker.registry("subjects"), json!([":.team:records-value"]));
}

#[test]
fn the_converters_of_connect_say_the_format_too() {
    let api = ScriptedApi::start(|_: &Received| json!([{ "id": 1 }])).unwrap();
    let broker = Broker::start();
    let run = |name: &str, converter: &str| {
        let mut config = config(&api, json!({ "name": name, "api1.topics": name, "value.converter": converter }));
        config.as_object_mut().unwrap().remove("output.data.format");
        broker.run(&config).unwrap();
    };
    run("plain", "org.apache.kafka.connect.json.JsonConverter");
    assert_eq!(broker.read("plain")[0].value, r#"{"id":1}"#);
    run("schemas", "io.confluent.connect.json.JsonSchemaConverter");
    assert_eq!(broker.read_with_schemas("schemas")[0].0, r#"{"id":1}"#);
}

/// One page for each cycle, each of which widens the schema.
const WIDENING: [&str; 5] = [
    r#"[{ "id": 1, "@tags": [], "o": {} }]"#,
    r#"[{ "id": 2.5, "@tags": ["a"], "o": { "x": null } }, { "id": 18446744073709551616, "d": 0.10000000000000000000001 }]"#,
    r#"[{ "id": "x", "@tags": [1, { "t": true }, null], "o": { "x": "y" }, "new": [[1]] }]"#,
    r#"[{ "id": null, "o": [1], "new": "n" }, 7]"#,
    r#"[{ "id": 3, "@tags": ["b"], "o": { "x": 5, "y": { "z": 1.5 } } }]"#,
];

/// Runs a source with a real Kafka and registry, once for each page, and returns its topic.
fn widen(parts: &RealParts, format: &str) -> String {
    let pages = Mutex::new(WIDENING.into_iter());
    let api = ScriptedApi::start(move |_: &Received| pages.lock().unwrap().next().unwrap_or("[]")).unwrap();
    let topic = unique_name("widening");
    let config = config(
        &api,
        json!({
            "name": topic,
            "bootstrap.servers": parts.bootstrap,
            "value.converter.schema.registry.url": parts.registry,
            "output.data.format": format,
            "offset.storage.replication.factor": 1,
            "topic.creation.default.replication.factor": 1,
            "api1.topics": topic,
        }),
    );
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    for _ in WIDENING {
        let mut command = std::process::Command::new(headwater().unwrap());
        let output = command.arg("run").arg(&path).arg("--once").output().unwrap();
        assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    }
    topic
}

/// The ids of the schemas in a topic, in their order, each once.
fn schema_ids(written: &[Consumed]) -> Vec<u32> {
    let id = |record: &Consumed| u32::from_be_bytes(record.value.as_ref().unwrap()[1..5].try_into().unwrap());
    let mut ids: Vec<_> = written.iter().map(id).collect();
    ids.dedup();
    ids
}

#[test]
fn a_real_registry_takes_every_widening() {
    let Some(parts) = real_parts().unwrap() else { return };
    for format in ["JSON_SR", "AVRO", "PROTOBUF"] {
        let topic = widen(parts, format);
        let written = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
        assert_eq!((written.len(), schema_ids(&written).len()), (7, 5), "{format}");
        match format {
            "AVRO" => assert_avro(parts, &topic),
            "PROTOBUF" => assert_protobuf(parts, &written),
            _ => {}
        }
    }
}

/// Reads with Confluent's Python client.
fn assert_avro(parts: &RealParts, topic: &str) {
    let Some(python) = python().unwrap() else { return };
    let read = python.read_avro(parts, topic, &[]).unwrap();
    let values: Vec<_> = read.iter().map(|record| &record["value"]).collect();
    assert_eq!(values[0]["id"], 1);
    assert_eq!((&values[1]["id"], &values[1]["_tags"]), (&json!(2.5), &json!(["a"])));
    assert_eq!(values[2]["unmapped"], json!({ "/id": "18446744073709551616", "/d": "0.10000000000000000000001" }));
    assert_eq!(values[3]["id"], "x");
    assert_eq!(values[3]["_tags"], json!([1, { "t": true }, null]));
    assert_eq!((&values[3]["o"], &values[3]["new"]), (&json!({ "x": "y" }), &json!([[1]])));
    assert_eq!((&values[4]["id"], &values[4]["o"], &values[4]["new"]), (&Value::Null, &json!([1]), &json!("n")));
    assert_eq!(values[5]["unmapped"], json!({ "": "7" }));
    assert_eq!((&values[6]["id"], &values[6]["o"]), (&json!(3.0), &json!({ "x": 5, "y": { "z": 1.5 } })));
}

/// Reads with prost-reflect, each record by the schema that it names.
fn assert_protobuf(parts: &RealParts, written: &[Consumed]) {
    let read = |record: &Consumed| {
        let bytes = record.value.as_ref().unwrap();
        let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
        assert_eq!(bytes[5], 0, "the first message of its file");
        let url = format!("{}/schemas/ids/{id}", parts.registry);
        let view: Value = ureq::get(&url).call().unwrap().body_mut().read_json().unwrap();
        assert_eq!(view["schemaType"], "PROTOBUF");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.proto");
        std::fs::write(&path, view["schema"].as_str().unwrap()).unwrap();
        let pool = DescriptorPool::from_file_descriptor_set(protox::compile([&path], [directory.path()]).unwrap());
        let descriptor = pool.unwrap().files().last().unwrap().messages().next().unwrap();
        let message = DynamicMessage::decode(descriptor, &bytes[6..]).unwrap();
        assert_eq!(message.unknown_fields().count(), 0);
        let options = SerializeOptions::new().stringify_64_bit_integers(false);
        message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
    };
    let values: Vec<_> = written.iter().map(read).collect();
    assert_eq!(
        values,
        [
            json!({ "id": 1, "o": {} }),
            json!({ "id|number": 2.5, "@tags": ["a"], "o": {} }),
            json!({
                "id|number": 18446744073709551616.0, "d": 0.1,
                "unmapped": { "/id": "18446744073709551616", "/d": "0.10000000000000000000001" },
            }),
            json!({
                "id|string": "x",
                "@tags|items": [{ "|integer": 1 }, { "|object": { "t": true } }, {}],
                "o": { "x": "y" }, "new": [{ "|integers": [1] }],
            }),
            json!({ "o|integers": [1], "new|string": "n" }),
            json!({ "unmapped": { "": "7" } }),
            json!({ "id": 3, "@tags": ["b"], "o": { "x|integer": 5, "y": { "z": 1.5 } } }),
        ]
    );
}

#[test]
fn a_strict_source_widens_no_schema() {
    for format in ["JSON_SR", "AVRO", "PROTOBUF"] {
        let api = ScriptedApi::start(cycles(vec![
            json!([{ "id": 1, "l": [{ "a": 1 }] }]),
            json!([{ "id": 2 }, { "id": 3, "l": [{ "a": 1, "b": 2 }] }]),
            json!([{ "id": 4 }]),
        ]))
        .unwrap();
        let broker = Broker::start();
        let run = |enforce: &str| {
            let more = json!({ "output.data.format": format, "api1.http.response.schema.enforce": enforce });
            broker.run(&config(&api, more)).map_err(|error| chain(&error))
        };
        assert_eq!(run("EVOLVE").unwrap().records, 1);
        let error = run("STRICT").unwrap_err();
        assert!(error.contains("record 1 of the page has something at `/l/*/b`"), "{error}");
        assert_eq!(run("STRICT").unwrap().records, 1);
        assert_eq!(broker.registry("subjects/records-value/versions"), json!([1]));
    }
    let api = ScriptedApi::start(|_: &Received| json!([{ "id": 1 }])).unwrap();
    let broker = Broker::start();
    let strict = |format: &str| {
        config(&api, json!({ "output.data.format": format, "api1.http.response.schema.enforce": "STRICT" }))
    };
    let error = chain(&broker.run(&strict("AVRO")).unwrap_err());
    assert!(error.contains("`records-value` has no schema that was learnt from records"), "{error}");
    assert!(broker.problems(&strict("JSON")).contains("has no schema to hold records against"));
}
