//! Addresses that an API must not be at: nothing is sent there, by whatever way the source is led to them.

use std::process::Command;

use headwater_runtime::error::chain;
use headwater_tests::{Answer, Received, ScriptedApi, headwater, run_headwater};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

fn api() -> ScriptedApi {
    ScriptedApi::start(|_: &Received| json!([{ "id": 1 }])).unwrap()
}

/// Its URL with the name `localhost` in place of its address.
fn by_name(api: &ScriptedApi) -> String {
    api.url().replace("127.0.0.1", "localhost")
}

/// What comes of a run: nothing if it has read the record.
fn run(api: &ScriptedApi, more: Value) -> String {
    let mut all = json!({ "api1.max.retries": "0", "api1.http.offset.mode": "SNAPSHOT_PAGINATION" });
    with(&mut all, more);
    match Broker::start().run(&config(api, all)) {
        Ok(summary) => {
            assert_eq!(summary.records, 1);
            String::new()
        }
        Err(error) => chain(&error),
    }
}

#[test]
fn what_is_disallowed_is_not_connected_to() {
    let api = api();
    let (by_address, by_name) = (api.url(), by_name(&api));
    for (url, more, why) in [
        (&*by_address, json!({ "connection.disallow.local.ips": "true" }), "127.0.0.1 is a local address"),
        (&*by_name, json!({ "connection.disallow.local.ips": "true" }), "127.0.0.1 is a local address"),
        ("http://0x7f.1/", json!({ "connection.disallow.local.ips": "true" }), "127.0.0.1 is a local address"),
        ("http://[::1]/", json!({ "connection.disallow.local.ips": "true" }), "::1 is a local address"),
        (&*by_address, json!({ "connection.disallow.cidr.ranges": "10.0.0.0/8, 127.0.0.0/8" }), "is in `127.0.0.0/8`"),
        (&*by_name, json!({ "connection.disallow.cidr.ranges": "127.0.0.1,::1" }), "is in `127.0.0.1/32`"),
        ("http://10.0.0.1/", json!({ "connection.disallow.private.ips": "true" }), "10.0.0.1 is a private address"),
        ("http://240.0.0.1/", json!({ "connection.disallow.class.e.ips": "true" }), "240.0.0.1 is a reserved address"),
    ] {
        let mut all = json!({ "http.api.base.url": url });
        with(&mut all, more);
        let told = run(&api, all);
        assert!(told.contains("is not allowed: ") && told.contains(why), "{url}: {told}");
    }
    assert!(api.received().is_empty(), "nothing is sent");
}

#[test]
fn what_is_not_disallowed_is_connected_to() {
    let api = api();
    let by_name = by_name(&api);
    for more in [
        json!({ "connection.disallow.local.ips": "false" }),
        json!({ "connection.disallow.private.ips": "true", "connection.disallow.class.e.ips": "true" }),
        json!({ "connection.disallow.local.ips": "true", "connection.allow.cidr.ranges": "127.0.0.0/8" }),
        // Of the addresses of a name, those are left that it may be at.
        json!({ "http.api.base.url": by_name, "connection.disallow.cidr.ranges": "::1/128" }),
    ] {
        assert_eq!(run(&api, more.clone()), "", "{more}");
    }
}

#[test]
fn tokens_redirects_and_next_pages_are_no_way_around_it() {
    let elsewhere = api();
    let tokens = |url: &str| {
        let told = run(
            &elsewhere,
            json!({
                "http.api.base.url": "http://192.0.2.1",
                "connection.disallow.local.ips": "true",
                "auth.type": "OAUTH2",
                "oauth2.token.url": format!("{url}/token"),
                "oauth2.client.id": "me",
                "oauth2.client.secret": "s3cret",
            }),
        );
        assert!(told.contains("/token` is not allowed: ") && !told.contains("s3cret"), "{told}");
    };
    tokens(&elsewhere.url());
    tokens(&by_name(&elsewhere));

    // They lead elsewhere by name: an address of this machine that is not the API's is none of its origin either.
    let (url, other) = (by_name(&elsewhere), elsewhere.url());
    let leading = ScriptedApi::start(move |request: &Received| match request.path() {
        "/moved" => Answer::new(302, "").header("location", &format!("{url}/items")),
        _ => json!({ "items": [{ "id": 1 }], "next": format!("{other}/items") }).into(),
    })
    .unwrap();
    let excepted = json!({ "connection.disallow.local.ips": "true", "connection.allow.cidr.ranges": "127.0.0.1" });
    for more in [
        json!({ "api1.http.api.path": "/moved" }),
        json!({ "api1.http.offset.mode": "CURSOR_PAGINATION", "api1.http.next.page.json.pointer": "/next",
                "api1.http.response.data.json.pointer": "/items" }),
    ] {
        let mut all = excepted.clone();
        with(&mut all, more);
        let told = run(&leading, all);
        assert!(told.contains("which the credentials must not leave"), "{told}");
    }
    assert!(elsewhere.received().is_empty(), "nothing is sent there");
}

#[test]
fn a_proxy_may_be_anywhere_and_an_address_behind_it_is_checked() {
    let proxy = api();
    let (host, port) =
        proxy.url().trim_start_matches("http://").split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let through = |url: &str| {
        run(
            &proxy,
            json!({
                "http.api.base.url": url,
                "http.proxy.host": host,
                "http.proxy.port": port,
                "connection.disallow.local.ips": "true",
            }),
        )
    };
    assert_eq!(through("http://api.test"), "");
    let told = through("http://127.0.0.1:1");
    assert!(told.contains("127.0.0.1 is a local address"), "{told}");
    assert_eq!(proxy.received().len(), 1);
}

#[test]
fn proxies_of_the_environment_are_not_used_where_an_address_is_disallowed() {
    let api = api();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    let more = json!({ "connection.disallow.class.e.ips": "true", "api1.max.retries": "0" });
    std::fs::write(&path, config(&api, more).to_string()).unwrap();
    let mut command = Command::new(headwater().unwrap());
    // Nobody is there.
    command.args(["run", path.to_str().unwrap(), "--dev", "--once"]).env("http_proxy", "http://127.0.0.1:1");
    let output = command.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(api.received().len(), 1);
}

#[test]
fn the_command_tells_what_is_not_allowed_and_what_to_do() {
    let api = api();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    let run = |more: Value| {
        std::fs::write(&path, config(&api, more).to_string()).unwrap();
        let output = run_headwater(&["run", path.to_str().unwrap(), "--dev", "--once"]).unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // An address is seen before anything is begun, what a name leads to when it is to be connected to.
    for (url, expected) in [(api.url(), Some(2)), (by_name(&api), Some(1))] {
        let (code, said) = run(json!({ "http.api.base.url": url, "connection.disallow.local.ips": "true" }));
        assert_eq!(code, expected, "{said}");
        assert!(said.contains("127.0.0.1 is a local address (`connection.disallow.local.ips`)"), "{said}");
        assert!(said.contains("hint: if it is meant, except its address: `connection.allow.cidr.ranges`"), "{said}");
    }
    assert!(api.received().is_empty());
    let (code, said) = run(json!({ "connection.disallow.cidr.ranges": "10.0.0.0/33" }));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`10.0.0.0/33`, which is not a comma-separated list of ranges of addresses"), "{said}");
}
