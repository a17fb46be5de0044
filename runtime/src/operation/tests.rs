//! Whatever the pages look like, and whatever happens to the records while they are read: what each style of paging
//! promises, by both ways in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};
use url::form_urlencoded::parse;

use super::*;
use crate::codegen::{Object, Undeclared};
use crate::config::testing::configured;
use crate::http::testing::response;
use crate::page::{DriftPolicy, TokenIn, Until, Wire};

#[derive(Default, Object)]
pub(crate) struct Thing<'page> {
    #[field(number = 1, required)]
    id: Field<'page, i64>,
    #[field(number = 2)]
    at: Field<'page, DateTime<'page>>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Thing<'page> {
    const AVRO_SCHEMA: &'static str = "{}";
    const PROTOBUF_SCHEMA: &'static str = "";
    const JSON_SCHEMA: &'static str = "{}";
}

struct ListThings;

impl TypedOperation for ListThings {
    type Record<'page> = Thing<'page>;

    fn facts() -> OperationFacts {
        OperationFacts {
            id: "listThings".into(),
            topic: "things".into(),
            records: "/items".into(),
            records_required: false,
            pagination: Pagination::None,
            incremental: None,
            interval: Duration::from_secs(60),
        }
    }

    fn request(&self) -> Request {
        Request::get("/items")
    }

    fn key(record: &Thing<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }

    fn offset<'record>(record: &'record Thing<'_>) -> Option<OffsetValue<'record>> {
        record.at.offset_value()
    }
}

/// An operation as generated code has it, whose records are at `/items` and have an `id` and a time `at`.
pub(crate) fn typed(pagination: Pagination, incremental: Option<Incremental>) -> Arc<dyn Operation> {
    let facts = OperationFacts { pagination, incremental, ..ListThings::facts() };
    Arc::new(Typed { operation: ListThings, shape: PageShape::new(&facts), facts })
}

/// What a request asks: the parameters in its query.
fn query(request: &Request) -> BTreeMap<String, String> {
    let decoded = |text: &str| parse(text.as_bytes()).into_owned().collect();
    match &request.target {
        Target::Relative { query, .. } => {
            let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            decoded(&pairs.join("&"))
        }
        Target::Written(target) | Target::Absolute(target) => {
            decoded(target.split_once('?').map_or("", |(_, query)| query))
        }
    }
}

/// How an API pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Serves {
    /// What comes after `after`, a record; every answer names the last one, in `next` as a token.
    Token,
    /// The same, as a URL in `next`, in `@odata.nextLink`, and in the header `Link`.
    Url,
    /// The same, but nothing names it.
    After,
    /// From the record of this number on.
    From,
    /// The page of this number.
    Page,
}

/// An API whose records come and go.
struct Api {
    serves: Serves,
    ids: BTreeSet<i64>,
    /// Those that were there from the first request on and have never been gone.
    stayed: BTreeSet<i64>,
    /// What becomes of them between two requests.
    rng: Rng,
    changes: usize,
    /// How many records a page has; at random fewer, if it is not to be the same.
    size: usize,
    is_size_random: bool,
    requests: usize,
}

impl Api {
    fn new(serves: Serves, size: usize, seed: u64, changes: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let count = rng.usize(0..60);
        let ids: BTreeSet<_> = (0..count).map(|_| rng.i64(1..1000)).collect();
        let is_size_random = !matches!(serves, Serves::From | Serves::Page);
        Self { serves, stayed: ids.clone(), ids, rng, changes, size, is_size_random, requests: 0 }
    }

