//! The records that a replay writes, as a file beside the cassette.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Content;
use crate::kafka::{KafkaError, KafkaSettings, TopicReader, TopicRecord, topic_names};

use super::run::PATIENCE;

/// All records of a run, by topic, in the order in which they stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    records: BTreeMap<String, Vec<Record>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    key: Option<Content>,
    /// `None`: a tombstone.
    value: Option<Content>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, Content)>,
    timestamp: Option<i64>,
}

impl From<TopicRecord> for Record {
    fn from(record: TopicRecord) -> Self {
        let TopicRecord { timestamp, key, value, headers, .. } = record;
        let headers = headers.into_iter().map(|(name, value)| (name, Content(value))).collect();
        Self { key: key.map(Content), value: value.map(Content), headers, timestamp }
    }
}

impl Snapshot {
    /// Reads everything that stands in Kafka but in the topics `own`, where the connector keeps what it goes on from.
    pub(super) async fn read(kafka: KafkaSettings, own: &[String]) -> Result<Self, KafkaError> {
        let mut records = BTreeMap::new();
        let names = topic_names(&kafka, PATIENCE).await?;
        let reader = TopicReader::new(kafka, PATIENCE);
        for topic in names.into_iter().filter(|name| !own.contains(name) && !name.starts_with("__")) {
            let found: Vec<_> = reader.read(&topic).await?.into_iter().map(Record::from).collect();
            if !found.is_empty() {
                records.insert(topic, found);
            }
        }
        Ok(Self { records })
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How this differs from what is expected, by the first difference; `None` if it does not.
    pub fn difference(&self, expected: &Self) -> Option<String> {
        let topics = self.records.keys().chain(expected.records.keys());
        let none = Vec::new();
        topics.into_iter().find_map(|topic| {
            let (found, expected) = (self.records.get(topic), expected.records.get(topic));
            let (found, expected) = (found.unwrap_or(&none), expected.unwrap_or(&none));
            let at = (0..found.len().max(expected.len())).find(|index| found.get(*index) != expected.get(*index))?;
            let shown = |record: Option<&Record>| match record {
                Some(record) => serde_json::to_string(record).unwrap_or_default(),
                None => "none".to_owned(),
            };
            Some(format!(
                "topic `{topic}` has {} records, {} expected; record {at}\n  is       {}\n  expected {}",
                found.len(),
                expected.len(),
                shown(found.get(at)),
                shown(expected.get(at))
            ))
        })
    }
}
