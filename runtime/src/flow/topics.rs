//! Topics of dead letters, and those that transforms name: made when there is something to write to them.

use std::collections::BTreeSet;

use super::start::PATIENCE;
use crate::kafka::{KafkaError, KafkaSettings, TopicSpec, ensure_topics};

/// Which topics exist, and how others are made.
#[derive(Clone)]
pub(crate) struct Topics {
    kafka: KafkaSettings,
    /// What a new topic is like.
    model: TopicSpec,
    known: BTreeSet<String>,
    /// Whether the broker makes them by itself.
    makes_them: bool,
}

impl Topics {
    pub(crate) fn new(kafka: KafkaSettings, model: TopicSpec, known: BTreeSet<String>, makes_them: bool) -> Self {
        Self { kafka, model, known, makes_them }
    }

    /// Makes a topic unless it is there.
    pub(crate) async fn ensure(&mut self, topic: &str) -> Result<(), KafkaError> {
        if self.known.contains(topic) {
            return Ok(());
        }
        if !self.makes_them {
            let topic = TopicSpec { name: topic.to_owned(), ..self.model.clone() };
            ensure_topics(&self.kafka, std::slice::from_ref(&topic), PATIENCE).await?;
        }
        self.known.insert(topic.to_owned());
        Ok(())
    }
}
