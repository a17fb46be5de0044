//! GitHub's own document: the operation that lists a repository's issues, out of hundreds, with only the types that it
//! reaches; and what it puts into a real Kafka, read by a client that shares no code with ours.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::collections::BTreeSet;
use std::path::Path;

use headwater_tests::{
    PagedApi, build_generated, configuration, create_topic, generate, python, real_parts, unique_name, workspace,
};
use serde_json::{Map, Value, json};

/// The document is not ours, so it is not in the repository.
const DOCUMENT: &str = "../shared/specs/github-api.github.com.json";

const OVERLAY: &str = r#"
overlay: 1.0.0
info: {title: Issues as a stream, version: 1.0.0}
actions:
  - target: $.paths['/repos/{owner}/{repo}/issues'].get
    update:
      x-kafka-source:
        topic: github.issues
        key: /id
        pagination: {style: link-header}
        offset: {mode: timestamp, field: /updated_at, parameter: since}
        parameters: {owner: "${config:owner}", repo: "${config:repo}", state: all, per_page: 100}
"#;

#[test]
fn a_thousand_issues_of_the_real_document_reach_kafka_with_every_field() {
    let document = workspace().join(DOCUMENT);
    if !document.is_file() {
        eprintln!("skipped: {DOCUMENT} is not here");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let overlay = scratch.path().join("overlay.yaml");
    std::fs::write(&overlay, OVERLAY).unwrap();
    let crate_dir = scratch.path().join("connector");
    generate(&document, &overlay, &crate_dir, "real-github-issues").unwrap();
    let models = std::fs::read_dir(crate_dir.join("src/models")).unwrap().count();
    assert!(models < 40, "{models} files for the types of one operation");
    let program = build_generated(&crate_dir, "real-github-issues").unwrap();

    let document: Value = serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
    let issues: Vec<_> = (0..1_000).map(|index| issue(&document, index)).collect();
    let path = "/repos/acme/rocket/issues";
    let api = PagedApi::start(path, "updated_at", &issues, 100).unwrap();

    let Some(parts) = real_parts().unwrap() else { return };
    let topic = unique_name("github-issues");
    create_topic(&parts.bootstrap, &topic, 3, &[]).unwrap();
    let config = scratch.path().join("connector.json");
    let mut settings = configuration(parts, &topic, &api.url());
    settings["api1.topics"] = json!(topic);
    settings["owner"] = json!("acme");
    settings["repo"] = json!("rocket");
    std::fs::write(&config, settings.to_string()).unwrap();
    let output = std::process::Command::new(program).args(["run", "--once", "--config"]).arg(&config).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(api.requests(), 10);

    let Some(python) = python().unwrap() else { return };
    let mut read = python.read_avro(parts, &topic, &[]).unwrap();
    assert_eq!(read.len(), 1_000);
    read.sort_by_key(|record| record["value"]["id"].as_i64());
    let schema = schema(&crate_dir);
    for (issue, record) in issues.iter().zip(&read) {
        assert_eq!(record["key"].as_str(), Some(issue["id"].to_string().as_str()));
        assert_eq!(record["value"], expected(issue, &schema, &schema, &mut Vec::new()), "issue {}", issue["id"]);
    }
}

/// The one emitted schema.
fn schema(crate_dir: &Path) -> Value {
    let file = std::fs::read_dir(crate_dir.join("schemas/avro")).unwrap().next().unwrap().unwrap();
    serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap()
}

/// What a reader of `schema` must see of `value`.
fn expected(value: &Value, schema: &Value, root: &Value, place: &mut Vec<String>) -> Value {
    match schema {
        Value::Array(branches) => {
            if value.is_null() {
                assert!(branches.contains(&json!("null")), "{place:?} is null");
                return Value::Null;
            }
            let branch = branches
                .iter()
                .find(|branch| *branch != "null" && (branches.len() == 2 || is_of_kind(value, branch)))
                .unwrap_or_else(|| panic!("no branch for {value} at {place:?}"));
            expected(value, branch, root, place)
        }
        Value::String(name) => match name.as_str() {
            "string" if !value.is_string() => json!(value.to_string()),
            "string" | "boolean" | "long" | "int" | "double" | "float" => value.clone(),
            named => expected(value, definition(root, named).unwrap(), root, place),
        },
        Value::Object(object) => match (object["type"].as_str().unwrap(), object.get("logicalType")) {
            (_, Some(logical)) if logical == "timestamp-millis" => {
                json!(value.as_str().unwrap().replace('Z', ".000000Z"))
            }
            ("array", _) => value
                .as_array()
                .unwrap_or_else(|| panic!("no array at {place:?}: {value}"))
                .iter()
                .map(|item| expected(item, &object["items"], root, place))
                .collect(),
            ("map", _) => {
                let entries = value.as_object().unwrap().iter();
                entries.map(|(key, value)| (key.clone(), expected(value, &object["values"], root, place))).collect()
            }
            ("record", _) => {
                let mut known = BTreeSet::new();
                let fields = object["fields"].as_array().unwrap().iter().map(|field| {
                    let name = field["name"].as_str().unwrap();
                    let wire_name = field.get("jsonName").and_then(Value::as_str).unwrap_or(name);
                    known.insert(wire_name);
                    place.push(name.to_owned());
                    let value = value.get(wire_name).unwrap_or(&Value::Null);
                    // Maps of what the document does not name: the samples have nothing of it.
                    let is_rest = field["default"] == json!({});
                    let field = if is_rest { json!({}) } else { expected(value, &field["type"], root, place) };
                    place.pop();
                    (name.to_owned(), field)
                });
                let fields: Map<_, _> = fields.collect();
                for name in value.as_object().unwrap().keys() {
                    assert!(known.contains(name.as_str()), "the schema has no `{name}` at {place:?}");
                }
                Value::Object(fields)
            }
            (name, _) => expected(value, &json!(name), root, place),
        },
        _ => panic!("no schema: {schema}"),
    }
}

fn is_of_kind(value: &Value, branch: &Value) -> bool {
    let kind = branch.get("type").unwrap_or(branch).as_str().unwrap();
    match value {
        Value::String(_) => kind == "string",
        Value::Object(_) => !["string", "array", "long", "int", "double", "boolean"].contains(&kind),
        Value::Array(_) => kind == "array",
        Value::Number(_) => ["long", "int", "double", "float"].contains(&kind),
        Value::Bool(_) => kind == "boolean",
        Value::Null => false,
    }
}

/// The definition of a named type in an Avro schema, by name with or without namespace.
fn definition<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let short = name.rsplit('.').next().unwrap_or(name);
    match schema {
        Value::Object(object) if object.get("name").is_some_and(|it| it == short) && object.contains_key("fields") => {
            Some(schema)
        }
        Value::Object(object) => object.values().find_map(|value| definition(value, name)),
        Value::Array(array) => array.iter().find_map(|value| definition(value, name)),
        _ => None,
    }
}

