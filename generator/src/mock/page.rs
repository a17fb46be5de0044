//! One page of a mocked stream.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::values::Records;
use crate::plan::model::{FoundIn, OffsetMode, PaginationPlan, StreamPlan, Until};
use crate::plan::{SchemaPath, Step, literal};

/// How many records a page has where the connector does not ask for a number.
const PAGE_SIZE: u64 = 100;

/// What is answered to one request.
pub(crate) struct MockPage {
    pub(crate) body: Value,
    /// Query of the next page's URL, for the styles that name one.
    pub(crate) next_query: Option<BTreeMap<String, String>>,
    /// Headers that say something of the pages.
    pub(crate) headers: Vec<(String, String)>,
}

/// Query parameter of the URLs that the mock itself names.
const POSITION: &str = "mock_position";

/// The page of `stream` that `query`, which has what names the page wherever it stood, asks for, out of `count` records.
pub(crate) fn page(
    stream: &StreamPlan,
    records: &Records<'_>,
    count: u64,
    query: &BTreeMap<String, String>,
    base: &str,
) -> MockPage {
    let first = first_record(stream, records, count, query);
    let number = |name: &str| query.get(name).and_then(|value| value.parse::<u64>().ok());
    let asked = stream.page_size_parameter.as_ref().and_then(|name| number(name)).filter(|size| *size > 0);
    let size = match &stream.pagination {
        PaginationPlan::None => count,
        PaginationPlan::Offset { limit: planned, .. } | PaginationPlan::Page { size: planned, .. } => {
            asked.or(*planned).unwrap_or(PAGE_SIZE)
        }
        _ => asked.unwrap_or(PAGE_SIZE),
    };
    let skip = match &stream.pagination {
        PaginationPlan::None => 0,
        PaginationPlan::LinkHeader | PaginationPlan::NextUrl { .. } => number(POSITION).unwrap_or(0),
        PaginationPlan::Cursor { parameter, .. } => {
            query.get(&parameter.name).and_then(|token| token.strip_prefix("after-")?.parse().ok()).unwrap_or(0)
        }
        // The key of a record leads to the one after it.
        PaginationPlan::LastRecord { parameter, .. } => {
            let after =
                query.get(&parameter.name).and_then(|key| (first..count).find(|index| records.has_key(*index, key)));
            after.map_or(0, |index| index + 1 - first)
        }
        PaginationPlan::Offset { parameter, .. } => number(&parameter.name).unwrap_or(0),
        PaginationPlan::Page { parameter, first, .. } => {
            number(&parameter.name).unwrap_or(*first).saturating_sub(*first).saturating_mul(size)
        }
    };
    let start = first.saturating_add(skip).min(count);
    let end = start.saturating_add(size).min(count);
    let array: Vec<Value> = (start..end).map(|index| records.record(index)).collect();
    let found = match stream.is_single {
        true => array.into_iter().next().unwrap_or(Value::Null),
        false => Value::Array(array),
    };
    let mut body = match (stream.records.as_str(), found) {
        ("", found) => found,
        (path, Value::Array(records)) if path.starts_with('$') => selected(path, records),
        (pointer, found) => envelope(pointer, found),
    };
    let after = (end < count).then_some(end - first);
    let mut next_query = None;
    let mut headers = Vec::new();
    let mut say = |body: &mut Value, found: &FoundIn, value: Value| match (found, value) {
        (FoundIn::Body(pointer), value) => put(body, pointer, value),
        (FoundIn::Header(_), Value::Null) => {}
        (FoundIn::Header(name), Value::String(text)) => headers.push((name.clone(), text)),
        (FoundIn::Header(name), value) => headers.push((name.clone(), value.to_string())),
    };
    match &stream.pagination {
        PaginationPlan::Cursor { pointer, .. } => {
            say(&mut body, pointer, after.map_or(Value::Null, |after| json!(format!("after-{after}"))));
        }
        PaginationPlan::LastRecord { has_more, .. } => {
            if let Some(pointer) = has_more {
                put(&mut body, pointer, json!(after.is_some()));
            }
        }
        PaginationPlan::LinkHeader | PaginationPlan::NextUrl { .. } => {
            next_query = after.map(|after| {
                let mut next = query.clone();
                next.insert(POSITION.to_owned(), after.to_string());
                next
            });
            if let PaginationPlan::NextUrl { pointer, .. } = &stream.pagination {
                let url = next_query.as_ref().map(|query| format!("{base}?{}", encode(query)));
                say(&mut body, pointer, json!(url));
            }
        }
        PaginationPlan::Offset { until, .. } | PaginationPlan::Page { until, .. } => match until {
            Until::EmptyPage | Until::ShortPage => {}
            Until::NoMore(found) => say(&mut body, found, json!(after.is_some())),
            Until::Records(found) => say(&mut body, found, json!(count - first)),
            Until::Pages(found) => say(&mut body, found, json!((count - first).div_ceil(size))),
        },
        PaginationPlan::None => {}
    }
    MockPage { body, next_query, headers }
}

