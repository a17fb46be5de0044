//! How one request leads to the next: the offset modes of Confluent's connectors, and what goes beyond them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::pointer::{Pointer, scalar};
use super::progress::{Progress, Seen, Within};
use super::records::Found;
use super::{ConfiguredOperation, now};
use crate::http::Response;
use crate::operation::{DecodeError, PageError, Place};
use crate::position::Position;

/// How one request leads to the next.
#[derive(Clone, Debug)]
pub enum Paging {
    /// `SIMPLE_INCREMENTING`: the offset is a number that grows by the number of records.
    Increment(Increment),
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

/// How an offset grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Increment {
    /// How many records a full page has; a page with fewer ends the cycle. `None`: only an empty page does.
    pub full: Option<u64>,
}

impl Paging {
    /// The query parameter that takes what the next page is asked for by.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Chain { parameter, .. } | Self::Cursor { parameter, .. } => parameter.as_deref(),
            Self::Increment(_) | Self::Snapshot { .. } | Self::Link => None,
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

impl<'p> Reading<'p> {
    pub(super) fn new(paging: &'p Paging, offset: Option<String>, progress: Progress) -> Self {
        let seen = match paging {
            Paging::Chain { .. } => progress.seen.clone(),
            _ => Seen::default(),
        };
        let primary_key = progress.primary_key.clone();
        Self { paging, reached: offset.clone(), offset, progress, seen, primary_key, new: 0 }
    }

    /// Takes note of a record; `false` if it was delivered before.
    pub(super) fn take(&mut self, record: &RecordView<'_>) -> Result<bool, DecodeError> {
        let content = record.raw.get().as_bytes();
        let is_new = match self.paging {
            Paging::Increment(_) | Paging::Link => true,
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
            Paging::Increment(Increment { full }) => {
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
            Paging::Snapshot { .. } | Paging::Link => offset = self.offset.clone(),
            Paging::Increment(_) => {}
        }
        if let Some(next) = &next {
            let mut after = Within::after(within, body.as_bytes(), next)?;
            after.next = match self.paging {
                // What the position says already.
                Paging::Increment(_) | Paging::Chain { .. } => None,
                Paging::Cursor { .. } | Paging::Snapshot { .. } | Paging::Link => Some(next.clone()),
            };
            progress.within = Some(after);
        }
        let mut more = next.is_some();
        if let (None, Some(windows), Some(window)) = (&next, &plan.windows, progress.window) {
            let named = windows.named(body).map_err(|source| DecodeError::Json { place: Place::Page, source })?;
            let (window, due) = windows.after(window, named, now());
            more = due;
            progress.window = Some(window);
            progress.primary_key = None;
            if windows.relative {
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
