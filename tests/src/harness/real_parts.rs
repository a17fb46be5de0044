//! The parts as a test sees them.

use std::env::VarError;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::error::tail_of;
use super::process::TICK;
use super::registry::{REGISTRY_VERSION, native_beside};
use super::supervisor::{Addresses, IDLE_LIMIT, Installation, Meeting};
use super::{FileLock, HarnessError, KAFKA_VERSION, available, say};

/// A real Kafka and a real schema registry that stay up as long as this process lives.
///
/// All test binaries of a run share them: use names of your own, see [`crate::unique_name`].
#[derive(Debug)]
pub struct RealParts {
    /// `host:port` of Kafka, for `bootstrap.servers`.
    pub bootstrap: String,
    /// Base URL of the registry's Confluent-compatible API.
    pub registry: String,
    /// Base URL of the registry's own API, if it is Apicurio's: always, unless the environment names another registry.
    pub registry_native: Option<String>,
    // Held, never read: the supervisor stops when nobody holds one.
    _lease: Option<FileLock>,
}

/// The parts, started by the first process that asks.
///
/// `None` if this machine has no Java or no Maven, after one line on stderr: the test returns. An error (a download
/// that fails, a part that does not come up) is a failure of the test and says why.
///
/// With `HEADWATER_TEST_BOOTSTRAP` and `HEADWATER_TEST_REGISTRY` (the base URL of a Confluent-compatible API) in the
/// environment, those are used and nothing is started.
pub fn real_parts() -> Result<Option<&'static RealParts>, &'static HarnessError> {
    static PARTS: OnceLock<Result<RealParts, HarnessError>> = OnceLock::new();
    available(PARTS.get_or_init(RealParts::find_or_start))
}

impl RealParts {
    fn find_or_start() -> Result<Self, HarnessError> {
        if let Some(given) = from_environment()? {
            return Ok(given);
        }
        Installation::prepare()?;
        let meeting = Meeting::new()?;
        // The lease comes first: with it in hand, a supervisor that is alive does not stop for want of use.
        let lease = FileLock::shared(&meeting.lease())?;
        let _start = FileLock::exclusive(&meeting.start())?;
        let (verb, addresses) = match running(&meeting)? {
            Some(addresses) => ("using", addresses),
            None => ("started", start(&meeting)?),
        };
        say(&format!(
            "{verb} Apache Kafka {KAFKA_VERSION} at {} and Apicurio Registry {REGISTRY_VERSION} at {}; \
             they stop {} s after the last test",
            addresses.bootstrap,
            addresses.registry,
            IDLE_LIMIT.as_secs(),
        ));
        Ok(Self {
            bootstrap: addresses.bootstrap,
            registry: addresses.registry,
            registry_native: Some(addresses.registry_native),
            _lease: Some(lease),
        })
    }
}

fn from_environment() -> Result<Option<RealParts>, HarnessError> {
    let variable = |name: &str| match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(error) => Err(HarnessError::Setup(format!("{name}: {error}"))),
    };
    match (variable("HEADWATER_TEST_BOOTSTRAP")?, variable("HEADWATER_TEST_REGISTRY")?) {
        (Some(bootstrap), Some(registry)) => {
            let registry = registry.trim_end_matches('/').to_owned();
            Ok(Some(RealParts { bootstrap, registry_native: native_beside(&registry), registry, _lease: None }))
        }
        (None, None) => Ok(None),
        _ => Err(HarnessError::Setup(
            "HEADWATER_TEST_BOOTSTRAP and HEADWATER_TEST_REGISTRY go together: set both or none".to_owned(),
        )),
    }
}

/// The addresses that a living supervisor has published, after waiting for them; `None` if none is alive.
fn running(meeting: &Meeting) -> Result<Option<Addresses>, HarnessError> {
    while FileLock::is_held(&meeting.alive())? {
        if let Some(addresses) = published(meeting) {
            return Ok(Some(addresses));
        }
        // It is still starting for a process that was killed, or just stopping.
        std::thread::sleep(TICK);
    }
    Ok(None)
}

/// Starts a supervisor and waits for what it publishes. The caller holds the start lock.
fn start(meeting: &Meeting) -> Result<Addresses, HarnessError> {
    meeting.withdraw()?;
    let mut supervisor = spawn_supervisor(meeting)?;
    // No time limit here: the supervisor has its own and ends with an error.
    loop {
        if let Some(addresses) = published(meeting) {
            return Ok(addresses);
        }
        let ended = supervisor.try_wait().map_err(HarnessError::io("watching the supervisor"))?;
        if let Some(status) = ended {
            return Err(HarnessError::Part {
                name: "the supervisor of Kafka and the registry".to_owned(),
                reason: format!("ended ({status})"),
                tail: tail_of(&meeting.log()),
            });
        }
        std::thread::sleep(TICK);
    }
}

fn published(meeting: &Meeting) -> Option<Addresses> {
    Addresses::from_json(&std::fs::read_to_string(meeting.state()).ok()?)
}

fn spawn_supervisor(meeting: &Meeting) -> Result<Child, HarnessError> {
    let failed = || HarnessError::io("starting the supervisor");
    let log = File::create(meeting.log()).map_err(failed())?;
    let mut command = Command::new(supervisor_binary()?);
    // A process group of its own and no stream of ours: it outlives this process, and whoever reads our output to its
    // end does not wait for it.
    command.arg("--supervise").process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed())?).stderr(log);
    command.spawn().map_err(failed())
}

/// `real-parts`, which cargo builds before the integration tests of this package, beside or above them.
fn supervisor_binary() -> Result<PathBuf, HarnessError> {
    let executable = std::env::current_exe().map_err(HarnessError::io("finding the running executable"))?;
    let name = format!("real-parts{}", std::env::consts::EXE_SUFFIX);
    let candidates = executable.ancestors().skip(1).take(2).map(|directory| directory.join(&name));
    candidates.into_iter().find(|candidate| candidate.is_file()).ok_or_else(|| {
        HarnessError::Setup(format!(
            "no `{name}` near {}: run `cargo build -p headwater-tests --bin real-parts` first",
            executable.display()
        ))
    })
}
