//! Sources from configuration alone: what is asked of an API, and what then stands in Kafka.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "these are tests, helpers included")]

mod binary;
mod configuration;
mod formats;
mod paging;
mod requests;
mod support;
