//! The task of one stream: cycle after cycle, page after page.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::{mpsc, watch};

use super::demand::Demand;
use super::error_topic::Failure;
use super::instead::Instead;
use super::reader::Reader;
use super::state::State;
use super::stream::{Read, Stream, StreamError};
use crate::clock;
use crate::error::chain;
use crate::operation::{PageOutcome, ReadPage};
use crate::page::Page;
use crate::position::Position;
use crate::slice::Slice;

/// A page on its way to Kafka.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Which stream it belongs to.
    pub(crate) stream: usize,
    pub(crate) read: Parts,
    /// What the slices of this stream and of others come to with the page.
    pub(crate) changes: Vec<Change>,
    /// Whether more is on its way from who has sent this: the stream named here reads for others too.
    pub(crate) busy: Busy,
    /// What has failed in place of a page; `read` is then empty.
    pub(crate) failure: Option<Box<Failure>>,
}

/// A page, whole or in parts.
#[derive(Debug)]
pub(crate) enum Parts {
    One(Box<ReadPage>),
    /// Its parts as they come, of a stream without slices. If they end without an end of the page, none of them counts.
    Several(mpsc::Receiver<Part>),
}

/// A part of a page.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) page: Page,
    /// What follows the page, if this is its last part.
    pub(crate) end: Option<PageOutcome>,
}

/// Whether a task has more under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    /// The stream that the task began with.
    pub(crate) task: usize,
    pub(crate) busy: bool,
}

/// What the offsets topic holds of a slice from a page on.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) stream: usize,
    pub(crate) slice: Arc<Slice>,
    /// `None`: nothing any more.
    pub(crate) state: Option<State>,
}

impl Change {
    /// That a stream without slices stands somewhere else.
    pub(crate) fn of_whole(stream: usize, position: Position) -> Self {
        Self { stream, slice: Arc::new(Slice::whole()), state: Some(State::at(position)) }
    }
}

/// When a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When it is told to stop.
    Continuous,
    /// After one cycle, and after the backfill.
    Once,
    /// The same, but the streams are read one after the other, and one page at a time, so that what is written comes in the
    /// same order every time.
    InOrder,
}

/// What follows when a stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The connector stops.
    Fail,
    /// It is told, and the next cycle tries again.
    Ignore,
    /// The stream begins again at its position; if it does not help, the other streams go on without it.
    Restart(Restart),
}

/// How a stream begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// How often without a page in between.
    pub max: u32,
    /// The pause before the first time; it doubles each time.
    pub pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

impl Restart {
    /// The pause before the restart of this number, counted from 0; `None` if there have been enough.
    pub(super) fn pause(&self, number: u32) -> Option<Duration> {
        let factor = 1_u32.checked_shl(number).unwrap_or(u32::MAX);
        (number < self.max).then(|| self.pause.saturating_mul(factor).min(self.max_pause))
    }
}

