//! Backfill: a range of time that is read once, step by step, beside the live stream that goes on where it ends.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// A range of time that is read once, in steps.
#[derive(Clone, Debug)]
pub struct Backfill {
    /// All of it. The live stream begins where it ends.
    pub range: Range,
    /// How long each step is.
    pub step: Step,
}

/// A range of time. Its end is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(Timestamp, Timestamp)", into = "(Timestamp, Timestamp)")]
pub struct Range {
    /// Where it begins.
    pub start: Timestamp,
    /// Where it ends.
    pub end: Timestamp,
}

impl From<(Timestamp, Timestamp)> for Range {
    fn from((start, end): (Timestamp, Timestamp)) -> Self {
        Self { start, end }
    }
}

impl From<Range> for (Timestamp, Timestamp) {
    fn from(Range { start, end }: Range) -> Self {
        (start, end)
    }
}

impl Range {
    fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// How long a step is: a time, or a number of days, weeks, months or years of UTC.
#[derive(Clone, Copy, Debug)]
pub struct Step(Span);

impl Step {
    /// What [`Step::parse`] takes.
    pub(crate) const EXPECTED: &str =
        "an ISO 8601 duration that is longer than nothing, such as `P1M`, `P7D` or `PT6H`";

    /// Reads a duration as ISO 8601 writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let step = Self(text.trim().parse().ok()?);
        // Months have no length of their own; that any has one is enough.
        (text.trim().starts_with(['P', 'p']) && step.after(Timestamp::UNIX_EPOCH) > Timestamp::UNIX_EPOCH)
            .then_some(step)
    }

    /// One step later; the end of all time if there is no such time.
    fn after(self, at: Timestamp) -> Timestamp {
        let later = at.to_zoned(TimeZone::UTC).checked_add(self.0);
        later.map_or(Timestamp::MAX, |later| later.timestamp())
    }

    /// Cuts the first step off what is left; `None` if nothing is.
    pub(crate) fn cut(self, left: &mut VecDeque<Range>) -> Option<Range> {
        let first = left.front_mut()?;
        let step = Range { start: first.start, end: self.after(first.start).min(first.end) };
        first.start = step.end;
        if first.is_empty() {
            left.pop_front();
        }
        Some(step)
    }
}

/// What is read of a stream's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Covered {
    /// Where the live stream began. From there on everything is its own, however the range changes.
    pub(crate) live: Timestamp,
    /// What has been read before that, in order. None touches the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    done: Vec<Range>,
}

impl Covered {
    /// Nothing but what the live stream reads.
    pub(crate) fn by_live(live: Timestamp) -> Self {
        Self { live, done: Vec::new() }
    }

    /// Takes note of a range that has been read.
    pub(crate) fn add(&mut self, mut range: Range) {
        let touches = |other: &Range| other.start <= range.end && range.start <= other.end;
        let (touching, apart): (Vec<_>, Vec<_>) = self.done.drain(..).partition(touches);
        for other in touching {
            range = Range { start: range.start.min(other.start), end: range.end.max(other.end) };
        }
        self.done = apart;
        self.done.push(range);
        self.done.sort_unstable();
    }

    /// What has not been read of a range.
    pub(crate) fn missing(&self, range: Range) -> VecDeque<Range> {
        let mut missing = VecDeque::new();
        let mut start = range.start;
        let live = Range { start: self.live, end: Timestamp::MAX };
        for read in self.done.iter().chain([&live]) {
            missing.push_back(Range { start, end: read.start.min(range.end) });
            start = start.max(read.end);
        }
        missing.retain(|missing: &Range| !missing.is_empty());
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn days(start: i64, end: i64) -> Range {
        Range { start: at(start), end: at(end) }
    }

    fn steps(step: &str, range: (&str, &str)) -> Vec<String> {
        let instant = |text: &str| -> Timestamp { text.parse().unwrap() };
        let mut left = VecDeque::from([Range { start: instant(range.0), end: instant(range.1) }]);
        let step = Step::parse(step).unwrap();
        std::iter::from_fn(|| step.cut(&mut left)).map(|step| step.end.to_string()).collect()
    }

    #[test]
    fn a_range_is_cut_into_steps_of_the_calendar_and_the_last_is_as_long_as_what_is_left() {
        assert_eq!(
            steps("P1M", ("2024-01-01T00:00:00Z", "2024-03-15T00:00:00Z")),
            ["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-03-15T00:00:00Z"]
        );
        assert_eq!(
            steps("PT36H", ("2024-02-28T00:00:00Z", "2024-03-02T00:00:00Z")),
            ["2024-02-29T12:00:00Z", "2024-03-02T00:00:00Z"]
        );
        assert_eq!(steps("P2W", ("2024-01-01T00:00:00Z", "2024-01-15T00:00:00Z")), ["2024-01-15T00:00:00Z"]);
        for none in ["", "P", "PT0S", "-P1D", "1 day", "86400", "P1X"] {
            assert!(Step::parse(none).is_none(), "{none}");
        }
    }

    #[test]
    fn what_is_read_is_not_missing_however_the_range_changes() {
        let mut covered = Covered::by_live(at(10));
        assert_eq!(covered.missing(days(0, 10)), [days(0, 10)]);
        for read in [days(4, 5), days(0, 2), days(5, 6), days(8, 10)] {
            covered.add(read);
        }
        assert_eq!(covered.done, [days(0, 2), days(4, 6), days(8, 10)]);
        assert_eq!(covered.missing(days(0, 10)), [days(2, 4), days(6, 8)]);
        assert_eq!(covered.missing(days(-3, 5)), [days(-3, 0), days(2, 4)]);
        assert_eq!(covered.missing(days(7, 90)), [days(7, 8)], "the live stream has read the rest");
        covered.add(days(2, 4));
        covered.add(days(6, 8));
        assert_eq!(covered.done, [days(0, 10)]);
        assert!(covered.missing(days(0, 10)).is_empty());
        let text = serde_json::to_string(&covered).unwrap();
        assert_eq!(text, r#"{"live":"1970-01-11T00:00:00Z","done":[["1970-01-01T00:00:00Z","1970-01-11T00:00:00Z"]]}"#);
        assert_eq!(serde_json::from_str::<Covered>(&text).unwrap(), covered);
    }
}
