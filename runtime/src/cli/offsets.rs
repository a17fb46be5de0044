//! `offsets`: how far each operation has been read.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, Failure};
use super::operation::known;
use super::table::table;
use super::{ListFormat, run};
use crate::config::{ConnectorConfig, Environment, ExactlyOnce, Services};
use crate::connector::Connector;
use crate::flow::{self, RunError};
use crate::position::Position;

/// What an operation without a position does.
const BEGINNING: &str = "from the beginning";

/// The positions of the connector's operations, and of those that it had once.
pub(super) fn list(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
    format: ListFormat,
) -> Result<String, Failure> {
    let config = ConnectorConfig::load(connector, config, environment, &Services::Configured)?;
    let stored = wait(flow::read_positions(&config))?;
    let known = connector.operations.iter().map(|definition| definition.facts.id.to_string());
    let known: Vec<_> = known.collect();
    let gone = stored.keys().filter(|operation| !known.contains(operation));
    let operations = known.iter().chain(gone);
    Ok(match format {
        ListFormat::Table => {
            let position = |operation| stored.get(operation).cloned().unwrap_or_else(|| BEGINNING.to_owned());
            let rows = operations.map(|operation| vec![operation.clone(), position(operation)]).collect();
            table(&["Operation", "Position"], rows) + "\n"
        }
        ListFormat::Json => {
            // What cannot be read is shown as it is.
            let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
            let position = |operation| stored.get(operation).map_or(Value::Null, value);
            let positions = operations.map(|operation| (operation.clone(), position(operation)));
            format!("{:#}\n", Value::Object(positions.collect::<Map<_, _>>()))
        }
    })
}

/// Sets the position of one operation.
pub(super) fn set(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
    operation: &str,
    position: &str,
) -> Result<String, Failure> {
    let facts = &known(connector, operation)?.facts;
    let refused = |message: String, hint: &str| {
        Failure::input([
            Diagnostic { message: format!("the position of `{operation}`: {message}"), hint: None }.hint(Some(hint))
        ])
    };
    let position = Position::parse(position).map_err(|error| {
        let hint = "a position is JSON, as `offsets list` shows it: {\"offset\":\"2024-01-01T00:00:00Z\"}";
        refused(crate::error::chain(&error), hint)
    })?;
    position.check(facts).map_err(|misfit| refused(misfit.to_string(), "see what `offsets list` shows"))?;
    let config = ConnectorConfig::load(connector, config, environment, &Services::Configured)?;
    write(&config, &[(operation.to_owned(), Some(position.to_string()))].into())
}

/// Lets one operation begin from the beginning again; or all of the connector, and all that it has had a position of.
pub(super) fn reset(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
    operation: Option<&str>,
) -> Result<String, Failure> {
    let config = ConnectorConfig::load(connector, config, environment, &Services::Configured)?;
    let stored = wait(flow::read_positions(&config))?;
    if let Some(id) = operation.filter(|id| !stored.contains_key(*id)) {
        known(connector, id)?;
    }
    let chosen = stored.into_keys().filter(|id| operation.is_none_or(|wanted| wanted == id));
    let positions: BTreeMap<_, _> = chosen.map(|operation| (operation, None)).collect();
    if positions.is_empty() {
        return Ok("there is no position to reset\n".to_owned());
    }
    write(&config, &positions)
}

/// Writes positions; a line for each says what it was and what it is.
fn write(config: &ConnectorConfig, positions: &BTreeMap<String, Option<String>>) -> Result<String, Failure> {
    if config.delivery.exactly_once == ExactlyOnce::Disabled {
        tracing::warn!("without transactions, an instance that runs goes on and writes its own positions over these");
    }
    let before = wait(flow::write_positions(config, positions))?;
    let shown = |position: Option<&String>| position.map_or(BEGINNING, String::as_str).to_owned();
    let line = |(operation, position): (&String, &Option<String>)| {
        format!("{operation}: {}, was {}\n", shown(position.as_ref()), shown(before.get(operation)))
    };
    Ok(positions.iter().map(line).collect())
}

fn wait<T>(work: impl Future<Output = Result<T, RunError>>) -> Result<T, Failure> {
    let runtime = super::runtime()?;
    let result = runtime.block_on(work).map_err(run::failure);
    // Calls to Kafka that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    result
}
