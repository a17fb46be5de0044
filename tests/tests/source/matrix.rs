//! Every way of paging against every way in which an answer can fail: each record stands in Kafka once, or what is wrong
//! is named and the run has failed; nothing is asked for without end.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use headwater_tests::{
    Answer, Consumed, FaultyApi, Isolation, RealParts, Received, Style, Transport, configuration, consume,
    create_topic, headwater, real_parts, unique_name,
};
use serde_json::{Value, json};

use crate::support::{Broker, with};

/// How many records a full page has.
const PAGE: usize = 10;

/// Four full pages and a short one.
const RECORDS: usize = 47;

/// The same, the last page being full, too: then some styles ask for one more.
const FULL_PAGES: usize = 50;

/// A record on the page that fails.
const MIDWAY: usize = 2 * PAGE;

/// The last record.
const LAST: usize = RECORDS - 1;

/// More requests than this for a style are a loop: its pages, those that are asked for ahead of their turn, and more tries.
const MOST_REQUESTS: usize = 30;

/// What becomes of a page midway the first time that it is asked for.
struct Failure {
    name: &'static str,
    answer: fn(&Received, Answer) -> (Answer, Transport),
    /// Whether trying again helps. If not, what the failure is called.
    named: Option<&'static str>,
}

const FAILURES: [Failure; 17] = [
    // None at all: any status of success is one (RFC 9110 section 15.3).
    Failure { name: "201", answer: |_, answer| (answer.status(201), Transport::Whole), named: None },
    Failure { name: "206", answer: |_, answer| (answer.status(206), Transport::Whole), named: None },
    Failure { name: "500", answer: |_, _| (Answer::new(500, "{}"), Transport::Whole), named: None },
    Failure { name: "reset", answer: |_, answer| (answer, Transport::ResetUnread), named: None },
    Failure { name: "unanswered", answer: |_, answer| (answer, Transport::Unanswered), named: None },
    Failure { name: "cut", answer: |_, answer| (answer, Transport::Cut), named: None },
    Failure { name: "gzip", answer: |_, answer| (answer, Transport::Gzip), named: None },
    Failure { name: "gzip-cut", answer: |_, answer| (answer, Transport::GzipCut), named: None },
    Failure { name: "slow", answer: |_, answer| (answer, Transport::Slow), named: None },
    Failure { name: "stalled", answer: |_, answer| (answer, Transport::Stalled), named: None },
    Failure { name: "429", answer: |_, _| (Answer::new(429, "{}"), Transport::Whole), named: None },
    Failure {
        name: "429-seconds",
        answer: |_, _| (Answer::new(429, "{}").header("retry-after", "0"), Transport::Whole),
        named: None,
    },
    Failure {
        name: "429-date",
        answer: |_, _| {
            let past = "Fri, 31 Dec 1999 23:59:59 GMT";
            (Answer::new(429, "{}").header("retry-after", past), Transport::Whole)
        },
        named: None,
    },
    Failure {
        name: "429-too-long",
        answer: |_, _| (Answer::new(429, "{}").header("retry-after", "86400"), Transport::Whole),
        named: Some("the API asks to wait for 86400s, more than the limit of 600s"),
    },
    Failure {
        name: "malformed",
        answer: |_, _| (Answer::new(200, r#"{"items": [{"id": 20, "next""#), Transport::Whole),
        named: Some("decoding a response: reading the page: EOF while parsing"),
    },
    Failure {
        name: "wrong-type",
        answer: |_, _| (Answer::of(200, "text/html", "<html>Sign in</html>"), Transport::Whole),
        named: Some("text/html"),
    },
    Failure {
        name: "404",
        answer: |_, _| (Answer::new(404, "{}"), Transport::Whole),
        named: Some("answered 404 Not Found"),
    },
];

/// The page before, in place of one that was asked for.
const REPEATED: Failure = Failure {
    name: "repeated",
    answer: |request, _| {
        let style = Style::of(request).unwrap();
        (style.answer_before(request, RECORDS, PAGE), Transport::Whole)
    },
    named: Some("following the pages: the API sent the same page again when asked for the next one"),
};

/// A source with a stream for each of `styles`, all of which go on without one that has failed.
fn config(url: &str, name: &str, styles: &[Style]) -> Value {
    let mut config = json!({
        "name": name,
        "http.api.base.url": url,
        "output.data.format": "JSON",
        "apis.num": styles.len().to_string(),
        "behavior.on.error": "RESTART",
        "stream.restart.max": "0",
        "stream.restart.max": "0",
        // All styles fail at once, as if the host were down.
        "http.circuit.breaker.failures": "0",
        "reporter.error.topic.name": format!("errors-{name}"),
        "offset.storage.topic": format!("positions-{name}"),
    });
    for (number, style) in (1..).zip(styles) {
        let mut own = Value::Object(style.properties(number, PAGE));
        own[format!("api{number}.topics")] = json!(name);
        own[format!("api{number}.max.retries")] = json!("20");
        own[format!("api{number}.retry.backoff.ms")] = json!("1");
        own[format!("api{number}.retry.on.status.codes")] = json!("500-");
        own[format!("api{number}.http.request.timeout.ms")] = json!("2000");
        with(&mut config, own);
    }
    config
}

/// The numbers of the records in a topic, by style.
fn ids(records: Vec<Consumed>) -> BTreeMap<Style, Vec<usize>> {
    let mut ids: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in records {
        let (style, id) = Style::of_record(&record.value.unwrap()).unwrap();
        ids.entry(style).or_default().push(id);
    }
    ids
}

/// Says that each of the first `count` records of every one of `styles` is there once, and in its order.
fn check_once(records: Vec<Consumed>, styles: &[Style], count: usize, name: &str) {
    let mut ids = ids(records);
    for style in styles {
        assert_eq!(ids.remove(style), Some((0..count).collect()), "{name}: {style:?}");
    }
}

/// Says that no style was asked for so often that it must be a loop.
fn check_requests(requests: &[Received], name: &str) {
    let mut counts: BTreeMap<Style, usize> = BTreeMap::new();
    for request in requests {
        *counts.entry(Style::of(request).unwrap()).or_default() += 1;
    }
    assert_eq!(counts.len(), Style::ALL.len(), "{name}: a style was not asked for");
    assert!(counts.values().all(|count| *count <= MOST_REQUESTS), "{name}: {counts:?}");
}

/// Has the page with the record `at` fail once, in every style.
fn meet(broker: &Broker, Failure { name, answer, named }: Failure, at: usize) {
    let failed = Arc::new(Mutex::new(BTreeSet::new()));
    let fail = Arc::clone(&failed);
    let api = FaultyApi::start(move |request: &Received| {
        let style = Style::of(request).unwrap();
        let page = style.answer(request, RECORDS, PAGE, false);
        let start = style.start_of(request, PAGE);
        let fails = (start..start + PAGE).contains(&at);
        match fails && fail.lock().unwrap().insert(style) {
            true => answer(request, page),
            false => (page, Transport::Whole),
        }
    })
    .unwrap();
    let config = config(&api.url(), name, &Style::ALL);
    let result = broker.run(&config);
    let failures = broker.read(&format!("errors-{name}"));
    check_requests(&api.received(), name);
    assert_eq!(failed.lock().unwrap().len(), Style::ALL.len(), "{name}: it was not met");
    match named {
        None => {
            let error = result.err().map(|error| headwater_runtime::error::chain(&error).to_string());
            assert_eq!((error, failures), (None, Vec::new()), "{name}");
        }
        Some(named) => {
            result.unwrap_err();
            assert_eq!(failures.len(), Style::ALL.len(), "{name}: a style has not failed");
            assert!(failures.iter().all(|failure| failure.value.contains(named)), "{name}: {failures:#?}");
            // What was read before it is not read again, and the rest is.
            broker.run(&config).unwrap();
        }
    }
    check_once(broker.consume(name), &Style::ALL, RECORDS, name);
}

#[test]
fn whatever_fails_midway_every_record_is_there_once_or_the_failure_is_named() {
    let broker = Broker::start();
    for failure in FAILURES {
        meet(&broker, failure, MIDWAY);
    }
}

#[test]
fn a_page_that_comes_again_is_neither_the_next_one_nor_the_end() {
    meet(&Broker::start(), REPEATED, MIDWAY);
    meet(&Broker::start(), REPEATED, LAST);
}

#[test]
fn an_answer_without_content_is_the_end_whatever_the_paging() {
    let broker = Broker::start();
    for (status, body) in [(204, ""), (200, "")] {
        let api = FaultyApi::start(move |request: &Received| {
            let style = Style::of(request).unwrap();
            let is_end = style.start_of(request, PAGE) >= FULL_PAGES;
            let page = style.answer(request, FULL_PAGES, PAGE, true);
            (if is_end { Answer::new(status, body) } else { page }, Transport::Whole)
        })
        .unwrap();
        let name = format!("empty-{status}");
        broker.run(&config(&api.url(), &name, &Style::ALL)).unwrap();
        check_requests(&api.received(), &name);
        check_once(broker.consume(&name), &Style::ALL, FULL_PAGES, &name);
    }
}

#[test]
fn killed_between_pages_every_record_is_there_once_whatever_the_paging() {
    let Some(parts) = real_parts().unwrap() else { return };
    // All of them are kept waiting at once, and there is memory for sixteen responses.
    Style::ALL.chunks(9).for_each(|styles| kill_between_pages(parts, styles));
}

fn kill_between_pages(parts: &RealParts, styles: &[Style]) {
    // Each of the first two processes is killed while the API keeps a page back from every stream.
    let held_from = Arc::new(Mutex::new(0));
    let goes_on = Arc::new(AtomicBool::new(false));
    let (held, goes) = (Arc::clone(&held_from), Arc::clone(&goes_on));
    let api = FaultyApi::start(move |request: &Received| {
        let style = Style::of(request).unwrap();
        while style.start_of(request, PAGE) >= *held.lock().unwrap() && !goes.load(Ordering::Relaxed) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        (style.answer(request, RECORDS, PAGE, false), Transport::Whole)
    })
    .unwrap();
    let name = unique_name("matrix");
    create_topic(&parts.bootstrap, &name, 1, &[]).unwrap();
    let mut config = config(&api.url(), &name, styles);
    with(&mut config, configuration(parts, &name, &api.url()));
    for number in 1..=styles.len() {
        // Nobody is to lose patience with the API here.
        config[format!("api{number}.http.request.timeout.ms")] = json!("600000");
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let start = || -> Child {
        let mut command = Command::new(headwater().unwrap());
        command.arg("run").arg(&path).arg("--once").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let written = || consume(&parts.bootstrap, &name, Isolation::ReadCommitted).unwrap();
    for pages in [1, 3] {
        *held_from.lock().unwrap() = pages * PAGE;
        let mut source = start();
        let have_enough = |ids: BTreeMap<Style, Vec<usize>>| {
            styles.iter().all(|style| ids.get(style).is_some_and(|ids| ids.len() >= pages * PAGE))
        };
        while !have_enough(ids(written())) {
            assert!(source.try_wait().unwrap().is_none(), "it has ended");
        }
        source.kill().unwrap();
        assert!(source.wait().unwrap().code().is_none(), "it was done before it was killed");
    }
    goes_on.store(true, Ordering::Relaxed);
    assert!(start().wait().unwrap().success());
    check_once(written(), styles, RECORDS, &name);
}
