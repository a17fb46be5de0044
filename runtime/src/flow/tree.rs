//! A stream and all that are made from its records, children and children of these: read by one task, cycle after cycle.
//!
//! Whatever makes slices is a tree of streams. In a cycle, the root is read once; each record of it, and of the slices below,
//! calls for slices of its stream's children. Slices are read a few at a time; which ones are still to be read stands in
//! the offsets topic from the transaction on that has the record which calls for them, so that after a crash nothing is
//! read again. A cycle ends when there is nothing more to read in the whole tree.
//!
//! A backfill is read beside the cycles and between them, with the requests that they leave.

mod backfill;
mod member;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;

use super::definition::Definition;
use super::demand::Demand;
use super::error_topic::Failure;
use super::instead::Instead;
use super::reader::Reader;
use super::shard::Roots;
use super::state::{Due, State, States};
use super::stream::{Read, Stream, StreamError};
use super::task::{Busy, Change, Delivery, Mode, OnError, Parts};
use crate::clock;
use crate::error::chain;
use crate::operation::ReadPage;
use crate::position::Position;
use crate::slice::{Range, Slice, SliceError};
use member::Member;

/// How many slices of a stream may wait before no more pages of its parent are read. A page can add as many as it has
/// records, so that memory is bounded by this and the size of pages.
const MAX_WAITING: usize = 10_000;

/// A stream that cannot go on.
pub(crate) struct Failed {
    /// The operation's id.
    pub(crate) operation: String,
    pub(crate) source: StreamError,
}

/// A root and all below it.
pub(crate) struct Tree {
    /// Parents before their children; the first is the root.
    members: Vec<Member>,
    /// Pages that are on their way, and pauses before a request is made again.
    reading: JoinSet<Event>,
    /// By what its cycles are asked for.
    demand: Demand,
    /// Whether one page is on its way at most.
    in_order: bool,
}

/// What has come of what was on its way.
enum Event {
    Read(Reading, Box<Result<Instead, StreamError>>),
    /// The pause after a failure is over.
    Paused(Reading),
}

/// How long is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// Until there is nothing more to read in the cycle.
    CycleEnds,
    /// So long, beside the cycles.
    Passed(Duration),
    /// Until there is nothing more to read beside the cycles.
    Drained,
}

/// A slice that is being read.
struct Reading {
    member: usize,
    slice: Arc<Slice>,
    stream: Arc<Stream>,
    reader: Reader,
    position: Position,
    /// What it is a step of the backfill for.
    range: Option<Range>,
    /// How often it has begun again since its last page.
    restarts: u32,
}

/// The trees that grow from the roots of a shard, each with what is remembered of its streams.
pub(crate) fn grow(shard: i32, streams: &[Arc<Definition>], roots: &Roots, states: &[States]) -> Vec<Tree> {
    let mut children: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (child, stream) in streams.iter().enumerate() {
        let parent = stream.slicing().parent.as_deref();
        parent.into_iter().for_each(|parent| children.entry(parent).or_default().push(child));
    }
    roots
        .iter()
        .map(|(root, listed)| {
            let mut members: Vec<Member> = Vec::with_capacity(1);
            let mut found = VecDeque::from([(*root, None)]);
            while let Some((stream, above)) = found.pop_front() {
                let Some(definition) = streams.get(stream) else { continue };
                let number = members.len();
                if let Some(above) = above.and_then(|above: usize| members.get_mut(above)) {
                    above.children.push(number);
                }
                let children = children.get(definition.id()).into_iter().flatten();
                found.extend(children.map(|child| (*child, Some(number))));
                let states = states.get(stream).cloned().unwrap_or_default();
                let listed = if number == 0 { listed.clone() } else { Vec::new() };
                let mut member = Member::new(stream, Arc::clone(definition), listed, states);
                member.plan_backfill();
                members.push(member);
            }
            let demand = members.first().map(|root| root.definition.demands().in_shard(shard)).unwrap_or_default();
            Tree { members, reading: JoinSet::new(), demand, in_order: false }
        })
        .collect()
}

/// A slice that has begun, or one that cannot be.
type Begun = Result<Reading, (Arc<Slice>, SliceError)>;

impl Reading {
    /// Reads its next page when a request of its stream may be made.
    async fn read(mut self, turn: impl Future<Output = Option<OwnedSemaphorePermit>>) -> Event {
        let _turn = turn.await;
        let read = match self.reader.next(&self.position).await {
            Ok(Read::Page(read)) => Ok(read.into()),
            Ok(Read::Large(large)) => self.stream.complete(large).await.map(Instead::from),
            Err(error) => self.stream.instead(&self.position, error),
        };
        Event::Read(self, Box::new(read))
    }
}

