//! Sources from configuration alone: what is asked of an API, and what then stands in Kafka.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "these are tests, helpers included")]

mod actions;
mod addresses;
mod auth;
mod backfill;
mod binary;
mod bodies;
mod completeness;
mod configuration;
mod crash;
mod dead_letters;
mod demand;
mod docs;
mod drift;
mod failures;
mod formats;
mod limits;
mod login;
mod matrix;
mod paging;
mod positions;
mod properties;
mod provenance;
mod redaction;
mod reference;
mod requests;
mod slices;
mod snapshots;
mod stores;
mod storm;
mod support;
mod templates;
mod tls;
mod transforms;
mod traps;
