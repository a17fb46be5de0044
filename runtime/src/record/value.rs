//! What all values of a record have in common.

use serde::Deserialize;

use super::{Inspection, Json};
use crate::format::Encoder;

/// A value that a field, a list or a map can hold.
///
/// `Deserialize` is the fast way in and takes only what the document declares. If it fails, the record is read again by
/// [`Value::tolerant`], which keeps whatever came.
pub trait Value<'page>: Deserialize<'page> {
    /// Whether it is one of several types: a union holds no union (Avro specification 1.12, "Unions").
    const IS_UNION: bool = false;

    /// Whether it can be absent or hold several values, which Protobuf allows in a message's field only.
    const IS_PLURAL: bool = false;

    /// What was sent, read as this type if at all possible.
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match serde_json::from_str(sent.get()) {
            Ok(value) => Reading::Exact(value),
            Err(_) => Reading::Misfit,
        }
    }

    /// Writes the value.
    fn encode<E: Encoder>(&self, out: &mut E);

    /// Notes what in it is not as the document declares.
    fn inspect(&self, inspection: &mut Inspection<'page>) {
        let _ = inspection;
    }
}

/// What came of reading JSON with tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// It is of the type. Parts of it need not be: they say so themselves.
    Exact(T),
    /// It is of another type, and means this.
    Coerced(T),
    /// It is nothing of the type.
    Misfit,
}

impl<T> Reading<T> {
    /// The same of another value.
    pub fn map<U>(self, then: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Exact(value) => Reading::Exact(then(value)),
            Self::Coerced(value) => Reading::Coerced(then(value)),
            Self::Misfit => Reading::Misfit,
        }
    }

    /// What another type's value is to this one.
    pub(super) fn coerced(value: Option<T>) -> Self {
        value.map_or(Self::Misfit, Self::Coerced)
    }
}

/// What several values are together: as good as the worst of them.
pub(super) fn together<T>(readings: impl Iterator<Item = Reading<T>>) -> Reading<Vec<T>> {
    let mut values = Vec::new();
    let mut coerced = false;
    for reading in readings {
        match reading {
            Reading::Exact(value) => values.push(value),
            Reading::Coerced(value) => {
                coerced = true;
                values.push(value);
            }
            Reading::Misfit => return Reading::Misfit,
        }
    }
    if coerced { Reading::Coerced(values) } else { Reading::Exact(values) }
}

impl<'page> Value<'page> for bool {
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match sent.get() {
            "true" => Reading::Exact(true),
            "false" => Reading::Exact(false),
            r#""true""# => Reading::Coerced(true),
            r#""false""# => Reading::Coerced(false),
            _ => Reading::Misfit,
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.boolean(*self);
    }
}

macro_rules! integers {
    ($($type:ty => $write:ident),*) => {$(
        impl<'page> Value<'page> for $type {
            fn tolerant(sent: Json<'page>) -> Reading<Self> {
                match sent.get().parse() {
                    Ok(value) => Reading::Exact(value),
                    Err(_) => Reading::coerced(integral(sent).and_then(|value| Self::try_from(value).ok())),
                }
            }

            #[inline]
            fn encode<E: Encoder>(&self, out: &mut E) {
                out.$write(*self);
            }
        }
    )*};
}

integers!(i32 => int32, i64 => int64);

/// An integer that was written as text, with a fraction of zeros, or with an exponent.
fn integral(sent: Json<'_>) -> Option<i64> {
    /// From here on a double does not tell integers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = sent.plain_text().unwrap_or(sent.get());
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

impl<'page, T: Value<'page>> Value<'page> for Option<T> {
    const IS_PLURAL: bool = true;

    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        if sent.is_null() { Reading::Exact(None) } else { T::tolerant(sent).map(Some) }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.option(self.as_ref());
    }

    fn inspect(&self, inspection: &mut Inspection<'page>) {
        if let Some(value) = self {
            value.inspect(inspection);
        }
    }
}

impl<'page, T: Value<'page>> Value<'page> for Box<T> {
    const IS_UNION: bool = T::IS_UNION;
    const IS_PLURAL: bool = T::IS_PLURAL;

    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        T::tolerant(sent).map(Box::new)
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        T::encode(self, out);
    }

    fn inspect(&self, inspection: &mut Inspection<'page>) {
        T::inspect(self, inspection);
    }
}

impl<'page, T: Value<'page>> Value<'page> for Vec<T> {
    const IS_PLURAL: bool = true;

    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match sent.items() {
            Some(items) => together(items.into_iter().map(T::tolerant)),
            None => Reading::Misfit,
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.list(self);
    }

    fn inspect(&self, inspection: &mut Inspection<'page>) {
        for (index, item) in self.iter().enumerate() {
            inspection.at_item(index, |inspection| item.inspect(inspection));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a, T: Value<'a>>(json: &'a str) -> Reading<T> {
        T::tolerant(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn integers_are_found_in_other_clothes() {
        assert_eq!(read::<i64>("7"), Reading::Exact(7));
        for (json, value) in [("3.0", 3), ("\"12\"", 12), ("1e3", 1000), ("-0.0", 0), ("\"-4\"", -4)] {
            assert_eq!(read::<i64>(json), Reading::Coerced(value), "{json}");
        }
        for json in ["3.5", "9223372036854775808", "1e300", "\"\"", "\"x\"", "\"inf\"", "true", "[1]", "{}", "1e16"] {
            assert_eq!(read::<i64>(json), Reading::Misfit, "{json}");
        }
        assert_eq!(read::<i32>("3000000000"), Reading::Misfit);
        assert_eq!(read::<i32>("\"-7\""), Reading::Coerced(-7));
    }

    #[test]
    fn truth_is_found_in_text() {
        assert_eq!(read::<bool>("true"), Reading::Exact(true));
        assert_eq!(read::<bool>("\"false\""), Reading::Coerced(false));
        assert_eq!(read::<bool>("1"), Reading::Misfit);
    }

    #[test]
    fn a_list_is_as_good_as_its_worst_item() {
        assert_eq!(read::<Vec<i64>>("[1, 2]"), Reading::Exact(vec![1, 2]));
        assert_eq!(read::<Vec<i64>>("[1, \"2\"]"), Reading::Coerced(vec![1, 2]));
        assert_eq!(read::<Vec<i64>>("[1, null]"), Reading::Misfit);
        assert_eq!(read::<Vec<Option<i64>>>("[1, null]"), Reading::Exact(vec![Some(1), None]));
        assert_eq!(read::<Vec<i64>>("{}"), Reading::Misfit);
    }
}
