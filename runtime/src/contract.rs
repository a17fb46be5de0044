//! The test that every generated crate has: the connector against a mock of its API, which `headwater mock` serves from
//! the crate's own copy of the document. What the API has is in Kafka, no more and no less.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

use crate::config::{ConfigError, ConnectorConfig, Environment, Services, variable_name};
use crate::connector::{Connector, ConnectorError, OperationDefinition, Parameters};
use crate::flow::{self, Embedded, Mode, RunError};
use crate::kafka::{KafkaError, KafkaSettings, TopicReader};
use crate::slice::Slice;

/// The variable that names the `headwater` command; without it, it is looked for in `PATH`.
const PROGRAM: &str = "HEADWATER";

/// How many records the mock has for each operation: several pages of most APIs.
const RECORDS: usize = 250;

/// How many it has of an operation that is read for the records of another, for each of these: with more, the children of
/// children would have too many.
const RECORDS_OF_PARENT: usize = 2;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(1200);

/// How long the embedded broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Values for the connector's own parameters: one of them is of each type that a parameter can have.
const VALUES: [&str; 2] = ["1", "true"];

/// How the test went.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every record arrived that no hook left out: how many, by topic.
    Complete(BTreeMap<String, usize>),
    /// There is no `headwater` command here.
    Skipped,
}

