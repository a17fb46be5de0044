//! `record` and `replay`: what an API once answered leads to the same records, without the API and without its secrets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests, helpers included")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use headwater_runtime::cassette::{Recorded, Subject, record, verify};
use headwater_runtime::config::Environment;
use headwater_tests::{Answer, Received, ScriptedApi, headwater};
use serde_json::{Value, json};

/// `[{"id":1}]`, compressed.
const GZIP: [u8; 31] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 174, 86, 202, 76, 81, 178, 82, 48, 172, 141, 5, 0, 209, 226, 206, 137, 11, 0,
    0, 0,
];

/// A folder with a configuration and what is recorded with it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(config: &Value) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path("source.json"), config.to_string()).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(headwater().unwrap());
        command
            .current_dir(self.0.path())
            .args(arguments)
            .envs(environment.iter().copied())
            .env("HEADWATER_LOG", "off");
        command.output().unwrap()
    }

    fn record(&self, environment: &[(&str, &str)]) {
        let recorded = self.run(&["record", "source.json", "--out", "cassettes/c.json"], environment);
        assert!(recorded.status.success(), "{}", said(&recorded));
    }

    fn replay(&self, more: &[&str]) -> Output {
        self.run(&[&["replay", "cassettes/c.json"], more].concat(), &[])
    }

    fn cassette(&self) -> String {
        fs::read_to_string(self.path("cassettes/c.json")).unwrap()
    }

    fn snapshot(&self) -> String {
        fs::read_to_string(self.path("cassettes/c.records.json")).unwrap()
    }

    /// How many records the snapshot has, by topic.
    fn counts(&self) -> Vec<(String, usize)> {
        let snapshot: Value = serde_json::from_str(&self.snapshot()).unwrap();
        let topics = snapshot["records"].as_object().unwrap();
        topics.iter().map(|(topic, records)| (topic.clone(), records.as_array().unwrap().len())).collect()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let path = self.path(name);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn config(api: &ScriptedApi, more: Value) -> Value {
    let mut config = json!({
        "name": "source",
        "output.data.format": "JSON",
        "http.api.base.url": api.url(),
        "apis.num": "1",
        "api1.topics": "items",
        "api1.http.api.path": "/items",
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
        "api1.retry.backoff.ms": "1",
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// Pages by number, shops with orders by `Link` header, a response that comes in parts, a compressed one, a query with the
/// time in it, and a request that fails at first.
fn everything() -> ScriptedApi {
    let failed = std::sync::atomic::AtomicBool::new(false);
    ScriptedApi::start(move |request: &Received| -> Answer {
        let path: Vec<_> = request.path().split('/').skip(1).collect();
        let numbers = |all: usize, size: usize, from: usize| (from..all).take(size).collect::<Vec<_>>();
        match path[..] {
            ["pages"] => json!(numbers(9, 2, 2 * (request.number("page") - 1))).into(),
            ["shops"] => {
                let from = request.number("from");
                let shops: Vec<_> = numbers(5, 2, from).into_iter().map(|id| json!({ "id": id })).collect();
                let answer = Answer::from(json!(shops));
                match from + 2 < 5 {
                    true => answer.header("link", &format!("</shops?from={}>; rel=\"next\"", from + 2)),
                    false => answer,
                }
            }
            ["shops", shop, "orders"] => json!([format!("{shop}a"), format!("{shop}b")]).into(),
            ["large"] => json!((0..20_000).map(|id| json!({ "id": id })).collect::<Vec<_>>()).into(),
            ["compressed"] => Answer::new(200, GZIP).header("content-encoding", "gzip"),
            ["now"] if !failed.swap(true, std::sync::atomic::Ordering::Relaxed) => Answer::new(503, "later"),
            ["now"] => json!([{ "asked": request.query("at") }]).into(),
            _ => Answer::new(404, ""),
        }
    })
    .unwrap()
}

fn everything_of(api: &ScriptedApi) -> Value {
    config(
        api,
        json!({
            "apis.num": "6",
            "max.in.flight.requests": "4",
            "memory.max.bytes": "8388608",
            "api1.topics": "pages",
            "api1.http.api.path": "/pages",
            "api1.http.offset.mode": "SIMPLE_INCREMENTING",
            "api1.http.pagination.type": "PAGE",
            "api1.http.pagination.page.param": "page",
            "api2.topics": "shops",
            "api2.http.api.path": "/shops",
            "api2.http.pagination.type": "LINK_HEADER",
            "api.chaining.parent.child.relationship": "api2::api3",
            "api3.topics": "orders",
            "api3.http.api.path": "/shops/${parent.shop}/orders",
            "api3.parent.shop.json.pointer": "/id",
            "api3.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api4.topics": "large",
            "api4.http.api.path": "/large",
            "api4.record.key.json.pointer": "/id",
            "api4.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api5.topics": "compressed",
            "api5.http.api.path": "/compressed",
            "api5.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api6.topics": "now",
            "api6.http.api.path": "/now",
            "api6.http.request.parameters": "at=${now}",
            "api6.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api6.retry.backoff.ms": "1",
        }),
    )
}

#[test]
fn a_cassette_leads_to_the_same_records_without_its_api() {
    let api = everything();
    let folder = Folder::with(&everything_of(&api));
    folder.record(&[]);
    let counts = [("compressed", 1), ("large", 20_000), ("now", 1), ("orders", 10), ("pages", 9), ("shops", 5)];
    assert_eq!(folder.counts(), counts.map(|(topic, count)| (topic.to_owned(), count)));

    // Nobody is there any more.
    drop(api);
    let (cassette, first) = (folder.cassette(), folder.snapshot());
    for _ in 0..2 {
        let replayed = folder.replay(&[]);
        assert_eq!(said(&replayed), "cassettes/c.json: leads to the same 20026 records\n");
        assert!(replayed.status.success());
        fs::remove_file(folder.path("cassettes/c.records.json")).unwrap();
        assert!(folder.replay(&["--update"]).status.success());
        assert_eq!(folder.snapshot(), first, "every byte of every record");
    }
    assert_eq!(folder.cassette(), cassette);
}

#[test]
fn so_many_pages_are_recorded_and_replayed() {
    let api = everything();
    let folder = Folder::with(&everything_of(&api));
    let recorded = folder.run(&["record", "source.json", "--out", "cassettes/c.json", "--pages", "2"], &[]);
    assert!(recorded.status.success(), "{}", said(&recorded));
    let counts = [("compressed", 1), ("large", 20_000), ("now", 1), ("orders", 4), ("pages", 4), ("shops", 4)];
    assert_eq!(folder.counts(), counts.map(|(topic, count)| (topic.to_owned(), count)));
    drop(api);
    assert!(folder.replay(&[]).status.success());
}

#[test]
fn no_secret_is_in_a_cassette() {
    const CANARY: &str = "c4n4ry/+&\"=é";
    let ways = [
        json!({ "auth.type": "BASIC", "connection.user": "me", "connection.password": CANARY }),
        json!({ "auth.type": "BEARER", "bearer.token": "${env:CANARY}" }),
        json!({ "auth.type": "API_KEY", "api.key.value": CANARY, "api.key.name": "q", "api.key.location": "QUERY" }),
        json!({ "auth.type": "API_KEY", "api.key.value": "${env:CANARY}" }),
        json!({ "auth.type": "OAUTH2", "oauth2.client.id": "me", "oauth2.client.secret": CANARY,
            "oauth2.client.scope": "all" }),
        json!({ "api1.http.request.sensitive.headers": format!("X-Team:{CANARY}") }),
        json!({ "api1.http.request.headers": "X-Team:${env:CANARY}" }),
        json!({ "api1.http.request.headers": "Authorization:Token c4n4ry" }),
        json!({ "api1.http.request.headers": "Cookie:session=c4n4ry; theme=dark" }),
        json!({ "api1.http.request.parameters": "api_key=c4n4ry" }),
        json!({ "api1.http.request.parameters": "team=${env:CANARY}" }),
        json!({ "api1.http.request.method": "POST", "api1.http.request.body": "{\"password\":\"c4n4ry\"}" }),
        json!({ "api1.http.request.method": "POST", "api1.http.request.body": "client_secret=c4n4ry&a=b" }),
        json!({ "api1.http.request.method": "POST", "api1.http.request.body": "team ${env:CANARY}" }),
    ];
    for mut way in ways {
        // What cannot stand in a header is a canary without it.
        let in_header = way.get("auth.type").is_none_or(|kind| kind != "BASIC" && kind != "OAUTH2")
            && way.get("api.key.location").is_none();
        let canary = if in_header { "c4n4ry/+&\"=" } else { CANARY };
        for value in way.as_object_mut().unwrap().values_mut() {
            *value = json!(value.as_str().unwrap().replace(CANARY, canary));
        }
        let api = ScriptedApi::start(move |request: &Received| -> Answer {
            if request.path() == "/token" {
                return json!({ "access_token": "c4n4ry-t0ken", "expires_in": 600 }).into();
            }
            // It tells whoever asks all that it was asked with.
            let echo = json!([{
                "headers": request.headers, "target": request.target, "body": request.body,
                "session": "c4n4ry-s3ssion", "self": "https://me:c4n4ry-1n-url@api.test/items",
            }]);
            Answer::from(echo)
                .header("set-cookie", "session=c4n4ry-s3ssion; Path=/; HttpOnly")
                .header("x-echo", request.headers.get("authorization").map_or("", String::as_str))
                .header("location", &request.target)
        })
        .unwrap();
        let mut config = config(&api, way.clone());
        if way.get("auth.type").is_some_and(|kind| kind == "OAUTH2") {
            config["oauth2.token.url"] = json!(format!("{}/token", api.url()));
        }
        let folder = Folder::with(&config);
        folder.record(&[("CANARY", canary)]);
        drop(api);
        for text in [folder.cassette(), folder.snapshot()] {
            assert!(!text.contains("c4n4ry"), "{way}: {text}");
            let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("me:{canary}"));
            assert!(!text.contains(&base64), "{way}: {text}");
        }
        assert!(folder.cassette().contains("secret-"), "{way}: {}", folder.cassette());
        let replayed = folder.replay(&[]);
        assert!(replayed.status.success(), "{way}: {}", said(&replayed));
    }
}

#[test]
fn a_url_with_a_password_is_refused_and_nothing_is_written() {
    let api = ScriptedApi::start(|_: &Received| json!([1])).unwrap();
    let url = api.url().replace("://", "://me:c4n4ry@");
    let folder = Folder::with(&config(&api, json!({ "http.api.base.url": url })));
    let recorded = folder.run(&["record", "source.json", "--out", "cassettes/c.json"], &[]);
    assert_eq!(recorded.status.code(), Some(2));
    assert!(!said(&recorded).contains("c4n4ry"), "{}", said(&recorded));
    assert!(!folder.path("cassettes/c.json").exists() && api.received().is_empty());
}

#[test]
fn a_generated_connector_is_recorded_and_its_own_test_replays_it() {
    let api = ScriptedApi::start(|request: &Received| -> Answer {
        match request.path() {
            "/events" => {
                json!({ "data": [{ "id": "e1", "occurred_at": "2024-01-01T00:00:00Z", "kind": "sold" }] }).into()
            }
            _ if request.query("page") == Some("1") => {
                json!([{ "id": 1, "name": "Ada" }, { "id": 2, "name": "Bo" }]).into()
            }
            _ => json!([]).into(),
        }
    })
    .unwrap();
    let url = api.url();
    let folder = Folder::with(
        &json!({ "http.api.base.url": url, "store": "s", "bearer.token": "c4n4ry", "auth.type": "BEARER" }),
    );
    let (connector, cassettes) = (petstore_events::connector(), folder.path("cassettes"));
    let cassette = cassettes.join("c.json");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let recorded = runtime.block_on(record(
        Subject::Generated(&connector),
        Some(&folder.path("source.json")),
        &Environment::default(),
        10,
        &cassette,
    ));
    assert_eq!(recorded.unwrap(), Recorded { responses: 3, records: 3 });
    runtime.shutdown_background();
    drop(api);
    assert!(!folder.cassette().contains("c4n4ry"));
    // What `tests/cassettes.rs` of the crate does.
    assert_eq!(verify(&connector, &cassettes).unwrap(), [(cassette, 3)]);
    folder.change("cassettes/c.records.json", |snapshot| {
        snapshot["records"]["petstore.pets"].as_array_mut().unwrap().pop();
    });
    let different = verify(&connector, &cassettes).unwrap_err().to_string();
    assert!(different.contains("topic `petstore.pets` has 2 records, 1 expected; record 1"), "{different}");
}

#[test]
fn personal_data_is_masked_and_headers_are_left_out() {
    let api = ScriptedApi::start(|request: &Received| -> Answer {
        match request.path() {
            "/users" => Answer::from(json!([
                { "id": 1, "mail": "ann@test.dev", "age": 41 },
                { "id": 2, "mail": "bob@test.dev", "age": 52 },
            ]))
            .header("x-region", "r3gion"),
            path => json!([format!("of {path}")]).into(),
        }
    })
    .unwrap();
    let folder = Folder::with(&config(
        &api,
        json!({
            "apis.num": "2",
            "cassette.scrub.headers": "x-region",
            "cassette.mask.pointers": "/*/mail,/*/age",
            "api1.http.api.path": "/users",
            "api1.record.key.json.pointer": "/mail",
            "api.chaining.parent.child.relationship": "api1::api2",
            "api2.topics": "notes",
            "api2.http.api.path": "/users/${parent.mail}/notes",
            "api2.parent.mail.json.pointer": "/mail",
            "api2.http.offset.mode": "SNAPSHOT_PAGINATION",
        }),
    ));
    // What the child answers is a list of texts, with nothing at the pointers.
    folder.record(&[]);
    drop(api);
    let text = folder.cassette() + &folder.snapshot();
    for hidden in ["ann", "bob", "41", "52", "r3gion"] {
        let told = text.lines().find(|line| line.contains(hidden) && !line.contains("recorded"));
        assert!(told.is_none() || hidden.len() == 2, "{hidden}: {told:?}");
    }
    assert!(text.contains("/users/masked-1/notes"), "{text}");
    assert_eq!(folder.counts(), [("items".to_owned(), 2), ("notes".to_owned(), 2)]);
    assert!(folder.replay(&[]).status.success());
}

#[test]
fn what_is_redacted_is_not_in_a_cassette_either() {
    const SALT: &str = "a salt that nobody knows";
    let failed = std::sync::atomic::AtomicBool::new(false);
    let api = ScriptedApi::start(move |request: &Received| -> Answer {
        match request.path() {
            "/users" if !failed.swap(true, std::sync::atomic::Ordering::Relaxed) => {
                Answer::new(503, "not now, pr1vate")
            }
            "/users" => {
                json!({ "users": [{ "id": 1, "of": { "mail": "pr1vate" } }, { "id": 2, "of": "pr1vate" }] }).into()
            }
            _ => Answer::of(200, "application/x-ndjson", "{\"mail\": \"pr1vate\"}\n{\"mail\": \"pr1vate2\"}\n"),
        }
    })
    .unwrap();
    let folder = Folder::with(&config(
        &api,
        json!({
            "apis.num": "2",
            "api1.http.api.path": "/users",
            "api1.http.response.data.json.pointer": "$.users[?@.id > 0]",
            "api1.record.redact": "/of/mail -> HASH",
            "api2.topics": "lines",
            "api2.http.api.path": "/lines",
            "api2.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api2.record.redact": "/mail -> MASK",
            "record.redact.salt": SALT,
        }),
    ));
    folder.record(&[]);
    drop(api);
    let text = folder.cassette() + &folder.snapshot();
    assert!(!text.contains("pr1vate") && !text.contains(SALT), "{text}");
    assert!(text.contains("[withheld: `record.redact` is set]"), "{text}");
    assert_eq!(folder.counts(), [("items".to_owned(), 2), ("lines".to_owned(), 2)]);
    let replayed = folder.replay(&[]);
    assert!(replayed.status.success(), "{}", said(&replayed));
}

#[test]
fn what_differs_is_named() {
    let api = ScriptedApi::start(|request: &Received| {
        let skip = request.number("skip");
        json!((skip..3).take(2).collect::<Vec<_>>())
    })
    .unwrap();
    let more = json!({
        "api1.http.offset.mode": "SIMPLE_INCREMENTING",
        "api1.http.request.parameters": "skip=${offset}",
        "api1.http.initial.offset": "0",
    });
    let folder = Folder::with(&config(&api, more));
    folder.record(&[]);
    drop(api);

    folder.change("cassettes/c.records.json", |snapshot| {
        snapshot["records"]["items"][1]["value"] = json!({ "text": "7" });
    });
    let (replayed, time) = (folder.replay(&[]), {
        let snapshot: Value = serde_json::from_str(&folder.snapshot()).unwrap();
        snapshot["records"]["items"][0]["timestamp"].clone()
    });
    assert_eq!(replayed.status.code(), Some(1));
    let told = said(&replayed);
    assert!(told.starts_with("error: replaying `cassettes/c.json` writes other records than"), "{told}");
    assert!(
        told.contains(
            "topic `items` has 3 records, 3 expected; record 1\n  is       {\"key\":null,\"value\":{\"text\":\"1\"}"
        ),
        "{told}"
    );
    assert!(told.contains(&format!("\"timestamp\":{time}}}\nhint: if they are as they should be now")), "{told}");

    fs::remove_file(folder.path("cassettes/c.records.json")).unwrap();
    let replayed = folder.replay(&[]);
    assert_eq!(replayed.status.code(), Some(2));
    assert_eq!(
        said(&replayed),
        "error: `cassettes/c.records.json` is missing: the records that the cassette is expected to lead to\n\
         hint: `replay --update` writes it\n"
    );

    folder.change("cassettes/c.json", |cassette| {
        cassette["configuration"]["api1.http.request.parameters"] = json!("skip=${offset}&size=2");
    });
    let replayed = folder.replay(&[]);
    assert_eq!(replayed.status.code(), Some(1));
    assert_eq!(
        said(&replayed),
        "error: stream `api1` stopped: requesting a page: the cassette has no answer for `api1` to `GET \
         /items?skip=0&size=2`; the nearest it has is `GET /items?skip=0`\n\
         hint: if the connector is meant to ask this now, record the cassette again\n"
    );

    fs::write(folder.path("cassettes/c.json"), "{}").unwrap();
    let replayed = folder.replay(&[]);
    assert_eq!(replayed.status.code(), Some(2));
    assert_eq!(
        said(&replayed),
        "error: `cassettes/c.json` is not a cassette: missing field `cassette` at line 1 column 2\n"
    );
}
