//! Responses that are large, broken off, or not what they should be.

use std::collections::BTreeSet;
use std::process::{Child, Command, Output, Stdio};

use headwater_tests::corpus::measure;
use headwater_tests::{
    Answer, Isolation, LargeApi, LargeBody, RealParts, Received, ScriptedApi, configuration, consume, consume_each,
    create_topic, headwater, real_parts, unique_name,
};
use serde_json::{Value, json};

use crate::support::{Broker, config};

/// A source against a real Kafka.
struct Source {
    parts: &'static RealParts,
    topic: String,
    scratch: tempfile::TempDir,
}

impl Source {
    fn new(parts: &'static RealParts, name: &str, api: &str, more: &Value) -> Self {
        let topic = unique_name(name);
        create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
        let mut config = configuration(parts, &topic, api);
        let source = json!({
            "api1.topics": topic,
            "api1.http.api.path": "/items",
            "api1.record.key.json.pointer": "/id",
            "api1.retry.backoff.ms": "1",
            "output.data.format": "JSON",
            "memory.max.bytes": 16 << 20,
        });
        for members in [&source, more] {
            config.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        }
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("source.json"), config.to_string()).unwrap();
        Self { parts, topic, scratch }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(headwater().unwrap());
        command.arg("run").arg(self.scratch.path().join("source.json")).arg("--once");
        command
    }

    fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    fn start(&self) -> Child {
        self.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The ids of the records in Kafka, each of which is there once.
    fn ids(&self) -> BTreeSet<usize> {
        let mut ids = BTreeSet::new();
        consume_each(&self.parts.bootstrap, &self.topic, Isolation::ReadCommitted, |record| {
            let id = String::from_utf8(record.key.unwrap()).unwrap().parse().unwrap();
            assert!(ids.insert(id), "record {id} is in Kafka twice");
        })
        .unwrap();
        ids
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A record of 300 bytes.
fn record(id: usize) -> String {
    format!(r#"{{"id":{id},"text":"a, b] }}{{ \" {}"}}"#, "x".repeat(262 - id.to_string().len()))
}

#[test]
fn a_response_larger_than_the_memory_arrives_whole() {
    let Some(parts) = real_parts().unwrap() else { return };
    let run = |records: usize| {
        let body = LargeBody {
            head: r#"{"n": {"items": [0]}, "items": ["#.to_owned(),
            tail: r#"], "total": 7}"#.to_owned(),
            ..LargeBody::array(records, record)
        };
        let api = LargeApi::start(body).unwrap();
        let source =
            Source::new(parts, "large", &api.url(), &json!({ "api1.http.response.data.json.pointer": "/items" }));
        let measured = measure::measure(&mut source.command()).unwrap();
        assert!(measured.status.success(), "{}", measured.output);
        assert_eq!(source.ids(), (0..records).collect());
        measured.peak_mb()
    };
    let (small, large) = (run(1), run(200_000));
    assert!(large < small + 17, "60 MB took {large} MB of memory, and next to nothing {small} MB");
}

#[test]
fn records_are_in_kafka_before_the_last_byte_has_come_but_not_visible() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = LargeApi::start(LargeBody { waits: Some(20_000), ..LargeBody::array(40_000, record) }).unwrap();
    let source = Source::new(parts, "flowing", &api.url(), &json!({}));
    let mut running = source.start();
    let count = |isolation| consume(&parts.bootstrap, &source.topic, isolation).unwrap().len();
    while count(Isolation::ReadUncommitted) == 0 {
        assert!(running.try_wait().unwrap().is_none());
    }
    assert_eq!(count(Isolation::ReadCommitted), 0);
    api.go_on();
    assert!(running.wait().unwrap().success());
    assert_eq!(source.ids().len(), 40_000);
}

#[test]
fn a_large_response_that_breaks_off_is_asked_for_again_and_nothing_is_there_twice() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = LargeApi::start(LargeBody { breaks: (2, 30_000), ..LargeBody::array(40_000, record) }).unwrap();
    let source = Source::new(parts, "broken", &api.url(), &json!({ "api1.max.retries": "1" }));
    let output = source.run();
    let stderr = text(&output.stderr);
    assert!(!output.status.success());
    assert!(stderr.contains("is incomplete or damaged") && stderr.contains("api1"), "{stderr}");
    assert_eq!((api.requests(), source.ids().len()), (2, 0));
    assert!(source.run().status.success());
    assert_eq!((api.requests(), source.ids()), (3, (0..40_000).collect()));
}

#[test]
fn what_cannot_be_cut_is_refused_with_the_property_that_limits_it() {
    let Some(parts) = real_parts().unwrap() else { return };
    let huge: fn(usize) -> String = |id| format!(r#"{{"id":{id},"text":"{}"}}"#, "x".repeat(id * 3_000_000));
    for (body, pointer, message) in [
        (LargeBody::array(2, huge), "", "record 1 of the response is larger than 2097152 bytes"),
        (LargeBody::array(40_000, record), "$[?@.id > 7]", "the response is larger than 2097152 bytes"),
    ] {
        let api = LargeApi::start(body).unwrap();
        let source =
            Source::new(parts, "uncut", &api.url(), &json!({ "api1.http.response.data.json.pointer": pointer }));
        let output = source.run();
        let stderr = text(&output.stderr);
        assert!(!output.status.success() && stderr.contains(message), "{stderr}");
        assert!(stderr.contains("memory.max.bytes"), "{stderr}");
        assert_eq!((api.requests(), source.ids().len()), (1, 0));
    }
}

/// What stands in Kafka of a response.
fn records_of(media_type: &'static str, body: &'static str, more: Value) -> Vec<String> {
    let api = ScriptedApi::start(move |_: &Received| Answer::of(200, media_type, body)).unwrap();
    let broker = Broker::start();
    broker.run(&config(&api, more)).unwrap();
    broker.values()
}

#[test]
fn other_formats_become_json_by_the_media_type_or_the_configuration() {
    let pointer = |pointer: &str| json!({ "api1.http.response.data.json.pointer": pointer });
    let lines = "{\"id\":12345678901234567890}\n{\"id\": 2}\n";
    assert_eq!(
        records_of("application/x-ndjson", lines, json!({})),
        [r#"{"id":12345678901234567890}"#, r#"{"id": 2}"#]
    );
    assert_eq!(records_of("application/json-seq", "\u{1e}{\n\"id\":1}\n", pointer("$[*].id")), ["1"]);
    assert_eq!(
        records_of("text/csv", "id,name\n1,\"a, b\"\n2,\n", json!({ "api1.record.key.json.pointer": "/id" })),
        [r#"{"id":"1","name":"a, b"}"#, r#"{"id":"2","name":""}"#]
    );
    let xml = r#"<?xml version="1.0"?><feed><entry id="1">x</entry></feed>"#;
    assert_eq!(records_of("application/atom+xml", xml, pointer("/feed/entry")), [r##"{"@id":"1","#text":"x"}"##]);
    for (format, more, body) in [
        ("NDJSON", json!({}), "{\"a\":\"1\"}\n"),
        ("CSV", json!({ "api1.http.response.csv.delimiter": ";", "api1.http.response.csv.quote": "'" }), "a\n'1'\n"),
        ("CSV", json!({ "api1.http.response.csv.delimiter": "\\t", "api1.http.response.csv.header": "a, b" }), "1\t2"),
        ("XML", pointer("/r"), "<r><a>1</a></r>"),
    ] {
        let mut more = more;
        more["api1.http.response.format"] = json!(format);
        let records = records_of("text/plain", body, more);
        assert!(records.len() == 1 && records[0].starts_with(r#"{"a":"1""#), "{format}: {records:?}");
    }
}

#[test]
fn a_page_for_browsers_is_named_as_such() {
    let page = "<html><body>Log in with s3cret</body></html>";
    let api = ScriptedApi::start(move |_: &Received| Answer::of(200, "text/html; charset=utf-8", page)).unwrap();
    let more = json!({ "auth.type": "BEARER", "bearer.token": "s3cret" });
    let error = Broker::start().run(&config(&api, more)).unwrap_err();
    let mut told = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    assert_eq!(
        told,
        "stream `api1` stopped: decoding a response: the response is `text/html; charset=utf-8` and begins with \
         \"<html><body>Log in with [hidden]</body></html>\", where JSON was expected"
    );
}

#[test]
fn rows_and_elements_larger_than_the_memory_arrive_whole() {
    let Some(parts) = real_parts().unwrap() else { return };
    let text = "x".repeat(200);
    let row: fn(usize) -> String = |id| format!("{id},\"{}\"\r\n", "x, y\n".repeat(60));
    let element: fn(usize) -> String = |id| format!("<b id=\"{id}\"><c>{}</c></b>", "x &lt; y".repeat(40));
    let line: fn(usize) -> String = |id| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(300));
    for (media_type, head, record, tail, key, pointer) in [
        ("text/csv", "id,text\r\n".to_owned(), row, "", "/id", ""),
        ("text/xml", format!("<a n=\"{text}\">"), element, "</a>", "/@id", "/a/b"),
        ("application/jsonl", String::new(), line, "", "/id", ""),
    ] {
        let body =
            LargeBody { media_type, head, separator: "", tail: tail.to_owned(), ..LargeBody::array(20_000, record) };
        let api = LargeApi::start(body).unwrap();
        let more = json!({
            "api1.record.key.json.pointer": key,
            "api1.http.response.data.json.pointer": pointer,
            "memory.max.bytes": 8 << 20,
        });
        let source = Source::new(parts, "formats", &api.url(), &more);
        let output = source.run();
        assert!(output.status.success(), "{media_type}: {}", self::text(&output.stderr));
        assert_eq!(source.ids(), (0..20_000).collect(), "{media_type}");
    }
}
