//! Pages asked for ahead: in order, not too many, and none of them wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use super::super::instead::Detours;
use super::*;
use crate::config::testing::configured;
use crate::flow::Provenance;
use crate::flow::output::Output;
use crate::flow::{OnError, Pace};
use crate::format::OutputFormat;
use crate::http::testing::serve;
use crate::http::{Client, ClientSettings, HttpErrorKind, RetryPolicy, StatusRanges};
use crate::memory::{Budget, Memory};
use crate::metrics::Metrics;
use crate::operation::Operation;
use crate::operation::tests::typed;
use crate::page::{DriftPolicy, Pagination, Until, Wire};
use crate::schedule::Schedule;

/// How many records a full page has.
const FULL: usize = 2;

/// How an API answers; the number counts its requests from 0.
type Answer = dyn Fn(&Asked, usize) -> (u16, Value) + Send + Sync;

/// The parameters of a request.
type Asked = BTreeMap<String, String>;

/// An API that says how many requests it had at the same time.
#[derive(Clone)]
struct Api {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<Asked>>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Api {
    fn new(answer: impl Fn(&Asked, usize) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), asked: Arc::default(), now: Arc::default(), most: Arc::default() }
    }

    /// What was asked by a parameter, in the order in which the requests came.
    fn asked(&self, parameter: &str) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(|asked| asked[parameter].parse().unwrap()).collect()
    }
}

