//! `InsertHeader`: a constant as a header.

use std::borrow::Cow;

use super::{Fate, Record, Refusal, Transform};
use crate::record::Tree;

/// The header.
#[derive(Clone, Debug)]
pub(crate) struct InsertHeader {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Transform for InsertHeader {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        record.headers.push((self.name.clone(), Tree::String(Cow::Owned(self.value.clone()))));
        Ok(Fate::Kept)
    }
}
