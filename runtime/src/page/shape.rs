//! Reading a response in one pass: the path to the records is walked, each record goes straight from the JSON text to
//! its wire format, and what the body says of the next page is picked up on the way.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Page;
use super::batch::{Pushed, Refused};
use crate::configured::RecordsAt;
use crate::format;
use crate::hook::{self, Verdict};
use crate::operation::{DecodeError, OperationFacts, Place, TypedOperation};
use crate::record::{Json, JsonKind, Reading, Value as _};

/// Where in a response its parts are, prepared once per operation.
#[derive(Debug, Default)]
pub(crate) struct PageShape {
    root: Node,
    records: String,
    records_required: bool,
    /// What selects the records, if they are not at one place.
    path: Option<Path>,
    offset_field: String,
}

/// A JSONPath to the records.
#[derive(Debug)]
enum Path {
    Read(RecordsAt),
    /// It cannot be read: no response has records.
    Unreadable,
}

/// One step of the way to the parts that matter.
#[derive(Debug, Default)]
struct Node {
    children: Vec<(String, Node)>,
    is_records: bool,
    says: Option<Said>,
}

/// What the body says of pages.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// How the next one is asked for, or what is to be known for that.
    Next,
    /// What the next cycle begins with.
    Delta,
}

impl PageShape {
    pub(crate) fn new(facts: &OperationFacts) -> Self {
        let mut root = Node::default();
        let path = facts.records.starts_with('$').then(|| match RecordsAt::parse(&facts.records) {
            Some(path) => Path::Read(path),
            None => Path::Unreadable,
        });
        if path.is_none() {
            root.at(&facts.records).is_records = true;
        }
        if let Some(pointer) = facts.pagination.body_pointer() {
            root.at(pointer).says = Some(Said::Next);
        }
        if let Some(pointer) = facts.pagination.delta_pointer() {
            root.at(pointer).says = Some(Said::Delta);
        }
        Self {
            root,
            records: facts.records.to_string(),
            records_required: facts.records_required || matches!(path, Some(Path::Unreadable)),
            path,
            offset_field: facts.incremental.as_ref().map(|it| it.field.to_string()).unwrap_or_default(),
        }
    }

    /// Reads `body` into `page`: as fast as can be, and if something in a record is not of its declared type, from that
    /// record on again with tolerance.
    pub(crate) fn decode<O: TypedOperation>(&self, body: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        match self.walk::<O>(body, Walking::new(page, None)) {
            Err(DecodeError::Json { source, .. }) if source.is_data() => {
                let taken = page.received;
                self.walk::<O>(body, Walking::new(page, Some(taken)))
            }
            result => result,
        }
    }

    fn walk<O: TypedOperation>(&self, body: &[u8], walking: Walking<'_>) -> Result<(), DecodeError> {
        // Of text, no string has to be looked at again for whether it is any.
        let Ok(text) = std::str::from_utf8(body) else { return Err(no_text(body)) };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let walk = || Walk::<O> { node: &self.root, walking: &walking, operation: PhantomData };
        let mut walked = walk().deserialize(&mut deserializer).and_then(|()| deserializer.end());
        if let (Ok(()), Some(Path::Read(path))) = (&walked, &self.path) {
            walked = walk().select(path, body);
        }
        if let Some(Failure { index, refused }) = walking.failure.take() {
            return Err(match refused {
                Refused::Offset(reason) => {
                    DecodeError::Offset { place: Place::Record(index), field: self.offset_field.clone(), reason }
                }
                Refused::Drift { kind, pointer } => DecodeError::Drift { index, kind, pointer },
                Refused::Hook(said) => DecodeError::Hook { index, said },
            });
        }
        walked.map_err(|source| DecodeError::Json { place: Place::Page, source })?;
        if !walking.found.take() {
            if self.records_required && !walking.is_null_above.take() {
                return Err(DecodeError::NoRecords { pointer: self.records.clone() });
            }
            walking.page.borrow_mut().lacks_records = true;
        }
        Ok(())
    }
}

/// Where a body is not UTF-8, which JSON is (RFC 8259 section 8.1).
fn no_text(body: &[u8]) -> DecodeError {
    let read = serde_json::from_slice::<&RawValue>(body);
    let source = read.err().unwrap_or_else(|| serde::de::Error::custom("the response is not UTF-8"));
    DecodeError::Json { place: Place::Page, source }
}

