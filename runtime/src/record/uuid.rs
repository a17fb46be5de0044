//! UUIDs, kept as text.

use serde::de::{Deserialize, Deserializer, Error};

use super::{Text, Value};
use crate::format::Encoder;

/// A string of OpenAPI format `uuid` (RFC 9562 section 4), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uuid<'page>(Text<'page>);

impl Uuid<'_> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 8-4-4-4-12 hexadecimal digits, of any case.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl<'page> Deserialize<'page> for Uuid<'page> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        if is_uuid(&text) { Ok(Self(text)) } else { Err(D::Error::custom("expected a UUID")) }
    }
}

impl<'page> Value<'page> for Uuid<'page> {
    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.uuid(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uuids_are_uuids() {
        assert!(is_uuid("6f2f1b9e-6ec0-4f3c-8a5e-1D2C3B4A5968"));
        for text in ["", "6f2f1b9e6ec04f3c8a5e1d2c3b4a5968", "6f2f1b9e-6ec0-4f3c-8a5e-1d2c3b4a596g"] {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
