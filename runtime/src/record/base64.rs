//! Binary values, which JSON carries as base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Text;

/// A string of OpenAPI format `byte`: binary data in base64 (RFC 4648 section 4), kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent, bound(deserialize = "'de: 'page"))]
pub struct Base64<'page>(Text<'page>);

impl Base64<'_> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes, or `None` if the text is no base64.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.0.as_bytes()).ok()
    }
}
