//! A range of time that is read once, in steps, beside what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_runtime::codegen::{BackfillFacts, Connector};
use headwater_runtime::config::{ApiConfig, Environment};
use headwater_tests::{Answer, Received, ScriptedApi};
use petstore_events::operations::ListEvents;
use serde_json::{Value, json};

use crate::support::{Broker, config, told, with};

const DAY: usize = 86_400;

/// 2024-01-01T00:00:00Z, in seconds; and how many records there are from then on, six hours apart.
const FIRST: usize = 1_704_067_200;
const RECORDS: usize = 24;
const APART: usize = DAY / 4;

/// How many records a page has.
const PAGE: usize = 3;

/// The records of a window, in pages with `Link` headers.
fn window(request: &Received) -> Answer {
    let (from, to, skip) = (request.number("from"), request.number("to"), request.number("skip"));
    let all = (0..RECORDS).filter(|id| (from..to).contains(&(FIRST + id * APART)));
    let all: Vec<_> = all.map(|id| json!({ "id": format!("{} {id}", request.path()) })).collect();
    let answer = Answer::from(json!(all.iter().skip(skip).take(PAGE).collect::<Vec<_>>()));
    match skip + PAGE < all.len() {
        true => {
            let next = format!("<{}?from={from}&to={to}&skip={}>; rel=\"next\"", request.path(), skip + PAGE);
            answer.header("link", &next)
        }
        false => answer,
    }
}

/// A source of two regions that is backfilled over four of the six days, and goes on from there.
fn source(api: &ScriptedApi, more: Value) -> Value {
    let mut source = config(
        api,
        json!({
            "api1.http.api.path": "/${slice.region}",
            "api1.http.request.parameters": "from=${start_time}&to=${end_time}",
            "api1.timestamp.format": "Unix Timestamp Seconds",
            "api1.http.pagination.type": "LINK_HEADER",
            "api1.slices.region": "eu,us",
            "api1.backfill.start": "2024-01-01",
            "api1.backfill.end": "2024-01-05",
            "api1.backfill.step": "P1D",
            "api1.timestamp.interval.format": "Days",
            "api1.http.timestamp.interval": "100000",
            "api1.max.retries": "0",
        }),
    );
    with(&mut source, more);
    source
}

/// A record as it is written.
fn record(region: &str, id: usize) -> String {
    json!({ "id": format!("/{region} {id}") }).to_string()
}

/// Every record of these regions.
fn all(regions: &[&str]) -> Vec<String> {
    let mut all: Vec<_> = regions.iter().flat_map(|region| (0..RECORDS).map(move |id| record(region, id))).collect();
    all.sort();
    all
}

fn written(broker: &Broker) -> Vec<String> {
    let mut values = broker.values();
    values.sort();
    values
}

/// The days, counted from the first one, that steps of a day were asked for with; each once, whatever its pages.
fn days(received: &[Received], region: &str) -> Vec<i64> {
    let seconds = |request: &Received, name: &str| i64::try_from(request.number(name)).unwrap();
    let day = i64::try_from(DAY).unwrap();
    let steps = received.iter().filter(|request| request.path() == format!("/{region}"));
    let steps = steps.filter(|request| seconds(request, "to") - seconds(request, "from") == day);
    let days: BTreeSet<_> =
        steps.map(|request| (seconds(request, "from") - i64::try_from(FIRST).unwrap()).div_euclid(day)).collect();
    days.into_iter().collect()
}

#[test]
fn a_range_is_read_once_in_steps_of_every_slice_and_what_is_new_follows_without_gap_or_overlap() {
    let api = ScriptedApi::start(window).unwrap();
    let broker = Broker::start();
    let mut source = source(&api, json!({ "max.in.flight.requests": "4" }));
    broker.run(&source).unwrap();
    assert_eq!(written(&broker), all(&["eu", "us"]));
    let received = api.received();
    for region in ["eu", "us"] {
        assert_eq!(days(&received, region), [0, 1, 2, 3]);
    }
    // What is done is remembered in one piece, whatever the steps.
    let left = broker.read_last("headwater-source-offsets");
    assert!(left.keys().all(|key| !key.contains("backfill")), "{left:?}");
    let done = r#""done":[["2024-01-01T00:00:00Z","2024-01-05T00:00:00Z"]]"#;
    assert_eq!(left.values().filter(|state| state.contains(done)).count(), 2, "{left:?}");

    // It costs nothing any more; the next cycle asks from where the last one ended.
    broker.run(&source).unwrap();
    let received = api.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received.iter().all(|request| request.number("from") > FIRST + 6 * DAY), "{received:?}");

    // Of another range, only what is new is read; of what has been read live, nothing.
    with(&mut source, json!({ "api1.backfill.start": "2023-12-30", "api1.backfill.end": "2024-01-20" }));
    broker.run(&source).unwrap();
    assert_eq!(days(&api.received(), "us"), [-2, -1]);
    // Of another list, the new values.
    with(&mut source, json!({ "api1.slices.region": "eu,ap", "api1.backfill.end": "2024-01-05" }));
    broker.run(&source).unwrap();
    let received = api.received();
    assert_eq!((days(&received, "eu"), days(&received, "ap")), (vec![], vec![-2, -1, 0, 1, 2, 3]));
    assert_eq!(written(&broker), all(&["ap", "eu", "us"]));
}

