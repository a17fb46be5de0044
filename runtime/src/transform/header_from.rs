//! `HeaderFrom`: fields as headers.

use super::record::get;
use super::{Fate, Record, Refusal, Side, Transform};

/// Which field becomes which header.
#[derive(Clone, Debug)]
pub(crate) struct HeaderFrom {
    pub(crate) side: Side,
    /// Names of fields, and of the headers that they become.
    pub(crate) fields: Vec<(String, String)>,
    /// Whether the fields are left out then.
    pub(crate) moves: bool,
}

impl Transform for HeaderFrom {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let members = record.members(self.side)?;
        let headers: Vec<_> =
            self.fields.iter().map(|(field, header)| (header.clone(), get(members, field).clone())).collect();
        if self.moves {
            members.retain(|(name, _)| self.fields.iter().all(|(field, _)| field != name));
        }
        record.headers.extend(headers);
        Ok(Fate::Kept)
    }
}
