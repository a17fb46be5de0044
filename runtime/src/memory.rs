//! How much memory the data of a connector may take, and how that is divided.
//!
//! Of the ceiling, a quarter, at most 16 MiB, is for the producers' queues. A quarter is for small responses, which are read
//! side by side. The rest is for one large response at a time, which goes to Kafka in parts: one is being cut off, one is
//! being read, one waits and one is being written, and each is there as text and as records.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many small responses are held at the same time.
const SMALL_RESPONSES: usize = 16;

/// How often a response is there while it is read: as text and as records, whose buffers grow by doubling.
const COPIES: usize = 4;

/// How much the data of a connector may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it, in bytes.
    pub ceiling: usize,
}

impl Default for Memory {
    /// 256 MiB.
    fn default() -> Self {
        Self { ceiling: 256 << 20 }
    }
}

impl Memory {
    /// How much of the records may wait in the producers, in bytes.
    pub(crate) fn queue(self) -> usize {
        (self.ceiling / 4).min(16 << 20)
    }

    /// How large a response is at most that is read beside others, in bytes.
    pub(crate) fn small(self) -> usize {
        self.ceiling / 4 / SMALL_RESPONSES / COPIES
    }

    /// How large a part of a large response becomes, in bytes.
    pub(crate) fn part(self) -> usize {
        self.ceiling / 16
    }

    /// How large something is at most that cannot be cut: a record, or a response whose records are no list.
    pub(crate) fn whole(self) -> usize {
        self.ceiling / 8
    }
}

/// What is left of the memory for responses. Clones share it.
///
/// A small share is waited for only by a request whose turn it is; one ahead of its turn takes what is free. The large
/// share is waited for when all pages before have been handed over. So whoever holds a share can go on, and nobody waits
/// for ever.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    memory: Memory,
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A share of the memory. It is given back when its last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Share {
    fn of(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Arc::new(permit) }
    }
}

impl Budget {
    pub(crate) fn new(memory: Memory) -> Self {
        Self { memory, small: Arc::new(Semaphore::new(SMALL_RESPONSES)), large: Arc::new(Semaphore::new(1)) }
    }

    pub(crate) fn memory(&self) -> Memory {
        self.memory
    }

    /// Room for a small response, if there is any.
    pub(crate) fn try_small(&self) -> Option<Share> {
        Arc::clone(&self.small).try_acquire_owned().ok().map(Share::of)
    }

    /// Waits for room for a small response.
    pub(crate) async fn small(&self) -> Option<Share> {
        acquire(&self.small).await
    }

    /// Waits until no other large response is read.
    pub(crate) async fn large(&self) -> Option<Share> {
        acquire(&self.large).await
    }
}

/// `None` only if the semaphore is closed, which nobody does.
async fn acquire(semaphore: &Arc<Semaphore>) -> Option<Share> {
    Arc::clone(semaphore).acquire_owned().await.ok().map(Share::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_stay_below_the_ceiling() {
        for ceiling in [8 << 20, 16 << 20, 64 << 20, 256 << 20, 4 << 30] {
            let memory = Memory { ceiling };
            let small = SMALL_RESPONSES * COPIES * memory.small();
            // Of a part that is being cut off and of each other one its text, and of those being read or later records.
            let large = memory.part() + memory.whole() + 4 * memory.part();
            assert!(memory.queue() + small + large <= ceiling, "{ceiling}");
            assert!(memory.small() <= memory.part() && memory.part() <= memory.whole());
        }
    }
}
