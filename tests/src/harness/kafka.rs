//! Apache Kafka: one node that is broker and controller.

use std::path::Path;

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
}

impl Kafka {
    /// Starts it and waits until it serves. All it writes goes below `directory`.
    pub(crate) fn start(java: &Java, package: &Path, directory: &Path) -> Result<Self, HarnessError> {
        start_on_free_ports(|| Self::attempt(java, package, directory))
    }

    fn attempt(java: &Java, package: &Path, directory: &Path) -> Result<Self, HarnessError> {
        remove(directory)?;
        create(directory)?;
        let [broker, controller] = free_ports()?;
        write(&directory.join("server.properties"), &properties(broker, controller))?;
        write(&directory.join("log4j2.properties"), LOG4J)?;
        let command = |main: &[&str]| {
            let mut command = java.command();
            command.arg("-Dlog4j2.configurationFile=log4j2.properties").arg("-cp").arg(package.join("lib/*"));
            command.args(main).arg("server.properties").current_dir(directory);
            command
        };
        run_to_end(
            "formatting Kafka's storage",
            &mut command(&["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config"]),
        )?;
        let name = format!("Apache Kafka {KAFKA_VERSION}");
        let mut part = Part::spawn(name, &mut command(&["kafka.Kafka"]), directory.join("kafka.log"))?;
        // It says so after the broker is registered and unfenced; an open port alone would be too early.
        part.await_ready(|log| std::fs::read_to_string(log).is_ok_and(|text| text.contains("Kafka Server started")))?;
        Ok(Self { part, bootstrap: format!("127.0.0.1:{broker}") })
    }
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
