//! Emission, by golden files: what a plan becomes, byte for byte. `UPDATE_EXPECT=1 cargo test -p headwater` accepts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compile;
mod plans;

use std::path::{Path, PathBuf};

use headwater::emit::{EmitOptions, FileSet, RuntimeDependency, emit};
use headwater::output;
use headwater::plan::model::ConnectorPlan;

/// What `plan` becomes, with a published runtime.
fn emitted(plan: &ConnectorPlan) -> FileSet {
    emit(plan, &EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) }).unwrap()
}

fn golden(case: &str, plan: &ConnectorPlan) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(case);
    let files = emitted(plan);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        output::write(&files, &folder).unwrap();
    }
    let differences = output::check(&files, &folder).unwrap();
    let diffs: String = differences.into_iter().map(|difference| difference.diff).collect();
    assert!(diffs.is_empty(), "{diffs}\nif this is as it should be: UPDATE_EXPECT=1 cargo test -p headwater");
}

#[test]
fn a_connector_as_people_have_them() {
    golden("tickets", &plans::tickets());
}

#[test]
fn a_connector_that_has_everything() {
    golden("everything", &plans::everything());
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    assert_eq!(emitted(&plans::everything()), emitted(&plans::everything()));
}

#[test]
fn only_the_manifest_holds_a_version_or_a_hash() {
    let plan = plans::tickets();
    let mut later = plan.clone();
    later.document.version = "9.9.9".to_owned();
    later.document.sha256 = "0".repeat(64);
    let (files, later) = (emitted(&plan), emitted(&later));
    let changed: Vec<_> = files.iter().filter(|&(path, content)| later.get(path) != Some(content)).collect();
    assert_eq!(changed.iter().map(|(path, _)| *path).collect::<Vec<_>>(), ["headwater.lock"]);
}

#[test]
fn the_runtime_can_be_in_a_folder() {
    let options = EmitOptions { runtime: RuntimeDependency::Path("../\"odd\" folder/runtime".to_owned()) };
    let files = emit(&plans::tickets(), &options).unwrap();
    let manifest: toml::Table = std::str::from_utf8(files.get("Cargo.toml").unwrap()).unwrap().parse().unwrap();
    let path = manifest["dependencies"]["headwater-runtime"]["path"].as_str();
    assert_eq!(path, Some("../\"odd\" folder/runtime"));
}

#[test]
fn a_plan_that_breaks_its_promises_names_the_file() {
    let mut plan = plans::tickets();
    plan.streams[0].rust_name = "list tickets".to_owned();
    let options = EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) };
    let error = emit(&plan, &options).unwrap_err();
    assert_eq!(error.to_string(), "the emitted `src/operations/list_tickets.rs` is not Rust");
}

/// The workspace's root.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}
