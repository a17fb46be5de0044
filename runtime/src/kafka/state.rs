//! Whether a connector is stopped: a record in the offsets topic, which every instance follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError as NativeKafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::blocking::blocking;
use super::error::KafkaError;
use super::events::ClientEvents;
use super::reader::consumer;
use super::settings::KafkaSettings;

/// How often the thread sees whether it is still wanted.
const POLL_STEP: Duration = Duration::from_secs(1);

/// What the connector is to do, in the words of Kafka Connect (KIP-875).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TargetState {
    Running,
    Stopped,
}

/// The record's value.
#[derive(Serialize, Deserialize)]
struct Said {
    state: TargetState,
}

/// The value that says whether a connector is stopped.
pub(super) fn said(is_stopped: bool) -> Vec<u8> {
    let state = if is_stopped { TargetState::Stopped } else { TargetState::Running };
    // It can be written.
    serde_json::to_vec(&Said { state }).unwrap_or_default()
}

/// Follows whether a connector is stopped, until it is dropped.
#[derive(Debug)]
pub struct Following {
    is_stopped: watch::Receiver<bool>,
    is_over: Arc<AtomicBool>,
}

impl Following {
    /// Whether it is.
    pub fn is_stopped(&self) -> bool {
        *self.is_stopped.borrow()
    }

    /// Waits until it is stopped and was not, or the other way round.
    pub async fn changed(&mut self) {
        if self.is_stopped.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Starts to follow the records of `key` in a partition; knows what has been said before this ends.
    pub(super) async fn start(
        settings: &KafkaSettings,
        topic: &str,
        partition: i32,
        key: Vec<u8>,
        patience: Duration,
    ) -> Result<Self, KafkaError> {
        let (sender, is_stopped) = watch::channel(false);
        let is_over = Arc::new(AtomicBool::new(false));
        let (known, knows) = tokio::sync::oneshot::channel();
        let (config, topic, over) = (settings.consumer(), topic.to_owned(), Arc::clone(&is_over));
        blocking(move |_| {
            let consumer = consumer(&config)?;
            let refused = |error: NativeKafkaError| KafkaError::Topic { topic: topic.clone(), source: error.into() };
            let mut assignment = TopicPartitionList::new();
            assignment.add_partition_offset(&topic, partition, Offset::Beginning).map_err(refused)?;
            consumer.assign(&assignment).map_err(refused)?;
            let thread = std::thread::Builder::new().name("kafka-state".to_owned());
            let thread = thread.spawn(move || follow(&consumer, &key, &sender, known, &over));
            thread.map(drop).map_err(|error| KafkaError::Fatal {
                operation: "start its thread",
                source: super::Cause::of_ours(error.to_string()),
            })
        })
        .await?;
        let following = Self { is_stopped, is_over };
        match tokio::time::timeout(patience, knows).await {
            Ok(_) => Ok(following),
            Err(_) => {
                let bootstrap = settings.bootstrap_servers.clone();
                Err(KafkaError::Unreachable { bootstrap, waited: patience, source: None })
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

/// Reads until nobody wants to know any more; tells `known` at the end of what is there.
fn follow(
    consumer: &BaseConsumer<ClientEvents>,
    key: &[u8],
    is_stopped: &watch::Sender<bool>,
    known: tokio::sync::oneshot::Sender<()>,
    is_over: &AtomicBool,
) {
    let (mut known, mut last) = (Some(known), false);
    while !is_over.load(Ordering::Acquire) {
        match consumer.poll(POLL_STEP) {
            Some(Ok(message)) if message.key() == Some(key) => {
                let said = message.payload().and_then(|value| serde_json::from_slice::<Said>(value).ok());
                last = said.is_some_and(|said| said.state == TargetState::Stopped);
                if known.is_none() {
                    is_stopped.send_if_modified(|it| std::mem::replace(it, last) != last);
                }
            }
            Some(Err(NativeKafkaError::PartitionEOF(_))) => {
                if let Some(known) = known.take() {
                    is_stopped.send_if_modified(|it| std::mem::replace(it, last) != last);
                    // That nobody listens ends the loop.
                    let _ = known.send(());
                }
            }
            Some(Err(error)) => tracing::debug!(error = %super::Cause::from(error), "following the connector's state"),
            Some(Ok(_)) | None => {}
        }
    }
}
