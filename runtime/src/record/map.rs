//! Objects used as maps.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::value::together;
use super::{Inspection, Json, Reading, Text, Value};
use crate::format::Encoder;

/// An object whose keys are data (`additionalProperties`), in the order in which the API sent them.
#[derive(Clone, PartialEq)]
pub struct Map<'page, T>(Vec<(Text<'page>, T)>);

impl<'page, T> Map<'page, T> {
    /// The entries, in the order sent.
    pub fn entries(&self) -> &[(Text<'page>, T)] {
        &self.0
    }

    pub(super) fn into_entries(self) -> Vec<(Text<'page>, T)> {
        self.0
    }

    /// Adds an entry behind the others.
    pub fn push(&mut self, key: Text<'page>, value: T) {
        self.0.push((key, value));
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under `key`; of a repeated key the last one.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().rev().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
    }
}

impl<T> Default for Map<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'page, T: Value<'page>> Value<'page> for Map<'page, T> {
    const IS_PLURAL: bool = true;

    fn tolerant(sent: Json<'page>) -> Reading<Self> {
        match sent.entries() {
            Some(entries) => {
                together(entries.into_iter().map(|(key, sent)| T::tolerant(sent).map(|value| (key, value)))).map(Self)
            }
            None => Reading::Misfit,
        }
    }

    #[inline]
    fn encode<E: Encoder>(&self, out: &mut E) {
        out.map(self);
    }

    fn inspect(&self, inspection: &mut Inspection<'page>) {
        for (key, value) in &self.0 {
            inspection.at_entry(key, |inspection| value.inspect(inspection));
        }
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
