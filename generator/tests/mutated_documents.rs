//! Documents with random faults: whatever is wrong with a document, what comes of it is a plan that can be emitted, or
//! diagnostics; never a panic, never nothing at all, and never without a bound in time or memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test says why it fails or is skipped")]

use std::alloc::System;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cap::Cap;
use headwater::document::Document;
use headwater::emit::{EmitOptions, RuntimeDependency, emit};
use headwater::plan::model::{ConnectorPlan, TypeKind};
use headwater::plan::{PlanOptions, Selection, plan, survey};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

/// Refuses memory beyond [`MEMORY`], which ends the process.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

/// How many bytes all tests of this file may hold at once: far above what they take, and far below what a fault that feeds on
/// itself would.
const MEMORY: usize = 1 << 30;

/// How many documents are tried.
const CASES: u32 = 512;

/// What a command gets.
const STACK: usize = 8 << 20;

/// When a document is given up as one that never comes to an end: far above what the slowest takes.
const FOREVER: Duration = Duration::from_secs(600);

/// Documents of our own, those of every quirk among them, and small ones that others wrote where they are at hand.
fn originals() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let own = ["specs/github-issues/openapi.yaml", "specs/petstore-events/openapi.yaml"];
    let others = ["oai-petstore.yaml", "oai-tictactoe.yaml", "nasa-asteroids_neows.json", "redocly-openapi.yaml"];
    let others = others.map(|name| format!("../shared/specs/{name}"));
    let mut found: Vec<Value> = own.iter().map(|name| read(&root.join(name))).collect();
    for name in others {
        let path = root.join(name);
        if path.exists() {
            found.push(read(&path));
        } else {
            eprintln!("skipped: no {}", path.display());
        }
    }
    let quirks = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quirks")).unwrap();
    let mut quirks: Vec<_> = quirks.map(|entry| entry.unwrap().path()).collect();
    quirks.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    quirks.sort();
    // A document with a number that is beyond what JSON's values hold here stays out.
    found.extend(quirks.iter().filter_map(|path| serde_yaml::from_str(&fs::read_to_string(path).unwrap()).ok()));
    found
}

fn read(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// One fault.
#[derive(Clone, Debug)]
enum Fault {
    Delete(Index),
    Duplicate(Index),
    Retype(Index, usize),
    Swap(Index, Index),
    Rename(Index, usize),
    /// Puts a value into many schemas, one within the other.
    Nest(Index, usize, usize),
    /// Makes a place a reference to another one, which may be around it.
    Refer(Index, Index),
    Lengthen(Index),
}

const KEYS: [&str; 10] = ["", "type", "x-", "a/b~c", "$ref", "allOf", "get", "200", "schema", "\u{1F980} #?%41"];

fn values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(7),
        json!(-1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("text"),
        json!(""),
        json!([]),
        json!({}),
        json!([{}, null]),
        json!({"$ref": "#/components/schemas/Nope"}),
        json!({"$ref": "#"}),
        json!({"$ref": "nope.yaml#/a"}),
        json!({"$ref": "https://example.com/a.json"}),
        json!({"$ref": 7}),
        json!(["string", "null"]),
        json!({"type": "object", "allOf": [{"type": "string"}], "enum": [1, "a", null]}),
    ];
    values.push(Value::String("a\u{0}\u{202e}'\"\\*/ ]]> {{ }}\n".repeat(3)));
    values
}

fn faults() -> impl Strategy<Value = Fault> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Fault::Delete),
        index().prop_map(Fault::Duplicate),
        (index(), 0..values().len()).prop_map(|(at, value)| Fault::Retype(at, value)),
        (index(), index()).prop_map(|(left, right)| Fault::Swap(left, right)),
        (index(), 0..KEYS.len()).prop_map(|(at, key)| Fault::Rename(at, key)),
        (index(), 0_usize..4, prop_oneof![Just(3_usize), Just(40)])
            .prop_map(|(at, by, deep)| Fault::Nest(at, by, deep)),
        (index(), index()).prop_map(|(at, to)| Fault::Refer(at, to)),
        index().prop_map(Fault::Lengthen),
    ]
}

