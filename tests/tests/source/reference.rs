//! Set-ups that others have published, run as they are but for the host. They are read from the reference material, which is
//! not part of the repository.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::{Map, Value, json};

use crate::configuration::reference;
use crate::support::{Broker, Record, TOPIC, config};

/// The cells of a row of the table of reference set-ups.
fn row<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let section = text.split("### 2.15").nth(1).unwrap();
    let start = format!("| {name} |");
    let line = section.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {name}"));
    line.trim_matches('|').split(" | ").map(str::trim).skip(1).collect()
}

/// What stands between backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn set_up(text: &str, column: usize) -> Map<String, Value> {
    let cell = |name: &str| row(text, name)[column];
    let mut config = Map::new();
    let mut set = |name: &str, value: &str| config.insert(format!("api1.{name}"), json!(value));
    set("http.offset.mode", cell("mode"));
    let request = cell("request");
    if request.starts_with("POST") {
        set("http.request.method", "POST");
        set("http.request.headers", "Content-Type: application/json");
        set("http.request.body", &format!("{{{}, \"sort\": [{{\"@time\": \"asc\"}}]}}", code(request).join(", ")));
    } else {
        set("http.request.parameters", code(request)[0]);
    }
    if let [initial] = code(cell("initial offset"))[..] {
        set("http.initial.offset", initial);
    }
    set("http.response.data.json.pointer", code(cell("data pointer"))[0]);
    match cell("mode") {
        "CHAINING" => set("http.offset.json.pointer", code(cell("offset pointer"))[0]),
        "CURSOR_PAGINATION" => set("http.next.page.json.pointer", code(cell("offset pointer"))[0]),
        _ => None,
    };
    set("request.interval.ms", cell("interval"));
    config
}

#[test]
fn the_three_public_set_ups_run() {
    let Some(text) = reference("confluent-http.md") else { return };

    // Spaces of a wiki: one record a request, none skipped, none repeated.
    let api = ScriptedApi::start(|request: &Received| {
        let (start, limit) = (request.number("start"), request.number("limit"));
        json!({ "results": (start..3).take(limit).map(|id| json!({ "id": id })).collect::<Vec<_>>() })
    })
    .unwrap();
    let broker = Broker::start();
    let spaces = config(&api, Value::Object(set_up(&text, 0)));
    assert_eq!(broker.run(&spaces).unwrap().records, 3);
    assert_eq!(broker.run(&spaces).unwrap().records, 0);
    assert_eq!(broker.values(), [0, 1, 2].map(|id| json!({ "id": id }).to_string()));
    assert!(api.received().iter().all(|request| request.query("limit") == Some("1")));

    // A search engine: it goes on after the last sort value.
    let first = 1_647_948_000_000_u64;
    let api = ScriptedApi::start(move |request: &Received| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let (after, size) = (body["search_after"][0].as_u64().unwrap(), body["size"].as_u64().unwrap() as usize);
        let hits = (0..250).map(|index| first + 1 + index).filter(|time| *time > after);
        let hit = |time: u64| json!({ "_id": time, "sort": [time] });
        json!({ "hits": { "hits": hits.take(size).map(hit).collect::<Vec<_>>() } })
    })
    .unwrap();
    let broker = Broker::start();
    let search = config(&api, Value::Object(set_up(&text, 1)));
    assert_eq!(broker.run(&search).unwrap().records, 250);
    let after: Vec<_> = api
        .received()
        .iter()
        .map(|request| {
            serde_json::from_str::<Value>(&request.body).unwrap()["search_after"][0].as_u64().unwrap() - first
        })
        .collect();
    assert_eq!(after, [0, 100, 200, 250]);
    assert_eq!(broker.run(&search).unwrap().records, 0);

    // A list of objects: each once over the pages; the last page has no token.
    let api = ScriptedApi::start(|request: &Received| {
        let from = request.number("pageToken");
        let mut page = json!({ "items": (from..15).take(5).map(|id| json!({ "id": id })).collect::<Vec<_>>() });
        if from < 10 {
            page["nextPageToken"] = json!((from + 5).to_string());
        }
        page
    })
    .unwrap();
    let broker = Broker::start();
    let objects = config(&api, Value::Object(set_up(&text, 2)));
    assert_eq!(broker.run(&objects).unwrap().records, 15);
    assert_eq!(broker.run(&objects).unwrap().records, 0);
    assert_eq!(broker.values(), (0..15).map(|id| json!({ "id": id }).to_string()).collect::<Vec<_>>());
}

/// The JSON objects in a text.
fn objects(text: &str) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\n{\n") {
        rest = &rest[at + 1..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next().unwrap().unwrap();
        found.push(value.as_object().unwrap().clone());
        rest = &rest[values.byte_offset()..];
    }
    found
}

