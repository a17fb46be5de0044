//! JSON Pointer (RFC 6901) into JSON text. What is found is a piece of that text, so that every number keeps its digits.

use std::borrow::Cow;
use std::fmt;

use super::records::plain_names;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    segments: Vec<String>,
    text: String,
}

impl Pointer {
    /// Reads a pointer: nothing, or segments that each begin with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        let segments = match text.strip_prefix('/') {
            None if text.is_empty() => Vec::new(),
            None => return None,
            Some(rest) => rest.split('/').map(unescape).collect::<Option<_>>()?,
        };
        Some(Self { segments, text: text.to_owned() })
    }

    /// Reads a pointer, or a JSONPath of plain names, such as `$.a.b`.
    pub fn parse_path(text: &str) -> Option<Self> {
        match text.strip_prefix('$') {
            Some(_) => plain_names(text).map(Self::of),
            None => Self::parse(text),
        }
    }

    /// The pointer to the whole document.
    pub(crate) fn root() -> Self {
        Self::of(Vec::new())
    }

    /// The pointer of these segments.
    pub(crate) fn of(segments: Vec<String>) -> Self {
        let text = segments.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
        Self { segments, text }
    }

    /// The names and indices that lead there.
    pub(crate) fn segments(&self) -> &[String] {
        &self.segments
    }

    /// What is there in `document`; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// If the text is not JSON.
    pub(crate) fn find<'a>(&self, document: &'a str) -> Result<Option<&'a RawValue>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(document);
        let found = Walk(&self.segments).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Undoes `~0` and `~1`; any other `~` is an error (RFC 6901 section 3).
fn unescape(segment: &str) -> Option<String> {
    let mut pieces = segment.split('~');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        text.push(match piece.as_bytes().first()? {
            b'0' => '~',
            b'1' => '/',
            _ => return None,
        });
        text.push_str(&piece[1..]);
    }
    Some(text)
}

/// Walks down the rest of a pointer.
struct Walk<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return serde::Deserialize::deserialize(deserializer).map(Some);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((segment, rest)) = self.0.split_first() else { return Ok(None) };
        let mut found = None;
        while let Some(Key(name)) = map.next_key()? {
            if name == *segment {
                found = map.next_value_seed(Walk(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Some((segment, rest)) = self.0.split_first() else { return Ok(None) };
        let wanted = index(segment);
        let mut found = None;
        let mut at = 0;
        loop {
            if Some(at) == wanted {
                match seq.next_element_seed(Walk(rest))? {
                    Some(value) => found = value,
                    None => break,
                }
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            at += 1;
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// An index has no leading zero (RFC 6901 section 4).
fn index(segment: &str) -> Option<usize> {
    segment.parse().ok().filter(|index: &usize| index.to_string() == segment)
}

/// A name in an object, borrowed if it holds no escape.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl<'de> Visitor<'de> for Name {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// What a value is as text: a string without its quotes, a number or a boolean as it is written; `None` for `null`.
///
/// # Errors
///
/// What it is instead.
pub(crate) fn scalar(value: &RawValue) -> Result<Option<Cow<'_, str>>, &'static str> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'"') => {
            let Key(text) = serde_json::from_str(text).map_err(|_| "holds no string")?;
            Ok(Some(text))
        }
        Some(b'{') => Err("holds an object"),
        Some(b'[') => Err("holds an array"),
        Some(b'n') => Ok(None),
        _ => Ok(Some(Cow::Borrowed(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_rfc_6901_says() {
        // The document of RFC 6901 section 5.
        let document = r#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6,
            " ": 7, "m~n": 8}"#;
        for (pointer, found) in [
            ("/foo", r#"["bar", "baz"]"#),
            ("/foo/0", r#""bar""#),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            let value = Pointer::parse(pointer).unwrap().find(document).unwrap();
            assert_eq!(value.map(RawValue::get), Some(found), "{pointer}");
        }
        assert_eq!(Pointer::parse("").unwrap().find(document).unwrap().map(RawValue::get), Some(document));
        for pointer in ["/foo/2", "/foo/00", "/foo/-", "/foo/0/x", "/bar", "/a", "//x"] {
            assert!(Pointer::parse(pointer).unwrap().find(document).unwrap().is_none(), "{pointer}");
        }
        assert!(["foo", "/a~", "/a~2"].iter().all(|text| Pointer::parse(text).is_none()));
    }

    #[test]
    fn numbers_keep_their_digits_and_broken_json_is_an_error() {
        let document = r#"{"a": [{"n": 12345678901234567890.000000000001}]}"#;
        let pointer = Pointer::parse("/a/0/n").unwrap();
        let found = pointer.find(document).unwrap().unwrap();
        assert_eq!(scalar(found).unwrap().as_deref(), Some("12345678901234567890.000000000001"));
        assert!(pointer.find(r#"{"a": [{"n": 1}]"#).is_err());
        assert!(pointer.find(r#"{"a": [{"n": 1}]} x"#).is_err());
    }

    #[test]
    fn a_scalar_is_text() {
        let text = |json: &'static str| {
            let raw: &'static RawValue = serde_json::from_str(json).unwrap();
            scalar(raw).map(|text| text.map(Cow::into_owned))
        };
        assert_eq!(text(r#""a\nb""#), Ok(Some("a\nb".to_owned())));
        assert_eq!(text("1.50"), Ok(Some("1.50".to_owned())));
        assert_eq!(text("true"), Ok(Some("true".to_owned())));
        assert_eq!(text("null"), Ok(None));
        assert_eq!(text("{}"), Err("holds an object"));
    }
}
