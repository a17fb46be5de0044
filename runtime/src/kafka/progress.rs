//! Reading a topic batch by batch, with the progress kept as that of a consumer group, and committed in transactions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError as NativeKafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::admin::{TopicState, describe};
use super::blocking::blocking;
use super::error::KafkaError;
use super::events::ClientEvents;
use super::reader::{TopicRecord, consumer, is_final, record};
use super::settings::KafkaSettings;

/// How long one wait for records lasts before it is seen whether anybody still waits.
const POLL_STEP: Duration = Duration::from_millis(100);

/// How many bytes of values are read at once; one record more can be.
const AT_ONCE: usize = 8 << 20;

/// Reads what a topic holds at one moment, from where a consumer group has come to. Nothing joins the group: its offsets alone are
/// used, so that Kafka's own tools show and reset them.
pub struct GroupReader {
    reading: Option<Reading>,
    group: String,
    topic: String,
    patience: Duration,
}

struct Reading {
    consumer: BaseConsumer<ClientEvents>,
    bootstrap: String,
    /// Where each partition ended when this began; those that have been read to there are not among them.
    open: BTreeMap<i32, i64>,
    /// The offset after the last record that was taken, by partition.
    taken: BTreeMap<i32, i64>,
}

/// How far a group has come in a topic: the offset of the next record, by partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub(super) group: String,
    pub(super) topic: String,
    pub(super) offsets: BTreeMap<i32, i64>,
}

impl GroupReader {
    /// Begins to read a topic, from where `group` has come to up to where it ends now. Whoever moves the group's offsets in
    /// transactions must have been fenced before. `None` if there is no such topic.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] after `patience` without an answer; [`KafkaError::Topic`] if it may not be read.
    pub async fn open(
        settings: &KafkaSettings,
        topic: &str,
        group: &str,
        patience: Duration,
    ) -> Result<Option<Self>, KafkaError> {
        let (settings, topic, group) = (settings.clone(), topic.to_owned(), group.to_owned());
        blocking(move |waiting| {
            let mut config = settings.consumer();
            config.set("group.id", &group);
            let consumer = consumer(&config)?;
            let bootstrap = settings.bootstrap_servers.clone();
            let TopicState::Present { partitions } = describe(&consumer, &bootstrap, &topic, patience, waiting)? else {
                return Ok(None);
            };
            let refused = |error: NativeKafkaError| KafkaError::Topic { topic: topic.clone(), source: error.into() };
            let mut wanted = TopicPartitionList::new();
            wanted.add_partition_range(&topic, 0, partitions - 1);
            let committed = consumer.committed_offsets(wanted, patience).map_err(refused)?;
            let (mut assignment, mut open) = (TopicPartitionList::new(), BTreeMap::new());
            for partition in 0..partitions {
                let (_, end) = consumer.fetch_watermarks(&topic, partition, patience).map_err(refused)?;
                let committed = committed.find_partition(&topic, partition).map(|found| found.offset());
                let from = match committed {
                    Some(Offset::Offset(offset)) => Offset::Offset(offset),
                    _ => Offset::Beginning,
                };
                assignment.add_partition_offset(&topic, partition, from).map_err(refused)?;
                open.insert(partition, end);
            }
            consumer.assign(&assignment).map_err(refused)?;
            let reading = Some(Reading { consumer, bootstrap, open, taken: BTreeMap::new() });
            Ok(Some(Self { reading, group, topic, patience }))
        })
        .await
    }

    /// The next committed records, at most `most`, fewer if they are large; none at the end. How far that leads is told beside them.
    ///
    /// # Errors
    ///
    /// As [`GroupReader::open`].
    pub async fn next(&mut self, most: usize) -> Result<(Vec<TopicRecord>, Progress), KafkaError> {
        let Some(mut reading) = self.reading.take() else { return Err(KafkaError::Interrupted) };
        let (topic, patience) = (self.topic.clone(), self.patience);
        let (reading, records) = blocking(move |waiting| {
            let (mut records, mut bytes) = (Vec::new(), 0);
            let mut heard = Instant::now();
            while records.len() < most && bytes < AT_ONCE && !reading.open.is_empty() {
                waiting.check()?;
                match reading.consumer.poll(POLL_STEP) {
                    Some(Ok(message)) => {
                        let (partition, offset) = (message.partition(), message.offset());
                        let Some(end) = reading.open.get(&partition).copied() else { continue };
                        if offset < end {
                            reading.taken.insert(partition, offset + 1);
                            bytes += message.payload().map_or(0, <[u8]>::len);
                            records.push(record(&message));
                        }
                        // What is written from now on is not read.
                        if offset + 1 >= end {
                            reading.open.remove(&partition);
                        }
                    }
                    Some(Err(NativeKafkaError::PartitionEOF(partition))) => drop(reading.open.remove(&partition)),
                    Some(Err(error)) if is_final(&error) => {
                        return Err(KafkaError::Topic { topic, source: error.into() });
                    }
                    Some(Err(_)) | None => {
                        let waited = heard.elapsed();
                        if waited >= patience {
                            let source = reading.consumer.context().broker_error();
                            return Err(KafkaError::Unreachable { bootstrap: reading.bootstrap, waited, source });
                        }
                        continue;
                    }
                }
                heard = Instant::now();
            }
            Ok((reading, records))
        })
        .await?;
        let offsets = reading.taken.clone();
        self.reading = Some(reading);
        Ok((records, Progress { group: self.group.clone(), topic: self.topic.clone(), offsets }))
    }
}
