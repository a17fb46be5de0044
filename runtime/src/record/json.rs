//! JSON whose shape the document does not say: kept as the text that was sent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use super::{Map, Reading, Text, Value};
use crate::format::Encoder;

/// A JSON value of any shape, as the API sent it, borrowed from the response.
#[derive(Clone, Copy)]
pub struct Json<'page>(&'page RawValue);

/// What a JSON value is, told from its first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the kinds of RFC 8259 section 3")]
pub enum JsonKind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl JsonKind {
    /// What a value of the kind is called, with its article.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Null => "`null`",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl<'page> Json<'page> {
    /// The JSON text.
    pub fn get(&self) -> &'page str {
        self.0.get()
    }

    /// What kind of value it is.
    pub fn kind(&self) -> JsonKind {
        match self.get().as_bytes().first() {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => JsonKind::String,
            Some(b't' | b'f') => JsonKind::Boolean,
            Some(b'n') => JsonKind::Null,
            _ => JsonKind::Number,
        }
    }

    /// Decodes the value as one of the types that it may be; used by unions.
    pub fn decode<T: Deserialize<'page>, E: Error>(&self) -> Result<T, E> {
        serde_json::from_str(self.get()).map_err(E::custom)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.kind() == JsonKind::Null
    }

    /// What stands between the quotes of a string without escapes.
    pub(super) fn plain_text(&self) -> Option<&'page str> {
        let text = self.get().strip_prefix('"')?.strip_suffix('"')?;
        (!text.contains('\\')).then_some(text)
    }

    /// The items of an array.
    pub(super) fn items(&self) -> Option<Vec<Json<'page>>> {
        if self.kind() != JsonKind::Array {
            return None;
        }
        serde_json::from_str(self.get()).ok()
    }

    /// The entries of an object, in the order sent.
    pub(super) fn entries(&self) -> Option<Vec<(Text<'page>, Json<'page>)>> {
        if self.kind() != JsonKind::Object {
            return None;
        }
        let map: Map<'page, Json<'page>> = serde_json::from_str(self.get()).ok()?;
        Some(map.into_entries())
    }
}

impl<'page> Value<'page> for Json<'page> {
    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        Reading::Exact(sent)
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.json(*self);
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl<'de: 'page, 'page> Deserialize<'de> for Json<'page> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_and_knows_the_kind() {
        let values: Vec<Json<'_>> = serde_json::from_str(r#"[ {"a": 1} , [2], "x", -1.50, true, null]"#).unwrap();
        let kinds: Vec<_> = values.iter().map(Json::kind).collect();
        use JsonKind::*;
        assert_eq!(kinds, [Object, Array, String, Number, Boolean, Null]);
        assert_eq!(values[0].get(), r#"{"a": 1}"#);
        assert_eq!(values[3].get(), "-1.50");
    }
}
