//! XML (1.0) as JSON.
//!
//! An element is an object: its attributes are named `@name`, its text is named `#text`, and each element in it by its
//! name; of several with one name there is an array. An element that has only text is that text, and an empty one is
//! `null`. Names are as they are written, prefixes included. The document is an object that holds the root by its name.
//! The elements at the path to the records are an array however many there are.

use quick_xml::errors::Error;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::array::Array;
use super::csv::quoted;
use super::cut::Limits;
use super::{BodyError, CutError};

/// Reads a document.
pub(crate) struct Xml {
    /// The names that lead to the records; empty: nothing is cut.
    path: Vec<String>,
    limits: Limits,
    /// What has come and is not read yet.
    waiting: Vec<u8>,
    /// What is open, from the document on.
    open: Vec<Element>,
    /// How large it is, in bytes.
    held: usize,
    records: Array,
    /// Whether the element that holds the records has been there.
    has_list: bool,
    /// What the reader says of what is waiting.
    obstacle: Option<Error>,
}

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    /// What it holds by name, as JSON texts.
    members: Vec<(String, Vec<String>)>,
}

impl Xml {
    pub(super) fn new(path: Vec<String>, limits: Limits) -> Self {
        let open = vec![Element::default()];
        let waiting = Vec::new();
        Self { path, limits, waiting, open, held: 0, records: Array::default(), has_list: false, obstacle: None }
    }

