//! The annotations of a plan, spelled out as an OpenAPI Overlay 1.0 for a person to edit.

use std::fmt::Write as _;

use serde_json::Value;

use super::EmitError;
use crate::plan::model::{
    BackfillPlan, ConnectorPlan, ListedValues, OffsetMode, PaginationPlan, ParameterValue, StreamPlan, TokenIn,
    TokenPlace, Until,
};

/// The overlay in YAML. Laid over the document of the plan, it annotates every stream of it, and gives the same plan.
///
/// # Errors
///
/// If what was written is not YAML: a fault of the generator.
pub fn overlay(plan: &ConnectorPlan) -> Result<String, EmitError> {
    let mut out = Lines(String::new());
    out.comment(0, &format!("The streams of {}, as `headwater init` infers them.", plan.document.file));
    out.comment(
        0,
        "Before each value stand the rule that it comes from and the reason; change what is wrong, delete the",
    );
    out.comment(0, "actions of what should be no stream, and then: headwater generate … --overlay THIS --out DIR");
    out.entry(0, "overlay", "1.0.0");
    out.line(0, "info:");
    out.entry(2, "title", &quoted(&format!("{} as streams", plan.document.title)));
    out.entry(2, "version", "1.0.0");
    out.line(0, "actions:");
    out.entry(2, "- target", "$");
    out.line(4, "update:");
    out.line(6, "x-kafka-connector:");
    out.entry(8, "name", &text(&plan.name));
    for stream in &plan.streams {
        out.stream(plan, stream);
    }
    match serde_yaml::from_str::<Value>(&out.0) {
        Ok(_) => Ok(out.0),
        Err(source) => Err(EmitError::Yaml { path: "overlay.yaml".to_owned(), source: Box::new(source) }),
    }
}

/// Columns that the keys of an annotation are indented by.
const KEYS: usize = 8;

struct Lines(String);

