//! How one page leads to the next.

use std::fmt;

use super::{ParameterLocation, ParameterPlan};
use crate::document::pointer;

/// How one page leads to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaginationPlan {
    /// One response is all there is.
    None,
    /// The `Link` header's `next`.
    LinkHeader,
    /// A URL.
    NextUrl {
        /// Where it is in the response.
        pointer: FoundIn,
        /// JSON Pointer to the URL that the next cycle begins with.
        delta: Option<String>,
    },
    /// A token.
    Cursor {
        /// Where it is in the response.
        pointer: FoundIn,
        /// What takes it.
        parameter: TokenIn,
        /// What the first request has there.
        initial: Option<String>,
    },
    /// The key of the last record read.
    LastRecord {
        /// What takes it.
        parameter: TokenIn,
        /// JSON Pointer to a truth value: whether there is more.
        has_more: Option<String>,
    },
    /// Records to skip.
    Offset {
        /// What takes their number.
        parameter: TokenIn,
        /// How many records a full page has, if the connector sets it.
        limit: Option<u64>,
        /// What ends a cycle.
        until: Until,
    },
    /// Numbered pages.
    Page {
        /// What takes the number.
        parameter: TokenIn,
        /// Number of the first page.
        first: u64,
        /// How many records a full page has, if the connector sets it.
        size: Option<u64>,
        /// What ends a cycle.
        until: Until,
    },
}

impl PaginationPlan {
    /// What takes that which the next page is asked for by.
    pub fn parameter(&self) -> Option<&TokenIn> {
        match self {
            Self::None | Self::LinkHeader | Self::NextUrl { .. } => None,
            Self::Cursor { parameter, .. }
            | Self::LastRecord { parameter, .. }
            | Self::Offset { parameter, .. }
            | Self::Page { parameter, .. } => Some(parameter),
        }
    }
}

/// Where a response says something of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundIn {
    /// In the body, at a JSON Pointer.
    Body(String),
    /// In the header of this name.
    Header(String),
}

impl FoundIn {
    /// What annotations begin the name of a header with.
    pub const HEADER: &str = "header:";

    /// As annotations write it.
    pub fn annotated(&self) -> String {
        match self {
            Self::Body(pointer) => pointer.clone(),
            Self::Header(name) => format!("{}{name}", Self::HEADER),
        }
    }
}

impl From<&str> for FoundIn {
    fn from(pointer: &str) -> Self {
        Self::Body(pointer.to_owned())
    }
}

impl fmt::Display for FoundIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(pointer) => f.write_str(pointer),
            Self::Header(name) => write!(f, "header {name}"),
        }
    }
}

/// What of a request takes that which the next page is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIn {
    /// Where it goes.
    pub place: TokenPlace,
    /// The name of the parameter; in a body, a JSON Pointer.
    pub name: String,
    /// Whether it is a number in the body.
    pub is_number: bool,
}

impl TokenIn {
    /// Whether it is this parameter, or within it.
    pub fn is_in(&self, parameter: &ParameterPlan) -> bool {
        self.place.location() == parameter.location && self.parameter() == parameter.wire_name
    }

    /// The name of the parameter that it is, or is within.
    pub fn parameter(&self) -> String {
        match self.place {
            TokenPlace::Body => pointer::segments(&self.name).next().unwrap_or_default().into_owned(),
            _ => self.name.clone(),
        }
    }
}

/// Where a request says which page it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In the query.
    Query,
    /// In a header.
    Header,
    /// In the path.
    Path,
    /// In the body.
    Body,
}

impl TokenPlace {
    /// As annotations write it.
    pub fn annotated(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Header => "header",
            Self::Path => "path",
            Self::Body => "body",
        }
    }

    /// Where a parameter goes that takes it.
    pub fn location(self) -> ParameterLocation {
        match self {
            Self::Query => ParameterLocation::Query,
            Self::Header => ParameterLocation::Header,
            Self::Path => ParameterLocation::Path,
            Self::Body => ParameterLocation::Body,
        }
    }
}

impl From<&str> for TokenIn {
    fn from(name: &str) -> Self {
        Self { place: TokenPlace::Query, name: name.to_owned(), is_number: false }
    }
}

impl fmt::Display for TokenIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            TokenPlace::Query => f.write_str(&self.name),
            place => write!(f, "{} {}", place.annotated(), self.name),
        }
    }
}

/// What ends a cycle of pages that are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// A page without records.
    EmptyPage,
    /// A page that is not full, of an API that promises that only the last is one.
    ShortPage,
    /// A truth value that says whether there is more.
    NoMore(FoundIn),
    /// All records that are declared.
    Records(FoundIn),
    /// All pages that are declared.
    Pages(FoundIn),
}

impl Until {
    /// The key of an annotation that says it, and where a response does; none for what holds without one.
    pub fn annotated(&self) -> Option<(&'static str, &FoundIn)> {
        match self {
            Self::EmptyPage | Self::ShortPage => None,
            Self::NoMore(found) => Some(("has_more", found)),
            Self::Records(found) => Some(("total", found)),
            Self::Pages(found) => Some(("total_pages", found)),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPage => Ok(()),
            Self::ShortPage => f.write_str(" until one is short"),
            Self::NoMore(found) => write!(f, " while {found}"),
            Self::Records(found) => write!(f, " of as many records as {found}"),
            Self::Pages(found) => write!(f, " of as many pages as {found}"),
        }
    }
}