#[test]
fn what_is_new_is_asked_for_first() {
    let api = ScriptedApi::start(window).unwrap();
    let broker = Broker::start();
    // One region: those of another shard begin when they do.
    broker.run(&source(&api, json!({ "max.in.flight.requests": "1", "api1.slices.region": "eu" }))).unwrap();
    let is_live = |request: &Received| request.number("from") >= FIRST + 4 * DAY;
    let asked: Vec<_> = api.received().iter().map(is_live).collect();
    let live = asked.iter().filter(|is_live| **is_live).count();
    // Three pages, and then two of each step.
    assert_eq!((live, asked.len()), (3, 3 + 2 * 4));
    assert!(asked[..live].iter().all(|is_live| *is_live), "{asked:?}");
}

#[test]
fn a_failure_that_is_ignored_leaves_only_its_step_to_the_next_cycle() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let api = ScriptedApi::start(move |request: &Received| {
        let is_second_day = request.path() == "/us" && request.number("from") == FIRST + DAY;
        match is_second_day && count.fetch_add(1, Ordering::Relaxed) == 0 {
            true => Answer::new(403, "{}"),
            false => window(request),
        }
    })
    .unwrap();
    let broker = Broker::start();
    let source = source(&api, json!({ "behavior.on.error": "IGNORE" }));
    broker.run(&source).unwrap();
    assert_eq!(written(&broker).len(), 2 * RECORDS - 4);
    api.received();
    broker.run(&source).unwrap();
    assert_eq!(days(&api.received(), "us"), [1]);
    assert_eq!(written(&broker), all(&["eu", "us"]));
}

#[test]
fn a_slice_that_fails_begins_again_as_a_stream_does() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let api = ScriptedApi::start(move |request: &Received| {
        let is_second_page = request.number("skip") > 0;
        match is_second_page && count.fetch_add(1, Ordering::Relaxed) < 3 {
            true => Answer::new(403, "{}"),
            false => window(request),
        }
    })
    .unwrap();
    let broker = Broker::start();
    let restarting = json!({ "behavior.on.error": "RESTART", "stream.restart.backoff.ms": "1" });
    broker.run(&source(&api, restarting)).unwrap();
    assert_eq!(written(&broker), all(&["eu", "us"]), "all in one cycle");
}

#[test]
fn random_ranges_and_lists_broken_off_at_random_are_read_exactly_once() {
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let regions = &["eu", "us", "ap"][..random.usize(1..=3)];
        let start = random.usize(0..3);
        let end = random.usize(start + 1..6);
        let step = ["PT7H", "P1D", "PT36H", "P1W"][random.usize(0..4)];
        // Which requests of a run are refused, counted from its beginning.
        let refused_at = Arc::new(AtomicUsize::new(usize::MAX));
        let asked = Arc::new(AtomicUsize::new(0));
        let (refuse, count) = (Arc::clone(&refused_at), Arc::clone(&asked));
        let api = ScriptedApi::start(move |request: &Received| {
            match count.fetch_add(1, Ordering::SeqCst) >= refuse.load(Ordering::SeqCst) {
                true => Answer::new(403, "{}"),
                false => window(request),
            }
        })
        .unwrap();
        let broker = Broker::start();
        let source = source(
            &api,
            json!({
                "api1.slices.region": regions.join(","),
                "api1.backfill.start": (FIRST + start * DAY).to_string(),
                "api1.backfill.end": (FIRST + end * DAY).to_string(),
                "api1.backfill.step": step,
                "max.in.flight.requests": random.usize(1..=4).to_string(),
            }),
        );
        let mut runs = 0;
        loop {
            asked.store(0, Ordering::SeqCst);
            // The first runs are broken off, the later the further.
            refused_at.store(if runs < 4 { random.usize(0..4 + 3 * runs) } else { usize::MAX }, Ordering::SeqCst);
            runs += 1;
            if broker.run(&source).is_ok() && runs > 4 {
                break;
            }
            assert!(runs < 6, "seed {seed}");
        }
        let first = start * 4;
        let mut expected: Vec<_> =
            regions.iter().flat_map(|region| (first..RECORDS).map(move |id| record(region, id))).collect();
        expected.sort();
        assert_eq!(written(&broker), expected, "seed {seed}");
        api.received();
        broker.run(&source).unwrap();
        assert_eq!(api.received().len(), regions.len(), "seed {seed}: only what is new is asked for");
    }
}

