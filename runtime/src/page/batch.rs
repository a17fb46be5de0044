//! The records of one page, encoded: one buffer for all of them, so that a page costs no allocation per record.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::drift::{DriftPolicy, OnDrift};
use crate::format::OutputFormat;
use crate::memory::Share;
use crate::operation::{IncrementalMode, OffsetValue};
use crate::record::time::{Instant, parse_instant};
use crate::record::{Drift, DriftKind};
use crate::redaction::Redaction;
use crate::slice::Children;

/// How the values of a stream's records are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Their format.
    pub format: OutputFormat,
    /// What every value begins with: magic byte, schema id and what else the Confluent wire format has, or nothing.
    pub prefix: Vec<u8>,
    /// What follows when a record departs from the document.
    pub on_drift: DriftPolicy,
    /// What has been done with personal data in the records: there, they depart from the document because of it.
    pub redaction: Option<Arc<Redaction>>,
}

/// Where a page comes from, as headers.
pub(crate) type Origin = Vec<(&'static str, Vec<u8>)>;

/// How often records departed from the document, by kind and place.
pub type DriftCounts = BTreeMap<(DriftKind, String), u64>;

/// Something that stood among the records and is not written as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What was sent.
    pub sent: Vec<u8>,
    /// Why not.
    pub reason: String,
    /// Which record of the page it would be, from 0.
    pub index: usize,
}

/// The records of one page, encoded, and what the page said of the next one.
#[derive(Debug)]
pub struct Page {
    wire: Wire,
    pub(crate) values: Vec<u8>,
    keys: Vec<u8>,
    entries: Vec<Entry>,
    rejected: Vec<Rejected>,
    drift: DriftCounts,
    /// The slices of other streams that the records call for.
    pub(crate) children: Children,
    /// The cursor or URL that the response body named, if the style of paging looks there.
    pub(crate) next: Option<String>,
    /// The URL that the response body named for the next cycle to begin with.
    pub(crate) delta: Option<String>,
    /// How many records the API sent, dropped repeats included.
    pub(crate) received: usize,
    /// Whether the response body has nothing where its records should be.
    pub(crate) lacks_records: bool,
    /// Which record of the response its first one is.
    first: usize,
    /// The memory that it takes.
    share: Option<Share>,
    /// Where it comes from, if that is told.
    origin: Origin,
    /// Whether every record tells it.
    tells_origin: bool,
    /// How many records have been left out by the crate's own code, or by a transform.
    filtered: usize,
    /// Whether it is read only to see what would come of it, so that the crate's own code is not asked.
    is_trial: bool,
    /// The key of the last record as it was sent, if that one was dropped or changed; empty if it has none.
    dropped_last: Option<Vec<u8>>,
    offsets: Option<OffsetTracker>,
    /// A hash of all records so far, if it is wanted.
    digest: Option<u64>,
    /// What transforms have made of the records, by their index; those beyond the end have nothing.
    extras: Vec<Extra>,
    /// How many of the records only say what is to be remembered of others.
    notes: usize,
    /// Whether the API has said that nothing has changed.
    is_not_modified: bool,
}

/// What a record is beside key, value and time.
#[derive(Debug, Default)]
struct Extra {
    topic: Option<Arc<str>>,
    partition: Option<i32>,
    headers: Vec<(String, Vec<u8>)>,
    is_tombstone: bool,
}

/// What a record is to be, beside its value.
pub(crate) struct Outgoing<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
    /// Another topic than the stream's.
    pub(crate) topic: Option<Arc<str>>,
    /// A partition that does not follow from the key.
    pub(crate) partition: Option<i32>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) is_tombstone: bool,
}

#[derive(Debug)]
struct Entry {
    key: Option<Range<usize>>,
    value: Range<usize>,
    timestamp: Option<i64>,
}

/// One record, ready for Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRecord<'a> {
    /// The key's bytes, if the record has a key.
    pub key: Option<&'a [u8]>,
    /// The value's bytes in the wire format.
    pub value: &'a [u8],
    /// Whether it has no value, but is a tombstone.
    pub is_tombstone: bool,
    /// Its topic, if that is not the stream's.
    pub topic: Option<&'a str>,
    /// Its partition, if that does not follow from its key.
    pub partition: Option<i32>,
    /// Its headers.
    pub headers: &'a [(String, Vec<u8>)],
    /// Milliseconds since 1970-01-01T00:00:00Z, if the record has a time of its own.
    pub timestamp: Option<i64>,
}

