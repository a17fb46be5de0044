//! What a crate keeps of its document is enough to make the crate again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::fs;
use std::path::{Path, PathBuf};

use headwater::document::Document;
use headwater::emit::{EmitOptions, FileSet, RuntimeDependency, emit};
use headwater::plan::{PlanOptions, Selection, plan};

fn generated(path: &Path, overlays: &[PathBuf], selection: Selection) -> FileSet {
    let document = Document::load(path, overlays).unwrap();
    let planned = plan(&document, &PlanOptions { selection, ..PlanOptions::default() }).unwrap();
    emit(&planned.plan, &EmitOptions { runtime: RuntimeDependency::Version("1".to_owned()) }).unwrap()
}

fn assert_enough(path: &Path, overlays: &[PathBuf], selection: Selection) {
    let first = generated(path, overlays, selection);
    let scratch = tempfile::tempdir().unwrap();
    // Of the same name, which is told in the files; YAML is what JSON is, too.
    let part = scratch.path().join(path.file_name().unwrap());
    fs::write(&part, first.get("spec/openapi.json").unwrap()).unwrap();
    let second = generated(&part, &[], Selection::All);
    assert_eq!(second.len(), first.len());
    for (path, content) in first.iter() {
        let again = second.get(path).unwrap_or_else(|| panic!("no {path}"));
        // The manifest tells what the document was.
        let (content, again) = (String::from_utf8_lossy(content), String::from_utf8_lossy(again));
        assert!(path == "headwater.lock" || content == again, "{path}:\n{again}");
    }
}

#[test]
fn of_our_own_documents() {
    for name in ["github-issues", "petstore-events"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs").join(name);
        assert_enough(&folder.join("openapi.yaml"), &[folder.join("overlay.yaml")], Selection::Annotated);
    }
}

/// Also what was said on the command line: that a POST reads.
#[test]
fn of_operations_that_are_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/styles/openapi.yaml");
    let named = ["searchThings", "askThings"].map(str::to_owned).to_vec();
    let document = fs::read_to_string(&path)
        .unwrap()
        .replace("/things/scroll:", "/things/ask:")
        .replace("scrollThings", "askThings");
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("openapi.yaml");
    let value = "requestBody: {$ref: \"#/components/requestBodies/Scroll\"}";
    assert!(document.contains(value));
    let document = document.replace("required: [query]", "required: []");
    fs::write(&path, document).unwrap();
    assert_enough(&path, &[], Selection::Operations(named));
}

#[test]
fn of_real_documents() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs");
    // Both versions, both languages, and recursive types.
    for name in ["mastodon-schema.json", "airflow-v2.yaml", "weather-openapi.yaml"] {
        let path = folder.join(name);
        if path.is_file() {
            assert_enough(&path, &[], Selection::All);
        } else {
            eprintln!("skipped: no {}", path.display());
        }
    }
}
