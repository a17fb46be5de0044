//! Records on their way to Kafka, with or without transactions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use super::blocking::{Waiting, blocking};
use super::error::{Cause, KafkaError};
use super::native::{Enqueued, NativeProducer, TransactionError};
use super::progress::Progress;
use super::settings::KafkaSettings;

/// How long a full queue is left to drain before the next try. At a million records per second the queue holds many
/// times as much, so that this never lets the network idle.
const ROOM_PAUSE: Duration = Duration::from_millis(2);

/// How long one wait for the brokers lasts before it is seen whether anybody still waits.
const CONNECT_STEP: Duration = Duration::from_millis(500);

/// Pause before a call is repeated that failed at once and may be repeated.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What a producer promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Records between two commits are seen by `read_committed` consumers all or not at all, and once (KIP-98).
    ExactlyOnce {
        /// Names the producer. Whoever connects with it next fences this one.
        transactional_id: String,
        /// How long a transaction may stay open before the broker aborts it: `transaction.timeout.ms`. At most the
        /// broker's `transaction.max.timeout.ms`, 15 minutes by default.
        transaction_timeout: Duration,
    },
    /// Records are seen as they arrive, and again if they are sent again. For brokers, or permissions, without
    /// transactions.
    AtLeastOnce,
}

/// A record to write.
#[derive(Clone, Copy, Debug)]
pub struct ProducerRecord<'a> {
    /// Where to.
    pub topic: &'a str,
    /// Its partition; `None`: by the key, as Kafka's own clients choose, or any if it has none.
    pub partition: Option<i32>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since 1970-01-01T00:00:00Z; `None`: now.
    pub timestamp: Option<i64>,
    /// What is said of it beside the value.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// Whether there was room for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a record that found no room is not sent"]
pub enum TrySend {
    /// A copy of it is in the queue.
    Queued,
    /// The queue is full. The record is not in it.
    Full,
}

/// Writes records. Cheap to clone; one transaction at a time.
///
/// Records that were queued are sent by threads of librdkafka. If one cannot be delivered, the next commit fails.
/// Dropping the last clone discards what has not been committed.
#[derive(Clone)]
pub struct Producer {
    native: Arc<NativeProducer>,
    delivery: Arc<Delivery>,
}

impl Producer {
    /// Connects a producer, and with [`Delivery::ExactlyOnce`] fences the one before and finishes its transaction.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Unreachable`] or [`KafkaError::NoCoordinator`] if that is not done within `patience`;
    /// [`KafkaError::NoTransactions`] or [`KafkaError::Denied`] if the brokers know no transactions or do not allow them; or
    /// if the configuration is wrong.
    pub async fn connect(settings: &KafkaSettings, delivery: Delivery, patience: Duration) -> Result<Self, KafkaError> {
        let config = match &delivery {
            Delivery::ExactlyOnce { transactional_id, transaction_timeout } => {
                settings.transactional_producer(transactional_id, *transaction_timeout)
            }
            Delivery::AtLeastOnce => settings.producer(),
        };
        let bootstrap = settings.bootstrap_servers.clone();
        blocking(move |waiting| {
            let producer = Self { native: Arc::new(NativeProducer::start(&config)?), delivery: Arc::new(delivery) };
            producer.reach(&bootstrap, patience, waiting)?;
            Ok(producer)
        })
        .await
    }

    fn reach(&self, bootstrap: &str, patience: Duration, waiting: &Waiting) -> Result<(), KafkaError> {
        let start = Instant::now();
        loop {
            waiting.check()?;
            let step = CONNECT_STEP.min(patience.saturating_sub(start.elapsed()));
            let obstacle = match *self.delivery {
                Delivery::ExactlyOnce { .. } => match self.native.init_transactions(step) {
                    Ok(()) => return Ok(()),
                    Err(error) if error.retriable => Some(Cause::new(error.code, error.message)),
                    Err(error) => return Err(self.not_begun(error)),
                },
                Delivery::AtLeastOnce if self.native.reaches_broker(step) => return Ok(()),
                Delivery::AtLeastOnce => None,
            };
            let waited = start.elapsed();
            if waited >= patience {
                let bootstrap = bootstrap.to_owned();
                if let Some(source) = obstacle.clone().filter(|_| self.native.reaches_broker(CONNECT_STEP)) {
                    return Err(KafkaError::NoCoordinator { bootstrap, waited, source });
                }
                let source = self.native.events().broker_error().or(obstacle);
                return Err(KafkaError::Unreachable { bootstrap, waited, source });
            }
            std::thread::sleep(RETRY_PAUSE.min(patience.saturating_sub(waited)));
        }
    }

