//! The one seam between what a connector is about and how it runs: an operation of an API, read as a stream of records.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use crate::body::{BodyError, BodyPlan, ListAt};
use crate::configured::RecordsAt;
use crate::format::OutputFormat;
use crate::hook::Verdict;
use crate::http::{Detour, Request, Response, Target};
use crate::page::{Boundary, Following, FoundIn, Page, PageEnd, PageShape, Pagination, PaginationError, TokenIn};
use crate::position::{Position, PositionMisfit};
use crate::record::{Date, DateTime, DriftKind, Field, Record, Text, Uuid};
use crate::redaction::RedactionError;
use crate::slice::{Children, Slice, SliceError, Slicing};

/// What does not change about an operation while it runs: where its records are and how the stream moves on.
#[derive(Clone, Debug)]
pub struct OperationFacts {
    /// The operation's id in the API's document; it names the stream in positions, logs and metrics.
    pub id: Cow<'static, str>,
    /// Kafka topic of the records.
    pub topic: Cow<'static, str>,
    /// JSON Pointer (RFC 6901) to the array of records, or to the one record, in a response; empty is the whole response.
    /// Or a JSONPath (RFC 9535), which begins with `$`: what it selects, each a record.
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
    /// Where the request takes the value.
    pub parameter: TokenIn,
    /// Value of the first cycle. `None` sends no parameter in it.
    pub initial: Option<Cow<'static, str>>,
    /// How far before the latest instant seen a cycle asks, for records that come late; with
    /// [`IncrementalMode::Timestamp`]. What was delivered of that time is recognised by its content and dropped.
    pub lookback: Option<Duration>,
}

impl Incremental {
    /// What a cycle that begins at `began` asks from.
    fn asks_from(&self, began: Boundary) -> Option<String> {
        let value = began.value?;
        // Where nothing has been delivered, nothing can be late.
        let lookback = self.lookback.filter(|_| !began.records.is_empty());
        let earlier = lookback.and_then(|by| value.parse::<Timestamp>().ok()?.checked_sub(by).ok());
        Some(earlier.map_or(value, |earlier| earlier.to_string()))
    }
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

    /// What makes the operation's slices, if it is not read as a whole.
    fn slicing() -> Slicing {
        Slicing::default()
    }

    /// Adds the slices of other operations that a record calls for.
    fn children(record: &Self::Record<'_>, children: &mut Children) {
        let _ = (record, children);
    }

    /// A record's time in milliseconds since 1970-01-01T00:00:00Z, for the Kafka timestamp.
    fn timestamp(record: &Self::Record<'_>) -> Option<i64> {
        let _ = record;
        None
    }

    /// Whether only what changes is written, unless the configuration says otherwise.
    fn writes_changes() -> bool {
        false
    }

    /// What the crate's own code does with each record before it is written.
    fn hook() -> Option<fn(&mut Self::Record<'_>) -> Verdict> {
        None
    }

    /// What is done with personal data in the records, as `record.redact` says it, unless the configuration does.
    fn redact() -> &'static str {
        ""
    }
}

/// An operation before it is known which slice of it is read. One that is read as a whole has a single slice.
pub trait SlicedOperation: Send + Sync {
    /// The operation's facts.
    fn facts(&self) -> &OperationFacts;

    /// What makes its slices.
    fn slicing(&self) -> &Slicing;

    /// The schema of the records in a format; `None` for one without schemas.
    fn schema(&self, format: OutputFormat) -> Option<&str>;

    /// Where the records are in a response; `None`: nowhere.
    fn records(&self) -> Option<RecordsAt> {
        RecordsAt::parse(&self.facts().records)
    }

    /// Whether a slice of it can go on at this position.
    ///
    /// # Errors
    ///
    /// What speaks against it.
    fn can_stand_at(&self, position: &Position) -> Result<(), PositionMisfit>;

    /// The offset that it asks from a time on by; `None` if it does so in another way.
    fn offset_at(&self, time: Timestamp) -> Option<String> {
        let _ = time;
        None
    }

    /// The operation that reads a slice.
    ///
    /// # Errors
    ///
    /// If the values of the slice do not fit its requests.
    fn slice(&self, slice: &Slice) -> Result<Arc<dyn Operation>, SliceError>;
}

