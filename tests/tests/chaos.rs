//! A small chaos; `chaos` of this package makes a large one.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::time::{Duration, SystemTime};

use headwater_tests::chaos::Chaos;

/// What has the same things happen again: the seed.
const SEED: &str = "HEADWATER_CHAOS_SEED";

#[test]
fn in_chaos_every_record_is_there_once_and_in_order() {
    let drawn = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as u64;
    let seed = std::env::var(SEED).map_or_else(|_| drawn(), |seed| seed.parse().unwrap());
    eprintln!("what happens comes from {SEED}={seed}");
    let (pause, lull) = (Duration::from_millis(20), Duration::from_secs(3));
    let chaos = Chaos { seed, streams: 30, records: 30_000, page: 20, pause, lull };
    let Some(outcome) = chaos.run().unwrap() else { return };
    eprintln!("{outcome}");
    assert!(outcome.is_complete(), "{SEED}={seed}: {outcome}");
}
