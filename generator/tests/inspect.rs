//! `headwater inspect --format json` of our own documents. `UPDATE_EXPECT=1` accepts what it prints.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

fn assert_inspected(name: &str, overlaid: bool) {
    assert_inspected_in("specs", name, overlaid);
}

fn assert_inspected_in(folder: &str, name: &str, overlaid: bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.current_dir(&root).args(["inspect", "--format", "json"]).arg(format!("{folder}/{name}/openapi.yaml"));
    if overlaid {
        command.arg("--overlay").arg(format!("{folder}/{name}/overlay.yaml"));
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let printed = String::from_utf8(output.stdout).unwrap();
    let golden = root
        .join("generator/tests/golden/inspect")
        .join(format!("{name}{}.json", if overlaid { "-overlaid" } else { "" }));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &printed).unwrap();
    }
    assert_eq!(printed, std::fs::read_to_string(&golden).unwrap_or_default(), "UPDATE_EXPECT=1 accepts this");
}

#[test]
fn petstore_events() {
    assert_inspected("petstore-events", false);
    assert_inspected("petstore-events", true);
}

#[test]
fn github_issues() {
    assert_inspected("github-issues", false);
    assert_inspected("github-issues", true);
}

#[test]
fn parents_that_are_followed_and_such_as_are_not() {
    assert_inspected_in("generator/tests/documents", "family", false);
}
