//! The topic that holds positions: how far each operation, or each slice of one, has been read.
//!
//! Keys are those of Kafka Connect's source offsets, `["<connector>",{"operation":"<operation>"}]`, so that its tools
//! can be used on it; the values of a slice follow in `"slice"`, sorted by name. Values are whatever text the writer
//! chose. A position stands in the partition of its shard, which the writer chooses too: of an operation that is read by
//! itself, it is the one that Kafka's default partitioner gives the key.
//!
//! The first record of a connector, `["<connector>",{"headwater":"partitions"}]` in partition 0, says how many partitions
//! the topic had when the connector began to use it: with another number, positions are not where they are looked for. Beside it,
//! `["<connector>",{"headwater":"state"}]` says whether the connector is stopped, `{"state":"STOPPED"}`, or not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::message::Message;
use serde::{Deserialize, Serialize};

use super::admin::{TopicState, describe};
use super::blocking::blocking;
use super::error::{Cause, KafkaError};
use super::murmur2;
use super::producer::{Delivery, Producer, ProducerRecord};
use super::reader::{consumer, read_partitions};
use super::settings::KafkaSettings;
use super::state::{self, Following};
use crate::slice::Slice;

/// The positions of one connector, in a compacted topic that it may share with others.
#[derive(Clone, Debug)]
pub struct OffsetStore {
    settings: KafkaSettings,
    topic: String,
    connector: String,
    partitions: i32,
    patience: Duration,
}

/// What a position belongs to: a slice of an operation, which may be the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourcePartition {
    /// The operation's id.
    pub operation: String,
    /// The slice.
    #[serde(default, skip_serializing_if = "Slice::is_whole")]
    pub slice: Slice,
}

/// What shards hold of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The last committed positions, by shard.
    pub positions: BTreeMap<i32, BTreeMap<SourcePartition, String>>,
    /// How many partitions the topic had when the connector began to use it, if that is said.
    pub partitions: Option<i32>,
}

/// The part of a key that says that the record is about the topic itself.
#[derive(Serialize)]
struct AboutTopic<'a> {
    headwater: &'a str,
}

/// How many partitions the topic has.
#[derive(Serialize, Deserialize)]
struct Partitions {
    partitions: i32,
}

/// The partition of what is said about the topic itself.
const ABOUT_TOPIC: i32 = 0;

const PARTITIONS: AboutTopic<'_> = AboutTopic { headwater: "partitions" };
const STATE: AboutTopic<'_> = AboutTopic { headwater: "state" };

impl OffsetStore {
    /// Opens the positions of `connector` in `topic`, which must exist.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] after `patience` without an answer; [`KafkaError::Topic`] if there is no such topic or
    /// it may not be described.
    pub async fn open(
        settings: &KafkaSettings,
        topic: &str,
        connector: &str,
        patience: Duration,
    ) -> Result<Self, KafkaError> {
        let (settings, topic, connector) = (settings.clone(), topic.to_owned(), connector.to_owned());
        blocking(move |waiting| {
            let client = consumer(&settings.admin())?;
            match describe(&client, &settings.bootstrap_servers, &topic, patience, waiting)? {
                TopicState::Present { partitions } => Ok(Self { settings, topic, connector, partitions, patience }),
                TopicState::Missing => {
                    Err(KafkaError::Topic { topic, source: Cause::of_ours("the topic of positions does not exist") })
                }
            }
        })
        .await
    }

    /// What has been committed last of each operation and slice in these shards. A record without a value has removed it.
    ///
    /// Must come after [`Producer::connect`](super::Producer::connect), which ends the transaction of a predecessor:
    /// earlier, that could still move what has been read here.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] after a while without an answer; [`KafkaError::Topic`] if the topic may not be read, or
    /// holds something else than text for an operation.
    pub async fn restore(&self, shards: &BTreeSet<i32>) -> Result<Stored, KafkaError> {
        let (store, shards) = (self.clone(), shards.clone());
        blocking(move |waiting| {
            let mut stored = Stored::default();
            let mut unreadable = None;
            let about_topic = store.about_topic();
            let partitions = shards.iter().copied().chain([ABOUT_TOPIC]).collect();
            read_partitions(&store.settings, &store.topic, Some(&partitions), store.patience, waiting, |message| {
                let (key, value) = (message.key().unwrap_or_default(), message.payload());
                if key == about_topic {
                    let said = value.and_then(|value| serde_json::from_slice::<Partitions>(value).ok());
                    stored.partitions = said.map(|said| said.partitions);
                    return;
                }
                let shard = message.partition();
                let Some(partition) = store.partition(key).filter(|_| shards.contains(&shard)) else { return };
                let positions = stored.positions.entry(shard).or_default();
                match value.map(<[u8]>::to_vec).map(String::from_utf8) {
                    None => drop(positions.remove(&partition)),
                    Some(Ok(position)) => drop(positions.insert(partition, position)),
                    Some(Err(_)) => unreadable = Some(partition.operation),
                }
            })?;
            match unreadable {
                None => Ok(stored),
                Some(operation) => Err(KafkaError::Topic {
                    topic: store.topic,
                    source: Cause::of_ours(format!("the position of `{operation}` is not UTF-8 text")),
                }),
            }
        })
        .await
    }

