//! What is sent.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::json;

use crate::support::{Broker, config};

#[test]
fn a_request_is_what_its_properties_say() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let config = config(
            &api,
            json!({
                "api1.http.request.method": method,
                "api1.http.api.path": "/a b/{id}/x?fixed=1,2",
                "api1.http.path.parameters": "id:${offset}/ü",
                "api1.http.request.parameters": "q=${offset}&flag",
                "api1.http.request.headers": "X-One: ${offset}; a:b |X-Two:2",
                "api1.http.request.sensitive.headers": "x-two: s3cret",
                "api1.http.request.body": r#"{"q": "${offset}"}"#,
                "api1.http.initial.offset": "77",
            }),
        );
        broker.run(&config).unwrap();
        let [received] = &api.received()[..] else { panic!("one request") };
        assert_eq!(received.method, method);
        assert_eq!(received.target, "/a%20b/77%2F%C3%BC/x?fixed=1,2&q=77&flag");
        assert_eq!((&*received.headers["x-one"], &*received.headers["x-two"]), ("77; a:b", "s3cret"));
        assert_eq!(received.headers["content-type"], "application/json");
        assert_eq!(received.body, r#"{"q": "77"}"#);
    }
}

/// The requests of one run, with `more` laid over the configuration of a source whose API answers `[]`.
fn requests(more: serde_json::Value) -> Vec<Received> {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    Broker::start().run(&config(&api, more)).unwrap();
    api.received()
}

#[test]
fn separators_and_types_are_as_configured() {
    let [request] = &requests(json!({
        "api1.http.api.path": "/{a}/{b}",
        "api1.http.path.parameters": "a:1|2;b:3",
        "api1.http.path.parameters.separator": ";",
        "api1.http.request.parameters": "x=1&2;y=3",
        "api1.http.request.parameters.separator": ";",
        "api1.http.request.headers": "X: 1|2;content-type: application/x-www-form-urlencoded",
        "api1.http.request.headers.separator": ";",
        "api1.http.request.method": "POST",
        "api1.http.request.body": "q=${now:%Y}&a=b",
    }))[..] else {
        panic!("one request")
    };
    assert_eq!(request.target, "/1%7C2/3?x=1%262&y=3");
    assert_eq!(
        (&*request.headers["x"], &*request.headers["content-type"]),
        ("1|2", "application/x-www-form-urlencoded")
    );
    assert!(request.body.starts_with("q=20") && request.body.ends_with("&a=b"), "{}", request.body);
}

#[test]
fn other_properties_can_be_referred_to() {
    let [request] = &requests(json!({
        "team": "a/b",
        "api1.http.api.path": "/${config:team}",
        "api1.http.request.parameters": "name=${config:name}",
    }))[..] else {
        panic!("one request")
    };
    assert_eq!(request.target, "/a%2Fb?name=source");
}

#[test]
fn responses_come_compressed_unless_that_is_switched_off() {
    let accepted = |more| requests(more)[0].headers.get("accept-encoding").cloned().unwrap_or_default();
    let by_default = accepted(json!({}));
    assert!(["gzip", "br", "zstd"].iter().all(|coding| by_default.contains(coding)), "{by_default}");
    assert_eq!(accepted(json!({ "api1.http.response.compression.enabled": "false" })), "");
}

