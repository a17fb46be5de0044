//! A run that cannot know that it has read everything fails, and says to the letter why: each case through the binary.

use headwater_tests::{Answer, FaultyApi, Received, ScriptedApi, Transport, run_headwater};
use serde_json::{Value, json};

use crate::support::with;

type Respond = fn(&Received) -> (Answer, Transport);

/// A cycle that does not come to a known end.
struct Case {
    name: &'static str,
    properties: fn() -> Value,
    respond: Respond,
    /// What the run ends with, `API` being where the API is.
    error: &'static str,
}

fn whole(answer: impl Into<Answer>) -> (Answer, Transport) {
    (answer.into(), Transport::Whole)
}

/// The ids of a page of two, of six records.
fn page(request: &Received) -> Value {
    let from = 2 * request.number("page").saturating_sub(1);
    (from..6).take(2).map(|id| json!({ "id": id })).collect()
}

fn pages() -> Value {
    json!({ "http.pagination.type": "PAGE" })
}

fn counted(property: &str, value: &str) -> Value {
    json!({ "http.pagination.type": "PAGE", format!("http.pagination.{property}"): value })
}

fn cursor() -> Value {
    json!({
        "http.pagination.type": "CURSOR", "http.pagination.cursor.path": "/next", "http.pagination.cursor.param": "at",
    })
}

/// Three pages, the third of which is `third`.
fn third(request: &Received, third: (Answer, Transport)) -> (Answer, Transport) {
    match request.number("page") {
        3 => third,
        _ => whole(json!({ "items": page(request) })),
    }
}

/// Pages whose cursors are `next` of the one that they are asked for by.
fn chained(request: &Received, next: fn(&str) -> Value) -> (Answer, Transport) {
    let at = request.query("at").unwrap_or_default();
    whole(json!({ "items": [{ "at": at }], "next": next(at) }))
}

