//! Streams that are read in slices: by the records of other streams, and by lists of values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use headwater_tests::{Answer, Received, ScriptedApi};
use serde_json::{Value, json};

use crate::support::{Broker, config};

/// How many records a page has.
const PAGE: usize = 2;

/// The page of `all` that a request skips to; a `Link` header leads to the next one.
fn page(request: &Received, all: Vec<Value>) -> Answer {
    let next = request.number("skip") + PAGE;
    let answer = Answer::from(json!(all.iter().skip(next - PAGE).take(PAGE).collect::<Vec<_>>()));
    match all.len() > next {
        true => answer.header("link", &format!("<{}?skip={next}>; rel=\"next\"", request.path())),
        false => answer,
    }
}

/// The properties of an API in pages.
fn paged(number: usize, path: &str) -> Value {
    let properties = [
        ("topics", format!("topic{number}")),
        ("http.api.path", path.to_owned()),
        ("http.pagination.type", "LINK_HEADER".to_owned()),
        ("retry.backoff.ms", "1".to_owned()),
        ("max.retries", "0".to_owned()),
    ];
    properties.into_iter().map(|(name, value)| (format!("api{number}.{name}"), json!(value))).collect()
}

/// The properties of several APIs, and more.
fn apis(paths: &[&str], more: Value) -> Value {
    let mut all = json!({ "apis.num": paths.len().to_string() });
    let each = paths.iter().enumerate().map(|(index, path)| paged(index + 1, path));
    for properties in each.chain([more]) {
        all.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    }
    all
}

/// How often each target was asked for.
fn count(received: Vec<Received>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in received {
        *counts.entry(request.target).or_default() += 1;
    }
    counts
}

/// The sorted values of a topic.
fn sorted(broker: &Broker, topic: &str) -> Vec<String> {
    let mut values: Vec<_> = broker.read(topic).into_iter().map(|record| record.value).collect();
    values.sort();
    values
}

/// Five organisations, of which number N has N repositories, of which number M has M issues; and each has three tags.
fn forge(request: &Received) -> Answer {
    let path: Vec<&str> = request.path().split('/').skip(1).collect();
    let (org, repo) = (path.get(1).unwrap_or(&""), path.get(3).unwrap_or(&""));
    let number = |name: &str| name[1..].parse::<usize>().unwrap();
    let all: Vec<Value> = match &path[..] {
        ["orgs"] => (0..5).map(|id| json!({ "login": format!("o{id}") })).collect(),
        ["orgs", _, "repos"] => (0..number(org)).map(|id| json!({ "repo": { "name": format!("r{id}") } })).collect(),
        ["orgs", _, "repos", _, "issues"] => {
            (0..number(repo)).map(|id| json!(format!("{org} {repo} issue {id}"))).collect()
        }
        ["orgs", _, "repos", _, "tags"] => (0..3).map(|id| json!(format!("{org} {repo} tag {id}"))).collect(),
        _ => return Answer::new(404, "{}"),
    };
    page(request, all)
}

/// Organisations, their repositories, and the issues and tags of these.
fn forge_config(api: &ScriptedApi, more: Value) -> Value {
    let paths = [
        "/orgs",
        "/orgs/${parent.org}/repos",
        "/orgs/${parent.org}/repos/${parent.repo}/issues",
        "/orgs/${parent.org}/repos/${parent.repo}/tags",
    ];
    let mut properties = apis(
        &paths,
        json!({
            "api.chaining.parent.child.relationship": "api1::api2, api2::api3, api2::api4",
            "api2.parent.org.json.pointer": "/login",
            "api3.parent.repo.json.pointer": "/repo/name",
            "api4.parent.repo.json.pointer": "/repo/name",
        }),
    );
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config(api, properties)
}

