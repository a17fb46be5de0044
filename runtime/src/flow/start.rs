//! Setting a connector up: topics, schemas, the producer that fences older instances, and the positions to begin at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use thiserror::Error;
use tokio::sync::watch;
use url::Url;

use super::dead_letters::DeadLetters;
use super::definition::Definition;
use super::error_topic::ErrorTopic;
use super::inference::Inference;
use super::instance::Instance;
use super::instead::Detours;
use super::membership::Membership;
use super::output::Output;
use super::shard::{self, Common, SideTopics};
use super::side_topic::SideTopic;
use super::snapshot::{SnapshotError, SnapshotTopic};
use super::state::{State, States};
use super::stream::Stream;
use super::topics::Topics;
use super::{Handle, Mode, RunError, Summary};
use crate::config::{ConnectorConfig, ExactlyOnce, OperationSettings, TopicCreation};
use crate::connector::{Connector, ConnectorError, OperationDefinition, Parameters};
use crate::error::chain;
use crate::format::OutputFormat;
use crate::http::{Client, HttpError};
use crate::kafka::{
    CleanupPolicy, Delivery, EmbeddedCluster, Group, KafkaError, KafkaSettings, OffsetStore, Producer, SourcePartition,
    TopicSpec, check_topics, ensure_topics,
};
use crate::memory::Budget;
use crate::metrics::StreamMetrics;
use crate::operation::{Operation, SlicedOperation};
use crate::page::Wire;
use crate::position::PositionError;
use crate::registry::{EmbeddedRegistry, RegistryClient, SchemaType, value_subject, wire_prefix};
use crate::slice::Slice;

/// How long a broker or a registry may take to answer for the first time.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a transaction may stay open before the broker ends it, besides the longest request: a response that comes in
/// parts is one transaction. Far beyond the age at which others end, so that only a process that hangs meets it; and short
/// enough that its consumers do not wait long.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest that brokers allow unless they are configured otherwise (`transaction.max.timeout.ms`).
const MAX_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15 * 60);

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
    /// The brokers refuse transactions, and an operation cannot do without them.
    #[error(
        "operation `{operation}` writes only what changes, which needs transactions to be right after a crash, and the \
         brokers refuse them"
    )]
    NoTransactions {
        /// The operation's id.
        operation: String,
    },
    /// The topic that says what the topics of the streams hold has another number of partitions than the offsets topic.
    #[error("the topic `{topic}` has {found} partitions, and the offsets topic `{offsets}` has {wanted}")]
    SnapshotPartitions {
        /// The topic.
        topic: String,
        /// Its partitions.
        found: i32,
        /// The offsets topic.
        offsets: String,
        /// The partitions of that.
        wanted: i32,
    },
    /// What the topic of an operation holds cannot be read.
    #[error("restoring stream `{operation}`")]
    Snapshot {
        /// The operation's id.
        operation: String,
        /// Why not.
        source: SnapshotError,
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
    let operations = operations(connector, &config.parameters, &config.operations)?;
    let handle = Arc::new(Handle::new(&config.name));
    run_operations(operations, config, embedded, mode, handle, stop).await
}

