//! What can go wrong with Kafka, by what to do about it.

use std::fmt;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use thiserror::Error;

/// A failed use of Kafka.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// A property is unknown to librdkafka, has a value that it does not take, or contradicts another.
    #[error("the Kafka client does not accept its configuration: {reason}")]
    Configuration {
        /// What it objects to. Never the value of a password.
        reason: String,
    },
    /// No broker answered in time.
    #[error("Kafka at `{bootstrap}` did not answer within {waited:.1?}")]
    Unreachable {
        /// The brokers that were tried.
        bootstrap: String,
        /// How long.
        waited: Duration,
        /// The last thing that was heard of them.
        source: Option<Cause>,
    },
    /// Another producer has taken over the transactional id. Nothing of this one's open transaction will be seen.
    #[error("another instance has taken over the transactional id `{transactional_id}`")]
    Fenced {
        /// The id that both use.
        transactional_id: String,
        /// How it was noticed.
        source: Cause,
    },
    /// Not all records since the last commit have arrived. Abort, restore the position, and replay from it.
    #[error("records could not be delivered, so that they must be discarded and sent again")]
    Abortable {
        /// What went wrong first.
        source: Cause,
    },
    /// The call did not finish in time, and goes on in the background: the same call must be repeated until it has an
    /// outcome, or the producer dropped and a new one connected, which settles the outcome too.
    #[error("Kafka has not finished to {operation} in time")]
    Retriable {
        /// What was asked for.
        operation: &'static str,
        /// What stands in its way.
        source: Cause,
    },
    /// The producer is of no further use. Drop it, connect a new one, restore the position, and go on from it.
    #[error("the Kafka producer cannot {operation}")]
    Fatal {
        /// What was asked for.
        operation: &'static str,
        /// Why.
        source: Cause,
    },
    /// A topic does not exist and could not be created, or may not be used.
    #[error("topic `{topic}` cannot be used")]
    Topic {
        /// The topic.
        topic: String,
        /// Why.
        source: Cause,
    },
    /// A topic does not exist, and the brokers do not create it.
    #[error("topic `{topic}` does not exist, and Kafka does not create it with {partitions} partitions")]
    NotCreated {
        /// The topic.
        topic: String,
        /// Its partitions, as asked for.
        partitions: i32,
        /// Why not.
        source: Cause,
    },
    /// The connector's principal lacks a permission.
    #[error("Kafka does not allow the connector's principal to {operation} {resource}")]
    Denied {
        /// What is not allowed.
        operation: &'static str,
        /// With what.
        resource: String,
        /// How it was noticed, if not by asking.
        source: Option<Cause>,
    },
    /// A topic that holds what a connector goes on from forgets that by its age.
    #[error(
        "the topic `{topic}` is not compacted: its `cleanup.policy` is `{policy}`, so that what it holds would be lost"
    )]
    NotCompacted {
        /// The topic.
        topic: String,
        /// What it does with old records.
        policy: String,
    },
    /// The offsets topic has another number of partitions than when the connector first used it, so that positions are not
    /// where they are looked for.
    #[error(
        "the offsets topic `{topic}` has {now} partitions, but had {before} when the connector `{connector}` began to use it"
    )]
    Repartitioned {
        /// The topic.
        topic: String,
        /// The connector whose positions it holds.
        connector: String,
        /// Its partitions then.
        before: i32,
        /// Its partitions now.
        now: i32,
    },
    /// The consumer group does not take this instance.
    #[error("the consumer group `{group}` cannot be joined")]
    Group {
        /// The group.
        group: String,
        /// Why not.
        source: Cause,
    },
    /// Instances of the connector run.
    #[error("the connector runs: its consumer group `{group}` has members at {}", hosts.join(", "))]
    Running {
        /// The group.
        group: String,
        /// Where its members are.
        hosts: Vec<String>,
    },
    /// The brokers know no transactions.
    #[error("the brokers have no transactions")]
    NoTransactions {
        /// What was heard of them.
        source: Cause,
    },
    /// The brokers answer, but nobody among them coordinates transactions.
    #[error("Kafka at `{bootstrap}` answers, but not its transaction coordinator, within {waited:.1?}")]
    NoCoordinator {
        /// The brokers that were tried.
        bootstrap: String,
        /// How long.
        waited: Duration,
        /// The last thing that was heard of it.
        source: Cause,
    },
    /// A record that is larger than the producer is configured to send. Sending it again will not help.
    #[error("a record of {bytes} bytes for topic `{topic}` is larger than `message.max.bytes`")]
    RecordTooLarge {
        /// The record's topic.
        topic: String,
        /// Size of its key and value.
        bytes: usize,
    },
    /// The process is shutting down.
    #[error("shut down while waiting for Kafka")]
    Interrupted,
}