#[test]
fn every_level_is_read_to_its_end_and_a_parent_once_however_many_children_it_has() {
    let api = ScriptedApi::start(forge).unwrap();
    let broker = Broker::start();
    broker.run(&forge_config(&api, json!({}))).unwrap();

    let repos: Vec<(usize, usize)> = (0..5).flat_map(|org| (0..org).map(move |repo| (org, repo))).collect();
    let tags: Vec<_> =
        repos.iter().flat_map(|(org, repo)| (0..3).map(move |id| format!("\"o{org} r{repo} tag {id}\""))).collect();
    let issues: Vec<_> = repos
        .iter()
        .flat_map(|(org, repo)| (0..*repo).map(move |id| format!("\"o{org} r{repo} issue {id}\"")))
        .collect();
    assert_eq!((broker.read("topic1").len(), broker.read("topic2").len()), (5, 10));
    assert_eq!(sorted(&broker, "topic3"), issues);
    assert_eq!(sorted(&broker, "topic4"), tags);

    let asked = count(api.received());
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    // Three pages of organisations; of repositories one for the organisation that has none, and so on.
    let of = |path: fn(&str) -> bool| asked.keys().filter(|target| path(target)).count();
    assert_eq!(of(|target| target.starts_with("/orgs") && !target.contains("/repos")), 3);
    assert_eq!(of(|target| target.contains("/repos") && !target.contains("/repos/")), 1 + 1 + 1 + 2 + 2);
    assert_eq!(of(|target| target.contains("/tags")), 2 * repos.len());

    // Nothing is left to remember of a slice that is done.
    let left = broker.read_last("headwater-source-offsets");
    assert!(left.keys().all(|key| !key.contains("slice")), "{left:?}");

    // The next cycle reads everything once again.
    broker.run(&forge_config(&api, json!({}))).unwrap();
    assert_eq!(broker.read("topic4").len(), 2 * tags.len());
    assert!(count(api.received()).values().all(|times| *times == 1));
}

#[test]
fn a_slice_is_in_path_query_headers_and_body_and_lists_are_combined() {
    let api = ScriptedApi::start(|_: &Received| json!([1])).unwrap();
    let broker = Broker::start();
    let source = config(
        &api,
        json!({
            "api1.http.request.method": "POST",
            "api1.http.api.path": "/${slice.region}/{kind}",
            "api1.http.path.parameters": "kind:${slice.kind}",
            "api1.http.request.parameters": "kind=${slice.kind}",
            "api1.http.request.headers": "X-Region: ${slice.region}",
            "api1.http.request.body": "{\"region\": \"${slice.region}\"}",
            "api1.slices.region": "eu, us, a/b\"c, eu",
            "api1.slices.kind": "x y,z",
        }),
    );
    let summary = broker.run(&source).unwrap();
    assert_eq!(summary.records, 6);
    let mut asked: Vec<_> = api
        .received()
        .into_iter()
        .map(|it| format!("{} {} {} {}", it.method, it.target, it.headers["x-region"], it.body))
        .collect();
    asked.sort();
    let slice = |path: &str, kind: &str, region: &str, body: &str| {
        format!("POST /{path}/{kind}?kind={kind} {region} {{\"region\": \"{body}\"}}")
    };
    let expected = [
        slice("a%2Fb%22c", "x%20y", "a/b\"c", "a/b\\\"c"),
        slice("a%2Fb%22c", "z", "a/b\"c", "a/b\\\"c"),
        slice("eu", "x%20y", "eu", "eu"),
        slice("eu", "z", "eu", "eu"),
        slice("us", "x%20y", "us", "us"),
        slice("us", "z", "us", "us"),
    ];
    assert_eq!(asked, expected);
}

/// Three regions, each with its own offsets.
fn regions(api: &ScriptedApi, more: Value) -> Value {
    let mut properties = json!({
        "api1.http.api.path": "/${slice.region}",
        "api1.http.request.parameters": "above=${offset}",
        "api1.http.offset.mode": "CHAINING",
        "api1.http.offset.json.pointer": "/id",
        "api1.http.initial.offset": "0",
        "api1.slices.region": "eu,us,ap",
        "api1.max.retries": "0",
    });
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config(api, properties)
}

