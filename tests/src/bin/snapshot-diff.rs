//! Reads a list into a real Kafka, drops some of it, reads it again, and says how many tombstones that made, how long it
//! took, and how much memory:
//!
//! ```console
//! $ cargo run -p headwater-tests --bin snapshot-diff -- --records 1000000 --drop 10 --ceiling-mib 64
//! ```

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use headwater_tests::corpus::measure::{Measured, measure};
use headwater_tests::{
    Answer, Isolation, RealParts, Received, ScriptedApi, configuration, consume_each, create_topic, headwater,
    real_parts, unique_name,
};
use serde_json::json;

/// Reads a list twice, and says what became of what was dropped in between.
#[derive(Parser)]
struct Arguments {
    /// How many records the API has at first.
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// How many of them are gone when it is read again.
    #[arg(long, default_value_t = 10)]
    drop: usize,
    /// `memory.max.bytes`, in MiB.
    #[arg(long, default_value_t = 64)]
    ceiling_mib: usize,
}

/// How many records a page has.
const PAGE: usize = 5_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let Some(parts) = real_parts()? else { return Ok(()) };
    writeln!(std::io::stdout(), "{}", compare(parts, &arguments)?)?;
    Ok(())
}

/// What stands in the topic, and what it took.
struct ReadTwice {
    records: usize,
    tombstones: usize,
    first: Measured,
    second: Measured,
}

fn compare(parts: &RealParts, arguments: &Arguments) -> Result<String, Failure> {
    let idle = read_twice(parts, &Arguments { records: 1, drop: 0, ..*arguments })?;
    let read = read_twice(parts, arguments)?;
    let shown = |measured: &Measured| format!("{:.0} s, peak memory {} MB", measured.seconds, measured.peak_mb());
    Ok(format!(
        "{} of {} records in {}; after {} were dropped, {} tombstones in {}; peak memory with one record {} MB",
        read.records,
        arguments.records,
        shown(&read.first),
        arguments.drop,
        read.tombstones,
        shown(&read.second),
        idle.first.peak_mb()
    ))
}

/// Reads the list, drops some of it, and reads it again.
fn read_twice(parts: &RealParts, arguments: &Arguments) -> Result<ReadTwice, Failure> {
    let (records, step) = (arguments.records, arguments.records / arguments.drop.max(1));
    let is_dropped = Arc::new(AtomicBool::new(false));
    let dropped = Arc::clone(&is_dropped);
    let gone = arguments.drop;
    let api = ScriptedApi::start(move |request: &Received| {
        let from = (request.number("page") - 1) * PAGE;
        let is_gone = |id: usize| dropped.load(Ordering::Relaxed) && id.is_multiple_of(step) && id / step < gone;
        let page: Vec<String> = (from..records.min(from + PAGE))
            .filter(|id| !is_gone(*id))
            .map(|id| format!("{{\"id\":\"key-{id:012}\",\"name\":\"number {id}\"}}"))
            .collect();
        let pages = records.div_ceil(PAGE).to_string();
        Answer::of(200, "application/json", format!("[{}]", page.join(","))).header("x-pages", &pages)
    })?;
    let topic = unique_name("snapshot");
    create_topic(&parts.bootstrap, &topic, 1, &[])?;
    let mut config = configuration(parts, &topic, &api.url());
    config["api1.topics"] = json!(topic);
    config["api1.http.api.path"] = json!("/items");
    config["api1.record.key.json.pointer"] = json!("/id");
    config["api1.http.pagination.type"] = json!("PAGE");
    config["api1.http.pagination.total.pages"] = json!("header:x-pages");
    config["api1.snapshot.output"] = json!("CHANGES");
    config["output.data.format"] = json!("JSON");
    config["memory.max.bytes"] = json!(arguments.ceiling_mib << 20);
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("source.json");
    std::fs::write(&path, config.to_string())?;
    let run = || -> Result<Measured, Failure> {
        let measured = measure(Command::new(headwater()?).arg("run").arg(&path).arg("--once"))?;
        if measured.status.success() { Ok(measured) } else { Err(measured.output.into()) }
    };
    let first = run()?;
    is_dropped.store(true, Ordering::Relaxed);
    let second = run()?;
    let (mut records, mut tombstones) = (0, 0);
    consume_each(&parts.bootstrap, &topic, Isolation::ReadCommitted, |record| match record.value {
        Some(_) => records += 1,
        None => tombstones += 1,
    })?;
    Ok(ReadTwice { records, tombstones, first, second })
}
