//! Personal data that is not to leave the process: fields of records that are dropped, masked or hashed before anything
//! else looks at them.
//!
//! A response is rewritten before it is read, so that keys, schemas, dead letters, snapshots and logs are all made of what
//! is left.

mod place;
mod rewrite;

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::configured::{Pointer, RecordsAt};
use crate::secret::Secret;
use place::Place;
use rewrite::Rewriting;

/// What is done with a value. Of several that meet, the first one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It goes, with its name.
    Drop,
    /// What says nothing stands in its place: the empty value of its type.
    Mask,
    /// A keyed hash of it stands in its place, the same of equal values.
    Hash,
}

impl Action {
    const ALL: [(&str, Self); 3] = [("DROP", Self::Drop), ("MASK", Self::Mask), ("HASH", Self::Hash)];
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, action)| action == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}

/// What is done at a place in records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// JSON Pointer from the record, in which `*` stands for every member or element.
    at: Pointer,
    action: Action,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.at, self.action)
    }
}

/// What is done at which places, written as `/email -> HASH; /phones/*/number -> MASK`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// A text that is no list of rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{rule}` is no rule such as `/email -> HASH`")]
pub struct RuleError {
    rule: String,
}

impl FromStr for Rules {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let rule = |text: &str| {
            let (at, word) = text.rsplit_once("->")?;
            let at = Pointer::parse(at.trim()).filter(|at| !at.segments().is_empty())?;
            let found = Action::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim()));
            found.map(|(_, action)| Rule { at, action: *action })
        };
        let rules = text.split(';').map(str::trim).filter(|text| !text.is_empty());
        rules
            .map(|text| rule(text).ok_or_else(|| RuleError { rule: text.to_owned() }))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<_> = self.0.iter().map(Rule::to_string).collect();
        f.write_str(&rules.join("; "))
    }
}

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is hashed.
    pub fn hashes(&self) -> bool {
        self.0.iter().any(|rule| rule.action == Action::Hash)
    }

    /// Those that hash.
    pub(crate) fn of_hashes(&self) -> Self {
        Self(self.0.iter().filter(|rule| rule.action == Action::Hash).cloned().collect())
    }

    /// The same without some.
    fn without(&self, others: &Self) -> Self {
        Self(self.0.iter().filter(|rule| !others.0.contains(rule)).cloned().collect())
    }

    /// The first rule that changes what is at a place in a record, or what it is in, or a part of it.
    pub(crate) fn change(&self, place: &Pointer) -> Option<(&Pointer, Action)> {
        self.0.iter().find(|rule| place::meet(rule.at.segments(), place.segments())).map(|rule| (&rule.at, rule.action))
    }
}

/// What is done with the records of a stream.
#[derive(Clone)]
pub struct Redaction {
    rules: Rules,
    places: Place,
    salt: Option<(Secret, hmac::Key)>,
    /// Whether it is to be seen while records are read that the stream needs nothing of what is redacted.
    guards_uses: bool,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redaction").field(&self.rules.to_string()).finish()
    }
}

impl PartialEq for Redaction {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules && self.salt() == other.salt()
    }
}

impl Eq for Redaction {}

/// Why the records of a response cannot be redacted.
#[derive(Debug, Error)]
pub enum RedactionError {
    /// It is not JSON.
    #[error("the response is not JSON: line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is not UTF-8.
    #[error("the response is not UTF-8, which JSON is (RFC 8259 section 8.1)")]
    Encoding,
    /// Redacted records are not found where they were.
    #[error("`{path}` selects records by a field that `record.redact` changes")]
    Path {
        /// The JSONPath.
        path: String,
    },
    /// The stream needs what is redacted.
    #[error("{what} would be made of a field that `record.redact` changes")]
    Used {
        /// What it needs it for.
        what: &'static str,
    },
}

impl From<serde_json::Error> for RedactionError {
    /// Without what was found, which may be what is redacted.
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

impl Redaction {
    /// By rules; what is hashed is hashed with `salt`, without which it is masked.
    pub fn new(rules: Rules, salt: Option<&Secret>) -> Self {
        let places = Place::of(rules.0.iter().map(|rule| (&rule.at, rule.action)));
        let salt = salt.map(|salt| (salt.clone(), hmac::Key::new(hmac::HMAC_SHA256, salt.expose().as_bytes())));
        Self { rules, places, salt, guards_uses: false }
    }

    /// The same, of a stream of which nobody can say before what fields it needs.
    #[must_use]
    pub(crate) fn guarding_uses(self) -> Self {
        Self { guards_uses: true, ..self }
    }

    /// Whether it is to be seen that the stream needs nothing of what is redacted.
    pub(crate) fn guards_uses(&self) -> bool {
        self.guards_uses
    }

    /// Whether a text can be a hash.
    pub(crate) fn is_hash(text: &[u8]) -> bool {
        text.len() == 2 * hmac::HMAC_SHA256.digest_algorithm().output_len()
            && text.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What hashes are made with.
    pub(crate) fn salt(&self) -> Option<&Secret> {
        self.salt.as_ref().map(|(salt, _)| salt)
    }

    /// The same for what has been hashed by these rules already: a hash is not hashed again.
    pub(crate) fn after(&self, hashed: &Rules) -> Self {
        Self::new(self.rules.without(hashed), self.salt())
    }

    /// Whether what stands at a JSON Pointer in a record is not what the API sent.
    pub(crate) fn changes(&self, pointer: &str) -> bool {
        Pointer::parse(pointer).is_some_and(|pointer| self.rules.change(&pointer).is_some())
    }

    /// A JSON document with the records in it redacted.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or its records cannot be told any more.
    pub(crate) fn document(&self, document: &[u8], records: &RecordsAt) -> Result<String, RedactionError> {
        let document = std::str::from_utf8(document).map_err(|_| RedactionError::Encoding)?;
        let document = document.strip_prefix('\u{feff}').unwrap_or(document);
        if document.trim().is_empty() {
            return Ok(String::new());
        }
        let way = records.way(document)?;
        let mut out = String::with_capacity(document.len());
        self.rewriting().along(serde_json::from_str(document)?, &way, &mut out)?;
        if let RecordsAt::Path(path) = records
            && records.way(&out)? != way
        {
            return Err(RedactionError::Path { path: path.to_string() });
        }
        Ok(out)
    }

    /// A record, redacted.
    ///
    /// # Errors
    ///
    /// If it is not JSON.
    pub(crate) fn record(&self, record: &[u8]) -> Result<String, RedactionError> {
        let record: &RawValue = serde_json::from_slice(record)?;
        let mut out = String::with_capacity(record.get().len());
        self.rewriting().record(record, &mut out)?;
        Ok(out)
    }

    fn rewriting(&self) -> Rewriting<'_> {
        Rewriting { places: &self.places, key: self.salt.as_ref().map(|(_, key)| key) }
    }
}

#[cfg(test)]
mod tests;
