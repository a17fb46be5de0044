//! Cutting a JSON text that is on its way into whole documents, each with some of its records.
//!
//! Everything up to the beginning of the list of records is the head. A part is the head, some records, and the brackets
//! that close what the head has opened; the last part has, in place of those, what really follows the records. So whoever
//! reads one document reads parts, and whether the text is JSON is found out by reading them: here, only strings and
//! brackets are told apart (RFC 8259 section 2).

use super::CutError;
use crate::configured::Pointer;

/// What a record weighs in a part besides its text: there is more to keep of a record than its bytes.
pub(super) const RECORD_WEIGHT: usize = 64;

/// Where a list of records is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAt {
    /// The names and indices that lead to it, from the outermost on.
    pub path: Vec<String>,
    /// Whether the values of an object are a list too.
    pub members: bool,
}

impl ListAt {
    /// The array at a JSON Pointer (RFC 6901); `None` if the text is none.
    pub(crate) fn pointer(pointer: &str) -> Option<Self> {
        Pointer::parse(pointer).map(|pointer| Self { path: pointer.segments().to_vec(), members: false })
    }
}

/// How large parts become, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From which length on a part ends with the next record.
    pub(crate) part: usize,
    /// How long something may be that cannot be cut.
    pub(crate) whole: usize,
}

/// Cuts one text.
pub(crate) struct JsonCutter {
    /// `None`: the text is not cut.
    at: Option<ListAt>,
    limits: Limits,
    /// The part that is being put together.
    document: Vec<u8>,
    mode: Mode,
    /// Within a string, and whether its next byte is escaped.
    string: Option<bool>,
    /// What of the path is open.
    open: Vec<Frame>,
    /// How deep the text is within a value whose inside does not matter.
    depth: usize,
    /// The name that is being read.
    name: Vec<u8>,
    /// How long the head is, once the list has begun.
    head: Option<usize>,
    /// What the list ends with.
    closer: u8,
    /// Where the last comma between two records is in `document`, if no record has begun since.
    comma: Option<usize>,
    /// Where the record, or what else cannot be cut, began in `document`.
    since: usize,
    /// Which record of the list it is, from 0.
    index: usize,
    /// Which record the part begins with.
    first: usize,
    has_cut: bool,
}

struct Frame {
    is_object: bool,
    index: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Before a value.
    Value,
    /// Before a name, or the end of its object.
    Name,
    /// Before the colon after a name.
    Colon,
    /// After a value within something that is open.
    After,
    /// Within a value that leads to no records.
    Other,
    /// Within the list.
    List,
    /// What follows is not looked at.
    Rest,
}

impl JsonCutter {
    /// `at` is where the records are, if they are in a list at one place.
    pub(crate) fn new(at: Option<ListAt>, limits: Limits) -> Self {
        Self {
            mode: if at.is_some() { Mode::Value } else { Mode::Rest },
            at,
            limits,
            document: Vec::new(),
            string: None,
            open: Vec::new(),
            depth: 0,
            name: Vec::new(),
            head: None,
            closer: b']',
            comma: None,
            since: 0,
            index: 0,
            first: 0,
            has_cut: false,
        }
    }

    /// Takes in `input` until a part is complete, which is returned, or all of it is taken.
    pub(crate) fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, CutError> {
        let bytes = *input;
        let mut at = 0;
        while at < bytes.len() {
            if let Some(escaped) = self.string {
                at += self.in_string(&bytes[at..], escaped);
                continue;
            }
            if self.mode == Mode::Rest {
                break;
            }
            if self.mode == Mode::List && self.depth == 0 && self.comma.is_some() && begins_record(bytes[at]) {
                if self.is_full(at) {
                    self.document.extend_from_slice(&bytes[..at]);
                    *input = &bytes[at..];
                    return Ok(Some(self.cut()));
                }
                self.comma = None;
            }
            self.step(bytes[at], self.document.len() + at)?;
            at += 1;
        }
        self.document.extend_from_slice(bytes);
        *input = &[];
        let limit = self.limits.whole;
        match (self.document.len() - self.since > limit, self.mode) {
            (false, _) => Ok(None),
            (true, Mode::List) => Err(CutError::Record { index: self.index, limit }),
            (true, _) => Err(CutError::Whole { limit }),
        }
    }