impl Lines {
    fn line(&mut self, indent: usize, line: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "{:indent$}{line}", "");
    }

    fn entry(&mut self, indent: usize, key: &str, value: &str) {
        self.line(indent, &format!("{key}: {value}"));
    }

    /// A comment. What would end its line does not.
    fn comment(&mut self, indent: usize, comment: &str) {
        let words: Vec<&str> = comment.split(|c: char| c.is_whitespace() || is_unprintable(c)).collect();
        self.line(indent, &format!("# {}", words.join(" ")));
    }

    /// Says why `subject` is what it is, or what it would be for if there is none.
    fn reason(&mut self, stream: &StreamPlan, subject: &str, otherwise: Option<&str>) {
        match stream.inferences.iter().find(|inference| inference.subject == subject) {
            Some(inference) => self.comment(KEYS, &format!("{}: {}", inference.rule, inference.reason)),
            None => otherwise.into_iter().for_each(|otherwise| self.comment(KEYS, otherwise)),
        }
    }

    fn stream(&mut self, plan: &ConnectorPlan, stream: &StreamPlan) {
        self.line(0, "");
        let summary = stream.summary.as_ref().map(|summary| format!(": {summary}")).unwrap_or_default();
        self.comment(2, &format!("{}{summary}", stream.operation_id));
        self.entry(2, "- target", &quoted(&target(stream)));
        self.line(4, "update:");
        self.line(6, "x-kafka-source:");
        self.reason(stream, "topic", None);
        self.entry(KEYS, "topic", &text(&stream.topic));
        self.reason(stream, "records", None);
        self.entry(KEYS, "records", &text(&stream.records));
        match &stream.key {
            Some(key) => {
                self.reason(stream, "key", None);
                self.entry(KEYS, "key", &text(&key.pointer));
            }
            None if plan.is_undescribed(stream) => {
                self.comment(KEYS, "key: the document does not describe the records; describe their fields to name one")
            }
            None => {
                self.comment(KEYS, "key: nothing that every record has looks like one; write a pointer such as /id")
            }
        }
        if let Some(timestamp) = &stream.timestamp {
            self.entry(KEYS, "timestamp", &text(&timestamp.pointer));
        }
        self.pagination(stream);
        self.offset(stream);
        self.parent(stream);
        self.parameters(stream);
        self.slices(stream);
        self.backfill(stream);
        for subject in ["auth", "rate-limit"] {
            for inference in stream.inferences.iter().filter(|inference| inference.subject == subject) {
                self.comment(KEYS, &format!("{subject}: {} ({})", inference.value, inference.reason));
            }
        }
    }

    fn pagination(&mut self, stream: &StreamPlan) {
        self.reason(stream, "pagination", None);
        self.line(KEYS, "pagination:");
        let at = KEYS + 2;
        let has_limit = match &stream.pagination {
            PaginationPlan::None => {
                self.entry(at, "style", "none");
                false
            }
            PaginationPlan::LinkHeader => {
                self.entry(at, "style", "link-header");
                false
            }
            PaginationPlan::NextUrl { pointer, delta } => {
                self.entry(at, "style", "next-url");
                self.entry(at, "pointer", &text(&pointer.annotated()));
                if let Some(delta) = delta {
                    self.entry(at, "delta", &text(delta));
                }
                false
            }
            PaginationPlan::Cursor { pointer, parameter, initial } => {
                self.entry(at, "style", "cursor");
                self.entry(at, "pointer", &text(&pointer.annotated()));
                self.token(at, parameter);
                if let Some(initial) = initial {
                    self.entry(at, "initial", &quoted(initial));
                }
                true
            }
            PaginationPlan::LastRecord { parameter, has_more } => {
                self.entry(at, "style", "last-record");
                self.token(at, parameter);
                if let Some(has_more) = has_more {
                    self.entry(at, "has_more", &text(has_more));
                }
                true
            }
            PaginationPlan::Offset { parameter, until, .. } => {
                self.entry(at, "style", "offset");
                self.token(at, parameter);
                self.until(at, until);
                true
            }
            PaginationPlan::Page { parameter, first, until, .. } => {
                self.entry(at, "style", "page");
                self.token(at, parameter);
                self.entry(at, "first", &first.to_string());
                self.until(at, until);
                true
            }
        };
        if let Some(parameter) = stream.page_size_parameter.as_ref().filter(|_| has_limit) {
            self.entry(at, "limit_parameter", &text(parameter));
        }
    }

    fn token(&mut self, at: usize, token: &TokenIn) {
        self.entry(at, "parameter", &text(&token.name));
        if token.place != TokenPlace::Query {
            self.entry(at, "in", token.place.annotated());
        }
    }

    fn until(&mut self, at: usize, until: &Until) {
        if *until == Until::ShortPage {
            self.entry(at, "stop_on_short_page", "true");
        }
        if let Some((key, found)) = until.annotated() {
            self.entry(at, key, &text(&found.annotated()));
        }
    }

    fn offset(&mut self, stream: &StreamPlan) {
        let Some(offset) = &stream.offset else {
            self.comment(KEYS, "offset: no parameter asks for what is new, so every cycle reads everything");
            return;
        };
        self.reason(stream, "offset", None);
        self.line(KEYS, "offset:");
        let at = KEYS + 2;
        let mode = match offset.mode {
            OffsetMode::Timestamp => "timestamp",
            OffsetMode::Cursor => "cursor",
        };
        self.entry(at, "mode", mode);
        self.entry(at, "field", &text(&offset.field.pointer));
        self.entry(at, "parameter", &text(&offset.parameter.name));
        if let Some(initial) = &offset.initial {
            self.entry(at, "initial", &quoted(initial));
        }
    }

    fn parent(&mut self, stream: &StreamPlan) {
        let Some(parent) = &stream.parent else { return };
        self.reason(stream, "parent", None);
        self.line(KEYS, "parent:");
        self.entry(KEYS + 2, "operation", &text(&parent.operation_id));
        self.line(KEYS + 2, "bind:");
        for binding in &parent.bind {
            self.entry(KEYS + 4, &text(&binding.parameter), &text(&binding.pointer));
        }
    }

    fn parameters(&mut self, stream: &StreamPlan) {
        // What comes from the parent is said there.
        let is_own = |value: &ParameterValue| matches!(value, ParameterValue::Literal(_) | ParameterValue::Config(_));
        let own = stream.parameters.iter().filter(|plan| plan.value.as_ref().is_some_and(is_own));
        let set = own.filter_map(|plan| Some((plan, plan.value.as_ref()?)));
        for (index, (plan, value)) in set.enumerate() {
            if index == 0 {
                self.line(KEYS, "parameters:");
            }
            let value = match value {
                ParameterValue::Literal(Value::String(literal)) => quoted(literal),
                ParameterValue::Literal(value) => escaped(&value.to_string()),
                ParameterValue::Slice(_) | ParameterValue::Each(_) => continue,
                ParameterValue::Config(name) => {
                    if plan.required {
                        self.comment(KEYS + 2, "required, and so to be configured; or write a value");
                    }
                    quoted(&format!("${{config:{name}}}"))
                }
            };
            self.entry(KEYS + 2, &text(&plan.wire_name), &value);
        }
    }

    fn slices(&mut self, stream: &StreamPlan) {
        let lists = stream.parameters.iter().filter_map(|plan| match &plan.value {
            Some(ParameterValue::Each(values)) => Some((plan, values)),
            _ => None,
        });
        for (index, (plan, values)) in lists.enumerate() {
            if index == 0 {
                self.line(KEYS, "slices:");
            }
            let values = match values {
                ListedValues::Literals(values) => escaped(&Value::from(values.clone()).to_string()),
                ListedValues::Config(name) => quoted(&format!("${{config:{name}}}")),
            };
            self.entry(KEYS + 2, &text(&plan.wire_name), &values);
        }
    }

    fn backfill(&mut self, stream: &StreamPlan) {
        let Some(BackfillPlan { until, start, end, step }) = &stream.backfill else { return };
        self.line(KEYS, "backfill:");
        self.entry(KEYS + 2, "until", &text(&until.name));
        for (key, value) in [("start", start), ("end", end), ("step", step)] {
            if let Some(value) = value {
                self.entry(KEYS + 2, key, &quoted(value));
            }
        }
    }
}

