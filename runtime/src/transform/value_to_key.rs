//! `ValueToKey`: fields of the value as the key.

use std::borrow::Cow;

use super::record::get;
use super::{Fate, Record, Refusal, Side, Transform};
use crate::record::Tree;

/// The fields that make up the key.
#[derive(Clone, Debug)]
pub(crate) struct ValueToKey {
    pub(crate) fields: Vec<String>,
}

impl Transform for ValueToKey {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let members = record.members(Side::Value)?;
        let key = self.fields.iter().map(|name| (Cow::Owned(name.clone()), get(members, name).clone()));
        record.key = Tree::Object(key.collect());
        Ok(Fate::Kept)
    }
}