/// Why the test failed.
#[derive(Debug, Error)]
pub enum ContractError {
    /// The `headwater` command could not be started, or ended before it served.
    #[error("starting the mock of the API with `{program}`")]
    Mock {
        /// The command.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// Something of this process could not be used.
    #[error("setting up the test")]
    Setup(#[source] io::Error),
    /// The connector does not take a parameter that its mock would.
    #[error("making the operations")]
    Connector(#[from] ConnectorError),
    /// The connector does not take its configuration.
    #[error("configuring the connector")]
    Config(#[from] ConfigError),
    /// The connector failed.
    #[error("running the connector")]
    Run(#[from] RunError),
    /// It ran for too long.
    #[error("the connector has not read its API to the end after {LIMIT:?}")]
    Late,
    /// What was written could not be read.
    #[error("reading what was written")]
    Read(#[from] KafkaError),
    /// Something is missing, or there twice.
    #[error("topic `{topic}` has {found} records, and the API had {expected}")]
    Count {
        /// The topic.
        topic: String,
        /// Records that were read back.
        found: usize,
        /// Records that the mock served.
        expected: usize,
    },
}

/// Runs `connector` to the end of a mock of its API, served from the document at `spec`, with a broker of its own, and
/// counts what it wrote.
///
/// # Errors
///
/// If a step fails, or the counts differ.
pub fn verify(connector: &Connector, spec: &Path) -> Result<Outcome, ContractError> {
    let Some(mock) = Mock::start(spec, connector.operations.len())? else { return Ok(Outcome::Skipped) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ContractError::Setup)?;
    let counts = runtime.block_on(drain(connector, &mock));
    // Calls to Kafka that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    Ok(Outcome::Complete(counts?))
}

async fn drain(connector: &Connector, mock: &Mock) -> Result<BTreeMap<String, usize>, ContractError> {
    let embedded = Embedded::start().await?;
    let mut properties = parameters(connector)?;
    properties.insert("http.api.base.url".to_owned(), mock.url.clone());
    // What is hashed with it is thrown away.
    properties.insert("record.redact.salt".to_owned(), "of the contract".to_owned());
    let variables: Vec<_> = properties.iter().map(|(name, value)| (variable_name(name), value.as_str())).collect();
    let environment: Environment = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let services = Services::Embedded {
        bootstrap_servers: embedded.bootstrap_servers().to_owned(),
        registry: embedded.registry_url().clone(),
    };
    let mut config = ConnectorConfig::load(connector, None, &environment, &services)?;
    // Whatever the time that it is asked for, the mock has the same records.
    config.operations.iter_mut().for_each(|operation| operation.backfill = None);
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    let is_hooked = connector.operations.iter().any(|definition| definition.is_hooked);
    for (definition, settings) in connector.operations.iter().zip(&config.operations) {
        let records = records(connector, &mock.single, definition, &config.parameters)?;
        settings.topic.iter().for_each(|topic| *expected.entry(topic.clone()).or_default() += records);
    }
    let (_stop, stopped) = watch::channel(false);
    let run = flow::run(connector, config, Some(&embedded), Mode::Once, stopped);
    tokio::time::timeout(LIMIT, run).await.map_err(|_| ContractError::Late)??;

    let settings =
        KafkaSettings { bootstrap_servers: embedded.bootstrap_servers().to_owned(), ..KafkaSettings::default() };
    let reader = TopicReader::new(settings, PATIENCE);
    let mut arrived = BTreeMap::new();
    for (topic, expected) in expected {
        let found = reader.read(&topic).await?.len();
        // A hook leaves records out, and with them those of other operations that are read for them.
        if found > expected || found < expected && !is_hooked {
            return Err(ContractError::Count { topic, found, expected });
        }
        arrived.insert(topic, found);
    }
    Ok(arrived)
}

/// How many records an operation has, those in `single` one wherever they are asked.
fn records(
    connector: &Connector,
    single: &BTreeSet<String>,
    definition: &OperationDefinition,
    parameters: &Parameters,
) -> Result<usize, ConnectorError> {
    let parent = definition.slicing.parent.as_deref();
    let parent = connector.operations.iter().find(|other| Some(other.facts.id.as_ref()) == parent);
    let each = match (single.contains(definition.facts.id.as_ref()), parent) {
        (true, _) => 1,
        (false, Some(_)) => RECORDS_OF_PARENT,
        (false, None) => RECORDS,
    };
    let slices = definition.configured(parameters, None)?.slicing().combine(Slice::whole()).len();
    let parents = parent.map_or(Ok(1), |parent| records(connector, single, parent, parameters))?;
    Ok(parents * slices * each)
}

/// The connector's own parameters with values that its operations take.
fn parameters(connector: &Connector) -> Result<BTreeMap<String, String>, ConnectorError> {
    let mut values: BTreeMap<String, String> =
        connector.parameters.iter().map(|parameter| (parameter.name.to_owned(), VALUES[0].to_owned())).collect();
    for definition in &connector.operations {
        loop {
            match (definition.build)(&Parameters::new(values.clone())) {
                Ok(_) | Err(ConnectorError::Slice(_)) => break,
                Err(ConnectorError::Invalid { name, value, .. }) if value == VALUES[0] => {
                    values.insert(name, VALUES[1].to_owned());
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(values)
}

/// The `headwater mock` command; it ends when dropped.
struct Mock {
    process: Child,
    url: String,
    /// The operations whose answers are one record.
    single: BTreeSet<String>,
}

impl Mock {
    /// Starts it and waits for what it says of itself and of so many operations; `None` if there is no such command.
    fn start(spec: &Path, operations: usize) -> Result<Option<Self>, ContractError> {
        let named = env::var_os(PROGRAM).filter(|name| !name.is_empty());
        let program = named.clone().unwrap_or_else(|| OsString::from("headwater"));
        let failed = |source| ContractError::Mock { program: program.display().to_string(), source };
        let mut command = Command::new(&program);
        command.arg("mock").arg(spec).args(["--all", "--open", "--listen", "127.0.0.1:0", "--records"]);
        command.arg(RECORDS.to_string()).args(["--records-of-parent", &RECORDS_OF_PARENT.to_string()]);
        let mut mock = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
            Ok(process) => Self { process, url: String::new(), single: BTreeSet::new() },
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut line = String::new();
        if let Some(out) = mock.process.stdout.take() {
            let mut out = BufReader::new(out);
            out.read_line(&mut line).map_err(failed)?;
            for _ in 0..operations {
                let mut line = String::new();
                out.read_line(&mut line).map_err(failed)?;
                let operation = line.split_once(": http://").filter(|(_, rest)| rest.contains(" (one record"));
                mock.single.extend(operation.map(|(id, _)| id.to_owned()));
            }
            // What else it says is taken, so that it never waits for a reader.
            std::thread::spawn(move || io::copy(&mut out, &mut io::sink()));
        }
        match line.trim_end().strip_prefix("listening at ") {
            Some(url) => {
                mock.url = url.to_owned();
                Ok(Some(mock))
            }
            None => Err(failed(io::Error::other("it ended before it served"))),
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It fails where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::connector;

    #[test]
    fn every_parameter_gets_a_value_that_fits() {
        let values = parameters(&connector()).unwrap();
        assert_eq!(values["number"], "1");
        let mut odd = connector();
        odd.operations[1].build = std::sync::Arc::new(|parameters| {
            parameters.parse::<bool>("owner", "true or false")?;
            Err(ConnectorError::Missing { name: "other".to_owned() })
        });
        assert_eq!(parameters(&odd).unwrap_err().to_string(), "missing property `other`");
    }
}
