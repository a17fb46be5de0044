//! Every style of paging as inferred, generated, built and run: what the mock has is what a consumer reads, once each.

#![cfg(feature = "run")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use headwater::emit::{EmitOptions, RuntimeDependency, emit};
use headwater::mock::MockApi;
use headwater::plan::model::ConnectorPlan;
use headwater::plan::{PlanOptions, Selection};
use headwater::{output, plan_document};
use headwater_runtime::kafka::{EmbeddedCluster, KafkaSettings, TopicReader};
use headwater_runtime::registry::EmbeddedRegistry;
use serde_json::json;

/// No whole number of pages.
const RECORDS: u64 = 57;

fn planned() -> ConnectorPlan {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/styles/openapi.yaml");
    let options = PlanOptions { selection: Selection::All, ..PlanOptions::default() };
    plan_document(&spec, &[], &options).unwrap().plan
}

#[test]
fn the_document_has_every_style() {
    let rules: Vec<_> = planned()
        .streams
        .iter()
        .map(|stream| stream.inferences.iter().find(|inference| inference.subject == "pagination").unwrap().rule)
        .collect();
    let expected = [
        "link-header",
        "next-url-in-body",
        "next-url-in-body",
        "cursor-in-body",
        "last-record",
        "offset-parameter",
        "page-parameter",
        "single-object",
    ];
    assert_eq!(rules, expected);
}

/// Generates the connector into `folder` and builds it; its program.
fn build(plan: &ConnectorPlan, folder: &Path) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let runtime = workspace.join("runtime").to_str().unwrap().to_owned();
    let files = emit(plan, &EmitOptions { runtime: RuntimeDependency::Path(runtime) }).unwrap();
    output::write(&files, folder).unwrap();
    fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    // Where cargo builds this test, so that what is compiled already is used again.
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let output = Command::new(env!("CARGO"))
        .current_dir(&workspace)
        .args(["build", "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("debug").join(&plan.name)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_style_is_drained() {
    let plan = planned();
    let folder = tempfile::tempdir().unwrap();
    let program = build(&plan, folder.path());

    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let api = MockApi::start(plan.clone(), any_port, RECORDS, 1).await.unwrap();
    let registry = EmbeddedRegistry::start(any_port).await.unwrap();
    let cluster = EmbeddedCluster::start(1).unwrap();
    for stream in &plan.streams {
        cluster.create_topic(&stream.topic, 1).unwrap();
    }
    cluster.create_topic(&format!("headwater-{}-offsets", plan.name), 16).unwrap();
    let config = json!({
        "bootstrap.servers": cluster.bootstrap_servers(),
        "value.converter.schema.registry.url": registry.url().as_str(),
        "http.api.base.url": api.url(),
        "thing.id": "1",
    });
    let file = folder.path().join("connector.json");
    fs::write(&file, config.to_string()).unwrap();
    let run = move || Command::new(&program).args(["run", "--once", "--config"]).arg(&file).output().unwrap();
    // The mock answers meanwhile.
    let ran = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));

    let settings =
        KafkaSettings { bootstrap_servers: cluster.bootstrap_servers().to_owned(), ..KafkaSettings::default() };
    let reader = TopicReader::new(settings, Duration::from_secs(20));
    for stream in &plan.streams {
        let records = reader.read(&stream.topic).await.unwrap();
        let keys: BTreeSet<_> = records.iter().map(|record| record.key.clone().unwrap()).collect();
        let expected = if stream.is_single { 1 } else { RECORDS as usize };
        assert_eq!((records.len(), keys.len()), (expected, expected), "{}", stream.operation_id);
    }
}
