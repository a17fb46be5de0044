//! How records are written.

use std::sync::Mutex;

use headwater_tests::{Isolation, Received, ScriptedApi, consume, headwater, real_parts, unique_name};
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

#[test]
fn a_real_registry_takes_every_widening() {
    let Some(parts) = real_parts().unwrap() else { return };
    let pages = vec![
        json!([{ "id": 1, "tags": [], "o": {} }]),
        json!([{ "id": 2.5, "tags": ["a"], "o": { "x": null } }]),
        json!([{ "id": "x", "tags": [1, { "t": true }], "o": { "x": "y" }, "new": [[1]] }]),
        json!([{ "id": null, "o": [1] }, 7]),
    ];
    let cycles_to_run = pages.len();
    let api = ScriptedApi::start(cycles(pages)).unwrap();
    let topic = unique_name("widening");
    let config = config(
        &api,
        json!({
            "name": topic,
            "bootstrap.servers": parts.bootstrap,
            "value.converter.schema.registry.url": parts.registry,
            "output.data.format": "JSON_SR",
            "offset.storage.replication.factor": 1,
            "topic.creation.default.replication.factor": 1,
            "api1.topics": topic,
        }),
    );
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    for _ in 0..cycles_to_run {
        let mut command = std::process::Command::new(headwater().unwrap());
        let output = command.arg("run").arg(&path).arg("--once").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let written = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
    let ids: std::collections::BTreeSet<_> =
        written.iter().map(|record| record.value.as_ref().unwrap()[1..5].to_vec()).collect();
    assert_eq!((written.len(), ids.len()), (5, 4));
}
