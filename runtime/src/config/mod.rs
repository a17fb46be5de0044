//! Configuration: names and texts from a file and the environment become typed settings, once. No other module looks at
//! a property's name.
//!
//! ```text
//! file ─▶ names and texts ─▶ environment laid over ─▶ references resolved ─▶ typed settings, or all problems
//! ```

mod api;
mod delivery;
mod documentation;
mod environment;
mod identity;
mod java_properties;
mod json;
mod kafka;
mod kind;
mod names;
mod problem;
mod property;
mod raw;
mod reader;
mod reference;
mod registry;
mod settings;
mod source;
mod suggest;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use thiserror::Error;
use url::Url;

pub use api::OperationSettings;
pub use delivery::{Boundary, Delivery, ExactlyOnce, OffsetsTopic, TopicCreation};
pub use documentation::{Documentation, OperationDocumentation, PropertyDocumentation, documentation};
pub use environment::{Environment, variable_name};
pub use problem::{ConfigProblems, Origin, Problem, ProblemKind, PropertyName, Shown};
pub use raw::ReadError;
pub use source::{SourceConfig, source_documentation};

use crate::connector::{Connector, ConnectorError, Parameters};
use crate::format::OutputFormat;
use crate::kafka::KafkaSettings;
use crate::registry::RegistrySettings;
use names::Names;
use property::AnyProperty;
use reader::Reader;
use settings::Settings;

/// A connector's configuration.
pub struct ConnectorConfig {
    /// The connector's name.
    pub name: String,
    /// The connector's own parameters.
    pub parameters: Parameters,
    /// What is configured of each operation, in the connector's order.
    pub operations: Vec<OperationSettings>,
    /// Kafka.
    pub kafka: KafkaSettings,
    /// The schema registry; `None` if no record needs one.
    pub registry: Option<RegistrySettings>,
    /// How records are delivered.
    pub delivery: Delivery,
    /// Where positions are kept.
    pub offsets: OffsetsTopic,
    /// The topic of what is no record.
    pub dead_letters: String,
    /// How the records' topics are made if they do not exist.
    pub topics: TopicCreation,
}

impl fmt::Debug for ConnectorConfig {
    /// Shows no more than the name: parameters may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The part of a configuration that is about the API.
pub struct ApiConfig {
    /// The connector's own parameters.
    pub parameters: Parameters,
    /// What is configured of each operation, in the connector's order.
    pub operations: Vec<OperationSettings>,
}

/// Where the broker and the schema registry are.
#[derive(Clone, Debug)]
pub enum Services {
    /// Where the configuration says.
    Configured,
    /// In this process. What is configured of where they are and how to authenticate is not looked at.
    Embedded {
        /// `host:port` of the broker.
        bootstrap_servers: String,
        /// The registry's base URL.
        registry: Url,
    },
}

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What it says cannot be used.
    #[error(transparent)]
    Problems(#[from] ConfigProblems),
}

/// Every property, in the order of the documentation.
fn properties() -> impl Iterator<Item = &'static dyn AnyProperty> {
    let of_modules = [identity::PROPERTIES, api::GLOBAL, api::ANNOTATED, api::REQUESTS, api::RETRIED];
    let after = [registry::PROPERTIES, delivery::PROPERTIES];
    of_modules.into_iter().flatten().copied().chain(kafka::properties()).chain(after.into_iter().flatten().copied())
}

impl ConnectorConfig {
    /// Reads a connector's configuration from a file, if there is one, and the environment.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; otherwise with everything that is wrong in it.
    pub fn load(
        connector: &Connector,
        file: Option<&Path>,
        environment: &Environment,
        services: &Services,
    ) -> Result<Self, ConfigError> {
        load(connector, file, environment, |reader| read(reader, connector, services))
    }
}

impl ApiConfig {
    /// Reads what a connector's configuration says of the API; of Kafka and the schema registry it need say nothing.
    ///
    /// # Errors
    ///
    /// As [`ConnectorConfig::load`].
    pub fn load(connector: &Connector, file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        load(connector, file, environment, |reader| read_api(reader, connector))
    }
}

fn load<T>(
    connector: &Connector,
    file: Option<&Path>,
    environment: &Environment,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, ConfigError> {
    let entries = file.map(raw::read).transpose()?.unwrap_or_default();
    let path = file.map(|path| path.display().to_string()).unwrap_or_default();
    let names = Names::new(connector, properties());
    let mut problems = Vec::new();
    let settings = Settings::assemble(&path, entries, environment, &names, &mut problems);
    let mut reader = Reader::new(&settings, &names, problems);
    let config = read(&mut reader);
    let problems = reader.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(ConfigProblems(problems).into()),
    }
}

fn read_api(reader: &mut Reader<'_>, connector: &Connector) -> Option<ApiConfig> {
    let parameters = read_parameters(reader, connector);
    if let Some(parameters) = &parameters {
        try_parameters(reader, connector, parameters);
    }
    let api = api::read(reader, connector.base_url);
    let operations = (1..)
        .zip(&connector.operations)
        .map(|(number, definition)| api::read_operation(reader, number, api.as_ref(), &definition.facts))
        // Not straight into an `Option`, which would stop at the first that is wrong.
        .collect::<Vec<_>>();
    Some(ApiConfig { parameters: parameters?, operations: operations.into_iter().collect::<Option<_>>()? })
}

/// Reads everything, so that all problems are found, and only then gives up.
fn read(reader: &mut Reader<'_>, connector: &Connector, services: &Services) -> Option<ConnectorConfig> {
    let name = identity::read(reader, connector.name);
    let api = read_api(reader, connector);
    let has_schemas =
        api.as_ref().is_none_or(|api| api.operations.iter().any(|operation| operation.format != OutputFormat::Json));
    let (kafka, registry) = match services {
        Services::Configured => (kafka::read(reader), registry::read(reader, has_schemas)),
        Services::Embedded { bootstrap_servers, registry } => (
            Some(kafka::read_embedded(reader, bootstrap_servers.clone())),
            Some(Some(RegistrySettings::new(registry.clone()))),
        ),
    };
    let delivery = delivery::read(reader);
    let offsets = delivery::read_offsets(reader, name.as_deref());
    let dead_letters = delivery::read_dead_letters(reader, name.as_deref());
    let topics = delivery::read_topics(reader);
    let ApiConfig { parameters, operations } = api?;
    Some(ConnectorConfig {
        name: name?,
        parameters,
        operations,
        kafka: kafka?,
        registry: registry?,
        delivery: delivery?,
        offsets: offsets?,
        dead_letters: dead_letters?,
        topics: topics?,
    })
}

fn read_parameters(reader: &mut Reader<'_>, connector: &Connector) -> Option<Parameters> {
    let values = connector
        .parameters
        .iter()
        .map(|parameter| Some((parameter.name.to_owned(), reader.parameter(parameter.name, parameter.description)?)))
        .collect::<Vec<_>>();
    Some(Parameters::new(values.into_iter().collect::<Option<BTreeMap<_, _>>>()?))
}

/// Makes the operations, to see whether they take the parameters.
fn try_parameters(reader: &mut Reader<'_>, connector: &Connector, parameters: &Parameters) {
    for definition in &connector.operations {
        match (definition.build)(parameters) {
            Ok(_) => {}
            Err(ConnectorError::Missing { name }) => {
                reader.conflict(&name, "is asked for by an operation, but is none of the connector's parameters", None);
            }
            Err(ConnectorError::Invalid { name, expected, .. }) => reader.invalid(&name, expected, None),
        }
    }
}
