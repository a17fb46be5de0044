//! Every variable in every place of a request, encoded as the place needs it.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

/// What has a meaning of its own in each of the places.
const RAW: &str = "a/b\"&c=d e";

/// A form of time that writes such a text, whatever the time. It has no `&`, which ends a query parameter wherever it stands.
const PATTERN: &str = "%%/\"=d e";
const WRITTEN: &str = "%/\"=d e";

const PLACES: [&str; 6] = ["path", "path parameter", "query", "header", "JSON body", "form body"];

/// What puts a template into a place of the requests of an API.
fn put(api: &str, place: &str, template: &str) -> Value {
    let body = |content: String, content_type: &str| {
        json!({
            format!("{api}.http.request.method"): "POST",
            format!("{api}.http.request.headers"): format!("Content-Type: {content_type}"),
            format!("{api}.http.request.body"): content,
        })
    };
    match place {
        "path" => json!({ format!("{api}.http.api.path"): format!("/items/{template}") }),
        "path parameter" => json!({
            format!("{api}.http.api.path"): "/items/{p}",
            format!("{api}.http.path.parameters"): format!("p:{template}"),
        }),
        "query" => json!({ format!("{api}.http.request.parameters"): format!("v={template}") }),
        "header" => json!({ format!("{api}.http.request.headers"): format!("X-V: {template}") }),
        "JSON body" => body(format!("{{\"v\": \"{template}\"}}"), "application/json"),
        _ => body(format!("v={template}&w=1"), "application/x-www-form-urlencoded"),
    }
}

/// What is in that place of a request.
fn sent(place: &str, request: &Received) -> String {
    let within = |text: &str, before: &str, after: &str| {
        text.strip_prefix(before).and_then(|text| text.strip_suffix(after)).unwrap().to_owned()
    };
    match place {
        "path" | "path parameter" => within(request.path(), "/items/", ""),
        "query" => request.query("v").unwrap().to_owned(),
        "header" => request.headers["x-v"].clone(),
        "JSON body" => within(&request.body, "{\"v\": \"", "\"}"),
        _ => within(&request.body, "v=", "&w=1"),
    }
}

/// How a text stands in a place.
fn encoded(place: &str, text: &str) -> String {
    match place {
        "header" => text.to_owned(),
        "JSON body" => text.replace('"', "\\\""),
        _ => [("%", "%25"), ("/", "%2F"), ("\"", "%22"), ("&", "%26"), ("=", "%3D"), (" ", "%20")]
            .iter()
            .fold(text.to_owned(), |text, (char, code)| text.replace(char, code)),
    }
}

/// What is in a place of the last request of a run. The first answer has a record, others have none.
fn last(place: &str, of: &str, template: &str, more: Value) -> String {
    let answers = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |_: &Received| match answers.fetch_add(1, Ordering::SeqCst) {
        0 => json!([{ "id": RAW }]),
        _ => json!([]),
    })
    .unwrap();
    let mut all = put(of, place, template);
    with(&mut all, more);
    Broker::start().run(&config(&api, all)).unwrap();
    sent(place, api.received().last().unwrap())
}

#[test]
fn a_variable_is_encoded_as_its_place_needs_it() {
    let windows = json!({
        "api1.http.offset.mode": "CURSOR_PAGINATION",
        "api1.http.next.page.json.pointer": "/next",
        "api1.http.cursor.pagination.parameter.name": "token",
        "api1.enable.cursor.pagination.with.timestamp.mode": "true",
        "api1.timestamp.format": "Simple Date Format",
        "api1.initial.start.timestamp.value": "2024-01-01",
        "api1.initial.end.timestamp.value": "2024-02-01",
        "api1.timestamp.interval.format": "Days",
        "api1.http.timestamp.interval": "30000",
    });
    let chaining = json!({
        "api1.http.offset.mode": "CHAINING",
        "api1.http.offset.json.pointer": "/id",
        "api1.http.offset.json.primary.key.pointer": "/id",
        "api1.http.initial.offset": "first",
    });
    let child = json!({
        "apis.num": "2",
        "api.chaining.parent.child.relationship": "api1::api2",
        "api2.topics": "records",
        "api2.parent.id.json.pointer": "/id",
    });
    let time = |name: &str| format!("${{{name}:{PATTERN}}}");
    let plain = json!({ "api1.http.offset.mode": "SNAPSHOT_PAGINATION" });
    for (of, template, more, raw) in [
        ("api1", "${offset}".to_owned(), chaining.clone(), RAW),
        ("api1", "${primary_key}".to_owned(), chaining, RAW),
        ("api1", "${slice.s}".to_owned(), json!({ "api1.slices.s": RAW }), RAW),
        ("api2", "${parent.id}".to_owned(), child, RAW),
        ("api1", "${config:team}".to_owned(), json!({ "team": RAW }), RAW),
        ("api1", time("now"), plain.clone(), WRITTEN),
        ("api1", time("start_time"), windows.clone(), WRITTEN),
        ("api1", time("end_time"), windows, WRITTEN),
    ] {
        for place in PLACES {
            let mut more = more.clone();
            if of == "api2" {
                more["api2.http.api.path"] = json!("/items");
                with(&mut more, put(of, place, &template));
            }
            assert_eq!(last(place, of, &template, more), encoded(place, raw), "{template} in the {place}");
        }
    }
    for place in PLACES {
        let uuid = last(place, "api1", "${uuid}", plain.clone());
        assert_eq!((uuid.len(), uuid.matches('-').count()), (36, 4), "{uuid} in the {place}");
    }
}
