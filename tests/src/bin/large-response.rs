//! Reads one large response into a real Kafka, and says how much memory that took and how many records arrived:
//!
//! ```console
//! $ cargo run -p headwater-tests --bin large-response -- --megabytes 2048 --ceiling-mib 64
//! ```

use std::io::Write;
use std::process::Command;

use clap::Parser;
use headwater_tests::corpus::measure::{Measured, measure};
use headwater_tests::{
    Isolation, LargeApi, LargeBody, RealParts, configuration, consume_each, create_topic, headwater, real_parts,
    unique_name,
};
use serde_json::json;

/// Reads one large response into a real Kafka, and says how much memory that took.
#[derive(Parser)]
struct Arguments {
    /// The size of the response, in MB (10⁶ bytes).
    #[arg(long, default_value_t = 2_000)]
    megabytes: usize,
    /// `memory.max.bytes`, in MiB.
    #[arg(long, default_value_t = 64)]
    ceiling_mib: usize,
}

/// How large a record is, in bytes.
const RECORD: usize = 2_000;

fn record(id: usize) -> String {
    format!("{{\"id\":{id},\"text\":\"{}\"}}", "abcdefghi ".repeat(RECORD / 10 - 3))
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let Some(parts) = real_parts()? else { return Ok(()) };
    writeln!(std::io::stdout(), "{}", compare(parts, &arguments)?)?;
    Ok(())
}

fn compare(parts: &RealParts, arguments: &Arguments) -> Result<String, Failure> {
    let (idle, _) = read(parts, 1, arguments.ceiling_mib)?;
    let records = arguments.megabytes * 1_000_000 / record(0).len();
    let (measured, counted) = read(parts, records, arguments.ceiling_mib)?;
    let (peak, seconds) = (measured.peak_mb(), measured.seconds);
    Ok(format!(
        "{counted} of {records} records, {} MB, in {seconds:.0} s; peak memory {peak} MB, of which {} MB with one record",
        arguments.megabytes,
        idle.peak_mb()
    ))
}

/// Reads a response of so many records, and counts them in Kafka.
fn read(parts: &RealParts, records: usize, ceiling_mib: usize) -> Result<(Measured, usize), Failure> {
    let api = LargeApi::start(LargeBody::array(records, record))?;
    let topic = unique_name("large");
    create_topic(&parts.bootstrap, &topic, 1, &[])?;
    let mut config = configuration(parts, &topic, &api.url());
    config["api1.topics"] = json!(topic);
    config["api1.http.api.path"] = json!("/items");
    config["api1.record.key.json.pointer"] = json!("/id");
    config["api1.http.request.timeout.ms"] = json!(840_000);
    config["output.data.format"] = json!("JSON");
    config["memory.max.bytes"] = json!(ceiling_mib << 20);
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string())?;
    let measured = measure(Command::new(headwater()?).arg("run").arg(&path).arg("--once"))?;
    if !measured.status.success() {
        return Err(measured.output.into());
    }
    let mut counted = 0;
    consume_each(&parts.bootstrap, &topic, Isolation::ReadCommitted, |_| counted += 1)?;
    Ok((measured, counted))
}
