//! Measures several instances of one source on a real Kafka, and many streams in one, and prints the figures:
//!
//! ```console
//! $ cargo run --release -p headwater-tests --bin scale -- recovery
//! $ cargo run --release -p headwater-tests --bin scale -- rolling
//! $ cargo run --release -p headwater-tests --bin scale -- curve
//! $ cargo run --release -p headwater-tests --bin scale -- streams
//! ```

use std::io::Write;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use headwater_tests::{Fleet, Instance, real_parts};

/// Measures several instances of one source on a real Kafka, and many streams in one.
#[derive(Parser)]
struct Arguments {
    /// What is measured
    #[arg(value_enum)]
    what: What,
    /// How many streams there are, where these are measured
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// From the restart of the only instance after it was killed to its first new record
    Recovery,
    /// Three instances that are restarted one after the other
    Rolling,
    /// The throughput of one, two and four instances
    Curve,
    /// The start and the memory of one instance with many streams
    Streams,
}

type Failure = Box<dyn std::error::Error>;

/// How many streams there are where it does not matter, and the records of a page.
const STREAMS: usize = 16;
const PAGE: usize = 100;

/// How many streams are few, of those that an idle one is measured by.
const FEW: usize = 100;

fn main() -> Result<(), Failure> {
    let Some(parts) = real_parts()? else { return Ok(()) };
    let mut out = std::io::stdout();
    let Arguments { what, streams: count } = Arguments::parse();
    match what {
        What::Recovery => recovery(&parts.bootstrap, &mut out),
        What::Rolling => rolling(&parts.bootstrap, &mut out),
        What::Curve => curve(&parts.bootstrap, &mut out),
        What::Streams => streams(&parts.bootstrap, count, &mut out),
    }
}

/// A source whose instances have the session that they have by default.
fn fleet(bootstrap: &str, streams: usize, pause: Duration) -> Result<Fleet, Failure> {
    let mut fleet = Fleet::new(bootstrap, streams, PAGE, pause)?;
    fleet.unset("consumer.override.session.timeout.ms");
    Ok(fleet)
}

fn recovery(bootstrap: &str, out: &mut impl Write) -> Result<(), Failure> {
    let mut fleet = fleet(bootstrap, STREAMS, Duration::ZERO)?;
    let mut instance = fleet.start()?;
    fleet.await_shared(&mut [&mut instance])?;
    let before = fleet.add(10 * PAGE) * STREAMS;
    fleet.await_total(before)?;
    instance.kill()?;
    fleet.add(PAGE);
    let begun = Instant::now();
    let _again = fleet.start()?;
    while fleet.total()? == before {
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = begun.elapsed().as_secs_f64();
    writeln!(out, "first new record {took:.1} s after the restart, the session of 6 s included")?;
    Ok(())
}

fn rolling(bootstrap: &str, out: &mut impl Write) -> Result<(), Failure> {
    let mut fleet = fleet(bootstrap, STREAMS, Duration::from_millis(50))?;
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(fleet.start()?);
    }
    let shared = |fleet: &Fleet, instances: &mut Vec<Instance>| {
        fleet.await_shared(&mut instances.iter_mut().collect::<Vec<_>>()).map(drop)
    };
    shared(&fleet, &mut instances)?;
    // More than is read meanwhile.
    fleet.add(1_000_000);
    for number in 0..instances.len() {
        instances[number].stop()?;
        instances[number] = fleet.start()?;
        shared(&fleet, &mut instances)?;
        let sum = |name: &str| instances.iter().map(|instance| instance.metric(name)).sum::<f64>();
        let mean = |name: &str| sum(&format!("{name}_sum")) / sum(&format!("{name}_count")).max(1.0);
        let (handover, takeover) = (mean("headwater_shard_handover_seconds"), mean("headwater_shard_takeover_seconds"));
        writeln!(
            out,
            "instance {}: handover {handover:.3} s, takeover {takeover:.3} s, on average so far",
            number + 1
        )?;
    }
    for instance in &mut instances {
        instance.stop()?;
    }
    let twice = fleet.written()?.values().filter(|ids| ids.iter().enumerate().any(|(at, id)| at != *id)).count();
    let pause = fleet.longest_pause()?.as_secs_f64();
    writeln!(
        out,
        "{} records, {twice} streams with a gap or a duplicate, no stream paused for longer than {pause:.1} s",
        fleet.total()?
    )?;
    Ok(())
}

fn curve(bootstrap: &str, out: &mut impl Write) -> Result<(), Failure> {
    const RECORDS: usize = 400_000;
    for count in [1, 2, 4] {
        let mut fleet = fleet(bootstrap, STREAMS, Duration::ZERO)?;
        let mut instances = Vec::new();
        for _ in 0..count {
            instances.push(fleet.start()?);
        }
        let shared = fleet.await_shared(&mut instances.iter_mut().collect::<Vec<_>>())?;
        let begun = Instant::now();
        let expected = fleet.add(RECORDS / STREAMS) * STREAMS;
        while fleet.end()? < expected {
            std::thread::sleep(Duration::from_millis(20));
        }
        fleet.await_total(expected)?;
        let rate = expected as f64 / begun.elapsed().as_secs_f64();
        let has: Vec<_> = shared.iter().map(std::collections::BTreeSet::len).collect();
        writeln!(out, "{count} processes: {rate:.0} records/s, shards {has:?}")?;
    }
    Ok(())
}

fn streams(bootstrap: &str, count: usize, out: &mut impl Write) -> Result<(), Failure> {
    let mut measured = Vec::new();
    // The few are enough for every shard to have some: what a shard takes is no part of what a stream does.
    for count in [FEW, count] {
        let mut fleet = fleet(bootstrap, count, Duration::ZERO)?;
        fleet.set_each("request.interval.ms", "3600000");
        let begun = Instant::now();
        let mut instance = fleet.start()?;
        let mut asked = 0;
        while asked < count {
            std::thread::sleep(Duration::from_millis(20));
            asked += fleet.asked();
        }
        let took = begun.elapsed().as_secs_f64();
        fleet.await_shared(&mut [&mut instance])?;
        // What was needed to start is given back.
        std::thread::sleep(Duration::from_secs(5));
        let (memory, sockets) = footprint(instance.process())?;
        writeln!(
            out,
            "{count} streams: all asked {took:.1} s after the start, {memory} KiB resident, {sockets} connections"
        )?;
        measured.push((count, memory));
    }
    if let [(few, less), (many, more)] = measured[..] {
        let each = more.saturating_sub(less) as f64 / (many - few) as f64;
        writeln!(out, "{each:.1} KiB for each idle stream")?;
    }
    Ok(())
}

/// How much memory a process has, in KiB, and how many sockets.
fn footprint(process: u32) -> Result<(u64, usize), Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let mut sockets = 0;
    for file in std::fs::read_dir(format!("/proc/{process}/fd"))? {
        let target = std::fs::read_link(file?.path()).unwrap_or_default();
        sockets += usize::from(target.to_string_lossy().starts_with("socket:"));
    }
    Ok((resident.unwrap_or_default(), sockets))
}
