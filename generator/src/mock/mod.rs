//! A mock of an API, served from the plan of its connector: records that are true to their schemas, and pages that
//! follow one another as the API's do. It asks for the credentials that the API asks for, and fails when told to.

mod guard;
mod lines;
mod page;
mod server;
mod values;

pub use guard::{FAULT_HEADER, FAULT_PARAMETER};
pub use server::{Counts, MockApi, Served, Traffic};
