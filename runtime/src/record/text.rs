//! Strings that borrow from the response where they can.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::{Json, JsonKind, Reading, Value};
use crate::format::Encoder;

/// A string of a record. It borrows from the response unless the JSON text holds an escape.
///
/// A type of our own because serde's `Cow<str>` allocates inside `Option` and `Vec`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'page>(Cow<'page, str>);

impl Text<'_> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'page> From<&'page str> for Text<'page> {
    fn from(text: &'page str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'page> Value<'page> for Text<'page> {
    /// Numbers and truth values are read as they are written.
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match sent.kind() {
            JsonKind::String => serde_json::from_str(sent.get()).map_or(Reading::Misfit, Reading::Exact),
            JsonKind::Number | JsonKind::Boolean => Reading::Coerced(Self(Cow::Borrowed(sent.get()))),
            JsonKind::Null | JsonKind::Array | JsonKind::Object => Reading::Misfit,
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.text(self);
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de: 'page, 'page> Deserialize<'de> for Text<'page> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrows_inside_options_and_lists_unless_escaped() {
        let decoded: Vec<Option<Text<'_>>> = serde_json::from_str(r#"["plain", null, "tab\t"]"#).unwrap();
        assert!(matches!(&decoded[0], Some(Text(Cow::Borrowed("plain")))));
        assert!(decoded[1].is_none());
        assert!(matches!(&decoded[2], Some(Text(Cow::Owned(text))) if text == "tab\t"));
    }
}