/// An issue that is true to the document's schema, and has every declared field now and then.
fn issue(document: &Value, index: u64) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/issue-simple" });
    let mut choices = Choices(index);
    let mut issue = sample(document, &schema, "issue", 6, &mut choices).unwrap();
    issue["id"] = json!(10_000_000_000_u64 + index);
    issue["number"] = json!(index + 1);
    issue["title"] = json!(format!("Täglich \"{index}\" \\ 你好 \u{1F680}\n"));
    issue["updated_at"] = json!(instant(index * 61));
    issue
}

fn sample(document: &Value, schema: &Value, name: &str, depth: u32, choices: &mut Choices) -> Option<Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return sample(document, document.pointer(reference.strip_prefix('#')?)?, name, depth, choices);
    }
    if schema["nullable"] == true && (depth == 0 || choices.below(4) == 0) {
        return Some(Value::Null);
    }
    if let Some(branches) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let branch = &branches[choices.below(branches.len() as u64) as usize];
        return sample(document, branch, name, depth, choices);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut merged = Map::new();
        for part in parts {
            match sample(document, part, name, depth, choices)? {
                Value::Object(object) => merged.extend(object),
                other => return Some(other),
            }
        }
        return Some(Value::Object(merged));
    }
    if let Some(values) = schema["enum"].as_array() {
        return Some(values[choices.below(values.len() as u64) as usize].clone());
    }
    Some(match schema["type"].as_str() {
        Some("integer") => json!(choices.below(1 << 30)),
        Some("number") => json!(choices.below(1_000) as f64 / 8.0),
        Some("boolean") => json!(choices.below(2) == 0),
        Some("array") => {
            let len = if depth == 0 { 0 } else { choices.below(3) };
            (0..len).filter_map(|_| sample(document, &schema["items"], name, depth - 1, choices)).collect()
        }
        Some("string") => match schema["format"].as_str() {
            Some("date-time") => json!(instant(choices.below(1 << 28))),
            _ => json!(format!("{name} {}", choices.below(100))),
        },
        _ => {
            let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
            let mut object = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let is_required = required.iter().any(|it| *it == name);
                if is_required || (depth > 0 && choices.below(4) > 0) {
                    let value = sample(document, property, name, depth.saturating_sub(1), choices)?;
                    object.insert(name.clone(), value);
                }
            }
            Value::Object(object)
        }
    })
}

/// So many seconds after the beginning of 2024, within that January.
fn instant(seconds: u64) -> String {
    let seconds = seconds % (31 * 86_400);
    let (day, hour, minute, second) = (seconds / 86_400 + 1, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("2024-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same choices for the same seed (splitmix64).
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
