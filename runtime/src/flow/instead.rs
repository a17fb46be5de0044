//! What comes of a page that could not be had.

use std::sync::atomic::{AtomicU32, Ordering};

use super::error_topic::Failure;
use super::stream::{Stream, StreamError};
use crate::error::chain;
use crate::http::{Detour, HttpError};
use crate::operation::{PageOutcome, ReadPage};
use crate::page::Page;
use crate::position::Position;

/// How often something else was asked for than what the API did not give.
#[derive(Debug, Default)]
pub(crate) struct Detours {
    /// How many pages have been left out since the last one that was not.
    skipped: AtomicU32,
    /// How often the cycle has begun again.
    restarted: AtomicU32,
}

impl Detours {
    /// Takes note of a page that was had.
    pub(super) fn came_to_a_page(&self, more: bool) {
        self.skipped.store(0, Ordering::Relaxed);
        if !more {
            self.restarted.store(0, Ordering::Relaxed);
        }
    }
}

/// What stands in the place of a page.
#[derive(Debug)]
pub(crate) struct Instead {
    pub(crate) read: ReadPage,
    /// What is to be told, because something is left out.
    pub(crate) failure: Option<Box<Failure>>,
}

impl From<ReadPage> for Instead {
    fn from(read: ReadPage) -> Self {
        Self { read, failure: None }
    }
}

impl Stream {
    /// What stands in the place of a page that could not be had: nothing, if the API says that nothing is there, which it
    /// cannot in the middle of a cycle; or what a rule for the answer says.
    ///
    /// # Errors
    ///
    /// Any other error, as it is; or if the rule cannot be followed.
    pub(crate) fn instead(&self, position: &Position, error: StreamError) -> Result<Instead, StreamError> {
        match error {
            StreamError::Request(HttpError::Detour { detour, source }) => self.detour(position, detour, source),
            StreamError::Request(request)
                if !position.is_within_a_cycle()
                    && request.status().is_some_and(|status| self.empty_on.contains(status)) =>
            {
                let Some(response) = request.without_content() else { return Err(request.into()) };
                self.read_response(&self.operation.begin(position), &response).map(Instead::from)
            }
            error => Err(error),
        }
    }

    fn detour(&self, position: &Position, detour: Detour, source: Box<HttpError>) -> Result<Instead, StreamError> {
        let most = self.retry.max_retries;
        let count = match detour {
            Detour::Skip => Some((&self.detours.skipped, "pages have been left out in a row")),
            Detour::Restart => {
                Some((&self.detours.restarted, "times the cycle has begun again, and not come to its end"))
            }
            // They end by themselves.
            Detour::Shrink | Detour::Split => None,
        };
        if let Some((count, what)) = count
            && count.fetch_add(1, Ordering::Relaxed) >= most
        {
            return Err(StreamError::Detour { detour, reason: format!("{most} {what}"), source });
        }
        match self.operation.detour(&self.operation.begin(position), detour) {
            Err(reason) => Err(StreamError::Detour { detour, reason: reason.to_owned(), source }),
            Ok(PageOutcome { position, more }) => {
                let read = ReadPage { page: Page::new(&self.wire), position, more };
                let error = StreamError::Request(*source);
                tracing::warn!(operation = %self.facts().id, %detour, error = chain(&error), "a page cannot be had");
                let failure = (detour == Detour::Skip).then(|| {
                    self.metrics.failed();
                    Box::new(Failure::new(&error))
                });
                Ok(Instead { read, failure })
            }
        }
    }
}
