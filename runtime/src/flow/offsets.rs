//! The positions of a connector, read and written from outside of its flow.

use std::collections::BTreeMap;

use super::RunError;
use super::start::{PATIENCE, Target, offsets_topic};
use super::transaction::settle;
use crate::config::ConnectorConfig;
use crate::kafka::{OffsetStore, ensure_topics, topic_exists};

/// The committed positions, as text, by operation; none if there is no topic for them yet.
///
/// # Errors
///
/// If Kafka cannot be used.
pub async fn read_positions(config: &ConnectorConfig) -> Result<BTreeMap<String, String>, RunError> {
    if !topic_exists(&config.kafka, &config.offsets.name, PATIENCE).await? {
        return Ok(BTreeMap::new());
    }
    let offsets = OffsetStore::open(&config.kafka, &config.offsets.name, &config.name, PATIENCE).await?;
    Ok(offsets.restore().await?)
}

/// Sets the position of each of these operations in one transaction; `None` removes it. An instance that runs is fenced
/// first, so that it writes no position after this one; without transactions nothing keeps it from that. Gives the
/// positions as they stood before.
///
/// # Errors
///
/// If Kafka cannot be used.
pub async fn write_positions(
    config: &ConnectorConfig,
    positions: &BTreeMap<String, Option<String>>,
) -> Result<BTreeMap<String, String>, RunError> {
    ensure_topics(&config.kafka, &[offsets_topic(config)], PATIENCE).await?;
    let producer = Target::new(config).producer().await?;
    let offsets = OffsetStore::open(&config.kafka, &config.offsets.name, &config.name, PATIENCE).await?;
    let before = offsets.restore().await?;
    producer.begin()?;
    for (operation, position) in positions {
        let key = offsets.key(operation);
        producer.send(offsets.record(&key, position.as_deref())).await?;
    }
    settle(&producer).await?;
    Ok(before)
}
