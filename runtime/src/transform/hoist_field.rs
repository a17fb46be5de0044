//! `HoistField`: everything as one field of an object.

use std::borrow::Cow;

use super::{Fate, Record, Refusal, Side, Transform};
use crate::record::Tree;

/// The field's name.
#[derive(Clone, Debug)]
pub(crate) struct HoistField {
    pub(crate) side: Side,
    pub(crate) field: String,
}

impl Transform for HoistField {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let side = record.side(self.side);
        let value = std::mem::take(side);
        *side = Tree::Object(vec![(Cow::Owned(self.field.clone()), value)]);
        Ok(Fate::Kept)
    }
}
