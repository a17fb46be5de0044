//! The task of one stream: cycle after cycle, page after page.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::stream::{Stream, StreamError};
use crate::clock;
use crate::error::chain;
use crate::operation::ReadPage;
use crate::page::Page;
use crate::position::Position;

/// A page on its way to Kafka.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Which stream it belongs to.
    pub(crate) stream: usize,
    pub(crate) read: ReadPage,
}

/// When a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When it is told to stop.
    Continuous,
    /// After one cycle.
    Once,
}

/// What follows when a stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The connector stops.
    Fail,
    /// It is told, and the next cycle tries again.
    Ignore,
}

/// Reads `stream` from `position` on and hands its pages over, until told to stop. A full channel holds it up: that is
/// the backpressure from Kafka to HTTP.
pub(crate) async fn run(
    index: usize,
    stream: Arc<Stream>,
    mut position: Position,
    mode: Mode,
    deliveries: mpsc::Sender<Delivery>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StreamError> {
    // A cycle that was broken off goes on at once.
    if mode == Mode::Continuous && !position.is_within_a_cycle() {
        let Some(pause) = stream.schedule.first(clock::now()) else { return Ok(()) };
        if !wait(pause, &mut stop).await {
            return Ok(());
        }
    }
    loop {
        let read = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            read = stream.read(&position) => read,
        };
        let read = match (read, stream.on_error) {
            (Ok(read), _) => read,
            (Err(error), OnError::Fail) => return Err(error),
            (Err(error), OnError::Ignore) => {
                let operation = &stream.facts().id;
                tracing::error!(%operation, error = %chain(&error), "a request has failed; the next cycle makes it again");
                ReadPage { page: Page::new(&stream.wire), position: position.clone(), more: false }
            }
        };
        position = read.position.clone();
        let more = read.more;
        tracing::debug!(
            operation = %stream.facts().id,
            records = read.page.len(),
            more,
            "read a page"
        );
        if deliveries.send(Delivery { stream: index, read }).await.is_err() {
            return Ok(());
        }
        if more {
            continue;
        }
        let Some(pause) = stream.schedule.next(clock::now()).filter(|_| mode == Mode::Continuous) else {
            return Ok(());
        };
        if !wait(pause, &mut stop).await {
            return Ok(());
        }
    }
}

/// Waits, unless told to stop before; then it is `false`.
async fn wait(pause: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => false,
        () = clock::sleep(pause) => true,
    }
}
