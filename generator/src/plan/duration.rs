//! Durations as annotations write them: `500ms`, `60s`, `5m`, `1h`.

/// Milliseconds of a duration; `None` if the text is none, or is no time at all.
pub(super) fn millis(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|millis| *millis > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_need_a_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("60s", Some(60_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("1d", Some(86_400_000)),
            ("60", None),
            ("s", None),
            ("0s", None),
            ("1.5s", None),
            ("", None),
            ("99999999999999999999s", None),
            ("5 m", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
