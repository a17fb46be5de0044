//! Brings up a real Apache Kafka and a real Apicurio Registry, on free ports, until Ctrl-C or SIGTERM:
//!
//! ```console
//! $ cargo run -p headwater-tests --bin real-parts
//! bootstrap servers      127.0.0.1:40021
//! registry (Confluent)   http://127.0.0.1:40023/apis/ccompat/v7
//! registry (Apicurio)    http://127.0.0.1:40023/apis/registry/v3
//! ...
//! ```
//!
//! Nothing has to be installed but Java 17 and Maven, which fetches the parts on first use. Their data lives in a
//! temporary directory and goes when they stop.
//!
//! Tests start the same binary with `--supervise`, which serves them through files in the target directory instead: see
//! [`headwater_tests::harness`].

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_tests::harness::{Addresses, hold, supervise};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
Brings up a real Apache Kafka and a real Apicurio Registry until Ctrl-C or SIGTERM.

Usage: real-parts [--supervise]

  --supervise  serve test processes through files in the target directory; stop when none is left
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stop = match stop_on_signal() {
        Ok(stop) => stop,
        Err(error) => return failed(&format!("watching for signals: {error}")),
    };
    let ended = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => hold(&stop, announce),
        ["--supervise"] => supervise(&stop),
        ["--help" | "-h"] => {
            print(USAGE);
            return ExitCode::SUCCESS;
        }
        _ => return failed(USAGE),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

fn announce(addresses: &Addresses) {
    let Addresses { bootstrap, registry, registry_native } = addresses;
    print(&format!(
        "\
bootstrap servers      {bootstrap}
registry (Confluent)   {registry}
registry (Apicurio)    {registry_native}

For tests against these: export HEADWATER_TEST_BOOTSTRAP={bootstrap} HEADWATER_TEST_REGISTRY={registry}
Ctrl-C stops both.
"
    ));
}

/// A flag that is set when this process is asked to end. The main thread stays free for the parts, which end with it.
fn stop_on_signal() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let guard = runtime.enter();
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    drop(guard);
    std::thread::spawn(move || {
        let [interrupt, terminate, hangup] = &mut signals;
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        asked.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}

fn print(text: &str) {
    // Nothing to be done if nobody listens.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn failed(reason: &str) -> ExitCode {
    let _ = std::io::stderr().write_all(format!("{reason}\n").as_bytes());
    ExitCode::FAILURE
}
