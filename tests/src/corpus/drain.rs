//! A mock of a document's API, read to its end by the connector that was generated from the same document.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use headwater_runtime::kafka::EmbeddedCluster;
use headwater_runtime::registry::EmbeddedRegistry;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::sample::{SINGLE, Stream};
use super::{Document, Generated, Sample, measure};
use crate::HarnessError;
use crate::consume::{Isolation, consume};
use crate::harness::directory;

/// A stream that has been drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// The operation's id.
    pub operation: String,
    /// How its pages follow one another.
    pub pagination: String,
    /// How many streams it is read for the records of, one below the other.
    pub depth: u32,
    /// Records that the API has.
    pub has: u64,
    /// Pages that the mock has served.
    pub pages: u64,
    /// Records that it has served.
    pub served: u64,
    /// Records that a consumer has found in Kafka.
    pub found: u64,
}

/// How many records the mock has of a stream that is read for the records of another, for each of these.
const OF_PARENT: u64 = 2;

/// How many records a stream has where a list has so many: the product of its own and its parents'.
fn has(streams: &[Stream], stream: &Stream, records: u64) -> u64 {
    let parent = streams.iter().find(|other| Some(&other.operation) == stream.parent.as_ref());
    let own = match (stream.pagination == SINGLE, &stream.parent) {
        (true, _) => 1,
        (false, Some(_)) => OF_PARENT,
        (false, None) => records,
    };
    own * parent.map_or(1, |parent| has(streams, parent, records))
}

fn depth(streams: &[Stream], stream: &Stream) -> u32 {
    let parent = streams.iter().find(|other| Some(&other.operation) == stream.parent.as_ref());
    parent.map_or(0, |parent| 1 + depth(streams, parent))
}

/// What came of draining a document's streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drain {
    /// The document has no streams.
    Nothing,
    /// A step failed: its name, and what it said.
    Failed(&'static str, String),
    /// The connector ended well.
    Done(Vec<Drained>),
}

impl Drain {
    /// What is wrong with it.
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Failed(step, said) => vec![format!("{step}: {said}")],
            Self::Done(streams) => streams
                .iter()
                .filter(|stream| stream.served != stream.found || stream.served != stream.has)
                .map(|stream| {
                    let Drained { operation, pagination, has, pages, served, found, .. } = stream;
                    format!(
                        "{operation} ({pagination}): the API has {has} records, the mock served {served} on {pages} \
                         pages, and Kafka has {found}"
                    )
                })
                .collect(),
        }
    }
}

/// Drains a sample of a document's streams, of which the mock has so many `records` each, fewer of those that are
/// read for the records of others.
///
/// # Errors
///
/// If a program cannot be run, or a broker started. That a step fails is no error: [`Drain::Failed`] says so.
pub fn drain(headwater: &Path, document: &Document, records: u64) -> Result<Drain, HarnessError> {
    let Some(sample) = Sample::new(headwater, document)? else { return Ok(Drain::Nothing) };
    let arguments = sample.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let generated = Generated::new(headwater, document, &format!("{}-drain", document.name), &arguments)?;
    if !generated.generate.status.success() {
        return Ok(Drain::Failed("generate", generated.generate.output));
    }
    let program = match generated.build() {
        Ok(program) => program,
        Err(HarnessError::Command { tail, .. }) => return Ok(Drain::Failed("build", tail)),
        Err(error) => return Err(error),
    };
    let mock = Mock::start(headwater, document, &arguments, records)?;
    let servers = Servers::start(&sample.streams)?;

    let config = generated.folder.join("connector.json");
    directory::write(&config, &configuration(&generated, &sample, &mock, &servers)?.to_string())?;
    let ran = measure(Command::new(program).args(["run", "--once", "--config"]).arg(&config))?;
    if !ran.status.success() {
        return Ok(Drain::Failed("run", ran.output));
    }
    let served = mock.stop()?;
    let mut drained = Vec::new();
    for stream in &sample.streams {
        let found = consume(servers.cluster.bootstrap_servers(), &stream.topic, Isolation::ReadCommitted)?;
        let (pages, served) = served.get(&stream.operation).copied().unwrap_or_default();
        drained.push(Drained {
            operation: stream.operation.clone(),
            pagination: stream.pagination.clone(),
            depth: depth(&sample.streams, stream),
            has: has(&sample.streams, stream, records),
            pages,
            served,
            found: found.len() as u64,
        });
    }
    Ok(Drain::Done(drained))
}

