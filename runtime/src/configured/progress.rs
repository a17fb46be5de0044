//! What a stream that is read by configuration keeps in its position, besides the offset.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::page::{Counted, PaginationError};

/// What a stream keeps besides its offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    /// How far the cycle under way has come; `None` between two cycles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Within>,
    /// The primary key of the last record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) primary_key: Option<String>,
    /// The time window under way or, without an end, the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<Window>,
    /// How many records the pages of the cycle under way have, if the API does not give as many as it should be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// The records that the API may return again.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub(crate) seen: Seen,
}

/// How far a cycle has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    /// What the next page is asked for by, in place of the offset: a token, or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// How many pages have been read.
    pub(crate) pages: u32,
    /// Content hash of the last page.
    #[serde(with = "crate::position::hash")]
    pub(crate) page: u64,
    /// What has been counted, if the next page is asked for by counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<Counted>,
    /// Hash of what an earlier page was asked for by, to find a circle with (R. P. Brent, 1980).
    #[serde(with = "crate::position::hash")]
    mark: u64,
    /// The newest time of a record so far, if cycles read what is newer than the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newest: Option<String>,
    /// The records of that time.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub(crate) newest_seen: Seen,
}

/// A time window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// Where it begins.
    pub(crate) start: Timestamp,
    /// Where it ends, once it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<Timestamp>,
    /// What it was cut from: the rest of that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) part_of: Option<Span>,
}

/// A time that is known to both its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// Records that were delivered and may be returned again, by their content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seen(#[serde(with = "crate::position::hashes")] Vec<u64>);

impl Seen {
    /// A position must stay a small message: 4,000 records take 76 kB. Further ones may come twice.
    pub(crate) const CAPACITY: usize = 4_000;

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, content: &[u8]) -> bool {
        !self.0.is_empty() && self.0.contains(&xxh3_64(content))
    }

    pub(crate) fn add(&mut self, content: &[u8]) {
        let hash = xxh3_64(content);
        if self.0.len() < Self::CAPACITY && !self.0.contains(&hash) {
            self.0.push(hash);
        }
    }

    /// As [`Seen::add`], but forgets the first ones rather than not to take another.
    pub(crate) fn add_last(&mut self, content: &[u8]) {
        if self.0.len() >= Self::CAPACITY {
            self.0.drain(..Self::CAPACITY / 10);
        }
        self.add(content);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Within {
    /// How far a cycle has come after another page: one whose content has the hash `page`, that `next` follows. `before`
    /// is how far it had come.
    ///
    /// # Errors
    ///
    /// If the page, or what the next one is asked for by, has been there before.
    pub(crate) fn after(before: Option<Self>, page: u64, next: &str) -> Result<Self, PaginationError> {
        let token = xxh3_64(next.as_bytes());
        let first = before.is_none();
        let mut within = before.unwrap_or_default();
        if !first && within.page == page {
            return Err(PaginationError::SamePage { token: next.to_owned() });
        }
        if !first && within.mark == token {
            return Err(PaginationError::Repeated { token: next.to_owned() });
        }
        within.page = page;
        within.pages = within.pages.saturating_add(1);
        if within.pages.is_power_of_two() {
            within.mark = token;
        }
        Ok(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pages are read until a circle is found.
    fn pages_until_error(tokens: impl Iterator<Item = String>) -> usize {
        let mut within = None;
        for (index, token) in tokens.enumerate() {
            match Within::after(within.take(), index as u64, &token) {
                Ok(after) => within = Some(after),
                Err(PaginationError::Repeated { .. }) => return index,
                Err(other) => panic!("{other}"),
            }
        }
        usize::MAX
    }

    #[test]
    fn a_circle_is_found_wherever_it_begins() {
        assert_eq!(pages_until_error((0..1000).map(|at| at.to_string())), usize::MAX);
        for (before, circle) in [(0, 1), (0, 2), (3, 1), (5, 7), (100, 30)] {
            let tokens = (0..10_000).map(|at: usize| if at < before { at } else { before + (at - before) % circle });
            let found = pages_until_error(tokens.map(|at| at.to_string()));
            assert!(found <= 4 * (before + circle) + 2, "{before} {circle}: {found}");
        }
    }

    #[test]
    fn the_same_page_again_is_an_error() {
        let first = Within::after(None, 1, "1").unwrap();
        let error = Within::after(Some(first), 1, "2").unwrap_err();
        assert!(matches!(error, PaginationError::SamePage { .. }), "{error}");
    }

    #[test]
    fn what_was_seen_is_bounded_and_survives_as_text() {
        let mut seen = Seen::default();
        for at in 0..2 * Seen::CAPACITY {
            seen.add(at.to_string().as_bytes());
        }
        assert!(seen.contains(b"0") && seen.contains(b"3999") && !seen.contains(b"4000"));
        let text = serde_json::to_string(&seen).unwrap();
        assert!(text.len() < 80_000, "{}", text.len());
        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), seen);
    }
}