    /// What is left: the last part.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.document
    }

    /// Whether the part, with what comes before `at` in the input, is as large as a part gets.
    fn is_full(&self, at: usize) -> bool {
        let length = self.document.len() + at - self.head.unwrap_or_default();
        length + (self.index - self.first) * RECORD_WEIGHT >= self.limits.part
    }

    /// Cuts before the record that begins at the end of `document`.
    fn cut(&mut self) -> Vec<u8> {
        let head = self.head.unwrap_or_default();
        let comma = self.comma.take().unwrap_or(self.document.len());
        let mut next = Vec::with_capacity(head + self.limits.part.min(self.document.len()));
        next.extend_from_slice(&self.document[..head]);
        self.document.truncate(comma);
        self.document.push(self.closer);
        let closers = self.open.iter().rev().map(|frame| if frame.is_object { b'}' } else { b']' });
        self.document.extend(closers);
        self.since = head;
        self.first = self.index;
        self.has_cut = true;
        std::mem::replace(&mut self.document, next)
    }

    /// Goes on within a string; returns how many bytes belong to it.
    fn in_string(&mut self, bytes: &[u8], escaped: bool) -> usize {
        let is_name = self.mode == Mode::Colon;
        if escaped {
            if is_name {
                self.name.push(bytes[0]);
            }
            self.string = Some(false);
            return 1;
        }
        let Some(length) = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
            if is_name {
                self.name.extend_from_slice(bytes);
            }
            return bytes.len();
        };
        if is_name {
            self.name.extend_from_slice(&bytes[..length]);
        }
        if bytes[length] == b'\\' {
            if is_name {
                self.name.push(b'\\');
            }
            self.string = Some(true);
        } else {
            self.string = None;
            if self.mode == Mode::Other && self.depth == 0 {
                self.mode = Mode::After;
            }
        }
        length + 1
    }

    /// Takes a byte outside of strings; `position` is where it will be in `document`.
    fn step(&mut self, byte: u8, position: usize) -> Result<(), CutError> {
        if is_blank(byte) {
            if self.mode == Mode::Other && self.depth == 0 {
                self.mode = Mode::After;
            }
            return Ok(());
        }
        match self.mode {
            Mode::Value => return self.value(byte, position),
            Mode::Name if byte == b'"' => {
                self.name.clear();
                self.string = Some(false);
                self.mode = Mode::Colon;
            }
            Mode::Name => self.close(byte),
            Mode::Colon => self.mode = if byte == b':' { Mode::Value } else { Mode::Rest },
            Mode::After => self.after(byte),
            Mode::Other => match byte {
                b'"' => self.string = Some(false),
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.mode = Mode::After;
                    }
                }
                b'}' | b']' | b',' if self.depth == 0 => self.after(byte),
                _ => {}
            },
            Mode::List => self.in_list(byte, position),
            Mode::Rest => {}
        }
        Ok(())
    }

    fn value(&mut self, byte: u8, position: usize) -> Result<(), CutError> {
        if let (b']', Some(Frame { is_object: false, .. })) = (byte, self.open.last()) {
            self.close(byte);
            return Ok(());
        }
        let wanted = self.is_wanted();
        let Some(at) = &self.at else { return Ok(()) };
        let is_target = wanted && self.open.len() == at.path.len();
        match byte {
            b'[' | b'{' if is_target && (byte == b'[' || at.members) => {
                if self.has_cut {
                    return Err(CutError::Twice);
                }
                if self.head.is_none() {
                    self.head = Some(position + 1);
                    self.since = position + 1;
                    self.closer = if byte == b'[' { b']' } else { b'}' };
                    self.mode = Mode::List;
                    return Ok(());
                }
                // Of two lists at the same place neither is cut: who reads the document knows what to make of it.
                self.other(byte);
            }
            b'[' | b'{' if wanted && !is_target => {
                self.open.push(Frame { is_object: byte == b'{', index: 0 });
                self.mode = if byte == b'{' { Mode::Name } else { Mode::Value };
            }
            _ => self.other(byte),
        }
        Ok(())
    }

    /// Begins a value that leads to no records.
    fn other(&mut self, byte: u8) {
        self.mode = Mode::Other;
        match byte {
            b'"' => self.string = Some(false),
            b'{' | b'[' => self.depth = 1,
            _ => {}
        }
    }

    /// Whether the value that begins is on the path.
    fn is_wanted(&self) -> bool {
        let Some(at) = &self.at else { return false };
        let Some(frame) = self.open.last() else { return true };
        let Some(segment) = at.path.get(self.open.len() - 1) else { return false };
        if !frame.is_object {
            return *segment == frame.index.to_string();
        }
        if !self.name.contains(&b'\\') {
            return self.name == segment.as_bytes();
        }
        let quoted = [b"\"", self.name.as_slice(), b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|name| name == *segment)
    }

    fn in_list(&mut self, byte: u8, position: usize) {
        match byte {
            b'"' => self.string = Some(false),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b'}' | b']' => {
                self.since = position;
                self.mode = Mode::After;
                if self.open.is_empty() {
                    self.mode = Mode::Rest;
                }
            }
            b',' if self.depth == 0 => {
                self.comma = Some(position);
                self.since = position;
                self.index += 1;
            }
            _ => {}
        }
    }

    fn after(&mut self, byte: u8) {
        match (byte, self.open.last_mut()) {
            (b',', Some(frame)) => {
                frame.index += 1;
                self.mode = if frame.is_object { Mode::Name } else { Mode::Value };
            }
            _ => self.close(byte),
        }
    }

    /// Ends what was opened last. What is no end is for those to tell who read the document.
    fn close(&mut self, byte: u8) {
        let expected = self.open.pop().map(|frame| if frame.is_object { b'}' } else { b']' });
        self.mode = match expected == Some(byte) && !self.open.is_empty() {
            true => Mode::After,
            false => Mode::Rest,
        };
    }
}