impl Node {
    /// The node that a JSON Pointer leads to, made if need be.
    fn at(&mut self, pointer: &str) -> &mut Self {
        pointer.split('/').skip(1).fold(self, |node, segment| {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let index = node.children.iter().position(|(name, _)| *name == segment).unwrap_or_else(|| {
                node.children.push((segment, Node::default()));
                node.children.len() - 1
            });
            &mut node.children[index].1
        })
    }

    /// Whether the records are here or further down.
    fn leads_to_records(&self) -> bool {
        self.is_records || self.children.iter().any(|(_, child)| child.leads_to_records())
    }

    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|(child, _)| child == name).map(|(_, node)| node)
    }
}

/// What is shared by all steps of one walk. Cells, because serde hands seeds down by value.
struct Walking<'a> {
    page: RefCell<&'a mut Page>,
    /// A record that was read but could not be taken; serde's own errors have no room for it.
    failure: RefCell<Option<Failure>>,
    found: RefCell<bool>,
    /// Whether `null` stands where the records would be further down.
    is_null_above: RefCell<bool>,
    /// How many records are in the page already; the others are read with tolerance. `None`: without.
    tolerant_after: Option<usize>,
}

struct Failure {
    index: usize,
    refused: Refused,
}

impl<'a> Walking<'a> {
    fn new(page: &'a mut Page, tolerant_after: Option<usize>) -> Self {
        let page = RefCell::new(page);
        Self {
            page,
            failure: RefCell::default(),
            found: RefCell::default(),
            is_null_above: RefCell::default(),
            tolerant_after,
        }
    }
}

/// Walks one value of the response.
struct Walk<'a, 'page, O> {
    node: &'a Node,
    walking: &'a Walking<'page>,
    operation: PhantomData<O>,
}

impl<O: TypedOperation> Walk<'_, '_, O> {
    fn take<E: serde::de::Error>(&self, record: &mut O::Record<'_>) -> Result<(), E> {
        let mut page = self.walking.page.borrow_mut();
        let index = page.index();
        let sent = &*record;
        let pushed = page.push(
            O::timestamp(sent),
            |out| O::key(sent, out),
            O::offset(sent),
            |format, out| format::write(format, sent, out),
        );
        // How far the stream has been read, and what departs from the document, is told from what was sent.
        let is_kept = pushed.and_then(|pushed| match (pushed, O::hook()) {
            (Pushed::Added, Some(hook)) if !page.is_trial() => Self::ask(hook, record, &mut page),
            (Pushed::Added | Pushed::Quarantined, _) => Ok(true),
            (Pushed::Repeated, _) => Ok(false),
        });
        match is_kept {
            Ok(is_kept) => {
                if is_kept {
                    O::children(record, &mut page.children);
                }
                Ok(())
            }
            Err(refused) => {
                self.walking.failure.replace(Some(Failure { index, refused }));
                Err(E::custom("a record could not be taken"))
            }
        }
    }

    /// Has the crate's own code say what becomes of the record that was added last; `Ok(false)`: it is left out.
    fn ask<'page>(
        hook: fn(&mut O::Record<'page>) -> Verdict,
        record: &mut O::Record<'page>,
        page: &mut Page,
    ) -> Result<bool, Refused> {
        match hook::call(hook, record).map_err(Refused::Hook)? {
            Verdict::Keep => {
                let (timestamp, record) = (O::timestamp(record), &*record);
                let write = |format, out: &mut _| drop(format::write(format, record, out));
                page.rewrite_last(timestamp, |out| O::key(record, out), write);
                Ok(true)
            }
            Verdict::Drop => {
                page.filter_last();
                Ok(false)
            }
        }
    }

    /// Takes all records but the first `taken`, whatever they hold.
    fn take_tolerantly<E: serde::de::Error>(&self, taken: usize, records: Json<'_>) -> Result<(), E> {
        self.walking.found.replace(true);
        let items = match records.kind() {
            JsonKind::Null => return Ok(()),
            JsonKind::Array => records.decode::<Vec<Json<'_>>, E>()?,
            _ => vec![records],
        };
        items.into_iter().skip(taken).try_for_each(|sent| self.take_one_tolerantly(sent))
    }

