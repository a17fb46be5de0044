//! Whether a number survives being a double.

use std::borrow::Cow;

/// So many significant digits always survive (IEEE 754 double: DBL_DIG).
const SAFE_DIGITS: usize = 15;

/// The nearest double, if there is a finite one, and whether it says the same number.
pub(super) fn double(text: &str) -> (Option<f64>, bool) {
    let Some(value) = text.parse::<f64>().ok().filter(|value| value.is_finite()) else { return (None, false) };
    let is_short = text.len() <= SAFE_DIGITS && !text.contains(['e', 'E']);
    (Some(value), is_short || decimal(text) == decimal(&format!("{value:e}")))
}

/// Sign, digits without zeros at either end, and the power of ten that `0.digits` is multiplied by.
fn decimal(text: &str) -> Option<(bool, Cow<'_, str>, i64)> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let exponent = exponent.checked_add(i64::try_from(whole.len()).ok()?)?.checked_sub(i64::try_from(leading).ok()?)?;
    match digits.trim_matches('0') {
        "" => Some((false, Cow::Borrowed(""), 0)),
        digits => Some((is_negative, Cow::Owned(digits.to_owned()), exponent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_says_whether_it_says_all() {
        for (text, value) in [
            ("0.1", 0.1),
            ("1.10", 1.1),
            ("1e3", 1000.0),
            ("-2.50E-3", -0.0025),
            ("9007199254740992", 9_007_199_254_740_992.0),
            ("100000000000000000000", 1e20),
            ("0.00", 0.0),
            ("-0.0", 0.0),
            ("0e99999999999", 0.0),
        ] {
            assert_eq!(double(text), (Some(value), true), "{text}");
        }
        for text in ["9007199254740993", "0.10000000000000000000001", "1e-400", "123456789012345678.5"] {
            let (value, is_exact) = double(text);
            assert!(value.is_some() && !is_exact, "{text}");
        }
        assert_eq!(double("1E400"), (None, false));
    }
}
