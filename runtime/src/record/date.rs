//! Dates and date-times: the text as sent, read as a number on demand.

use serde::Deserialize;

use super::Text;
use super::time::{Instant, parse_date, parse_instant};

/// A string of OpenAPI format `date-time` (RFC 3339 section 5.6), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent, bound(deserialize = "'de: 'page"))]
pub struct DateTime<'page>(Text<'page>);

impl DateTime<'_> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, or `None` if the text is no RFC 3339 date-time.
    pub fn epoch_millis(&self) -> Option<i64> {
        self.instant().map(Instant::millis)
    }

    pub(crate) fn instant(&self) -> Option<Instant> {
        parse_instant(&self.0)
    }
}

/// A string of OpenAPI format `date` (RFC 3339 `full-date`), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent, bound(deserialize = "'de: 'page"))]
pub struct Date<'page>(Text<'page>);

impl Date<'_> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Days since 1970-01-01, or `None` if the text is no RFC 3339 date.
    pub fn epoch_days(&self) -> Option<i32> {
        parse_date(&self.0)
    }
}