/// What the crate itself gives as an example, with what holds here.
fn configuration(
    generated: &Generated,
    sample: &Sample,
    mock: &Mock,
    servers: &Servers,
) -> Result<Value, HarnessError> {
    let example = generated.folder.join("connector.example.json");
    let failed = |error: &dyn std::fmt::Display| HarnessError::Setup(format!("{}: {error}", example.display()));
    let text = std::fs::read_to_string(&example).map_err(|error| failed(&error))?;
    let example: BTreeMap<String, Value> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let mut config = json!({
        "name": "drain",
        "bootstrap.servers": servers.cluster.bootstrap_servers(),
        "value.converter.schema.registry.url": servers.registry.url().as_str(),
        "http.api.base.url": mock.url,
    });
    // What is left to the user stands in angle brackets. This is text, and an integer too.
    for (name, value) in &example {
        if value.as_str().is_some_and(|value| value.starts_with('<')) && config.get(name).is_none() {
            config[name] = "1".into();
        }
    }
    let takes = |scheme: &str| sample.streams.iter().any(|stream| stream.auth.iter().any(|auth| auth == scheme));
    if takes("bearer") {
        config["auth.type"] = "BEARER".into();
        config["bearer.token"] = "any".into();
    } else if takes("basic") {
        config["auth.type"] = "BASIC".into();
        config["connection.user"] = "any".into();
        config["connection.password"] = "any".into();
    }
    Ok(config)
}

/// A running `headwater mock`. It is killed when dropped.
struct Mock {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
}

impl Mock {
    fn start(headwater: &Path, document: &Document, arguments: &[&str], records: u64) -> Result<Self, HarnessError> {
        let failed = || HarnessError::io("running headwater mock");
        let mut command = Command::new(headwater);
        command.arg("mock").arg(&document.path).args(arguments);
        command.args(["--listen", "127.0.0.1:0", "--records", &records.to_string()]);
        command.args(["--records-of-parent", &OF_PARENT.to_string()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(failed())?;
        let Some(out) = child.stdout.take() else {
            return Err(HarnessError::Setup("headwater mock has no standard output".to_owned()));
        };
        let mut out = BufReader::new(out);
        let mut line = String::new();
        out.read_line(&mut line).map_err(failed())?;
        match line.trim().strip_prefix("listening at ") {
            Some(url) => Ok(Self { child, out, url: url.to_owned() }),
            None => Err(HarnessError::Setup(format!("{}: headwater mock did not start", document.name))),
        }
    }

    /// Ends it. Pages and records that it served, by operation.
    fn stop(mut self) -> Result<BTreeMap<String, (u64, u64)>, HarnessError> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .map_err(|error| HarnessError::io("ending headwater mock")(error.into()))?;
        let mut said = String::new();
        self.out.read_to_string(&mut said).map_err(HarnessError::io("reading what headwater mock says"))?;
        let traffic = said.lines().filter_map(|line| {
            let (operation, counts) = line.rsplit_once(": ")?;
            let (pages, records) = counts.strip_suffix(" records")?.split_once(" pages served, ")?;
            Some((operation.to_owned(), (pages.parse().ok()?, records.parse().ok()?)))
        });
        Ok(traffic.collect())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A broker and a registry within this process.
struct Servers {
    cluster: EmbeddedCluster,
    registry: EmbeddedRegistry,
    _runtime: Runtime,
}

impl Servers {
    fn start(streams: &[Stream]) -> Result<Self, HarnessError> {
        let failed = |error: &dyn std::fmt::Display| HarnessError::Setup(format!("the embedded servers: {error}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let registry = runtime.block_on(EmbeddedRegistry::start(any_port)).map_err(|error| failed(&error))?;
        let cluster = EmbeddedCluster::start(1).map_err(|error| failed(&error))?;
        for stream in streams {
            cluster.create_topic(&stream.topic, 1).map_err(|error| failed(&error))?;
        }
        cluster.create_topic("headwater-drain-offsets", 16).map_err(|error| failed(&error))?;
        Ok(Self { cluster, registry, _runtime: runtime })
    }
}
