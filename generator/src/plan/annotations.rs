//! The annotations: `x-kafka-source` on an operation and `x-kafka-connector` at the document's root. A key that is not
//! known is an error: a slip would otherwise be a setting that silently does nothing.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::duration;
use super::model::{Binding, OffsetMode, ParentPlan};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{Document, pointer};

/// The key of an operation's annotation.
pub(super) const SOURCE: &str = "x-kafka-source";
/// The key of the document's annotation.
pub(super) const CONNECTOR: &str = "x-kafka-connector";

/// `x-kafka-source`.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// JSON Pointer to the annotation.
    pub(super) at: String,
    pub(super) topic: Option<String>,
    pub(super) records: Option<String>,
    pub(super) key: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) pagination: Option<Pagination>,
    pub(super) offset: Option<Offset>,
    pub(super) parameters: IndexMap<String, Value>,
    pub(super) parent: Option<ParentPlan>,
    pub(super) interval_ms: Option<u64>,
}

/// `pagination`. What a style does not need is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pagination {
    None,
    LinkHeader,
    NextUrl { pointer: String },
    Cursor { pointer: String, parameter: String, limit: Limit },
    LastRecord { parameter: String, has_more: Option<String>, limit: Limit },
    Offset { parameter: String, limit: Limit },
    Page { parameter: String, first: u64, limit: Limit },
}

/// How many records a page has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limit {
    /// Query parameter that sets the number.
    pub(super) parameter: Option<String>,
    /// What it is set to.
    pub(super) value: Option<u64>,
}

/// `offset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    /// Every cycle reads everything, whatever could be inferred.
    None,
    /// A field of the records becomes a parameter.
    Field { mode: OffsetMode, field: String, parameter: String, initial: Option<String> },
}

/// `x-kafka-connector`.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    pub(super) name: Option<String>,
    pub(super) topic_prefix: Option<String>,
    pub(super) interval_ms: Option<u64>,
    /// Values for every operation that has a parameter of the name.
    pub(super) parameters: IndexMap<String, Value>,
}

/// Reads the annotation of the operation at `operation_at`, if it has one.
pub(super) fn source(
    document: &Document,
    operation_at: &str,
    value: Option<&Value>,
    said: &mut Diagnostics,
) -> Option<Source> {
    let value = value?;
    let at = pointer::join(operation_at, SOURCE);
    let mut keys = Keys::of(value, &at, document, said)?;
    let source = Source {
        topic: keys.text("topic").filter(|topic| keys.is_topic("topic", topic)),
        records: keys.pointer("records"),
        key: keys.pointer("key"),
        timestamp: keys.pointer("timestamp"),
        pagination: keys.inner("pagination", pagination),
        offset: keys.inner("offset", offset),
        parameters: keys.map("parameters"),
        parent: keys.inner("parent", parent),
        interval_ms: keys.inner("schedule", interval),
        at: at.clone(),
    };
    keys.end();
    Some(source)
}

/// Reads the document's annotation; without one, an empty one.
pub(super) fn connector(document: &Document, said: &mut Diagnostics) -> Connector {
    let at = format!("/{CONNECTOR}");
    let Some(value) = document.api.extensions.get(CONNECTOR) else { return Connector::default() };
    let Some(mut keys) = Keys::of(value, &at, document, said) else { return Connector::default() };
    let connector = Connector {
        name: keys.text("name"),
        topic_prefix: keys.text("topic_prefix").filter(|topic| keys.is_topic("topic_prefix", topic)),
        interval_ms: keys.inner("schedule", interval),
        parameters: keys.map("parameters"),
    };
    keys.end();
    connector
}

fn parent(keys: &mut Keys<'_>) -> Option<ParentPlan> {
    let (operation_id, bind) = (keys.required_text("operation"), keys.map("bind"));
    if bind.is_empty() && !keys.object.contains_key("bind") {
        keys.error(None, "`bind` is missing".to_owned(), Some("write, for each parameter, a pointer: {owner: /login}"));
        return None;
    }
    let mut bound = Vec::new();
    for (parameter, value) in bind {
        match value.as_str().filter(|text| pointer::is_pointer(text)) {
            Some(pointer) => bound.push(Binding { parameter, pointer: pointer.to_owned() }),
            None => {
                let message =
                    format!("`{parameter}` is bound to {value}, which is no JSON Pointer into the parent's record");
                keys.error(Some("bind"), message, None);
            }
        }
    }
    Some(ParentPlan { operation_id: operation_id?, bind: bound })
}

fn interval(keys: &mut Keys<'_>) -> Option<u64> {
    let text = keys.text("interval")?;
    let millis = duration::millis(&text);
    if millis.is_none() {
        keys.error(
            Some("interval"),
            format!("`{text}` is no interval"),
            Some("write a number and a unit: 500ms, 60s, 5m, 1h"),
        );
    }
    millis
}

