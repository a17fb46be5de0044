//! An instance of a connector: does with its shards what [`Assignment`] decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::assignment::{Assignment, Claim, Step};
use super::membership::Membership;
use super::shard::{Common, Ended, MAX_RESTART_PAUSE, RESTART_PAUSE, Roots, Shard, SideTopics, Writer};
use super::state::States;
use super::{RunError, Summary};
use crate::clock;
use crate::error::chain;
use crate::kafka::{Change, Confirmation, KafkaError, Producer};

/// How long a shard that the group has asked for may take to commit. What is under way then is broken off: whoever has the
/// shard next aborts it.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(5);

/// A running instance.
pub(super) struct Instance {
    common: Arc<Common>,
    /// What each shard reads, of all that have streams.
    layout: BTreeMap<i32, Roots>,
    topics: SideTopics,
    membership: Membership,
    /// The shards with streams that are this instance's, whether it reads them or the connector is stopped.
    owned: BTreeSet<i32>,
    assignment: Assignment,
    shards: BTreeMap<Claim, Work>,
    tasks: JoinSet<Finished>,
    /// When the group has asked for what is not free yet.
    asked: Option<Instant>,
    /// Whether a shard has been read: what Kafka is configured to do, it does.
    has_restored: bool,
    summary: Summary,
    /// Why the instance ends.
    failure: Option<RunError>,
    /// Why a stream has ended, without which the others go on.
    lost: Option<RunError>,
}

/// What there is of a shard.
enum Work {
    /// Its producer is being connected, since then.
    Fencing(AbortHandle, Instant),
    /// It has a producer; it was taken then.
    Fenced(Producer, Instant),
    /// Its streams run.
    Running { task: AbortHandle, stop: watch::Sender<bool> },
}

/// What has come to its end.
enum Finished {
    Fencing(Claim, Result<Producer, KafkaError>),
    Restoring(Vec<Claim>, Result<BTreeMap<i32, Vec<States>>, RunError>),
    Running(Claim, Summary, Ended),
}

impl Instance {
    pub(super) fn new(
        common: Arc<Common>,
        layout: BTreeMap<i32, Roots>,
        topics: SideTopics,
        membership: Membership,
    ) -> Self {
        Self {
            common,
            layout,
            topics,
            membership,
            owned: BTreeSet::new(),
            assignment: Assignment::default(),
            shards: BTreeMap::new(),
            tasks: JoinSet::new(),
            asked: None,
            has_restored: false,
            summary: Summary::default(),
            failure: None,
            lost: None,
        }
    }

