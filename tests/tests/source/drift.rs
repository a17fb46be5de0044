//! Records that are not as the API's document says, by what becomes of them.

use headwater_tests::{Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, with};

const EVENTS: &str = "petstore.events";
const DEAD_LETTERS: &str = "dead";

/// An event that is as the document says; its note is what it is called here.
fn event(name: &str) -> Value {
    json!({
        "id": "00000000-0000-0000-0000-000000000001", "note": name, "kind": "sold", "occurred_at": "2024-01-01T00:00:00Z",
        "pet": { "id": 1, "name": "Tom", "species": "cat", "tags": [] },
    })
}

/// One event for each way in which a record can depart from the document, and one on each side of them.
fn events() -> Vec<Value> {
    let departs = |name: &str, pointer: &str, value: Option<Value>| {
        let mut event = event(name);
        match (pointer.rsplit_once('/').unwrap(), value) {
            ((parent, field), Some(value)) => event.pointer_mut(parent).unwrap()[field] = value,
            ((parent, field), None) => drop(event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field)),
        }
        event
    };
    vec![
        event("first"),
        departs("field", "/pet/colour", Some(json!("red"))),
        departs("type", "/pet/id", Some(json!("one"))),
        departs("form", "/pet/id", Some(json!("1"))),
        departs("missing", "/pet/name", None),
        departs("null", "/pet/name", Some(Value::Null)),
        departs("value", "/pet/species", Some(json!("owl"))),
        event("last"),
    ]
}

fn api() -> ScriptedApi {
    ScriptedApi::start(|request: &Received| match request.path() {
        "/events" => json!({ "data": events() }),
        _ => json!([]),
    })
    .unwrap()
}

fn config(api: &ScriptedApi, more: Value) -> Value {
    let mut config = json!({
        "name": "generated",
        "http.api.base.url": api.url(),
        "auth.type": "NONE",
        "store": "s",
        "api1.output.data.format": "JSON",
        "errors.deadletterqueue.topic.name": DEAD_LETTERS,
    });
    with(&mut config, more);
    config
}

fn names(broker: &Broker, topic: &str) -> Vec<String> {
    let name = |value: String| serde_json::from_str::<Value>(&value).unwrap()["note"].as_str().unwrap().to_owned();
    broker.read(topic).into_iter().map(|record| name(record.value)).collect()
}

#[test]
fn what_departs_is_written_quarantined_or_stops_the_stream_by_its_kind() {
    let all = ["first", "field", "type", "form", "missing", "null", "value", "last"];
    for (kind, departing, said) in [
        ("unknown.field", &["field"][..], "undeclared field at `/pet/colour`"),
        ("wrong.type", &["type", "form"], "value of another type at `/pet/id`"),
        ("missing.field", &["missing", "null"], "missing field at `/pet/name`"),
        ("unknown.value", &["value"], "unlisted value at `/pet/species`"),
    ] {
        let property = format!("api1.http.response.schema.on.{kind}");
        let api = api();
        let quarantined = Broker::start();
        let config_of = |policy: &str| config(&api, json!({ property.as_str(): policy }));
        let summary = quarantined.run_generated(&petstore_events::connector(), &config_of("QUARANTINE")).unwrap();
        let kept: Vec<_> = all.iter().copied().filter(|name| !departing.contains(name)).collect();
        assert_eq!(names(&quarantined, EVENTS), kept, "{kind}");
        assert_eq!(names(&quarantined, DEAD_LETTERS), departing, "{kind}");
        assert_eq!(summary.drift, 6, "{kind}: all of it is counted");
        let letter = &quarantined.consume(DEAD_LETTERS)[0];
        let header = |name: &str| {
            let value = letter.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone());
            String::from_utf8(value.unwrap().unwrap()).unwrap()
        };
        assert_eq!(header("headwater.error.reason"), said);
        assert_eq!(header("headwater.operation"), "listEvents");
        // What was sent, and not what could be made of it.
        let sent: Value = serde_json::from_slice(letter.value.as_ref().unwrap()).unwrap();
        assert!(events().contains(&sent), "{sent}");

        let warned = Broker::start();
        warned.run_generated(&petstore_events::connector(), &config_of("WARN")).unwrap();
        assert_eq!(names(&warned, EVENTS), all, "{kind}");

        let stopped = Broker::start();
        let error = stopped.run_generated(&petstore_events::connector(), &config_of("STOP")).unwrap_err();
        let error = headwater_runtime::error::chain(&error).to_string();
        assert!(error.contains(said), "{error}");
        assert!(stopped.read(EVENTS).is_empty(), "{kind}");
    }
}

#[test]
fn what_holds_for_all_kinds_holds_where_nothing_else_is_said() {
    let api = api();
    let broker = Broker::start();
    let mut all = json!({ "api1.http.response.schema.enforce": "STRICT" });
    let error = broker.run_generated(&petstore_events::connector(), &config(&api, all.clone())).unwrap_err();
    assert!(headwater_runtime::error::chain(&error).to_string().contains("undeclared field at `/pet/colour`"));
    for kind in ["unknown.field", "wrong.type", "missing.field"] {
        all[format!("api1.http.response.schema.on.{kind}")] = json!("QUARANTINE");
    }
    let error = broker.run_generated(&petstore_events::connector(), &config(&api, all.clone())).unwrap_err();
    assert!(headwater_runtime::error::chain(&error).to_string().contains("unlisted value at `/pet/species`"));
    all["api1.http.response.schema.on.unknown.value"] = json!("QUARANTINE");
    broker.run_generated(&petstore_events::connector(), &config(&api, all)).unwrap();
    assert_eq!(names(&broker, EVENTS), ["first", "last"]);
    assert_eq!(broker.read(DEAD_LETTERS).len(), 6);
}

#[test]
fn an_offset_goes_on_behind_what_is_quarantined() {
    let api = ScriptedApi::start(|request: &Received| match request.path() {
        "/events" if request.target.contains("since=2024-01-01") => {
            let mut late = event("late");
            late["occurred_at"] = json!("2024-02-01T00:00:00Z");
            late["extra"] = json!(1);
            json!({ "data": [event("first"), late] })
        }
        "/events" => json!({ "data": [] }),
        _ => json!([]),
    })
    .unwrap();
    let broker = Broker::start();
    let more = json!({ "api1.http.response.schema.on.unknown.field": "QUARANTINE" });
    let config = config(&api, more);
    broker.run_generated(&petstore_events::connector(), &config).unwrap();
    api.received();
    broker.run_generated(&petstore_events::connector(), &config).unwrap();
    let asked: Vec<_> = api.received().into_iter().map(|request| request.target).collect();
    assert!(asked.iter().any(|target| target.contains("2024-02-01")), "{asked:?}");
    assert_eq!(
        (names(&broker, EVENTS), names(&broker, DEAD_LETTERS)),
        (vec!["first".to_owned()], vec!["late".to_owned()])
    );
}
