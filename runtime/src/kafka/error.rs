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
    /// Whether another producer has taken over. Whoever is told so must stop, not start again.
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

    /// What a user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => {
                Some("check `bootstrap.servers`, and `security.protocol` if it is not plaintext")
            }
            Self::Fenced { .. } => Some("two instances run under the same name; stop one of them or rename it"),
            Self::RecordTooLarge { .. } => {
                Some("raise `producer.override.message.max.bytes`, and `max.message.bytes` of the topic")
            }
            Self::Topic { source, .. } if source.code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                Some("allow the connector's principal to create, describe, read and write the topic")
            }
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
        match error.rdkafka_error_code() {
            Some(code) => code.into(),
            None => Self::of_ours(error.to_string()),
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