    fn change(&mut self) {
        for _ in 0..self.rng.usize(0..4).min(self.changes) {
            self.changes -= 1;
            let id = self.rng.i64(1..1000);
            match self.rng.bool() {
                true => {
                    self.ids.insert(id);
                }
                false => {
                    if let Some(gone) = self.rng.choice(self.ids.iter().copied()) {
                        self.ids.remove(&gone);
                        self.stayed.remove(&gone);
                    }
                }
            }
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        self.requests += 1;
        assert!(self.requests < 1000, "it never ends");
        let query = query(request);
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
        let size = if self.is_size_random { self.rng.usize(1..=self.size) } else { self.size };
        let skip = match self.serves {
            Serves::From => number("from").unwrap() as usize,
            Serves::Page => (number("page").unwrap() - 1) as usize * size,
            Serves::Token | Serves::Url | Serves::After => 0,
        };
        let after = number("after").unwrap_or_default();
        let ids: Vec<_> = self.ids.iter().copied().filter(|id| *id > after).skip(skip).take(size).collect();
        let items: Vec<_> = ids.iter().map(|id| json!({ "id": id, "at": "2024-01-01T00:00:00Z" })).collect();
        let mut body = json!({ "items": items, "total": self.ids.len() });
        let last = ids.last().copied().filter(|last| self.ids.last() > Some(last));
        body["has_more"] = json!(last.is_some());
        let mut headers = vec![("x-total-count", self.ids.len().to_string())];
        match (self.serves, last) {
            (Serves::Token, Some(last)) => {
                body["next"] = json!(last.to_string());
                headers.push(("x-next", last.to_string()));
            }
            (Serves::Url, Some(last)) => {
                let url = format!("https://api.test/items?after={last}");
                headers.push(("link", format!("<{url}>; rel=\"next\"")));
                body["next"] = json!(url);
                body["@odata.nextLink"] = json!(url);
            }
            _ => {}
        }
        self.change();
        response(body.to_string(), &headers)
    }
}

/// Reads one cycle; every position goes through its text, as it does if the process dies there.
fn drain(operation: &dyn Operation, api: &mut Api, position: &mut Position) -> Result<Vec<i64>, PageError> {
    let wire =
        Wire { format: OutputFormat::Json, prefix: Vec::new(), on_drift: DriftPolicy::default(), redaction: None };
    let mut ids = Vec::new();
    loop {
        let at = operation.begin(position);
        let answer = api.answer(&operation.request_at(&at));
        let ReadPage { page, position: after, more } = operation.read(&at, &answer, Page::new(&wire))?;
        ids.extend(page.records().map(|it| serde_json::from_slice::<Value>(it.value).unwrap()["id"].as_i64().unwrap()));
        *position = Position::parse(&after.to_string()).unwrap();
        if !more {
            return Ok(ids);
        }
    }
}

/// Every style, by both ways in: its name, how the API pages, and the operation for a size of pages.
fn styles(size: usize) -> Vec<(&'static str, Serves, Arc<dyn Operation>)> {
    let full = Some(size as u64);
    let limit = size.to_string();
    let cursor =
        |pointer: FoundIn| Pagination::Cursor { pointer, parameter: "after".into(), initial: Some("0".into()) };
    let last = |has_more: Option<&'static str>| Pagination::LastRecord {
        parameter: "after".into(),
        has_more: has_more.map(Into::into),
    };
    let next_url = || Pagination::NextUrl { pointer: "/next".into(), delta: None };
    let offset = |until| Pagination::Offset { parameter: "from".into(), limit: full, until };
    let page = |size, until| Pagination::Page { parameter: TokenIn::from("page"), first: 1, size, until };
    let header = || FoundIn::Header("X-Total-Count".into());
    let generated = [
        ("cursor", Serves::Token, cursor("/next".into())),
        ("cursor in a header", Serves::Token, cursor(FoundIn::Header("X-Next".into()))),
        ("last record", Serves::After, last(None)),
        ("last record and has_more", Serves::After, last(Some("/has_more"))),
        ("next url", Serves::Url, next_url()),
        ("link", Serves::Url, Pagination::LinkHeader),
        ("offset", Serves::From, offset(Until::EmptyPage)),
        ("offset and total", Serves::From, offset(Until::Records("/total".into()))),
        ("offset and has_more", Serves::From, offset(Until::NoMore("/has_more".into()))),
        ("page", Serves::Page, page(full, Until::EmptyPage)),
        ("page without a size", Serves::Page, page(None, Until::EmptyPage)),
        ("page and total", Serves::Page, page(None, Until::Records(header()))),
        ("page and has_more", Serves::Page, page(full, Until::NoMore("/has_more".into()))),
    ];
    let by_type = |kind: &str| json!({ "api1.http.pagination.type": kind, "api1.http.pagination.limit.value": limit });
    let with = |mut properties: Value, name: &str, value: &str| {
        properties[name] = json!(value);
        properties
    };
    let by_offset = || with(by_type("OFFSET"), "api1.http.pagination.offset.param", "from");
    let by_field = |mode: &str| {
        json!({
            "api1.http.offset.mode": mode, "api1.http.offset.json.pointer": "/id", "api1.http.initial.offset": "0",
            "api1.http.request.parameters": "after=${offset}",
        })
    };
    let by_cursor = |path: &str| {
        let properties = with(by_type("CURSOR"), "api1.http.pagination.cursor.param", "after");
        with(properties, "api1.http.pagination.cursor.path", path)
    };
    let configuration = [
        ("configured cursor", Serves::Token, by_cursor("$.next")),
        ("configured cursor in a header", Serves::Token, by_cursor("header:X-Next")),
        ("configured cursor of URLs", Serves::Url, by_cursor("/next")),
        ("configured chain", Serves::After, by_field("CHAINING")),
        ("configured snapshot", Serves::After, by_field("SNAPSHOT_PAGINATION")),
        ("configured link", Serves::Url, by_type("LINK_HEADER")),
        ("configured OData", Serves::Url, by_type("ODATA")),
        ("configured increment", Serves::From, by_offset()),
        ("configured increment and total", Serves::From, with(by_offset(), "api1.http.pagination.total", "/total")),
        ("configured page", Serves::Page, by_type("PAGE")),
        (
            "configured page and total",
            Serves::Page,
            with(by_type("PAGE"), "api1.http.pagination.total", "header:X-Total-Count"),
        ),
        (
            "configured page and has_more",
            Serves::Page,
            with(by_type("PAGE"), "api1.http.pagination.has.more", "$.has_more"),
        ),
    ];
    let generated = generated.into_iter().map(|(name, serves, style)| (name, serves, typed(style, None)));
    let configuration =
        configuration.into_iter().map(|(name, serves, properties)| (name, serves, configured(properties)));
    generated.chain(configuration).collect()
}

