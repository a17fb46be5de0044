//! Stage 2: document → plan. Decides what each operation is, as a stream: what the annotations say, and by rules that
//! have names what they do not.

mod annotations;
pub(crate) mod auth;
mod bodies;
mod components;
mod duration;
mod fields;
mod infer;
mod left_out;
pub mod model;
mod names;
mod numbers;
mod operations;
mod parameters;
mod redaction;
mod relatives;
mod reserved;
mod schema;
mod select;
mod streams;
pub mod survey;
mod types;

pub(crate) use annotations::SOURCE;
pub use left_out::{LeftOut, LeftOutFor, by_reason};
pub use numbers::FieldNumbers;
#[cfg(feature = "run")]
pub(crate) use schema::{SchemaPath, Step, literal};
pub use select::{PlanOptions, Planned, SchemaCount, Selection, is_annotated, plan};
pub use survey::survey;
pub(crate) use survey::{offset as describe_offset, pagination as describe_pagination};

/// The field of a record for what has no other place in its schema; no other field can be called so. The runtime writes
/// it by this name.
pub const UNMAPPED: &str = "unmapped";

/// Its Protobuf field number, the last there is.
pub const UNMAPPED_NUMBER: u32 = 536_870_911;
