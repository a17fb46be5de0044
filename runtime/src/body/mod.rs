//! Bodies of responses: what makes JSON documents of them, whole or in parts.

mod array;
mod csv;
mod cut;
mod lines;
mod xml;

use bytes::Bytes;
use thiserror::Error;

use csv::Csv;
pub use csv::CsvFormat;
use cut::JsonCutter;
pub(crate) use cut::Limits;
pub use cut::ListAt;
use lines::{Lines, RECORD_SEPARATOR};
use xml::Xml;

/// How the bodies of an operation's responses are read.
#[derive(Clone, Debug, Default)]
pub struct BodyPlan {
    /// What they are.
    pub format: Expected,
    /// Where their records are a list, if it is known.
    pub list: Option<ListAt>,
}

/// What bodies are, as far as it is known before they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// JSON texts, one or many, by the media type.
    #[default]
    Json,
    /// What the media type says.
    Any,
    /// This, whatever the media type says.
    Only(Format),
}

/// What a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON text (RFC 8259).
    Json,
    /// A JSON text on each line.
    Lines,
    /// A sequence of JSON texts (RFC 7464).
    Sequence,
    /// Rows of values (RFC 4180).
    Csv(CsvFormat),
    /// XML 1.0.
    Xml,
}

/// A body that is not what it should be.
#[derive(Debug, Error)]
pub enum BodyError {
    /// It is something else.
    #[error("the response is {came} and begins with {start:?}, where {expected} was expected")]
    Wrong {
        /// Its media type, in words.
        came: String,
        /// Its beginning, known secrets hidden.
        start: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A line is not one JSON text.
    #[error("record {number} of the response is not one JSON text")]
    Line {
        /// Which record, from 0.
        number: usize,
        /// Why not.
        source: serde_json::Error,
    },
    /// A row of values cannot be read.
    #[error("row {row} of the response {reason}")]
    Row {
        /// Which row, from 1; 0 is the row of names.
        row: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// It is not XML.
    #[error("the response is not XML: {reason}")]
    Xml {
        /// Why not.
        reason: String,
    },
    /// It cannot be cut.
    #[error(transparent)]
    Cut(#[from] CutError),
}

/// A body that cannot be cut into parts.
#[derive(Debug, Error)]
pub enum CutError {
    /// A record does not fit into memory.
    #[error(
        "record {index} of the response is larger than {limit} bytes, which is what `memory.max.bytes` leaves for one"
    )]
    Record {
        /// Which, from 0.
        index: usize,
        /// How large it may be.
        limit: usize,
    },
    /// Something around the records does not fit into memory.
    #[error(
        "the response is larger than {limit} bytes, which is what `memory.max.bytes` leaves for what cannot be cut into \
         parts: only a list of records at a JSON Pointer can"
    )]
    Whole {
        /// How large it may be.
        limit: usize,
    },
    /// There is another list where the records were.
    #[error("the response has two lists of records in the same place")]
    Twice,
}

