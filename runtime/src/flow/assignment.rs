//! Which shards are this instance's, and what is done with each next. No clock, no Kafka: what happens comes in as a call,
//! and what is to be done goes out as [`Step`]s.
//!
//! ```text
//!               assigned          fenced          restored
//! unassigned ─────────────▶ fencing ─────▶ fenced ─────▶ restoring ─────▶ running ─────▶ ended
//!      ▲                       ▲                                             │
//!      │                       └─────────── the producer is gone ────────────┤
//!      └──────────────── handed over ◀── handing over ◀────── revoked ───────┘
//! ```
//!
//! A shard is fenced before it is read, and read before it is run: so whatever another instance had under way is either in
//! what is read, or will never be. A shard that is lost is dropped from wherever it stands; whoever has it now has fenced it.

use std::collections::{BTreeMap, BTreeSet};

/// A shard, and how many had been taken before it: what was begun for a shard that was lost since is not taken for what
/// was begun for the same one later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) shard: i32,
    number: u64,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Connect a producer that fences the one before, after a pause that grows with the attempts since something was
    /// committed. Leads to [`Assignment::fenced`] or [`Assignment::failed`].
    Fence {
        claim: Claim,
        /// 0 for a shard that has just been assigned.
        attempt: u32,
    },
    /// Read what these shards hold. Leads to [`Assignment::restored`], or [`Assignment::failed`] for each.
    Restore(Vec<Claim>),
    /// Run the streams. Leads to [`Assignment::ended`] or [`Assignment::failed`].
    Run(Claim),
    /// Have the streams commit what they have and end.
    Stop(Claim),
    /// Break off whatever is under way, and commit nothing.
    Drop(Claim),
    /// Tell the group that what it has asked for is free.
    Release,
}

/// Where a shard stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A producer is being connected, or there is a pause before.
    Fencing,
    /// It has its producer, and waits for others that are read with it.
    Fenced,
    /// What it holds is being read.
    Restoring,
    /// Its streams run.
    Running,
    /// Its streams have nothing more to do.
    Ended,
    /// It is free when what is under way has come to its end.
    HandingOver,
}

/// A shard that is this instance's.
#[derive(Clone, Copy, Debug)]
struct Held {
    number: u64,
    stage: Stage,
    /// How often it has failed since something was committed.
    attempt: u32,
}

/// The shards of this instance.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    held: BTreeMap<i32, Held>,
    /// How many shards have been taken, whichever.
    taken: u64,
    /// What the group has asked for, while something of it is not free yet.
    asked: Option<BTreeSet<i32>>,
}

impl Assignment {
    /// The group has given shards to this instance.
    pub(crate) fn assigned(&mut self, shards: &BTreeSet<i32>) -> Vec<Step> {
        let mut steps = Vec::new();
        for &shard in shards {
            let number = self.taken;
            if self.held.contains_key(&shard) {
                continue;
            }
            self.taken += 1;
            self.held.insert(shard, Held { number, stage: Stage::Fencing, attempt: 0 });
            steps.push(Step::Fence { claim: Claim { shard, number }, attempt: 0 });
        }
        steps
    }

    /// The group asks for shards.
    pub(crate) fn revoked(&mut self, shards: &BTreeSet<i32>) -> Vec<Step> {
        self.asked = Some(shards.clone());
        let mut steps = self.end(|shard| shards.contains(&shard), true);
        steps.extend(self.release());
        steps
    }

    /// The group has given shards to others without asking, or soon will.
    pub(crate) fn lost(&mut self, shards: &BTreeSet<i32>) -> Vec<Step> {
        let mut steps = Vec::new();
        for shard in shards {
            if let Some(held) = self.held.remove(shard) {
                steps.push(Step::Drop(Claim { shard: *shard, number: held.number }));
            }
        }
        steps.extend(self.release());
        steps
    }

    /// The instance ends.
    pub(crate) fn stop(&mut self) -> Vec<Step> {
        self.end(|_| true, false)
    }

    /// What the group has asked for is not free in time.
    pub(crate) fn overdue(&mut self) -> Vec<Step> {
        let late: Vec<_> = self.asked.iter().flatten().copied().collect();
        self.lost(&late.into_iter().collect())
    }

