//! One stream: position → request → page → records.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::inference::InferenceError;
use super::instead::Detours;
use super::output::Output;
use super::pace::Pace;
use super::pages::PageLimit;
use super::provenance::Provenance;
use super::snapshot::{Snapshot, SnapshotError};
use super::task::OnError;
use crate::body::{BodyError, Format};
use crate::clock;
use crate::configured::RecordsAt;
use crate::http::{
    self, Begun, Client, Detour, Failed, HttpError, Request, Response, Retry, RetryPolicy, StatusRanges, Validators,
    with_retry,
};
use crate::memory::{Budget, Share};
use crate::metrics::StreamMetrics;
use crate::operation::{DecodeError, Operation, OperationFacts, PageError, PageOutcome, PageReading, ReadPage};
use crate::page::{DriftPolicy, Page, PageRecord, PaginationError, Wire};
use crate::position::Position;
use crate::redaction::{Redaction, RedactionError};
use crate::registry::RegistryError;
use crate::schedule::Schedule;
use crate::slice::{Slice, SliceError};
use crate::transform::TransformError;

/// The status that says so (RFC 6585 section 4).
const TOO_MANY_REQUESTS: u16 = 429;

/// The status that says that nothing has changed (RFC 9110 section 15.4.5).
const NOT_MODIFIED: u16 = 304;

/// An operation with all that is needed to read it.
pub(crate) struct Stream {
    pub(crate) operation: Arc<dyn Operation>,
    pub(crate) client: Client,
    pub(crate) retry: RetryPolicy,
    /// What its records tell of where they come from, if they do.
    pub(crate) provenance: Provenance,
    /// How many pages are read, if not all.
    pub(crate) pages: Option<PageLimit>,
    /// How many requests for its pages may be under way.
    pub(crate) max_in_flight: usize,
    /// The statuses that say of the first page of a cycle that nothing is there.
    pub(crate) empty_on: StatusRanges,
    /// How often something else was asked for than what the API did not give.
    pub(crate) detours: Detours,
    /// Where it begins without a stored position.
    pub(crate) initial_offset: Option<String>,
    /// What follows when it cannot go on.
    pub(crate) on_error: OnError,
    /// When its cycles begin.
    pub(crate) schedule: Schedule,
    /// How the pauses between its cycles depart from that.
    pub(crate) pace: Pace,
    /// Whether it asks for an answer only if there is a newer one.
    pub(crate) is_conditional: bool,
    /// Where its records are in a response, if they are redacted.
    pub(crate) redacted_at: Option<RecordsAt>,
    /// How its records are written.
    pub(crate) wire: Wire,
    /// How its records are changed, and by which schemas they are written, if `wire` does not say it.
    pub(crate) output: Output,
    /// What its topic holds, if it is read for what changes of that.
    pub(crate) snapshot: Option<Snapshot>,
    /// What is counted of it.
    pub(crate) metrics: StreamMetrics,
    /// What its responses may take of the memory.
    pub(crate) budget: Budget,
}

/// What a request has led to.
pub(crate) enum Read {
    /// A page.
    Page(ReadPage),
    /// A response that is too large to be read beside others: it is for [`Stream::deliver`].
    Large(Large),
}

/// A large response that has begun.
pub(crate) struct Large {
    pub(super) position: Position,
    pub(super) fetched: Fetched,
}

/// A response, as much of it as may be held beside others.
pub(crate) struct Fetched {
    pub(super) request: Request,
    pub(super) begun: Begun,
    /// The share of the memory for that.
    pub(super) share: Option<Share>,
}

