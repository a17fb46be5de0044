//! Transactions: the records of pages, and the positions that account for them, become visible together or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::dead_letters::DeadLetters;
use super::stream::Stream;
use super::task::Delivery;
use super::{Summary, Writer};
use crate::config::Boundary;
use crate::error::chain;
use crate::kafka::{KafkaError, OffsetStore, Producer, ProducerRecord};
use crate::page::DriftCounts;
use crate::position::Position;

/// How many records a transaction holds at most, pages being whole. Fewer, and the cost of a commit shows; more buys
/// nothing.
const MAX_RECORDS: usize = 10_000;

/// How old a transaction may grow: until it ends, its records are invisible, and so are all later ones of their topics.
const MAX_AGE: Duration = Duration::from_millis(250);

/// In how many ways the records of one stream may depart from the document before further ways are only counted.
const MAX_PLACES: usize = 1_000;

/// How long a commit or an abort may take.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Writes what the tasks of one shard group read.
pub(crate) struct Transactions<'a> {
    producer: &'a Producer,
    offsets: &'a OffsetStore,
    streams: &'a [Arc<Stream>],
    boundary: Boundary,
    dead_letters: &'a mut DeadLetters,
    /// The positions as they stand in Kafka, by stream.
    committed: &'a mut Vec<Position>,
    summary: &'a mut Summary,
    /// How often the records of each stream departed from the document.
    drift: &'a mut BTreeMap<usize, DriftCounts>,
    open: Option<Open>,
    /// Streams in the middle of a cycle: their next page is on its way.
    reading: BTreeSet<usize>,
}

/// The transaction under way.
struct Open {
    since: Instant,
    records: usize,
    dead_letters: usize,
    pages: usize,
    positions: BTreeMap<usize, Position>,
}

impl Open {
    fn new() -> Self {
        Self { since: Instant::now(), records: 0, dead_letters: 0, pages: 0, positions: BTreeMap::new() }
    }
}

impl<'a> Transactions<'a> {
    pub(crate) fn new(
        writer: &'a mut Writer,
        streams: &'a [Arc<Stream>],
        boundary: Boundary,
        dead_letters: &'a mut DeadLetters,
        summary: &'a mut Summary,
        drift: &'a mut BTreeMap<usize, DriftCounts>,
    ) -> Self {
        let Writer { producer, offsets, positions: committed } = writer;
        let (open, reading) = (None, BTreeSet::new());
        Self { producer, offsets, streams, boundary, dead_letters, committed, summary, drift, open, reading }
    }

    /// Takes deliveries until there will be no more, and leaves no transaction open. After an error the transaction
    /// under way is aborted, and `committed` says where to begin again.
    pub(crate) async fn run(mut self, deliveries: &mut mpsc::Receiver<Delivery>) -> Result<(), KafkaError> {
        let result = self.write_all(deliveries).await;
        if result.is_err() && self.open.take().is_some() {
            self.abort().await;
        }
        result
    }

    async fn write_all(&mut self, deliveries: &mut mpsc::Receiver<Delivery>) -> Result<(), KafkaError> {
        loop {
            let delivery = match self.deadline() {
                None => deliveries.recv().await,
                Some(deadline) => match timeout_at(deadline, deliveries.recv()).await {
                    Ok(delivery) => delivery,
                    Err(_) => {
                        self.commit().await?;
                        continue;
                    }
                },
            };
            let Some(delivery) = delivery else { return self.commit().await };
            self.write(delivery).await?;
            if self.is_due(deliveries.is_empty()) {
                self.commit().await?;
            }
        }
    }

    /// When the transaction under way has to end.
    fn deadline(&self) -> Option<Instant> {
        let age = match self.boundary {
            Boundary::Poll => MAX_AGE,
            Boundary::Interval(interval) => interval,
        };
        self.open.as_ref().map(|open| open.since + age)
    }

    /// Whether the transaction under way should end now: it is full or old, or nothing more is on its way.
    fn is_due(&self, nothing_waits: bool) -> bool {
        let Some(open) = &self.open else { return false };
        let old = self.deadline().is_some_and(|deadline| deadline <= Instant::now());
        match self.boundary {
            Boundary::Poll => open.records >= MAX_RECORDS || old || (nothing_waits && self.reading.is_empty()),
            Boundary::Interval(_) => old,
        }
    }

