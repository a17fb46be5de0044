//! Shards: the partitions of the offsets topic, and the streams whose positions stand in each.
//!
//! The unit that is placed is a stream with a schedule of its own, or each slice of it that is listed; streams that are read
//! for its records follow it. Its shard is that of the key of its position by the hash of Kafka's default partitioner, so
//! that it stays where it is as long as the topic has as many partitions. A shard has a transactional producer of its own;
//! one without streams has none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::dead_letters::DeadLetters;
use super::definition::Definition;
use super::error_topic::ErrorTopic;
use super::start::Target;
use super::state::States;
use super::topics::Topics;
use super::transaction::{Counts, Transactions};
use super::tree::{self, Failed};
use super::{Handle, Mode, OnError, RunError, Summary};
use crate::clock;
use crate::config::Boundary;
use crate::error::chain;
use crate::kafka::{KafkaError, OffsetStore, Producer};
use crate::page::DriftCounts;
use crate::slice::Slice;

/// How many pages may wait for Kafka. What they take of the memory is counted: see [`crate::memory`].
const WAITING_PAGES: usize = 4;

/// Pause before the streams begin again after a transaction that failed; it doubles up to [`MAX_RESTART_PAUSE`].
pub(super) const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before the streams begin again.
pub(super) const MAX_RESTART_PAUSE: Duration = Duration::from_secs(60);

/// What a shard begins to read: streams with a schedule of their own, by their index, and the slices of each; the whole
/// stream is one.
pub(crate) type Roots = BTreeMap<usize, Vec<Slice>>;

/// What each shard reads, `shard_of` being the one of an operation and a slice. Shards without streams are not among them.
pub(crate) fn divide(streams: &[Arc<Definition>], shard_of: impl Fn(&str, &Slice) -> i32) -> BTreeMap<i32, Roots> {
    let mut shards = BTreeMap::<i32, Roots>::new();
    for (index, stream) in streams.iter().enumerate().filter(|(_, stream)| stream.slicing().parent.is_none()) {
        for slice in stream.slicing().combine(Slice::whole()) {
            let roots = shards.entry(shard_of(stream.id(), &slice)).or_default();
            roots.entry(index).or_default().push(slice);
        }
    }
    shards
}

/// What the shards of a connector have in common.
pub(super) struct Common {
    pub(super) streams: Vec<Arc<Definition>>,
    pub(super) boundary: Boundary,
    pub(super) mode: Mode,
    pub(super) handle: Arc<Handle>,
    pub(super) target: Target,
    pub(super) offsets: OffsetStore,
}

/// A producer, and what its shard holds, by stream: as it stood when the producer took over, and kept up.
pub(super) struct Writer {
    pub(super) shard: i32,
    pub(super) producer: Producer,
    pub(super) states: Vec<States>,
}

/// The topics beside those of the records, and which exist.
#[derive(Clone)]
pub(super) struct SideTopics {
    pub(super) dead_letters: DeadLetters,
    pub(super) errors: ErrorTopic,
    pub(super) named: Topics,
}

/// A shard that runs here: streams, where they stand, and what writes them.
pub(super) struct Shard {
    common: Arc<Common>,
    roots: Roots,
    writer: Writer,
    topics: SideTopics,
    summary: Summary,
    /// How often the records of each stream departed from the document, by its index.
    drift: BTreeMap<usize, DriftCounts>,
}

/// How a shard's run ended.
pub(super) enum Ended {
    /// All streams are done or were told to stop, and what they read is committed.
    Done,
    /// So they are, but a stream has failed for good, without which the others went on.
    Without(RunError),
    /// The producer is of no further use, or another has fenced it: the shard has to be taken again.
    Again(KafkaError),
    /// It cannot go on.
    Failed(RunError),
}

/// How a session ended.
enum Session {
    /// With the run.
    Ended(Ended),
    /// A transaction failed, and was aborted.
    Aborted(KafkaError),
}

impl Shard {
    pub(super) fn new(common: Arc<Common>, roots: Roots, writer: Writer, topics: SideTopics) -> Self {
        Self { common, roots, writer, topics, summary: Summary::default(), drift: BTreeMap::new() }
    }

