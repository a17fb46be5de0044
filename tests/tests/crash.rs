//! What if it dies halfway? A connector that is killed again and again, and one that is replaced while it runs: every
//! record stands in Kafka exactly once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use headwater_tests::{
    Isolation, PagedApi, RealParts, configuration, consume, create_topic, example, real_parts, unique_name,
};
use serde_json::{Value, json};

/// Where `examples/github-issues` asks.
const PATH: &str = "/repos/acme/rocket/issues";

#[test]
fn killed_twenty_times_every_record_is_there_once() {
    const RECORDS: usize = 50_000;
    let Some(parts) = real_parts().unwrap() else { return };
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as u64;
    eprintln!("the moments of the kills come from seed {seed}");
    let run = Run::prepare(parts, RECORDS, Duration::from_millis(25));

    let mut moments = Moments(seed);
    let mut kills = 0;
    while kills < 20 {
        let mut connector = run.start();
        std::thread::sleep(moments.next());
        connector.kill().unwrap();
        let status = connector.wait().unwrap();
        if status.code().is_none() {
            kills += 1;
        } else {
            assert!(status.success(), "the connector ended with {status}");
        }
    }
    assert!(run.start().wait().unwrap().success());
    assert_eq!(run.ids(), expected_ids(RECORDS));
}

#[test]
fn the_older_of_two_instances_is_fenced_and_says_so() {
    const RECORDS: usize = 20_000;
    let Some(parts) = real_parts().unwrap() else { return };
    let run = Run::prepare(parts, RECORDS, Duration::from_millis(20));

    let older = run.start();
    while run.records().is_empty() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut newer = run.start();
    let older = older.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&older.stderr);
    assert_eq!(older.status.code(), Some(1), "{said}");
    assert!(said.contains("error: another instance"), "{said}");
    assert!(newer.wait().unwrap().success());
    assert_eq!(run.ids(), expected_ids(RECORDS));
}

#[test]
fn told_to_stop_it_commits_what_it_has_and_goes_on_later() {
    const RECORDS: usize = 10_000;
    let Some(parts) = real_parts().unwrap() else { return };
    let run = Run::prepare(parts, RECORDS, Duration::from_millis(20));

    let connector = run.start();
    while run.records().is_empty() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let terminated = Command::new("kill").args(["-TERM", &connector.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    let connector = connector.wait_with_output().unwrap();
    assert!(connector.status.success(), "{}", String::from_utf8_lossy(&connector.stderr));
    let before = run.ids();
    assert!(before.len() < RECORDS, "it was done before it was told to stop");

    assert!(run.start().wait().unwrap().success());
    assert_eq!(run.ids(), expected_ids(RECORDS));
    let pages = RECORDS.div_ceil(PAGE);
    let again = run.api.requests() - pages;
    assert!(again <= 1 + WAITING, "{again} pages were requested again");
}

const PAGE: usize = 100;

/// Pages that were read, and on their way to Kafka, when the connector was told to stop.
const WAITING: usize = 5;

/// A connector, its API and its topic.
struct Run<'a> {
    parts: &'a RealParts,
    api: PagedApi,
    topic: String,
    program: PathBuf,
    config: PathBuf,
    _scratch: tempfile::TempDir,
}

impl<'a> Run<'a> {
    fn prepare(parts: &'a RealParts, records: usize, pause: Duration) -> Self {
        let records: Vec<_> = (0..records).map(issue).collect();
        let api = PagedApi::start_with(PATH, "updated_at", &records, PAGE, None, pause).unwrap();
        let topic = unique_name("crash");
        create_topic(&parts.bootstrap, &topic, 3, &[]).unwrap();
        let mut settings = configuration(parts, &topic, &api.url());
        settings["api1.topics"] = json!(topic);
        settings["owner"] = json!("acme");
        settings["repo"] = json!("rocket");
        let scratch = tempfile::tempdir().unwrap();
        let config = scratch.path().join("connector.json");
        std::fs::write(&config, settings.to_string()).unwrap();
        let program = example("github-issues").unwrap();
        Self { parts, api, topic, program, config, _scratch: scratch }
    }

    fn start(&self) -> Child {
        let mut command = Command::new(&self.program);
        command.args(["run", "--once", "--config"]).arg::<&Path>(&self.config);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn records(&self) -> Vec<headwater_tests::Consumed> {
        consume(&self.parts.bootstrap, &self.topic, Isolation::ReadCommitted).unwrap()
    }

    /// The keys of all records; none may be there twice.
    fn ids(&self) -> BTreeSet<u64> {
        let mut ids = BTreeSet::new();
        for record in self.records() {
            let id = String::from_utf8(record.key.unwrap()).unwrap().parse().unwrap();
            assert!(ids.insert(id), "issue {id} is in Kafka twice");
        }
        ids
    }
}

fn expected_ids(records: usize) -> BTreeSet<u64> {
    (1..=records as u64).collect()
}

/// Issues come three to a second, so that what lies on a boundary is asked for again.
fn issue(index: usize) -> Value {
    let second = index / 3;
    let (day, hour, minute) = (second / 86_400 + 1, second / 3600 % 24, second / 60 % 60);
    let at = format!("2024-01-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60);
    json!({
        "id": index + 1,
        "number": index + 1,
        "title": format!("Issue {index}"),
        "state": if index.is_multiple_of(2) { "open" } else { "closed" },
        "created_at": at,
        "updated_at": at,
        "comments": index % 7,
        "locked": false,
        "html_url": format!("https://example.com/{index}"),
        "user": { "id": 1, "login": "octo" },
        "labels": [],
        "assignees": [],
    })
}

/// When to kill: 0.4 to 1.6 seconds after the start.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(400 + (self.0 >> 33) % 1_200)
    }
}
