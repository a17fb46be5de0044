//! The complete list of what generated code may name. Everything here is a promise to crates that are already
//! generated.

pub use headwater_runtime_derive::{Object, OpenEnum, Union};
pub use serde;

pub use crate::connector::{BackfillFacts, Connector, ConnectorError, Parameters};
pub use crate::format::Encoder;
pub use crate::hook::Verdict;
pub use crate::http::{Parameter, Request, Style};
pub use crate::operation::{
    Incremental, IncrementalMode, KeyField, OffsetField, OffsetValue, OperationFacts, TypedOperation,
};
pub use crate::page::{FoundIn, Pagination, TokenIn, Until};
pub use crate::record::{
    Base64, BranchFacts, Date, DateTime, Decimal, DecimalNumber, Field, FieldFacts, FieldVisitor, Inspection, Json,
    JsonKind, Map, Number, Object, Reading, Record, Sent, Text, Undeclared, Uuid, Value, choose, decode_object,
    inspect_object, tolerate_object,
};
pub use crate::slice::{Children, Slicing};