    /// Why there are no transactions for this producer.
    fn not_begun(&self, error: TransactionError) -> KafkaError {
        let source = self.native.fatal_error().unwrap_or_else(|| Cause::new(error.code, error.message.clone()));
        match (source.code(), &*self.delivery) {
            (Some(RDKafkaErrorCode::UnsupportedFeature), _) => KafkaError::NoTransactions { source },
            (
                Some(
                    RDKafkaErrorCode::TransactionalIdAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed,
                ),
                Delivery::ExactlyOnce { transactional_id, .. },
            ) => KafkaError::Denied {
                operation: "use",
                resource: format!("the transactional id `{transactional_id}`"),
                source: Some(source),
            },
            _ => self.failed("begin transactions", error),
        }
    }

    /// Whether records between two commits are seen all or not at all.
    pub fn is_transactional(&self) -> bool {
        matches!(*self.delivery, Delivery::ExactlyOnce { .. })
    }

    /// Begins a transaction. Without transactions this does nothing.
    ///
    /// # Errors
    ///
    /// If the producer has been fenced or is otherwise of no further use.
    pub fn begin(&self) -> Result<(), KafkaError> {
        self.native.events().forget_failures();
        match *self.delivery {
            Delivery::ExactlyOnce { .. } => {
                self.native.begin_transaction().map_err(|error| self.failed("begin a transaction", error))
            }
            Delivery::AtLeastOnce => Ok(()),
        }
    }

