//! Runs that are recorded, and runs from a recording: with a broker and a registry of their own, from the beginning, in one
//! order, at one moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Cassette, CassetteError, Redactions, Snapshot, read, snapshot_path, write};
use crate::clock;
use crate::config::{ConnectorConfig, Environment, Services, SourceConfig};
use crate::connector::Connector;
use crate::flow::{self, Embedded, Handle, Mode, OnError, PageLimit, Restart, RunError};
use crate::http::{Playback, Recording, Tape};
use crate::kafka::KafkaSettings;
use crate::operation::SlicedOperation;

/// How long the embedded broker may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What is recorded or replayed.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// A generated connector.
    Generated(&'a Connector),
    /// A source from its configuration alone.
    Source,
}

/// What a recording has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Responses in the cassette.
    pub responses: usize,
    /// Records in the snapshot.
    pub records: usize,
}

/// A configuration with its operations.
type Loaded = (ConnectorConfig, Vec<Box<dyn SlicedOperation>>);

impl Subject<'_> {
    fn of_recording(self, path: &Path, cassette: &Cassette, services: &Services) -> Result<Loaded, CassetteError> {
        match self {
            Self::Generated(connector) => {
                let config = ConnectorConfig::of_recording(connector, path, &cassette.config, services)?;
                let operations =
                    flow::operations(connector, &config.parameters, &config.operations).map_err(RunError::from)?;
                Ok((config, operations))
            }
            Self::Source => {
                let SourceConfig { connector, operations } =
                    SourceConfig::of_recording(path, &cassette.config, services)?;
                Ok((connector, operations))
            }
        }
    }
}

/// Runs a connector once, from the beginning, against its API and an embedded broker, and writes what the API answered to
/// `out`, with the records beside it. Of each operation so many pages are read. The clock of this process stands still from
/// then on.
///
/// # Errors
///
/// If the connector does not come to its end, or a replay would not write the same records; nothing is written then.
pub async fn record(
    subject: Subject<'_>,
    file: Option<&Path>,
    environment: &Environment,
    pages: usize,
    out: &Path,
) -> Result<Recorded, CassetteError> {
    let embedded = Embedded::start().await?;
    let services = services(&embedded);
    let ((config, operations), kept) = match (subject, file) {
        (Subject::Generated(connector), file) => {
            let config = ConnectorConfig::load(connector, file, environment, &services)?;
            let kept = config.recorded(file, environment)?;
            let operations =
                flow::operations(connector, &config.parameters, &config.operations).map_err(RunError::from)?;
            ((config, operations), kept)
        }
        (Subject::Source, file) => {
            let file = file.unwrap_or(Path::new(""));
            let source = SourceConfig::load(file, environment, &services)?;
            let kept = source.recorded(file, environment)?;
            ((source.connector, source.operations), kept)
        }
    };
    let scrubbing = config.scrubbing.clone();
    let redactions = redactions(&config, &operations);
    let recording = Recording::default();
    let now = Timestamp::try_from(clock::now()).unwrap_or_default();
    let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or_default();
    let written = run((config, operations), &embedded, pages, now, |operation| recording.of(operation)).await?;
    let (cassette, is_changed) = Cassette::new((now, pages), kept, (&scrubbing, &redactions), &recording)?;
    let replayed = replay_from(subject, out, &cassette).await?;
    if let Some(difference) = replayed.difference(&written).filter(|_| !is_changed) {
        return Err(CassetteError::Unfaithful { difference });
    }
    cassette.save(out)?;
    write(&snapshot_path(out), &replayed)?;
    Ok(Recorded { responses: cassette.len(), records: replayed.len() })
}

fn redactions(config: &ConnectorConfig, operations: &[Box<dyn SlicedOperation>]) -> Redactions {
    let all = operations.iter().zip(&config.operations);
    let redacted = all.filter_map(|(operation, settings)| {
        let redaction = (settings.redaction.clone()?, operation.records()?);
        Some((settings.id.clone(), redaction))
    });
    redacted.collect()
}

