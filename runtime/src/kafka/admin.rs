//! Topics: whether they exist, and creating those that do not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::blocking::{Waiting, blocking};
use super::error::{Cause, KafkaError};
use super::events::ClientEvents;
use super::reader::consumer;
use super::settings::KafkaSettings;

/// How long one request for metadata may take before it is repeated.
const METADATA_STEP: Duration = Duration::from_millis(500);

/// Pause before the next look at a topic that is being created.
const CREATION_PAUSE: Duration = Duration::from_millis(50);

/// A topic as it is created if it does not exist. One that exists is taken as it is.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// Its number of partitions.
    pub partitions: i32,
    /// Its number of replicas; `None`: the broker's `default.replication.factor` (KIP-464).
    pub replication_factor: Option<i32>,
    /// What happens to old records.
    pub cleanup: CleanupPolicy,
}

/// What a topic does with old records: its `cleanup.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanupPolicy {
    /// The last record of each key stays.
    Compact,
    /// Records go by age and size.
    Delete,
}

/// What the brokers say of a topic.
pub(super) enum TopicState {
    /// It exists and every partition has a leader.
    Present {
        /// How many partitions it has.
        partitions: i32,
    },
    /// It does not exist.
    Missing,
}

/// Creates the topics that do not exist; gives the number of partitions that each has. Another instance may do the same
/// at the same time.
///
/// # Errors
///
/// [`KafkaError::Unreachable`] after `patience` without an answer; [`KafkaError::Topic`] if a topic may not be described,
/// [`KafkaError::NotCreated`] if it may not be created.
pub async fn ensure_topics(
    settings: &KafkaSettings,
    topics: &[TopicSpec],
    patience: Duration,
) -> Result<BTreeMap<String, i32>, KafkaError> {
    let asking = settings.clone();
    let wanted = topics.to_vec();
    let (mut partitions, missing) = blocking(move |waiting| {
        let client = consumer(&asking.admin())?;
        let mut partitions = BTreeMap::new();
        let mut missing = Vec::new();
        for topic in wanted {
            match describe(&client, &asking.bootstrap_servers, &topic.name, patience, waiting)? {
                TopicState::Present { partitions: count } => drop(partitions.insert(topic.name, count)),
                TopicState::Missing => missing.push(topic),
            }
        }
        Ok((partitions, missing))
    })
    .await?;
    if !missing.is_empty() {
        create(settings, &missing, patience).await?;
        partitions.extend(await_leaders(settings, missing, patience).await?);
    }
    Ok(partitions)
}

