//! Numbers as Java has them: what Connect's transforms count with.

/// A JSON number as Connect reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Double(f64),
}

/// Reads a number. An integer that is none of 64 bits is taken for a double.
pub(super) fn number_of(text: &str) -> Number {
    match text.parse() {
        Ok(integer) => Number::Integer(integer),
        // JSON numbers are all doubles, if not near ones.
        Err(_) => Number::Double(text.parse().unwrap_or(f64::NAN)),
    }
}

/// A double as `Double.toString` writes it.
pub(super) fn double_text(value: f64) -> String {
    text(value, &format!("{value:e}"), f64::INFINITY)
}

/// A float as `Float.toString` writes it.
pub(super) fn float_text(value: f32) -> String {
    text(f64::from(value), &format!("{value:e}"), f64::INFINITY)
}

/// A double as JSON, if JSON has it.
pub(super) fn json_double(value: f64) -> Option<String> {
    value.is_finite().then(|| double_text(value))
}

/// By the digits of `scientific`, `d.ddde-5`.
fn text(value: f64, scientific: &str, infinity: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.abs() == infinity {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let with_point = |whole: &str, fraction: &str| {
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        format!("{sign}{whole}.{fraction}")
    };
    match exponent {
        -3..=-1 => with_point("0", &format!("{}{digits}", "0".repeat((-exponent - 1) as usize))),
        0..=6 => {
            let whole = (exponent + 1) as usize;
            let digits = format!("{digits:0<whole$}");
            with_point(&digits[..whole], &digits[whole..])
        }
        _ => format!("{}E{exponent}", with_point(&digits[..1], &digits[1..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (value, text) in [
            (1.0, "1.0"),
            (-0.5, "-0.5"),
            (100.0, "100.0"),
            (1_234_567.0, "1234567.0"),
            (12_345_678.0, "1.2345678E7"),
            (0.001, "0.001"),
            (0.000_1, "1.0E-4"),
            (1e21, "1.0E21"),
            (0.0, "0.0"),
            (3.25, "3.25"),
        ] {
            assert_eq!(double_text(value), text);
        }
        assert_eq!(float_text(0.1), "0.1");
        assert_eq!(json_double(f64::NAN), None);
        assert_eq!(number_of("18446744073709551616"), Number::Double(18_446_744_073_709_551_616.0));
    }
}