/// Reads `stream` from `position` on and hands its pages over, until told to stop. A full channel holds it up: that is
/// the backpressure from Kafka to HTTP.
pub(crate) async fn run(
    index: usize,
    stream: Arc<Stream>,
    mut position: Position,
    mode: Mode,
    demand: &Demand,
    deliveries: mpsc::Sender<Delivery>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StreamError> {
    // A cycle that was broken off goes on at once, or begins anew where it counts what all of its pages hold.
    let was_broken_off = position.is_within_a_cycle();
    if was_broken_off && stream.snapshot.is_some() {
        position = stream.start();
    }
    if mode == Mode::Continuous && !was_broken_off && !demand.is_open() {
        let Some(pause) = stream.schedule.first(clock::now()) else { return Ok(()) };
        if !demand.wait(pause, &mut stop).await {
            return Ok(());
        }
    }
    let mut reader = Reader::new(Arc::clone(&stream));
    let (mut restarts, mut empty_cycles, mut rng) = (0, 0, Rng::new());
    let mut is_empty = true;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = reader.await_room() => {}
        }
        // What reads a page is large, and made only when there is room for a response: of thousands of streams that wait
        // for their turn each takes little.
        let taken = match Box::pin(turn(index, &stream, &mut reader, &position, &deliveries, &mut stop)).await {
            Ok(taken) => {
                restarts = 0;
                taken
            }
            Err(error) => {
                stream.metrics.failed();
                let nothing = ReadPage { page: Page::new(&stream.wire), position: position.clone(), more: false };
                let failure = Some(Box::new(Failure::new(&error)));
                if let Some(snapshot) = &stream.snapshot {
                    position = stream.start();
                    Box::pin(snapshot.begin_cycle()).await;
                }
                let busy = Busy { task: index, busy: false };
                let read = Parts::One(Box::new(nothing));
                let delivery = Delivery { stream: index, read, changes: Vec::new(), busy, failure };
                let is_over = deliveries.send(delivery).await.is_err();
                let (operation, shown) = (&stream.facts().id, chain(&error));
                let pause = match stream.on_error {
                    _ if is_over => return Err(error),
                    OnError::Fail => return Err(error),
                    OnError::Ignore => {
                        tracing::error!(%operation, error = shown, "a request has failed; the next cycle makes it again");
                        stream.schedule.next(clock::now()).filter(|_| mode == Mode::Continuous)
                    }
                    OnError::Restart(restart) => {
                        let Some(pause) = restart.pause(restarts) else { return Err(error) };
                        restarts += 1;
                        tracing::error!(%operation, error = shown, ?pause, "the stream has failed and begins again");
                        Some(pause)
                    }
                };
                match pause {
                    Some(pause) if demand.wait(pause, &mut stop).await => continue,
                    _ => return Ok(()),
                }
            }
        };
        let Some(Taken { outcome: PageOutcome { position: after, more }, is_empty: page_is_empty }) = taken else {
            return Ok(());
        };
        position = after;
        is_empty &= page_is_empty;
        tracing::debug!(operation = %stream.facts().id, more, "read a page");
        if more {
            continue;
        }
        empty_cycles = if std::mem::replace(&mut is_empty, true) { empty_cycles + 1 } else { 0 };
        let Some(pause) = stream.schedule.next(clock::now()).filter(|_| mode == Mode::Continuous) else {
            return Ok(());
        };
        let pause = stream.pace.pause(&stream.schedule, pause, empty_cycles, &mut rng);
        if !demand.wait(pause, &mut stop).await {
            return Ok(());
        }
    }
}

/// A page that has been taken.
struct Taken {
    outcome: PageOutcome,
    is_empty: bool,
}

/// Reads the page that `position` stands before, and hands it over; `None`: told to stop, or nobody takes it.
async fn turn(
    index: usize,
    stream: &Stream,
    reader: &mut Reader,
    position: &Position,
    deliveries: &mpsc::Sender<Delivery>,
    stop: &mut watch::Receiver<bool>,
) -> Result<Option<Taken>, StreamError> {
    let read = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => return Ok(None),
        read = reader.next(position) => read,
    };
    let (read, failure) = match read {
        Ok(read) => (read, None),
        Err(error) => {
            let Instead { read, failure } = stream.instead(position, error)?;
            (Read::Page(read), failure)
        }
    };
    let (outcome, is_empty) = match read {
        Read::Page(read) => {
            let (is_empty, ready) = (read.page.is_empty(), clock::instant());
            if let (Some(snapshot), Some(_)) = (&stream.snapshot, &failure) {
                // What was left out may be any records.
                snapshot.doubt().await?;
            }
            let outcome = stream.hand_over(index, position, read, failure, deliveries).await;
            stream.metrics.held_up(ready.elapsed());
            (outcome?, is_empty)
        }
        Read::Large(large) => {
            let outcome = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(None),
                outcome = stream.deliver(index, large, deliveries) => outcome?,
            };
            (outcome, false)
        }
    };
    Ok(outcome.map(|outcome| Taken { outcome, is_empty }))
}

/// Hands a page over, or with `failure` what stands in its place; `None`: nobody takes it.
pub(super) async fn hand_over(
    stream: usize,
    read: ReadPage,
    failure: Option<Box<Failure>>,
    deliveries: &mpsc::Sender<Delivery>,
) -> Result<Option<PageOutcome>, StreamError> {
    let outcome = PageOutcome { position: read.position.clone(), more: read.more };
    let changes = vec![Change::of_whole(stream, read.position.clone())];
    let busy = Busy { task: stream, busy: read.more };
    let delivery = Delivery { stream, read: Parts::One(Box::new(read)), changes, busy, failure };
    Ok(deliveries.send(delivery).await.is_ok().then_some(outcome))
}
