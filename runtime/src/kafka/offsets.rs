//! The topic that holds positions: how far each operation has been read.
//!
//! Keys are those of Kafka Connect's source offsets, `["<connector>",{"operation":"<operation>"}]`, so that its tools
//! can be used on it. Values are whatever text the writer chose.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::message::Message;
use serde::{Deserialize, Serialize};

use super::admin::{TopicState, describe};
use super::blocking::blocking;
use super::error::{Cause, KafkaError};
use super::murmur2;
use super::producer::ProducerRecord;
use super::reader::{consumer, read_to_end};
use super::settings::KafkaSettings;

/// The positions of one connector, in a compacted topic that it may share with others.
#[derive(Clone, Debug)]
pub struct OffsetStore {
    settings: KafkaSettings,
    topic: String,
    connector: String,
    partitions: i32,
    patience: Duration,
}

/// Where an operation's position is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetKey {
    /// The record's key.
    pub key: Vec<u8>,
    /// Its partition, by Kafka's default partitioner.
    pub partition: i32,
}

/// What follows the connector's name in a key.
#[derive(Serialize, Deserialize)]
struct SourcePartition<'a> {
    #[serde(borrow)]
    operation: std::borrow::Cow<'a, str>,
}

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

    /// The last committed position of each operation. A record without a value has removed its operation's.
    ///
    /// Must come after [`Producer::connect`](super::Producer::connect), which ends the transaction of a predecessor:
    /// earlier, that could still move what has been read here.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] after a while without an answer; [`KafkaError::Topic`] if the topic may not be read, or
    /// holds something else than text for an operation.
    pub async fn restore(&self) -> Result<BTreeMap<String, String>, KafkaError> {
        let store = self.clone();
        blocking(move |waiting| {
            let mut positions = BTreeMap::new();
            let mut unreadable = None;
            read_to_end(&store.settings, &store.topic, store.patience, waiting, |message| {
                let Some(operation) = store.operation(message.key().unwrap_or_default()) else { return };
                match message.payload().map(<[u8]>::to_vec).map(String::from_utf8) {
                    None => drop(positions.remove(&operation)),
                    Some(Ok(position)) => drop(positions.insert(operation, position)),
                    Some(Err(_)) => unreadable = Some(operation),
                }
            })?;
            match unreadable {
                None => Ok(positions),
                Some(operation) => Err(KafkaError::Topic {
                    topic: store.topic,
                    source: Cause::of_ours(format!("the position of `{operation}` is not UTF-8 text")),
                }),
            }
        })
        .await
    }

    /// Where the position of `operation` is written.
    pub fn key(&self, operation: &str) -> OffsetKey {
        let partition = SourcePartition { operation: operation.into() };
        // Only maps with other keys than text, and failing writers, cannot be written.
        let key = serde_json::to_vec(&(&self.connector, partition)).unwrap_or_default();
        let partition = murmur2::partition(&key, self.partitions);
        OffsetKey { key, partition }
    }

    /// The record that sets a position; `None` removes it.
    pub fn record<'a>(&'a self, key: &'a OffsetKey, position: Option<&'a str>) -> ProducerRecord<'a> {
        ProducerRecord {
            topic: &self.topic,
            partition: Some(key.partition),
            key: Some(&key.key),
            value: position.map(str::as_bytes),
            timestamp: None,
            headers: &[],
        }
    }

    /// The operation that a key of this connector names.
    fn operation(&self, key: &[u8]) -> Option<String> {
        let (connector, partition): (std::borrow::Cow<'_, str>, SourcePartition<'_>) =
            serde_json::from_slice(key).ok()?;
        (connector == self.connector).then(|| partition.operation.into_owned())
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
        let key = store.key("issues/list");
        assert_eq!(String::from_utf8(key.key.clone()).unwrap(), r#"["orders",{"operation":"issues/list"}]"#);
        assert_eq!(key.partition, murmur2::partition(&key.key, 25));
        assert_eq!(store.operation(&key.key).as_deref(), Some("issues/list"));
        let record = store.record(&key, Some("{}"));
        assert_eq!((record.topic, record.partition), ("offsets", Some(key.partition)));
        assert_eq!((record.key, record.value), (Some(&key.key[..]), Some(&b"{}"[..])));
    }

    #[test]
    fn other_keys_are_not_ours() {
        let store = store();
        assert_eq!(store.operation(br#"[ "orders" , {"operation" : "caf\u00e9"} ]"#).as_deref(), Some("café"));
        for key in ["", "null", r#"["others",{"operation":"a"}]"#, r#"["orders",{"file":"a"}]"#, "\u{1}"] {
            assert_eq!(store.operation(key.as_bytes()), None, "{key}");
        }
    }
}
