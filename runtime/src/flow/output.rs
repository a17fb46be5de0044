//! What becomes of a page's records on their way to Kafka: transforms, and then schemas that are learnt from what comes out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::inference::{Inference, InferenceError, Learning, Writer};
use super::stream::StreamError;
use crate::clock;
use crate::page::{Outgoing, Page};
use crate::record::Tree;
use crate::transform::{Fate, Record, Transforms};

/// What follows if a transform cannot act on a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tolerance {
    /// The stream cannot go on.
    #[default]
    None,
    /// The record goes to the dead letters.
    All,
}

/// How a stream's records are changed and written.
#[derive(Clone)]
pub(crate) struct Output {
    /// Kafka topic of the records, unless a transform names another.
    pub(crate) topic: String,
    pub(crate) transforms: Transforms,
    pub(crate) tolerance: Tolerance,
    /// How schemas are learnt, if they are. Records are JSON before.
    pub(crate) learning: Option<(Learning, Arc<Inference>)>,
}

impl Output {
    /// Of records that go to Kafka as they are.
    pub(crate) fn unchanged(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            transforms: Transforms::default(),
            tolerance: Tolerance::default(),
            learning: None,
        }
    }

    /// Whether records are JSON before they get here.
    pub(crate) fn takes_json(&self) -> bool {
        self.learning.is_some() || !self.transforms.is_empty()
    }

    /// Changes and writes the records of a page. A page whose records are written already stays as it is.
    pub(crate) async fn finish(&self, mut page: Page) -> Result<Page, StreamError> {
        if !self.takes_json() {
            return Ok(page);
        }
        let mut finished = page.successor();
        let records = self.transform(&page, &mut finished)?;
        let writers = self.writers(&records).await?;
        for (index, record) in &records {
            let is_routed = record.topic != self.topic;
            let key = text_of(&record.key);
            let headers = record
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), text_of(value).unwrap_or_default().into_owned()));
            let outgoing = Outgoing {
                key: key.as_deref(),
                timestamp: record.timestamp,
                topic: is_routed.then(|| Arc::from(record.topic.as_ref())),
                partition: None,
                headers: headers.collect(),
                is_tombstone: record.value.is_null() && !self.transforms.is_empty(),
            };
            let sent = page.value(*index).filter(|_| self.transforms.is_empty());
            finished.add(outgoing, |out| match writers.get(record.topic.as_ref()) {
                Some(writer) => writer.write(sent, &record.value, out),
                None => match sent {
                    Some(sent) => out.extend_from_slice(sent),
                    None => record.value.write(out),
                },
            });
        }
        Ok(finished)
    }

    /// The records that are left, and their places in the page.
    fn transform<'p>(&'p self, page: &'p Page, finished: &mut Page) -> Result<Vec<(usize, Record<'p>)>, StreamError> {
        let now = self.transforms.needs_time().then(now);
        let mut records = Vec::with_capacity(page.len());
        for (index, sent) in page.records().enumerate() {
            let text = std::str::from_utf8(sent.value).unwrap_or_default();
            let value = Tree::parse(text).map_err(|source| InferenceError::record(index, source))?;
            let key = sent.key.map_or(Tree::Null, |key| Tree::String(String::from_utf8_lossy(key)));
            let timestamp = sent.timestamp.or(now);
            let mut record = Record { topic: Cow::Borrowed(&self.topic), key, value, timestamp, headers: Vec::new() };
            match self.transforms.apply(&mut record) {
                Ok(Fate::Kept) => records.push((index, record)),
                Ok(Fate::Dropped) => finished.filter(),
                Err(source) if self.tolerance == Tolerance::None => {
                    return Err(StreamError::Transform { index, source });
                }
                Err(error) => finished.reject_at(index, text, error.to_string()),
            }
        }
        Ok(records)
    }

    /// What writes the records, by their topics.
    async fn writers(&self, records: &[(usize, Record<'_>)]) -> Result<BTreeMap<String, Writer>, StreamError> {
        let mut writers = BTreeMap::new();
        let Some((learning, inference)) = &self.learning else { return Ok(writers) };
        let mut by_topic: BTreeMap<&str, Vec<(usize, &Tree<'_>)>> = BTreeMap::new();
        for (index, record) in records {
            if !record.value.is_null() || self.transforms.is_empty() {
                by_topic.entry(&record.topic).or_default().push((*index, &record.value));
            }
        }
        for (topic, values) in by_topic {
            writers.insert(topic.to_owned(), inference.writer(learning, topic, &values).await?);
        }
        Ok(writers)
    }
}

/// The wall clock's time in milliseconds.
fn now() -> i64 {
    jiff::Timestamp::try_from(clock::now()).unwrap_or_default().as_millisecond()
}

/// What a key or a header is written as: text as it is, anything else as JSON.
fn text_of<'t>(value: &'t Tree<'_>) -> Option<Cow<'t, [u8]>> {
    match value {
        Tree::Null => None,
        Tree::String(text) => Some(Cow::Borrowed(text.as_bytes())),
        other => Some(Cow::Owned(other.to_json().into_bytes())),
    }
}
