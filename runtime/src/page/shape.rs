//! Reading a response in one pass: the path to the records is walked, each record goes straight from the JSON text to
//! its wire format, and what the body says of the next page is picked up on the way.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Page;
use super::batch::PushError;
use crate::format::avro::Encode;
use crate::operation::{DecodeError, OperationFacts, Place, TypedOperation};

/// Where in a response its parts are, prepared once per operation.
#[derive(Debug, Default)]
pub(crate) struct PageShape {
    root: Node,
    records: String,
    records_required: bool,
    offset_field: String,
}

/// One step of the way to the parts that matter.
#[derive(Debug, Default)]
struct Node {
    children: Vec<(String, Node)>,
    is_records: bool,
    is_next: bool,
}

impl PageShape {
    pub(crate) fn new(facts: &OperationFacts) -> Self {
        let mut root = Node::default();
        root.at(&facts.records).is_records = true;
        if let Some(pointer) = facts.pagination.body_pointer() {
            root.at(pointer).is_next = true;
        }
        Self {
            root,
            records: facts.records.to_string(),
            records_required: facts.records_required,
            offset_field: facts.incremental.as_ref().map(|it| it.field.to_string()).unwrap_or_default(),
        }
    }

    /// Reads `body` into `page`.
    pub(crate) fn decode<O: TypedOperation>(&self, body: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        let reading = Reading { page: RefCell::new(page), failure: RefCell::default(), found: RefCell::new(false) };
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let walked = Walk::<O> { node: &self.root, reading: &reading, operation: PhantomData }
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        if let Some(failure) = reading.failure.take() {
            return Err(self.explain(failure));
        }
        if let Err(source) = walked {
            let place = match first_misfit::<O>(body, &self.records) {
                Some((index, source)) => {
                    return Err(DecodeError::Json { place: Place::Record(index), source });
                }
                None => Place::Page,
            };
            return Err(DecodeError::Json { place, source });
        }
        if !reading.found.take() && self.records_required {
            return Err(DecodeError::NoRecords { pointer: self.records.clone() });
        }
        Ok(())
    }

    fn explain(&self, Failure { index, error }: Failure) -> DecodeError {
        let place = Place::Record(index);
        match error {
            PushError::Encode(source) => DecodeError::Encode { place, source },
            PushError::Offset(reason) => DecodeError::Offset { place, field: self.offset_field.clone(), reason },
        }
    }
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

    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|(child, _)| child == name).map(|(_, node)| node)
    }
}

/// What is shared by all steps of one walk. Cells, because serde hands seeds down by value.
struct Reading<'a> {
    page: RefCell<&'a mut Page>,
    /// A record that was read but could not be taken; serde's own errors have no room for it.
    failure: RefCell<Option<Failure>>,
    found: RefCell<bool>,
}

struct Failure {
    index: usize,
    error: PushError<Box<crate::format::EncodeError>>,
}

/// Walks one value of the response.
struct Walk<'a, O> {
    node: &'a Node,
    reading: &'a Reading<'a>,
    operation: PhantomData<O>,
}

impl<O: TypedOperation> Walk<'_, O> {
    fn take<E: serde::de::Error>(&self, record: &O::Record<'_>) -> Result<(), E> {
        let mut page = self.reading.page.borrow_mut();
        let index = page.received;
        page.push(O::timestamp(record), |out| O::key(record, out), O::offset(record), |out| record.encode(out))
            .map(|_| ())
            .map_err(|error| {
                self.reading.failure.replace(Some(Failure { index, error }));
                E::custom("a record could not be taken")
            })
    }

    fn name_next(&self, text: &str) {
        self.reading.page.borrow_mut().next = Some(text.to_owned());
    }
}

impl<'de, O: TypedOperation> DeserializeSeed<'de> for Walk<'_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, O: TypedOperation> Visitor<'de> for Walk<'_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.node.is_records {
            "an array of records or one record"
        } else if self.node.is_next {
            "a string or an integer that leads to the next page"
        } else {
            "an object that holds the records"
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.node.is_records {
            self.reading.found.replace(true);
            let record = O::Record::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
            return self.take(&record);
        }
        while let Some(key) = map.next_key::<crate::record::Text<'de>>()? {
            match self.node.child(&key) {
                Some(node) => map.next_value_seed(Walk { node, reading: self.reading, operation: PhantomData::<O> })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.node.is_records {
            self.reading.found.replace(true);
            while let Some(record) = seq.next_element::<O::Record<'de>>()? {
                self.take(&record)?;
            }
            return Ok(());
        }
        if self.node.is_next {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut index = 0;
        loop {
            let more = match self.node.child(&index.to_string()) {
                Some(node) => {
                    seq.next_element_seed(Walk { node, reading: self.reading, operation: PhantomData::<O> })?
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
        self.reading.found.replace(true);
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if !self.node.is_next {
            return Err(E::invalid_type(serde::de::Unexpected::Str(text), &self));
        }
        self.name_next(text);
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        if !self.node.is_next {
            return Err(E::invalid_type(serde::de::Unexpected::Unsigned(value), &self));
        }
        self.name_next(&value.to_string());
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        if !self.node.is_next {
            return Err(E::invalid_type(serde::de::Unexpected::Signed(value), &self));
        }
        self.name_next(&value.to_string());
        Ok(())
    }
}

/// After a page could not be read: the first of its records that is not of its type, so that the message can name it.
fn first_misfit<O: TypedOperation>(body: &[u8], records: &str) -> Option<(usize, serde_json::Error)> {
    let mut at: &RawValue = serde_json::from_slice(body).ok()?;
    for segment in records.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        let mut object: std::collections::HashMap<std::borrow::Cow<'_, str>, &RawValue> =
            serde_json::from_str(at.get()).ok()?;
        at = object.remove(segment.as_str())?;
    }
    let records: Vec<&RawValue> = serde_json::from_str(at.get()).ok()?;
    records.into_iter().enumerate().find_map(|(index, record)| {
        serde_json::from_str::<O::Record<'_>>(record.get()).err().map(|error| (index, error))
    })
}