    /// Checks that the topic has as many partitions as when the connector began to use it; if it does not say how many
    /// those were, has it say so from now on, in a transaction of `producer`.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Repartitioned`] if it has not; or those of a commit.
    pub async fn hold_to_partitions(
        &self,
        stored: &Stored,
        producer: &Producer,
        timeout: Duration,
    ) -> Result<(), KafkaError> {
        match stored.partitions {
            Some(before) if before == self.partitions => return Ok(()),
            Some(before) => {
                let (topic, connector) = (self.topic.clone(), self.connector.clone());
                return Err(KafkaError::Repartitioned { topic, connector, before, now: self.partitions });
            }
            None => {}
        }
        // Numbers can be written.
        let value = serde_json::to_vec(&Partitions { partitions: self.partitions }).unwrap_or_default();
        producer.begin()?;
        let record = ProducerRecord {
            topic: &self.topic,
            partition: Some(ABOUT_TOPIC),
            key: Some(&self.about_topic()),
            value: Some(&value),
            timestamp: None,
            headers: &[],
        };
        producer.send(record).await?;
        producer.commit(timeout).await
    }

    /// Follows whether the connector is stopped.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] after a while without an answer; [`KafkaError::Topic`] if the topic may not be read.
    pub async fn follow_state(&self) -> Result<Following, KafkaError> {
        Following::start(&self.settings, &self.topic, ABOUT_TOPIC, self.state_key(), self.patience).await
    }

    /// Says whether the connector is stopped: every instance follows it.
    ///
    /// # Errors
    ///
    /// If Kafka cannot be used.
    pub async fn say_stopped(&self, is_stopped: bool) -> Result<(), KafkaError> {
        let producer = Producer::connect(&self.settings, Delivery::AtLeastOnce, self.patience).await?;
        let (key, value) = (self.state_key(), state::said(is_stopped));
        producer.begin()?;
        let record = ProducerRecord { value: Some(&value), ..self.record(ABOUT_TOPIC, &key, None) };
        producer.send(record).await?;
        producer.commit(self.patience).await
    }

    fn state_key(&self) -> Vec<u8> {
        // Only maps with other keys than text, and failing writers, cannot be written.
        serde_json::to_vec(&(&self.connector, STATE)).unwrap_or_default()
    }

    /// The key of what is said about the topic itself.
    fn about_topic(&self) -> Vec<u8> {
        // Only maps with other keys than text, and failing writers, cannot be written.
        serde_json::to_vec(&(&self.connector, PARTITIONS)).unwrap_or_default()
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        self.partitions
    }

    /// All shards.
    pub fn shards(&self) -> BTreeSet<i32> {
        (0..self.partitions).collect()
    }

    /// The shard of a slice of `operation`, which may be all of it: the partition that Kafka's default partitioner gives its
    /// key.
    pub fn shard(&self, operation: &str, slice: &Slice) -> i32 {
        murmur2::partition(&self.key(operation, slice), self.partitions)
    }

    /// The key of the position of a slice of `operation`.
    pub fn key(&self, operation: &str, slice: &Slice) -> Vec<u8> {
        let partition = SourcePartition { operation: operation.to_owned(), slice: slice.clone() };
        // Only maps with other keys than text, and failing writers, cannot be written.
        serde_json::to_vec(&(&self.connector, partition)).unwrap_or_default()
    }

    /// The record that sets a position in a shard; `None` removes it.
    pub fn record<'a>(&'a self, shard: i32, key: &'a [u8], position: Option<&'a str>) -> ProducerRecord<'a> {
        ProducerRecord {
            topic: &self.topic,
            partition: Some(shard),
            key: Some(key),
            value: position.map(str::as_bytes),
            timestamp: None,
            headers: &[],
        }
    }

    /// What a key of this connector names.
    fn partition(&self, key: &[u8]) -> Option<SourcePartition> {
        let (connector, partition): (std::borrow::Cow<'_, str>, SourcePartition) = serde_json::from_slice(key).ok()?;
        (connector == self.connector).then_some(partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> OffsetStore {
        OffsetStore {
            settings: KafkaSettings::default(),
            topic: "offsets".to_owned(),
            connector: "orders".to_owned(),
            partitions: 25,
            patience: Duration::ZERO,
        }
    }

    #[test]
    fn keys_are_those_of_connect() {
        let store = store();
        let whole = Slice::whole();
        let key = store.key("issues/list", &whole);
        assert_eq!(String::from_utf8(key.clone()).unwrap(), r#"["orders",{"operation":"issues/list"}]"#);
        assert_eq!(store.shard("issues/list", &whole), murmur2::partition(&key, 25));
        let partition = SourcePartition { operation: "issues/list".to_owned(), slice: whole };
        assert_eq!(store.partition(&key), Some(partition));
        let slice = Slice::whole().with("repo", "b").with("owner", "a");
        let of_slice = store.key("issues/list", &slice);
        let text = r#"["orders",{"operation":"issues/list","slice":{"owner":"a","repo":"b"}}]"#;
        assert_eq!(String::from_utf8(of_slice.clone()).unwrap(), text);
        let partition = SourcePartition { operation: "issues/list".to_owned(), slice };
        assert_eq!(store.partition(&of_slice), Some(partition));
        let record = store.record(7, &key, Some("{}"));
        assert_eq!((record.topic, record.partition), ("offsets", Some(7)));
        assert_eq!((record.key, record.value), (Some(&key[..]), Some(&b"{}"[..])));
    }

    #[test]
    fn other_keys_are_not_ours() {
        let store = store();
        let found = store.partition(br#"[ "orders" , {"operation" : "caf\u00e9"} ]"#);
        assert_eq!(found.map(|partition| partition.operation).as_deref(), Some("café"));
        for key in ["", "null", r#"["others",{"operation":"a"}]"#, r#"["orders",{"file":"a"}]"#, "\u{1}"] {
            assert_eq!(store.partition(key.as_bytes()), None, "{key}");
        }
    }
}
