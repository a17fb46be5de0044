//! A generated crate with code of its own in `src/hooks.rs`: records are changed and left out, and the file is the user's.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests, helpers included")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_tests::{
    Isolation, Received, ScriptedApi, build_generated, configuration, consume, create_topic, headwater, real_parts,
    unique_name, workspace,
};
use serde_json::{Value, json};

/// What the user makes of the file that was begun for them: even issues are left out, titles are written large, and 13 is not
/// borne.
const OWN: &str = r#"
use headwater_runtime::hook::{Text, Verdict};

use crate::models::Issue;

pub fn list_issues(issue: &mut Issue<'_>) -> Verdict {
    let id = issue.id.get().copied().unwrap_or_default();
    assert!(id != 13, "no {id} here");
    if id % 2 == 0 {
        return Verdict::Drop;
    }
    if let Some(title) = issue.title.get() {
        issue.title = Text::from(title.to_uppercase()).into();
    }
    Verdict::Keep
}
"#;

/// A document with its overlay, and what is laid over it besides.
struct Generated {
    folder: tempfile::TempDir,
    spec: &'static str,
}

impl Generated {
    fn of(spec: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), spec }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn crate_dir(&self) -> PathBuf {
        self.path("crate")
    }

    fn hooks(&self) -> PathBuf {
        self.crate_dir().join("src/hooks.rs")
    }

    /// Runs a command that takes what `generate` takes, `actions` being laid over the document.
    fn run(&self, command: &str, actions: &[(&str, &str)]) -> Output {
        let action = |(target, source): &(&str, &str)| {
            format!("\n  - target: $.paths['{target}'].get\n    update: {{x-kafka-source: {source}}}")
        };
        let head = "overlay: 1.0.0\ninfo: {title: hooks, version: '1'}\nactions:";
        let actions = if actions.is_empty() { " []".to_owned() } else { actions.iter().map(action).collect() };
        fs::write(self.path("hooks.yaml"), format!("{head}{actions}\n")).unwrap();
        let spec = workspace().join("specs").join(self.spec);
        let mut program = Command::new(headwater().unwrap());
        program.arg(command).arg(spec.join("openapi.yaml")).arg("--overlay").arg(spec.join("overlay.yaml"));
        program.arg("--overlay").arg(self.path("hooks.yaml")).arg("--out").arg(self.crate_dir());
        program.arg("--runtime").arg(workspace().join("runtime")).output().unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

const ISSUES: [(&str, &str); 1] = [("/repos/{owner}/{repo}/issues", "{hook: true, redact: {/user/login: hash}}")];

#[test]
fn a_hook_changes_and_drops_records_and_its_file_is_never_written_again() {
    let Some(parts) = real_parts().unwrap() else { return };
    let generated = Generated::of("github-issues");
    let output = generated.run("generate", &ISSUES);
    assert!(output.status.success(), "{}", said(&output));
    let begun = fs::read_to_string(generated.hooks()).unwrap();
    assert!(begun.contains("pub fn list_issues(record: &mut Issue<'_>) -> Verdict {"), "{begun}");
    let lock = fs::read_to_string(generated.crate_dir().join("headwater.lock")).unwrap();
    assert!(!lock.contains("hooks.rs"), "{lock}");
    let readme = fs::read_to_string(generated.crate_dir().join("README.md")).unwrap();
    assert!(readme.contains("| `src/hooks.rs` | yours"), "{readme}");

    fs::write(generated.hooks(), OWN).unwrap();
    let output = generated.run("generate", &ISSUES);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    assert_eq!(fs::read_to_string(generated.hooks()).unwrap(), OWN);
    let output = generated.run("check", &ISSUES);
    assert!(output.status.success(), "{}", said(&output));

    let program = build_generated(&generated.crate_dir(), "github-issues").unwrap();
    let (topic, unlucky) = (unique_name("hooked"), Arc::new(AtomicBool::new(false)));
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let has_13 = Arc::clone(&unlucky);
    let api = ScriptedApi::start(move |request: &Received| {
        let last = if has_13.load(Ordering::Relaxed) { 16 } else { 10 };
        let all = (1..=last).map(issue).collect::<Vec<_>>();
        let since = request.query("since").map(|since| since.replace("%3A", ":")).unwrap_or_default();
        json!(
            all.into_iter().filter(|issue| issue["updated_at"].as_str().unwrap() >= since.as_str()).collect::<Vec<_>>()
        )
    })
    .unwrap();
    let mut config = configuration(parts, &topic, &api.url());
    let more = json!({
        "owner": "o", "repo": "r", "api1.topics": topic, "api1.output.data.format": "JSON",
        "record.redact.salt": "a salt that nobody knows",
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let run = |arguments: &[&str]| run(&program, arguments, &generated.path("config.json"), &config);
    let written = || {
        let records = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
        records
            .into_iter()
            .map(|record| serde_json::from_slice(&record.value.unwrap()).unwrap())
            .collect::<Vec<Value>>()
    };
    let ids = |records: &[Value]| records.iter().map(|record| record["id"].as_u64().unwrap()).collect::<Vec<_>>();

    let output = run(&["run", "--once"]);
    assert!(output.status.success(), "{}", said(&output));
    let records = written();
    assert_eq!(ids(&records), [1, 3, 5, 7, 9]);
    assert_eq!(records[0]["title"], "TITLE 1");
    assert_eq!(records[0]["user"]["login"].as_str().map(str::len), Some(64), "the annotation says so");
    // The last record was left out, and the stream stands at it all the same.
    let output = run(&["offsets", "list"]);
    assert!(said(&output).contains("2024-01-01T00:00:10Z"), "{}", said(&output));

    // What panics stops the stream before its page: nothing of it is written, and nothing is lost.
    unlucky.store(true, Ordering::Relaxed);
    let output = run(&["run", "--once"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let expected = "reading record 3 of the page: its hook in `src/hooks.rs` panicked with \"no 13 here\"";
    assert!(said(&output).contains(expected), "{}", said(&output));
    assert_eq!(ids(&written()), [1, 3, 5, 7, 9]);
    let output = run(&["offsets", "list"]);
    assert!(said(&output).contains("2024-01-01T00:00:10Z"), "{}", said(&output));

    fs::write(generated.hooks(), OWN.replace("assert!", "let _ = || assert!")).unwrap();
    let program = build_generated(&generated.crate_dir(), "github-issues").unwrap();
    let output = self::run(&program, &["run", "--once"], &generated.path("config.json"), &config);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(ids(&written()), [1, 3, 5, 7, 9, 11, 13, 15]);
}

#[test]
fn a_function_that_is_missing_is_named() {
    let generated = Generated::of("petstore-events");
    let (events, pets) = (("/events", "{hook: true}"), ("/stores/{store}/pets", "{hook: true}"));
    let output = generated.run("generate", &[events]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let begun = fs::read_to_string(generated.hooks()).unwrap();
    let output = generated.run("generate", &[events, pets]);
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "warning: `src/hooks.rs` has no function `list_pets`, which is called with each record of `listPets`\n\
         hint: add it there: `pub fn list_pets(record: &mut Pet<'_>) -> Verdict { … }`\n"
    );
    assert_eq!(fs::read_to_string(generated.hooks()).unwrap(), begun);
    assert!(generated.run("check", &[events, pets]).status.success());
    // Nothing calls it any more, and it stays.
    let output = generated.run("generate", &[]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    assert_eq!(fs::read_to_string(generated.hooks()).unwrap(), begun);
    let lib = fs::read_to_string(generated.crate_dir().join("src/lib.rs")).unwrap();
    assert!(!lib.contains("hooks"), "{lib}");
}

fn run(program: &Path, arguments: &[&str], path: &Path, config: &Value) -> Output {
    fs::write(path, config.to_string()).unwrap();
    Command::new(program).args(arguments).arg("--config").arg(path).env("HEADWATER_LOG", "info").output().unwrap()
}

/// Issues come one a second.
fn issue(id: usize) -> Value {
    let at = format!("2024-01-01T00:00:{id:02}Z");
    json!({
        "id": id, "number": id, "title": format!("title {id}"), "state": "open", "created_at": at, "updated_at": at,
        "comments": 0, "locked": false, "html_url": "https://example.com", "user": { "id": 1, "login": "octo" },
        "labels": [], "assignees": [],
    })
}
