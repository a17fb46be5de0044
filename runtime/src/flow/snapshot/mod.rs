//! What a cycle changes: of a stream that reads everything in each cycle, only new and changed records are written, and a
//! tombstone for each that is there no more.
//!
//! What the stream's topic holds stands in a compacted topic, in the partition of the stream's shard: a record for each key,
//! written in the transaction of the record or tombstone that it is about. So whatever dies, and wherever the connector goes on: the two agree, and a cycle
//! that is begun anew writes what the one before did not come to. To look keys up, they are copied to an [`Index`].

mod index;
mod reset;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Mutex, mpsc};
use xxhash_rust::xxh3::xxh3_64;

use super::error_topic::Failure;
use super::start::PATIENCE;
use super::stream::{Stream, StreamError};
use super::task::{Delivery, hand_over};
use crate::config::ConnectorConfig;
use crate::kafka::{KafkaError, TopicReader};
use crate::operation::{PageOutcome, ReadPage};
use crate::page::{Outgoing, Page, PageRecord, Wire};
use crate::position::Position;
use index::{Gone, Index, Located};
pub(super) use reset::{rewrite_all, tracked_operations};

/// How many tombstones a page has.
const TOMBSTONES: usize = 1_000;

/// How many keys may always go, whatever share that is, as long as some are left.
const FEW: u64 = 10;

/// How a stream is read that writes only what changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotSettings {
    /// The share of the keys that may go in a cycle, in percent.
    pub max_deletes: u32,
}

/// Where it stands what the topic of a stream holds.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotTopic {
    name: Arc<str>,
    /// That of the stream's shard, so that nobody else's transaction is waited for.
    partition: i32,
    connector: Arc<str>,
    reader: TopicReader,
}

impl SnapshotTopic {
    /// That of a stream of this shard.
    pub(super) fn of(config: &ConnectorConfig, shard: i32) -> Self {
        Self {
            name: config.snapshots.as_str().into(),
            partition: shard,
            connector: config.name.as_str().into(),
            reader: TopicReader::new(config.kafka.clone(), PATIENCE),
        }
    }
}

/// What the topic of one stream holds, while it is read.
pub(crate) struct Snapshot {
    topic: SnapshotTopic,
    operation: String,
    settings: SnapshotSettings,
    /// `None` until it has been read from Kafka.
    state: Mutex<Option<State>>,
}

struct State {
    index: Index,
    /// Whether the cycle has read something that it could not make a record of, whose key may be any.
    is_uncertain: bool,
    stage: Stage,
}

/// How far a cycle has come.
#[derive(Clone, Copy)]
enum Stage {
    /// It is being read.
    Reading,
    /// It has been read, and what is gone is deleted: from this slot on.
    Deleting(u64),
    /// What is gone has been deleted.
    Deleted,
}

/// Why it cannot be said what a cycle changes.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// What was written before cannot be read.
    #[error("reading what the stream's topic holds")]
    Kafka(#[from] KafkaError),
    /// The temporary files cannot be used.
    #[error("keeping the keys of the stream in temporary files, in the folder that `TMPDIR` names")]
    Files(#[from] io::Error),
    /// A record cannot be told from others.
    #[error("a record has no key, which it needs because only what changes is written")]
    NoKey,
    /// More is gone than may be.
    #[error(
        "{gone} of {known} records are not there any more, and `snapshot.max.deletes.percent` allows {allowed} %; nothing \
         was deleted"
    )]
    MassDeletion {
        /// How many keys the cycle has not seen.
        gone: u64,
        /// How many there were.
        known: u64,
        /// The share that may go, in percent.
        allowed: u32,
    },
}

impl SnapshotError {
    /// What kind of failure it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Kafka(_) | Self::Files(_) | Self::NoKey => "Snapshot",
            Self::MassDeletion { .. } => "MassDeletion",
        }
    }
}

/// The key of a record that says what there is of a key.
#[derive(Serialize, Deserialize)]
struct Tracked<'a> {
    operation: Cow<'a, str>,
    key: Cow<'a, str>,
}

impl<'a> Tracked<'a> {
    /// Reads a key of the topic, which other connectors may write to.
    fn read(key: &'a [u8], connector: &str) -> Option<Self> {
        let (of, tracked): (Cow<'_, str>, Self) = serde_json::from_slice(key).ok()?;
        (of == connector).then_some(tracked)
    }
}

/// What there is of a key.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    /// Hash of the record; 0 if it is to be written again, whatever it is.
    #[serde(with = "crate::position::hash")]
    content: u64,
    /// The record's topic, if that is not the stream's.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    topic: Option<Cow<'a, str>>,
}

impl Snapshot {
    pub(crate) fn new(topic: SnapshotTopic, operation: &str, settings: SnapshotSettings) -> Self {
        Self { topic, operation: operation.to_owned(), settings, state: Mutex::new(None) }
    }

