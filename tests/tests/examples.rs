//! The connectors in `examples/` are what generating them gives, and generating them again changes no more than it must.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use headwater_tests::{run_headwater, workspace};

const EXAMPLES: [&str; 2] = ["github-issues", "petstore-events"];

/// A field that the document lacks.
const ADDED_FIELD: &str = "
overlay: 1.0.0
info: {title: Drafts, version: 1.0.0}
actions:
  - target: $.components.schemas.Issue.properties
    update:
      draft: {type: boolean, description: Whether it is not ready yet.}
";

#[test]
fn the_examples_are_what_generating_them_gives() {
    for name in EXAMPLES {
        let out = format!("examples/{name}");
        let output = headwater("check", name, Path::new(&out), &[]);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.starts_with(&format!("{out}: ")), "{said}");
        assert!(said.ends_with(" files are as `generate` would write them\n"), "{said}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for name in EXAMPLES {
        let scratch = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|folder| {
            let folder = scratch.path().join(folder);
            let output = headwater("generate", name, &folder, &[]);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            files(&folder)
        });
        assert_eq!(first, second, "{name}");

        let committed = workspace().join("examples").join(name);
        for (path, content) in &first {
            // The manifest tells where the runtime is, seen from the crate.
            assert!(path == "Cargo.toml" || fs::read(committed.join(path)).unwrap() == *content, "{path} of {name}");
        }
    }
}

#[test]
fn a_changed_document_is_told_and_changes_no_more_than_it_must() {
    let scratch = tempfile::tempdir().unwrap();
    let (overlay, folder) = (scratch.path().join("drafts.yaml"), scratch.path().join("connector"));
    fs::write(&overlay, ADDED_FIELD).unwrap();
    let added = ["--overlay", overlay.to_str().unwrap()];
    assert_eq!(headwater("generate", "github-issues", &folder, &[]).status.code(), Some(0));
    let own = folder.join("src/bin/extra.rs");
    fs::create_dir(folder.join("src/bin")).unwrap();
    fs::write(&own, "fn main() {}\n").unwrap();
    let before = files(&folder);

    let output = headwater("check", "github-issues", &folder, &added);
    assert_eq!(output.status.code(), Some(1));
    let expected = [
        "--- present/src/models/issue.rs\n+++ generated/src/models/issue.rs\n@@ -",
        "     pub pull_request: Field<'page, IssuePullRequest<'page>>,\n\
         +    /// Whether it is not ready yet.\n\
         +    #[field(number = 19)]\n\
         +    pub draft: Field<'page, bool>,\n",
        "--- present/schemas/avro/issue.avsc\n+++ generated/schemas/avro/issue.avsc\n@@ -",
        "+      \"name\": \"draft\",\n",
        "--- present/schemas/json/issue.json\n+++ generated/schemas/json/issue.json\n@@ -",
        "--- present/schemas/protobuf/issue.proto\n+++ generated/schemas/protobuf/issue.proto\n@@ -",
        "+  optional bool draft = 19;\n",
        "--- present/headwater.lock\n+++ generated/headwater.lock\n@@ -",
    ];
    for part in expected {
        assert!(text(&output.stdout).contains(part), "no {part:?} in:\n{}", text(&output.stdout));
    }
    let said = format!("error: {} is not what `generate` would write: 6 of 28 files\n", folder.display());
    assert_eq!(text(&output.stderr), said + "hint: run `headwater generate` with the same arguments\n");
    assert_eq!(files(&folder), before, "`check` wrote");

    assert_eq!(headwater("generate", "github-issues", &folder, &added).status.code(), Some(0));
    let after = files(&folder);
    let changed: Vec<_> = after.iter().filter(|(path, content)| before.get(*path) != Some(content)).collect();
    let changed: Vec<_> = changed.into_iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        changed,
        [
            "headwater.lock",
            "schemas/avro/issue.avsc",
            "schemas/json/issue.json",
            "schemas/protobuf/issue.proto",
            "spec/openapi.json",
            "src/models/issue.rs"
        ]
    );
    assert_eq!(fs::read_to_string(&own).unwrap(), "fn main() {}\n");
    assert_eq!(headwater("check", "github-issues", &folder, &added).status.code(), Some(0));
}

/// A file that is gone is a difference; another version of the generator is told, not shown line by line.
#[test]
fn a_lost_file_and_another_version_are_told() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("connector");
    assert_eq!(headwater("generate", "github-issues", &folder, &[]).status.code(), Some(0));
    fs::remove_file(folder.join("Dockerfile")).unwrap();
    let output = headwater("check", "github-issues", &folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("--- /dev/null\n+++ generated/Dockerfile\n@@ -0,0 "));

    let lock = folder.join("headwater.lock");
    let ours = format!("\"generator\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = fs::read_to_string(&lock).unwrap().replace(&ours, "\"generator\": \"0.0.1\"");
    fs::write(&lock, older).unwrap();
    let output = headwater("check", "github-issues", &folder, &[]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "Dockerfile\nheadwater.lock\n"));
    let said = format!(
        "error: {} was generated by another version, 0.0.1, and this is {}; 2 of 28 files differ\n\
         hint: generate it again, or check it with version 0.0.1\n",
        folder.display(),
        env!("CARGO_PKG_VERSION"),
    );
    assert_eq!(text(&output.stderr), said);

    assert_eq!(headwater("generate", "github-issues", &folder, &[]).status.code(), Some(0));
    assert_eq!(headwater("check", "github-issues", &folder, &[]).status.code(), Some(0));
}

/// Whoever formats a workspace that holds a generated crate must not change what was generated, whatever the width.
#[test]
fn formatting_a_generated_crate_changes_nothing() {
    if !Command::new("rustfmt").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: rustfmt is not installed");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    for name in EXAMPLES {
        let folder = scratch.path().join(name);
        assert_eq!(headwater("generate", name, &folder, &[]).status.code(), Some(0));
        let before = files(&folder);
        for width in [90, 100, 120] {
            let mut rustfmt = Command::new("rustfmt");
            rustfmt.current_dir(&folder).args(["--edition", "2024", "--config", &format!("max_width={width}")]);
            assert!(
                rustfmt
                    .args(["src/lib.rs", "src/main.rs", "tests/cassettes.rs", "tests/contract.rs"])
                    .status()
                    .unwrap()
                    .success()
            );
            assert_eq!(files(&folder), before, "{name} with lines of {width}");
        }
    }
}

/// Runs a command on an example's document as the README says.
fn headwater(command: &str, name: &str, out: &Path, more: &[&str]) -> Output {
    let (document, overlay) = (format!("specs/{name}/openapi.yaml"), format!("specs/{name}/overlay.yaml"));
    let out = out.to_str().unwrap();
    let mut arguments = vec![command, &document, "--overlay", &overlay, "--out", out, "--runtime", "runtime"];
    arguments.extend(more);
    run_headwater(&arguments).unwrap()
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
