//! The properties: their names and defaults against the tables of Confluent's connectors, and what is told of wrong ones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headwater_runtime::config::source_documentation;
use headwater_runtime::http::{Backoff, TlsVersions};
use headwater_runtime::schedule::Schedule;
use headwater_tests::{Received, ScriptedApi, run_headwater, workspace};
use serde_json::{Value, json};

use crate::support::{Broker, config};

/// A file of the reference material, which is not part of the repository.
pub(crate) fn reference(name: &str) -> Option<String> {
    let path: PathBuf = workspace().parent().unwrap().join("shared/reference").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: there is no {}", path.display());
    }
    text
}

/// Names and defaults of a table.
fn table(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.lines().skip(1).map(|line| {
        let mut cells = line.split('\t');
        let name = cells.next().unwrap();
        let default = cells.nth(1).unwrap();
        (name, Some(default).filter(|default| !["", "null", "[hidden]"].contains(default)))
    })
}

/// Every name that a property can be written by, with its default.
fn documented() -> BTreeMap<String, Option<String>> {
    let mut defaults = BTreeMap::new();
    for property in source_documentation().properties {
        // What follows from other properties is in parentheses.
        let default = property.default.filter(|default| !default.starts_with('('));
        assert!(defaults.insert(property.name.clone(), default).is_none(), "{} is there twice", property.name);
    }
    defaults
}

#[test]
fn every_property_of_http_source_v2_is_there_with_its_default() {
    let Some(text) = reference("confluent-http-source-v2.tsv") else { return };
    let documented = documented();
    let mut rows = 0;
    for (name, default) in table(&text) {
        // Where Kafka is says more than Confluent Cloud's region does.
        if name == "kafka.auth.mode" {
            continue;
        }
        let of_api = name.strip_prefix("api").and_then(|rest| rest.split_once('.'));
        let of_api = of_api.filter(|(number, _)| number.parse::<u32>().is_ok());
        let generic = of_api.map_or_else(|| name.to_owned(), |(_, rest)| format!("apiN.{rest}"));
        match documented.get(&generic) {
            Some(ours) => assert_eq!(ours.as_deref(), default, "{name}"),
            None => {
                assert!(name.starts_with("producer.override."), "{name} is missing");
                assert!(documented.contains_key("producer.override.*") && default.is_none());
            }
        }
        rows += 1;
    }
    assert!(rows > 120, "only {rows} rows");
}

#[test]
fn every_property_of_http_source_v1_is_there_with_its_default() {
    let Some(text) = reference("confluent-http-source-v1.tsv") else { return };
    let documented = documented();
    let mut rows = 0;
    for (name, default) in table(&text) {
        match name {
            // A value of `oauth2.client.scope` that has strayed into the table.
            "any" => continue,
            // There is no worker to take it from.
            "transaction.boundary.interval.ms" => {
                assert_eq!((default, documented[name].as_deref()), (None, Some("1000")));
                continue;
            }
            _ => {}
        }
        let ours = documented.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        // A port of 0 is none; words are read in any case.
        let default = default.filter(|default| name != "http.proxy.port" || *default != "0");
        let equal = match (ours.as_deref(), default) {
            (Some(ours), Some(default)) => ours.eq_ignore_ascii_case(default),
            (ours, default) => ours == default,
        };
        assert!(equal, "{name}: {ours:?} and not {default:?}");
        rows += 1;
    }
    assert!(rows > 70, "only {rows} rows");
}

