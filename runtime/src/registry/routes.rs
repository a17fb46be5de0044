//! The embedded registry's REST API: paths, bodies and error codes as Confluent's registry has them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{MEDIA_TYPE, SchemaId};
use super::store::{Compatibility, Missing, Schema, SchemaType, Store, Version, VersionNumber};

type Shared = State<Arc<Mutex<Store>>>;

/// The API over a store.
pub(super) fn routes(store: Arc<Mutex<Store>>) -> Router {
    Router::new()
        .route("/", get(async || Answer(json!({}))))
        .route("/subjects", get(subjects))
        .route("/subjects/{subject}", post(lookup).delete(delete))
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(version))
        .route("/subjects/{subject}/versions/{version}/schema", get(version_schema))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(compatibility))
        .route("/schemas/types", get(async || Answer(["JSON", "PROTOBUF", "AVRO"])))
        .route("/schemas/ids/{id}", get(schema))
        .route("/schemas/ids/{id}/schema", get(schema_text))
        .route("/config", get(config).put(set_config))
        .route("/config/{subject}", get(subject_config).put(set_subject_config))
        .fallback(async || Refusal::NotFound)
        .with_state(store)
}

async fn subjects(State(store): Shared) -> Response {
    Answer(lock(&store).subjects()).into_response()
}

async fn versions(State(store): Shared, Path(subject): Path<String>) -> Result<Answer<Vec<usize>>, Refusal> {
    Ok(Answer(lock(&store).versions(&subject)?))
}

async fn register(State(store): Shared, Path(subject): Path<String>, body: Bytes) -> Result<Answer<Value>, Refusal> {
    let schema = read_schema(&body)?;
    let id = lock(&store).register(&subject, schema);
    Ok(Answer(json!({"id": id})))
}

async fn lookup(State(store): Shared, Path(subject): Path<String>, body: Bytes) -> Result<Response, Refusal> {
    let schema = read_schema(&body)?;
    let store = lock(&store);
    Ok(Answer(VersionView::from(store.find(&subject, &schema)?)).into_response())
}

async fn delete(State(store): Shared, Path(subject): Path<String>) -> Result<Answer<Vec<usize>>, Refusal> {
    Ok(Answer(lock(&store).delete(&subject)?))
}

async fn version(State(store): Shared, Path((subject, version)): Path<(String, String)>) -> Result<Response, Refusal> {
    let store = lock(&store);
    Ok(Answer(VersionView::from(store.version(&subject, read_version(&version)?)?)).into_response())
}

