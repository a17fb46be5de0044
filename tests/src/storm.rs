//! A fault storm: an API that fails a fifth of its requests in every way there is, and a source that reads it into a real
//! Kafka.
//!
//! Whether and how a request fails depends only on the seed, on the page that it asks for, and on how often that page has
//! been asked for before: so a seed makes the same storm again, whatever the order in which requests arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::harness::error::run_to_end;
use crate::scripted::{Answer, Received};
use crate::{
    FaultyApi, HarnessError, Isolation, RealParts, Style, Transport, configuration, consume_each, create_topic,
    headwater, unique_name,
};

/// How many records a page has.
const PAGE: usize = 4;

/// The share of requests that fail.
const FAULTY: f64 = 0.2;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 500, 502, 503, 504, 408 or 425.
    Status,
    /// 429 without `Retry-After`.
    TooMany,
    /// 429 or 503 with `Retry-After` of 0 or 1 seconds.
    RetryAfterSeconds,
    /// The same with a date, in the past.
    RetryAfterDate,
    /// The connection is reset before the request has been read.
    ResetUnread,
    /// The connection ends when it has been.
    Unanswered,
    /// The connection ends in the middle of the content.
    Cut,
    /// Compressed content ends in the middle.
    GzipCut,
    /// The content comes slowly.
    Slow,
    /// The content stops in the middle.
    Stalled,
    /// What should be JSON is not.
    Garbage,
    /// It is a page for browsers.
    Html,
    /// It is the page before.
    Duplicate,
}

impl Fault {
    /// All of them, each as often as it is to be had. What takes long is rare.
    const ALL: [(Self, usize); 13] = [
        (Self::Status, 8),
        (Self::TooMany, 8),
        (Self::RetryAfterSeconds, 8),
        (Self::RetryAfterDate, 8),
        (Self::ResetUnread, 8),
        (Self::Unanswered, 8),
        (Self::Cut, 8),
        (Self::GzipCut, 8),
        (Self::Slow, 8),
        (Self::Stalled, 1),
        (Self::Garbage, 8),
        (Self::Html, 8),
        (Self::Duplicate, 8),
    ];

    fn draw(rng: &mut Rng) -> Self {
        let all = || Self::ALL.iter().flat_map(|(fault, times)| std::iter::repeat_n(*fault, *times));
        all().nth(rng.usize(..all().count())).unwrap_or(Self::Status)
    }
}

/// How large a storm is.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// What decides about every fault.
    pub seed: u64,
    /// How many requests it takes at least.
    pub requests: usize,
}

/// What became of a storm.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many requests came.
    pub requests: usize,
    /// How many of them failed, and how.
    pub faults: BTreeMap<Fault, usize>,
    /// How many records there should be.
    pub expected: usize,
    /// How many of them are there.
    pub found: usize,
    /// How many of them are there more than once.
    pub twice: usize,
    /// The styles whose records are not all there once.
    pub wrong: BTreeSet<Style>,
}

impl Outcome {
    /// Whether every record is there once.
    pub fn is_complete(&self) -> bool {
        self.found == self.expected && self.twice == 0
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { requests, faults, expected, found, twice, wrong } = self;
        let faulty: usize = faults.values().sum();
        writeln!(f, "{requests} requests, {faulty} of which failed: {faults:?}")?;
        write!(f, "{found} of {expected} records in Kafka, {twice} of them more than once")?;
        if wrong.is_empty() { Ok(()) } else { write!(f, ": {wrong:?}") }
    }
}

/// What has been asked for.
#[derive(Default)]
struct Asked {
    /// How often, by style and page.
    times: BTreeMap<(Style, usize), u64>,
    faults: BTreeMap<Fault, usize>,
}

impl Storm {
    /// How many records each style has, so that the requests suffice.
    fn records(self) -> usize {
        // Requests that do not fail ask for a page each, and some that fail bring one all the same.
        let pages = self.requests as f64 * (1.0 - FAULTY * 0.8) / Style::ALL.len() as f64;
        // Nothing but the number of a page tells whether it is the last: not a full one.
        pages.ceil() as usize * PAGE + 1
    }

    /// Reads all of it into Kafka with the `headwater` command, and counts what is there.
    ///
    /// # Errors
    ///
    /// If the command ends with an error, or Kafka cannot be read.
    pub fn run(self, parts: &RealParts) -> Result<Outcome, HarnessError> {
        let asked = Arc::new(Mutex::new(Asked::default()));
        let records = self.records();
        let api = {
            let asked = Arc::clone(&asked);
            FaultyApi::start(move |request: &Received| self.answer(request, &asked))?
        };
        let name = unique_name("storm");
        create_topic(&parts.bootstrap, &name, 3, &[])?;
        let config = config(parts, &name, &api.url());
        let scratch = tempfile::tempdir().map_err(HarnessError::io("making a directory"))?;
        let path = scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).map_err(HarnessError::io("writing the configuration"))?;
        run_to_end("the source", Command::new(headwater()?).arg("run").arg(&path).arg("--once"))?;

