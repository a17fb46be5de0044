//! End-to-end tests of Headwater, and what they need: a real Apache Kafka, a real schema registry, and clients that
//! share no code with ours.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headwater_tests::{Isolation, consume, real_parts};
//!
//! let Some(parts) = real_parts()? else { return Ok(()) }; // no Java or no Maven here: skipped, with one line on stderr
//! let topic = headwater_tests::unique_name("orders");
//! headwater_tests::create_topic(&parts.bootstrap, &topic, 4, &[])?;
//! // ... run a connector against parts.bootstrap and parts.registry ...
//! assert_eq!(consume(&parts.bootstrap, &topic, Isolation::ReadCommitted)?.len(), 100);
//! # Ok(())
//! # }
//! ```
//!
//! * [`harness`] starts Kafka and the registry once for all test binaries of a run and stops them afterwards.
//! * [`mod@consume`] reads a topic to its end with librdkafka.
//! * [`mod@python`] reads it with Confluent's Python client and Avro deserializer.
//!
//! Unix only: leases are `flock`s and the parts live in their own process groups.

pub mod api;
pub mod chaos;
pub mod consume;
pub mod corpus;
pub mod faulty;
pub mod fleet;
pub mod harness;
pub mod large;
pub mod program;
pub mod python;
pub mod scripted;
pub mod storm;
pub mod styles;
pub mod topic;

pub use api::PagedApi;
pub use consume::{Consumed, Isolation, consume, consume_each};
pub use faulty::{FaultyApi, Transport};
pub use fleet::{Fleet, Instance};
pub use harness::{Cluster, HarnessError, NODES, OwnKafka, PASSWORD, RealParts, real_parts};
pub use large::{LargeApi, LargeBody};
pub use program::{build_generated, configuration, example, generate, headwater, run_headwater, target, workspace};
pub use python::{Python, python};
pub use scripted::{Answer, Received, ScriptedApi};
pub use styles::Style;
pub use topic::{create_topic, unique_name};
