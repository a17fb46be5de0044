//! Decimals of a declared precision and scale.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

use super::{Json, JsonKind, Number, Reading, Text, Value};
use crate::format::Encoder;

/// A `type: string, format: decimal` of which the document says how many digits it has, and how many of them stand after
/// the point: kept as it was sent. What has more of either is nothing of this type.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal<'page, const PRECISION: u32, const SCALE: u32> {
    sent: Text<'page>,
    unscaled: i128,
}

/// The same as a `type: number`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecimalNumber<'page, const PRECISION: u32, const SCALE: u32> {
    sent: Number<'page>,
    unscaled: i128,
}

impl<'page, const PRECISION: u32, const SCALE: u32> Decimal<'page, PRECISION, SCALE> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.sent
    }

    /// The value times ten to the power of the scale.
    pub fn unscaled(&self) -> i128 {
        self.unscaled
    }

    fn of(sent: Text<'page>) -> Option<Self> {
        // Only what the JSON Schema lets through.
        let is_plain = sent.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
        let unscaled = is_plain.then(|| unscaled(&sent, PRECISION, SCALE)).flatten()?;
        Some(Self { sent, unscaled })
    }
}

impl<'page, const PRECISION: u32, const SCALE: u32> DecimalNumber<'page, PRECISION, SCALE> {
    /// The number as sent.
    pub fn as_str(&self) -> &'page str {
        self.sent.as_str()
    }

    /// The value times ten to the power of the scale.
    pub fn unscaled(&self) -> i128 {
        self.unscaled
    }

    fn of(sent: Number<'page>) -> Option<Self> {
        Some(Self { sent, unscaled: unscaled(sent.as_str(), PRECISION, SCALE)? })
    }
}

/// The value of a decimal times ten to the power of `scale`, if it has no more digits than that after the point, and no
/// more than `precision` in all. At most 38 digits fit.
fn unscaled(text: &str, precision: u32, scale: u32) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (is_negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (digits, ""),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // Where the last digit stands after the point; before it if negative.
    let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    let missing = i32::try_from(scale).ok()?.checked_sub(places)?;
    if value != 0 {
        let power = 10_i128.checked_pow(missing.unsigned_abs())?;
        value = match missing {
            0.. => value.checked_mul(power)?,
            // Zeros at the end are no digits that would be lost.
            _ if value % power == 0 => value / power,
            _ => return None,
        };
    }
    let fits = 10_i128.checked_pow(precision).is_none_or(|limit| value < limit);
    fits.then_some(if is_negative { -value } else { value })
}

impl<const PRECISION: u32, const SCALE: u32> fmt::Debug for Decimal<'_, PRECISION, SCALE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sent.fmt(f)
    }
}

impl<const PRECISION: u32, const SCALE: u32> fmt::Debug for DecimalNumber<'_, PRECISION, SCALE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sent.fmt(f)
    }
}

fn misfit<E: Error>(precision: u32, scale: u32) -> E {
    E::custom(format_args!("expected a decimal of {precision} digits, {scale} of them after the point"))
}

impl<'page, const PRECISION: u32, const SCALE: u32> Deserialize<'page> for Decimal<'page, PRECISION, SCALE> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Text::deserialize(deserializer)?).ok_or_else(|| misfit(PRECISION, SCALE))
    }
}

impl<'page, const PRECISION: u32, const SCALE: u32> Deserialize<'page> for DecimalNumber<'page, PRECISION, SCALE> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Number::deserialize(deserializer)?).ok_or_else(|| misfit(PRECISION, SCALE))
    }
}

impl<'page, const PRECISION: u32, const SCALE: u32> Value<'page> for Decimal<'page, PRECISION, SCALE> {
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match sent.kind() {
            JsonKind::String => match serde_json::from_str(sent.get()) {
                Ok(decimal) => Reading::Exact(decimal),
                Err(_) => Reading::Misfit,
            },
            JsonKind::Number => Reading::coerced(Self::of(Text::from(sent.get()))),
            _ => Reading::Misfit,
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.decimal(&self.sent, self.unscaled);
    }
}

impl<'page, const PRECISION: u32, const SCALE: u32> Value<'page> for DecimalNumber<'page, PRECISION, SCALE> {
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match Number::tolerant(sent) {
            Reading::Exact(number) => Self::of(number).map_or(Reading::Misfit, Reading::Exact),
            Reading::Coerced(number) => Reading::coerced(Self::of(number)),
            Reading::Misfit => Reading::Misfit,
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.decimal_number(self.sent, self.unscaled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_the_digits_that_it_has() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0.00", Some(0)),
            ("1", Some(100)),
            ("12.3", Some(1230)),
            ("-12.34", Some(-1234)),
            ("999.99", Some(99_999)),
            ("007.50", Some(750)),
            ("1.5000", Some(150)),
            ("1.2e2", Some(12_000)),
            ("125e-2", Some(125)),
            ("0e99999", Some(0)),
            ("1000", None),
            ("1000.00", None),
            ("1.234", None),
            ("1e-3", None),
            ("1e99999999999", None),
            ("1e400", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("1.", None),
            ("1,5", None),
            ("+1", None),
            ("NaN", None),
            ("1.5.0", None),
        ] {
            assert_eq!(unscaled(text, 5, 2), expected, "{text}");
        }
        let most = "9".repeat(38);
        assert_eq!(unscaled(&most, 38, 0), Some(10_i128.pow(38) - 1));
        assert_eq!(unscaled(&format!("{most}0"), 38, 0), None);
    }

    #[test]
    fn text_and_number_stand_for_one_another() {
        let text = |json: &'static str| Decimal::<5, 2>::tolerant(serde_json::from_str(json).unwrap());
        assert!(matches!(text("\"1.50\""), Reading::Exact(it) if it.as_str() == "1.50" && it.unscaled() == 150));
        assert!(matches!(text("1.50"), Reading::Coerced(it) if it.unscaled() == 150));
        for json in ["\"1.505\"", "\"1e2\"", "1e2", "true", "\" 1\""] {
            assert!(matches!(text(json), Reading::Misfit), "{json}");
        }
        let number = |json: &'static str| DecimalNumber::<5, 2>::tolerant(serde_json::from_str(json).unwrap());
        assert!(matches!(number("1.5e1"), Reading::Exact(it) if it.as_str() == "1.5e1" && it.unscaled() == 1500));
        assert!(matches!(number("\"1.50\""), Reading::Coerced(it) if it.unscaled() == 150));
        for json in ["1.505", "1000", "\"x\"", "[]"] {
            assert!(matches!(number(json), Reading::Misfit), "{json}");
        }
    }
}