#[test]
fn each_record_of_a_parent_has_a_backfill_of_its_own_in_every_way_of_paging() {
    for pages in [
        json!({ "api1.http.pagination.type": "LINK_HEADER" }),
        json!({
            "api1.http.pagination.type": "OFFSET", "api1.http.pagination.offset.param": "skip",
            "api1.http.pagination.limit.value": PAGE.to_string(),
        }),
    ] {
        let api = ScriptedApi::start(|request: &Received| match request.path() {
            "/regions" => json!([{ "id": "eu" }, { "id": "us" }]).into(),
            _ => window(request),
        })
        .unwrap();
        let broker = Broker::start();
        let mut source = source(
            &api,
            json!({
                "apis.num": "2",
                "api.chaining.parent.child.relationship": "api2::api1",
                "api1.http.api.path": "/${parent.region}",
                "api1.parent.region.json.pointer": "/id",
                "api1.slices.region": "",
                "api2.http.api.path": "/regions",
            }),
        );
        with(&mut source, pages);
        broker.run(&source).unwrap();
        assert_eq!(written(&broker), all(&["eu", "us"]));
        let received = api.received();
        assert_eq!(days(&received, "eu"), [0, 1, 2, 3]);
        let mut times = BTreeMap::new();
        received.into_iter().for_each(|request| *times.entry(request.target).or_insert(0) += 1);
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        broker.run(&source).unwrap();
        assert_eq!(written(&broker), all(&["eu", "us"]));
        assert_eq!(api.received().len(), 3);
    }
}

#[test]
fn the_records_of_a_backfill_have_their_children_read_once_as_others_have() {
    let api = ScriptedApi::start(|request: &Received| match request.path().strip_prefix("/of/") {
        Some(parent) => json!([parent]).into(),
        None => window(request),
    })
    .unwrap();
    let broker = Broker::start();
    let source = source(
        &api,
        json!({
            "apis.num": "2",
            "api.chaining.parent.child.relationship": "api1::api2",
            "api2.topics": "children",
            "api2.http.api.path": "/of/${parent.id}",
            "api2.parent.id.json.pointer": "/id",
        }),
    );
    broker.run(&source).unwrap();
    assert_eq!(written(&broker), all(&["eu", "us"]));
    let children: BTreeSet<_> = broker.read("children").into_iter().map(|record| record.value).collect();
    assert_eq!((children.len(), broker.read("children").len()), (2 * RECORDS, 2 * RECORDS));
    let left = broker.read_last("headwater-source-offsets");
    assert!(left.keys().all(|key| !key.contains("api2")), "{left:?}");
}

#[test]
fn a_range_that_cannot_be_read_is_refused() {
    let api = ScriptedApi::start(window).unwrap();
    let broker = Broker::start();
    let problems = |more: Value| broker.problems_with(&source(&api, more), &[], true);
    assert_eq!(problems(json!({})), "");
    for (more, expected) in [
        (
            json!({ "api1.backfill.end": "2023-12-31" }),
            "property `api1.backfill.end` is not after `api1.backfill.start`",
        ),
        (
            json!({ "api1.backfill.end": "9000-01-01" }),
            "property `api1.backfill.end` is later than now, and what has not happened cannot be read",
        ),
        (
            json!({ "api1.backfill.end": "" }),
            "property `api1.backfill.end` is missing / it is needed because a range of time has two ends",
        ),
        (
            json!({ "api1.backfill.start": "" }),
            "property `api1.backfill.start` is missing / it is needed because a range of time has two ends",
        ),
        (
            json!({ "api1.http.request.parameters": "from=${start_time}" }),
            "property `api1.backfill.start` needs `${end_time}` in the request, or each step would bring the same",
        ),
        (
            json!({ "api1.http.pagination.type": "", "api1.http.offset.mode": "TIMESTAMP", "api1.http.offset.json.pointer": "/at" }),
            "property `api1.http.offset.mode` TIMESTAMP asks by itself for what is new, and does not go with a backfill / leave it \
             out: what is new is asked for from `${start_time}` to `${end_time}`, too",
        ),
        (
            json!({ "api1.initial.start.timestamp.value": "1704067200" }),
            "property `api1.initial.start.timestamp.value` is another time than the end of the backfill, where the first time window \
             begins / leave it out",
        ),
        (
            json!({ "api1.backfill.step": "1 day" }),
            "property `api1.backfill.step` is `1 day`, which is not an ISO 8601 duration that is longer than nothing, such as `P1M`, \
             `P7D` or `PT6H`",
        ),
    ] {
        assert_eq!(problems(more.clone()), expected, "{more}");
    }
}

