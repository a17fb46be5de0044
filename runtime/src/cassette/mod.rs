//! Cassettes: what an API once answered, recorded without secrets, to run a connector from without a network.
//!
//! A cassette is a JSON file with the configuration that it was recorded with, the time, and each request with its response.
//! Beside it stands the snapshot of the records that a replay writes: the same bytes every time.

mod content;
mod run;
mod scrub;
mod snapshot;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::config::{ConfigError, ConfiguredSecrets, RecordedConfig, Scrubbing};
use crate::configured::RecordsAt;
use crate::flow::RunError;
use crate::http::{Answered, Asked, Exchange, Recording, WITHHELD};
use crate::kafka::KafkaError;
use crate::redaction::{Redaction, RedactionError};
use content::Content;
pub use run::{Recorded, Subject, record, replay, verify};
use scrub::Scrubber;
pub use snapshot::Snapshot;

/// The version of the format.
const FORMAT: u32 = 1;

/// What an API answered, and what is needed to ask it the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cassette {
    /// The time that the connector saw while it was recorded.
    recorded: Timestamp,
    /// How many pages of each operation were read.
    pages: usize,
    config: RecordedConfig,
    exchanges: Vec<Exchange>,
}

/// Why a cassette cannot be recorded or replayed.
#[derive(Debug, Error)]
pub enum CassetteError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The connector failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was written cannot be read back.
    #[error("reading what was written")]
    Kafka(#[from] KafkaError),
    /// A file cannot be read or written.
    #[error("{doing} `{path}`")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is no cassette, or no snapshot.
    #[error("`{path}` is not {what}")]
    Syntax {
        /// The file.
        path: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong in it.
        source: serde_json::Error,
    },
    /// A cassette is of a format that this version does not know.
    #[error("`{path}` is a cassette of format {found}, and this version reads format {FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// The format that it names.
        found: u32,
    },
    /// Something is to be masked in a response that is no JSON.
    #[error("the response to `{request}` is no JSON, so that `cassette.mask.pointers` cannot mask what is in it")]
    Unmaskable {
        /// Method, path and query.
        request: String,
    },
    /// The records in a response cannot be redacted.
    #[error("the response to `{request}` cannot be kept, because its records cannot be redacted in it")]
    Unredactable {
        /// Method, path and query.
        request: String,
        /// Why not.
        source: RedactionError,
    },
    /// There is no snapshot beside the cassette.
    #[error("`{path}` is missing: the records that the cassette is expected to lead to")]
    NoSnapshot {
        /// Where it should be.
        path: String,
    },
    /// A replay writes other records than it should.
    #[error("replaying `{path}` writes other records than `{snapshot}` has: {difference}")]
    Different {
        /// The cassette.
        path: String,
        /// The snapshot.
        snapshot: String,
        /// The first difference.
        difference: String,
    },
    /// A replay writes other records than the run that was recorded.
    #[error("the replay writes other records than the run that was recorded: {difference}")]
    Unfaithful {
        /// The first difference.
        difference: String,
    },
    /// The embedded broker has dropped records.
    #[error("the run wrote {written} records, of which the embedded broker kept {kept}: it keeps 5 MiB of a partition")]
    TooMany {
        /// Records written.
        written: u64,
        /// Records read back.
        kept: usize,
    },
}

impl CassetteError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSnapshot { .. } => Some("`replay --update` writes it"),
            Self::Different { .. } => Some("if they are as they should be now, `replay --update` keeps them"),
            Self::TooMany { .. } => Some("record fewer pages, with `--pages`"),
            Self::Unredactable { .. } => Some("leave the operation out"),
            Self::Unmaskable { .. } => Some("leave the operation out, or configure nothing to be masked"),
            Self::Format { .. } => Some("record it again"),
            _ => None,
        }
    }
}

