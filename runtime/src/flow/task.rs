//! The task of one stream: cycle after cycle, page after page.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::stream::{ReadPage, Stream, StreamError};
use crate::clock;
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
    loop {
        let read = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            read = stream.read(&position) => read?,
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
        if mode == Mode::Once {
            return Ok(());
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = clock::sleep(stream.interval) => {}
        }
    }
}
