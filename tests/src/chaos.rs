//! Chaos: instances of one source are killed, suspended past their sessions, stopped and started, their API fails, and the brokers are
//! restarted in turn, in an order that a seed draws; and every record is to be there once, in the order of its stream.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::harness::{Cluster, NODES};
use crate::{Answer, Fleet, HarnessError, Instance};

/// How many instances there are mostly, and at most.
const INSTANCES: usize = 3;
const MOST: usize = 5;

/// The session of an instance, which one that is suspended is silent for longer than.
const SESSION: Duration = Duration::from_secs(3);

/// The share of requests that fail, in percent.
const FAULTY: u8 = 3;

/// Only bounds a hang: the time in which nothing more is written.
const SILENCE_LIMIT: Duration = Duration::from_secs(180);

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// What decides about everything that happens.
    pub seed: u64,
    /// How many streams there are.
    pub streams: usize,
    /// How many records they have together, at least.
    pub records: usize,
    /// How many records a page has.
    pub page: usize,
    /// How long a page takes.
    pub pause: Duration,
    /// The longest time between two things that happen.
    pub lull: Duration,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// An instance is killed, and another one started.
    Killed,
    /// An instance is suspended until its session is over, and goes on then.
    Suspended,
    /// An instance comes.
    Added,
    /// An instance is told to stop.
    Removed,
    /// A broker is killed and started again.
    BrokerRestarted,
    /// An instance has ended by itself, and another one is started.
    Ended,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What has happened, and how often.
    pub events: BTreeMap<Event, usize>,
    /// How many requests have failed.
    pub failed_requests: usize,
    /// How many records there should be.
    pub expected: usize,
    /// How many there are.
    pub found: usize,
    /// What is wrong with them.
    pub faults: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// Whether every record is there once, in its order.
    pub fn is_complete(&self) -> bool {
        self.found == self.expected && self.faults.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, failed_requests, expected, found, faults, took } = self;
        writeln!(f, "{events:?}, {failed_requests} requests failed, {:.0} s", took.as_secs_f64())?;
        write!(f, "{found} of {expected} records in Kafka")?;
        match faults.is_empty() {
            true => write!(f, ", each once and in order"),
            false => write!(f, "\n{}", faults.join("\n")),
        }
    }
}

impl Chaos {
    /// Makes it, on a cluster of its own.
    ///
    /// `None` if this machine has no Java or no Maven.
    ///
    /// # Errors
    ///
    /// If the cluster, the API or an instance cannot be started, or nothing more is written for long.
    pub fn run(self) -> Result<Option<Outcome>, HarnessError> {
        let Some(mut cluster) = Cluster::start()? else { return Ok(None) };
        let begun = Instant::now();
        let (failed, faults) = (std::sync::Arc::new(Mutex::new(0_usize)), Mutex::new(Rng::with_seed(self.seed)));
        let counted = std::sync::Arc::clone(&failed);
        let fault = move |_: &crate::Received| {
            let is_faulty = faults.lock().unwrap_or_else(PoisonError::into_inner).u8(..100) < FAULTY;
            is_faulty.then(|| {
                *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                Answer::new(503, "{}")
            })
        };
        let mut fleet = Fleet::with_faults(cluster.bootstrap(), self.streams, self.page, self.pause, Box::new(fault))?;
        fleet.set("consumer.override.session.timeout.ms", &SESSION.as_millis().to_string());
        let of_each = fleet.add(self.records.div_ceil(self.streams));
        let expected = of_each * self.streams;
        let mut instances = Vec::new();
        for _ in 0..INSTANCES {
            instances.push(fleet.start()?);
        }
        let mut outcome = Outcome { expected, ..Outcome::default() };
        let mut rng = Rng::with_seed(self.seed);
        let mut broker = 0;
        let (mut end, mut heard) = (0, Instant::now());
        // What is written grows beyond the number of records: the ends of transactions count as well.
        while end < expected || fleet.total()? < expected {
            self.revive(&mut fleet, &mut instances, &mut outcome)?;
            let event = self.happen(&mut rng, &mut fleet, &mut instances, &mut cluster, &mut broker)?;
            *outcome.events.entry(event).or_default() += 1;
            std::thread::sleep(self.lull.mul_f64(0.1 + 0.9 * rng.f64()));
            fleet.asked();
            let now = fleet.end()?;
            if now > end {
                (end, heard) = (now, Instant::now());
            } else if heard.elapsed() > SILENCE_LIMIT {
                let logs: Vec<_> = instances.iter().map(|instance| instance.said("writes nothing")).collect();
                return Err(HarnessError::Setup(logs.join("\n")));
            }
        }
        for instance in &mut instances {
            if instance.ended()?.is_none() {
                instance.stop()?;
            }
        }
        outcome.faults = fleet.faults()?;
        outcome.found = fleet.total()?;
        outcome.failed_requests = *failed.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.took = begun.elapsed();
        Ok(Some(outcome))
    }

    /// Starts others in place of those that have ended by themselves.
    fn revive(self, fleet: &mut Fleet, instances: &mut [Instance], outcome: &mut Outcome) -> Result<(), HarnessError> {
        for instance in instances {
            if instance.ended()?.is_some() {
                *outcome.events.entry(Event::Ended).or_default() += 1;
                *instance = fleet.start()?;
            }
        }
        Ok(())
    }

    /// Has something happen.
    fn happen(
        self,
        rng: &mut Rng,
        fleet: &mut Fleet,
        instances: &mut Vec<Instance>,
        cluster: &mut Cluster,
        broker: &mut usize,
    ) -> Result<Event, HarnessError> {
        let chosen = rng.usize(..instances.len().max(1));
        loop {
            match rng.u8(..6) {
                0 | 1 => {
                    let Some(instance) = instances.get_mut(chosen) else { continue };
                    instance.kill()?;
                    *instance = fleet.start()?;
                    return Ok(Event::Killed);
                }
                2 => {
                    let Some(instance) = instances.get(chosen) else { continue };
                    instance.signal("STOP")?;
                    std::thread::sleep(SESSION * 2);
                    instance.signal("CONT")?;
                    return Ok(Event::Suspended);
                }
                3 if instances.len() < MOST => {
                    instances.push(fleet.start()?);
                    return Ok(Event::Added);
                }
                4 if instances.len() > 1 => {
                    let mut instance = instances.swap_remove(chosen);
                    if instance.ended()?.is_none() {
                        instance.stop()?;
                    }
                    return Ok(Event::Removed);
                }
                5 => {
                    cluster.restart(*broker)?;
                    *broker = (*broker + 1) % NODES;
                    return Ok(Event::BrokerRestarted);
                }
                _ => {}
            }
        }
    }
}
