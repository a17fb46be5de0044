//! Having everything written again, from outside of the flow.

use std::collections::BTreeSet;

use super::{Snapshot, SnapshotError, SnapshotSettings, SnapshotTopic, Stored, TOMBSTONES, Tracked};
use crate::config::ConnectorConfig;
use crate::flow::start::PATIENCE;
use crate::kafka::{KafkaError, Producer, ProducerRecord, TopicReader, topic_exists};

/// The operations of a connector, those that it had once included, of whose topics it stands what they hold.
pub(in crate::flow) async fn tracked_operations(config: &ConnectorConfig) -> Result<BTreeSet<String>, KafkaError> {
    if !topic_exists(&config.kafka, &config.snapshots, PATIENCE).await? {
        return Ok(BTreeSet::new());
    }
    let (connector, reader) = (config.name.clone(), TopicReader::new(config.kafka.clone(), PATIENCE));
    let take = move |found: &mut BTreeSet<String>, key: &[u8], value: Option<&[u8]>| {
        let Some(Tracked { operation, .. }) = Tracked::read(key, &connector).filter(|_| value.is_some()) else {
            return;
        };
        if !found.contains(&*operation) {
            found.insert(operation.into_owned());
        }
    };
    reader.fold(&config.snapshots, None, BTreeSet::new(), take).await
}

/// Has every record of an operation, in the shard of `producer`, be written again when it is there, in the transaction under way. Which
/// ones there are is kept: what is gone by then still gets a tombstone.
pub(in crate::flow) async fn rewrite_all(
    topic: &SnapshotTopic,
    producer: &Producer,
    operation: &str,
) -> Result<(), SnapshotError> {
    let SnapshotTopic { name, partition, connector, .. } = topic;
    let snapshot = Snapshot::new(topic.clone(), operation, SnapshotSettings { max_deletes: 0 });
    let mut from = Some(0);
    while let Some(place) = from {
        // No cycle has seen any of them.
        let (keys, next) = snapshot.with(move |state| Ok(state.index.take_gone(place, TOMBSTONES)?)).await?;
        for gone in keys {
            let stored = Stored { content: 0, topic: gone.topic.map(Into::into) };
            // Only maps with other keys than text, and failing writers, cannot be written.
            let key = Tracked { operation: operation.into(), key: gone.key.into() };
            let key = serde_json::to_vec(&(&**connector, key)).unwrap_or_default();
            let value = serde_json::to_vec(&stored).unwrap_or_default();
            let record = ProducerRecord {
                topic: name,
                partition: Some(*partition),
                key: Some(&key),
                value: Some(&value),
                timestamp: None,
                headers: &[],
            };
            producer.send(record).await?;
        }
        from = next;
    }
    Ok(())
}
