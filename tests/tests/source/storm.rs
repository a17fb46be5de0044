//! A small fault storm; `fault-storm` of this package makes a large one.

use std::time::SystemTime;

use headwater_tests::real_parts;
use headwater_tests::storm::Storm;

/// What makes a storm again that has failed: its seed.
const SEED: &str = "HEADWATER_STORM_SEED";

#[test]
fn in_a_storm_of_faults_every_record_is_there_once() {
    let Some(parts) = real_parts().unwrap() else { return };
    let drawn = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as u64;
    let seed = std::env::var(SEED).map_or_else(|_| drawn(), |seed| seed.parse().unwrap());
    eprintln!("the faults come from {SEED}={seed}");
    let outcome = Storm { seed, requests: 1_000 }.run(parts).unwrap();
    assert!(outcome.is_complete(), "{SEED}={seed}: {outcome}");
}
