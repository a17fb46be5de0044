//! Rate limits, counted by the API.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

/// A source of eight streams, each with three records on pages of one.
fn eight_streams(api: &ScriptedApi, more: Value) -> Value {
    let mut streams = json!({ "apis.num": "8" });
    for number in 1..=8 {
        streams[format!("api{number}.topics")] = json!("records");
        streams[format!("api{number}.http.api.path")] = json!(format!("/{number}"));
        streams[format!("api{number}.http.request.parameters")] = json!("from=${offset}");
        streams[format!("api{number}.http.initial.offset")] = json!("0");
    }
    with(&mut streams, more);
    config(api, streams)
}

fn page(request: &Received) -> Answer {
    json!((request.number("from")..3).take(1).collect::<Vec<_>>()).into()
}

#[test]
fn the_api_never_counts_more_than_the_budget_in_any_window() {
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&arrivals);
    let api = ScriptedApi::start(move |request: &Received| {
        seen.lock().unwrap().push(Instant::now());
        page(request)
    })
    .unwrap();
    let budget = json!({ "http.throttle.max.requests": "10", "http.throttle.window.ms": "500" });
    let began = Instant::now();
    assert_eq!(Broker::start().run(&eight_streams(&api, budget)).unwrap().records, 24);
    let arrivals = arrivals.lock().unwrap();
    assert_eq!(arrivals.len(), 32);
    // However late the requests arrive, none of a window arrives before all windows before it have passed.
    for (number, at) in (0..).zip(arrivals.iter()) {
        let (windows, after) = (number / 10, *at - began);
        assert!(after >= Duration::from_millis(500) * windows, "request {number} came after {after:?}");
    }
}

#[test]
fn no_more_requests_are_under_way_than_are_allowed() {
    let most_of = |more: Value, awaited: usize| {
        let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let api = ScriptedApi::start_on(8, move |request: &Received| {
            let deadline = Instant::now() + Duration::from_secs(20);
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Until as many have met as are awaited, nobody is answered; after that there is time for more to meet.
            while seen.load(Ordering::SeqCst) < awaited && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(30));
            now.fetch_sub(1, Ordering::SeqCst);
            page(request)
        })
        .unwrap();
        Broker::start().run(&eight_streams(&api, more)).unwrap();
        most.load(Ordering::SeqCst)
    };
    assert!(most_of(json!({}), 3) > 2, "otherwise nothing is shown");
    assert_eq!(most_of(json!({ "http.throttle.max.concurrent": "2" }), 2), 2);
}

#[test]
fn when_nothing_is_left_all_streams_wait_for_the_reset() {
    let early = |headers: &'static [(&'static str, &'static str)], more: Value| {
        let (arrivals, early) = (Mutex::new(None), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&early);
        let api = ScriptedApi::start(move |request: &Received| {
            let mut first: std::sync::MutexGuard<'_, Option<Instant>> = arrivals.lock().unwrap();
            match *first {
                None => {
                    *first = Some(Instant::now());
                    headers.iter().fold(page(request), |answer, (name, value)| answer.header(name, value))
                }
                Some(first) => {
                    if first.elapsed() < Duration::from_secs(1) {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                    page(request)
                }
            }
        })
        .unwrap();
        let mut all = json!({ "http.throttle.max.concurrent": "1" });
        with(&mut all, more);
        assert_eq!(Broker::start().run(&eight_streams(&api, all)).unwrap().records, 24);
        early.load(Ordering::SeqCst)
    };
    assert_eq!(early(&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1")], json!({})), 0);
    assert_eq!(early(&[("RateLimit", "\"default\";r=0;t=1")], json!({})), 0);
    let own = || json!({ "http.rate.limit.header": "X-Left", "http.rate.limit.reset.header": "X-Until" });
    assert_eq!(early(&[("X-Left", "0"), ("X-Until", "1")], own()), 0);
    // With neither name nor time for it, these say nothing; the first wait would be an hour.
    early(&[("X-Left", "0"), ("X-Until", "3600")], json!({ "http.rate.limit.max.wait.ms": "3600000" }));
    let mut short = own();
    short["http.rate.limit.max.wait.ms"] = json!("1000");
    early(&[("X-Left", "0"), ("X-Until", "3600")], short);
}