/// An operation, or a slice of one, as the flow sees it, whoever implements it.
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

    /// Appends the one record that `sent` is, as it stood in a response, to `page`. Whatever the response said besides is not known.
    ///
    /// # Errors
    ///
    /// As [`Operation::decode`].
    fn decode_record(&self, sent: &[u8], page: &mut Page) -> Result<(), DecodeError>;

    /// The position with everything fixed in it that is taken from the clock. A page is requested and read by the same
    /// one.
    fn begin(&self, position: &Position) -> Position {
        position.clone()
    }

    /// The request for the page that `position` stands before.
    fn request_at(&self, position: &Position) -> Request {
        let facts = self.facts();
        let mut request = self.request();
        let asks_from = |incremental: &Incremental| incremental.asks_from(position.began());
        if let (Some(incremental), Some(value)) = (&facts.incremental, facts.incremental.as_ref().and_then(asks_from)) {
            incremental.parameter.set(&mut request, value.into());
        }
        match position.link() {
            Some(link) => request.target = Target::Absolute(link.to_owned()),
            None => facts.pagination.apply(&mut request, position.page()),
        }
        request
    }

    /// A position whose request is that for the page after the one that `position` stands before, as far as that can be
    /// told without it: if it is a full one. `None`: it says something that the request needs, or it is the last.
    fn ahead(&self, position: &Position) -> Option<Position> {
        let following = self.facts().pagination.ahead(position.page(), position.counted())?;
        Some(position.after_page(following, position.reached()))
    }

    /// Where to go on in place of the page that `position` stands before, which the API does not give.
    ///
    /// # Errors
    ///
    /// Why there is nothing else to ask for, as the end of a sentence.
    fn detour(&self, position: &Position, detour: Detour) -> Result<PageOutcome, &'static str> {
        self.facts().pagination.allows(detour)?;
        match detour {
            Detour::Restart => match position.restarted() {
                Some(position) => Ok(PageOutcome { position, more: true }),
                None => Err("it is the first page that cannot be had"),
            },
            _ => Ok(match self.ahead(position) {
                Some(position) => PageOutcome { position, more: true },
                // By what the API has declared, it was the last page.
                None => {
                    let position = position.after_page(Following::default(), position.reached());
                    PageOutcome { position, more: false }
                }
            }),
        }
    }

    /// How many records a full page has, if that is known and pages are counted.
    fn full_page(&self) -> Option<u64> {
        self.facts().pagination.full()
    }

    /// How the bodies of its responses are read.
    fn body(&self) -> BodyPlan {
        let list = match self.facts().records.as_ref() {
            path if path.starts_with('$') => RecordsAt::parse(path).and_then(|records| records.list()),
            pointer => ListAt::pointer(pointer),
        };
        BodyPlan { list, ..BodyPlan::default() }
    }

    /// Begins to read the response to that request, which may come in parts.
    fn reading<'a>(&'a self, position: &'a Position) -> Box<dyn PageReading + 'a> {
        let lookback = self.facts().incremental.as_ref().and_then(|incremental| incremental.lookback);
        let reached = match (lookback, position.page()) {
            // All of the window comes again.
            (Some(_), None) => Boundary { records: Vec::new(), ..position.began() },
            _ => position.reached(),
        };
        Box::new(FactsReading {
            operation: self,
            position,
            reached,
            received: 0,
            lacks_records: false,
            digest: 0,
            last_key: None,
            next: None,
            delta: None,
        })
    }

    /// Reads the whole response to that request into `page`, which is empty.
    ///
    /// # Errors
    ///
    /// If the response cannot be read, or leads nowhere.
    fn read(&self, position: &Position, response: &Response, mut page: Page) -> Result<ReadPage, PageError> {
        let mut reading = self.reading(position);
        reading.read(response, &mut page)?;
        let PageOutcome { position, more } = reading.end(response)?;
        Ok(ReadPage { position, page, more })
    }
}

/// A page while it is read, part by part.
pub trait PageReading: Send {
    /// Reads the next part, which is the body of `part`, into `page`, which is empty.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn read(&mut self, part: &Response, page: &mut Page) -> Result<(), PageError>;

    /// Where the stream stands after the last part, which is the body of `last`.
    ///
    /// # Errors
    ///
    /// If the response leads nowhere.
    fn end(self: Box<Self>, last: &Response) -> Result<PageOutcome, PageError>;
}

/// What follows a page.
#[derive(Clone, Debug)]
pub struct PageOutcome {
    /// Where the stream stands after it.
    pub position: Position,
    /// Whether there is more to read at once.
    pub more: bool,
}

