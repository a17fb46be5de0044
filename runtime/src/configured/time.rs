//! How instants are written in requests, and read from configuration and responses.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// How an instant is written. Times without a zone are UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970-01-01T00:00:00Z.
    UnixSeconds,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    UnixMillis,
    /// RFC 3339 with `Z`.
    Rfc3339,
    /// `2024-01-31`.
    Date,
    /// `2024-01-31 12:00:00`, with this character between date and time.
    Local(char),
    /// As a pattern of `strftime` says.
    Pattern(String),
}

impl TimeFormat {
    /// What [`TimeFormat::parse`] takes.
    pub(crate) const EXPECTED: &str = "`unix`, `unix_ms`, `iso`, `date`, or a pattern of `strftime` such as `%Y-%m-%d`";

    /// Reads the name of a form, or a pattern.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "unix" => Some(Self::UnixSeconds),
            "unix_ms" => Some(Self::UnixMillis),
            "iso" => Some(Self::Rfc3339),
            "date" => Some(Self::Date),
            // The pattern is tried, so that writing cannot fail.
            _ if text.contains('%') => strtime::format(text, &Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC))
                .is_ok()
                .then(|| Self::Pattern(text.to_owned())),
            _ => None,
        }
    }

    /// The form that a date and time is written in, by an example.
    pub(crate) fn of_example(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.parse::<Date>().is_ok() && text.len() == 10 {
            return Some(Self::Date);
        }
        if text.parse::<Timestamp>().is_ok() {
            return Some(Self::Rfc3339);
        }
        let separator = text.chars().nth(10).filter(|char| matches!(char, ' ' | 'T'))?;
        text.parse::<DateTime>().is_ok().then_some(Self::Local(separator))
    }

    /// An instant in this form.
    pub(crate) fn write(&self, at: Timestamp) -> String {
        let utc = || at.to_zoned(TimeZone::UTC);
        match self {
            Self::UnixSeconds => at.as_second().to_string(),
            Self::UnixMillis => at.as_millisecond().to_string(),
            Self::Rfc3339 => at.to_string(),
            Self::Date => utc().date().to_string(),
            Self::Local(separator) => utc().datetime().to_string().replacen('T', &separator.to_string(), 1),
            Self::Pattern(pattern) => strtime::format(pattern, &utc()).unwrap_or_default(),
        }
    }

    /// Reads an instant in this form.
    pub(crate) fn read(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let utc = |at: DateTime| Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp());
        match self {
            Self::UnixSeconds => Timestamp::from_second(text.parse().ok()?).ok(),
            Self::UnixMillis => Timestamp::from_millisecond(text.parse().ok()?).ok(),
            Self::Rfc3339 => text.parse().ok(),
            Self::Date => utc(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())),
            Self::Local(_) => utc(text.parse().ok()?),
            Self::Pattern(pattern) => utc(DateTime::strptime(pattern, text).ok()?),
        }
    }
}

/// Reads an instant that says by itself how it is written: RFC 3339, a date with or without a time, or a number, which
/// counts milliseconds from 1970 on if it is too large for seconds of this era.
pub(crate) fn read_any(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.trim().parse::<i64>() {
        return unix(number).read(text);
    }
    TimeFormat::of_example(text)?.read(text)
}

/// A time so much earlier, in the form in which it is written; `None` if it is none.
pub(crate) fn earlier(text: &str, by: Duration) -> Option<String> {
    let text = text.trim();
    let at = read_any(text)?.checked_sub(by).ok()?;
    let format = match text.parse::<i64>() {
        Ok(number) => unix(number),
        Err(_) => TimeFormat::of_example(text)?,
    };
    Some(format.write(at))
}

/// What a number counts.
fn unix(number: i64) -> TimeFormat {
    const LAST_SECOND: i64 = 100_000_000_000;
    if number.abs() < LAST_SECOND { TimeFormat::UnixSeconds } else { TimeFormat::UnixMillis }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let at: Timestamp = "2024-01-31T12:34:56Z".parse().unwrap();
        for (format, text) in [
            (TimeFormat::UnixSeconds, "1706704496"),
            (TimeFormat::UnixMillis, "1706704496000"),
            (TimeFormat::Rfc3339, "2024-01-31T12:34:56Z"),
            (TimeFormat::Local(' '), "2024-01-31 12:34:56"),
            (TimeFormat::Local('T'), "2024-01-31T12:34:56"),
            (TimeFormat::parse("%d/%m/%Y %H.%M.%S").unwrap(), "31/01/2024 12.34.56"),
        ] {
            assert_eq!(format.write(at), text);
            assert_eq!(format.read(text), Some(at), "{text}");
        }
        assert_eq!(TimeFormat::Date.write(at), "2024-01-31");
        assert_eq!(TimeFormat::Date.read("2024-01-31"), "2024-01-31T00:00:00Z".parse().ok());
    }

    #[test]
    fn an_example_tells_the_form() {
        for (text, format) in [
            ("2024-01-31", Some(TimeFormat::Date)),
            ("2024-01-31T12:00:00Z", Some(TimeFormat::Rfc3339)),
            ("2024-01-31T12:00:00+02:00", Some(TimeFormat::Rfc3339)),
            ("2024-01-31 12:00:00", Some(TimeFormat::Local(' '))),
            ("2024-01-31T12:00:00", Some(TimeFormat::Local('T'))),
            ("31.1.2024", None),
            ("", None),
        ] {
            assert_eq!(TimeFormat::of_example(text), format, "{text}");
        }
        for text in ["1706702400", "1706702400000", "2024-01-31T12:00:00Z", "2024-01-31 12:00:00"] {
            assert_eq!(read_any(text), "2024-01-31T12:00:00Z".parse().ok(), "{text}");
        }
        assert_eq!(read_any("yesterday"), None);
    }
}
