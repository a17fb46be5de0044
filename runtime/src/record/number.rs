//! Numbers that keep every digit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

use super::{Json, JsonKind, Reading, Value};
use crate::format::Encoder;

/// A `type: number`: the decimal that was sent, with all its digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number<'page>(&'page str);

impl<'page> Number<'page> {
    /// The number as sent.
    pub fn as_str(&self) -> &'page str {
        self.0
    }

    /// The nearest double (RFC 8259 section 6); what lies beyond all doubles is infinite.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    fn of(sent: Json<'page>) -> Option<Self> {
        (sent.kind() == JsonKind::Number).then(|| Self(sent.get()))
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'page> Deserialize<'page> for Number<'page> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Json::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("expected a number"))
    }
}

impl<'page> Value<'page> for Number<'page> {
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match Self::of(sent) {
            Some(number) => Reading::Exact(number),
            None => {
                let text = sent.plain_text();
                // Only what JSON itself takes for a number.
                let inner = text.and_then(|text| serde_json::from_str::<Json<'page>>(text).ok());
                Reading::coerced(inner.and_then(Self::of))
            }
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.number(*self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_kept() {
        let number: Number<'_> = serde_json::from_str(" 0.10000000000000000000001 ").unwrap();
        assert_eq!(number.as_str(), "0.10000000000000000000001");
        assert_eq!(number.as_f64(), 0.1);
        assert!(serde_json::from_str::<Number<'_>>("\"1\"").is_err());
        assert!(serde_json::from_str::<Number<'_>>("null").is_err());
    }

    #[test]
    fn a_number_is_found_in_text() {
        let read = |json| Number::tolerant(serde_json::from_str(json).unwrap());
        assert_eq!(read("-1.50"), Reading::Exact(Number("-1.50")));
        assert_eq!(read("\"1.50\""), Reading::Coerced(Number("1.50")));
        for json in ["\"NaN\"", "\"1.\"", "\"\"", "\"0x1\"", "true", "[1]"] {
            assert_eq!(read(json), Reading::Misfit, "{json}");
        }
    }
}