    /// Queues a copy of a record, if there is room.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    pub fn try_send(&self, record: &ProducerRecord<'_>) -> Result<TrySend, KafkaError> {
        match self.native.enqueue(record) {
            Enqueued::Yes => Ok(TrySend::Queued),
            Enqueued::Full => Ok(TrySend::Full),
            Enqueued::Refused(code) => Err(self.refused(record, code)),
        }
    }

    /// Queues a copy of a record, and waits for room if there is none. Whether it arrived, the commit says.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Abortable`] if an earlier record of the transaction has failed, [`KafkaError::RecordTooLarge`] or
    /// [`KafkaError::Topic`] if this one can never be sent; or if the producer is of no further use.
    pub async fn send(&self, record: ProducerRecord<'_>) -> Result<(), KafkaError> {
        while self.try_send(&record)? == TrySend::Full {
            tokio::time::sleep(ROOM_PAUSE).await;
        }
        Ok(())
    }

    /// Has the transaction under way also say how far a consumer group has come in a topic (KIP-98). The members of the group, if
    /// it has any, are not asked.
    ///
    /// # Errors
    ///
    /// As [`Producer::commit`].
    pub async fn send_progress(&self, progress: &Progress, timeout: Duration) -> Result<(), KafkaError> {
        let (producer, progress) = (self.clone(), progress.clone());
        blocking(move |_| {
            producer.repeat("commit how far it has read", timeout, |remaining| {
                producer.native.send_progress(&progress, remaining)
            })
        })
        .await
    }

    /// Waits until all records since the last commit have arrived, and commits the transaction.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Abortable`] if not all have arrived; [`KafkaError::Retriable`] if it is not done within `timeout`:
    /// then only another `commit` is allowed. An error never stands for a success, except that of a producer that is of
    /// no further use: then the position in Kafka says how far it has come.
    pub async fn commit(&self, timeout: Duration) -> Result<(), KafkaError> {
        let producer = self.clone();
        blocking(move |_| match *producer.delivery {
            Delivery::ExactlyOnce { .. } => {
                producer.repeat("commit", timeout, |remaining| producer.native.commit_transaction(remaining))
            }
            Delivery::AtLeastOnce => producer.arrive("commit", timeout),
        })
        .await
    }

    /// Discards the records since the last commit. Without transactions those that were sent cannot be taken back; this
    /// then waits until they have arrived or failed.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Retriable`] if it is not done within `timeout`: then only another `abort` is allowed; or if the
    /// producer is of no further use.
    pub async fn abort(&self, timeout: Duration) -> Result<(), KafkaError> {
        let producer = self.clone();
        blocking(move |_| match *producer.delivery {
            Delivery::ExactlyOnce { .. } => {
                producer.repeat("abort", timeout, |remaining| producer.native.abort_transaction(remaining))
            }
            Delivery::AtLeastOnce => match producer.arrive("abort", timeout) {
                Err(KafkaError::Abortable { .. }) => Ok(()),
                outcome => outcome,
            },
        })
        .await
    }

    /// Repeats a call as long as it may be repeated and there is time.
    fn repeat(
        &self,
        operation: &'static str,
        timeout: Duration,
        call: impl Fn(Duration) -> Result<(), TransactionError>,
    ) -> Result<(), KafkaError> {
        let start = Instant::now();
        loop {
            let Err(error) = call(timeout.saturating_sub(start.elapsed())) else { return Ok(()) };
            if !error.retriable || start.elapsed() >= timeout {
                return Err(self.failed(operation, error));
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    /// Waits until every record has arrived.
    fn arrive(&self, operation: &'static str, timeout: Duration) -> Result<(), KafkaError> {
        let flushed = self.native.flush(timeout);
        if let Some(source) = self.native.fatal_error() {
            return Err(KafkaError::Fatal { operation, source });
        }
        if !flushed {
            let waiting = || Cause::of_ours("records are still on their way");
            let source = self.native.events().broker_error().unwrap_or_else(waiting);
            return Err(KafkaError::Retriable { operation, source });
        }
        match self.native.events().first_failure() {
            Some(source) => Err(KafkaError::Abortable { source }),
            None => Ok(()),
        }
    }

    /// What an error of a transaction means.
    fn failed(&self, operation: &'static str, error: TransactionError) -> KafkaError {
        let mut source = Cause::new(error.code, error.message);
        if error.code == RDKafkaErrorCode::Inconsistent {
            // It only counts the records that failed.
            source = self.native.events().first_failure().unwrap_or(source);
        }
        if error.fatal || is_fencing(error.code) {
            self.ended(operation, source)
        } else if error.requires_abort {
            KafkaError::Abortable { source }
        } else if error.retriable {
            KafkaError::Retriable { operation, source }
        } else {
            KafkaError::Fatal { operation, source }
        }
    }

    /// Why a record was not queued.
    fn refused(&self, record: &ProducerRecord<'_>, code: RDKafkaErrorCode) -> KafkaError {
        match code {
            RDKafkaErrorCode::Fatal => self.ended("send a record", code.into()),
            // The transaction has failed already.
            RDKafkaErrorCode::State => {
                KafkaError::Abortable { source: self.native.events().first_failure().unwrap_or_else(|| code.into()) }
            }
            RDKafkaErrorCode::MessageSizeTooLarge => KafkaError::RecordTooLarge {
                topic: record.topic.to_owned(),
                bytes: record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len),
            },
            _ => KafkaError::Topic { topic: record.topic.to_owned(), source: code.into() },
        }
    }

    /// The error of a producer that is of no further use.
    fn ended(&self, operation: &'static str, source: Cause) -> KafkaError {
        let source = self.native.fatal_error().unwrap_or(source);
        match &*self.delivery {
            Delivery::ExactlyOnce { transactional_id, .. } if source.code().is_some_and(is_fencing) => {
                KafkaError::Fenced { transactional_id: transactional_id.clone(), source }
            }
            _ => KafkaError::Fatal { operation, source },
        }
    }
}

/// Whether an error says that another producer has the transactional id.
fn is_fencing(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch)
}
