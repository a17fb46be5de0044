//! The one seam between what a connector is about and how it runs: an operation of an API, read as a stream of records.

use std::borrow::Cow;
use std::time::Duration;

use thiserror::Error;

use crate::configured::Shape;
use crate::format::OutputFormat;
use crate::http::{Request, Response};
use crate::page::{Page, PageEnd, PageShape, Pagination, PaginationError};
use crate::position::Position;
use crate::record::{Date, DateTime, DriftKind, Field, Record, Text, Uuid};

/// What does not change about an operation while it runs: where its records are and how the stream moves on.
#[derive(Clone, Debug)]
pub struct OperationFacts {
    /// The operation's id in the API's document; it names the stream in positions, logs and metrics.
    pub id: Cow<'static, str>,
    /// Kafka topic of the records.
    pub topic: Cow<'static, str>,
    /// JSON Pointer (RFC 6901) to the array of records, or to the one record, in a response; empty is the whole response.
    pub records: Cow<'static, str>,
    /// Whether every response must have something at `records`. If not, a response without it is an empty page.
    pub records_required: bool,
    /// How one page leads to the next.
    pub pagination: Pagination,
    /// What a cycle asks for, so that it reads only what is new. `None`: every cycle reads everything.
    pub incremental: Option<Incremental>,
    /// Pause between two cycles.
    pub interval: Duration,
}

/// How a stream reads only what is new: a field of the records becomes a parameter of the next cycle's requests.
#[derive(Clone, Debug)]
pub struct Incremental {
    /// How values of the field follow one another.
    pub mode: IncrementalMode,
    /// JSON Pointer, from a record, to the field; for messages.
    pub field: Cow<'static, str>,
    /// Query parameter that takes the value.
    pub parameter: Cow<'static, str>,
    /// Value of the first cycle. `None` sends no parameter in it.
    pub initial: Option<Cow<'static, str>>,
}

/// How the values of an offset field follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncrementalMode {
    /// RFC 3339 instants. A cycle asks from the latest one seen; what the API returns again at that very instant is
    /// recognised and dropped.
    Timestamp,
    /// The value in the last record read; the API returns only what comes after it.
    Cursor,
}

/// The value of a record's offset field.
#[derive(Clone, Copy, Debug)]
pub struct OffsetValue<'a> {
    text: OffsetText<'a>,
}

#[derive(Clone, Copy, Debug)]
enum OffsetText<'a> {
    Text(&'a str),
    Integer(i64),
}

impl<'a> OffsetValue<'a> {
    /// A value that is this text.
    pub fn text(text: &'a str) -> Self {
        Self { text: OffsetText::Text(text) }
    }

    /// The value as a parameter takes it.
    pub(crate) fn with_text<R>(&self, then: impl FnOnce(&str) -> R) -> R {
        match self.text {
            OffsetText::Text(text) => then(text),
            OffsetText::Integer(value) => then(&value.to_string()),
        }
    }
}

/// A field that can say how far a stream has been read.
pub trait OffsetField {
    /// Its value, unless it is absent.
    fn offset_value(&self) -> Option<OffsetValue<'_>>;
}

impl OffsetField for Text<'_> {
    fn offset_value(&self) -> Option<OffsetValue<'_>> {
        Some(OffsetValue::text(self))
    }
}

macro_rules! offset_field_by_text {
    ($($type:ident),*) => {$(
        impl OffsetField for $type<'_> {
            fn offset_value(&self) -> Option<OffsetValue<'_>> {
                Some(OffsetValue::text(self.as_str()))
            }
        }
    )*};
}

offset_field_by_text!(DateTime, Date, Uuid);

macro_rules! offset_field_by_integer {
    ($($type:ident),*) => {$(
        impl OffsetField for $type {
            fn offset_value(&self) -> Option<OffsetValue<'_>> {
                Some(OffsetValue { text: OffsetText::Integer(i64::from(*self)) })
            }
        }
    )*};
}

offset_field_by_integer!(i32, i64);

impl OffsetField for bool {
    fn offset_value(&self) -> Option<OffsetValue<'_>> {
        Some(OffsetValue::text(if *self { "true" } else { "false" }))
    }
}

