//! How one page leads to the next.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::http::{Request, Target};

/// How an operation's responses lead from one page to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pagination {
    /// One response is all there is.
    None,
    /// The response's `Link` header names the next page's URL (RFC 8288, relation `next`).
    LinkHeader,
    /// The response body names the next page's URL.
    NextUrl {
        /// JSON Pointer to the URL. Nothing, `null` or an empty text there ends the cycle.
        pointer: Cow<'static, str>,
    },
    /// The response body holds a token for the next page.
    Cursor {
        /// JSON Pointer to the token. Nothing, `null` or an empty text there ends the cycle.
        pointer: Cow<'static, str>,
        /// Query parameter that takes the token.
        parameter: Cow<'static, str>,
    },
    /// The request names the last record read, by its key.
    LastRecord {
        /// Query parameter that takes the key.
        parameter: Cow<'static, str>,
        /// JSON Pointer to the truth value in the body that says whether there is more. Without it, or with nothing there,
        /// only an empty page ends the cycle.
        has_more: Option<Cow<'static, str>>,
    },
    /// The request says how many records to skip. A page with fewer records than asked for ends the cycle.
    Offset {
        /// Query parameter for the number of records to skip.
        parameter: Cow<'static, str>,
        /// How many records a full page has; without it only an empty page ends the cycle.
        limit: Option<u64>,
    },
    /// The request numbers the page. A page with fewer records than a full one has ends the cycle.
    Page {
        /// Query parameter for the number.
        parameter: Cow<'static, str>,
        /// Number of the first page.
        first: u64,
        /// How many records a full page has; without it only an empty page ends the cycle.
        size: Option<u64>,
    },
}

/// What the next request needs in order to ask for the next page. Part of a stream's position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageToken {
    /// A URL that the API gave.
    Url(String),
    /// A token that the API gave, or the key of the last record.
    Cursor(String),
    /// How many records to skip.
    Offset(u64),
    /// The number of the page.
    Page(u64),
}

/// What a page said of the one after it.
#[derive(Clone, Debug, Default)]
pub struct PageEnd {
    /// The `next` target of the `Link` header.
    pub link: Option<String>,
    /// What stood in the body where the style of paging looks.
    pub body: Option<String>,
    /// How many records the API sent.
    pub received: usize,
    /// The key of the last record that the API sent, if it has one.
    pub last_key: Option<String>,
}

/// A pagination that leads nowhere.
#[derive(Debug, Error)]
pub enum PaginationError {
    /// The API named, as the next page, the one just read.
    #[error("the response names itself as the next page ({token}): following it would never end")]
    Repeated {
        /// What it named.
        token: String,
    },
    /// The last record read has no key, which the next request would name.
    #[error("the last record of the page has no key, and the next page is asked for by it")]
    NoKey,
    /// The API says that there is more, and sent nothing to go on from.
    #[error("the response says that there is more, but holds no record to go on from")]
    NothingToGoOnFrom,
    /// The API answered two requests, of which the second asked for another page, with the same page.
    #[error(
        "the API sent the same page again when asked for the next one (which leads to {token}): it does not look at \
             what the request asks from"
    )]
    SamePage {
        /// What the page leads to.
        token: String,
    },
}

impl Pagination {
    /// JSON Pointer to what the response body says of the next page, if it says it there.
    pub(crate) fn body_pointer(&self) -> Option<&str> {
        match self {
            Self::NextUrl { pointer } | Self::Cursor { pointer, .. } => Some(pointer),
            Self::LastRecord { has_more, .. } => has_more.as_deref(),
            Self::None | Self::LinkHeader | Self::Offset { .. } | Self::Page { .. } => None,
        }
    }

    /// Makes `request` ask for the page that `token` stands for; `None` is the first page.
    pub(crate) fn apply(&self, request: &mut Request, token: Option<&PageToken>) {
        match (self, token) {
            (_, Some(PageToken::Url(url))) => request.target = Target::Absolute(url.clone()),
            (Self::Cursor { parameter, .. } | Self::LastRecord { parameter, .. }, Some(PageToken::Cursor(cursor))) => {
                request.set_query(parameter, cursor.clone());
            }
            (Self::Offset { parameter, .. }, Some(PageToken::Offset(skip))) => {
                request.set_query(parameter, skip.to_string());
            }
            (Self::Page { parameter, .. }, Some(PageToken::Page(number))) => {
                request.set_query(parameter, number.to_string());
            }
            (Self::Page { parameter, first, .. }, _) => request.set_query(parameter, first.to_string()),
            (Self::Offset { parameter, .. }, _) => request.set_query(parameter, "0".to_owned()),
            (
                Self::None | Self::LinkHeader | Self::NextUrl { .. } | Self::Cursor { .. } | Self::LastRecord { .. },
                _,
            ) => {}
        }
    }

