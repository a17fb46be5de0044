//! The topic.

use super::Inferred;
use crate::plan::names;

/// A topic after the operation's id.
pub(in crate::plan) fn infer(prefix: &str, operation_id: &str) -> Inferred<String> {
    let topic = format!("{prefix}.{}", names::topic_name(operation_id));
    let legal: String = topic.chars().filter(|c| is_legal_char(*c)).take(LONGEST).collect();
    Inferred {
        value: legal,
        rule: "operation-id",
        reason: format!("made of `{prefix}` and the operation id `{operation_id}`"),
    }
}

/// The topic with a number, within the limit.
pub(in crate::plan) fn numbered(topic: &str, number: usize) -> String {
    let number = format!("-{number}");
    // A topic is ASCII.
    let kept: String = topic.chars().take(LONGEST - number.len()).collect();
    format!("{kept}{number}")
}

/// Kafka's limit (`org.apache.kafka.common.internals.Topic`).
const LONGEST: usize = 249;

fn is_legal_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Whether Kafka takes the name.
pub(in crate::plan) fn is_legal(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= LONGEST && topic != "." && topic != ".." && topic.chars().all(is_legal_char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_legal() {
        let topic = infer("github", "issues/list-for-repo");
        assert_eq!(topic.value, "github.issues.list-for-repo");
        assert!(is_legal(&infer("a", "get/{é}/x").value));
        assert_eq!(numbered("a", 2), "a-2");
        assert!(is_legal(&numbered(&"x".repeat(249), 12)));
        assert!(!is_legal("a b"));
        assert!(!is_legal(".."));
        assert!(!is_legal(&"x".repeat(250)));
    }
}
