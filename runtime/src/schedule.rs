//! When the cycles of a stream begin. A cycle begins only after the one before it has ended, so that they never overlap.

use std::time::{Duration, SystemTime};

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use thiserror::Error;

/// When the cycles of a stream begin.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// So long after the one before has ended; the first at once.
    Interval(Duration),
    /// At the times of a cron expression; what fell due while a cycle ran is not made up for.
    Cron(Box<CronSchedule>),
    /// One cycle, at once.
    Once,
    /// When it is asked for.
    OnDemand,
}

/// A wait that ends by nothing but a demand.
const ENDLESS: Duration = Duration::MAX;

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct CronSchedule {
    cron: Cron,
    zone: TimeZone,
}

/// A cron expression that cannot be read.
#[derive(Debug, Error)]
#[error("`{expression}` is no cron expression")]
pub struct CronError {
    expression: String,
    source: croner::errors::CronError,
}

impl CronSchedule {
    /// Reads a cron expression: five fields from the minute on, in which Sunday is 0 or 7 (POSIX), or six or seven from
    /// the second on, in which Sunday is 1 (Quartz).
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(expression: &str, zone: TimeZone) -> Result<Self, CronError> {
        let quartz = expression.split_whitespace().count() > 5;
        let seconds = if quartz { Seconds::Required } else { Seconds::Disallowed };
        let parser = CronParser::builder()
            .seconds(seconds)
            .year(if quartz { Year::Optional } else { Year::Disallowed })
            .alternative_weekdays(quartz)
            .build();
        match parser.parse(expression) {
            Ok(cron) => Ok(Self { cron, zone }),
            Err(source) => Err(CronError { expression: expression.to_owned(), source }),
        }
    }

    /// How long it is from `now` to the next time; `None` if there is none.
    fn pause(&self, now: SystemTime) -> Option<Duration> {
        let now = Timestamp::try_from(now).ok()?;
        let next = self.cron.find_next_occurrence(&Zoned::new(now, self.zone.clone()), false).ok()?;
        Duration::try_from(next.timestamp().duration_since(now)).ok()
    }
}

impl Schedule {
    /// How long to wait before the first cycle, at `now`.
    pub(crate) fn first(&self, now: SystemTime) -> Option<Duration> {
        match self {
            Self::Interval(_) | Self::Once => Some(Duration::ZERO),
            Self::OnDemand => Some(ENDLESS),
            Self::Cron(cron) => cron.pause(now),
        }
    }

    /// How long to wait for the next cycle after one that ended at `now`; `None`: there is none.
    pub(crate) fn next(&self, now: SystemTime) -> Option<Duration> {
        match self {
            Self::Interval(interval) => Some(*interval),
            Self::Cron(cron) => cron.pause(now),
            Self::Once => None,
            Self::OnDemand => Some(ENDLESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, zone: &str, now: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let now: Timestamp = now.parse().unwrap();
        let schedule = Schedule::Cron(Box::new(CronSchedule::parse(expression, zone).unwrap()));
        let pause = schedule.next(now.into()).unwrap();
        assert_eq!(schedule.first(now.into()), Some(pause), "a cron schedule does not begin at once");
        (now + pause).to_string()
    }

    #[test]
    fn cron_has_five_fields_or_begins_with_seconds() {
        for (expression, expected) in [
            ("*/5 * * * *", "2024-03-01T12:05:00Z"),
            ("0 */5 * * * ?", "2024-03-01T12:05:00Z"),
            ("30 2 12 * * ?", "2024-03-01T12:02:30Z"),
            ("0 9 * * 1", "2024-03-04T09:00:00Z"),
            ("0 0 9 ? * 2", "2024-03-04T09:00:00Z"),
            ("0 0 9 ? * MON", "2024-03-04T09:00:00Z"),
            ("0 0 0 1 1 ? 2030", "2030-01-01T00:00:00Z"),
            ("0 0 L * *", "2024-03-31T00:00:00Z"),
        ] {
            assert_eq!(next(expression, "UTC", "2024-03-01T12:00:01Z"), expected, "{expression}");
        }
    }

    #[test]
    fn cron_counts_in_its_time_zone() {
        assert_eq!(next("0 9 * * *", "Europe/Berlin", "2024-03-01T12:00:00Z"), "2024-03-02T08:00:00Z");
        assert_eq!(next("0 9 * * *", "Europe/Berlin", "2024-07-01T12:00:00Z"), "2024-07-02T07:00:00Z");
        assert_eq!(next("0 9 * * *", "America/New_York", "2024-03-01T12:00:00Z"), "2024-03-01T14:00:00Z");
    }

    #[test]
    fn what_is_no_cron_expression_is_refused() {
        for text in ["", "* * * *", "61 * * * *", "a b c d e", "0 0 0 ? * 8"] {
            assert!(CronSchedule::parse(text, TimeZone::UTC).is_err(), "{text}");
        }
        let past = CronSchedule::parse("0 0 0 1 1 ? 2001", TimeZone::UTC).unwrap();
        assert_eq!(
            Schedule::Cron(Box::new(past)).next(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
            None
        );
        assert_eq!(Schedule::Once.next(SystemTime::UNIX_EPOCH), None);
        assert_eq!(
            Schedule::Interval(Duration::from_secs(3)).next(SystemTime::UNIX_EPOCH),
            Some(Duration::from_secs(3))
        );
    }
}
