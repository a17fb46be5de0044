//! `offsets import`: what Kafka Connect remembers of a connector, as positions of ours.
//!
//! Connect keeps offsets in a compacted topic, by the keys `["<connector>",{<partition>}]`; what stands in partition and
//! offset is for each connector to choose. So an API is found by what the partition says of it, and the offset is its
//! member of that name, or its only one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, Failure};
use super::loaded::Loaded;
use super::offsets::{wait, write};
use crate::flow::RunError;
use crate::http::Target;
use crate::kafka::{SourcePartition, TopicReader};
use crate::operation::SlicedOperation;
use crate::position::Position;
use crate::slice::Slice;

/// How long Kafka may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What Connect remembers, by connector and partition.
type Remembered = BTreeMap<String, BTreeMap<String, Value>>;

/// Writes the positions that stand for the offsets of `name` in `topic`, or only shows them.
pub(super) fn run(connector: &Loaded, topic: &str, name: Option<&str>, dry_run: bool) -> Result<String, Failure> {
    let reader = TopicReader::new(connector.config.kafka.clone(), PATIENCE);
    let records = wait(async { reader.read(topic).await.map_err(RunError::from) })?;
    let remembered = remembered(records.into_iter().map(|record| (record.key, record.value)));
    let name = name.unwrap_or(&connector.config.name);
    let Some(offsets) = remembered.get(name) else {
        let message = format!("the topic `{topic}` has no offsets of a connector `{name}`");
        let known: Vec<_> = remembered.keys().map(|name| format!("`{name}`")).collect();
        let hint = match known.as_slice() {
            [] => {
                "it has none of any connector: is it the `offset.storage.topic` of Kafka Connect's workers?".to_owned()
            }
            known => format!("it has those of {}; name one with --connector", known.join(", ")),
        };
        return Err(Failure::input([Diagnostic { message, hint: Some(hint) }]));
    };
    let (mut positions, mut text, mut problems) = (BTreeMap::new(), String::new(), Vec::new());
    for (partition, offset) in offsets {
        match imported(&connector.operations, offsets.len() == 1, partition, offset) {
            Ok((operation, position)) => {
                text.push_str(&format!("{partition} {offset} is {operation} {position}\n"));
                let whole = SourcePartition { operation: operation.to_owned(), slice: Slice::whole() };
                if positions.insert(whole, Some(position.to_string())).is_some() {
                    problems.push(refused(partition, offset, &format!("another offset is that of `{operation}`, too")));
                }
            }
            Err(reason) => problems.push(refused(partition, offset, &reason)),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::input(problems));
    }
    if dry_run {
        return Ok(text);
    }
    Ok(text + &write(connector, &positions, &BTreeSet::new())?)
}

fn refused(partition: &str, offset: &Value, reason: &str) -> Diagnostic {
    Diagnostic {
        message: format!("the offset {offset} of {partition}: {reason}"),
        hint: Some("set it by hand with `offsets set`".to_owned()),
    }
}

/// The last offset of every partition of every connector. What is no record of Connect's is passed over.
fn remembered(records: impl Iterator<Item = (Option<Vec<u8>>, Option<Vec<u8>>)>) -> Remembered {
    let mut all = Remembered::new();
    for (key, value) in records {
        let Some(key) = key else { continue };
        let Ok((connector, partition)) = serde_json::from_slice::<(String, Map<String, Value>)>(&key) else { continue };
        let offsets = all.entry(connector).or_default();
        let partition = Value::Object(partition).to_string();
        match value.and_then(|value| serde_json::from_slice(&value).ok()) {
            Some(Value::Null) | None => drop(offsets.remove(&partition)),
            Some(offset) => drop(offsets.insert(partition, offset)),
        }
    }
    all.retain(|_, offsets| !offsets.is_empty());
    all
}

/// The operation that a partition of Connect's names, and where it stands.
fn imported<'a>(
    operations: &'a [Box<dyn SlicedOperation>],
    is_only_one: bool,
    partition: &str,
    offset: &Value,
) -> Result<(&'a str, Position), String> {
    let operation = match operations {
        [only] if is_only_one => only,
        all => {
            let named: Vec<_> = all.iter().filter(|operation| names(partition, operation.as_ref())).collect();
            match named.as_slice() {
                [one] => *one,
                [] => return Err("it names none of the APIs by number or path".to_owned()),
                _ => return Err("it may be of several APIs".to_owned()),
            }
        }
    };
    let position = Position::starting_at(Some(text(offset)?));
    operation.can_stand_at(&position).map_err(|misfit| misfit.to_string())?;
    Ok((&operation.facts().id, position))
}

/// Whether a partition says that it is of an operation: by its id, or by a URL that ends with its path.
fn names(partition: &str, operation: &dyn SlicedOperation) -> bool {
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(partition) else { return false };
    let path = operation.slice(&Slice::whole()).ok().and_then(|operation| match operation.request().target {
        Target::Relative { path, .. } | Target::Written(path) => Some(path),
        Target::Absolute(_) => None,
    });
    let path = path.as_deref().map(|path| without_query(path).trim_matches('/'));
    members.values().filter_map(Value::as_str).any(|text| {
        let url = without_query(text).trim_end_matches('/');
        text == operation.facts().id
            || path.is_some_and(|path| !path.is_empty() && url.strip_suffix(path).is_some_and(ends_a_segment))
    })
}

fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(before, _)| before)
}

fn ends_a_segment(before: &str) -> bool {
    before.is_empty() || before.ends_with('/')
}

/// The value of an offset, as it goes into a request.
fn text(offset: &Value) -> Result<String, String> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let members = match offset {
        Value::Object(members) => members,
        other => return plain(other).ok_or_else(|| "it is neither an object nor a text".to_owned()),
    };
    if let Some(found) = members.get("offset").and_then(plain) {
        return Ok(found);
    }
    let values: Vec<_> = members.values().filter_map(plain).collect();
    match values.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err("it has no member that is a text or a number".to_owned()),
        _ => Err("it has several members, and none is `offset`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(key: Value, value: Value) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        (Some(key.to_string().into_bytes()), (!value.is_null()).then(|| value.to_string().into_bytes()))
    }

    #[test]
    fn the_last_offset_of_each_partition_counts() {
        let records = [
            record(json!(["a", {"url": "x"}]), json!({"offset": 1})),
            record(json!(["a", {"url": "x"}]), json!({"offset": 2})),
            record(json!(["a", {"url": "y"}]), json!({"offset": 3})),
            record(json!(["a", {"url": "y"}]), Value::Null),
            record(json!(["gone", {}]), json!({"offset": 4})),
            record(json!(["gone", {}]), Value::Null),
            record(json!("something else"), json!(5)),
            (None, None),
        ];
        let found = remembered(records.into_iter());
        assert_eq!(serde_json::to_value(found).unwrap(), json!({"a": {"{\"url\":\"x\"}": {"offset": 2}}}));
    }

    #[test]
    fn an_offset_is_the_member_of_that_name_or_the_only_one() {
        assert_eq!(text(&json!({"offset": 7, "more": "x"})).unwrap(), "7");
        assert_eq!(text(&json!({"timestamp": "2024-01-01T00:00:00Z", "page": null})).unwrap(), "2024-01-01T00:00:00Z");
        assert_eq!(text(&json!("token")).unwrap(), "token");
        for (offset, reason) in [
            (json!({"a": 1, "b": 2}), "it has several members, and none is `offset`"),
            (json!({"a": {}}), "it has no member that is a text or a number"),
            (json!([]), "it is neither an object nor a text"),
        ] {
            assert_eq!(text(&offset).unwrap_err(), reason);
        }
    }
}
