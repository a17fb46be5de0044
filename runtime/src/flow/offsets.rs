//! The positions of a connector, read and written from outside of its flow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RunError;
use super::definition::Definition;
use super::snapshot::{self, SnapshotTopic};
use super::start::{PATIENCE, StartError, Target, group_of, offsets_topic};
use super::transaction::settle;
use crate::config::ConnectorConfig;
use crate::kafka::{KafkaError, OffsetStore, SourcePartition, Stored, ensure_topics, group_members, topic_exists};
use crate::operation::SlicedOperation;
use crate::slice::{Slice, Slicing};

/// The committed positions, as text, by operation and slice; none if there is no topic for them yet.
///
/// # Errors
///
/// If Kafka cannot be used.
pub async fn read_positions(config: &ConnectorConfig) -> Result<BTreeMap<SourcePartition, String>, RunError> {
    if !topic_exists(&config.kafka, &config.offsets.name, PATIENCE).await? {
        return Ok(BTreeMap::new());
    }
    let offsets = Target::new(config, false).offsets().await?;
    Ok(merged(offsets.restore(&offsets.shards()).await?))
}

/// The operations of a connector that write only what changes, and have written something; those that it had once
/// included.
///
/// # Errors
///
/// If Kafka cannot be used.
pub async fn tracked_operations(config: &ConnectorConfig) -> Result<BTreeSet<String>, RunError> {
    Ok(snapshot::tracked_operations(config).await?)
}

/// Sets each of these positions, those of one shard in one transaction; `None` removes it. Whoever runs these shards alone is
/// fenced first, so that it writes no position after this one; without transactions nothing keeps it from that. Gives the
/// positions as they stood before.
///
/// Operations whose position is removed, and of which `tracked` says that they write only what changes, write everything
/// again.
///
/// # Errors
///
/// [`KafkaError::Running`] if there are instances that share the streams; if Kafka cannot
/// be used.
pub async fn write_positions(
    config: &ConnectorConfig,
    operations: &[Box<dyn SlicedOperation>],
    positions: &BTreeMap<SourcePartition, Option<String>>,
    tracked: &BTreeSet<String>,
) -> Result<BTreeMap<SourcePartition, String>, RunError> {
    ensure_topics(&config.kafka, &[offsets_topic(config)], PATIENCE).await?;
    let group = group_of(&config.name);
    let hosts = group_members(&config.kafka, &group, PATIENCE).await?;
    if !hosts.is_empty() {
        return Err(KafkaError::Running { group, hosts }.into());
    }
    let target = Target::new(config, false);
    let offsets = target.offsets().await?;
    let slicing = |id: &str| operations.iter().find(|operation| operation.facts().id == id).map(|it| it.slicing());
    let place = |operation: &String| {
        let shard = offsets.shard(operation, &Slice::whole());
        (operation.clone(), SnapshotTopic::of(config, shard))
    };
    write_to(&target, &offsets, slicing, positions, &tracked.iter().map(place).collect()).await
}

/// Where it stands what the topics of those of these streams hold that write only what changes, by their ids.
pub(super) fn snapshots_of(streams: &[Arc<Definition>]) -> BTreeMap<String, SnapshotTopic> {
    streams.iter().filter_map(|stream| Some((stream.id().to_owned(), stream.snapshots()?.clone()))).collect()
}

/// What makes the slices of each of these streams, by its id.
pub(super) fn slicing_of<'a>(streams: &'a [Arc<Definition>]) -> impl Fn(&str) -> Option<&'a Slicing> {
    move |id| streams.iter().find(|stream| stream.id() == id).map(|stream| stream.slicing())
}

/// As [`write_positions`], whoever is a member of the group. `slicing` makes the slices of an operation; `tracked` says where it
/// stands what the topics of operations hold.
pub(super) async fn write_to<'a>(
    target: &Target,
    offsets: &OffsetStore,
    slicing: impl Fn(&str) -> Option<&'a Slicing>,
    positions: &BTreeMap<SourcePartition, Option<String>>,
    tracked: &BTreeMap<String, SnapshotTopic>,
) -> Result<BTreeMap<SourcePartition, String>, RunError> {
    let stored = offsets.restore(&offsets.shards()).await?;
    let mut shards: BTreeMap<i32, Vec<&SourcePartition>> = BTreeMap::new();
    for partition in positions.keys() {
        for shard in shards_of(partition, &stored, &slicing, offsets) {
            shards.entry(shard).or_default().push(partition);
        }
    }
    let producers = target.producers(&shards.keys().copied().collect()).await?;
    // What was under way is now committed or gone.
    let stored = offsets.restore(&offsets.shards()).await?;
    if let Some(producer) = producers.values().next() {
        offsets.hold_to_partitions(&stored, producer, PATIENCE).await?;
    }
    for (shard, producer) in producers {
        producer.begin()?;
        for partition in shards.get(&shard).into_iter().flatten() {
            let key = offsets.key(&partition.operation, &partition.slice);
            let position = positions.get(*partition).and_then(Option::as_deref);
            producer.send(offsets.record(shard, &key, position)).await?;
            let SourcePartition { operation, slice } = partition;
            if let Some(topic) = tracked.get(operation).filter(|_| position.is_none() && slice.is_whole()) {
                let rewritten = snapshot::rewrite_all(topic, &producer, operation).await;
                rewritten.map_err(|source| StartError::Snapshot { operation: operation.clone(), source })?;
            }
        }
        settle(&producer).await?;
    }
    Ok(merged(stored))
}

/// The positions of all shards. What is remembered of a whole stream that is read by listed slices stands in the shard of
/// each.
pub(super) fn merged(stored: Stored) -> BTreeMap<SourcePartition, String> {
    stored.positions.into_values().flatten().collect()
}

/// The shards that a position stands in, or belongs in if there is none.
fn shards_of<'a>(
    partition: &SourcePartition,
    stored: &Stored,
    slicing: impl Fn(&str) -> Option<&'a Slicing>,
    offsets: &OffsetStore,
) -> BTreeSet<i32> {
    let holds = |(_, positions): &(&i32, &BTreeMap<_, _>)| positions.contains_key(partition);
    let found: BTreeSet<i32> = stored.positions.iter().filter(holds).map(|(shard, _)| *shard).collect();
    if !found.is_empty() {
        return found;
    }
    let (root, slice) = root_of(partition, slicing);
    [offsets.shard(root, &slice)].into()
}

/// The operation that a slice is read for in the end, and its slice: what it is listed by.
fn root_of<'p, 'a: 'p>(
    partition: &'p SourcePartition,
    slicing: impl Fn(&str) -> Option<&'a Slicing>,
) -> (&'p str, Slice) {
    let mut root = partition.operation.as_str();
    while let Some(parent) = slicing(root).and_then(|slicing| slicing.parent.as_deref()) {
        root = parent;
    }
    let lists = slicing(root).map(|slicing| &slicing.lists);
    let values = lists.into_iter().flatten().filter_map(|(name, _)| Some((name.as_ref(), partition.slice.get(name)?)));
    (root, values.collect())
}
