//! `headwater init`: what it writes, and that it says the same as inference. `UPDATE_EXPECT=1` accepts what it writes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test says why it fails or is skipped")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use headwater::plan::model::ConnectorPlan;
use headwater::plan::{PlanOptions, Selection};
use headwater::{emit, plan_document};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn init(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.current_dir(root()).arg("init").args(arguments).output().unwrap()
}

fn assert_written(name: &str, spec: &str) {
    let output = init(&[spec]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let printed = String::from_utf8(output.stdout).unwrap();
    let golden = root().join("generator/tests/golden/init").join(format!("{name}.yaml"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &printed).unwrap();
    }
    assert_eq!(printed, std::fs::read_to_string(&golden).unwrap_or_default(), "UPDATE_EXPECT=1 accepts this");
}

#[test]
fn github_issues() {
    assert_written("github-issues", "specs/github-issues/openapi.yaml");
}

#[test]
fn parents_that_are_followed_and_such_as_are_not() {
    assert_written("family", "generator/tests/documents/family/openapi.yaml");
}

#[test]
fn records_that_are_not_described_have_no_key_to_write() {
    let output = init(&["generator/tests/documents/undescribed/openapi.yaml"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let of = |operation: &str| {
        printed.split("\n\n").find(|it| it.trim_start().starts_with(&format!("# {operation}\n"))).unwrap()
    };
    assert!(
        of("silent").contains("# key: the document does not describe the records; describe their fields to name one\n")
    );
    assert!(
        of("silent").contains("# undescribed: the document does not describe the response\n        records: \"\"\n")
    );
    assert!(of("lines").contains("key: /id\n"));
}

#[test]
fn a_file_that_exists_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("overlay.yaml");
    let arguments = ["specs/petstore-events/openapi.yaml", "--out", out.to_str().unwrap()];
    let first = init(&arguments);
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(String::from_utf8(first.stdout).unwrap(), format!("{}: 2 streams\n", out.display()));
    std::fs::write(&out, "edited").unwrap();
    let second = init(&arguments);
    assert_eq!(second.status.code(), Some(2));
    let said = format!(
        "error: `{}` exists already\nhint: name another file with `--out`, or delete this one if nothing in it was edited\n",
        out.display()
    );
    assert_eq!(String::from_utf8(second.stderr).unwrap(), said);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "edited");
}

/// What a plan says, without what it was inferred from and the hash of the document.
fn said(mut plan: ConnectorPlan) -> Vec<String> {
    plan.document.sha256.clear();
    // It holds the annotations that are compared here.
    plan.document.part = serde_json::Value::Null;
    let mut said: Vec<String> = plan.streams.drain(..).fold(Vec::new(), |mut said, mut stream| {
        stream.inferences.clear();
        said.push(format!("{stream:#?}"));
        said
    });
    said.push(format!("{plan:#?}"));
    said
}

/// The overlay laid over the document, after `overlays`, gives the plan that inference gives.
fn assert_same_plan(spec: &Path, overlays: &[PathBuf]) {
    let inferred = PlanOptions { selection: Selection::All, configures_missing: true, ..PlanOptions::default() };
    let inferred = plan_document(spec, overlays, &inferred).unwrap_or_else(|said| panic!("{spec:?}: {said:?}")).plan;
    let folder = tempfile::tempdir().unwrap();
    let overlay = folder.path().join("overlay.yaml");
    std::fs::write(&overlay, emit::overlay(&inferred).unwrap()).unwrap();
    let overlays: Vec<PathBuf> = overlays.iter().cloned().chain([overlay]).collect();
    let written = plan_document(spec, &overlays, &PlanOptions::default());
    let written = written.unwrap_or_else(|said| panic!("{}: {said:?}", spec.display()));
    assert!(written.plan.streams.iter().all(|stream| stream.inferences.is_empty()), "{}", spec.display());
    let (written, inferred) = (said(written.plan), said(inferred));
    assert_eq!(written.len(), inferred.len(), "{}", spec.display());
    for (written, inferred) in written.iter().zip(&inferred) {
        assert_eq!(written, inferred, "{}", spec.display());
    }
}

#[test]
fn our_own_documents_give_the_same_plan() {
    assert_same_plan(&root().join("generator/tests/documents/family/openapi.yaml"), &[]);
    for folder in ["specs/github-issues", "specs/petstore-events", "generator/tests/documents/pets"] {
        let folder = root().join(folder);
        assert_same_plan(&folder.join("openapi.yaml"), &[]);
        assert_same_plan(&folder.join("openapi.yaml"), &[folder.join("overlay.yaml")]);
    }
}

#[test]
fn documents_of_others_give_the_same_plan() {
    for name in [
        "github-api.github.com.json",
        "box-openapi.json",
        "xero_accounting.yaml",
        "stripe.com.json",
        "jira.json",
        "lakefs-swagger.yml",
    ] {
        let spec = root().join("../shared/specs").join(name);
        if !spec.exists() {
            eprintln!("skipped: no {}", spec.display());
            continue;
        }
        assert_same_plan(&spec, &[]);
    }
}
