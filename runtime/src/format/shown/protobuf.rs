//! Protobuf's encoding, read by a schema as the generator writes one.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::Rest;

pub(super) fn shown(schema: &str, written: &[u8]) -> Option<Value> {
    let tokens = tokens(schema);
    let mut messages = HashMap::new();
    let mut parser = Parser { tokens: tokens.iter(), messages: &mut messages };
    let first = parser.file()?;
    message(&messages, &first, written)
}

/// A field of a message.
struct Field {
    name: String,
    number: u64,
    label: Label,
    of: Type,
}

/// The type of a field's values.
enum Type {
    Bool,
    Int32,
    Int64,
    Double,
    String,
    Bytes,
    Timestamp,
    /// One of the messages, by its name and the name of the one that it is written in.
    Message {
        name: String,
        within: String,
    },
}

impl Type {
    fn of(name: &str, within: &str) -> Self {
        match name {
            "bool" => Self::Bool,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "double" => Self::Double,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            ".google.protobuf.Timestamp" => Self::Timestamp,
            name => Self::Message { name: name.to_owned(), within: within.to_owned() },
        }
    }
}

#[derive(Clone, Copy)]
enum Label {
    One,
    Repeated,
    /// By text.
    Map,
}

/// Messages by their names, with those that they are within.
type Messages = HashMap<String, Vec<Field>>;

/// Words, numbers, texts and punctuation, without comments.
fn tokens(schema: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = schema;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            let mut is_escaped = false;
            let end = rest[1..].find(|c| match (is_escaped, c) {
                (false, '"') => true,
                (before, c) => {
                    is_escaped = !before && c == '\\';
                    false
                }
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if !token.starts_with("//") && !first.is_whitespace() {
            tokens.push(token.to_owned());
        }
        rest = after;
    }
    tokens
}

struct Parser<'t, 'm> {
    tokens: std::slice::Iter<'t, String>,
    messages: &'m mut Messages,
}

impl<'t> Parser<'t, '_> {
    fn next(&mut self) -> Option<&'t str> {
        self.tokens.next().map(String::as_str)
    }

    /// The name of the first message.
    fn file(&mut self) -> Option<String> {
        let mut first = None;
        while let Some(token) = self.next() {
            match token {
                "message" => {
                    let name = self.next()?.to_owned();
                    self.message(&name)?;
                    first.get_or_insert(name);
                }
                _ => self.skip_statement()?,
            }
        }
        first
    }

    fn skip_statement(&mut self) -> Option<()> {
        while self.next()? != ";" {}
        Some(())
    }

    /// What stands between the braces of a message.
    fn message(&mut self, name: &str) -> Option<()> {
        let fields = self.fields(name)?;
        self.messages.insert(name.to_owned(), fields);
        Some(())
    }

    fn fields(&mut self, within: &str) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        (self.next()? == "{").then_some(())?;
        loop {
            let (label, of) = match self.next()? {
                "}" => return Some(fields),
                "message" => {
                    let name = format!("{within}.{}", self.next()?);
                    self.message(&name)?;
                    continue;
                }
                "oneof" => {
                    self.next()?;
                    fields.extend(self.fields(within)?);
                    continue;
                }
                "reserved" => {
                    self.skip_statement()?;
                    continue;
                }
                "optional" => (Label::One, self.next()?),
                "repeated" => (Label::Repeated, self.next()?),
                "map" => {
                    // `<string, TYPE>`
                    let [_, _, _, of, _] = [self.next()?, self.next()?, self.next()?, self.next()?, self.next()?];
                    (Label::Map, of)
                }
                of => (Label::One, of),
            };
            let name = self.next()?.to_owned();
            self.next()?;
            let number = self.next()?.parse().ok()?;
            self.skip_statement()?;
            fields.push(Field { name, number, label, of: Type::of(of, within) });
        }
    }
}

/// A message's fields that are there, in the order of the schema.
fn message(messages: &Messages, name: &str, written: &[u8]) -> Option<Value> {
    let fields = messages.get(name)?;
    let mut found: HashMap<u64, Vec<Wire<'_>>> = HashMap::new();
    let mut rest = Rest(written);
    while !rest.0.is_empty() {
        let tag = rest.varint()?;
        found.entry(tag >> 3).or_default().push(Wire::read(&mut rest, tag & 7)?);
    }
    let mut object = Map::new();
    for field in fields {
        let Some(wires) = found.remove(&field.number) else { continue };
        let value = match field.label {
            // Of several, the last counts.
            Label::One => field.of.value(messages, wires.last()?)?,
            Label::Repeated => {
                let mut items = Vec::new();
                for wire in &wires {
                    field.of.items(messages, wire, &mut items)?;
                }
                Value::Array(items)
            }
            Label::Map => {
                let mut entries = Map::new();
                for wire in &wires {
                    let (key, value) = entry(messages, &field.of, wire)?;
                    entries.insert(key, value);
                }
                Value::Object(entries)
            }
        };
        object.insert(field.name.clone(), value);
    }
    // What is left is of another schema.
    found.is_empty().then_some(Value::Object(object))
}

/// An entry of a map: a message of a key, 1, and a value, 2.
fn entry(messages: &Messages, of: &Type, wire: &Wire<'_>) -> Option<(String, Value)> {
    let mut rest = Rest(wire.bytes()?);
    let (mut key, mut value) = (String::new(), None);
    while !rest.0.is_empty() {
        let tag = rest.varint()?;
        let wire = Wire::read(&mut rest, tag & 7)?;
        match tag >> 3 {
            1 => key = wire.text()?,
            _ => value = Some(of.value(messages, &wire)?),
        }
    }
    let value = match value {
        Some(value) => value,
        None => of.value(messages, &of.nothing())?,
    };
    Some((key, value))
}

