//! Which records a transform acts on (KIP-585).

use regex::Regex;

use super::Record;

/// What is asked of a record.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    /// Whether its topic matches, as a whole.
    TopicNameMatches(Regex),
    /// Whether it has a header of this name.
    HasHeaderKey(String),
    /// Whether its value is `null`.
    RecordIsTombstone,
}

impl Predicate {
    pub(super) fn holds(&self, record: &Record<'_>) -> bool {
        match self {
            Self::TopicNameMatches(pattern) => pattern.is_match(&record.topic),
            Self::HasHeaderKey(name) => record.headers.iter().any(|(known, _)| known == name),
            Self::RecordIsTombstone => record.value.is_null(),
        }
    }
}
