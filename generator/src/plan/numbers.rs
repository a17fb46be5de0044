//! Protobuf field numbers: a field keeps the number that it once had, and no other field ever gets it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{Type, TypeKind};

/// The numbers given out, by the names of types. Kept with the crate, those of fields that are gone included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldNumbers(BTreeMap<String, TypeNumbers>);

/// The numbers of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct TypeNumbers {
    /// Of its fields by their names in the API, or of its variants by theirs.
    fields: BTreeMap<String, u32>,
    /// Of the map of its additional fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    additional: Option<u32>,
}

/// Numbers that Protobuf keeps for itself (proto3, "Assigning Field Numbers").
const RESERVED: std::ops::RangeInclusive<u32> = 19_000..=19_999;

impl FieldNumbers {
    /// Numbers the fields of `types`: as before where there was a before, and on from there.
    pub(super) fn assign(&self, types: &mut [Type]) -> Self {
        let mut all = self.clone();
        for ty in types {
            match &mut ty.kind {
                TypeKind::Struct(ty) => {
                    let numbers = all.0.entry(ty.names.avro.clone()).or_default();
                    for field in &mut ty.fields {
                        field.number = numbers.of(&field.wire_name);
                    }
                    if let Some(additional) = &mut ty.additional {
                        let number = numbers.additional.unwrap_or_else(|| numbers.next());
                        numbers.additional = Some(number);
                        additional.number = number;
                    }
                }
                TypeKind::Union(ty) => {
                    let numbers = all.0.entry(ty.names.avro.clone()).or_default();
                    for variant in &mut ty.variants {
                        variant.number = numbers.of(&variant.rust_name);
                    }
                }
                TypeKind::Enum(_) | TypeKind::List(_) | TypeKind::Map(_) | TypeKind::Scalar(_) => {}
            }
        }
        all
    }
}

impl TypeNumbers {
    fn of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.fields.get(name) {
            return *number;
        }
        let number = self.next();
        self.fields.insert(name.to_owned(), number);
        number
    }

    fn next(&self) -> u32 {
        let last = self.fields.values().copied().chain(self.additional).max().unwrap_or(0);
        if RESERVED.contains(&(last + 1)) { RESERVED.end() + 1 } else { last + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_never_given_twice() {
        let mut numbers = TypeNumbers::default();
        assert_eq!(["a", "b", "a"].map(|name| numbers.of(name)), [1, 2, 1]);
        // A field that is gone keeps its number.
        let kept = serde_json::to_string(&numbers).unwrap();
        let mut numbers: TypeNumbers = serde_json::from_str(&kept).unwrap();
        assert_eq!(["c", "b"].map(|name| numbers.of(name)), [3, 2]);
        numbers.fields.insert("z".to_owned(), 18_999);
        assert_eq!(numbers.of("d"), 20_000);
        numbers.additional = Some(20_001);
        assert_eq!(numbers.of("e"), 20_002);
    }
}
