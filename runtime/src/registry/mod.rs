//! The schema registry, by Confluent's REST API: a client, and a registry of our own for trying a connector out.

mod client;
mod embedded;
mod error;
mod inferred;
mod routes;
mod store;

pub use client::{RegistryClient, RegistrySettings, SchemaId, Verdict, value_subject, wire_prefix};
pub use embedded::EmbeddedRegistry;
pub use error::RegistryError;
pub use store::SchemaType;
