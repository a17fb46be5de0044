//! Reading a whole topic.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::HarnessError;

/// Only bounds a hang: the time without any answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Those of committed transactions, up to the first transaction that is still open.
    ReadCommitted,
    /// Those of aborted and open transactions too.
    ReadUncommitted,
}

impl Isolation {
    /// The value of Kafka's `isolation.level`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read_committed",
            Self::ReadUncommitted => "read_uncommitted",
        }
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumed {
    /// The partition it was read from.
    pub partition: i32,
    /// Its offset. Offsets of a transactional topic have gaps: the end of every transaction takes one.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// The key, as bytes.
    pub key: Option<Vec<u8>>,
    /// The value, as bytes; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers, in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Reads a topic from its beginning to its end, in the order of partitions and offsets. A missing topic is empty.
pub fn consume(bootstrap: &str, topic: &str, isolation: Isolation) -> Result<Vec<Consumed>, HarnessError> {
    let mut records = Vec::new();
    consume_each(bootstrap, topic, isolation, |record| records.push(record))?;
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

/// The same for a topic that is too large to be held: hands one record over after the other, in the order of offsets
/// within each partition.
pub fn consume_each(
    bootstrap: &str,
    topic: &str,
    isolation: Isolation,
    take: impl FnMut(Consumed),
) -> Result<(), HarnessError> {
    read(bootstrap, topic, isolation, take).map_err(HarnessError::kafka(format!("reading topic {topic}")))
}

fn read(bootstrap: &str, topic: &str, isolation: Isolation, mut take: impl FnMut(Consumed)) -> Result<(), KafkaError> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "headwater-tests")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // The end is told by an answer without records; of a topic that is being written to, a long wait never has one.
        .set("fetch.wait.max.ms", "10")
        .set("isolation.level", isolation.as_str())
        .create()?;
    let mut unfinished = partitions(&consumer, topic)?;
    let mut assignment = TopicPartitionList::new();
    for &partition in &unfinished {
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;

    let mut heard = Instant::now();
    while !unfinished.is_empty() {
        match consumer.poll(Duration::from_secs(1)) {
            None if heard.elapsed() > SILENCE_LIMIT => {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
            }
            None => continue,
            Some(Ok(message)) => take(consumed(&message)),
            // With open transactions this is the end of what is committed, not of what is written.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                unfinished.remove(&partition);
            }
            Some(Err(error)) => return Err(error),
        }
        heard = Instant::now();
    }
    Ok(())
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<BTreeSet<i32>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), SILENCE_LIMIT)?;
    Ok(metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect())
}

fn consumed(message: &impl Message) -> Consumed {
    let headers = message.headers().map(|headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Consumed {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}