#[test]
fn the_properties_of_the_requirements_are_there() {
    let Some(text) = reference("seeds/000_b2147a6ca3783d92.txt") else { return };
    let documentation = headwater_runtime::config::source_documentation();
    let known: Vec<String> = documentation
        .properties
        .into_iter()
        .flat_map(|property| property.aliases.into_iter().map(str::to_owned).chain([property.name]).collect::<Vec<_>>())
        .collect();
    // Its text has marks of Markdown around the objects.
    let examples = objects(&text);
    assert_eq!(examples.len(), 3);
    for name in examples.iter().flat_map(Map::keys) {
        let name = name.replacen("api1.", "apiN.", 1);
        assert!(known.contains(&name), "{name}");
    }
}

/// What stands for the types in the examples of the requirements.
fn sample(name: &str, api: &ScriptedApi) -> String {
    let text = match name.trim_start_matches("api1.") {
        "http.api.base.url" => return api.url(),
        "oauth2.token.url" => return format!("{}/oauth/token", api.url()),
        "connection.user" => "user",
        "connection.password" => "pass",
        "bearer.token" => "t0ken",
        "oauth2.client.id" => "client-id",
        "oauth2.client.secret" => "client-secret",
        "http.api.path" => "/items",
        "topics" => TOPIC,
        "http.request.headers" => "Content-Type: application/json",
        "http.request.parameters" => "a=b",
        "request.interval.ms" => "60000",
        "schema.context.name" => "team",
        other => panic!("{other}"),
    };
    text.to_owned()
}

#[test]
fn every_word_in_the_examples_of_the_requirements_runs() {
    let Some(text) = reference("seeds/000_b2147a6ca3783d92.txt") else { return };
    let examples: Vec<(String, String)> =
        objects(&text).into_iter().flatten().map(|(name, words)| (name, words.as_str().unwrap().to_owned())).collect();
    let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
    let mut runs = 0;
    for (chosen, choices) in examples.iter().filter(|(_, words)| words.contains('|')) {
        for word in words(choices) {
            let asked = AtomicUsize::new(0);
            let api = ScriptedApi::start(move |request: &Received| {
                if request.path() == "/oauth/token" {
                    return json!({ "access_token": "t0ken" });
                }
                match asked.fetch_add(1, Ordering::Relaxed) {
                    0 => json!([{ "id": 1 }]),
                    _ => json!([]),
                }
            })
            .unwrap();
            // What some of the words need, besides what is in the examples.
            let mut config = json!({
                "name": "requirements",
                "api.key.value": "t0ken",
                "api1.http.offset.json.pointer": "/id",
                "api1.http.next.page.json.pointer": "/next",
            });
            for (name, text) in &examples {
                config[name] = match text.as_str() {
                    _ if name == chosen => json!(word),
                    "string" | "password" | "integer" => json!(sample(name, &api)),
                    text => json!(words(text)[0]),
                };
            }
            let broker = Broker::start();
            let summary = broker.run(&config).unwrap_or_else(|error| panic!("{chosen}={word}: {error:?}"));
            assert_eq!((summary.records, broker.consume(TOPIC).len()), (1, 1), "{chosen}={word}");
            runs += 1;
        }
    }
    assert_eq!(runs, 5 + 2 + 4 + 3);
}

/// The requests that ask for no more than others in this set-up do.
fn answer(request: &Received, example: &Map<String, Value>, authorization: Option<&str>) -> Answer {
    if request.path() == "/oauth/token" {
        assert!(request.body.contains("grant_type=client_credentials"), "{}", request.body);
        assert_eq!(request.headers["authorization"], "Basic Y2xpZW50LWlkOmNsaWVudC1zZWNyZXQ=");
        return json!({ "access_token": "t0ken" }).into();
    }
    if let Some(authorization) = authorization {
        assert_eq!(request.headers["authorization"], authorization);
    }
    let record = |id: usize| json!({ "id": id, "updated_at": format!("2024-01-01T00:{:02}:{:02}Z", id / 60, id % 60) });
    let path = example.get("http.response.records.path").and_then(Value::as_str);
    match (example.get("http.pagination.type").and_then(Value::as_str), path) {
        (Some("OFFSET"), _) => {
            assert_eq!(request.query("limit"), Some("100"));
            json!((request.number("offset")..150).take(100).map(record).collect::<Vec<_>>()).into()
        }
        (Some("CURSOR"), _) => match request.query("cursor") {
            None => json!({ "id": 0, "next_cursor": "b c" }).into(),
            Some(cursor) => {
                assert_eq!(cursor, "b%20c");
                json!({ "id": 1 }).into()
            }
        },
        (Some("LINK_HEADER"), _) if request.query("page").is_none() => {
            let next = format!("<{}?page=2>; rel=\"next\"", request.path());
            Answer::from(json!([record(0)])).header("link", &next)
        }
        (Some("LINK_HEADER"), _) => json!([record(1)]).into(),
        (_, Some("$.data[*]")) => json!({ "data": [record(0), record(1)] }).into(),
        (_, Some("$")) => json!({ "data": [record(0), record(1)] }).into(),
        _ => json!([record(0), record(1)]).into(),
    }
}