async fn answer(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> (StatusCode, [(HeaderName, &'static str); 1], String) {
    let now = api.now.fetch_add(1, Ordering::SeqCst) + 1;
    api.most.fetch_max(now, Ordering::SeqCst);
    let number = {
        let mut all = api.asked.lock().unwrap();
        all.push(asked.clone());
        all.len() - 1
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    let (status, body) = (api.answer)(&asked, number);
    api.now.fetch_sub(1, Ordering::SeqCst);
    (StatusCode::from_u16(status).unwrap(), [(HeaderName::from_static("retry-after"), "0")], body.to_string())
}

/// The records from `start` to `end`.
fn records(start: usize, end: usize) -> Value {
    json!({ "items": (start..end).map(|id| json!({ "id": id })).collect::<Vec<_>>() })
}

/// Pages of [`FULL`] records by number, from 1 on.
fn pages(count: usize) -> impl Fn(&Asked, usize) -> (u16, Value) {
    move |asked: &Asked, _| {
        let start = (asked["page"].parse::<usize>().unwrap() - 1) * FULL;
        (200, records(start.min(count), (start + FULL).min(count)))
    }
}

fn numbered() -> Arc<dyn Operation> {
    let full = Some(FULL as u64);
    typed(Pagination::Page { parameter: "page".into(), first: 1, size: full, until: Until::EmptyPage }, None)
}

async fn reader(api: &Api, operation: Arc<dyn Operation>, max_in_flight: usize) -> Reader {
    let url = serve(Router::new().fallback(answer).with_state(api.clone())).await;
    let stream = Stream {
        operation,
        client: Client::new(ClientSettings::new(url)).unwrap(),
        retry: RetryPolicy { max_retries: 2, initial: Duration::from_millis(1), ..RetryPolicy::default() },
        max_in_flight,
        provenance: Provenance::default(),
        pages: None,
        empty_on: StatusRanges::none(),
        detours: Detours::default(),
        initial_offset: None,
        on_error: OnError::Fail,
        schedule: Schedule::Once,
        pace: Pace::default(),
        is_conditional: false,
        redacted_at: None,
        wire: Wire {
            format: OutputFormat::Json,
            prefix: Vec::new(),
            on_drift: DriftPolicy::default(),
            redaction: None,
        },
        snapshot: None,
        output: Output::unchanged("things"),
        metrics: Metrics::new("test").stream("listThings"),
        budget: Budget::new(Memory::default()),
    };
    Reader::new(Arc::new(stream))
}

/// Reads one cycle: the ids of the records, page by page, and how it ended.
async fn cycle(reader: &mut Reader) -> (Vec<usize>, Option<StreamError>) {
    let (mut position, mut ids) = (Position::default(), Vec::new());
    loop {
        let read = match reader.next(&position).await {
            Ok(Read::Page(read)) => read,
            Ok(Read::Large(_)) => panic!("no page is that large"),
            Err(error) => return (ids, Some(error)),
        };
        let id = |value: &[u8]| serde_json::from_slice::<Value>(value).unwrap()["id"].as_u64().unwrap() as usize;
        ids.extend(read.page.records().map(|record| id(record.value)));
        position = read.position;
        if !read.more {
            return (ids, None);
        }
    }
}

#[tokio::test]
async fn pages_come_in_order_and_never_more_than_allowed_at_once() {
    let configured = configured(json!({
        "api1.http.pagination.type": "PAGE", "api1.http.pagination.limit.value": FULL.to_string(),
    }));
    for operation in [numbered(), configured] {
        let api = Api::new(pages(101));
        let mut reader = reader(&api, operation, 8).await;
        let (ids, error) = cycle(&mut reader).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(ids, (0..101).collect::<Vec<_>>());
        assert_eq!(api.most.load(Ordering::SeqCst), 8);
        let asked = api.asked("page");
        assert_eq!(asked[..3], [1, 2, 3], "it does not begin with all of them");
        assert!(asked.len() <= 51 + 7, "{} pages were asked for", asked.len());
    }
}

#[tokio::test]
async fn one_in_flight_is_one_after_the_other() {
    let api = Api::new(pages(11));
    let mut reader = reader(&api, numbered(), 1).await;
    assert_eq!(cycle(&mut reader).await.0, (0..11).collect::<Vec<_>>());
    assert_eq!((api.most.load(Ordering::SeqCst), api.asked("page")), (1, (1..=7).collect()));
}

#[tokio::test]
async fn behind_a_short_page_only_the_next_one_is_asked_for() {
    let api = Api::new(pages(1));
    let mut reader = reader(&api, numbered(), 8).await;
    for _ in 0..3 {
        assert_eq!(cycle(&mut reader).await.0, [0]);
    }
    assert_eq!(api.asked("page"), [1, 2, 1, 2, 1, 2]);
}

#[tokio::test]
async fn an_api_that_gives_less_than_it_is_asked_for_is_read_to_its_end_and_asked_one_by_one() {
    let typed = typed(
        Pagination::Offset { parameter: "from".into(), limit: Some(2 * FULL as u64), until: Until::EmptyPage },
        None,
    );
    let increment = configured(json!({
        "api1.http.pagination.type": "OFFSET", "api1.http.pagination.offset.param": "from",
        "api1.http.pagination.limit.value": (2 * FULL).to_string(),
    }));
    for operation in [typed, increment] {
        let api = Api::new(|asked: &Asked, _| {
            let start: usize = asked["from"].parse().unwrap();
            (200, records(start.min(40), (start + FULL).min(40)))
        });
        let mut reader = reader(&api, operation, 8).await;
        let (ids, error) = cycle(&mut reader).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(ids, (0..40).collect::<Vec<_>>());
        assert_eq!(api.asked("from"), (0..=20).map(|page| FULL * page).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn nothing_beyond_a_declared_end_is_asked_for() {
    let api = Api::new(|asked: &Asked, number| {
        let (status, mut body) = pages(40)(asked, number);
        body["total"] = json!(40);
        (status, body)
    });
    let until = Until::Records("/total".into());
    let style = Pagination::Page { parameter: "page".into(), first: 1, size: Some(FULL as u64), until };
    let mut reader = reader(&api, typed(style, None), 8).await;
    assert_eq!(cycle(&mut reader).await.0, (0..40).collect::<Vec<_>>());
    let mut asked = api.asked("page");
    asked.sort_unstable();
    assert_eq!(asked, (1..=20).collect::<Vec<_>>());
}

/// Skips records; every fifth answer has one record less than a full page, and each declares how many there are.
fn gaps(count: usize) -> impl Fn(&Asked, usize) -> (u16, Value) {
    move |asked: &Asked, number| {
        let start: usize = asked["from"].parse().unwrap();
        let size = if number % 5 == 4 { FULL - 1 } else { FULL };
        let mut body = records(start.min(count), (start + size).min(count));
        body["total"] = json!(count);
        (200, body)
    }
}

#[tokio::test]
async fn what_was_asked_for_behind_a_page_that_is_short_is_asked_for_again_at_the_right_place() {
    let until = Until::Records("/total".into());
    let typed = typed(Pagination::Offset { parameter: "from".into(), limit: Some(FULL as u64), until }, None);
    let increment = configured(json!({
        "api1.http.pagination.type": "OFFSET", "api1.http.pagination.offset.param": "from",
        "api1.http.pagination.limit.value": FULL.to_string(), "api1.http.pagination.total": "/total",
    }));
    for operation in [typed, increment] {
        let api = Api::new(gaps(60));
        let mut reader = reader(&api, operation, 4).await;
        let (ids, error) = cycle(&mut reader).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(ids, (0..60).collect::<Vec<_>>());
        assert!(api.most.load(Ordering::SeqCst) > 1, "nothing was asked for ahead");
    }
}

#[tokio::test]
async fn an_error_counts_when_its_turn_comes() {
    let api = Api::new(|asked: &Asked, number| match asked["page"].parse() {
        Ok(7) => (404, json!({ "error": "gone" })),
        _ => pages(101)(asked, number),
    });
    let mut reader = reader(&api, numbered(), 8).await;
    for _ in 0..2 {
        let (ids, error) = cycle(&mut reader).await;
        assert_eq!(ids, (0..12).collect::<Vec<_>>());
        let Some(StreamError::Request(error)) = error else { panic!("{error:?}") };
        assert_eq!((error.kind(), error.status()), (HttpErrorKind::Status, Some(404)));
    }
}

#[tokio::test]
async fn an_api_that_says_that_it_is_too_much_is_asked_one_by_one() {
    let refused = AtomicUsize::new(0);
    let api = Api::new(move |asked: &Asked, number| match asked["page"].parse() {
        Ok(9) if refused.fetch_add(1, Ordering::SeqCst) == 0 => (429, json!({})),
        _ => pages(101)(asked, number),
    });
    let mut reader = reader(&api, numbered(), 8).await;
    let (ids, error) = cycle(&mut reader).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids, (0..101).collect::<Vec<_>>());
    // What was under way may have come before.
    let late: Vec<_> = api.asked("page").into_iter().filter(|page| *page > 30).collect();
    assert_eq!(late, (31..=52).collect::<Vec<_>>(), "each once and in order, and one beyond the end");
}
