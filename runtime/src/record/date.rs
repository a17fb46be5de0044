//! Dates and date-times: the text as sent, and the number that it means.

use serde::de::{Deserialize, Deserializer, Error};

use super::time::{Instant, parse_date, parse_instant};
use super::{Json, Reading, Text, Value};
use crate::format::Encoder;

/// A string of OpenAPI format `date-time` (RFC 3339 section 5.6), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DateTime<'page> {
    text: Text<'page>,
    instant: Instant,
}

impl<'page> DateTime<'page> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded towards the past.
    pub fn epoch_millis(&self) -> i64 {
        self.instant.millis()
    }

    pub(crate) fn instant(&self) -> Instant {
        self.instant
    }

    fn new(text: Text<'page>) -> Option<Self> {
        parse_instant(&text).map(|instant| Self { text, instant })
    }

    /// Nearly an instant: without an offset, which then is taken for UTC; with ` UTC` for `Z`; with an offset without a
    /// colon; or a date, which stands for its beginning.
    fn nearly(text: &str) -> Option<Self> {
        let completed = if parse_date(text).is_some() {
            format!("{text}T00:00:00Z")
        } else if let Some(local) = text.strip_suffix(" UTC") {
            format!("{local}Z")
        } else if let Some((rest, minutes)) = offset_minutes(text) {
            format!("{rest}:{minutes}")
        } else {
            format!("{text}Z")
        };
        Self::new(completed.into())
    }
}

/// The last two digits of an offset without a colon, as `+0100`.
fn offset_minutes(text: &str) -> Option<(&str, &str)> {
    let (rest, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let sign = rest.len().checked_sub(3)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hours = rest.get(sign + 1..)?;
    (matches!(rest.as_bytes().get(sign), Some(b'+' | b'-')) && digits(hours) && digits(minutes) && text.len() > 19)
        .then_some((rest, minutes))
}

impl<'page> Deserialize<'page> for DateTime<'page> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Text::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("expected an RFC 3339 date-time"))
    }
}

impl<'page> Value<'page> for DateTime<'page> {
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        let Ok(text) = serde_json::from_str::<Text<'page>>(sent.get()) else { return Reading::Misfit };
        match Self::new(text.clone()) {
            Some(value) => Reading::Exact(value),
            None => Reading::coerced(Self::nearly(&text)),
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.date_time(self);
    }
}

/// A string of OpenAPI format `date` (RFC 3339 `full-date`), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Date<'page> {
    text: Text<'page>,
    days: i32,
}

impl<'page> Date<'page> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Days since 1970-01-01.
    pub fn epoch_days(&self) -> i32 {
        self.days
    }

    fn new(text: Text<'page>) -> Option<Self> {
        parse_date(&text).map(|days| Self { text, days })
    }
}

impl<'page> Deserialize<'page> for Date<'page> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Text::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("expected an RFC 3339 date"))
    }
}

impl<'page> Value<'page> for Date<'page> {
    /// Of a date-time at the beginning of a day, the date.
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        let Ok(text) = serde_json::from_str::<Text<'page>>(sent.get()) else { return Reading::Misfit };
        match Self::new(text.clone()) {
            Some(value) => Reading::Exact(value),
            None => {
                Reading::coerced(text.split_once("T00:00:00").and_then(|(date, _)| Self::new(date.to_owned().into())))
            }
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.date(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_an_instant_is_taken_for_it() {
        let millis = |json: &'static str| match DateTime::tolerant(serde_json::from_str(json).unwrap()) {
            Reading::Exact(value) => Some((true, value.epoch_millis())),
            Reading::Coerced(value) => Some((false, value.epoch_millis())),
            Reading::Misfit => None,
        };
        assert_eq!(millis("\"1970-01-01T01:00:01.5+01:00\""), Some((true, 1500)));
        for json in [
            "\"1970-01-01T00:00:01\"",
            "\"1970-01-01 00:00:01\"",
            "\"1970-01-01T00:00:01.000000000\"",
            "\"1970-01-01 00:00:01 UTC\"",
            "\"1970-01-01T01:00:01+0100\"",
        ] {
            assert_eq!(millis(json), Some((false, 1000)), "{json}");
        }
        assert_eq!(millis("\"1970-01-02\""), Some((false, 86_400_000)));
        for json in ["\"yesterday\"", "\"\"", "0", "null", "\"1970-13-01T00:00:01\"", "\"é\""] {
            assert_eq!(millis(json), None, "{json}");
        }
    }

    #[test]
    fn a_date_is_found_in_a_midnight() {
        let days = |json: &'static str| match Date::tolerant(serde_json::from_str(json).unwrap()) {
            Reading::Exact(value) => Some((true, value.epoch_days())),
            Reading::Coerced(value) => Some((false, value.epoch_days())),
            Reading::Misfit => None,
        };
        assert_eq!(days("\"1970-01-03\""), Some((true, 2)));
        assert_eq!(days("\"1970-01-03T00:00:00Z\""), Some((false, 2)));
        assert_eq!(days("\"1970-01-03T01:00:00Z\""), None);
        assert_eq!(days("\"3 January\""), None);
    }
}
