//! The main job in one command, with nothing installed: generate a connector, build it, run it against a mock of its API
//! and an embedded broker, and show what a separate consumer reads back.

mod report;
mod workspace;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use headwater_runtime::kafka::{EmbeddedCluster, KafkaError};
use headwater_runtime::registry::{EmbeddedRegistry, RegistryError};
use thiserror::Error;

use crate::diagnostic::Diagnostics;
use crate::emit::{EmitError, EmitOptions, RuntimeDependency};
use crate::mock::{Counts, MockApi};
use crate::output::OutputError;
use crate::plan::PlanOptions;
use crate::plan::model::ConnectorPlan;
use workspace::Workspace;

/// How many records the mock API has in each stream.
const RECORDS: u64 = 5_000;

/// Why the demo ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// It does not run in a checkout.
    #[error(
        "no `specs/petstore-events/openapi.yaml` in this folder or above it: run the demo in a checkout of headwater"
    )]
    NoWorkspace,
    /// Something on disk, or a program, could not be used.
    #[error("using {what}")]
    Io {
        /// What.
        what: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// The demo's own document was refused.
    #[error("generating the connector")]
    Generate(Diagnostics),
    /// Emission failed.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// Writing the crate failed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A program failed.
    #[error("{what} failed: {status}")]
    Failed {
        /// Which.
        what: &'static str,
        /// How.
        status: ExitStatus,
    },
    /// The embedded broker failed.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The embedded registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A record that was read back could not be decoded.
    #[error("decoding a record of topic `{topic}`")]
    Decode {
        /// Its topic.
        topic: String,
        /// Why not.
        source: Box<apache_avro::Error>,
    },
    /// The consumer did not find what the API had.
    #[error("topic `{topic}` has {found} records, and the API had {expected}")]
    Incomplete {
        /// The topic.
        topic: String,
        /// Records read back.
        found: usize,
        /// Records that the mock API served.
        expected: u64,
    },
}

/// Runs the demo. What it shows goes to `out`.
///
/// # Errors
///
/// If a step fails, or the records read back are not those of the API.
pub async fn run(out: &mut dyn std::io::Write) -> Result<(), DemoError> {
    let began = Instant::now();
    let workspace = Workspace::find()?;

    let plan = generate(&workspace, out)?;
    step(out, 2, "building it with what is already compiled")?;
    let program = workspace.build()?;

    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let counts = Counts { each: RECORDS, each_of_parent: 1 };
    let api = io("the mock API's port", MockApi::start(plan.clone(), any_port, counts, 1).await)?;
    let registry = io("the embedded registry's port", EmbeddedRegistry::start(any_port).await)?;
    let cluster = EmbeddedCluster::start(1)?;
    for stream in &plan.streams {
        cluster.create_topic(&stream.topic, 1)?;
    }
    let offsets_topic = format!("headwater-{}-offsets", plan.name);
    cluster.create_topic(&offsets_topic, 16)?;
    step(
        out,
        3,
        &format!(
            "mock API at {}, embedded broker at {}, registry at {}",
            api.url(),
            cluster.bootstrap_servers(),
            registry.url()
        ),
    )?;

    step(out, 4, "running the connector until every stream is drained")?;
    let ran = Instant::now();
    run_connector(&program, &workspace.scratch()?, &plan, &api, &registry, &cluster)?;
    let elapsed = ran.elapsed();

    step(out, 5, "reading back with a separate consumer")?;
    let total = report::show(&plan, cluster.bootstrap_servers(), registry.url(), &offsets_topic, RECORDS, out).await?;
    let rate = total as f64 / elapsed.as_secs_f64();
    line(
        out,
        &format!(
            "{total} records from {} requests in {:.2} s, start and stop included: {rate:.0} records/s. All of it took {:.0} s.",
            api.requests(),
            elapsed.as_secs_f64(),
            began.elapsed().as_secs_f64()
        ),
    )
}

fn generate(workspace: &Workspace, out: &mut dyn std::io::Write) -> Result<ConnectorPlan, DemoError> {
    let (spec, overlay) = (workspace.spec("openapi.yaml"), workspace.spec("overlay.yaml"));
    let options = PlanOptions::default();
    let planned = crate::plan_document(&spec, &[overlay], &options).map_err(DemoError::Generate)?;
    let options = EmitOptions { runtime: RuntimeDependency::Path("../../runtime".to_owned()) };
    let files = crate::emit::emit(&planned.plan, &options)?;
    let crate_dir = workspace.connector();
    let report = crate::output::write(&files, &crate_dir)?;
    step(
        out,
        1,
        &format!(
            "generated {} from specs/petstore-events: {} files, {} changed",
            crate_dir.display(),
            files.len(),
            report.written.len() + report.removed.len()
        ),
    )?;
    Ok(planned.plan)
}

fn run_connector(
    program: &Path,
    scratch: &Path,
    plan: &ConnectorPlan,
    api: &MockApi,
    registry: &EmbeddedRegistry,
    cluster: &EmbeddedCluster,
) -> Result<(), DemoError> {
    let mut config = serde_json::json!({
        "name": plan.name,
        "bootstrap.servers": cluster.bootstrap_servers(),
        "value.converter.schema.registry.url": registry.url().as_str(),
        "http.api.base.url": api.url(),
        // The mock asks for a token, as its document does, and takes any.
        "auth.type": "BEARER",
        "bearer.token": "demo",
    });
    for name in plan.parameters.keys() {
        config[name.as_str()] = "demo".into();
    }
    let file = scratch.join("connector.json");
    io("the connector's configuration", std::fs::write(&file, format!("{config:#}\n")))?;
    let mut command = Command::new(program);
    command.args(["run", "--once", "--config"]).arg(&file).stdin(Stdio::null());
    let status = io("the generated connector", command.status())?;
    if status.success() { Ok(()) } else { Err(DemoError::Failed { what: "the generated connector", status }) }
}

fn step(out: &mut dyn std::io::Write, number: usize, text: &str) -> Result<(), DemoError> {
    line(out, &format!("[{number}/5] {text}"))
}

fn line(out: &mut dyn std::io::Write, text: &str) -> Result<(), DemoError> {
    io("standard output", writeln!(out, "{text}").and_then(|()| out.flush()))
}

fn io<T>(what: &'static str, result: std::io::Result<T>) -> Result<T, DemoError> {
    result.map_err(|source| DemoError::Io { what, source })
}