/// A cassette as it stands in its file.
#[derive(Serialize, Deserialize)]
struct File {
    cassette: u32,
    recorded: Timestamp,
    pages: usize,
    #[serde(flatten)]
    config: RecordedConfig,
    exchanges: Vec<ExchangeEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeEntry {
    operation: String,
    request: RequestEntry,
    response: ResponseEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestEntry {
    method: String,
    target: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Content>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseEntry {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirected: Option<String>,
    headers: Vec<(String, String)>,
    body: Content,
}

impl Cassette {
    /// Makes a cassette of what was recorded, without what must not be found in it. The other value says whether anything
    /// has been replaced.
    fn new(
        (recorded, pages): (Timestamp, usize),
        (config, secrets): (RecordedConfig, ConfiguredSecrets),
        (scrubbing, redactions): (&Scrubbing, &Redactions),
        recording: &Recording,
    ) -> Result<(Self, bool), CassetteError> {
        let before = recording.exchanges();
        let redacted = before.iter().map(|exchange| redacted(exchange, redactions)).collect::<Result<Vec<_>, _>>()?;
        let mut scrubber = Scrubber::default();
        secrets.iter().chain(&recording.credentials()).for_each(|secret| scrubber.add(secret));
        for Exchange { asked, answered, .. } in &before {
            scrubber.add_credentials_of(asked);
            scrubber.add_passwords_of_urls(&answered.body);
            answered.headers.iter().for_each(|(_, value)| scrubber.add_passwords_of_urls(value.as_bytes()));
        }
        let masked = redacted.iter().map(|exchange| masked(exchange, &scrubbing.masked, &mut scrubber));
        let masked = masked.collect::<Result<Vec<_>, _>>()?;
        let scrub = |(name, text): (String, String)| (name, scrubber.text(&text));
        let kept = |headers: Vec<(String, String)>| -> Vec<(String, String)> {
            let is_kept = |name: &str| scrubbing.headers.iter().all(|other| !other.eq_ignore_ascii_case(name));
            headers.into_iter().filter(|(name, _)| is_kept(name)).map(scrub).collect()
        };
        let exchanges: Vec<_> = masked
            .into_iter()
            .map(|Exchange { operation, asked, answered }| Exchange {
                operation,
                asked: Asked {
                    method: asked.method,
                    target: scrubber.text(&asked.target),
                    headers: kept(asked.headers),
                    body: asked.body.map(|body| scrubber.bytes(&body).into()),
                },
                answered: Answered {
                    status: answered.status,
                    redirected: answered.redirected.map(|target| scrubber.text(&target)),
                    headers: kept(answered.headers),
                    body: scrubber.bytes(&answered.body).into(),
                },
            })
            .collect();
        let config = RecordedConfig {
            configuration: config.configuration.into_iter().map(scrub).collect(),
            environment: config.environment.into_iter().map(scrub).collect(),
        };
        let is_changed = before.iter().zip(&exchanges).any(|(before, after)| before != after);
        Ok((Self { recorded, pages, config, exchanges }, is_changed))
    }

    /// Reads a cassette.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no cassette of this version.
    pub fn load(path: &Path) -> Result<Self, CassetteError> {
        let File { cassette, recorded, pages, config, exchanges } = read(path, "a cassette")?;
        if cassette != FORMAT {
            return Err(CassetteError::Format { path: path.display().to_string(), found: cassette });
        }
        let exchange = |ExchangeEntry { operation, request, response }| Exchange {
            operation,
            asked: Asked {
                method: request.method,
                target: request.target,
                headers: request.headers,
                body: request.body.map(|body| body.0.into()),
            },
            answered: Answered {
                status: response.status,
                redirected: response.redirected,
                headers: response.headers,
                body: response.body.0.into(),
            },
        };
        Ok(Self { recorded, pages, config, exchanges: exchanges.into_iter().map(exchange).collect() })
    }

    /// Writes the cassette.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CassetteError> {
        let content = |bytes: &Bytes| Content(bytes.to_vec());
        let entry = |Exchange { operation, asked, answered }: &Exchange| ExchangeEntry {
            operation: operation.clone(),
            request: RequestEntry {
                method: asked.method.clone(),
                target: asked.target.clone(),
                headers: asked.headers.clone(),
                body: asked.body.as_ref().map(content),
            },
            response: ResponseEntry {
                status: answered.status,
                redirected: answered.redirected.clone(),
                headers: answered.headers.clone(),
                body: content(&answered.body),
            },
        };
        let file = File {
            cassette: FORMAT,
            recorded: self.recorded,
            pages: self.pages,
            config: self.config.clone(),
            exchanges: self.exchanges.iter().map(entry).collect(),
        };
        write(path, &file)
    }

    /// How many responses it has.
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }
}

/// What is done with personal data in the records of operations, by their ids, and where these are.
type Redactions = BTreeMap<String, (Arc<Redaction>, RecordsAt)>;

/// An exchange with the records redacted in its response, if those of its operation are: as they are when they are read, and a
/// replay hashes the hashes. Where in a failure their fields are, nobody knows.
fn redacted(exchange: &Exchange, redactions: &Redactions) -> Result<Exchange, CassetteError> {
    let Answered { status, body, .. } = &exchange.answered;
    let Some((redaction, records)) = redactions.get(&exchange.operation).filter(|_| !body.is_empty()) else {
        return Ok(exchange.clone());
    };
    let lines = || body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let redacted = match (status, redaction.document(body, records)) {
        (200..300, Ok(document)) => document,
        (200..300, Err(error)) => {
            let lines = lines().map(|line| redaction.document(line, records)).collect::<Result<Vec<_>, _>>();
            let request = exchange.asked.line();
            lines.map_err(|_| CassetteError::Unredactable { request, source: error })?.join("\n")
        }
        _ => WITHHELD.to_owned(),
    };
    Ok(Exchange { answered: Answered { body: redacted.into(), ..exchange.answered.clone() }, ..exchange.clone() })
}

/// An exchange with the values at the pointers masked in its response.
fn masked(exchange: &Exchange, pointers: &[String], scrubber: &mut Scrubber) -> Result<Exchange, CassetteError> {
    let body = &exchange.answered.body;
    if pointers.is_empty() || body.is_empty() {
        return Ok(exchange.clone());
    }
    let mut mask = |text: &[u8]| -> Option<String> {
        let mut document: Value = serde_json::from_slice(text).ok()?;
        pointers.iter().for_each(|pointer| scrubber.mask(&mut document, pointer));
        Some(document.to_string())
    };
    let lines = || body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let masked = match mask(body) {
        Some(document) => Some(document),
        None => lines().map(&mut mask).collect::<Option<Vec<_>>>().map(|lines| lines.join("\n")),
    };
    let masked = masked.ok_or_else(|| CassetteError::Unmaskable { request: exchange.asked.line() })?;
    Ok(Exchange { answered: Answered { body: masked.into(), ..exchange.answered.clone() }, ..exchange.clone() })
}

/// Where the snapshot of a cassette stands.
fn snapshot_path(cassette: &Path) -> PathBuf {
    cassette.with_extension("records.json")
}

fn read<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, CassetteError> {
    let shown = || path.display().to_string();
    let text = fs::read(path).map_err(|source| CassetteError::File { doing: "reading", path: shown(), source })?;
    serde_json::from_slice(&text).map_err(|source| CassetteError::Syntax { path: shown(), what, source })
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), CassetteError> {
    let failed = |source| CassetteError::File { doing: "writing", path: path.display().to_string(), source };
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
