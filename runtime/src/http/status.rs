//! A list of status codes and ranges of them, as configuration writes it.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

/// A set of HTTP status codes. Its text is a comma-separated list of codes (`429`), ranges with both ends (`500-504`)
/// and ranges without an upper end (`500-`); empty text is the empty set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRanges(Vec<RangeInclusive<u16>>);

/// A part of a list of status codes that is neither a code nor a range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{part}` is not a status code from 100 to 599, nor a range such as `500-599` or `500-`")]
pub struct StatusRangesError {
    part: String,
}

const LAST: u16 = 599;

impl StatusRanges {
    /// Whether `status` is one of the set.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// The empty set.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// The set without those of another.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut ranges: Vec<RangeInclusive<u16>> = Vec::new();
        for status in (100..=LAST).filter(|status| self.contains(*status) && !other.contains(*status)) {
            match ranges.last_mut().filter(|range| *range.end() + 1 == status) {
                Some(range) => *range = *range.start()..=status,
                None => ranges.push(status..=status),
            }
        }
        Self(ranges)
    }
}

impl Default for StatusRanges {
    /// `408,425,429,500-`: what says of itself that it passes.
    fn default() -> Self {
        Self(vec![408..=408, 425..=425, 429..=429, 500..=LAST])
    }
}

impl FromStr for StatusRanges {
    type Err = StatusRangesError;

    fn from_str(text: &str) -> Result<Self, StatusRangesError> {
        if text.trim().is_empty() {
            return Ok(Self::none());
        }
        let ranges = text.split(',').map(|part| {
            let part = part.trim();
            range(part).ok_or_else(|| StatusRangesError { part: part.to_owned() })
        });
        ranges.collect::<Result<_, _>>().map(Self)
    }
}

fn range(part: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = match part.split_once('-') {
        Some((from, to)) if to.trim().is_empty() => (code(from)?, LAST),
        Some((from, to)) => (code(from)?, code(to)?),
        None => (code(part)?, code(part)?),
    };
    (from <= to).then_some(from..=to)
}

fn code(text: &str) -> Option<u16> {
    let text = text.trim();
    let code = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()?;
    (100..=LAST).contains(&code).then_some(code)
}

impl fmt::Display for StatusRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match (*range.start(), *range.end()) {
                (from, to) if from == to => write!(f, "{from}")?,
                (from, LAST) => write!(f, "{from}-")?,
                (from, to) => write!(f, "{from}-{to}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_and_ranges() {
        for (text, canonical, inside, outside) in [
            ("404", "404", vec![404], vec![403, 405]),
            ("400-", "400-", vec![400, 404, 599], vec![200, 399]),
            ("500-504", "500-504", vec![500, 502, 504], vec![499, 505]),
            ("404, 408 ,500-", "404,408,500-", vec![404, 408, 500, 599], vec![200, 405, 499]),
            (" 429 - 431 ", "429-431", vec![429, 430, 431], vec![428, 432]),
            ("503-503", "503", vec![503], vec![502, 504]),
            ("", "", vec![], vec![200, 500]),
        ] {
            let ranges: StatusRanges = text.parse().unwrap();
            assert_eq!(ranges.to_string(), canonical);
            assert!(inside.iter().all(|status| ranges.contains(*status)), "{text}");
            assert!(!outside.iter().any(|status| ranges.contains(*status)), "{text}");
        }
        assert_eq!(StatusRanges::default(), "408,425,429,500-".parse().unwrap());
    }

    #[test]
    fn one_set_can_be_taken_out_of_another() {
        let without = |text: &str, other: &str| {
            let read = |text: &str| text.parse::<StatusRanges>().unwrap();
            read(text).without(&read(other)).to_string()
        };
        assert_eq!(without("400-", "404,410-412"), "400-403,405-409,413-");
        assert_eq!(without("500-504,429", ""), "429,500-504");
        assert_eq!(without("404", "400-"), "");
    }

    #[test]
    fn refuses_anything_else() {
        for (text, part) in [
            ("4xx", "4xx"),
            ("-404", "-404"),
            ("400-300", "400-300"),
            ("99", "99"),
            ("600", "600"),
            ("404,", ""),
            ("404,+408", "+408"),
            ("400-500-600", "400-500-600"),
            ("99999999", "99999999"),
        ] {
            let error = text.parse::<StatusRanges>().unwrap_err();
            assert_eq!(error, StatusRangesError { part: part.to_owned() }, "{text}");
        }
    }
}
