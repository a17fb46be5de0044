//! The annotations: `x-kafka-source` on an operation and `x-kafka-connector` at the document's root. A key that is not
//! known is an error: a slip would otherwise be a setting that silently does nothing.

mod backfill;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::duration;
use super::model::{
    BackfillPlan, Binding, FoundIn, OffsetMode, ParentPlan, RedactAction, Redaction, TokenIn, TokenPlace, Until,
};
use super::schema::SchemaPath;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{Document, pointer};

/// The key of an operation's annotation.
pub(crate) const SOURCE: &str = "x-kafka-source";
/// The key of the document's annotation.
pub(super) const CONNECTOR: &str = "x-kafka-connector";

/// `x-kafka-source`.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// JSON Pointer to the annotation.
    pub(super) at: String,
    pub(super) topic: Option<String>,
    /// JSON Pointer, or JSONPath if it begins with `$`.
    pub(super) records: Option<String>,
    pub(super) key: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) pagination: Option<Pagination>,
    pub(super) offset: Option<Offset>,
    pub(super) parameters: IndexMap<String, Value>,
    pub(super) slices: IndexMap<String, Value>,
    pub(super) backfill: Option<BackfillPlan>,
    pub(super) parent: Option<ParentPlan>,
    pub(super) interval_ms: Option<u64>,
    /// Whether only what changes is written.
    pub(super) writes_changes: bool,
    pub(super) redact: Vec<Redaction>,
    /// Whether the crate's own code says what becomes of each record.
    pub(super) is_hooked: bool,
}

/// `pagination`. What a style does not need is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pagination {
    None,
    LinkHeader,
    NextUrl { pointer: FoundIn, delta: Option<String> },
    Cursor { pointer: FoundIn, parameter: TokenIn, initial: Option<String>, limit: Limit },
    LastRecord { parameter: TokenIn, has_more: Option<String>, limit: Limit },
    Offset { parameter: TokenIn, limit: Limit, until: Until },
    Page { parameter: TokenIn, first: u64, limit: Limit, until: Until },
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
    Field { mode: OffsetMode, field: String, parameter: String, initial: Option<String>, lookback_ms: Option<u64> },
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
        records: keys.pointer_or_path("records"),
        key: keys.pointer("key"),
        timestamp: keys.pointer("timestamp"),
        pagination: keys.inner("pagination", pagination),
        offset: keys.inner("offset", offset),
        parameters: keys.map("parameters"),
        slices: keys.map("slices"),
        backfill: keys.inner("backfill", backfill::read),
        parent: keys.inner("parent", parent),
        interval_ms: keys.inner("schedule", interval),
        writes_changes: writes_changes(&mut keys),
        redact: redact(&mut keys),
        is_hooked: keys.truth_value("hook").unwrap_or(false),
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

/// Whether `output` says that only what changes is written.
fn writes_changes(keys: &mut Keys<'_>) -> bool {
    match keys.text("output").as_deref() {
        Some("changes") => true,
        None | Some("all") => false,
        Some(other) => {
            let message = format!("there is no output called `{other}`");
            keys.error(Some("output"), message, Some("one of: all, changes"));
            false
        }
    }
}

/// What `redact` says of fields.
fn redact(keys: &mut Keys<'_>) -> Vec<Redaction> {
    const KEY: &str = "redact";
    let mut redactions = Vec::new();
    for (pointer, value) in keys.map(KEY) {
        let action = RedactAction::ALL.into_iter().find(|action| value.as_str() == Some(action.annotated()));
        // A configuration could not say it, which separates rules so.
        let is_pointer = pointer::is_pointer(&pointer) && !pointer.is_empty() && !pointer.contains(';');
        match action {
            Some(action) if is_pointer => redactions.push(Redaction { pointer, action }),
            Some(_) => {
                let message = format!("`{pointer}` is no JSON Pointer to a field of a record");
                keys.error(Some(KEY), message, Some("write, for each field, what is done: {/email: hash}"));
            }
            None => {
                let hint = format!("one of: {}", RedactAction::ALL.map(RedactAction::annotated).join(", "));
                keys.error(Some(KEY), format!("{value} is nothing that can be done with `{pointer}`"), Some(&hint));
            }
        }
    }
    redactions
}

fn interval(keys: &mut Keys<'_>) -> Option<u64> {
    keys.duration("interval")
}

fn pagination(keys: &mut Keys<'_>) -> Option<Pagination> {
    const STYLES: [&str; 7] = ["page", "offset", "cursor", "last-record", "next-url", "link-header", "none"];
    let style = keys.required_text("style")?;
    match style.as_str() {
        "none" => Some(Pagination::None),
        "link-header" => Some(Pagination::LinkHeader),
        "next-url" => {
            let (pointer, delta) = (keys.required_found("pointer"), keys.pointer("delta"));
            Some(Pagination::NextUrl { pointer: pointer?, delta })
        }
        "cursor" => {
            let (pointer, parameter) = (keys.required_found("pointer"), token(keys));
            let (initial, limit) = (keys.text("initial"), limit(keys));
            Some(Pagination::Cursor { pointer: pointer?, parameter: parameter?, initial, limit })
        }
        "last-record" => {
            let (parameter, has_more) = (token(keys), keys.pointer("has_more"));
            let limit = limit(keys);
            Some(Pagination::LastRecord { parameter: parameter?, has_more, limit })
        }
        "offset" => {
            let (parameter, limit, until) = (token(keys), limit(keys), until(keys));
            Some(Pagination::Offset { parameter: parameter?, limit, until })
        }
        "page" => {
            let (parameter, first) = (token(keys), keys.number("first").unwrap_or(1));
            let (limit, until) = (limit(keys), until(keys));
            Some(Pagination::Page { parameter: parameter?, first, limit, until })
        }
        other => {
            let near = crate::diagnostic::nearest(other, STYLES);
            let hint =
                near.map_or_else(|| format!("one of: {}", STYLES.join(", ")), |near| format!("did you mean `{near}`?"));
            keys.error(Some("style"), format!("there is no style of pagination called `{other}`"), Some(&hint));
            keys.known.extend(["parameter", "in", "pointer", "initial", "delta", "has_more", "total", "total_pages"]);
            keys.known.extend(["first", "limit_parameter", "limit", "stop_on_short_page"]);
            None
        }
    }
}

