//! Plans of whole documents.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use headwater::document::Document;
use headwater::plan::model::{OffsetMode, PaginationPlan, ParameterValue, Scalar, Type, TypeKind, Until};
use headwater::plan::{PlanOptions, Planned, Selection, plan};

fn planned(folder: &str, selection: Selection) -> Planned {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let overlays: [PathBuf; 1] = [folder.join("overlay.yaml")];
    let document = Document::load(&folder.join("openapi.yaml"), &overlays).unwrap();
    plan(&document, &PlanOptions { selection, ..PlanOptions::default() }).unwrap()
}

fn type_name(ty: &Type) -> &str {
    match &ty.kind {
        TypeKind::Struct(ty) => &ty.names.rust,
        TypeKind::Enum(ty) => &ty.names.rust,
        TypeKind::Union(ty) => &ty.names.rust,
        TypeKind::List(_) => "list",
        TypeKind::Map(_) => "map",
        TypeKind::Scalar(_) => "scalar",
    }
}

#[test]
fn petstore_events() {
    let Planned { plan, warnings, operations, left_out, .. } = planned("tests/documents/pets", Selection::Annotated);
    assert_eq!(warnings.iter().count(), 0);
    assert_eq!((operations, left_out.len()), (4, 2));
    assert_eq!(plan.name, "petstore-events");
    assert_eq!(plan.base_url.as_deref(), Some("https://eu.petstore.example/v1"));
    assert_eq!(plan.parameters.keys().collect::<Vec<_>>(), ["store"]);
    let [events, pets] = plan.streams.as_slice() else { panic!("two streams") };

    assert_eq!(
        (events.topic.as_str(), events.records.as_str(), events.interval_ms),
        ("petstore.events", "/events", 1000)
    );
    assert!(events.records_required);
    assert_eq!(events.key.as_ref().unwrap().scalar, Scalar::Uuid);
    assert_eq!(events.timestamp.as_ref().unwrap().pointer, "/occurred_at");
    let offset = events.offset.as_ref().unwrap();
    assert_eq!((offset.mode, offset.parameter.name.as_str()), (OffsetMode::Timestamp, "since"));
    let cursor =
        PaginationPlan::Cursor { pointer: "/next_page_token".into(), parameter: "page_token".into(), initial: None };
    assert_eq!(events.pagination, cursor);
    assert!(events.inferences.is_empty());

    assert_eq!((pets.topic.as_str(), pets.interval_ms), ("petstore.list-pets", 300_000));
    assert_eq!(
        pets.pagination,
        PaginationPlan::Page { parameter: "page".into(), first: 1, size: Some(100), until: Until::EmptyPage }
    );
    let store = pets.parameters.iter().find(|parameter| parameter.wire_name == "store").unwrap();
    assert_eq!(store.value, Some(ParameterValue::Config("store".to_owned())));
    let rules: Vec<_> = pets.inferences.iter().map(|inference| (inference.subject, inference.rule)).collect();
    assert_eq!(rules, [("records", "root-array"), ("pagination", "page-parameter"), ("topic", "operation-id")]);

    let named: Vec<_> = plan.types.iter().map(type_name).filter(|name| name.starts_with(char::is_uppercase)).collect();
    assert_eq!(named, ["Event", "EventKind", "Pet", "PetSpecies", "PetMeasurement", "Person", "EventReference"]);
    let TypeKind::Struct(event) = &plan.types[events.record.0].kind else { panic!("a struct") };
    let optional: Vec<_> =
        event.fields.iter().filter(|field| field.element.optional).map(|field| field.wire_name.as_str()).collect();
    assert_eq!(optional, ["price", "clerk", "reference", "receipt", "details"]);
    let TypeKind::Struct(pet) = &plan.types[pets.record.0].kind else { panic!("a struct") };
    let boxed: Vec<_> = pet.fields.iter().filter(|field| field.boxed).map(|field| field.wire_name.as_str()).collect();
    assert_eq!(boxed, ["mother"]);
    assert!(plan.types[events.record.0].borrows);
}

#[test]
fn github_issues() {
    let Planned { plan, .. } = planned("../specs/github-issues", Selection::Annotated);
    assert_eq!(plan.name, "github-issues");
    let [issues] = plan.streams.as_slice() else { panic!("one stream") };
    assert_eq!(issues.operation_id, "listIssues");
    assert_eq!((issues.rust_name.as_str(), issues.module.as_str()), ("ListIssues", "list_issues"));
    assert_eq!(issues.pagination, PaginationPlan::LinkHeader);
    assert_eq!(issues.key.as_ref().unwrap().scalar, Scalar::Int64);
    assert_eq!(plan.parameters.keys().collect::<Vec<_>>(), ["owner", "repo"]);
    let set: Vec<_> = issues.parameters.iter().filter(|p| p.value.is_some()).map(|p| p.wire_name.as_str()).collect();
    assert_eq!(set, ["owner", "repo", "state", "sort", "direction", "per_page"]);
    assert!(plan.types.iter().any(|ty| type_name(ty) == "Issue"));
}

#[test]
fn all_takes_what_can_be_a_stream() {
    let Planned { plan, left_out, .. } = planned("tests/documents/pets", Selection::All);
    let ids: Vec<_> = plan.streams.iter().map(|stream| (stream.operation_id.as_str(), stream.is_single)).collect();
    assert_eq!(ids, [("listEvents", false), ("getEvent", true), ("listPets", false)]);
    // What nobody gave a value is configured; what a sure parent gives is not.
    assert_eq!(plan.parameters.keys().collect::<Vec<_>>(), ["store"]);
    let parent = plan.streams[1].followed_parent().unwrap();
    assert_eq!(parent.operation_id, "listEvents");
    let reasons: Vec<_> = left_out.iter().map(|left| (left.operation_id.as_str(), left.reason.as_str())).collect();
    assert_eq!(reasons, [("addPet", "its method is POST, and its name does not say that it reads")]);
}

#[test]
fn plans_are_the_same_every_time() {
    let text = || format!("{:?}", planned("tests/documents/pets", Selection::Annotated).plan);
    assert_eq!(text(), text());
}
