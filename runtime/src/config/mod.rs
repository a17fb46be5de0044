//! Configuration: names and texts from a file and the environment become typed settings, once. No other module looks at
//! a property's name.
//!
//! ```text
//! file ─▶ names and texts ─▶ environment laid over ─▶ references resolved ─▶ typed settings, or all problems
//! ```

mod addresses;
mod api;
mod auth;
mod backfill;
mod cassette;
mod connection;
mod delivery;
mod documentation;
mod drift;
mod environment;
mod failure;
mod identity;
mod java_properties;
mod json;
mod kafka;
mod kind;
mod limits;
mod listener;
mod login;
mod names;
mod problem;
mod property;
mod provenance;
mod raw;
mod reader;
mod recorded;
mod redaction;
mod reference;
mod registry;
mod schedule;
mod settings;
mod snapshot;
mod source;
mod store;
mod suggest;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transforms;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use url::Url;

pub use api::OperationSettings;
pub use cassette::Scrubbing;
pub use delivery::{Boundary, Delivery, ExactlyOnce, OffsetsTopic, TopicCreation};
pub use documentation::{Documentation, OperationDocumentation, PropertyDocumentation, documentation};
pub use environment::{Environment, variable_name};
pub use failure::ErrorTopic;
pub use listener::Listener;
pub use login::Logins;
pub use problem::{ConfigProblems, Origin, Problem, ProblemKind, PropertyName, Shown};
pub use raw::ReadError;
pub use recorded::{ConfiguredSecrets, RecordedConfig};
pub use source::{
    PropertyDefinition, PropertyValue, SourceConfig, ValidatedProperty, Validation, source_documentation,
};

use crate::connector::{Connector, ConnectorError, OperationDefinition, Parameters};
use crate::flow::{Learning, schema_type};
use crate::format::OutputFormat;
use crate::http::Auth;
use crate::kafka::KafkaSettings;
use crate::memory::Memory;
use crate::redaction::Redaction;
use crate::registry::RegistrySettings;
use names::Names;
use property::AnyProperty;
use raw::Entry;
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
    /// How much memory may be taken by what is on its way.
    pub memory: Memory,
    /// Where positions are kept.
    pub offsets: OffsetsTopic,
    /// The topic that says what the topics of streams hold that are read for what changes.
    pub snapshots: String,
    /// The topic of what is no record.
    pub dead_letters: String,
    /// The topic of failed requests.
    pub errors: ErrorTopic,
    /// How the records' topics are made if they do not exist.
    pub topics: TopicCreation,
    /// Where metrics, health and status are served, if anywhere.
    pub listener: Option<Listener>,
    /// What is kept out of recordings.
    pub scrubbing: Scrubbing,
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
    let of_modules = [
        identity::PROPERTIES,
        api::GLOBAL,
        auth::PROPERTIES,
        connection::PROPERTIES,
        addresses::PROPERTIES,
        limits::PROPERTIES,
        failure::PROPERTIES,
        api::ANNOTATED,
        drift::PROPERTIES,
        schedule::PROPERTIES,
        backfill::PROPERTIES,
        api::REQUESTS,
        api::RETRIED,
        redaction::OF_APIS,
        snapshot::OF_APIS,
    ];
    of_modules.into_iter().flatten().copied().chain(kafka::properties()).chain(last_properties())
}

/// Those that stand last, of every connector.
fn last_properties() -> impl Iterator<Item = &'static dyn AnyProperty> {
    let of_modules = [
        registry::PROPERTIES,
        delivery::PROPERTIES,
        redaction::GLOBAL,
        snapshot::GLOBAL,
        provenance::PROPERTIES,
        transforms::PROPERTIES,
        listener::PROPERTIES,
        cassette::PROPERTIES,
    ];
    of_modules.into_iter().flatten().copied()
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
        load(connector, file, environment, |reader, _| read(reader, connector, services))
    }

    /// Reads the configuration that a recording has of a connector.
    ///
    /// # Errors
    ///
    /// With everything that is wrong in it.
    pub fn of_recording(
        connector: &Connector,
        path: &Path,
        recorded: &RecordedConfig,
        services: &Services,
    ) -> Result<Self, ConfigError> {
        let (path, environment) = (path.display().to_string(), recorded.environment());
        load_entries(connector, &path, recorded.entries(), &environment, |reader, _| read(reader, connector, services))
    }

    /// What a recording keeps of a connector's configuration, and what must not be found in it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn recorded(
        &self,
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<(RecordedConfig, ConfiguredSecrets), ConfigError> {
        self.recorded_by(file, environment, properties())
    }

    fn recorded_by(
        &self,
        file: Option<&Path>,
        environment: &Environment,
        properties: impl Iterator<Item = &'static dyn AnyProperty>,
    ) -> Result<(RecordedConfig, ConfiguredSecrets), ConfigError> {
        let (mut recorded, mut secrets) = RecordedConfig::read(file, environment, properties)?;
        // It may be a file's name that says it.
        recorded.configuration.entry(identity::NAME.to_owned()).or_insert_with(|| self.name.clone());
        self.operations.iter().for_each(|operation| secrets.of_operation(operation));
        Ok((recorded, secrets))
    }
}

impl ApiConfig {
    /// Reads what a connector's configuration says of the API; of Kafka and the schema registry it need say nothing.
    ///
    /// # Errors
    ///
    /// As [`ConnectorConfig::load`].
    pub fn load(connector: &Connector, file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        load(connector, file, environment, |reader, _| read_api(reader, connector))
    }
}

