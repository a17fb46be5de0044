//! Objects used as maps.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::Text;

/// An object whose keys are data (`additionalProperties`), in the order in which the API sent them.
#[derive(Clone, PartialEq)]
pub struct Map<'page, T>(Vec<(Text<'page>, T)>);

impl<'page, T> Map<'page, T> {
    /// The entries, in the order sent.
    pub fn entries(&self) -> &[(Text<'page>, T)] {
        &self.0
    }

    /// The value under `key`; of a repeated key the last one.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().rev().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Map<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value))).finish()
    }
}

impl<'de: 'page, 'page, T: Deserialize<'de>> Deserialize<'de> for Map<'page, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for MapVisitor<T> {
            type Value = Map<'de, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Map(entries))
            }
        }

        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}
