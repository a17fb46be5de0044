//! A stream's position: what is needed to build its next request after a crash.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::configured::Progress;
use crate::http::Validators;
use crate::operation::{IncrementalMode, OperationFacts};
use crate::page::{Boundary, Counted, Following, PageToken, Pagination};
use crate::record::time::parse_instant;

/// How far a stream has been read. Stored as JSON in the offsets topic, in the transaction of the records that it
/// accounts for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// What the cycle under way, or the next one, asks from; `None`: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<String>,
    /// Content hashes of the records already delivered at exactly `offset`, or within the look-back window before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hashes")]
    delivered: Vec<u64>,
    /// The URL that a cycle begins with, as the API named it at the end of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// The cycle under way; `None` between two cycles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cycle: Option<Cycle>,
    /// What a stream that is read by configuration alone keeps besides, in and between cycles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Box<Progress>>,
    /// The version of the answer that the last cycle read, if it was one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validators: Option<Box<Validators>>,
}

/// How far a cycle has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cycle {
    /// The page to read next.
    next: PageToken,
    /// The offset that the next cycle will ask from, by what has been read so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<String>,
    /// Content hashes of the records delivered at exactly that offset, or within the look-back window before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hashes")]
    delivered: Vec<u64>,
    /// What has been counted of it, if pages are asked for by counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted: Option<Counted>,
}

/// A stored position that cannot be read.
#[derive(Debug, Error)]
#[error("reading the stored position {text}")]
pub struct PositionError {
    text: String,
    source: serde_json::Error,
}

impl PositionError {
    pub(crate) fn new(text: &str, source: serde_json::Error) -> Self {
        Self { text: text.to_owned(), source }
    }
}

/// A position that an operation cannot stand at.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PositionMisfit {
    /// It has an offset, and the operation does not.
    #[error("the operation has no offset: every cycle reads everything")]
    NoOffset,
    /// Its offset is no instant.
    #[error("the offset {offset:?} is no RFC 3339 date-time")]
    NoInstant {
        /// What it is.
        offset: String,
    },
    /// Its offset is no number.
    #[error("the offset {offset:?} is no number of records")]
    NoNumber {
        /// What it is.
        offset: String,
    },
    /// It is of a generated connector and the operation is not, or the other way round.
    #[error("it is the position of another kind of connector: with generated code, or without")]
    OfAnotherKind,
    /// It has a URL to begin with, and the operation names none.
    #[error("the operation names no URL for the next cycle to begin with")]
    NoLink,
    /// Its page is of another style.
    #[error("the operation's pages are {expected}")]
    Page {
        /// What the next page of the operation is named by.
        expected: &'static str,
    },
}

impl Position {
    /// Whether an operation can stand at this position.
    ///
    /// # Errors
    ///
    /// What speaks against it.
    pub(crate) fn check(&self, facts: &OperationFacts) -> Result<(), PositionMisfit> {
        if self.progress.is_some() {
            return Err(PositionMisfit::OfAnotherKind);
        }
        let reached = self.cycle.as_ref().and_then(|cycle| cycle.offset.as_ref());
        for offset in self.offset.iter().chain(reached) {
            match facts.incremental.as_ref().map(|incremental| incremental.mode) {
                None => return Err(PositionMisfit::NoOffset),
                Some(IncrementalMode::Timestamp) if parse_instant(offset).is_none() => {
                    return Err(PositionMisfit::NoInstant { offset: offset.clone() });
                }
                Some(IncrementalMode::Timestamp | IncrementalMode::Cursor) => {}
            }
        }
        if self.link.is_some() && facts.pagination.delta_pointer().is_none() {
            return Err(PositionMisfit::NoLink);
        }
        match (&facts.pagination, self.page()) {
            (_, None)
            | (Pagination::LinkHeader | Pagination::NextUrl { .. }, Some(PageToken::Url(_)))
            | (Pagination::Cursor { .. } | Pagination::LastRecord { .. }, Some(PageToken::Cursor(_)))
            | (Pagination::Offset { .. }, Some(PageToken::Offset(_)))
            | (Pagination::Page { .. }, Some(PageToken::Page(_))) => Ok(()),
            (style, Some(_)) => Err(PositionMisfit::Page {
                expected: match style {
                    Pagination::None => "one: there is no next one",
                    Pagination::LinkHeader | Pagination::NextUrl { .. } => "named by a `url`",
                    Pagination::Cursor { .. } | Pagination::LastRecord { .. } => "named by a `cursor`",
                    Pagination::Offset { .. } => "named by an `offset`, a number of records",
                    Pagination::Page { .. } => "named by a `page`, a number",
                },
            }),
        }
    }

