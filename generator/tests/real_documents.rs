//! Documents that others wrote, where they are at hand: nothing of them is kept here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test says why it fails or is skipped")]

use std::path::PathBuf;

use headwater::diagnostic::Severity;
use headwater::document::Document;
use headwater::emit::{EmitOptions, RuntimeDependency, emit};
use headwater::plan::model::{OffsetMode, PaginationPlan, Scalar, TypeKind};
use headwater::plan::{PlanOptions, Planned, Selection, plan, survey};

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
    ("github-api.github.com.json", 200),
    ("stripe.com.json", 70),
    ("twilio_messaging_v1.json", 9),
    ("confluent-openapi.yaml", 2),
    ("box-openapi.json", 60),
    ("spotify-fixed-spotify-open-api.yml", 25),
    ("k8s-apis__discovery.k8s.io__v1_openapi.json", 2),
    ("lakefs-swagger.yml", 20),
    ("jira.json", 100),
    ("nasa-asteroids_neows.json", 0),
    ("oai-petstore.yaml", 1),
    ("xero_accounting.yaml", 40),
    ("adyen-ManagementService-v3.json", 6),
    ("weather-openapi.yaml", 15),
    ("polaris-multifile/polaris-catalog-service.yaml", 7),
    ("airflow-v2.yaml", 16),
    ("figma-openapi.yaml", 1),
    ("iceberg-rest-catalog-open-api.yaml", 0),
    ("mastodon-schema.json", 35),
    ("notion-openapi.json", 0),
    ("oai-tictactoe.yaml", 0),
    ("redocly-openapi.yaml", 2),
];

#[test]
fn surveys() {
    for (name, least) in DOCUMENTS {
        let Some(path) = real(name) else { return };
        let document = Document::load(&path, &[]).unwrap_or_else(|said| panic!("{name}: {said:?}"));
        let survey = survey(&document).unwrap_or_else(|said| panic!("{name}: {said:?}"));
        assert!(survey.streams.len() >= least, "{name}: {} streams", survey.streams.len());
    }
}

/// What can be a stream, of every document: what is planned can be emitted, and all that is not is told of.
#[test]
fn whatever_is_planned_is_emitted() {
    for (name, _) in DOCUMENTS {
        let Some(path) = real(name) else { return };
        let document = Document::load(&path, &[]).unwrap_or_else(|said| panic!("{name}: {said:?}"));
        let options = PlanOptions { selection: Selection::All, ..PlanOptions::default() };
        let planned = match plan(&document, &options) {
            Ok(planned) => planned,
            Err(said) => {
                let errors: Vec<_> = said.iter().filter(|said| said.severity == Severity::Error).collect();
                let [error] = errors.as_slice() else { panic!("{name}: {errors:?}") };
                assert!(error.message.starts_with("no operation can be a stream"), "{name}: {}", error.message);
                continue;
            }
        };
        assert_eq!(planned.plan.streams.len() + planned.left_out.len(), planned.operations, "{name}");
        assert!(planned.schemas.needed <= planned.schemas.all, "{name}: {:?}", planned.schemas);
        let options = EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) };
        emit(&planned.plan, &options).unwrap_or_else(|error| {
            panic!("{name}: {error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
        });
    }
}
