//! Apache Kafka: one node that is broker and controller.

use std::path::Path;
use std::process::Command;

use super::HarnessError;
use super::directory::{create, remove, write};
use super::error::run_to_end;
use super::java::Java;
use super::maven::Package;
use super::process::{Part, free_ports, start_on_free_ports};

/// The version of Apache Kafka that tests run against.
pub const KAFKA_VERSION: &str = "4.2.0";

/// log4j is not among the dependencies of Kafka's own pom; its distribution adds it, and so must we.
pub(crate) const PACKAGE: Package = Package {
    name: "kafka",
    version: KAFKA_VERSION,
    dependencies: &[
        "org.apache.kafka:kafka_2.13:4.2.0",
        "org.apache.logging.log4j:log4j-api:2.25.1",
        "org.apache.logging.log4j:log4j-core:2.25.1",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
    ],
    goal: &["copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"],
};

/// A running Kafka.
#[derive(Debug)]
pub(crate) struct Kafka {
    pub(crate) part: Part,
    /// `host:port` for `bootstrap.servers`.
    pub(crate) bootstrap: String,
    /// The same of a listener that asks who one is, if it has one.
    pub(crate) guarded: String,
}

impl Kafka {
    /// Starts it and waits until it serves. All it writes goes below `directory`.
    pub(crate) fn start(java: &Java, package: &Path, directory: &Path) -> Result<Self, HarnessError> {
        Self::start_with(java, package, directory, |_| String::new())
    }

    /// As [`Kafka::start`], with properties laid over the usual ones. A port is free for what they add.
    pub(crate) fn start_with(
        java: &Java,
        package: &Path,
        directory: &Path,
        more: impl Fn(Ports) -> String,
    ) -> Result<Self, HarnessError> {
        start_on_free_ports(|| Self::attempt(java, package, directory, &more))
    }

    fn attempt(
        java: &Java,
        package: &Path,
        directory: &Path,
        more: impl Fn(Ports) -> String,
    ) -> Result<Self, HarnessError> {
        let [broker, controller, guarded] = free_ports()?;
        let ports = Ports { broker, controller, guarded };
        lay_out(java, package, directory, ports, &more(ports))?;
        let mut part = spawn(java, package, directory)?;
        await_started(&mut part)?;
        let [bootstrap, guarded] = [broker, guarded].map(|port| format!("127.0.0.1:{port}"));
        Ok(Self { part, bootstrap, guarded })
    }
}

/// Makes the files of a node, with properties laid over the usual ones.
pub(crate) fn lay_out(
    java: &Java,
    package: &Path,
    directory: &Path,
    ports: Ports,
    more: &str,
) -> Result<(), HarnessError> {
    remove(directory)?;
    create(directory)?;
    // Of a property that is there twice, the last counts.
    write(&directory.join("server.properties"), &(properties(ports.broker, ports.controller) + more))?;
    write(&directory.join("log4j2.properties"), LOG4J)?;
    let format = ["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config"];
    run_to_end("formatting Kafka's storage", &mut command(java, package, directory, &format)).map(drop)
}

/// Starts the node whose files are in `directory`.
pub(crate) fn spawn(java: &Java, package: &Path, directory: &Path) -> Result<Part, HarnessError> {
    let name = format!("Apache Kafka {KAFKA_VERSION}");
    Part::spawn(name, &mut command(java, package, directory, &["kafka.Kafka"]), directory.join("kafka.log"))
}

/// Waits until a node serves.
pub(crate) fn await_started(node: &mut Part) -> Result<(), HarnessError> {
    // It says so after the broker is registered and unfenced; an open port alone would be too early.
    node.await_ready(|log| std::fs::read_to_string(log).is_ok_and(|text| text.contains("Kafka Server started")))
}

fn command(java: &Java, package: &Path, directory: &Path, main: &[&str]) -> Command {
    let mut command = java.command();
    command.arg("-Dlog4j2.configurationFile=log4j2.properties").arg("-cp").arg(package.join("lib/*"));
    command.args(main).arg("server.properties").current_dir(directory);
    command
}

/// The ports of a Kafka.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) broker: u16,
    pub(crate) controller: u16,
    /// Of a listener that asks who one is, if it has one.
    pub(crate) guarded: u16,
}

/// Any 16 bytes in URL-safe base64.
const CLUSTER_ID: &str = "aGVhZHdhdGVyLXRlc3RzLg";

const LOG4J: &str = "\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
";

fn properties(broker: u16, controller: u16) -> String {
    format!(
        "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=data

# One node.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216

# As in production: whoever needs a topic creates it.
auto.create.topics.enable=false

# Records carry the timestamps of the API they come from, which may be years old: retention would delete them.
log.retention.ms=-1

# So that tests of takeover need not wait: dead transactions end soon after their timeout, sessions may be short.
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
"
    )
}
