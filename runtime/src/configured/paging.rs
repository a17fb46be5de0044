//! How one request leads to the next: the offset modes of Confluent's connectors, and what goes beyond them.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::value::RawValue;

use super::pointer::{Pointer, scalar};
use super::progress::{Progress, Seen, Within};
use super::records::Found;
use super::{ConfiguredOperation, OperationPlan, now};
use crate::http::Response;
use crate::operation::{DecodeError, PageError, Place};
use crate::position::Position;
use crate::record::time::parse_instant;

/// How one request leads to the next.
#[derive(Clone, Debug)]
pub enum Paging {
    /// `SIMPLE_INCREMENTING`: the offset is a number that grows by the number of records.
    Increment {
        /// How many records a full page has; a page with fewer ends the cycle. `None`: only an empty page does.
        full: Option<u64>,
        /// Query parameter that takes the offset.
        parameter: Option<String>,
    },
    /// Every cycle counts records up from 0; a page with fewer than a full one ends it.
    Skip {
        /// How many records a full page has. `None`: only an empty page ends the cycle.
        full: Option<u64>,
        /// Query parameter that takes the number of records to skip.
        parameter: String,
    },
    /// `CHAINING`: the offset is a field of the last record.
    Chain {
        /// The field.
        offset: Pointer,
        /// The field whose value is `${primary_key}`.
        primary_key: Option<Pointer>,
        /// Query parameter that takes the primary key of the last record, from the second page of a window on.
        parameter: Option<String>,
    },
    /// `CURSOR_PAGINATION`: the response names the next page.
    Cursor {
        /// Where it names it.
        next: Pointer,
        /// Whether what it names is called as it is, if it is a URL.
        urls: bool,
        /// Query parameter that takes what it names, from the second page on.
        parameter: Option<String>,
    },
    /// `SNAPSHOT_PAGINATION`: every cycle reads everything, by a field of the last record if there is one.
    Snapshot {
        /// The field.
        offset: Option<Pointer>,
    },
    /// Every cycle reads everything, by the URLs in the `Link` headers (RFC 8288).
    Link,
}

impl Paging {
    /// The query parameter that takes what the next page is asked for by.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Chain { parameter, .. } | Self::Cursor { parameter, .. } | Self::Increment { parameter, .. } => {
                parameter.as_deref()
            }
            Self::Skip { parameter, .. } => Some(parameter),
            Self::Snapshot { .. } | Self::Link => None,
        }
    }

    /// Whether `next` is a URL to be called as it is.
    pub(super) fn calls(&self, next: &str) -> bool {
        matches!(self, Self::Cursor { urls: true, .. } | Self::Link) && is_url(next)
    }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)))
}

/// A record of the page that is read.
pub(super) struct RecordView<'a> {
    index: usize,
    pub(super) raw: &'a RawValue,
}

impl<'a> RecordView<'a> {
    pub(super) fn new(index: usize, raw: &'a RawValue) -> Self {
        Self { index, raw }
    }

    /// A field as text; `None` if it is absent or null.
    pub(super) fn text(&self, pointer: &Pointer) -> Result<Option<Cow<'a, str>>, DecodeError> {
        let place = Place::Record(self.index);
        let value = pointer.find(self.raw.get()).map_err(|source| DecodeError::Json { place, source })?;
        value.map(scalar).transpose().map(Option::flatten).map_err(|reason| DecodeError::Offset {
            place,
            field: pointer.to_string(),
            reason: reason.to_owned(),
        })
    }

    /// A field that must be there, as text.
    fn required(&self, pointer: &Pointer) -> Result<String, DecodeError> {
        self.text(pointer)?.map(Cow::into_owned).ok_or_else(|| DecodeError::Offset {
            place: Place::Record(self.index),
            field: pointer.to_string(),
            reason: "is missing".to_owned(),
        })
    }
}

/// A page that is being read.
pub(super) struct Reading<'p> {
    paging: &'p Paging,
    newest: Option<Newest<'p>>,
    /// What the request asked from.
    offset: Option<String>,
    progress: Progress,
    /// The offset after the records so far.
    reached: Option<String>,
    /// The records at `reached`, or all of the page, by the style of paging.
    seen: Seen,
    primary_key: Option<String>,
    /// Records that were not there before.
    new: usize,
}

