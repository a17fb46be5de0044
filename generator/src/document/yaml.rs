//! YAML as it is written: what `serde_yaml`'s own value refuses, though YAML allows it, is read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_yaml::{Mapping, Value};

/// A YAML value without its tags. An integer beyond 64 bits is the floating-point number nearest to it.
pub(super) struct Yaml(pub(super) Value);

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    #[allow(clippy::cast_precision_loss, reason = "the nearest is what is wanted")]
    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "the nearest is what is wanted")]
    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Yaml(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Sequence(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Mapping::new();
        while let Some((Yaml(key), Yaml(value))) = entries.next_entry()? {
            if mapping.contains_key(&key) {
                let key = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                return Err(A::Error::custom(format!("the key `{key}` stands there twice")));
            }
            mapping.insert(key, value);
        }
        Ok(Value::Mapping(mapping))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (_, content) = tagged.variant::<String>()?;
        content.newtype_variant().map(|Yaml(value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_may_be_of_any_size() {
        let text = "[-9223372036854775809, 18446744073709551616, 170141183460469231731687303715884105728, \
                    3402823669209384634633746074317682114560, 9223372036854775807]";
        let Yaml(Value::Sequence(numbers)) = serde_yaml::from_str(text).unwrap() else { panic!("a list") };
        let numbers: Vec<_> = numbers.iter().map(|number| number.as_f64().unwrap()).collect();
        assert_eq!(
            numbers[..4],
            [
                -9223372036854775809.0,
                18446744073709551616.0,
                2_f64.powi(127),
                3402823669209384634633746074317682114560.0
            ]
        );
    }

    #[test]
    fn a_key_stands_once() {
        let error = serde_yaml::from_str::<Yaml>("a: 1\nb: 2\na: 3\n").err().unwrap();
        assert!(error.to_string().starts_with("the key `a` stands there twice"), "{error}");
    }
}
