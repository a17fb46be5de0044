//! A client of a schema registry: it makes schemas known and learns their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::error::RegistryError;
use super::store::SchemaType;
use crate::clock;
use crate::http::{
    Actions, Auth, Backoff, Client, ClientSettings, HttpError, Request, Response, RetryPolicy, StatusRanges,
    send_with_retry, shown_url,
};

/// Media type of the registry's requests and responses.
pub(super) const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// What a client needs to know of a registry.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// The base URL; it may have a path.
    pub url: Url,
    /// How requests authenticate.
    pub auth: Auth,
    /// How long a registry that cannot be reached is tried. A try under way is finished, which adds at most the
    /// [`RegistrySettings::request_timeout`].
    pub max_wait: Duration,
    /// How long a request may take.
    pub request_timeout: Duration,
}

impl RegistrySettings {
    /// No authentication, 10 s for a request, 20 s for a registry that cannot be reached.
    pub fn new(url: Url) -> Self {
        Self { url, auth: Auth::None, max_wait: Duration::from_secs(20), request_timeout: Duration::from_secs(10) }
    }
}

/// The id that a registry gave to a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SchemaId(pub u32);

impl std::fmt::Display for SchemaId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What every message begins with in Confluent's wire format: a zero byte and the schema's id, big-endian.
pub fn wire_prefix(id: SchemaId) -> [u8; 5] {
    let [a, b, c, d] = id.0.to_be_bytes();
    [0, a, b, c, d]
}

/// The subject of the schema of a topic's values, by Confluent's `TopicNameStrategy`.
pub fn value_subject(topic: &str) -> String {
    format!("{topic}-value")
}

/// What a registry says of a schema that is not registered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its subject has no version that it would have to be compatible with.
    First,
    /// It can be the next version.
    Compatible,
    /// It breaks the rule of its subject.
    Incompatible {
        /// What the registry says against it.
        messages: Vec<String>,
    },
}

/// A client of a schema registry that speaks Confluent's REST API. Clones share connections and what was registered.
#[derive(Clone, Debug)]
pub struct RegistryClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    url: String,
    http: Client,
    policy: RetryPolicy,
    /// Ids by subject and schema.
    registered: Mutex<HashMap<(String, SchemaType, String), SchemaId>>,
}

impl RegistryClient {
    /// A client; it connects when it is used.
    ///
    /// # Errors
    ///
    /// If the URL or the credentials cannot be used.
    pub fn new(settings: RegistrySettings) -> Result<Self, RegistryError> {
        let mut client = ClientSettings::new(settings.url);
        client.auth = settings.auth;
        client.connect_timeout = settings.request_timeout;
        client.request_timeout = settings.request_timeout;
        let policy = RetryPolicy {
            max_retries: u32::MAX,
            max_elapsed: Some(settings.max_wait),
            backoff: Backoff::ExponentialWithJitter,
            initial: Duration::from_millis(500),
            cap: Duration::from_secs(4),
            statuses: StatusRanges::default(),
            retry_after_limit: settings.max_wait,
            repeats_all: true,
            actions: Actions::default(),
        };
        let url = shown_url(&client.base_url);
        let http = Client::new(client)
            .map_err(|source| RegistryError::Settings { url: url.clone(), source: Box::new(source) })?;
        Ok(Self { inner: Arc::new(Inner { url, http, policy, registered: Mutex::default() }) })
    }

