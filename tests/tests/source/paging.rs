//! How one request leads to the next, and the next cycle goes on where the last one ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

/// The targets of all requests since the last call.
fn asked(api: &ScriptedApi) -> Vec<String> {
    api.received().into_iter().map(|received| received.target).collect()
}

/// Records `{"id": N}` of these ids, as text.
fn ids(ids: impl IntoIterator<Item = usize>) -> Vec<String> {
    ids.into_iter().map(|id| json!({ "id": id }).to_string()).collect()
}

/// A growing number of records.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn of(records: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(records)))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, records: usize) {
        self.0.store(records, Ordering::Relaxed);
    }
}

/// Records `from..` up to `count`, at most `limit`.
fn slice(count: &Count, from: usize, limit: usize) -> Vec<Value> {
    (from..count.get()).take(limit).map(|id| json!({ "id": id })).collect()
}

#[test]
fn simple_incrementing_counts_records_until_a_page_is_empty() {
    let count = Count::of(5);
    let served = count.clone();
    let api =
        ScriptedApi::start(move |request: &Received| json!({ "results": slice(&served, request.number("start"), 2) }))
            .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "start=${offset}&limit=2",
            "api1.http.initial.offset": "0",
            "api1.http.offset.mode": "SIMPLE_INCREMENTING",
            "api1.http.response.data.json.pointer": "/results",
            "api1.record.key.json.pointer": "/id",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 5);
    assert_eq!(asked(&api), [0, 2, 4, 5].map(|at| format!("/items?start={at}&limit=2")));
    assert_eq!(broker.values(), ids(0..5));
    let keys: Vec<_> = broker.read(crate::support::TOPIC).into_iter().map(|record| record.key.unwrap()).collect();
    assert_eq!(keys, ["0", "1", "2", "3", "4"]);

    assert_eq!(broker.run(&config).unwrap().records, 0);
    assert_eq!(asked(&api), ["/items?start=5&limit=2"]);
    count.set(8);
    assert_eq!(broker.run(&config).unwrap().records, 3);
    assert_eq!(asked(&api), [5, 7, 8].map(|at| format!("/items?start={at}&limit=2")));
    assert_eq!(broker.values(), ids(0..8));
}

#[test]
fn one_object_is_one_record_of_each_cycle() {
    let api = ScriptedApi::start(|_: &Received| json!({ "price": 1 })).unwrap();
    let broker = Broker::start();
    let config = config(&api, json!({ "api1.http.api.path": "/price?n=${offset}", "api1.http.initial.offset": "10" }));
    assert_eq!(broker.run(&config).unwrap().records, 1);
    assert_eq!(broker.run(&config).unwrap().records, 1);
    assert_eq!(asked(&api), ["/price?n=10", "/price?n=11"]);
    assert_eq!(broker.values(), [r#"{"price":1}"#; 2]);
}

#[test]
fn an_api_that_ignores_the_offset_is_an_error_and_no_loop() {
    let api = ScriptedApi::start(|_: &Received| json!([{ "id": 0 }])).unwrap();
    let broker = Broker::start();
    let config =
        config(&api, json!({ "api1.http.request.parameters": "from=${offset}", "api1.http.initial.offset": "0" }));
    let error = broker.run(&config).unwrap_err();
    let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap();
    assert!(cause.to_string().contains("does not look at what the request asks from"), "{cause}");
    assert_eq!(asked(&api).len(), 2);
}

#[test]
fn chaining_asks_for_what_comes_after_the_last_record() {
    let count = Count::of(5);
    let served = count.clone();
    let api = ScriptedApi::start(move |request: &Received| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let after = body["search_after"][0].as_u64().unwrap() as usize;
        let hit = |id: usize| json!({ "_source": { "id": id }, "sort": [id] });
        json!({ "hits": { "hits": (after + 1..=served.get()).take(2).map(hit).collect::<Vec<_>>() } })
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.method": "POST",
            "api1.http.request.headers": "Content-Type: application/json",
            "api1.http.request.body": r#"{"size": 2, "sort": [{"id": "asc"}], "search_after": [${offset}]}"#,
            "api1.http.offset.mode": "CHAINING",
            "api1.http.initial.offset": "0",
            "api1.http.response.data.json.pointer": "/hits/hits",
            "api1.http.offset.json.pointer": "/sort/0",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 5);
    let after: Vec<_> =
        api.received().iter().map(|it| it.body.split_once("search_after").unwrap().1.to_owned()).collect();
    assert_eq!(after, [0, 2, 4, 5].map(|at| format!("\": [{at}]}}")));
    count.set(7);
    assert_eq!(broker.run(&config).unwrap().records, 2);
    assert_eq!(broker.values().len(), 7);
}

#[test]
fn what_an_api_repeats_at_the_boundary_is_written_once() {
    // Two records share each instant, and `since` includes it.
    let record = |id: usize| json!({ "id": id, "at": format!("2024-01-{:02}", id / 2 + 1) });
    let count = Count::of(5);
    let served = count.clone();
    let api = ScriptedApi::start(move |request: &Received| {
        let since = request.query("since").unwrap_or_default().to_owned();
        let records = (0..served.get()).map(record).filter(|record| record["at"].as_str().unwrap() >= since.as_str());
        json!(records.take(4).collect::<Vec<_>>())
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "since=${offset}",
            "api1.http.offset.mode": "CHAINING",
            "api1.http.initial.offset": "2024-01-01",
            "api1.http.offset.json.pointer": "/at",
        }),
    );
    let expected = |count: usize| (0..count).map(|id| record(id).to_string()).collect::<Vec<_>>();
    assert_eq!(broker.run(&config).unwrap().records, 5);
    assert_eq!(broker.run(&config).unwrap().records, 0);
    assert_eq!(broker.values(), expected(5));
    count.set(7);
    assert_eq!(broker.run(&config).unwrap().records, 2);
    assert_eq!(broker.values(), expected(7));
}

/// Pages of two by a token; the last one names none.
fn by_token(count: &Count) -> impl Fn(&Received) -> Answer + Send + Sync + 'static {
    let count = count.clone();
    move |request: &Received| {
        let from = request.number("pageToken");
        let mut page = json!({ "items": slice(&count, from, 2) });
        if from + 2 < count.get() {
            page["nextPageToken"] = json!((from + 2).to_string());
        }
        page.into()
    }
}

