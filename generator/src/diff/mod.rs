//! What changed between two plans, and for whom it matters: for those who read the topics, by the compatibility rule of
//! a schema registry, and for a connector that goes on asking as before.

mod avro;
mod change;
mod formats;
mod records;
mod request;

use std::collections::BTreeMap;

pub use change::{Change, ChangeKind, Format, Rule, Verdict};

use crate::emit::{self, EmitError};
use crate::plan::model::{ConnectorPlan, StreamPlan};
use avro::Schemas;
use change::Impact;
use records::Records;

/// What changed between two plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanDiff {
    /// What changed for all streams alike.
    pub connector: Vec<Change>,
    /// The streams that changed, in the order of the newer plan, those that are gone after them.
    pub streams: Vec<StreamDiff>,
    /// How many streams are as they were.
    pub unchanged: usize,
}

/// What changed about a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDiff {
    /// The operation's id, the newer one if it changed.
    pub operation_id: String,
    /// The topic, the newer one if it changed.
    pub topic: String,
    /// The changes: the request before the records, these by their place.
    pub changes: Vec<Change>,
}

impl PlanDiff {
    /// All changes.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.connector.iter().chain(self.streams.iter().flat_map(|stream| &stream.changes))
    }

    /// How many changes break the request, or readers of one of these formats.
    pub fn breaking(&self, formats: &[Format]) -> usize {
        self.changes().filter(|change| change.is_breaking(formats)).count()
    }
}

/// Compares two plans.
///
/// # Errors
///
/// If the schemas of one of them cannot be emitted: a fault of the generator.
pub fn diff(old: &ConnectorPlan, new: &ConnectorPlan, rule: Rule) -> Result<PlanDiff, EmitError> {
    let mut pairs = pairs(old, new);
    let mut result = PlanDiff { connector: request::connector(old, new, rule), ..PlanDiff::default() };
    let schemas = (emit::avro_schemas(old)?, emit::avro_schemas(new)?);
    for stream in &new.streams {
        let changes = match pairs.remove(stream.operation_id.as_str()) {
            None => vec![whole(ChangeKind::StreamAdded, stream, rule)],
            Some(before) => {
                let mut changes = request::stream(before, stream, rule);
                let schemas = Schemas::new(
                    (before.record, schemas.0.get(&before.record)),
                    (stream.record, schemas.1.get(&stream.record)),
                )?;
                changes.extend(Records::new(old, new, &schemas, rule).compare(before.record, stream.record)?);
                changes
            }
        };
        if changes.is_empty() {
            result.unchanged += 1;
        } else {
            result.streams.push(of(stream, changes));
        }
    }
    let matched = |stream: &StreamPlan| counterpart(stream, old, new).is_some();
    for stream in old.streams.iter().filter(|stream| !matched(stream)) {
        result.streams.push(of(stream, vec![whole(ChangeKind::StreamRemoved, stream, rule)]));
    }
    Ok(result)
}

/// The older stream of each newer one, by the newer id.
fn pairs<'a>(old: &'a ConnectorPlan, new: &'a ConnectorPlan) -> BTreeMap<&'a str, &'a StreamPlan> {
    let pair = |stream: &'a StreamPlan| Some((counterpart(stream, old, new)?, stream));
    old.streams.iter().filter_map(pair).collect()
}

/// The id of what became of an older stream: the same id or, if that is gone, the same method and path under an id that
/// is new.
fn counterpart<'a>(stream: &StreamPlan, old: &ConnectorPlan, new: &'a ConnectorPlan) -> Option<&'a str> {
    let is_known = |id: &str| old.streams.iter().any(|stream| stream.operation_id == id);
    let same_id = new.streams.iter().find(|other| other.operation_id == stream.operation_id);
    let renamed = || {
        new.streams.iter().find(|other| {
            (&other.method, &other.path) == (&stream.method, &stream.path) && !is_known(&other.operation_id)
        })
    };
    same_id.or_else(renamed).map(|stream| stream.operation_id.as_str())
}

fn of(stream: &StreamPlan, changes: Vec<Change>) -> StreamDiff {
    StreamDiff { operation_id: stream.operation_id.clone(), topic: stream.topic.clone(), changes }
}

fn whole(kind: ChangeKind, stream: &StreamPlan, rule: Rule) -> Change {
    let request = format!("{} {}", stream.method, stream.path);
    let (before, after, works) = match kind {
        ChangeKind::StreamRemoved => (Some(request), None, false),
        _ => (None, Some(request), true),
    };
    Change::new(kind, "", before, after, Impact::Request(works), rule)
}
