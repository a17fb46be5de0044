//! Sending dead letters to where they should have gone, if they are records after all: the document, the configuration or a
//! transform has been put right.
//!
//! Each batch is one transaction: the records that dead letters have become, those that are still dead, which go to the end of
//! the topic with the new reason, and how far the topic has been read, as the offsets of a consumer group. So whatever dies, and
//! whenever: no dead letter is sent twice, and none is lost.

use std::borrow::Cow;

use super::dead_letters::{CONNECTOR, HASHED, OPERATION, REASON};
use super::definition::Definition;
use super::provenance::SLICE;
use super::start::{PATIENCE, Target, Writing};
use super::stream::{Stream, StreamError};
use super::topics::Topics;
use super::transaction::{send_records, settle};
use super::{Handle, RunError, start};
use crate::config::ConnectorConfig;
use crate::error::chain;
use crate::kafka::{GroupReader, Producer, ProducerRecord, TopicRecord};
use crate::operation::{DecodeError, SlicedOperation};
use crate::page::Page;
use crate::registry::RegistryClient;
use crate::slice::Slice;

/// How many dead letters a transaction takes.
const BATCH: usize = 1_000;

/// What has become of dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Those that were sent to where they should have gone. A transform can have dropped some of them.
    pub replayed: u64,
    /// Those that still are no records.
    pub still_dead: u64,
    /// Those that were left alone: of another connector, of nobody, or of a stream that reads everything again anyway.
    pub skipped: u64,
}

/// What is to be done with a dead letter.
enum Fate<'a> {
    /// It is a record of this stream now.
    Alive(&'a Definition, Box<Page>),
    StillDead(String),
    Skipped,
}

/// Sends what has become a record to its topic, of all dead letters that have not been looked at by an earlier call; with
/// `dry_run`, nothing is written, and it is only told what would be.
///
/// # Errors
///
/// If Kafka or the registry cannot be used; what was committed until then is not sent again.
pub async fn replay_dead_letters(
    operations: Vec<Box<dyn SlicedOperation>>,
    config: &ConnectorConfig,
    dry_run: bool,
) -> Result<Replayed, RunError> {
    let group = format!("headwater-{}-dlq", config.name);
    let topic = config.dead_letters.as_str();
    let producer = match dry_run {
        true => None,
        // Whoever replays the same dead letters is fenced first, and its transaction has come to an end.
        false => Some(Target::new(config, false).producer_named(group.clone()).await?),
    };
    let mut replayed = Replayed::default();
    let Some(mut letters) = GroupReader::open(&config.kafka, topic, &group, PATIENCE).await? else {
        return Ok(replayed);
    };
    let registry = config.registry.clone().filter(|_| !dry_run).map(RegistryClient::new).transpose()?;
    let (writing, handle) = (Writing::new(config, registry), Handle::new(&config.name));
    let mut streams = Vec::with_capacity(operations.len());
    for (operation, settings) in operations.into_iter().zip(&config.operations) {
        streams.push(writing.definition(operation, settings, &handle).await?);
    }
    let mut topics = start::named_topics(config);
    loop {
        let (batch, progress) = letters.next(BATCH).await?;
        if batch.is_empty() {
            return Ok(replayed);
        }
        if let Some(producer) = &producer {
            producer.begin()?;
        }
        for letter in &batch {
            let fate = fate(letter, &streams, config).await?;
            match &fate {
                Fate::Alive(..) => replayed.replayed += 1,
                Fate::StillDead(_) => replayed.still_dead += 1,
                Fate::Skipped => replayed.skipped += 1,
            }
            if let Some(producer) = &producer {
                write(producer, &mut topics, topic, letter, fate).await?;
            }
        }
        if let Some(producer) = &producer {
            producer.send_progress(&progress, PATIENCE).await?;
            settle(producer).await?;
        }
    }
}

