//! Bytes as they are written down: for reading and comparing, and so that the same bytes come back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Bytes in a file. JSON stands there as JSON if its bytes are what writing it without blanks gives; other text as text, line
/// by line if it has several; anything else in Base64 (RFC 4648 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content(pub(super) Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written {
    Json(Value),
    Text(String),
    Lines(Vec<String>),
    Base64(String),
}

impl Written {
    fn of(bytes: &[u8]) -> Self {
        let json = serde_json::from_slice::<Value>(bytes).ok();
        let is_structured = |value: &Value| value.is_object() || value.is_array();
        if let Some(value) = json.filter(|value| is_structured(value) && value.to_string().as_bytes() == bytes) {
            return Self::Json(value);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains('\n') => Self::Lines(text.split('\n').map(str::to_owned).collect()),
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(BASE64_STANDARD.encode(bytes)),
        }
    }

    fn bytes(self) -> Result<Vec<u8>, base64::DecodeError> {
        Ok(match self {
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Text(text) => text.into_bytes(),
            Self::Lines(lines) => lines.join("\n").into_bytes(),
            Self::Base64(text) => BASE64_STANDARD.decode(text)?,
        })
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::of(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Written::deserialize(deserializer)?.bytes().map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_come_back_from_what_can_be_read() {
        for (bytes, written) in [
            (r#"{"b":1,"a":[1.50,null]}"#.as_bytes(), r#"{"text":"{\"b\":1,\"a\":[1.50,null]}"}"#),
            (br#"{"b":1,"a":[1.5,null]}"#, r#"{"json":{"b":1,"a":[1.5,null]}}"#),
            (b"{\n}", r#"{"lines":["{","}"]}"#),
            (b"5", r#"{"text":"5"}"#),
            (b"", r#"{"text":""}"#),
            (b"a;b\n1;2\n", r#"{"lines":["a;b","1;2",""]}"#),
            (&[0, 0xff, b'\n'], r#"{"base64":"AP8K"}"#),
        ] {
            let content = Content(bytes.to_vec());
            assert_eq!(serde_json::to_string(&content).unwrap(), written);
            assert_eq!(serde_json::from_str::<Content>(written).unwrap(), content);
        }
    }
}