/// What the transforms of the two examples make of records.
fn assert_transformed(transforms: &str, records: &[Record]) {
    for (id, record) in records.iter().enumerate() {
        let value: Value = serde_json::from_str(&record.value).unwrap();
        assert_eq!(value["id"], id);
        match transforms {
            "addSource,addTimestamp" => {
                assert_eq!(value["source"], "github-api");
                assert_eq!(value["ingested_at"].as_i64(), record.timestamp);
            }
            "extractKey" => assert_eq!(record.key, Some(json!({ "id": id }).to_string())),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn the_examples_of_the_second_dialect_run() {
    let Some(text) = reference("seeds/001_eee6360f2d5e3cff.txt") else { return };
    let secrets = tempfile::tempdir().unwrap();
    for (name, secret) in [
        ("api/token", "t0ken"),
        ("api/username", "user"),
        ("api/password", "pass"),
        ("oauth/client-id", "client-id"),
        ("oauth/client-secret", "client-secret"),
        ("github/token", "t0ken"),
        ("ssl/truststore-password", "x"),
        ("ssl/keystore-password", "x"),
    ] {
        let path = secrets.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, secret).unwrap();
    }
    let environment = [("HEADWATER_SECRETS_DIR", secrets.path().to_str().unwrap())];
    let examples = objects(&text);
    assert!(examples.len() > 20, "only {} examples", examples.len());
    let mut refused = BTreeMap::new();
    let mut transformed = 0;
    for (index, example) in examples.into_iter().enumerate() {
        let whole = example.get("config").and_then(Value::as_object).cloned();
        let mut example = whole.unwrap_or(example);
        let needs_credentials = |name: &str| example.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let authorization = match needs_credentials("http.auth.type").as_str() {
            "BASIC" => Some("Basic dXNlcjpwYXNz"),
            "OAUTH2" => Some("Bearer t0ken"),
            _ if needs_credentials("http.headers").contains("Authorization") => Some("Bearer t0ken"),
            _ => None,
        };
        let shown = example.clone();
        let api = ScriptedApi::start(move |request: &Received| answer(request, &shown, authorization)).unwrap();
        for value in example.values_mut() {
            let text = value.as_str().unwrap();
            let hosts = ["https://api.example.com", "https://api.github.com", "https://auth.example.com"];
            *value = json!(hosts.iter().fold(text.to_owned(), |text, host| text.replace(host, &api.url())));
        }
        let base = [("http.url", format!("{}/events", api.url())), ("kafka.topic", TOPIC.to_owned())];
        for (name, value) in base {
            example.entry(name).or_insert_with(|| json!(value));
        }
        example.entry("name").or_insert_with(|| json!(format!("example-{index}")));
        let topic = example["kafka.topic"].as_str().unwrap().to_owned();
        let config = Value::Object(example.clone());
        let broker = Broker::start();
        let problems = broker.problems_with(&config, &environment, true);
        if !problems.is_empty() {
            let names = problems.lines().map(|line| line.split('`').nth(1).unwrap().to_owned()).collect::<Vec<_>>();
            refused.insert(index, names);
            continue;
        }
        broker.run_with(&config, &environment).unwrap();
        let expected = match (
            example.get("http.pagination.type").and_then(Value::as_str),
            example.get("http.response.records.path"),
        ) {
            (Some("OFFSET"), _) => 150,
            (None, Some(path)) if path == "$" => 1,
            _ => 2,
        };
        assert_eq!(broker.read(&topic).len(), expected, "example {index}: {config:#}");
        if let Some(transforms) = example.get("transforms").and_then(Value::as_str) {
            assert_transformed(transforms, &broker.read(&topic));
            transformed += 1;
        }
        let first = api.received().into_iter().find(|request| request.path() != "/oauth/token").unwrap();
        let method = example.get("http.method").map_or("GET", |method| method.as_str().unwrap());
        assert_eq!(first.method, method);
        if let Some(body) = example.get("http.request.body") {
            assert_eq!(first.body, body.as_str().unwrap());
        }
    }
    // Stores whose files are not here.
    let refused: Vec<_> = refused.into_values().flatten().collect();
    assert!(refused.iter().all(|name| name.starts_with("http.ssl.")), "{refused:?}");
    assert_eq!(transformed, 2);
}