/// A value as it stands in a message.
enum Wire<'v> {
    Varint(u64),
    Fixed(Value),
    Bytes(&'v [u8]),
}

impl<'v> Wire<'v> {
    fn read(rest: &mut Rest<'v>, wire_type: u64) -> Option<Self> {
        match wire_type {
            0 => rest.varint().map(Self::Varint),
            1 => rest.double().map(Self::Fixed),
            2 => {
                let length = usize::try_from(rest.varint()?).ok()?;
                rest.take(length).map(Self::Bytes)
            }
            _ => None,
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Self::Varint(number) => Some(number.cast_signed()),
            _ => None,
        }
    }

    fn bytes(&self) -> Option<&'v [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }
}

impl Type {
    fn value(&self, messages: &Messages, wire: &Wire<'_>) -> Option<Value> {
        match self {
            Self::Bool => wire.number().map(|number| Value::Bool(number != 0)),
            Self::Int32 | Self::Int64 => wire.number().map(Value::from),
            Self::Double => match wire {
                Wire::Fixed(value) => Some(value.clone()),
                _ => None,
            },
            Self::String => wire.text().map(Value::from),
            Self::Bytes => wire.bytes().map(|bytes| BASE64_STANDARD.encode(bytes).into()),
            Self::Timestamp => timestamp(wire.bytes()?),
            Self::Message { name, within } => message(messages, &resolve(messages, name, within)?, wire.bytes()?),
        }
    }

    /// One value, or a packed list of numbers.
    fn items(&self, messages: &Messages, wire: &Wire<'_>, items: &mut Vec<Value>) -> Option<()> {
        let (Self::Bool | Self::Int32 | Self::Int64 | Self::Double, Wire::Bytes(packed)) = (self, wire) else {
            items.push(self.value(messages, wire)?);
            return Some(());
        };
        let wire_type = if matches!(self, Self::Double) { 1 } else { 0 };
        let mut rest = Rest(packed);
        while !rest.0.is_empty() {
            items.push(self.value(messages, &Wire::read(&mut rest, wire_type)?)?);
        }
        Some(())
    }

    /// What is meant by a value that is not there.
    fn nothing(&self) -> Wire<'static> {
        match self {
            Self::Bool | Self::Int32 | Self::Int64 => Wire::Varint(0),
            Self::Double => Wire::Fixed(0.0.into()),
            Self::String | Self::Bytes | Self::Timestamp | Self::Message { .. } => Wire::Bytes(&[]),
        }
    }
}

/// A message of this name within another, or beside it or one that it is within.
fn resolve(messages: &Messages, name: &str, within: &str) -> Option<String> {
    let mut scope = Some(within);
    while let Some(inner) = scope {
        let full = format!("{inner}.{name}");
        if messages.contains_key(&full) {
            return Some(full);
        }
        scope = inner.rsplit_once('.').map(|(outer, _)| outer);
    }
    messages.contains_key(name).then(|| name.to_owned())
}

/// Seconds, 1, and nanoseconds, 2.
fn timestamp(written: &[u8]) -> Option<Value> {
    let mut rest = Rest(written);
    let (mut seconds, mut nanos) = (0, 0);
    while !rest.0.is_empty() {
        let number = if rest.varint()? >> 3 == 1 { &mut seconds } else { &mut nanos };
        *number = rest.varint()?.cast_signed();
    }
    let timestamp = jiff::Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?;
    Some(timestamp.to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = r#"
// @generated by "message".
syntax = "proto3";

package n;

import "google/protobuf/timestamp.proto";

message R {
  message In {
    optional R up = 1;
    oneof value {
      bool flag = 2;
      double ratio = 3;
    }
  }

  reserved 7;
  optional int64 id = 1 [json_name = "a; "b" }"];
  // Not a field = 9;
  optional .google.protobuf.Timestamp at = 2;
  optional bytes raw = 3;
  repeated int32 numbers = 4;
  repeated string texts = 5;
  map<string, In> by = 6;
  optional In in = 8;
  optional string none = 10;
  map<string, string> unmapped = 536870911;
}
"#;

    #[test]
    fn every_type_that_is_generated_is_shown() {
        let written = [
            &[0x08, 7, 0x12, 2, 0x08, 1, 0x1a, 1, 0xff, 0x22, 2, 1, 2, 0x2a, 1, b'x', 0x2a, 0, 0x32, 3, 0x0a, 1, b'k']
                [..],
            &[0x42, 6, 0x0a, 2, 0x08, 1, 0x10, 1],
            &[0xfa, 0xff, 0xff, 0xff, 0x0f, 6, 0x0a, 1, b'/', 0x12, 1, b'1'],
        ]
        .concat();
        let expected = json!({
            "id": 7, "at": "1970-01-01T00:00:01Z", "raw": "/w==", "numbers": [1, 2], "texts": ["x", ""], "by": { "k": {} },
            "in": { "up": { "id": 1 }, "flag": true }, "unmapped": { "/": "1" },
        });
        assert_eq!(shown(SCHEMA, &written), Some(expected));
        assert_eq!(shown(SCHEMA, &[0x78, 1]), None, "of another schema");
        assert_eq!(shown(SCHEMA, &[0x0a, 9]), None, "cut off");
    }
}
