//! The records of one page, encoded: one buffer for all of them, so that a page costs no allocation per record.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::format::avro::Writer;
use crate::operation::{IncrementalMode, OffsetValue};
use crate::record::time::{Instant, parse_instant};

/// The records of one page, encoded, and what the page said of the next one.
#[derive(Debug, Default)]
pub struct Page {
    /// What every value begins with: magic byte and schema id of the Confluent wire format, or nothing.
    prefix: Vec<u8>,
    pub(crate) values: Writer,
    keys: Vec<u8>,
    entries: Vec<Entry>,
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
    /// An empty page whose values will begin with `prefix`.
    pub fn new(prefix: &[u8]) -> Self {
        Self { prefix: prefix.to_vec(), ..Self::default() }
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
            value: &self.values.bytes()[entry.value.clone()],
            timestamp: entry.timestamp,
        })
    }

    /// Adds the record that `write` encodes. `Ok(false)`: it was a repeat, and dropped.
    pub(crate) fn push<E>(
        &mut self,
        timestamp: Option<i64>,
        key: impl FnOnce(&mut Vec<u8>) -> bool,
        offset: Option<OffsetValue<'_>>,
        write: impl FnOnce(&mut Writer) -> Result<(), E>,
    ) -> Result<bool, PushError<E>> {
        self.received += 1;
        let value_start = self.values.len();
        self.values.raw(&self.prefix);
        write(&mut self.values).map_err(PushError::Encode)?;
        let key_start = self.keys.len();
        let key = if key(&mut self.keys) { Some(key_start..self.keys.len()) } else { None };
        if let Some(tracker) = &mut self.offsets {
            let content = &self.values.bytes()[value_start + self.prefix.len()..];
            let verdict = tracker.observe(offset, || content_hash(&self.keys[key_start..], content));
            if !verdict.map_err(PushError::Offset)? {
                self.dropped_last = Some(self.keys[key_start..].to_vec());
                self.values.truncate(value_start);
                self.keys.truncate(key_start);
                return Ok(false);
            }
        }
        self.dropped_last = None;
        self.entries.push(Entry { key, value: value_start..self.values.len(), timestamp });
        Ok(true)
    }
}

pub(crate) enum PushError<E> {
    Encode(E),
    Offset(String),
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
