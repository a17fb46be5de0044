//! Reads an API into a Kafka of three brokers by three instances that are killed, suspended, stopped and started, while the API fails
//! and the brokers are restarted in turn, and says whether every record is there once and in order:
//!
//! ```console
//! $ cargo run -p headwater-tests --bin chaos -- --streams 30 --records 1000000 --seed 7
//! ```

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;
use headwater_tests::chaos::Chaos;

/// Reads an API into Kafka by instances that are killed, suspended, stopped and started, and says whether every record is there once
/// and in order.
#[derive(Parser)]
struct Arguments {
    /// How many streams there are.
    #[arg(long, default_value_t = 30)]
    streams: usize,
    /// How many records they have together, at least.
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// What decides about everything that happens. Not given: something else each time.
    #[arg(long)]
    seed: Option<u64>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let Arguments { streams, records, seed } = Arguments::parse();
    let drawn = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
    let seed = seed.unwrap_or_else(drawn);
    let mut out = std::io::stdout();
    writeln!(out, "seed {seed}")?;
    let (pause, lull) = (Duration::from_millis(60), Duration::from_secs(8));
    let chaos = Chaos { seed, streams, records, page: 100, pause, lull };
    let Some(outcome) = chaos.run()? else { return Ok(ExitCode::SUCCESS) };
    writeln!(out, "{outcome}")?;
    Ok(if outcome.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
