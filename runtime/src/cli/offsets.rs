//! `offsets`: how far each operation, or each slice of one, has been read.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, Failure};
use super::loaded::Loaded;
use super::table::table;
use super::{ListFormat, OffsetsCommand};
use crate::config::ExactlyOnce;
use crate::flow::{self, RunError, State};
use crate::kafka::SourcePartition;
use crate::slice::Slice;

/// What an operation without a position does.
const BEGINNING: &str = "from the beginning";

/// Does what is wanted with the positions of a connector, and tells what came of it.
pub(super) fn run<C: Args>(
    command: OffsetsCommand<C>,
    load: impl Fn(&C) -> Result<Loaded, Failure>,
) -> Result<String, Failure> {
    match command {
        OffsetsCommand::List { config, format } => list(&load(&config)?, format),
        OffsetsCommand::Set { config, operation, slice, position } => {
            set(&load(&config)?, &operation, slice.as_ref(), &position)
        }
        // Without an operation, it is all of them.
        OffsetsCommand::Reset { config, operation, slice, all: _ } => {
            reset(&load(&config)?, operation.as_deref(), slice.as_ref())
        }
    }
}

/// The positions of the connector's operations, and of those that it had once.
fn list(connector: &Loaded, format: ListFormat) -> Result<String, Failure> {
    let stored = wait(flow::read_positions(&connector.config))?;
    let known: Vec<_> = connector.ids().map(str::to_owned).collect();
    let has_none = |operation: &&String| stored.keys().all(|partition| partition.operation != **operation);
    let rows = |operation: &String| -> Vec<(SourcePartition, Option<String>)> {
        let stored = stored.iter().filter(|(partition, _)| partition.operation == *operation);
        stored.map(|(partition, position)| (partition.clone(), Some(position.clone()))).collect()
    };
    let mut gone: Vec<_> = stored.keys().map(|partition| partition.operation.clone()).collect();
    gone.dedup();
    gone.retain(|operation| !known.contains(operation));
    let partitions = known.iter().chain(&gone).flat_map(|operation| match has_none(&operation) {
        true => vec![(whole(operation), None)],
        false => rows(operation),
    });
    Ok(match format {
        ListFormat::Table => {
            let row = |(partition, position): (SourcePartition, Option<String>)| {
                vec![shown(&partition), position.unwrap_or_else(|| BEGINNING.to_owned())]
            };
            let rows = partitions.map(row).collect();
            table(&["Operation", "Position"], rows) + "\n"
        }
        ListFormat::Json => {
            // What cannot be read is shown as it is.
            let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
            let positions =
                partitions.map(|(partition, position)| (shown(&partition), position.map_or(Value::Null, value)));
            format!("{:#}\n", Value::Object(positions.collect::<Map<_, _>>()))
        }
    })
}

/// Sets the position of one operation, or of a slice of it.
fn set(connector: &Loaded, operation: &str, slice: Option<&Slice>, position: &str) -> Result<String, Failure> {
    let reader = connector.operation(operation)?;
    let refused = |message: String, hint: &str| {
        Failure::input([
            Diagnostic { message: format!("the position of `{operation}`: {message}"), hint: None }.hint(Some(hint))
        ])
    };
    let state = State::parse(position).map_err(|error| {
        let hint = "a position is JSON, as `offsets list` shows it: {\"offset\":\"2024-01-01T00:00:00Z\"}";
        refused(crate::error::chain(&error), hint)
    })?;
    let misfit = reader.can_stand_at(&state.position);
    misfit.map_err(|misfit| refused(misfit.to_string(), "see what `offsets list` shows"))?;
    let partition = SourcePartition { operation: operation.to_owned(), slice: slice.cloned().unwrap_or_default() };
    write(connector, &[(partition, Some(state.to_string()))].into(), &BTreeSet::new())
}

/// Lets one operation begin from the beginning again, or a slice of it; or all of the connector, and all that it has had a
/// position of.
fn reset(connector: &Loaded, operation: Option<&str>, slice: Option<&Slice>) -> Result<String, Failure> {
    let stored = wait(flow::read_positions(&connector.config))?;
    let tracked = wait(flow::tracked_operations(&connector.config))?;
    let is_known = |id: &str| tracked.contains(id) || stored.keys().any(|partition| partition.operation == id);
    if let Some(id) = operation.filter(|id| !is_known(id)) {
        connector.operation(id)?;
    }
    let is_chosen = |partition: &SourcePartition| {
        operation.is_none_or(|wanted| wanted == partition.operation)
            && slice.is_none_or(|wanted| *wanted == partition.slice)
    };
    // One that reads everything in every cycle has no position between two.
    let chosen = stored.into_keys().chain(tracked.iter().map(|operation| whole(operation))).filter(is_chosen);
    let positions: BTreeMap<_, _> = chosen.map(|partition| (partition, None)).collect();
    if positions.is_empty() {
        return Ok("there is no position to reset\n".to_owned());
    }
    write(connector, &positions, &tracked)
}

/// Writes positions; a line for each says what it was and what it is. Of those that are removed, the operations in `tracked`
/// write everything again.
pub(super) fn write(
    connector: &Loaded,
    positions: &BTreeMap<SourcePartition, Option<String>>,
    tracked: &BTreeSet<String>,
) -> Result<String, Failure> {
    let Loaded { config, operations } = connector;
    if config.delivery.exactly_once == ExactlyOnce::Disabled {
        tracing::warn!("without transactions, an instance that runs goes on and writes its own positions over these");
    }
    let before = wait(flow::write_positions(config, operations, positions, tracked))?;
    let stands = |position: Option<&String>| position.map_or(BEGINNING, String::as_str).to_owned();
    let line = |(partition, position): (&SourcePartition, &Option<String>)| {
        let is_rewritten = position.is_none() && partition.slice.is_whole() && tracked.contains(&partition.operation);
        let more = if is_rewritten { "; everything is written again" } else { "" };
        format!("{}: {}, was {}{more}\n", shown(partition), stands(position.as_ref()), stands(before.get(partition)))
    };
    Ok(positions.iter().map(line).collect())
}

fn whole(operation: &str) -> SourcePartition {
    SourcePartition { operation: operation.to_owned(), slice: Slice::whole() }
}

/// An operation, with the slice if it is not the whole of it.
fn shown(SourcePartition { operation, slice }: &SourcePartition) -> String {
    if slice.is_whole() { operation.clone() } else { format!("{operation} {slice}") }
}

pub(super) fn wait<T>(work: impl Future<Output = Result<T, RunError>>) -> Result<T, Failure> {
    let runtime = super::runtime()?;
    let result = runtime.block_on(work).map_err(super::run::failure);
    // Calls to Kafka that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    result
}