/// Index of the first record that the offset parameter of the request lets through.
fn first_record(stream: &StreamPlan, records: &Records<'_>, count: u64, query: &BTreeMap<String, String>) -> u64 {
    let Some(offset) = &stream.offset else { return 0 };
    let Some(from) = query.get(&offset.parameter.name) else { return 0 };
    let passes = |index: u64| {
        let record = records.record(index);
        let value = match record.pointer(&offset.field.pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => return true,
        };
        match (offset.mode, value.parse::<u64>(), from.parse::<u64>()) {
            (OffsetMode::Timestamp, ..) => value.as_str() >= from.as_str(),
            (OffsetMode::Cursor, Ok(value), Ok(from)) => value > from,
            (OffsetMode::Cursor, ..) => value.as_str() > from.as_str(),
        }
    };
    // Offsets grow with the index.
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if passes(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn envelope(pointer: &str, value: Value) -> Value {
    let mut body = json!({});
    put(&mut body, pointer, value);
    body
}

/// A body from which `path` selects `records`: elements of one list, the last one that it goes through.
fn selected(path: &str, records: Vec<Value>) -> Value {
    let path = SchemaPath::parse(path).ok();
    let steps = path.as_ref().map(SchemaPath::steps).unwrap_or_default();
    let Some(list) = steps.iter().rposition(|step| matches!(step, Step::Elements(_))) else { return Value::Null };
    let (before, after) = steps.split_at(list);
    let inner = |record: Value, steps: &[Step<'_>]| {
        steps.iter().rev().fold(record, |inner, step| match step {
            Step::Name(name) => json!({ *name: inner }),
            Step::Elements(expression) => json!([satisfying(inner, *expression)]),
        })
    };
    let Some((Step::Elements(expression), after)) = after.split_first() else { return Value::Null };
    let elements = records.into_iter().map(|record| satisfying(inner(record, after), *expression));
    inner(elements.collect(), before)
}

/// `element`, with the members that a filter of the form `@.a.b == literal && …` asks for.
fn satisfying(mut element: Value, expression: Option<&str>) -> Value {
    for comparison in expression.into_iter().flat_map(|expression| expression.split("&&")) {
        let (place, value) = comparison.split_once("==").unwrap_or((comparison, "true"));
        let names: Vec<_> = place.trim().trim_start_matches("@.").split('.').collect();
        let value = literal(value.trim()).map(Value::from).or_else(|| serde_json::from_str(value.trim()).ok());
        if let Some(value) = value.filter(|_| place.trim().starts_with("@.")) {
            put(&mut element, &format!("/{}", names.join("/")), value);
        }
    }
    element
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for segment in pointer.split('/').skip(1) {
        if !at.is_object() {
            return;
        }
        at = &mut at[segment.replace("~1", "/").replace("~0", "~")];
        if at.is_null() {
            *at = json!({});
        }
    }
    *at = value;
}

/// A query string (RFC 3986 section 3.4).
pub(crate) fn encode(query: &BTreeMap<String, String>) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}