    /// Which page follows the one that `current` asked for, or `None` after the last.
    ///
    /// # Errors
    ///
    /// If the response names itself as the next page, or says that there is more without saying from where.
    pub(crate) fn next(&self, current: Option<&PageToken>, end: PageEnd) -> Result<Option<PageToken>, PaginationError> {
        let named = |text: Option<String>| text.filter(|text| !text.is_empty());
        let received = end.received as u64;
        let is_last = |full: Option<u64>| full.map_or(received == 0, |full| received < full);
        let next = match self {
            Self::None => None,
            Self::LinkHeader => named(end.link).map(PageToken::Url),
            Self::NextUrl { .. } => named(end.body).map(PageToken::Url),
            Self::Cursor { .. } => named(end.body).map(PageToken::Cursor),
            Self::LastRecord { .. } => match (end.body.as_deref(), received) {
                (Some("true"), 0) => return Err(PaginationError::NothingToGoOnFrom),
                (Some("false"), _) | (_, 0) => None,
                _ => Some(PageToken::Cursor(named(end.last_key).ok_or(PaginationError::NoKey)?)),
            },
            Self::Offset { limit, .. } => {
                let skipped = if let Some(PageToken::Offset(skipped)) = current { *skipped } else { 0 };
                (!is_last(*limit)).then_some(PageToken::Offset(skipped + received))
            }
            Self::Page { first, size, .. } => {
                let number = if let Some(PageToken::Page(number)) = current { *number } else { *first };
                (!is_last(*size)).then_some(PageToken::Page(number + 1))
            }
        };
        match next {
            Some(token) if Some(&token) == current => Err(PaginationError::Repeated { token: token.to_string() }),
            next => Ok(next),
        }
    }
}

impl std::fmt::Display for PageToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(text) | Self::Cursor(text) => f.write_str(text),
            Self::Offset(number) | Self::Page(number) => number.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(link: Option<&str>, body: Option<&str>, received: usize) -> PageEnd {
        PageEnd { link: link.map(str::to_owned), body: body.map(str::to_owned), received, last_key: None }
    }

    fn query(pagination: &Pagination, token: Option<&PageToken>) -> Vec<String> {
        let mut request = Request::get("/items");
        pagination.apply(&mut request, token);
        match request.target {
            Target::Relative { query, .. } => query.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            Target::Absolute(url) | Target::Written(url) => vec![url],
        }
    }

    #[test]
    fn a_link_header_is_followed_until_there_is_none() {
        let next = Pagination::LinkHeader.next(None, end(Some("https://a/2"), None, 3)).unwrap();
        assert_eq!(query(&Pagination::LinkHeader, next.as_ref()), ["https://a/2"]);
        assert_eq!(Pagination::LinkHeader.next(next.as_ref(), end(None, None, 0)).unwrap(), None);
    }

    #[test]
    fn a_cursor_is_followed_until_it_is_empty() {
        let style = Pagination::Cursor { pointer: "/next".into(), parameter: "after".into() };
        assert!(query(&style, None).is_empty());
        let next = style.next(None, end(None, Some("abc"), 3)).unwrap();
        assert_eq!(query(&style, next.as_ref()), ["after=abc"]);
        assert_eq!(style.next(next.as_ref(), end(None, Some(""), 3)).unwrap(), None);
    }

    #[test]
    fn a_response_that_names_itself_is_an_error() {
        let style = Pagination::Cursor { pointer: "/next".into(), parameter: "after".into() };
        let token = PageToken::Cursor("abc".to_owned());
        let error = style.next(Some(&token), end(None, Some("abc"), 3)).unwrap_err();
        assert!(error.to_string().contains("names itself"), "{error}");
    }

    #[test]
    fn the_last_record_is_named_while_there_is_more() {
        let style = Pagination::LastRecord { parameter: "starting_after".into(), has_more: Some("/has_more".into()) };
        let page = |more: Option<&str>, received, key: Option<&str>| PageEnd {
            last_key: key.map(str::to_owned),
            ..end(None, more, received)
        };
        assert!(query(&style, None).is_empty());
        let next = style.next(None, page(Some("true"), 2, Some("b"))).unwrap();
        assert_eq!(query(&style, next.as_ref()), ["starting_after=b"]);
        assert_eq!(style.next(next.as_ref(), page(Some("false"), 2, Some("d"))).unwrap(), None);
        // Without the truth value, an empty page is the end.
        assert_eq!(
            style.next(next.as_ref(), page(None, 1, Some("c"))).unwrap(),
            Some(PageToken::Cursor("c".to_owned()))
        );
        assert_eq!(style.next(next.as_ref(), page(None, 0, None)).unwrap(), None);
        for (end, message) in [
            (page(Some("true"), 0, None), "no record to go on from"),
            (page(Some("true"), 1, None), "has no key"),
            (page(Some("true"), 1, Some("b")), "names itself"),
        ] {
            let error = style.next(next.as_ref(), end).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn skipping_and_numbering_end_with_a_short_page() {
        let skip = Pagination::Offset { parameter: "offset".into(), limit: Some(10) };
        assert_eq!(query(&skip, None), ["offset=0"]);
        let next = skip.next(None, end(None, None, 10)).unwrap();
        assert_eq!(query(&skip, next.as_ref()), ["offset=10"]);
        assert_eq!(skip.next(next.as_ref(), end(None, None, 9)).unwrap(), None);

        let number = Pagination::Page { parameter: "page".into(), first: 1, size: None };
        assert_eq!(query(&number, None), ["page=1"]);
        let next = number.next(None, end(None, None, 1)).unwrap();
        assert_eq!(query(&number, next.as_ref()), ["page=2"]);
        assert_eq!(number.next(next.as_ref(), end(None, None, 0)).unwrap(), None);
    }
}
