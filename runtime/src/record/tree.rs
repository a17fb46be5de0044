//! JSON as a tree that borrows from its text and keeps every digit: what schemas are learnt from, and what transforms act
//! on.

use std::borrow::Cow;
use std::collections::HashSet;

use thiserror::Error;

/// How deep values may be nested, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Tree<'a> {
    #[default]
    Null,
    Boolean(bool),
    /// A number as it was written.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    /// Members in their order, each name once. Of a name that was there twice, the last counts.
    Object(Members<'a>),
}

/// The members of an object.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, Tree<'a>)>;

/// A text that is no JSON, or nested too deep.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum TreeError {
    #[error("not JSON, at byte {at}")]
    Syntax { at: usize },
    #[error("nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

impl<'a> Tree<'a> {
    /// Reads JSON text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, TreeError> {
        let mut parser = Parser { text, at: 0 };
        let tree = parser.value(MAX_DEPTH)?;
        parser.blanks();
        if parser.at == text.len() { Ok(tree) } else { Err(parser.wrong()) }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// What the value is called, with its article.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "`null`",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Appends JSON text, without blanks.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Number(text) => out.extend_from_slice(text.as_bytes()),
            Self::String(text) => write_string(text, out),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// JSON text, without blanks.
    pub(crate) fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Appends a string with quotes, and escaped what must be (RFC 8259 section 7).
fn write_string(text: &str, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut done = 0;
    for (index, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[done..index]);
        done = index + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
    out.push(b'"');
}

/// Leaves of each name only the last.
fn keep_last(members: &mut Members<'_>) {
    /// Up to here, comparing each with each is faster than hashing.
    const FEW: usize = 16;
    let mut seen = HashSet::new();
    let mut repeated = Vec::new();
    for (index, (name, _)) in members.iter().enumerate().rev() {
        let is_repeated = if members.len() <= FEW {
            members[index + 1..].iter().any(|(other, _)| other == name)
        } else {
            !seen.insert(name.as_ref())
        };
        if is_repeated {
            repeated.push(index);
        }
    }
    // From the last to the first, so that the places stay what they are.
    for index in repeated {
        members.remove(index);
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn wrong(&self) -> TreeError {
        TreeError::Syntax { at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, text: &str) -> Result<(), TreeError> {
        if !self.text[self.at..].starts_with(text) {
            return Err(self.wrong());
        }
        self.at += text.len();
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Tree<'a>, TreeError> {
        let depth = depth.checked_sub(1).ok_or(TreeError::TooDeep)?;
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Tree::String),
            Some(b't') => self.take("true").map(|()| Tree::Boolean(true)),
            Some(b'f') => self.take("false").map(|()| Tree::Boolean(false)),
            Some(b'n') => self.take("null").map(|()| Tree::Null),
            _ => self.number(),
        }
    }

    /// Whether another item of a list or object follows the one before.
    fn more(&mut self, is_first: bool, end: u8) -> Result<bool, TreeError> {
        self.blanks();
        match self.peek() {
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                self.blanks();
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(self.wrong()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Tree<'a>, TreeError> {
        self.at += 1;
        let mut members = Vec::new();
        while self.more(members.is_empty(), b'}')? {
            let name = self.string()?;
            self.blanks();
            self.take(":")?;
            members.push((name, self.value(depth)?));
        }
        keep_last(&mut members);
        Ok(Tree::Object(members))
    }

    fn list(&mut self, depth: usize) -> Result<Tree<'a>, TreeError> {
        self.at += 1;
        let mut items = Vec::new();
        while self.more(items.is_empty(), b']')? {
            items.push(self.value(depth)?);
        }
        Ok(Tree::List(items))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, TreeError> {
        let start = self.at;
        self.take("\"")?;
        let mut has_escapes = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
                None => return Err(self.wrong()),
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or(TreeError::Syntax { at: start })?;
        if has_escapes {
            serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| TreeError::Syntax { at: start })
        } else {
            Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
        }
    }

    fn number(&mut self) -> Result<Tree<'a>, TreeError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        // What serde_json takes is a number; it is not asked about the plain ones.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0') && !text.is_empty();
        if is_plain || serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok() {
            Ok(Tree::Number(Cow::Borrowed(text)))
        } else {
            Err(TreeError::Syntax { at: start })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again_digit_by_digit() {
        for text in [
            "null",
            r#"{"a":[1,2.50,-0,1E400,9007199254740993],"b":{"c":"é\n\"\\\u0001"},"d":[],"e":{},"f":true,"":false}"#,
            r#""😀""#,
            "123456789012345678901234567890.12345678901234567890",
        ] {
            assert_eq!(Tree::parse(text).unwrap().to_json(), text);
        }
        assert_eq!(Tree::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().to_json(), r#"{"b":2,"a":3}"#);
        assert_eq!(Tree::parse(" [ 1 , \"a\\u00e9\" ] \n").unwrap().to_json(), "[1,\"aé\"]");
    }

    #[test]
    fn what_is_no_json_is_told() {
        for text in
            ["", "{", "[1,]", "[1 2]", "{\"a\" 1}", "{a:1}", "tru", "01", "1.", "\"a", "1 2", "-", "\"\\", "[,1]"]
        {
            assert!(matches!(Tree::parse(text), Err(TreeError::Syntax { .. })), "{text}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert_eq!(Tree::parse(&deep), Err(TreeError::TooDeep));
    }
}
