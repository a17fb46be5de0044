//! Setting a connector up: topics, schemas, the producer that fences older instances, and the positions to begin at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use url::Url;

use super::dead_letters::DeadLetters;
use super::inference::Inference;
use super::stream::Stream;
use super::{Flow, Mode, RunError, Summary, Writer};
use crate::config::{ConnectorConfig, ExactlyOnce, OperationSettings, TopicCreation};
use crate::connector::{Connector, ConnectorError, OperationDefinition, Parameters};
use crate::error::chain;
use crate::format::OutputFormat;
use crate::http::{Client, HttpError};
use crate::kafka::{
    CleanupPolicy, Delivery, EmbeddedCluster, KafkaError, KafkaSettings, OffsetStore, Producer, TopicSpec,
    ensure_topics,
};
use crate::operation::Operation;
use crate::page::Wire;
use crate::position::{Position, PositionError};
use crate::registry::{EmbeddedRegistry, RegistryClient, SchemaType, value_subject, wire_prefix};

/// How long a broker or a registry may take to answer for the first time.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a transaction may stay open before the broker ends it. Far beyond the age at which transactions end, so that
/// only a process that hangs meets it; and short enough that its consumers do not wait long.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a connector could not be set up.
#[derive(Debug, Error)]
pub enum StartError {
    /// An operation lacks a parameter.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The HTTP client cannot be made.
    #[error("setting up the HTTP client")]
    Http(#[from] HttpError),
    /// A stored position cannot be read.
    #[error("restoring stream `{operation}`")]
    Position {
        /// The operation's id.
        operation: String,
        /// Why not.
        source: PositionError,
    },
    /// The embedded registry could not be started.
    #[error("starting the embedded schema registry")]
    EmbeddedRegistry(#[source] std::io::Error),
}

/// The embedded broker and registry of `--dev`; they stop when dropped.
pub struct Embedded {
    cluster: EmbeddedCluster,
    registry: EmbeddedRegistry,
}

impl Embedded {
    /// Starts both on free ports.
    ///
    /// # Errors
    ///
    /// If one of them cannot be started.
    pub async fn start() -> Result<Self, RunError> {
        let cluster = EmbeddedCluster::start(1)?;
        let registry =
            EmbeddedRegistry::start(([127, 0, 0, 1], 0).into()).await.map_err(StartError::EmbeddedRegistry)?;
        Ok(Self { cluster, registry })
    }

    /// `host:port` of the broker; any Kafka client can connect to it.
    pub fn bootstrap_servers(&self) -> &str {
        self.cluster.bootstrap_servers()
    }

    /// The registry's base URL.
    pub fn registry_url(&self) -> &Url {
        self.registry.url()
    }
}

/// Runs a connector until its streams are done or `stop` becomes true.
///
/// # Errors
///
/// If it cannot be set up, a stream cannot go on, or Kafka or the registry cannot be used.
pub async fn run(
    connector: &Connector,
    config: ConnectorConfig,
    embedded: Option<&Embedded>,
    mode: Mode,
    stop: watch::Receiver<bool>,
) -> Result<Summary, RunError> {
    let operations = operations(connector, &config.parameters)?;
    run_operations(operations, config, embedded, mode, stop).await
}

/// Runs operations, one for each that is configured, until their streams are done or `stop` becomes true.
///
/// # Errors
///
/// If they cannot be set up, a stream cannot go on, or Kafka or the registry cannot be used.
pub async fn run_operations(
    operations: Vec<Box<dyn Operation>>,
    config: ConnectorConfig,
    embedded: Option<&Embedded>,
    mode: Mode,
    stop: watch::Receiver<bool>,
) -> Result<Summary, RunError> {
    let target = Target::new(&config);
    let mut stopped = stop.clone();
    let flow = tokio::select! {
        biased;
        _ = stopped.wait_for(|stop| *stop) => return Ok(Summary::default()),
        flow = start(operations, &config, embedded, &target, mode) => flow?,
    };
    tracing::info!(connector = config.name, streams = flow.streams.len(), "started");
    let summary = flow.run(&target, stop).await?;
    tracing::info!(
        records = summary.records,
        pages = summary.pages,
        transactions = summary.transactions,
        dead_letters = summary.dead_letters,
        drift = summary.drift,
        "stopped"
    );
    Ok(summary)
}

async fn start(
    operations: Vec<Box<dyn Operation>>,
    config: &ConnectorConfig,
    embedded: Option<&Embedded>,
    target: &Target,
    mode: Mode,
) -> Result<Flow, RunError> {
    let topics = topics(config);
    let dead_letters = topic(&config.dead_letters, config.topics, CleanupPolicy::Delete);
    match embedded {
        Some(embedded) => {
            for topic in topics.iter().chain([&dead_letters]) {
                embedded.cluster.create_topic(&topic.name, topic.partitions)?;
            }
        }
        None => drop(ensure_topics(&config.kafka, &topics, PATIENCE).await?),
    }
    let registry = config.registry.clone().map(RegistryClient::new).transpose()?;
    let mut streams = Vec::with_capacity(operations.len());
    // The streams of one topic learn one schema.
    let mut inferences: BTreeMap<String, Arc<Inference>> = BTreeMap::new();
    for (operation, settings) in operations.into_iter().zip(&config.operations) {
        let inference = registry.as_ref().zip(settings.inferred_subject.clone()).map(|(registry, subject)| {
            let new = || Arc::new(Inference::new(registry.clone(), subject.clone()));
            Arc::clone(inferences.entry(subject.clone()).or_insert_with(new))
        });
        let wire = wire(operation.as_ref(), settings, registry.as_ref()).await?;
        streams.push(Arc::new(stream(operation, settings.clone(), wire, inference)?));
    }
    let writer = target.connect(&streams).await?;
    let dead_letters = DeadLetters::new(dead_letters, config.kafka.clone(), embedded.is_some());
    let boundary = config.delivery.boundary;
    Ok(Flow { streams, writer, dead_letters, boundary, mode, summary: Summary::default(), drift: BTreeMap::new() })
}

/// The connector's operations, by its configured parameters.
pub(crate) fn operations(
    connector: &Connector,
    parameters: &Parameters,
) -> Result<Vec<Box<dyn Operation>>, StartError> {
    let build = |definition: &OperationDefinition| (definition.build)(parameters);
    Ok(connector.operations.iter().map(build).collect::<Result<_, _>>()?)
}

/// Where a connector writes, and as whom.
pub(super) struct Target {
    kafka: KafkaSettings,
    exactly_once: ExactlyOnce,
    offsets_topic: String,
    connector: String,
}

impl Target {
    pub(super) fn new(config: &ConnectorConfig) -> Self {
        Self {
            kafka: config.kafka.clone(),
            exactly_once: config.delivery.exactly_once,
            offsets_topic: config.offsets.name.clone(),
            connector: config.name.clone(),
        }
    }

    pub(super) async fn producer(&self) -> Result<Producer, KafkaError> {
        let exactly_once = Delivery::ExactlyOnce {
            transactional_id: format!("headwater-{}", self.connector),
            transaction_timeout: TRANSACTION_TIMEOUT,
        };
        let at_least_once = || Producer::connect(&self.kafka, Delivery::AtLeastOnce, PATIENCE);
        match self.exactly_once {
            ExactlyOnce::Disabled => at_least_once().await,
            ExactlyOnce::Required => Producer::connect(&self.kafka, exactly_once, PATIENCE).await,
            ExactlyOnce::Requested => match Producer::connect(&self.kafka, exactly_once, PATIENCE).await {
                Err(error @ KafkaError::Fatal { .. }) => {
                    tracing::warn!(
                        error = %chain(&error),
                        "the brokers refuse transactions: records may be written again after a crash"
                    );
                    at_least_once().await
                }
                result => result,
            },
        }
    }

    /// Connects a producer and reads the positions of `streams`, in this order: what an older instance had under way is
    /// then either committed or gone.
    pub(super) async fn connect(&self, streams: &[Arc<Stream>]) -> Result<Writer, RunError> {
        let producer = self.producer().await?;
        let offsets = OffsetStore::open(&self.kafka, &self.offsets_topic, &self.connector, PATIENCE).await?;
        let mut stored = offsets.restore().await?;
        let positions = streams
            .iter()
            .map(|stream| {
                let operation = stream.facts().id.as_ref();
                match stored.remove(operation) {
                    Some(text) => Position::parse(&text)
                        .map_err(|source| StartError::Position { operation: operation.to_owned(), source }),
                    None => Ok(stream.start()),
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Writer { producer, offsets, positions })
    }
}

/// The topics that the connector writes to.
fn topics(config: &ConnectorConfig) -> Vec<TopicSpec> {
    let mut topics = vec![offsets_topic(config)];
    for operation in &config.operations {
        if topics.iter().all(|topic| topic.name != operation.topic) {
            topics.push(topic(&operation.topic, config.topics, CleanupPolicy::Delete));
        }
    }
    topics
}

pub(super) fn offsets_topic(config: &ConnectorConfig) -> TopicSpec {
    topic(&config.offsets.name, config.offsets.creation, CleanupPolicy::Compact)
}

fn topic(name: &str, creation: TopicCreation, cleanup: CleanupPolicy) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        // The configuration allows 10,000 at most.
        partitions: i32::try_from(creation.partitions).unwrap_or(i32::MAX),
        replication_factor: creation.replication.map(i32::from),
        cleanup,
    }
}

/// The schema language of a format, if it has one.
pub(crate) fn schema_type(format: OutputFormat) -> Option<SchemaType> {
    match format {
        OutputFormat::Avro => Some(SchemaType::Avro),
        OutputFormat::Protobuf => Some(SchemaType::Protobuf),
        OutputFormat::JsonSchema => Some(SchemaType::Json),
        OutputFormat::Json => None,
    }
}

/// How the records of an operation are written, after their schema has been registered.
async fn wire(
    operation: &dyn Operation,
    settings: &OperationSettings,
    registry: Option<&RegistryClient>,
) -> Result<Wire, RunError> {
    let mut prefix = Vec::new();
    if let (Some(language), Some(schema), Some(registry)) =
        (schema_type(settings.format), operation.schema(settings.format), registry)
    {
        let id = registry.register(&value_subject(&settings.topic), language, schema).await?;
        prefix.extend_from_slice(&wire_prefix(id));
        if language == SchemaType::Protobuf {
            // The record is the first message of its file, which is written so.
            prefix.push(0);
        }
    }
    Ok(Wire { format: settings.format, prefix, is_strict: settings.is_strict })
}

/// An operation with all that is needed to read it.
pub(super) fn stream(
    operation: Box<dyn Operation>,
    settings: OperationSettings,
    wire: Wire,
    inference: Option<Arc<Inference>>,
) -> Result<Stream, StartError> {
    Ok(Stream {
        client: Client::new(settings.http)?,
        retry: settings.retry,
        on_error: settings.on_error,
        schedule: settings.schedule,
        initial_offset: settings.initial_offset,
        wire,
        inference,
        topic: settings.topic,
        operation,
    })
}
