//! The flow: schedule → request → page → records → transaction.
//!
//! Every stream has a task that reads it; one writer puts what they read into transactions. When a transaction fails in
//! a way that can pass, the tasks begin again at their committed positions.

mod check;
mod dead_letters;
mod inference;
mod offsets;
mod preview;
mod start;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use check::{Check, CheckError, check};
pub use offsets::{read_positions, write_positions};
pub use preview::{Preview, PreviewRecord, preview};
pub use start::{Embedded, StartError, run, run_operations};
pub(crate) use start::{operations, schema_type};
pub use stream::StreamError;
pub use task::{Mode, OnError};

use crate::clock;
use crate::config::Boundary;
use crate::error::chain;
use crate::kafka::{KafkaError, OffsetStore, Producer};
use crate::page::DriftCounts;
use crate::position::Position;
use crate::registry::RegistryError;
use dead_letters::DeadLetters;
use stream::Stream;
use transaction::Transactions;

/// How many pages may wait for Kafka. Each task holds one more, so memory is bounded by the streams and their page size.
const WAITING_PAGES: usize = 4;

/// Pause before the streams begin again after a transaction that failed; it doubles up to [`MAX_RESTART_PAUSE`].
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before the streams begin again.
const MAX_RESTART_PAUSE: Duration = Duration::from_secs(60);

/// What a run has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records committed.
    pub records: u64,
    /// Pages committed, those without records but with a new position included.
    pub pages: u64,
    /// Transactions committed.
    pub transactions: u64,
    /// What was written to the dead letter topic, in the same transactions.
    pub dead_letters: u64,
    /// How often records departed from the API's document.
    pub drift: u64,
}

/// Why a run ended before it was told to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A stream cannot go on.
    #[error("stream `{operation}` stopped")]
    Stream {
        /// The operation's id.
        operation: String,
        /// Why.
        source: StreamError,
    },
    /// Kafka cannot be used.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The schema registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The connector cannot be set up.
    #[error(transparent)]
    Start(#[from] start::StartError),
}

/// The running part of a connector: streams, where they stand, and what writes them.
struct Flow {
    streams: Vec<Arc<Stream>>,
    writer: Writer,
    dead_letters: DeadLetters,
    boundary: Boundary,
    mode: Mode,
    summary: Summary,
    /// How often the records of each stream departed from the document, by its index.
    drift: BTreeMap<usize, DriftCounts>,
}

/// A producer, and the positions as they stood in Kafka when it took over.
struct Writer {
    producer: Producer,
    offsets: OffsetStore,
    positions: Vec<Position>,
}

/// How a session ended.
enum Ended {
    /// All tasks are done, and what they read is committed.
    Done,
    /// A transaction failed, and can be tried again.
    Failed(KafkaError),
}

impl Flow {
    /// Runs the streams until they are done or told to stop.
    async fn run(mut self, target: &start::Target, mut stop: watch::Receiver<bool>) -> Result<Summary, RunError> {
        let mut pause = RESTART_PAUSE;
        loop {
            let before = self.summary;
            let error = match self.session(stop.clone()).await? {
                Ended::Done => return Ok(self.summary),
                Ended::Failed(error) => error,
            };
            if self.summary != before {
                pause = RESTART_PAUSE;
            }
            tracing::warn!(
                error = %chain(&error),
                pause_ms = pause.as_millis() as u64,
                "a transaction failed; reading again from the committed positions"
            );
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(self.summary),
                () = clock::sleep(pause) => {}
            }
            pause = (pause * 2).min(MAX_RESTART_PAUSE);
            if matches!(error, KafkaError::Fatal { .. }) {
                self.writer = target.connect(&self.streams).await?;
            }
        }
    }

    /// Runs the streams from their committed positions until they are done, or one of them or Kafka fails.
    async fn session(&mut self, stop: watch::Receiver<bool>) -> Result<Ended, RunError> {
        let (sender, mut deliveries) = mpsc::channel(WAITING_PAGES);
        let mut tasks = JoinSet::new();
        // A stream that fails ends the others too, in order: what they have read is still committed.
        let (stop_session, session_stop) = stop_of_session(stop);
        for (index, (stream, position)) in self.streams.iter().zip(&self.writer.positions).enumerate() {
            let task =
                task::run(index, Arc::clone(stream), position.clone(), self.mode, sender.clone(), session_stop.clone());
            let stop_session = stop_session.clone();
            tasks.spawn(async move {
                let result = task.await;
                if result.is_err() {
                    stop_session.send_replace(true);
                }
                (index, result)
            });
        }
        drop(sender);
        let transactions = Transactions::new(
            &mut self.writer,
            &self.streams,
            self.boundary,
            &mut self.dead_letters,
            &mut self.summary,
            &mut self.drift,
        );
        let written = transactions.run(&mut deliveries).await;
        if let Err(error) = written {
            tasks.shutdown().await;
            return match error {
                KafkaError::Abortable { .. } | KafkaError::Fatal { .. } => Ok(Ended::Failed(error)),
                error => Err(error.into()),
            };
        }
        let mut failure = None;
        while let Some(joined) = tasks.join_next().await {
            let (index, result) = match joined {
                Ok(joined) => joined,
                // A panic in a task is a defect of ours: let it be seen as one. Nobody cancels the tasks here.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            if let (Err(source), Some(stream), None) = (result, self.streams.get(index), &failure) {
                failure = Some(RunError::Stream { operation: stream.facts().id.to_string(), source });
            }
        }
        failure.map_or(Ok(Ended::Done), Err)
    }
}

/// A stop signal of a session's own, that also follows the run's.
fn stop_of_session(mut run: watch::Receiver<bool>) -> (watch::Sender<bool>, watch::Receiver<bool>) {
    let (sender, receiver) = watch::channel(*run.borrow());
    let follow = sender.clone();
    tokio::spawn(async move {
        tokio::select! {
            stopped = run.wait_for(|stop| *stop) => {
                if stopped.is_ok() {
                    follow.send_replace(true);
                }
            }
            () = follow.closed() => {}
        }
    });
    (sender, receiver)
}
