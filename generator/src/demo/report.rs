//! What the demo shows of the records that it reads back.

use std::collections::BTreeMap;
use std::time::Duration;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use comfy_table::{ContentArrangement, Table, presets};
use headwater_runtime::kafka::{KafkaSettings, TopicReader, TopicRecord};
use headwater_runtime::registry::{RegistryClient, RegistrySettings, SchemaId};
use url::Url;

use super::{DemoError, line};
use crate::plan::model::ConnectorPlan;

/// How many records of each topic are shown.
const SHOWN: usize = 4;

/// How much of a record is shown, in characters.
const WIDTH: usize = 96;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads every topic of `plan` back and shows it. Returns how many records there are.
pub(super) async fn show(
    plan: &ConnectorPlan,
    bootstrap: &str,
    registry: &Url,
    offsets_topic: &str,
    expected: u64,
    out: &mut dyn std::io::Write,
) -> Result<usize, DemoError> {
    let settings = KafkaSettings { bootstrap_servers: bootstrap.to_owned(), ..KafkaSettings::default() };
    let reader = TopicReader::new(settings, PATIENCE);
    let registry = RegistryClient::new(RegistrySettings::new(registry.clone()))?;
    let mut total = 0;
    for stream in &plan.streams {
        let records = reader.read(&stream.topic).await?;
        if records.len() as u64 != expected {
            let (topic, found) = (stream.topic.clone(), records.len());
            return Err(DemoError::Incomplete { topic, found, expected });
        }
        line(out, &format!("\ntopic {}: {} records", stream.topic, records.len()))?;
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["partition", "offset", "key", "value"]);
        for record in records.iter().take(SHOWN) {
            let value = decode(&stream.topic, record, &registry).await?;
            let (partition, offset) = (record.partition.to_string(), record.offset.to_string());
            table.add_row([partition, offset, text(record.key.as_deref()), shorten(&value)]);
        }
        line(out, &table.to_string())?;
        total += records.len();
    }
    let mut positions = BTreeMap::new();
    for record in reader.read(offsets_topic).await? {
        // Besides positions it holds how many partitions it has.
        let key: serde_json::Value =
            serde_json::from_slice(record.key.as_deref().unwrap_or_default()).unwrap_or_default();
        if key.pointer("/1/operation").is_some() {
            positions.insert(text(record.key.as_deref()), text(record.value.as_deref()));
        }
    }
    line(out, &format!("\ntopic {offsets_topic}: the position of each stream"))?;
    for (key, value) in positions {
        line(out, &format!("  {key} → {}", shorten(&value)))?;
    }
    line(out, "")?;
    Ok(total)
}

/// The record as JSON, decoded by the schema that the registry has under the id in the record.
async fn decode(topic: &str, record: &TopicRecord, registry: &RegistryClient) -> Result<String, DemoError> {
    let value = record.value.as_deref().unwrap_or_default();
    let (Some(id), Some(mut body)) = (value.get(1..5), value.get(5..)) else { return Ok(String::new()) };
    let id = id.iter().fold(0, |id: u32, byte| (id << 8) | u32::from(*byte));
    let schema = registry.schema(SchemaId(id)).await?;
    let decoded = Schema::parse_str(&schema)
        .and_then(|schema| GenericDatumReader::builder(&schema).build()?.read_value(&mut body))
        .and_then(serde_json::Value::try_from)
        .map_err(|source| DemoError::Decode { topic: topic.to_owned(), source: Box::new(source) })?;
    Ok(decoded.to_string())
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    text.chars().take(WIDTH - 1).chain(['…']).collect()
}
