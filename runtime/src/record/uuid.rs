//! UUIDs, kept as text.

use serde::Deserialize;

use super::Text;

/// A string of OpenAPI format `uuid`, kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent, bound(deserialize = "'de: 'page"))]
pub struct Uuid<'page>(Text<'page>);

impl Uuid<'_> {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
