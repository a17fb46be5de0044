//! What others may see of a connector while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use thiserror::Error;

use super::demand::Demands;
use super::shard::Common;
use super::steering::NotSteered;
use crate::metrics::Metrics;

/// A running connector as others see it.
pub struct Handle {
    name: String,
    metrics: Metrics,
    known: Mutex<Known>,
    demands: Mutex<BTreeMap<String, Demands>>,
    /// What it steers, once that is there.
    common: OnceLock<Weak<Common>>,
}

/// What of a connector runs in this instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it is connected to Kafka, and all streams of its shards have begun. Without shards it waits for some.
    pub is_running: bool,
    /// The streams of its shards by their operation. With a text the stream has failed, and this is why.
    pub streams: BTreeMap<String, Option<String>>,
    /// Whether the connector was told to stop.
    pub is_stopped: bool,
    /// Its shards, those without streams too.
    pub shards: BTreeMap<i32, ShardStatus>,
}

/// Where a shard of an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardStatus {
    /// It has been assigned; its streams have not begun, or the connector is stopped.
    Starting,
    /// Its streams have begun, if it has any.
    Running,
    /// A transaction failed, or another producer has fenced this one's; its streams begin again soon.
    Restarting,
}

/// What is known of a shard.
#[derive(Debug)]
struct OfShard {
    status: ShardStatus,
    streams: Vec<String>,
}

/// What is known of an instance.
#[derive(Debug, Default)]
struct Known {
    has_joined: bool,
    is_stopped: bool,
    is_shared: bool,
    shards: BTreeMap<i32, OfShard>,
    failures: BTreeMap<String, String>,
}

/// Why a stream begins no cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoCycle {
    /// It has no schedule of its own, or is not there at all.
    #[error("there is no such stream, or its cycles are those of the stream whose records it is read for")]
    UnknownStream,
    /// It is in the middle of one, or reads nothing any more, or is another instance's.
    #[error("the stream is in the middle of a cycle, or has ended, or runs in another instance")]
    NotWaiting,
}

impl Handle {
    /// The handle of a connector of this name.
    pub fn new(name: &str) -> Self {
        let (known, demands, common) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Self { name: name.to_owned(), metrics: Metrics::new(name), known, demands, common }
    }

    /// The connector's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Has a stream begin its next cycle now.
    ///
    /// # Errors
    ///
    /// If there is no such stream, or it does not wait for a cycle.
    pub fn begin_cycle(&self, operation: &str) -> Result<(), NoCycle> {
        let demands = self.demands().get(operation).cloned().ok_or(NoCycle::UnknownStream)?;
        if demands.ask() { Ok(()) } else { Err(NoCycle::NotWaiting) }
    }

    /// By what a stream is asked for a cycle.
    pub(super) fn demands_of(&self, operation: &str) -> Demands {
        self.demands().entry(operation.to_owned()).or_default().clone()
    }

    /// What of it runs.
    pub fn status(&self) -> Status {
        let known = self.lock();
        let mut streams = BTreeMap::new();
        for operation in known.shards.values().flat_map(|shard| &shard.streams) {
            streams.insert(operation.clone(), known.failures.get(operation).cloned());
        }
        let shards: BTreeMap<_, _> = known.shards.iter().map(|(shard, known)| (*shard, known.status)).collect();
        let is_running =
            known.has_joined && (known.is_stopped || shards.values().all(|status| *status == ShardStatus::Running));
        Status { is_running, streams, is_stopped: known.is_stopped, shards }
    }

    /// It steers this from now on.
    pub(super) fn steered_by(&self, common: &Arc<Common>) {
        // It is set up once.
        let _ = self.common.set(Arc::downgrade(common));
    }

    /// What it steers.
    pub(super) fn steered(&self) -> Result<Arc<Common>, NotSteered> {
        self.common.get().and_then(Weak::upgrade).ok_or(NotSteered::NotStarted)
    }

    /// Whether the connector was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    /// Whether there can be other instances.
    pub(super) fn is_shared(&self) -> bool {
        self.lock().is_shared
    }

    /// The connector has been told to stop, or to go on.
    pub(super) fn stopped(&self, is_stopped: bool) {
        let mut known = self.lock();
        known.is_stopped = is_stopped;
        // Those that run say so when they begin again.
        for shard in known.shards.values_mut().filter(|shard| is_stopped && !shard.streams.is_empty()) {
            shard.status = ShardStatus::Starting;
        }
    }

    /// There can be other instances, or not.
    pub(super) fn shared(&self, is_shared: bool) {
        self.lock().is_shared = is_shared;
    }

    /// Shards are this instance's, and the streams that each has.
    pub(super) fn assigned(&self, shards: impl Iterator<Item = (i32, Vec<String>)>) {
        let mut known = self.lock();
        known.has_joined = true;
        for (shard, streams) in shards {
            let status = if streams.is_empty() { ShardStatus::Running } else { ShardStatus::Starting };
            known.shards.entry(shard).or_insert(OfShard { status, streams });
        }
        self.metrics.rebalanced(known.shards.len());
    }

    /// Shards are this instance's no longer.
    pub(super) fn gone(&self, shards: impl Iterator<Item = i32>) {
        let mut known = self.lock();
        for shard in shards {
            known.shards.remove(&shard);
            self.demands().values().for_each(|demands| demands.leave(shard));
        }
        self.metrics.rebalanced(known.shards.len());
    }

    /// The streams of a shard have begun.
    pub(super) fn running(&self, shard: i32) {
        let mut known = self.lock();
        let Known { shards, failures, .. } = &mut *known;
        if let Some(shard) = shards.get_mut(&shard) {
            shard.status = ShardStatus::Running;
            shard.streams.iter().for_each(|stream| drop(failures.remove(stream)));
        }
    }

    /// The streams of a shard have ended, and begin again.
    pub(super) fn restarting(&self, shard: i32) {
        if let Some(shard) = self.lock().shards.get_mut(&shard) {
            shard.status = ShardStatus::Restarting;
        }
    }

    pub(super) fn failed(&self, operation: &str, why: String) {
        self.lock().failures.insert(operation.to_owned(), why);
    }

    /// Nobody leaves them half written.
    fn demands(&self) -> MutexGuard<'_, BTreeMap<String, Demands>> {
        self.demands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody leaves it half written.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
