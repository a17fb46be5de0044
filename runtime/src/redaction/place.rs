//! The places that rules name, as a tree.

use super::Action;
use crate::configured::Pointer;

/// What stands for every member or element of a place.
const EACH: &str = "*";

/// Whether a segment is neither that nor an index.
fn is_name(segment: &str) -> bool {
    segment != EACH && segment.parse::<usize>().is_err()
}

/// Whether what stands at `rule` is, or is in, or holds what stands at `place`.
pub(super) fn meet(rule: &[String], place: &[String]) -> bool {
    let (Some((wanted, rule_rest)), Some((found, place_rest))) = (rule.split_first(), place.split_first()) else {
        return true;
    };
    let is_same = wanted == EACH || wanted == found;
    is_same && meet(rule_rest, place_rest) || is_name(wanted) && !is_name(found) && meet(rule, place_rest)
}

/// A place in a record, and those below it that are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    action: Option<Action>,
    below: Vec<(String, Place)>,
}

impl Place {
    /// The record, with what is done below it.
    pub(super) fn of<'r>(rules: impl Iterator<Item = (&'r Pointer, Action)>) -> Self {
        let mut root = Self::default();
        for (at, action) in rules {
            let place = at.segments().iter().fold(&mut root, |place, segment| {
                let known = place.below.iter().position(|(name, _)| name == segment);
                let index = known.unwrap_or_else(|| {
                    place.below.push((segment.clone(), Self::default()));
                    place.below.len() - 1
                });
                &mut place.below[index].1
            });
            place.action = place.action.into_iter().chain([action]).min();
        }
        root
    }

    /// The places of a member or element.
    fn member<'p>(&'p self, name: &str) -> impl Iterator<Item = &'p Self> {
        self.below.iter().filter(move |(known, _)| known == name || known == EACH).map(|(_, place)| place)
    }

    /// Whether it names members of objects.
    fn has_names(&self) -> bool {
        self.below.iter().any(|(name, _)| is_name(name))
    }

    fn strictest(&self) -> Option<Action> {
        self.action.into_iter().chain(self.below.iter().filter_map(|(_, place)| place.strictest())).min()
    }
}

/// The places that a value stands at: several where `*` and a name meet.
pub(super) struct Places<'p>(Vec<&'p Place>);

impl<'p> Places<'p> {
    pub(super) fn at(place: &'p Place) -> Self {
        Self(vec![place])
    }

    pub(super) fn member(&self, name: &str) -> Self {
        Self(self.0.iter().flat_map(|place| place.member(name)).collect())
    }

    /// The places of an element of an array. What names a member is meant of each element: many APIs have one object where
    /// others have a list of them.
    pub(super) fn element(&self, index: &str) -> Self {
        let Self(mut places) = self.member(index);
        places.extend(self.0.iter().filter(|place| place.has_names()));
        Self(places)
    }

    /// Whether no rule is about the value or what is in it.
    pub(super) fn is_nowhere(&self) -> bool {
        self.0.is_empty()
    }

    /// What is done with the value.
    pub(super) fn action(&self) -> Option<Action> {
        self.0.iter().filter_map(|place| place.action).min()
    }

    /// What is done with a value that has no members, where rules are about members: whoever wrote them meant what stands
    /// here now.
    pub(super) fn action_below(&self) -> Option<Action> {
        self.0.iter().filter_map(|place| place.strictest()).min()
    }
}