/// Reads a page by the facts of its operation.
struct FactsReading<'a, O: ?Sized> {
    operation: &'a O,
    position: &'a Position,
    reached: Boundary,
    received: usize,
    /// Whether the body has nothing where its records should be.
    lacks_records: bool,
    digest: u64,
    last_key: Option<String>,
    /// What the body said of the next page.
    next: Option<String>,
    /// What the body named for the next cycle to begin with.
    delta: Option<String>,
}

impl<O: Operation + ?Sized> PageReading for FactsReading<'_, O> {
    fn read(&mut self, part: &Response, page: &mut Page) -> Result<(), PageError> {
        let facts = self.operation.facts();
        if let Some(incremental) = &facts.incremental {
            let reached = std::mem::take(&mut self.reached);
            page.track(incremental.mode, incremental.lookback, self.position.began(), reached);
        }
        if facts.pagination.counts() {
            page.make_digest(self.digest);
        }
        page.begin_at(self.received);
        // A response without content is an empty page (RFC 9110 section 15.3.5).
        if !part.body.is_empty() {
            self.operation.decode(&part.body, page)?;
        }
        self.reached = page.reached().unwrap_or_default();
        self.digest = page.digest();
        self.received += page.received;
        self.lacks_records = page.lacks_records;
        if page.received > 0 {
            self.last_key = page.last_key();
        }
        self.next = page.next.take().or(self.next.take());
        self.delta = page.delta.take().or(self.delta.take());
        Ok(())
    }

    fn end(self: Box<Self>, last: &Response) -> Result<PageOutcome, PageError> {
        let Self { operation, position, reached, received, lacks_records, digest, last_key, next, delta } = *self;
        let facts = operation.facts();
        let style = &facts.pagination;
        let said = match style.found_in() {
            Some(FoundIn::Header(name)) => last.header(name).map(str::to_owned),
            Some(FoundIn::Body(_)) | None => next,
        };
        // A relative URL is meant from where it stood.
        let resolved = |url: String| if url.is_empty() { url } else { last.resolve(&url) };
        let said = if let Pagination::NextUrl { .. } = style { said.map(resolved) } else { said };
        let delta = delta.filter(|url| !url.is_empty()).map(resolved);
        let end = PageEnd { link: last.next_link(), said, received, last_key, digest };
        let following = style.next(position.page(), position.counted(), end)?;
        // After a page with records it is no list that is empty, but an answer of another kind.
        if lacks_records && following.token.is_none() && position.is_within_a_cycle() {
            return Err(DecodeError::NoRecords { pointer: facts.records.to_string() }.into());
        }
        // Without pages, a stream that asks for what comes after the last record has more until nothing comes.
        let chained = *style == Pagination::None
            && facts.incremental.as_ref().is_some_and(|incremental| incremental.mode == IncrementalMode::Cursor)
            && reached.value != position.began().value;
        let more = following.token.is_some() || chained;
        Ok(PageOutcome { position: position.after_page(following, reached).linked(delta), more })
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
    /// The response is not of the format that it should be, or too large.
    #[error(transparent)]
    Body(#[from] BodyError),
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
    /// The crate's own code has panicked at a record. Nothing of the page is written, and the stream stays before it.
    #[error("reading record {index} of the page: its hook in `src/hooks.rs` panicked with {said:?}")]
    Hook {
        /// Which record of the page, from 0.
        index: usize,
        /// What the panic said.
        said: String,
    },
    /// The records cannot be redacted.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// A record departs from the document, and the connector is configured to refuse that.
    #[error(
        "reading record {index} of the page: {kind} at `{pointer}`, which `http.response.schema.enforce=STRICT` refuses, or \
             the property for what is of its kind"
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

impl DecodeError {
    /// The same, with nothing in it of what was read.
    pub(crate) fn withheld(self) -> Self {
        match self {
            Self::Json { place, source } => {
                let (kind, line, column) = (source.classify(), source.line(), source.column());
                let told = format_args!("something else ({kind:?}) at line {line} column {column}");
                Self::Json { place, source: serde::de::Error::custom(told) }
            }
            error => error,
        }
    }
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

    fn decode_record(&self, sent: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        let facts = OperationFacts { records: "".into(), pagination: Pagination::None, ..self.facts.clone() };
        PageShape::new(&facts).decode::<O>(&[b"[", sent, b"]"].concat(), page)
    }
}

#[cfg(test)]
pub(crate) mod tests;
