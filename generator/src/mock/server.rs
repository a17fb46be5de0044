//! The mock's HTTP side.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, future, stream};
use serde_json::{Value, json};
use serde_json_path::JsonPath;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::guard::{Fault, SLOW, lets_in};
use super::lines;
use super::page::{encode, page};
use super::values::Records;
use crate::plan::model::{AuthScheme, BodyPlan, ConnectorPlan, StreamPlan, TokenIn, TokenPlace};

/// How long the first half of a body that is cut has to get out.
const CUT_AFTER: Duration = Duration::from_millis(50);

/// A running mock of an API. It stops when dropped.
pub struct MockApi {
    address: SocketAddr,
    served: Vec<Served>,
    api: Arc<Api>,
    server: JoinHandle<()>,
}

/// How many records a mock has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Of each operation.
    pub each: u64,
    /// Of each that is read for the records of another, for one of these.
    pub each_of_parent: u64,
}

impl Counts {
    fn of(self, stream: &StreamPlan) -> u64 {
        match (stream.is_single, stream.followed_parent()) {
            // One thing is what it is: as many of it are not in one response.
            (true, _) => self.each.min(1),
            (false, Some(_)) => self.each_of_parent,
            (false, None) => self.each,
        }
    }
}

/// An operation that a mock serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its id.
    pub operation_id: String,
    /// A URL that it answers at.
    pub url: String,
    /// Whether an answer is one record.
    pub is_single: bool,
    /// The operation for each of whose records it is read.
    pub parent: Option<String>,
    /// What it asks for: one of these; each lists what it takes together.
    pub auth: Vec<Vec<AuthScheme>>,
}

/// What has been asked of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Its id.
    pub operation_id: String,
    /// Pages served.
    pub pages: u64,
    /// Records on them.
    pub records: u64,
}

struct Api {
    plan: ConnectorPlan,
    records: Counts,
    seed: u64,
    requests: AtomicU64,
    /// By the plan's streams.
    counts: Vec<Count>,
}

#[derive(Default)]
struct Count {
    pages: AtomicU64,
    records: AtomicU64,
}

impl MockApi {
    /// Serves the streams of `plan` at `listen`, with so many `records`. The same `seed` gives the same records.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub async fn start(plan: ConnectorPlan, listen: SocketAddr, records: Counts, seed: u64) -> io::Result<Self> {
        let counts = plan.streams.iter().map(|_| Count::default()).collect();
        let api = Arc::new(Api { plan, records, seed, requests: AtomicU64::new(0), counts });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&api));
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let served = api.plan.streams.iter().map(|stream| Served {
            operation_id: stream.operation_id.clone(),
            url: format!("http://{address}{}", example_path(stream.sent_path())),
            is_single: stream.is_single,
            parent: stream.followed_parent().map(|parent| parent.operation_id.clone()),
            auth: stream.auth.clone(),
        });
        let served = served.collect();
        let server = tokio::spawn(async move {
            // Serving ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, served, api, server })
    }

    /// The API's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The operations, in the document's order.
    pub fn served(&self) -> &[Served] {
        &self.served
    }

    /// How many requests have been answered.
    pub fn requests(&self) -> u64 {
        self.api.requests.load(Ordering::Relaxed)
    }

    /// What has been asked of each operation, in the document's order. Answers that are no page do not count.
    pub fn traffic(&self) -> Vec<Traffic> {
        let counted = self.api.plan.streams.iter().zip(&self.api.counts);
        let traffic = counted.map(|(stream, count)| Traffic {
            operation_id: stream.operation_id.clone(),
            pages: count.pages.load(Ordering::Relaxed),
            records: count.records.load(Ordering::Relaxed),
        });
        traffic.collect()
    }
}

