//! Where what stands among the records and is none goes: as it was sent, with the reason beside it, and where it comes from.

use super::definition::Definition;
use super::side_topic::SideTopic;
use crate::kafka::{KafkaError, Producer, ProducerRecord};
use crate::page::{Page, Rejected};
use crate::position::Position;

/// The header with the connector's name.
pub(super) const CONNECTOR: &str = "headwater.connector";

/// The header with the operation's id.
pub(super) const OPERATION: &str = "headwater.operation";

/// The header with what is wrong.
pub(super) const REASON: &str = "headwater.error.reason";

/// The header with the rules by which something in it has been hashed.
pub(super) const HASHED: &str = "headwater.redacted";

/// The dead letter topic. It is made when there is something to write to it.
#[derive(Clone)]
pub(crate) struct DeadLetters {
    topic: SideTopic,
    connector: String,
}

impl DeadLetters {
    pub(crate) fn new(topic: SideTopic, connector: &str) -> Self {
        Self { topic, connector: connector.to_owned() }
    }

    /// Writes one in the transaction under way. `after` is where its stream stands after its page, if that has been read
    /// to its end.
    pub(crate) async fn write(
        &mut self,
        producer: &Producer,
        stream: &Definition,
        page: &Page,
        rejected: &Rejected,
        after: Option<&Position>,
    ) -> Result<(), KafkaError> {
        let (operation, topic) = (stream.id(), self.topic.name());
        tracing::warn!(
            operation,
            reason = rejected.reason,
            topic,
            "something that is no record goes to the dead letters"
        );
        let topic = self.topic.ensure().await?;
        let index = rejected.index.to_string();
        let after = after.map(Position::to_string).unwrap_or_default();
        let hashed = stream.settings().redaction.as_ref().map(|redaction| redaction.rules().of_hashes().to_string());
        let mut headers = vec![
            (REASON, rejected.reason.as_bytes()),
            (CONNECTOR, self.connector.as_bytes()),
            (OPERATION, operation.as_bytes()),
            ("headwater.topic", stream.settings().topic.as_deref().unwrap_or_default().as_bytes()),
            ("headwater.record.index", index.as_bytes()),
            ("headwater.position.after", after.as_bytes()),
        ];
        headers.extend(hashed.iter().filter(|rules| !rules.is_empty()).map(|rules| (HASHED, rules.as_bytes())));
        headers.extend(page.origin().filter(|(name, _)| *name != OPERATION));
        let record = ProducerRecord {
            topic,
            partition: None,
            key: None,
            value: Some(&rejected.sent),
            timestamp: None,
            headers: &headers,
        };
        producer.send(record).await
    }
}