fn apply(document: &mut Value, fault: &Fault) {
    let mut places = Vec::new();
    pointers(document, &mut String::new(), &mut places);
    let at = |index: &Index| index.get(&places).clone();
    if places.is_empty() {
        return;
    }
    match fault {
        Fault::Delete(index) => edit(document, &at(index), |holder, key| drop(taken(holder, key))),
        Fault::Duplicate(index) => edit(document, &at(index), |holder, key| match holder {
            Value::Array(items) => {
                if let Some(item) = key.parse::<usize>().ok().and_then(|index| items.get(index)).cloned() {
                    items.push(item);
                }
            }
            Value::Object(object) => {
                if let Some(value) = object.get(key).cloned() {
                    object.insert(format!("{key}2"), value);
                }
            }
            _ => {}
        }),
        Fault::Retype(index, value) => set(document, &at(index), values().swap_remove(*value)),
        Fault::Swap(left, right) => {
            let (left, right) = (at(left), at(right));
            let values = [&left, &right].map(|at| document.pointer(at).cloned().unwrap_or_default());
            let [of_left, of_right] = values;
            set(document, &left, of_right);
            set(document, &right, of_left);
        }
        Fault::Rename(index, name) => edit(document, &at(index), |holder, key| {
            let value = taken(holder, key);
            if let (Value::Object(object), Some(value)) = (holder, value) {
                object.insert(KEYS[*name].to_owned(), value);
            }
        }),
        Fault::Nest(index, by, deep) => {
            let at = at(index);
            let mut value = document.pointer(&at).cloned().unwrap_or_default();
            for _ in 0..*deep {
                value = match by {
                    0 => json!({ "allOf": [value] }),
                    1 => json!({ "type": "array", "items": value }),
                    2 => json!({ "type": "object", "properties": { "a": value } }),
                    _ => json!({ "oneOf": [value, {"type": "string"}] }),
                };
            }
            set(document, &at, value);
        }
        Fault::Refer(index, to) => {
            let target = format!("#{}", at(to));
            set(document, &at(index), json!({ "$ref": target }));
        }
        Fault::Lengthen(index) => set(document, &at(index), json!("long ".repeat(20_000))),
    }
}

fn pointers(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let mut visit = |key: &str, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        found.push(at.clone());
        pointers(value, at, found);
        at.truncate(length);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| visit(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| visit(&index.to_string(), value)),
        _ => {}
    }
}

fn edit(document: &mut Value, at: &str, change: impl FnOnce(&mut Value, &str)) {
    let (holder, key) = at.rsplit_once('/').unwrap();
    if let Some(holder) = document.pointer_mut(holder) {
        change(holder, &key.replace("~1", "/").replace("~0", "~"));
    }
}

fn taken(holder: &mut Value, key: &str) -> Option<Value> {
    match holder {
        Value::Object(object) => object.shift_remove(key),
        Value::Array(items) => key.parse().ok().filter(|index| *index < items.len()).map(|index| items.remove(index)),
        _ => None,
    }
}

fn set(document: &mut Value, at: &str, value: Value) {
    if let Some(place) = document.pointer_mut(at) {
        *place = value;
    }
}

/// What comes of a document; `Err`: why that is not as it should be.
fn outcome(path: &Path) -> Result<(), String> {
    let document = match Document::load(path, &[]) {
        Ok(document) => document,
        Err(said) if said.has_errors() => return Ok(()),
        Err(_) => return Err("refused without an error".to_owned()),
    };
    if survey(&document).is_err_and(|said| !said.has_errors()) {
        return Err("no survey, and no error".to_owned());
    }
    let options = PlanOptions { selection: Selection::All, configures_missing: true, ..PlanOptions::default() };
    match plan(&document, &options) {
        Ok(planned) => {
            let told = planned.plan.streams.len() + planned.left_out.len();
            if told != planned.operations {
                return Err(format!("{} operations, but {told} told of", planned.operations));
            }
            let options = EmitOptions { runtime: RuntimeDependency::Version("0.1.0".to_owned()) };
            emit(&planned.plan, &options).map(drop).map_err(|error| {
                format!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default())
            })
        }
        Err(said) if said.has_errors() => Ok(()),
        Err(_) => Err("no plan, and no error".to_owned()),
    }
}

