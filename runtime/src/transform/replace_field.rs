//! `ReplaceField`: fields left out, kept, or renamed.

use std::borrow::Cow;

use super::{Fate, Record, Refusal, Side, Transform};

/// Which fields stay, and as what.
#[derive(Clone, Debug)]
pub(crate) struct ReplaceField {
    pub(crate) side: Side,
    pub(crate) exclude: Vec<String>,
    /// All others are left out, unless this is empty.
    pub(crate) include: Vec<String>,
    pub(crate) renames: Vec<(String, String)>,
}

impl Transform for ReplaceField {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let Some(members) = record.members_or_null(self.side)? else { return Ok(Fate::Kept) };
        let is_in = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
        members
            .retain(|(name, _)| !is_in(&self.exclude, name) && (self.include.is_empty() || is_in(&self.include, name)));
        for (name, _) in members {
            if let Some((_, new)) = self.renames.iter().find(|(old, _)| old == name) {
                *name = Cow::Owned(new.clone());
            }
        }
        Ok(Fate::Kept)
    }
}
