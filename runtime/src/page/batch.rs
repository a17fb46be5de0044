//! The records of one page, encoded: one buffer for all of them, so that a page costs no allocation per record.

use std::collections::BTreeMap;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::format::OutputFormat;
use crate::operation::{IncrementalMode, OffsetValue};
use crate::record::time::{Instant, parse_instant};
use crate::record::{Drift, DriftKind};

/// How the values of a stream's records are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Their format.
    pub format: OutputFormat,
    /// What every value begins with: magic byte, schema id and what else the Confluent wire format has, or nothing.
    pub prefix: Vec<u8>,
    /// Whether a record that departs from the document is an error.
    pub is_strict: bool,
}

/// How often records departed from the document, by kind and place.
pub type DriftCounts = BTreeMap<(DriftKind, String), u64>;

/// Something that stood among the records and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What was sent.
    pub sent: Vec<u8>,
    /// Why it is no record.
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
    /// The cursor or URL that the response body named, if the style of paging looks there.
    pub(crate) next: Option<String>,
    /// How many records the API sent, dropped repeats included.
    pub(crate) received: usize,
    /// The key of the last record, if that one was dropped; empty if it has none.
    dropped_last: Option<Vec<u8>>,
    offsets: Option<OffsetTracker>,
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
    /// Milliseconds since 1970-01-01T00:00:00Z, if the record has a time of its own.
    pub timestamp: Option<i64>,
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
            next: None,
            received: 0,
            offsets: None,
            dropped_last: None,
        }
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
    pub(crate) fn track(&mut self, mode: IncrementalMode, seen: Boundary, reached: Boundary) {
        self.offsets = Some(OffsetTracker {
            mode,
            seen_at: seen.value.as_deref().and_then(parse_instant),
            seen,
            reached_at: reached.value.as_deref().and_then(parse_instant),
            reached,
        });
    }

    /// How far the offset values have come, if they are followed.
    pub(crate) fn reached(&mut self) -> Option<Boundary> {
        self.offsets.take().map(|tracker| tracker.reached)
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

    /// Whether the page holds no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records in the order in which the API sent them.
    pub fn records(&self) -> impl ExactSizeIterator<Item = PageRecord<'_>> {
        self.entries.iter().map(|entry| PageRecord {
            key: entry.key.as_ref().map(|range| &self.keys[range.clone()]),
            value: &self.values[entry.value.clone()],
            timestamp: entry.timestamp,
        })
    }

    /// Adds the record that `write` encodes. `Ok(false)`: it was a repeat, and dropped.
    pub(crate) fn push<'page>(
        &mut self,
        timestamp: Option<i64>,
        key: impl FnOnce(&mut Vec<u8>) -> bool,
        offset: Option<OffsetValue<'_>>,
        write: impl FnOnce(OutputFormat, &mut Vec<u8>) -> Vec<Drift<'page>>,
    ) -> Result<bool, Refused> {
        self.received += 1;
        let value_start = self.values.len();
        self.values.extend_from_slice(&self.wire.prefix);
        let drift = write(self.wire.format, &mut self.values);
        let key_start = self.keys.len();
        let key = if key(&mut self.keys) { Some(key_start..self.keys.len()) } else { None };
        if let Some(tracker) = &mut self.offsets {
            let content = &self.values[value_start + self.wire.prefix.len()..];
            let verdict = tracker.observe(offset, || content_hash(&self.keys[key_start..], content));
            if !verdict.map_err(Refused::Offset)? {
                self.dropped_last = Some(self.keys[key_start..].to_vec());
                self.values.truncate(value_start);
                self.keys.truncate(key_start);
                return Ok(false);
            }
        }
        for drift in drift {
            if self.wire.is_strict {
                return Err(Refused::Drift { kind: drift.kind, pointer: drift.pointer });
            }
            *self.drift.entry((drift.kind, drift.place)).or_default() += 1;
        }
        self.dropped_last = None;
        self.entries.push(Entry { key, value: value_start..self.values.len(), timestamp });
        Ok(true)
    }

    /// Takes note of something that is no record.
    pub(crate) fn reject(&mut self, sent: &str, reason: String) {
        self.rejected.push(Rejected { sent: sent.as_bytes().to_vec(), reason, index: self.received });
        self.received += 1;
    }
}

/// Why a record was not taken.
pub(crate) enum Refused {
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
    /// Content hashes of the records at `value`, at most [`Boundary::CAPACITY`]; further ones may come twice.
    pub(crate) records: Vec<u64>,
}

impl Boundary {
    /// A position must stay a small message; 1,000 records that share one instant take 20 kB.
    pub(crate) const CAPACITY: usize = 1_000;
}

#[derive(Debug)]
struct OffsetTracker {
    mode: IncrementalMode,
    /// What the cycle began with.
    seen: Boundary,
    seen_at: Option<Instant>,
    /// How far the cycle has come.
    reached: Boundary,
    reached_at: Option<Instant>,
}

impl OffsetTracker {
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
        if self.reached_at == Some(at) && self.reached.records.len() < Boundary::CAPACITY {
            self.reached.records.push(hash());
        }
        Ok(true)
    }
}
