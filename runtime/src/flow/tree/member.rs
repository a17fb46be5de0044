//! A stream of a tree: what is known of its slices, and which of them are to be read.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::backfill::Steps;
use super::{Begun, Failed, Reading};
use crate::flow::definition::Definition;
use crate::flow::demand::Demand;
use crate::flow::reader::Reader;
use crate::flow::state::{Due, State, States};
use crate::flow::task::{self, Change, Delivery, Mode};
use crate::slice::{Backfill, Covered, Range, Slice, Slicing};

/// A stream of the tree.
pub(super) struct Member {
    /// Its number among all streams.
    pub(super) stream: usize,
    pub(super) definition: Arc<Definition>,
    /// The members that its records call for slices of.
    pub(super) children: Vec<usize>,
    /// The slices that every cycle reads, of a root.
    listed: Vec<Slice>,
    pub(super) states: States,
    /// Slices that are to be read in this cycle and have not begun.
    pub(super) waiting: VecDeque<Arc<Slice>>,
    /// Slices that have begun.
    pub(super) begun: BTreeSet<Arc<Slice>>,
    /// Those of them that have another page, which is not on its way.
    pub(super) paused: VecDeque<Reading>,
    /// What is to be read besides the cycles.
    pub(super) backfill: Steps,
    /// How many requests are on their way, of the cycles and besides.
    pub(super) on_way: usize,
    /// The cycle under way, counted from 1, if slices are listed.
    pub(super) cycle: u64,
    /// Whether it is written of a slice that it is finished in this cycle, so that the end of the cycle has to be, too.
    pub(super) is_marked: bool,
    /// Slices that have failed in the last cycle. What no record calls for in this one is read at its end.
    pub(super) failed: BTreeSet<Arc<Slice>>,
}

impl Member {
    pub(super) fn new(stream: usize, definition: Arc<Definition>, listed: Vec<Slice>, states: States) -> Self {
        Self {
            stream,
            definition,
            children: Vec::new(),
            listed,
            cycle: 1,
            states,
            waiting: VecDeque::new(),
            begun: BTreeSet::new(),
            paused: VecDeque::new(),
            backfill: Steps::default(),
            on_way: 0,
            is_marked: false,
            failed: BTreeSet::new(),
        }
    }

    pub(super) async fn run_alone(
        &self,
        mode: Mode,
        demand: &Demand,
        deliveries: mpsc::Sender<Delivery>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), Failed> {
        let failed = |source| Failed { operation: self.definition.id().to_owned(), source };
        let whole = Slice::whole();
        let stream = self.definition.stream(&whole).map_err(|error| failed(error.into()))?;
        let position = self.state(&whole).position;
        task::run(self.stream, stream, position, mode, demand, deliveries, stop).await.map_err(failed)
    }

    /// What is known of a slice.
    pub(super) fn state(&self, slice: &Slice) -> State {
        let backfill = self.backfill_of(slice);
        let begins = || slice.range().map(|step| step.start).or(backfill.map(|backfill| backfill.range.end));
        let mut state = self.states.get(slice).cloned().unwrap_or_else(|| State::at(self.definition.start(begins())));
        if let Some(backfill) = backfill {
            state.todo.backfill.get_or_insert_with(|| Covered::by_live(backfill.range.end));
        }
        state
    }

    /// What is read of a slice besides what the cycles read.
    fn backfill_of(&self, slice: &Slice) -> Option<&Backfill> {
        let Slicing { backfill, lists, parent } = self.definition.slicing();
        // Where there are others, the whole stream is none of the slices, but stands for the cycles of all.
        let is_live = slice.range().is_none() && (!slice.is_whole() || (lists.is_empty() && parent.is_none()));
        backfill.as_ref().filter(|_| is_live)
    }

    /// Begins to read a slice.
    pub(super) fn start(&self, number: usize, slice: &Arc<Slice>) -> Begun {
        let State { position, todo } = self.state(slice);
        let stream = match todo.backfill {
            Some(covered) => self.definition.stream(&slice.live_from(covered.live)),
            None => self.definition.stream(slice),
        };
        let stream = stream.map_err(|error| (Arc::clone(slice), error))?;
        let (slice, reader, range) = (Arc::clone(slice), Reader::new(Arc::clone(&stream)), slice.range());
        Ok(Reading { member: number, slice, stream, reader, position, range, restarts: 0 })
    }

