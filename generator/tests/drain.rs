//! Every style of paging, and streams that are read for the records of others, as inferred, generated, built and run: what the
//! mock has is what a consumer reads, once each.

#![cfg(feature = "run")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use headwater::emit::{EmitOptions, RuntimeDependency, emit};
use headwater::mock::{Counts, MockApi};
use headwater::plan::model::ConnectorPlan;
use headwater::plan::{PlanOptions, Selection};
use headwater::{output, plan_document};
use headwater_runtime::kafka::{EmbeddedCluster, KafkaSettings, TopicReader, TopicRecord};
use headwater_runtime::registry::EmbeddedRegistry;
use serde_json::json;

/// No whole number of pages.
const RECORDS: u64 = 57;

fn planned(document: &str) -> ConnectorPlan {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents").join(document).join("openapi.yaml");
    let options = PlanOptions { selection: Selection::All, ..PlanOptions::default() };
    plan_document(&spec, &[], &options).unwrap().plan
}

#[test]
fn the_document_has_every_style() {
    let rules: Vec<_> = planned("styles")
        .streams
        .iter()
        .map(|stream| stream.inferences.iter().find(|inference| inference.subject == "pagination"))
        .map(|inference| inference.map_or("annotated", |inference| inference.rule))
        .collect();
    let expected = [
        "link-header",
        "next-url-in-body",
        "next-url-in-body",
        "cursor-in-body",
        "last-record",
        "offset-parameter",
        "page-parameter",
        // What JSONPaths select.
        "offset-parameter",
        "offset-parameter",
        "annotated",
        "annotated",
        "annotated",
        // In bodies.
        "cursor-in-body",
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

/// What the connector of `plan` has written when it has read a mock of its API to the end, by operation. Every parameter is
/// `configured`.
async fn drained(plan: &ConnectorPlan, configured: &str, counts: Counts) -> BTreeMap<String, Vec<TopicRecord>> {
    let folder = tempfile::tempdir().unwrap();
    let program = build(plan, folder.path());

    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let api = MockApi::start(plan.clone(), any_port, counts, 1).await.unwrap();
    let registry = EmbeddedRegistry::start(any_port).await.unwrap();
    let cluster = EmbeddedCluster::start(1).unwrap();
    for stream in &plan.streams {
        cluster.create_topic(&stream.topic, 1).unwrap();
    }
    cluster.create_topic(&format!("headwater-{}-offsets", plan.name), 16).unwrap();
    let mut config = json!({
        "bootstrap.servers": cluster.bootstrap_servers(),
        "value.converter.schema.registry.url": registry.url().as_str(),
        "http.api.base.url": api.url(),
    });
    plan.parameters.keys().for_each(|name| config[name] = configured.into());
    let file = folder.path().join("connector.json");
    fs::write(&file, config.to_string()).unwrap();
    let run = move || Command::new(&program).args(["run", "--once", "--config"]).arg(&file).output().unwrap();
    // The mock answers meanwhile.
    let ran = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));

    let settings =
        KafkaSettings { bootstrap_servers: cluster.bootstrap_servers().to_owned(), ..KafkaSettings::default() };
    let reader = TopicReader::new(settings, Duration::from_secs(20));
    let mut found = BTreeMap::new();
    for (stream, traffic) in plan.streams.iter().zip(api.traffic()) {
        let records = reader.read(&stream.topic).await.unwrap();
        assert_eq!(records.len() as u64, traffic.records, "{}", stream.operation_id);
        found.insert(stream.operation_id.clone(), records);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_style_is_drained() {
    let plan = planned("styles");
    let found = drained(&plan, "1", Counts { each: RECORDS, each_of_parent: 1 }).await;
    for stream in &plan.streams {
        let records = &found[&stream.operation_id];
        let keys: BTreeSet<_> = records.iter().map(|record| record.key.clone().unwrap()).collect();
        let expected = if stream.is_single { 1 } else { RECORDS as usize };
        assert_eq!((records.len(), keys.len()), (expected, expected), "{}", stream.operation_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_slice_is_read() {
    let plan = planned("slices");
    assert_eq!(plan.parameters.keys().collect::<Vec<_>>(), ["shops"]);
    let description = &plan.parameters["shops"].description;
    assert_eq!(description, "Where the orders are. Values with commas between them; each is read by itself.");
    let found = drained(&plan, "a, b", Counts { each: 7, each_of_parent: 2 }).await;
    let counts: Vec<_> =
        plan.streams.iter().map(|it| (it.operation_id.as_str(), found[&it.operation_id].len())).collect();
    // There are two shops, two states, and three kinds.
    assert_eq!(counts, [("listOrders", 7 * 2 * 2), ("listLines", 7 * 2 * 2 * 2 * 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_described_and_lines_are_drained() {
    let plan = planned("undescribed");
    let found = drained(&plan, "1", Counts { each: RECORDS, each_of_parent: 1 }).await;
    for stream in &plan.streams {
        let is_one = ["silentOne", "object"].contains(&stream.operation_id.as_str());
        let expected = if is_one { 1 } else { RECORDS as usize };
        assert_eq!(found[&stream.operation_id].len(), expected, "{}", stream.operation_id);
        assert_eq!(stream.is_single, is_one, "{}", stream.operation_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parents_that_are_sure_are_followed() {
    let plan = planned("family");
    // What is not sure is configured.
    let configured: Vec<&str> = plan.parameters.keys().map(String::as_str).collect();
    assert_eq!(configured, ["shop.id", "tag.id"]);
    let found = drained(&plan, "1", Counts { each: 7, each_of_parent: 5 }).await;
    let counts: Vec<_> =
        plan.streams.iter().map(|it| (it.operation_id.as_str(), found[&it.operation_id].len())).collect();
    let expected = [
        ("listShops", 7),
        ("getShop", 7),
        ("listOrders", 7 * 5),
        ("listLines", 7 * 5 * 5),
        ("getOwner", 7),
        ("listDays", 7),
        ("listTags", 7),
        ("listUses", 7),
    ];
    assert_eq!(counts, expected);
}
