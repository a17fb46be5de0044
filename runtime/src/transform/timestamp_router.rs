//! `TimestampRouter`: another topic, by a record's time.

use std::borrow::Cow;

use super::{DateFormat, Fate, Record, Refusal, Transform};

/// How the topic is made.
#[derive(Clone, Debug)]
pub(crate) struct TimestampRouter {
    /// With `${topic}` and `${timestamp}`.
    pub(crate) topic: String,
    pub(crate) timestamp: DateFormat,
}

impl Transform for TimestampRouter {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let timestamp = record.timestamp.ok_or_else(|| Refusal::of_record("it has no time"))?;
        let time = self.timestamp.format(timestamp);
        record.topic = Cow::Owned(self.topic.replace("${topic}", &record.topic).replace("${timestamp}", &time));
        Ok(Fate::Kept)
    }

    fn needs_time(&self) -> bool {
        true
    }
}
