//! What is done with answers that need something else than their status says, by its effect in Kafka.

use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{
    Answer, Isolation, RealParts, Received, ScriptedApi, configuration, consume, create_topic, real_parts,
    run_headwater, unique_name,
};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

/// A connector of its own on a real Kafka, run by the program.
struct Source {
    parts: &'static RealParts,
    name: String,
}

impl Source {
    /// `None` where there is no Kafka to be had.
    fn new() -> Option<Self> {
        let (parts, name) = (real_parts().unwrap()?, unique_name("actions"));
        create_topic(&parts.bootstrap, &name, 1, &[]).unwrap();
        Some(Self { parts, name })
    }

    /// Runs it until every API has been read to its end, or cannot be.
    fn run(&self, config: &Value) -> Output {
        let mut config = config.clone();
        let api = config["http.api.base.url"].as_str().unwrap().to_owned();
        with(&mut config, configuration(self.parts, &self.name, &api));
        with(&mut config, json!({ "api1.topics": self.name, "reporter.error.topic.name": self.errors_topic() }));
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).unwrap();
        run_headwater(&["run", path.to_str().unwrap(), "--once"]).unwrap()
    }

    /// Runs it to its end, and says which records are in the topic.
    fn read(&self, config: &Value) -> Vec<usize> {
        let output = self.run(config);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.ids()
    }

    /// Runs it until it fails, and says why.
    fn fail(&self, config: &Value) -> String {
        let output = self.run(config);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap().to_owned()
    }

    fn values(&self, topic: &str) -> Vec<String> {
        let consumed = consume(&self.parts.bootstrap, topic, Isolation::ReadCommitted).unwrap();
        consumed.into_iter().map(|record| String::from_utf8(record.value.unwrap()).unwrap()).collect()
    }

    fn ids(&self) -> Vec<usize> {
        let id = |value: &String| serde_json::from_str::<Value>(value).unwrap()["id"].as_u64().unwrap() as usize;
        self.values(&self.name).iter().map(id).collect()
    }

    fn errors_topic(&self) -> String {
        format!("{}-errors", self.name)
    }

    /// What is in the error topic.
    fn errors(&self) -> Vec<String> {
        self.values(&self.errors_topic())
    }
}

fn targets(api: &ScriptedApi) -> Vec<String> {
    api.received().into_iter().map(|received| received.target).collect()
}