#[test]
fn a_cursor_is_followed_to_its_end_and_the_last_page_is_asked_for_again() {
    let count = Count::of(5);
    let api = ScriptedApi::start(by_token(&count)).unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "pageToken=${offset}",
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.next.page.json.pointer": "/nextPageToken",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 5);
    assert_eq!(asked(&api), ["/items?pageToken=", "/items?pageToken=2", "/items?pageToken=4"]);
    assert_eq!(broker.run(&config).unwrap().records, 0);
    assert_eq!(asked(&api), ["/items?pageToken=4"]);
    count.set(9);
    assert_eq!(broker.run(&config).unwrap().records, 4);
    assert_eq!(asked(&api), ["/items?pageToken=4", "/items?pageToken=6", "/items?pageToken=8"]);
    assert_eq!(broker.values(), ids(0..9));
}

#[test]
fn a_cursor_can_be_a_url_of_any_form() {
    for form in ["absolute", "path", "query"] {
        let count = Count::of(5);
        let served = count.clone();
        let api = ScriptedApi::start(move |request: &Received| {
            let from = request.number("from");
            let host = &request.headers["host"];
            let next = match form {
                "absolute" => format!("http://{host}/v2/items?from={}&x=%20", from + 2),
                "path" => format!("/v2/items?from={}&x=%20", from + 2),
                _ => format!("?from={}&x=%20", from + 2),
            };
            let next = if from + 2 < served.get() { json!(next) } else { Value::Null };
            json!({ "items": slice(&served, from, 2), "paging": { "next": next } })
        })
        .unwrap();
        let broker = Broker::start();
        let config = config(
            &api,
            json!({
                "api1.http.api.path": "/v2/items",
                "api1.http.request.parameters": "limit=2",
                "api1.http.offset.mode": "CURSOR_PAGINATION",
                "api1.http.response.data.json.pointer": "/items",
                "api1.http.next.page.json.pointer": "/paging/next",
            }),
        );
        assert_eq!(broker.run(&config).unwrap().records, 5, "{form}");
        let pages = ["/v2/items?limit=2", "/v2/items?from=2&x=%20", "/v2/items?from=4&x=%20"];
        assert_eq!(asked(&api), pages, "{form}");
        count.set(6);
        assert_eq!(broker.run(&config).unwrap().records, 1, "{form}");
        assert_eq!(asked(&api), pages[2..], "{form}");
        assert_eq!(broker.values(), ids(0..6), "{form}");
    }
}

