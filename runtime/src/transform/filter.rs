//! `Filter`: records dropped (KIP-585). Which, a predicate says.

use super::{Fate, Record, Refusal, Transform};

/// Drops every record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter;

impl Transform for Filter {
    fn apply(&self, _: &mut Record<'_>) -> Result<Fate, Refusal> {
        Ok(Fate::Dropped)
    }
}
