//! Operations from configuration alone: templates for requests, pointers for records, and the offset modes of
//! Confluent's HTTP Source connectors.
//!
//! Values are the pieces of the response that the records are, so that every digit and every name is as the API wrote it.

mod detour;
mod paging;
mod pointer;
mod progress;
mod records;
mod request;
mod sliced;
mod template;
mod time;
mod window;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

pub use paging::{Paging, Told};
pub use pointer::Pointer;
pub(crate) use pointer::scalar;
pub(crate) use progress::Progress;
pub use records::RecordsAt;
pub(crate) use records::{Parts, Stands, Way, cut};
pub use request::{BodyTemplate, QueryTemplate, RequestTemplate};
pub use sliced::{ChildPlan, ConfiguredSource};
pub use template::{Template, TemplateError};
pub(crate) use template::{Variable, properties_of};
pub use time::TimeFormat;
pub(crate) use time::read_any;
pub use window::Windows;

use crate::body::{BodyPlan, Expected};
use crate::clock;
use crate::format::OutputFormat;
use crate::http::{Detour, Request, Response};
use crate::operation::{DecodeError, Operation, OperationFacts, PageError, PageOutcome, PageReading, Place};
use crate::page::{Page, Pagination};
use crate::position::Position;
use crate::record::time::parse_instant;
use crate::slice::Slicing;
use paging::{Reading, Received, RecordView};
use template::Values;

/// What an operation is made from.
#[derive(Clone, Debug)]
pub struct OperationPlan {
    /// Names the stream in positions and logs.
    pub id: String,
    /// Kafka topic of the records, if they are written.
    pub topic: Option<String>,
    /// What is sent.
    pub request: RequestTemplate,
    /// What the bodies of responses are.
    pub format: Expected,
    /// Where the records are in a response.
    pub records: RecordsAt,
    /// The field of a record that is its key.
    pub key: Option<Pointer>,
    /// The field of a record that is its time.
    pub timestamp: Option<Pointer>,
    /// How one request leads to the next.
    pub paging: Paging,
    /// The query parameter that takes the number of records of a full page, if that is known.
    pub page_size: Option<String>,
    /// The field of a record that is its time, if a cycle reads what is newer than the last one has read.
    pub newest: Option<Pointer>,
    /// How far before that a cycle asks, for records that come late.
    pub lookback: Option<Duration>,
    /// Where the stream begins without a stored position.
    pub initial_offset: Option<String>,
    /// What a cycle asks for by time.
    pub windows: Option<Windows>,
    /// What makes its slices.
    pub slicing: Slicing,
    /// The operations that are read for each of its records.
    pub children: Vec<ChildPlan>,
}

impl OperationPlan {
    /// Whether every cycle reads everything.
    pub(crate) fn begins_anew(&self) -> bool {
        let is_whole = match &self.paging {
            Paging::Snapshot { .. } | Paging::Link | Paging::Page { .. } | Paging::Skip { .. } => true,
            Paging::Increment { .. } => !self.asks_by_offset(),
            Paging::Chain { .. } | Paging::Cursor { .. } | Paging::OData => false,
        };
        is_whole && self.newest.is_none() && self.windows.is_none()
    }

    /// Whether the request changes with the offset.
    fn asks_by_offset(&self) -> bool {
        self.request.uses(|variable| matches!(variable, Variable::Offset | Variable::PrimaryKey))
            || self.paging.parameter().is_some()
    }
}

/// An operation from configuration alone, or a slice of one.
pub struct ConfiguredOperation {
    facts: OperationFacts,
    plan: Arc<OperationPlan>,
    /// Whether the request changes with the offset.
    asks_by_offset: bool,
}

impl ConfiguredOperation {
    /// Makes an operation.
    pub fn new(plan: Arc<OperationPlan>) -> Self {
        let facts = facts(&plan);
        let asks_by_offset = plan.asks_by_offset();
        Self { facts, plan, asks_by_offset }
    }

