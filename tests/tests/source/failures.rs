//! Failures: what is tried again and when, what other streams do meanwhile, and what is reported.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, TOPIC, config, with};

/// Runs a source whose API answers a first request with `first`, and then `[]`; gives how many requests came, and the error.
fn after(first: impl Fn() -> Answer + Send + Sync + 'static, more: Value) -> (usize, String) {
    let count = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |_: &Received| match count.fetch_add(1, Ordering::Relaxed) {
        0 => first(),
        _ => "[]".into(),
    })
    .unwrap();
    let error = match Broker::start().run(&config(&api, more)) {
        Ok(_) => String::new(),
        Err(error) => headwater_runtime::error::chain(&error),
    };
    (api.received().len(), error)
}

fn too_many(retry_after: &str) -> Answer {
    Answer::new(429, "{}").header("retry-after", retry_after)
}

#[test]
fn retry_after_is_seconds_or_a_date_perhaps_past_and_perhaps_too_long_to_wait_for() {
    // An exponential backoff of ten days would outlast the test: only the API's word can make the second request.
    let patient = || {
        json!({
            "api1.retry.backoff.ms": "864000000",
            "api1.retry.backoff.max.ms": "864000000",
            "api1.retry.backoff.policy": "CONSTANT_VALUE",
        })
    };
    assert_eq!(after(|| too_many("1"), patient()), (2, String::new()));
    let in_a_second = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    assert_eq!(after(move || too_many(&in_a_second()), patient()), (2, String::new()));
    assert_eq!(after(|| too_many("Fri, 31 Dec 1999 23:59:59 GMT"), patient()), (2, String::new()));
    let (requests, error) = after(|| too_many("601"), patient());
    assert_eq!(requests, 1);
    assert!(error.contains("the API asks to wait for 601s, more than the limit of 600s"), "{error}");
    let mut less = patient();
    less["http.rate.limit.max.wait.ms"] = json!("1000");
    let (requests, error) = after(|| too_many("2"), less);
    assert_eq!(requests, 1);
    assert!(error.contains("more than the limit of 1s"), "{error}");
    let mut budget = patient();
    budget["api1.retry.timeout.ms"] = json!("1000");
    let (requests, error) = after(|| too_many("2"), budget);
    assert_eq!(requests, 1, "no try again begins after the time for all tries");
    assert!(error.contains("gave up after 1 tries"), "{error}");
}

#[test]
fn what_may_have_been_acted_on_is_sent_again_only_if_that_is_allowed() {
    let post = |repeat: &str| {
        json!({
            "api1.http.request.method": "POST",
            "api1.retry.non.idempotent": repeat,
            "api1.retry.backoff.policy": "CONSTANT_VALUE",
        })
    };
    let broken = || Answer::new(500, "{}");
    assert_eq!(after(broken, post("true")), (2, String::new()));
    let (requests, error) = after(broken, post("false"));
    assert_eq!(requests, 1);
    assert!(error.contains("the API may have acted on the Post request"), "{error}");
    assert_eq!(after(|| too_many("0"), post("false")), (2, String::new()), "the API says that it has not");
    let mut get = post("false");
    get["api1.http.request.method"] = json!("GET");
    assert_eq!(after(broken, get), (2, String::new()));
}

#[test]
fn a_host_that_does_not_answer_is_left_in_peace() {
    let run = |more: Value| {
        let times = Mutex::new(Vec::new());
        let api = ScriptedApi::start(move |_: &Received| {
            let mut times = times.lock().unwrap();
            times.push(Instant::now());
            // Says in the answer how long it was left alone.
            let last = times.windows(2).last().map_or(0, |pair| (pair[1] - pair[0]).as_millis());
            if times.len() < 4 { Answer::new(503, "{}") } else { json!([{ "pause": last as u64 }]).into() }
        })
        .unwrap();
        let mut all = json!({ "api1.retry.backoff.policy": "CONSTANT_VALUE", "http.circuit.breaker.pause.ms": "700" });
        with(&mut all, more);
        let broker = Broker::start();
        broker.run(&config(&api, all)).unwrap();
        let record: Value = serde_json::from_str(&broker.values()[0]).unwrap();
        record["pause"].as_u64().unwrap()
    };
    assert!(run(json!({ "http.circuit.breaker.failures": "3" })) >= 700);
    // No assertion without the breaker: a pause may be long for other reasons.
    run(json!({ "http.circuit.breaker.failures": "0" }));
}