impl PageRecord<'_> {
    /// Whether it only says what is to be remembered of another record.
    pub(crate) fn is_note(&self) -> bool {
        // Only these have a partition of their own.
        self.partition.is_some()
    }
}

impl Page {
    /// An empty page whose values will be written so.
    pub fn new(wire: &Wire) -> Self {
        Self {
            wire: wire.clone(),
            values: Vec::new(),
            keys: Vec::new(),
            entries: Vec::new(),
            rejected: Vec::new(),
            drift: DriftCounts::new(),
            children: Children::default(),
            next: None,
            delta: None,
            digest: None,
            received: 0,
            lacks_records: false,
            first: 0,
            share: None,
            origin: Origin::default(),
            tells_origin: false,
            offsets: None,
            filtered: 0,
            is_trial: false,
            dropped_last: None,
            extras: Vec::new(),
            notes: 0,
            is_not_modified: false,
        }
    }

    /// An empty page that is read only to see what would come of it.
    pub(crate) fn trial(wire: &Wire) -> Self {
        Self { is_trial: true, ..Self::new(wire) }
    }

    /// Whether it is read only for that.
    pub(crate) fn is_trial(&self) -> bool {
        self.is_trial
    }

    /// An empty page in the place of one that has not changed.
    pub(crate) fn not_modified(wire: &Wire) -> Self {
        Self { is_not_modified: true, ..Self::new(wire) }
    }

    /// Whether the API has said that nothing has changed, so that nothing follows from what is not in the page.
    pub(crate) fn is_not_modified(&self) -> bool {
        self.is_not_modified
    }

    /// Says how many records of the response stand before the page, which is then a part.
    pub(crate) fn begin_at(&mut self, first: usize) {
        self.first = first;
    }

    /// Which record of the response the next one is, from 0.
    pub(crate) fn index(&self) -> usize {
        self.first + self.received
    }

    /// Keeps a share of the memory for as long as the page is there.
    pub(crate) fn keep(&mut self, share: Option<Share>) {
        self.share = share;
    }

    /// Says where the page comes from, and whether every record tells it.
    pub(crate) fn set_origin(&mut self, origin: Origin, on_records: bool) {
        (self.origin, self.tells_origin) = (origin, on_records);
    }

    /// Says of the page that it comes from where another one does.
    pub(crate) fn share_origin(&mut self, other: &Self) {
        (self.origin, self.tells_origin) = (other.origin.clone(), other.tells_origin);
    }

    /// Where the page comes from, as headers, if that is told.
    pub fn origin(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.origin.iter().map(|(name, value)| (*name, value.as_slice()))
    }