impl Drop for MockApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(api): State<Arc<Api>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    api.requests.fetch_add(1, Ordering::Relaxed);
    // Of two templates the one with fewer placeholders is meant (OAS 3.0, "Paths Object").
    let matching = api.plan.streams.iter().zip(&api.counts).filter(|(stream, _)| matches(stream, &method, uri.path()));
    let stream = matching.min_by_key(|(stream, _)| stream.sent_path().matches('{').count());
    let Some((stream, count)) = stream else {
        return refusal(StatusCode::NOT_FOUND, "no such operation in the mock");
    };
    if !lets_in(&stream.auth, &query, &headers) {
        return refusal(StatusCode::UNAUTHORIZED, "the request has no credential; any value will do");
    }
    let fault = match Fault::of(&query, &headers) {
        Ok(fault) => fault,
        Err(name) => return refusal(StatusCode::BAD_REQUEST, &format!("the mock has no fault `{name}`")),
    };
    match fault {
        Some(Fault::ServerError) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, "a fault was asked for"),
        Some(Fault::TooManyRequests) => {
            let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "a fault was asked for");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        }
        Some(Fault::Slow) => tokio::time::sleep(SLOW).await,
        Some(Fault::Cut) | None => {}
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base = format!("http://{host}{}", uri.path());
    let records = Records::new(&api.plan, stream, api.seed);
    let asked = asked(stream, query, uri.path(), &headers, &body);
    let page = page(stream, &records, api.records.of(stream), &asked, &base);
    let path = stream.records.starts_with('$').then(|| JsonPath::parse(&stream.records));
    let served = match (path, page.body.pointer(&stream.records)) {
        (Some(path), _) => path.map_or(0, |path| path.query(&page.body).len()),
        (None, Some(Value::Array(records))) => records.len(),
        (None, Some(Value::Null) | None) => 0,
        (None, Some(_)) => 1,
    };
    count.pages.fetch_add(1, Ordering::Relaxed);
    count.records.fetch_add(served as u64, Ordering::Relaxed);
    let mut response = match (&stream.lines, page.body) {
        (Some(media_type), Value::Array(records)) => lines::response(media_type, &records),
        (_, body) => axum::Json(body).into_response(),
    };
    for (name, value) in page.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    let link = page.next_query.map(|query| format!("<{base}?{}>; rel=\"next\"", encode(&query)));
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    if fault == Some(Fault::Cut) { cut(response).await } else { response }
}

/// The query with everything else that the request says: what names the page, wherever that stands, and the members of the
/// body.
fn asked(
    stream: &StreamPlan,
    mut query: BTreeMap<String, String>,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> BTreeMap<String, String> {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    match (&stream.body, &json) {
        (Some(BodyPlan::Form), _) => query.extend(fields(body)),
        (_, Some(Value::Object(members))) => {
            query.extend(members.iter().map(|(name, value)| (name.clone(), text(value))));
        }
        _ => {}
    }
    let of_offset = stream.offset.as_ref().map(|offset| &offset.parameter);
    for TokenIn { place, name, .. } in stream.pagination.parameter().into_iter().chain(of_offset) {
        let placeholder = format!("{{{name}}}");
        let found = match place {
            TokenPlace::Query => None,
            TokenPlace::Header => headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned),
            TokenPlace::Path => {
                let mut segments = stream.sent_path().split('/').zip(path.split('/'));
                segments.find(|(template, _)| *template == placeholder).map(|(_, segment)| segment.to_owned())
            }
            TokenPlace::Body => match &json {
                Some(json) => json.pointer(name).map(text),
                None => query.get(name.trim_start_matches('/')).cloned(),
            },
        };
        query.extend(found.map(|found| (name.clone(), found)));
    }
    query
}

/// The fields of a form.
fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let form = format!("/?{}", String::from_utf8_lossy(body));
    let fields = form.parse::<Uri>().ok().and_then(|uri| Query::try_from_uri(&uri).ok());
    fields.map(|Query(fields)| fields).unwrap_or_default()
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}

/// The response with half of its body. The server closes a connection on which it cannot send what it announced.
async fn cut(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = bytes.slice(..bytes.len() / 2);
    let end = async {
        // The half is sent while the rest is waited for.
        tokio::time::sleep(CUT_AFTER).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    };
    let body = stream::once(future::ready(Ok(half))).chain(stream::once(end));
    Response::from_parts(head, Body::from_stream(body))
}

/// A path of this template: parameters have their own names for values.
fn example_path(template: &str) -> String {
    template.replace(['{', '}'], "")
}

/// Whether a segment of a path is one of this template, in which each `{…}` stands for any text.
fn fits(template: &str, segment: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else { return template == segment };
    let (Some(segment), Some((_, after))) = (segment.strip_prefix(before), rest.split_once('}')) else { return false };
    match after {
        "" => true,
        after => (0..=segment.len()).filter_map(|at| segment.get(at..)).any(|rest| fits(after, rest)),
    }
}

/// Whether a request is one of this operation.
fn matches(stream: &StreamPlan, method: &Method, path: &str) -> bool {
    let template: Vec<&str> = stream.sent_path().split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    stream.method == method.as_str()
        && template.len() == path.len()
        && template.iter().zip(&path).all(|(template, segment)| fits(template, segment))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn templates_have_text_around_their_parameters() {
        for (template, segment) in
            [("{id}", "7"), ("Local{ext}", "Local.json"), ("{a}.{b}", "x.y.z"), ("{from}-{to}", "1-2"), ("x", "x")]
        {
            assert!(fits(template, segment), "{template} {segment}");
        }
        for (template, segment) in [("Local{ext}", "Mobile.json"), ("{a}.json", "x.xml"), ("x", "y"), ("{a", "a")] {
            assert!(!fits(template, segment), "{template} {segment}");
        }
    }
}