impl Format {
    /// What a body is by what is planned of it, or else by its media type. What says nothing that is known is taken for
    /// JSON.
    pub(crate) fn of(plan: &BodyPlan, media_type: Option<&str>) -> Self {
        if let Expected::Only(format) = &plan.format {
            return format.clone();
        }
        let any = plan.format == Expected::Any;
        let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines" => Self::Lines,
            "application/json-seq" => Self::Sequence,
            "text/csv" | "application/csv" if any => Self::Csv(CsvFormat::default()),
            "application/xml" | "text/xml" if any => Self::Xml,
            other if any && other.ends_with("+xml") && other != "application/xhtml+xml" => Self::Xml,
            _ => Self::Json,
        }
    }

    fn expected(&self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Lines => "JSON lines",
            Self::Sequence => "a sequence of JSON texts",
            Self::Csv(_) => "CSV",
            Self::Xml => "XML",
        }
    }

    /// Whether a body that begins so can be of this format. A media type alone says little: much JSON is sent as
    /// `text/plain`, or worse.
    ///
    /// # Errors
    ///
    /// If it is not; `hide` hides secrets.
    pub(crate) fn check(
        &self,
        media_type: Option<&str>,
        start: &[u8],
        hide: impl FnOnce(&str) -> String,
    ) -> Result<(), BodyError> {
        /// How much of a wrong body is shown, in characters.
        const SHOWN: usize = 100;
        let first = start.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xef | 0xbb | 0xbf));
        let is_right = match (self, first) {
            (_, None) => true,
            (Self::Xml, Some(byte)) => *byte == b'<' && !is_html(start),
            (Self::Csv(_), Some(byte)) => *byte != b'<',
            (Self::Sequence, Some(byte)) => *byte == RECORD_SEPARATOR,
            (Self::Json | Self::Lines, Some(byte)) => {
                matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
            }
        };
        if is_right {
            return Ok(());
        }
        let text = hide(&String::from_utf8_lossy(&start[..start.len().min(4 << 10)]));
        Err(BodyError::Wrong {
            came: media_type.map_or_else(|| "of no media type".to_owned(), |it| format!("`{it}`")),
            start: text.trim().chars().take(SHOWN).collect(),
            expected: self.expected(),
        })
    }

    /// The JSON document of a body.
    ///
    /// # Errors
    ///
    /// If it is not of this format.
    pub(crate) fn document(&self, plan: &BodyPlan, body: Bytes) -> Result<Bytes, BodyError> {
        if *self == Self::Json {
            return Ok(body);
        }
        let mut cutter = Cutter::new(self, plan, Limits { part: usize::MAX, whole: usize::MAX });
        cutter.push(&mut &body[..])?;
        Ok(cutter.finish()?.into())
    }
}

