//! The complete list of what generated code may name. Everything here is a promise to crates that are already
//! generated.

pub use serde;
pub use serde::Deserialize;
pub use serde::de::{Deserializer, Error as DeserializeError};

pub use crate::connector::{Connector, ConnectorError, Parameters};
pub use crate::format::EncodeError;
pub use crate::format::avro;
pub use crate::http::{Parameter, Request, Style};
pub use crate::operation::{
    Incremental, IncrementalMode, KeyField, OffsetField, OffsetValue, OperationFacts, TypedOperation,
};
pub use crate::page::Pagination;
pub use crate::record::{Base64, Date, DateTime, Json, JsonKind, Map, Record, Text, Uuid};
