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
mod tests;
