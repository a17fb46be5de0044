//! The commands of a generated connector beside `run`: what they show, what they change, and their exit codes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::{
    Isolation, PagedApi, configuration, consume, create_topic, example, headwater, real_parts, target, unique_name,
    workspace,
};
use serde_json::{Value, json};

/// Where `examples/github-issues` asks, and its operation.
const PATH: &str = "/repos/acme/rocket/issues";
const OPERATION: &str = "listIssues";

const RECORDS: usize = 250;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn previews_without_kafka() {
    let api = api();
    let connector = Connector::with(&api, |_| ());
    let (code, out, err) = connector.run(&["preview", "--limit", "120"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "operation `listIssues`, topic `github.issues`, Avro: 120 records, 6 of 19 fields");
    let header: Vec<_> = lines[2].split_whitespace().collect();
    assert_eq!(header, ["key", "id", "number", "title", "state", "locked", "comments"]);
    // The records of the second page follow those of the first.
    let last: Vec<_> = lines[lines.len() - 2].split_whitespace().collect();
    assert_eq!(last[..5], ["120", "120", "120", "Ausgabe", "\"119\""], "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 160), "{out}");

    let (code, _, err) = connector.run(&["preview", "--operation", "issues"]);
    assert_eq!(code, 2);
    let refused = format!("error: the connector has no operation `issues`\nhint: its operations are `{OPERATION}`\n");
    assert_eq!(err, refused);

    // What does not fit is shown as it is, and told.
    let odd = PagedApi::start(PATH, "updated_at", &[json!([1]), json!({"id": {}, "title": 7})], 10).unwrap();
    let (code, out, err) = Connector::with(&odd, |_| ()).run(&["preview"]);
    assert!(out.contains("2 records") && out.contains("[1]"), "{out}");
    assert_eq!(code, 1, "{err}");
    assert!(err.starts_with(&format!("error: stream `{OPERATION}` stopped: ")), "{err}");
}

#[test]
fn previews_show_what_would_be_written_in_each_format() {
    let issue = json!({
        "id": 7, "created_at": "2024-01-31T12:00:00.5+02:00", "updated_at": "2024-01-31T12:00:00Z", "labels": [], "surprise": 1.5,
    });
    let api = PagedApi::start(PATH, "updated_at", &[issue, json!("none")], 10).unwrap();
    let preview = |more: Value| {
        let connector = Connector::with(&api, |settings| {
            let more = more.as_object().unwrap();
            settings.as_object_mut().unwrap().extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        });
        let (code, out, err) = connector.run(&["preview"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    for (format, name, shown) in [
        ("AVRO", "Avro", "7 7 2024-01-31T10:00:00.5Z 2024-01-31T12:00:00Z"),
        ("PROTOBUF", "Protobuf", "7 7 2024-01-31T10:00:00.500Z 2024-01-31T12:00:00Z"),
        ("JSON_SR", "JSON Schema", "7 7 2024-01-31T12:00:00.5+02:00 2024-01-31T12:00:00Z 1.5"),
        ("JSON", "JSON", "7 7 2024-01-31T12:00:00.5+02:00 2024-01-31T12:00:00Z 1.5"),
    ] {
        let lines = preview(json!({ "output.data.format": format }));
        let title = format!("operation `listIssues`, topic `github.issues`, {name}: 1 records");
        assert!(lines[0].starts_with(&title) && lines[0].ends_with(", 1 to the dead letters"), "{lines:#?}");
        assert!(lines[2].starts_with("key id created_at updated_at"), "{lines:#?}");
        assert!(lines[4].starts_with(shown), "{lines:#?}");
        // What the document does not declare has a place of its own in the schemas that allow nothing else.
        let has_unmapped = lines[2].contains("unmapped") && lines[4].contains(r#"{"/surprise":"1.5"#);
        assert_eq!(has_unmapped, !format.starts_with("JSON"), "{lines:#?}");
    }
    let lines = preview(json!({
        "transforms": "only",
        "transforms.only.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.only.include": "id",
        "transforms.only.renames": "id:number_of_it",
    }));
    assert!(lines[0].contains("Avro by a schema learnt from them: 1 records"), "{lines:#?}");
    assert_eq!((&*lines[2], &*lines[4]), ("key number_of_it", "7 7"), "{lines:#?}");
}

#[test]
fn shows_and_changes_positions_and_schemas_of_an_embedded_broker() {
    let api = api();
    let source = Connector::with(&api, |_| ());
    let mut running = source.start(&["run", "--dev"]);
    let mut said = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut announced = |what: &str| said.next().unwrap().strip_prefix(what).unwrap().to_owned();
    let (broker, registry) = (announced("embedded broker: "), announced("embedded schema registry: "));
    // What it logs is read to its end, so that it never waits for a reader.
    let log = std::thread::spawn(move || said.count());
    // A connector of another name, so that the two do not write one another's positions.
    let connector = Connector::with(&api, |settings| {
        settings["name"] = json!("other");
        settings["bootstrap.servers"] = json!(broker);
        settings["value.converter.schema.registry.url"] = json!(registry);
        settings["offset.storage.topic"] = json!("headwater-dev-offsets");
    });

    let list = |connector: &Connector| -> Value {
        let (code, out, err) = connector.run(&["offsets", "list", "--format", "json"]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    };
    assert_eq!(list(&connector), json!({ OPERATION: null }));
    let at = r#"{"offset":"2024-01-01T00:02:00Z"}"#;
    let set = |position: &str| connector.run(&["offsets", "set", "--operation", OPERATION, position]);
    let (code, out, err) = set(at);
    assert_eq!((code, out), (0, format!("{OPERATION}: {at}, was from the beginning\n")), "{err}");
    assert_eq!(list(&connector)[OPERATION]["offset"], "2024-01-01T00:02:00Z");
    let (code, out, _) = connector.run(&["offsets", "list"]);
    assert!(code == 0 && out.contains(OPERATION) && out.contains(at), "{out}");

    for (position, reason) in [
        (r#"{"ofset":1}"#, "unknown field `ofset`"),
        ("2024", "invalid type"),
        (r#"{"offset":"yesterday"}"#, "the offset \"yesterday\" is no RFC 3339 date-time"),
        (r#"{"cycle":{"next":{"page":2}}}"#, "the operation's pages are named by a `url`"),
    ] {
        let (code, out, err) = set(position);
        assert_eq!((code, out.as_str()), (2, ""), "{position}");
        assert!(err.starts_with(&format!("error: the position of `{OPERATION}`: ")) && err.contains(reason), "{err}");
        assert!(err.contains("\nhint: "), "{err}");
    }
    assert_eq!(connector.run(&["offsets", "set", "--operation", "none", "{}"]).0, 2);
    assert_eq!(connector.run(&["offsets", "reset"]).0, 2);
    assert_eq!(list(&connector)[OPERATION]["offset"], "2024-01-01T00:02:00Z", "something refused was written");

    let (code, out, err) = connector.run(&["offsets", "reset", "--all"]);
    assert_eq!((code, out), (0, format!("{OPERATION}: from the beginning, was {at}\n")), "{err}");
    assert_eq!(list(&connector), json!({ OPERATION: null }));
    let (code, out, _) = connector.run(&["offsets", "reset", "--operation", OPERATION]);
    assert_eq!((code, out.as_str()), (0, "there is no position to reset\n"));

    let (code, out, err) = connector.run(&["schemas", "register"]);
    assert_eq!((code, out.as_str()), (0, "github.issues-value: id 1\n"), "{err}");
    let (code, out, err) = connector.run(&["schemas", "test"]);
    assert_eq!((code, out.as_str()), (0, "github.issues-value: compatible\n"), "{err}");
    drop(running);
    log.join().unwrap();
}

#[test]
fn changes_positions_in_kafka_while_nobody_runs() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = api();
    let topic = unique_name("offsets");
    create_topic(&parts.bootstrap, &topic, 3, &[]).unwrap();
    let connector = Connector::with(&api, |settings| {
        settings.as_object_mut().unwrap().extend(configuration(parts, &topic, &api.url()).as_object().unwrap().clone());
        settings["api1.topics"] = json!(topic);
    });
    let (code, out, err) = connector.run(&["offsets", "list"]);
    assert!(code == 0 && out.contains("from the beginning"), "{out}{err}");
    let once = |expected: usize| {
        let (code, _, err) = connector.run(&["run", "--once"]);
        assert_eq!(code, 0, "{err}");
        let (began, mut found) = (Instant::now(), 0);
        // A transaction that was committed is seen in one partition after the other.
        while found < expected {
            assert!(began.elapsed() < LIMIT, "{found} records, not {expected}");
            found = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap().len();
        }
        assert_eq!(found, expected);
    };
    once(RECORDS);
    let began = Instant::now();
    let mut reached = Value::Null;
    while reached[OPERATION]["offset"] != "2024-01-01T00:04:09Z" {
        assert!(began.elapsed() < LIMIT, "the position is {reached}");
        let (_, out, _) = connector.run(&["offsets", "list", "--format", "json"]);
        reached = serde_json::from_str(&out).unwrap();
    }

    // The last ten seconds again: the record at the position itself included.
    let position = r#"{"offset":"2024-01-01T00:04:00Z"}"#;
    let set = || connector.run(&["offsets", "set", "--operation", OPERATION, position]);
    assert_eq!(set().0, 0);
    once(RECORDS + 10);

    // Not while an instance runs, nor of one that was killed before its session is over.
    let mut running = connector.start(&["run"]);
    let mut said = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("shards have been assigned")), "it did not start");
    let reset = || connector.run(&["offsets", "reset", "--all"]);
    let refusal = format!(
        "error: the connector runs: its consumer group `headwater-{topic}` has members at 127.0.0.1\n\
         hint: stop its instances first; one that was killed counts until its session is over\n"
    );
    assert_eq!(reset(), (2, String::new(), refusal));
    drop(running);
    let began = Instant::now();
    while reset().0 != 0 {
        assert!(began.elapsed() < LIMIT, "{}", reset().2);
    }
    once(2 * RECORDS + 10);

    let subject = format!("{topic}-value");
    assert_eq!(connector.run(&["schemas", "test"]), (0, format!("{subject}: compatible\n"), String::new()));
    let other = json!({ "schema": r#"{"type":"record","name":"Other","fields":[{"name":"id","type":"string"}]}"# });
    let at = |path: &str| format!("{}{path}", parts.registry);
    let rule = |name: &str| json!({ "compatibility": name });
    ureq::put(at(&format!("/config/{subject}"))).send_json(rule("NONE")).unwrap();
    ureq::post(at(&format!("/subjects/{subject}/versions"))).send_json(other).unwrap();
    ureq::put(at(&format!("/config/{subject}"))).send_json(rule("FULL")).unwrap();
    let (code, out, err) = connector.run(&["schemas", "test"]);
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(out, format!("{subject}: not compatible\n"));
    // This registry says no more.
    let expected =
        format!("error: the schema of `{subject}` is not compatible with its earlier versions: no reason given\n");
    assert!(err.starts_with(&expected), "{err}");
}

/// The test of a generated crate passes, and fails if the API has something else.
#[test]
fn a_crate_is_tested_against_a_mock_of_its_own_document() {
    let headwater = headwater().unwrap();
    let contract = |program: &Path| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace()).args(["test", "--quiet", "--package", "petstore-events", "--test", "contract"]);
        cargo.args(["--target-dir".as_ref(), target().as_os_str()]).args(["--", "--nocapture"]);
        let output = cargo.env("HEADWATER", program).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (passed, said) = contract(headwater);
    assert!(passed, "{said}");
    assert!(said.contains(r#"{"petstore.events": 250, "petstore.pets": 250}"#), "{said}");

    let scratch = tempfile::tempdir().unwrap();
    let fewer = scratch.path().join("fewer");
    let command = format!("exec '{}' mock \"$2\" --all --open --listen 127.0.0.1:0 --records 249", headwater.display());
    std::fs::write(&fewer, format!("#!/bin/sh\n{command}\n")).unwrap();
    std::fs::set_permissions(&fewer, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (passed, said) = contract(&fewer);
    assert!(!passed && said.contains("found: 249, expected: 250"), "{said}");
    let (passed, said) = contract(&scratch.path().join("none"));
    assert!(!passed && said.contains("Mock {"), "{said}");
}

/// A connector's program, and its configuration.
struct Connector {
    program: PathBuf,
    config: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Connector {
    fn with(api: &PagedApi, change: impl FnOnce(&mut Value)) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let config = scratch.path().join("connector.json");
        let mut settings = json!({ "name": "dev", "http.api.base.url": api.url(), "owner": "acme", "repo": "rocket" });
        change(&mut settings);
        std::fs::write(&config, settings.to_string()).unwrap();
        Self { program: example("github-issues").unwrap(), config, _scratch: scratch }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--config").arg::<&Path>(&self.config);
        command
    }

    /// Exit code, standard output and standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    fn start(&self, arguments: &[&str]) -> Running {
        Running(self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It fails where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn api() -> PagedApi {
    let issues: Vec<_> = (0..RECORDS).map(issue).collect();
    PagedApi::start(PATH, "updated_at", &issues, 100).unwrap()
}

/// Issues come one a second.
fn issue(index: usize) -> Value {
    let at = format!("2024-01-01T00:{:02}:{:02}Z", index / 60, index % 60);
    json!({
        "id": index + 1,
        "number": index + 1,
        "title": format!("Ausgabe \"{index}\" 你好"),
        "state": "open",
        "created_at": at,
        "updated_at": at,
        "comments": 0,
        "locked": false,
        "html_url": format!("https://example.com/{index}"),
        "user": { "id": 1, "login": "octo" },
        "labels": [],
        "assignees": [],
    })
}
