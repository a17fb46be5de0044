//! Responses that are too large to be held: they go to Kafka in parts while they come.

use tokio::sync::mpsc;

use super::stream::{Fetched, Large, Stream, StreamError};
use super::task::{Busy, Delivery, Part, Parts};
use crate::body::{BodyError, Cutter, Limits};
use crate::http::{Begun, Request, Response, with_retry};
use crate::memory::Share;
use crate::operation::{DecodeError, PageOutcome, ReadPage};
use crate::position::Position;

impl Stream {
    /// Hands the pages of a large response over: as one if it is not so large after all, else part by part. Who takes the
    /// parts writes all of them or none. If the response breaks off, it is asked for again, as a request that fails is.
    ///
    /// `None`: nobody takes anything any more.
    pub(crate) async fn deliver(
        &self,
        stream: usize,
        large: Large,
        deliveries: &mpsc::Sender<Delivery>,
    ) -> Result<Option<PageOutcome>, StreamError> {
        let Large { position, fetched: Fetched { request, begun, share } } = large;
        let large = self.budget.large().await;
        drop(share);
        let (position, request, large) = (&position, &request, &large);
        let mut first = Some(begun);
        let attempt = || {
            let begun = first.take();
            async move {
                let begun = match begun {
                    Some(begun) => begun,
                    None => self.begin(request).await?,
                };
                match self.attempt(self.deliver_once(stream, position, request, begun, large, deliveries)).await {
                    Err(StreamError::Request(error)) => Err(error.into()),
                    other => Ok(other),
                }
            }
        };
        with_retry(&self.retry, attempt, |_| self.metrics.retried()).await?
    }

    /// Reads a large response as one page, of a slice: its page goes with what its slices come to, which is known only at
    /// its end.
    pub(super) async fn complete(&self, large: Large) -> Result<ReadPage, StreamError> {
        let Large { position, fetched: Fetched { request, begun, share } } = large;
        let large = self.budget.large().await;
        drop(share);
        let mut response = begun.complete(self.budget.memory().whole()).await?;
        let content = response.body.clone();
        response.body = self.document(&response).map_err(wrong)?;
        let mut reading = self.operation.reading(&position);
        let mut page = self.page(reading.as_mut(), &response).await?;
        self.provenance.tell(&mut page, self, &position, &request, &response, self.told(&content));
        page.keep(large);
        let PageOutcome { position, more } = reading.end(&response)?;
        Ok(ReadPage { page, position, more })
    }

    /// The whole of a response, or of a large one the first part.
    pub(super) async fn first_part(&self, begun: &mut Begun) -> Result<Response, StreamError> {
        let mut cutter = self.cutter(begun)?;
        let mut part = begun.head().clone();
        while let Some(chunk) = begun.chunk().await? {
            if let Some(document) = cutter.push(&mut &chunk[..]).map_err(wrong)? {
                part.body = document.into();
                return Ok(part);
            }
        }
        part.body = cutter.finish().map_err(wrong)?.into();
        Ok(part)
    }

    fn cutter(&self, begun: &Begun) -> Result<Cutter, StreamError> {
        let memory = self.budget.memory();
        let limits = Limits { part: memory.part(), whole: memory.whole() };
        let format = self.format(begun.head(), begun.start()).map_err(wrong)?;
        Ok(Cutter::new(&format, &self.operation.body(), limits))
    }

    async fn deliver_once(
        &self,
        stream: usize,
        position: &Position,
        request: &Request,
        mut begun: Begun,
        share: &Option<Share>,
        deliveries: &mpsc::Sender<Delivery>,
    ) -> Result<Option<PageOutcome>, StreamError> {
        let mut cutter = self.cutter(&begun)?;
        let mut reading = self.operation.reading(position);
        let mut part = begun.head().clone();
        let mut parts = None;
        while let Some(chunk) = begun.chunk().await? {
            let mut rest = &chunk[..];
            while let Some(document) = cutter.push(&mut rest).map_err(wrong)? {
                part.body = document.into();
                let mut page = self.page(reading.as_mut(), &part).await?;
                self.provenance.tell(&mut page, self, position, request, &part, None);
                let parts = match &parts {
                    Some(parts) => parts,
                    None => {
                        let (sender, taken) = mpsc::channel(1);
                        let (read, busy) = (Parts::Several(taken), Busy { task: stream, busy: true });
                        let delivery = Delivery { stream, read, changes: Vec::new(), busy, failure: None };
                        if deliveries.send(delivery).await.is_err() {
                            return Ok(None);
                        }
                        parts.insert(sender)
                    }
                };
                if parts.send(Part { page, end: None }).await.is_err() {
                    return Ok(None);
                }
            }
        }
        part.body = cutter.finish().map_err(wrong)?.into();
        let mut page = self.page(reading.as_mut(), &part).await?;
        self.provenance.tell(&mut page, self, position, request, &part, None);
        page.keep(share.clone());
        let end = reading.end(&part)?;
        let Some(parts) = parts else {
            if let Some(snapshot) = &self.snapshot {
                // What is handed over now is written, whatever follows.
                snapshot.begin_attempt().await;
            }
            let PageOutcome { position: after, more } = end;
            return self.hand_over(stream, position, ReadPage { page, position: after, more }, None, deliveries).await;
        };
        if !end.more {
            while let Some(gone) = self.gone(&page).await? {
                let before = std::mem::replace(&mut page, gone);
                if parts.send(Part { page: before, end: None }).await.is_err() {
                    return Ok(None);
                }
            }
        }
        let taken = parts.send(Part { page, end: Some(end.clone()) }).await.is_ok();
        Ok(taken.then_some(end))
    }
}

fn wrong(error: BodyError) -> StreamError {
    StreamError::Decode(DecodeError::Body(error))
}
