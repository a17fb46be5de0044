//! What a property is. One definition gives the parser, the default, the message about a wrong value and the printed
//! documentation.

use std::time::Duration;

use url::Url;

use crate::secret::Secret;

/// Where a property applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// To the connector.
    Global,
    /// To one operation; the name is written after `apiN.`, N being the operation's number, from 1.
    PerApi,
    /// To whatever the rest of the name names: the name is a beginning that ends in a dot.
    Family,
}

/// How likely a property has to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Importance {
    /// Most connectors set it.
    High,
    /// Some connectors set it.
    Medium,
    /// Few connectors set it.
    Low,
}

impl Importance {
    /// The word for it, as Kafka writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// What holds if a property is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultValue {
    /// Nothing: the property has to be set.
    Required,
    /// Nothing.
    None,
    /// This text, read as if it had been configured.
    Text(&'static str),
    /// Something that follows from other properties, in words.
    Derived(&'static str),
    /// What the connector was generated with.
    Generated(Generated),
}

/// A fact of the connector that holds where a property says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    /// The connector's name.
    Name,
    /// The URL of a server in the API's document, if it has an absolute one.
    BaseUrl,
    /// What the operation's annotation says, if it says something.
    Annotation,
}

/// What is said of a property, whatever the type of its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    /// The name; after `apiN.` or as a beginning, by `scope`.
    pub(super) name: &'static str,
    /// Other names for the same property.
    pub(super) aliases: &'static [&'static str],
    /// Where it applies.
    pub(super) scope: Scope,
    /// What holds if it is not set.
    pub(super) default: DefaultValue,
    /// How likely it has to be set.
    pub(super) importance: Importance,
    /// Whether its value must never be printed.
    pub(super) secret: bool,
    /// What it means.
    pub(super) doc: &'static str,
}

/// What values a property takes.
pub(crate) enum Kind<T: 'static> {
    /// One of a few words, in any case.
    OneOf(&'static [(&'static str, T)]),
    /// An integer in a range, both ends included.
    Integer { min: i64, max: i64, make: fn(i64) -> T },
    /// Text that a function reads.
    Text { type_name: &'static str, expected: &'static str, parse: fn(&str) -> Option<T> },
}

/// A property with the type of its value.
pub(crate) struct Property<T: 'static> {
    definition: Definition,
    kind: Kind<T>,
}

impl<T> Property<T> {
    /// A property of the connector, without a default.
    pub(super) const fn new(name: &'static str, kind: Kind<T>, doc: &'static str) -> Self {
        let definition = Definition {
            name,
            aliases: &[],
            scope: Scope::Global,
            default: DefaultValue::None,
            importance: Importance::Medium,
            secret: false,
            doc,
        };
        Self { definition, kind }
    }

    /// A property of one operation.
    pub(super) const fn per_api(mut self) -> Self {
        self.definition.scope = Scope::PerApi;
        self
    }

    /// All properties whose names begin with this one's.
    pub(super) const fn family(mut self) -> Self {
        self.definition.scope = Scope::Family;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.definition.default = DefaultValue::Required;
        self.definition.importance = Importance::High;
        self
    }

    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.definition.default = DefaultValue::Text(text);
        self
    }

    pub(super) const fn derived(mut self, from: &'static str) -> Self {
        self.definition.default = DefaultValue::Derived(from);
        self
    }

    pub(super) const fn generated(mut self, fact: Generated) -> Self {
        self.definition.default = DefaultValue::Generated(fact);
        self
    }

    pub(super) const fn high(mut self) -> Self {
        self.definition.importance = Importance::High;
        self
    }

    pub(super) const fn low(mut self) -> Self {
        self.definition.importance = Importance::Low;
        self
    }

    pub(super) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.definition.aliases = aliases;
        self
    }

    pub(super) fn name(&self) -> &'static str {
        self.definition.name
    }
}

impl<T: Clone> Property<T> {
    /// Reads a value.
    pub(super) fn parse(&self, text: &str) -> Option<T> {
        match &self.kind {
            Kind::OneOf(choices) => {
                let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
                found.map(|(_, value)| value.clone())
            }
            Kind::Integer { min, max, make } => {
                let value = text.trim().parse().ok()?;
                (*min..=*max).contains(&value).then(|| make(value))
            }
            Kind::Text { parse, .. } => parse(text),
        }
    }
}

