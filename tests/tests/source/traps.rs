//! Traps that connectors for HTTP APIs have fallen into, as far as no other test is about them: see the table in
//! `docs/expectations.md`.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, TOPIC, config};

#[test]
fn a_parent_without_children_takes_nothing_from_the_next_one() {
    let api = ScriptedApi::start(|request: &Received| -> Answer {
        let items: Vec<_> = (0..3).skip(2 * request.number("page").saturating_sub(1)).take(2).collect();
        match request.path() {
            "/orgs" => json!([{ "id": "none" }, { "id": "some" }]).into(),
            "/orgs/none" => Answer::new(204, ""),
            _ => Value::from(items).into(),
        }
    })
    .unwrap();
    let broker = Broker::start();
    let more = json!({
        "apis.num": "2",
        "api.chaining.parent.child.relationship": "api1::api2",
        // One after the other, so that it is the same reader if there is only one.
        "max.in.flight.requests": "1",
        "api1.topics": "orgs",
        "api1.http.api.path": "/orgs",
        "api2.topics": TOPIC,
        "api2.http.api.path": "/orgs/${parent.org}",
        "api2.parent.org.json.pointer": "/id",
        "api2.http.pagination.type": "PAGE",
        "api2.http.pagination.limit.value": "2",
    });
    broker.run(&config(&api, more)).unwrap();
    assert_eq!(broker.values(), ["0", "1", "2"]);
    let asked: Vec<_> = api.received().into_iter().map(|request| request.target).collect();
    let pages = [
        "/orgs",
        "/orgs/none?limit=2&page=1",
        "/orgs/some?limit=2&page=1",
        "/orgs/some?limit=2&page=2",
        "/orgs/some?limit=2&page=3",
    ];
    assert_eq!(asked, pages);
}

#[test]
fn cycles_that_begin_before_the_last_one_is_committed_go_on_where_it_ended() {
    // Each cycle has one record, and a transaction many cycles.
    let requests = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |request: &Received| {
        let is_end = requests.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        if is_end { json!([]) } else { json!([request.number("at")]) }
    })
    .unwrap();
    let broker = Broker::start();
    let more = json!({
        "api1.http.request.parameters": "at=${offset}",
        "api1.http.initial.offset": "0",
        "api1.request.interval.ms": "1",
        "transaction.boundary": "interval",
        "transaction.boundary.interval.ms": "300",
    });
    let mut asked = 0;
    let summary = broker.run_until(&config(&api, more), || {
        asked += api.received().len();
        asked > 100
    });
    let summary = summary.unwrap();
    assert!(summary.records >= 50, "{summary:?}");
    assert_eq!(broker.values(), (0..summary.records).map(|id| id.to_string()).collect::<Vec<_>>());
}
