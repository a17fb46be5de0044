//! Where what stands among the records and is none goes: as it was sent, with the reason beside it.

use super::start::PATIENCE;
use super::stream::Stream;
use crate::kafka::{KafkaError, KafkaSettings, Producer, ProducerRecord, TopicSpec, ensure_topics};
use crate::page::Rejected;
use crate::position::Position;

/// The dead letter topic. It is made when there is something to write to it.
pub(crate) struct DeadLetters {
    topic: TopicSpec,
    kafka: KafkaSettings,
    exists: bool,
}

impl DeadLetters {
    pub(crate) fn new(topic: TopicSpec, kafka: KafkaSettings, exists: bool) -> Self {
        Self { topic, kafka, exists }
    }

    /// Writes one in the transaction under way. `after` is where its stream stands after its page.
    pub(crate) async fn write(
        &mut self,
        producer: &Producer,
        stream: &Stream,
        rejected: &Rejected,
        after: &Position,
    ) -> Result<(), KafkaError> {
        let (operation, topic) = (stream.facts().id.as_ref(), self.topic.name.as_str());
        tracing::warn!(
            operation,
            reason = rejected.reason,
            topic,
            "something that is no record goes to the dead letters"
        );
        if !self.exists {
            ensure_topics(&self.kafka, std::slice::from_ref(&self.topic), PATIENCE).await?;
            self.exists = true;
        }
        let (index, after) = (rejected.index.to_string(), after.to_string());
        let record = ProducerRecord {
            topic,
            partition: None,
            key: None,
            value: Some(&rejected.sent),
            timestamp: None,
            headers: &[
                ("headwater.error.reason", rejected.reason.as_bytes()),
                ("headwater.operation", operation.as_bytes()),
                ("headwater.topic", stream.topic.as_bytes()),
                ("headwater.record.index", index.as_bytes()),
                ("headwater.position.after", after.as_bytes()),
            ],
        };
        producer.send(record).await
    }
}
