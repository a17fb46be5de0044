//! A topic beside those of the records. It is made when there is something to write to it.

use super::start::PATIENCE;
use crate::kafka::{KafkaError, KafkaSettings, TopicSpec, ensure_topics};

/// A topic that is made when it is needed.
#[derive(Clone)]
pub(crate) struct SideTopic {
    spec: TopicSpec,
    kafka: KafkaSettings,
    exists: bool,
}

impl SideTopic {
    pub(crate) fn new(spec: TopicSpec, kafka: KafkaSettings, exists: bool) -> Self {
        Self { spec, kafka, exists }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its name, the topic having been made if there was none.
    pub(crate) async fn ensure(&mut self) -> Result<&str, KafkaError> {
        if !self.exists {
            ensure_topics(&self.kafka, std::slice::from_ref(&self.spec), PATIENCE).await?;
            self.exists = true;
        }
        Ok(&self.spec.name)
    }
}
