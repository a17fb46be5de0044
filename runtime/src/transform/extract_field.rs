//! `ExtractField`: one field in place of what it stands in.

use super::{Fate, Path, Record, Refusal, Side, Transform};
use crate::record::Tree;

/// The field.
#[derive(Clone, Debug)]
pub(crate) struct ExtractField {
    pub(crate) side: Side,
    pub(crate) field: Path,
}

impl Transform for ExtractField {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let Some(members) = record.members_or_null(self.side)? else { return Ok(Fate::Kept) };
        let found = self.field.find(members)?.map_or(Tree::Null, std::mem::take);
        *record.side(self.side) = found;
        Ok(Fate::Kept)
    }
}
