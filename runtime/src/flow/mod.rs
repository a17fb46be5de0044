//! The flow: schedule → request → page → records → transaction.
//!
//! Every stream has a task that reads it, and belongs to a shard; the writer of the shard puts what its tasks read into
//! transactions. When a transaction fails in a way that can pass, the tasks of its shard begin again at their committed
//! positions. Which shards run in this instance, the consumer group says (`membership`); what is done with each and when,
//! `assignment` decides and `instance` does.

mod assignment;
mod check;
mod dead_letters;
mod definition;
mod demand;
mod error_topic;
mod first;
mod handle;
mod inference;
mod instance;
mod instead;
mod large;
mod membership;
mod offsets;
mod output;
mod pace;
mod pages;
mod preview;
mod provenance;
mod reader;
mod replay;
mod shard;
mod side_topic;
mod snapshot;
mod start;
mod state;
mod steering;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod topics;
mod transaction;
mod tree;

use std::ops::AddAssign;

use thiserror::Error;

pub use check::{Check, CheckError, check};
pub use error_topic::ReportAs;
pub use handle::{Handle, NoCycle, ShardStatus, Status};
pub use inference::{InferenceError, Learning};
pub use offsets::{read_positions, tracked_operations, write_positions};
pub use output::Tolerance;
pub use pace::Pace;
pub use pages::PageLimit;
pub use preview::{Preview, PreviewRecord, preview};
pub use provenance::Provenance;
pub use replay::{Replayed, replay_dead_letters};
pub use snapshot::{SnapshotError, SnapshotSettings};
pub use start::{Embedded, StartError, run, run_operations};
pub(crate) use start::{operations, schema_type};
pub use steering::{NewPositions, NotSteered};
pub use stream::StreamError;
pub use task::{Mode, OnError, Restart};

use crate::kafka::KafkaError;
use crate::registry::RegistryError;
pub(crate) use state::State;

/// What a run has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records committed.
    pub records: u64,
    /// Pages committed, those without records but with a new position included.
    pub pages: u64,
    /// Transactions committed.
    pub transactions: u64,
    /// What was written to the dead letter topic, in the same transactions.
    pub dead_letters: u64,
    /// How often records departed from the API's document.
    pub drift: u64,
}

/// Why a run ended before it was told to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A stream cannot go on.
    #[error("stream `{operation}` stopped")]
    Stream {
        /// The operation's id.
        operation: String,
        /// Why.
        source: StreamError,
    },
    /// Kafka cannot be used.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The schema registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The connector cannot be set up.
    #[error(transparent)]
    Start(#[from] start::StartError),
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.pages += other.pages;
        self.transactions += other.transactions;
        self.dead_letters += other.dead_letters;
        self.drift += other.drift;
    }
}