    /// Has read what is missing of the backfill of the slices that are known.
    pub(super) fn plan_backfill(&mut self) {
        let Some(backfill) = self.definition.slicing().backfill.clone() else { return };
        let live = match self.definition.slicing().parent {
            Some(_) => self.states.keys().filter(|slice| slice.range().is_none()).cloned().collect(),
            None => self.listed.iter().cloned().map(Arc::new).collect::<BTreeSet<_>>(),
        };
        let begun: Vec<_> = self.states.keys().filter(|slice| slice.range().is_some()).cloned().collect();
        let is_wanted = |step: &Arc<Slice>| {
            let overlaps = |range: Range| range.start < backfill.range.end && backfill.range.start < range.end;
            live.contains(&step.without_range()) && step.range().is_some_and(overlaps)
        };
        let begun: Vec<_> = begun.into_iter().filter(is_wanted).collect();
        for slice in live {
            let Some(mut covered) = self.state(&slice).todo.backfill else { continue };
            // What has begun is read to its end as it began.
            let steps = begun.iter().filter(|step| step.without_range() == *slice);
            steps.filter_map(|step| step.range()).for_each(|range| covered.add(range));
            self.backfill.add(slice, covered.missing(backfill.range));
        }
        begun.into_iter().for_each(|step| self.backfill.resume(step));
    }

    /// Takes note of a step that is done.
    pub(super) fn finish(&mut self, step: &Arc<Slice>, range: Range) -> Vec<Change> {
        self.backfill.begun.remove(step);
        let slice = Arc::new(step.without_range());
        let mut state = self.state(&slice);
        if let Some(covered) = &mut state.todo.backfill {
            covered.add(range);
        }
        let nothing = State::at(self.definition.start(None));
        self.keep(step, nothing).into_iter().chain(self.keep(&slice, state)).collect()
    }

    /// Whether the cycle has something to read.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.begun.is_empty()
    }

    /// Takes up the cycle that a root was stopped in the middle of, if it was.
    pub(super) fn resume(&mut self) {
        let states: Vec<&State> = self.listed.iter().filter_map(|slice| self.states.get(slice)).collect();
        let last = states.iter().map(|state| state.todo.finished).max().unwrap_or_default();
        let ended = self.state(&Slice::whole()).todo.finished;
        self.is_marked = last > ended;
        self.cycle = last.max(ended + 1);
        if self.is_marked || states.iter().any(|state| state.position.is_within_a_cycle()) {
            self.begin();
        }
    }

    /// Has a root read what it has not finished in this cycle.
    pub(super) fn begin(&mut self) {
        let is_open = |slice: &Slice| self.state(slice).todo.finished < self.cycle;
        self.waiting = self.listed.iter().filter(|slice| is_open(slice)).cloned().map(Arc::new).collect();
        if self.waiting.is_empty() {
            // The values have changed, and those that are left are all finished.
            self.cycle += 1;
            self.waiting = self.listed.iter().cloned().map(Arc::new).collect();
        }
    }

    /// What ends a cycle of a root.
    pub(super) fn end(&mut self) -> Option<Change> {
        if !std::mem::take(&mut self.is_marked) {
            return None;
        }
        let whole = Arc::new(Slice::whole());
        let mut state = self.state(&whole);
        state.todo.finished = self.cycle;
        self.cycle += 1;
        self.keep(&whole, state)
    }

    /// Has a slice read that a record calls for.
    pub(super) fn call_for(&mut self, slice: Arc<Slice>) -> Option<Change> {
        let mut state = self.state(&slice);
        if let (Some(backfill), None) = (self.backfill_of(&slice), self.states.get(&slice)) {
            let (covered, range) = (Covered::by_live(backfill.range.end), backfill.range);
            self.backfill.add(Arc::clone(&slice), covered.missing(range));
        }
        state.todo.due = match state.todo.due {
            Some(Due::Now | Due::Again) if self.begun.contains(&slice) => Some(Due::Again),
            Some(due @ (Due::Now | Due::Again)) => Some(due),
            None | Some(Due::NextCycle) => {
                self.failed.remove(&slice);
                self.waiting.push_back(Arc::clone(&slice));
                Some(Due::Now)
            }
        };
        self.keep(&slice, state)
    }

    /// Remembers a slice, or no longer if there is nothing to remember of it; `None` if nothing changes.
    pub(super) fn keep(&mut self, slice: &Arc<Slice>, state: State) -> Option<Change> {
        if self.states.get(slice) == Some(&state) {
            return None;
        }
        let is_start = state == State::at(self.definition.start(None));
        let state = (!is_start || slice.is_whole()).then_some(state);
        match &state {
            Some(state) => drop(self.states.insert(Arc::clone(slice), state.clone())),
            None => drop(self.states.remove(slice)),
        }
        Some(Change { stream: self.stream, slice: Arc::clone(slice), state })
    }
}
