//! Avro's binary encoding, read by a schema (Avro 1.12, "Binary Encoding").

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::Rest;

pub(super) fn shown(schema: &str, written: &[u8]) -> Option<Value> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    let mut named = HashMap::new();
    collect(&schema, "", &mut named);
    let mut reader = Reader { named, rest: Rest(written) };
    let value = reader.value(&schema, "")?;
    reader.rest.0.is_empty().then_some(value)
}

/// The schemas that have names, each with the namespace of what is within it.
fn collect<'s>(schema: &'s Value, namespace: &str, named: &mut HashMap<String, &'s Value>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| collect(branch, namespace, named)),
        Value::Object(object) => {
            let within = namespace_of(schema, namespace);
            if let Some(name) = object.get("name").and_then(Value::as_str) {
                named.insert(full_name(name, &within), schema);
            }
            for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                collect(&field["type"], &within, named);
            }
            for member in ["type", "items", "values"] {
                if let Some(nested @ (Value::Object(_) | Value::Array(_))) = object.get(member) {
                    collect(nested, &within, named);
                }
            }
        }
        _ => {}
    }
}

fn namespace_of(schema: &Value, enclosing: &str) -> String {
    schema.get("namespace").and_then(Value::as_str).unwrap_or(enclosing).to_owned()
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

struct Reader<'s, 'v> {
    named: HashMap<String, &'s Value>,
    rest: Rest<'v>,
}

impl<'v> Reader<'_, 'v> {
    fn value(&mut self, schema: &Value, namespace: &str) -> Option<Value> {
        match schema {
            Value::Array(branches) => {
                let index = usize::try_from(self.long()?).ok()?;
                self.value(branches.get(index)?, namespace)
            }
            Value::String(name) => match self.primitive(name) {
                Some(value) => value,
                None => {
                    let full = full_name(name, namespace);
                    let schema = *self.named.get(&full)?;
                    self.value(schema, full.rsplit_once('.').map_or("", |(namespace, _)| namespace))
                }
            },
            Value::Object(object) => self.complex(schema, object, namespace),
            _ => None,
        }
    }

    /// A value of a type that is built in: `None` if there is none of this name, and within it if there is no value.
    fn primitive(&mut self, name: &str) -> Option<Option<Value>> {
        Some(match name {
            "null" => Some(Value::Null),
            "boolean" => self.rest.take(1).map(|byte| Value::Bool(byte == [1])),
            "int" | "long" => self.long().map(Value::from),
            "double" => self.rest.double(),
            "bytes" => self.blob().map(|bytes| BASE64_STANDARD.encode(bytes).into()),
            "string" => self.text().map(Value::from),
            _ => return None,
        })
    }

    fn complex(&mut self, schema: &Value, object: &Map<String, Value>, namespace: &str) -> Option<Value> {
        let logical = object.get("logicalType").and_then(Value::as_str);
        match (object.get("type")?.as_str()?, logical) {
            ("record", _) => {
                let within = namespace_of(schema, namespace);
                let mut record = Map::new();
                for field in object.get("fields")?.as_array()? {
                    let value = self.value(field.get("type")?, &within)?;
                    record.insert(field.get("name")?.as_str()?.to_owned(), value);
                }
                Some(Value::Object(record))
            }
            ("array", _) => {
                let mut items = Vec::new();
                self.blocks(|reader| {
                    items.push(reader.value(object.get("items")?, namespace)?);
                    Some(())
                })?;
                Some(Value::Array(items))
            }
            ("map", _) => {
                let mut entries = Map::new();
                self.blocks(|reader| {
                    let key = reader.text()?;
                    let value = reader.value(object.get("values")?, namespace)?;
                    entries.insert(key, value);
                    Some(())
                })?;
                Some(Value::Object(entries))
            }
            ("long", Some("timestamp-millis")) => {
                Some(jiff::Timestamp::from_millisecond(self.long()?).ok()?.to_string().into())
            }
            ("int", Some("date")) => {
                let days = jiff::Span::new().try_days(self.long()?).ok()?;
                Some(jiff::civil::date(1970, 1, 1).checked_add(days).ok()?.to_string().into())
            }
            ("bytes", Some("decimal")) => {
                let scale = object.get("scale").and_then(Value::as_u64).unwrap_or(0);
                let unscaled = self.blob()?;
                Some(decimal(unscaled, usize::try_from(scale).ok()?)?.into())
            }
            (name, _) => self.primitive(name)?,
        }
    }

    /// What each of an array's or a map's entries is read by.
    fn blocks(&mut self, mut entry: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        loop {
            match self.long()? {
                0 => return Some(()),
                count => (0..count).try_for_each(|_| entry(self))?,
            }
        }
    }

    /// In ZigZag.
    fn long(&mut self) -> Option<i64> {
        let number = self.rest.varint()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn blob(&mut self) -> Option<&'v [u8]> {
        let length = usize::try_from(self.long()?).ok()?;
        self.rest.take(length)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.blob()?.to_vec()).ok()
    }
}

/// A number in two's complement, with its point.
fn decimal(bytes: &[u8], scale: usize) -> Option<String> {
    let mut whole = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { [0xff; 16] } else { [0; 16] };
    let start = whole.len().checked_sub(bytes.len())?;
    whole[start..].copy_from_slice(bytes);
    let number = i128::from_be_bytes(whole);
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (before, after) = digits.split_at(digits.len() - scale);
    Some(if scale == 0 { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_that_is_generated_is_shown() {
        let schema = json!({
            "type": "record", "name": "R", "namespace": "n", "fields": [
                { "name": "flag", "type": "boolean" },
                { "name": "count", "type": ["null", "int"] },
                { "name": "none", "type": ["null", "long"] },
                { "name": "ratio", "type": "double" },
                { "name": "at", "type": { "type": "long", "logicalType": "timestamp-millis" } },
                { "name": "on", "type": { "type": "int", "logicalType": "date" } },
                { "name": "price", "type": { "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 } },
                { "name": "raw", "type": "bytes" },
                { "name": "tags", "type": { "type": "array", "items": "string" } },
                { "name": "by", "type": { "type": "map", "values": "long" } },
                { "name": "in", "type": { "type": "record", "name": "In", "fields": [
                    { "name": "up", "type": ["null", "R"] }, { "name": "id", "type": { "type": "string", "logicalType": "uuid" } },
                ] } },
                { "name": "again", "type": ["null", "In", "n.R"] },
            ],
        });
        let written = [
            &[1, 2, 13, 0][..],
            &1.5f64.to_le_bytes(),
            &[2, 1, 2, 0xfb, 4, 1, 2, 2, 2, b'a', 0, 2, 2, b'k', 4, 0, 0, 2, b'u', 2, 0, 2, b'v'],
        ]
        .concat();
        let expected = json!({
            "flag": true, "count": -7, "none": null, "ratio": 1.5, "at": "1970-01-01T00:00:00.001Z", "on": "1969-12-31",
            "price": "-0.05", "raw": "AQI=", "tags": ["a"], "by": { "k": 2 }, "in": { "up": null, "id": "u" },
            "again": { "up": null, "id": "v" },
        });
        assert_eq!(shown(&schema.to_string(), &written), Some(expected));
        for length in 0..written.len() {
            assert_eq!(shown(&schema.to_string(), &written[..length]), None);
        }
        assert_eq!(decimal(&[0x30, 0x39], 0).unwrap(), "12345");
        assert_eq!(decimal(&[0x30, 0x39], 7).unwrap(), "0.0012345");
    }
}