#[test]
fn the_command_prints_them_in_three_forms() {
    let print = |format: &str| {
        let output = run_headwater(&["config", "--connector", "source", "--format", format]).unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let json: Value = serde_json::from_str(&print("json")).unwrap();
    let properties = json["properties"].as_array().unwrap();
    let mode = properties.iter().find(|property| property["name"] == "apiN.http.offset.mode").unwrap();
    assert_eq!(mode["default"], "SIMPLE_INCREMENTING");
    let cloud = properties.iter().find(|property| property["name"] == "kafka.service.account.id").unwrap();
    assert!(cloud["documentation"].as_str().unwrap().starts_with("Accepted, has no effect: "));
    assert!(print("markdown").contains("| apiN.http.request.method | string | GET |"));
    assert!(print("table").contains("apiN.http.api.path"));
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_no_secret() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("bad.json");
    let config = json!({
        "http.api.base.url": "api.test",
        "auth.type": "BEARER",
        "api.key.value": "s3cret",
        "api1.http.offset.mode": "CHAINIG",
        "api1.http.api.path": "/x/{id}?since=${ofset}",
        "api1.http.reqest.method": "GET",
        "api1.max.retries": "many",
        "api1.request.cron": "every day",
        "api2.topics": "x",
        "https.ssl.keystorefile": "s3cret",
        "https.ssl.cipher.suites": "TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA",
    });
    std::fs::write(&path, format!("{config:#}")).unwrap();
    let output = run_headwater(&["validate", path.to_str().unwrap()]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for part in [
        "property `http.api.base.url` is `api.test`, which is not an absolute",
        "property `bearer.token` is missing",
        "property `api1.http.offset.mode` is `CHAINIG`, which is not one of `SIMPLE_INCREMENTING`, `CHAINING`",
        "hint: did you mean `CHAINING`?",
        "property `api1.http.api.path` holds `${ofset}`, which is none of `${offset}`",
        "property `api1.http.reqest.method` is unknown",
        "hint: did you mean `api1.http.request.method`?",
        "property `api1.max.retries` is `many`, which is not an integer from 0 to 5000",
        "property `api1.request.cron` is `every day`, which is not a cron expression",
        "property `api2.topics`",
        "property `https.ssl.keystorefile` is neither PEM, nor a JKS store, nor a PKCS #12 store",
        "property `https.ssl.cipher.suites` names `TLS_RSA_WITH_AES_128_CBC_SHA`, which is not known",
        "hint: there are: TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256,",
        "property `api1.topics` is missing",
        "property `bootstrap.servers` is missing",
    ] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_good_configuration_is_valid() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("good.properties");
    let text = "bootstrap.servers=kafka:9092\nhttp.api.base.url=https://api.test\noutput.data.format=JSON\n\
                api1.topics=t\napi1.http.api.path=\napi1.http.request.body=\n";
    std::fs::write(&path, text).unwrap();
    let output = run_headwater(&["validate", path.to_str().unwrap()]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("good.properties: valid, 1 API\n"));
}

#[test]
fn what_does_not_go_together_is_told() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    let embedded = |more: Value| {
        let mut config = config(&api, more);
        config["bootstrap.servers"] = json!("kafka:9092");
        broker.problems(&config)
    };
    for (more, problem) in [
        (json!({ "api1.http.offset.mode": "CHAINING" }), "property `api1.http.offset.json.pointer` is missing"),
        (
            json!({ "api1.http.offset.mode": "CURSOR_PAGINATION" }),
            "property `api1.http.next.page.json.pointer` is missing",
        ),
        (json!({ "api1.http.initial.offset": "x" }), "`api1.http.initial.offset` is `x`, which is not an integer"),
        (json!({ "api1.http.api.path": "/a?x=${offset}" }), "property `api1.http.initial.offset` is missing"),
        (json!({ "api1.http.api.path": "/a/{b}" }), "holds `{b}`, to which `http.path.parameters` gives no value"),
        (json!({ "api1.http.path.parameters": "b:1" }), "names `b`, but `api1.http.api.path` holds no `{b}`"),
        (json!({ "api1.http.request.headers": "x" }), "which is not a list of names and values with `:` between them"),
        (json!({ "api1.http.api.path": "/a?x=${start_time}" }), "goes through no time windows"),
        (json!({ "api1.http.request.headers": "Authorization s3cret" }), "is [hidden], which is not a list"),
        (json!({ "apis.num": "2" }), "property `api2.topics` is missing"),
        (json!({ "http.proxy.host": "p" }), "property `http.proxy.port` is missing"),
        (json!({ "csfle.enabled": "true" }), "property `csfle.enabled` is `true`, which is not one of `false`"),
        (
            json!({
                "api1.http.offset.mode": "CURSOR_PAGINATION",
                "api1.http.next.page.json.pointer": "/n",
                "api1.enable.cursor.pagination.with.timestamp.mode": "true",
            }),
            "property `api1.initial.start.timestamp.value` is missing",
        ),
    ] {
        let told = embedded(more);
        assert!(told.contains(problem), "no {problem:?} in:\n{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    assert_eq!(embedded(json!({})), "");
}

#[test]
fn what_is_about_time_and_connections_reaches_the_settings() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    let settings = |more: Value| broker.load(&config(&api, more), &[]).connector.operations.remove(0);
    let settled = settings(json!({
        "api1.request.interval.ms": "7",
        "api1.http.connect.timeout.ms": "8",
        "api1.http.request.timeout.ms": "9",
        "api1.retry.backoff.ms": "10",
        "api1.retry.backoff.max.ms": "11",
        "https.ssl.enabled": "true",
    }));
    assert!(matches!(settled.schedule, Schedule::Interval(interval) if interval.as_millis() == 7));
    assert_eq!((settled.http.connect_timeout.as_millis(), settled.http.request_timeout.as_millis()), (8, 9));
    assert_eq!((settled.retry.initial.as_millis(), settled.retry.cap.as_millis()), (10, 11));
    assert_eq!(settled.retry.backoff, Backoff::ExponentialWithJitter);
    assert_eq!(settled.http.tls.versions, TlsVersions::Only13);
    let default = settings(json!({}));
    assert!(matches!(default.schedule, Schedule::Interval(interval) if interval.as_millis() == 60_000));
    assert_eq!(default.http.tls.versions, TlsVersions::Both);
    let cron = settings(json!({ "api1.request.cron": "0 9 * * *", "api1.request.cron.timezone": "Asia/Tokyo" }));
    assert!(format!("{:?}", cron.schedule).contains("Asia/Tokyo"), "{:?}", cron.schedule);
    let v1 = json!({ "name": "v", "url": api.url(), "topic.name.pattern": "t" });
    let v1 = broker.load(&v1, &[]).connector.operations.remove(0);
    assert_eq!((v1.retry.max_retries, v1.retry.backoff), (10, Backoff::Constant));
}

#[test]
fn the_environment_overrides_the_file() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    let file = config(&api, json!({ "api1.http.api.path": "/file" }));
    let environment = [("HEADWATER_API1_HTTP_API_PATH", "/variable"), ("HEADWATER_APIS_NUM", "1")];
    broker.run_with(&file, &environment).unwrap();
    assert_eq!(api.received()[0].target, "/variable");
}

#[test]
fn the_environment_overrides_names_of_other_dialects_too() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    let v1 = json!({ "name": "v", "url": "http://127.0.0.1:1/file", "topic.name.pattern": "t", "http.offset.mode": "SNAPSHOT_PAGINATION" });
    let url = format!("{}/variable", api.url());
    let environment = [("HEADWATER_URL", url.as_str()), ("HEADWATER_HTTP_REQUEST_PARAMETERS", "a=1")];
    broker.run_with(&v1, &environment).unwrap();
    assert_eq!(api.received()[0].target, "/variable?a=1");
    let wrong = broker.problems_with(&v1, &[("HEADWATER_HTTP_REQUEST_METHOD", "FETCH")], true);
    assert!(wrong.contains("property `http.request.method` is `FETCH`"), "{wrong}");
}

