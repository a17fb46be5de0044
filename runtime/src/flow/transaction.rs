//! Transactions: the records of pages, and the positions that account for them, become visible together or not at all.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Summary;
use super::definition::Definition;
use super::error_topic::Failure;
use super::shard::{SideTopics, Writer};
use super::state::{State, States};
use super::task::{Busy, Change, Delivery, Part, Parts};
use super::topics::Topics;
use crate::clock;
use crate::config::Boundary;
use crate::error::chain;
use crate::kafka::{KafkaError, OffsetStore, Producer, ProducerRecord};
use crate::metrics::{Committed, Metrics};
use crate::operation::{PageOutcome, ReadPage};
use crate::page::{DriftCounts, Page};
use crate::position::Position;
use crate::slice::Slice;

/// How many records a transaction holds at most, pages being whole. Fewer, and the cost of a commit shows; more buys
/// nothing.
const MAX_RECORDS: usize = 10_000;

/// How old a transaction may grow: until it ends, its records are invisible, and so are all later ones of their topics.
const MAX_AGE: Duration = Duration::from_millis(250);

/// In how many ways the records of one stream may depart from the document before further ways are only counted.
const MAX_PLACES: usize = 1_000;

/// How long a commit or an abort may take.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Writes what the tasks of one shard read.
pub(crate) struct Transactions<'a> {
    shard: i32,
    producer: &'a Producer,
    offsets: &'a OffsetStore,
    streams: &'a [Arc<Definition>],
    boundary: Boundary,
    topics: &'a mut SideTopics,
    /// What is remembered as it stands in Kafka, by stream.
    committed: &'a mut Vec<States>,
    counts: Counts<'a>,
    open: Option<Open>,
    /// Tasks in the middle of a cycle: their next page is on its way.
    reading: BTreeSet<usize>,
}

/// Where it is counted what was written.
pub(crate) struct Counts<'a> {
    pub(crate) metrics: &'a Metrics,
    pub(crate) summary: &'a mut Summary,
    /// How often the records of each stream departed from the document.
    pub(crate) drift: &'a mut BTreeMap<usize, DriftCounts>,
}

/// The transaction under way.
struct Open {
    since: Instant,
    records: usize,
    /// What it holds, by stream.
    contents: BTreeMap<usize, Committed>,
    /// What is to be remembered, by stream and slice; `None`: nothing any more.
    changes: BTreeMap<(usize, Arc<Slice>), Option<State>>,
}

impl Open {
    fn new() -> Self {
        Self { since: Instant::now(), records: 0, contents: BTreeMap::new(), changes: BTreeMap::new() }
    }
}

