//! What transforms act on.

use std::borrow::Cow;

use super::Refusal;
use crate::record::{Members, Tree};

/// A record on its way to Kafka.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record<'a> {
    pub(crate) topic: Cow<'a, str>,
    /// Text if the API's key is untouched.
    pub(crate) key: Tree<'a>,
    /// `null` is a tombstone.
    pub(crate) value: Tree<'a>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) timestamp: Option<i64>,
    pub(crate) headers: Vec<(String, Tree<'a>)>,
}

/// Which part of a record a transform acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Key,
    Value,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
        }
    }
}

impl<'a> Record<'a> {
    pub(crate) fn side(&mut self, side: Side) -> &mut Tree<'a> {
        match side {
            Side::Key => &mut self.key,
            Side::Value => &mut self.value,
        }
    }

    /// The members of an object.
    pub(super) fn members(&mut self, side: Side) -> Result<&mut Members<'a>, Refusal> {
        match self.side(side) {
            Tree::Object(members) => Ok(members),
            other => Err(Refusal::of_record(format!("its {} is {}, not an object", side.word(), other.noun()))),
        }
    }

    /// The members of an object; none of `null`.
    pub(super) fn members_or_null(&mut self, side: Side) -> Result<Option<&mut Members<'a>>, Refusal> {
        match self.side(side) {
            Tree::Null => Ok(None),
            _ => self.members(side).map(Some),
        }
    }
}

/// A member's value; `null` if there is none.
pub(super) fn get<'t, 'a>(members: &'t Members<'a>, name: &str) -> &'t Tree<'a> {
    const NULL: &Tree<'static> = &Tree::Null;
    members.iter().find(|(known, _)| known == name).map_or(NULL, |(_, value)| value)
}

/// Sets a member, in its place if it is there.
pub(super) fn put<'a>(members: &mut Members<'a>, name: &str, value: Tree<'a>) {
    match members.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value,
        None => members.push((Cow::Owned(name.to_owned()), value)),
    }
}