async fn create(settings: &KafkaSettings, topics: &[TopicSpec], patience: Duration) -> Result<(), KafkaError> {
    let config = settings.admin();
    let client: AdminClient<ClientEvents> =
        config.create_with_context(ClientEvents::default()).map_err(KafkaError::configuration)?;
    let new = topics.iter().map(|topic| {
        // -1 leaves it to the broker.
        let replication = TopicReplication::Fixed(topic.replication_factor.unwrap_or(-1));
        NewTopic::new(&topic.name, topic.partitions, replication).set("cleanup.policy", topic.cleanup.value())
    });
    let new: Vec<_> = new.collect();
    let options = AdminOptions::new().request_timeout(Some(patience)).operation_timeout(Some(patience));
    let answer = client.create_topics(&new, &options).await;
    // The client waits for its thread when it is dropped.
    tokio::task::spawn_blocking(move || drop(client));
    let partitions = |name: &str| topics.iter().find(|topic| topic.name == name).map_or(0, |topic| topic.partitions);
    let refused = |topic: String, source| KafkaError::NotCreated { partitions: partitions(&topic), topic, source };
    let first = || topics.first().map(|topic| topic.name.clone()).unwrap_or_default();
    for result in answer.map_err(|error| refused(first(), error.into()))? {
        match result {
            Ok(topic) => tracing::info!(topic, "created a topic"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(refused(topic, code.into())),
        }
    }
    Ok(())
}

/// Whether a topic exists, to see that Kafka can be reached; creates nothing.
///
/// # Errors
///
/// [`KafkaError::Unreachable`] after `patience` without an answer; [`KafkaError::Topic`] if it may not be described.
pub async fn topic_exists(settings: &KafkaSettings, topic: &str, patience: Duration) -> Result<bool, KafkaError> {
    let (settings, topic) = (settings.clone(), topic.to_owned());
    blocking(move |waiting| {
        let client = consumer(&settings.admin())?;
        let state = describe(&client, &settings.bootstrap_servers, &topic, patience, waiting)?;
        Ok(matches!(state, TopicState::Present { .. }))
    })
    .await
}

/// The names of all topics, in their order.
///
/// # Errors
///
/// [`KafkaError::Unreachable`] after `patience` without an answer.
pub async fn topic_names(settings: &KafkaSettings, patience: Duration) -> Result<Vec<String>, KafkaError> {
    let settings = settings.clone();
    blocking(move |waiting| {
        let client = consumer(&settings.admin())?;
        let start = Instant::now();
        loop {
            waiting.check()?;
            match client.fetch_metadata(None, METADATA_STEP) {
                Ok(metadata) => {
                    let mut names: Vec<_> = metadata.topics().iter().map(|topic| topic.name().to_owned()).collect();
                    names.sort();
                    return Ok(names);
                }
                Err(error) => tracing::debug!(error = %Cause::from(error), "asking for all topics"),
            }
            let waited = start.elapsed();
            if waited >= patience {
                let (bootstrap, source) = (settings.bootstrap_servers.clone(), client.context().broker_error());
                return Err(KafkaError::Unreachable { bootstrap, waited, source });
            }
            listen(&client, CREATION_PAUSE);
        }
    })
    .await
}

/// Waits until topics that were just created can be used.
async fn await_leaders(
    settings: &KafkaSettings,
    topics: Vec<TopicSpec>,
    patience: Duration,
) -> Result<BTreeMap<String, i32>, KafkaError> {
    let settings = settings.clone();
    blocking(move |waiting| {
        let client = consumer(&settings.admin())?;
        let start = Instant::now();
        let mut partitions = BTreeMap::new();
        for TopicSpec { name, .. } in topics {
            let count = loop {
                let state = describe(&client, &settings.bootstrap_servers, &name, patience, waiting)?;
                if let TopicState::Present { partitions } = state {
                    break partitions;
                }
                if start.elapsed() >= patience {
                    let source = Cause::from(RDKafkaErrorCode::UnknownTopicOrPartition);
                    return Err(KafkaError::Topic { topic: name, source });
                }
                std::thread::sleep(CREATION_PAUSE);
            };
            partitions.insert(name, count);
        }
        Ok(partitions)
    })
    .await
}

/// Asks for a topic until there is an answer, or until `patience` is over.
pub(super) fn describe(
    client: &BaseConsumer<ClientEvents>,
    bootstrap: &str,
    topic: &str,
    patience: Duration,
    waiting: &Waiting,
) -> Result<TopicState, KafkaError> {
    let refused = |source: Cause| KafkaError::Topic { topic: topic.to_owned(), source };
    if !is_topic_name(topic) {
        return Err(refused(RDKafkaErrorCode::InvalidTopic.into()));
    }
    let start = Instant::now();
    loop {
        waiting.check()?;
        let step = METADATA_STEP.min(patience.saturating_sub(start.elapsed()));
        let mut obstacle = None;
        match client.fetch_metadata(Some(topic), step) {
            Ok(metadata) => {
                let found = metadata.topics().iter().find(|found| found.name() == topic);
                match found.and_then(|found| found.error()).map(RDKafkaErrorCode::from) {
                    Some(RDKafkaErrorCode::UnknownTopicOrPartition) => return Ok(TopicState::Missing),
                    Some(RDKafkaErrorCode::LeaderNotAvailable) => {}
                    Some(code) => return Err(refused(code.into())),
                    None => {
                        let partitions = found.map_or(&[][..], |found| found.partitions());
                        if !partitions.is_empty() && partitions.iter().all(|partition| partition.leader() >= 0) {
                            return Ok(TopicState::Present {
                                partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
                            });
                        }
                    }
                }
                obstacle = Some(Cause::from(RDKafkaErrorCode::LeaderNotAvailable));
            }
            Err(error) => tracing::debug!(topic, error = %Cause::from(error), "asking for a topic"),
        }
        listen(client, CREATION_PAUSE);
        let waited = start.elapsed();
        if waited >= patience {
            let source = obstacle.or_else(|| client.context().broker_error());
            return Err(KafkaError::Unreachable { bootstrap: bootstrap.to_owned(), waited, source });
        }
    }
}

/// Pauses, and meanwhile hears what the connections have to say.
fn listen(client: &BaseConsumer<ClientEvents>, pause: Duration) {
    let start = Instant::now();
    while let Some(remaining) = pause.checked_sub(start.elapsed()) {
        client.poll(remaining);
    }
}

/// Whether Kafka takes a name for a topic (`org.apache.kafka.common.internals.Topic.validate`).
fn is_topic_name(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

impl CleanupPolicy {
    /// The property's value.
    fn value(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Delete => "delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_topic_names() {
        for name in ["a", "github.issues", "A-b_c.9", &"x".repeat(249)] {
            assert!(is_topic_name(name), "{name}");
        }
        for name in ["", ".", "..", "a b", "a/b", "a\0", "é", &"x".repeat(250)] {
            assert!(!is_topic_name(name), "{name}");
        }
    }
}
