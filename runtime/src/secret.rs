//! Values that must never be printed.

use std::fmt;

/// A value that must not appear in any output: its `Debug` and `Display` hide it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `value` from being printed.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is what is `given`. How long it takes to tell says nothing of how much of it is right.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let pairs = given.iter().zip(self.0.as_bytes());
        let differs = pairs.fold(0, |differs, (left, right)| differs | (left ^ right));
        given.len() == self.0.len() && differs == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_printed() {
        let secret = Secret::new("s3cr3t");
        assert_eq!(format!("{secret} {secret:?}"), "[hidden] [hidden]");
        assert_eq!(secret.expose(), "s3cr3t");
    }

    #[test]
    fn is_only_what_it_is() {
        let secret = Secret::new("s3cr3t");
        assert!(secret.is(b"s3cr3t") && Secret::new("").is(b""));
        assert!(["", "s3cr3", "s3cr3tt", "s3cr3T"].iter().all(|given| !secret.is(given.as_bytes())));
    }
}