/// Reads an offset that is counted up.
fn integer(text: &str) -> Result<i128, DecodeError> {
    text.trim().parse().map_err(|_| DecodeError::Offset {
        place: Place::Page,
        field: "offset".to_owned(),
        reason: format!("is {text:?}, which cannot be counted up from"),
    })
}

/// The newest time of a record.
struct Newest<'p> {
    field: &'p Pointer,
    value: Option<String>,
    /// The records of that time.
    seen: Seen,
}

impl Newest<'_> {
    /// Takes note of a record; `false` if it is older than `began`, or of the same time and in `seen`.
    fn take(&mut self, record: &RecordView<'_>, began: Option<&str>, seen: &Seen) -> Result<bool, DecodeError> {
        let (value, content) = (record.required(self.field)?, record.raw.get().as_bytes());
        let is_new = match began.map(|began| compare(&value, began)) {
            Some(Ordering::Less) => false,
            Some(Ordering::Equal) => !seen.contains(content),
            Some(Ordering::Greater) | None => true,
        };
        match self.value.as_deref().map(|newest| compare(&value, newest)) {
            Some(Ordering::Less) => {}
            Some(Ordering::Equal) => self.seen.add(content),
            Some(Ordering::Greater) | None => {
                self.value = Some(value);
                self.seen.clear();
                self.seen.add(content);
            }
        }
        Ok(is_new)
    }
}

/// Compares two times; what is none as numbers, or else as text.
fn compare(left: &str, right: &str) -> Ordering {
    if let (Some(left), Some(right)) = (parse_instant(left), parse_instant(right)) {
        return left.cmp(&right);
    }
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return left.cmp(&right);
    }
    left.cmp(right)
}

impl<'p> Reading<'p> {
    pub(super) fn new(plan: &'p OperationPlan, offset: Option<String>, progress: Progress) -> Self {
        let paging = &plan.paging;
        let newest = plan.newest.as_ref().map(|field| match &progress.within {
            Some(within) => Newest { field, value: within.newest.clone(), seen: within.newest_seen.clone() },
            None => Newest { field, value: offset.clone(), seen: progress.seen.clone() },
        });
        let seen = match paging {
            Paging::Chain { .. } => progress.seen.clone(),
            _ => Seen::default(),
        };
        let primary_key = progress.primary_key.clone();
        Self { paging, newest, reached: offset.clone(), offset, progress, seen, primary_key, new: 0 }
    }

    /// Takes note of a record; `false` if it was delivered before.
    pub(super) fn take(&mut self, record: &RecordView<'_>) -> Result<bool, DecodeError> {
        let content = record.raw.get().as_bytes();
        if let Some(newest) = &mut self.newest {
            let is_new = newest.take(record, self.offset.as_deref(), &self.progress.seen)?;
            self.new += usize::from(is_new);
            return Ok(is_new);
        }
        let is_new = match self.paging {
            Paging::Increment { .. } | Paging::Skip { .. } | Paging::Link => true,
            Paging::Chain { offset, primary_key, .. } => {
                let value = record.required(offset)?;
                if let Some(pointer) = primary_key {
                    self.primary_key = Some(record.required(pointer)?);
                }
                let repeated = self.offset.as_deref() == Some(&value) && self.progress.seen.contains(content);
                if self.reached.as_deref() != Some(&value) {
                    self.reached = Some(value);
                    self.seen.clear();
                }
                self.seen.add(content);
                !repeated
            }
            Paging::Cursor { .. } => {
                self.seen.add(content);
                // Only the first page of a cycle is one that was read before: as the last of the cycle before.
                self.progress.within.is_some() || !self.progress.seen.contains(content)
            }
            Paging::Snapshot { offset } => {
                if let Some(pointer) = offset {
                    self.reached = Some(record.required(pointer)?);
                }
                true
            }
        };
        self.new += usize::from(is_new);
        Ok(is_new)
    }

    /// What the response names as the next page.
    pub(super) fn next_named(&self, body: &str, response: &Response) -> Result<Option<String>, serde_json::Error> {
        match self.paging {
            Paging::Cursor { next, urls, .. } if !body.trim().is_empty() => {
                let Some(value) = next.find(body)? else { return Ok(None) };
                let text = scalar(value).map_err(serde::de::Error::custom)?;
                let is_part = |text: &str| text.starts_with(['/', '?']);
                Ok(text.filter(|text| !text.is_empty()).map(|text| match urls {
                    true if is_url(&text) || is_part(&text) => response.resolve(&text),
                    _ => text.into_owned(),
                }))
            }
            Paging::Link => Ok(response.next_link()),
            _ => Ok(None),
        }
    }

