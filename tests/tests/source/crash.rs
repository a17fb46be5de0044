//! What if it dies halfway? For every way in which one request leads to the next: a source that is killed again and again,
//! against a real Kafka, and every record stands there once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use headwater_tests::{
    Answer, Isolation, RealParts, Received, ScriptedApi, configuration, consume, create_topic, headwater, real_parts,
    unique_name,
};
use serde_json::{Value, json};

/// How many records the API has at first, and how many it gives at once.
const RECORDS: usize = 4_000;
const PAGE: usize = 20;

/// How many more it has then.
const MORE: usize = 50;

/// One page out of `count` records, the way that `style` pages.
fn page(style: &str, count: usize, request: &Received) -> Answer {
    // So that there is a middle to die in.
    std::thread::sleep(Duration::from_millis(15));
    if style == "window" {
        return window(request);
    }
    let at = start_of(style, request);
    let page: Vec<_> = (at..count).take(PAGE).map(|id| json!({ "id": id, "next": id + 1 })).collect();
    let next = at + PAGE;
    match style {
        "token" if next < count => json!({ "items": page, "next": next }).into(),
        "url" if next < count => json!({ "items": page, "next": format!("/items?at={next}") }).into(),
        "link" if next < count => Answer::from(json!({ "items": page }))
            .header("link", &format!("<http://{}/items?at={next}>; rel=\"next\"", request.headers["host"])),
        _ => json!({ "items": page }).into(),
    }
}

/// The record that a page begins with.
fn start_of(style: &str, request: &Received) -> usize {
    match style {
        "page" => (request.number("page") - 1) * PAGE,
        "window" => request.number("from") - request.number("start") + request.number("token"),
        _ => request.number("at"),
    }
}

/// A record for each second of the window, by pages.
fn window(request: &Received) -> Answer {
    let (from, to, start) = (request.number("from"), request.number("to"), request.number("start"));
    let from = from + request.number("token");
    let ids =
        (from..to).take(PAGE).filter(|second| second - start < RECORDS).map(|second| json!({ "id": second - start }));
    let mut body = json!({ "items": ids.collect::<Vec<_>>() });
    if from + PAGE < to && from + PAGE < start + RECORDS {
        body["next"] = json!(request.number("token") + PAGE);
    }
    body.into()
}

fn properties(style: &str) -> Value {
    let mut properties = json!({
        "api1.http.api.path": "/items",
        "api1.http.response.data.json.pointer": "/items",
        "api1.record.key.json.pointer": "/id",
        "api1.http.request.parameters": "at=${offset}",
        "output.data.format": "JSON",
    });
    let more = match style {
        "increment" => json!({ "api1.http.initial.offset": "0" }),
        "chain" | "snapshot" => json!({
            "api1.http.offset.mode": if style == "chain" { "CHAINING" } else { "SNAPSHOT_PAGINATION" },
            "api1.http.offset.json.pointer": "/next",
            "api1.http.initial.offset": "0",
        }),
        "timestamp" => json!({
            "api1.http.offset.mode": "TIMESTAMP",
            "api1.http.offset.json.pointer": "/next",
            "api1.http.request.parameters": "",
            "api1.http.pagination.type": "OFFSET",
            "api1.http.pagination.offset.param": "at",
            "api1.http.pagination.limit.value": PAGE.to_string(),
        }),
        "window" => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            let start = now - RECORDS as u64;
            json!({
                "api1.http.request.parameters": format!("from=${{start_time}}&to=${{end_time}}&start={start}"),
                "api1.http.offset.mode": "CURSOR_PAGINATION",
                "api1.http.next.page.json.pointer": "/next",
                "api1.enable.cursor.pagination.with.timestamp.mode": "true",
                "api1.http.cursor.pagination.parameter.name": "token",
                "api1.timestamp.format": "Unix Timestamp Seconds",
                "api1.initial.start.timestamp.value": start.to_string(),
                "api1.http.timestamp.interval": "100",
            })
        }
        "page" => json!({
            "api1.http.request.parameters": "",
            "api1.http.pagination.type": "PAGE",
            "api1.http.pagination.limit.value": PAGE.to_string(),
        }),
        "token" => json!({ "api1.http.offset.mode": "CURSOR_PAGINATION", "api1.http.next.page.json.pointer": "/next" }),
        "url" => json!({
            "api1.http.offset.mode": "CURSOR_PAGINATION",
            "api1.http.next.page.json.pointer": "/next",
            "api1.http.request.parameters": "",
        }),
        _ => json!({ "api1.http.pagination.type": "LINK_HEADER", "api1.http.request.parameters": "" }),
    };
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    properties
}