fn load<T>(
    connector: &Connector,
    file: Option<&Path>,
    environment: &Environment,
    read: impl FnOnce(&mut Reader<'_>, &Names) -> Option<T>,
) -> Result<T, ConfigError> {
    let entries = file.map(raw::read).transpose()?.unwrap_or_default();
    let path = file.map(|path| path.display().to_string()).unwrap_or_default();
    load_entries(connector, &path, entries, environment, read)
}

fn load_entries<T>(
    connector: &Connector,
    path: &str,
    entries: Vec<Entry>,
    environment: &Environment,
    read: impl FnOnce(&mut Reader<'_>, &Names) -> Option<T>,
) -> Result<T, ConfigError> {
    let names = Names::new(connector, properties());
    let mut problems = Vec::new();
    let settings = Settings::assemble(path, entries, environment, &names, &mut problems);
    let mut reader = Reader::new(&settings, &names, problems);
    let config = read(&mut reader, &names);
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
        .map(|(number, definition)| {
            let obstacle = snapshot_obstacle(connector, definition);
            let settings = api::read_operation(reader, number, api.as_ref(), &definition.facts);
            let snapshot = snapshot::read(reader, number, definition.writes_changes, obstacle);
            let backfill = match &definition.backfill {
                Some(facts) => backfill::read(reader, number, Some(facts)),
                None => {
                    backfill::refuse(reader, number);
                    Some(None)
                }
            };
            let redaction = read_redaction(reader, number, definition);
            let mut settings = OperationSettings { snapshot: snapshot?, backfill: backfill?, ..settings? };
            settings.redact_by(redaction?);
            Some(settings)
        })
        // Not straight into an `Option`, which would stop at the first that is wrong.
        .collect::<Vec<_>>();
    let transformation = transforms::read(reader);
    let mut operations: Vec<_> = operations.into_iter().collect::<Option<_>>()?;
    let transformation = transformation?;
    for operation in operations.iter_mut().filter(|_| !transformation.transforms.is_empty()) {
        operation.transforms = transformation.transforms.clone();
        operation.tolerance = transformation.tolerance;
        // What comes out is of no declared type.
        operation.learning = schema_type(operation.format).map(|language| Learning {
            language,
            context: None,
            record_name: transformation.record_name.clone(),
            is_strict: false,
        });
    }
    if let Some(own) = &connector.authenticator {
        for operation in operations.iter_mut().filter(|operation| operation.http.auth == Auth::None) {
            operation.http.auth = Auth::Own(own.clone());
        }
    }
    Some(ApiConfig { parameters: parameters?, operations })
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
    let memory = delivery::read_memory(reader);
    let offsets = delivery::read_offsets(reader, name.as_deref());
    let snapshots = snapshot::read_topic(reader, name.as_deref());
    let dead_letters = delivery::read_dead_letters(reader, name.as_deref());
    let errors = failure::read_error_topic(reader, name.as_deref());
    let topics = delivery::read_topics(reader);
    let listener = listener::read(reader);
    let scrubbing = cassette::read(reader);
    let provenance = provenance::read(reader, connector.document);
    let ApiConfig { parameters, mut operations } = api?;
    let (delivery, provenance) = (delivery?, provenance?);
    for (number, operation) in (1..).zip(&operations) {
        snapshot::check_delivery(reader, number, operation.snapshot, delivery.exactly_once);
    }
    operations.iter_mut().for_each(|operation| operation.provenance.clone_from(&provenance));
    Some(ConnectorConfig {
        name: name?,
        parameters,
        operations,
        kafka: kafka::within(kafka?, memory?),
        registry: registry?,
        delivery,
        memory: memory?,
        offsets: offsets?,
        snapshots: snapshots?,
        dead_letters: dead_letters?,
        errors: errors?,
        topics: topics?,
        listener,
        scrubbing: scrubbing?,
    })
}

/// What is done with personal data in the records of an operation.
fn read_redaction(
    reader: &mut Reader<'_>,
    number: usize,
    definition: &OperationDefinition,
) -> Option<Option<Arc<Redaction>>> {
    let OperationDefinition { facts, redact, .. } = definition;
    let redaction = redaction::read(reader, number, redact, &redaction::of_facts(facts))?;
    // Which other fields it needs, its types know, and the configuration does not.
    Some(redaction.map(|redaction| Arc::new(redaction.guarding_uses())))
}

/// Why an operation cannot be read for what changes, if it cannot.
fn snapshot_obstacle(connector: &Connector, definition: &OperationDefinition) -> Option<&'static str> {
    let OperationDefinition { facts, slicing, .. } = definition;
    if !slicing.is_whole() || connector.is_parent(definition) {
        Some(snapshot::SLICES)
    } else if facts.incremental.is_some() || facts.pagination.delta_pointer().is_some() {
        Some(snapshot::INCREMENTAL)
    } else {
        None
    }
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
            // What a slice has is not known yet.
            Ok(_) | Err(ConnectorError::Slice(_)) => {}
            Err(ConnectorError::Missing { name }) => {
                reader.conflict(&name, "is asked for by an operation, but is none of the connector's parameters", None);
            }
            Err(ConnectorError::Invalid { name, expected, .. }) => reader.invalid(&name, expected, None),
        }
    }
}
