//! `Flatten`: objects in objects as one object.

use std::borrow::Cow;

use super::{Fate, Record, Refusal, Side, Transform};
use crate::record::{Members, Tree};

/// What stands between the names.
#[derive(Clone, Debug)]
pub(crate) struct Flatten {
    pub(crate) side: Side,
    pub(crate) delimiter: String,
}

impl Flatten {
    fn flatten<'a>(&self, members: Members<'a>, before: &str, flat: &mut Members<'a>) {
        for (name, value) in members {
            let name = match before {
                "" => name,
                before => Cow::Owned(format!("{before}{}{name}", self.delimiter)),
            };
            match value {
                Tree::Object(members) => self.flatten(members, &name, flat),
                value => super::record::put(flat, &name, value),
            }
        }
    }
}

impl Transform for Flatten {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let Some(members) = record.members_or_null(self.side)? else { return Ok(Fate::Kept) };
        let mut flat = Vec::with_capacity(members.len());
        self.flatten(std::mem::take(members), "", &mut flat);
        *members = flat;
        Ok(Fate::Kept)
    }
}