    /// The headers that all records have, before those of their own.
    pub fn shared_headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.origin().filter(|_| self.tells_origin)
    }

    /// What stood among the records and is none.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// How often the records departed from the document.
    pub fn drift(&self) -> &DriftCounts {
        &self.drift
    }

    /// Follows the offset values of the records that come, from where the stream stands. Records that `seen` knows
    /// to have been delivered are dropped.
    ///
    /// `lookback` is how far back the API is asked for records that come late.
    pub(crate) fn track(
        &mut self,
        mode: IncrementalMode,
        lookback: Option<Duration>,
        seen: Boundary,
        reached: Boundary,
    ) {
        self.offsets = Some(OffsetTracker {
            mode,
            lookback,
            known: lookback.map(|_| seen.records.iter().copied().collect()).unwrap_or_default(),
            seen_at: seen.value.as_deref().and_then(parse_instant),
            seen,
            reached_at: reached.value.as_deref().and_then(parse_instant),
            reached,
        });
    }

    /// How far the offset values have come, if they are followed.
    pub(crate) fn reached(&mut self) -> Option<Boundary> {
        self.offsets.take().map(OffsetTracker::into_reached)
    }

    /// Makes a hash of the records that come, and of those before them, whose hash is `before`; 0 if there are none.
    pub(crate) fn make_digest(&mut self, before: u64) {
        self.digest = Some(before);
    }

    /// A hash of all records that the API sent, in their order; 0 if there are none, or none was wanted.
    pub(crate) fn digest(&self) -> u64 {
        self.digest.unwrap_or_default()
    }

    fn add_to_digest(&mut self, content: impl Fn(&Self) -> u64) {
        if let Some(digest) = self.digest {
            self.digest = Some(digest.rotate_left(5).wrapping_add(content(self)));
        }
    }

    /// The key of the last record that the API sent, dropped or not.
    pub(crate) fn last_key(&self) -> Option<String> {
        let key = match &self.dropped_last {
            Some(key) => key.as_slice(),
            None => &self.keys[self.entries.last()?.key.clone()?],
        };
        Some(String::from_utf8_lossy(key).into_owned())
    }

    /// How many records the page holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many records the page holds besides those that only say what is to be remembered of others.
    pub(crate) fn written(&self) -> usize {
        self.entries.len() - self.notes
    }

    /// Whether the page holds no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records in the order in which the API sent them.
    pub fn records(&self) -> impl ExactSizeIterator<Item = PageRecord<'_>> {
        self.entries.iter().enumerate().map(|(index, entry)| {
            let extra = self.extras.get(index);
            PageRecord {
                key: entry.key.as_ref().map(|range| &self.keys[range.clone()]),
                value: &self.values[entry.value.clone()],
                is_tombstone: extra.is_some_and(|extra| extra.is_tombstone),
                topic: extra.and_then(|extra| extra.topic.as_deref()),
                partition: extra.and_then(|extra| extra.partition),
                headers: extra.map_or(&[], |extra| &extra.headers),
                timestamp: entry.timestamp,
            }
        })
    }

    /// The value of the record at an index.
    pub(crate) fn value(&self, index: usize) -> Option<&[u8]> {
        self.entries.get(index).map(|entry| &self.values[entry.value.clone()])
    }

    /// Adds the record that `write` encodes, or what it is as JSON to those that are rejected, if it departs from the document
    /// in a way that is to be quarantined.
    pub(crate) fn push<'page>(
        &mut self,
        timestamp: Option<i64>,
        key: impl FnOnce(&mut Vec<u8>) -> bool,
        offset: Option<OffsetValue<'_>>,
        write: impl Fn(OutputFormat, &mut Vec<u8>) -> Vec<Drift<'page>>,
    ) -> Result<Pushed, Refused> {
        self.received += 1;
        let value_start = self.values.len();
        self.values.extend_from_slice(&self.wire.prefix);
        let drift = write(self.wire.format, &mut self.values);
        let key_start = self.keys.len();
        let key = if key(&mut self.keys) { Some(key_start..self.keys.len()) } else { None };
        let prefix = self.wire.prefix.len();
        self.add_to_digest(|page| content_hash(&page.keys[key_start..], &page.values[value_start + prefix..]));
        if let Some(tracker) = &mut self.offsets {
            let content = &self.values[value_start + self.wire.prefix.len()..];
            let verdict = tracker.observe(offset, || content_hash(&self.keys[key_start..], content));
            if !verdict.map_err(Refused::Offset)? {
                self.dropped_last = Some(self.keys[key_start..].to_vec());
                self.values.truncate(value_start);
                self.keys.truncate(key_start);
                return Ok(Pushed::Repeated);
            }
        }
        let mut quarantined = None;
        let redaction = self.wire.redaction.as_deref();
        let is_of_api = |drift: &Drift<'_>| !redaction.is_some_and(|redaction| redaction.changes(&drift.pointer));
        for drift in drift.into_iter().filter(is_of_api) {
            match self.wire.on_drift.of(drift.kind) {
                OnDrift::Stop => return Err(Refused::Drift { kind: drift.kind, pointer: drift.pointer }),
                OnDrift::Quarantine if quarantined.is_none() => {
                    quarantined = Some(format!("{} at `{}`", drift.kind, drift.pointer));
                }
                OnDrift::Quarantine | OnDrift::Warn => {}
            }
            *self.drift.entry((drift.kind, drift.place)).or_default() += 1;
        }
        if let Some(reason) = quarantined {
            self.dropped_last = Some(self.keys[key_start..].to_vec());
            self.values.truncate(value_start);
            self.keys.truncate(key_start);
            let mut sent = Vec::new();
            write(OutputFormat::Json, &mut sent);
            self.rejected.push(Rejected { sent, reason, index: self.index() - 1 });
            return Ok(Pushed::Quarantined);
        }
        self.dropped_last = None;
        self.entries.push(Entry { key, value: value_start..self.values.len(), timestamp });
        Ok(Pushed::Added)
    }

    /// Writes the record that was added last once more, as a hook has left it.
    pub(crate) fn rewrite_last(
        &mut self,
        timestamp: Option<i64>,
        key: impl FnOnce(&mut Vec<u8>) -> bool,
        write: impl FnOnce(OutputFormat, &mut Vec<u8>),
    ) {
        self.take_last();
        let (value_start, key_start) = (self.values.len(), self.keys.len());
        self.values.extend_from_slice(&self.wire.prefix);
        write(self.wire.format, &mut self.values);
        let key = if key(&mut self.keys) { Some(key_start..self.keys.len()) } else { None };
        self.entries.push(Entry { key, value: value_start..self.values.len(), timestamp });
    }

    /// Leaves out the record that was added last.
    pub(crate) fn filter_last(&mut self) {
        self.take_last();
        self.filtered += 1;
    }

    /// Takes note of a record that a transform has left out.
    pub(crate) fn filter(&mut self) {
        self.filtered += 1;
    }

    /// How many records hooks and transforms have left out.
    pub(crate) fn filtered(&self) -> usize {
        self.filtered
    }

    /// Takes the last record out. Its key is remembered as it was sent: it may be what the next page is asked for by.
    fn take_last(&mut self) {
        let Some(Entry { key, value, .. }) = self.entries.pop() else { return };
        self.values.truncate(value.start);
        let sent = key.map(|key| self.keys.drain(key.start..).collect()).unwrap_or_default();
        self.dropped_last = Some(sent);
    }

    /// An empty page that stands in the place of this one, which has been read to its end: what is told of it besides its
    /// records goes over.
    pub(crate) fn successor(&mut self) -> Self {
        let mut successor = Self::new(&self.wire);
        successor.filtered = self.filtered;
        successor.rejected = std::mem::take(&mut self.rejected);
        successor.drift = std::mem::take(&mut self.drift);
        successor.received = self.received;
        successor.first = self.first;
        successor.children = std::mem::take(&mut self.children);
        successor
    }

    /// Adds a record of a page that this one stands in the place of.
    pub(crate) fn add(&mut self, outgoing: Outgoing<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        let Outgoing { key, timestamp, topic, partition, headers, is_tombstone } = outgoing;
        let start = self.values.len();
        if !is_tombstone {
            write(&mut self.values);
        }
        let key = key.map(|key| {
            let start = self.keys.len();
            self.keys.extend_from_slice(key);
            start..self.keys.len()
        });
        let index = self.entries.len();
        self.entries.push(Entry { key, value: start..self.values.len(), timestamp });
        if topic.is_some() || !headers.is_empty() || is_tombstone {
            self.extras.resize_with(index, Extra::default);
            self.extras.push(Extra { topic, partition, headers, is_tombstone });
        }
    }

    /// Adds a record as it is in a page that this one stands in the place of.
    pub(crate) fn copy(&mut self, record: &PageRecord<'_>) {
        let outgoing = Outgoing {
            key: record.key,
            timestamp: record.timestamp,
            topic: record.topic.map(Arc::from),
            partition: record.partition,
            headers: record.headers.to_vec(),
            is_tombstone: record.is_tombstone,
        };
        self.add(outgoing, |out| out.extend_from_slice(record.value));
    }

    /// Adds what is to be remembered of a record, in a partition of a topic for that; `None`: nothing any more.
    pub(crate) fn add_note(&mut self, topic: &Arc<str>, partition: i32, key: &[u8], value: Option<&[u8]>) {
        let outgoing = Outgoing {
            key: Some(key),
            timestamp: None,
            topic: Some(Arc::clone(topic)),
            partition: Some(partition),
            headers: Vec::new(),
            is_tombstone: value.is_none(),
        };
        self.add(outgoing, |out| out.extend_from_slice(value.unwrap_or_default()));
        self.notes += 1;
    }

    /// Takes note of a record that cannot be written; `index` is its place in the page.
    pub(crate) fn reject_at(&mut self, index: usize, sent: &str, reason: String) {
        self.rejected.push(Rejected { sent: sent.as_bytes().to_vec(), reason, index: self.first + index });
    }

    /// Takes note of something that is no record.
    pub(crate) fn reject(&mut self, sent: &str, reason: String) {
        self.add_to_digest(|_| xxh3_64(sent.as_bytes()));
        self.rejected.push(Rejected { sent: sent.as_bytes().to_vec(), reason, index: self.index() });
        self.received += 1;
    }
}

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is the last one of the page.
    Added,
    /// It was there before, and is dropped.
    Repeated,
    /// It is rejected, as it departs from the document.
    Quarantined,
}