    /// Makes a schema the latest version of a subject unless it is a version of it already, and returns its id. What was registered through this client is not asked again.
    ///
    /// # Errors
    ///
    /// If the registry cannot be reached or refuses.
    pub async fn register(&self, subject: &str, language: SchemaType, schema: &str) -> Result<SchemaId, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            id: SchemaId,
        }
        let key = (subject.to_owned(), language, schema.to_owned());
        let registered = || self.inner.registered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = registered().get(&key) {
            return Ok(*id);
        }
        let question = serde_json::to_vec(&Question { schema_type: language.name(), schema })
            .map_err(|source| self.answer(source))?;
        let request = Request::post("/subjects/{subject}/versions").path("subject", &key.0).body(MEDIA_TYPE, question);
        let response = self.send(request, Some(subject)).await?;
        let Answer { id } = serde_json::from_slice(&response.body).map_err(|source| self.answer(source))?;
        registered().insert(key, id);
        Ok(id)
    }

    /// Asks whether a schema could be the next version of a subject. Registers nothing.
    ///
    /// # Errors
    ///
    /// If the registry cannot be reached or refuses to answer.
    pub async fn test(&self, subject: &str, language: SchemaType, schema: &str) -> Result<Verdict, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            is_compatible: bool,
            #[serde(default)]
            messages: Vec<String>,
        }
        let question = serde_json::to_vec(&Question { schema_type: language.name(), schema })
            .map_err(|source| self.answer(source))?;
        let request = Request::post("/compatibility/subjects/{subject}/versions/latest")
            .path("subject", &subject.to_owned())
            .query("verbose", &true)
            .body(MEDIA_TYPE, question);
        let response = match self.send(request, Some(subject)).await {
            Ok(response) => response,
            Err(RegistryError::Failed { source, .. }) if names_what_is_missing(&source) => return Ok(Verdict::First),
            Err(error) => return Err(error),
        };
        let Answer { is_compatible, messages } =
            serde_json::from_slice(&response.body).map_err(|source| self.answer(source))?;
        Ok(if is_compatible { Verdict::Compatible } else { Verdict::Incompatible { messages } })
    }

    /// The schema of an id, as text.
    ///
    /// # Errors
    ///
    /// If the registry cannot be reached, refuses, or has no such schema.
    pub async fn schema(&self, id: SchemaId) -> Result<String, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            schema: String,
        }
        let request = Request::get("/schemas/ids/{id}").path("id", &i64::from(id.0));
        let response = self.send(request, None).await?;
        let Answer { schema } = serde_json::from_slice(&response.body).map_err(|source| self.answer(source))?;
        Ok(schema)
    }

    /// Asks something small, to see whether the registry answers and accepts the credentials.
    ///
    /// # Errors
    ///
    /// If the registry cannot be reached or refuses.
    pub async fn check_reachable(&self) -> Result<(), RegistryError> {
        let response = self.send(Request::get("/schemas/types"), None).await?;
        serde_json::from_slice::<Vec<String>>(&response.body).map_err(|source| self.answer(source))?;
        Ok(())
    }

    /// Sends a request, about a subject if there is one.
    pub(super) async fn send(&self, request: Request, subject: Option<&str>) -> Result<Response, RegistryError> {
        let request = request.header("Accept", &format!("{MEDIA_TYPE}, application/json"));
        let began = clock::instant();
        send_with_retry(&self.inner.http, &request, &self.inner.policy, |_| {}).await.map_err(|error| {
            let url = self.inner.url.clone();
            match (error.status(), subject) {
                (Some(401 | 403), _) => RegistryError::Denied { url, source: Box::new(error) },
                (Some(409), Some(subject)) => {
                    RegistryError::Incompatible { subject: subject.to_owned(), message: message(&error) }
                }
                (Some(422), Some(subject)) => {
                    RegistryError::Invalid { subject: subject.to_owned(), message: message(&error) }
                }
                (None | Some(429 | 502..=504), _) if matches!(error, HttpError::GaveUp { .. }) => {
                    RegistryError::Unreachable { url, waited: began.elapsed(), source: Box::new(error) }
                }
                _ => RegistryError::Failed { url, source: Box::new(error) },
            }
        })
    }

    pub(super) fn answer(&self, source: serde_json::Error) -> RegistryError {
        RegistryError::Answer { url: self.inner.url.clone(), source }
    }
}

/// A schema to register, or to be judged.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_type: Option<&'static str>,
    schema: &'a str,
}

/// What the registry says of its refusal.
fn message(error: &HttpError) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    let body = error.body().unwrap_or_default();
    match serde_json::from_str::<Refusal>(body) {
        Ok(refusal) => refusal.message,
        Err(_) => body.to_owned(),
    }
}