/// An API with a healthy `/items`, and `/broken` that fails until it is told otherwise.
fn half_broken(failures: usize) -> ScriptedApi {
    let left = AtomicUsize::new(failures);
    ScriptedApi::start(move |request: &Received| {
        let fails = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if request.path() == "/broken" && fails() {
            return Answer::new(410, r#"{"why": "gone"}"#);
        }
        json!((request.number("from")..4).take(1).collect::<Vec<_>>()).into()
    })
    .unwrap()
}

fn two(api: &ScriptedApi, more: Value) -> Value {
    let mut both = json!({
        "apis.num": "2",
        "api1.http.api.path": "/broken",
        "api2.http.api.path": "/items",
        "api2.topics": TOPIC,
        "stream.restart.backoff.ms": "1",
        "stream.restart.backoff.max.ms": "2",
    });
    for number in ["1", "2"] {
        both[format!("api{number}.max.retries")] = json!("0");
        both[format!("api{number}.http.request.parameters")] = json!("from=${offset}");
        both[format!("api{number}.http.initial.offset")] = json!("0");
    }
    with(&mut both, more);
    config(api, both)
}

#[test]
fn a_stream_that_has_failed_begins_again_while_the_others_run() {
    let broker = Broker::start();
    let api = half_broken(3);
    let restart = json!({ "behavior.on.error": "RESTART", "stream.restart.max": "3" });
    assert_eq!(broker.run(&two(&api, restart)).unwrap().records, 8, "both streams were read to their ends");
}

#[test]
fn a_stream_that_has_failed_for_good_does_not_stop_the_others_and_is_told_at_the_end() {
    let broker = Broker::start();
    let api = half_broken(usize::MAX);
    let restart = json!({ "behavior.on.error": "RESTART", "stream.restart.max": "2" });
    let error = broker.run(&two(&api, restart)).unwrap_err();
    assert!(headwater_runtime::error::chain(&error).contains("stream `api1` stopped"), "{error}");
    assert_eq!(broker.values(), ["0", "1", "2", "3"]);
    let asked = api.received().iter().filter(|request| request.path() == "/broken").count();
    assert_eq!(asked, 3);
}

#[test]
fn each_request_that_has_failed_for_good_is_in_the_error_topic() {
    let broker = Broker::start();
    let api = half_broken(usize::MAX);
    let run = |more: Value| {
        let mut all = json!({ "name": "orders", "behavior.on.error": "IGNORE", "bearer.token": "t0psecret", "auth.type": "BEARER" });
        with(&mut all, more);
        broker.run(&two(&api, all)).unwrap();
    };
    run(json!({}));
    let [record] = &broker.consume("error-orders")[..] else { panic!("one record") };
    let header = |name: &str| {
        let value = record.headers.iter().find(|(header, _)| header == name).and_then(|(_, value)| value.clone());
        String::from_utf8(value.unwrap_or_default()).unwrap()
    };
    let url = format!("{}/broken", api.url());
    let message = format!(r#"requesting a page: gave up after 1 tries: `{url}` answered 410 Gone: {{"why": "gone"}}"#);
    let value = String::from_utf8(record.value.clone().unwrap()).unwrap();
    assert_eq!((value, header("error_message")), (message.clone(), message));
    assert_eq!((header("status_code"), header("reason_phrase")), ("410".to_owned(), "Gone".to_owned()));
    assert_eq!((header("url"), header("response_content")), (url, r#"{"why": "gone"}"#.to_owned()));
    assert_eq!((header("exception"), header("headwater.operation")), ("Status".to_owned(), "api1".to_owned()));

    run(json!({ "reporter.error.topic.name": "bad.${connector}", "report.errors.as": "Http response" }));
    let [record] = &broker.read("bad.orders")[..] else { panic!("one record") };
    assert_eq!(record.value, r#"{"why": "gone"}"#);
    assert_eq!(broker.consume("error-orders").len(), 1);

    let all = json!({ "name": "orders", "reporter.error.topic.name": "failed", "behavior.on.error": "FAIL" });
    broker.run(&two(&api, all)).unwrap_err();
    assert_eq!(broker.read("failed").len(), 1, "what stops the connector is there too");
}

#[test]
fn no_transaction_is_held_open_while_the_api_makes_a_stream_wait() {
    static SEEN: AtomicBool = AtomicBool::new(false);
    let broker = Broker::start();
    let api = ScriptedApi::start(|request: &Received| {
        if request.number("from") == 1 && !SEEN.load(Ordering::Relaxed) {
            return Answer::new(429, "{}").header("retry-after", "1");
        }
        json!((request.number("from")..2).take(1).collect::<Vec<_>>()).into()
    })
    .unwrap();
    let more = json!({
        "api1.http.request.parameters": "from=${offset}",
        "api1.http.initial.offset": "0",
        "api1.max.retries": "1000",
        "offset.storage.topic": "positions",
    });
    let config = config(&api, more);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| broker.run(&config).unwrap().records);
        // The position after the first page is written by its commit, while the second page is still withheld.
        while broker.consume("positions").is_empty() {
            assert!(!run.is_finished());
            std::thread::sleep(Duration::from_millis(20));
        }
        SEEN.store(true, Ordering::Relaxed);
        assert_eq!(run.join().unwrap(), 2);
    });
}
