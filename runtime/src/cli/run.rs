//! `run`: reads the API and writes to Kafka.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::diagnostic::{Diagnostic, Failure};
use super::loaded::Loaded;
use crate::admin::Admin;
use crate::config::{ConnectorConfig, Environment, Listener, Services};
use crate::connector::Connector;
use crate::flow::{self, Embedded, Handle, Mode, RunError, SnapshotError, StartError, StreamError};
use crate::operation::SlicedOperation;
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
    let load = |services: &Services| Loaded::generated(connector, config, environment, services);
    run_loaded(load, dev, once)
}

/// Runs a source from its configuration alone.
pub(super) fn run_source(config: &Path, environment: &Environment, dev: bool, once: bool) -> Result<(), Failure> {
    let load = |services: &Services| Loaded::source(config, environment, services);
    run_loaded(load, dev, once)
}

fn run_loaded(load: impl Fn(&Services) -> Result<Loaded, Failure>, dev: bool, once: bool) -> Result<(), Failure> {
    let mode = if once { Mode::Once } else { Mode::Continuous };
    in_runtime(async {
        let embedded = if dev { Some(Embedded::start().await.map_err(failure)?) } else { None };
        let services = embedded.as_ref().map_or(Services::Configured, |embedded| {
            announce(embedded);
            Services::Embedded {
                bootstrap_servers: embedded.bootstrap_servers().to_owned(),
                registry: embedded.registry_url().clone(),
            }
        });
        let Loaded { config, operations } = load(&services)?;
        until_stopped(operations, config, embedded.as_ref(), mode).await
    })?
}

/// Waits for something that reads records.
pub(super) fn in_runtime<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Records are read by recursion, and of some APIs they are large and deep.
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Failure::run([Diagnostic::of_error(&error)]))?;
    let result = runtime.block_on(work);
    // Calls to Kafka that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    Ok(result)
}

/// Tells where the embedded servers are. If standard error is gone, nobody wants to know.
fn announce(embedded: &Embedded) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "embedded broker: {}", embedded.bootstrap_servers());
    let _ = writeln!(out, "embedded schema registry: {}", embedded.registry_url());
}

/// Runs the flow. SIGTERM and SIGINT end it in order; a second one at once, without the transaction under way.
async fn until_stopped(
    operations: Vec<Box<dyn SlicedOperation>>,
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
    let handle = Arc::new(Handle::new(&config.name));
    let _admin = match &config.listener {
        Some(listener) => Some(listen_on(listener, Arc::clone(&handle)).await?),
        None => None,
    };
    tokio::select! {
        result = flow::run_operations(operations, config, embedded, mode, handle, stopped) => result.map(drop).map_err(failure),
        () = signals => {
            let message = "stopped before the transaction under way had ended".to_owned();
            Err(Failure::run([Diagnostic { message, hint: None }]))
        }
    }
}

/// Serves metrics and health, and tells where: the port may be any free one.
async fn listen_on(listener: &Listener, handle: Arc<Handle>) -> Result<Admin, Failure> {
    match Admin::start(listener, handle).await {
        Ok(admin) => {
            tracing::info!(address = %admin.address(), "serving metrics, health and status");
            Ok(admin)
        }
        Err(error) => {
            let message = format!("cannot listen on {listener}: {error}");
            let hint =
                Some("set `listeners` to an address of this machine that nobody uses, or leave it out".to_owned());
            Err(Failure::input([Diagnostic { message, hint }]))
        }
    }
}

/// Servers that the configuration names and that cannot be used are input; the rest is a run that failed.
pub(super) fn failure(error: RunError) -> Failure {
    use RegistryError::{Answer, Denied, Failed, Settings, Unreachable};

    let is_input = match &error {
        RunError::Kafka(kafka) => kafka.is_of_configuration(),
        RunError::Registry(Unreachable { .. } | Denied { .. } | Settings { .. } | Answer { .. }) => true,
        // There is no registry at this URL.
        RunError::Registry(Failed { source, .. }) => source.status() == Some(404),
        RunError::Registry(_) => false,
        RunError::Start(start) => {
            use StartError::{Connector, Http, NoTransactions, SnapshotPartitions};
            matches!(start, Connector(_) | Http(_) | NoTransactions { .. } | SnapshotPartitions { .. })
        }
        RunError::Stream { .. } => false,
    };
    let diagnostic = diagnostic(&error);
    if is_input { Failure::input([diagnostic]) } else { Failure::run([diagnostic]) }
}

pub(super) fn diagnostic(error: &RunError) -> Diagnostic {
    let hint = match error {
        RunError::Kafka(kafka) => kafka.hint(),
        RunError::Registry(registry) => registry.hint(),
        RunError::Stream { source, .. } => hint_of_stream(source),
        RunError::Start(StartError::SnapshotPartitions { .. }) => Some(
            "name another topic with `snapshot.storage.topic`, or delete this one: everything is then written again",
        ),
        RunError::Start(StartError::Http(http)) => http.hint(),
        RunError::Start(_) => None,
    };
    Diagnostic::of_error(error).hint(hint)
}

pub(super) fn hint_of_stream(error: &StreamError) -> Option<&'static str> {
    match error {
        StreamError::Request(request) => request.hint(),
        StreamError::Detour { source, .. } => source.hint(),
        StreamError::Decode(_) => {
            Some("where the API is right, correct its document with an overlay, and generate the connector again")
        }
        StreamError::InSlice { source, .. } => hint_of_stream(source),
        StreamError::Snapshot(SnapshotError::MassDeletion { .. }) => {
            Some("if they have really gone, set `snapshot.max.deletes.percent` to `100` for one run")
        }
        StreamError::Snapshot(_) => None,
        StreamError::Registry(_)
        | StreamError::Inference(_)
        | StreamError::Transform { .. }
        | StreamError::Pagination(_)
        | StreamError::Slice(_) => None,
    }
}
