//! RFC 3339 instants and dates as numbers. Written here rather than taken from a calendar library because every record
//! passes through it, several times.

use std::time::Duration;

/// An instant as seconds and nanoseconds since 1970-01-01T00:00:00Z. Ordered by time, whatever offset it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Instant {
    /// Whole milliseconds since the epoch, rounded towards the past.
    pub(crate) fn millis(self) -> i64 {
        self.seconds * 1000 + i64::from(self.nanos / 1_000_000)
    }

    /// The instant so much earlier, to the second before it.
    pub(crate) fn earlier(self, by: Duration) -> Self {
        let seconds = by.as_secs() + u64::from(by.subsec_nanos() > 0);
        Self { seconds: self.seconds.saturating_sub_unsigned(seconds), ..self }
    }
}

/// Reads an RFC 3339 `date-time` (section 5.6): `T`, `t` or a space between date and time, any number of fraction
/// digits (kept to the nanosecond), `Z` or a numeric offset. A leap second counts as the second that follows.
pub(crate) fn parse_instant(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 {
        return None;
    }
    let days = days_since_epoch(&bytes[..10])?;
    if !matches!(bytes[10], b'T' | b't' | b' ') || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(&bytes[11..13])?, two(&bytes[14..16])?, two(&bytes[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &bytes[19..];
    let mut nanos = 0;
    if rest[0] == b'.' {
        let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for index in 0..9 {
            let digit = if index < digits { u32::from(rest[1 + index] - b'0') } else { 0 };
            nanos = nanos * 10 + digit;
        }
        rest = &rest[1 + digits..];
    }
    let offset = match rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), hours @ .., b':', minute_tens, minute_ones] if hours.len() == 2 => {
            let (hours, minutes) = (two(hours)?, two(&[*minute_tens, *minute_ones])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(Instant { seconds, nanos })
}

/// Reads an RFC 3339 `full-date` as days since 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 {
        return None;
    }
    i32::try_from(days_since_epoch(bytes)?).ok()
}

fn days_since_epoch(date: &[u8]) -> Option<i64> {
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let year = two(&date[0..2])? * 100 + two(&date[2..4])?;
    let (month, day) = (two(&date[5..7])?, two(&date[8..10])?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    // Howard Hinnant's days-from-civil: years begin in March, so that the leap day is the last of the year.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn two(digits: &[u8]) -> Option<i64> {
    let &[tens, ones] = digits else { return None };
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instants() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2024-02-29T12:30:45Z", 1_709_209_845, 0),
            ("2024-02-29t12:30:45.5z", 1_709_209_845, 500_000_000),
            ("2024-02-29 12:30:45.123456789Z", 1_709_209_845, 123_456_789),
            ("2024-02-29T12:30:45.1234567891Z", 1_709_209_845, 123_456_789),
            ("2024-02-29T14:30:45+02:00", 1_709_209_845, 0),
            ("2024-02-29T04:00:45-08:30", 1_709_209_845, 0),
            ("1969-12-31T23:59:59.25Z", -1, 250_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:60Z", 253_402_300_800, 0),
        ] {
            assert_eq!(parse_instant(text), Some(Instant { seconds, nanos }), "{text}");
        }
        assert_eq!(parse_instant("1969-12-31T23:59:59.25Z").unwrap().millis(), -750);
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in [
            "",
            "2024-02-29",
            "2024-02-29T12:30:45",
            "2024-02-30T12:30:45Z",
            "2023-02-29T12:30:45Z",
            "2024-13-01T12:30:45Z",
            "2024-02-29T24:30:45Z",
            "2024-02-29T12:30:45.Z",
            "2024-02-29T12:30:45+2:00",
            "2024-02-29T12:30:45+02:60",
            "2024-02-29T12:30:45Zz",
            "2024-02-29T12-30-45Z___",
            "２０２４-02-29T12:30:45Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn reads_dates() {
        assert_eq!(parse_date("1970-01-01"), Some(0));
        assert_eq!(parse_date("2000-03-01"), Some(11_017));
        assert_eq!(parse_date("1969-12-31"), Some(-1));
        assert_eq!(parse_date("2024-02-30"), None);
        assert_eq!(parse_date("24-02-03"), None);
    }
}