/// Why a record was not taken.
pub(crate) enum Refused {
    Hook(String),
    Offset(String),
    Drift { kind: DriftKind, pointer: String },
}

/// A record's identity at the boundary: its key and its encoded content. A record that was changed, even within the
/// same instant, is another one.
fn content_hash(key: &[u8], content: &[u8]) -> u64 {
    xxh3_64(content) ^ xxh3_64(key).rotate_left(1)
}

/// An offset value, and which records were delivered at exactly that value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Boundary {
    /// As the API wrote it.
    pub(crate) value: Option<String>,
    /// Content hashes of the records at `value`, or within the look-back window before it; at most
    /// [`Boundary::capacity`], further ones may come twice.
    pub(crate) records: Vec<u64>,
}

impl Boundary {
    /// How many records are remembered. A position must stay a small message, and in the middle of a cycle it holds two
    /// of these: 1,000 records that share one instant take 20 kB, 10,000 of a look-back window 190 kB.
    fn capacity(has_lookback: bool) -> usize {
        if has_lookback { 10_000 } else { 1_000 }
    }
}

#[derive(Debug)]
struct OffsetTracker {
    mode: IncrementalMode,
    lookback: Option<Duration>,
    /// The records of `seen`, to look them up in; with a look-back window, which holds many.
    known: HashSet<u64>,
    /// What the cycle began with.
    seen: Boundary,
    seen_at: Option<Instant>,
    /// How far the cycle has come.
    reached: Boundary,
    reached_at: Option<Instant>,
}

