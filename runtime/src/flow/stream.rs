//! One stream: position → request → page → records.

use std::time::Duration;

use thiserror::Error;

use crate::http::{Client, HttpError, Request, Response, RetryPolicy, send_with_retry};
use crate::operation::{DecodeError, IncrementalMode, Operation, OperationFacts};
use crate::page::{Page, PageEnd, Pagination, PaginationError, Wire};
use crate::position::Position;

/// The request for the page of an operation that `position` stands before.
pub(crate) fn request(operation: &dyn Operation, position: &Position) -> Request {
    let facts = operation.facts();
    let mut request = operation.request();
    if let (Some(incremental), Some(value)) = (&facts.incremental, position.began().value) {
        request.set_query(&incremental.parameter, value);
    }
    facts.pagination.apply(&mut request, position.page());
    request
}

/// An operation with all that is needed to read it.
pub(crate) struct Stream {
    pub(crate) operation: Box<dyn Operation>,
    pub(crate) client: Client,
    pub(crate) retry: RetryPolicy,
    /// Kafka topic of the records.
    pub(crate) topic: String,
    /// Where it begins without a stored position.
    pub(crate) initial_offset: Option<String>,
    /// Pause between two cycles.
    pub(crate) interval: Duration,
    /// How its records are written.
    pub(crate) wire: Wire,
}

/// A page that was read, and where the stream stands after it.
#[derive(Debug)]
pub(crate) struct ReadPage {
    pub(crate) page: Page,
    pub(crate) position: Position,
    /// Whether there is more to read at once.
    pub(crate) more: bool,
}

/// Why a stream cannot go on.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The API could not be reached, or refused.
    #[error("requesting a page")]
    Request(#[from] HttpError),
    /// A response could not be read.
    #[error("decoding a response")]
    Decode(#[from] DecodeError),
    /// The pages lead nowhere.
    #[error("following the pages")]
    Pagination(#[from] PaginationError),
}

impl Stream {
    pub(crate) fn facts(&self) -> &OperationFacts {
        self.operation.facts()
    }

    /// Where a stream without a stored position begins.
    pub(crate) fn start(&self) -> Position {
        Position::starting_at(self.initial_offset.clone())
    }

    /// Reads the page that `position` stands before.
    pub(crate) async fn read(&self, position: &Position) -> Result<ReadPage, StreamError> {
        let request = request(self.operation.as_ref(), position);
        let response = send_with_retry(&self.client, &request, &self.retry, |_| {}).await?;
        self.read_response(position, &response)
    }

    /// Reads the response to what `position` asked for.
    pub(crate) fn read_response(&self, position: &Position, response: &Response) -> Result<ReadPage, StreamError> {
        let facts = self.facts();
        let mut page = Page::new(&self.wire);
        if let Some(incremental) = &facts.incremental {
            page.track(incremental.mode, position.began(), position.reached());
        }
        let link = response.next_link();
        let mut page = self.decode(&response.body, page)?;
        let body = page.next.take().map(|next| match facts.pagination {
            // A relative URL is meant from where it stood.
            Pagination::NextUrl { .. } if !next.is_empty() => response.resolve(&next),
            _ => next,
        });
        self.advance(position, page, link, body)
    }

    /// A response without content is an empty page (RFC 9110 section 15.3.5).
    fn decode(&self, body: &[u8], mut page: Page) -> Result<Page, StreamError> {
        if !body.is_empty() {
            self.operation.decode(body, &mut page)?;
        }
        Ok(page)
    }

    fn advance(
        &self,
        before: &Position,
        mut page: Page,
        link: Option<String>,
        body: Option<String>,
    ) -> Result<ReadPage, StreamError> {
        let facts = self.facts();
        let reached = page.reached().unwrap_or_default();
        let end = PageEnd { link, body, received: page.received, last_key: page.last_key() };
        let next = facts.pagination.next(before.page(), end)?;
        // Without pages, a stream that asks for what comes after the last record has more until nothing comes.
        let chained = facts.pagination == Pagination::None
            && facts.incremental.as_ref().is_some_and(|incremental| incremental.mode == IncrementalMode::Cursor)
            && reached.value != before.began().value;
        let more = next.is_some() || chained;
        Ok(ReadPage { position: before.after_page(next, reached), page, more })
    }
}
