//! Records as APIs really send them, in every format, through a real Kafka and a real schema registry: nothing is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use headwater_tests::{
    Consumed, Isolation, PagedApi, RealParts, configuration, consume, example, python, real_parts, unique_name,
};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

/// How many records are as the document says.
const PLAIN: u64 = 40;

fn plain(index: u64) -> Value {
    json!({
        "id": 1000 + index, "number": index + 1, "title": format!("Täglich {index}"), "state": "open", "locked": false,
        "comments": 0, "created_at": "2024-01-01T00:00:00Z", "updated_at": format!("2024-01-02T00:00:{:02}Z", index % 60),
        "html_url": "https://tickets.example/1", "user": null, "labels": ["a", {"id": 1, "name": "b"}], "assignees": [],
    })
}

/// A record that breaks nearly every promise of the document.
fn drifting() -> Value {
    json!({
        "id": "30", "number": 3.0, "title": 7, "state": "merged", "comments": 99_999_999_999_u64, "locked": null,
        "created_at": "2024-01-01T00:00:00", "updated_at": "2024-01-03T00:00:00.123456789+01:00",
        "closed_at": "never", "labels": ["x", 5], "user": {"login": "ada", "plan": {"seats": 3}}, "new_field": [1, "two"],
    })
}

struct Setup {
    parts: &'static RealParts,
    api: PagedApi,
    folder: tempfile::TempDir,
}

impl Setup {
    fn new(parts: &'static RealParts, more: &[Value]) -> Self {
        let records: Vec<Value> = (0..PLAIN).map(plain).chain(more.iter().cloned()).collect();
        let api = PagedApi::start("/repos/o/r/issues", "updated_at", &records, 15).unwrap();
        Self { parts, api, folder: tempfile::tempdir().unwrap() }
    }

    /// Runs the connector to its end; its topic, and its topic of dead letters.
    fn run(&self, format: &str, enforce: &str) -> (Output, String, String) {
        let name = unique_name("formats");
        let (topic, dead_letters) = (format!("{name}-issues"), format!("{name}-dead"));
        let mut config = configuration(self.parts, &name, &self.api.url());
        for (property, value) in [
            ("owner", "o"),
            ("repo", "r"),
            ("auth.type", "NONE"),
            ("api1.topics", &topic),
            ("api1.output.data.format", format),
            ("api1.http.response.schema.enforce", enforce),
            ("errors.deadletterqueue.topic.name", &dead_letters),
        ] {
            config[property] = value.into();
        }
        let path = self.folder.path().join("connector.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let program = example("github-issues").unwrap();
        let output = Command::new(program).args(["run", "--once", "--config"]).arg(path).output().unwrap();
        (output, topic, dead_letters)
    }

    fn records(&self, topic: &str) -> Vec<Consumed> {
        consume(&self.parts.bootstrap, topic, Isolation::ReadCommitted).unwrap()
    }

    /// What the registry has of a topic's values: language and text.
    fn schema(&self, topic: &str) -> (String, String) {
        let url = format!("{}/subjects/{topic}-value/versions/latest", self.parts.registry);
        let schema: Value = ureq::get(url).call().unwrap().body_mut().read_json().unwrap();
        let text = |name: &str| schema[name].as_str().unwrap_or_default().to_owned();
        (text("schemaType"), text("schema"))
    }
}

/// The value of the one record that drifts, behind what every value begins with.
fn found(records: &[Consumed], header: usize) -> &[u8] {
    assert_eq!(records.len() as u64, PLAIN + 1);
    let record = records.iter().find(|record| record.key.as_deref() == Some(b"30")).unwrap();
    &record.value.as_ref().unwrap()[header..]
}

#[test]
fn nothing_is_lost_in_any_format() {
    let Some(parts) = real_parts().unwrap() else { return };
    let setup = Setup::new(parts, &[drifting(), json!("no record")]);
    let unmapped = ["/closed_at", "/comments", "/labels", "/new_field", "/user/plan"];
    for format in ["AVRO", "PROTOBUF", "JSON_SR", "JSON"] {
        let (output, topic, dead_letters) = setup.run(format, "NONE");
        assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        let records = setup.records(&topic);
        let dead = setup.records(&dead_letters);
        let [letter] = dead.as_slice() else { panic!("{format}: {dead:?}") };
        assert_eq!(letter.value.as_deref(), Some(&b"\"no record\""[..]), "{format}");
        let reason = letter.headers.iter().find(|(name, _)| name == "headwater.error.reason").unwrap();
        assert_eq!(reason.1.as_deref(), Some(&b"a record is an object, and this is a string"[..]), "{format}");
        match format {
            "AVRO" => avro(&setup, &topic, &unmapped),
            "PROTOBUF" => protobuf(&setup, &topic, found(&records, 6), &unmapped),
            "JSON_SR" => json_schema(&setup, &topic, &records),
            _ => {
                let value: Value = serde_json::from_slice(found(&records, 0)).unwrap();
                assert_eq!(value, drifting(), "what was sent, and nothing else");
            }
        }
    }
}

/// Confluent's Python client with its Avro deserializer reads it.
fn avro(setup: &Setup, topic: &str, unmapped: &[&str]) {
    let Some(python) = python().unwrap() else { return };
    let records = python.read_avro(setup.parts, topic, &[]).unwrap();
    assert_eq!(records.len() as u64, PLAIN + 1);
    let record = records.iter().find(|record| record["key"] == "30").unwrap();
    let value = &record["value"];
    let read = |name: &str| value[name].clone();
    assert_eq!((read("id"), read("number"), read("title")), (json!(30), json!(3), json!("7")));
    assert_eq!((read("state"), read("comments"), read("locked")), (json!("merged"), json!(null), json!(null)));
    assert_eq!(read("created_at"), "2024-01-01T00:00:00.000000Z");
    assert_eq!(read("user")["login"], "ada");
    let names: Vec<_> = value["unmapped"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, unmapped);
    assert_eq!(value["unmapped"]["/user/plan"], "{\"seats\":3}");
}

/// What the registry has is compiled, and reads it.
fn protobuf(setup: &Setup, topic: &str, value: &[u8], unmapped: &[&str]) {
    let (language, text) = setup.schema(topic);
    assert_eq!(language, "PROTOBUF");
    std::fs::write(setup.folder.path().join("issue.proto"), text).unwrap();
    let files = protox::compile(["issue.proto"], [setup.folder.path()]).unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(files).unwrap();
    let issue = pool.get_message_by_name("github_issues.Issue").unwrap();
    let read = serde_json::to_value(DynamicMessage::decode(issue, value).unwrap()).unwrap();
    assert_eq!((&read["id"], &read["number"], &read["title"]), (&json!("30"), &json!("3"), &json!("7")));
    assert_eq!(read["updated_at"], "2024-01-02T23:00:00.123456789Z");
    assert_eq!(read["user"]["login"], "ada");
    let mut names: Vec<_> = read["unmapped"].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, unmapped);
}

