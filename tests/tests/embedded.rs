//! `--dev`: a generated connector with a broker and a registry of its own, which any client can use while it runs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::{Isolation, PagedApi, consume, example, python};
use serde_json::{Value, json};

/// Where `examples/github-issues` asks, and the topic that it writes to.
const PATH: &str = "/repos/acme/rocket/issues";
const TOPIC: &str = "github.issues";

const RECORDS: usize = 250;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn other_clients_read_from_the_embedded_broker_until_it_is_told_to_stop() {
    let issues: Vec<_> = (0..RECORDS).map(issue).collect();
    let api = PagedApi::start(PATH, "updated_at", &issues, 100).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let config = scratch.path().join("connector.json");
    let settings = json!({ "name": "dev", "http.api.base.url": api.url(), "owner": "acme", "repo": "rocket", "listeners": "http://127.0.0.1:0" });
    std::fs::write(&config, settings.to_string()).unwrap();
    let mut command = Command::new(example("github-issues").unwrap());
    command.args(["run", "--dev", "--config"]).arg(&config).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut connector = Running(command.spawn().unwrap());

    let mut said = BufReader::new(connector.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut announced = |what: &str| {
        let line = said.next().unwrap();
        line.strip_prefix(what).unwrap_or_else(|| panic!("no {what:?} but {line:?}")).to_owned()
    };
    let broker = announced("embedded broker: ");
    let registry = announced("embedded schema registry: ");
    let serving = said.next().unwrap();
    let (_, address) = serving.split_once("address=").unwrap_or_else(|| panic!("no address in {serving:?}"));
    let admin = format!("http://{address}");
    // What it logs is read to its end, so that it never waits for a reader.
    let log = std::thread::spawn(move || said.collect::<Vec<_>>());

    let began = Instant::now();
    let mut read = consume(&broker, TOPIC, Isolation::ReadCommitted).unwrap();
    while read.len() < RECORDS {
        assert!(began.elapsed() < LIMIT, "only {} records in the embedded broker", read.len());
        std::thread::sleep(Duration::from_millis(100));
        read = consume(&broker, TOPIC, Isolation::ReadCommitted).unwrap();
    }
    let mut ids: Vec<usize> =
        read.iter().map(|record| std::str::from_utf8(record.key.as_ref().unwrap()).unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=RECORDS).collect::<Vec<_>>());

    if let Some(python) = python().unwrap() {
        let mut records = python.read_avro_from(&broker, &registry, TOPIC, &[]).unwrap();
        records.sort_by_key(|record| record["value"]["id"].as_u64());
        let titles: Vec<_> = records.iter().map(|record| &record["value"]["title"]).collect();
        assert_eq!(titles, issues.iter().map(|issue| &issue["title"]).collect::<Vec<_>>());
    }

    let text = |path: &str| ureq::get(format!("{admin}{path}")).call().unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(text("/ready"), "ready\n");
    assert_eq!(text("/healthy"), "ok\n");
    assert_eq!(text("/connectors"), r#"["dev"]"#);
    let status: Value = serde_json::from_str(&text("/connectors/dev/status")).unwrap();
    assert_eq!(status["connector"]["state"], "RUNNING", "{status}");
    assert_eq!(status["tasks"][0]["operation"], "listIssues", "{status}");
    let metrics = text("/metrics");
    let of = r#"connector="dev",operation="listIssues""#;
    for line in [
        format!("headwater_records_total{{{of}}} {RECORDS}"),
        format!("headwater_pages_total{{{of}}} 3"),
        format!("headwater_http_request_duration_seconds_count{{{of}}} 3"),
        format!(r#"headwater_drift_total{{{of},kind="undeclared field",pointer="/mood"}} {RECORDS}"#),
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}\nis not in\n{metrics}");
    }

    let terminated = Command::new("kill").args(["-TERM", &connector.0.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    let status = connector.0.wait().unwrap();
    let log = log.join().unwrap();
    assert_eq!(status.code(), Some(0), "{}", log.join("\n"));
    assert!(log.last().is_some_and(|line| line.contains("stopped records=250")), "{}", log.join("\n"));
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It fails where it has ended already.
        let _ = self.0.kill();
    }
}

fn issue(index: usize) -> serde_json::Value {
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
        "mood": "undeclared",
    })
}