    /// Takes a record, whatever it holds.
    fn take_one_tolerantly<E: serde::de::Error>(&self, sent: Json<'_>) -> Result<(), E> {
        match O::Record::tolerant(sent) {
            Reading::Exact(mut record) | Reading::Coerced(mut record) => self.take(&mut record),
            Reading::Misfit => {
                let reason = format!("a record is an object, and this is {}", sent.kind().noun());
                self.walking.page.borrow_mut().reject(sent.get(), reason);
                Ok(())
            }
        }
    }

    /// Takes what `path` selects, each piece of the text a record.
    fn select(&self, path: &RecordsAt, body: &[u8]) -> Result<(), serde_json::Error> {
        let body: &RawValue = serde_json::from_slice(body)?;
        for piece in path.find(body.get())?.records {
            match serde_json::from_str::<O::Record<'_>>(piece.get()) {
                Ok(mut record) => self.take(&mut record)?,
                Err(error) if error.is_data() => self.take_one_tolerantly(serde_json::from_str(piece.get())?)?,
                Err(error) => return Err(error),
            }
        }
        self.walking.found.replace(true);
        Ok(())
    }

    /// Takes note of what the body says, if it says anything here.
    fn hear<E: serde::de::Error>(&self, text: &str, unexpected: serde::de::Unexpected<'_>) -> Result<(), E> {
        let mut page = self.walking.page.borrow_mut();
        match self.node.says {
            Some(Said::Next) => page.next = Some(text.to_owned()),
            Some(Said::Delta) => page.delta = Some(text.to_owned()),
            None => return Err(E::invalid_type(unexpected, self)),
        }
        Ok(())
    }
}