/// What takes that which the next page is asked for by.
fn token(keys: &mut Keys<'_>) -> Option<TokenIn> {
    const PLACES: [TokenPlace; 4] = [TokenPlace::Query, TokenPlace::Header, TokenPlace::Path, TokenPlace::Body];
    let place = match keys.text("in") {
        None => Some(TokenPlace::Query),
        Some(text) => {
            let place = PLACES.into_iter().find(|place| place.annotated() == text);
            if place.is_none() {
                let hint = format!("one of: {}", PLACES.map(TokenPlace::annotated).join(", "));
                keys.error(Some("in"), format!("there is no place called `{text}` in a request"), Some(&hint));
            }
            place
        }
    };
    let name = match place {
        Some(TokenPlace::Body) => keys.required_pointer("parameter"),
        _ => keys.required_text("parameter"),
    };
    Some(TokenIn { place: place?, name: name?, is_number: false })
}

/// What ends a cycle of pages that are counted.
fn until(keys: &mut Keys<'_>) -> Until {
    type Rule = fn(FoundIn) -> Until;
    let rules: [(&'static str, Rule); 3] =
        [("total", Until::Records), ("total_pages", Until::Pages), ("has_more", Until::NoMore)];
    let mut until = None;
    for (key, rule) in rules {
        let Some(found) = keys.found(key) else { continue };
        if until.is_some() {
            ends_twice(keys, key);
        }
        until = Some(rule(found));
    }
    const SHORT_PAGE: &str = "stop_on_short_page";
    if keys.truth_value(SHORT_PAGE) == Some(true) {
        if until.is_some() {
            ends_twice(keys, SHORT_PAGE);
        }
        until = Some(Until::ShortPage);
    }
    until.unwrap_or(Until::EmptyPage)
}

fn ends_twice(keys: &mut Keys<'_>, key: &'static str) {
    let hint = "leave one of `total`, `total_pages`, `has_more` and `stop_on_short_page`";
    keys.error(Some(key), format!("`{key}` says when a cycle ends, and something else does too"), Some(hint));
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
    let (initial, lookback_ms) = (keys.text("initial"), keys.duration("lookback"));
    if mode == Some(OffsetMode::Cursor) && lookback_ms.is_some() {
        keys.error(Some("lookback"), "`lookback` goes only with the mode `timestamp`".to_owned(), None);
    }
    Some(Offset::Field { mode: mode?, field: field?, parameter: parameter?, initial, lookback_ms })
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

    /// A JSON Pointer, or a JSONPath, which begins with `$`.
    fn pointer_or_path(&mut self, key: &'static str) -> Option<String> {
        match self.object.get(key).and_then(Value::as_str).filter(|text| text.starts_with('$')) {
            None => self.pointer(key),
            Some(path) => match SchemaPath::parse(path) {
                Ok(_) => self.text(key),
                Err(reason) => {
                    self.known.push(key);
                    self.error(Some(key), format!("`{path}` is no JSONPath: {reason}"), None);
                    None
                }
            },
        }
    }

    fn required_pointer(&mut self, key: &'static str) -> Option<String> {
        if !self.object.contains_key(key) {
            return self.required_text(key);
        }
        self.pointer(key)
    }

    /// A JSON Pointer into the response, or a header of it.
    fn found(&mut self, key: &'static str) -> Option<FoundIn> {
        let header = match self.object.get(key) {
            Some(Value::String(text)) => text.strip_prefix(FoundIn::HEADER).map(str::trim),
            _ => None,
        };
        match header {
            None => self.pointer(key).map(FoundIn::Body),
            Some(name) => {
                self.known.push(key);
                Some(FoundIn::Header(name.to_owned()))
            }
        }
    }

    fn required_found(&mut self, key: &'static str) -> Option<FoundIn> {
        if !self.object.contains_key(key) {
            return self.required_text(key).map(FoundIn::Body);
        }
        self.found(key)
    }

    /// A duration in milliseconds.
    fn duration(&mut self, key: &'static str) -> Option<u64> {
        let text = self.text(key)?;
        let millis = duration::millis(&text);
        if millis.is_none() {
            let hint = "write a number and a unit: 500ms, 60s, 5m, 1h";
            self.error(Some(key), format!("`{text}` is no {key}"), Some(hint));
        }
        millis
    }

    fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.get(key)?;
        if value.as_u64().is_none() {
            self.error(Some(key), format!("`{key}` is not a whole number"), None);
        }
        value.as_u64()
    }

    fn truth_value(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        if value.as_bool().is_none() {
            self.error(Some(key), format!("`{key}` is neither `true` nor `false`"), None);
        }
        value.as_bool()
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
