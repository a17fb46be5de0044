//! Transforms of records between the API and Kafka: those of Kafka Connect, with its names, properties and semantics for
//! data without a schema (Kafka Connect User Guide, "Transformations"; KIP-66, KIP-585, KIP-821).
//!
//! Knows neither HTTP nor Kafka. What a transform acts on is a record, whose key and value are JSON.

mod cast;
mod date_format;
mod drop_headers;
mod extract_field;
mod filter;
mod flatten;
mod header_from;
mod hoist_field;
mod insert_field;
mod insert_header;
mod java;
mod mask_field;
mod path;
mod predicate;
mod record;
mod regex_router;
mod replace_field;
mod timestamp_converter;
mod timestamp_router;
mod value_to_key;

use std::sync::Arc;

use thiserror::Error;

pub(crate) use cast::{Cast, CastType};
pub(crate) use date_format::DateFormat;
pub(crate) use drop_headers::DropHeaders;
pub(crate) use extract_field::ExtractField;
pub(crate) use filter::Filter;
pub(crate) use flatten::Flatten;
pub(crate) use header_from::HeaderFrom;
pub(crate) use hoist_field::HoistField;
pub(crate) use insert_field::InsertField;
pub(crate) use insert_header::InsertHeader;
pub(crate) use mask_field::MaskField;
pub(crate) use path::Path;
pub(crate) use predicate::Predicate;
pub(crate) use record::{Record, Side};
pub(crate) use regex_router::{RegexRouter, whole};
pub(crate) use replace_field::ReplaceField;
pub(crate) use timestamp_converter::{TimestampConverter, TimestampType, UnixPrecision};
pub(crate) use timestamp_router::TimestampRouter;
pub(crate) use value_to_key::ValueToKey;

/// What one transform does.
pub(crate) trait Transform: std::fmt::Debug + Send + Sync {
    /// Changes a record, or says that it goes no further.
    ///
    /// # Errors
    ///
    /// If the record is not what the transform acts on.
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal>;

    /// Whether it needs a record's time, so that one without has that of its writing.
    fn needs_time(&self) -> bool {
        false
    }
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on.
    Kept,
    /// It is dropped.
    Dropped,
}

/// Why a transform cannot act on a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The field that it is about, if it is about one.
    field: Option<String>,
    reason: String,
}

impl Refusal {
    fn of_record(reason: impl Into<String>) -> Self {
        Self { field: None, reason: reason.into() }
    }

    fn of_field(field: &str, reason: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), reason: reason.into() }
    }
}

/// A transform refused a record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the transform `{transform}` cannot act on it{}: {reason}", .field.as_ref().map(|field| format!(", field `{field}`")).unwrap_or_default())]
pub struct TransformError {
    /// The transform's name in the configuration.
    pub transform: String,
    /// The field that it is about, if it is about one.
    pub field: Option<String>,
    /// Why.
    pub reason: String,
}

/// A transform in its place.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Which records it acts on; all if there is none.
    pub(crate) condition: Option<Condition>,
    pub(crate) transform: Box<dyn Transform>,
}

/// Which records a transform acts on.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) predicate: Predicate,
    /// Whether those for which the predicate is false.
    pub(crate) negate: bool,
}

/// All transforms of a connector, in their order.
#[derive(Clone, Debug, Default)]
pub struct Transforms {
    steps: Arc<Vec<Step>>,
    needs_time: bool,
}

impl Transforms {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let needs_time = steps.iter().any(|step| step.transform.needs_time());
        Self { steps: Arc::new(steps), needs_time }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether a record without a time needs that of its writing.
    pub(crate) fn needs_time(&self) -> bool {
        self.needs_time
    }

    /// Changes a record by all of them, or says that it goes no further.
    pub(crate) fn apply(&self, record: &mut Record<'_>) -> Result<Fate, TransformError> {
        for step in self.steps.iter() {
            let acts = step.condition.as_ref().is_none_or(|condition| condition.holds(record));
            if !acts {
                continue;
            }
            let fate = step.transform.apply(record).map_err(|Refusal { field, reason }| TransformError {
                transform: step.name.clone(),
                field,
                reason,
            })?;
            if fate == Fate::Dropped {
                return Ok(fate);
            }
        }
        Ok(Fate::Kept)
    }
}

impl Condition {
    fn holds(&self, record: &Record<'_>) -> bool {
        self.predicate.holds(record) != self.negate
    }
}
