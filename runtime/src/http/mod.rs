//! Requests and responses. Knows no Kafka; the only place that names the HTTP client.

mod request;

pub use request::{Method, Parameter, Request, Target};
