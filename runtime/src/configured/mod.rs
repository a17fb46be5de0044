//! Operations from configuration alone: templates for requests, pointers for records, and the offset modes of
//! Confluent's HTTP Source connectors.
//!
//! Values are the pieces of the response that the records are, so that every digit and every name is as the API wrote it.

mod paging;
mod pointer;
mod progress;
mod records;
mod request;
mod schema;
mod template;
mod time;
mod window;

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

pub use paging::Paging;
pub use pointer::Pointer;
pub(crate) use progress::Progress;
pub use records::RecordsAt;
pub use request::{BodyTemplate, QueryTemplate, RequestTemplate};
pub use schema::Shape;
pub use template::{Template, TemplateError};
pub(crate) use template::{Variable, properties_of};
pub use time::TimeFormat;
pub use window::Windows;

use crate::clock;
use crate::format::OutputFormat;
use crate::http::{Request, Response};
use crate::operation::{DecodeError, Operation, OperationFacts, PageError, Place, ReadPage};
use crate::page::{Page, Pagination};
use crate::position::Position;
use crate::record::time::parse_instant;
use paging::{Reading, RecordView};
use template::Values;

/// What an operation is made from.
#[derive(Clone, Debug)]
pub struct OperationPlan {
    /// Names the stream in positions and logs.
    pub id: String,
    /// Kafka topic of the records.
    pub topic: String,
    /// What is sent.
    pub request: RequestTemplate,
    /// Where the records are in a response.
    pub records: RecordsAt,
    /// The field of a record that is its key.
    pub key: Option<Pointer>,
    /// The field of a record that is its time.
    pub timestamp: Option<Pointer>,
    /// How one request leads to the next.
    pub paging: Paging,
    /// The field of a record that is its time, if a cycle reads what is newer than the last one has read.
    pub newest: Option<Pointer>,
    /// Where the stream begins without a stored position.
    pub initial_offset: Option<String>,
    /// What a cycle asks for by time.
    pub windows: Option<Windows>,
}

/// An operation from configuration alone.
pub struct ConfiguredOperation {
    facts: OperationFacts,
    plan: OperationPlan,
    /// Whether the request changes with the offset.
    asks_by_offset: bool,
}

impl ConfiguredOperation {
    /// Makes an operation.
    pub fn new(plan: OperationPlan) -> Self {
        let facts = OperationFacts {
            id: Cow::Owned(plan.id.clone()),
            topic: Cow::Owned(plan.topic.clone()),
            records: Cow::Borrowed(""),
            records_required: false,
            pagination: Pagination::None,
            incremental: None,
            interval: Duration::ZERO,
        };
        let asks_by_offset = plan.request.uses(|variable| matches!(variable, Variable::Offset | Variable::PrimaryKey))
            || plan.paging.parameter().is_some();
        Self { facts, plan, asks_by_offset }
    }

    fn read_into(
        &self,
        position: &Position,
        response: &Response,
        page: &mut Page,
    ) -> Result<(Position, bool), PageError> {
        let body = text(&response.body)?;
        let found = self.find(body)?;
        let (offset, progress) = position.clone().into_configured();
        let mut reading = Reading::new(&self.plan, offset, progress);
        for (index, raw) in found.records.iter().enumerate() {
            let record = RecordView::new(index, raw);
            if reading.take(&record)? {
                self.push(&record, page)?;
            } else {
                page.received += 1;
            }
        }
        let named = reading.next_named(body, response).map_err(in_page)?;
        reading.end(self, body, &found, named)
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
        Ok(())
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

    fn shape(&self, body: &[u8]) -> Result<Option<Shape>, DecodeError> {
        let mut shape: Option<Shape> = None;
        for (index, raw) in self.find(text(body)?)?.records.iter().enumerate() {
            let place = Place::Record(index);
            let of_record: Shape =
                serde_json::from_str(raw.get()).map_err(|source| DecodeError::Json { place, source })?;
            match &mut shape {
                Some(shape) => shape.merge(of_record),
                none => *none = Some(of_record),
            }
        }
        Ok(shape)
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
        let at = match self.plan.newest {
            Some(_) => offset.as_deref(),
            None => next.or(offset.as_deref()),
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
            Paging::Increment { .. } => Some(offset.as_deref().unwrap_or("0")),
            Paging::Skip { .. } => Some(next.unwrap_or("0")),
            // The last page is asked for again when the next cycle begins.
            Paging::Cursor { .. } if self.plan.newest.is_none() && self.plan.windows.is_none() => {
                next.or(offset.as_deref())
            }
            _ => next,
        };
        let more: Vec<_> = self.plan.paging.parameter().zip(asked_by).into_iter().collect();
        self.plan.request.request(&values, url, &more)
    }

    fn read(&self, position: &Position, response: &Response, mut page: Page) -> Result<ReadPage, PageError> {
        let (position, more) = self.read_into(position, response, &mut page)?;
        Ok(ReadPage { page, position, more })
    }
}
