//! Reading a topic from its beginning to its current end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError as NativeKafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::admin::{TopicState, describe};
use super::blocking::{Waiting, blocking};
use super::error::{Cause, KafkaError};
use super::events::ClientEvents;
use super::settings::KafkaSettings;

/// How long one wait for records lasts before it is seen whether anybody still waits.
const POLL_STEP: Duration = Duration::from_millis(100);

/// Reads topics as a consumer of its own, outside of any group.
#[derive(Clone, Debug)]
pub struct TopicReader {
    settings: KafkaSettings,
    patience: Duration,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z, by its producer or by the broker.
    pub timestamp: Option<i64>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers, those without a value left out.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl TopicReader {
    /// A reader that gives up after `patience` without an answer.
    pub fn new(settings: KafkaSettings, patience: Duration) -> Self {
        Self { settings, patience }
    }

    /// The committed records of a topic, up to where it ends now, each partition in its order.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] after `patience` without an answer; [`KafkaError::Topic`] if there is no such topic or
    /// it may not be read.
    pub async fn read(&self, topic: &str) -> Result<Vec<TopicRecord>, KafkaError> {
        let Self { settings, patience } = self.clone();
        let topic = topic.to_owned();
        blocking(move |waiting| {
            let mut records = Vec::new();
            read_to_end(&settings, &topic, patience, waiting, |message| {
                records.push(record(message));
            })?;
            records.sort_by_key(|record| (record.partition, record.offset));
            Ok(records)
        })
        .await
    }

    /// Hands key and value of each committed record that has a key to `take`, up to where the topic ends now: of one
    /// partition, or of all, each in its order. `None` is a tombstone. What `take` makes of `start` is returned.
    ///
    /// # Errors
    ///
    /// As [`TopicReader::read`].
    pub async fn fold<T: Send + 'static>(
        &self,
        topic: &str,
        partition: Option<i32>,
        start: T,
        mut take: impl FnMut(&mut T, &[u8], Option<&[u8]>) + Send + 'static,
    ) -> Result<T, KafkaError> {
        let Self { settings, patience } = self.clone();
        let topic = topic.to_owned();
        blocking(move |waiting| {
            let mut made = start;
            let wanted = partition.map(|partition| [partition].into());
            read_partitions(&settings, &topic, wanted.as_ref(), patience, waiting, |message| {
                if let Some(key) = message.key() {
                    take(&mut made, key, message.payload());
                }
            })?;
            Ok(made)
        })
        .await
    }
}

/// A message as it stands in its topic.
pub(super) fn record(message: &BorrowedMessage<'_>) -> TopicRecord {
    TopicRecord {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map(owned).unwrap_or_default(),
    }
}

fn owned(headers: &BorrowedHeaders) -> Vec<(String, Vec<u8>)> {
    headers.iter().filter_map(|header| Some((header.key.to_owned(), header.value?.to_vec()))).collect()
}

/// Hands every committed record of a topic, up to where it ends now, to `take`.
pub(super) fn read_to_end(
    settings: &KafkaSettings,
    topic: &str,
    patience: Duration,
    waiting: &Waiting,
    take: impl FnMut(&BorrowedMessage<'_>),
) -> Result<(), KafkaError> {
    read_partitions(settings, topic, None, patience, waiting, take)
}

/// As [`read_to_end`], of some partitions only.
pub(super) fn read_partitions(
    settings: &KafkaSettings,
    topic: &str,
    wanted: Option<&BTreeSet<i32>>,
    patience: Duration,
    waiting: &Waiting,
    mut take: impl FnMut(&BorrowedMessage<'_>),
) -> Result<(), KafkaError> {
    let consumer = consumer(&settings.consumer())?;
    let bootstrap = &settings.bootstrap_servers;
    let TopicState::Present { partitions } = describe(&consumer, bootstrap, topic, patience, waiting)? else {
        let source = Cause::from(RDKafkaErrorCode::UnknownTopicOrPartition);
        return Err(KafkaError::Topic { topic: topic.to_owned(), source });
    };
    let refused = |error: NativeKafkaError| KafkaError::Topic { topic: topic.to_owned(), source: error.into() };
    let mut assignment = TopicPartitionList::new();
    let mut open: BTreeSet<i32> =
        (0..partitions).filter(|number| wanted.is_none_or(|it| it.contains(number))).collect();
    for &partition in &open {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).map_err(refused)?;
    }
    consumer.assign(&assignment).map_err(refused)?;
    let mut heard = Instant::now();
    while !open.is_empty() {
        waiting.check()?;
        match consumer.poll(POLL_STEP) {
            Some(Ok(message)) => {
                // What lies beyond the end that was reported is not asked for.
                if open.contains(&message.partition()) {
                    take(&message);
                }
            }
            Some(Err(NativeKafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) if is_final(&error) => return Err(refused(error)),
            Some(Err(_)) | None => {
                let waited = heard.elapsed();
                if waited >= patience {
                    let source = consumer.context().broker_error();
                    return Err(KafkaError::Unreachable { bootstrap: bootstrap.clone(), waited, source });
                }
                continue;
            }
        }
        heard = Instant::now();
    }
    Ok(())
}

/// Makes a consumer, or a client that only asks about topics: consumers do not create what they ask for.
pub(super) fn consumer(config: &ClientConfig) -> Result<BaseConsumer<ClientEvents>, KafkaError> {
    config.create_with_context(ClientEvents::default()).map_err(KafkaError::configuration)
}

/// Whether an error will not go away by waiting.
pub(super) fn is_final(error: &NativeKafkaError) -> bool {
    matches!(error, NativeKafkaError::MessageConsumptionFatal(_))
        || matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownPartition
                    | RDKafkaErrorCode::AutoOffsetReset
            )
        )
}
