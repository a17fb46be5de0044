//! What a running Headwater connector needs.
//!
//! ```text
//! Schedule ─▶ Position ─▶ Request ─▶ HTTP ─▶ Page ─▶ Records ─▶ Transaction(records + position) ─▶ Kafka
//!                ▲                                                          │
//!                └───────────────────── committed position ◀───────────────┘
//! ```
//!
//! A generated crate states facts: it implements [`operation::TypedOperation`] for each of its operations and hands a
//! [`connector::Connector`] over. Everything that happens is in here.

// What is derived names the runtime as generated crates do.
#[cfg(test)]
extern crate self as headwater_runtime;

pub mod admin;
pub mod body;
pub mod cassette;
pub mod cli;
pub(crate) mod clock;
#[doc(hidden)]
pub mod codegen;
pub mod config;
pub mod configured;
pub mod connector;
pub mod contract;
pub mod error;
pub mod flow;
pub mod format;
pub mod hook;
pub mod http;
pub mod kafka;
pub mod keystore;
pub(crate) mod learnt;
pub mod login;
pub mod memory;
pub mod metrics;
pub mod operation;
pub mod page;
pub mod position;
pub(crate) mod random;
pub mod record;
pub mod redaction;
pub mod registry;
pub mod schedule;
pub mod secret;
pub mod slice;
pub mod telemetry;
pub mod transform;