/// The records of a region above a number, two at a time.
fn region(request: &Received, last: usize) -> Answer {
    let (name, above) = (&request.path()[1..], request.number("above"));
    json!((above + 1..=last).take(PAGE).map(|id| json!({ "id": id, "of": name })).collect::<Vec<_>>()).into()
}

#[test]
fn every_slice_has_an_offset_of_its_own_and_a_cycle_without_news_writes_nothing() {
    let last = Arc::new(Mutex::new(BTreeMap::from([("eu", 3), ("us", 5), ("ap", 0)])));
    let known = Arc::clone(&last);
    let api =
        ScriptedApi::start(move |request: &Received| region(request, known.lock().unwrap()[&request.path()[1..]]))
            .unwrap();
    let broker = Broker::start();
    let run = || broker.run(&regions(&api, json!({}))).unwrap();
    assert_eq!(run().records, 8);
    api.received();
    let written = broker.offsets();
    let summary = run();
    assert_eq!((summary.records, summary.transactions), (0, 0));
    assert_eq!(broker.offsets(), written, "a cycle without news");
    assert_eq!(count(api.received()).into_keys().collect::<Vec<_>>(), ["/ap?above=0", "/eu?above=3", "/us?above=5"]);
    *last.lock().unwrap() = BTreeMap::from([("eu", 4), ("us", 5), ("ap", 1)]);
    assert_eq!(run().records, 2);
    let mut values = broker.values();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 10, "each once");
}

#[test]
fn a_slice_that_fails_does_not_keep_the_others_from_being_read() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let api = ScriptedApi::start(move |request: &Received| match request.path() {
        path if path.contains("/o3/repos/r1/") && is_broken.load(Ordering::Relaxed) => Answer::new(403, "{}"),
        _ => forge(request),
    })
    .unwrap();
    let broker = Broker::start();
    let ignoring = forge_config(&api, json!({ "behavior.on.error": "IGNORE" }));
    broker.run(&ignoring).unwrap();
    assert_eq!((broker.read("topic3").len(), broker.read("topic4").len()), (10 - 1, 30 - 3));
    let left = broker.read_last("headwater-source-offsets");
    let slices: Vec<_> = left.into_iter().filter(|(key, _)| key.contains("slice")).collect();
    let slice = |api: &str| {
        let key = format!(r#"["source",{{"operation":"{api}","slice":{{"org":"o3","repo":"r1"}}}}]"#);
        (key, r#"{"due":"next_cycle"}"#.to_owned())
    };
    assert_eq!(slices, [slice("api3"), slice("api4")]);

    // The next cycle reads it, too, once.
    broken.store(false, Ordering::Relaxed);
    api.received();
    broker.run(&ignoring).unwrap();
    assert_eq!((broker.read("topic3").len(), broker.read("topic4").len()), (9 + 10, 27 + 30));
    assert!(count(api.received()).values().all(|times| *times == 1));
    assert!(broker.read_last("headwater-source-offsets").keys().all(|key| !key.contains("slice")));
}

#[test]
fn what_a_failure_leaves_is_read_without_asking_the_parents_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let api = ScriptedApi::start(move |request: &Received| match request.target.as_str() {
        // In the middle of a slice.
        "/orgs/o4/repos/r2/tags?skip=2" if is_broken.load(Ordering::Relaxed) => Answer::new(403, "{}"),
        _ => forge(request),
    })
    .unwrap();
    let broker = Broker::start();
    let source = forge_config(&api, json!({ "max.in.flight.requests": "1" }));
    let error = broker.run(&source).unwrap_err();
    let chain = headwater_runtime::error::chain(&error);
    assert!(chain.contains(r#"reading the slice {"org":"o4","repo":"r2"}"#), "{chain}");
    let before = count(api.received());
    broken.store(false, Ordering::Relaxed);
    broker.run(&source).unwrap();
    let after = count(api.received());
    assert!(after.contains_key("/orgs/o4/repos/r2/tags?skip=2"));
    // Nothing but what was on its way as it failed.
    let again: Vec<_> = after.keys().filter(|target| before.contains_key(*target)).collect();
    assert!(
        again.len() <= 4 && !again.iter().any(|target| target.starts_with("/orgs?") || *target == "/orgs"),
        "{again:?}"
    );
    assert_eq!((broker.read("topic1").len(), broker.read("topic2").len()), (5, 10));
    let tags = sorted(&broker, "topic4");
    assert_eq!(tags.len(), 30);
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), 30);
}