/// An event of the example, six hours after the one before.
fn event(id: usize) -> Value {
    let at = instant(FIRST + id * APART);
    json!({ "id": format!("00000000-0000-0000-0000-{id:012}"), "kind": "born", "occurred_at": at, "pet": { "id": id } })
}

/// A second of January 2024 as RFC 3339 has it.
fn instant(seconds: usize) -> String {
    let (day, hour) = ((seconds - FIRST) / DAY + 1, (seconds - FIRST) % DAY / 3600);
    format!("2024-01-{day:02}T{hour:02}:00:00Z")
}

/// A parameter that is an instant.
fn asked_at(request: &Received, name: &str) -> Option<String> {
    request.query(name).map(|value| value.replace("%3A", ":"))
}

/// The connector of the example with what `backfill: {until: before, …}` generates.
fn generated(facts: BackfillFacts) -> Connector {
    Connector::new("petstore-events").operation(|_| Ok(ListEvents::new())).backfill(facts)
}

#[test]
fn a_generated_connector_reads_a_range_once_in_steps_and_then_what_is_new() {
    let last = Arc::new(AtomicUsize::new(RECORDS));
    let known = Arc::clone(&last);
    let api = ScriptedApi::start(move |request: &Received| {
        let from = asked_at(request, "since").unwrap_or_default();
        let to = asked_at(request, "before").unwrap_or_else(|| "9".to_owned());
        let is_within = |event: &Value| (&*from..&*to).contains(&event["occurred_at"].as_str().unwrap());
        json!({ "data": (0..known.load(Ordering::SeqCst)).map(event).filter(is_within).collect::<Vec<_>>() })
    })
    .unwrap();
    let annotated = || BackfillFacts {
        until: "before".into(),
        start: Some("2024-01-01"),
        end: Some("2024-01-05"),
        step: Some("P1D"),
    };
    let settings = |more: Value| {
        let mut settings = json!({ "name": "source", "http.api.base.url": api.url() });
        with(&mut settings, more);
        settings
    };
    let asked = |from: usize| {
        let between = |request: &Received| {
            let [since, before] = ["since", "before"].map(|name| asked_at(request, name).unwrap_or_default());
            format!("{since}..{before}")
        };
        let mut asked: Vec<_> = api.received()[from..].iter().map(between).collect();
        asked.sort();
        asked
    };
    let broker = Broker::start();
    let run = |facts, more| broker.run_generated(&generated(facts), &settings(more)).unwrap().records;

    assert_eq!(run(annotated(), json!({})), RECORDS as u64);
    let day = |day: usize| instant(FIRST + day * DAY);
    let mut expected: Vec<_> = (0..4).map(|step| format!("{}..{}", day(step), day(step + 1))).collect();
    expected.push(format!("{}..", day(4)));
    assert_eq!(asked(0), expected);

    // Nothing of it is read again, and what is new is read from where the cycle before has come to.
    let before = api.received().len();
    last.store(RECORDS + 2, Ordering::SeqCst);
    assert_eq!(run(annotated(), json!({})), 2);
    assert_eq!(asked(before), [format!("{}..", instant(FIRST + (RECORDS - 1) * APART))]);

    // What is configured takes the place of what is annotated: of a longer range, only what is missing is read.
    let before = api.received().len();
    assert_eq!(run(annotated(), json!({ "api1.backfill.start": "2023-12-30", "api1.backfill.step": "P7D" })), 0);
    assert_eq!(asked(before)[0], format!("2023-12-30T00:00:00Z..{}", day(0)));
    assert_eq!(broker.consume("petstore.events").len(), RECORDS + 2);

    // Without a whole range there is no backfill; and without the annotation none can be configured.
    let nothing = BackfillFacts { end: None, ..annotated() };
    let before = api.received().len();
    let other = Broker::start();
    let read = other.run_generated(&generated(nothing), &settings(json!({}))).unwrap().records;
    assert_eq!((read, asked(before).len()), (RECORDS as u64 + 2, 1));
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), settings(json!({ "api1.backfill.start": "2024-01-01" })).to_string()).unwrap();
    let connector = Connector::new("petstore-events").operation(|_| Ok(ListEvents::new()));
    let loaded = ApiConfig::load(&connector, Some(path.path()), &Environment::default());
    let told = loaded.err().map(|error| told(&error)).unwrap();
    assert!(
        told.contains(
            "`api1.backfill.start` (operation `listEvents`) is of an operation whose annotation has no `backfill`"
        ),
        "{told}"
    );
}