    /// The page with only those records that are new or changed, and with what is to be remembered of them.
    pub(super) async fn changes(&self, page: Page) -> Result<Page, SnapshotError> {
        let notes = Notes::of(self);
        self.with(move |state| {
            state.is_uncertain |= !page.rejected().is_empty();
            notes.changes(&mut state.index, page)
        })
        .await
    }

    /// The next tombstones at the end of a cycle; `None` if there are no more, and the next cycle begins.
    async fn gone(&self, wire: &Wire) -> Result<Option<Page>, SnapshotError> {
        let (notes, allowed, mut page) = (Notes::of(self), self.settings.max_deletes, Page::new(wire));
        let operation = self.operation.clone();
        self.with(move |state| {
            let State { index, is_uncertain, stage } = &mut *state;
            let gone = index.live - index.seen;
            let from = match *stage {
                Stage::Deleting(from) => from,
                Stage::Deleted => return Ok(state.next_cycle()),
                Stage::Reading if gone == 0 => return Ok(state.next_cycle()),
                Stage::Reading if *is_uncertain => {
                    tracing::warn!(
                        operation,
                        records = gone,
                        "nothing is deleted, because something in the cycle could not be read, and it may be these records"
                    );
                    return Ok(state.next_cycle());
                }
                Stage::Reading if is_too_much(gone, index.live, allowed) => {
                    return Err(SnapshotError::MassDeletion { gone, known: index.live, allowed });
                }
                Stage::Reading => 0,
            };
            let (keys, next) = index.take_gone(from, TOMBSTONES)?;
            *stage = next.map_or(Stage::Deleted, Stage::Deleting);
            keys.iter().for_each(|gone| notes.delete(gone, &mut page));
            Ok(Some(page))
        })
        .await
    }

    /// Takes note of that something of the cycle has not been read.
    pub(super) async fn doubt(&self) -> Result<(), SnapshotError> {
        self.with(|state| {
            state.is_uncertain = true;
            Ok(())
        })
        .await
    }

    /// Begins a cycle, whatever has come of the last one.
    pub(super) async fn begin_cycle(&self) {
        if let Some(state) = self.state.lock().await.as_mut() {
            drop(state.next_cycle());
        }
    }

    /// Begins to read something that is handed over as a whole or not at all.
    pub(super) async fn begin_attempt(&self) {
        if let Some(state) = self.state.lock().await.as_mut() {
            state.index.begin_attempt();
        }
    }

    /// What was read since has not been handed over.
    pub(super) async fn fail_attempt(&self) {
        if let Some(state) = self.state.lock().await.as_mut() {
            state.index.fail_attempt();
        }
    }

    /// Does something with the files, on a thread that may block.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, SnapshotError> {
        let mut guard = self.state.lock().await;
        let mut state = match guard.take() {
            Some(state) => state,
            None => self.restore().await?,
        };
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut state);
            (state, result)
        });
        // Nothing cancels it here, and a panic is a defect of ours: let it be seen as one.
        let (state, result) = done.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        *guard = Some(state);
        result
    }

    /// Reads what was committed.
    async fn restore(&self) -> Result<State, SnapshotError> {
        let SnapshotTopic { name, partition, connector, reader } = &self.topic;
        let (connector, operation) = (Arc::clone(connector), self.operation.clone());
        let index: io::Result<Index> = Ok(Index::new()?);
        let index = reader.fold(name, Some(*partition), index, move |index, key, value| {
            let Ok(known) = index else { return };
            let Some(Tracked { operation: tracked, key }) = Tracked::read(key, &connector) else { return };
            if tracked != operation {
                return;
            }
            let stored = value.and_then(|value| serde_json::from_slice::<Stored<'_>>(value).ok());
            let topic = stored.as_ref().and_then(|stored| stored.topic.as_deref());
            let restored = known.restore(Located { key: &key, topic }, stored.as_ref().map(|stored| stored.content));
            if let Err(error) = restored {
                *index = Err(error);
            }
        });
        let index = index.await??;
        tracing::debug!(operation = self.operation, keys = index.live, "read what the topic holds");
        Ok(State { index, is_uncertain: false, stage: Stage::Reading })
    }
}

impl State {
    fn next_cycle(&mut self) -> Option<Page> {
        self.index.begin_cycle();
        (self.is_uncertain, self.stage) = (false, Stage::Reading);
        None
    }
}

/// Whether so many of so many records are too many to go. A few may always, unless nothing would be left.
fn is_too_much(gone: u64, known: u64, allowed: u32) -> bool {
    let is_little = gone <= FEW && gone < known;
    !is_little && u128::from(gone) * 100 > u128::from(known) * u128::from(allowed)
}

/// Writes what is remembered of a stream's keys.
struct Notes {
    topic: Arc<str>,
    partition: i32,
    connector: Arc<str>,
    operation: String,
}