impl Tree {
    /// What follows when one of its streams cannot go on.
    pub(crate) fn on_error(&self) -> OnError {
        self.members.first().map_or(OnError::Fail, |root| root.definition.settings().on_error)
    }

    /// Reads cycle after cycle and hands the pages over, until told to stop.
    pub(crate) async fn run(
        mut self,
        mode: Mode,
        deliveries: mpsc::Sender<Delivery>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Failed> {
        self.in_order = mode == Mode::InOrder;
        if let [only] = self.members.as_slice()
            && only.definition.slicing().is_whole()
        {
            return Box::pin(only.run_alone(mode, &self.demand, deliveries, stop)).await;
        }
        let Some(schedule) = self.members.first().map(|root| root.definition.settings().schedule.clone()) else {
            return Ok(());
        };
        // A cycle that was broken off goes on at once, and is not begun anew.
        let mut goes_on = self.resume();
        let mut pause = match mode {
            Mode::Continuous if !goes_on && !self.demand.is_open() => {
                let Some(pause) = schedule.first(clock::now()) else { return Ok(()) };
                Some(pause)
            }
            _ => None,
        };
        loop {
            if let Some(pause) = pause
                && !self.read(Until::Passed(pause), &deliveries, &mut stop).await?
            {
                return Ok(());
            }
            if !std::mem::take(&mut goes_on) {
                self.begin();
            }
            if !self.read(Until::CycleEnds, &deliveries, &mut stop).await? {
                return Ok(());
            }
            pause = schedule.next(clock::now()).filter(|_| mode == Mode::Continuous);
            if pause.is_none() {
                return self.read(Until::Drained, &deliveries, &mut stop).await.map(drop);
            }
        }
    }

    /// Takes up the cycle that was under way; `false` if there was none.
    fn resume(&mut self) -> bool {
        for (number, member) in self.members.iter_mut().enumerate() {
            if number > 0 {
                let due = |state: &State| matches!(state.todo.due, Some(Due::Now | Due::Again));
                member.waiting =
                    member.states.iter().filter(|(_, state)| due(state)).map(|(slice, _)| slice.clone()).collect();
            } else {
                member.resume();
            }
        }
        self.members.iter().any(|member| !member.waiting.is_empty())
    }

    /// Begins a cycle: with the root, and with what has failed in the last one.
    fn begin(&mut self) {
        for (number, member) in self.members.iter_mut().enumerate() {
            member.backfill.retry();
            if number == 0 {
                member.begin();
                continue;
            }
            let has_failed = |state: &State| state.todo.due == Some(Due::NextCycle);
            let failed = member.states.iter().filter(|(_, state)| has_failed(state));
            member.failed = failed.map(|(slice, _)| Arc::clone(slice)).collect();
        }
    }

    /// Takes up what has failed in the last cycle, when there is nothing else to read; `false` if nothing has.
    fn retry(&mut self) -> bool {
        for member in &mut self.members {
            member.waiting.extend(std::mem::take(&mut member.failed));
        }
        self.members.iter().any(|member| !member.waiting.is_empty())
    }

    /// Reads; `false` if told to stop before the time.
    async fn read(
        &mut self,
        until: Until,
        deliveries: &mpsc::Sender<Delivery>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool, Failed> {
        let (demand, mut stopped) = (self.demand.clone(), stop.clone());
        let pause = async move {
            match until {
                Until::Passed(pause) => demand.wait(pause, &mut stopped).await,
                Until::CycleEnds | Until::Drained => std::future::pending().await,
            }
        };
        tokio::pin!(pause);
        loop {
            let delivery = match self.start_reading()? {
                Some(delivery) => delivery,
                None => {
                    match until {
                        Until::CycleEnds if !self.is_busy() => match self.retry() {
                            true => continue,
                            false => return Ok(true),
                        },
                        Until::Drained if self.reading.is_empty() => return Ok(true),
                        _ => {}
                    }
                    let event = tokio::select! {
                        biased;
                        _ = stop.wait_for(|stop| *stop) => {
                            self.reading.abort_all();
                            return Ok(false);
                        }
                        Some(event) = self.reading.join_next() => event,
                        begins = &mut pause => return Ok(begins),
                    };
                    match event {
                        Ok(Event::Read(reading, read)) => {
                            if let Some(member) = self.members.get_mut(reading.member) {
                                member.on_way -= 1;
                            }
                            match *read {
                                Ok(Instead { read, failure }) => Delivery { failure, ..self.take(reading, read) },
                                Err(error) => self.fail(reading, error)?,
                            }
                        }
                        Ok(Event::Paused(reading)) => {
                            self.pause(reading);
                            continue;
                        }
                        // A panic in a task is a defect of ours: let it be seen as one. Nobody cancels the tasks here.
                        Err(error) => std::panic::resume_unwind(error.into_panic()),
                    }
                }
            };
            let ready = clock::instant();
            let member = self.members.iter().find(|member| member.stream == delivery.stream);
            let metrics = member.map(|member| member.definition.metrics().clone());
            if deliveries.send(delivery).await.is_err() {
                return Ok(false);
            }
            metrics.into_iter().for_each(|metrics| metrics.held_up(ready.elapsed()));
        }
    }

    /// Whether the cycle has something to read.
    fn is_busy(&self) -> bool {
        self.members.iter().any(Member::is_busy)
    }

    /// Asks for as many pages as may be on their way, those of the cycle first. If a slice cannot be begun, that is
    /// delivered.
    fn start_reading(&mut self) -> Result<Option<Delivery>, Failed> {
        for next in [Self::next_of_cycle, Self::next_of_backfill] {
            for number in 0..self.members.len() {
                while self.may_ask(number) {
                    let Some(member) = self.members.get_mut(number) else { break };
                    if member.on_way >= member.definition.settings().max_in_flight {
                        break;
                    }
                    match next(member, number) {
                        Some(Ok(reading)) => {
                            member.on_way += 1;
                            self.reading.spawn(reading.read(member.definition.turn()));
                        }
                        Some(Err((slice, error))) => return self.cannot_begin(number, &slice, error.into()).map(Some),
                        None => break,
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether a member may ask for another page.
    fn may_ask(&self, number: usize) -> bool {
        (!self.in_order || self.reading.is_empty()) && !self.is_held_up(number)
    }

    /// What the cycle reads next of a stream.
    fn next_of_cycle(member: &mut Member, number: usize) -> Option<Begun> {
        if let Some(reading) = member.paused.pop_front() {
            return Some(Ok(reading));
        }
        if member.begun.len() >= member.definition.settings().max_in_flight {
            return None;
        }
        let slice = member.waiting.pop_front()?;
        let begun = member.start(number, &slice);
        if begun.is_ok() {
            member.begun.insert(slice);
        }
        Some(begun)
    }

    /// What is read next of a stream's backfill.
    fn next_of_backfill(member: &mut Member, number: usize) -> Option<Begun> {
        if let Some(reading) = member.backfill.paused.pop_front() {
            return Some(Ok(reading));
        }
        if member.backfill.begun.len() >= member.definition.settings().max_in_flight {
            return None;
        }
        let step = member.backfill.next(member.definition.slicing().backfill.as_ref()?)?;
        let begun = member.start(number, &step);
        if begun.is_ok() {
            member.backfill.begun.insert(step);
        }
        Some(begun)
    }

    /// Has a slice go on when its turn comes.
    fn pause(&mut self, reading: Reading) {
        if let Some(member) = self.members.get_mut(reading.member) {
            let paused = if reading.range.is_some() { &mut member.backfill.paused } else { &mut member.paused };
            paused.push_back(reading);
        }
    }

    /// Whether so many slices of a child wait that there should not be more of them now.
    fn is_held_up(&self, number: usize) -> bool {
        let children = self.members.get(number).into_iter().flat_map(|member| &member.children);
        children.filter_map(|child| self.members.get(*child)).any(|child| child.waiting.len() >= MAX_WAITING)
    }

    /// What comes of a page.
    fn take(&mut self, mut reading: Reading, read: ReadPage) -> Delivery {
        let number = reading.member;
        // Whose children its records call for is the slice, whatever step brings them.
        let mut changes = self.call_for(number, &reading.slice.without_range(), &read);
        reading.restarts = 0;
        let Some(member) = self.members.get_mut(number) else { return self.deliver(number, read, changes) };
        let before = member.state(&reading.slice);
        let has_news = !read.page.is_empty() || !read.page.rejected().is_empty() || before.position != read.position;
        tracing::debug!(
            operation = member.definition.id(),
            slice = %reading.slice,
            records = read.page.len(),
            more = read.more,
            "read a page"
        );
        let mut state = State { position: read.position.clone(), ..before };
        let is_listed = number == 0 && !member.definition.slicing().is_whole();
        if read.more {
            reading.position = read.position.clone();
            changes.extend(member.keep(&reading.slice, state));
            self.pause(reading);
        } else if let Some(range) = reading.range {
            changes.extend(member.finish(&reading.slice, range));
        } else {
            member.begun.remove(&reading.slice);
            state.todo.due = match state.todo.due {
                Some(Due::Again) => {
                    member.waiting.push_back(Arc::clone(&reading.slice));
                    Some(Due::Now)
                }
                _ => None,
            };
            if is_listed {
                state.todo.finished = member.cycle;
            }
            let kept = member.keep(&reading.slice, state);
            // That a slice was read without news is not worth a transaction: at worst it is read again.
            if has_news || !is_listed {
                member.is_marked |= is_listed;
                changes.extend(kept);
            }
        }
        self.deliver(number, read, changes)
    }

    /// Has the slices read that the records of a page call for.
    fn call_for(&mut self, number: usize, parent: &Slice, read: &ReadPage) -> Vec<Change> {
        let mut changes = Vec::new();
        let Some(children) = self.members.get(number).map(|member| member.children.clone()) else { return changes };
        for (operation, values) in read.page.children.iter() {
            for child in &children {
                let Some(child) = self.members.get_mut(*child).filter(|child| child.definition.id() == operation)
                else {
                    continue;
                };
                for slice in child.definition.slicing().of_record(parent, values) {
                    changes.extend(child.call_for(Arc::new(slice)));
                }
            }
        }
        changes
    }

    /// What comes of a slice that cannot be read further.
    fn fail(&mut self, mut reading: Reading, error: StreamError) -> Result<Delivery, Failed> {
        let Some(member) = self.members.get_mut(reading.member) else {
            return Err(Failed { operation: String::new(), source: error });
        };
        let OnError::Restart(restart) = member.definition.settings().on_error else {
            return self.cannot_begin(reading.member, &reading.slice, error);
        };
        let (error, operation) = (error.in_slice(&reading.slice), member.definition.id());
        member.definition.metrics().failed();
        let Some(pause) = restart.pause(reading.restarts) else {
            return Err(Failed { operation: operation.to_owned(), source: error });
        };
        tracing::error!(%operation, error = %chain(&error), ?pause, "a slice has failed and begins again");
        reading.restarts += 1;
        let (number, page) = (reading.member, member.definition.empty_page());
        let read = ReadPage { page, position: reading.position.clone(), more: true };
        self.reading.spawn(async move {
            clock::sleep(pause).await;
            Event::Paused(reading)
        });
        let failure = Some(Box::new(Failure::new(&error)));
        Ok(Delivery { failure, ..self.deliver(number, read, Vec::new()) })
    }

    /// What comes of a slice that cannot be read in this cycle.
    fn cannot_begin(&mut self, number: usize, slice: &Arc<Slice>, error: StreamError) -> Result<Delivery, Failed> {
        let Some(member) = self.members.get_mut(number) else {
            return Err(Failed { operation: String::new(), source: error });
        };
        let (error, operation) = (error.in_slice(slice), member.definition.id());
        member.definition.metrics().failed();
        if member.definition.settings().on_error == OnError::Fail {
            return Err(Failed { operation: operation.to_owned(), source: error });
        }
        tracing::error!(%operation, error = %chain(&error), "a request has failed; the next cycle makes it again");
        let failure = Failure::new(&error);
        let mut state = member.state(slice);
        let mut changes = Vec::new();
        if slice.range().is_some() {
            member.backfill.begun.remove(slice);
            member.backfill.failed.insert(Arc::clone(slice));
        } else {
            member.begun.remove(slice);
            if number > 0 {
                state.todo.due = Some(Due::NextCycle);
                changes.extend(member.keep(slice, state.clone()));
            }
        }
        let read = ReadPage { page: member.definition.empty_page(), position: state.position, more: false };
        Ok(Delivery { failure: Some(Box::new(failure)), ..self.deliver(number, read, changes) })
    }

    /// A page on its way; with the last one of a cycle goes what ends it.
    fn deliver(&mut self, number: usize, read: ReadPage, mut changes: Vec<Change>) -> Delivery {
        let in_cycle = self.members.iter().any(|member| member.is_busy() || !member.failed.is_empty());
        let busy = in_cycle || self.members.iter().any(|member| member.backfill.is_busy());
        let stream = self.members.get(number).map_or(0, |member| member.stream);
        let task = self.members.first().map_or(0, |root| root.stream);
        if let Some(root) = self.members.first_mut().filter(|_| !in_cycle) {
            changes.extend(root.end());
        }
        let read = Parts::One(Box::new(read));
        Delivery { stream, read, changes, busy: Busy { task, busy }, failure: None }
    }
}