    /// The records of a response. One without content is an empty page (RFC 9110 section 15.3.5).
    fn find<'a>(&self, body: &'a str) -> Result<records::Found<'a>, DecodeError> {
        match body.trim() {
            "" => Ok(records::Found::default()),
            _ => self.plan.records.find(body).map_err(in_page),
        }
    }

    fn push(&self, record: &RecordView<'_>, page: &mut Page) -> Result<(), DecodeError> {
        let key = self.plan.key.as_ref().map(|pointer| record.text(pointer)).transpose()?.flatten();
        let timestamp = match &self.plan.timestamp {
            Some(pointer) => record.text(pointer)?.and_then(|text| millis(&text)),
            None => None,
        };
        let write_key = |out: &mut Vec<u8>| {
            key.as_ref().is_some_and(|key| {
                out.extend_from_slice(key.as_bytes());
                true
            })
        };
        let value = record.raw.get().as_bytes();
        let pushed = page.push(timestamp, write_key, None, |_, out| {
            out.extend_from_slice(value);
            Vec::new()
        });
        // Neither writing bytes nor following no offset can fail.
        drop(pushed);
        self.plan.children.iter().try_for_each(|child| child.call_for(record, &mut page.children))
    }
}

/// The facts of an operation; what else there is to know of it stands in its plan.
fn facts(plan: &OperationPlan) -> OperationFacts {
    OperationFacts {
        id: Cow::Owned(plan.id.clone()),
        topic: Cow::Owned(plan.topic.clone().unwrap_or_default()),
        records: Cow::Borrowed(""),
        records_required: false,
        pagination: Pagination::None,
        incremental: None,
        interval: Duration::ZERO,
    }
}

/// A record's time in milliseconds; what is no time counts as none.
fn millis(text: &str) -> Option<i64> {
    parse_instant(text)
        .map(crate::record::time::Instant::millis)
        .or_else(|| Some(time::read_any(text)?.as_millisecond()))
}

fn in_page(source: serde_json::Error) -> DecodeError {
    DecodeError::Json { place: Place::Page, source }
}

/// JSON is UTF-8 (RFC 8259 section 8.1).
fn text(body: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|error| in_page(serde::de::Error::custom(error)))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The wall clock's time.
fn now() -> Timestamp {
    Timestamp::try_from(clock::now()).unwrap_or_default()
}

impl Operation for ConfiguredOperation {
    fn facts(&self) -> &OperationFacts {
        &self.facts
    }

    fn request(&self) -> Request {
        self.request_at(&self.begin(&Position::default()))
    }

    fn schema(&self, _: OutputFormat) -> Option<&str> {
        None
    }

    fn decode(&self, body: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        for (index, raw) in self.find(text(body)?)?.records.iter().enumerate() {
            self.push(&RecordView::new(index, raw), page)?;
        }
        Ok(())
    }

    fn decode_record(&self, sent: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(text(sent)?)
            .map_err(|source| DecodeError::Json { place: Place::Record(0), source })?;
        self.push(&RecordView::new(0, raw), page)
    }

    fn begin(&self, position: &Position) -> Position {
        let Some(windows) = &self.plan.windows else { return position.clone() };
        let (offset, mut progress) = position.clone().into_configured();
        progress.window = Some(windows.begin(progress.window, now()));
        Position::configured(offset, progress)
    }

