//! Generates a typed Kafka connector from an annotated OpenAPI document: document → plan → emit.

#[cfg(feature = "run")]
pub mod demo;
pub mod diagnostic;
pub mod document;
pub mod emit;
#[cfg(feature = "run")]
pub mod mock;
pub mod output;
pub mod plan;
