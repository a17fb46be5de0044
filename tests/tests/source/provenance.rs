//! Where a record comes from: its headers lead to the request that brought it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{Answer, Consumed, Received, ScriptedApi};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::support::{Broker, TOPIC, config, with};

fn headers(record: &Consumed) -> BTreeMap<&str, &str> {
    let pairs = record.headers.iter();
    pairs.map(|(name, value)| (name.as_str(), std::str::from_utf8(value.as_deref().unwrap()).unwrap())).collect()
}

fn value(record: &Consumed) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

#[test]
fn a_record_is_fetched_again_by_its_headers() {
    let api = ScriptedApi::start(|request: &Received| {
        let token = request.number("token");
        let items: Vec<_> = (token..5).take(2).map(|id| json!({ "id": id })).collect();
        let next = (token + 2 < 5).then(|| format!("{}", token + 2));
        Answer::from(json!({ "items": items, "next": next })).header("x-request-id", &format!("r-{token}"))
    })
    .unwrap();
    let more = json!({
        "provenance.headers.enabled": "true",
        "auth.type": "API_KEY",
        "api.key.name": "key",
        "api.key.value": "s3cr3t",
        "api.key.location": "QUERY",
        "api1.http.request.parameters": "token=${offset}",
        "api1.http.offset.mode": "CURSOR_PAGINATION",
        "api1.http.next.page.json.pointer": "/next",
        "api1.http.response.data.json.pointer": "/items",
        "api1.http.initial.offset": "0",
    });
    let broker = Broker::start();
    broker.run(&config(&api, more)).unwrap();
    let records = broker.consume(TOPIC);
    assert_eq!(records.len(), 5);
    for (id, record) in records.iter().enumerate() {
        let headers = headers(record);
        let page = id / 2 * 2;
        let names: Vec<_> = headers.keys().copied().collect();
        let all = ["operation", "position", "request", "request.id", "response.hash", "spec"];
        assert_eq!(names, all.map(|name| format!("headwater.{name}")));
        assert_eq!((headers["headwater.operation"], headers["headwater.request.id"]), ("api1", &*format!("r-{page}")));
        assert!(headers["headwater.spec"].starts_with("configuration:xxh3:"));
        assert!(!headers.values().any(|value| value.contains("s3cr3t")), "{headers:?}");

        let url = headers["headwater.request"].strip_prefix("GET ").unwrap();
        let mut response = ureq::get(&format!("{url}&key=s3cr3t")).call().unwrap();
        let body = response.body_mut().read_to_vec().unwrap();
        assert_eq!(format!("xxh3:{:016x}", xxh3_64(&body)), headers["headwater.response.hash"]);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["items"][id - page], value(record));
    }
}

#[test]
fn a_request_with_a_body_is_made_again_from_the_position() {
    let api = ScriptedApi::start(|request: &Received| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let from = body["from"].as_u64().unwrap() as usize;
        json!((from..6).take(2).collect::<Vec<_>>())
    })
    .unwrap();
    let config = config(
        &api,
        json!({
            "provenance.headers.enabled": "true",
            "api1.http.request.method": "POST",
            "api1.http.request.body": "{\"from\": ${offset}}",
            "api1.http.initial.offset": "0",
        }),
    );
    let broker = Broker::start();
    broker.run(&config).unwrap();
    let asked = api.received();
    let records = broker.consume(TOPIC);
    assert_eq!(records.len(), 6);
    for (id, record) in records.iter().enumerate() {
        let position = headers(record)["headwater.position"];
        let before = broker.consume(TOPIC).len();
        let _until_now = api.received();
        broker.set_position(&config, "api1", position);
        broker.run(&config).unwrap();
        assert_eq!(api.received()[0].body, asked[id / 2].body);
        assert_eq!(value(&broker.consume(TOPIC)[before + id % 2]), value(record));
    }
}

#[test]
fn records_have_no_headers_unless_they_are_wanted() {
    let api = ScriptedApi::start(|_: &Received| json!([1])).unwrap();
    let broker = Broker::start();
    broker.run(&config(&api, json!({ "api1.http.offset.mode": "SNAPSHOT_PAGINATION" }))).unwrap();
    assert!(broker.consume(TOPIC).iter().all(|record| record.headers.is_empty()));
}

/// A source that writes what changes of the list that the API has, each answer with the number of its request.
fn changing(lists: Vec<Value>, more: Value) -> (ScriptedApi, Value) {
    let asked = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |_: &Received| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        Answer::from(lists[number].clone()).header("x-request-id", &format!("r-{number}"))
    });
    let api = api.unwrap();
    let mut config = config(
        &api,
        json!({
            "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api1.record.key.json.pointer": "/id",
            "api1.snapshot.output": "CHANGES",
        }),
    );
    with(&mut config, more);
    (api, config)
}

#[test]
fn a_tombstone_has_the_headers_of_the_page_that_showed_it() {
    let lists = vec![json!([{ "id": 1 }, { "id": 2 }]), json!([{ "id": 1 }])];
    let (_api, config) = changing(lists, json!({ "provenance.headers.enabled": "true" }));
    let broker = Broker::start();
    for _ in 0..2 {
        broker.run(&config).unwrap();
    }
    let records = broker.consume(TOPIC);
    let told: Vec<_> = records.iter().map(|record| headers(record)["headwater.request.id"]).collect();
    assert_eq!(told, ["r-0", "r-0", "r-1"], "what has not changed is not written again for its headers");
    let tombstone = &records[2];
    assert_eq!((tombstone.key.as_deref(), tombstone.value.as_deref()), (Some(&b"2"[..]), None));
    let hash = format!("xxh3:{:016x}", xxh3_64(br#"[{"id":1}]"#));
    assert_eq!(headers(tombstone)["headwater.response.hash"], hash);
    let notes = broker.consume("headwater-source-snapshots");
    assert!(!notes.is_empty() && notes.iter().all(|note| note.headers.is_empty()));
}

#[test]
fn a_dead_letter_always_tells_where_it_comes_from() {
    let more = json!({
        "errors.tolerance": "all",
        "transforms": "number",
        "transforms.number.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.number.spec": "id:int32",
    });
    let (api, config) = changing(vec![json!([{ "id": 1 }, { "id": "x" }])], more);
    let broker = Broker::start();
    broker.run(&config).unwrap();
    assert!(broker.consume(TOPIC).iter().all(|record| record.headers.is_empty()));
    let letters = broker.consume("dlq-source");
    let headers = headers(&letters[0]);
    assert_eq!(letters[0].value.as_deref(), Some(&br#"{"id":"x"}"#[..]));
    assert_eq!(headers["headwater.request"], format!("GET {}/items", api.url()));
    assert_eq!((headers["headwater.operation"], headers["headwater.record.index"]), ("api1", "1"));
    for name in ["error.reason", "topic", "position", "position.after", "request.id", "response.hash", "spec"] {
        assert!(headers.contains_key(&*format!("headwater.{name}")), "{name}: {headers:?}");
    }
}