/// What the registry has holds of every record, by Python's jsonschema.
fn json_schema(setup: &Setup, topic: &str, records: &[Consumed]) {
    let (language, text) = setup.schema(topic);
    assert_eq!(language, "JSON");
    let value: Value = serde_json::from_slice(found(records, 5)).unwrap();
    assert_eq!((&value["id"], &value["comments"], &value["locked"]), (&json!(30), &json!(null), &json!(null)));
    assert_eq!(value["new_field"], json!([1, "two"]), "a schema leaves room for it");
    assert_eq!(value["unmapped"]["/labels"], json!(["x", 5]));
    let Some(python) = python().unwrap() else { return };
    let (schema, documents) = (setup.folder.path().join("schema.json"), setup.folder.path().join("documents"));
    std::fs::write(&schema, text).unwrap();
    let mut lines = Vec::new();
    for record in records {
        lines.extend_from_slice(&record.value.as_ref().unwrap()[5..]);
        lines.push(b'\n');
    }
    std::fs::write(&documents, lines).unwrap();
    let paths: [&Path; 2] = [&schema, &documents];
    python.run("validate_json.py", paths).unwrap();
}

#[test]
fn what_departs_is_refused_where_that_is_wanted() {
    let Some(parts) = real_parts().unwrap() else { return };
    let setup = Setup::new(parts, &[drifting()]);
    let (output, topic, _) = setup.run("AVRO", "STRICT");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("which `http.response.schema.enforce=STRICT` refuses"), "{said}");
    // The pages before it are there.
    assert_eq!(setup.records(&topic).len() as u64, PLAIN / 15 * 15);

    let setup = Setup::new(parts, &[]);
    let (output, topic, _) = setup.run("AVRO", "STRICT");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(setup.records(&topic).len() as u64, PLAIN);
}
