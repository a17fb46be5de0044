//! What a written value says: it is read back by its schema, as a consumer would. For people who look on; the schemas are
//! those of generated crates, so that what a generator never writes is not understood here.

mod avro;
mod protobuf;

use serde_json::Value;

use super::OutputFormat;

/// The value, with fields by the names of its schema; `None` if the schema is none of its, or the format is text itself.
pub(crate) fn shown(format: OutputFormat, schema: &str, written: &[u8]) -> Option<Value> {
    match format {
        OutputFormat::Avro => avro::shown(schema, written),
        OutputFormat::Protobuf => protobuf::shown(schema, written),
        OutputFormat::Json | OutputFormat::JsonSchema => None,
    }
}

/// What of a value is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of as many bytes as it needs, seven bits in each, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn double(&mut self) -> Option<Value> {
        let bytes = self.take(size_of::<f64>())?.try_into().ok()?;
        Some(f64::from_le_bytes(bytes).into())
    }
}
