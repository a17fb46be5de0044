//! An API that a test writes itself: a function from request to answer, and all requests that came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::HarnessError;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Headers by their names in lower case; of several of one name the last.
    pub headers: std::collections::BTreeMap<String, String>,
    /// The content.
    pub body: String,
}

impl Received {
    /// The path.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a query parameter, as it was sent.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name)).map(|(_, value)| value)
    }

    /// The same as a number; 0 if it is none.
    pub fn number(&self, name: &str) -> usize {
        self.query(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A status with JSON text.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, "application/json", body)
    }

    /// A status with something of another media type.
    pub fn of(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), media_type.to_owned())], body: body.into() }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self::new(200, body.to_string())
    }
}

impl From<&str> for Answer {
    fn from(body: &str) -> Self {
        Self::new(200, body)
    }
}

type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    received: Mutex<Vec<Received>>,
}

/// A running API. It stops when dropped.
pub struct ScriptedApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl ScriptedApi {
    /// Answers every request as `handler` says, one after another.
    pub fn start<A: Into<Answer>>(
        handler: impl Fn(&Received) -> A + Send + Sync + 'static,
    ) -> Result<Self, HarnessError> {
        Self::start_on(1, handler)
    }

    /// As [`ScriptedApi::start`], with so many answers at a time.
    pub fn start_on<A: Into<Answer>>(
        threads: usize,
        handler: impl Fn(&Received) -> A + Send + Sync + 'static,
    ) -> Result<Self, HarnessError> {
        let failed = || "starting the API".to_owned();
        let handler = Box::new(move |received: &Received| handler(received).into());
        let shared = Arc::new(Shared { handler, received: Mutex::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(HarnessError::io(failed()))?;
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(HarnessError::io(failed()))?;
        let address = listener.local_addr().map_err(HarnessError::io(failed()))?;
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// The API's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call.
    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for ScriptedApi {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let received = Received {
        method: method.to_string(),
        target: uri.to_string(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let Answer { status, headers, body } = (shared.handler)(&received);
    shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    let mut response = (StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), body).into_response();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<axum::http::HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
