//! The values a record is made of. They borrow from the response bytes wherever the JSON text allows it, and keep what
//! the API sent as it was sent, also where that is not what the document declares.

mod base64;
mod date;
mod decimal;
mod field;
mod inspection;
mod json;
mod map;
mod number;
mod object;
mod text;
pub(crate) mod time;
mod tree;
mod union;
mod uuid;
mod value;

pub use base64::Base64;
pub use date::{Date, DateTime};
pub use decimal::{Decimal, DecimalNumber};
pub use field::Field;
pub(crate) use inspection::push_segment;
pub use inspection::{Drift, DriftKind, Inspection};
pub use json::{Json, JsonKind};
pub use map::Map;
pub use number::Number;
pub use object::{FieldFacts, FieldVisitor, Object, Sent, Undeclared, decode_object, inspect_object, tolerate_object};
pub use text::Text;
pub(crate) use tree::{Members, Tree, TreeError};
pub use union::{BranchFacts, choose};
pub use uuid::Uuid;
pub use value::{Reading, Value};

/// The type of one record of a stream, as a generated crate defines it.
pub trait Record<'page>: Object<'page> {
    /// The Avro schema, as JSON text.
    const AVRO_SCHEMA: &'static str;

    /// The Protobuf schema: a `.proto` file whose first message is the record.
    const PROTOBUF_SCHEMA: &'static str;

    /// The JSON Schema.
    const JSON_SCHEMA: &'static str;
}
