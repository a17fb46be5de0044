//! The flow as a whole: an API in this process, the embedded broker and registry. What only a real broker can show is
//! shown by the end-to-end tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

use super::*;
use crate::codegen::{Object, Undeclared};
use crate::config::{ApiConfig, ConnectorConfig, Environment, Services};
use crate::connector::Connector;
use crate::hook::Verdict;
use crate::http::Request;
use crate::http::testing::serve;
use crate::kafka::{KafkaSettings, TopicReader};
use crate::operation::{
    Incremental, IncrementalMode, KeyField, OffsetField, OffsetValue, OperationFacts, TypedOperation,
};
use crate::page::Pagination;
use crate::record::{DateTime, Field, Record};
use crate::slice::{Children, Slicing};

#[derive(Default, Object)]
struct Note<'page> {
    #[field(number = 1, required)]
    id: Field<'page, i64>,
    #[field(number = 2, required)]
    at: Field<'page, DateTime<'page>>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Note<'page> {
    const AVRO_SCHEMA: &'static str = r#"{"type": "record", "name": "Note", "fields": [
        {"name": "id", "type": ["null", "long"]},
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        {"name": "unmapped", "type": {"type": "map", "values": "string"}}]}"#;
    const PROTOBUF_SCHEMA: &'static str = "syntax = \"proto3\";\nmessage Note { optional int64 id = 1; }\n";
    const JSON_SCHEMA: &'static str = r#"{"type": "object"}"#;
}

struct ListNotes;

impl TypedOperation for ListNotes {
    type Record<'page> = Note<'page>;

    fn facts() -> OperationFacts {
        OperationFacts {
            id: "listNotes".into(),
            topic: "notes".into(),
            records: "/notes".into(),
            records_required: true,
            pagination: Pagination::Cursor { pointer: "/next".into(), parameter: "after".into(), initial: None },
            incremental: Some(Incremental {
                mode: IncrementalMode::Timestamp,
                field: "/at".into(),
                parameter: "since".into(),
                initial: None,
                lookback: None,
            }),
            interval: Duration::from_millis(10),
        }
    }

    fn request(&self) -> Request {
        Request::get("/notes")
    }

    fn key(record: &Note<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }

    fn offset<'record>(record: &'record Note<'_>) -> Option<OffsetValue<'record>> {
        record.at.offset_value()
    }
}

/// The same API, asked for what comes after the last note.
struct FollowNotes;

impl TypedOperation for FollowNotes {
    type Record<'page> = Note<'page>;

    fn facts() -> OperationFacts {
        OperationFacts {
            id: "followNotes".into(),
            pagination: Pagination::None,
            incremental: Some(Incremental {
                mode: IncrementalMode::Cursor,
                field: "/id".into(),
                parameter: "above".into(),
                initial: Some("3".into()),
                lookback: None,
            }),
            ..ListNotes::facts()
        }
    }

    fn request(&self) -> Request {
        Request::get("/notes")
    }

    fn key(record: &Note<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }

    fn offset<'record>(record: &'record Note<'_>) -> Option<OffsetValue<'record>> {
        record.id.offset_value()
    }
}

/// The same API, asked for what comes after the last note of the page before.
struct BrowseNotes;

impl TypedOperation for BrowseNotes {
    type Record<'page> = Note<'page>;

    fn facts() -> OperationFacts {
        OperationFacts {
            id: "browseNotes".into(),
            pagination: Pagination::LastRecord { parameter: "above".into(), has_more: Some("/more".into()) },
            ..ListNotes::facts()
        }
    }

    fn request(&self) -> Request {
        Request::get("/notes")
    }

    fn key(record: &Note<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }

    fn offset<'record>(record: &'record Note<'_>) -> Option<OffsetValue<'record>> {
        record.at.offset_value()
    }
}

/// Ten notes a page; what it is asked is written down.
#[derive(Clone, Default)]
struct Api {
    notes: Arc<Mutex<Vec<(i64, String)>>>,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
    /// The page after this one is answered with 400.
    broken_after: Arc<Mutex<Option<usize>>>,
    /// How many notes a page has, if not 10.
    page: Arc<Mutex<Option<usize>>>,
}