/// Whether each cycle of a style reads everything again.
fn begins_anew(style: &str) -> bool {
    ["snapshot", "link", "page"].contains(&style)
}

#[test]
fn killed_in_the_middle_every_record_is_there_once_whatever_the_paging() {
    let Some(parts) = real_parts().unwrap() else { return };
    let program = headwater().unwrap();
    for style in ["increment", "chain", "snapshot", "token", "url", "link", "timestamp", "page", "window"] {
        let count = Arc::new(AtomicUsize::new(RECORDS));
        let served = Arc::clone(&count);
        let api = ScriptedApi::start(move |request: &Received| page(style, served.load(Ordering::Relaxed), request));
        let api = api.unwrap();
        let topic = unique_name(style);
        create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
        let mut config = configuration(parts, &topic, &api.url());
        config["api1.topics"] = json!(topic);
        config.as_object_mut().unwrap().extend(properties(style).as_object().unwrap().clone());
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let start = || -> Child {
            let mut command = Command::new(program);
            command.arg("run").arg(&path).arg("--once").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let written = || consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
        // What one process has asked for: no page twice, and none whose records were committed before it.
        let check_asked = |committed: usize| {
            let asked = api.received();
            let targets: BTreeSet<_> = asked.iter().map(|request| request.target.as_str()).collect();
            assert_eq!(targets.len(), asked.len(), "{style}: a page was asked for twice by one process");
            let first = asked.iter().map(|request| start_of(style, request)).min().unwrap_or(committed);
            assert!(first >= committed, "{style}: {committed} records were there, and {first} is asked for again");
        };

        let mut killed_with = Vec::new();
        while killed_with.len() < 3 {
            let mut source = start();
            let before = killed_with.last().copied().unwrap_or_default();
            // It has written something more, and is not done.
            while written().len() == before && source.try_wait().unwrap().is_none() {}
            source.kill().unwrap();
            assert!(source.wait().unwrap().code().is_none(), "{style}: it was done before it was killed");
            // What the API was still answering is not to be taken for a request of the next process.
            std::thread::sleep(Duration::from_millis(400));
            killed_with.push(written().len());
            check_asked(before);
        }
        assert!(start().wait().unwrap().success(), "{style}");
        check_asked(killed_with.last().copied().unwrap_or_default());
        let ids = || -> Vec<usize> {
            let id = |key: Vec<u8>| String::from_utf8(key).unwrap().parse().unwrap();
            written().into_iter().map(|record| id(record.key.unwrap())).collect()
        };
        let once: BTreeSet<_> = ids().into_iter().collect();
        assert_eq!(once.len(), ids().len(), "{style}: something is in Kafka twice");
        assert_eq!(once, (0..RECORDS).collect(), "{style}, killed with {killed_with:?}");

        // The next cycle gets what is new, and nothing again that it need not.
        if style == "window" {
            continue;
        }
        count.store(RECORDS + MORE, Ordering::Relaxed);
        assert!(start().wait().unwrap().success(), "{style}");
        let new: Vec<_> = ids().split_off(RECORDS);
        let from = if begins_anew(style) { 0 } else { RECORDS };
        assert_eq!(new, (from..RECORDS + MORE).collect::<Vec<_>>(), "{style}");
    }
}

/// The keys of a topic, each of which is a number and there once.
fn keys(parts: &RealParts, topic: &str) -> BTreeSet<usize> {
    let mut ids = BTreeSet::new();
    for record in consume(&parts.bootstrap, topic, Isolation::ReadCommitted).unwrap() {
        let id: usize = String::from_utf8(record.key.unwrap()).unwrap().parse().unwrap();
        assert!(ids.insert(id), "{topic}: record {id} is in Kafka twice");
    }
    ids
}

/// Runs a source to its end that is killed three times before. `written` tells what it has written; `ended` is told of that
/// whenever it does not run.
fn killed_three_times(
    program: &Path,
    config: &Value,
    name: &str,
    written: impl Fn() -> BTreeSet<usize>,
    mut ended: impl FnMut(&BTreeSet<usize>),
) -> BTreeSet<usize> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let start = || -> Child {
        let mut command = Command::new(program);
        command.arg("run").arg(&path).arg("--once").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut before = 0;
    for _ in 0..3 {
        let mut source = start();
        // It has written something more, and is not done.
        while written().len() == before && source.try_wait().unwrap().is_none() {}
        source.kill().unwrap();
        assert!(source.wait().unwrap().code().is_none(), "{name}: it was done before it was killed");
        let ids = written();
        ended(&ids);
        before = ids.len();
    }
    assert!(start().wait().unwrap().success(), "{name}");
    let ids = written();
    ended(&ids);
    ids
}

/// How many shops there are, and how many records each has.
const SHOPS: usize = 40;
const OF_A_SHOP: usize = RECORDS / SHOPS;

/// Shops, and what each has, in pages with `Link` headers.
fn shops(request: &Received) -> Answer {
    std::thread::sleep(Duration::from_millis(15));
    let path: Vec<&str> = request.path().split('/').skip(1).collect();
    let (first, count) = match &path[..] {
        ["shops"] => (0, SHOPS),
        [_, shop, ..] => (shop.parse::<usize>().unwrap() * OF_A_SHOP, OF_A_SHOP),
        _ => panic!("{}", request.target),
    };
    let next = request.number("at") + PAGE;
    let page: Vec<_> = (next - PAGE..count).take(PAGE).map(|id| json!({ "id": first + id })).collect();
    let answer = Answer::from(json!({ "items": page }));
    match next < count {
        true => answer.header("link", &format!("<{}?at={next}>; rel=\"next\"", request.path())),
        false => answer,
    }
}

#[test]
fn killed_with_slices_half_read_nothing_is_lost_and_what_is_done_is_not_asked_for_again() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = ScriptedApi::start(shops).unwrap();
    let (topic, shops) = (unique_name("items"), unique_name("shops"));
    for topic in [&topic, &shops] {
        create_topic(&parts.bootstrap, topic, 1, &[]).unwrap();
    }
    let mut config = configuration(parts, &topic, &api.url());
    let mut properties = json!({
        "apis.num": "2",
        "api.chaining.parent.child.relationship": "api1::api2",
        "max.in.flight.requests": "3",
        "output.data.format": "JSON",
        "api1.topics": shops,
        "api1.http.api.path": "/shops",
        "api2.topics": topic,
        "api2.http.api.path": "/shops/${parent.shop}/items",
        "api2.parent.shop.json.pointer": "/id",
    });
    for number in [1, 2] {
        properties[format!("api{number}.http.pagination.type")] = json!("LINK_HEADER");
        properties[format!("api{number}.http.response.data.json.pointer")] = json!("/items");
        properties[format!("api{number}.record.key.json.pointer")] = json!("/id");
    }
    config.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    // What was done when it ended last, and has not been asked for since.
    let mut done = BTreeSet::new();
    let written = || keys(parts, &topic);
    let ids = killed_three_times(headwater().unwrap(), &config, "slices", written, |ids| {
        for request in api.received() {
            assert!(!done.contains(request.path()), "{} was done", request.target);
        }
        let shops = keys(parts, &shops);
        let of_shop = |shop: usize| ids.range(shop * OF_A_SHOP..(shop + 1) * OF_A_SHOP).count();
        let finished = (0..SHOPS).filter(|shop| of_shop(*shop) == OF_A_SHOP);
        done.extend(finished.map(|shop| format!("/shops/{shop}/items")));
        if shops.len() == SHOPS {
            done.insert("/shops".to_owned());
        }
    });
    assert_eq!(ids, (0..RECORDS).collect());
    assert_eq!(done.len(), SHOPS + 1);
}

