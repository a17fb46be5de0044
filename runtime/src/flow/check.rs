//! Whether all that a connector needs can be reached, without writing anything.

use super::start::{PATIENCE, operations, unregistered};
use super::{RunError, StreamError};
use crate::config::ConnectorConfig;
use crate::connector::Connector;
use crate::kafka::topic_exists;
use crate::registry::RegistryClient;

/// Something that the connector needs, and whether it can be used.
#[derive(Debug)]
pub struct Check {
    /// What it is.
    pub subject: String,
    /// What stands in the way.
    pub result: Result<(), RunError>,
}

/// Asks Kafka, the schema registry, and the API for the first page of each operation. Nothing is tried again.
///
/// # Errors
///
/// If the operations cannot be made from the configuration; what cannot be reached is in the checks.
pub async fn check(connector: &Connector, config: &ConnectorConfig) -> Result<Vec<Check>, RunError> {
    let mut checks = Vec::new();
    for (operation, settings) in operations(connector, config)?.into_iter().zip(&config.operations) {
        let stream = unregistered(operation, settings.clone())?;
        let answer = stream.client.send(&stream.request(&stream.start())).await;
        let result = answer
            .map(drop)
            .map_err(|error| RunError::Stream { operation: settings.id.clone(), source: StreamError::Request(error) });
        checks.push(Check { subject: format!("the API, operation `{}`", settings.id), result });
    }
    let registry = match RegistryClient::new(config.registry.clone()) {
        Ok(registry) => registry.check_reachable().await,
        Err(error) => Err(error),
    };
    checks.push(Check { subject: "the schema registry".to_owned(), result: registry.map_err(RunError::from) });
    let kafka = topic_exists(&config.kafka, &config.offsets.name, PATIENCE).await;
    checks.push(Check { subject: "Kafka".to_owned(), result: kafka.map(drop).map_err(RunError::from) });
    Ok(checks)
}
