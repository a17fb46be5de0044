//! The kinds of values that properties take: how their text is read, and what is said of it.

use std::time::Duration;

use url::Url;

use crate::memory::Memory;
use crate::secret::Secret;

/// What values a property takes.
pub(crate) enum Kind<T: 'static> {
    /// One of a few words, in any case.
    OneOf(&'static [(&'static str, T)]),
    /// An integer in a range, both ends included.
    Integer { min: i64, max: i64, make: fn(i64) -> T },
    /// Text that a function reads.
    Text { type_name: &'static str, expected: &'static str, parse: fn(&str) -> Option<T> },
}

/// What text has to be that may be anything else.
pub(super) const NOT_EMPTY: &str = "text that is not empty";

/// Any text but none.
pub(super) const TEXT: Kind<String> = Kind::Text {
    type_name: "string",
    expected: NOT_EMPTY,
    parse: |text| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
};

/// What stands between the entries of a list; a blank may be one.
pub(super) const SEPARATOR: Kind<String> =
    Kind::Text { type_name: "string", expected: NOT_EMPTY, parse: |text| (!text.is_empty()).then(|| text.to_owned()) };

/// Any text, as it is: blanks at its ends may belong to a secret.
pub(super) const PASSWORD: Kind<Secret> = Kind::Text {
    type_name: "password",
    expected: NOT_EMPTY,
    parse: |text| (!text.is_empty()).then(|| Secret::new(text)),
};

/// The base URL of a server.
pub(super) const BASE_URL: Kind<Url> = Kind::Text {
    type_name: "string",
    expected: "an absolute `http` or `https` URL without credentials, query and fragment",
    parse: |text| {
        let plain = |url: &Url| {
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
        };
        http_url(text).filter(plain)
    },
};

/// Reads an absolute `http` or `https` URL.
pub(super) fn http_url(text: &str) -> Option<Url> {
    let text = text.trim();
    // The URL standard reads `http:host` as `http://host`; here it is a mistake.
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    matches!(scheme.as_str(), "http" | "https").then(|| Url::parse(text).ok()).flatten().filter(Url::has_host)
}

/// `true` or `false`.
pub(super) const BOOLEAN: Kind<bool> = Kind::OneOf(&[("true", true), ("false", false)]);

/// The name of a Kafka topic: what the broker takes.
pub(super) const TOPIC: Kind<String> = Kind::Text {
    type_name: "string",
    expected: "a topic name: 1 to 249 letters, digits, `.`, `_` and `-`, but neither `.` nor `..`",
    parse: |text| {
        let text = text.trim();
        let legal = (1..=249).contains(&text.len()) && text.bytes().all(is_topic_byte) && !matches!(text, "." | "..");
        legal.then(|| text.to_owned())
    },
};

/// The name of a Kafka topic, in which `${connector}` stands for the connector's name.
pub(super) const TOPIC_OF_CONNECTOR: Kind<String> = Kind::Text {
    type_name: "string",
    expected: "a topic name of letters, digits, `.`, `_` and `-`, in which `${connector}` stands for the connector's name",
    parse: |text| {
        let text = text.trim();
        let legal = |name: &str| (1..=249).contains(&name.len()) && name.bytes().all(is_topic_byte);
        legal(&text.replace("${connector}", "name")).then(|| text.to_owned())
    },
};

/// A name that can be a part of a topic's name.
pub(super) const NAME: Kind<String> = Kind::Text {
    type_name: "string",
    expected: "a name of 1 to 200 letters, digits, `.`, `_` and `-`",
    parse: |text| {
        let text = text.trim();
        ((1..=200).contains(&text.len()) && text.bytes().all(is_topic_byte)).then(|| text.to_owned())
    },
};

fn is_topic_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Milliseconds.
pub(super) const fn millis(min: i64, max: i64) -> Kind<Duration> {
    Kind::Integer { min, max, make: |millis| Duration::from_millis(millis.unsigned_abs()) }
}

/// The longest time that fits a Java `int` of milliseconds, 24 days.
pub(super) const MAX_MILLIS: i64 = i32::MAX as i64;

/// A number of something.
pub(super) const fn count(min: i64, max: i64) -> Kind<u32> {
    Kind::Integer { min, max, make: |value| u32::try_from(value).unwrap_or(u32::MAX) }
}

/// A ceiling of memory, in bytes, that is not lower than `min`.
pub(super) const fn bytes(min: i64) -> Kind<Memory> {
    Kind::Integer { min, max: i64::MAX, make: |value| Memory { ceiling: usize::try_from(value).unwrap_or(usize::MAX) } }
}

/// How often a partition is kept. `None`: as the broker is configured to.
pub(super) const REPLICATION: Kind<Option<u16>> = Kind::Text {
    type_name: "short",
    expected: "-1, or an integer from 1 to 32767",
    parse: |text| match text.trim().parse::<i16>().ok()? {
        -1 => Some(None),
        factor => u16::try_from(factor).ok().filter(|factor| *factor > 0).map(Some),
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::property::{AnyProperty, Property};

    #[test]
    fn a_base_url_is_absolute_and_nothing_but_a_base() {
        let read = |text| Property::new("url", BASE_URL, "").parse(text).map(|url: Url| url.to_string());
        assert_eq!(read(" https://api.test/v1 "), Some("https://api.test/v1".to_owned()));
        for text in [
            "",
            "api.test",
            "/v1",
            "ftp://api.test",
            "http:api.test",
            "http://",
            "https://u:p@api.test",
            "http://a/?q=1",
            "http://a/#f",
            "http://a:8081,http://b:8081",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_keeps_its_blanks_and_a_topic_has_a_legal_name() {
        assert_eq!(
            Property::secret("p", "").parse(" a ").map(|secret| secret.expose().to_owned()),
            Some(" a ".to_owned())
        );
        let topic = Property::new("t", TOPIC, "");
        assert_eq!(topic.parse("a.b_c-1"), Some("a.b_c-1".to_owned()));
        assert!(["", ".", "..", "a b", "ä"].iter().all(|text| !topic.accepts(text)));
        assert!(!topic.accepts(&"a".repeat(250)));
    }
}