    /// The offset, of a position of an operation from configuration alone.
    ///
    /// # Errors
    ///
    /// If it is of a generated one.
    pub(crate) fn check_configured(&self) -> Result<Option<&str>, PositionMisfit> {
        match (&self.cycle, &self.link, &*self.delivered) {
            (None, None, []) => Ok(self.offset.as_deref()),
            _ => Err(PositionMisfit::OfAnotherKind),
        }
    }

    /// Reads a stored position.
    ///
    /// # Errors
    ///
    /// If the text is no position of this version.
    pub fn parse(text: &str) -> Result<Self, PositionError> {
        serde_json::from_str(text).map_err(|source| PositionError::new(text, source))
    }

    /// The position of a stream that has read nothing yet, and asks from `offset`.
    pub(crate) fn starting_at(offset: Option<String>) -> Self {
        Self { offset, ..Self::default() }
    }

    /// The position of a stream that is read by configuration alone.
    pub(crate) fn configured(offset: Option<String>, progress: Progress) -> Self {
        let progress = (progress != Progress::default()).then(|| Box::new(progress));
        Self { offset, progress, ..Self::default() }
    }

    /// What the next request asks from, and what else a stream that is read by configuration alone keeps.
    pub(crate) fn into_configured(self) -> (Option<String>, Progress) {
        (self.offset, self.progress.map(|progress| *progress).unwrap_or_default())
    }

    /// What a request that begins a cycle is made conditional by.
    pub(crate) fn validators(&self) -> Option<&Validators> {
        self.validators.as_deref()
    }

    /// The same with the version of the one answer of a cycle.
    #[must_use]
    pub(crate) fn with_validators(self, validators: Option<Validators>) -> Self {
        Self { validators: validators.map(Box::new), ..self }
    }

    /// The same without the hashes of delivered records, which no request needs.
    #[must_use]
    pub(crate) fn without_hashes(&self) -> Self {
        let cycle = self.cycle.clone().map(|cycle| Cycle { delivered: Vec::new(), ..cycle });
        Self { delivered: Vec::new(), cycle, ..self.clone() }
    }

    /// Whether a cycle is under way.
    pub(crate) fn is_within_a_cycle(&self) -> bool {
        self.cycle.is_some() || self.progress.as_ref().is_some_and(|progress| progress.within.is_some())
    }

    /// The page to read next within the cycle; `None`: the first.
    pub(crate) fn page(&self) -> Option<&PageToken> {
        self.cycle.as_ref().map(|cycle| &cycle.next)
    }

    /// What has been counted of the cycle, if pages are asked for by counting.
    pub(crate) fn counted(&self) -> Counted {
        self.cycle.as_ref().and_then(|cycle| cycle.counted).unwrap_or_default()
    }

    /// The position before the first page: of the cycle under way, or if it is that one which is asked for by what an earlier
    /// cycle has left, of all. `None`: that is where it is.
    pub(crate) fn restarted(&self) -> Option<Self> {
        match (&self.cycle, &self.link) {
            (Some(_), _) => Some(Self { cycle: None, ..self.clone() }),
            (None, Some(_)) => Some(Self { link: None, ..self.clone() }),
            (None, None) => None,
        }
    }

    /// The URL that the next request is for, if the API named one.
    pub(crate) fn link(&self) -> Option<&str> {
        self.link.as_deref().filter(|_| self.cycle.is_none())
    }

    /// The same, if a cycle has ended; the next one begins with `link`, or with the first page.
    #[must_use]
    pub(crate) fn linked(self, link: Option<String>) -> Self {
        if self.cycle.is_some() { self } else { Self { link, ..self } }
    }

    /// Where the cycle began.
    pub(crate) fn began(&self) -> Boundary {
        Boundary { value: self.offset.clone(), records: self.delivered.clone() }
    }

    /// How far the cycle has come.
    pub(crate) fn reached(&self) -> Boundary {
        match &self.cycle {
            Some(cycle) => Boundary { value: cycle.offset.clone(), records: cycle.delivered.clone() },
            None => self.began(),
        }
    }