/// Blanks between JSON's tokens, and the bytes of the mark that some put before a text (U+FEFF in UTF-8).
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xef | 0xbb | 0xbf)
}

/// Whether a byte after a comma begins another record, rather than being out of place.
fn begins_record(byte: u8) -> bool {
    !is_blank(byte) && !matches!(byte, b',' | b']' | b'}')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const LIMITS: Limits = Limits { part: 1, whole: 1_000 };

    /// The parts of a text that comes in pieces of a length.
    fn parts(text: &str, pointer: &str, piece: usize, limits: Limits) -> Result<Vec<String>, CutError> {
        let mut cutter = JsonCutter::new(ListAt::pointer(pointer), limits);
        let mut parts = Vec::new();
        for mut input in text.as_bytes().chunks(piece) {
            while let Some(part) = cutter.push(&mut input)? {
                parts.push(part);
            }
        }
        parts.push(cutter.finish());
        Ok(parts.into_iter().map(|part| String::from_utf8(part).unwrap()).collect())
    }

    fn cut(text: &str, pointer: &str) -> Vec<String> {
        let expected = parts(text, pointer, 1, LIMITS).unwrap();
        for piece in [2, 3, 7, text.len().max(1)] {
            assert_eq!(parts(text, pointer, piece, LIMITS).unwrap(), expected, "{text} in pieces of {piece}");
        }
        expected
    }

    #[test]
    fn each_part_is_a_document_with_the_head_and_some_records() {
        assert_eq!(cut("[1, 2 ,3]", ""), ["[1]", "[2 ]", "[3]"]);
        assert_eq!(
            cut(r#" {"n": {"x": [0, {}]}, "data": [ {"a": "]},["}, [], "\\\"" ] , "next": "abc"} "#, "/data"),
            [
                r#" {"n": {"x": [0, {}]}, "data": [ {"a": "]},["}]}"#,
                r#" {"n": {"x": [0, {}]}, "data": [[]]}"#,
                r#" {"n": {"x": [0, {}]}, "data": ["\\\"" ] , "next": "abc"} "#,
            ]
        );
        assert_eq!(
            cut(r#"[0, "x", {"a\u0062": {"c/d": [true,null]}}, 4]"#, "/2/ab/c~1d"),
            [r#"[0, "x", {"a\u0062": {"c/d": [true]}}]"#, r#"[0, "x", {"a\u0062": {"c/d": [null]}}, 4]"#]
        );
        assert_eq!(cut("\u{feff}[1,2]", ""), ["\u{feff}[1]", "\u{feff}[2]"]);
    }

    #[test]
    fn what_is_no_list_is_one_document() {
        for text in [
            r#"{"data": {"a": 1, "b": 2}}"#,
            r#"{"other": [1, 2], "data": null, "x": {"data": [1, 2]}}"#,
            r#"{"data": []}"#,
            r#"{"data": [1]}"#,
            "[[1, 2]]",
            "7",
            "<html>",
            "",
            "{,}",
        ] {
            assert_eq!(cut(text, "/data"), [text]);
        }
    }

    #[test]
    fn what_is_wrong_stays_in_the_documents() {
        // Only whoever reads them can say so.
        for text in ["[1,]", "[1,,2]", "[1,2", "[1,2}", "[1,2] x", r#"[1,"2]"#] {
            let broken = |part: &String| serde_json::from_str::<Value>(part).is_err();
            assert!(cut(text, "").iter().any(broken), "{text}");
        }
    }

    #[test]
    fn the_members_of_an_object_can_be_records() {
        let at = ListAt { path: vec!["data".to_owned()], members: true };
        let mut cutter = JsonCutter::new(Some(at), LIMITS);
        let mut input = br#"{"data": {"a": {"x": 1}, "b": 2}, "next": 3}"#.as_slice();
        assert_eq!(cutter.push(&mut input).unwrap().unwrap(), br#"{"data": {"a": {"x": 1}}}"#);
        assert_eq!(cutter.push(&mut input).unwrap(), None);
        assert_eq!(cutter.finish(), br#"{"data": {"b": 2}, "next": 3}"#);
    }

    #[test]
    fn what_cannot_be_cut_has_a_limit() {
        let limits = Limits { part: 20, whole: 30 };
        let long = "x".repeat(50);
        for (text, error) in [
            (format!("[1,2,\"{long}\"]"), "record 2 of the response is larger than 30 bytes"),
            (format!("{{\"head\": \"{long}\", \"data\": []}}"), "the response is larger than 30 bytes"),
            (format!("[1{}]", " ".repeat(40)), "record 0 of the response is larger than 30 bytes"),
        ] {
            let pointer = if text.starts_with('[') { "" } else { "/data" };
            let message = parts(&text, pointer, 5, limits).unwrap_err().to_string();
            assert!(message.starts_with(error), "{message}");
        }
        let many = format!("[{}]", ["123456789"; 100].join(","));
        let sizes: Vec<_> = parts(&many, "", 8, limits).unwrap().iter().map(String::len).collect();
        assert!(sizes.len() > 20 && sizes.iter().all(|size| *size < 60), "{sizes:?}");
    }

    #[test]
    fn two_lists_in_one_place_are_an_error_once_one_was_cut() {
        let error = parts(r#"{"data": [1,2], "data": [3]}"#, "/data", 4, LIMITS).unwrap_err();
        assert!(matches!(error, CutError::Twice), "{error}");
        let generous = Limits { part: 1_000, whole: 1_000 };
        assert_eq!(parts(r#"{"data": [1,2], "data": [3]}"#, "/data", 4, generous).unwrap().len(), 1);
    }
}