impl Notes {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            topic: Arc::clone(&snapshot.topic.name),
            partition: snapshot.topic.partition,
            connector: Arc::clone(&snapshot.topic.connector),
            operation: snapshot.operation.clone(),
        }
    }

    fn changes(&self, index: &mut Index, mut page: Page) -> Result<Page, SnapshotError> {
        let mut changed = page.successor();
        for record in page.records() {
            // Keys are text.
            let key = record.key.and_then(|key| std::str::from_utf8(key).ok()).ok_or(SnapshotError::NoKey)?;
            let content = content_of(&record);
            if index.observe(Located { key, topic: record.topic }, content)? {
                changed.copy(&record);
                let stored = Stored { content, topic: record.topic.map(Cow::Borrowed) };
                self.note(key, Some(&stored), &mut changed);
            }
        }
        Ok(changed)
    }

    /// Adds a tombstone.
    fn delete(&self, gone: &Gone, page: &mut Page) {
        let Gone { key, topic } = gone;
        page.add(
            Outgoing {
                key: Some(key.as_bytes()),
                timestamp: None,
                topic: topic.as_deref().map(Arc::from),
                partition: None,
                headers: Vec::new(),
                is_tombstone: true,
            },
            |_| {},
        );
        self.note(key, None, page);
    }

    fn note(&self, key: &str, stored: Option<&Stored<'_>>, page: &mut Page) {
        let tracked = Tracked { operation: Cow::Borrowed(&self.operation), key: Cow::Borrowed(key) };
        // Only maps with other keys than text, and failing writers, cannot be written.
        let key = serde_json::to_vec(&(&*self.connector, tracked)).unwrap_or_default();
        let value = stored.map(|stored| serde_json::to_vec(stored).unwrap_or_default());
        page.add_note(&self.topic, self.partition, &key, value.as_deref());
    }
}

/// A hash of all that a record is but its key and its time.
fn content_of(record: &PageRecord<'_>) -> u64 {
    let mut hash = xxh3_64(record.value) ^ u64::from(record.is_tombstone);
    for part in record.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value]) {
        hash = hash.rotate_left(7) ^ xxh3_64(part);
    }
    record.topic.map_or(hash, |topic| hash.rotate_left(7) ^ xxh3_64(topic.as_bytes())).max(1)
}

impl Stream {
    /// Reads something that is handed over as a whole or not at all: if it fails, what it was compared with is not there yet.
    pub(super) async fn attempt<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let Some(snapshot) = &self.snapshot else { return work.await };
        snapshot.begin_attempt().await;
        let result = work.await;
        if result.is_err() {
            snapshot.fail_attempt().await;
        }
        result
    }

    /// The next tombstones at the end of a cycle, if there are any. They come from where `last`, its last page, does.
    ///
    /// # Errors
    ///
    /// If there would be too many.
    pub(super) async fn gone(&self, last: &Page) -> Result<Option<Page>, StreamError> {
        let Some(snapshot) = &self.snapshot else { return Ok(None) };
        let mut gone = snapshot.gone(&self.wire).await?;
        if let Some(gone) = &mut gone {
            gone.share_origin(last);
        }
        Ok(gone)
    }

    /// Hands over a page, which stands before `position`, and behind the last one of a cycle what that has shown to be gone.
    pub(super) async fn hand_over(
        &self,
        stream: usize,
        position: &Position,
        read: ReadPage,
        mut failure: Option<Box<Failure>>,
        deliveries: &mpsc::Sender<Delivery>,
    ) -> Result<Option<PageOutcome>, StreamError> {
        if self.snapshot.is_none() || read.more || read.page.is_not_modified() {
            return hand_over(stream, read, failure, deliveries).await;
        }
        let ReadPage { page, position: after, more } = read;
        // What is gone is told by the last page of the cycle.
        let mut last = Page::new(&self.wire);
        last.share_origin(&page);
        let mut next = Some(page);
        while let Some(page) = next {
            let read = ReadPage { page, position: position.clone(), more: true };
            if hand_over(stream, read, failure.take(), deliveries).await?.is_none() {
                return Ok(None);
            }
            next = self.gone(&last).await?;
        }
        hand_over(stream, ReadPage { page: Page::new(&self.wire), position: after, more }, None, deliveries).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_may_go_and_a_few_always() {
        for (gone, known, allowed, expected) in [
            (10, 1_000_000, 20, false),
            (200, 1_000, 20, false),
            (201, 1_000, 20, true),
            (500, 1_000, 20, true),
            (3, 4, 20, false),
            (4, 4, 20, true),
            (11, 12, 20, true),
            (12, 12, 100, false),
            (12, 12, 0, true),
        ] {
            assert_eq!(is_too_much(gone, known, allowed), expected, "{gone} of {known}, {allowed} %");
        }
    }
}
