//! What the `kafka` room will define.

use crate::secret::Secret;

/// What the user configured of Kafka. Property names are librdkafka's; see its `CONFIGURATION.md`.
#[derive(Clone, Debug, Default)]
pub struct KafkaSettings {
    /// Brokers to ask for the others, as `host:port`, separated by commas.
    pub bootstrap_servers: String,
    /// Properties of every client, such as `security.protocol`.
    pub client: Vec<(String, Secret)>,
    /// Properties of producers.
    pub producer: Vec<(String, Secret)>,
    /// Properties of consumers.
    pub consumer: Vec<(String, Secret)>,
}
