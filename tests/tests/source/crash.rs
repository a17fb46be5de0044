//! What if it dies halfway? For every way in which one request leads to the next: a source that is killed again and again,
//! against a real Kafka, and every record stands there once.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use headwater_tests::{
    Answer, Isolation, Received, ScriptedApi, configuration, consume, create_topic, headwater, real_parts, unique_name,
};
use serde_json::{Value, json};

/// How many records the API has, and how many it gives at once.
const RECORDS: usize = 4_000;
const PAGE: usize = 20;

/// One page, the way that `style` pages.
fn page(style: &str, request: &Received) -> Answer {
    // So that there is a middle to die in.
    std::thread::sleep(Duration::from_millis(15));
    if style == "window" {
        return window(request);
    }
    let at = request.number("at");
    let page: Vec<_> = (at..RECORDS).take(PAGE).map(|id| json!({ "id": id, "next": id + 1 })).collect();
    let next = at + PAGE;
    match style {
        "token" if next < RECORDS => json!({ "items": page, "next": next }).into(),
        "url" if next < RECORDS => json!({ "items": page, "next": format!("/items?at={next}") }).into(),
        "link" if next < RECORDS => Answer::from(json!({ "items": page }))
            .header("link", &format!("<http://{}/items?at={next}>; rel=\"next\"", request.headers["host"])),
        _ => json!({ "items": page }).into(),
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

#[test]
fn killed_in_the_middle_every_record_is_there_once_whatever_the_paging() {
    let Some(parts) = real_parts().unwrap() else { return };
    let program = headwater().unwrap();
    for style in ["increment", "chain", "snapshot", "token", "url", "link", "timestamp", "window"] {
        let api = ScriptedApi::start(move |request: &Received| page(style, request)).unwrap();
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
        let count = || consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap().len();

        let mut killed_with = Vec::new();
        while killed_with.len() < 3 {
            let mut source = start();
            let before = killed_with.last().copied().unwrap_or_default();
            // It has written something more, and is not done.
            while count() == before && source.try_wait().unwrap().is_none() {}
            source.kill().unwrap();
            assert!(source.wait().unwrap().code().is_none(), "{style}: it was done before it was killed");
            killed_with.push(count());
        }
        assert!(start().wait().unwrap().success(), "{style}");
        let mut ids = BTreeSet::new();
        for record in consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap() {
            let id: usize = String::from_utf8(record.key.unwrap()).unwrap().parse().unwrap();
            assert!(ids.insert(id), "{style}: record {id} is in Kafka twice");
        }
        assert_eq!(ids, (0..RECORDS).collect(), "{style}, killed with {killed_with:?}");
    }
}