/// The same, in a thread that can be given up.
fn watched(path: PathBuf) -> Result<(), String> {
    let (send, receive) = mpsc::channel();
    let work = move || send.send(outcome(&path));
    let _thread = thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
    match receive.recv_timeout(FOREVER) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Err("it does not come to an end".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("it panics".to_owned()),
    }
}

#[test]
fn every_outcome_is_a_plan_or_diagnostics() {
    let originals = originals();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.json");
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 8, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = (any::<Index>(), proptest::collection::vec(faults(), 1..12));
    runner
        .run(&strategy, |(original, faults)| {
            let mut document = original.get(&originals).clone();
            faults.iter().for_each(|fault| apply(&mut document, fault));
            fs::write(&path, document.to_string()).unwrap();
            watched(path.clone()).map_err(proptest::test_runner::TestCaseError::fail)
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// As deep as a file can be nested: JSON and YAML are read to a depth of 128.
#[test]
fn depth_is_no_danger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.json");
    for by in 0..4 {
        for deep in [10, 25, 50, 100] {
            let mut document = originals().swap_remove(1);
            let mut places = Vec::new();
            pointers(&document, &mut String::new(), &mut places);
            let schema =
                places.iter().find(|at| at.matches('/').count() == 3 && at.starts_with("/components/schemas/"));
            let index = places.iter().position(|at| Some(at) == schema).unwrap();
            let mut value = document.pointer(&places[index]).cloned().unwrap();
            for _ in 0..deep {
                value = match by {
                    0 => json!({ "allOf": [value] }),
                    1 => json!({ "type": "array", "items": value }),
                    2 => json!({ "type": "object", "properties": { "a": value } }),
                    _ => json!({ "oneOf": [value, {"type": "string"}] }),
                };
            }
            set(&mut document, &places[index], value);
            fs::write(&path, document.to_string()).unwrap();
            assert_eq!(watched(path.clone()), Ok(()), "{by} {deep}");
        }
    }
}

/// What is promised of order: the streams stand in the document's order, and neither they nor their types depend on it.
#[test]
fn the_order_of_keys_changes_no_type_and_no_stream() {
    let folder = tempfile::tempdir().unwrap();
    let names = |document: &Value| -> BTreeSet<String> {
        let path = folder.path().join("document.json");
        fs::write(&path, document.to_string()).unwrap();
        let document = Document::load(&path, &[]).unwrap();
        let options = PlanOptions { selection: Selection::All, configures_missing: true, ..PlanOptions::default() };
        plan(&document, &options).map(|planned| described(&planned.plan)).unwrap_or_default()
    };
    for document in originals() {
        let as_written = names(&document);
        for seed in 1..4 {
            assert_eq!(names(&shuffled(&document, seed)), as_written);
        }
    }
}

/// Streams and types, with what they hold, whatever their order.
fn described(plan: &ConnectorPlan) -> BTreeSet<String> {
    let streams = plan
        .streams
        .iter()
        .map(|stream| format!("{} {} {} {:?}", stream.operation_id, stream.rust_name, stream.topic, stream.pagination));
    let types = plan.types.iter().filter_map(|ty| match &ty.kind {
        TypeKind::Struct(of) => {
            let fields: BTreeSet<_> =
                of.fields.iter().map(|field| (&field.wire_name, field.element.optional)).collect();
            Some(format!("{:?} {fields:?}", of.names))
        }
        TypeKind::Enum(of) => Some(format!("{:?} {:?}", of.names, of.values)),
        TypeKind::Union(of) => Some(format!("{:?} {}", of.names, of.variants.len())),
        _ => None,
    });
    streams.chain(types).collect()
}

/// The document with the keys of every object in another order.
fn shuffled(value: &Value, seed: u64) -> Value {
    let order = |key: &str| key.bytes().fold(seed, |hash, byte| hash.wrapping_mul(1_099_511_628_211) ^ u64::from(byte));
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| order(key));
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), shuffled(value, seed)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| shuffled(item, seed)).collect(),
        other => other.clone(),
    }
}