impl Property<Secret> {
    /// A property whose value must never be printed.
    pub(super) const fn secret(name: &'static str, doc: &'static str) -> Self {
        let mut property = Self::new(name, PASSWORD, doc);
        property.definition.secret = true;
        property
    }
}

/// A property, whatever the type of its value.
pub(crate) trait AnyProperty: Sync {
    /// What is said of it.
    fn definition(&self) -> &Definition;
    /// The type of its values, as Kafka names it.
    fn type_name(&self) -> &'static str;
    /// The values it takes, unless that is any of its type.
    fn valid_values(&self) -> Option<String>;
    /// What a value has to be, to go into a sentence.
    fn expected(&self) -> String;
    /// The words that it takes, if it takes one of a few.
    fn words(&self) -> Vec<&'static str>;
    /// Whether a text is one of its values.
    #[cfg(test)]
    fn accepts(&self, text: &str) -> bool;
}

impl<T: Clone + Sync> AnyProperty for Property<T> {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::OneOf(_) if self.words() == ["true", "false"] => "boolean",
            Kind::OneOf(_) => "string",
            Kind::Integer { max, .. } if max <= i64::from(i32::MAX) => "int",
            Kind::Integer { .. } => "long",
            Kind::Text { type_name, .. } => type_name,
        }
    }

    fn valid_values(&self) -> Option<String> {
        match self.kind {
            Kind::OneOf(_) => Some(self.words().join(", ")),
            Kind::Integer { min, max, .. } if max >= i64::from(i32::MAX) => Some(format!("{min} or more")),
            Kind::Integer { min, max, .. } => Some(format!("{min} to {max}")),
            Kind::Text { expected: "", .. } => None,
            Kind::Text { expected, .. } => Some(expected.to_owned()),
        }
    }

    fn expected(&self) -> String {
        match self.kind {
            Kind::OneOf(_) => format!("one of `{}`", self.words().join("`, `")),
            Kind::Integer { min, max, .. } => format!("an integer from {min} to {max}"),
            Kind::Text { expected: "", .. } => "text".to_owned(),
            Kind::Text { expected, .. } => expected.to_owned(),
        }
    }

    fn words(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::OneOf(choices) => choices.iter().map(|(word, _)| *word).collect(),
            Kind::Integer { .. } | Kind::Text { .. } => Vec::new(),
        }
    }

    #[cfg(test)]
    fn accepts(&self, text: &str) -> bool {
        self.parse(text).is_some()
    }
}

/// Defines properties, and the list of them in the same order.
macro_rules! properties {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(static $name: $crate::config::property::Property<$type> = $value;)*

        /// The properties of this module, in the order of the documentation.
        pub(super) static PROPERTIES: &[&dyn $crate::config::property::AnyProperty] = &[$(&$name),*];
    };
}
pub(super) use properties;

/// Any text but none.
pub(super) const TEXT: Kind<String> = Kind::Text {
    type_name: "string",
    expected: "text that is not empty",
    parse: |text| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
};

/// Any text, as it is: blanks at its ends may belong to a secret.
const PASSWORD: Kind<Secret> = Kind::Text {
    type_name: "password",
    expected: "text that is not empty",
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

    static LEVEL: Property<u8> = Property::new("level", Kind::OneOf(&[("LOW", 1), ("HIGH", 2)]), "A level.");
    static SIZE: Property<u32> = Property::new("size", count(1, 10), "A size.").default("3");

    #[test]
    fn says_what_it_takes_from_what_it_reads() {
        assert_eq!((LEVEL.parse(" high "), LEVEL.parse("highest")), (Some(2), None));
        assert_eq!(LEVEL.expected(), "one of `LOW`, `HIGH`");
        assert_eq!((SIZE.parse("1"), SIZE.parse(" 10 ")), (Some(1), Some(10)));
        assert!(["0", "11", "1.5", "", "ten"].iter().all(|text| !SIZE.accepts(text)));
        assert_eq!(
            (SIZE.expected(), SIZE.valid_values()),
            ("an integer from 1 to 10".to_owned(), Some("1 to 10".to_owned()))
        );
        assert_eq!((SIZE.type_name(), LEVEL.type_name()), ("int", "string"));
    }

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
