//! Personal data: what `record.redact` is about is nowhere in Kafka, nor in what is said, whatever becomes of a record.

use std::path::Path;
use std::process::{Command, Output};

use headwater_tests::{
    Answer, Consumed, Isolation, Received, ScriptedApi, configuration, consume, create_topic, example, headwater,
    real_parts, unique_name,
};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

const SALT: &str = "a salt that nobody knows";

/// What every value in these tests has in it that must not be found anywhere.
const SECRET: &str = "pr1vate";

/// `printf pr1vate1 | openssl dgst -sha256 -hmac 'a salt that nobody knows'`
const HASH: &str = "d26237187eff91decd123a0a65c5a2c5e8ccc962db7aa1539002625d18dbd576";

/// People, each of whom shares an address with the next but two; the third has no number, and the fourth is none at all.
fn people() -> Value {
    let person = |id: usize| {
        let email = format!("{SECRET}{}", id % 3);
        json!({
            "id": id,
            "email": email,
            "n": if id == 2 { "x" } else { "1" },
            "name": { "first": SECRET, "last": SECRET },
            "phones": [{ "kind": "home", "number": SECRET }, { "kind": "work", "number": SECRET }],
        })
    };
    let mut people: Vec<_> = (0..6).map(person).collect();
    people[3] = json!(SECRET);
    people.into()
}

fn rules() -> Value {
    json!({
        "api1.record.redact": "/email -> HASH; /name -> DROP; /phones/*/number -> MASK",
        "record.redact.salt": SALT,
    })
}

/// What becomes of records on a bad day: some are no records for a transform.
fn cast(to: &str) -> Value {
    json!({
        "errors.tolerance": "all",
        "transforms": "number",
        "transforms.number.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.number.spec": format!("n:{to}"),
    })
}

/// A program with a configuration.
fn run(program: &Path, arguments: &[&str], config: &Value) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let arguments = arguments.iter().map(|argument| argument.replace("CONFIG", path));
    Command::new(program).args(arguments).env("HEADWATER_LOG", "debug").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// All that stands in a record.
fn all_of(record: &Consumed) -> String {
    let parts = [&record.key, &record.value].into_iter().chain(record.headers.iter().map(|(_, value)| value));
    parts.flatten().map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join("\n")
}

/// What stands in topics, in which nothing must be found.
fn read(bootstrap: &str, topic: &str) -> Vec<Consumed> {
    let records = consume(bootstrap, topic, Isolation::ReadUncommitted).unwrap();
    let found = records.iter().map(all_of).find(|text| text.contains(SECRET) || text.contains(SALT));
    assert_eq!(found, None, "in `{topic}`");
    records
}

fn value(record: &Consumed) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

