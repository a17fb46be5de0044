//! `TimestampConverter`: times in another form.
//!
//! JSON has no type for times, so `Date`, `Time` and `Timestamp` are milliseconds, as Connect's own types are inside.

use std::borrow::Cow;

use super::java::{Number, number_of};
use super::record::put;
use super::{DateFormat, Fate, Path, Record, Refusal, Side, Transform};
use crate::record::Tree;

const DAY: i64 = 86_400_000;

/// What times become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimestampType {
    /// Text, by the format.
    String,
    /// A number, by the precision.
    Unix,
    /// Milliseconds at the day's beginning.
    Date,
    /// Milliseconds since the day's beginning.
    Time,
    /// Milliseconds.
    Timestamp,
}

/// What numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnixPrecision {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// Which times, from what, to what.
#[derive(Clone, Debug)]
pub(crate) struct TimestampConverter {
    pub(crate) side: Side,
    /// `None`: everything is one time.
    pub(crate) field: Option<Path>,
    pub(crate) target: TimestampType,
    /// Of texts, read or written.
    pub(crate) format: Option<DateFormat>,
    pub(crate) precision: UnixPrecision,
}

impl TimestampConverter {
    fn convert(&self, value: &Tree<'_>) -> Result<Tree<'static>, String> {
        let millis = match value {
            Tree::Null => return Ok(Tree::Null),
            Tree::Number(text) => match number_of(text) {
                Number::Integer(number) => self.precision.millis(number),
                Number::Double(_) => return Err("a number with a fraction is no time".to_owned()),
            },
            Tree::String(text) => {
                let format = self.format.as_ref().ok_or("text needs a `format` to be read by")?;
                let wrong = || format!("{text:?} does not match `{}`", format.pattern());
                format.parse(text).ok_or_else(wrong)?
            }
            other => return Err(format!("{} is no time", other.noun())),
        };
        let number = match self.target {
            TimestampType::String => {
                let format = self.format.as_ref().ok_or("text needs a `format` to be written by")?;
                return Ok(Tree::String(Cow::Owned(format.format(millis))));
            }
            TimestampType::Unix => self.precision.of_millis(millis),
            TimestampType::Date => millis - millis.rem_euclid(DAY),
            TimestampType::Time => millis.rem_euclid(DAY),
            TimestampType::Timestamp => millis,
        };
        Ok(Tree::Number(Cow::Owned(number.to_string())))
    }
}

impl UnixPrecision {
    /// Cut off towards zero, and no further than a 64-bit integer goes, as Java's `TimeUnit` does.
    fn millis(self, value: i64) -> i64 {
        match self {
            Self::Seconds => value.saturating_mul(1_000),
            Self::Milliseconds => value,
            Self::Microseconds => value / 1_000,
            Self::Nanoseconds => value / 1_000_000,
        }
    }

    fn of_millis(self, millis: i64) -> i64 {
        match self {
            Self::Seconds => millis / 1_000,
            Self::Milliseconds => millis,
            Self::Microseconds => millis.saturating_mul(1_000),
            Self::Nanoseconds => millis.saturating_mul(1_000_000),
        }
    }
}

impl Transform for TimestampConverter {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let Some(field) = &self.field else {
            let side = record.side(self.side);
            *side = self.convert(side).map_err(Refusal::of_record)?;
            return Ok(Fate::Kept);
        };
        let Some(members) = record.members_or_null(self.side)? else { return Ok(Fate::Kept) };
        match field.find(members)? {
            Some(value) => {
                *value = self.convert(value).map_err(|reason| Refusal::of_field(field.last(), reason))?;
            }
            None if field.is_name() => put(members, field.last(), Tree::Null),
            None => {}
        }
        Ok(Fate::Kept)
    }
}