    async fn write(&mut self, Delivery { stream: index, read }: Delivery) -> Result<(), KafkaError> {
        if read.more {
            self.reading.insert(index);
        } else {
            self.reading.remove(&index);
        }
        let Some(stream) = self.streams.get(index) else { return Ok(()) };
        let moved = self.position(index) != Some(&read.position);
        if self.open.is_none() {
            // A cycle without news opens no transaction, however many pages it takes to see that.
            let has_news = !read.page.is_empty() || !read.page.rejected().is_empty();
            if !has_news && (read.more || !moved) {
                return Ok(());
            }
            self.producer.begin()?;
            self.open = Some(Open::new());
        }
        for record in read.page.records() {
            let record = ProducerRecord {
                topic: &stream.topic,
                partition: None,
                key: record.key,
                value: Some(record.value),
                timestamp: record.timestamp,
                headers: &[],
            };
            self.producer.send(record).await?;
        }
        for rejected in read.page.rejected() {
            self.dead_letters.write(self.producer, stream, rejected, &read.position).await?;
        }
        self.note_drift(index, read.page.drift());
        if let Some(open) = &mut self.open {
            open.records += read.page.len();
            open.dead_letters += read.page.rejected().len();
            open.pages += 1;
            if moved {
                open.positions.insert(index, read.position);
            }
        }
        Ok(())
    }

    /// Counts how the records of a page depart from the document, and tells of each way once.
    fn note_drift(&mut self, index: usize, drift: &DriftCounts) {
        let Some(stream) = self.streams.get(index) else { return };
        let known = self.drift.entry(index).or_default();
        for ((kind, place), count) in drift {
            self.summary.drift += count;
            let is_full = known.len() >= MAX_PLACES;
            match known.get_mut(&(*kind, place.clone())) {
                Some(known) => *known += count,
                // Names of fields can be data.
                None if is_full => {}
                None => {
                    let operation = stream.facts().id.as_ref();
                    tracing::warn!(operation, %kind, place, "records are not as the API's document says");
                    known.insert((*kind, place.clone()), *count);
                }
            }
        }
    }

    /// A stream's position as the transaction under way would leave it.
    fn position(&self, index: usize) -> Option<&Position> {
        self.open.as_ref().and_then(|open| open.positions.get(&index)).or_else(|| self.committed.get(index))
    }

    async fn commit(&mut self) -> Result<(), KafkaError> {
        let Some(open) = &self.open else { return Ok(()) };
        if !self.producer.is_transactional() {
            // Nothing binds a position to its records but that it comes after them.
            settle(self.producer).await?;
        }
        for (&index, position) in &open.positions {
            if let Some(stream) = self.streams.get(index) {
                let key = self.offsets.key(&stream.facts().id);
                self.producer.send(self.offsets.record(&key, Some(&position.to_string()))).await?;
            }
        }
        settle(self.producer).await?;
        if let Some(open) = self.open.take() {
            tracing::debug!(records = open.records, pages = open.pages, "committed");
            self.summary.records += open.records as u64;
            self.summary.dead_letters += open.dead_letters as u64;
            self.summary.pages += open.pages as u64;
            self.summary.transactions += 1;
            for (index, position) in open.positions {
                if let Some(committed) = self.committed.get_mut(index) {
                    *committed = position;
                }
            }
        }
        Ok(())
    }

    /// Ends the transaction under way without effect. If the producer is of no further use, the broker does it: when the
    /// producer is replaced, or when the transaction times out.
    async fn abort(&self) {
        while let Err(error) = self.producer.abort(COMMIT_TIMEOUT).await {
            if !matches!(error, KafkaError::Retriable { .. }) {
                tracing::debug!(error = %chain(&error), "the transaction was not aborted");
                return;
            }
            tracing::warn!(error = %chain(&error), "an abort is late");
        }
    }
}

/// Waits until what was sent is there for good. A commit that is late goes on in the background; only asking again tells
/// how it ends.
pub(super) async fn settle(producer: &Producer) -> Result<(), KafkaError> {
    while let Err(error) = producer.commit(COMMIT_TIMEOUT).await {
        if !matches!(error, KafkaError::Retriable { .. }) {
            return Err(error);
        }
        tracing::warn!(error = %chain(&error), "a commit is late");
    }
    Ok(())
}