/// Whether a registry says that there is no such subject, or no version of it; anything else that knows no such path
/// answers without these codes.
fn names_what_is_missing(error: &HttpError) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        error_code: u32,
    }
    let refusal = serde_json::from_str::<Refusal>(error.body().unwrap_or_default());
    error.status() == Some(404) && refusal.is_ok_and(|refusal| matches!(refusal.error_code, 40401 | 40402))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode, Uri};
    use axum::routing::{get, post};

    use super::*;
    use crate::http::testing::{nobody, serve};
    use crate::secret::Secret;

    async fn register(answer: impl axum::response::IntoResponse + Clone + Send + Sync + 'static) -> RegistryError {
        let app = Router::new().route("/subjects/{subject}/versions", post(move || async move { answer.clone() }));
        client(serve(app).await).register("orders-value", SchemaType::Avro, "{}").await.unwrap_err()
    }

    fn client(url: Url) -> RegistryClient {
        RegistryClient::new(RegistrySettings { max_wait: Duration::ZERO, ..RegistrySettings::new(url) }).unwrap()
    }

    #[tokio::test]
    async fn a_schema_is_registered_once() {
        let calls = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&calls);
        let answer = move |uri: Uri, headers: HeaderMap, body: String| async move {
            assert_eq!(uri.path(), "/apis/ccompat/v7/subjects/a%2Fb%20%C3%A9-value/versions");
            assert_eq!(headers["content-type"], MEDIA_TYPE);
            assert_eq!(headers["accept"], format!("{MEDIA_TYPE}, application/json"));
            assert_eq!(headers["authorization"], "Basic dTpw");
            assert_eq!(body, r#"{"schema":"\"string\""}"#);
            count.fetch_add(1, Ordering::Relaxed);
            r#"{"id":258,"version":1,"more":{}}"#
        };
        let app = Router::new().route("/apis/ccompat/v7/subjects/{subject}/versions", post(answer));
        let url = serve(app).await.join("/apis/ccompat/v7").unwrap();
        let mut settings = RegistrySettings::new(url);
        settings.auth = Auth::Basic { user: "u".to_owned(), password: Secret::new("p") };
        let client = RegistryClient::new(settings).unwrap();
        for _ in 0..2 {
            assert_eq!(client.register("a/b é-value", SchemaType::Avro, "\"string\"").await.unwrap(), SchemaId(258));
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(wire_prefix(SchemaId(258)), [0, 0, 0, 1, 2]);
    }

    #[tokio::test]
    async fn a_refusal_says_what_the_registry_says() {
        let body = r#"{"error_code":409,"message":"READER_FIELD_MISSING_DEFAULT_VALUE: age"}"#;
        let error = register((StatusCode::CONFLICT, body)).await;
        assert!(matches!(error, RegistryError::Incompatible { .. }));
        assert_eq!(
            error.to_string(),
            "the schema of `orders-value` is not compatible with its earlier versions: \
             READER_FIELD_MISSING_DEFAULT_VALUE: age"
        );
        let error =
            register((StatusCode::UNPROCESSABLE_ENTITY, r#"{"error_code":42201,"message":"Invalid schema"}"#)).await;
        assert_eq!(error.to_string(), "the schema of `orders-value` is not valid: Invalid schema");
        let error = register(StatusCode::UNAUTHORIZED).await;
        assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
        let error = register(StatusCode::NOT_FOUND).await;
        assert!(error.hint().is_some_and(|hint| hint.contains("/apis/ccompat/v7")), "{error}");
        let error = register(StatusCode::INTERNAL_SERVER_ERROR).await;
        assert!(matches!(error, RegistryError::Failed { .. }), "{error}");
        let error = register("<html>welcome</html>").await;
        assert!(matches!(error, RegistryError::Answer { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_registry_that_is_away_is_unreachable() {
        let (_socket, url) = nobody();
        let error = client(url).check_reachable().await.unwrap_err();
        assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
        let error = register(StatusCode::SERVICE_UNAVAILABLE).await;
        assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_registry_that_comes_up_is_waited_for() {
        let calls = Arc::new(AtomicU32::new(0));
        let answer = move || async move {
            if calls.fetch_add(1, Ordering::Relaxed) == 0 {
                Err(([("retry-after", "0")], StatusCode::SERVICE_UNAVAILABLE))
            } else {
                Ok(r#"["AVRO"]"#)
            }
        };
        let url = serve(Router::new().route("/schemas/types", get(answer))).await;
        RegistryClient::new(RegistrySettings::new(url)).unwrap().check_reachable().await.unwrap();
    }

    #[test]
    fn credentials_in_the_url_are_not_shown() {
        let settings = RegistrySettings::new("https://user:s3cr3t@registry".parse().unwrap());
        let error = RegistryClient::new(settings).unwrap_err();
        assert_eq!(error.to_string(), "the schema registry `https://registry/` cannot be used");
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}
