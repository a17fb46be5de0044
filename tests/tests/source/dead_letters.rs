//! `dlq replay`: dead letters that have become records are written once, on a real Kafka, whatever dies.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use headwater_tests::{
    Isolation, RealParts, Received, ScriptedApi, configuration, consume, create_topic, example, headwater, real_parts,
    unique_name,
};
use serde_json::{Value, json};

use crate::support::with;

/// A source whose records have a field `n`, which a transform makes a number: of every third record it is none.
struct Source<'a> {
    parts: &'a RealParts,
    config: Value,
    topic: String,
    scratch: tempfile::TempDir,
    _api: ScriptedApi,
}

/// The value of `n`: of two thirds a number of 32 bits, of a sixth one that takes more, of a sixth none.
fn number(id: usize) -> &'static str {
    match id % 6 {
        0 => "9999999999",
        3 => "x",
        _ => "1",
    }
}

/// What the transform makes of `n`.
fn cast(to: &str) -> Value {
    json!({
        "errors.tolerance": "all",
        "transforms": "number",
        "transforms.number.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.number.spec": format!("n:{to}"),
    })
}

impl<'a> Source<'a> {
    fn start(parts: &'a RealParts, records: usize, dead_letters: &str) -> Self {
        let api = ScriptedApi::start(move |_: &Received| {
            json!((0..records).map(|id| json!({ "id": id, "n": number(id) })).collect::<Vec<_>>())
        });
        let (api, topic, scratch) = (api.unwrap(), unique_name("dead"), tempfile::tempdir().unwrap());
        create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
        let mut config = configuration(parts, &topic, &api.url());
        with(
            &mut config,
            json!({
                "output.data.format": "JSON",
                "api1.topics": topic,
                "api1.http.api.path": "/items",
                "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
                "api1.record.key.json.pointer": "/id",
                "errors.deadletterqueue.topic.name": dead_letters,
            }),
        );
        Self { parts, config, topic, scratch, _api: api }
    }

    /// A command with this configuration.
    fn command(&self, program: &Path, arguments: &[&str], more: &Value) -> Command {
        let path = self.scratch.path().join("source.json");
        let mut config = self.config.clone();
        with(&mut config, more.clone());
        std::fs::write(&path, config.to_string()).unwrap();
        let mut command = Command::new(program);
        command.args(arguments.iter().map(|argument| argument.replace("CONFIG", path.to_str().unwrap())));
        command
    }

    /// Reads the API once.
    fn run(&self, more: &Value) {
        said(&mut self.command(headwater().unwrap(), &["run", "CONFIG", "--once"], more));
    }

    /// How many dead letters were replayed, are still dead, and were skipped.
    fn replay(&self, more: &Value) -> [u64; 3] {
        counts(&said(&mut self.command(headwater().unwrap(), &["dlq", "replay", "CONFIG"], more)))
    }

    /// How often each record stands in the topic.
    fn written(&self) -> BTreeMap<usize, usize> {
        let mut times = BTreeMap::new();
        for record in consume(&self.parts.bootstrap, &self.topic, Isolation::ReadCommitted).unwrap() {
            *times.entry(String::from_utf8(record.key.unwrap()).unwrap().parse().unwrap()).or_default() += 1;
        }
        times
    }

    fn dead_letters(&self) -> usize {
        let topic = self.config["errors.deadletterqueue.topic.name"].as_str().unwrap();
        consume(&self.parts.bootstrap, topic, Isolation::ReadCommitted).unwrap().len()
    }
}

/// What a command prints that must end well.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn counts(said: &str) -> [u64; 3] {
    ["replayed", "still dead", "skipped"].map(|what| {
        let line = said.lines().find_map(|line| line.trim().strip_prefix(what)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("{what}: {said}")).parse().unwrap()
    })
}

/// So many records, each once.
fn once(ids: impl IntoIterator<Item = usize>) -> BTreeMap<usize, usize> {
    ids.into_iter().map(|id| (id, 1)).collect()
}