fn pagination(keys: &mut Keys<'_>) -> Option<Pagination> {
    const STYLES: [&str; 7] = ["page", "offset", "cursor", "last-record", "next-url", "link-header", "none"];
    let style = keys.required_text("style")?;
    match style.as_str() {
        "none" => Some(Pagination::None),
        "link-header" => Some(Pagination::LinkHeader),
        "next-url" => Some(Pagination::NextUrl { pointer: keys.required_pointer("pointer")? }),
        "cursor" => {
            let (pointer, parameter) = (keys.required_pointer("pointer"), keys.required_text("parameter"));
            let limit = limit(keys);
            Some(Pagination::Cursor { pointer: pointer?, parameter: parameter?, limit })
        }
        "last-record" => {
            let (parameter, has_more) = (keys.required_text("parameter"), keys.pointer("has_more"));
            let limit = limit(keys);
            Some(Pagination::LastRecord { parameter: parameter?, has_more, limit })
        }
        "offset" => {
            let parameter = keys.required_text("parameter");
            let limit = limit(keys);
            Some(Pagination::Offset { parameter: parameter?, limit })
        }
        "page" => {
            let parameter = keys.required_text("parameter");
            let (first, limit) = (keys.number("first").unwrap_or(1), limit(keys));
            Some(Pagination::Page { parameter: parameter?, first, limit })
        }
        other => {
            let near = crate::diagnostic::nearest(other, STYLES);
            let hint =
                near.map_or_else(|| format!("one of: {}", STYLES.join(", ")), |near| format!("did you mean `{near}`?"));
            keys.error(Some("style"), format!("there is no style of pagination called `{other}`"), Some(&hint));
            keys.known.extend(["parameter", "pointer", "has_more", "first", "limit_parameter", "limit"]);
            None
        }
    }
}

fn limit(keys: &mut Keys<'_>) -> Limit {
    Limit { parameter: keys.text("limit_parameter"), value: keys.number("limit") }
}

fn offset(keys: &mut Keys<'_>) -> Option<Offset> {
    const MODES: [&str; 3] = ["timestamp", "cursor", "none"];
    let mode = keys.required_text("mode")?;
    let mode = match mode.as_str() {
        "none" => return Some(Offset::None),
        "timestamp" => Some(OffsetMode::Timestamp),
        "cursor" => Some(OffsetMode::Cursor),
        other => {
            let hint = format!("one of: {}", MODES.join(", "));
            keys.error(Some("mode"), format!("there is no offset mode called `{other}`"), Some(&hint));
            None
        }
    };
    let (field, parameter) = (keys.required_pointer("field"), keys.required_text("parameter"));
    let initial = keys.text("initial");
    Some(Offset::Field { mode: mode?, field: field?, parameter: parameter?, initial })
}

/// The keys of one object of an annotation, as they are read.
struct Keys<'a> {
    object: &'a Map<String, Value>,
    at: &'a str,
    document: &'a Document,
    said: &'a mut Diagnostics,
    known: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    fn of(value: &'a Value, at: &'a str, document: &'a Document, said: &'a mut Diagnostics) -> Option<Self> {
        match value {
            Value::Object(object) => Some(Self { object, at, document, said, known: Vec::new() }),
            _ => {
                let name = at.rsplit('/').next().unwrap_or(at);
                said.push(document.locate(Diagnostic::error(format!("`{name}` is not an object")), at));
                None
            }
        }
    }

    fn error(&mut self, key: Option<&str>, message: String, hint: Option<&str>) {
        let at = key.map_or_else(|| self.at.to_owned(), |key| pointer::join(self.at, key));
        let mut diagnostic = self.document.locate(Diagnostic::error(message), &at);
        diagnostic.hint = hint.map(str::to_owned);
        self.said.push(diagnostic);
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.object.get(key)
    }

    /// A text. Numbers and truth values, which YAML makes of unquoted text, are texts too.
    fn text(&mut self, key: &'static str) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            _ => {
                self.error(Some(key), format!("`{key}` is not a text"), None);
                None
            }
        }
    }

    fn required_text(&mut self, key: &'static str) -> Option<String> {
        if !self.object.contains_key(key) {
            self.known.push(key);
            self.error(None, format!("`{key}` is missing"), None);
            return None;
        }
        self.text(key)
    }

    fn pointer(&mut self, key: &'static str) -> Option<String> {
        let text = self.text(key)?;
        if !pointer::is_pointer(&text) {
            let hint = format!("did you mean `/{}`?", text.trim_start_matches("$.").replace('.', "/"));
            self.error(Some(key), format!("`{text}` is no JSON Pointer: it does not begin with `/`"), Some(&hint));
            return None;
        }
        Some(text)
    }

    fn required_pointer(&mut self, key: &'static str) -> Option<String> {
        if !self.object.contains_key(key) {
            return self.required_text(key);
        }
        self.pointer(key)
    }

    fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.get(key)?;
        if value.as_u64().is_none() {
            self.error(Some(key), format!("`{key}` is not a whole number"), None);
        }
        value.as_u64()
    }

    fn map(&mut self, key: &'static str) -> IndexMap<String, Value> {
        match self.get(key) {
            None => IndexMap::new(),
            Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            Some(_) => {
                self.error(Some(key), format!("`{key}` is not an object"), None);
                IndexMap::new()
            }
        }
    }

    /// An object within.
    fn inner<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Keys<'_>) -> Option<T>) -> Option<T> {
        let value = self.get(key)?;
        let at = pointer::join(self.at, key);
        let mut keys = Keys::of(value, &at, self.document, self.said)?;
        let read = read(&mut keys);
        keys.end();
        read
    }

    /// Kafka's rule for topics: ASCII letters, digits, `.`, `_` and `-`, at most 249 of them.
    fn is_topic(&mut self, key: &'static str, topic: &str) -> bool {
        let fits = super::infer::topic::is_legal(topic);
        if !fits {
            let hint = "use letters, digits, `.`, `_` and `-`, at most 249 of them";
            self.error(Some(key), format!("`{topic}` cannot be the name of a Kafka topic"), Some(hint));
        }
        fits
    }

    /// Refuses the keys that nothing asked for.
    fn end(self) {
        for key in self.object.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let name = self.at.rsplit('/').next().unwrap_or(self.at);
            let diagnostic = Diagnostic::error(format!("`{name}` has no key `{key}`"));
            let diagnostic = match crate::diagnostic::nearest(key, self.known.iter().copied()) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint(format!("known here: {}", self.known.join(", "))),
            };
            self.said.push(self.document.locate(diagnostic, &pointer::join(self.at, key)));
        }
    }
}