impl<'de, O: TypedOperation> DeserializeSeed<'de> for Walk<'_, '_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.walking.tolerant_after {
            Some(taken) if self.node.is_records => self.take_tolerantly(taken, Json::deserialize(deserializer)?),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de, O: TypedOperation> Visitor<'de> for Walk<'_, '_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.node.is_records {
            "an array of records or one record"
        } else if self.node.says.is_some() {
            "a string or an integer that leads to the next page"
        } else {
            "an object that holds the records"
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.node.is_records {
            self.walking.found.replace(true);
            let mut record = O::Record::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
            return self.take(&mut record);
        }
        if self.node.says.is_some() && self.node.children.is_empty() {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self));
        }
        while let Some(key) = map.next_key::<crate::record::Text<'de>>()? {
            match self.node.child(&key) {
                Some(node) => map.next_value_seed(Walk { node, walking: self.walking, operation: PhantomData::<O> })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.node.is_records {
            self.walking.found.replace(true);
            while let Some(mut record) = seq.next_element::<O::Record<'de>>()? {
                self.take(&mut record)?;
            }
            return Ok(());
        }
        if self.node.says.is_some() {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut index = 0;
        loop {
            let more = match self.node.child(&index.to_string()) {
                Some(node) => {
                    seq.next_element_seed(Walk { node, walking: self.walking, operation: PhantomData::<O> })?
                }
                None => seq.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if more.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.node.is_records {
            self.walking.found.replace(true);
        } else if self.node.leads_to_records() {
            self.walking.is_null_above.replace(true);
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.hear(text, serde::de::Unexpected::Str(text))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.hear(if value { "true" } else { "false" }, serde::de::Unexpected::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.hear(&value.to_string(), serde::de::Unexpected::Unsigned(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.hear(&value.to_string(), serde::de::Unexpected::Signed(value))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::{Boundary, DriftPolicy, OnDrift, Pagination, Wire};
    use super::*;
    use crate::codegen::{Object, Undeclared};
    use crate::format::OutputFormat;
    use crate::http::Request;
    use crate::operation::{Incremental, IncrementalMode, KeyField, OffsetField, OffsetValue};
    use crate::record::{DateTime, Field, Record, Text};
    use crate::slice::Children;

    #[derive(Default, Object)]
    struct Event<'page> {
        #[field(number = 1, required)]
        id: Field<'page, i64>,
        #[field(number = 2)]
        at: Field<'page, DateTime<'page>>,
        #[field(number = 3)]
        note: Field<'page, Text<'page>>,
        #[field(undeclared)]
        undeclared: Undeclared<'page>,
    }

    impl<'page> Record<'page> for Event<'page> {
        const AVRO_SCHEMA: &'static str = "{}";
        const PROTOBUF_SCHEMA: &'static str = "";
        const JSON_SCHEMA: &'static str = "{}";
    }

    fn page_with(prefix: &[u8]) -> Page {
        Page::new(&Wire {
            format: OutputFormat::Avro,
            prefix: prefix.to_vec(),
            on_drift: DriftPolicy::default(),
            redaction: None,
        })
    }

    struct ListEvents;

    impl TypedOperation for ListEvents {
        type Record<'page> = Event<'page>;

        fn facts() -> OperationFacts {
            facts(
                "/data/events",
                Pagination::Cursor { pointer: "/meta/next".into(), parameter: "after".into(), initial: None },
            )
        }

        fn request(&self) -> Request {
            Request::get("/events")
        }

        fn key(record: &Event<'_>, out: &mut Vec<u8>) -> bool {
            record.id.write_key(out)
        }

        fn offset<'record>(record: &'record Event<'_>) -> Option<OffsetValue<'record>> {
            record.at.offset_value()
        }
    }

    fn facts(records: &'static str, pagination: Pagination) -> OperationFacts {
        OperationFacts {
            id: "listEvents".into(),
            topic: "events".into(),
            records: records.into(),
            records_required: true,
            pagination,
            incremental: Some(Incremental {
                mode: IncrementalMode::Timestamp,
                field: "/at".into(),
                parameter: "since".into(),
                initial: None,
                lookback: None,
            }),
            interval: Duration::from_secs(60),
        }
    }

    fn decode(body: &str, page: &mut Page) -> Result<(), DecodeError> {
        PageShape::new(&ListEvents::facts()).decode::<ListEvents>(body.as_bytes(), page)
    }

    fn keys(page: &Page) -> Vec<&str> {
        page.records().map(|record| std::str::from_utf8(record.key.unwrap()).unwrap()).collect()
    }

    #[test]
    fn records_and_the_next_page_are_found_wherever_they_stand() {
        for body in [
            r#"{"data": {"events": [{"id": 1, "note": "a"}, {"id": 2, "note": "\u00e9"}], "n": 2}, "meta": {"next": "abc"}}"#,
            r#"{"meta": {"next": "abc", "y": [1]}, "data": {"events": [{"note": "a", "id": 1}, {"id": 2, "at": null, "note": "é"}]}}"#,
        ] {
            let mut page = page_with(&[0, 0, 0, 0, 7]);
            decode(body, &mut page).unwrap();
            assert_eq!(keys(&page), ["1", "2"]);
            assert_eq!(page.next.as_deref(), Some("abc"));
            let values: Vec<_> = page.records().map(|record| record.value).collect();
            // Schema id, id, no time, note, nothing unmapped.
            assert_eq!(values[0], [0, 0, 0, 0, 7, 2, 2, 0, 2, 2, b'a', 0]);
            assert_eq!(values[1], [0, 0, 0, 0, 7, 2, 4, 0, 2, 4, 0xc3, 0xa9, 0]);
        }
    }

    #[test]
    fn what_is_no_text_is_told_of_where_it_stands() {
        let mut body = br#"{"data": {"events": [{"id": 1, "note": "a?"}]}, "meta": {}}"#.to_vec();
        let at = body.iter().position(|byte| *byte == b'?').unwrap();
        body[at] = 0xff;
        let mut page = page_with(&[]);
        let error = PageShape::new(&ListEvents::facts()).decode::<ListEvents>(&body, &mut page).unwrap_err();
        let DecodeError::Json { place: Place::Page, source } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), format!("invalid unicode code point at line 1 column {}", at + 1));
    }

    /// The same, of which even ones are left out, and the others have another key and note.
    struct HookedEvents;

    impl TypedOperation for HookedEvents {
        type Record<'page> = Event<'page>;

        fn facts() -> OperationFacts {
            ListEvents::facts()
        }

        fn request(&self) -> Request {
            ListEvents.request()
        }

        fn key(record: &Event<'_>, out: &mut Vec<u8>) -> bool {
            record.id.write_key(out)
        }

        fn offset<'record>(record: &'record Event<'_>) -> Option<OffsetValue<'record>> {
            record.at.offset_value()
        }

        fn children(record: &Event<'_>, children: &mut Children) {
            children.add("children", [("id", record.id.offset_value())]);
        }

        fn hook() -> Option<fn(&mut Event<'_>) -> Verdict> {
            Some(|record| {
                let id = record.id.get().copied().unwrap_or_default();
                assert!(id < 100, "{id} is too much");
                record.id = (10 * id).into();
                record.at = Field::Absent;
                record.note = Text::from("hooked").into();
                if id % 2 == 0 { Verdict::Drop } else { Verdict::Keep }
            })
        }
    }

    #[test]
    fn a_hook_changes_and_drops_records_and_the_stream_stands_where_they_were() {
        let body = |last: i64| {
            let event =
                |id: i64| json!({ "id": id, "at": format!("2024-01-0{}T00:00:00Z", id % 9 + 1), "note": "sent" });
            json!({ "data": { "events": [event(1), event(2), event(3), event(last)] }, "meta": { "next": "abc" } })
                .to_string()
        };
        let decode = |body: &str, page: &mut Page| {
            page.track(IncrementalMode::Timestamp, None, boundary(None, vec![]), boundary(None, vec![]));
            PageShape::new(&ListEvents::facts()).decode::<HookedEvents>(body.as_bytes(), page)
        };
        let mut page = page_with(&[7]);
        decode(&body(4), &mut page).unwrap();
        assert_eq!(keys(&page), ["10", "30"]);
        assert_eq!((page.len(), page.received, page.filtered()), (2, 4, 2));
        let value = page.records().next().unwrap().value;
        assert_eq!(value, [&[7, 2, 20, 0, 2, 12][..], b"hooked", &[0]].concat());
        // As it was sent: the next page may be asked for by it.
        assert_eq!(page.last_key().as_deref(), Some("4"));
        let children: Vec<_> = page.children.iter().map(|(_, slice)| slice.to_string()).collect();
        assert_eq!(children, [r#"{"id":"10"}"#, r#"{"id":"30"}"#]);
        assert_eq!(page.reached().unwrap().value.as_deref(), Some("2024-01-05T00:00:00Z"));

        // What came twice is recognised by what was sent, and what departs from the document is told of that too.
        let mut plain = page_with(&[7]);
        plain.track(IncrementalMode::Timestamp, None, boundary(None, vec![]), boundary(None, vec![]));
        PageShape::new(&ListEvents::facts()).decode::<ListEvents>(body(4).as_bytes(), &mut plain).unwrap();
        let mut again = page_with(&[7]);
        decode(&body(4), &mut again).unwrap();
        assert_eq!(plain.reached().unwrap().records, again.reached().unwrap().records);
        let mut odd = page_with(&[]);
        decode(r#"{"data": {"events": [{"id": 1, "at": "2024-01-01T00:00:00Z", "note": 5}]}}"#, &mut odd).unwrap();
        assert_eq!(odd.drift().len(), 1);
        assert_eq!(keys(&odd), ["10"]);
    }

    #[test]
    fn a_hook_that_panics_stops_the_page() {
        let body = r#"{"data": {"events": [{"id": 1, "at": "2024-01-01T00:00:00Z"}, {"id": 100, "at": "2024-01-01T00:00:00Z"}]}}"#;
        let error = PageShape::new(&ListEvents::facts()).decode::<HookedEvents>(body.as_bytes(), &mut page_with(&[]));
        let error = error.unwrap_err().to_string();
        assert_eq!(
            error,
            r#"reading record 1 of the page: its hook in `src/hooks.rs` panicked with "100 is too much""#
        );
    }

    #[test]
    fn one_object_is_one_record_and_null_is_none() {
        let mut page = page_with(&[]);
        decode(r#"{"data": {"events": {"id": 5, "note": ""}}}"#, &mut page).unwrap();
        assert_eq!(keys(&page), ["5"]);
        let mut page = page_with(&[]);
        decode(r#"{"data": {"events": null}, "meta": {"next": 17}}"#, &mut page).unwrap();
        assert!(page.is_empty());
        assert_eq!(page.next.as_deref(), Some("17"));
    }

    #[test]
    fn the_root_can_be_the_array() {
        let mut page = page_with(&[]);
        PageShape::new(&facts("", Pagination::LinkHeader))
            .decode::<ListEvents>(br#"[{"id": 1, "note": ""}]"#, &mut page)
            .unwrap();
        assert_eq!(page.len(), 1);
    }

    /// Whatever the API answers, where the document does not say what.
    #[derive(Clone, Debug, Default, PartialEq, Object)]
    struct Anything<'page> {
        #[field(undeclared)]
        undeclared: Undeclared<'page>,
    }

    impl<'page> Record<'page> for Anything<'page> {
        const AVRO_SCHEMA: &'static str = "{}";
        const PROTOBUF_SCHEMA: &'static str = "";
        const JSON_SCHEMA: &'static str = "{}";
    }

    struct GetAnything;

    impl TypedOperation for GetAnything {
        type Record<'page> = Anything<'page>;

        fn facts() -> OperationFacts {
            OperationFacts { incremental: None, ..facts("", Pagination::None) }
        }

        fn request(&self) -> Request {
            Request::get("/anything")
        }
    }

    #[test]
    fn a_whole_response_is_a_list_of_records_or_one() {
        for (body, records, rejected) in [
            (r#"[{"id":1},{}]"#, vec![r#"{"id":1}"#, "{}"], vec![]),
            (r#"{"data":[{"id":1}],"next":null}"#, vec![r#"{"data":[{"id":1}],"next":null}"#], vec![]),
            ("[]", vec![], vec![]),
            ("null", vec![], vec![]),
            (r#"[{"id":1},"a"]"#, vec![r#"{"id":1}"#], vec![r#""a""#]),
            (r#""a""#, vec![], vec![r#""a""#]),
        ] {
            let wire = Wire {
                format: OutputFormat::Json,
                prefix: Vec::new(),
                on_drift: DriftPolicy::all(OnDrift::Stop),
                redaction: None,
            };
            let mut page = Page::new(&wire);
            PageShape::new(&GetAnything::facts()).decode::<GetAnything>(body.as_bytes(), &mut page).unwrap();
            let found: Vec<_> = page.records().map(|it| std::str::from_utf8(it.value).unwrap()).collect();
            assert_eq!(found, records, "{body}");
            let refused: Vec<_> = page.rejected().iter().map(|it| std::str::from_utf8(&it.sent).unwrap()).collect();
            assert_eq!(refused, rejected, "{body}");
        }
    }

    #[test]
    fn a_path_selects_records_as_they_were_sent() {
        let select = |path: &'static str, body: &str| {
            let mut page = page_with(&[]);
            let pagination =
                Pagination::Cursor { pointer: "/meta/next".into(), parameter: "after".into(), initial: None };
            let facts = OperationFacts { records_required: false, ..facts(path, pagination) };
            PageShape::new(&facts).decode::<ListEvents>(body.as_bytes(), &mut page).map(|()| page)
        };
        let body = r#"{"data": [{"type": "a", "item": {"id": 1}}, {"type": "b", "item": {"id": 2}},
            {"type": "a", "item": {"id": "3", "x": 9007199254740993.10}}, {"type": "a", "item": [7]}, {"type": "a"}],
            "meta": {"next": "abc"}}"#;
        for (path, expected, rejected) in [
            ("$.data[*].item", vec!["1", "2", "3"], vec!["[7]"]),
            ("$.data[?@.type == 'a'].item", vec!["1", "3"], vec!["[7]"]),
            ("$..item", vec!["1", "2", "3"], vec!["[7]"]),
            ("$.none[*]", vec![], vec![]),
        ] {
            let page = select(path, body).unwrap();
            assert_eq!(keys(&page), expected, "{path}");
            let refused: Vec<_> = page.rejected().iter().map(|it| std::str::from_utf8(&it.sent).unwrap()).collect();
            assert_eq!(refused, rejected, "{path}");
            assert_eq!(page.next.as_deref(), Some("abc"), "{path}");
        }
        assert!(select("$.data[*].item", "{\"data\": [").is_err());
        let error = select("$.data[", body).unwrap_err();
        assert_eq!(error.to_string(), "the response has nothing at `$.data[`, where its records should be");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (body, message) in [
            (r#"{"data": {"events": [{"id": 1, "note": "a"}"#, "reading the page"),
            (r#"{"data": {"events": [{"id": "1"}, {"id": 2,}]}}"#, "reading the page"),
            (r#"{"data": []}"#, "the response has nothing at `/data/events`, where its records should be"),
            (r#"{"data": {"items": []}}"#, "the response has nothing at `/data/events`, where its records should be"),
            (r#"{"data": 7}"#, "reading the page"),
            ("<html>", "reading the page"),
        ] {
            let error = decode(body, &mut page_with(&[])).unwrap_err();
            assert!(error.to_string().starts_with(message), "{body}: {error}");
        }
    }

    #[test]
    fn a_record_that_is_not_as_declared_stops_no_other() {
        let body = r#"{"data": {"events": [
            {"id": 1, "note": "a"}, {"id": "2", "note": 7}, {"id": [3], "at": "soon"}, "none", null, {"id": 5, "x": {}}
        ]}, "meta": {"next": "abc"}}"#;
        let mut page = page_with(&[]);
        decode(body, &mut page).unwrap();
        assert_eq!(keys(&page), ["1", "2", "[3]", "5"]);
        assert_eq!((page.received, page.next.as_deref()), (6, Some("abc")));
        let rejected: Vec<_> =
            page.rejected().iter().map(|it| (it.index, std::str::from_utf8(&it.sent).unwrap(), &*it.reason)).collect();
        assert_eq!(
            rejected,
            [
                (3, "\"none\"", "a record is an object, and this is a string"),
                (4, "null", "a record is an object, and this is `null`"),
            ]
        );
        let drift: Vec<_> =
            page.drift().iter().map(|((kind, place), count)| format!("{place}: {kind} {count}")).collect();
        assert_eq!(
            drift,
            [
                "/x: undeclared field 1",
                "/id: value in another form 1",
                "/note: value in another form 1",
                "/at: value of another type 1",
                "/id: value of another type 1",
            ]
        );
    }

    #[test]
    fn what_departs_can_be_refused() {
        for (record, message) in [
            (r#"{"id": 1, "x": 1}"#, "reading record 0 of the page: undeclared field at `/x`"),
            (r#"{"id": "1"}"#, "reading record 0 of the page: value in another form at `/id`"),
            (r#"{"note": "a"}"#, "reading record 0 of the page: missing field at `/id`"),
            (r#"{"id": null}"#, "reading record 0 of the page: null in a required field at `/id`"),
        ] {
            let wire = Wire {
                format: OutputFormat::Avro,
                prefix: Vec::new(),
                on_drift: DriftPolicy::all(OnDrift::Stop),
                redaction: None,
            };
            let body = format!(r#"{{"data": {{"events": [{record}]}}}}"#);
            let error = decode(&body, &mut Page::new(&wire)).unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }

    fn boundary(value: Option<&str>, records: Vec<u64>) -> Boundary {
        Boundary { value: value.map(str::to_owned), records }
    }

    fn tracked(body: &str, seen: &Boundary) -> (Vec<String>, Boundary) {
        let mut page = page_with(&[]);
        page.track(IncrementalMode::Timestamp, None, seen.clone(), seen.clone());
        decode(body, &mut page).unwrap();
        let keys = keys(&page).iter().map(|&key| key.to_owned()).collect();
        (keys, page.reached().unwrap())
    }

    #[test]
    fn what_comes_again_at_the_boundary_is_dropped_once() {
        let first = r#"{"data": {"events": [
            {"id": 1, "at": "2024-01-01T00:00:00Z", "note": "a"},
            {"id": 3, "at": "2024-01-02T00:00:00Z", "note": "c"},
            {"id": 2, "at": "2024-01-02T01:00:00+01:00", "note": "b"}]}}"#;
        let (keys, reached) = tracked(first, &boundary(None, vec![]));
        assert_eq!(keys, ["1", "3", "2"]);
        assert_eq!(reached.value.as_deref(), Some("2024-01-02T00:00:00Z"));
        assert_eq!(reached.records.len(), 2);

        let again = r#"{"data": {"events": [
            {"id": 3, "at": "2024-01-02T00:00:00Z", "note": "c"},
            {"id": 2, "at": "2024-01-02T00:00:00Z", "note": "changed within the second"},
            {"id": 4, "at": "2024-01-02T00:00:00Z", "note": "late"}]}}"#;
        let (keys, reached_again) = tracked(again, &reached);
        assert_eq!(keys, ["2", "4"]);
        assert_eq!(reached_again.value, reached.value);
        assert_eq!(reached_again.records.len(), 4);
        assert_eq!(tracked(again, &reached_again).0, Vec::<String>::new());
    }

    #[test]
    fn a_record_without_its_offset_is_an_error() {
        let mut page = page_with(&[]);
        page.track(IncrementalMode::Timestamp, None, boundary(None, vec![]), boundary(None, vec![]));
        let error = decode(r#"{"data": {"events": [{"id": 1, "note": "a"}]}}"#, &mut page).unwrap_err();
        assert_eq!(error.to_string(), "reading record 0 of the page: the offset field `/at` is missing");
    }
}
