//! The values a record is made of. They borrow from the response bytes wherever the JSON text allows it, and keep what
//! the API sent as it was sent: a date-time stays the text it was until an encoder needs the instant.

mod base64;
mod date;
mod json;
mod map;
mod text;
pub(crate) mod time;
mod uuid;

pub use base64::Base64;
pub use date::{Date, DateTime};
pub use json::{Json, JsonKind};
pub use map::Map;
pub use text::Text;
pub use uuid::Uuid;

use crate::format::avro;

/// The type of one record of a stream, as a generated crate defines it.
pub trait Record: avro::Encode {
    /// The Avro schema that [`avro::Encode::encode`] writes by, as JSON text.
    const AVRO_SCHEMA: &'static str;
}
