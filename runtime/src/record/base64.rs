//! Binary values, which JSON carries as base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error};

use super::{Text, Value};
use crate::format::Encoder;

/// A string of OpenAPI format `byte`: binary data in base64 (RFC 4648 section 4), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Base64<'page> {
    text: Text<'page>,
    bytes: Vec<u8>,
}

impl Base64<'_> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it stands for.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'page> Deserialize<'page> for Base64<'page> {
    fn deserialize<D: Deserializer<'page>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| D::Error::custom("expected base64"))?;
        Ok(Self { text, bytes })
    }
}

impl<'page> Value<'page> for Base64<'page> {
    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.base64(self);
    }
}
