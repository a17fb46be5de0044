//! Kafka: the only room that names librdkafka. It knows topics, records and transactions, and nothing of HTTP, of
//! formats, or of what a position means.
//!
//! * [`Producer`] writes records, atomically where it is told to.
//! * [`OffsetStore`] reads the positions that were written with them, [`Group`] says which of them are this instance's.
//! * [`ensure_topics`] creates topics, [`check_topics`] sees whether they can be used, [`TopicReader`] reads them, [`EmbeddedCluster`] is a broker within the process.
//!
//! The order for each shard is: connect its [`Producer`] (which fences a predecessor and finishes its transaction), then
//! [`OffsetStore::restore`]. The other way round could read positions that the predecessor is about to move.

mod admin;
mod blocking;
mod embedded;
mod error;
mod events;
mod group;
mod members;
mod murmur2;
mod native;
mod offsets;
mod permissions;
mod preflight;
mod producer;
mod progress;
mod reader;
mod settings;
mod state;

pub use admin::{CleanupPolicy, TopicSpec, ensure_topics, topic_exists, topic_names};
pub use embedded::EmbeddedCluster;
pub use error::{Cause, KafkaError};
pub use group::{Change, Confirmation, Group};
pub use members::group_members;
pub use offsets::{OffsetStore, SourcePartition, Stored};
pub use preflight::check_topics;
pub use producer::{Delivery, Producer, ProducerRecord, TrySend};
pub use progress::{GroupReader, Progress};
pub use reader::{TopicReader, TopicRecord};
pub use settings::{GroupProtocol, GroupSettings, KafkaSettings};
pub use state::Following;

#[cfg(test)]
mod tests;