/// Runs a connector from a cassette, without a network but for the embedded broker, and compares what it writes with the
/// snapshot beside the cassette, or, to `update` that, writes it. Says how many records there are. The clock of this process
/// stands still from then on.
///
/// # Errors
///
/// If it asks for what the cassette lacks, otherwise fails, or writes other records.
pub async fn replay(subject: Subject<'_>, path: &Path, update: bool) -> Result<usize, CassetteError> {
    let replayed = replay_from(subject, path, &Cassette::load(path)?).await?;
    let snapshot = snapshot_path(path);
    if update {
        write(&snapshot, &replayed)?;
        return Ok(replayed.len());
    }
    if !snapshot.exists() {
        return Err(CassetteError::NoSnapshot { path: snapshot.display().to_string() });
    }
    let expected: Snapshot = read(&snapshot, "the records of a cassette")?;
    match replayed.difference(&expected) {
        None => Ok(replayed.len()),
        Some(difference) => Err(CassetteError::Different {
            path: path.display().to_string(),
            snapshot: snapshot.display().to_string(),
            difference,
        }),
    }
}

/// Replays every cassette in a folder, as [`replay`] does, and says how many records each of them leads to. A folder that
/// does not exist has none.
///
/// # Errors
///
/// As [`replay`], of the first that fails.
pub fn verify(connector: &Connector, folder: &Path) -> Result<Vec<(PathBuf, usize)>, CassetteError> {
    let failed = |source| CassetteError::File { doing: "reading", path: folder.display().to_string(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let is_cassette = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".records.json")
    };
    let mut cassettes: Vec<_> = paths.into_iter().filter(is_cassette).collect();
    cassettes.sort();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    let replayed = cassettes.into_iter().map(|path| {
        let records = runtime.block_on(replay(Subject::Generated(connector), &path, false))?;
        Ok((path, records))
    });
    let replayed = replayed.collect();
    // Calls to Kafka that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    replayed
}

async fn replay_from(subject: Subject<'_>, path: &Path, cassette: &Cassette) -> Result<Snapshot, CassetteError> {
    let embedded = Embedded::start().await?;
    let (mut config, operations) = subject.of_recording(path, cassette, &services(&embedded))?;
    for operation in &mut config.operations {
        // What failed then has failed for good: there is nothing to wait for.
        (operation.retry.initial, operation.retry.cap) = (Duration::ZERO, Duration::ZERO);
        if let OnError::Restart(restart) = &mut operation.on_error {
            *restart = Restart { pause: Duration::ZERO, max_pause: Duration::ZERO, ..*restart };
        }
    }
    let playback = Playback::new(cassette.exchanges.iter().cloned());
    let tape = |operation: &str| playback.of(operation);
    run((config, operations), &embedded, cassette.pages, cassette.recorded, tape).await
}

fn services(embedded: &Embedded) -> Services {
    Services::Embedded {
        bootstrap_servers: embedded.bootstrap_servers().to_owned(),
        registry: embedded.registry_url().clone(),
    }
}

/// Runs a connector at a moment, so many pages of each operation, and reads back what it has written.
async fn run(
    (mut config, operations): Loaded,
    embedded: &Embedded,
    pages: usize,
    now: Timestamp,
    tape: impl Fn(&str) -> Tape,
) -> Result<Snapshot, CassetteError> {
    clock::hold(SystemTime::from(now));
    // Records without a key have an order only within one partition, and streams only within one shard.
    (config.topics.partitions, config.offsets.creation.partitions) = (1, 1);
    for operation in &mut config.operations {
        operation.http.tape = tape(&operation.id);
        operation.max_in_flight = 1;
        operation.pages = Some(PageLimit::new(pages));
    }
    let (kafka, own) = (kafka(embedded), [config.offsets.name.clone(), config.snapshots.clone()]);
    let handle = Arc::new(Handle::new(&config.name));
    let (_stop, stopped) = watch::channel(false);
    let summary = flow::run_operations(operations, config, Some(embedded), Mode::InOrder, handle, stopped).await?;
    let snapshot = Snapshot::read(kafka, &own).await?;
    let written = summary.records + summary.dead_letters;
    if written > snapshot.len() as u64 {
        return Err(CassetteError::TooMany { written, kept: snapshot.len() });
    }
    Ok(snapshot)
}

fn kafka(embedded: &Embedded) -> KafkaSettings {
    KafkaSettings { bootstrap_servers: embedded.bootstrap_servers().to_owned(), ..KafkaSettings::default() }
}
