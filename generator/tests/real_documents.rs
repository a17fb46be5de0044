//! Documents that others wrote, where they are at hand: nothing of them is kept here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test says why it fails or is skipped")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use headwater::document::Document;
use headwater::emit::{EmitOptions, RuntimeDependency, emit};
use headwater::plan::model::{OffsetMode, PaginationPlan, Scalar, StreamPlan, TypeKind};
use headwater::plan::{PlanOptions, Planned, Selection, plan};

/// A document of the collection beside the checkout; `None`, and a line that says so, without it.
fn real(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs").join(name);
    if !path.exists() {
        eprintln!("skipped: no {}", path.display());
        return None;
    }
    Some(path)
}

const GITHUB_OVERLAY: &str = r#"
overlay: 1.0.0
info: {title: t, version: "1"}
actions:
  - target: $.paths['/repos/{owner}/{repo}/issues'].get
    update:
      x-kafka-source:
        topic: github.issues
        key: /id
        timestamp: /updated_at
        pagination: {style: link-header}
        offset: {mode: timestamp, field: /updated_at, parameter: since, initial: "2024-01-01T00:00:00Z"}
        parameters:
          {owner: "${config:owner}", repo: "${config:repo}", state: all, sort: updated, direction: asc, per_page: 100}
"#;

#[test]
fn github_issues() {
    let Some(path) = real("github-api.github.com.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let overlay = folder.path().join("overlay.yaml");
    std::fs::write(&overlay, GITHUB_OVERLAY).unwrap();
    let document = Document::load(&path, &[overlay]).unwrap();
    let Planned { plan, operations, .. } = plan(&document, &PlanOptions::default()).unwrap();
    assert!(operations > 700);
    assert_eq!(plan.base_url.as_deref(), Some("https://api.github.com"));
    let [issues] = plan.streams.as_slice() else { panic!("one stream") };
    assert_eq!(issues.operation_id, "issues/list-for-repo");
    assert_eq!(issues.pagination, PaginationPlan::LinkHeader);
    assert_eq!(issues.key.as_ref().unwrap().scalar, Scalar::Int64);
    assert_eq!(issues.offset.as_ref().unwrap().mode, OffsetMode::Timestamp);
    let TypeKind::Struct(record) = &plan.types[issues.record.0].kind else { panic!("a struct") };
    assert_eq!(record.names.rust, "IssueSimple");
    // Only what an issue reaches.
    assert!(plan.types.len() < 100, "{} types", plan.types.len());
    let options = EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) };
    assert!(emit(&plan, &options).unwrap().get("schemas/avro/issue_simple.avsc").is_some());
}

/// The documents, of OpenAPI 3.0 and then of 3.1, with how many of their operations are streams, at least.
const DOCUMENTS: [(&str, usize); 22] = [
    ("github-api.github.com.json", 355),
    ("stripe.com.json", 195),
    ("twilio_messaging_v1.json", 24),
    ("confluent-openapi.yaml", 16),
    ("box-openapi.json", 110),
    ("spotify-fixed-spotify-open-api.yml", 48),
    ("k8s-apis__discovery.k8s.io__v1_openapi.json", 7),
    ("lakefs-swagger.yml", 53),
    ("jira.json", 210),
    ("nasa-asteroids_neows.json", 2),
    ("oai-petstore.yaml", 2),
    ("weather-openapi.yaml", 40),
    ("xero_accounting.yaml", 100),
    ("polaris-multifile/polaris-catalog-service.yaml", 14),
    ("adyen-ManagementService-v3.json", 60),
    ("airflow-v2.yaml", 55),
    ("figma-openapi.yaml", 28),
    ("iceberg-rest-catalog-open-api.yaml", 7),
    ("mastodon-schema.json", 85),
    ("notion-openapi.json", 2),
    ("oai-tictactoe.yaml", 1),
    ("redocly-openapi.yaml", 3),
];

/// `generate --all` of every document: it succeeds, with topics and modules of their own, and says why of what is left out.
#[test]
fn all_of_every_document_is_generated() {
    for (name, least) in DOCUMENTS {
        let Some(path) = real(name) else { return };
        let document = Document::load(&path, &[]).unwrap_or_else(|said| panic!("{name}: {said:?}"));
        let options = PlanOptions { selection: Selection::All, ..PlanOptions::default() };
        let planned = plan(&document, &options).unwrap_or_else(|said| panic!("{name}: {said:?}"));
        let streams = &planned.plan.streams;
        assert!(streams.len() >= least, "{name}: {} streams", streams.len());
        assert_eq!(planned.operations, streams.len() + planned.left_out.len(), "{name}");
        assert!(planned.schemas.needed <= planned.schemas.all, "{name}: {:?}", planned.schemas);
        assert!(planned.left_out.iter().all(|left_out| !left_out.reason.is_empty()), "{name}");
        for (what, of) in [
            ("topics", (|stream| stream.topic.clone()) as fn(&StreamPlan) -> String),
            ("modules", |stream| stream.module.clone()),
        ] {
            let distinct: BTreeSet<String> = streams.iter().map(of).collect();
            assert_eq!(distinct.len(), streams.len(), "{name}: {what}");
        }
        for parameter in streams.iter().flat_map(|stream| &stream.parameters) {
            assert!(!parameter.required || parameter.value.is_some(), "{name}: {}", parameter.wire_name);
        }
        let options = EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) };
        emit(&planned.plan, &options).unwrap_or_else(|error| {
            panic!("{name}: {error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
        });
    }
}