#[test]
fn a_compressed_response_is_read() {
    const RECORDS: &[u8; 11] = br#"[{"id": 1}]"#;
    const GZIP: [u8; 31] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 174, 86, 202, 76, 81, 178, 82, 48, 172, 141, 5, 0, 209, 226, 206, 137,
        11, 0, 0, 0,
    ];
    // Brotli (RFC 7932), with the records in a block that is not compressed.
    let brotli = [&[0x0b, 0x05, 0x80], &RECORDS[..], &[0x03]].concat();
    for (coding, body) in [("gzip", GZIP.to_vec()), ("br", brotli)] {
        let api =
            ScriptedApi::start(move |_: &Received| Answer::new(200, body.clone()).header("content-encoding", coding))
                .unwrap();
        let broker = Broker::start();
        broker.run(&config(&api, json!({}))).unwrap();
        assert_eq!(broker.values(), [r#"{"id": 1}"#], "{coding}");
    }
}

#[test]
fn requests_authenticate_as_configured() {
    let first = |more| requests(more).remove(0);
    let basic = json!({ "auth.type": "BASIC", "connection.user": "u", "connection.password": "p" });
    assert_eq!(first(basic).headers["authorization"], "Basic dTpw");
    let bearer = json!({ "auth.type": "BEARER", "bearer.token": "t" });
    assert_eq!(first(bearer).headers["authorization"], "Bearer t");
    assert_eq!(first(json!({ "auth.type": "API_KEY", "api.key.value": "k" })).headers["x-api-key"], "k");
    let named = json!({ "auth.type": "API_KEY", "api.key.value": "k", "api.key.name": "Key" });
    assert_eq!(first(named).headers["key"], "k");
    let query =
        json!({ "auth.type": "API_KEY", "api.key.value": "k&", "api.key.name": "key", "api.key.location": "QUERY" });
    assert_eq!(first(query).target, "/items?key=k%26");
}

/// An API that takes the token `t-N` once and then wants the next, and where tokens are got.
fn with_tokens(property: &'static str) -> ScriptedApi {
    let tokens = AtomicUsize::new(0);
    ScriptedApi::start(move |request: &Received| {
        if request.path() == "/token" {
            let number = tokens.fetch_add(1, Ordering::Relaxed) + 1;
            return Answer::from(json!({ property: format!("t-{number}"), "expires_in": "3600" }));
        }
        match request.headers["authorization"].as_str() {
            "Bearer t-1" if request.number("from") > 0 => Answer::new(401, "{}"),
            authorization => {
                assert!(authorization.starts_with("Bearer t-"), "{authorization}");
                json!((request.number("from")..2).take(1).collect::<Vec<_>>()).into()
            }
        }
    })
    .unwrap()
}

#[test]
fn tokens_are_got_kept_and_got_again_when_they_are_refused() {
    let run = |property: &'static str, more: serde_json::Value| {
        let api = with_tokens(property);
        let mut config = config(
            &api,
            json!({
                "auth.type": "OAUTH2",
                "oauth2.token.url": format!("{}/token", api.url()),
                "oauth2.client.id": "id",
                "oauth2.client.secret": "s:cret",
                "api1.http.request.parameters": "from=${offset}",
                "api1.http.initial.offset": "0",
                "api1.retry.backoff.policy": "CONSTANT_VALUE",
            }),
        );
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        assert_eq!(Broker::start().run(&config).unwrap().records, 2);
        api.received().into_iter().filter(|request| request.path() == "/token").collect::<Vec<_>>()
    };
    let asked = run("access_token", json!({}));
    assert_eq!(asked.len(), 2, "one token, and another when the first was refused");
    assert_eq!(asked[0].method, "POST");
    assert_eq!(asked[0].headers["authorization"], "Basic aWQ6cyUzQWNyZXQ=");
    assert_eq!(asked[0].body, "grant_type=client_credentials&scope=any");
    let in_body = run(
        "tok",
        json!({
            "oauth2.client.auth.mode": "request_body",
            "oauth2.client.scope": "read write",
            "oauth2.token.property": "tok",
            "oauth2.client.headers": "X-A:1;X-B:2",
            "oauth2.client.header.separator": ";",
        }),
    );
    assert_eq!(in_body[0].body, "grant_type=client_credentials&scope=read%20write&client_id=id&client_secret=s%3Acret");
    assert_eq!((&*in_body[0].headers["x-a"], &*in_body[0].headers["x-b"]), ("1", "2"));
    let in_url = run("access_token", json!({ "oauth2.client.auth.mode": "url" }));
    assert_eq!(in_url[0].target, "/token?client_id=id&client_secret=s%3Acret");
}