    pub(super) fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
        self.waiting.extend_from_slice(input);
        *input = &[];
        // Up to there no character and no reference is cut in two.
        let Some(end) = self.waiting.iter().rposition(|byte| *byte == b'>') else { return self.check().map(|()| None) };
        let waiting = std::mem::take(&mut self.waiting);
        let text = std::str::from_utf8(&waiting[..=end])
            .map_err(|_| BodyError::Xml { reason: "it is not UTF-8, the only encoding that is read".to_owned() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let skipped = end + 1 - text.len();
        let taken = self.read(text)?;
        self.waiting = waiting;
        self.waiting.drain(..skipped + taken);
        self.check()?;
        Ok(self.records.is_full(self.limits).then(|| self.part()))
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, BodyError> {
        if let Some(error) = self.obstacle {
            return Err(BodyError::Xml { reason: error.to_string() });
        }
        if !self.waiting.trim_ascii().is_empty() {
            return Err(BodyError::Xml { reason: "it ends in the middle of something".to_owned() });
        }
        match (self.open.pop(), self.open.last()) {
            (Some(document), None) => Ok(document.value().into_bytes()),
            (Some(element), Some(_)) => {
                Err(BodyError::Xml { reason: format!("it ends within the element `{}`", element.name) })
            }
            (None, _) => Err(BodyError::Xml { reason: "an element ends that has not begun".to_owned() }),
        }
    }

    fn check(&self) -> Result<(), BodyError> {
        let limit = self.limits.whole;
        match &self.obstacle {
            Some(error) if self.waiting.len() > limit => Err(BodyError::Xml { reason: error.to_string() }),
            _ if self.held.max(self.waiting.len()) > limit => Err(CutError::Whole { limit }.into()),
            _ => Ok(()),
        }
    }

    /// A document with the records so far.
    fn part(&mut self) -> Vec<u8> {
        let mut part = Vec::new();
        for name in &self.path {
            part.push(b'{');
            part.extend_from_slice(quoted(name).as_bytes());
            part.push(b':');
        }
        part.append(&mut self.records.take());
        part.resize(part.len() + self.path.len(), b'}');
        part
    }

    /// Reads as much as is complete, and returns how much that is.
    fn read(&mut self, text: &str) -> Result<usize, BodyError> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // What is open is known here: the reader sees only a piece.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut taken = 0;
        self.obstacle = None;
        loop {
            match reader.read_event() {
                Ok(Event::Eof) => return Ok(taken),
                Ok(event) => self.take(event)?,
                Err(error @ Error::Syntax(_)) => {
                    // Perhaps only its end has not come yet.
                    self.obstacle = Some(error);
                    return Ok(taken);
                }
                Err(error) => return Err(wrong(&error)),
            }
            taken = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), BodyError> {
        match event {
            Event::Start(start) => self.begin(&start)?,
            Event::End(end) => self.end(end.name().as_ref())?,
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|error| wrong(&error))? {
                Some(char) => self.text(char.encode_utf8(&mut [0; 4]))?,
                None => {
                    let name = reference.xml10_content();
                    let text = resolve_predefined_entity(&name)
                        .ok_or_else(|| BodyError::Xml { reason: format!("the entity `{name}` is not known") })?;
                    self.text(text)?;
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), BodyError> {
        let mut element = Element { name: start.name().as_ref().to_owned(), ..Element::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| wrong(&error.into()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| wrong(&error))?;
            self.held += attribute.key.as_ref().len() + value.len();
            element.members.push((format!("@{}", attribute.key.as_ref()), vec![quoted(&value)]));
        }
        self.held += element.name.len();
        self.open.push(element);
        if self.is_at(self.path.len().saturating_sub(1)) && !self.path.is_empty() {
            if self.has_list && self.records.index() > 0 {
                return Err(CutError::Twice.into());
            }
            self.has_list = true;
        }
        Ok(())
    }

    /// Whether what is open is the path to this depth.
    fn is_at(&self, depth: usize) -> bool {
        self.open.len() == depth + 1
            && self.open[1..].iter().zip(&self.path).all(|(element, name)| element.name == *name)
    }

    fn end(&mut self, name: &str) -> Result<(), BodyError> {
        let is_record = !self.path.is_empty() && self.is_at(self.path.len());
        let is_parent = !self.path.is_empty() && self.is_at(self.path.len() - 1);
        let unmatched = || BodyError::Xml { reason: format!("the element `{name}` ends, which has not begun") };
        let mut element = match self.open.pop() {
            Some(element) if element.name == name && !self.open.is_empty() => element,
            _ => return Err(unmatched()),
        };
        if is_parent {
            self.put_records(&mut element);
        }
        let value = element.value();
        let Some(parent) = self.open.last_mut() else { return Err(unmatched()) };
        if is_record {
            self.records.push(value.as_bytes());
            // What is open around the records stays.
            self.held = self.open.iter().map(Element::size).sum();
        } else {
            parent.put(element.name, value);
        }
        if self.open.len() == 1 && self.path.len() == 1 && is_record {
            let mut document = self.open.pop().unwrap_or_default();
            self.put_records(&mut document);
            self.open.push(document);
        }
        Ok(())
    }

    /// Puts the records that are left where they belong.
    fn put_records(&mut self, parent: &mut Element) {
        if let Some(name) = self.path.last().filter(|_| self.records.index() > 0) {
            let records = String::from_utf8(self.records.take()).unwrap_or_default();
            parent.members.retain(|(other, _)| other != name);
            parent.members.push((name.clone(), vec![records]));
        }
    }

    fn text(&mut self, text: &str) -> Result<(), BodyError> {
        self.held += text.len();
        match self.open.as_mut_slice() {
            [_, .., element] => element.text.push_str(text),
            _ if text.trim().is_empty() => {}
            _ => return Err(BodyError::Xml { reason: "it has text outside of its root".to_owned() }),
        }
        Ok(())
    }
}

impl Element {
    fn put(&mut self, name: String, value: String) {
        match self.members.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value),
            None => self.members.push((name, vec![value])),
        }
    }

    fn size(&self) -> usize {
        let values = self.members.iter().flat_map(|(_, values)| values).map(String::len).sum::<usize>();
        self.name.len() + self.text.len() + values
    }

    fn value(&self) -> String {
        let text = self.text.trim();
        if self.members.is_empty() {
            return if text.is_empty() { "null".to_owned() } else { quoted(text) };
        }
        let mut json = String::from("{");
        for (name, values) in &self.members {
            json.push_str(&quoted(name));
            json.push(':');
            match values.as_slice() {
                [value] => json.push_str(value),
                values => {
                    json.push('[');
                    json.push_str(&values.join(","));
                    json.push(']');
                }
            }
            json.push(',');
        }
        if text.is_empty() {
            json.pop();
        } else {
            json.push_str("\"#text\":");
            json.push_str(&quoted(text));
        }
        json.push('}');
        json
    }
}

fn wrong(error: &Error) -> BodyError {
    BodyError::Xml { reason: error.to_string() }
}