/// APIs of one source, and how many records each has.
const APIS: usize = 10;
const OF_AN_API: usize = RECORDS / APIS;

#[test]
fn killed_with_streams_in_several_shards_each_goes_on_where_it_was() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = ScriptedApi::start(|request: &Received| -> Answer {
        std::thread::sleep(Duration::from_millis(15));
        let first = request.path()[1..].parse::<usize>().unwrap() * OF_AN_API;
        let at = request.number("at");
        let page = (at..OF_AN_API).take(PAGE).map(|id| json!({ "id": first + id }));
        json!({ "items": page.collect::<Vec<_>>() }).into()
    });
    let api = api.unwrap();
    let topic = unique_name("several");
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let mut config = configuration(parts, &topic, &api.url());
    let mut properties = json!({ "apis.num": APIS.to_string(), "output.data.format": "JSON" });
    for number in 1..=APIS {
        let mut set = |name: &str, value: &str| properties[format!("api{number}.{name}")] = json!(value);
        set("topics", &topic);
        set("http.api.path", &format!("/{}", number - 1));
        set("http.response.data.json.pointer", "/items");
        set("record.key.json.pointer", "/id");
        set("http.request.parameters", "at=${offset}");
        set("http.initial.offset", "0");
    }
    config.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let written = || keys(parts, &topic);
    let ids = killed_three_times(headwater().unwrap(), &config, "several", written, |_| {});
    assert_eq!(ids, (0..RECORDS).collect());

    // Each stream in its order, whatever the others did meanwhile.
    let records = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
    let id = |key: &[u8]| std::str::from_utf8(key).unwrap().parse::<usize>().unwrap();
    let ids: Vec<_> = records.iter().map(|record| id(record.key.as_ref().unwrap())).collect();
    for api in 0..APIS {
        assert!(ids.iter().filter(|id| **id / OF_AN_API == api).is_sorted(), "api {api}");
    }
    // A position stands in one shard, and not all of them in the same.
    let offsets = format!("headwater-{topic}-offsets");
    let positions = consume(&parts.bootstrap, &offsets, Isolation::ReadCommitted).unwrap();
    let shards: BTreeSet<_> = positions.iter().map(|position| (&position.key, position.partition)).collect();
    let keys: BTreeSet<_> = positions.iter().map(|position| &position.key).collect();
    assert_eq!((keys.len(), shards.len()), (APIS + 1, APIS + 1));
    let used: BTreeSet<_> = shards.iter().map(|(_, shard)| shard).collect();
    assert!(used.len() > 3, "{used:?}");
}