#[test]
fn nothing_that_is_redacted_is_anywhere_in_kafka_or_in_what_is_said() {
    let Some(parts) = real_parts().unwrap() else { return };
    let topic = unique_name("people");
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let api = ScriptedApi::start(|request: &Received| match request.path() {
        "/items" => Answer::from(people()),
        _ => Answer::new(410, format!(r#"{{"unknown": "{SECRET}"}}"#)),
    })
    .unwrap();
    let mut all = configuration(parts, &topic, &api.url());
    with(&mut all, rules());
    with(
        &mut all,
        json!({
            "output.data.format": "JSON",
            "apis.num": "2",
            "api1.topics": topic,
            "api1.http.api.path": "/items",
            "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api1.record.key.json.pointer": "/email",
            "api2.topics": topic,
            "api2.http.api.path": "/gone",
            "api2.record.redact": "/x -> DROP",
            "api2.retry.backoff.ms": "1",
            "api2.max.retries": "1",
            "behavior.on.error": "IGNORE",
            "report.errors.as": "Http response",
            "provenance.headers.enabled": "true",
        }),
    );
    let with_cast = |to: &str| {
        let mut config = all.clone();
        with(&mut config, cast(to));
        config
    };
    let program = headwater().unwrap();
    let output = run(program, &["run", "CONFIG", "--once"], &with_cast("int32"));
    let log = said(&output);
    assert!(output.status.success(), "{log}");
    assert!(!log.contains(SECRET) && !log.contains(SALT), "{log}");
    assert!(log.contains("answered 410 Gone: [withheld: `record.redact` is set]"), "{log}");

    let records = read(&parts.bootstrap, &topic);
    let key = |record: &Consumed| String::from_utf8(record.key.clone().unwrap()).unwrap();
    assert_eq!(records.iter().map(|record| value(record)["id"].clone()).collect::<Vec<_>>(), [0, 1, 4, 5]);
    let phones = json!([{ "kind": "home", "number": "" }, { "kind": "work", "number": "" }]);
    assert_eq!(value(&records[1]), json!({ "id": 1, "email": HASH, "n": 1, "phones": phones }));
    // Equal values are equal, and the key is what the field is.
    assert_eq!((key(&records[1]).as_str(), key(&records[2]).as_str()), (HASH, HASH));
    assert!(key(&records[0]) != HASH && key(&records[0]).len() == 64);

    let dead = read(&parts.bootstrap, &format!("dlq-{topic}"));
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[1].value.as_deref(), Some(&b"\"\""[..]), "what is no object is masked as a whole");
    let failed = read(&parts.bootstrap, &format!("error-{topic}"));
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].value.as_deref(), Some(&b"[withheld: `record.redact` is set]"[..]));
    read(&parts.bootstrap, &format!("headwater-{topic}-offsets"));

    // A hash is not hashed again when a dead letter has become a record.
    let output = run(program, &["dlq", "replay", "CONFIG"], &all);
    assert!(output.status.success() && said(&output).contains("replayed: 2"), "{}", said(&output));
    let records = read(&parts.bootstrap, &topic);
    assert_eq!(records.len(), 6);
    let third = records.iter().find(|record| value(record)["id"] == 2).unwrap();
    assert_eq!(value(third)["email"].as_str().unwrap(), key(&records[3]), "of 2 and 5");
}