fn too_large() -> Answer {
    Answer::new(400, r#"{"error": "too large"}"#)
}

fn records(ids: impl IntoIterator<Item = usize>) -> Value {
    ids.into_iter().map(|id| json!({ "id": id })).collect()
}

fn page(from: usize, limit: usize, count: usize) -> Answer {
    records((from..count).take(limit)).into()
}

/// A source with pages of two, read one by one.
fn pages(api: &ScriptedApi, style: &str, action: &str, more: Value) -> Value {
    let mut properties = json!({
        "api1.http.pagination.type": style,
        "api1.http.pagination.limit.value": "2",
        "api1.http.response.actions": format!("400 -> {action}"),
        "max.in.flight.requests": "1",
    });
    with(&mut properties, more);
    config(api, properties)
}

#[test]
fn a_page_is_left_out_and_told() {
    for style in ["PAGE", "OFFSET"] {
        let api = ScriptedApi::start(move |request: &Received| {
            let from = if style == "PAGE" { 2 * (request.number("page") - 1) } else { request.number("offset") };
            if from == 2 { too_large() } else { page(from, 2, 7) }
        })
        .unwrap();
        let Some(source) = Source::new() else { return };
        assert_eq!(source.read(&pages(&api, style, "SKIP", json!({}))), [0, 1, 4, 5, 6], "{style}");
        let told = source.errors();
        assert_eq!(told.len(), 1, "{style}");
        assert!(told[0].contains("answered 400 Bad Request"), "{told:?}");
    }
}

#[test]
fn the_last_page_that_is_declared_can_be_left_out() {
    let api = ScriptedApi::start(|request: &Received| match request.number("page") {
        3 => too_large(),
        number => json!({ "items": records(2 * number - 2..2 * number), "total": 6 }).into(),
    })
    .unwrap();
    let Some(source) = Source::new() else { return };
    let more = json!({ "api1.http.pagination.total": "/total", "api1.http.response.data.json.pointer": "/items" });
    assert_eq!(source.read(&pages(&api, "PAGE", "SKIP", more)), [0, 1, 2, 3]);
    assert_eq!(targets(&api).len(), 3);
}

#[test]
fn pages_are_not_left_out_without_end() {
    let api = ScriptedApi::start(|_: &Received| too_large()).unwrap();
    let Some(source) = Source::new() else { return };
    let error = source.fail(&pages(&api, "PAGE", "SKIP", json!({ "api1.max.retries": "3" })));
    let expected = format!(
        "stream `api1` stopped: SKIP cannot act: 3 pages have been left out in a row: `{}/items` answered 400 Bad \
         Request: {{\"error\": \"too large\"}}",
        api.url()
    );
    assert_eq!(error, expected);
    assert_eq!(targets(&api).len(), 4);
}

#[test]
fn half_as_much_is_asked_for_until_the_api_gives_it() {
    let timestamp = json!({ "api1.http.offset.mode": "TIMESTAMP", "api1.http.offset.json.pointer": "/id" });
    for more in [json!({}), timestamp] {
        let api = ScriptedApi::start(|request: &Received| {
            let (from, limit) = (request.number("offset"), request.number("limit"));
            if from >= 8 && limit > 2 { too_large() } else { page(from, limit, 15) }
        })
        .unwrap();
        let Some(source) = Source::new() else { return };
        let mut config = pages(&api, "OFFSET", "SHRINK", json!({ "api1.http.pagination.limit.value": "8" }));
        with(&mut config, more);
        assert_eq!(source.read(&config), (0..15).collect::<Vec<_>>());
        let asked = [(8, 0), (8, 8), (4, 8), (2, 8), (2, 10), (2, 12), (2, 14), (2, 15)];
        let asked = asked.map(|(limit, offset)| format!("/items?limit={limit}&offset={offset}"));
        assert_eq!(sorted(targets(&api)), sorted(asked.to_vec()));
        assert!(source.errors().is_empty());
        // The next cycle asks for as much as is configured.
        source.read(&config);
        assert!(targets(&api)[0].contains("limit=8"));
    }
}

/// The parameters of a target in their order.
fn sorted(targets: Vec<String>) -> Vec<Vec<String>> {
    let parameters = |target: String| {
        let mut parameters: Vec<_> = target.split(['?', '&']).map(str::to_owned).collect();
        parameters.sort();
        parameters
    };
    targets.into_iter().map(parameters).collect()
}

#[test]
fn one_record_is_the_smallest_page() {
    let api = ScriptedApi::start(|_: &Received| too_large()).unwrap();
    let Some(source) = Source::new() else { return };
    let error = source.fail(&pages(&api, "OFFSET", "SHRINK", json!({})));
    let said = "stream `api1` stopped: SHRINK cannot act: one record is the smallest page: ";
    assert!(error.starts_with(said), "{error}");
    assert_eq!(targets(&api).len(), 2);
}

/// The seconds from 2024-01-01T00:00:00Z on that a request asks for.
fn window(request: &Received) -> (usize, usize) {
    const START: usize = 1_704_067_200;
    (request.number("from") - START, request.number("to") - START)
}

/// A source that reads 100 seconds in windows of 40, each of several pages.
fn windows(api: &ScriptedApi, mode: Value, action: &str) -> Value {
    let mut properties = json!({
        "api1.http.request.parameters": "from=${start_time}&to=${end_time}",
        "api1.http.response.data.json.pointer": "/items",
        "api1.timestamp.format": "Unix Timestamp Seconds",
        "api1.initial.start.timestamp.value": "1704067200",
        "api1.initial.end.timestamp.value": "1704067300",
        "api1.timestamp.interval.format": "Days",
        "api1.http.timestamp.interval": "30000",
        "api1.http.response.actions": format!("400 -> {action}"),
    });
    with(&mut properties, mode);
    config(api, properties)
}

/// Windows of pages that are named by a cursor, or by a field of the last record.
fn modes() -> [Value; 2] {
    [
        json!({
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.http.next.page.json.pointer": "/next",
            "api1.enable.cursor.pagination.with.timestamp.mode": "true",
            "api1.http.cursor.pagination.parameter.name": "at",
        }),
        json!({
            "api1.http.offset.mode": "CHAINING",
            "api1.http.offset.json.pointer": "/id",
            "api1.http.offset.json.primary.key.pointer": "/id",
            "api1.chaining.with.timestamp.mode": "true",
            "api1.http.chaining.pagination.parameter.name": "at",
            "api1.http.initial.offset": "0",
        }),
    ]
}

/// One record of each second of the first hundred, ten to a page; it is asked for what comes after `at`.
fn seconds(request: &Received) -> Answer {
    let (from, to) = window(request);
    let from = request.query("at").map_or(from, |at| at.parse::<usize>().unwrap() + 1);
    let items: Vec<_> = (from..to.min(100)).take(10).collect();
    let next = items.last().filter(|last| **last + 1 < to.min(100));
    json!({ "items": records(items.iter().copied()), "next": next }).into()
}

#[test]
fn a_time_window_is_split_until_the_api_gives_its_parts() {
    for mode in modes() {
        let api = ScriptedApi::start(|request: &Received| {
            let (from, to) = window(request);
            // Later time has more records.
            let most = if from < 50 { 60 } else { 20 };
            if to.min(100) - from.min(100) > most { too_large() } else { seconds(request) }
        })
        .unwrap();
        let Some(source) = Source::new() else { return };
        let config = windows(&api, mode, "SPLIT");
        assert_eq!(source.read(&config), (0..100).collect::<Vec<_>>());
        let firsts: Vec<_> = api.received();
        let firsts: Vec<_> = firsts.iter().filter(|request| request.query("at").is_none()).map(window).collect();
        let expected = [(0, 100), (0, 50), (50, 100), (50, 75), (50, 62), (62, 100), (62, 81), (81, 100)];
        assert_eq!(firsts[..8], expected);
    }
}

#[test]
fn a_second_is_the_shortest_window() {
    for mode in modes() {
        let api = ScriptedApi::start(|_: &Received| too_large()).unwrap();
        let Some(source) = Source::new() else { return };
        let error = source.fail(&windows(&api, mode, "SPLIT"));
        let said = "stream `api1` stopped: SPLIT cannot act: the time window is no longer than a second: ";
        assert!(error.starts_with(said), "{error}");
        assert!(targets(&api).len() < 10);
    }
}

#[test]
fn a_window_that_was_read_in_part_is_not_split() {
    for mode in modes() {
        let api = ScriptedApi::start(|request: &Received| match request.query("at") {
            Some("9") => too_large(),
            _ => seconds(request),
        })
        .unwrap();
        let Some(source) = Source::new() else { return };
        let error = source.fail(&windows(&api, mode, "SPLIT"));
        assert!(error.contains("SPLIT cannot act: a part of the time window has been read: "), "{error}");
        assert_eq!(source.ids(), (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn a_window_is_left_out() {
    for mode in modes() {
        let api = ScriptedApi::start(|request: &Received| match request.query("at") {
            Some("19") => too_large(),
            _ => seconds(request),
        })
        .unwrap();
        let Some(source) = Source::new() else { return };
        assert_eq!(source.read(&windows(&api, mode, "SKIP")), (0..20).collect::<Vec<_>>());
        assert_eq!(source.errors().len(), 1);
        assert!(api.received().iter().any(|request| window(request).0 == 100), "the next window was not asked for");
    }
}

/// Whether a request is for what comes after the first two records, by any style.
fn is_second(request: &Received) -> bool {
    ["page", "offset", "after"].iter().any(|name| request.query(name) == Some("2"))
}

#[test]
fn a_cycle_begins_again_with_its_first_page() {
    let by_cursor =
        json!({ "api1.http.pagination.cursor.path": "/next", "api1.http.pagination.cursor.param": "offset" });
    let snapshot = json!({
        "api1.http.pagination.type": "NONE",
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
        "api1.http.offset.json.pointer": "/id",
        "api1.http.initial.offset": "0",
        "api1.http.request.parameters": "after=${offset}",
    });
    for (style, more) in [
        ("PAGE", json!({})),
        ("LINK_HEADER", json!({})),
        ("ODATA", json!({})),
        ("CURSOR", by_cursor),
        ("NONE", snapshot),
    ] {
        let failures = AtomicUsize::new(0);
        let api = ScriptedApi::start(move |request: &Received| {
            // The second page cannot be had twice; then it can.
            if is_second(request) && failures.fetch_add(1, Ordering::SeqCst) < 2 {
                return Answer::new(400, "expired");
            }
            let from = match style {
                "PAGE" => 2 * (request.number("page") - 1),
                "NONE" => request.number("after"),
                _ => request.number("offset"),
            };
            let items = records((from + 1..6).take(2));
            let next = (from + 2 < 5).then_some(from + 2);
            let mut body = json!({ "items": items, "next": next });
            if let Some(next) = next {
                body["@odata.nextLink"] = json!(format!("/items?offset={next}"));
            }
            let answer = Answer::from(body);
            match next {
                Some(next) => answer.header("link", &format!("</items?offset={next}>; rel=\"next\"")),
                None => answer,
            }
        })
        .unwrap();
        let Some(source) = Source::new() else { return };
        let mut config = pages(&api, style, "RESTART", json!({ "api1.http.response.data.json.pointer": "/items" }));
        with(&mut config, more);
        assert_eq!(source.read(&config), [1, 2, 1, 2, 1, 2, 3, 4, 5], "{style}");
    }
}

#[test]
fn a_cycle_does_not_begin_again_without_end() {
    let api = ScriptedApi::start(|request: &Received| match request.number("page") {
        1 => page(0, 2, 9),
        _ => too_large(),
    })
    .unwrap();
    let Some(source) = Source::new() else { return };
    let error = source.fail(&pages(&api, "PAGE", "RESTART", json!({ "api1.max.retries": "2" })));
    let said = "RESTART cannot act: 2 times the cycle has begun again, and not come to its end: ";
    assert!(error.contains(said), "{error}");
    assert_eq!(targets(&api).len(), 6);
    let first = ScriptedApi::start(|_: &Received| too_large()).unwrap();
    let error = source.fail(&pages(&first, "PAGE", "RESTART", json!({})));
    assert!(error.contains("RESTART cannot act: "), "{error}");
}

#[test]
fn a_cursor_that_has_expired_between_cycles_is_given_up() {
    let asked = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |request: &Received| match request.query("at") {
        None => json!({ "items": records([1, 2]), "next": "b" }).into(),
        Some(_) => match asked.fetch_add(1, Ordering::SeqCst) {
            0 => json!({ "items": records([3]), "next": null }).into(),
            1 => Answer::new(400, "expired"),
            _ => json!({ "items": records([3, 4]), "next": null }).into(),
        },
    })
    .unwrap();
    let Some(source) = Source::new() else { return };
    let more = json!({
        "api1.http.pagination.cursor.path": "/next",
        "api1.http.pagination.cursor.param": "at",
        "api1.http.response.data.json.pointer": "/items",
    });
    let config = pages(&api, "CURSOR", "RESTART", more);
    assert_eq!(source.read(&config), [1, 2, 3]);
    assert_eq!(source.read(&config), [1, 2, 3, 1, 2, 3, 4], "everything is read again");
}

#[test]
fn what_cannot_act_is_told_before_anything_runs() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    let chain = json!({
        "api1.http.offset.mode": "CHAINING", "api1.http.offset.json.pointer": "/id", "api1.http.pagination.type": "NONE",
    });
    let no_limit = json!({ "api1.http.pagination.type": "OFFSET" });
    let page = json!({ "api1.http.pagination.type": "PAGE", "api1.http.pagination.limit.value": "2" });
    let offset = json!({ "api1.http.pagination.type": "OFFSET", "api1.http.pagination.limit.value": "2" });
    for (action, properties, reason) in [
        (
            "SKIP",
            &chain,
            "only the page itself says what comes after it, unless pages are numbered (PAGE), counted by \
             `http.pagination.limit.value` (OFFSET), or of time windows",
        ),
        (
            "SHRINK",
            &no_limit,
            "no size of pages is asked for: it goes with `http.pagination.type=OFFSET` and `http.pagination.limit.value`",
        ),
        ("SHRINK", &page, "with another size pages have other numbers: use OFFSET"),
        ("SPLIT", &page, "the stream goes through no time windows"),
        ("RESTART", &chain, "the offset goes on from cycle to cycle, and there is no first page to go back to"),
        ("RESTART", &offset, "the offset goes on from cycle to cycle, and there is no first page to go back to"),
    ] {
        let mut config = config(&api, json!({ "api1.http.response.actions": format!("400 -> {action}") }));
        with(&mut config, properties.clone());
        let problem = format!("`api1.http.response.actions` says {action}, which cannot act here: {reason}");
        let problems = broker.problems(&config);
        assert!(problems.lines().any(|line| line.ends_with(&problem)), "{problems}\n{problem}");
    }
    assert!(broker.problems(&config(&api, json!({ "api1.http.response.actions": "400 -> LEAVE" }))).contains("SPLIT"));
}
