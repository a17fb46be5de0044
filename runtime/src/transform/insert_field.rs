//! `InsertField`: what is known of a record, or a constant, as a field.

use std::borrow::Cow;

use super::record::put;
use super::{Fate, Record, Refusal, Side, Transform};
use crate::record::Tree;

/// Names of the fields that are put in, where there is something to put in.
#[derive(Clone, Debug)]
pub(crate) struct InsertField {
    pub(crate) side: Side,
    pub(crate) topic: Option<String>,
    pub(crate) timestamp: Option<String>,
    /// With its value.
    pub(crate) constant: Option<(String, String)>,
}

impl Transform for InsertField {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let (topic, timestamp) = (record.topic.to_string(), record.timestamp);
        let Some(members) = record.members_or_null(self.side)? else { return Ok(Fate::Kept) };
        if let Some(name) = &self.topic {
            put(members, name, Tree::String(Cow::Owned(topic)));
        }
        if let (Some(name), Some(timestamp)) = (&self.timestamp, timestamp) {
            put(members, name, Tree::Number(Cow::Owned(timestamp.to_string())));
        }
        if let Some((name, value)) = &self.constant {
            put(members, name, Tree::String(Cow::Owned(value.clone())));
        }
        Ok(Fate::Kept)
    }

    fn needs_time(&self) -> bool {
        self.timestamp.is_some()
    }
}
