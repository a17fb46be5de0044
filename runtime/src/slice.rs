//! Slices: the parts that a stream is read in. The requests of each are made with values of its own, and each has its own
//! position.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

mod backfill;

pub(crate) use backfill::Covered;
pub use backfill::{Backfill, Range, Step};

use crate::operation::OffsetValue;

/// The values that a step of a backfill has besides those of its slice: where it begins, and where it ends.
const STEP: [&str; 2] = ["backfill.start", "backfill.end"];

/// The value of a live slice that says where it begins.
const LIVE: &str = "live.start";

/// The values that a part of a stream is asked with, by their names. Without any, it is the whole stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slice(BTreeMap<String, String>);

impl Slice {
    /// The slice that is the whole stream.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Whether this is the whole stream.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The same with another value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Whether a value of this name says which part of a backfill a slice is.
    pub(crate) fn is_reserved(name: &str) -> bool {
        STEP.contains(&name) || name == LIVE
    }

    /// A step of this slice's backfill.
    pub(crate) fn step(&self, range: Range) -> Self {
        let [start, end] = STEP;
        self.clone().with(start, range.start.to_string()).with(end, range.end.to_string())
    }

    /// The time that it is of, if it is a step of a backfill.
    pub(crate) fn range(&self) -> Option<Range> {
        let [start, end] = STEP.map(|name| self.get(name)?.parse().ok());
        Some(Range { start: start?, end: end? })
    }

