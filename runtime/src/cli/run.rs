//! `run`: reads the API and writes to Kafka.

use std::io::Write as _;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::diagnostic::{Diagnostic, Failure};
use crate::config::{ConnectorConfig, Environment, Services, SourceConfig};
use crate::connector::Connector;
use crate::flow::{self, Embedded, Mode, RunError, StartError, StreamError};
use crate::kafka::KafkaError;
use crate::operation::Operation;
use crate::registry::RegistryError;

/// Stack of a thread that reads records, in bytes. Only what is used of it takes memory.
const STACK: usize = 16 << 20;

/// Runs a generated connector.
pub(super) fn run(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
    dev: bool,
    once: bool,
) -> Result<(), Failure> {
    let load = |services: &Services| {
        let config = ConnectorConfig::load(connector, config, environment, services)?;
        let operations = flow::operations(connector, &config.parameters).map_err(|error| failure(error.into()))?;
        Ok((config, operations))
    };
    run_loaded(load, dev, once)
}

/// Runs a source from its configuration alone.
pub(super) fn run_source(config: &Path, environment: &Environment, dev: bool, once: bool) -> Result<(), Failure> {
    let load = |services: &Services| {
        let SourceConfig { connector, operations } = SourceConfig::load(config, environment, services)?;
        Ok((connector, operations))
    };
    run_loaded(load, dev, once)
}

/// Operations, and what is configured of them.
type Loaded = (ConnectorConfig, Vec<Box<dyn Operation>>);

fn run_loaded(load: impl Fn(&Services) -> Result<Loaded, Failure>, dev: bool, once: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Records are read by recursion, and of some APIs they are large and deep.
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Failure::run([Diagnostic::of_error(&error)]))?;
    let mode = if once { Mode::Once } else { Mode::Continuous };
    let result = runtime.block_on(async {
        let embedded = if dev { Some(Embedded::start().await.map_err(failure)?) } else { None };
        let services = embedded.as_ref().map_or(Services::Configured, |embedded| {
            announce(embedded);
            Services::Embedded {
                bootstrap_servers: embedded.bootstrap_servers().to_owned(),
                registry: embedded.registry_url().clone(),
            }
        });
        let (config, operations) = load(&services)?;
        until_stopped(operations, config, embedded.as_ref(), mode).await
    });
    // Calls to Kafka that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Tells where the embedded servers are. If standard error is gone, nobody wants to know.
fn announce(embedded: &Embedded) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "embedded broker: {}", embedded.bootstrap_servers());
    let _ = writeln!(out, "embedded schema registry: {}", embedded.registry_url());
}

/// Runs the flow. SIGTERM and SIGINT end it in order; a second one at once, without the transaction under way.
async fn until_stopped(
    operations: Vec<Box<dyn Operation>>,
    config: ConnectorConfig,
    embedded: Option<&Embedded>,
    mode: Mode,
) -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::run([Diagnostic::of_error(&error)]));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (stop, stopped) = watch::channel(false);
    let signals = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.send_replace(true) {
                return;
            }
            tracing::info!("stopping");
        }
    };
    tokio::select! {
        result = flow::run_operations(operations, config, embedded, mode, stopped) => result.map(drop).map_err(failure),
        () = signals => {
            let message = "stopped before the transaction under way had ended".to_owned();
            Err(Failure::run([Diagnostic { message, hint: None }]))
        }
    }
}

/// Servers that the configuration names and that cannot be used are input; the rest is a run that failed.
pub(super) fn failure(error: RunError) -> Failure {
    use RegistryError::{Answer, Denied, Failed, Settings, Unreachable};

    let is_input = match &error {
        RunError::Kafka(kafka) => matches!(kafka, KafkaError::Unreachable { .. } | KafkaError::Configuration { .. }),
        RunError::Registry(Unreachable { .. } | Denied { .. } | Settings { .. } | Answer { .. }) => true,
        // There is no registry at this URL.
        RunError::Registry(Failed { source, .. }) => source.status() == Some(404),
        RunError::Registry(_) => false,
        RunError::Start(start) => matches!(start, StartError::Connector(_) | StartError::Http(_)),
        RunError::Stream { .. } => false,
    };
    let diagnostic = diagnostic(&error);
    if is_input { Failure::input([diagnostic]) } else { Failure::run([diagnostic]) }
}

pub(super) fn diagnostic(error: &RunError) -> Diagnostic {
    let hint = match error {
        RunError::Kafka(kafka) => kafka.hint(),
        RunError::Registry(registry) => registry.hint(),
        RunError::Stream { source: StreamError::Request(request), .. } => request.hint(),
        RunError::Stream { source: StreamError::Decode(_), .. } => {
            Some("where the API is right, correct its document with an overlay, and generate the connector again")
        }
        RunError::Start(_) | RunError::Stream { .. } => None,
    };
    Diagnostic::of_error(error).hint(hint)
}
