//! Sources from configuration alone: what is asked of an API, and what then stands in Kafka.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "these are tests, helpers included")]

mod binary;
mod configuration;
mod crash;
mod docs;
mod formats;
mod paging;
mod reference;
mod requests;
mod support;