    /// Where the stream stands after the page, and whether there is more to read at once.
    pub(super) fn end(
        mut self,
        operation: &ConfiguredOperation,
        body: &str,
        found: &Found<'_>,
        named: Option<String>,
    ) -> Result<(Position, bool), PageError> {
        let plan = &operation.plan;
        let within = self.progress.within.take();
        let received = found.records.len() as u64;
        let asked = within.as_ref().and_then(|within| within.next.clone());
        let asks_by_offset = operation.asks_by_offset;
        // What the next page of the cycle is asked for by; `None` after the last.
        let next: Option<String> = match self.paging {
            Paging::Skip { full, .. } => {
                let after = integer(asked.as_deref().unwrap_or("0"))? + i128::from(received);
                let last = full.map_or(received == 0, |full| received < full);
                (found.is_list && !last).then(|| after.to_string())
            }
            Paging::Increment { full, .. } => {
                let before = integer(self.offset.as_deref().unwrap_or("0"))?;
                let after = (before + i128::from(received)).to_string();
                self.reached = Some(after.clone());
                let last = full.map_or(received == 0, |full| received < full);
                (asks_by_offset && found.is_list && !last).then_some(after)
            }
            Paging::Chain { .. } => self.reached.clone().filter(|_| asks_by_offset && self.new > 0 && self.moved()),
            Paging::Cursor { .. } | Paging::Link => named,
            Paging::Snapshot { .. } => {
                let reached = self.reached.clone().filter(|reached| received > 0 && asked.as_ref() != Some(reached));
                reached.filter(|_| asks_by_offset && self.moved())
            }
        };
        let mut progress = Progress { window: self.progress.window, ..Progress::default() };
        let mut offset = self.reached.clone();
        match self.paging {
            Paging::Chain { .. } => {
                progress.seen = self.seen.clone();
                progress.primary_key = self.primary_key.clone();
            }
            Paging::Cursor { .. } => match &next {
                // A cycle that has more to read goes on from its beginning, and drops there what the last one has seen.
                Some(_) => offset = self.offset.clone(),
                None => {
                    offset = asked.clone().or_else(|| self.offset.clone());
                    progress.seen = self.seen.clone();
                }
            },
            Paging::Skip { .. } | Paging::Snapshot { .. } | Paging::Link => offset = self.offset.clone(),
            Paging::Increment { .. } => {}
        }
        let newest = self.newest.take();
        if newest.is_some() {
            // What the cycle began with, until it ends.
            offset = self.offset.clone();
            progress.seen = self.progress.seen.clone();
        }
        if let Some(next) = &next {
            let mut after = Within::after(within, body.as_bytes(), next)?;
            after.next = match self.paging {
                // What the position says already.
                Paging::Increment { .. } | Paging::Chain { .. } => None,
                Paging::Skip { .. } | Paging::Cursor { .. } | Paging::Snapshot { .. } | Paging::Link => {
                    Some(next.clone())
                }
            };
            progress.within = Some(after);
        }
        let mut more = next.is_some();
        if let Some(newest) = newest {
            match &mut progress.within {
                Some(within) => (within.newest, within.newest_seen) = (newest.value, newest.seen),
                None => {
                    // A request that asks from the newest time may have more to give.
                    more = matches!(self.paging, Paging::Snapshot { .. })
                        && asks_by_offset
                        && self.new > 0
                        && newest.value != offset;
                    (offset, progress.seen) = (newest.value, newest.seen);
                }
            }
        }
        if let (None, Some(windows), Some(window)) = (&next, &plan.windows, progress.window) {
            let named = windows.named(body).map_err(|source| DecodeError::Json { place: Place::Page, source })?;
            let (window, due) = windows.after(window, named, now());
            more = due;
            progress.window = Some(window);
            progress.primary_key = None;
            // What names a page of one window says nothing of the next one.
            if windows.relative || matches!(self.paging, Paging::Cursor { .. }) {
                offset = plan.initial_offset.clone();
            }
        }
        Ok((Position::configured(offset, progress), more))
    }

    /// Whether the offset is another one than the request asked from.
    fn moved(&self) -> bool {
        self.reached != self.offset
    }
}