#[test]
fn what_has_become_a_record_is_written_once_and_the_rest_stays_dead() {
    let Some(parts) = real_parts().unwrap() else { return };
    let shared = unique_name("dlq");
    let (source, other) = (Source::start(parts, 30, &shared), Source::start(parts, 30, &shared));
    assert_eq!(source.replay(&cast("int32")), [0, 0, 0], "there is no topic yet");
    source.run(&cast("int32"));
    other.run(&cast("int32"));
    assert_eq!((source.written().len(), source.dead_letters()), (20, 20));

    // Nothing has changed: they are dead letters once more.
    assert_eq!(source.replay(&cast("int32")), [0, 10, 10]);
    assert_eq!((source.written().len(), source.dead_letters()), (20, 30));

    let mut dry = source.command(headwater().unwrap(), &["dlq", "replay", "CONFIG", "--dry-run"], &cast("int64"));
    for _ in 0..2 {
        let told = said(&mut dry);
        assert_eq!(told, format!("{shared}, if it were replayed\n  replayed: 5\n  still dead: 5\n  skipped: 0\n"));
    }
    assert_eq!((source.written().len(), source.dead_letters()), (20, 30));

    assert_eq!(source.replay(&cast("int64")), [5, 5, 0]);
    assert_eq!(source.written(), once((0..30).filter(|id| number(*id) != "x")));
    assert_eq!(source.replay(&cast("int64")), [0, 5, 0]);
    assert_eq!(source.written(), once((0..30).filter(|id| number(*id) != "x")));

    // Without the transform, all of them are records.
    assert_eq!(source.replay(&json!({})), [5, 0, 0]);
    assert_eq!(source.replay(&json!({})), [0, 0, 0]);
    assert_eq!(source.written(), once(0..30));
    let records = consume(&parts.bootstrap, &source.topic, Isolation::ReadCommitted).unwrap();
    assert_eq!(records.last().unwrap().value.as_deref(), Some(&br#"{"id":27,"n":"x"}"#[..]), "as it was sent");

    // What the other connector has left is its own.
    assert_eq!(other.replay(&json!({})), [10, 0, 30]);
    assert_eq!(other.written(), once(0..30));
}

#[test]
fn killed_while_it_replays_each_dead_letter_is_written_once() {
    /// As many as make several transactions.
    const RECORDS: usize = 18_000;
    let Some(parts) = real_parts().unwrap() else { return };
    let source = Source::start(parts, RECORDS, &unique_name("dlq"));
    source.run(&cast("int32"));
    let seen = || consume(&parts.bootstrap, &source.topic, Isolation::ReadUncommitted).unwrap().len();
    for _ in 0..4 {
        let before = seen();
        let mut command = source.command(headwater().unwrap(), &["dlq", "replay", "CONFIG"], &json!({}));
        let mut replaying = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // In the middle: as soon as something has come.
        while seen() == before && replaying.try_wait().unwrap().is_none() {}
        replaying.kill().unwrap();
        replaying.wait().unwrap();
    }
    source.replay(&json!({}));
    assert_eq!(source.replay(&json!({})), [0, 0, 0]);
    assert_eq!(source.written(), once(0..RECORDS));
}

#[test]
fn a_generated_connector_replays_its_dead_letters_too() {
    let Some(parts) = real_parts().unwrap() else { return };
    let name = unique_name("generated-dead");
    let api = ScriptedApi::start(|_: &Received| {
        let issue = |id: usize, title: &str| json!({ "id": id, "number": id, "title": title, "updated_at": "2024-01-01T00:00:00Z" });
        json!([issue(1, "7"), issue(2, "x")])
    });
    let api = api.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("c.json");
    let program = example("github-issues").unwrap();
    let run = |arguments: &[&str], more: &Value| {
        let mut config = configuration(parts, &name, &api.url());
        with(&mut config, json!({ "owner": "o", "repo": "r", "api1.topics": name, "api1.output.data.format": "JSON" }));
        with(&mut config, more.clone());
        std::fs::write(&path, config.to_string()).unwrap();
        said(Command::new(&program).args(arguments).arg("--config").arg(&path))
    };
    let number = json!({
        "errors.tolerance": "all",
        "transforms": "number",
        "transforms.number.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.number.spec": "title:int32",
    });
    run(&["run", "--once"], &number);
    let written = || consume(&parts.bootstrap, &name, Isolation::ReadCommitted).unwrap();
    assert_eq!(written().len(), 1);
    assert_eq!(counts(&run(&["dlq", "replay", "--dry-run"], &json!({}))), [1, 0, 0]);
    assert_eq!(counts(&run(&["dlq", "replay"], &json!({}))), [1, 0, 0]);
    assert_eq!(counts(&run(&["dlq", "replay"], &json!({}))), [0, 0, 0]);
    let records = written();
    assert_eq!(records.len(), 2);
    let value: Value = serde_json::from_slice(records[1].value.as_deref().unwrap()).unwrap();
    assert_eq!((&value["id"], &value["title"]), (&json!(2), &json!("x")));
}