/// Runs operations, one for each that is configured, until their streams are done or `stop` becomes true. `handle` shows
/// how they do.
///
/// # Errors
///
/// If they cannot be set up, a stream cannot go on, or Kafka or the registry cannot be used.
pub async fn run_operations(
    operations: Vec<Box<dyn SlicedOperation>>,
    config: ConnectorConfig,
    embedded: Option<&Embedded>,
    mode: Mode,
    handle: Arc<Handle>,
    stop: watch::Receiver<bool>,
) -> Result<Summary, RunError> {
    let mut stopped = stop.clone();
    let instance = tokio::select! {
        biased;
        _ = stopped.wait_for(|stop| *stop) => return Ok(Summary::default()),
        instance = start(operations, &config, embedded, mode, handle) => instance?,
    };
    let (streams, shards) = instance.size();
    tracing::info!(connector = config.name, streams, shards, "started");
    let summary = instance.run(stop).await?;
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
    operations: Vec<Box<dyn SlicedOperation>>,
    config: &ConnectorConfig,
    embedded: Option<&Embedded>,
    mode: Mode,
    handle: Arc<Handle>,
) -> Result<Instance, RunError> {
    let mut target = Target::new(config, embedded.is_some());
    let mut topics = topics(config);
    let dead_letters = topic(&config.dead_letters, config.topics, CleanupPolicy::Delete);
    let errors = topic(&config.errors.name, config.topics, CleanupPolicy::Delete);
    match embedded {
        Some(embedded) => {
            for topic in topics.iter().chain([&dead_letters, &errors]) {
                embedded.cluster.create_topic(&topic.name, topic.partitions)?;
            }
        }
        None => {
            ensure_topics(&config.kafka, &topics, PATIENCE).await?;
            let of_records: Vec<_> = topics.iter().skip(1).map(|topic| topic.name.as_str()).collect();
            check_topics(&config.kafka, &config.offsets.name, &of_records, PATIENCE).await?;
        }
    }
    let offsets = target.offsets().await?;
    if config.operations.iter().any(|operation| operation.snapshot.is_some()) {
        let snapshots = snapshot_topic(config, &offsets);
        match embedded {
            Some(embedded) => embedded.cluster.create_topic(&snapshots.name, snapshots.partitions)?,
            None => ensure_snapshot_topic(config, &snapshots).await?,
        }
        topics.push(snapshots);
    }
    let registry = config.registry.clone().map(RegistryClient::new).transpose()?;
    let writing = Writing::new(config, registry);
    let mut streams = Vec::with_capacity(operations.len());
    for (operation, settings) in operations.into_iter().zip(&config.operations) {
        let definition = writing.definition(operation, settings, &handle).await?;
        // The cycles of others are those of their parents.
        let definition = match definition.slicing().parent {
            None => {
                let demands = handle.demands_of(definition.id());
                definition.on_demand(demands)
            }
            Some(_) => definition,
        };
        streams.push(Arc::new(match settings.snapshot {
            Some(_) => {
                let shard = offsets.shard(definition.id(), &Slice::whole());
                definition.with_snapshots(SnapshotTopic::of(config, shard))
            }
            None => definition,
        }));
    }
    let layout = shard::divide(&streams, |operation, slice| offsets.shard(operation, slice));
    target.kafka = target.kafka.shared_by(layout.len());
    let side_topic = |spec| SideTopic::new(spec, config.kafka.clone(), embedded.is_some());
    let dead_letters = DeadLetters::new(side_topic(dead_letters), &config.name);
    let errors = ErrorTopic::new(side_topic(errors), config.errors.report);
    let boundary = config.delivery.boundary;
    let model = topic("", config.topics, CleanupPolicy::Delete);
    let known = topics.into_iter().map(|topic| topic.name).collect();
    let topics = Topics::new(config.kafka.clone(), model, known, embedded.is_some());
    let topics = SideTopics { dead_letters, errors, named: topics };
    let common = Common { streams, boundary, mode, handle, target, offsets };
    // Nobody else can use the broker of this process; and what ends by itself would be begun anew by the next.
    let membership = match mode {
        Mode::Continuous if embedded.is_none() => {
            let following = common.offsets.follow_state().await?;
            let group = Group::join(&config.kafka, &group_of(&config.name), &config.offsets.name).await?;
            Membership::Group(group, following)
        }
        Mode::Continuous | Mode::Once | Mode::InOrder => Membership::alone(layout.keys().copied().collect()),
    };
    let common = Arc::new(common);
    common.handle.steered_by(&common);
    Ok(Instance::new(common, layout, topics, membership))
}

/// The consumer group of a connector's instances.
pub(super) fn group_of(connector: &str) -> String {
    format!("headwater-{connector}")
}

/// What the streams of a connector write by.
pub(super) struct Writing {
    registry: Option<RegistryClient>,
    /// The streams of one topic learn one schema.
    inference: Option<Arc<Inference>>,
    budget: Budget,
}

impl Writing {
    /// Without a registry, nothing is registered: what is written then is only to be looked at.
    pub(super) fn new(config: &ConnectorConfig, registry: Option<RegistryClient>) -> Self {
        let inference = registry.clone().map(|registry| Arc::new(Inference::new(registry)));
        Self { registry, inference, budget: Budget::new(config.memory) }
    }

