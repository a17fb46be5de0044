//! Configuration as JSON: a flat object of scalars, or Connect's envelope around one.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::raw::{Entry, SyntaxError};

/// Members of the envelope that say nothing about the configuration: Connect puts them into its answers.
const IGNORED: [&str; 2] = ["tasks", "type"];

/// Reads the properties of a flat object or an envelope.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    let lines = Lines::of(text);
    let outer = members(&lines, text)?;
    let Some(config) = outer.iter().find(|member| member.name == "config" && member.is_object()) else {
        return outer.iter().filter_map(|member| member.entry(&lines)).collect();
    };
    let inner = members(&lines, config.value)?;
    let mut entries = inner.iter().filter_map(|member| member.entry(&lines)).collect::<Result<Vec<_>, _>>()?;
    for member in outer.iter().filter(|member| !IGNORED.contains(&member.name.as_str())) {
        let line = lines.line(member.value);
        match member.name.as_str() {
            "config" => {}
            "name" => {
                let Some(name) = member.entry(&lines).transpose()? else { continue };
                match entries.iter().find(|entry| entry.name == "name") {
                    Some(other) if other.text != name.text => {
                        let reason = "`name` differs from the `name` in `config`".to_owned();
                        return Err(SyntaxError { line, reason });
                    }
                    Some(_) => {}
                    None => entries.insert(0, name),
                }
            }
            other => {
                let reason = format!("`{other}` stands beside `config`, where only `name` can stand");
                return Err(SyntaxError { line, reason });
            }
        }
    }
    Ok(entries)
}

/// A member of an object, its value unread.
struct Member<'a> {
    name: String,
    value: &'a str,
}

impl Member<'_> {
    fn is_object(&self) -> bool {
        self.value.starts_with('{')
    }

    /// The property, unless it is `null`, which is as if it were not there.
    fn entry(&self, lines: &Lines<'_>) -> Option<Result<Entry, SyntaxError>> {
        let line = lines.line(self.value);
        let value = match serde_json::from_str(self.value) {
            Ok(serde_json::Value::Null) => return None,
            Ok(serde_json::Value::String(value)) => Ok(value),
            // Numbers and booleans as they are written.
            Ok(serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Ok(self.value.to_owned()),
            Ok(serde_json::Value::Array(_)) => Err("an array"),
            Ok(serde_json::Value::Object(_)) => Err("an object"),
            Err(error) => return Some(Err(syntax_error(&error, line.saturating_sub(1)))),
        };
        Some(match value {
            Ok(value) => Ok(Entry { name: self.name.clone(), text: value, line }),
            Err(found) => {
                let reason = format!("`{}` is {found}, and not a string, a number or a boolean", self.name);
                Err(SyntaxError { line, reason })
            }
        })
    }
}

/// Reads the members of `object`, which is the text of these lines or a part of it.
fn members<'a>(lines: &Lines<'_>, object: &'a str) -> Result<Vec<Member<'a>>, SyntaxError> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Member<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                members.push(Member { name, value: map.next_value::<&RawValue>()?.get() });
            }
            Ok(members)
        }
    }

    let before = lines.line(object).saturating_sub(1);
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let members = deserializer.deserialize_map(Members).and_then(|members| deserializer.end().map(|()| members));
    members.map_err(|error| syntax_error(&error, before))
}

/// A text, and where its lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, starts: std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect() }
    }

    /// The line that a part of the text begins on, from 1.
    fn line(&self, part: &str) -> usize {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.starts.partition_point(|line| *line <= start)
    }
}

/// What serde_json says, with the line where it belongs.
fn syntax_error(error: &serde_json::Error, lines_before: usize) -> SyntaxError {
    let text = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let reason = match error.classify() {
        // The message of a wrong type quotes the value, which may be a secret.
        serde_json::error::Category::Data => "expected an object".to_owned(),
        _ => format!("{} at column {}", text.strip_suffix(&suffix).unwrap_or(&text), error.column()),
    };
    SyntaxError { line: lines_before + error.line().max(1), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.line, error.reason)
    }

    #[test]
    fn keeps_lines_in_both_forms() {
        let lines = |text| parse(text).unwrap().iter().map(|entry| entry.line).collect::<Vec<_>>();
        assert_eq!(lines("{\n\"a\": 1,\n\n\"b\": 2}"), [2, 4]);
        assert_eq!(lines("{\n\"config\": {\n\"a\": 1,\n\"b\": 2}}"), [3, 4]);
    }

    #[test]
    fn refuses_what_is_no_configuration() {
        assert_eq!(
            refused("{\"a\":\n[1]}"),
            (2, "`a` is an array, and not a string, a number or a boolean".to_owned())
        );
        assert_eq!(refused("{\"a\": {}}").1, "`a` is an object, and not a string, a number or a boolean");
        assert_eq!(refused("\"s3cr3t\""), (1, "expected an object".to_owned()));
        assert_eq!(
            refused("{\"config\": {},\n\"x\": 1}"),
            (2, "`x` stands beside `config`, where only `name` can stand".to_owned())
        );
        assert_eq!(
            refused("{\"name\": \"a\", \"config\": {\"name\": \"b\"}}").1,
            "`name` differs from the `name` in `config`"
        );
        assert_eq!(refused("{\"a\": 1} x").0, 1);
        assert_eq!(refused("").0, 1);
    }

    #[test]
    fn takes_what_connect_answers() {
        let text = r#"{"name": "n", "config": {"name": "n", "a": "1"}, "tasks": [{"task": 0}], "type": "source"}"#;
        let entries = parse(text).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["name", "a"]);
    }
}
