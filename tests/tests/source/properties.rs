//! Every property that acts, with the test that shows that changing it changes what is sent, written or said; and the page that
//! describes them all.

use std::collections::{BTreeMap, BTreeSet};

use headwater_runtime::config::source_documentation;
use headwater_tests::{Answer, Received, ScriptedApi, run_headwater, workspace};
use serde_json::{Value, json};

use crate::support::{Broker, config, with};

/// A line for each property: its name, and the test that shows it.
const SHOWN: &str = "tests/cases/properties.tsv";

/// The page, as it is printed.
const PAGE: &str = "docs/properties.md";

/// What the documentation begins with of a property that does nothing by itself.
const INACTIVE: [&str; 5] = [
    "Accepted, has no effect",
    "Taken and without effect",
    "Only this value",
    "Another name for",
    "Another way to write",
];

#[test]
fn every_property_that_acts_is_shown_by_a_test() {
    let root = workspace();
    let text = std::fs::read_to_string(root.join(SHOWN)).unwrap();
    let shown: BTreeMap<&str, &str> = text.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(shown.len(), text.lines().count(), "a property is there twice");
    let acting: BTreeSet<String> = source_documentation()
        .properties
        .into_iter()
        .filter(|property| !INACTIVE.iter().any(|mark| property.documentation.starts_with(mark)))
        .map(|property| property.name)
        .collect();
    let listed: BTreeSet<String> = shown.keys().map(|name| (*name).to_owned()).collect();
    let missing: Vec<_> = acting.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&acting).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{SHOWN}: without a line: {missing:#?}\nof no property that acts: {gone:#?}"
    );
    for (name, test) in shown {
        let (file, test) = test.split_once("::").unwrap();
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}, which is to show {name}");
        // Those of transforms stand in the file that is compared with Kafka Connect.
        let named = name.trim_start_matches("apiN.").trim_end_matches('*');
        let named = named.trim_start_matches("transforms.NAME.").trim_start_matches("predicates.NAME.");
        let is_named = source.contains(named) || name.contains(".NAME.");
        assert!(is_named, "{file} does not say `{named}`, which its test {test} is to show");
    }
}

#[test]
fn the_page_of_the_properties_is_as_the_command_prints_it() {
    let output = run_headwater(&["config", "--connector", "source", "--format", "markdown"]).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let page = std::fs::read_to_string(workspace().join(PAGE)).unwrap();
    let (_, table) = page.split_once("\n\n| ").unwrap();
    let again = "headwater config --connector source --format markdown";
    assert!(format!("| {table}") == printed, "the table of {PAGE} is not what `{again}` prints: replace it by that");
}

/// The requests of one run, against an API whose pages have the numbers from `skip` or of `page` on.
fn asked(more: Value) -> Vec<String> {
    let api = ScriptedApi::start(|request: &Received| {
        let from = match (request.query("skip"), request.query("p")) {
            (Some(_), _) => request.number("skip"),
            (_, Some(_)) => 2 * (request.number("p") - 7),
            _ => request.query("after").map_or(0, |after| after[1..].parse().unwrap()),
        };
        let next = (from + 2 < 5).then(|| format!("t{}", from + 2));
        json!({ "items": (from..5).take(2).collect::<Vec<_>>(), "pages": 3, "next": next })
    })
    .unwrap();
    let mut all = json!({ "api1.http.response.data.json.pointer": "/items", "max.in.flight.requests": "1" });
    with(&mut all, more);
    assert_eq!(Broker::start().run(&config(&api, all)).unwrap().records, 5);
    api.received().into_iter().map(|request| request.target).collect()
}

#[test]
fn how_pages_are_named_is_configured() {
    let numbered = asked(json!({
        "api1.http.pagination.type": "PAGE",
        "api1.http.pagination.page.param": "p",
        "api1.http.pagination.page.first": "7",
        "api1.http.pagination.total.pages": "/pages",
    }));
    assert_eq!(numbered, ["/items?p=7", "/items?p=8", "/items?p=9"]);
    let by_token = asked(json!({
        "api1.http.pagination.type": "CURSOR",
        "api1.http.pagination.cursor.path": "/next",
        "api1.http.pagination.cursor.param": "after",
    }));
    assert_eq!(by_token, ["/items", "/items?after=t2", "/items?after=t4"]);
}

#[test]
fn the_pace_of_cycles_reaches_the_settings() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let more = json!({ "api1.request.interval.jitter.ms": "5", "api1.request.interval.max.ms": "90000" });
    let pace = Broker::start().load(&config(&api, more), &[]).connector.operations.remove(0).pace;
    assert_eq!((pace.jitter.as_millis(), pace.idle.unwrap().as_millis()), (5, 90_000));
}

#[test]
fn the_topic_of_dead_letters_is_configured() {
    let api = ScriptedApi::start(|_: &Received| Answer::from(json!([{ "n": "x" }]))).unwrap();
    let broker = Broker::start();
    let more = json!({
        "errors.deadletterqueue.topic.name": "dead",
        "errors.tolerance": "all",
        "transforms": "cast",
        "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.cast.spec": "n:int32",
    });
    broker.run(&config(&api, more)).unwrap();
    assert_eq!(broker.consume("dead").len(), 1);
}
