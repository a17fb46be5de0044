//! The mock's HTTP side.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::page::{encode, page};
use super::values::Records;
use crate::plan::model::{ConnectorPlan, StreamPlan};

/// A running mock of an API. It stops when dropped.
pub struct MockApi {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

struct Served {
    plan: ConnectorPlan,
    records: u64,
    seed: u64,
    requests: Arc<AtomicU64>,
}

impl MockApi {
    /// Serves the streams of `plan` at `listen`, each with so many `records`. The same `seed` gives the same records.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub async fn start(plan: ConnectorPlan, listen: SocketAddr, records: u64, seed: u64) -> std::io::Result<Self> {
        let requests = Arc::new(AtomicU64::new(0));
        let served = Arc::new(Served { plan, records, seed, requests: Arc::clone(&requests) });
        let router = Router::new().fallback(answer).with_state(served);
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            // Serving ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, requests, server })
    }

    /// The API's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have been answered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for MockApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(served): State<Arc<Served>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    served.requests.fetch_add(1, Ordering::Relaxed);
    // Of two templates the one with fewer placeholders is meant (OAS 3.0, "Paths Object").
    let matching = served.plan.streams.iter().filter(|stream| matches(stream, &method, uri.path()));
    let stream = matching.min_by_key(|stream| stream.path.matches('{').count());
    let Some(stream) = stream else {
        return (StatusCode::NOT_FOUND, axum::Json(json!({ "message": "no such operation in the mock" })))
            .into_response();
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base = format!("http://{host}{}", uri.path());
    let records = Records::new(&served.plan, stream, served.seed);
    let page = page(stream, &records, served.records, &query, &base);
    let mut response = axum::Json(page.body).into_response();
    let link = page.next_query.map(|query| format!("<{base}?{}>; rel=\"next\"", encode(&query)));
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// Whether a request is one of this operation: a template's `{…}` stands for any text without a slash.
fn matches(stream: &StreamPlan, method: &Method, path: &str) -> bool {
    let template: Vec<&str> = stream.path.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    stream.method == method.as_str()
        && template.len() == path.len()
        && template.iter().zip(&path).all(|(template, segment)| template.contains('{') || template == segment)
}
