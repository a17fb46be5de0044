//! What a cycle changes: with `snapshot.output=CHANGES` a topic has what is new, and a tombstone for what is gone.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_runtime::error::chain;
use headwater_tests::{
    Answer, Isolation, LargeApi, LargeBody, Received, ScriptedApi, configuration, consume, create_topic, headwater,
    real_parts, run_headwater, unique_name,
};
use serde_json::{Value, json};

use crate::support::{Broker, TOPIC, config, with};

/// An API whose list can be changed; it gives two at a time.
struct List {
    items: Arc<Mutex<Vec<Value>>>,
    /// The page that is answered with an error; 0: none.
    broken: Arc<AtomicUsize>,
    api: ScriptedApi,
}

impl List {
    fn start() -> Self {
        let (items, broken) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (served, breaks) = (Arc::clone(&items), Arc::clone(&broken));
        let api = ScriptedApi::start(move |request: &Received| {
            let page = request.number("page");
            if breaks.load(Ordering::Relaxed) == page {
                return Answer::new(400, "no");
            }
            let items = served.lock().unwrap();
            json!(items.iter().skip((page - 1) * 2).take(2).collect::<Vec<_>>()).into()
        });
        Self { items, broken, api: api.unwrap() }
    }

    fn set(&self, items: impl IntoIterator<Item = (usize, &'static str)>) {
        *self.items.lock().unwrap() = items.into_iter().map(|(id, text)| json!({ "id": id, "text": text })).collect();
    }

    fn config(&self, more: Value) -> Value {
        let mut config = config(
            &self.api,
            json!({
                "api1.http.pagination.type": "PAGE",
                "api1.http.pagination.limit.value": "2",
                "api1.record.key.json.pointer": "/id",
                "api1.snapshot.output": "CHANGES",
                "api1.max.retries": "0",
                "max.in.flight.requests": "1",
            }),
        );
        with(&mut config, more);
        config
    }
}

/// What stands in a topic: keys, and texts or nothing.
fn written(broker: &Broker, topic: &str) -> Vec<(String, Option<String>)> {
    let text = |record: headwater_tests::Consumed| {
        let value = record.value.map(|value| {
            let value: Value = serde_json::from_slice(&value).unwrap();
            value["text"].as_str().unwrap().to_owned()
        });
        (String::from_utf8(record.key.unwrap()).unwrap(), value)
    };
    broker.consume(topic).into_iter().map(text).collect()
}

fn shown(records: &[(String, Option<String>)]) -> Vec<String> {
    let text = |(key, value): &(String, Option<String>)| format!("{key}={}", value.as_deref().unwrap_or("-"));
    records.iter().map(text).collect()
}

#[test]
fn a_cycle_writes_what_is_new_or_changed_and_a_tombstone_for_what_is_gone() {
    let (list, broker) = (List::start(), Broker::start());
    let config = list.config(json!({}));
    list.set([(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]);
    assert_eq!(broker.run(&config).unwrap().records, 5);
    assert_eq!(shown(&written(&broker, TOPIC)), ["1=a", "2=b", "3=c", "4=d", "5=e"]);

    let unchanged = broker.run(&config).unwrap();
    assert_eq!((unchanged.records, unchanged.transactions), (0, 0));

    list.set([(1, "a"), (3, "C"), (4, "d"), (6, "f")]);
    assert_eq!(broker.run(&config).unwrap().records, 4);
    let mut new = shown(&written(&broker, TOPIC).split_off(5));
    new.sort();
    assert_eq!(new, ["2=-", "3=C", "5=-", "6=f"]);

    // What has gone is not deleted again, and can come again.
    assert_eq!(broker.run(&config).unwrap().records, 0);
    list.set([(1, "a"), (2, "b"), (3, "C"), (4, "d"), (6, "f")]);
    assert_eq!(broker.run(&config).unwrap().records, 1);
    assert_eq!(shown(&written(&broker, TOPIC).split_off(9)), ["2=b"]);
}

#[test]
fn a_cycle_that_fails_deletes_nothing_and_the_next_one_does() {
    let (list, broker) = (List::start(), Broker::start());
    let config = list.config(json!({}));
    list.set([(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]);
    broker.run(&config).unwrap();
    list.set([(1, "A"), (3, "c"), (4, "d"), (5, "e")]);
    list.broken.store(2, Ordering::Relaxed);
    assert!(chain(&broker.run(&config).unwrap_err()).contains("400"));
    assert_eq!(shown(&written(&broker, TOPIC).split_off(5)), ["1=A"]);
    list.broken.store(0, Ordering::Relaxed);
    broker.run(&config).unwrap();
    assert_eq!(shown(&written(&broker, TOPIC).split_off(6)), ["2=-"]);
}

#[test]
fn an_api_that_answers_with_half_of_its_list_empties_no_topic() {
    let (list, broker) = (List::start(), Broker::start());
    let config = list.config(json!({}));
    list.set((0..40).map(|id| (id, "a")));
    broker.run(&config).unwrap();
    list.set((0..20).map(|id| (id, if id == 7 { "changed" } else { "a" })));
    let error = chain(&broker.run(&config).unwrap_err());
    let told = "comparing what was read with what the topic holds: 20 of 40 records are not there any more, and \
                `snapshot.max.deletes.percent` allows 20 %; nothing was deleted";
    assert!(error.contains(told), "{error}");
    assert_eq!(shown(&written(&broker, TOPIC).split_off(40)), ["7=changed"], "what is there is true all the same");
    let told = broker.consume("error-source");
    let header = told[0].headers.iter().find(|(name, _)| name == "exception").unwrap();
    assert_eq!(header.1.as_deref(), Some(&b"MassDeletion"[..]));

    list.set([]);
    assert!(chain(&broker.run(&config).unwrap_err()).contains("40 of 40 records"));
    list.set((0..20).map(|id| (id, "a")));
    let allowed = list.config(json!({ "api1.snapshot.max.deletes.percent": "50" }));
    assert_eq!(broker.run(&allowed).unwrap().records, 21);
    let gone = written(&broker, TOPIC).into_iter().filter(|(_, value)| value.is_none());
    let gone: BTreeSet<usize> = gone.map(|(key, _)| key.parse().unwrap()).collect();
    assert_eq!(gone, (20..40).collect());
}

#[test]
fn an_answer_that_nothing_has_changed_deletes_nothing() {
    let api = ScriptedApi::start(|request: &Received| match request.headers.get("if-none-match") {
        Some(_) => Answer::new(304, ""),
        None => Answer::from(json!([{ "id": 1, "text": "a" }, { "id": 2, "text": "b" }])).header("etag", "\"1\""),
    });
    let (api, broker) = (api.unwrap(), Broker::start());
    let more = json!({
        "api1.record.key.json.pointer": "/id",
        "api1.snapshot.output": "CHANGES",
        "api1.http.request.conditional": "true",
    });
    let config = config(&api, more);
    assert_eq!(broker.run(&config).unwrap().records, 2);
    assert_eq!(broker.run(&config).unwrap().records, 0);
    assert_eq!(api.received().len(), 2);
    assert_eq!(shown(&written(&broker, TOPIC)), ["1=a", "2=b"]);
}

#[test]
fn what_could_not_be_read_may_be_any_record_and_none_is_deleted() {
    let (list, broker) = (List::start(), Broker::start());
    let config = list.config(json!({
        "errors.tolerance": "all",
        "transforms": "number",
        "transforms.number.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.number.spec": "id:int32",
    }));
    list.set([(1, "a"), (2, "b"), (3, "c")]);
    broker.run(&config).unwrap();
    list.items.lock().unwrap().splice(1..3, [json!({ "id": "3x", "text": "c" })]);
    let summary = broker.run(&config).unwrap();
    assert_eq!((summary.records, summary.dead_letters), (0, 1));
    list.set([(1, "a"), (3, "c")]);
    broker.run(&config).unwrap();
    assert_eq!(shown(&written(&broker, TOPIC)), ["1=a", "2=b", "3=c", "2=-"]);
}

#[test]
fn a_tombstone_goes_where_a_transform_has_sent_the_record() {
    let (list, broker) = (List::start(), Broker::start());
    let config = list.config(json!({
        "transforms": "to",
        "transforms.to.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.to.regex": "(.*)",
        "transforms.to.replacement": "$1-routed",
    }));
    list.set([(1, "a"), (2, "b")]);
    broker.run(&config).unwrap();
    list.set([(2, "b")]);
    broker.run(&config).unwrap();
    // The broker has made that topic, of several partitions.
    let mut routed = shown(&written(&broker, "records-routed"));
    routed.sort();
    assert_eq!(routed, ["1=-", "1=a", "2=b"]);
    assert!(broker.consume(TOPIC).is_empty());
}

#[test]
fn a_large_response_that_breaks_off_is_written_once_and_then_compared() {
    fn record(id: usize) -> String {
        format!(r#"{{"id":{id},"text":"{}"}}"#, "a".repeat(2_000))
    }
    // The embedded broker shows what was aborted.
    let Some(parts) = real_parts().unwrap() else { return };
    let topic = unique_name("large-snapshot");
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    // How many records and how many tombstones there are after a response has been read.
    let read = |body: LargeBody| {
        let api = LargeApi::start(body).unwrap();
        let mut config = configuration(parts, &topic, &api.url());
        with(
            &mut config,
            json!({
                "output.data.format": "JSON",
                "api1.topics": topic,
                "api1.http.api.path": "/items",
                "api1.record.key.json.pointer": "/id",
                "api1.retry.backoff.ms": "1",
                "api1.snapshot.output": "CHANGES",
                "memory.max.bytes": "8388608",
            }),
        );
        std::fs::write(&path, config.to_string()).unwrap();
        let program = Command::new(headwater().unwrap()).arg("run").arg(&path).arg("--once").output().unwrap();
        assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
        let written = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
        let tombstones = written.iter().filter(|record| record.value.is_none()).count();
        (written.len() - tombstones, tombstones)
    };
    let count = 3_000;
    let whole = LargeBody::array(count, record);
    let broken = || LargeBody { breaks: (1, count - 10), ..whole.clone() };
    assert_eq!(read(broken()), (count, 0));
    assert_eq!(read(broken()), (count, 0));
    assert_eq!(read(LargeBody::array(count - 300, record)), (count, 300));
    assert_eq!(read(LargeBody::array(count - 300, record)), (count, 300));
}

#[test]
fn what_was_read_and_not_handed_over_is_written_by_the_next_cycle() {
    let (cycles, url) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
    let (begun, own) = (Arc::clone(&cycles), Arc::clone(&url));
    let api = ScriptedApi::start(move |request: &Received| {
        let page = request.number("page").max(1);
        let cycle = match page {
            1 => begun.fetch_add(1, Ordering::SeqCst) + 1,
            _ => begun.load(Ordering::SeqCst),
        };
        let records = (2 * page - 1..4.min(2 * page + 1)).map(|id| json!({ "id": id, "text": "a" }));
        let answer = Answer::from(json!(records.collect::<Vec<_>>()));
        let link = format!("<{}/items?page=2>; rel=\"next\"", own.lock().unwrap());
        // In the first cycle, the second page leads to itself: it is read, and then it is an error.
        if page == 1 || cycle == 1 { answer.header("link", &link) } else { answer }
    });
    let (api, broker) = (api.unwrap(), Broker::start());
    *url.lock().unwrap() = api.url();
    let more = json!({
        "api1.http.pagination.type": "LINK_HEADER",
        "api1.record.key.json.pointer": "/id",
        "api1.snapshot.output": "CHANGES",
        "api1.request.interval.ms": "1",
        "behavior.on.error": "IGNORE",
    });
    broker.run_until(&config(&api, more), || cycles.load(Ordering::SeqCst) >= 3).unwrap();
    assert_eq!(shown(&written(&broker, TOPIC)), ["1=a", "2=a", "3=a"]);
    assert_eq!(broker.consume("error-source").len(), 1, "the first cycle has failed");
}

#[test]
fn a_reset_has_everything_written_again_and_forgets_nothing_that_is_gone() {
    let (list, broker) = (List::start(), Broker::start());
    let mut config = list.config(json!({ "bootstrap.servers": broker.bootstrap_servers() }));
    // They would be told to have no effect.
    for name in ["connector.class", "tasks.max"] {
        config.as_object_mut().unwrap().remove(name);
    }
    list.set([(1, "a"), (2, "b"), (3, "c")]);
    broker.run(&config).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let reset = |arguments: &[&str]| {
        let output = run_headwater(&[&["offsets", "reset", path.to_str().unwrap()], arguments].concat()).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    list.set([(1, "a"), (3, "c")]);
    let told = "api1: from the beginning, was from the beginning; everything is written again\n";
    for arguments in [&["--operation", "api1"][..], &["--all"]] {
        assert_eq!(reset(arguments), told);
    }
    assert_eq!(broker.run(&config).unwrap().records, 3);
    assert_eq!(shown(&written(&broker, TOPIC).split_off(3)), ["1=a", "3=c", "2=-"]);
    assert_eq!(broker.run(&config).unwrap().records, 0);
}

#[test]
fn what_the_topic_holds_stands_in_the_partition_of_the_stream() {
    let (list, broker) = (List::start(), Broker::start());
    list.set((0..40).map(|id| (id, "a")));
    // Its position stands in the offsets topic as long as a cycle is under way.
    list.broken.store(3, Ordering::Relaxed);
    broker.run(&list.config(json!({}))).unwrap_err();
    let partitions = |topic: &str| -> BTreeSet<_> { broker.consume(topic).iter().map(|it| it.partition).collect() };
    let of_offsets = partitions("headwater-source-offsets");
    assert_eq!(of_offsets.len(), 1);
    assert_eq!(partitions("headwater-source-snapshots"), of_offsets);
}

#[test]
fn a_generated_connector_writes_what_changes_too() {
    let pets = Arc::new(Mutex::new(vec![1, 2, 3]));
    let served = Arc::clone(&pets);
    let api = ScriptedApi::start(move |request: &Received| -> Answer {
        match request.path() {
            "/events" => json!({ "data": [] }).into(),
            _ if request.query("page") != Some("1") => json!([]).into(),
            _ => {
                let pets = served.lock().unwrap();
                json!(pets.iter().map(|id| json!({ "id": id, "name": "Ada" })).collect::<Vec<_>>()).into()
            }
        }
    });
    let (api, broker) = (api.unwrap(), Broker::start());
    let config = json!({
        "name": "source", "http.api.base.url": api.url(), "store": "s", "api2.snapshot.output": "CHANGES",
    });
    assert_eq!(broker.run_generated(&petstore_events::connector(), &config).unwrap().records, 3);
    pets.lock().unwrap().retain(|id| *id != 2);
    assert_eq!(broker.run_generated(&petstore_events::connector(), &config).unwrap().records, 1);
    let last = broker.consume("petstore.pets").pop().unwrap();
    assert_eq!((last.key.as_deref(), last.value), (Some(&b"2"[..]), None));
}

#[test]
fn what_cannot_be_read_for_what_changes_is_told() {
    let (list, broker) = (List::start(), Broker::start());
    for (more, told) in [
        (json!({ "api1.record.key.json.pointer": "" }), "its records have no key"),
        (
            json!({ "api1.http.pagination.type": "OFFSET" }),
            "a cycle does not read everything, but goes on from the one before",
        ),
        (json!({ "api1.slices.shop": "a,b" }), "it is read in slices, or other operations are read for its records"),
        (
            json!({ "exactly.once.support": "disabled" }),
            "without transactions, what the topic holds is not known after a crash / leave `exactly.once.support` out",
        ),
    ] {
        let problems = broker.problems_with(&list.config(more), &[], true);
        let expected = format!("property `api1.snapshot.output` cannot be `CHANGES`: {told}");
        assert!(problems.lines().any(|line| line == expected), "{expected}\nis not in\n{problems}");
    }
    list.set([(1, "a")]);
    list.items.lock().unwrap().push(json!({ "text": "no id" }));
    let error = chain(&broker.run(&list.config(json!({}))).unwrap_err());
    assert!(error.contains("a record has no key, which it needs because only what changes is written"), "{error}");
}

#[test]
fn a_snapshot_topic_that_cannot_be_used_is_told() {
    let Some(parts) = real_parts().unwrap() else { return };
    let (list, topic, scratch) = (List::start(), unique_name("snapshots"), tempfile::tempdir().unwrap());
    let mut config = configuration(parts, &topic, &list.api.url());
    with(&mut config, list.config(json!({ "name": topic, "api1.topics": topic })));
    for name in ["connector.class", "tasks.max"] {
        config.as_object_mut().unwrap().remove(name);
    }
    let path = scratch.path().join("source.json");
    let run = |snapshots: &str| {
        let mut config = config.clone();
        config["snapshot.storage.topic"] = json!(snapshots);
        std::fs::write(&path, config.to_string()).unwrap();
        let program = Command::new(headwater().unwrap()).arg("run").arg(&path).arg("--once").output().unwrap();
        let said = String::from_utf8(program.stderr).unwrap();
        let lines = said.lines().skip_while(|line| !line.starts_with("error: ")).map(|line| format!("{line}\n"));
        (program.status.code(), lines.collect::<String>())
    };
    let (few, aging) = (format!("{topic}-few"), format!("{topic}-aging"));
    create_topic(&parts.bootstrap, &few, 3, &[("cleanup.policy", "compact")]).unwrap();
    create_topic(&parts.bootstrap, &aging, 16, &[]).unwrap();
    let told = format!(
        "error: the topic `{few}` has 3 partitions, and the offsets topic `headwater-{topic}-offsets` has 16\n\
         hint: name another topic with `snapshot.storage.topic`, or delete this one: everything is then written again\n"
    );
    assert_eq!(run(&few), (Some(2), told));
    let told = format!(
        "error: the topic `{aging}` is not compacted: its `cleanup.policy` is `delete`, so that what it holds would be lost\n\
         hint: set `cleanup.policy=compact` on it, or name another topic with `offset.storage.topic` or \
         `snapshot.storage.topic`\n"
    );
    assert_eq!(run(&aging), (Some(2), told));
    assert_eq!(list.api.received().len(), 0);
    list.set([(1, "a")]);
    let named = format!("{topic}-named");
    assert_eq!(run(&named), (Some(0), String::new()));
    assert_eq!(consume(&parts.bootstrap, &named, Isolation::ReadCommitted).unwrap().len(), 1);
}

/// How many records there are, how many have gone, and how many a page has.
const RECORDS: usize = 3_000;
const GONE: usize = 10;
const PAGE: usize = 100;

#[test]
fn killed_while_it_compares_each_tombstone_is_there_once() {
    let Some(parts) = real_parts().unwrap() else { return };
    let (without, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (gone, asked_for_last) = (Arc::clone(&without), Arc::clone(&last));
    let api = ScriptedApi::start(move |request: &Received| {
        let from = (request.number("page") - 1) * PAGE;
        if from + PAGE >= RECORDS {
            asked_for_last.fetch_add(1, Ordering::SeqCst);
        }
        // Every three hundredth has gone.
        let is_there = |id: &usize| gone.load(Ordering::Relaxed) == 0 || id % (RECORDS / GONE) != 7;
        let page: Vec<_> = (from..from + PAGE).filter(is_there).map(|id| json!({ "id": id })).collect();
        Answer::from(json!(page)).header("x-pages", &(RECORDS / PAGE).to_string())
    });
    let api = api.unwrap();
    let topic = unique_name("snapshot");
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let mut config = configuration(parts, &topic, &api.url());
    with(
        &mut config,
        json!({
            "output.data.format": "JSON",
            "api1.topics": topic,
            "api1.http.api.path": "/items",
            "api1.record.key.json.pointer": "/id",
            "api1.http.pagination.type": "PAGE",
            "api1.http.pagination.total.pages": "header:x-pages",
            "api1.snapshot.output": "CHANGES",
        }),
    );
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let start = || -> Child {
        let mut command = Command::new(headwater().unwrap());
        command.arg("run").arg(&path).arg("--once").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let written = || consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
    assert!(start().wait().unwrap().success());
    assert_eq!(written().len(), RECORDS);
    without.store(GONE, Ordering::Relaxed);
    // At moments around that at which the last page comes, and the tombstones are written.
    for millis in [0, 1, 2, 3, 5, 8, 13, 21] {
        let before = last.load(Ordering::SeqCst);
        let mut source = start();
        while last.load(Ordering::SeqCst) == before && source.try_wait().unwrap().is_none() {}
        std::thread::sleep(Duration::from_millis(millis));
        source.kill().unwrap();
        source.wait().unwrap();
    }
    assert!(start().wait().unwrap().success());
    let new = written().split_off(RECORDS);
    assert!(new.iter().all(|record| record.value.is_none()));
    let keys = new.into_iter().map(|record| String::from_utf8(record.key.unwrap()).unwrap());
    let mut keys: Vec<usize> = keys.map(|key| key.parse().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, (0..GONE).map(|number| number * (RECORDS / GONE) + 7).collect::<Vec<_>>());
}
