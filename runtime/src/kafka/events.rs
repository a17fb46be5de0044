//! What a client hears from librdkafka beside the answers to its calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::error::Cause;

/// Passes log lines on to `tracing`, and remembers what explains a later failure.
#[derive(Default)]
pub(super) struct ClientEvents {
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    broker_error: Option<Cause>,
    first_failure: Option<Cause>,
}

impl ClientEvents {
    /// The last error of a connection, for when nothing answers.
    pub(super) fn broker_error(&self) -> Option<Cause> {
        self.heard().broker_error.clone()
    }

    /// Notes that records could not be delivered.
    pub(super) fn note_failure(&self, cause: Cause) {
        self.heard().first_failure.get_or_insert(cause);
    }

    /// Why the first of the records failed that could not be delivered since [`Self::forget_failures`].
    pub(super) fn first_failure(&self) -> Option<Cause> {
        self.heard().first_failure.clone()
    }

    /// Begins anew.
    pub(super) fn forget_failures(&self) {
        self.heard().first_failure = None;
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for ClientEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        tracing::debug!(target: "librdkafka", "{}", String::from_utf8_lossy(statistics));
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        // The end of a partition is no error, and how many brokers are down says less than why.
        if code == RDKafkaErrorCode::PartitionEOF {
            return;
        }
        tracing::debug!(target: "librdkafka", %code, "{reason}");
        let mut heard = self.heard();
        if code != RDKafkaErrorCode::AllBrokersDown || heard.broker_error.is_none() {
            heard.broker_error = Some(Cause::new(code, reason));
        }
    }
}

impl ConsumerContext for ClientEvents {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_first_failure_and_why_brokers_are_down() {
        let events = ClientEvents::default();
        events.note_failure(Cause::of_ours("first"));
        events.note_failure(Cause::of_ours("second"));
        assert_eq!(events.first_failure().unwrap().to_string(), "first");
        events.forget_failures();
        assert!(events.first_failure().is_none());

        events.error(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), "connection refused");
        events.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(events.broker_error().unwrap().to_string(), "connection refused");
    }
}
