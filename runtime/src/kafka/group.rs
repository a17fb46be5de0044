//! Membership of the consumer group that shares the partitions of the offsets topic out among the instances of a connector:
//! cooperatively (KIP-429), by the classic protocol or by the one of KIP-848.
//!
//! The member reads nothing: its partitions are paused. A thread of its own serves it, whatever else goes on, so that
//! `max.poll.interval.ms` is never missed; partitions that the group asks for are given back when [`Group::release`] is
//! called, and heartbeats go on meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError as NativeKafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::blocking::blocking;
use super::error::{Cause, KafkaError};
use super::events::ClientEvents;
use super::settings::KafkaSettings;

/// How often the thread sees whether it is still wanted.
const POLL_STEP: Duration = Duration::from_millis(250);

/// How long leaving may take: then the group notices by itself.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What has become of partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// They are this member's from now on. None is also told: the member has joined, and there are none for it.
    Assigned(BTreeSet<i32>),
    /// They are to be given back; [`Group::release`] says that they are free.
    Revoked(BTreeSet<i32>),
    /// They are others', because the group has not heard of this member for too long.
    Lost(BTreeSet<i32>),
}

/// A member of a consumer group.
pub struct Group {
    consumer: Option<Arc<BaseConsumer<Member>>>,
    changes: mpsc::UnboundedReceiver<Result<Change, KafkaError>>,
    topic: String,
    thread: Option<JoinHandle<()>>,
}

impl Group {
    /// Joins the group `id` for the partitions of `topic`, which must exist. Which are this member's, [`Self::next`] says.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong.
    pub async fn join(settings: &KafkaSettings, id: &str, topic: &str) -> Result<Self, KafkaError> {
        let (sender, changes) = mpsc::unbounded_channel();
        let member = Member {
            events: ClientEvents::default(),
            changes: sender.clone(),
            asked: Mutex::default(),
            is_leaving: AtomicBool::new(false),
        };
        let (config, id, topic) = (settings.member(id), id.to_owned(), topic.to_owned());
        blocking(move |_| {
            let consumer: BaseConsumer<Member> =
                config.create_with_context(member).map_err(KafkaError::configuration)?;
            consumer.subscribe(&[&topic]).map_err(|error| refused(&id, error.into()))?;
            let consumer = Arc::new(consumer);
            let thread = std::thread::Builder::new().name("kafka-group".to_owned()).spawn({
                let consumer = Arc::clone(&consumer);
                move || serve(&consumer, &id, &sender)
            });
            let thread = thread.map_err(|error| KafkaError::Fatal {
                operation: "start its thread",
                source: Cause::of_ours(error.to_string()),
            })?;
            Ok(Self { consumer: Some(consumer), changes, topic, thread: Some(thread) })
        })
        .await
    }

    /// What becomes of the partitions next.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Group`] or [`KafkaError::Denied`] if the group does not take this member.
    pub async fn next(&mut self) -> Result<Change, KafkaError> {
        // The sender lives as long as the thread, which lives as long as this.
        self.changes.recv().await.unwrap_or(Err(KafkaError::Interrupted))
    }

    /// Gives back what was [`Change::Revoked`] last.
    ///
    /// # Errors
    ///
    /// If librdkafka does not know of it.
    pub async fn release(&self) -> Result<(), KafkaError> {
        let Some(consumer) = self.consumer.clone() else { return Ok(()) };
        blocking(move |_| match consumer.context().asked().take() {
            Some(asked) => consumer
                .incremental_unassign(&asked)
                .map_err(|error| KafkaError::Fatal { operation: "give back partitions", source: error.into() }),
            None => Ok(()),
        })
        .await
    }

    /// What asks the group whether partitions are this member's.
    pub fn confirmation(&self) -> Confirmation {
        let consumer = self.consumer.as_ref().map(Arc::downgrade).unwrap_or_default();
        Confirmation { consumer, topic: self.topic.clone() }
    }
    /// Leaves the group, so that others take over at once; a static member (KIP-345) keeps its place for the session.
    pub async fn leave(mut self) {
        self.end();
        let Some(thread) = self.thread.take() else { return };
        let left = tokio::task::spawn_blocking(move || thread.join());
        if tokio::time::timeout(LEAVE_TIMEOUT, left).await.is_err() {
            tracing::warn!("the consumer group has not answered; it notices by itself that this member has left");
        }
    }

