//! Decimals: of which precision and scale a document says them to be.
//!
//! OpenAPI has `format: decimal` (its Format Registry) and no keys for either. The scale of a number is what it is a multiple
//! of, its precision follows from its bounds; `x-precision` and `x-scale` say both for numbers and texts.

use openapiv3::SchemaData;
use serde_json::Value;

use crate::plan::model::DecimalFacts;

/// Digits that the runtime can hold: those of a 128-bit integer.
const MOST: u32 = 38;

/// What a schema of `type: number` says of its numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) multiple_of: Option<f64>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
}

/// The decimals that a schema of `format: decimal` describes, if it says of which precision and scale they are.
pub(super) fn of(data: &SchemaData, bounds: Bounds, is_text: bool) -> Option<DecimalFacts> {
    let said = |key: &str| data.extensions.get(key).and_then(Value::as_u64).and_then(|said| u32::try_from(said).ok());
    let scale = said("x-scale").or_else(|| bounds.multiple_of.and_then(places))?;
    let precision = said("x-precision").or_else(|| {
        let (minimum, maximum) = (bounds.minimum?, bounds.maximum?);
        digits(minimum.abs().max(maximum.abs())).map(|whole| (whole + scale).max(1))
    })?;
    let fits = precision > 0 && precision <= MOST && scale <= precision;
    fits.then_some(DecimalFacts { precision, scale, is_text })
}

/// How many digits stand after the point of every multiple of a number: of 0.01, 0.05 and 0.25 two.
fn places(multiple_of: f64) -> Option<u32> {
    if !(multiple_of.is_finite() && multiple_of > 0.0) {
        return None;
    }
    // The shortest text that is the same number, never with an exponent.
    let text = multiple_of.to_string();
    u32::try_from(text.split_once('.').map_or(0, |(_, fraction)| fraction.len())).ok()
}

/// How many digits stand before the point of a number.
fn digits(number: f64) -> Option<u32> {
    let text = number.is_finite().then(|| number.trunc().to_string())?;
    u32::try_from(text.trim_start_matches('0').len()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_scale_are_said_or_follow() {
        let of = |multiple_of, minimum, maximum, extensions: Value| {
            let data = SchemaData {
                extensions: extensions.as_object().unwrap().clone().into_iter().collect(),
                ..SchemaData::default()
            };
            super::of(&data, Bounds { multiple_of, minimum, maximum }, false).map(|it| (it.precision, it.scale))
        };
        let none = || serde_json::json!({});
        assert_eq!(of(Some(0.01), Some(-99.0), Some(99_999.99), none()), Some((7, 2)));
        assert_eq!(of(Some(0.05), Some(0.0), Some(0.95), none()), Some((2, 2)));
        assert_eq!(of(Some(1.0), Some(0.0), Some(1e12), none()), Some((13, 0)));
        assert_eq!(of(Some(0.0001), Some(0.0), None, serde_json::json!({"x-precision": 12})), Some((12, 4)));
        assert_eq!(of(None, None, None, serde_json::json!({"x-precision": 12, "x-scale": 2})), Some((12, 2)));
        for without in [
            of(Some(0.01), None, Some(99.0), none()),
            of(None, Some(0.0), Some(99.0), none()),
            of(None, None, None, serde_json::json!({"x-precision": 39, "x-scale": 2})),
            of(None, None, None, serde_json::json!({"x-precision": 2, "x-scale": 3})),
            of(None, None, None, serde_json::json!({"x-precision": 0, "x-scale": 0})),
        ] {
            assert_eq!(without, None);
        }
    }
}
