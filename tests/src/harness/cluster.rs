//! A Kafka of three nodes, each of which can be killed and started again.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::HarnessError;
use super::java::Java;
use super::kafka::{self, Ports};
use super::own_kafka::install;
use super::process::{Part, free_ports};

/// How many nodes there are.
pub const NODES: usize = 3;

/// Three nodes; whatever is written is on two of them at least before it is acknowledged. They end when this is dropped, or with
/// the thread that started them.
pub struct Cluster {
    java: Java,
    package: PathBuf,
    nodes: Vec<(PathBuf, Option<Part>)>,
    bootstrap: String,
    _directory: TempDir,
}

impl Cluster {
    /// Starts one.
    ///
    /// `None` if this machine has no Java or no Maven, after one line on stderr.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub fn start() -> Result<Option<Self>, HarnessError> {
        let Some((java, package)) = install()? else { return Ok(None) };
        let directory = tempfile::tempdir().map_err(HarnessError::io("creating a temporary directory"))?;
        let [b1, c1, b2, c2, b3, c3] = free_ports()?;
        let ports = [(b1, c1), (b2, c2), (b3, c3)].map(|(broker, controller)| Ports { broker, controller, guarded: 0 });
        let voters: Vec<_> =
            (1..).zip(&ports).map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.controller)).collect();
        let mut nodes = Vec::with_capacity(NODES);
        for (id, ports) in (1..).zip(ports) {
            let node = directory.path().join(format!("node-{id}"));
            kafka::lay_out(&java, &package, &node, ports, &properties(id, &voters.join(",")))?;
            let part = kafka::spawn(&java, &package, &node)?;
            nodes.push((node, Some(part)));
        }
        for (_, part) in &mut nodes {
            part.as_mut().map_or(Ok(()), kafka::await_started)?;
        }
        let brokers = ports.map(|ports| format!("127.0.0.1:{}", ports.broker));
        Ok(Some(Self { java, package, nodes, bootstrap: brokers.join(","), _directory: directory }))
    }

    /// For `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Kills a node, counted from 0, and starts it again; waits until it serves.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub fn restart(&mut self, node: usize) -> Result<(), HarnessError> {
        let (java, package) = (&self.java, Path::new(&self.package));
        let Some((directory, part)) = self.nodes.get_mut(node) else { return Ok(()) };
        drop(part.take());
        let mut started = kafka::spawn(java, package, directory)?;
        kafka::await_started(&mut started)?;
        *part = Some(started);
        Ok(())
    }
}

fn properties(id: usize, voters: &str) -> String {
    format!(
        "\
node.id={id}
controller.quorum.voters={voters}
default.replication.factor={NODES}
min.insync.replicas=2
offsets.topic.replication.factor={NODES}
transaction.state.log.replication.factor={NODES}
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor={NODES}
share.coordinator.state.topic.min.isr=2
"
    )
}
