//! Files → JSON values.

use std::fs;
use std::path::Path;

use serde_json::{Map, Number, Value};

use super::yaml::Yaml;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Spot};

/// Reads a JSON or YAML file: by its extension, or by its first character where that says nothing.
pub(super) fn read(path: &Path) -> Result<Value, Diagnostics> {
    let file = path.display().to_string();
    let text = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Diagnostic::error(format!("the file `{file}` does not exist")).at(Place::file(&file)).into());
        }
        Err(error) => {
            return Err(Diagnostic::error(format!("reading `{file}`: {error}")).at(Place::file(&file)).into());
        }
    };
    self::text(path, &file, text)
}

/// Reads the text of a file that is called `file`.
pub(super) fn text(path: &Path, file: &str, text: Vec<u8>) -> Result<Value, Diagnostics> {
    let text =
        String::from_utf8(text).map_err(|_| Diagnostic::error("the file is not UTF-8 text").at(Place::file(file)))?;
    parse(file, &text, is_json(path, &text))
}

fn is_json(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text.trim_start().starts_with('{'),
    }
}

fn parse(file: &str, text: &str, is_json: bool) -> Result<Value, Diagnostics> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let at = |line: usize, column: usize| Place { file: file.to_owned(), spot: Spot::Text { line, column } };
    if is_json {
        return serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
            Diagnostic::error(format!("the JSON cannot be read: {reason}")).at(at(error.line(), error.column())).into()
        });
    }
    // By way of YAML's own value: keys that are not text are dealt with on the way over.
    let Yaml(mut value) = serde_yaml::from_str(text).map_err(|error| yaml_error(file, &error))?;
    value.apply_merge().map_err(|error| yaml_error(file, &error))?;
    Ok(to_json(value))
}

fn yaml_error(file: &str, error: &serde_yaml::Error) -> Diagnostics {
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or(&message);
    let place = match error.location() {
        Some(location) => {
            Place { file: file.to_owned(), spot: Spot::Text { line: location.line(), column: location.column() } }
        }
        None => Place::file(file),
    };
    Diagnostic::error(format!("the YAML cannot be read: {reason}")).at(place).into()
}

fn to_json(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::Number(number) => number_to_json(&number),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Sequence(items) => items.into_iter().map(to_json).collect(),
        serde_yaml::Value::Mapping(entries) => Value::Object(
            entries.into_iter().map(|(key, value)| (key_to_text(key), to_json(value))).collect::<Map<_, _>>(),
        ),
        serde_yaml::Value::Tagged(tagged) => to_json(tagged.value),
    }
}

fn number_to_json(number: &serde_yaml::Number) -> Value {
    let integer = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
    let number = integer.or_else(|| number.as_f64().and_then(Number::from_f64));
    number.map_or(Value::Null, Value::Number)
}

/// JSON's keys are text; `200:` is written without quotes in many documents.
fn key_to_text(key: serde_yaml::Value) -> String {
    match to_json(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn only(read: Result<Value, Diagnostics>) -> Diagnostic {
        read.unwrap_err().iter().next().unwrap().clone()
    }

    #[test]
    fn yaml_becomes_json() {
        let text = "a: &x {200: ok, true: 1}\nb:\n  <<: *x\n  c: 2024-01-01\nd: [1.5, 18446744073709551615, !t q]\n";
        assert_eq!(
            parse("f", text, false).unwrap(),
            json!({"a": {"200": "ok", "true": 1}, "b": {"c": "2024-01-01", "200": "ok", "true": 1}, "d": [1.5, u64::MAX, "q"]})
        );
    }

    #[test]
    fn syntax_errors_say_where() {
        let error = only(parse("f.yaml", "a: 1\nb: [1,\nc: }\n", false));
        assert_eq!(error.place.unwrap().to_string(), "f.yaml:3:4");
        let error = only(parse("f.json", "{\n  \"a\": nul\n}", true));
        assert_eq!(error.message, "the JSON cannot be read: expected ident");
        assert_eq!(error.place.unwrap().to_string(), "f.json:3:0");
    }

    #[test]
    fn the_extension_decides_and_then_the_text() {
        assert!(is_json(Path::new("a.json"), "a: 1"));
        assert!(!is_json(Path::new("a.yml"), "{}"));
        assert!(is_json(Path::new("a"), " {}"));
        assert!(!is_json(Path::new("a"), "a: 1"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = only(read(Path::new("no/such.yaml")));
        assert_eq!(error.message, "the file `no/such.yaml` does not exist");
    }
}