/// Why a stream cannot go on.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The API could not be reached, or refused.
    #[error("requesting a page")]
    Request(#[from] HttpError),
    /// A response could not be read.
    #[error("decoding a response")]
    Decode(#[source] DecodeError),
    /// The schema that was learnt from the records cannot be registered.
    #[error("registering the schema of the records")]
    Registry(#[from] RegistryError),
    /// A record does not fit a schema that is learnt.
    #[error("writing the records by a schema that is learnt")]
    Inference(#[from] InferenceError),
    /// A transform cannot act on a record.
    #[error("changing record {index} of the page")]
    Transform {
        /// Which record, from 0.
        index: usize,
        /// Why not.
        source: TransformError,
    },
    /// It cannot be said what a cycle changes of the stream's topic.
    #[error("comparing what was read with what the topic holds")]
    Snapshot(#[from] SnapshotError),
    /// Something else is to be asked for than what the API does not give, and cannot.
    #[error("{detour} cannot act: {reason}")]
    Detour {
        /// What is to be asked for.
        detour: Detour,
        /// Why it cannot.
        reason: String,
        /// What the API says.
        source: Box<HttpError>,
    },
    /// The pages lead nowhere.
    #[error("following the pages")]
    Pagination(#[source] PaginationError),
    /// The values of a slice cannot be asked for.
    #[error("making requests")]
    Slice(#[from] SliceError),
    /// A slice of the stream cannot go on.
    #[error("reading the slice {slice}")]
    InSlice {
        /// The slice.
        slice: Slice,
        /// Why not.
        source: Box<StreamError>,
    },
}

impl StreamError {
    /// The same, of a slice.
    pub(super) fn in_slice(self, slice: &Slice) -> Self {
        if slice.is_whole() { self } else { Self::InSlice { slice: slice.clone(), source: Box::new(self) } }
    }

    /// The same, with nothing in it of what was read.
    pub(super) fn withheld(self) -> Self {
        match self {
            Self::Decode(error) => Self::Decode(error.withheld()),
            error => error,
        }
    }

    /// The request that failed, if one did.
    pub(crate) fn request(&self) -> Option<&HttpError> {
        match self {
            Self::Request(error) => Some(error),
            Self::Detour { source, .. } => Some(source),
            Self::InSlice { source, .. } => source.request(),
            _ => None,
        }
    }

    /// What kind of failure it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Request(error) => error.kind().as_str(),
            Self::Detour { source, .. } => source.kind().as_str(),
            Self::Decode(_) => "Decode",
            Self::Registry(_) => "Registry",
            Self::Inference(_) => "Schema",
            Self::Transform { .. } => "Transform",
            Self::Snapshot(error) => error.kind(),
            Self::Pagination(_) => "Pagination",
            Self::Slice(_) => "Slice",
            Self::InSlice { source, .. } => source.kind(),
        }
    }
}

impl From<PageError> for StreamError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Decode(error) => Self::Decode(error),
            PageError::Pagination(error) => Self::Pagination(error),
        }
    }
}

impl Stream {
    pub(crate) fn facts(&self) -> &OperationFacts {
        self.operation.facts()
    }

    /// Where a stream without a stored position begins.
    pub(crate) fn start(&self) -> Position {
        Position::starting_at(self.initial_offset.clone())
    }

    /// The request for the page that `position` stands before, which began as `stored`.
    pub(crate) fn request(&self, stored: &Position, position: &Position) -> Request {
        let mut request = self.operation.request_at(position);
        if let Some(validators) = stored.validators().filter(|_| self.is_conditional) {
            validators.apply(&mut request);
        }
        request
    }

    /// Sends a request, and reads as much of the response as may be held beside others. `on_limit` is told when the API
    /// says that there are too many requests.
    pub(crate) async fn fetch(&self, request: &Request, on_limit: impl Fn()) -> Result<Begun, HttpError> {
        let on_retry = |retry: &Retry<'_>| {
            self.metrics.retried();
            if retry.error.status() == Some(TOO_MANY_REQUESTS) {
                on_limit();
            }
        };
        let began = clock::instant();
        let begun = with_retry(&self.retry, || self.begin(request), on_retry).await?;
        self.metrics.requested(began.elapsed());
        Ok(begun)
    }

    /// Sends a request once, and reads as much of the response as may be held beside others.
    pub(super) async fn begin(&self, request: &Request) -> Result<Begun, Failed> {
        http::begin(&self.client, request, &self.retry, self.budget.memory().small()).await
    }

    /// Reads the response to what `position`, which began as `stored`, asked for, and makes of its records what is
    /// written.
    pub(crate) async fn read_page(
        &self,
        stored: &Position,
        position: &Position,
        fetched: Fetched,
    ) -> Result<Read, StreamError> {
        if !fetched.begun.has_ended() {
            return Ok(Read::Large(Large { position: position.clone(), fetched }));
        }
        let mut response = fetched.begun.complete(usize::MAX).await?;
        if response.status == NOT_MODIFIED {
            let page = Page::not_modified(&self.wire);
            return Ok(Read::Page(ReadPage { page, position: stored.clone(), more: false }));
        }
        let content = response.body.clone();
        response.body = self.document(&response).map_err(DecodeError::from).map_err(StreamError::Decode)?;
        let mut reading = self.operation.reading(position);
        let read = async {
            let page = self.page(reading.as_mut(), &response).await?;
            Ok::<_, StreamError>((page, reading.end(&response)?))
        };
        let (mut page, PageOutcome { position: mut after, more }) = self.attempt(read).await?;
        self.provenance.tell(&mut page, self, position, &fetched.request, &response, self.told(&content));
        page.keep(fetched.share);
        self.detours.came_to_a_page(more);
        // Of several pages, one that is the same says nothing of the others.
        if self.is_conditional && !more && !stored.is_within_a_cycle() {
            after = after.with_validators(Validators::of(&fetched.request, &response));
        }
        Ok(Read::Page(ReadPage { page, position: after, more }))
    }

    /// Reads a response, or a part of one, whose body is a JSON document, and makes of its records what is written.
    pub(super) async fn page(&self, reading: &mut dyn PageReading, part: &Response) -> Result<Page, StreamError> {
        let mut page = Page::new(&self.wire);
        match self.redacted(part)? {
            None => reading.read(part, &mut page)?,
            Some(redacted) => {
                reading.read(&redacted, &mut page).map_err(|error| StreamError::from(error).withheld())?
            }
        }
        let page = self.output.finish(page).await?;
        match &self.snapshot {
            Some(snapshot) => Ok(snapshot.changes(page).await?),
            None => Ok(page),
        }
    }

    /// A response, or a part of one, whose body is a JSON document, with its records redacted; `None`: nothing is.
    pub(super) fn redacted(&self, sent: &Response) -> Result<Option<Response>, StreamError> {
        let (Some(redaction), Some(records)) = (&self.wire.redaction, &self.redacted_at) else { return Ok(None) };
        let redacted =
            redaction.document(&sent.body, records).map_err(DecodeError::from).map_err(StreamError::Decode)?;
        if redaction.guards_uses() {
            self.guard_uses(&sent.body, redacted.as_bytes()).map_err(StreamError::Decode)?;
        }
        let mut response = sent.clone();
        response.body = redacted.into();
        Ok(Some(response))
    }

    /// Sees that what the stream needs of the records is the same whether or not they are redacted, but for keys that are
    /// hashes.
    fn guard_uses(&self, sent: &[u8], redacted: &[u8]) -> Result<(), DecodeError> {
        let wire = Wire { on_drift: DriftPolicy::default(), ..self.wire.clone() };
        let read = |body: &[u8]| {
            let mut page = Page::trial(&wire);
            if !body.is_empty() {
                self.operation.decode(body, &mut page)?;
            }
            Ok::<_, DecodeError>(page)
        };
        let (sent, redacted) = (read(sent).map_err(DecodeError::withheld)?, read(redacted)?);
        let differs = |is_same: fn(&PageRecord<'_>, &PageRecord<'_>) -> bool| {
            sent.records().zip(redacted.records()).any(|(sent, redacted)| !is_same(&sent, &redacted))
        };
        let is_key = |sent: &PageRecord<'_>, redacted: &PageRecord<'_>| {
            sent.key == redacted.key || redacted.key.is_some_and(Redaction::is_hash)
        };
        let what = if sent.children != redacted.children {
            "the request for another operation's records"
        } else if self.facts().pagination.asks_by_key() && sent.last_key() != redacted.last_key() {
            "the request for the next page"
        } else if differs(|sent, redacted| sent.timestamp == redacted.timestamp) {
            "the records' time"
        } else if differs(is_key) {
            "the records' key, which only HASH keeps,"
        } else {
            return Ok(());
        };
        Err(RedactionError::Used { what }.into())
    }

    /// What the body of a response is that begins with `start`.
    pub(super) fn format(&self, head: &Response, start: &[u8]) -> Result<Format, BodyError> {
        let media_type = head.header("content-type");
        let format = Format::of(&self.operation.body(), media_type);
        format.check(media_type, start, |text| self.client.hide(text))?;
        Ok(format)
    }

    /// The JSON document of a response that has come to its end.
    pub(super) fn document(&self, response: &Response) -> Result<Bytes, BodyError> {
        let format = self.format(response, &response.body)?;
        format.document(&self.operation.body(), response.body.clone())
    }

    /// A response's content as far as its hash may be told: who knows the rest of it could find what is redacted by that.
    pub(super) fn told<'c>(&self, content: &'c Bytes) -> Option<&'c [u8]> {
        self.wire.redaction.is_none().then_some(content)
    }

    /// Reads the response to what `position` asked for, redacted if that is to be.
    pub(crate) fn read_response(&self, position: &Position, response: &Response) -> Result<ReadPage, StreamError> {
        let read = self.operation.read(position, response, Page::new(&self.wire)).map_err(StreamError::from);
        read.map_err(|error| if self.redacted_at.is_some() { error.withheld() } else { error })
    }
}
