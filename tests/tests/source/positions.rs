//! `headwater offsets`: positions of a source by hand, and those that Kafka Connect has kept.

use headwater_tests::{Answer, Received, ScriptedApi, run_headwater};
use serde_json::{Value, json};

use crate::support::{Broker, config};

/// A source that a broker knows, and its configuration file.
struct Source {
    broker: Broker,
    config: Value,
    path: String,
    _scratch: tempfile::TempDir,
}

impl Source {
    /// Ten numbers, from `offset` on, and what comes after a name.
    fn start(api: &ScriptedApi) -> Self {
        let (broker, scratch) = (Broker::start(), tempfile::tempdir().unwrap());
        let mut config = config(
            api,
            json!({
                "bootstrap.servers": broker.bootstrap_servers(),
                "apis.num": "2",
                "api1.http.request.parameters": "start=${offset}",
                "api1.http.initial.offset": "0",
                "api2.topics": "names",
                "api2.http.api.path": "/v2/names",
                "api2.http.request.parameters": "after=${offset}",
                "api2.http.offset.mode": "CHAINING",
                "api2.http.initial.offset": "a",
                "api2.http.offset.json.pointer": "/name",
            }),
        );
        // They would be told to have no effect.
        for name in ["connector.class", "tasks.max"] {
            config.as_object_mut().unwrap().remove(name);
        }
        let path = scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).unwrap();
        Self { broker, config, path: path.to_str().unwrap().to_owned(), _scratch: scratch }
    }

    /// What a command prints, and where it ends.
    fn offsets(&self, command: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let arguments = [&["offsets", command, &self.path], arguments].concat();
        let output = run_headwater(&arguments).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

fn numbers_and_names() -> ScriptedApi {
    ScriptedApi::start(|request: &Received| -> Answer {
        match request.path() {
            "/v2/names" => {
                let names = ["ada", "bob", "cid", "dan"];
                let after = names.iter().filter(|name| **name > request.query("after").unwrap_or_default());
                json!(after.take(2).map(|name| json!({ "name": name })).collect::<Vec<_>>()).into()
            }
            _ => json!((request.number("start")..10).take(4).collect::<Vec<_>>()).into(),
        }
    })
    .unwrap()
}

#[test]
fn are_shown_set_and_removed() {
    let api = numbers_and_names();
    let source = Source::start(&api);
    assert_eq!(source.broker.run(&source.config).unwrap().records, 14);
    let (code, listed, said) = source.offsets("list", &["--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["api1"]["offset"], "10");
    assert_eq!(listed["api2"]["offset"], "dan");
    // What is shown can be set.
    for api in ["api1", "api2"] {
        let position = listed[api].to_string();
        let (code, told, said) = source.offsets("set", &["--operation", api, &position]);
        assert_eq!((code, told), (Some(0), format!("{api}: {position}, was {position}\n")), "{said}");
    }
    let (code, told, said) = source.offsets("set", &["--operation", "api1", r#"{"offset":"7"}"#]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(told.starts_with("api1: {\"offset\":\"7\"}, was {"), "{told}");
    assert_eq!(source.broker.run(&source.config).unwrap().records, 3);

    let (code, told, _) = source.offsets("reset", &["--operation", "api2"]);
    assert_eq!(code, Some(0));
    assert!(told.starts_with("api2: from the beginning, was {\"offset\":\"dan\""), "{told}");
    assert_eq!(source.broker.run(&source.config).unwrap().records, 4);

    for (operation, position, message) in [
        ("api3", "{}", "the connector has no operation `api3`\nhint: its operations are `api1`, `api2`\n"),
        (
            "api1",
            r#"{"offset":"x"}"#,
            "the position of `api1`: the offset \"x\" is no number of records\nhint: see what `offsets list` shows\n",
        ),
        (
            "api1",
            r#"{"cycle":{"next":{"page":2}}}"#,
            "the position of `api1`: it is the position of another kind of connector: with generated code, or without\n\
             hint: see what `offsets list` shows\n",
        ),
    ] {
        let (code, told, said) = source.offsets("set", &["--operation", operation, position]);
        assert_eq!((code, told.as_str(), said), (Some(2), "", format!("error: {message}")));
    }
}

#[test]
fn are_taken_over_from_kafka_connect() {
    let api = numbers_and_names();
    let source = Source::start(&api);
    let url = |path: &str| format!("{}{path}", api.url().trim_end_matches('/'));
    let key = |name: &str, path: &str| json!([name, {"url": url(path)}]).to_string();
    let (numbers, names) = (key("orders", "/items"), key("orders", "/v2/names?limit=2"));
    let elsewhere = json!(["others", {"file": "a"}]).to_string();
    let (first, last) = (json!({"offset": "2"}).to_string(), json!({"offset": 6}).to_string());
    let (name, place) = (json!({"name": "bob"}).to_string(), json!({"position": 5}).to_string());
    // As Connect writes them: the last of each counts.
    source.broker.write(
        "connect-offsets",
        &[(&numbers, Some(&first)), (&elsewhere, Some(&place)), (&names, Some(&name)), (&numbers, Some(&last))],
    );
    // The topic of positions must be there: the embedded broker makes none on request.
    source.broker.write("headwater-source-offsets", &[("none of ours", Some(""))]);

    let (code, told, said) = source.offsets("import", &["--topic", "connect-offsets"]);
    let refused = "error: the topic `connect-offsets` has no offsets of a connector `source`\n\
                   hint: it has those of `orders`, `others`; name one with --connector\n";
    assert_eq!((code, told.as_str(), said.as_str()), (Some(2), "", refused));
    let (code, told, said) = source.offsets("import", &["--topic", "connect-offsets", "--connector", "others"]);
    let refused = "error: the offset {\"position\":5} of {\"file\":\"a\"}: it names none of the APIs by number or path\n\
                   hint: set it by hand with `offsets set`\n";
    assert_eq!((code, told.as_str(), said.as_str()), (Some(2), "", refused));

    let import = ["--topic", "connect-offsets", "--connector", "orders"];
    let (code, planned, said) = source.offsets("import", &[&import[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let line =
        |path: &str, offset: Value, position: &str| format!("{} {offset} is {position}\n", json!({"url": url(path)}));
    let mut lines = [
        line("/items", json!({"offset": 6}), "api1 {\"offset\":\"6\"}"),
        line("/v2/names?limit=2", json!({"name": "bob"}), "api2 {\"offset\":\"bob\"}"),
    ];
    lines.sort();
    assert_eq!(planned, lines.concat());
    assert_eq!(source.offsets("list", &["--format", "json"]).1, "{\n  \"api1\": null,\n  \"api2\": null\n}\n");

    let (code, told, said) = source.offsets("import", &import);
    assert_eq!(code, Some(0), "{said}");
    let written =
        "api1: {\"offset\":\"6\"}, was from the beginning\napi2: {\"offset\":\"bob\"}, was from the beginning\n";
    assert_eq!(told, planned + written);
    assert_eq!(source.broker.run(&source.config).unwrap().records, 4 + 2);
}