impl<T: OffsetField> OffsetField for Field<'_, T> {
    fn offset_value(&self) -> Option<OffsetValue<'_>> {
        self.get().and_then(OffsetField::offset_value)
    }
}

/// A field that can be a Kafka record's key. Keys are written as text.
pub trait KeyField {
    /// Appends the key; `false` if the field is absent or `null`.
    fn write_key(&self, out: &mut Vec<u8>) -> bool;
}

/// A value that is not of the declared type is a key all the same, as it was sent.
impl<T: OffsetField> KeyField for Field<'_, T> {
    fn write_key(&self, out: &mut Vec<u8>) -> bool {
        match (self.offset_value(), self) {
            (Some(value), _) => value.with_text(|text| out.extend_from_slice(text.as_bytes())),
            (None, Self::Other { sent, .. }) => match serde_json::from_str::<Text<'_>>(sent.get()) {
                Ok(text) => out.extend_from_slice(text.as_bytes()),
                Err(_) => out.extend_from_slice(sent.get().as_bytes()),
            },
            (None, _) => return false,
        }
        true
    }
}

/// An operation as generated code states it, with its types.
pub trait TypedOperation: Send + Sync + 'static {
    /// A record of the stream, borrowing from the page it came in.
    type Record<'page>: Record<'page>;

    /// The operation's facts.
    fn facts() -> OperationFacts;

    /// The request, without what paging and offset add to it.
    fn request(&self) -> Request;

    /// Appends a record's key; `false` if it has none.
    fn key(record: &Self::Record<'_>, out: &mut Vec<u8>) -> bool {
        let _ = (record, out);
        false
    }

    /// A record's offset value, if the operation is read incrementally.
    fn offset<'record>(record: &'record Self::Record<'_>) -> Option<OffsetValue<'record>> {
        let _ = record;
        None
    }

    /// A record's time in milliseconds since 1970-01-01T00:00:00Z, for the Kafka timestamp.
    fn timestamp(record: &Self::Record<'_>) -> Option<i64> {
        let _ = record;
        None
    }
}

/// An operation as the flow sees it, whoever implements it.
pub trait Operation: Send + Sync {
    /// The operation's facts.
    fn facts(&self) -> &OperationFacts;

    /// The request, without what paging and offset add to it.
    fn request(&self) -> Request;

    /// The schema of the records in a format; `None` for one without schemas.
    fn schema(&self, format: OutputFormat) -> Option<&str>;

    /// Reads a response into `page`: its records, encoded, and what it says of the next page.
    ///
    /// # Errors
    ///
    /// If the response is not the JSON it should be, or a record has no place in the stream. `page` then holds a part
    /// and must be thrown away.
    fn decode(&self, body: &[u8], page: &mut Page) -> Result<(), DecodeError>;

    /// What the records of a response look like, if their schema is to be learnt from them.
    ///
    /// # Errors
    ///
    /// If the response is not the JSON it should be.
    fn shape(&self, body: &[u8]) -> Result<Option<Shape>, DecodeError> {
        let _ = body;
        Ok(None)
    }

    /// The position with everything fixed in it that is taken from the clock. A page is requested and read by the same
    /// one.
    fn begin(&self, position: &Position) -> Position {
        position.clone()
    }

    /// The request for the page that `position` stands before.
    fn request_at(&self, position: &Position) -> Request {
        let facts = self.facts();
        let mut request = self.request();
        if let (Some(incremental), Some(value)) = (&facts.incremental, position.began().value) {
            request.set_query(&incremental.parameter, value);
        }
        facts.pagination.apply(&mut request, position.page());
        request
    }

