//! Wire formats of record values. Knows neither HTTP nor Kafka.

pub mod avro;

use thiserror::Error;

/// A record that its declared schema cannot carry.
#[derive(Debug, Error)]
#[error("`{pointer}`: {reason}")]
pub struct EncodeError {
    pointer: String,
    reason: String,
}

impl EncodeError {
    /// An error at the value itself; [`EncodeError::within`] adds where that value stands.
    pub(crate) fn new(reason: impl Into<String>) -> Box<Self> {
        Box::new(Self { pointer: String::new(), reason: reason.into() })
    }

    /// The same error, seen from the object or array that holds the value under `segment`.
    pub(crate) fn within(mut self: Box<Self>, segment: &str) -> Box<Self> {
        let segment = segment.replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &format!("/{segment}"));
        self
    }

    /// JSON Pointer (RFC 6901) from the record to the value at fault.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }
}
