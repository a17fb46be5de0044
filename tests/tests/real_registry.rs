//! A real server that we did not write, by its own document: Apicurio Registry's REST API, as the running registry
//! describes it, and all the artifacts that it holds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater_tests::{
    Isolation, RealParts, build_generated, configuration, consume, create_topic, generate, python, real_parts,
    unique_name,
};
use serde_json::{Value, json};

/// Where the registry serves its document, from the root of its host.
const DOCUMENT: &str = "/api-specifications/registry/v3/openapi.json";

/// The document requires `groupId` of every artifact, but the registry leaves it out where the group is the default
/// one: what is required would stop the connector, so it is removed.
const OVERLAY: &str = r#"
overlay: 1.0.0
info: {title: Artifacts as a stream, version: 1.0.0}
actions:
  - target: $.paths['/search/artifacts'].get
    update:
      x-kafka-source:
        topic: registry.artifacts
        records: /artifacts
        key: /artifactId
        pagination: {style: offset, parameter: offset, limit: 10}
        parameters: {limit: 10, orderby: createdOn, order: asc}
"#;

/// Schemas that are registered as serializers do it: they go to the default group.
const SUBJECTS: usize = 30;

/// Artifacts in each of two groups.
const GROUPED: usize = 7;

#[test]
fn every_artifact_of_the_registry_reaches_kafka_once() {
    let Some(parts) = real_parts().unwrap() else { return };
    let Some(native) = parts.registry_native.as_deref() else {
        eprintln!("skipped: the registry is not Apicurio's");
        return;
    };
    let prefix = unique_name("artifact");
    let own = register(parts, native, &prefix);
    let scratch = tempfile::tempdir().unwrap();
    let program = generate_and_build(native, scratch.path());

    let topic = unique_name("registry-artifacts");
    create_topic(&parts.bootstrap, &topic, 3, &[]).unwrap();
    let config = scratch.path().join("connector.json");
    let mut settings = configuration(parts, &topic, native);
    settings["api1.topics"] = json!(topic);
    std::fs::write(&config, settings.to_string()).unwrap();
    // Others may register schemas meanwhile: what was listed before must be there, and nothing that is not listed after.
    let before = listed(native);
    let output = Command::new(program).args(["run", "--once", "--config"]).arg(&config).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let after = listed(native);

    let mut keys = BTreeSet::new();
    for record in consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap() {
        let key = String::from_utf8(record.key.unwrap()).unwrap();
        assert!(keys.insert(key.clone()), "artifact {key} is in Kafka twice");
    }
    assert!(own.iter().all(|id| before.contains_key(id)), "the registry does not list what was registered");
    for id in before.keys() {
        assert!(keys.contains(id), "artifact {id} is not in Kafka");
    }
    for id in &keys {
        assert!(after.contains_key(id), "the registry has no artifact {id}");
    }

    let Some(python) = python().unwrap() else { return };
    let records = python.read_avro(parts, &topic, &[]).unwrap();
    assert_eq!(records.len(), keys.len());
    let mut compared = 0;
    for record in &records {
        let id = record["key"].as_str().unwrap();
        if own.contains(id) {
            assert_eq!(record["value"], expected(&after[id]), "artifact {id}");
            compared += 1;
        }
    }
    assert_eq!(compared, own.len());
}

/// Registers schemas through both APIs of the registry. Returns the ids of their artifacts.
fn register(parts: &RealParts, native: &str, prefix: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for index in 0..SUBJECTS {
        let id = format!("{prefix}-{index}-value");
        let schema = json!({ "type": "record", "name": format!("R{index}"), "fields": [] });
        let url = format!("{}/subjects/{id}/versions", parts.registry);
        ureq::post(url).send_json(json!({ "schema": schema.to_string() })).unwrap();
        ids.insert(id);
    }
    for index in 0..2 * GROUPED {
        let id = format!("{prefix}-{index}-grouped");
        let group = format!("{prefix}-group-{}", index % 2);
        let mut artifact = json!({
            "artifactId": id,
            "artifactType": "JSON",
            "firstVersion": {
                "content": { "content": r#"{"type": "object"}"#, "contentType": "application/json" },
            },
        });
        if index % 3 > 0 {
            artifact["name"] = json!(format!("Schéma \"{index}\" 你好 \u{1F680}"));
            artifact["description"] = json!("in two\nlines");
            artifact["labels"] = json!({ "index": index.to_string(), "of": "a test" });
        }
        ureq::post(format!("{native}/groups/{group}/artifacts")).send_json(artifact).unwrap();
        ids.insert(id);
    }
    ids
}

/// The connector for the document that the registry serves, built as it was generated.
fn generate_and_build(native: &str, scratch: &Path) -> PathBuf {
    let host = native.find("/apis/").map_or(native, |end| &native[..end]);
    let served = ureq::get(format!("{host}{DOCUMENT}")).call().unwrap().body_mut().read_to_string().unwrap();
    let (document, overlay) = (scratch.join("openapi.json"), scratch.join("overlay.yaml"));
    std::fs::write(&document, served).unwrap();
    std::fs::write(&overlay, OVERLAY).unwrap();
    let crate_dir = scratch.join("connector");
    generate(&document, &overlay, &crate_dir, "real-registry-artifacts").unwrap();
    build_generated(&crate_dir, "real-registry-artifacts").unwrap()
}

/// What the registry lists, by artifact id: asked with other pages than the connector's.
fn listed(native: &str) -> BTreeMap<String, Value> {
    let mut artifacts = BTreeMap::new();
    for offset in (0..).step_by(37) {
        let url = format!("{native}/search/artifacts?orderby=createdOn&order=asc&limit=37&offset={offset}");
        let page: Value = ureq::get(url).call().unwrap().body_mut().read_json().unwrap();
        let page = page["artifacts"].as_array().unwrap();
        if page.is_empty() {
            break;
        }
        artifacts.extend(page.iter().map(|it| (it["artifactId"].as_str().unwrap().to_owned(), it.clone())));
    }
    artifacts
}

/// What a reader must see of an artifact: every property of the document, null if the registry left it out.
fn expected(artifact: &Value) -> Value {
    let instant = |name: &str| json!(artifact[name].as_str().unwrap().replace('Z', ".000000Z"));
    json!({
        "name": artifact["name"],
        "description": artifact["description"],
        "createdOn": instant("createdOn"),
        "owner": artifact["owner"],
        "artifactType": artifact["artifactType"],
        "modifiedOn": instant("modifiedOn"),
        "modifiedBy": artifact["modifiedBy"],
        "groupId": artifact["groupId"],
        "artifactId": artifact["artifactId"],
        "labels": artifact["labels"],
        "unmapped": {},
    })
}
