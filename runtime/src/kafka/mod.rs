//! Kafka: the only room that names librdkafka. It knows topics, records and transactions, and nothing of HTTP, of
//! formats, or of what a position means.
//!
//! * [`Producer`] writes records, atomically where it is told to.
//! * [`OffsetStore`] reads the positions that were written with them.
//! * [`ensure_topics`] creates topics, [`TopicReader`] reads them, [`EmbeddedCluster`] is a broker within the process.
//!
//! At start the order is: connect the [`Producer`] (which fences a predecessor and finishes its transaction), then
//! [`OffsetStore::restore`]. The other way round could read positions that the predecessor is about to move.

mod admin;
mod blocking;
mod embedded;
mod error;
mod events;
mod murmur2;
mod native;
mod offsets;
mod producer;
mod reader;
mod settings;

pub use admin::{CleanupPolicy, TopicSpec, ensure_topics, topic_exists};
pub use embedded::EmbeddedCluster;
pub use error::{Cause, KafkaError};
pub use offsets::{OffsetKey, OffsetStore};
pub use producer::{Delivery, Producer, ProducerRecord, TrySend};
pub use reader::{TopicReader, TopicRecord};
pub use settings::KafkaSettings;

#[cfg(test)]
mod tests;