/// Where a style begins.
fn start(name: &str) -> Position {
    let by_field = ["configured chain", "configured snapshot"].contains(&name);
    Position::starting_at(by_field.then(|| "0".to_owned()))
}

/// Tries every style with pages of several sizes, each with several seeds.
fn for_all(mut holds: impl FnMut(usize, &str, Serves, &dyn Operation, u64)) {
    for size in 1..=5 {
        for (name, serves, operation) in styles(size) {
            for seed in 0..15 {
                holds(size, name, serves, operation.as_ref(), seed);
            }
        }
    }
}

#[test]
fn what_does_not_change_is_read_once_and_in_order() {
    for_all(|size, name, serves, operation, seed| {
        let mut api = Api::new(serves, size, seed, 0);
        let ids: Vec<_> = api.ids.iter().copied().collect();
        let read = drain(operation, &mut api, &mut start(name));
        let read = read.unwrap_or_else(|error| panic!("{name}, size {size}, seed {seed}: {error}"));
        assert_eq!(read, ids, "{name}, size {size}, seed {seed}");
    });
}

#[test]
fn what_stays_while_others_come_and_go_is_read_once_if_pages_go_by_records() {
    for_all(|size, name, serves, operation, seed| {
        if matches!(serves, Serves::From | Serves::Page) {
            return;
        }
        let mut api = Api::new(serves, size, seed, 40);
        let read = drain(operation, &mut api, &mut start(name));
        let case = format!("{name}, size {size}, seed {seed}");
        let read = read.unwrap_or_else(|error| panic!("{case}: {error}"));
        let once: BTreeSet<_> = read.iter().copied().collect();
        assert_eq!(once.len(), read.len(), "{case}: something is there twice");
        let missing: Vec<_> = api.stayed.difference(&once).collect();
        assert!(missing.is_empty(), "{case}: {missing:?} were there all the time, and are not read");
    });
}

#[test]
fn while_records_come_and_go_pages_that_are_counted_end_or_say_why_not() {
    let (mut ended, mut said) = (0, 0);
    for_all(|size, name, serves, operation, seed| {
        if !matches!(serves, Serves::From | Serves::Page) {
            return;
        }
        let mut api = Api::new(serves, size, seed, 40);
        match drain(operation, &mut api, &mut start(name)) {
            Ok(_) => ended += 1,
            Err(PageError::Pagination(_)) => said += 1,
            Err(error) => panic!("{name}, size {size}, seed {seed}: {error}"),
        }
    });
    assert!(ended > 300 && said > 10, "{ended} ended, {said} said why not");
}