    /// Reads the response to that request into `page`, which is empty.
    ///
    /// # Errors
    ///
    /// If the response cannot be read, or leads nowhere.
    fn read(&self, position: &Position, response: &Response, mut page: Page) -> Result<ReadPage, PageError> {
        let facts = self.facts();
        if let Some(incremental) = &facts.incremental {
            page.track(incremental.mode, position.began(), position.reached());
        }
        // A response without content is an empty page (RFC 9110 section 15.3.5).
        if !response.body.is_empty() {
            self.decode(&response.body, &mut page)?;
        }
        let body = page.next.take().map(|next| match facts.pagination {
            // A relative URL is meant from where it stood.
            Pagination::NextUrl { .. } if !next.is_empty() => response.resolve(&next),
            _ => next,
        });
        let reached = page.reached().unwrap_or_default();
        let end = PageEnd { link: response.next_link(), body, received: page.received, last_key: page.last_key() };
        let next = facts.pagination.next(position.page(), end)?;
        // Without pages, a stream that asks for what comes after the last record has more until nothing comes.
        let chained = facts.pagination == Pagination::None
            && facts.incremental.as_ref().is_some_and(|incremental| incremental.mode == IncrementalMode::Cursor)
            && reached.value != position.began().value;
        let more = next.is_some() || chained;
        Ok(ReadPage { position: position.after_page(next, reached), page, more })
    }
}

/// A page that was read, and where the stream stands after it.
#[derive(Debug)]
pub struct ReadPage {
    /// Its records.
    pub page: Page,
    /// Where the stream stands after it.
    pub position: Position,
    /// Whether there is more to read at once.
    pub more: bool,
}

/// A response that cannot be used.
#[derive(Debug, Error)]
pub enum PageError {
    /// It could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It leads nowhere.
    #[error(transparent)]
    Pagination(#[from] PaginationError),
}

/// A response that could not be read.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The response is not JSON, or not an object or array that leads to the records.
    #[error("{place}")]
    Json {
        /// Which record of the page, or the page itself.
        place: Place,
        /// What was expected, and where in the response.
        source: serde_json::Error,
    },
    /// The response lacks the records.
    #[error("the response has nothing at `{pointer}`, where its records should be")]
    NoRecords {
        /// JSON Pointer to where they should be.
        pointer: String,
    },
    /// A record lacks the field that the stream's position is made of, or holds something else in it.
    #[error("{place}: the offset field `{field}` {reason}")]
    Offset {
        /// Which record of the page, or the page itself.
        place: Place,
        /// JSON Pointer to the field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record departs from the document, and the connector is configured to refuse that.
    #[error(
        "reading record {index} of the page: {kind} at `{pointer}`, which `http.response.schema.enforce=STRICT` refuses"
    )]
    Drift {
        /// Which record of the page, from 0.
        index: usize,
        /// How it departs.
        kind: DriftKind,
        /// JSON Pointer from the record.
        pointer: String,
    },
}

/// A place in a page, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The response around the records.
    Page,
    /// A record, counted from 0.
    Record(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Page => f.write_str("reading the page"),
            Self::Record(index) => write!(f, "reading record {index} of the page"),
        }
    }
}

/// The schema of an operation's records in a format.
pub(crate) fn record_schema<O: TypedOperation>(format: OutputFormat) -> Option<&'static str> {
    match format {
        OutputFormat::Avro => Some(<O::Record<'static> as Record<'static>>::AVRO_SCHEMA),
        OutputFormat::Protobuf => Some(<O::Record<'static> as Record<'static>>::PROTOBUF_SCHEMA),
        OutputFormat::JsonSchema => Some(<O::Record<'static> as Record<'static>>::JSON_SCHEMA),
        OutputFormat::Json => None,
    }
}

/// A [`TypedOperation`] as the flow sees it.
pub(crate) struct Typed<O> {
    operation: O,
    facts: OperationFacts,
    shape: PageShape,
}

impl<O: TypedOperation> Typed<O> {
    pub(crate) fn new(operation: O) -> Self {
        let facts = O::facts();
        let shape = PageShape::new(&facts);
        Self { operation, facts, shape }
    }
}

impl<O: TypedOperation> Operation for Typed<O> {
    fn facts(&self) -> &OperationFacts {
        &self.facts
    }

    fn request(&self) -> Request {
        self.operation.request()
    }

    fn schema(&self, format: OutputFormat) -> Option<&str> {
        record_schema::<O>(format)
    }

    fn decode(&self, body: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        self.shape.decode::<O>(body, page)
    }
}