    fn end(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.context().is_leaving.store(true, Ordering::Release);
        }
    }
}

/// Asks the group whether partitions are this member's.
#[derive(Clone)]
pub struct Confirmation {
    consumer: Weak<BaseConsumer<Member>>,
    topic: String,
}

impl Confirmation {
    /// Whether the group says so: asked by committing an offset that nobody reads, which the coordinator takes of members of
    /// the current generation only. A member that was not heard of learns by it that it is none.
    pub async fn of(&self, partition: i32) -> bool {
        let Some(consumer) = self.consumer.upgrade() else { return false };
        let mut offset = TopicPartitionList::new();
        if offset.add_partition_offset(&self.topic, partition, Offset::Offset(0)).is_err() {
            return false;
        }
        let confirmed = blocking(move |_| Ok(consumer.commit(&offset, CommitMode::Sync).map_err(Cause::from))).await;
        match confirmed {
            Ok(Ok(())) => true,
            Ok(Err(cause)) => {
                tracing::debug!(partition, %cause, "the group does not say that the partition is this member's");
                false
            }
            Err(_) => false,
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Serves a member until it leaves. Whoever drops the consumer last leaves the group.
fn serve(consumer: &BaseConsumer<Member>, id: &str, changes: &mpsc::UnboundedSender<Result<Change, KafkaError>>) {
    while !consumer.context().is_leaving.load(Ordering::Acquire) {
        // What was fetched before the partitions were paused is nobody's.
        let Some(Err(error)) = consumer.poll(POLL_STEP) else { continue };
        let is_fatal = matches!(error, NativeKafkaError::MessageConsumptionFatal(_));
        let cause = Cause::from(error);
        if is_fatal || cause.code().is_some_and(is_final) {
            // That nobody listens says that the member is about to leave.
            let _ = changes.send(Err(refused(id, cause)));
        } else {
            tracing::debug!(group = id, %cause, "the consumer group");
        }
    }
}

/// Whether an error will not go away by waiting.
fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::InvalidGroupId
            | RDKafkaErrorCode::InconsistentGroupProtocol
            | RDKafkaErrorCode::GroupMaxSizeReached
            | RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::UnsupportedFeature
    )
}

/// Why a group does not take or show a member.
pub(super) fn refused(id: &str, source: Cause) -> KafkaError {
    if source.code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) {
        let resource = format!("the consumer group `{id}`");
        return KafkaError::Denied { operation: "read", resource, source: None };
    }
    KafkaError::Group { group: id.to_owned(), source }
}

/// What the member hears from librdkafka.
struct Member {
    events: ClientEvents,
    changes: mpsc::UnboundedSender<Result<Change, KafkaError>>,
    /// What the group has asked for and not been given back yet.
    asked: Mutex<Option<TopicPartitionList>>,
    /// Whether nobody waits for changes any more.
    is_leaving: AtomicBool,
}

impl Member {
    /// Nobody leaves it half written.
    fn asked(&self) -> MutexGuard<'_, Option<TopicPartitionList>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.events.log(level, facility, message);
    }

    fn error(&self, error: NativeKafkaError, reason: &str) {
        self.events.error(error, reason);
    }
}

impl ConsumerContext for Member {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions = list.elements().iter().map(|element| element.partition()).collect();
        let (change, outcome) = if what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let assigned = consumer.incremental_assign(list).and_then(|()| consumer.pause(list));
            (Change::Assigned(partitions), assigned)
        } else if consumer.assignment_lost() || self.is_leaving.load(Ordering::Acquire) {
            self.asked().take();
            (Change::Lost(partitions), consumer.incremental_unassign(list))
        } else {
            *self.asked() = Some(list.clone());
            (Change::Revoked(partitions), Ok(()))
        };
        let outcome = outcome.map_err(|error| KafkaError::Fatal { operation: "take partitions", source: error.into() });
        // That nobody listens says that the member is about to leave.
        let _ = self.changes.send(outcome.map(|()| change));
    }
}