#[test]
fn a_proxy_is_gone_through() {
    let proxy = ScriptedApi::start(|_: &Received| json!([{ "id": 1 }])).unwrap();
    let (host, port) =
        proxy.url().trim_start_matches("http://").split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let broker = Broker::start();
    let config = config(
        &proxy,
        json!({
            "http.api.base.url": "http://api.invalid/v1",
            "http.proxy.host": host,
            "http.proxy.port": port,
            "http.proxy.user": "u",
            "http.proxy.password": "p",
        }),
    );
    assert_eq!(broker.run(&config).unwrap().records, 1);
    let [request] = &proxy.received()[..] else { panic!("one request") };
    assert_eq!(request.target, "http://api.invalid/v1/items");
    assert_eq!(request.headers["proxy-authorization"], "Basic dTpw");
}

#[test]
fn failures_are_retried_and_then_told_or_passed_over() {
    let run = |more: serde_json::Value| {
        let api = ScriptedApi::start(|_: &Received| Answer::new(404, "{}")).unwrap();
        let result = Broker::start().run(&config(&api, more));
        (api.received().len(), result.is_ok())
    };
    let quick = |more: serde_json::Value| {
        let mut all = json!({ "api1.retry.backoff.policy": "CONSTANT_VALUE" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run(all)
    };
    assert_eq!(quick(json!({})), (6, false), "by default 404 is retried five times");
    assert_eq!(quick(json!({ "api1.max.retries": "2" })), (3, false));
    assert_eq!(quick(json!({ "api1.retry.on.status.codes": "500-" })), (1, false));
    assert_eq!(quick(json!({ "api1.max.retries": "1", "behavior.on.error": "IGNORE" })), (2, true));
    assert_eq!(quick(json!({ "api1.max.retries": "1", "behavior.on.error": "log" })), (2, true));
}

#[test]
fn an_api_can_be_elsewhere() {
    let (here, there) =
        (ScriptedApi::start(|_: &Received| json!([])).unwrap(), ScriptedApi::start(|_: &Received| json!([])).unwrap());
    let more = json!({ "api1.http.api.base.url": format!("{}/v2", there.url()) });
    Broker::start().run(&config(&here, more)).unwrap();
    assert_eq!((here.received().len(), &*there.received()[0].target), (0, "/v2/items"));
}

#[test]
fn each_api_has_its_own_path_topic_and_position() {
    let api = ScriptedApi::start(|request: &Received| {
        let all = if request.path() == "/a" { 3 } else { 2 };
        json!((request.number("from")..all).map(|id| format!("{}{id}", request.path())).collect::<Vec<_>>())
    })
    .unwrap();
    let broker = Broker::start();
    let mut more = json!({ "apis.num": "17" });
    for number in 1..=17 {
        let path = if number == 1 { "/a" } else { "/b" };
        more[format!("api{number}.http.api.path")] = json!(path);
        more[format!("api{number}.topics")] = json!(format!("topic-{}", path.trim_start_matches('/')));
        more[format!("api{number}.http.request.parameters")] = json!("from=${offset}");
        more[format!("api{number}.http.initial.offset")] = json!(if number == 17 { "1" } else { "0" });
    }
    let config = config(&api, more);
    assert_eq!(broker.run(&config).unwrap().records, 3 + 15 * 2 + 1);
    assert_eq!(broker.run(&config).unwrap().records, 0);
    assert_eq!((broker.read("topic-a").len(), broker.read("topic-b").len()), (3, 31));
}

/// Runs the same source so often, against an API that answers each request with the next of these.
fn answers(times: usize, script: Vec<Answer>, more: serde_json::Value) -> (Vec<String>, Vec<Received>) {
    let next = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |_: &Received| {
        script[next.fetch_add(1, Ordering::Relaxed).min(script.len() - 1)].clone()
    })
    .unwrap();
    let broker = Broker::start();
    let config = config(&api, more);
    for _ in 0..times {
        broker.run(&config).unwrap();
    }
    (broker.values(), api.received())
}

#[test]
fn rules_decide_what_is_done_with_answers() {
    let source = |actions: &str| {
        json!({
            "api1.http.response.actions": actions,
            "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api1.retry.on.status.codes": "500-",
        })
    };
    let one = || Answer::from("[1]");
    let missing = || Answer::new(404, "{}").header("link", "</next>; rel=next");
    let (values, requests) = answers(1, vec![missing(), one()], source("404 -> EMPTY"));
    assert_eq!((values.len(), requests.len()), (0, 1), "it counts as an empty page");
    let (values, requests) = answers(1, vec![missing(), one()], source("404 -> RETRY"));
    assert_eq!((values.len(), requests.len()), (1, 2));
    let busy = || Answer::from(r#"{"error": {"code": "busy"}}"#);
    let (values, _) = answers(1, vec![busy(), one()], source("200 /error/code=busy -> RETRY"));
    assert_eq!(values, ["1"]);
    let (values, _) = answers(1, vec![busy(), one()], source("200 ~busy -> EMPTY"));
    assert!(values.is_empty());
    let (values, _) = answers(1, vec![busy(), one()], source("200 ~other -> EMPTY"));
    assert_eq!(values, [r#"{"error": {"code": "busy"}}"#]);

    let api = ScriptedApi::start(|_: &Received| Answer::new(503, "down for good")).unwrap();
    Broker::start().run(&config(&api, source("503 ~good -> FAIL"))).unwrap_err();
    assert_eq!(api.received().len(), 1, "although the status is one to try again on");
}

#[test]
fn a_rule_can_get_the_token_anew() {
    let tokens = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |request: &Received| {
        if request.path() == "/token" {
            return json!({ "access_token": tokens.fetch_add(1, Ordering::Relaxed) .to_string() }).into();
        }
        match request.headers["authorization"].as_str() {
            "Bearer 0" => Answer::new(403, "token expired"),
            _ => "[1]".into(),
        }
    })
    .unwrap();
    let more = json!({
        "auth.type": "OAUTH2",
        "oauth2.token.url": format!("{}/token", api.url()),
        "oauth2.client.id": "id",
        "oauth2.client.secret": "secret",
        "api1.http.response.actions": "403 ~expired -> REFRESH",
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
    });
    assert_eq!(Broker::start().run(&config(&api, more)).unwrap().records, 1);
    assert_eq!(api.received().len(), 4, "a token and a refusal, and another of each");
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let api = |conditional: &str| {
        let versions = ["\"1\"", "\"1\"", "\"2\""];
        let run = AtomicUsize::new(0);
        let api = ScriptedApi::start(move |request: &Received| {
            let version = versions[run.fetch_add(1, Ordering::Relaxed).min(2)];
            if request.headers.get("if-none-match").is_some_and(|known| known == version) {
                return Answer::new(304, "");
            }
            Answer::from(json!([version])).header("etag", version)
        })
        .unwrap();
        let broker = Broker::start();
        let more =
            json!({ "api1.http.request.conditional": conditional, "api1.http.offset.mode": "SNAPSHOT_PAGINATION" });
        let config = config(&api, more);
        for _ in 0..3 {
            broker.run(&config).unwrap();
        }
        let asked = api.received().iter().filter(|request| request.headers.contains_key("if-none-match")).count();
        (broker.values().len(), asked)
    };
    assert_eq!(api("true"), (2, 2), "the version outlives the process");
    assert_eq!(api("false"), (3, 0));
}

#[test]
fn redirects_are_followed_as_often_as_is_allowed() {
    let run = |most: &str| {
        let api = ScriptedApi::start(|request: &Received| match request.path() {
            "/items" => Answer::new(302, "").header("location", "/1"),
            "/1" => Answer::new(302, "").header("location", "/2"),
            _ => "[]".into(),
        })
        .unwrap();
        Broker::start().run(&config(&api, json!({ "http.redirects.max": most }))).is_ok()
    };
    assert!(run("2"));
    assert!(!run("1"));
}

#[test]
fn a_proxy_can_be_switched_off() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let more = |enabled: &str| json!({ "http.proxy.host": "127.0.0.1", "http.proxy.port": "1", "http.proxy.enabled": enabled, "api1.max.retries": "0" });
    Broker::start().run(&config(&api, more("false"))).unwrap();
    Broker::start().run(&config(&api, more("true"))).unwrap_err();
}