    /// A producer has been connected.
    pub(crate) fn fenced(&mut self, claim: Claim) -> Vec<Step> {
        match self.find(claim) {
            Some(held) if held.stage == Stage::Fencing => held.stage = Stage::Fenced,
            Some(held) if held.stage == Stage::HandingOver => return self.free(claim),
            _ => return Vec::new(),
        }
        self.restore().into_iter().collect()
    }

    /// What shards hold has been read.
    pub(crate) fn restored(&mut self, claims: &[Claim]) -> Vec<Step> {
        let mut steps = Vec::new();
        for &claim in claims {
            match self.find(claim) {
                Some(held) if held.stage == Stage::Restoring => {
                    held.stage = Stage::Running;
                    steps.push(Step::Run(claim));
                }
                _ => {}
            }
        }
        steps
    }

    /// The producer of a shard is of no further use, or there is none yet. `has_committed`: something, since the last time.
    pub(crate) fn failed(&mut self, claim: Claim, has_committed: bool) -> Vec<Step> {
        let Some(held) = self.find(claim) else { return Vec::new() };
        if held.stage == Stage::HandingOver {
            return self.free(claim);
        }
        held.stage = Stage::Fencing;
        held.attempt = if has_committed { 1 } else { held.attempt.saturating_add(1) };
        let mut steps = vec![Step::Fence { claim, attempt: held.attempt }];
        steps.extend(self.restore());
        steps
    }

    /// The streams of a shard have ended: they were told to, or are done.
    pub(crate) fn ended(&mut self, claim: Claim) -> Vec<Step> {
        match self.find(claim) {
            Some(held) if held.stage == Stage::HandingOver => self.free(claim),
            Some(held) => {
                held.stage = Stage::Ended;
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Whether a shard is this instance's by this claim.
    pub(crate) fn holds(&self, claim: Claim) -> bool {
        self.held.get(&claim.shard).is_some_and(|held| held.number == claim.number)
    }

    /// Whether nothing is this instance's.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether no shard has anything more to do.
    pub(crate) fn has_ended(&self) -> bool {
        self.held.values().all(|held| held.stage == Stage::Ended)
    }

    fn find(&mut self, claim: Claim) -> Option<&mut Held> {
        self.held.get_mut(&claim.shard).filter(|held| held.number == claim.number)
    }

    /// Ends what is done with shards, streams in order. `is_handed_over`: to somebody, whom a producer that is on its way would
    /// fence, so that this comes to its end first.
    fn end(&mut self, is_meant: impl Fn(i32) -> bool, is_handed_over: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        self.held.retain(|&shard, held| {
            let claim = Claim { shard, number: held.number };
            if !is_meant(shard) || held.stage == Stage::HandingOver {
                return true;
            }
            match held.stage {
                Stage::Running => steps.push(Step::Stop(claim)),
                // Before another attempt there is a pause, and nobody waits for that.
                Stage::Fencing if held.attempt == 0 && is_handed_over => {}
                Stage::Fencing | Stage::Fenced | Stage::Restoring | Stage::Ended | Stage::HandingOver => {
                    steps.push(Step::Drop(claim));
                    return false;
                }
            }
            held.stage = Stage::HandingOver;
            true
        });
        steps.extend(self.restore());
        steps
    }

    /// A shard that was to be handed over is free.
    fn free(&mut self, claim: Claim) -> Vec<Step> {
        self.held.remove(&claim.shard);
        let mut steps = vec![Step::Drop(claim)];
        steps.extend(self.release());
        steps
    }

    fn release(&mut self) -> Option<Step> {
        let asked = self.asked.as_ref()?;
        if asked.iter().any(|shard| self.held.contains_key(shard)) {
            return None;
        }
        self.asked = None;
        Some(Step::Release)
    }

    /// Has what is fenced read, all at once: one reader serves them all. An attempt that follows a failure is not waited for.
    fn restore(&mut self) -> Option<Step> {
        if self.held.values().any(|held| held.stage == Stage::Fencing && held.attempt == 0) {
            return None;
        }
        let mut claims = Vec::new();
        for (&shard, held) in self.held.iter_mut().filter(|(_, held)| held.stage == Stage::Fenced) {
            held.stage = Stage::Restoring;
            claims.push(Claim { shard, number: held.number });
        }
        (!claims.is_empty()).then_some(Step::Restore(claims))
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
