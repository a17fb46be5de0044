//! How long a cycle of pages takes whose answers are slow, by how many of them may be under way at once: from the start
//! of the first request to the end of the last answer.
//!
//! ```sh
//! cargo bench -p headwater-tests --bench pages
//! ```

#![allow(clippy::print_stdout, reason = "what it prints is its result")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use headwater_runtime::config::{Environment, Services, SourceConfig};
use headwater_runtime::flow::{self, Embedded, Handle, Mode};
use headwater_tests::{Isolation, consume};
use serde_json::{Value, json};
use tokio::sync::watch;

/// How many full pages there are.
const PAGES: usize = 50;

/// How many records a page has.
const SIZE: usize = 20;

/// How long every answer takes.
const PAUSE: Duration = Duration::from_millis(50);

/// The most that the cycle may take with eight under way.
const LIMIT: Duration = Duration::from_millis(500);

type Failure = Box<dyn std::error::Error>;

/// What the API has seen.
#[derive(Default)]
struct Seen {
    /// When the first request began and the last answer that held records ended.
    span: Mutex<Option<(Instant, Instant)>>,
    requests: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

async fn answer(State(seen): State<Arc<Seen>>, Query(query): Query<BTreeMap<String, usize>>) -> axum::Json<Value> {
    let began = Instant::now();
    seen.requests.fetch_add(1, Ordering::SeqCst);
    seen.most.fetch_max(seen.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::time::sleep(PAUSE).await;
    let start = (query.get("page").copied().unwrap_or(1).max(1) - 1) * SIZE;
    let ids = start..(start + SIZE).min(PAGES * SIZE);
    let records: Vec<_> = ids.map(|id| json!({ "id": id })).collect();
    seen.now.fetch_sub(1, Ordering::SeqCst);
    // The page after the last full one says that there are no more.
    if start <= PAGES * SIZE {
        let mut span = seen.span.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = span.unwrap_or((began, began));
        *span = Some((first.min(began), last.max(Instant::now())));
    }
    axum::Json(Value::from(records))
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("{PAGES} pages, {} ms each\n", PAUSE.as_millis());
    println!("{:>10} {:>10} {:>10} {:>14}", "in flight", "seconds", "requests", "most at once");
    for in_flight in [1, 2, 4, 8, 16] {
        let seen = Arc::new(Seen::default());
        runtime.block_on(cycle(in_flight, Arc::clone(&seen)))?;
        let span = seen.span.lock().unwrap_or_else(PoisonError::into_inner).ok_or("nothing was asked for")?;
        let (took, most) = (span.1 - span.0, seen.most.load(Ordering::SeqCst));
        let requests = seen.requests.load(Ordering::SeqCst);
        println!("{in_flight:>10} {:>10.3} {requests:>10} {most:>14}", took.as_secs_f64());
        if most > in_flight {
            return Err(format!("{most} requests at once, and {in_flight} are allowed").into());
        }
        if in_flight == 8 && took > LIMIT {
            return Err(format!("with 8 in flight it may take {LIMIT:?}").into());
        }
    }
    Ok(())
}

/// Reads one cycle into an embedded broker, and sees that every record is there in its order.
async fn cycle(in_flight: usize, seen: Arc<Seen>) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let api = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(answer).with_state(seen);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let embedded = Embedded::start().await?;
    let config = json!({
        "name": "pages",
        "output.data.format": "JSON",
        "http.api.base.url": api,
        "max.in.flight.requests": in_flight.to_string(),
        "api1.topics": "pages",
        "api1.http.api.path": "/items",
        "api1.http.pagination.type": "PAGE",
        "api1.http.pagination.limit.value": SIZE.to_string(),
    });
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("pages.json");
    std::fs::write(&path, config.to_string())?;
    let services = Services::Embedded {
        bootstrap_servers: embedded.bootstrap_servers().to_owned(),
        registry: embedded.registry_url().clone(),
    };
    let SourceConfig { connector, operations } = SourceConfig::load(&path, &Environment::default(), &services)?;
    let (_stop, stopped) = watch::channel(false);
    let handle = Arc::new(Handle::new(&connector.name));
    flow::run_operations(operations, connector, Some(&embedded), Mode::Once, handle, stopped).await?;
    server.abort();
    let records = consume(embedded.bootstrap_servers(), "pages", Isolation::ReadCommitted)?;
    let values: Vec<_> = records.into_iter().filter_map(|record| String::from_utf8(record.value?).ok()).collect();
    let expected: Vec<_> = (0..PAGES * SIZE).map(|id| json!({ "id": id }).to_string()).collect();
    if values == expected { Ok(()) } else { Err("the records are not there, or not in their order".into()) }
}