const CASES: [Case; 19] = [
    Case {
        name: "fewer records than are declared",
        properties: || counted("total", "/total"),
        respond: |request| whole(json!({ "items": page(request), "total": 7 })),
        error: "following the pages: the pages end after 6 records, and the response declares 7: records were \
                removed while they were read, or the API does not give all that it counts. To read from the \
                beginning again, reset the stream's position",
    },
    Case {
        name: "nothing at all where more was declared before",
        properties: || counted("total", "header:X-Total"),
        respond: |request| match request.number("page") {
            1 => whole(Answer::from(json!({ "items": page(request) })).header("x-total", "6")),
            _ => whole(Answer::new(204, "")),
        },
        error: "following the pages: the pages end after 2 records, and the response declares 6: records were \
                removed while they were read, or the API does not give all that it counts. To read from the \
                beginning again, reset the stream's position",
    },
    Case {
        name: "a total that is no number",
        properties: || counted("total", "/total"),
        respond: |request| whole(json!({ "items": page(request), "total": "many" })),
        error: "following the pages: what the response declares at `/total` is \"many\", which is not a whole number",
    },
    Case {
        name: "a truth value that is none",
        properties: || counted("has.more", "/more"),
        respond: |request| whole(json!({ "items": page(request), "more": "perhaps" })),
        error: "following the pages: what the response declares at `/more` is \"perhaps\", which is not a truth \
                value",
    },
    Case {
        name: "more is said to be there, and nothing to go on from",
        properties: || json!({ "http.pagination.type": "OFFSET", "http.pagination.has.more": "/more" }),
        respond: |request| {
            let items: Vec<_> = (request.number("offset")..2).collect();
            whole(json!({ "items": items, "more": true }))
        },
        error: "following the pages: the response says that there is more, but holds no record to go on from",
    },
    Case {
        name: "the last page for every higher number",
        properties: pages,
        respond: |request| match request.number("page") {
            0..=3 => whole(json!({ "items": page(request) })),
            _ => whole(json!({ "items": [{ "id": 4 }, { "id": 5 }] })),
        },
        error: "following the pages: the API sent the same page again when asked for the next one (which leads to \
                5): it does not look at what the request asks from",
    },
    Case {
        name: "one object for every number",
        properties: pages,
        respond: |_| whole(json!({ "items": { "id": 0 } })),
        error: "following the pages: the API sent the same page again when asked for the next one (which leads to \
                3): it does not look at what the request asks from",
    },
    Case {
        name: "a page in the middle that is not found",
        properties: pages,
        respond: |request| third(request, whole(Answer::new(404, "{}"))),
        error: "requesting a page: gave up after 1 tries: `API/items` answered 404 Not Found: {}",
    },
    Case {
        name: "an error with a status of success in the middle",
        properties: pages,
        respond: |request| third(request, whole(json!({ "errors": [{ "message": "timed out" }] }))),
        error: "decoding a response: the response has nothing at `/items`, where its records should be",
    },
    Case {
        name: "an error with a status of success after a cursor",
        properties: cursor,
        respond: |request| match request.query("at") {
            None => chained(request, |_| json!("b")),
            Some(_) => whole(json!({ "errors": [{ "message": "timed out" }] })),
        },
        error: "decoding a response: the response has nothing at `/items`, where its records should be",
    },
    Case {
        name: "a page for browsers",
        properties: pages,
        respond: |request| third(request, whole(Answer::of(200, "text/html", "<html>Sign in</html>"))),
        error: "decoding a response: the response is `text/html` and begins with \"<html>Sign in</html>\", where \
                JSON was expected",
    },
    Case {
        name: "JSON that ends early",
        properties: pages,
        respond: |request| third(request, whole(Answer::new(200, r#"{"items": [{"id": 4"#))),
        error: "decoding a response: reading the page: EOF while parsing an object at line 1 column 19",
    },
    Case {
        name: "a body that is cut short",
        properties: pages,
        respond: |request| third(request, (json!({ "items": page(request) }).into(), Transport::Cut)),
        error: "requesting a page: gave up after 1 tries: the response of `API/items` is incomplete or damaged: end \
                of file before message length reached",
    },
    Case {
        name: "a compressed body that is cut short",
        properties: pages,
        respond: |request| third(request, (json!({ "items": page(request) }).into(), Transport::GzipCut)),
        error: "requesting a page: gave up after 1 tries: the response of `API/items` is incomplete or damaged: \
                unexpected end of file",
    },
    Case {
        name: "a cursor that is its own next one",
        properties: cursor,
        respond: |request| chained(request, |_| json!("b")),
        error: "following the pages: the response names itself as the next page (b): following it would never end",
    },
    Case {
        name: "cursors that go in a circle",
        properties: cursor,
        respond: |request| chained(request, |at| if at == "b" { json!("c") } else { json!("b") }),
        error: "following the pages: the response names itself as the next page (c): following it would never end",
    },
    Case {
        name: "a cursor that is an object",
        properties: cursor,
        respond: |request| chained(request, |_| json!({ "after": "b" })),
        error: "decoding a response: reading the page: what stands at `/next` holds an object",
    },
    Case {
        name: "a next page on another host",
        properties: || json!({ "http.pagination.type": "LINK_HEADER" }),
        respond: |request| {
            let answer = Answer::from(json!({ "items": page(request) }));
            whole(answer.header("link", "<http://localhost:1/items>; rel=\"next\""))
        },
        error: "requesting a page: `http://localhost:1/items` is not on `API`, which the credentials must not leave",
    },
    Case {
        name: "an offset that does not count",
        properties: || json!({ "http.request.parameters": "at=${offset}", "http.initial.offset": "0" }),
        respond: |_| whole(json!({ "items": [1, 2] })),
        error: "following the pages: the API sent the same page again when asked for the next one (which leads to \
                4): it does not look at what the request asks from",
    },
];

#[test]
fn a_cycle_without_a_known_end_fails_and_says_why() {
    let scratch = tempfile::tempdir().unwrap();
    let mut different = String::new();
    for Case { name, properties, respond, error } in CASES {
        let api = FaultyApi::start(respond).unwrap();
        let mut config = json!({
            "name": "source", "connector.class": "HttpSourceV2", "output.data.format": "JSON",
            "http.api.base.url": api.url(), "apis.num": "1", "api1.topics": "records", "api1.http.api.path": "/items",
            "api1.http.response.data.json.pointer": "/items", "api1.max.retries": "0",
        });
        let own = properties();
        let own = own.as_object().unwrap().iter().map(|(name, value)| (format!("api1.{name}"), value.clone()));
        with(&mut config, Value::Object(own.collect()));
        let path = scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let run = run_headwater(&["run", path.to_str().unwrap(), "--dev", "--once"]).unwrap();
        let said = String::from_utf8_lossy(&run.stderr).replace(&api.url(), "API");
        let told = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
        let expected = format!("stream `api1` stopped: {error}");
        if run.status.code() != Some(1) || told != expected {
            different
                .push_str(&format!("{name}: {:?}\n  told:     {told}\n  expected: {expected}\n", run.status.code()));
        }
    }
    assert!(different.is_empty(), "{different}");
}

#[test]
fn what_is_empty_and_says_so_is_an_end() {
    for body in [r#"{"items": []}"#, r#"{"items": null}"#, ""] {
        let api = ScriptedApi::start(move |request: &Received| match request.number("page") {
            page @ 1..=2 => json!({ "items": [page] }).into(),
            _ => Answer::new(200, body),
        })
        .unwrap();
        let broker = crate::support::Broker::start();
        let mut config = crate::support::config(&api, json!({ "api1.http.response.data.json.pointer": "/items" }));
        with(&mut config, json!({ "api1.http.pagination.type": "PAGE" }));
        assert_eq!(broker.run(&config).unwrap().records, 2, "{body}");
    }
}