/// Whether a text is a page for a browser.
fn is_html(start: &[u8]) -> bool {
    let start: Vec<_> = start.trim_ascii_start().iter().take(15).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

/// Cuts a body that is on its way into JSON documents.
pub(crate) enum Cutter {
    Json(Box<JsonCutter>),
    Lines(Lines),
    Csv(Box<Csv>),
    Xml(Box<Xml>),
}

impl Cutter {
    pub(crate) fn new(format: &Format, plan: &BodyPlan, limits: Limits) -> Self {
        match format {
            Format::Json => Self::Json(Box::new(JsonCutter::new(plan.list.clone(), limits))),
            Format::Lines => Self::Lines(Lines::new(b'\n', limits)),
            Format::Sequence => Self::Lines(Lines::new(RECORD_SEPARATOR, limits)),
            Format::Csv(format) => Self::Csv(Box::new(Csv::new(format, limits))),
            Format::Xml => {
                let path = plan.list.as_ref().map(|list| list.path.clone()).unwrap_or_default();
                Self::Xml(Box::new(Xml::new(path, limits)))
            }
        }
    }

    /// Takes in `input` until a document is complete, which is returned, or all of it is taken.
    ///
    /// # Errors
    ///
    /// If the body is not of its format, or something in it is too large.
    pub(crate) fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
        match self {
            Self::Json(cutter) => Ok(cutter.push(input)?),
            Self::Lines(lines) => lines.push(input),
            Self::Csv(csv) => csv.push(input),
            Self::Xml(xml) => xml.push(input),
        }
    }

    /// The last document.
    ///
    /// # Errors
    ///
    /// If the body ends too early.
    pub(crate) fn finish(self) -> Result<Vec<u8>, BodyError> {
        match self {
            Self::Json(cutter) => Ok(cutter.finish()),
            Self::Lines(lines) => lines.finish(),
            Self::Csv(csv) => csv.finish(),
            Self::Xml(xml) => xml.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents of a body that comes in pieces of a length.
    fn documents(
        format: &Format,
        path: &[&str],
        body: &str,
        piece: usize,
        part: usize,
    ) -> Result<Vec<String>, BodyError> {
        let list = ListAt { path: path.iter().map(|name| (*name).to_owned()).collect(), members: false };
        let plan = BodyPlan { list: Some(list), ..BodyPlan::default() };
        let mut cutter = Cutter::new(format, &plan, Limits { part, whole: 300 });
        let mut documents = Vec::new();
        for mut input in body.as_bytes().chunks(piece) {
            while let Some(document) = cutter.push(&mut input)? {
                documents.push(document);
            }
        }
        documents.push(cutter.finish()?);
        Ok(documents.into_iter().map(|document| String::from_utf8(document).unwrap()).collect())
    }

    /// The one document of a body, however it comes.
    fn document(format: &Format, path: &[&str], body: &str) -> Result<String, BodyError> {
        let whole = documents(format, path, body, body.len().max(1), usize::MAX)?.concat();
        for piece in [1, 2, 3, 7] {
            assert_eq!(
                documents(format, path, body, piece, usize::MAX).unwrap(),
                [whole.as_str()],
                "{body} by {piece}"
            );
        }
        Ok(whole)
    }

    fn problem(format: &Format, body: &str) -> String {
        document(format, &["a", "b"], body).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_an_array() {
        assert_eq!(
            document(&Format::Lines, &[], "{\"a\":1}\r\n\n [2, 3] \n\"\\n\"").unwrap(),
            r#"[{"a":1},[2, 3],"\n"]"#
        );
        assert_eq!(document(&Format::Lines, &[], "").unwrap(), "[]");
        assert_eq!(document(&Format::Sequence, &[], "\u{1e}{\"a\":\n1}\n\u{1e}2\n").unwrap(), "[{\"a\":\n1},2]");
        assert_eq!(problem(&Format::Lines, "1\n2,3\n"), "record 1 of the response is not one JSON text");
        let parts = documents(&Format::Lines, &[], "1\n2\n3\n", 2, 100).unwrap();
        assert_eq!(parts, ["[1,2]", "[3]"]);
        let error = documents(&Format::Lines, &[], &"1".repeat(400), 50, 100).unwrap_err();
        assert!(error.to_string().starts_with("record 0 of the response is larger than 300 bytes"), "{error}");
    }

    #[test]
    fn rows_are_objects() {
        let csv = Format::Csv(CsvFormat::default());
        assert_eq!(
            document(&csv, &[], "\u{feff}id,na\"me,z\r\n1,\"a, \"\"b\"\"\nc\",\n2,é,3").unwrap(),
            r#"[{"id":"1","na\"me":"a, \"b\"\nc","z":""},{"id":"2","na\"me":"é","z":"3"}]"#
        );
        assert_eq!(document(&csv, &[], "").unwrap(), "[]");
        assert_eq!(document(&csv, &[], "a,b\n").unwrap(), "[]");
        let other = CsvFormat { delimiter: b'\t', quote: b'\'', header: Some(vec!["x".to_owned(), "y".to_owned()]) };
        assert_eq!(document(&Format::Csv(other), &[], "1\t'a\tb'\n").unwrap(), r#"[{"x":"1","y":"a\tb"}]"#);
        assert_eq!(problem(&csv, "a,b\n1,2\n3\n"), "row 2 of the response has 1 values, where 2 were expected");
        assert_eq!(problem(&csv, "a,a\n"), "row 0 of the response names two values alike");
        let parts = documents(&csv, &[], "a\n1\n2\n3\n", 3, 100).unwrap();
        assert_eq!(parts, [r#"[{"a":"1"},{"a":"2"}]"#, r#"[{"a":"3"}]"#]);
    }

    #[test]
    fn elements_are_members() {
        let body = r#"<?xml version="1.0"?><!DOCTYPE a><a x="1 &lt; 2"><n>7</n><b id="é">t &amp; &#x41;<![CDATA[<]]></b>
            <!-- > --><c/><c><d>  </d></c></a>"#;
        assert_eq!(
            document(&Format::Xml, &["a", "b"], body).unwrap(),
            r##"{"a":{"@x":"1 < 2","n":"7","c":[null,{"d":null}],"b":[{"@id":"é","#text":"t & A<"}]}}"##
        );
        assert_eq!(document(&Format::Xml, &[], "<a><b>1</b><b>2</b></a>").unwrap(), r#"{"a":{"b":["1","2"]}}"#);
        assert_eq!(document(&Format::Xml, &["a"], "<a><b/></a>").unwrap(), r#"{"a":[{"b":null}]}"#);
        assert_eq!(document(&Format::Xml, &["a", "b"], "<a/>").unwrap(), r#"{"a":null}"#);
        for (body, reason) in [
            ("<a><b></a>", "the element `a` ends, which has not begun"),
            ("<a><b>", "it ends within the element `b`"),
            ("<a>&x;</a>", "the entity `x` is not known"),
            ("<a>1</a> x", "it ends in the middle of something"),
            ("<a b=></a>", "position"),
        ] {
            let message = problem(&Format::Xml, body);
            assert!(message.starts_with("the response is not XML: ") && message.contains(reason), "{message}");
        }
    }

    #[test]
    fn elements_at_the_path_are_cut_off() {
        let body = "<a><n>x</n><b>1</b><b>2</b><b>3</b><next>y</next></a>";
        assert_eq!(
            documents(&Format::Xml, &["a", "b"], body, 4, 100).unwrap(),
            [r#"{"a":{"b":["1","2"]}}"#, r#"{"a":{"n":"x","next":"y","b":["3"]}}"#]
        );
        let twice = "<r><a><b>1</b></a><a><b>2</b></a></r>";
        let error = documents(&Format::Xml, &["r", "a", "b"], twice, 4, 100).unwrap_err();
        assert!(matches!(error, BodyError::Cut(CutError::Twice)), "{error}");
    }

    #[test]
    fn the_media_type_says_what_a_body_is() {
        let any = BodyPlan { format: Expected::Any, list: None };
        for (media_type, format) in [
            ("application/json", Format::Json),
            ("text/plain", Format::Json),
            ("Application/X-NDJSON; charset=utf-8", Format::Lines),
            ("application/json-seq", Format::Sequence),
            ("text/csv;header=present", Format::Csv(CsvFormat::default())),
            ("application/atom+xml", Format::Xml),
            ("application/xhtml+xml", Format::Json),
        ] {
            assert_eq!(Format::of(&any, Some(media_type)), format, "{media_type}");
        }
        let of = |format, media_type| Format::of(&BodyPlan { format, list: None }, Some(media_type));
        assert_eq!(of(Expected::Only(Format::Xml), "application/json"), Format::Xml);
        assert_eq!(of(Expected::Json, "text/xml"), Format::Json);
        assert_eq!(of(Expected::Json, "application/jsonl"), Format::Lines);
    }

    #[test]
    fn what_is_something_else_is_told_with_its_beginning() {
        let hide = |text: &str| text.replace("s3cret", "[hidden]");
        let error = Format::Json.check(Some("text/html"), b" <html>s3cret</html>", hide).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the response is `text/html` and begins with "<html>[hidden]</html>", where JSON was expected"#
        );
        let html: &[u8] = b"<!DOCTYPE html><html>";
        for format in [Format::Json, Format::Lines, Format::Sequence, Format::Csv(CsvFormat::default()), Format::Xml] {
            assert!(format.check(None, html, str::to_owned).is_err(), "{format:?}");
            assert!(format.check(None, b"  ", str::to_owned).is_ok(), "{format:?}");
        }
        for json in ["\u{feff}[1]", "\n{}", "-1", "null", "\"x\""] {
            assert!(Format::Json.check(Some("text/html"), json.as_bytes(), str::to_owned).is_ok());
        }
    }
}
