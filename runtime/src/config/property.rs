//! What a property is. One definition gives the parser, the default, the message about a wrong value and the printed
//! documentation.

use super::kind::{Kind, NOT_EMPTY, PASSWORD};
use crate::secret::Secret;

/// Where a property applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// To the connector.
    Global,
    /// To the connector; written after `apiN.`, to one operation, in place of the connector's.
    Overridable,
    /// To one operation; the name is written after `apiN.`, N being the operation's number, from 1.
    PerApi,
    /// To whatever the rest of the name names: the name is a beginning that ends in a dot.
    Family,
    /// To something that is named in the configuration: the name is written after this, with its name for `NAME`.
    Named(&'static str),
    /// The same of one operation: the beginning is written after `apiN.`.
    PerApiFamily,
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

    /// A property of the connector that an operation can have, too.
    pub(super) const fn overridable(mut self) -> Self {
        self.definition.scope = Scope::Overridable;
        self
    }

    /// All properties whose names begin with this one's.
    pub(super) const fn family(mut self) -> Self {
        self.definition.scope = Scope::Family;
        self
    }

    /// A property of something that is named in the configuration; `prefix` ends in `NAME.`.
    pub(super) const fn of(mut self, prefix: &'static str) -> Self {
        self.definition.scope = Scope::Named(prefix);
        self
    }

    /// All properties of one operation whose names begin with this one's after `apiN.`.
    pub(super) const fn family_per_api(mut self) -> Self {
        self.definition.scope = Scope::PerApiFamily;
        self
    }

    /// A property whose value may hold a secret, so that it is never printed.
    pub(super) const fn hidden(mut self) -> Self {
        self.definition.secret = true;
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
        Self::new(name, PASSWORD, doc).hidden()
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
            Kind::Text { expected: NOT_EMPTY, .. } => None,
            Kind::Text { expected, .. } => Some(expected.to_owned()),
        }
    }

    fn expected(&self) -> String {
        match self.kind {
            Kind::OneOf(_) => format!("one of `{}`", self.words().join("`, `")),
            Kind::Integer { min, max, .. } => format!("an integer from {min} to {max}"),
            Kind::Text { expected, .. } => expected.to_owned(),
        }
    }

    fn words(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::OneOf(choices) => choices.iter().map(|(word, _)| *word).collect(),
            Kind::Integer { .. } | Kind::Text { .. } => Vec::new(),
        }
    }

    fn accepts(&self, text: &str) -> bool {
        self.parse(text).is_some()
    }
}

/// Defines properties, and the list of them in the same order: `PROPERTIES`, unless another name is given.
macro_rules! properties {
    (in $list:ident; $($name:ident: $type:ty = $value:expr;)*) => {
        $(static $name: $crate::config::property::Property<$type> = $value;)*

        /// Properties of this module, in the order of the documentation.
        pub(super) static $list: &[&dyn $crate::config::property::AnyProperty] = &[$(&$name),*];
    };
    ($($definitions:tt)*) => {
        $crate::config::property::properties! { in PROPERTIES; $($definitions)* }
    };
}
pub(super) use properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kind::count;

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
}