    /// The slice that it is a step of.
    pub(crate) fn without_range(&self) -> Self {
        let is_of_step = |name: &str| STEP.contains(&name);
        let values = self.0.iter().filter(|(name, _)| !is_of_step(name));
        Self(values.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The same, as it is read live from a time on.
    pub(crate) fn live_from(&self, start: Timestamp) -> Self {
        self.clone().with(LIVE, start.to_string())
    }

    /// From when on it is read, if it is read live beside a backfill.
    pub(crate) fn live(&self) -> Option<Timestamp> {
        self.get(LIVE)?.parse().ok()
    }

    /// The values of both; of a name that both have, that of `other`.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        self
    }
}

/// Reads what [`Slice`]'s `Display` writes.
impl std::str::FromStr for Slice {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

/// As JSON, the names sorted.
impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Slice {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(values: I) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A slice whose values do not fit the requests.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SliceError {
    /// A value that requests need is not there.
    #[error("the slice has no value `{name}`")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A value is not of the type that requests need.
    #[error("the slice's value `{name}` is {value:?}, which is not {expected}")]
    Invalid {
        /// Its name.
        name: String,
        /// What it is.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The operation cannot be made for another reason.
    #[error("making the operation of a slice: {reason}")]
    Operation {
        /// Why not.
        reason: String,
    },
}

/// What makes the slices of a stream. Without anything there is one: the whole stream.
#[derive(Clone, Debug, Default)]
pub struct Slicing {
    /// Id of the operation whose records make them. They have the values of the parent's own slice, too.
    pub parent: Option<Cow<'static, str>>,
    /// Names, each with all of its values. There is a slice for every combination, and with a parent for each of the
    /// parent's.
    pub lists: Vec<(Cow<'static, str>, Vec<String>)>,
    /// What is read once of each of these slices, in steps, besides what the cycles read.
    pub backfill: Option<Backfill>,
}

impl Slicing {
    /// Whether the stream is read as a whole.
    pub fn is_whole(&self) -> bool {
        self.parent.is_none() && self.lists.is_empty() && self.backfill.is_none()
    }

    /// Every combination of the listed values with `slice`.
    pub(crate) fn combine(&self, slice: Slice) -> Vec<Slice> {
        self.lists.iter().fold(vec![slice], |slices, (name, values)| {
            let with_each = |slice: &Slice| {
                let slice = slice.clone();
                values.iter().map(move |value| slice.clone().with(name.as_ref(), value.as_str())).collect::<Vec<_>>()
            };
            slices.iter().flat_map(with_each).collect()
        })
    }

    /// The slices that a record makes whose stream is read in `parent`, `values` being those out of the record.
    pub(crate) fn of_record(&self, parent: &Slice, values: &Slice) -> Vec<Slice> {
        self.combine(parent.clone().and(values))
    }
}

/// The slices of other streams that the records of a page call for: values out of the records, by operation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Children(Vec<(Cow<'static, str>, Slice)>);

impl Children {
    /// A record calls for a slice of `operation`; if it lacks one of the values, it does not.
    pub fn add<'a>(
        &mut self,
        operation: &'static str,
        values: impl IntoIterator<Item = (&'static str, Option<OffsetValue<'a>>)>,
    ) {
        let value = |(name, value): (&'static str, Option<OffsetValue<'a>>)| {
            value.map(|value| (name.to_owned(), value.with_text(str::to_owned)))
        };
        if let Some(slice) = values.into_iter().map(value).collect::<Option<Slice>>() {
            self.0.push((Cow::Borrowed(operation), slice));
        }
    }

    /// A record calls for a slice of `operation`.
    pub(crate) fn push(&mut self, operation: &str, values: Slice) {
        self.0.push((Cow::Owned(operation.to_owned()), values));
    }

    /// Operations and values, in the order of the records.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Slice)> {
        self.0.iter().map(|(operation, values)| (operation.as_ref(), values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_written_sorted() {
        let slice = Slice::whole().with("b", "2").with("a", "x\"y");
        assert_eq!(slice.to_string(), r#"{"a":"x\"y","b":"2"}"#);
        assert_eq!(r#"{ "b": "2", "a": "x\"y" }"#.parse::<Slice>().unwrap(), slice);
        assert!(Slice::whole().is_whole() && !slice.is_whole());
    }

    #[test]
    fn a_step_is_of_its_slice_and_of_its_time() {
        let slice = Slice::whole().with("a", "1");
        let at = |second| Timestamp::from_second(second).unwrap();
        let range = Range { start: at(0), end: at(60) };
        let step = slice.step(range);
        let expected = r#"{"a":"1","backfill.end":"1970-01-01T00:01:00Z","backfill.start":"1970-01-01T00:00:00Z"}"#;
        assert_eq!(step.to_string(), expected);
        assert_eq!((step.range(), step.without_range()), (Some(range), slice.clone()));
        assert_eq!((slice.range(), slice.live(), slice.live_from(at(60)).live()), (None, None, Some(at(60))));
    }

    #[test]
    fn a_record_makes_a_slice_for_every_combination_of_the_lists() {
        let slicing = Slicing {
            parent: Some("repos".into()),
            lists: vec![
                ("state".into(), vec!["open".to_owned(), "closed".to_owned()]),
                ("kind".into(), vec!["a".to_owned(), "b".to_owned()]),
            ],
            backfill: None,
        };
        let parent = Slice::whole().with("org", "acme").with("repo", "none");
        let slices = slicing.of_record(&parent, &Slice::whole().with("repo", "x"));
        let expected = [("a", "open"), ("b", "open"), ("a", "closed"), ("b", "closed")]
            .map(|(kind, state)| format!(r#"{{"kind":"{kind}","org":"acme","repo":"x","state":"{state}"}}"#));
        assert_eq!(slices.iter().map(Slice::to_string).collect::<Vec<_>>(), expected);
        assert_eq!(Slicing::default().combine(Slice::whole()), [Slice::whole()]);
    }

    #[test]
    fn a_record_that_lacks_a_value_calls_for_no_slice() {
        let mut children = Children::default();
        children.add("items", [("a", Some(OffsetValue::text("1"))), ("b", None)]);
        children.add("items", [("a", Some(OffsetValue::text("1")))]);
        let found: Vec<_> = children.iter().map(|(operation, values)| format!("{operation} {values}")).collect();
        assert_eq!(found, [r#"items {"a":"1"}"#]);
    }
}
