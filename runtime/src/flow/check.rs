//! Whether all that a connector needs can be reached, without writing anything.

use thiserror::Error;

use super::definition::Definition;
use super::first::{definitions, first_slice};
use super::start::{PATIENCE, StartError, operations};
use super::stream::StreamError;
use crate::config::ConnectorConfig;
use crate::connector::Connector;
use crate::http::HttpError;
use crate::kafka::{KafkaError, topic_exists};
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
    /// A first slice of the operation cannot be had: it is made from a record of a parent.
    #[error("finding a slice of operation `{operation}`")]
    Slice {
        /// The operation's id.
        operation: String,
        /// Why not.
        source: StreamError,
    },
    /// The schema registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Kafka cannot be used.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

/// Asks, at the same time, the API once for the first page of each operation, the schema registry, and Kafka. Whatever
/// one of them says, the others are asked too. Of an operation that is read in slices, the first one is asked for; if its
/// parent has no records, that there is nothing to ask for is right.
///
/// # Errors
///
/// If the operations cannot be made from the configuration; what cannot be reached is in the checks.
pub async fn check(connector: &Connector, config: &ConnectorConfig) -> Result<Vec<Check>, StartError> {
    let operations = definitions(operations(connector, &config.parameters, &config.operations)?, &config.operations)?;
    let api = async {
        let mut checks = Vec::with_capacity(operations.len());
        for operation in &operations {
            let result = ask(&operations, operation).await;
            checks.push(Check { subject: format!("the API, operation `{}`", operation.id()), result });
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

async fn ask(all: &[Definition], definition: &Definition) -> Result<(), CheckError> {
    let operation = || definition.id().to_owned();
    let first = first_slice(all, definition).await;
    let Some(stream) = first.map_err(|source| CheckError::Slice { operation: operation(), source })? else {
        return Ok(());
    };
    let request = stream.operation.request_at(&stream.operation.begin(&stream.start()));
    let answer = stream.client.begin(&request, 0).await;
    answer.map(drop).map_err(|source| CheckError::Api { operation: operation(), source })
}
