//! Whether all that a connector needs can be reached, without writing anything.

use thiserror::Error;

use super::start::{PATIENCE, StartError, operations};
use crate::config::{ConnectorConfig, OperationSettings};
use crate::connector::Connector;
use crate::http::{Client, HttpError};
use crate::kafka::{KafkaError, topic_exists};
use crate::operation::Operation;
use crate::position::Position;
use crate::registry::{RegistryClient, RegistryError};

/// Something that the connector needs, and whether it can be used.
#[derive(Debug)]
pub struct Check {
    /// What it is.
    pub subject: String,
    /// What stands in the way.
    pub result: Result<(), CheckError>,
}

/// Why something that the connector needs cannot be used.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The API cannot be reached, or refuses.
    #[error("asking the API for the first page of operation `{operation}`")]
    Api {
        /// The operation's id.
        operation: String,
        /// Why not.
        source: HttpError,
    },
    /// The schema registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Kafka cannot be used.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

/// Asks, at the same time, the API once for the first page of each operation, the schema registry, and Kafka. Whatever
/// one of them says, the others are asked too.
///
/// # Errors
///
/// If the operations cannot be made from the configuration; what cannot be reached is in the checks.
pub async fn check(connector: &Connector, config: &ConnectorConfig) -> Result<Vec<Check>, StartError> {
    let operations = operations(connector, &config.parameters)?;
    let api = async {
        let mut checks = Vec::with_capacity(operations.len());
        for (operation, settings) in operations.iter().zip(&config.operations) {
            let result = ask(operation.as_ref(), settings)
                .await
                .map_err(|source| CheckError::Api { operation: settings.id.clone(), source });
            checks.push(Check { subject: format!("the API, operation `{}`", settings.id), result });
        }
        checks
    };
    let registry = async {
        match config.registry.clone() {
            Some(settings) => Some(async { RegistryClient::new(settings)?.check_reachable().await }.await),
            None => None,
        }
    };
    let kafka = topic_exists(&config.kafka, &config.offsets.name, PATIENCE);
    let (mut checks, registry, kafka) = tokio::join!(api, registry, kafka);
    if let Some(registry) = registry {
        checks.push(Check { subject: "the schema registry".to_owned(), result: registry.map_err(CheckError::from) });
    }
    checks.push(Check { subject: "Kafka".to_owned(), result: kafka.map(drop).map_err(CheckError::from) });
    Ok(checks)
}

async fn ask(operation: &dyn Operation, settings: &OperationSettings) -> Result<(), HttpError> {
    let start = Position::starting_at(settings.initial_offset.clone());
    let request = operation.request_at(&operation.begin(&start));
    Client::new(settings.http.clone())?.send(&request).await.map(drop)
}