impl<'a> Transactions<'a> {
    pub(crate) fn new(
        writer: &'a mut Writer,
        offsets: &'a OffsetStore,
        streams: &'a [Arc<Definition>],
        boundary: Boundary,
        topics: &'a mut SideTopics,
        counts: Counts<'a>,
    ) -> Self {
        let Writer { shard, producer, states: committed } = writer;
        let (open, reading) = (None, BTreeSet::new());
        Self { shard: *shard, producer, offsets, streams, boundary, topics, committed, counts, open, reading }
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

    async fn write(&mut self, delivery: Delivery) -> Result<(), KafkaError> {
        let Delivery { stream, read, changes, busy, failure } = delivery;
        match read {
            Parts::One(read) => {
                self.note_reading(busy);
                self.write_page(stream, *read, changes, failure.as_deref()).await
            }
            Parts::Several(parts) => self.write_parts(stream, parts).await,
        }
    }

    async fn write_page(
        &mut self,
        index: usize,
        read: ReadPage,
        changes: Vec<Change>,
        failure: Option<&Failure>,
    ) -> Result<(), KafkaError> {
        let ReadPage { page, position, more } = read;
        if self.open.is_none() {
            // A cycle without news opens no transaction, however many pages it takes to see that.
            let has_news = !page.is_empty() || !page.rejected().is_empty() || failure.is_some();
            if !has_news && (more || !changes.iter().any(|change| self.moves(change))) {
                return Ok(());
            }
        }
        self.write_records(index, &page, Some(&position)).await?;
        if let (Some(failure), Some(stream)) = (failure, self.streams.get(index)) {
            self.topics.errors.write(self.producer, stream, failure).await?;
        }
        self.end_page(index, changes);
        Ok(())
    }

    /// Writes a page that comes in parts: in a transaction of its own, so that it costs nobody else their pages if it
    /// breaks off in the middle. Then nothing of it is visible, and nothing has moved.
    async fn write_parts(&mut self, index: usize, mut parts: mpsc::Receiver<Part>) -> Result<(), KafkaError> {
        self.commit().await?;
        while let Some(Part { page, end }) = parts.recv().await {
            self.write_records(index, &page, end.as_ref().map(|end| &end.position)).await?;
            if let Some(PageOutcome { position, more }) = end {
                self.note_reading(Busy { task: index, busy: more });
                self.end_page(index, vec![Change::of_whole(index, position)]);
                return self.commit().await;
            }
        }
        match self.open.take() {
            Some(_) => {
                self.counts.metrics.transaction_aborted();
                self.discard().await
            }
            None => Ok(()),
        }
    }

    /// Writes records in the transaction under way, or a new one. `after` is where the stream stands after them, if it is
    /// known yet.
    async fn write_records(&mut self, index: usize, page: &Page, after: Option<&Position>) -> Result<(), KafkaError> {
        let Some(stream) = self.streams.get(index) else { return Ok(()) };
        if self.open.is_none() {
            self.producer.begin()?;
            self.open = Some(Open::new());
        }
        let topic = stream.settings().topic.as_deref();
        // Records without a topic are only there for what is read by them.
        if let Some(topic) = topic {
            send_records(self.producer, &mut self.topics.named, topic, page).await?;
        }
        for rejected in page.rejected() {
            self.topics.dead_letters.write(self.producer, stream, page, rejected, after).await?;
        }
        self.note_drift(index, page.drift());
        if let Some(open) = &mut self.open {
            let records = if topic.is_some() { page.written() } else { 0 };
            open.records += records;
            let contents = open.contents.entry(index).or_default();
            contents.records += records as u64;
            contents.dead_letters += page.rejected().len() as u64;
            contents.filtered += page.filtered() as u64;
        }
        Ok(())
    }

    /// Takes note of what is remembered after a page that is written.
    fn end_page(&mut self, index: usize, changes: Vec<Change>) {
        if let Some(open) = &mut self.open {
            open.contents.entry(index).or_default().pages += 1;
            open.changes.extend(changes.into_iter().map(|change| ((change.stream, change.slice), change.state)));
        }
    }

    /// Takes note of whether more is on its way from a task.
    fn note_reading(&mut self, busy: Busy) {
        if busy.busy {
            self.reading.insert(busy.task);
        } else {
            self.reading.remove(&busy.task);
        }
    }

    /// Counts how the records of a page depart from the document, and tells of each way once.
    fn note_drift(&mut self, index: usize, drift: &DriftCounts) {
        let Some(stream) = self.streams.get(index) else { return };
        let known = self.counts.drift.entry(index).or_default();
        for ((kind, place), count) in drift {
            self.counts.summary.drift += count;
            let is_full = known.len() >= MAX_PLACES;
            match known.get_mut(&(*kind, place.clone())) {
                Some(known) => {
                    *known += count;
                    stream.metrics().drifted(*kind, place, *count);
                }
                // Names of fields can be data.
                None if is_full => {}
                None => {
                    let operation = stream.id();
                    tracing::warn!(operation, %kind, place, "records are not as the API's document says");
                    known.insert((*kind, place.clone()), *count);
                    stream.metrics().drifted(*kind, place, *count);
                }
            }
        }
    }

    /// Whether a change is one to what the transaction under way would leave.
    fn moves(&self, change: &Change) -> bool {
        let Change { stream, slice, state } = change;
        let open = self.open.as_ref().and_then(|open| open.changes.get(&(*stream, Arc::clone(slice))));
        let current = match open {
            Some(state) => state.as_ref(),
            None => self.committed.get(*stream).and_then(|states| states.get(slice)),
        };
        self.streams.get(*stream).is_some_and(|stream| differ(stream, current, state.as_ref()))
    }

    async fn commit(&mut self) -> Result<(), KafkaError> {
        let Some(open) = &self.open else { return Ok(()) };
        if !self.producer.is_transactional() {
            // Nothing binds a position to its records but that it comes after them.
            settle(self.producer).await?;
        }
        for ((index, slice), state) in &open.changes {
            let (Some(stream), Some(committed)) = (self.streams.get(*index), self.committed.get(*index)) else {
                continue;
            };
            // A slice that came and went within the transaction leaves no trace.
            if differ(stream, committed.get(slice), state.as_ref()) {
                let (key, state) = (self.offsets.key(stream.id(), slice), state.as_ref().map(State::to_string));
                self.producer.send(self.offsets.record(self.shard, &key, state.as_deref())).await?;
            }
        }
        settle(self.producer).await?;
        if let Some(open) = self.open.take() {
            tracing::debug!(records = open.records, streams = open.contents.len(), "committed");
            self.counts.summary.transactions += 1;
            self.counts.metrics.transaction_committed();
            let now = clock::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            for (index, contents) in open.contents {
                self.counts.summary.records += contents.records;
                self.counts.summary.dead_letters += contents.dead_letters;
                self.counts.summary.pages += contents.pages;
                if let Some(stream) = self.streams.get(index) {
                    stream.metrics().committed(contents, now);
                }
            }
            for ((index, slice), state) in open.changes {
                let Some(committed) = self.committed.get_mut(index) else { continue };
                match state {
                    Some(state) => drop(committed.insert(slice, state)),
                    None => drop(committed.remove(&slice)),
                }
            }
        }
        Ok(())
    }

    /// Ends the transaction under way without effect, after an error of Kafka. If the producer is of no further use, the
    /// broker does it: when the producer is replaced, or when the transaction times out.
    async fn abort(&self) {
        if let Err(error) = self.discard().await {
            tracing::debug!(error = %chain(&error), "the transaction was not aborted");
        }
    }

    /// Ends the transaction under way without effect.
    async fn discard(&self) -> Result<(), KafkaError> {
        while let Err(error) = self.producer.abort(COMMIT_TIMEOUT).await {
            if !matches!(error, KafkaError::Retriable { .. }) {
                return Err(error);
            }
            tracing::warn!(error = %chain(&error), "an abort is late");
        }
        Ok(())
    }
}

/// Writes the records of a page in the transaction under way, to `topic` unless they say another.
pub(super) async fn send_records(
    producer: &Producer,
    topics: &mut Topics,
    topic: &str,
    page: &Page,
) -> Result<(), KafkaError> {
    let shared: Vec<_> = page.shared_headers().collect();
    for record in page.records() {
        if let Some(topic) = record.topic {
            topics.ensure(topic).await?;
        }
        let own = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let headers = match (record.is_note(), record.headers.is_empty()) {
            (true, _) => Cow::Borrowed(&[][..]),
            (false, true) => Cow::Borrowed(&shared[..]),
            (false, false) => Cow::Owned(shared.iter().copied().chain(own).collect()),
        };
        let record = ProducerRecord {
            topic: record.topic.unwrap_or(topic),
            partition: record.partition,
            key: record.key,
            value: (!record.is_tombstone).then_some(record.value),
            timestamp: record.timestamp,
            headers: &headers,
        };
        producer.send(record).await?;
    }
    Ok(())
}

/// Whether what is remembered of a slice changes. What stands where it began need not be remembered.
fn differ(stream: &Definition, before: Option<&State>, after: Option<&State>) -> bool {
    match (before, after) {
        (None, Some(state)) => *state != State::at(stream.start(None)),
        (before, after) => before != after,
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