    /// Runs the streams until they are done or `stop` becomes true.
    pub(super) async fn run(mut self, stop: watch::Receiver<bool>) -> (Summary, Ended) {
        let mut pause = RESTART_PAUSE;
        let mut stopped = stop.clone();
        let common = Arc::clone(&self.common);
        let shard = self.writer.shard;
        loop {
            let before = self.summary;
            let error = match self.session(stop.clone()).await {
                Session::Ended(ended) => return (self.summary, ended),
                Session::Aborted(error) => error,
            };
            if self.summary != before {
                pause = RESTART_PAUSE;
            }
            common.handle.restarting(shard);
            common.handle.metrics().transaction_aborted();
            tracing::warn!(
                shard,
                error = %chain(&error),
                pause_ms = pause.as_millis() as u64,
                "a transaction failed; reading again from the committed positions"
            );
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return (self.summary, Ended::Done),
                () = clock::sleep(pause) => {}
            }
            pause = (pause * 2).min(MAX_RESTART_PAUSE);
        }
    }

    /// Runs the streams from their committed positions until they are done, or one of them or Kafka fails.
    async fn session(&mut self, stop: watch::Receiver<bool>) -> Session {
        let common = &*self.common;
        let (sender, mut deliveries) = mpsc::channel(WAITING_PAGES);
        let mut tasks = JoinSet::new();
        // A stream that fails ends the others too, in order, unless it is said that they go on: what they have read is still
        // committed.
        let (stop_session, session_stop) = stop_of_session(stop);
        common.handle.running(self.writer.shard);
        let mut before: Option<oneshot::Receiver<()>> = None;
        for tree in tree::grow(self.writer.shard, &common.streams, &self.roots, &self.writer.states) {
            let on_error = tree.on_error();
            let task = Box::pin(tree.run(common.mode, sender.clone(), session_stop.clone()));
            let stop_session = stop_session.clone();
            let (done, next) = oneshot::channel();
            let turn = before.replace(next).filter(|_| common.mode == Mode::InOrder);
            tasks.spawn(async move {
                if let Some(turn) = turn {
                    // Nothing is ever sent: the one before has ended.
                    let _ = turn.await;
                }
                let result = task.await;
                drop(done);
                match (&result, on_error) {
                    (Err(Failed { operation, source }), OnError::Restart(_)) => {
                        tracing::error!(operation, error = %chain(source), "the stream has failed for good; the others go on");
                    }
                    (Err(_), _) => drop(stop_session.send_replace(true)),
                    (Ok(()), _) => {}
                }
                result.map_err(|failed| (failed, on_error))
            });
        }
        drop(sender);
        let transactions = Transactions::new(
            &mut self.writer,
            &common.offsets,
            &common.streams,
            common.boundary,
            &mut self.topics,
            Counts { metrics: common.handle.metrics(), summary: &mut self.summary, drift: &mut self.drift },
        );
        let written = transactions.run(&mut deliveries).await;
        if let Err(error) = written {
            tasks.shutdown().await;
            return match error {
                KafkaError::Abortable { .. } => Session::Aborted(error),
                KafkaError::Fatal { .. } | KafkaError::Fenced { .. } => Session::Ended(Ended::Again(error)),
                error => Session::Ended(Ended::Failed(error.into())),
            };
        }
        let (mut lost, mut failure) = (None, None);
        while let Some(joined) = tasks.join_next().await {
            let result = match joined {
                Ok(result) => result,
                // A panic in a task is a defect of ours: let it be seen as one. Nobody cancels the tasks here.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            let Err((Failed { operation, source }, on_error)) = result else { continue };
            common.handle.failed(&operation, chain(&source).to_string());
            let error = RunError::Stream { operation, source };
            match on_error {
                OnError::Restart(_) => drop(lost.get_or_insert(error)),
                OnError::Fail | OnError::Ignore => drop(failure.get_or_insert(error)),
            }
        }
        Session::Ended(match (failure, lost) {
            (Some(error), _) => Ended::Failed(error),
            (None, Some(error)) => Ended::Without(error),
            (None, None) => Ended::Done,
        })
    }
}

/// A stop signal of a session's own, that also follows the run's.
pub(super) fn stop_of_session(mut run: watch::Receiver<bool>) -> (watch::Sender<bool>, watch::Receiver<bool>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_can_be_stopped_alone_and_follows_the_run() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let run = watch::Sender::new(false);
            let (stop, mut session) = stop_of_session(run.subscribe());
            let (_other_stop, mut other) = stop_of_session(run.subscribe());
            stop.send_replace(true);
            session.wait_for(|stop| *stop).await.unwrap();
            assert!(!*other.borrow());
            run.send_replace(true);
            other.wait_for(|stop| *stop).await.unwrap();
        });
    }
}