/// How long a step of the backfill is, in seconds, which is also how many records it has.
const STEP: usize = 200;

#[test]
fn killed_in_the_middle_of_a_backfill_it_goes_on_inside_and_asks_for_nothing_that_is_done() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = ScriptedApi::start(|request: &Received| page("window", RECORDS, request)).unwrap();
    let topic = unique_name("backfill");
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as usize;
    let start = now - 2 * RECORDS;
    let mut config = configuration(parts, &topic, &api.url());
    let properties = json!({
        "output.data.format": "JSON",
        "max.in.flight.requests": "3",
        "api1.topics": topic,
        "api1.http.api.path": "/items",
        "api1.http.response.data.json.pointer": "/items",
        "api1.record.key.json.pointer": "/id",
        "api1.http.request.parameters": format!("from=${{start_time}}&to=${{end_time}}&start={start}"),
        "api1.http.offset.mode": "CURSOR_PAGINATION",
        "api1.http.next.page.json.pointer": "/next",
        "api1.http.cursor.pagination.parameter.name": "token",
        "api1.timestamp.format": "Unix Timestamp Seconds",
        "api1.backfill.start": start.to_string(),
        "api1.backfill.end": (start + RECORDS).to_string(),
        "api1.backfill.step": format!("PT{STEP}S"),
    });
    config.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    // What had been written when it ended last.
    let mut before = BTreeSet::new();
    let ids = killed_three_times(
        headwater().unwrap(),
        &config,
        "backfill",
        || keys(parts, &topic),
        |ids| {
            for request in api.received() {
                let first = start_of("window", &request);
                assert!(!before.contains(&first), "{} is in Kafka", request.target);
            }
            before.clone_from(ids);
        },
    );
    assert_eq!(ids, (0..RECORDS).collect());
    api.received();
    // It is remembered, and only the live stream asks.
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let mut command = Command::new(headwater().unwrap());
    let source = command.arg("run").arg(&path).arg("--once").stdout(Stdio::null()).stderr(Stdio::null());
    assert!(source.status().unwrap().success());
    assert!(api.received().iter().all(|request| request.number("from") >= start + RECORDS));
    assert_eq!(keys(parts, &topic).len(), RECORDS);
}
