//! A mock of an API, served from the plan of its connector: records that are true to their schemas, and pages that
//! follow one another as the API's do.

mod page;
mod server;
mod values;

pub use server::MockApi;