    /// An operation with what is configured of it, after its schema has been registered.
    pub(super) async fn definition(
        &self,
        operation: Box<dyn SlicedOperation>,
        settings: &OperationSettings,
        handle: &Handle,
    ) -> Result<Definition, RunError> {
        let output = match &settings.topic {
            Some(topic) => Output {
                topic: topic.clone(),
                transforms: settings.transforms.clone(),
                tolerance: settings.tolerance,
                learning: settings.learning.clone().zip(self.inference.clone()),
            },
            // Its records are read, and not written.
            None => Output::unchanged(""),
        };
        let wire = if output.takes_json() {
            Wire {
                format: OutputFormat::Json,
                prefix: Vec::new(),
                on_drift: settings.on_drift,
                redaction: settings.redaction.clone(),
            }
        } else {
            wire(operation.as_ref(), settings, self.registry.as_ref()).await?
        };
        let metrics = handle.metrics().stream(&operation.facts().id);
        Ok(Definition::new(operation, settings.clone(), wire, output, metrics, self.budget.clone())?)
    }
}

/// The topics that transforms name, which are made when there is something to write to them; no topic is known to be there.
pub(super) fn named_topics(config: &ConnectorConfig) -> Topics {
    let model = topic("", config.topics, CleanupPolicy::Delete);
    Topics::new(config.kafka.clone(), model, BTreeSet::new(), false)
}

/// The connector's operations, by its configured parameters, and by what is configured of each.
pub(crate) fn operations(
    connector: &Connector,
    parameters: &Parameters,
    settings: &[OperationSettings],
) -> Result<Vec<Box<dyn SlicedOperation>>, StartError> {
    let build = |(definition, settings): (&OperationDefinition, &OperationSettings)| {
        definition.configured(parameters, settings.backfill.clone())
    };
    Ok(connector.operations.iter().zip(settings).map(build).collect::<Result<_, _>>()?)
}

/// Where a connector writes, and as whom.
pub(super) struct Target {
    kafka: KafkaSettings,
    exactly_once: ExactlyOnce,
    offsets_topic: String,
    connector: String,
    transaction_timeout: Duration,
    /// Whether the broker is of this process, and with it the topics.
    is_embedded: bool,
}

impl Target {
    pub(super) fn new(config: &ConnectorConfig, is_embedded: bool) -> Self {
        let longest =
            config.operations.iter().map(|operation| operation.http.request_timeout).max().unwrap_or_default();
        Self {
            transaction_timeout: TRANSACTION_TIMEOUT.saturating_add(longest).min(MAX_TRANSACTION_TIMEOUT),
            kafka: config.kafka.clone(),
            exactly_once: config.delivery.exactly_once,
            offsets_topic: config.offsets.name.clone(),
            connector: config.name.clone(),
            is_embedded,
        }
    }

    /// The offsets topic.
    pub(super) async fn offsets(&self) -> Result<OffsetStore, KafkaError> {
        OffsetStore::open(&self.kafka, &self.offsets_topic, &self.connector, PATIENCE).await
    }

    /// Connects the producer of a shard. Whoever has one for the same shard is fenced.
    pub(super) async fn producer(&self, shard: i32) -> Result<Producer, KafkaError> {
        if self.exactly_once != ExactlyOnce::Disabled {
            let delivery = Delivery::ExactlyOnce {
                transactional_id: format!("headwater-{}-{shard}", self.connector),
                transaction_timeout: self.transaction_timeout,
            };
            match Producer::connect(&self.kafka, delivery, PATIENCE).await {
                Err(error @ KafkaError::NoTransactions { .. }) if self.exactly_once == ExactlyOnce::Requested => {
                    tracing::warn!(shard, error = %chain(&error), "records may be written again after a crash");
                }
                result => return result,
            }
        }
        Producer::connect(&self.kafka, Delivery::AtLeastOnce, PATIENCE).await
    }

    /// Connects a producer with transactions of this name; whoever has one is fenced.
    pub(super) async fn producer_named(&self, transactional_id: String) -> Result<Producer, KafkaError> {
        let transaction_timeout = self.transaction_timeout;
        let delivery = Delivery::ExactlyOnce { transactional_id, transaction_timeout };
        Producer::connect(&self.kafka, delivery, PATIENCE).await
    }

    /// Connects a producer for each shard, all at the same time.
    pub(super) async fn producers(&self, shards: &BTreeSet<i32>) -> Result<BTreeMap<i32, Producer>, KafkaError> {
        let connect = |shard: i32| async move { Ok((shard, self.producer(shard).await?)) };
        try_join_all(shards.iter().copied().map(connect)).await.map(|producers| producers.into_iter().collect())
    }