#[test]
fn a_parent_without_records_is_no_error_and_a_status_can_mean_that_nothing_is_there() {
    let empty = ScriptedApi::start(|request: &Received| match request.path() {
        "/orgs" => json!([]),
        _ => panic!("nothing else is asked for"),
    })
    .unwrap();
    let broker = Broker::start();
    let summary = broker.run(&forge_config(&empty, json!({}))).unwrap();
    assert_eq!((summary.records, summary.transactions), (0, 0));

    let gone = ScriptedApi::start(|request: &Received| match request.path() {
        path if path.starts_with("/orgs/o2") => Answer::new(404, "{}"),
        _ => forge(request),
    })
    .unwrap();
    let error = broker.run(&forge_config(&gone, json!({}))).unwrap_err();
    assert!(headwater_runtime::error::chain(&error).contains("404"));
    let broker = Broker::start();
    broker.run(&forge_config(&gone, json!({ "api2.http.empty.on.status.codes": "404" }))).unwrap();
    assert_eq!((broker.read("topic1").len(), broker.read("topic2").len()), (5, 10 - 2));
}

#[test]
fn a_child_with_an_offset_goes_on_from_it_whenever_its_parent_is_read() {
    let last = Arc::new(AtomicUsize::new(3));
    let known = Arc::clone(&last);
    let api = ScriptedApi::start(move |request: &Received| match request.path() {
        "/shops" => json!([{ "id": "a" }, { "id": "b" }]).into(),
        _ => region(request, known.load(Ordering::Relaxed)),
    })
    .unwrap();
    let broker = Broker::start();
    // The parent is read for its children alone.
    let source = regions(
        &api,
        json!({
            "apis.num": "2",
            "api.chaining.parent.child.relationship": "api2::api1",
            "api1.http.api.path": "/${parent_value}",
            "api1.http.chaining.json.pointer": "/id",
            "api1.slices.region": "",
            "api2.http.api.path": "/shops",
        }),
    );
    assert_eq!(broker.run(&source).unwrap().records, 6);
    api.received();
    last.store(4, Ordering::Relaxed);
    assert_eq!(broker.run(&source).unwrap().records, 2);
    assert_eq!(
        count(api.received()).into_keys().collect::<Vec<_>>(),
        ["/a?above=3", "/a?above=4", "/b?above=3", "/b?above=4", "/shops"]
    );
    assert_eq!(broker.values().len(), 8);
    let left = broker.read_last("headwater-source-offsets");
    assert!(
        left.keys().any(|key| key == r#"["source",{"operation":"api1","slice":{"parent_value":"a"}}]"#),
        "{left:?}"
    );
}

#[test]
fn a_commit_writes_only_the_slices_that_have_changed() {
    const SLICES: usize = 2_000;
    let last = Arc::new(AtomicUsize::new(0));
    let newest = Arc::clone(&last);
    let api = ScriptedApi::start(move |request: &Received| match request.path() {
        // Of all slices, only one gets more.
        "/1234" => region(request, 1 + newest.load(Ordering::Relaxed)),
        _ => region(request, 1),
    })
    .unwrap();
    let broker = Broker::start();
    let all: Vec<_> = (0..SLICES).map(|id| id.to_string()).collect();
    let source = regions(&api, json!({ "api1.slices.region": all.join(",") }));
    assert_eq!(broker.run(&source).unwrap().records as usize, SLICES);
    let written = broker.offsets();
    // Of each slice that its one page was read, and that there is no more.
    let records = written.values().sum::<usize>();
    assert!((SLICES..=2 * SLICES + 1).contains(&records), "{records}");
    assert_eq!(broker.read_last("headwater-source-offsets").len(), SLICES + 1);

    last.store(1, Ordering::Relaxed);
    assert_eq!(broker.run(&source).unwrap().records, 1);
    let is_changed = |(key, times): &(String, usize)| written.get(key) != Some(times);
    let changed: Vec<_> = broker.offsets().into_iter().filter(is_changed).map(|(key, _)| key).collect();
    let of_slice = r#"["source",{"operation":"api1","slice":{"region":"1234"}}]"#;
    assert_eq!(changed, [of_slice, r#"["source",{"operation":"api1"}]"#]);
}

#[test]
fn what_makes_slices_is_checked() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    let problems = |more: Value| {
        let mut properties = apis(&["/a", "/b/${parent.id}"], json!({ "bootstrap.servers": "k:9092" }));
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        broker.problems(&config(&api, properties))
    };
    let relationship = "api.chaining.parent.child.relationship";
    let bound = json!({ relationship: "api1::api2", "api2.parent.id.json.pointer": "/id" });
    assert_eq!(problems(bound.clone()), "");
    let with = |more: Value| {
        let mut all = bound.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        problems(all)
    };
    for (more, expected) in [
        (json!({ relationship: "api1-api2" }), "holds `api1-api2`, which is not `PARENT::CHILD`"),
        (json!({ relationship: "api1::api3" }), "names `api3`, and there is no such API: they are `api1`, `api2`"),
        (json!({ relationship: "api1::api2,api2::api1" }), "makes `api1` a child of itself"),
        (json!({ relationship: "api2::api2" }), "makes `api2` a child of itself"),
        (json!({ relationship: "api1::api2,api1::api2" }), "gives `api2` more than one parent"),
        (json!({ relationship: "" }), "has no effect: `api.chaining.parent.child.relationship` gives `api2` no parent"),
        (json!({ "api2.parent.id.json.pointer": "id" }), "a JSON Pointer"),
        (json!({ "api2.parent.id": "/id" }), "does not end in `.json.pointer`"),
        (json!({ "api2.http.api.path": "/${parent.it}" }), "takes the value `it` of a slice, and the API has `id`"),
        (json!({ "api1.http.api.path": "/${slice.it}" }), "takes the value `it` of a slice, and the API has none"),
        (json!({ "api1.slices.x": " , " }), "holds no value"),
        (json!({ "api1.slices.live.start": "a" }), "has a name that the steps of a backfill have in the offsets topic"),
        (json!({ "api2.slices.id": "1" }), "is also the name of a value of the parent"),
    ] {
        let found = with(more.clone());
        assert!(found.contains(expected), "{more}: {found}");
    }
    let unbound = problems(json!({ relationship: "api1::api2", "api2.http.api.path": "/b" }));
    assert!(unbound.contains("no `api2.parent.NAME.json.pointer` says what it takes from there"), "{unbound}");
}

#[test]
fn slices_in_several_shards_are_no_more_requests_at_the_same_time() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (Arc::clone(&now), Arc::clone(&most));
    let api = ScriptedApi::start(move |_: &Received| {
        peak.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(20));
        counted.fetch_sub(1, Ordering::SeqCst);
        json!([1])
    });
    let api = api.unwrap();
    let broker = Broker::start();
    let regions: Vec<_> = (0..24).map(|region| format!("r{region}")).collect();
    let source = json!({
        "api1.http.api.path": "/${slice.region}",
        "api1.slices.region": regions.join(","),
        "api1.max.in.flight.requests": "2",
    });
    assert_eq!(broker.run(&config(&api, source)).unwrap().records, 24);
    let shards: BTreeSet<_> = broker.consume("headwater-source-offsets").iter().map(|it| it.partition).collect();
    assert!(shards.len() > 3, "{shards:?}");
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}
