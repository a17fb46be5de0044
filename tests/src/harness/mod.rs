//! A real single-node Apache Kafka and a real Apicurio Registry, from Maven artifacts alone.
//!
//! `cargo test` runs one process per test binary and gives no hook at the end of the run, so the parts belong to none
//! of them. The first process that asks starts a **supervisor** (the `real-parts` binary of this package), which starts
//! the parts and writes their addresses to a state file below the target directory. Every process that uses the parts
//! holds a **lease**, a shared `flock` that the kernel gives back however the process ends. Twenty seconds after the
//! last lease is gone the supervisor stops the parts and exits; a test run that begins earlier finds them running.
//!
//! | file in `<target>/harness/` | what it is |
//! |---|---|
//! | `kafka-<version>/`, `apicurio-registry-<version>/` | fetched once, kept |
//! | `python/` | the virtual environment of [`mod@crate::python`], kept |
//! | `run-<versions>/lease.lock` | shared by the processes that use the parts; the supervisor may stop when it can have it alone |
//! | `run-<versions>/start.lock` | held while one process starts the supervisor |
//! | `run-<versions>/alive.lock` | held by the supervisor while it lives |
//! | `run-<versions>/state.json` | the addresses, once both parts answer |
//! | `run-<versions>/supervisor.log` | what the supervisor said; the reason, if the parts do not come up |
//! | `run-<versions>/parts/` | data and logs of the running parts; removed with them |

mod cluster;
mod connect;
pub(crate) mod directory;
pub(crate) mod error;
mod java;
mod kafka;
mod lock;
mod maven;
mod own_kafka;
mod process;
mod real_parts;
mod registry;
mod say;
mod supervisor;

pub use cluster::{Cluster, NODES};
pub use connect::connect_transforms;
pub use error::HarnessError;
pub use kafka::KAFKA_VERSION;
pub use own_kafka::{OwnKafka, PASSWORD};
pub use real_parts::{RealParts, real_parts};
pub use registry::REGISTRY_VERSION;
pub use supervisor::{Addresses, hold, supervise};

pub(crate) use directory::harness_directory;
pub(crate) use lock::FileLock;
pub(crate) use say::{available, say};
