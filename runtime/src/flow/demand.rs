//! Cycles that begin because someone asks for them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::clock;

/// By what the cycles of a stream are asked for, wherever it is read: each shard has slices of its own. Clones are of one
/// stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands(Arc<Mutex<BTreeMap<i32, Demand>>>);

impl Demands {
    /// Has the next cycle begin in all shards; `false` if not all of them wait for one.
    pub(super) fn ask(&self) -> bool {
        let shards = self.shards();
        // Not `any`, which would stop at the first that begins.
        shards.values().all(Demand::is_waiting) && shards.values().filter(|demand| demand.ask()).count() > 0
    }

    /// By what the cycles in a shard are asked for.
    pub(super) fn in_shard(&self, shard: i32) -> Demand {
        self.shards().entry(shard).or_default().clone()
    }

    /// A shard is read elsewhere.
    pub(super) fn leave(&self, shard: i32) {
        self.shards().remove(&shard);
    }

    /// Nobody leaves them half written.
    fn shards(&self) -> MutexGuard<'_, BTreeMap<i32, Demand>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has what is read of a stream in one shard begin its next cycle, if it waits for one. Clones are of the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demand(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Ends the wait; there is one while the stream waits, and only the first who asks gets it.
    begin: Mutex<Option<oneshot::Sender<()>>>,
    /// Whether the cycle that was asked for last has not ended.
    is_open: AtomicBool,
}

impl Demand {
    /// Whether the stream waits for a cycle.
    fn is_waiting(&self) -> bool {
        self.begin().as_ref().is_some_and(|begin| !begin.is_closed())
    }

    /// Has the next cycle begin; `false` if the stream does not wait for one.
    pub(super) fn ask(&self) -> bool {
        let begins = self.begin().take().is_some_and(|begin| begin.send(()).is_ok());
        if begins {
            self.0.is_open.store(true, Ordering::Release);
        }
        begins
    }

    /// Whether the cycle that was asked for last has not ended. After a transaction that failed it begins again.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_open.load(Ordering::Acquire)
    }

    /// Waits for the next cycle: until it is asked for, or for `pause`. `false`: told to stop before.
    pub(super) async fn wait(&self, pause: Duration, stop: &mut watch::Receiver<bool>) -> bool {
        self.0.is_open.store(false, Ordering::Release);
        let (begin, asked) = oneshot::channel();
        *self.begin() = Some(begin);
        let begins = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => false,
            Ok(()) = asked => true,
            () = clock::sleep(pause) => true,
        };
        self.begin().take();
        begins
    }

    /// Nobody leaves it half written.
    fn begin(&self) -> MutexGuard<'_, Option<oneshot::Sender<()>>> {
        self.0.begin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn only_a_stream_that_waits_can_be_asked_and_only_once() {
        let (_stop, stopped) = watch::channel(false);
        let demand = Demand::default();
        assert!(!demand.ask(), "it does not wait");
        let waiting = tokio::spawn({
            let (demand, mut stopped) = (demand.clone(), stopped.clone());
            async move { demand.wait(Duration::MAX, &mut stopped).await }
        });
        tokio::task::yield_now().await;
        assert!(!demand.is_open());
        assert!(demand.ask() && !demand.ask());
        assert!(waiting.await.unwrap());
        assert!(demand.is_open(), "the cycle has begun");
        assert!(!demand.ask(), "the stream is in the middle of it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_by_itself_and_when_told_to_stop() {
        let (stop, mut stopped) = watch::channel(false);
        let (demand, began) = (Demand::default(), clock::instant());
        assert!(demand.wait(HOUR, &mut stopped).await);
        assert_eq!(began.elapsed(), HOUR);
        assert!(!demand.ask() && !demand.is_open());
        stop.send_replace(true);
        assert!(!demand.wait(HOUR, &mut stopped).await);
    }

    #[tokio::test(start_paused = true)]
    async fn all_shards_begin_or_none() {
        let (_stop, stopped) = watch::channel(false);
        let demands = Demands::default();
        let waiting = [1, 7].map(|shard| {
            let (demand, mut stopped) = (demands.in_shard(shard), stopped.clone());
            tokio::spawn(async move { demand.wait(Duration::MAX, &mut stopped).await })
        });
        assert!(!demands.ask(), "nobody waits yet");
        tokio::task::yield_now().await;
        assert!(demands.ask() && !demands.ask());
        for waiting in waiting {
            assert!(waiting.await.unwrap());
        }
        assert!(demands.in_shard(1).is_open() && demands.in_shard(7).is_open() && !demands.in_shard(2).is_open());
    }
}