fn late(lookback: Duration) -> Incremental {
    Incremental {
        mode: IncrementalMode::Timestamp,
        field: "/at".into(),
        parameter: "since".into(),
        initial: None,
        lookback: Some(lookback),
    }
}

/// Reads one cycle of an API that has these records, and says what it was asked and what was new.
fn cycle(operation: &dyn Operation, records: &[(i64, String)], position: &mut Position) -> (Option<String>, Vec<i64>) {
    let wire =
        Wire { format: OutputFormat::Json, prefix: Vec::new(), on_drift: DriftPolicy::default(), redaction: None };
    let request = operation.request_at(position);
    let since = query(&request).remove("since");
    let from = since.clone().unwrap_or_default();
    let items = records.iter().filter(|(_, at)| *at >= from).map(|(id, at)| json!({ "id": id, "at": at }));
    let body = json!({ "items": items.collect::<Vec<_>>() });
    let read = operation.read(position, &response(body.to_string(), &[]), Page::new(&wire)).unwrap();
    *position = read.position;
    let id = |value: &[u8]| serde_json::from_slice::<Value>(value).unwrap()["id"].as_i64().unwrap();
    (since, read.page.records().map(|record| id(record.value)).collect())
}

#[test]
fn what_comes_late_is_read_and_what_comes_again_is_not() {
    let configuration = json!({
        "api1.http.request.parameters": "since=${offset}", "api1.http.offset.mode": "TIMESTAMP",
        "api1.http.offset.json.pointer": "/at", "api1.http.offset.lookback.ms": "600000",
        "api1.http.initial.offset": "2023-01-01T00:00:00Z",
    });
    for (operation, initial) in [
        (typed(Pagination::None, Some(late(Duration::from_secs(600)))), None),
        (configured(configuration), Some("2023-01-01T00:00:00Z".to_owned())),
    ] {
        let at = |minute: u32| format!("2024-01-01T00:{minute:02}:00Z");
        let mut position = Position::starting_at(initial.clone());
        let mut records: Vec<_> = (0..40).map(|id| (i64::from(id), at(id))).collect();
        let (since, new) = cycle(operation.as_ref(), &records, &mut position);
        assert_eq!((since, new.len()), (initial, 40));
        records.extend([(100, at(30)), (101, at(39)), (102, at(20))]);
        let (since, new) = cycle(operation.as_ref(), &records, &mut position);
        assert_eq!((since, new), (Some(at(29)), vec![100, 101]), "one came too late");
        records.push((103, at(45)));
        assert_eq!(cycle(operation.as_ref(), &records, &mut position), (Some(at(29)), vec![103]));
        assert_eq!(cycle(operation.as_ref(), &records, &mut position), (Some(at(35)), vec![]));
        // An answer without records forgets nothing.
        assert_eq!(cycle(operation.as_ref(), &[], &mut position), (Some(at(35)), vec![]));
        assert_eq!(cycle(operation.as_ref(), &records, &mut position), (Some(at(35)), vec![]));
    }
}

#[test]
fn what_is_remembered_of_a_look_back_window_is_bounded() {
    let operation = typed(Pagination::None, Some(late(Duration::from_secs(600))));
    let mut position = Position::default();
    let records: Vec<_> = (0..30_000).map(|id| (id, "2024-01-01T00:00:00Z".to_owned())).collect();
    assert_eq!(cycle(operation.as_ref(), &records, &mut position).1.len(), 30_000);
    let again = cycle(operation.as_ref(), &records, &mut position).1.len();
    assert!((20_000..=21_000).contains(&again), "{again}");
    assert!(position.to_string().len() < 200_000, "{}", position.to_string().len());
}

/// The targets of the requests of a cycle, whose answers are these bodies.
fn asked(operation: &dyn Operation, bodies: &[Value], position: &mut Position) -> Vec<Target> {
    let wire =
        Wire { format: OutputFormat::Json, prefix: Vec::new(), on_drift: DriftPolicy::default(), redaction: None };
    let ask = |body: &Value| {
        let request = operation.request_at(position);
        let read = operation.read(position, &response(body.to_string(), &[]), Page::new(&wire)).unwrap();
        *position = Position::parse(&read.position.to_string()).unwrap();
        request.target
    };
    bodies.iter().map(ask).collect()
}

