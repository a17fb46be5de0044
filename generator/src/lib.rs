//! Generates a typed Kafka connector from an annotated OpenAPI document: document → plan → emit.

pub mod diagnostic;
pub mod document;
pub mod emit;
pub mod output;
pub mod plan;
