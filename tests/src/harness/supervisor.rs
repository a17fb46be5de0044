//! The process that owns the parts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::directory::{create, remove, write};
use super::java::Java;
use super::kafka::{self, KAFKA_VERSION, Kafka};
use super::process::TICK;
use super::registry::{self, REGISTRY_VERSION, Registry};
use super::{FileLock, HarnessError, harness_directory};

/// How long the parts stay up after the last lease is gone.
pub(crate) const IDLE_LIMIT: Duration = Duration::from_secs(20);

/// How long they stay up at most, whatever the leases say.
const LIFETIME_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// Where the parts are reached.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// `host:port` of Kafka, for `bootstrap.servers`.
    pub bootstrap: String,
    /// Base URL of the registry's Confluent-compatible API.
    pub registry: String,
    /// Base URL of the registry's own API.
    pub registry_native: String,
}

impl Addresses {
    fn to_json(&self) -> String {
        let Self { bootstrap, registry, registry_native } = self;
        json!({ "bootstrap": bootstrap, "registry": registry, "registry_native": registry_native }).to_string()
    }

    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            bootstrap: field("bootstrap")?,
            registry: field("registry")?,
            registry_native: field("registry_native")?,
        })
    }
}

/// The files through which a supervisor and its clients meet.
#[derive(Debug)]
pub(crate) struct Meeting {
    directory: PathBuf,
}

impl Meeting {
    /// For these versions of the parts: another checkout that shares the target directory may use others.
    pub(crate) fn new() -> Result<Self, HarnessError> {
        let directory = harness_directory()?.join(format!("run-{KAFKA_VERSION}-{REGISTRY_VERSION}"));
        create(&directory)?;
        Ok(Self { directory })
    }

    pub(crate) fn lease(&self) -> PathBuf {
        self.directory.join("lease.lock")
    }

    pub(crate) fn start(&self) -> PathBuf {
        self.directory.join("start.lock")
    }

    pub(crate) fn alive(&self) -> PathBuf {
        self.directory.join("alive.lock")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.join("state.json")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("supervisor.log")
    }

    fn parts(&self) -> PathBuf {
        self.directory.join("parts")
    }

    fn publish(&self, addresses: &Addresses) -> Result<(), HarnessError> {
        let unfinished = self.directory.join("state.json.part");
        write(&unfinished, &addresses.to_json())?;
        std::fs::rename(&unfinished, self.state()).map_err(HarnessError::io("publishing the addresses"))
    }

    pub(crate) fn withdraw(&self) -> Result<(), HarnessError> {
        match std::fs::remove_file(self.state()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(HarnessError::io("withdrawing the addresses")(error))
            }
            _ => Ok(()),
        }
    }
}

/// What has to be on this machine before the parts can start.
#[derive(Debug)]
pub(crate) struct Installation {
    java: Java,
    kafka: PathBuf,
    registry: PathBuf,
}

impl Installation {
    /// Finds or fetches it.
    pub(crate) fn prepare() -> Result<Self, HarnessError> {
        Ok(Self { java: Java::find()?, kafka: kafka::PACKAGE.fetch()?, registry: registry::PACKAGE.fetch()? })
    }
}

/// Both parts, running until dropped.
struct Running {
    kafka: Kafka,
    registry: Registry,
}

impl Running {
    fn start(directory: &Path) -> Result<Self, HarnessError> {
        let Installation { java, kafka, registry } = Installation::prepare()?;
        // One after the other: together they are no faster on a small machine.
        let kafka = Kafka::start(&java, &kafka, &directory.join("kafka"))?;
        let registry = Registry::start(&java, &registry, &directory.join("registry"))?;
        Ok(Self { kafka, registry })
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            bootstrap: self.kafka.bootstrap.clone(),
            registry: self.registry.confluent.clone(),
            registry_native: self.registry.native.clone(),
        }
    }

    /// Waits until `done`, or until a part has ended by itself.
    fn watch(&mut self, mut done: impl FnMut() -> Result<bool, HarnessError>) -> Result<(), HarnessError> {
        while !done()? {
            if let Some(error) = self.kafka.part.failure().or_else(|| self.registry.part.failure()) {
                return Err(error);
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }
}

/// Keeps the parts up for the processes that hold a lease, and a little longer; stops them when `stop` is set.
///
/// For the main thread: the parts end with the thread that started them.
pub fn supervise(stop: &AtomicBool) -> Result<(), HarnessError> {
    let meeting = Meeting::new()?;
    let Some(_alive) = FileLock::try_exclusive(&meeting.alive())? else {
        return Err(HarnessError::Setup("another supervisor is running".to_owned()));
    };
    meeting.withdraw()?;
    let mut running = Running::start(&meeting.parts())?;
    meeting.publish(&running.addresses())?;

    let born = Instant::now();
    let mut used = born;
    // Once taken alone, the lease is kept until this process has ended: whoever comes now waits, then starts anew.
    let mut last_lease = None;
    let watched = running.watch(|| {
        match FileLock::try_exclusive(&meeting.lease())? {
            Some(lease) if used.elapsed() > IDLE_LIMIT => last_lease = Some(lease),
            Some(_) => {}
            None => used = Instant::now(),
        }
        Ok(last_lease.is_some() || born.elapsed() > LIFETIME_LIMIT || stop.load(Ordering::Relaxed))
    });
    meeting.withdraw()?;
    drop(running);
    remove(&meeting.parts())?;
    watched
}

/// Brings the parts up for a person, says where they are, and stops them when `stop` is set.
///
/// For the main thread: the parts end with the thread that started them.
pub fn hold(stop: &AtomicBool, started: impl FnOnce(&Addresses)) -> Result<(), HarnessError> {
    let directory = tempfile::Builder::new()
        .prefix("headwater-real-parts-")
        .tempdir()
        .map_err(HarnessError::io("creating a temporary directory"))?;
    let mut running = Running::start(directory.path())?;
    started(&running.addresses());
    running.watch(|| Ok(stop.load(Ordering::Relaxed)))
}
