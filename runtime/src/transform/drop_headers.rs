//! `DropHeaders`: headers left out.

use super::{Fate, Record, Refusal, Transform};

/// Their names.
#[derive(Clone, Debug)]
pub(crate) struct DropHeaders {
    pub(crate) names: Vec<String>,
}

impl Transform for DropHeaders {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        record.headers.retain(|(name, _)| !self.names.contains(name));
        Ok(Fate::Kept)
    }
}
