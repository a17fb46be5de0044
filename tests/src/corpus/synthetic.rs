//! Documents larger than any real one: another, with everything in it twice or more, and one of thousands of files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::HarnessError;

/// Operations that the document has at least.
const OPERATIONS: usize = 1_200;

/// Bytes of JSON that it has at least.
const BYTES: usize = 13_000_000;

/// What an operation stands under.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Writes the document that has the paths and component schemas of another over and over, under names of their own: the
/// paths until there are enough operations, the schemas until there are enough bytes. `from` is JSON.
///
/// # Errors
///
/// If a file cannot be read or written, or `from` is no OpenAPI document in JSON.
pub fn write(from: &Path, to: &Path) -> Result<(), HarnessError> {
    let text = fs::read_to_string(from).map_err(HarnessError::io(format!("reading {}", from.display())))?;
    let wrong = |what: &str| HarnessError::Setup(format!("{}: {what}", from.display()));
    let mut document: Value = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
    let object = |pointer: &str| document.pointer(pointer).and_then(Value::as_object).cloned();
    let paths = object("/paths").ok_or_else(|| wrong("no `paths`"))?;
    let schemas = object("/components/schemas").ok_or_else(|| wrong("no `components.schemas`"))?;
    let operations = paths.values().map(operations).sum::<usize>().max(1);

    // What the other components refer to is the first copy.
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.values_mut().for_each(|component| rename(component, 0));
        components.insert("schemas".to_owned(), Value::Object(Map::new()));
    }
    document["paths"] = Value::Object(Map::new());
    let path_copies = OPERATIONS.div_ceil(operations);
    for copy in 0..path_copies {
        extend(&mut document["paths"], &paths, |path| format!("/copy{copy}{path}"), copy);
    }
    let one = text_of(&Value::Object(schemas.clone())).len().max(1);
    let missing = BYTES.saturating_sub(text_of(&document).len());
    for copy in 0..missing.div_ceil(one).max(path_copies) {
        extend(&mut document["components"]["schemas"], &schemas, |name| format!("{name}-copy{copy}"), copy);
    }
    fs::write(to, text_of(&document)).map_err(HarnessError::io(format!("writing {}", to.display())))
}

/// Files of the document that is spread over many, its root included: as many as the largest real one has.
const FILES: usize = 2_900;

/// Writes a document that is spread over many files: one for each path, and one for each schema that these refer to. Its root
/// is `openapi.yaml` in `folder`.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_files(folder: &Path) -> Result<(), HarnessError> {
    let create = |name: &str| {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).map_err(HarnessError::io(format!("creating {}", folder.display())))
    };
    create("paths")?;
    create("schemas")?;
    let write = |name: String, text: String| {
        let file = folder.join(name);
        fs::write(&file, text).map_err(HarnessError::io(format!("writing {}", file.display())))
    };
    let paths = (FILES - 1) / 2;
    let schemas = FILES - 1 - paths;
    let mut root = "openapi: 3.0.3\ninfo: {title: Many files, version: \"1\"}\npaths:\n".to_owned();
    for path in 0..paths {
        // Writing to a string cannot fail.
        let _ = writeln!(root, "  /things{path}: {{$ref: 'paths/things{path}.yaml'}}");
        let text = format!(
            "get:\n  operationId: listThings{path}\n  parameters:\n    - {{name: page, in: query, schema: {{type: integer}}}}\n  \
             responses:\n    '200':\n      description: Things.\n      content:\n        application/json:\n          schema: \
             {{type: array, items: {{$ref: '../schemas/thing{path}.yaml'}}}}\n"
        );
        write(format!("paths/things{path}.yaml"), text)?;
    }
    for schema in 0..schemas {
        // Every other one holds the next, so that files lead to files.
        let next = (schema + 1) % schemas;
        let held = if schema % 2 == 0 { format!("  next: {{$ref: 'thing{next}.yaml'}}\n") } else { String::new() };
        let text = format!(
            "type: object\nrequired: [id]\nproperties:\n  id: {{type: string}}\n  name: {{type: string}}\n  \
             made_at: {{type: string, format: date-time}}\n{held}"
        );
        write(format!("schemas/thing{schema}.yaml"), text)?;
    }
    write("openapi.yaml".to_owned(), root)
}

/// Indented, as large documents come.
fn text_of(value: &Value) -> String {
    format!("{value:#}")
}

fn extend(to: &mut Value, from: &Map<String, Value>, name: impl Fn(&str) -> String, copy: usize) {
    if let Some(to) = to.as_object_mut() {
        to.extend(from.iter().map(|(key, value)| {
            let mut value = value.clone();
            rename(&mut value, copy);
            (name(key), value)
        }));
    }
}

fn operations(item: &Value) -> usize {
    item.as_object().map_or(0, |item| item.keys().filter(|key| METHODS.contains(&key.as_str())).count())
}

/// Gives a copy's operations ids of their own, and its references the names of the copied schemas.
fn rename(value: &mut Value, copy: usize) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), &mut *value) {
                    ("operationId", Value::String(id)) => *id = format!("{id}-copy{copy}"),
                    ("$ref", Value::String(reference)) if reference.starts_with("#/components/schemas/") => {
                        *reference = format!("{reference}-copy{copy}");
                    }
                    _ => rename(value, copy),
                }
            }
        }
        Value::Array(array) => array.iter_mut().for_each(|value| rename(value, copy)),
        _ => {}
    }
}
