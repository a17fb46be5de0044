//! Names of configuration properties that belong to every connector, so that no parameter of an API can have them.

/// Properties of one word.
const WORDS: [&str; 6] = ["name", "topics", "config", "listeners", "predicates", "transforms"];

/// First words of properties of several. All of what begins so is kept for connectors to come.
const FIRST_WORDS: [&str; 43] = [
    "admin",
    "api",
    "auth",
    "bearer",
    "behavior",
    "bootstrap",
    "cassette",
    "config",
    "connection",
    "connector",
    "consumer",
    "errors",
    "exactly",
    "header",
    "headwater",
    "http",
    "https",
    "kafka",
    "key",
    "max",
    "memory",
    "metrics",
    "oauth2",
    "offset",
    "output",
    "parameter",
    "poll",
    "predicates",
    "producer",
    "provenance",
    "report",
    "reporter",
    "request",
    "rest",
    "retry",
    "sasl",
    "schema",
    "security",
    "snapshot",
    "ssl",
    "tasks",
    "transforms",
    "value",
];

/// The first two words of properties, where the first alone may be one of an API's parameters.
const FIRST_TWO_WORDS: [&str; 6] =
    ["group.instance", "group.protocol", "record.redact", "stream.restart", "topic.creation", "transaction.boundary"];

/// Whether a property of this name has, or can come to have, a meaning of its own in every connector.
pub(super) fn is_reserved(name: &str) -> bool {
    let Some((first, _)) = name.split_once('.') else { return WORDS.contains(&name) };
    let is_numbered_api = first.strip_prefix("api").is_some_and(|number| number.parse::<u32>().is_ok());
    is_numbered_api || FIRST_WORDS.contains(&first) || FIRST_TWO_WORDS.iter().any(|words| name.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_connectors_are_configured_with_is_reserved() {
        for name in ["name", "bootstrap.servers", "api1.topics", "topic.creation.default.partitions", "bearer.token"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["owner", "topic", "topic.id", "apiary.id", "keys", "order.id"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[cfg(feature = "run")]
    #[test]
    fn every_property_of_the_runtime_is_reserved() {
        use headwater_runtime::config::documentation;
        use headwater_runtime::connector::Connector;

        for property in documentation(&Connector::new("any")).properties {
            for name in std::iter::once(property.name.as_str()).chain(property.aliases) {
                assert!(is_reserved(&name.replace("apiN", "api1")), "{name}");
            }
        }
    }
}
