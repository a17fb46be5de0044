//! An API that serves given records in pages, as GitHub does: `page` and `per_page`, a `Link` header, `since`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::HarnessError;

/// A running API. It stops when dropped.
pub struct PagedApi {
    address: SocketAddr,
    served: Arc<Served>,
    runtime: Option<Runtime>,
}

struct Served {
    path: String,
    /// Field that `since` compares, and the records in its order.
    records: Vec<(String, String)>,
    page_size: usize,
    /// The `Authorization` header that every request must have.
    authorization: Option<String>,
    pause: Duration,
    requests: AtomicUsize,
}

impl PagedApi {
    /// Serves `records` at `path`, by pages of `page_size`. `since` lets through those whose `field` is not less.
    pub fn start(path: &str, field: &str, records: &[Value], page_size: usize) -> Result<Self, HarnessError> {
        Self::start_with(path, field, records, page_size, None, Duration::ZERO)
    }

    /// As [`PagedApi::start`], refusing requests without this `Authorization` header, and answering after a pause.
    pub fn start_with(
        path: &str,
        field: &str,
        records: &[Value],
        page_size: usize,
        authorization: Option<&str>,
        pause: Duration,
    ) -> Result<Self, HarnessError> {
        let failed = || "starting the API".to_owned();
        let mut records: Vec<_> = records
            .iter()
            .map(|record| (record[field].as_str().unwrap_or_default().to_owned(), record.to_string()))
            .collect();
        records.sort_by(|left, right| left.0.cmp(&right.0));
        let served = Arc::new(Served {
            path: path.to_owned(),
            records,
            page_size,
            authorization: authorization.map(str::to_owned),
            pause,
            requests: AtomicUsize::new(0),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(HarnessError::io(failed()))?;
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(HarnessError::io(failed()))?;
        let address = listener.local_addr().map_err(HarnessError::io(failed()))?;
        let router = Router::new().fallback(answer).with_state(Arc::clone(&served));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, served, runtime: Some(runtime) })
    }

    /// The API's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have come.
    pub fn requests(&self) -> usize {
        self.served.requests.load(Ordering::Relaxed)
    }
}

impl Drop for PagedApi {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(
    State(served): State<Arc<Served>>,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    served.requests.fetch_add(1, Ordering::Relaxed);
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if served.authorization.is_some() && served.authorization.as_deref() != authorization {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if uri.path() != served.path {
        return StatusCode::NOT_FOUND.into_response();
    }
    tokio::time::sleep(served.pause).await;
    let since = query.get("since").map_or("", String::as_str);
    let first = served.records.partition_point(|(value, _)| value.as_str() < since);
    let page: usize = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1);
    let start = (first + (page - 1) * served.page_size).min(served.records.len());
    let end = (start + served.page_size).min(served.records.len());
    let body: Vec<_> = served.records[start..end].iter().map(|(_, record)| record.as_str()).collect();
    let mut response = ([(header::CONTENT_TYPE, "application/json")], format!("[{}]", body.join(","))).into_response();
    if end < served.records.len() {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let mut next = format!("http://{host}{}?page={}", served.path, page + 1);
        if !since.is_empty() {
            next.push_str(&format!("&since={}", since.replace('+', "%2B")));
        }
        if let Ok(link) = format!("<{next}>; rel=\"next\"").parse() {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}