async fn version_schema(
    State(store): Shared,
    Path((subject, version)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let store = lock(&store);
    Ok(text(store.version(&subject, read_version(&version)?)?.schema))
}

/// Whatever is JSON could be registered.
async fn compatibility(
    State(store): Shared,
    Path((subject, version)): Path<(String, String)>,
    body: Bytes,
) -> Result<Answer<Value>, Refusal> {
    read_schema(&body)?;
    lock(&store).version(&subject, read_version(&version)?)?;
    Ok(Answer(json!({"is_compatible": true})))
}

async fn schema(State(store): Shared, Path(id): Path<String>) -> Result<Response, Refusal> {
    let store = lock(&store);
    Ok(Answer(SchemaView::from(store.schema(read_id(&id)?)?)).into_response())
}

async fn schema_text(State(store): Shared, Path(id): Path<String>) -> Result<Response, Refusal> {
    Ok(text(lock(&store).schema(read_id(&id)?)?))
}

async fn config(State(store): Shared) -> Answer<Value> {
    Answer(json!({"compatibilityLevel": lock(&store).compatibility.0}))
}

async fn set_config(State(store): Shared, body: Bytes) -> Result<Answer<Value>, Refusal> {
    let compatibility = read_compatibility(&body)?;
    let answer = json!({"compatibility": compatibility.0});
    lock(&store).compatibility = compatibility;
    Ok(Answer(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigQuery {
    #[serde(default)]
    default_to_global: bool,
}

async fn subject_config(
    State(store): Shared,
    Path(subject): Path<String>,
    Query(query): Query<ConfigQuery>,
) -> Result<Answer<Value>, Refusal> {
    let store = lock(&store);
    match store.compatibilities.get(&subject) {
        Some(compatibility) => Ok(Answer(json!({"compatibilityLevel": compatibility.0}))),
        None if query.default_to_global => Ok(Answer(json!({"compatibilityLevel": store.compatibility.0}))),
        None => Err(Refusal::NoConfig(subject)),
    }
}

async fn set_subject_config(
    State(store): Shared,
    Path(subject): Path<String>,
    body: Bytes,
) -> Result<Answer<Value>, Refusal> {
    let compatibility = read_compatibility(&body)?;
    let answer = json!({"compatibility": compatibility.0});
    lock(&store).compatibilities.insert(subject, compatibility);
    Ok(Answer(answer))
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_schema(body: &[u8]) -> Result<Schema, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Question {
        schema: String,
        schema_type: Option<String>,
    }
    let invalid = |reason: &dyn std::fmt::Display| Refusal::InvalidSchema(reason.to_string());
    let question: Question = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    let language = match question.schema_type.as_deref() {
        None | Some("AVRO") => SchemaType::Avro,
        Some("JSON") => SchemaType::Json,
        Some("PROTOBUF") => return Ok(Schema { language: SchemaType::Protobuf, text: question.schema }),
        Some(other) => return Err(invalid(&format_args!("schema type {other} is not supported"))),
    };
    let schema: Value = serde_json::from_str(&question.schema).map_err(|error| invalid(&error))?;
    Ok(Schema { language, text: schema.to_string() })
}

fn read_version(text: &str) -> Result<VersionNumber, Refusal> {
    match (text, text.parse()) {
        ("latest" | "-1", _) => Ok(VersionNumber::Latest),
        (_, Ok(number)) if number > 0 => Ok(VersionNumber::Number(number)),
        _ => Err(Refusal::InvalidVersion(text.to_owned())),
    }
}

fn read_id(text: &str) -> Result<SchemaId, Refusal> {
    text.parse().map(SchemaId).map_err(|_| Refusal::NotFound)
}

fn read_compatibility(body: &[u8]) -> Result<Compatibility, Refusal> {
    #[derive(Deserialize)]
    struct Question {
        compatibility: String,
    }
    const RULES: [&str; 7] =
        ["NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"];
    serde_json::from_slice(body)
        .ok()
        .filter(|question: &Question| RULES.contains(&question.compatibility.as_str()))
        .map(|question| Compatibility(question.compatibility))
        .ok_or(Refusal::InvalidCompatibility)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SchemaView<'a> {
    /// Left out for Avro, as registries of the time before there were others did.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_type: Option<&'static str>,
    schema: &'a str,
}

impl<'a> From<&'a Schema> for SchemaView<'a> {
    fn from(schema: &'a Schema) -> Self {
        Self { schema_type: schema.language.name(), schema: &schema.text }
    }
}

#[derive(Serialize)]
struct VersionView<'a> {
    subject: &'a str,
    version: usize,
    id: SchemaId,
    #[serde(flatten)]
    schema: SchemaView<'a>,
}

impl<'a> From<Version<'a>> for VersionView<'a> {
    fn from(version: Version<'a>) -> Self {
        Self { subject: version.subject, version: version.number, id: version.id, schema: version.schema.into() }
    }
}

fn text(schema: &Schema) -> Response {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], schema.text.clone()).into_response()
}

struct Answer<T>(T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], axum::Json(self.0)).into_response()
    }
}

/// Why a request is not served.
#[derive(Debug)]
enum Refusal {
    NotFound,
    Missing(Missing),
    NoConfig(String),
    InvalidSchema(String),
    InvalidVersion(String),
    InvalidCompatibility,
}

impl From<Missing> for Refusal {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, message) = match self {
            Self::NotFound => (404, "HTTP 404 Not Found".to_owned()),
            Self::Missing(Missing::Subject(subject)) => (40401, format!("Subject '{subject}' not found.")),
            Self::Missing(Missing::Version(number)) => (40402, format!("Version {number} not found.")),
            Self::Missing(Missing::Schema) => (40403, "Schema not found".to_owned()),
            Self::NoConfig(subject) => {
                (40408, format!("Subject '{subject}' does not have subject-level compatibility configured"))
            }
            Self::InvalidSchema(reason) => (42201, format!("Invalid schema: {reason}")),
            Self::InvalidVersion(text) => {
                (42202, format!("The specified version '{text}' is neither a positive number nor \"latest\""))
            }
            Self::InvalidCompatibility => (42203, "Invalid compatibility level".to_owned()),
        };
        let status = if code < 42200 { StatusCode::NOT_FOUND } else { StatusCode::UNPROCESSABLE_ENTITY };
        (status, Answer(json!({"error_code": code, "message": message}))).into_response()
    }
}
