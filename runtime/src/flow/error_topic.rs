//! The topic of failed requests: a record after each that has failed for good, in the form of Confluent's reporter.

use super::definition::Definition;
use super::side_topic::SideTopic;
use super::stream::StreamError;
use crate::error::chain;
use crate::http::HttpError;
use crate::kafka::{KafkaError, Producer, ProducerRecord};

/// What the value of a record of the error topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportAs {
    /// A text that says what happened.
    Text,
    /// The content of the response, as far as it was read.
    Response,
}

/// The error topic.
#[derive(Clone)]
pub(crate) struct ErrorTopic {
    topic: SideTopic,
    report: ReportAs,
}

/// A request that has failed for good. What it carried is not told: it may hold secrets.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened, on one line.
    message: String,
    /// What kind of failure it is.
    kind: &'static str,
    url: Option<String>,
    status: Option<u16>,
    response: Option<String>,
}

impl Failure {
    pub(crate) fn new(error: &StreamError) -> Self {
        let http = error.request();
        Self {
            message: chain(error),
            kind: error.kind(),
            url: http.and_then(HttpError::url).map(str::to_owned),
            status: http.and_then(HttpError::status),
            response: http.and_then(HttpError::body).map(str::to_owned),
        }
    }
}

impl ErrorTopic {
    pub(crate) fn new(topic: SideTopic, report: ReportAs) -> Self {
        Self { topic, report }
    }

    /// Writes a failure in the transaction under way.
    pub(crate) async fn write(
        &mut self,
        producer: &Producer,
        stream: &Definition,
        failure: &Failure,
    ) -> Result<(), KafkaError> {
        let topic = self.topic.ensure().await?;
        let response = failure.response.as_deref().unwrap_or_default();
        let value = match self.report {
            ReportAs::Text => failure.message.as_bytes(),
            ReportAs::Response => response.as_bytes(),
        };
        let status = failure.status.map(|status| status.to_string()).unwrap_or_default();
        let reason = failure.status.and_then(crate::http::reason_phrase).unwrap_or_default();
        let mut headers = vec![
            ("error_message", failure.message.as_bytes()),
            ("exception", failure.kind.as_bytes()),
            ("headwater.operation", stream.id().as_bytes()),
        ];
        let others = [
            ("url", failure.url.as_deref().unwrap_or_default().as_bytes()),
            ("status_code", status.as_bytes()),
            ("reason_phrase", reason.as_bytes()),
            ("response_content", response.as_bytes()),
        ];
        headers.extend(others.into_iter().filter(|(_, value)| !value.is_empty()));
        let record = ProducerRecord {
            topic,
            partition: None,
            key: None,
            value: Some(value),
            timestamp: None,
            headers: &headers,
        };
        producer.send(record).await
    }
}