    /// The position after a page that reached `reached`.
    pub(crate) fn after_page(&self, following: Following, reached: Boundary) -> Self {
        let Following { token, counted } = following;
        match token {
            Some(next) => Self {
                offset: self.offset.clone(),
                delivered: self.delivered.clone(),
                link: self.link.clone(),
                cycle: Some(Cycle { next, offset: reached.value, delivered: reached.records, counted }),
                progress: None,
                validators: None,
            },
            None => Self { offset: reached.value, delivered: reached.records, ..Self::default() },
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

/// A hash as hexadecimal text: JSON numbers beyond 2^53 do not survive every reader.
pub(crate) mod hash {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(hash: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{hash:016x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::from_str_radix(&String::deserialize(deserializer)?, 16).map_err(D::Error::custom)
    }
}

/// Hashes as hexadecimal text: JSON numbers beyond 2^53 do not survive every reader.
pub(crate) mod hashes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(hashes: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hashes.iter().map(|hash| format!("{hash:016x}")))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| u64::from_str_radix(text, 16).map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::connector;
    use crate::operation::Incremental;
    use crate::page::Until;

    fn next(token: PageToken) -> Following {
        Following { token: Some(token), counted: None }
    }

    fn facts() -> OperationFacts {
        connector().operations.swap_remove(0).facts
    }

    #[test]
    fn the_next_cycle_asks_from_what_the_last_one_reached() {
        let start = Position::default();
        let first = Boundary { value: Some("2024-01-02T00:00:00Z".to_owned()), records: vec![7] };
        let middle = start.after_page(next(PageToken::Page(2)), first.clone());
        assert_eq!(middle.began().value, None, "a cycle keeps asking from where it began");
        assert_eq!(middle.reached(), first);
        assert_eq!(middle.page(), Some(&PageToken::Page(2)));
        let done = middle.after_page(Following::default(), first.clone());
        assert_eq!(done.began(), first);
        assert_eq!(done.page(), None);
    }

    #[test]
    fn an_operation_says_where_it_can_stand() {
        let check = |pagination: Pagination, mode: Option<IncrementalMode>, position: &str| {
            let incremental = mode.map(|mode| Incremental {
                mode,
                field: "/at".into(),
                parameter: "since".into(),
                initial: None,
                lookback: None,
            });
            let facts = OperationFacts { pagination, incremental, ..facts() };
            Position::parse(position).unwrap().check(&facts).map_err(|error| error.to_string())
        };
        let at = r#"{"offset": "2024-01-01T00:00:00Z"}"#;
        let page = r#"{"cycle": {"next": {"page": 2}}}"#;
        let numbered = || Pagination::Page { parameter: "page".into(), first: 1, size: None, until: Until::EmptyPage };
        let timestamp = Some(IncrementalMode::Timestamp);
        assert_eq!(check(Pagination::None, timestamp, at), Ok(()));
        assert_eq!(check(Pagination::None, Some(IncrementalMode::Cursor), r#"{"offset": "x"}"#), Ok(()));
        assert_eq!(check(numbered(), None, page), Ok(()));
        for (refused, reason) in [
            (check(Pagination::None, None, at), "the operation has no offset: every cycle reads everything"),
            (check(Pagination::None, timestamp, r#"{"offset": "x"}"#), "the offset \"x\" is no RFC 3339 date-time"),
            (check(Pagination::LinkHeader, None, page), "the operation's pages are named by a `url`"),
            (check(Pagination::None, None, page), "the operation's pages are one: there is no next one"),
            (
                check(Pagination::LinkHeader, None, r#"{"link": "https://a/"}"#),
                "the operation names no URL for the next cycle to begin with",
            ),
        ] {
            assert_eq!(refused, Err(reason.to_owned()));
        }
    }

    #[test]
    fn is_stored_as_small_json() {
        let reached = Boundary { value: Some("9".to_owned()), records: vec![u64::MAX, 1] };
        let position = Position::default().after_page(next(PageToken::Cursor("abc".to_owned())), reached);
        let text = position.to_string();
        assert_eq!(
            text,
            r#"{"cycle":{"next":{"cursor":"abc"},"offset":"9","delivered":["ffffffffffffffff","0000000000000001"]}}"#
        );
        assert_eq!(Position::parse(&text).unwrap(), position);
        assert_eq!(Position::default().to_string(), "{}");
        assert!(Position::parse(r#"{"ofset": 1}"#).is_err());
        let counted = Some(Counted { pages: 2, records: 20, of: Some(35), digest: 1 });
        let following = Following { token: Some(PageToken::Offset(20)), counted };
        let position = Position::default().after_page(following, Boundary::default());
        let counted = r#""counted":{"pages":2,"records":20,"of":35,"digest":"0000000000000001"}"#;
        assert_eq!(position.to_string(), format!(r#"{{"cycle":{{"next":{{"offset":20}},{counted}}}}}"#));
        assert_eq!(Position::parse(&position.to_string()).unwrap(), position);
    }
}
