//! What is read once of a stream, step by step, besides its cycles.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::Reading;
use crate::slice::{Backfill, Range, Slice};

/// The steps of a stream's backfill that are not done.
#[derive(Default)]
pub(super) struct Steps {
    /// Of each slice, what no step has been cut from yet.
    left: VecDeque<(Arc<Slice>, VecDeque<Range>)>,
    /// Steps that an earlier run has begun.
    waiting: VecDeque<Arc<Slice>>,
    /// Steps that have begun.
    pub(super) begun: BTreeSet<Arc<Slice>>,
    /// Those of them that have another page, which is not on its way.
    pub(super) paused: VecDeque<Reading>,
    /// Steps that have failed since the last cycle began.
    pub(super) failed: BTreeSet<Arc<Slice>>,
}

impl Steps {
    /// Has ranges of a slice read.
    pub(super) fn add(&mut self, slice: Arc<Slice>, ranges: VecDeque<Range>) {
        if !ranges.is_empty() {
            self.left.push_back((slice, ranges));
        }
    }

    /// Has a step read that has begun before.
    pub(super) fn resume(&mut self, step: Arc<Slice>) {
        self.waiting.push_back(step);
    }

    /// Has what has failed read again.
    pub(super) fn retry(&mut self) {
        self.waiting.extend(std::mem::take(&mut self.failed));
    }

    /// The next step to begin.
    pub(super) fn next(&mut self, backfill: &Backfill) -> Option<Arc<Slice>> {
        if let Some(step) = self.waiting.pop_front() {
            return Some(step);
        }
        let (slice, ranges) = self.left.front_mut()?;
        let step = backfill.step.cut(ranges).map(|range| Arc::new(slice.step(range)));
        if ranges.is_empty() {
            self.left.pop_front();
        }
        step
    }

    /// Whether there is anything to read now.
    pub(super) fn is_busy(&self) -> bool {
        !self.left.is_empty() || !self.waiting.is_empty() || !self.begun.is_empty()
    }
}