/// Reads a dead letter as a record.
///
/// # Errors
///
/// If it cannot be said whether it is one.
async fn fate<'a>(
    letter: &TopicRecord,
    streams: &'a [Definition],
    config: &ConnectorConfig,
) -> Result<Fate<'a>, RunError> {
    let header = |name: &str| {
        let found = letter.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| String::from_utf8_lossy(value))
    };
    let is_of_another = header(CONNECTOR).is_some_and(|connector| *connector != *config.name);
    let (Some(operation), Some(sent), false) = (header(OPERATION), &letter.value, is_of_another) else {
        return Ok(Fate::Skipped);
    };
    let Some(definition) = streams.iter().find(|stream| stream.id() == operation) else {
        return Ok(Fate::StillDead(format!("the connector has no operation `{operation}`")));
    };
    if definition.settings().topic.is_none() || definition.settings().snapshot.is_some() {
        return Ok(Fate::Skipped);
    }
    let slice = header(SLICE).map(Cow::into_owned).unwrap_or_default();
    let slice = if slice.is_empty() { Ok(Slice::whole()) } else { slice.parse() };
    let stream = match slice.map_err(|error: serde_json::Error| error.to_string()) {
        Ok(slice) => definition.stream(&slice).map_err(|error| error.to_string()),
        Err(error) => Err(format!("its slice cannot be read: {error}")),
    };
    let stream = match stream {
        Ok(stream) => stream,
        Err(reason) => return Ok(Fate::StillDead(reason)),
    };
    let mut page = definition.empty_page();
    let hashed = header(HASHED).unwrap_or_default();
    if let Err(error) = decode(&stream, sent, &hashed, &mut page) {
        return Ok(Fate::StillDead(chain(&error)));
    }
    // What is rejected here would only be so once more.
    match stream.output.finish(page).await {
        Ok(mut page) => match page.rejected() {
            [] => {
                definition.settings().provenance.tell_again(&mut page, &letter.headers);
                Ok(Fate::Alive(definition, Box::new(page)))
            }
            [rejected, ..] => Ok(Fate::StillDead(rejected.reason.clone())),
        },
        Err(error @ (StreamError::Inference(_) | StreamError::Transform { .. })) => Ok(Fate::StillDead(chain(&error))),
        Err(source) => Err(RunError::Stream { operation: operation.into_owned(), source }),
    }
}

/// Reads a dead letter in which something has been hashed by these rules. Whatever else is to be redacted now may not have been
/// when it died.
fn decode(stream: &Stream, sent: &[u8], hashed: &str, page: &mut Page) -> Result<(), DecodeError> {
    let Some(redaction) = &stream.wire.redaction else { return stream.operation.decode_record(sent, page) };
    let redaction = redaction.after(&hashed.parse().unwrap_or_default());
    let redacted = redaction.record(sent)?;
    stream.operation.decode_record(redacted.as_bytes(), page).map_err(DecodeError::withheld)
}

async fn write(
    producer: &Producer,
    topics: &mut Topics,
    dead_letters: &str,
    letter: &TopicRecord,
    fate: Fate<'_>,
) -> Result<(), RunError> {
    match fate {
        Fate::Alive(definition, page) => {
            let topic = definition.settings().topic.as_deref().unwrap_or_default();
            Ok(send_records(producer, topics, topic, &page).await?)
        }
        Fate::StillDead(reason) => {
            let told = letter.headers.iter().filter(|(name, _)| name != REASON);
            let told = told.map(|(name, value)| (name.as_str(), value.as_slice()));
            let headers: Vec<_> = [(REASON, reason.as_bytes())].into_iter().chain(told).collect();
            let record = ProducerRecord {
                topic: dead_letters,
                partition: Some(letter.partition),
                key: letter.key.as_deref(),
                value: letter.value.as_deref(),
                timestamp: letter.timestamp,
                headers: &headers,
            };
            Ok(producer.send(record).await?)
        }
        Fate::Skipped => Ok(()),
    }
}