impl KafkaError {
    /// Whether another producer has taken over. Whoever is told so must not go on before it is sure to be the owner.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Fenced { .. })
    }

    /// Whether the records since the last commit must be discarded with [`Producer::abort`](super::Producer::abort),
    /// after which the producer can be used again.
    pub fn requires_abort(&self) -> bool {
        matches!(self, Self::Abortable { .. })
    }

    /// Whether the same call can be made again.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retriable { .. } | Self::Unreachable { .. })
    }

    /// Whether a producer that cannot be connected now may be later.
    pub fn is_passing(&self) -> bool {
        self.is_retryable()
            || matches!(
                self,
                Self::NoCoordinator { .. } | Self::Abortable { .. } | Self::Fatal { .. } | Self::Fenced { .. }
            )
    }

    /// Whether it is what was configured, of the connector or of Kafka, that stands in the way.
    pub fn is_of_configuration(&self) -> bool {
        match self {
            Self::Configuration { .. }
            | Self::Unreachable { .. }
            | Self::NotCreated { .. }
            | Self::Denied { .. }
            | Self::NotCompacted { .. }
            | Self::Repartitioned { .. }
            | Self::Group { .. }
            | Self::Running { .. }
            | Self::NoTransactions { .. }
            | Self::NoCoordinator { .. } => true,
            Self::Topic { .. } => self.is_denied(),
            Self::Fenced { .. }
            | Self::Abortable { .. }
            | Self::Retriable { .. }
            | Self::Fatal { .. }
            | Self::RecordTooLarge { .. }
            | Self::Interrupted => false,
        }
    }

    /// Whether a topic may not be used.
    fn is_denied(&self) -> bool {
        matches!(self, Self::Topic { source, .. } if source.code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed))
    }

    /// What a user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => {
                Some("check `bootstrap.servers`, and `security.protocol` if it is not plaintext")
            }
            Self::Fenced { .. } => Some("another process works under the same name; stop one of them or rename it"),
            Self::RecordTooLarge { .. } => {
                Some("raise `producer.override.message.max.bytes`, and `max.message.bytes` of the topic")
            }
            Self::Topic { .. } if self.is_denied() => {
                Some("allow the connector's principal to create, describe, read and write the topic")
            }
            Self::NotCreated { .. } => Some(
                "create it, an offsets topic with `cleanup.policy=compact`, or allow the connector's principal to create \
                 topics",
            ),
            Self::Denied { .. } => Some(
                "the principal needs `Read` and `Write` on the offsets topic, `Write` on the topics of records and errors, \
                 `Read` on the consumer group, and `Write` and `Describe` on transactional ids that begin with `headwater-`",
            ),
            Self::NotCompacted { .. } => Some(
                "set `cleanup.policy=compact` on it, or name another topic with `offset.storage.topic` or `snapshot.storage.topic`",
            ),
            Self::Repartitioned { .. } => Some(
                "its number of partitions must not change; name a new topic with `offset.storage.topic` and set the positions \
                 in it, or give the connector another name to read everything again",
            ),
            Self::Group { .. } => Some(
                "every instance of the connector needs the same `group.protocol`, which the brokers have to know, and a \
                 `group.instance.id` of its own or none",
            ),
            Self::Running { .. } => {
                Some("stop its instances first; one that was killed counts until its session is over")
            }
            Self::NoTransactions { .. } => Some(
                "set `exactly.once.support` to `requested` or `disabled`: records may then be there twice after a crash",
            ),
            Self::NoCoordinator { .. } => Some(
                "the brokers keep transactions in a topic of their own: are there as many of them as \
                 `transaction.state.log.replication.factor` says, 3 by default?",
            ),
            _ => None,
        }
    }

    /// From an error of rdkafka while a client was made.
    pub(super) fn configuration(error: rdkafka::error::KafkaError) -> Self {
        use rdkafka::error::KafkaError as Native;
        let reason = match error {
            // The fourth field is the value, which may be a secret.
            Native::ClientConfig(_, reason, property, _) => {
                if reason.contains(&format!("\"{property}\"")) {
                    reason
                } else {
                    format!("`{property}`: {reason}")
                }
            }
            Native::ClientCreation(reason) => reason,
            Native::Nul(_) => "a property contains a NUL character".to_owned(),
            other => other.to_string(),
        };
        Self::Configuration { reason }
    }
}

/// What librdkafka says of an error.
#[derive(Clone, Debug)]
pub struct Cause {
    code: Option<RDKafkaErrorCode>,
    message: String,
}

impl Cause {
    pub(super) fn new(code: RDKafkaErrorCode, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: message.into() }
    }

    /// An objection of our own.
    pub(super) fn of_ours(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into() }
    }

    pub(super) fn code(&self) -> Option<RDKafkaErrorCode> {
        self.code
    }
}

impl From<RDKafkaErrorCode> for Cause {
    fn from(code: RDKafkaErrorCode) -> Self {
        Self::new(code, code.to_string())
    }
}

impl From<rdkafka::error::KafkaError> for Cause {
    fn from(error: rdkafka::error::KafkaError) -> Self {
        match (error.rdkafka_error_code(), error) {
            (Some(code), _) | (None, rdkafka::error::KafkaError::AdminOp(code)) => code.into(),
            (None, error) => Self::of_ours(error.to_string()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_configuration_names_the_property_but_not_its_value() {
        for (property, message) in [
            ("sasl.no.such", "No such configuration property: \"sasl.no.such\""),
            ("sasl.jaas.config", "`sasl.jaas.config`: Java JAAS configuration is not supported"),
        ] {
            let mut config = rdkafka::ClientConfig::new();
            config.set(property, "s3cr3t");
            let error = KafkaError::configuration(config.create_native_config().err().unwrap()).to_string();
            let start = format!("the Kafka client does not accept its configuration: {message}");
            assert!(error.starts_with(&start) && !error.contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn says_what_to_do() {
        let cause = Cause::from(RDKafkaErrorCode::Fenced);
        let fenced = KafkaError::Fenced { transactional_id: "orders".to_owned(), source: cause.clone() };
        assert!(fenced.is_fenced() && !fenced.requires_abort() && !fenced.is_retryable());
        assert_eq!(fenced.to_string(), "another instance has taken over the transactional id `orders`");
        assert!(KafkaError::Abortable { source: cause.clone() }.requires_abort());
        assert!(KafkaError::Retriable { operation: "commit", source: cause }.is_retryable());
    }
}