#[test]
fn a_delta_link_is_what_the_next_cycle_begins_with() {
    let delta = Some("/@odata.deltaLink".into());
    let style = Pagination::NextUrl { pointer: "/@odata.nextLink".into(), delta };
    for operation in [typed(style, None), configured(json!({ "api1.http.pagination.type": "ODATA" }))] {
        let url = |path: &str| Target::Absolute(format!("https://api.test/{path}"));
        let mut position = Position::default();
        let items = json!([{ "id": 1 }]);
        let first = [
            json!({ "items": items, "@odata.nextLink": "https://api.test/p2" }),
            json!({ "items": items, "@odata.deltaLink": "https://api.test/d1" }),
        ];
        let targets = asked(operation.as_ref(), &first, &mut position);
        assert!(!matches!(targets[0], Target::Absolute(_)));
        assert_eq!(targets[1], url("p2"));
        // Within a cycle of changes, pages are followed; and what it ends with counts.
        let second = [
            json!({ "items": items, "@odata.nextLink": "https://api.test/d1p2" }),
            json!({ "items": [], "@odata.deltaLink": "/d2" }),
            json!({ "items": [], "@odata.deltaLink": "/d3" }),
        ];
        assert_eq!(asked(operation.as_ref(), &second, &mut position), [url("d1"), url("d1p2"), url("d2")]);
        assert_eq!(operation.request_at(&position).target, url("d3"));
    }
}

#[test]
fn a_token_goes_where_the_operation_has_it() {
    let body = |request: &Request| -> Value { serde_json::from_slice(&request.body.as_ref().unwrap().bytes).unwrap() };
    type Said = fn(&Request, &dyn Fn(&Request) -> Value) -> String;
    let places: [(TokenIn, Said); 4] = [
        (TokenIn::Query("at".into()), |request, _| query(request)["at"].clone()),
        (TokenIn::Header("X-At".into()), |request, _| request.headers[0].1.clone()),
        (TokenIn::Path("at".into()), |request, _| match &request.target {
            Target::Relative { path, .. } => path.clone(),
            _ => panic!("relative"),
        }),
        (TokenIn::Body("/page/at".into()), |request, body| body(request)["page"]["at"].to_string()),
    ];
    for (place, (parameter, said)) in places.into_iter().enumerate() {
        let until = || Until::EmptyPage;
        let cursor =
            Pagination::Cursor { pointer: "/next".into(), parameter: parameter.clone(), initial: Some("*".into()) };
        let offset = Pagination::Offset { parameter: parameter.clone(), limit: Some(1), until: until() };
        let page = Pagination::Page { parameter, first: 1, size: Some(1), until: until() };
        for (style, texts, numbers) in
            [(cursor, ["*", "t2"], false), (offset, ["0", "1"], true), (page, ["1", "2"], true)]
        {
            let facts = OperationFacts { pagination: style, ..ListThings::facts() };
            let operation = Typed { operation: ThingsAt, shape: PageShape::new(&facts), facts };
            let mut position = Position::default();
            let wire = Wire {
                format: OutputFormat::Json,
                prefix: Vec::new(),
                on_drift: DriftPolicy::default(),
                redaction: None,
            };
            for (id, text) in texts.into_iter().enumerate() {
                let request = operation.request_at(&position);
                let expected = match place {
                    2 if text == "*" => "/things/%2A".to_owned(),
                    2 => format!("/things/{text}"),
                    3 if !numbers => format!("\"{text}\""),
                    _ => text.to_owned(),
                };
                assert_eq!(said(&request, &body), expected);
                let next = if text == "t2" { Value::Null } else { json!("t2") };
                let answer = response(json!({ "items": [{ "id": id }], "next": next }).to_string(), &[]);
                position = operation.read(&position, &answer, Page::new(&wire)).unwrap().position;
            }
        }
    }
}

/// [`ListThings`] with a place for a token in its path.
struct ThingsAt;

impl TypedOperation for ThingsAt {
    type Record<'page> = Thing<'page>;

    fn facts() -> OperationFacts {
        ListThings::facts()
    }

    fn request(&self) -> Request {
        Request::get("/things/{at}")
    }
}
