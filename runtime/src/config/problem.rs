//! What can be wrong with a configuration. All problems are reported at once, and none shows a secret.

use std::fmt;

use thiserror::Error;

/// A value that goes into a message, unless it must not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(Option<String>);

impl Shown {
    /// A value that may be seen. One with credentials in a URL may not.
    pub(super) fn new(value: &str) -> Self {
        let credentials = value.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
        Self((!credentials).then(|| value.to_owned()))
    }

    /// A value that must not be seen.
    pub(super) fn hidden() -> Self {
        Self(None)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => write!(f, "`{}`", value.escape_debug()),
            None => f.write_str("[hidden]"),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of the configuration file.
    File {
        /// The file, as it was named.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
        }
    }
}

/// A property in a message, with the operation that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyName {
    /// The full name.
    pub name: String,
    /// The id of the operation, for a property of one.
    pub operation: Option<String>,
}

impl fmt::Display for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        match &self.operation {
            Some(operation) => write!(f, " (operation `{operation}`)"),
            None => Ok(()),
        }
    }
}

/// Something wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value comes from; `None` for what is missing.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// What can be done about it.
    pub hint: Option<String>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A property that must be set is not.
    #[error("property {name} is missing")]
    Missing {
        /// The property.
        name: PropertyName,
    },
    /// A property has a value that it does not take.
    #[error("property {name} is {value}, which is not {expected}")]
    Invalid {
        /// The property.
        name: PropertyName,
        /// Its value.
        value: Shown,
        /// What it takes.
        expected: String,
    },
    /// A property that does not exist.
    #[error("property `{name}` is unknown")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A property of an operation that the connector does not have.
    #[error("property `{name}` belongs to no operation")]
    NoSuchOperation {
        /// Its name.
        name: String,
    },
    /// A property is set by two of its names.
    #[error("properties `{first}` and `{second}` are names of the same property")]
    Twice {
        /// One of the names.
        first: String,
        /// The other.
        second: String,
    },
    /// A reference leads to nothing.
    #[error("property {name} holds `{reference}`, {reason}")]
    Reference {
        /// The property.
        name: PropertyName,
        /// The reference, which is not what it stands for.
        reference: String,
        /// Why it leads to nothing.
        reason: String,
    },
    /// A property does not go with the rest of the configuration.
    #[error("property {name} {reason}")]
    Conflict {
        /// The property.
        name: PropertyName,
        /// Why not.
        reason: String,
    },
}

/// All that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the configuration has {} problem{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
pub struct ConfigProblems(pub Vec<Problem>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_credentials_in_urls() {
        assert_eq!(Shown::new("ftp://user:pw@host").to_string(), "[hidden]");
        assert_eq!(Shown::new("ftp://host").to_string(), "`ftp://host`");
        assert_eq!(Shown::new("a\nb").to_string(), "`a\\nb`", "a value stays on its line");
    }
}