#[test]
fn what_is_wrong_is_told_by_the_name_that_is_written() {
    let broker = Broker::start();
    for (config, told) in [
        // HTTP Source V1.
        (
            json!({ "url": "https://a.test/x", "http.request.method": "FETCH", "auth.type": "none" }),
            &["property `http.request.method` is `FETCH`", "property `topic.name.pattern` is missing"][..],
        ),
        // AxonOps.
        (
            json!({ "http.url": "https://a.test/x", "http.auth.type": "BASC", "api1.max.retries": "x" }),
            &[
                "property `http.auth.type` is `BASC`",
                "property `kafka.topic` is missing",
                "property `api1.max.retries` is `x`",
            ],
        ),
        // Another name for a property of HTTP Source V2.
        (
            json!({ "http.api.base.url": "https://a.test", "api1.topics": "t", "data.format": "XML" }),
            &["property `data.format` is `XML`"],
        ),
    ] {
        let problems = broker.problems_with(&config, &[], true);
        assert_eq!(problems.lines().count(), told.len(), "{problems}");
        assert!(told.iter().all(|told| problems.contains(told)), "{problems}");
    }
}

#[test]
fn what_is_wrong_can_be_had_as_kafka_connect_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let config = json!({
        "connector.class": "HttpSourceV2",
        "http.api.base.url": "https://api.example.com",
        "bearer.token": "t0psecret",
        "api1.http.api.path": "/x",
        "api1.http.request.method": "FETCH",
        "nonsense": "1",
    });
    std::fs::write(&path, config.to_string()).unwrap();
    let output = run_headwater(&["validate", "--format", "json", path.to_str().unwrap()]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("t0psecret"));
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["name"], "HttpSourceV2");
    let configs = told["configs"].as_array().unwrap();
    let of = |name: &str| configs.iter().find(|config| config["value"]["name"] == name).unwrap();
    let method = of("api1.http.request.method");
    assert_eq!((&method["value"]["value"], &method["definition"]["default_value"]), (&json!("FETCH"), &json!("GET")));
    assert_eq!(method["definition"]["importance"], "HIGH");
    for (name, part) in [
        ("api1.http.request.method", "which is not one of"),
        ("api1.topics", "is missing"),
        ("bootstrap.servers", "is missing"),
        ("nonsense", "is unknown"),
    ] {
        let errors = of(name)["value"]["errors"].as_array().unwrap();
        assert!(errors.len() == 1 && errors[0].as_str().unwrap().contains(part), "{name}: {errors:?}");
    }
    let errors: usize = configs.iter().map(|config| config["value"]["errors"].as_array().unwrap().len()).sum();
    assert_eq!(told["error_count"], json!(errors));
    assert_eq!(of("api1.max.retries")["value"]["value"], "5");
}