    fn request_at(&self, position: &Position) -> Request {
        let (offset, progress) = position.clone().into_configured();
        let next = progress.within.as_ref().and_then(|within| within.next.as_deref());
        let late = offset.as_deref().and_then(|offset| paging::asks_from(offset, self.plan.lookback, &progress.seen));
        let number = paging::asked_number(&self.plan.paging, offset.as_deref(), next);
        let at = match (&self.plan.newest, &self.plan.paging) {
            (Some(_), _) => late.as_deref().or(offset.as_deref()),
            (None, Paging::Page { .. }) => Some(number.as_ref()),
            (None, _) => next.or(offset.as_deref()),
        };
        let at = at.unwrap_or_default();
        let values = Values {
            offset: at,
            offset_is_from_api: matches!(self.plan.paging, Paging::Cursor { .. }),
            primary_key: progress.primary_key.as_deref().unwrap_or_default(),
            window: progress.window.and_then(|window| Some((window.start, window.end?))),
            now: now(),
        };
        let url = next.or(offset.as_deref()).filter(|at| self.plan.paging.calls(at));
        let asked_by = match &self.plan.paging {
            Paging::Chain { .. } => progress.primary_key.as_deref(),
            Paging::Increment { .. } | Paging::Skip { .. } | Paging::Page { .. } => Some(number.as_ref()),
            // The last page is asked for again when the next cycle begins.
            Paging::Cursor { .. } if self.plan.newest.is_none() && self.plan.windows.is_none() => {
                next.or(offset.as_deref())
            }
            _ => next,
        };
        let size = progress.size.or(self.plan.paging.full()).map(|size| size.to_string());
        let size = self.plan.page_size.as_deref().zip(size.as_deref());
        let more: Vec<_> = size.into_iter().chain(self.plan.paging.parameter().zip(asked_by)).collect();
        self.plan.request.request(&values, url, &more)
    }

    fn ahead(&self, position: &Position) -> Option<Position> {
        // Two requests at different times would not be the same.
        if self.plan.request.uses(|variable| matches!(variable, Variable::Now(_) | Variable::Uuid)) {
            return None;
        }
        let (offset, progress) = position.clone().into_configured();
        let (offset, progress) = paging::ahead(&self.plan.paging, self.asks_by_offset, offset, progress)?;
        Some(Position::configured(offset, progress))
    }

    fn detour(&self, position: &Position, detour: Detour) -> Result<PageOutcome, &'static str> {
        self.detour_from(position, detour)
    }

    fn full_page(&self) -> Option<u64> {
        self.plan.paging.full()
    }

    fn body(&self) -> BodyPlan {
        BodyPlan { format: self.plan.format.clone(), list: self.plan.records.list() }
    }

    fn reading<'a>(&'a self, position: &'a Position) -> Box<dyn PageReading + 'a> {
        let (offset, progress) = position.clone().into_configured();
        let reading = Reading::new(&self.plan, offset, progress);
        Box::new(ConfiguredReading { operation: self, reading, received: Received::default() })
    }
}

/// A page of a configured operation while it is read.
struct ConfiguredReading<'a> {
    operation: &'a ConfiguredOperation,
    reading: Reading<'a>,
    received: Received,
}

impl PageReading for ConfiguredReading<'_> {
    fn read(&mut self, part: &Response, page: &mut Page) -> Result<(), PageError> {
        let (operation, received) = (self.operation, &mut self.received);
        let body = text(&part.body)?;
        let found = operation.find(body)?;
        page.begin_at(received.records);
        for (index, raw) in (received.records..).zip(&found.records) {
            let record = RecordView::new(index, raw);
            if self.reading.take(&record)? {
                operation.push(&record, page)?;
            } else {
                page.received += 1;
            }
        }
        received.records += found.records.len();
        received.is_list |= found.is_list;
        received.has_place |= !found.is_absent;
        received.digest = found.digest(received.digest);
        received.content = xxh3_64(&part.body) ^ received.content.rotate_left(1);
        if let Some(named) = self.reading.next_named(body, part).map_err(in_page)? {
            received.named = Some(named);
        }
        if let Some(delta) = self.reading.delta(body, part).map_err(in_page)? {
            received.delta = Some(delta);
        }
        if let Some(windows) = &operation.plan.windows {
            received.window = windows.named(body).map_err(in_page)?.or(received.window);
        }
        Ok(())
    }

    fn end(self: Box<Self>, _: &Response) -> Result<PageOutcome, PageError> {
        let (position, more) = self.reading.end(self.operation, self.received)?;
        Ok(PageOutcome { position, more })
    }
}