    /// Reads what shards hold of `streams`, whose producers have been connected before: what an older instance had under way
    /// is then either committed or gone. `producer` is that of one of them.
    pub(super) async fn restore(
        &self,
        offsets: &OffsetStore,
        streams: &[Arc<Definition>],
        shards: &BTreeSet<i32>,
        producer: &Producer,
    ) -> Result<BTreeMap<i32, Vec<States>>, RunError> {
        let changing = streams.iter().find(|stream| stream.settings().snapshot.is_some());
        if let Some(stream) = changing.filter(|_| !producer.is_transactional()) {
            return Err(StartError::NoTransactions { operation: stream.id().to_owned() }.into());
        }
        let mut stored = offsets.restore(shards).await?;
        if !self.is_embedded {
            offsets.hold_to_partitions(&stored, producer, PATIENCE).await?;
        }
        let indexes: BTreeMap<_, _> = streams.iter().map(|stream| stream.id()).zip(0..).collect();
        let mut restored = BTreeMap::new();
        for &shard in shards {
            let mut states = vec![States::new(); streams.len()];
            for (SourcePartition { operation, slice }, text) in stored.positions.remove(&shard).unwrap_or_default() {
                let states = indexes.get(operation.as_str()).and_then(|index: &usize| states.get_mut(*index));
                // What stands here of an operation that there is no more may be wanted again.
                let Some(states) = states else { continue };
                let state = State::parse(&text).map_err(|source| StartError::Position { operation, source })?;
                states.insert(Arc::new(slice), state);
            }
            restored.insert(shard, states);
        }
        Ok(restored)
    }
}

/// The topics that the connector writes to.
fn topics(config: &ConnectorConfig) -> Vec<TopicSpec> {
    let mut topics = vec![offsets_topic(config)];
    for name in config.operations.iter().filter_map(|operation| operation.topic.as_deref()) {
        if topics.iter().all(|topic| topic.name != name) {
            topics.push(topic(name, config.topics, CleanupPolicy::Delete));
        }
    }
    topics
}

/// The topic that says what the topics of the streams hold: that of a stream in the partition of its shard.
fn snapshot_topic(config: &ConnectorConfig, offsets: &OffsetStore) -> TopicSpec {
    let topic = topic(&config.snapshots, config.offsets.creation, CleanupPolicy::Compact);
    TopicSpec { partitions: offsets.partitions(), ..topic }
}

/// Has that topic be there.
async fn ensure_snapshot_topic(config: &ConnectorConfig, topic: &TopicSpec) -> Result<(), RunError> {
    let partitions = ensure_topics(&config.kafka, std::slice::from_ref(topic), PATIENCE).await?;
    let found = partitions.get(&topic.name).copied().unwrap_or_default();
    if found != topic.partitions {
        let (topic, offsets) = (topic.clone(), config.offsets.name.clone());
        return Err(
            StartError::SnapshotPartitions { topic: topic.name, found, offsets, wanted: topic.partitions }.into()
        );
    }
    Ok(check_topics(&config.kafka, &topic.name, &[], PATIENCE).await?)
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
    operation: &dyn SlicedOperation,
    settings: &OperationSettings,
    registry: Option<&RegistryClient>,
) -> Result<Wire, RunError> {
    let mut prefix = Vec::new();
    if let (Some(language), Some(schema), Some(registry), Some(topic)) =
        (schema_type(settings.format), operation.schema(settings.format), registry, &settings.topic)
    {
        let id = registry.register(&value_subject(topic), language, schema).await?;
        prefix.extend_from_slice(&wire_prefix(id));
        if language == SchemaType::Protobuf {
            // The record is the first message of its file, which is written so.
            prefix.push(0);
        }
    }
    Ok(Wire { format: settings.format, prefix, on_drift: settings.on_drift, redaction: settings.redaction.clone() })
}

/// An operation, or a slice of one, with all that is needed to read it.
pub(super) fn stream(
    operation: Arc<dyn Operation>,
    client: Client,
    settings: OperationSettings,
    wire: Wire,
    output: Output,
    metrics: StreamMetrics,
    budget: Budget,
) -> Stream {
    Stream {
        client,
        retry: settings.retry,
        provenance: settings.provenance,
        pages: settings.pages,
        max_in_flight: settings.max_in_flight,
        on_error: settings.on_error,
        schedule: settings.schedule,
        pace: settings.pace,
        is_conditional: settings.is_conditional,
        initial_offset: settings.initial_offset,
        wire,
        output,
        redacted_at: None,
        snapshot: None,
        metrics,
        empty_on: settings.empty_on,
        detours: Detours::default(),
        budget,
        operation,
    }
}