impl Api {
    fn add(&self, ids: impl IntoIterator<Item = i64>, at: &str) {
        self.notes.lock().unwrap().extend(ids.into_iter().map(|id| (id, at.to_owned())));
    }

    fn asked(&self) -> Vec<BTreeMap<String, String>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn answer(
    State(api): State<Api>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<axum::Json<Value>, StatusCode> {
    let since = query.get("since").cloned().unwrap_or_default();
    let after: usize = query.get("after").map_or(0, |after| after.parse().unwrap());
    let above: i64 = query.get("above").map_or(0, |above| above.parse().unwrap());
    api.asked.lock().unwrap().push(query);
    if api.broken_after.lock().unwrap().is_some_and(|broken| after > broken) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let size = api.page.lock().unwrap().unwrap_or(10);
    let notes: Vec<_> =
        api.notes.lock().unwrap().iter().filter(|(id, at)| *at >= since && *id > above).cloned().collect();
    let page: Vec<_> = notes.iter().skip(after).take(size).map(|(id, at)| json!({ "id": id, "at": at })).collect();
    let next = (after + size < notes.len()).then(|| (after + size).to_string());
    Ok(axum::Json(json!({ "notes": page, "more": next.is_some(), "next": next })))
}

/// A connector and all that it needs.
struct Setup {
    api: Api,
    url: Url,
    embedded: Embedded,
    exactly_once: &'static str,
}

impl Setup {
    async fn new() -> Self {
        let api = Api::default();
        let url = serve(Router::new().route("/notes", get(answer)).with_state(api.clone())).await;
        Self { api, url, embedded: Embedded::start().await.unwrap(), exactly_once: "requested" }
    }

    async fn run(&self, mode: Mode, stop: watch::Receiver<bool>) -> Result<Summary, RunError> {
        self.run_connector(&Connector::new("notes").operation(|_| Ok(ListNotes)), mode, stop).await
    }

    async fn run_connector(
        &self,
        connector: &Connector,
        mode: Mode,
        stop: watch::Receiver<bool>,
    ) -> Result<Summary, RunError> {
        run(connector, self.config(connector), Some(&self.embedded), mode, stop).await
    }

    fn config(&self, connector: &Connector) -> ConnectorConfig {
        self.config_with(connector, json!({}))
    }

    fn config_with(&self, connector: &Connector, more: Value) -> ConnectorConfig {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut config = json!({
            "http.api.base.url": self.url.as_str(),
            "api1.max.retries": 0,
            "exactly.once.support": self.exactly_once,
            "memory.max.bytes": 8 << 20,
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        std::fs::write(file.path(), config.to_string()).unwrap();
        let services = Services::Embedded {
            bootstrap_servers: self.embedded.bootstrap_servers().to_owned(),
            registry: self.embedded.registry_url().clone(),
        };
        ConnectorConfig::load(connector, Some(file.path()), &Environment::default(), &services).unwrap()
    }

    async fn run_once(&self) -> Result<Summary, RunError> {
        let (_stop, stopped) = watch::channel(false);
        self.run(Mode::Once, stopped).await
    }

    async fn read(&self, topic: &str) -> Vec<(String, Vec<u8>)> {
        self.read_all(topic).await.into_iter().map(|(key, value)| (key, value.unwrap())).collect()
    }

    async fn read_all(&self, topic: &str) -> Vec<(String, Option<Vec<u8>>)> {
        let settings = KafkaSettings {
            bootstrap_servers: self.embedded.bootstrap_servers().to_owned(),
            ..KafkaSettings::default()
        };
        let records = TopicReader::new(settings, Duration::from_secs(20)).read(topic).await.unwrap();
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        records.into_iter().map(|record| (text(record.key), record.value)).collect()
    }

    async fn ids(&self) -> Vec<i64> {
        self.read("notes").await.into_iter().map(|(key, _)| key.parse().unwrap()).collect()
    }

    /// What the offsets topic holds, by key.
    async fn read_offsets(&self) -> BTreeMap<String, Value> {
        let offsets = self.read_all("headwater-notes-offsets").await;
        let mut last = BTreeMap::new();
        for (key, value) in offsets {
            match value {
                Some(value) => drop(last.insert(key, serde_json::from_slice(&value).unwrap())),
                None => drop(last.remove(&key)),
            }
        }
        last
    }

    fn api_config(&self, connector: &Connector) -> ApiConfig {
        let ConnectorConfig { parameters, operations, .. } = self.config(connector);
        ApiConfig { parameters, operations }
    }

    /// The last position in the offsets topic.
    async fn position(&self) -> Value {
        let (key, value) = self.read("headwater-notes-offsets").await.pop().unwrap();
        assert_eq!(key, r#"["notes",{"operation":"listNotes"}]"#);
        serde_json::from_slice(&value).unwrap()
    }
}

#[tokio::test]
async fn a_cycle_reads_all_pages_and_the_next_only_what_is_new() {
    let setup = Setup::new().await;
    setup.api.add(1..=25, "2024-01-01T00:00:00Z");
    let summary = setup.run_once().await.unwrap();
    assert_eq!((summary.records, summary.pages), (25, 3));
    assert_eq!(setup.ids().await, (1..=25).collect::<Vec<_>>());
    assert_eq!(setup.position().await["offset"], "2024-01-01T00:00:00Z");
    let asked: Vec<_> = setup.api.asked().iter().map(|query| query.get("after").cloned()).collect();
    assert_eq!(asked, [None, Some("10".to_owned()), Some("20".to_owned())]);

    // The API returns what lies on the boundary again; it is dropped, and nothing is written.
    assert_eq!(setup.run_once().await.unwrap(), Summary::default());
    assert!(setup.api.asked().iter().all(|query| query["since"] == "2024-01-01T00:00:00Z"));

    setup.api.add(26..=28, "2024-01-02T00:00:00Z");
    assert_eq!(setup.run_once().await.unwrap().records, 3);
    assert_eq!(setup.ids().await, (1..=28).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_read_before_a_failure_stays_and_is_not_read_again() {
    let setup = Setup::new().await;
    setup.api.add(1..=35, "2024-01-01T00:00:00Z");
    *setup.api.broken_after.lock().unwrap() = Some(10);
    let error = setup.run_once().await.unwrap_err();
    assert_eq!(error.to_string(), "stream `listNotes` stopped");
    assert_eq!(setup.ids().await, (1..=20).collect::<Vec<_>>());
    assert_eq!(setup.position().await["cycle"]["next"], json!({ "cursor": "20" }));

    *setup.api.broken_after.lock().unwrap() = None;
    setup.api.asked();
    assert_eq!(setup.run_once().await.unwrap().records, 15);
    assert_eq!(setup.api.asked()[0]["after"], "20");
    assert_eq!(setup.ids().await, (1..=35).collect::<Vec<_>>());
}

#[tokio::test]
async fn it_polls_until_it_is_told_to_stop() {
    let setup = Setup::new().await;
    setup.api.add(1..=5, "2024-01-01T00:00:00Z");
    let (stop, stopped) = watch::channel(false);
    let meanwhile = async {
        while setup.api.asked.lock().unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        setup.api.add(6..=7, "2024-01-02T00:00:00Z");
        let asked = setup.api.asked.lock().unwrap().len();
        while setup.api.asked.lock().unwrap().len() < asked + 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.send_replace(true);
    };
    let (summary, ()) = tokio::join!(setup.run(Mode::Continuous, stopped), meanwhile);
    let summary = summary.unwrap();
    assert_eq!(summary.records, 7);
    assert_eq!(summary.transactions, 2, "a cycle without news opens no transaction");
    assert_eq!(setup.ids().await, (1..=7).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_that_follows_the_last_record_asks_until_nothing_comes() {
    let setup = Setup::new().await;
    setup.api.add(1..=25, "2024-01-01T00:00:00Z");
    let connector = Connector::new("notes").operation(|_| Ok(FollowNotes));
    let (_stop, stopped) = watch::channel(false);
    let summary = setup.run_connector(&connector, Mode::Once, stopped.clone()).await.unwrap();
    assert_eq!(summary.records, 22, "what comes after the initial offset");
    let asked: Vec<_> = setup.api.asked().into_iter().map(|mut query| query.remove("above").unwrap()).collect();
    assert_eq!(asked, ["3", "13", "23", "25"]);

    setup.api.add(26..=26, "2024-01-01T00:00:00Z");
    assert_eq!(setup.run_connector(&connector, Mode::Once, stopped).await.unwrap().records, 1);
    assert_eq!(setup.ids().await, (4..=26).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_begins_after_the_last_record_of_the_one_before() {
    let setup = Setup::new().await;
    setup.api.add(1..=25, "2024-01-01T00:00:00Z");
    let connector = Connector::new("notes").operation(|_| Ok(BrowseNotes));
    let (_stop, stopped) = watch::channel(false);
    let summary = setup.run_connector(&connector, Mode::Once, stopped.clone()).await.unwrap();
    assert_eq!((summary.records, summary.pages), (25, 3));
    let above = |setup: &Setup| -> Vec<_> {
        setup.api.asked().into_iter().map(|mut query| query.remove("above").unwrap_or_default()).collect()
    };
    assert_eq!(above(&setup), ["", "10", "20"]);

    // What comes again at the boundary is dropped, and still leads to the next page.
    setup.api.add(26..=26, "2024-01-02T00:00:00Z");
    assert_eq!(setup.run_connector(&connector, Mode::Once, stopped).await.unwrap().records, 1);
    assert_eq!(above(&setup), ["", "10", "20"]);
    assert_eq!(setup.ids().await, (1..=26).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_transactions_the_same_is_read_and_remembered() {
    let setup = Setup { exactly_once: "disabled", ..Setup::new().await };
    setup.api.add(1..=25, "2024-01-01T00:00:00Z");
    assert_eq!(setup.run_once().await.unwrap().records, 25);
    assert_eq!(setup.position().await["offset"], "2024-01-01T00:00:00Z");
    assert_eq!(setup.run_once().await.unwrap().records, 0);
    assert_eq!(setup.ids().await, (1..=25).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_check_asks_each_operation_once_for_its_first_page() {
    let setup = Setup::new().await;
    setup.api.add(1..=25, "2024-01-01T00:00:00Z");
    let connector = Connector::new("notes").operation(|_| Ok(ListNotes)).operation(|_| Ok(FollowNotes));
    let checks = check(&connector, &setup.config(&connector)).await.unwrap();
    assert!(checks.iter().all(|check| check.result.is_ok()), "{checks:?}");
    let above = BTreeMap::from([("above".to_owned(), "3".to_owned())]);
    assert_eq!(setup.api.asked(), [BTreeMap::new(), above]);
}

#[tokio::test]
async fn a_page_that_comes_in_parts_is_one_page() {
    let setup = Setup::new().await;
    setup.api.add(1..=14_990, "2024-01-01T00:00:00Z");
    setup.api.add(14_991..=15_005, "2024-01-02T00:00:00Z");
    *setup.api.page.lock().unwrap() = Some(15_000);
    let summary = setup.run_once().await.unwrap();
    assert_eq!((summary.records, summary.pages), (15_005, 2));
    assert_eq!(setup.ids().await, (1..=15_005).collect::<Vec<_>>());
    let asked: Vec<_> = setup.api.asked().into_iter().map(|query| query.get("after").cloned()).collect();
    assert_eq!(asked, [None, Some("15000".to_owned())]);
    assert_eq!(setup.position().await["delivered"].as_array().unwrap().len(), 15, "of both pages");

    // The next cycle begins with the records at the boundary, and what is new stands beside them.
    setup.api.add(15_006..=30_000, "2024-01-02T00:00:00Z");
    assert_eq!(setup.run_once().await.unwrap().records, 14_995);
    let ids: std::collections::BTreeSet<_> = setup.ids().await.into_iter().collect();
    assert_eq!(ids.len(), 30_000);
}

#[tokio::test]
async fn the_last_record_of_all_parts_says_how_to_go_on() {
    for (connector, records) in [
        (Connector::new("notes").operation(|_| Ok(FollowNotes)), 19_997),
        (Connector::new("notes").operation(|_| Ok(BrowseNotes)), 20_000),
    ] {
        let setup = Setup::new().await;
        setup.api.add(1..=20_000, "2024-01-01T00:00:00Z");
        *setup.api.page.lock().unwrap() = Some(12_000);
        let (_stop, stopped) = watch::channel(false);
        let summary = setup.run_connector(&connector, Mode::Once, stopped).await.unwrap();
        assert_eq!(summary.records, records);
        let above: Vec<_> =
            setup.api.asked().into_iter().map(|mut query| query.remove("above").unwrap_or_default()).collect();
        assert!(above.contains(&"12000".to_owned()) || above.contains(&"12003".to_owned()), "{above:?}");
    }
}
/// Shops, each of which has notes.
struct ListShops;

impl TypedOperation for ListShops {
    type Record<'page> = Note<'page>;

    fn facts() -> OperationFacts {
        OperationFacts { id: "listShops".into(), topic: "shops".into(), incremental: None, ..ListNotes::facts() }
    }

    fn request(&self) -> Request {
        Request::get("/shops")
    }

    fn children(record: &Note<'_>, children: &mut Children) {
        children.add("shopNotes", [("shop", record.id.offset_value())]);
    }
}

/// The same, with a hook that bears no times.
struct TimelessShops;

impl TypedOperation for TimelessShops {
    type Record<'page> = Note<'page>;

    fn facts() -> OperationFacts {
        ListShops::facts()
    }

    fn request(&self) -> Request {
        ListShops.request()
    }

    fn children(record: &Note<'_>, children: &mut Children) {
        ListShops::children(record, children);
    }

    fn hook() -> Option<fn(&mut Note<'_>) -> Verdict> {
        Some(|record| {
            assert!(record.at.get().is_none(), "a time is seen");
            if record.id.get().is_some_and(|id| *id > 10) { Verdict::Drop } else { Verdict::Keep }
        })
    }
}

/// The notes of a shop.
struct ShopNotes {
    shop: i64,
}

impl TypedOperation for ShopNotes {
    type Record<'page> = Note<'page>;

    fn facts() -> OperationFacts {
        OperationFacts { id: "shopNotes".into(), topic: "notes".into(), incremental: None, ..ListNotes::facts() }
    }

    fn request(&self) -> Request {
        Request::get("/shops/{shop}/notes").path("shop", &self.shop)
    }

    fn slicing() -> Slicing {
        Slicing { parent: Some("listShops".into()), ..Slicing::default() }
    }

    fn key(record: &Note<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }
}

/// Of 15 shops, number N has N notes; what is asked is written down.
async fn shops(asked: Arc<Mutex<Vec<String>>>) -> Url {
    let answer = move |uri: axum::http::Uri, Query(query): Query<BTreeMap<String, String>>| {
        let path: Vec<&str> = uri.path().split('/').skip(1).collect();
        let (first, count) = match path[..] {
            ["shops"] => (0, 15),
            ["shops", shop, "notes"] => shop.parse().map(|shop: usize| (100 * shop, shop)).unwrap(),
            _ => panic!("{uri}"),
        };
        asked.lock().unwrap().push(uri.to_string());
        let after: usize = query.get("after").map_or(0, |after| after.parse().unwrap());
        let notes = (after + 1..=count).take(10).map(|id| json!({ "id": first + id, "at": "2024-01-01T00:00:00Z" }));
        let notes: Vec<_> = notes.collect();
        let next = (after + 10 < count).then(|| (after + 10).to_string());
        async move { axum::Json(json!({ "notes": notes, "next": next })) }
    };
    serve(Router::new().fallback(answer)).await
}

fn shop_connector() -> Connector {
    Connector::new("notes")
        .operation(|parameters| Ok(ShopNotes { shop: parameters.parse_slice("shop", "an integer")? }))
        .operation(|_| Ok(ListShops))
}

#[tokio::test]
async fn a_typed_child_is_read_for_each_record_of_its_parent() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let setup = Setup { url: shops(Arc::clone(&asked)).await, ..Setup::new().await };
    let (_stop, stopped) = watch::channel(false);
    let summary = setup.run_connector(&shop_connector(), Mode::Once, stopped).await.unwrap();
    let notes: Vec<i64> = (1..=15).flat_map(|shop| (1..=shop).map(move |id| 100 * shop + id)).collect();
    assert_eq!(summary.records as usize, 15 + notes.len());
    let mut ids = setup.ids().await;
    ids.sort_unstable();
    assert_eq!(ids, notes);
    let mut asked = std::mem::take(&mut *asked.lock().unwrap());
    asked.sort();
    // Two pages of shops, and two of each that has more than ten notes.
    assert_eq!(asked.len(), 2 + 15 + 5);
    asked.dedup();
    assert_eq!(asked.len(), 2 + 15 + 5, "none twice");
    assert!(setup.read_offsets().await.is_empty(), "there is nothing to remember");
}

#[tokio::test]
async fn a_typed_child_is_not_asked_for_by_what_is_redacted() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let setup = Setup { url: shops(Arc::clone(&asked)).await, ..Setup::new().await };
    let connector = shop_connector();
    let (_stop, stopped) = watch::channel(false);
    for rules in ["/id -> DROP", "/id -> MASK"] {
        let config = setup.config_with(&connector, json!({ "api2.record.redact": rules }));
        let error = run(&connector, config, Some(&setup.embedded), Mode::Once, stopped.clone()).await.unwrap_err();
        let told = crate::error::chain(&error);
        let expected =
            "the request for another operation's records would be made of a field that `record.redact` changes";
        assert!(told.contains(expected), "{rules}: {told}");
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), ["/shops"], "{rules}");
    }
    // What is not asked by may go, and no hook sees it, not even while that is found out.
    let connector = Connector::new("notes")
        .operation(|parameters| Ok(ShopNotes { shop: parameters.parse_slice("shop", "an integer")? }))
        .operation(|_| Ok(TimelessShops));
    let config = setup.config_with(&connector, json!({ "api2.record.redact": "/at -> DROP" }));
    let summary = run(&connector, config, Some(&setup.embedded), Mode::Once, stopped).await.unwrap();
    // Nothing is read for the shops that the hook has dropped.
    assert_eq!(summary.records, 10 + 55);
}

#[tokio::test]
async fn a_typed_stream_does_not_stand_at_what_is_redacted() {
    let setup = Setup::new().await;
    let connector = Connector::new("notes").operation(|_| Ok(ListNotes));
    let config = json!({ "http.api.base.url": setup.url.as_str(), "api1.record.redact": "/at -> DROP" });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    let error = ApiConfig::load(&connector, Some(file.path()), &Environment::default()).err();
    assert!(
        format!("{error:?}").contains("says DROP of `/at`, but `/at` is what the stream's position is made of"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_typed_key_is_hashed_and_nothing_else() {
    let setup = Setup::new().await;
    setup.api.add(1..=3, "2024-01-01T00:00:00Z");
    let connector = Connector::new("notes").operation(|_| Ok(ListNotes));
    let (_stop, stopped) = watch::channel(false);
    let run = async |rules: &str| {
        let more = json!({ "api1.record.redact": rules, "record.redact.salt": "nobody knows it" });
        let config = setup.config_with(&connector, more);
        run(&connector, config, Some(&setup.embedded), Mode::Once, stopped.clone()).await
    };
    for rules in ["/id -> MASK", "/id -> DROP"] {
        let told = crate::error::chain(&run(rules).await.unwrap_err());
        let expected = "the records' key, which only HASH keeps, would be made of a field that `record.redact` changes";
        assert!(told.contains(expected), "{rules}: {told}");
    }
    assert_eq!(run("/id -> HASH").await.unwrap().records, 3);
    let keys: Vec<_> = setup.read("notes").await.into_iter().map(|(key, _)| key).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| key.len() == 64) && keys[0] != keys[1], "{keys:?}");
}

#[tokio::test]
async fn a_check_asks_for_the_first_slice() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let setup = Setup { url: shops(Arc::clone(&asked)).await, ..Setup::new().await };
    let connector = shop_connector();
    let checks = check(&connector, &setup.config(&connector)).await.unwrap();
    assert!(checks.iter().all(|check| check.result.is_ok()), "{checks:?}");
    assert_eq!(*asked.lock().unwrap(), ["/shops", "/shops/1/notes", "/shops"]);
    let previews = preview(&connector, &setup.api_config(&connector), Some("shopNotes"), 5).await.unwrap();
    let [preview] = &previews[..] else { panic!("one") };
    assert!(preview.failure.is_none());
    assert_eq!(preview.records.len(), 1);
}