#[test]
fn a_generated_connector_redacts_and_keeps_to_its_document() {
    let Some(parts) = real_parts().unwrap() else { return };
    let topic = unique_name("issues");
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let api = ScriptedApi::start(|_: &Received| {
        let issue = |id: usize| {
            json!({
                "id": id, "number": id, "title": SECRET, "state": "open", "locked": false, "comments": 0,
                "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "html_url": "https://a.test",
                "user": { "id": 7, "login": format!("{SECRET}1") }, "labels": [],
                "assignees": [{ "id": 8, "login": format!("{SECRET}1") }], "new": SECRET,
            })
        };
        json!([issue(1), issue(2), SECRET])
    })
    .unwrap();
    let program = example("github-issues").unwrap();
    let mut all = configuration(parts, &topic, &api.url());
    with(
        &mut all,
        json!({
            "owner": "o", "repo": "r", "api1.topics": topic,
            "api1.output.data.format": "JSON",
            "api1.record.redact":
                "/title -> DROP; /user/login -> HASH; /user/id -> HASH; /assignees/*/login -> HASH; /new -> MASK",
            "api1.http.response.schema.enforce": "STRICT",
            "api1.http.response.schema.on.unknown.field": "WARN",
            "record.redact.salt": SALT,
        }),
    );
    let output = run(&program, &["run", "--once", "--config", "CONFIG"], &all);
    let log = said(&output);
    // A required field that is gone, and a number that is a text, are none of the API's doing.
    assert!(output.status.success(), "{log}");
    assert!(!log.contains(SECRET), "{log}");
    let records = read(&parts.bootstrap, &topic);
    assert_eq!(records.len(), 2);
    let first = value(&records[0]);
    assert_eq!((&first["user"]["login"], &first["assignees"][0]["login"]), (&json!(HASH), &json!(HASH)));
    assert_eq!((first.get("title"), &first["new"]), (None, &json!("")));
    assert_eq!(first["user"]["id"].as_str().map(str::len), Some(64));
    assert_eq!(read(&parts.bootstrap, &format!("dlq-{topic}")).len(), 1);

    // By a schema, what is not of its type has its place among the rest.
    all["api1.output.data.format"] = json!("AVRO");
    let other = unique_name("issues");
    create_topic(&parts.bootstrap, &other, 1, &[]).unwrap();
    (all["name"], all["api1.topics"]) = (json!(other), json!(other));
    let output = run(&program, &["run", "--once", "--config", "CONFIG"], &all);
    assert!(output.status.success(), "{}", said(&output));
    let records = read(&parts.bootstrap, &other);
    assert!(records.len() == 2 && all_of(&records[0]).contains("/user/id"));

    let output = run(&program, &["preview", "--config", "CONFIG"], &all);
    let shown = said(&output);
    assert!(output.status.success() && shown.contains("2 records") || shown.contains("3 records"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn schemas_are_learnt_from_what_is_left() {
    let api = ScriptedApi::start(|_: &Received| json!([{ "id": 1, "email": SECRET, "age": 41, "name": SECRET }]));
    let api = api.unwrap();
    let (broker, mut all) = (Broker::start(), json!({ "output.data.format": "JSON_SR" }));
    with(
        &mut all,
        json!({ "api1.record.redact": "/email->HASH; /age->MASK; /name->DROP", "record.redact.salt": SALT }),
    );
    broker.run(&config(&api, all)).unwrap();
    let [(text, schema)] = &broker.read_with_schemas(crate::support::TOPIC)[..] else { panic!("one record") };
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert!(names.contains(&&"email".to_owned()) && !names.contains(&&"name".to_owned()), "{schema}");
    assert!(text.contains("\"age\":0") && !text.contains(SECRET), "{text}");
}

#[test]
fn what_is_written_of_a_list_changes_only_with_what_is_left() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let api = ScriptedApi::start(move |_: &Received| {
        let seen = if first.swap(false, std::sync::atomic::Ordering::Relaxed) { "yesterday" } else { "today" };
        json!([{ "id": format!("{SECRET}1"), "seen": seen }, { "id": format!("{SECRET}2"), "seen": seen }])
    })
    .unwrap();
    let broker = Broker::start();
    let all = config(
        &api,
        json!({
            "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
            "api1.record.key.json.pointer": "/id",
            "api1.snapshot.output": "CHANGES",
            "api1.record.redact": "/id -> HASH; /seen -> DROP",
            "record.redact.salt": SALT,
        }),
    );
    assert_eq!(broker.run(&all).unwrap().records, 2);
    assert_eq!(broker.run(&all).unwrap().records, 0);
    assert_eq!(read(broker.bootstrap_servers(), crate::support::TOPIC).len(), 2);
    read(broker.bootstrap_servers(), "headwater-source-snapshots");
}

#[test]
fn what_cannot_be_is_refused() {
    let (broker, api) = (Broker::start(), ScriptedApi::start(|_: &Received| json!([])).unwrap());
    let problems = |rules: &str, more: Value| {
        let mut all = json!({ "api1.record.redact": rules });
        with(&mut all, more);
        broker.problems_with(&config(&api, all), &[], true)
    };
    assert_eq!(
        problems("/a -> HASH", json!({})),
        "property `record.redact.salt` is missing / what is hashed can be found out by trying values, unless the hash has a key \
         that nobody knows"
    );
    let short = problems("/a -> HASH", json!({ "record.redact.salt": "s3cr3t" }));
    assert!(short.contains("at least 8 bytes") && !short.contains("s3cr3t"), "{short}");
    let wrong = problems("email -> HASH", json!({ "record.redact.salt": SALT }));
    assert!(wrong.contains("`api1.record.redact`") && wrong.contains("/email -> HASH"), "{wrong}");
    for (rules, more, reason) in [
        (
            "/at -> HASH",
            json!({ "api1.http.offset.mode": "TIMESTAMP", "api1.http.offset.json.pointer": "/at",
                "api1.http.request.parameters": "since=${offset}" }),
            "`api1.record.redact` says HASH of `/at`, but `/at` is what the stream's position is made of",
        ),
        (
            "/user -> MASK",
            json!({ "api1.record.key.json.pointer": "/user/id" }),
            "`api1.record.redact` says MASK of `/user`, but `/user/id` is the records' key / hash it: equal values stay equal",
        ),
        (
            "/next -> MASK",
            json!({ "api1.http.offset.mode": "CURSOR_PAGINATION", "api1.http.next.page.json.pointer": "/page/next",
                "api1.http.response.data.json.pointer": "/page" }),
            "`api1.record.redact` says MASK of `/next`, but `/next` is what says whether there is another page",
        ),
        (
            "/when -> DROP",
            json!({ "api1.record.timestamp.json.pointer": "/when" }),
            "`api1.record.redact` says DROP of `/when`, but `/when` is the records' time",
        ),
        (
            "/*/id -> HASH",
            json!({
                "apis.num": "2", "api.chaining.parent.child.relationship": "api1::api2", "api2.topics": "t",
                "api2.http.api.path": "/of/${parent.id}", "api2.parent.id.json.pointer": "/user/id",
            }),
            "`api1.record.redact` says HASH of `/*/id`, but `/user/id` is what the records of another API are asked for by",
        ),
    ] {
        let mut more = more;
        with(&mut more, json!({ "record.redact.salt": SALT }));
        let told = problems(rules, more);
        assert!(told.contains(reason), "{told}");
    }
    assert_eq!(
        problems("/id -> HASH", json!({ "api1.record.key.json.pointer": "/id", "record.redact.salt": SALT })),
        ""
    );
    assert_eq!(problems("/id -> MASK", json!({})), "");
}

#[test]
fn a_path_that_asks_for_what_is_redacted_is_an_error_that_says_nothing_of_it() {
    let api = ScriptedApi::start(|_: &Received| json!({ "data": [{ "kind": SECRET, "id": 1 }] })).unwrap();
    let select = |path: &str| {
        let all = json!({
            "api1.http.response.data.json.pointer": path, "api1.record.redact": "/kind -> MASK", "behavior.on.error": "FAIL",
        });
        let broker = Broker::start();
        let error = broker.run(&config(&api, all)).map(drop);
        (broker.values(), error.map_err(|error| headwater_runtime::error::chain(&error)))
    };
    assert_eq!(select("$.data[?@.id == 1]"), (vec![r#"{"kind":"","id":1}"#.to_owned()], Ok(())));
    let (values, error) = select(&format!("$.data[?@.kind == '{SECRET}']"));
    let error = error.unwrap_err();
    assert!(values.is_empty() && error.contains("selects records by a field that `record.redact` changes"), "{error}");
}

#[test]
fn what_cannot_be_read_is_not_shown() {
    for (answer, told) in [
        (Answer::of(200, "text/html", format!("<p>{SECRET}")), "begins with \"[withheld: `record.redact` is set]\""),
        (Answer::of(200, "application/json", format!("{{\"items\": [{{\"a\": {SECRET}}}]}}")), "line 1, column 18"),
        (Answer::of(200, "application/json", vec![b'"', 0xff, b'"']), "the response is not UTF-8"),
    ] {
        let api = ScriptedApi::start(move |_: &Received| answer.clone()).unwrap();
        let all = json!({ "api1.http.response.data.json.pointer": "/items", "api1.record.redact": "/a -> MASK" });
        let error = headwater_runtime::error::chain(&Broker::start().run(&config(&api, all)).unwrap_err());
        assert!(error.contains(told) && !error.contains(SECRET), "{error}");
    }
}