#[test]
fn a_url_is_a_token_where_it_is_said_to_be_none() {
    let api = ScriptedApi::start(|request: &Received| match request.query("at") {
        Some("") => json!({ "items": [{ "id": 0 }], "next": "https://elsewhere/x?y" }),
        _ => json!({ "items": [{ "id": 1 }] }),
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "at=${offset}",
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.is.next.page.token.absolute.url": "false",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.next.page.json.pointer": "/next",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 2);
    assert_eq!(asked(&api), ["/items?at=", "/items?at=https%3A%2F%2Felsewhere%2Fx%3Fy"]);
}

#[test]
fn cursors_that_go_in_a_circle_are_an_error_and_no_loop() {
    let api = ScriptedApi::start(|request: &Received| {
        let at = request.number("at");
        json!({ "items": [{ "id": at }], "next": (at + 1) % 7 + 10 })
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "at=${offset}",
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.next.page.json.pointer": "/next",
        }),
    );
    let error = broker.run(&config).unwrap_err();
    let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap();
    assert!(cause.to_string().contains("would never end"), "{cause}");
    assert!(asked(&api).len() < 30);
}

#[test]
fn a_snapshot_reads_everything_again_in_each_cycle() {
    let count = Count::of(5);
    let served = count.clone();
    let api = ScriptedApi::start(move |request: &Received| {
        let after = request.query("after").filter(|after| !after.is_empty());
        let from = after.map_or(0, |after| after.parse::<usize>().unwrap() + 1);
        json!(slice(&served, from, 2))
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "after=${offset}",
            "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api1.http.offset.json.pointer": "/id",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 5);
    assert_eq!(asked(&api), ["", "1", "3", "4"].map(|at| format!("/items?after={at}")));
    count.set(3);
    assert_eq!(broker.run(&config).unwrap().records, 3);
    assert_eq!(asked(&api), ["", "1", "2"].map(|at| format!("/items?after={at}")));
    assert_eq!(broker.values(), [ids(0..5), ids(0..3)].concat());
}

#[test]
fn cursors_can_go_through_time_windows() {
    // Half a year of windows of 100 days, each of two pages.
    let api = ScriptedApi::start(|request: &Received| {
        let start: i64 = request.query("from").unwrap().parse().unwrap();
        match request.query("cursor") {
            None => json!({ "items": [{ "start": start, "page": 1 }], "next": "2" }),
            Some(_) => json!({ "items": [{ "start": start, "page": 2 }] }),
        }
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "from=${start_time}&to=${end_time}",
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.enable.cursor.pagination.with.timestamp.mode": "true",
            "api1.http.cursor.pagination.parameter.name": "cursor",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.next.page.json.pointer": "/next",
            "api1.timestamp.format": "Unix Timestamp Seconds",
            "api1.initial.start.timestamp.value": "1700000000",
            "api1.initial.end.timestamp.value": "1700086400",
            "api1.timestamp.interval.format": "Days",
            "api1.http.timestamp.interval": "5000",
            "api1.time.range.request.delay": "1000000",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 4);
    let asked = asked(&api);
    assert_eq!(asked[0], "/items?from=1700000000&to=1700086400");
    assert_eq!(asked[1], "/items?from=1700000000&to=1700086400&cursor=2");
    // The second window ends now, whenever that is.
    assert!(asked[2].starts_with("/items?from=1700086400&to=1"), "{asked:?}");
    assert_eq!(asked[3], format!("{}&cursor=2", asked[2]));
    assert_eq!(asked.len(), 4);
    let end = asked[2].rsplit('=').next().unwrap().to_owned();
    assert!(end.parse::<usize>().unwrap() <= seconds_now() - 1000, "the windows stay behind the clock");
    broker.run(&config).unwrap();
    assert!(api.received()[0].target.starts_with(&format!("/items?from={end}&to=")), "windows follow without a gap");
}

#[test]
fn a_window_does_not_begin_where_the_pages_of_the_last_one_ended() {
    let api = ScriptedApi::start(|request: &Received| match request.query("page") {
        None => json!({ "items": [request.target], "next": format!("{}&page=2", request.target) }),
        Some(_) => json!({ "items": [request.target] }),
    })
    .unwrap();
    for token in ["", "&token=${offset}"] {
        let broker = Broker::start();
        let more = json!({
            "api1.http.request.parameters": format!("from=${{start_time}}&to=${{end_time}}{token}"),
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.enable.cursor.pagination.with.timestamp.mode": "true",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.next.page.json.pointer": "/next",
            "api1.timestamp.format": "Unix Timestamp Seconds",
            "api1.initial.start.timestamp.value": "1700000000",
            "api1.initial.end.timestamp.value": "1700086400",
            "api1.http.timestamp.interval": "1000000000",
        });
        broker.run(&config(&api, more)).unwrap();
        let asked = asked(&api);
        let end = token.replace("${offset}", "");
        assert_eq!(asked[0], format!("/items?from=1700000000&to=1700086400{end}"));
        assert_eq!(asked[1], format!("{}&page=2", asked[0]));
        assert!(asked[2].starts_with("/items?from=1700086400&to=") && asked[2].ends_with(&end), "{asked:?}");
        assert!(!asked[2].contains("page="), "{asked:?}");
        assert_eq!(asked.len(), 4);
    }
}

#[test]
fn chaining_can_go_through_time_windows() {
    // What was created in a window, ten records in all, by pages of two after the last primary key. The windows are two of
    // five hours and one that ends now.
    let start = seconds_now() - 45_000;
    let created = move |id: usize| start + 3_600 * id;
    let api = ScriptedApi::start(move |request: &Received| {
        let (from, to) = (request.number("gte"), request.number("lt"));
        let after = request.query("starting_after").map_or(-1, |id| id.parse::<i64>().unwrap());
        let ids = (0..10).filter(|id| (from..to).contains(&created(*id)) && *id as i64 > after).take(2);
        json!({ "data": ids.map(|id| json!({ "id": id, "created": created(id) })).collect::<Vec<_>>() })
    })
    .unwrap();
    for (ordering, initial) in [("Global", json!("0")), ("Relative", json!("0"))] {
        let broker = Broker::start();
        let config = config(
            &api,
            json!({
                "api1.http.request.parameters": "gte=${start_time}&lt=${end_time}&at=${offset}",
                "api1.http.initial.offset": initial,
                "api1.http.offset.mode": "CHAINING",
                "api1.chaining.with.timestamp.mode": "true",
                "api1.chaining.with.timestamp.mode.record.ordering": ordering,
                "api1.http.chaining.pagination.parameter.name": "starting_after",
                "api1.http.response.data.json.pointer": "/data",
                "api1.http.offset.json.pointer": "/created",
                "api1.http.offset.json.primary.key.pointer": "/id",
                "api1.timestamp.format": "Unix Timestamp Seconds",
                "api1.initial.start.timestamp.value": start.to_string(),
                "api1.http.timestamp.interval": "18000",
                "api1.timestamp.interval.format": "Seconds",
            }),
        );
        assert_eq!(broker.run(&config).unwrap().records, 10, "{ordering}");
        let asked = asked(&api);
        let window = |from: usize, to: usize| format!("/items?gte={}&lt={}", start + from, start + to);
        assert_eq!(asked[0], format!("{}&at=0", window(0, 18_000)));
        assert_eq!(asked[1], format!("{}&at={}&starting_after=1", window(0, 18_000), created(1)));
        let second = asked.iter().find(|asked| asked.starts_with(&window(18_000, 36_000))).unwrap();
        let at = if ordering == "Global" { created(4).to_string() } else { "0".to_owned() };
        assert_eq!(*second, format!("{}&at={at}", window(18_000, 36_000)), "{ordering}");
    }
}

fn seconds_now() -> usize {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    usize::try_from(now.as_secs()).unwrap()
}

#[test]
fn the_response_can_say_where_the_next_window_begins() {
    let api = ScriptedApi::start(|request: &Received| {
        let from: usize = request.query("from").unwrap().parse().unwrap();
        json!({ "items": [], "watermark": from + 500 })
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "from=${start_time}&to=${end_time}",
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.enable.cursor.pagination.with.timestamp.mode": "true",
            "api1.http.next.page.json.pointer": "/next",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.timestamp.json.pointer": "/watermark",
            "api1.initial.start.timestamp.value": "1700000000000",
            "api1.initial.end.timestamp.value": "1700000001000",
            "api1.http.timestamp.interval": "1000000000",
        }),
    );
    broker.run(&config).unwrap();
    assert!(asked(&api)[1].starts_with("/items?from=1700000000500&to="));
}

#[test]
fn with_timestamps_only_what_is_newer_is_written_whatever_the_pages() {
    let count = Count::of(5);
    let record = |id: usize| json!({ "id": id, "at": format!("2024-01-01T00:00:{:02}Z", id / 2) });
    for (style, more) in [
        ("NONE", json!({})),
        ("OFFSET", json!({ "api1.http.pagination.limit.value": "2" })),
        ("CURSOR", json!({ "api1.http.pagination.cursor.path": "$.next" })),
        ("LINK_HEADER", json!({})),
    ] {
        count.set(5);
        let served = count.clone();
        let api = ScriptedApi::start(move |request: &Received| {
            let all: Vec<_> = (0..served.get()).map(record).collect();
            let page = |from: usize| all.iter().skip(from).take(2).cloned().collect::<Vec<_>>();
            let (from, host) = (request.number("cursor"), &request.headers["host"]);
            match style {
                "OFFSET" => json!({ "items": page(request.number("offset")) }).into(),
                "CURSOR" if from + 2 < all.len() => json!({ "items": page(from), "next": from + 2 }).into(),
                "CURSOR" => json!({ "items": page(from) }).into(),
                "LINK_HEADER" if from + 2 < all.len() => Answer::from(json!({ "items": page(from) }))
                    .header("link", &format!("<http://{host}/items?cursor={}>; rel=next", from + 2)),
                "LINK_HEADER" => json!({ "items": page(from) }).into(),
                _ => Answer::from(json!({ "items": all })),
            }
        })
        .unwrap();
        let broker = Broker::start();
        let mut all = json!({
            "api1.http.offset.mode": "TIMESTAMP",
            "api1.http.offset.json.pointer": "/at",
            "api1.http.initial.offset": "2024-01-01T00:00:00.5Z",
            "api1.http.response.data.json.pointer": "/items",
            "api1.http.pagination.type": style,
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = config(&api, all);
        let expected = |to: usize| (2..to).map(|id| record(id).to_string()).collect::<Vec<_>>();
        assert_eq!(
            broker.run(&config).unwrap().records,
            3,
            "{style}: what is older than the initial offset is dropped"
        );
        assert_eq!(broker.run(&config).unwrap().records, 0, "{style}");
        count.set(9);
        assert_eq!(broker.run(&config).unwrap().records, 4, "{style}");
        assert_eq!(broker.values(), expected(9), "{style}");
    }
}

#[test]
fn a_short_page_ends_a_cycle_only_where_that_is_said() {
    let api = ScriptedApi::start(|request: &Received| {
        json!((request.number("skip")..5).take(request.number("top")).collect::<Vec<_>>())
    })
    .unwrap();
    for (stops, pages) in [("false", vec![0, 2, 4, 5]), ("true", vec![0, 2, 4])] {
        let broker = Broker::start();
        let config = config(
            &api,
            json!({
                "api1.http.pagination.type": "OFFSET",
                "api1.http.pagination.offset.param": "skip",
                "api1.http.pagination.limit.param": "top",
                "api1.http.pagination.limit.value": "2",
                "api1.http.pagination.stop.on.short.page": stops,
                "api1.max.in.flight.requests": "1",
            }),
        );
        assert_eq!(broker.run(&config).unwrap().records, 5);
        let pages: Vec<_> = pages.into_iter().map(|at| format!("/items?top=2&skip={at}")).collect();
        assert_eq!(asked(&api), pages);
        assert_eq!(broker.run(&config).unwrap().records, 0);
        assert_eq!(asked(&api), ["/items?top=2&skip=5"]);
    }
}

#[test]
fn an_api_that_gives_less_than_it_is_asked_for_is_read_to_its_end() {
    // Three records at most, and the second page lacks one.
    let page_of = |from: usize| slice(&Count::of(20), from, if from == 3 { 2 } else { 3 });
    let starts = [0, 3, 5, 8, 11, 14, 17, 20];
    let timestamp = json!({ "api1.http.offset.mode": "TIMESTAMP", "api1.http.offset.json.pointer": "/id" });
    for (style, more) in [("OFFSET", json!({})), ("PAGE", json!({})), ("OFFSET", timestamp)] {
        let api = ScriptedApi::start(move |request: &Received| match style {
            "PAGE" => json!(page_of(starts[request.number("page") - 1])),
            _ => json!(page_of(request.number("offset"))),
        })
        .unwrap();
        let broker = Broker::start();
        let mut properties = json!({
            "api1.http.pagination.type": style,
            "api1.http.pagination.limit.value": "100",
            "max.in.flight.requests": "4",
        });
        with(&mut properties, more);
        assert_eq!(broker.run(&config(&api, properties)).unwrap().records, 20, "{style}");
        assert_eq!(broker.values(), ids(0..20), "{style}");
        assert_eq!(asked(&api).len(), starts.len(), "{style}: each page once, and the empty one");
    }
}

/// What stands in the request where a page is named: the query, a header, the path or the body.
fn named(place: &str, request: &Received) -> String {
    match place {
        "query" => request.query("at").unwrap_or_default().to_owned(),
        "header" => request.headers["x-at"].clone(),
        "path" => request.path().trim_start_matches("/items/").to_owned(),
        _ => serde_json::from_str::<Value>(&request.body).unwrap()["at"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn a_page_can_be_named_anywhere_in_the_request() {
    for (style, first) in [("OFFSET", "0"), ("PAGE", "1"), ("CURSOR", "")] {
        for place in ["query", "header", "path", "body"] {
            let api = ScriptedApi::start(move |request: &Received| {
                let at = named(place, request);
                assert!(request.query("offset").is_none() && request.query("page").is_none(), "{}", request.target);
                let from = match style {
                    "PAGE" => 2 * (at.parse::<usize>().unwrap() - 1),
                    _ => at.parse().unwrap_or_default(),
                };
                let mut body = json!({ "items": slice(&Count::of(5), from, 2) });
                if from + 2 < 5 {
                    body["next"] = json!((from + 2).to_string());
                }
                body
            })
            .unwrap();
            let request = match place {
                "query" => json!({ "api1.http.request.parameters": "at=${offset}" }),
                "header" => json!({ "api1.http.request.headers": "X-At: ${offset}" }),
                "path" => json!({ "api1.http.api.path": "/items/${offset}" }),
                _ => json!({
                    "api1.http.request.method": "POST",
                    "api1.http.request.headers": "Content-Type: application/json",
                    "api1.http.request.body": r#"{"at": "${offset}"}"#,
                }),
            };
            let mut properties = json!({
                "api1.http.initial.offset": if style == "CURSOR" { "" } else { "0" },
                "api1.http.pagination.type": style,
                "api1.http.pagination.limit.param": "limit",
                "api1.http.pagination.limit.value": "2",
                "api1.http.pagination.cursor.path": "/next",
                "api1.http.response.data.json.pointer": "/items",
                "max.in.flight.requests": "1",
            });
            properties.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
            let broker = Broker::start();
            assert_eq!(broker.run(&config(&api, properties)).unwrap().records, 5, "{style} in the {place}");
            assert_eq!(named(place, &api.received()[0]), first, "{style} in the {place}");
            assert_eq!(broker.values(), ids(0..5), "{style} in the {place}");
        }
    }
}

/// Numbered pages of two.
fn numbered(api: &ScriptedApi, more: Value) -> Value {
    let mut properties = json!({
        "api1.http.pagination.type": "PAGE",
        "api1.http.pagination.limit.value": "2",
        "api1.http.response.data.json.pointer": "/items",
        "api1.retry.on.status.codes": "500-",
    });
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config(api, properties)
}

/// Why a source stopped.
fn cause(error: &dyn std::error::Error) -> String {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.by_ref().last().unwrap().to_string()
}

#[test]
fn with_a_total_a_short_page_in_the_middle_ends_nothing() {
    for (property, place) in [
        ("total", "/total"),
        ("total", "header:X-Total-Count"),
        ("total.pages", "/pages"),
        ("total.pages", "header:X-Total-Pages"),
        ("has.more", "/has_more"),
        ("has.more", "header:X-Has-More"),
    ] {
        let api = ScriptedApi::start(|request: &Received| {
            // The third page has one record less than it could.
            let pages = [0..2, 2..4, 4..5, 5..7, 7..8];
            let page = request.number("page");
            let ids = pages.get(page - 1).cloned().unwrap_or_default();
            let items: Vec<_> = ids.map(|id| json!({ "id": id })).collect();
            Answer::from(json!({ "items": items, "total": 8, "pages": 5, "has_more": page < 5 }))
                .header("X-Total-Count", "8")
                .header("X-Total-Pages", "5")
                .header("X-Has-More", if page < 5 { "true" } else { "false" })
        })
        .unwrap();
        let broker = Broker::start();
        let config = numbered(&api, json!({ format!("api1.http.pagination.{property}"): place }));
        assert_eq!(broker.run(&config).unwrap().records, 8, "{property} {place}");
        assert_eq!(broker.values(), ids(0..8), "{property} {place}");
    }
}

#[test]
fn pages_that_end_before_all_is_there_are_an_error() {
    let api = ScriptedApi::start(
        |request: &Received| json!({ "items": slice(&Count::of(4), 2 * (request.number("page") - 1), 2), "total": 5 }),
    )
    .unwrap();
    let broker = Broker::start();
    let error = broker.run(&numbered(&api, json!({ "api1.http.pagination.total": "/total" }))).unwrap_err();
    assert!(cause(&error).starts_with("the pages end after 4 records, and the response declares 5"), "{error:?}");
    assert_eq!(broker.values(), ids(0..4));
}

#[test]
fn a_last_page_that_is_sent_for_every_higher_number_is_told_unless_the_end_is_known() {
    let api = ScriptedApi::start(|request: &Received| {
        let page = request.number("page").min(3);
        json!({ "items": slice(&Count::of(6), 2 * (page - 1), 2), "total": 6 })
    })
    .unwrap();
    let broker = Broker::start();
    let error = broker.run(&numbered(&api, json!({}))).unwrap_err();
    assert!(cause(&error).contains("sent the same page again") && cause(&error).contains("leads to 5"), "{error:?}");
    assert_eq!(broker.values(), ids(0..6));
    let broker = Broker::start();
    let config = numbered(&api, json!({ "api1.http.pagination.total": "/total" }));
    assert_eq!(broker.run(&config).unwrap().records, 6);
    assert_eq!(broker.values(), ids(0..6));
}

#[test]
fn a_page_without_content_is_an_empty_one() {
    for status in [204, 200] {
        let api = ScriptedApi::start(move |request: &Received| match request.number("page") {
            page @ 1..=2 => json!({ "items": slice(&Count::of(4), 2 * (page - 1), 2) }).into(),
            _ => Answer::new(status, ""),
        })
        .unwrap();
        let broker = Broker::start();
        assert_eq!(broker.run(&numbered(&api, json!({}))).unwrap().records, 4, "{status}");
    }
}

#[test]
fn a_page_that_is_not_found_is_an_error_and_no_end() {
    for missing in [1, 7] {
        let api = ScriptedApi::start(move |request: &Received| match request.number("page") {
            page if page >= missing => Answer::new(404, "{}"),
            page => json!({ "items": slice(&Count::of(100), 2 * (page - 1), 2) }).into(),
        })
        .unwrap();
        let broker = Broker::start();
        let error = broker.run(&numbered(&api, json!({}))).unwrap_err();
        assert!(cause(&error).contains("answered 404"), "{error:?}");
        assert_eq!(broker.values(), ids(0..2 * (missing - 1)));
    }
}

#[test]
fn no_page_of_another_host_is_asked_for() {
    let other = ScriptedApi::start(|_: &Received| json!({ "items": [] })).unwrap();
    let next = format!("{}/items", other.url());
    let api = ScriptedApi::start(move |_: &Received| {
        Answer::from(json!({ "items": [{ "id": 0 }], "@odata.nextLink": next, "next": next }))
            .header("link", &format!("<{next}>; rel=\"next\""))
    })
    .unwrap();
    for style in ["LINK_HEADER", "ODATA", "CURSOR"] {
        let broker = Broker::start();
        let properties = json!({
            "auth.type": "BEARER",
            "bearer.token": "s3cret",
            "api1.http.pagination.type": style,
            "api1.http.pagination.cursor.path": "/next",
            "api1.http.response.data.json.pointer": "/items",
        });
        let error = broker.run(&config(&api, properties)).unwrap_err();
        assert!(cause(&error).contains("which the credentials must not leave"), "{error:?}");
        assert!(other.received().is_empty(), "{style}");
    }
}

#[test]
fn a_delta_link_is_where_the_next_cycle_begins() {
    let api = ScriptedApi::start(|request: &Received| {
        let (items, link, target) = match request.target.as_str() {
            "/items" => (vec![0, 1], "nextLink", "/items?$skiptoken=2"),
            "/items?$skiptoken=2" => (vec![2], "deltaLink", "/items?$deltatoken=a"),
            "/items?$deltatoken=a" => (vec![3], "deltaLink", "/items?$deltatoken=b"),
            _ => (vec![], "deltaLink", "/items?$deltatoken=b"),
        };
        let items: Vec<_> = items.into_iter().map(|id| json!({ "id": id })).collect();
        json!({ "value": items, format!("@odata.{link}"): target })
    })
    .unwrap();
    let broker = Broker::start();
    let properties = json!({ "api1.http.pagination.type": "ODATA", "api1.http.response.data.json.pointer": "/value" });
    let config = config(&api, properties);
    for (records, targets) in [
        (3, vec!["/items", "/items?$skiptoken=2"]),
        (1, vec!["/items?$deltatoken=a"]),
        (0, vec!["/items?$deltatoken=b"]),
        (0, vec!["/items?$deltatoken=b"]),
    ] {
        assert_eq!(broker.run(&config).unwrap().records, records);
        assert_eq!(asked(&api), targets);
    }
    assert_eq!(broker.values(), ids(0..4));
}

#[test]
fn what_comes_late_is_written_once() {
    let count = Count::of(2);
    let served = count.clone();
    let api = ScriptedApi::start(move |request: &Received| {
        let since = request.query("since").unwrap_or_default().replace("%3A", ":");
        let at = [(0, "10:00:00"), (1, "10:10:00"), (2, "10:08:00"), (3, "10:20:00")];
        let at = at.map(|(id, at)| json!({ "id": id, "at": format!("2024-01-01T{at}Z") }));
        let mut records: Vec<_> = at.into_iter().take(served.get()).collect();
        records.retain(|record| record["at"].as_str().unwrap() >= since.as_str());
        json!(records)
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "since=${offset}",
            "api1.http.offset.mode": "TIMESTAMP",
            "api1.http.offset.json.pointer": "/at",
            "api1.http.initial.offset": "2024-01-01T00:00:00Z",
            "api1.http.offset.lookback.ms": "300000",
        }),
    );
    for (records, new) in [(2, 2), (3, 1), (3, 0), (4, 1), (4, 0)] {
        count.set(records);
        assert_eq!(broker.run(&config).unwrap().records, new, "{records}");
    }
    assert_eq!(broker.values().len(), 4);
}

#[test]
fn what_does_not_go_together_is_told() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    for (properties, problem) in [
        (
            json!({ "api1.http.pagination.total": "/total" }),
            "`api1.http.pagination.total` goes only with `http.pagination.type` OFFSET and PAGE",
        ),
        (
            json!({
                "api1.http.pagination.type": "PAGE", "api1.http.pagination.total": "/total",
                "api1.http.pagination.has.more": "/more",
            }),
            "`api1.http.pagination.has.more` says when a cycle ends, and so does `api1.http.pagination.total`",
        ),
        (
            json!({ "api1.http.pagination.stop.on.short.page": "true" }),
            "`api1.http.pagination.stop.on.short.page` goes only with `http.pagination.type` OFFSET and PAGE",
        ),
        (
            json!({ "api1.http.pagination.type": "PAGE", "api1.http.pagination.stop.on.short.page": "true" }),
            "`api1.http.pagination.limit.value` is missing / it is needed because `http.pagination.stop.on.short.page` is set",
        ),
        (
            json!({
                "api1.http.pagination.type": "PAGE", "api1.http.pagination.total": "/total",
                "api1.http.pagination.limit.value": "2", "api1.http.pagination.stop.on.short.page": "true",
            }),
            "`api1.http.pagination.stop.on.short.page` says when a cycle ends, and so does `api1.http.pagination.total`",
        ),
        (
            json!({ "api1.http.offset.lookback.ms": "1000" }),
            "`api1.http.offset.lookback.ms` goes only with `http.offset.mode=TIMESTAMP`",
        ),
        (
            json!({ "api1.http.pagination.type": "CURSOR", "api1.http.pagination.cursor.path": "header: " }),
            "or a header such as `header:X-Next`",
        ),
    ] {
        let problems = broker.problems(&config(&api, properties));
        assert!(problems.contains(problem), "{problems}");
    }
}