/// The operation as a JSONPath (RFC 9535 section 2.3.1).
fn target(stream: &StreamPlan) -> String {
    let path = stream.path.replace('\\', "\\\\").replace('\'', "\\'");
    format!("$.paths['{path}'].{}", stream.method.to_lowercase())
}

/// A text as YAML: plain where nobody can take it for anything else.
fn text(text: &str) -> String {
    let begins = text.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic());
    let is_plain = begins && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
    let keywords = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    if is_plain && !keywords.contains(&text.to_ascii_lowercase().as_str()) { text.to_owned() } else { quoted(text) }
}

/// A text as YAML in double quotes, which are those of JSON.
fn quoted(text: &str) -> String {
    escaped(&Value::from(text).to_string())
}

/// JSON as YAML: without the characters that YAML wants escaped where JSON does not (YAML 1.2 section 5.1).
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match is_unprintable(c) {
            true => drop(write!(out, "\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
        out
    })
}

fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_from_yaml() {
        for original in [
            "",
            "a",
            "/id",
            "yes",
            "No",
            "1.0",
            "a: b",
            "# a",
            "'",
            "\"\\",
            "x\u{85}\u{2028}\u{7f}y\n",
            "é 🦀",
            "-",
            "~",
        ] {
            for written in [text(original), quoted(original)] {
                assert_eq!(serde_yaml::from_str::<String>(&written).unwrap(), original, "{written}");
            }
        }
    }
}