    /// How many streams the connector has, and how many shards with streams.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.common.streams.len(), self.layout.len())
    }

    /// Runs the shards that are this instance's until their streams are done, one cannot go on, or `stop` becomes true.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<Summary, RunError> {
        self.common.handle.stopped(self.membership.is_stopped());
        self.common.handle.shared(self.membership.is_shared());
        let mut is_stopping = false;
        let mut has_shards = false;
        loop {
            if is_stopping && self.assignment.is_empty() {
                break;
            }
            // Alone it is all of them, and there may be none; of a group others may come.
            if has_shards && self.assignment.has_ended() && !(self.membership.is_shared() && self.assignment.is_empty())
            {
                break;
            }
            let deadline = self.asked.map(|asked| asked + HANDOVER_TIMEOUT);
            let steps = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                    is_stopping = true;
                    self.assignment.stop()
                }
                change = self.membership.next() => match change {
                    Ok(Some(change)) => {
                        has_shards = true;
                        self.changed(change)
                    }
                    Ok(None) => self.state_changed(),
                    Err(error) => {
                        self.failure.get_or_insert(error.into());
                        Vec::new()
                    }
                },
                Some(joined) = self.tasks.join_next() => self.finished(joined),
                () = sleep_until(deadline.unwrap_or_else(clock::instant)), if deadline.is_some() => {
                    tracing::warn!("shards that another instance is to have are not free in time; breaking off what they do");
                    self.assignment.overdue()
                }
            };
            for step in steps {
                self.take(step).await?;
            }
            let steps = match self.failure {
                Some(_) if !is_stopping => {
                    is_stopping = true;
                    self.assignment.stop()
                }
                // What was asked for again before it was free is taken again when it is.
                None if !is_stopping && !self.membership.is_stopped() => self.assignment.assigned(&self.owned),
                _ => Vec::new(),
            };
            for step in steps {
                self.take(step).await?;
            }
        }
        self.tasks.shutdown().await;
        self.membership.leave().await;
        self.failure.or(self.lost).map_or(Ok(self.summary), Err)
    }

    /// What follows when the group has changed.
    fn changed(&mut self, change: Change) -> Vec<Step> {
        let handle = &self.common.handle;
        match change {
            Change::Assigned(shards) => {
                tracing::info!(?shards, "shards have been assigned");
                let streams = |shard: &i32| {
                    let roots = self.layout.get(shard).into_iter().flat_map(|roots| roots.keys());
                    let streams = roots.filter_map(|root| self.common.streams.get(*root));
                    streams.map(|stream| stream.id().to_owned()).collect()
                };
                handle.assigned(shards.iter().map(|shard| (*shard, streams(shard))));
                self.owned.extend(shards.into_iter().filter(|shard| self.layout.contains_key(shard)));
                Vec::new()
            }
            Change::Revoked(shards) => {
                tracing::info!(?shards, "shards are handed over");
                self.asked = Some(clock::instant());
                self.disown(&shards);
                self.assignment.revoked(&shards)
            }
            Change::Lost(shards) => {
                tracing::warn!(?shards, "the group has not heard of this instance; its shards are others'");
                self.disown(&shards);
                self.assignment.lost(&shards)
            }
        }
    }

    fn disown(&mut self, shards: &BTreeSet<i32>) {
        self.owned.retain(|shard| !shards.contains(shard));
        self.common.handle.gone(shards.iter().copied());
    }

    /// What follows when the connector has been stopped or resumed.
    fn state_changed(&mut self) -> Vec<Step> {
        let is_stopped = self.membership.is_stopped();
        tracing::info!(is_stopped, "the connector was told to stop or to go on");
        self.common.handle.stopped(is_stopped);
        if is_stopped { self.assignment.stop() } else { Vec::new() }
    }

    /// What follows when something has come to its end.
    fn finished(&mut self, joined: Result<Finished, JoinError>) -> Vec<Step> {
        let finished = match joined {
            Ok(finished) => finished,
            Err(error) if error.is_cancelled() => return Vec::new(),
            // A panic is a defect of ours: let it be seen as one.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        match finished {
            Finished::Fencing(claim, Ok(producer)) => {
                if !self.assignment.holds(claim) {
                    dispose(producer);
                    return Vec::new();
                }
                let since = match self.shards.remove(&claim) {
                    Some(Work::Fencing(_, since)) => since,
                    _ => clock::instant(),
                };
                self.shards.insert(claim, Work::Fenced(producer, since));
                self.assignment.fenced(claim)
            }
            Finished::Fencing(claim, Err(error)) => {
                self.shards.remove(&claim);
                self.cannot(&[claim], error.into())
            }
            Finished::Restoring(claims, Ok(mut restored)) => {
                self.has_restored = true;
                let steps = self.assignment.restored(&claims);
                for step in &steps {
                    let Step::Run(claim) = step else { continue };
                    let states = restored.remove(&claim.shard).unwrap_or_default();
                    self.start(*claim, states);
                }
                steps
            }
            Finished::Restoring(claims, Err(error)) => self.cannot(&claims, error),
            Finished::Running(claim, summary, ended) => {
                self.shards.remove(&claim);
                self.summary += summary;
                match ended {
                    Ended::Done => self.assignment.ended(claim),
                    Ended::Without(error) => {
                        self.lost.get_or_insert(error);
                        self.assignment.ended(claim)
                    }
                    Ended::Again(error) if error.is_fenced() && !self.membership.is_shared() => {
                        self.cannot_go_on(claim, error.into())
                    }
                    Ended::Again(error) => {
                        tracing::warn!(shard = claim.shard, error = %chain(&error), "taking the shard again");
                        self.common.handle.restarting(claim.shard);
                        self.common.handle.metrics().transaction_aborted();
                        self.assignment.failed(claim, summary != Summary::default())
                    }
                    Ended::Failed(error) => self.cannot_go_on(claim, error),
                }
            }
        }
    }

    /// What follows when a shard cannot go on: nothing else does.
    fn cannot_go_on(&mut self, claim: Claim, error: RunError) -> Vec<Step> {
        self.failure.get_or_insert(error);
        self.assignment.ended(claim)
    }

    /// What follows when shards could not be taken: another attempt, if what stands in the way can pass. Before the first
    /// shard has been read, it is what is configured.
    fn cannot(&mut self, claims: &[Claim], error: RunError) -> Vec<Step> {
        let passes = match &error {
            RunError::Kafka(error) if error.is_fenced() => self.membership.is_shared(),
            RunError::Kafka(error) => self.has_restored && error.is_passing(),
            _ => false,
        };
        let is_wanted = claims.iter().any(|claim| self.assignment.holds(*claim));
        if !passes && is_wanted {
            self.failure.get_or_insert(error);
            return Vec::new();
        }
        tracing::warn!(error = %chain(&error), "shards cannot be taken now; trying again");
        claims.iter().flat_map(|claim| self.assignment.failed(*claim, false)).collect()
    }

    async fn take(&mut self, step: Step) -> Result<(), RunError> {
        match step {
            Step::Fence { claim, attempt } => {
                let (common, confirmation) = (Arc::clone(&self.common), self.membership.confirmation());
                let task = self.tasks.spawn(async move {
                    if attempt > 0 {
                        wait_for_turn(claim.shard, attempt, confirmation).await;
                    }
                    Finished::Fencing(claim, common.target.producer(claim.shard).await)
                });
                self.shards.insert(claim, Work::Fencing(task, clock::instant()));
            }
            Step::Restore(claims) => {
                let producer = claims.iter().find_map(|claim| match self.shards.get(claim) {
                    Some(Work::Fenced(producer, _)) => Some(producer.clone()),
                    _ => None,
                });
                let (common, Some(producer)) = (Arc::clone(&self.common), producer) else { return Ok(()) };
                self.tasks.spawn(async move {
                    let Common { target, offsets, streams, .. } = &*common;
                    let shards = claims.iter().map(|claim| claim.shard).collect();
                    let restored = target.restore(offsets, streams, &shards, &producer).await;
                    Finished::Restoring(claims, restored)
                });
            }
            // It was started with what was read.
            Step::Run(_) => {}
            Step::Stop(claim) => {
                if let Some(Work::Running { stop, .. }) = self.shards.get(&claim) {
                    stop.send_replace(true);
                }
            }
            Step::Drop(claim) => match self.shards.remove(&claim) {
                Some(Work::Fencing(task, _) | Work::Running { task, .. }) => task.abort(),
                Some(Work::Fenced(producer, _)) => dispose(producer),
                None => {}
            },
            Step::Release => {
                self.membership.release().await?;
                let asked = self.asked.take();
                asked.into_iter().for_each(|asked| self.common.handle.metrics().handed_over(asked.elapsed()));
            }
        }
        Ok(())
    }

    /// Starts the streams of a shard.
    fn start(&mut self, claim: Claim, states: Vec<States>) {
        let (Some(Work::Fenced(producer, since)), Some(roots)) =
            (self.shards.remove(&claim), self.layout.get(&claim.shard))
        else {
            return;
        };
        self.common.handle.metrics().taken_over(since.elapsed());
        self.common.handle.metrics().shard_started(claim.shard);
        let writer = Writer { shard: claim.shard, producer, states };
        let shard = Shard::new(Arc::clone(&self.common), roots.clone(), writer, self.topics.clone());
        let (stop, stopped) = watch::channel(false);
        let task = self.tasks.spawn(async move {
            let (summary, ended) = shard.run(stopped).await;
            Finished::Running(claim, summary, ended)
        });
        self.shards.insert(claim, Work::Running { task, stop });
    }
}

/// Waits before a shard is taken again: so that what stands in the way can pass, and until the group says that the shard is
/// still this instance's. One that was suspended is fenced before it hears that it is a member no longer.
async fn wait_for_turn(shard: i32, attempt: u32, confirmation: Option<Confirmation>) {
    let pause = |attempt: u32| {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        RESTART_PAUSE.saturating_mul(factor).min(MAX_RESTART_PAUSE)
    };
    clock::sleep(pause(attempt)).await;
    let Some(confirmation) = confirmation else { return };
    while !confirmation.of(shard).await {
        clock::sleep(RESTART_PAUSE).await;
    }
}

/// Drops a producer where that may take time.
fn dispose(producer: Producer) {
    drop(tokio::task::spawn_blocking(move || drop(producer)));
}
