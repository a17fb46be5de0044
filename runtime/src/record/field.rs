//! A field of a record, as the API sent it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::{DateTime, Json, Reading, Value};

/// What an API sent for a field: nothing, `null`, a value of the declared type, or something else.
///
/// Documents promise more than APIs keep: required fields are missing, integers come as text, dates are none. None of it
/// stops a record. What does not fit its type is kept as the JSON that was sent.
#[derive(Clone, Default, PartialEq)]
pub enum Field<'page, T> {
    /// The object has no such field.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// A value of the declared type.
    Value(T),
    /// Something other than the document declares.
    Other {
        /// The JSON that was sent.
        sent: Json<'page>,
        /// What it can be read as: of `"7"` or `7.0` for an integer, 7. `None`: nothing of the declared type.
        value: Option<T>,
    },
}

impl<'page, T> Field<'page, T> {
    /// The value, if there is one of the declared type, or one that can be read as such.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) | Self::Other { value: Some(value), .. } => Some(value),
            Self::Absent | Self::Null | Self::Other { value: None, .. } => None,
        }
    }

    /// What was sent, read with whatever tolerance its type has.
    pub fn tolerant(sent: Json<'page>) -> Self
    where
        T: Value<'page>,
    {
        if sent.is_null() {
            return match T::tolerant(sent) {
                Reading::Exact(value) => Self::Value(value),
                Reading::Coerced(_) | Reading::Misfit => Self::Null,
            };
        }
        match T::tolerant(sent) {
            Reading::Exact(value) => Self::Value(value),
            Reading::Coerced(value) => Self::Other { sent, value: Some(value) },
            Reading::Misfit => Self::Other { sent, value: None },
        }
    }
}

impl Field<'_, DateTime<'_>> {
    /// Milliseconds since 1970-01-01T00:00:00Z, if there is an instant.
    pub fn epoch_millis(&self) -> Option<i64> {
        self.get().map(DateTime::epoch_millis)
    }
}

impl<T> From<T> for Field<'_, T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Field<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Null => f.write_str("null"),
            Self::Value(value) => value.fmt(f),
            Self::Other { sent, .. } => write!(f, "other({sent:?})"),
        }
    }
}

impl<'page, T: Deserialize<'page>> Deserialize<'page> for Field<'page, T> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor<T>(std::marker::PhantomData<T>);

        impl<'page, T: Deserialize<'page>> Visitor<'page> for FieldVisitor<T> {
            type Value = Field<'page, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Field::Null)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Field::Null)
            }

            fn visit_some<D: Deserializer<'page>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                T::deserialize(deserializer).map(Field::Value)
            }
        }

        deserializer.deserialize_option(FieldVisitor(std::marker::PhantomData))
    }
}
