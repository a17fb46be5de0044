//! A Kafka cluster within the process, for trying things out without installing anything.

use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use rdkafka::{ClientContext, message::DeliveryResult};

use super::error::{Cause, KafkaError};

/// librdkafka's mock cluster. It listens on the loopback interface, so that any Kafka client on the machine can connect.
/// It ends when it is dropped.
///
/// It is no proof of anything about delivery: it accepts transactions but shows records of open and aborted ones, fences
/// nobody, creates topics only through [`Self::create_topic`] or when they are first written to, compacts nothing, and
/// silently drops the oldest records of a partition beyond 5 MiB.
pub struct EmbeddedCluster {
    /// The client that owns the brokers.
    owner: BaseProducer<Quiet>,
    bootstrap_servers: String,
}

impl EmbeddedCluster {
    /// Starts a cluster of `brokers` brokers.
    ///
    /// # Errors
    ///
    /// If the process may not listen or start threads.
    pub fn start(brokers: u16) -> Result<Self, KafkaError> {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", brokers.to_string());
        config.set_log_level(RDKafkaLogLevel::Emerg);
        let owner: BaseProducer<Quiet> = config.create_with_context(Quiet).map_err(KafkaError::configuration)?;
        let bootstrap_servers = cluster(&owner)?.bootstrap_servers();
        Ok(Self { owner, bootstrap_servers })
    }

    /// The brokers' addresses, as `bootstrap.servers` takes them.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Creates a topic, unless it exists.
    ///
    /// # Errors
    ///
    /// If its name is refused.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), KafkaError> {
        let created = cluster(&self.owner)?.create_topic(name, partitions, 1);
        match created.map_err(Cause::from) {
            Err(source) if source.code() != Some(RDKafkaErrorCode::TopicAlreadyExists) => {
                Err(KafkaError::Topic { topic: name.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

/// The cluster itself, which is there as long as its owner is.
fn cluster(owner: &BaseProducer<Quiet>) -> Result<MockCluster<'_, Quiet>, KafkaError> {
    let none = || KafkaError::Configuration { reason: "an embedded cluster needs at least one broker".to_owned() };
    owner.client().mock_cluster().ok_or_else(none)
}

impl fmt::Debug for EmbeddedCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedCluster").field("bootstrap_servers", &self.bootstrap_servers).finish_non_exhaustive()
    }
}

/// The owner writes nothing and has nothing to say.
struct Quiet;

impl ClientContext for Quiet {}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
