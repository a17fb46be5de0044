//! Reads an API that fails a fifth of its requests into a real Kafka, and says whether every record is there once:
//!
//! ```console
//! $ cargo run -p headwater-tests --bin fault-storm -- --requests 10000 --seed 7
//! ```

use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use headwater_tests::real_parts;
use headwater_tests::storm::Storm;

/// Reads an API that fails a fifth of its requests into a real Kafka, and says whether every record is there once.
#[derive(Parser)]
struct Arguments {
    /// How many requests it takes at least.
    #[arg(long, default_value_t = 10_000)]
    requests: usize,
    /// What decides about every fault: the same seed makes the same storm. Not given: another one each time.
    #[arg(long)]
    seed: Option<u64>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let Arguments { requests, seed } = Arguments::parse();
    let Some(parts) = real_parts()? else { return Ok(ExitCode::SUCCESS) };
    let drawn = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
    let seed = seed.unwrap_or_else(drawn);
    let mut out = std::io::stdout();
    writeln!(out, "seed {seed}")?;
    let outcome = Storm { seed, requests }.run(parts)?;
    writeln!(out, "{outcome}")?;
    Ok(if outcome.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