impl OffsetTracker {
    fn into_reached(self) -> Boundary {
        // A cycle that was sent nothing has not seen its window.
        match self.reached.records.is_empty() && self.lookback.is_some() {
            true => Boundary { records: self.seen.records, ..self.reached },
            false => self.reached,
        }
    }

    /// Takes note of one record; `Ok(false)` if it was delivered before.
    fn observe(&mut self, value: Option<OffsetValue<'_>>, hash: impl Fn() -> u64) -> Result<bool, String> {
        let Some(value) = value else {
            return Err("is missing".to_owned());
        };
        match self.mode {
            IncrementalMode::Cursor => {
                value.with_text(|text| match &mut self.reached.value {
                    Some(reached) => {
                        reached.clear();
                        reached.push_str(text);
                    }
                    none => *none = Some(text.to_owned()),
                });
                Ok(true)
            }
            IncrementalMode::Timestamp => value.with_text(|text| self.observe_instant(text, hash)),
        }
    }

    fn observe_instant(&mut self, text: &str, hash: impl Fn() -> u64) -> Result<bool, String> {
        let at = parse_instant(text).ok_or_else(|| format!("holds {text:?}, which is no RFC 3339 date-time"))?;
        if let Some(lookback) = self.lookback {
            return Ok(self.observe_late(text, at, lookback, hash()));
        }
        if self.seen_at == Some(at) && self.seen.records.contains(&hash()) {
            return Ok(false);
        }
        if self.reached_at.is_none_or(|reached| at > reached) {
            self.reached_at = Some(at);
            match &mut self.reached.value {
                Some(value) => {
                    value.clear();
                    value.push_str(text);
                }
                none => *none = Some(text.to_owned()),
            }
            self.reached.records.clear();
        }
        if self.reached_at == Some(at) && self.reached.records.len() < Boundary::capacity(false) {
            self.reached.records.push(hash());
        }
        Ok(true)
    }

    /// The same where records may come late. Every cycle is sent all records of the window, so that those of the window
    /// which the next cycle asks for are all seen in this one.
    fn observe_late(&mut self, text: &str, at: Instant, lookback: Duration, hash: u64) -> bool {
        let is_new = !self.known.contains(&hash);
        if self.reached_at.is_none_or(|reached| at > reached) {
            self.reached_at = Some(at);
            self.reached.value = Some(text.to_owned());
        }
        // What came although it is older than it was asked for may come again.
        let may_come_again = !is_new || self.reached_at.is_some_and(|reached| at >= reached.earlier(lookback));
        if may_come_again {
            let records = &mut self.reached.records;
            let capacity = Boundary::capacity(true);
            if records.len() >= capacity {
                // The first ones to have come: where records come in order, they are older than the window.
                records.drain(..capacity / 10);
            }
            records.push(hash);
        }
        is_new
    }
}
