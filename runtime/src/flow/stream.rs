//! One stream: position → request → page → records.

use std::sync::Arc;

use thiserror::Error;

use super::inference::Inference;
use super::task::OnError;
use crate::http::{Client, HttpError, Response, RetryPolicy, send_with_retry};
use crate::operation::{DecodeError, Operation, OperationFacts, PageError, ReadPage};
use crate::page::{Page, PaginationError, Wire};
use crate::position::Position;
use crate::registry::RegistryError;
use crate::schedule::Schedule;

/// An operation with all that is needed to read it.
pub(crate) struct Stream {
    pub(crate) operation: Box<dyn Operation>,
    pub(crate) client: Client,
    pub(crate) retry: RetryPolicy,
    /// Kafka topic of the records.
    pub(crate) topic: String,
    /// Where it begins without a stored position.
    pub(crate) initial_offset: Option<String>,
    /// What follows when it cannot go on.
    pub(crate) on_error: OnError,
    /// When its cycles begin.
    pub(crate) schedule: Schedule,
    /// How its records are written.
    pub(crate) wire: Wire,
    /// How the schema is learnt from the records, if it is; then it says what values begin with.
    pub(crate) inference: Option<Arc<Inference>>,
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
    /// The pages lead nowhere.
    #[error("following the pages")]
    Pagination(#[source] PaginationError),
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

    /// Reads the page that `position` stands before.
    pub(crate) async fn read(&self, position: &Position) -> Result<ReadPage, StreamError> {
        let position = self.operation.begin(position);
        let request = self.operation.request_at(&position);
        let response = send_with_retry(&self.client, &request, &self.retry, |_| {}).await?;
        let mut wire = self.wire.clone();
        if let Some(inference) = &self.inference {
            wire.prefix = inference.prefix(self.operation.as_ref(), &response.body).await?;
        }
        Ok(self.operation.read(&position, &response, Page::new(&wire))?)
    }

    /// Reads the response to what `position` asked for.
    pub(crate) fn read_response(&self, position: &Position, response: &Response) -> Result<ReadPage, StreamError> {
        Ok(self.operation.read(position, response, Page::new(&self.wire))?)
    }
}
