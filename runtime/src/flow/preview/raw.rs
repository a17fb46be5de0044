//! The records of a response as JSON text, whatever their types are.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of each record that stands at a JSON Pointer (RFC 6901); nothing if nothing does.
pub(super) fn records(body: &[u8], pointer: &str) -> Vec<Vec<(String, String)>> {
    let Some(found) = serde_json::from_slice(body).ok().and_then(|root| find(root, pointer)) else {
        return Vec::new();
    };
    match serde_json::from_str::<Vec<&RawValue>>(found.get()) {
        Ok(items) => items.into_iter().map(fields).collect(),
        Err(_) if found.get() == "null" => Vec::new(),
        Err(_) => vec![fields(found)],
    }
}

fn find<'a>(root: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    pointer.split('/').skip(1).try_fold(root, |value, token| {
        let name = token.replace("~1", "/").replace("~0", "~");
        match serde_json::from_str::<HashMap<String, &RawValue>>(value.get()) {
            Ok(object) => object.get(&name).copied(),
            Err(_) => {
                let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                items.get(name.parse::<usize>().ok()?).copied()
            }
        }
    })
}

/// The fields of a record that is written as JSON.
pub(super) fn of_json(record: &[u8]) -> Vec<(String, String)> {
    match serde_json::from_slice(record) {
        Ok(record) => fields(record),
        Err(_) => vec![(String::new(), String::from_utf8_lossy(record).into_owned())],
    }
}

fn fields(record: &RawValue) -> Vec<(String, String)> {
    match serde_json::from_str(record.get()) {
        Ok(Fields(fields)) => fields,
        Err(_) => vec![(String::new(), record.get().to_owned())],
    }
}

/// The members of an object in their order.
struct Fields(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, value.get().to_owned()));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str, pointer: &str) -> String {
        let line = |fields: Vec<(String, String)>| {
            let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            fields.join(" ")
        };
        records(body.as_bytes(), pointer).into_iter().map(line).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn values_stay_as_they_were_written() {
        assert_eq!(
            shown(r#"[{"b": 3.0, "a": 123456789012345678901}, {"b": "x"}]"#, ""),
            "b=3.0 a=123456789012345678901; b=\"x\""
        );
        assert_eq!(shown(r#"{"hits": [0, {"a/b": [{"id": 1}]}]}"#, "/hits/1/a~1b"), "id=1");
        assert_eq!(shown(r#"{"one": {"id": 1}}"#, "/one"), "id=1");
        assert_eq!(shown("[1, [2]]", ""), "=1; =[2]");
        for (body, pointer) in [("{}", "/none"), (r#"{"a": null}"#, "/a"), ("<html>", ""), ("", ""), ("[]", "/x/y")] {
            assert_eq!(shown(body, pointer), "", "{body}");
        }
    }
}
