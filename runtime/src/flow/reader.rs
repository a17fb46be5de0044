//! The pages of one stream, in order; where a page tells nothing that the request for the next one needs, some of them
//! are asked for ahead of their turn.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::stream::{Fetched, Read, Stream, StreamError};
use crate::http::{Begun, HttpError, Request};
use crate::memory::Share;
use crate::operation::ReadPage;
use crate::page::Page;
use crate::position::Position;

#[cfg(test)]
mod tests;

/// How many requests may be under way when a cycle begins: nobody knows yet whether there is a second page.
const ALONE: usize = 1;

/// Reads the pages of a stream.
///
/// A cycle begins with one request. Every full page that has another after it doubles how many may be under way, up to the
/// stream's `max_in_flight`; behind a short one, which is most likely the last, only the next page is asked for. So no more
/// pages than that are ever asked for beyond the last one with records, and one beyond that of a cycle of one page. A page counts when its turn comes: only then is it read, by the position that the page before it
/// led to, and only then does it count that it failed. What was asked for and turns out to be wrong is thrown away.
pub(crate) struct Reader {
    stream: Arc<Stream>,
    /// The requests after the one whose turn it is, in their order.
    ahead: VecDeque<Ahead>,
    /// Room for the response to the request whose turn it is, if it was not asked for ahead.
    share: Option<Share>,
    /// How many requests may be under way, the one whose turn it is included.
    depth: usize,
    /// Whether the API has said, in this cycle, that there are too many requests (RFC 6585 section 4).
    limited: watch::Sender<bool>,
}

/// A request under way. It is broken off when this is dropped.
struct Ahead {
    request: Request,
    response: JoinHandle<Result<Begun, HttpError>>,
    share: Option<Share>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.response.abort();
    }
}

impl Reader {
    pub(crate) fn new(stream: Arc<Stream>) -> Self {
        Self { stream, ahead: VecDeque::new(), share: None, depth: ALONE, limited: watch::Sender::new(false) }
    }

    /// Waits until there is room for a response. Who does not wait for it here does in [`Reader::next`].
    pub(crate) async fn await_room(&mut self) {
        if self.ahead.is_empty() && self.share.is_none() {
            self.share = self.stream.budget.small().await;
        }
    }

    /// Reads the page that `position` stands before.
    ///
    /// # Errors
    ///
    /// If it cannot be had or read. What was asked for ahead is then thrown away.
    pub(crate) async fn next(&mut self, position: &Position) -> Result<Read, StreamError> {
        if self.stream.pages.as_ref().is_some_and(|pages| !pages.take()) {
            self.share = None;
            let page = Page::new(&self.stream.wire);
            return Ok(Read::Page(ReadPage { page, position: position.clone(), more: false }));
        }
        let (stored, position) = (position, self.stream.operation.begin(position));
        let result = match self.response(stored, &position).await {
            Ok(fetched) => self.stream.read_page(stored, &position, fetched).await,
            Err(error) => Err(error.into()),
        };
        match &result {
            Ok(Read::Page(read)) if read.more => {
                let full = self.stream.operation.full_page();
                let is_full = full.is_none_or(|full| read.page.received as u64 >= full);
                self.depth = if is_full { (self.depth * 2).min(self.stream.max_in_flight) } else { ALONE };
            }
            // Nothing is asked for ahead of a response that comes in parts.
            Ok(_) | Err(_) => self.end_cycle(),
        }
        result
    }

    /// The response to the request that `position`, which began as `stored`, stands before.
    async fn response(&mut self, stored: &Position, position: &Position) -> Result<Fetched, HttpError> {
        let request = self.stream.request(stored, position);
        let mut turn = match self.ahead.pop_front() {
            Some(ahead) if ahead.request == request => ahead,
            // A page was shorter than a full one is, and those behind it were asked for at the wrong place.
            _ => {
                self.ahead.clear();
                let share = match self.share.take() {
                    None => self.stream.budget.small().await,
                    share => share,
                };
                self.ask(request, share)
            }
        };
        self.ask_ahead(position);
        let mut limited = self.limited.subscribe();
        loop {
            tokio::select! {
                joined = &mut turn.response => {
                    // Nothing cancels it here, and a panic is a defect of ours: let it be seen as one.
                    let begun = joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
                    return Ok(Fetched { request: turn.request.clone(), begun, share: turn.share.take() });
                }
                Ok(_) = limited.wait_for(|limited| *limited), if !self.ahead.is_empty() => self.ahead.clear(),
            }
        }
    }

    /// Asks for the pages after the one at `position`, as many as may be under way.
    fn ask_ahead(&mut self, position: &Position) {
        if *self.limited.borrow() {
            self.ahead.clear();
            return;
        }
        let mut before = position.clone();
        for index in 0..self.depth.saturating_sub(1) {
            let Some(next) = self.stream.operation.ahead(&before) else { return self.ahead.truncate(index) };
            let request = self.stream.operation.request_at(&next);
            if self.ahead.get(index).is_none_or(|ahead| ahead.request != request) {
                self.ahead.truncate(index);
                let Some(share) = self.stream.budget.try_small() else { return };
                let ahead = self.ask(request, Some(share));
                self.ahead.push_back(ahead);
            }
            before = next;
        }
    }

    /// Sends a request, whoever waits for the response.
    fn ask(&self, request: Request, share: Option<Share>) -> Ahead {
        let (stream, limited, sent) = (Arc::clone(&self.stream), self.limited.clone(), request.clone());
        let response = tokio::spawn(async move {
            let on_limit = || {
                limited.send_replace(true);
            };
            stream.fetch(&sent, on_limit).await
        });
        Ahead { request, response, share }
    }

    fn end_cycle(&mut self) {
        self.ahead.clear();
        self.depth = ALONE;
        // Those of this cycle that still run are of no effect on the next.
        self.limited = watch::Sender::new(false);
    }
}