        let mut outcome = Outcome { expected: records * Style::ALL.len(), ..Outcome::default() };
        let mut found = BTreeSet::new();
        consume_each(&parts.bootstrap, &name, Isolation::ReadCommitted, |record| {
            let Some((style, id)) = record.value.as_deref().and_then(Style::of_record) else { return };
            if !found.insert((style, id)) {
                outcome.twice += 1;
                outcome.wrong.insert(style);
            }
        })?;
        let of_style = |style| found.range((style, 0)..(style, records)).count();
        outcome.wrong.extend(Style::ALL.into_iter().filter(|style| of_style(*style) < records));
        outcome.found = found.len();
        outcome.requests = api.requests();
        outcome.faults = std::mem::take(&mut asked.lock().unwrap_or_else(PoisonError::into_inner).faults);
        Ok(outcome)
    }

    fn answer(self, request: &Received, asked: &Mutex<Asked>) -> (Answer, Transport) {
        let Some(style) = Style::of(request) else { return (Answer::new(404, "{}"), Transport::Whole) };
        let start = style.start_of(request, PAGE);
        let records = self.records();
        let page = || style.answer(request, records, PAGE, false);
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.times.entry((style, start)).or_default();
        *times += 1;
        let of_request = (style as u64) << 48 | (start as u64) << 16 | *times;
        let mut rng = Rng::with_seed(mixed(mixed(self.seed) ^ of_request));
        if rng.f64() >= FAULTY {
            let transport = if rng.bool() { Transport::Gzip } else { Transport::Whole };
            return (page(), transport);
        }
        let fault = Fault::draw(&mut rng);
        *asked.faults.entry(fault).or_default() += 1;
        drop(asked);
        let statuses = |rng: &mut Rng, of: &[u16]| Answer::new(rng.choice(of).copied().unwrap_or(500), "{}");
        let whole = |answer| (answer, Transport::Whole);
        match fault {
            Fault::Status => whole(statuses(&mut rng, &[408, 425, 500, 502, 503, 504])),
            Fault::TooMany => whole(Answer::new(429, "{}")),
            Fault::RetryAfterSeconds => {
                // Most of them ask for no time: the storm is to end.
                let seconds = if rng.usize(..20) == 0 { "1" } else { "0" };
                whole(statuses(&mut rng, &[429, 503]).header("retry-after", seconds))
            }
            Fault::RetryAfterDate => {
                let past = rng.choice(["Fri, 31 Dec 1999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT"]);
                whole(statuses(&mut rng, &[429, 503]).header("retry-after", past.unwrap_or_default()))
            }
            Fault::ResetUnread => (page(), Transport::ResetUnread),
            Fault::Unanswered => (page(), Transport::Unanswered),
            Fault::Cut => (page(), Transport::Cut),
            Fault::GzipCut => (page(), Transport::GzipCut),
            Fault::Slow => (page(), Transport::Slow),
            Fault::Stalled => (page(), Transport::Stalled),
            Fault::Garbage => whole(Answer::new(200, r#"{"items": [{"id": 1, "ne"#)),
            Fault::Html => whole(Answer::of(200, "text/html", "<html>Back soon</html>")),
            Fault::Duplicate => whole(style.answer_before(request, records, PAGE)),
        }
    }
}

/// A number with all its bits mixed, so that neighbours have nothing in common (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A source that reads every style, and does not give up.
fn config(parts: &RealParts, name: &str, api: &str) -> Value {
    let mut config = configuration(parts, name, api);
    let Some(members) = config.as_object_mut() else { return config };
    let more = json!({
        "apis.num": Style::ALL.len().to_string(),
        "output.data.format": "JSON",
        "http.circuit.breaker.pause.ms": "10",
        "behavior.on.error": "RESTART",
        "stream.restart.max": "1000",
        "stream.restart.backoff.ms": "1",
        "stream.restart.backoff.max.ms": "2",
    });
    let Value::Object(more) = more else { return config };
    members.extend(more);
    for (number, style) in (1..).zip(Style::ALL) {
        members.extend(style.properties(number, PAGE));
        for (property, value) in [
            ("topics", name),
            ("max.retries", "1000"),
            ("retry.backoff.ms", "1"),
            ("retry.backoff.max.ms", "10"),
            ("http.request.timeout.ms", "2000"),
        ] {
            members.insert(format!("api{number}.{property}"), json!(value));
        }
    }
    config
}
