//! How one page leads to the next.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::place::{FoundIn, TokenIn};
use crate::http::{Detour, Request, Target};

/// How an operation's responses lead from one page to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pagination {
    /// One response is all there is.
    None,
    /// The response's `Link` header names the next page's URL (RFC 8288, relation `next`).
    LinkHeader,
    /// The response names the next page's URL.
    NextUrl {
        /// Where it does. Nothing there ends the cycle.
        pointer: FoundIn,
        /// JSON Pointer to the URL that the last page names for the next cycle to begin with (OData 4.01 Protocol section
        /// 11.3, delta link). `None`: every cycle begins with the first page.
        delta: Option<Cow<'static, str>>,
    },
    /// The response holds a token for the next page.
    Cursor {
        /// Where it does. Nothing there ends the cycle.
        pointer: FoundIn,
        /// Where the request takes it.
        parameter: TokenIn,
        /// What the request for the first page has there; `None`: nothing.
        initial: Option<Cow<'static, str>>,
    },
    /// The request names the last record read, by its key.
    LastRecord {
        /// Where it does.
        parameter: TokenIn,
        /// JSON Pointer to the truth value in the body that says whether there is more. Without it, or with nothing there,
        /// only an empty page ends the cycle.
        has_more: Option<Cow<'static, str>>,
    },
    /// The request says how many records to skip.
    Offset {
        /// Where it does.
        parameter: TokenIn,
        /// How many records a full page has, if that is known.
        limit: Option<u64>,
        /// What ends the cycle.
        until: Until,
    },
    /// The request numbers the page.
    Page {
        /// Where it does.
        parameter: TokenIn,
        /// Number of the first page.
        first: u64,
        /// How many records a full page has, if that is known.
        size: Option<u64>,
        /// What ends the cycle.
        until: Until,
    },
}

/// What ends a cycle whose pages are counted. If a response does not say what it should, the rule for
/// [`Until::EmptyPage`] holds for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until<P = FoundIn> {
    /// A page without records. A short one can be the API's own limit, or one that lacks a record.
    EmptyPage,
    /// A page with fewer records than a full one, of an API that promises that only the last is one; without a known size, an
    /// empty page.
    ShortPage,
    /// A truth value, there, that says whether there is more.
    NoMore(P),
    /// As many records as the response declares there. A page that is short before that ends nothing, and an empty one is
    /// an error. A number that is no more than what one full page has is not believed until the next page is seen.
    Records(P),
    /// As many pages as the response declares there.
    Pages(P),
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
    /// What stood where the style of paging looks.
    pub said: Option<String>,
    /// How many records the API sent.
    pub received: usize,
    /// The key of the last record that the API sent, if it has one.
    pub last_key: Option<String>,
    /// A hash of the records.
    pub digest: u64,
}

/// What has been counted of a cycle, for the styles that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// How many pages have been read.
    pub(crate) pages: u64,
    /// How many records the API has sent.
    pub(crate) records: u64,
    /// How many records, or pages, there are, as the last page declared it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<u64>,
    /// A hash of the records of the last page.
    #[serde(with = "crate::position::hash")]
    pub(crate) digest: u64,
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
    /// The pages ended before all was there.
    #[error(
        "the pages end after {received} records, and the response declares {declared}: records were removed while they \
             were read, or the API does not give all that it counts. To read from the beginning again, reset the \
             stream's position"
    )]
    Incomplete {
        /// How many records the API sent in this cycle.
        received: u64,
        /// How many it says there are.
        declared: u64,
    },
    /// What should say how much there is says something else.
    #[error("what the response declares {place} is {text:?}, which is not {expected}")]
    Undeclared {
        /// Where it stands.
        place: String,
        /// What stands there.
        text: String,
        /// What should.
        expected: &'static str,
    },
}

/// What follows a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Following {
    /// The next page; `None` after the last.
    pub token: Option<PageToken>,
    /// What has been counted of the cycle, if the style counts.
    pub counted: Option<Counted>,
}

impl<P: std::fmt::Display> Until<P> {
    /// Where a response declares it.
    pub(crate) fn found_in(&self) -> Option<&P> {
        match self {
            Self::EmptyPage | Self::ShortPage => None,
            Self::NoMore(place) | Self::Records(place) | Self::Pages(place) => Some(place),
        }
    }

    /// Whether there is more after a page, `counted` being what there is with it; `full` is how many records a full page has.
    ///
    /// # Errors
    ///
    /// If all that is declared cannot be had, or what is declared cannot be read.
    pub(crate) fn has_more(
        &self,
        full: Option<u64>,
        received: u64,
        said: Option<&str>,
        counted: &mut Counted,
    ) -> Result<bool, PaginationError> {
        let (Some(place), Some(said)) = (self.found_in(), said) else {
            return self.has_more_unsaid(full, received, counted);
        };
        let undeclared = |expected| {
            let (place, text) = (place.to_string(), said.to_owned());
            Err(PaginationError::Undeclared { place, text, expected })
        };
        if let Self::NoMore(_) = self {
            return match said.trim() {
                yes if yes.eq_ignore_ascii_case("true") => Ok(true),
                no if no.eq_ignore_ascii_case("false") => Ok(false),
                _ => undeclared("a truth value"),
            };
        }
        let Ok(declared) = said.trim().parse() else { return undeclared("a whole number") };
        counted.of = Some(declared);
        match self {
            Self::Pages(_) => Ok(counted.pages < declared),
            _ if received == 0 && counted.records < declared => {
                Err(PaginationError::Incomplete { received: counted.records, declared })
            }
            // What is less than there is already is not said of the whole, or records were removed while they were read.
            _ if counted.records > declared => Ok(received > 0),
            // What says no more than what is on a page that has no room for more is perhaps not said of the whole.
            _ if counted.pages == 1 && counted.records == declared => Ok(full.is_some_and(|full| received >= full)),
            _ => Ok(counted.records < declared),
        }
    }

    /// The same, after a page that does not say what it should.
    fn has_more_unsaid(&self, full: Option<u64>, received: u64, counted: &Counted) -> Result<bool, PaginationError> {
        match (self, counted.of) {
            (Self::ShortPage, _) => Ok(full.map_or(received > 0, |full| received >= full)),
            // What an earlier page has declared.
            (Self::Records(_), Some(declared)) if received == 0 && counted.records < declared => {
                Err(PaginationError::Incomplete { received: counted.records, declared })
            }
            (Self::Pages(_), Some(declared)) if counted.pages < declared => Ok(true),
            _ => Ok(received > 0),
        }
    }

    /// Whether there can be a page after one that is to be counted so.
    pub(crate) fn may_have_more(&self, counted: &Counted) -> bool {
        match (self, counted.of) {
            (Self::Records(_), Some(of)) => counted.records < of,
            (Self::Pages(_), Some(of)) => counted.pages < of,
            (Self::EmptyPage | Self::ShortPage | Self::NoMore(_) | Self::Records(_) | Self::Pages(_), _) => true,
        }
    }
}

impl Counted {
    /// What is counted with a page of `received` records more.
    pub(crate) fn with(self, received: u64, digest: u64) -> Self {
        let (pages, records) = (self.pages.saturating_add(1), self.records.saturating_add(received));
        Self { pages, records, digest, ..self }
    }

    /// Whether the last page had the same records; two empty ones have. `self` is what was counted before.
    pub(crate) fn is_repeated_by(&self, digest: u64) -> bool {
        self.pages > 0 && self.digest == digest
    }
}

impl Pagination {
    /// Whether the next page is asked for by the key of a record.
    pub(crate) fn asks_by_key(&self) -> bool {
        matches!(self, Self::LastRecord { .. })
    }

    /// Where a response says what this style of paging has to know.
    pub(crate) fn found_in(&self) -> Option<&FoundIn> {
        match self {
            Self::NextUrl { pointer, .. } | Self::Cursor { pointer, .. } => Some(pointer),
            Self::Offset { until, .. } | Self::Page { until, .. } => until.found_in(),
            Self::None | Self::LinkHeader | Self::LastRecord { .. } => None,
        }
    }

    /// JSON Pointer to what the response body says of the next page, if it says it there.
    pub(crate) fn body_pointer(&self) -> Option<&str> {
        match self {
            Self::LastRecord { has_more, .. } => has_more.as_deref(),
            _ => self.found_in()?.pointer(),
        }
    }

    /// JSON Pointer to the URL that the next cycle begins with, if the last page names one.
    pub(crate) fn delta_pointer(&self) -> Option<&str> {
        match self {
            Self::NextUrl { delta, .. } => delta.as_deref(),
            _ => None,
        }
    }

    /// Whether pages or records are counted, so that what a response says plays no part in the next request.
    pub(crate) fn counts(&self) -> bool {
        matches!(self, Self::Offset { .. } | Self::Page { .. })
    }

    /// How many records a full page has, if that is known and pages are counted.
    pub(crate) fn full(&self) -> Option<u64> {
        match self {
            Self::Offset { limit: full, .. } | Self::Page { size: full, .. } => *full,
            _ => None,
        }
    }

    /// Makes `request` ask for the page that `token` stands for; `None` is the first page.
    pub(crate) fn apply(&self, request: &mut Request, token: Option<&PageToken>) {
        let (parameter, value) = match (self, token) {
            (_, Some(PageToken::Url(url))) => {
                request.target = Target::Absolute(url.clone());
                return;
            }
            (Self::Cursor { parameter, .. } | Self::LastRecord { parameter, .. }, Some(PageToken::Cursor(cursor))) => {
                (parameter, cursor.clone().into())
            }
            (Self::Cursor { parameter, initial: Some(initial), .. }, _) => (parameter, initial.to_string().into()),
            (Self::Offset { parameter, .. }, Some(PageToken::Offset(number)))
            | (Self::Page { parameter, .. }, Some(PageToken::Page(number))) => (parameter, (*number).into()),
            (Self::Page { parameter, first, .. }, _) => (parameter, (*first).into()),
            (Self::Offset { parameter, .. }, _) => (parameter, 0.into()),
            (
                Self::None | Self::LinkHeader | Self::NextUrl { .. } | Self::Cursor { .. } | Self::LastRecord { .. },
                _,
            ) => return,
        };
        parameter.set(request, value);
    }

    /// Which page follows the one that `current` asks for if that is a full one, if the style counts. `counted` is what
    /// has been counted before it.
    pub(crate) fn ahead(&self, current: Option<&PageToken>, counted: Counted) -> Option<Following> {
        let (until, full, token) = match self {
            Self::Offset { limit: Some(limit), until, .. } => {
                (until, Some(*limit), PageToken::Offset(skipped(current).checked_add(*limit)?))
            }
            Self::Page { first, size, until, .. } => {
                (until, *size, PageToken::Page(number(current, *first).checked_add(1)?))
            }
            _ => return None,
        };
        let counted = counted.with(full.unwrap_or(0), 0);
        until.may_have_more(&counted).then_some(Following { token: Some(token), counted: Some(counted) })
    }

    /// Whether there is ever something else to ask for than a page that the API does not give.
    ///
    /// # Errors
    ///
    /// Why not, as the end of a sentence.
    pub(crate) fn allows(&self, detour: Detour) -> Result<(), &'static str> {
        match (detour, self) {
            (Detour::Skip, Self::Page { .. } | Self::Offset { limit: Some(_), .. }) => Ok(()),
            (Detour::Skip, _) => Err("only the page itself says what comes after it"),
            (Detour::Restart, Self::None) => Err("there is one page in a cycle"),
            (Detour::Restart, _) => Ok(()),
            (Detour::Shrink, _) => Err("the size of pages is a part of the generated code"),
            (Detour::Split, _) => Err("the stream goes through no time windows"),
        }
    }

    /// Which page follows the one that `current` asked for. `counted` is what has been counted before it.
    ///
    /// # Errors
    ///
    /// If the response leads nowhere, or the pages end before all is there.
    pub(crate) fn next(
        &self,
        current: Option<&PageToken>,
        counted: Counted,
        end: PageEnd,
    ) -> Result<Following, PaginationError> {
        let received = end.received as u64;
        let token = match self {
            Self::None => None,
            Self::LinkHeader => named(end.link).map(PageToken::Url),
            Self::NextUrl { .. } => named(end.said).map(PageToken::Url),
            Self::Cursor { .. } => named(end.said).map(PageToken::Cursor),
            Self::LastRecord { .. } => match (end.said.as_deref(), received) {
                (Some("true"), 0) => return Err(PaginationError::NothingToGoOnFrom),
                (Some("false"), _) | (_, 0) => None,
                _ => Some(PageToken::Cursor(named(end.last_key).ok_or(PaginationError::NoKey)?)),
            },
            Self::Offset { limit, until, .. } => {
                let token = PageToken::Offset(skipped(current).saturating_add(received));
                return follow(until, *limit, token, counted, end);
            }
            Self::Page { first, size, until, .. } => {
                let token = PageToken::Page(number(current, *first).saturating_add(1));
                return follow(until, *size, token, counted, end);
            }
        };
        match token {
            Some(token) if Some(&token) == current => Err(PaginationError::Repeated { token: token.to_string() }),
            token => Ok(Following { token, counted: None }),
        }
    }
}

fn named(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn skipped(current: Option<&PageToken>) -> u64 {
    if let Some(PageToken::Offset(skipped)) = current { *skipped } else { 0 }
}

fn number(current: Option<&PageToken>, first: u64) -> u64 {
    if let Some(PageToken::Page(number)) = current { *number } else { first }
}

/// What follows a page of a style that counts: `token`, if there is more.
fn follow(
    until: &Until,
    full: Option<u64>,
    token: PageToken,
    before: Counted,
    end: PageEnd,
) -> Result<Following, PaginationError> {
    let received = end.received as u64;
    let mut counted = before.with(received, end.digest);
    let is_repeated = before.is_repeated_by(end.digest);
    // Neither the next one nor the end, however much there is with it.
    if (!is_repeated || received == 0) && !until.has_more(full, received, named(end.said).as_deref(), &mut counted)? {
        return Ok(Following::default());
    }
    if is_repeated {
        return Err(PaginationError::SamePage { token: token.to_string() });
    }
    match token {
        PageToken::Offset(_) if received == 0 => Err(PaginationError::NothingToGoOnFrom),
        token => Ok(Following { token: Some(token), counted: Some(counted) }),
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

    fn end(said: Option<&str>, received: usize) -> PageEnd {
        PageEnd { said: said.map(str::to_owned), received, ..PageEnd::default() }
    }

    fn query(pagination: &Pagination, token: Option<&PageToken>) -> Vec<String> {
        let mut request = Request::get("/items");
        pagination.apply(&mut request, token);
        match request.target {
            Target::Relative { query, .. } => query.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            Target::Absolute(url) | Target::Written(url) => vec![url],
        }
    }

    /// What follows, of a style that does not count.
    fn next(
        style: &Pagination,
        current: Option<&PageToken>,
        end: PageEnd,
    ) -> Result<Option<PageToken>, PaginationError> {
        style.next(current, Counted::default(), end).map(|following| following.token)
    }

    #[test]
    fn a_link_header_is_followed_until_there_is_none() {
        let link = PageEnd { link: Some("https://a/2".to_owned()), ..end(None, 3) };
        let token = next(&Pagination::LinkHeader, None, link).unwrap();
        assert_eq!(query(&Pagination::LinkHeader, token.as_ref()), ["https://a/2"]);
        assert_eq!(next(&Pagination::LinkHeader, token.as_ref(), end(None, 0)).unwrap(), None);
    }

    fn cursor() -> Pagination {
        Pagination::Cursor { pointer: "/next".into(), parameter: "after".into(), initial: None }
    }

    #[test]
    fn a_cursor_is_followed_until_it_is_empty() {
        let style = cursor();
        assert!(query(&style, None).is_empty());
        let token = next(&style, None, end(Some("abc"), 3)).unwrap();
        assert_eq!(query(&style, token.as_ref()), ["after=abc"]);
        assert_eq!(next(&style, token.as_ref(), end(Some(""), 3)).unwrap(), None);
        let initial = Some("*".into());
        let style = Pagination::Cursor { pointer: "/next".into(), parameter: "after".into(), initial };
        assert_eq!(query(&style, None), ["after=%2A"]);
        assert_eq!(query(&style, token.as_ref()), ["after=abc"]);
    }

    #[test]
    fn a_response_that_names_itself_is_an_error() {
        let token = PageToken::Cursor("abc".to_owned());
        let error = next(&cursor(), Some(&token), end(Some("abc"), 3)).unwrap_err();
        assert!(error.to_string().contains("names itself"), "{error}");
    }

    #[test]
    fn the_last_record_is_named_while_there_is_more() {
        let style = Pagination::LastRecord { parameter: "starting_after".into(), has_more: Some("/has_more".into()) };
        let page = |more: Option<&str>, received, key: Option<&str>| PageEnd {
            last_key: key.map(str::to_owned),
            ..end(more, received)
        };
        assert!(query(&style, None).is_empty());
        let token = next(&style, None, page(Some("true"), 2, Some("b"))).unwrap();
        assert_eq!(query(&style, token.as_ref()), ["starting_after=b"]);
        assert_eq!(next(&style, token.as_ref(), page(Some("false"), 2, Some("d"))).unwrap(), None);
        // Without the truth value, an empty page is the end.
        assert_eq!(
            next(&style, token.as_ref(), page(None, 1, Some("c"))).unwrap(),
            Some(PageToken::Cursor("c".to_owned()))
        );
        assert_eq!(next(&style, token.as_ref(), page(None, 0, None)).unwrap(), None);
        for (end, message) in [
            (page(Some("true"), 0, None), "no record to go on from"),
            (page(Some("true"), 1, None), "has no key"),
            (page(Some("true"), 1, Some("b")), "names itself"),
        ] {
            let error = next(&style, token.as_ref(), end).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    fn skip(until: Until) -> Pagination {
        Pagination::Offset { parameter: "offset".into(), limit: Some(10), until }
    }

    fn number(size: Option<u64>, until: Until) -> Pagination {
        Pagination::Page { parameter: "page".into(), first: 1, size, until }
    }

    /// The tokens of the requests for pages that hold so many records and say this, each page being another one.
    fn asked(style: &Pagination, pages: &[(usize, Option<&str>)]) -> Result<Vec<String>, PaginationError> {
        let (mut token, mut counted, mut asked) = (None, Counted::default(), Vec::new());
        for (digest, (received, said)) in (1..).zip(pages) {
            asked.extend(query(style, token.as_ref()));
            let following = style.next(token.as_ref(), counted, PageEnd { digest, ..end(*said, *received) })?;
            token = following.token;
            counted = following.counted.unwrap_or_default();
            if token.is_none() {
                return Ok(asked);
            }
        }
        asked.push("and on".to_owned());
        Ok(asked)
    }

    #[test]
    fn skipping_and_numbering_end_with_an_empty_page_or_if_the_api_promises_it_a_short_one() {
        let pages = [10, 9, 1, 0].map(|received| (received, None));
        let by_empty = ["offset=0", "offset=10", "offset=19", "offset=20"];
        assert_eq!(asked(&skip(Until::EmptyPage), &pages).unwrap(), by_empty);
        assert_eq!(asked(&number(Some(10), Until::EmptyPage), &pages).unwrap().len(), 4);
        // An API that never gives more than 5 however many are asked for.
        let capped = [5, 5, 0].map(|received| (received, None));
        assert_eq!(asked(&skip(Until::EmptyPage), &capped).unwrap(), ["offset=0", "offset=5", "offset=10"]);
        assert_eq!(asked(&skip(Until::ShortPage), &pages).unwrap(), ["offset=0", "offset=10"]);
        assert_eq!(asked(&number(None, Until::ShortPage), &pages).unwrap().len(), 4);
    }

    #[test]
    fn with_a_declared_total_a_short_page_ends_nothing() {
        let records = || Until::Records("/total".into());
        let total = |received| (received, Some("25"));
        let pages = [total(10), total(9), total(6)];
        assert_eq!(asked(&skip(records()), &pages).unwrap(), ["offset=0", "offset=10", "offset=19"]);
        assert_eq!(asked(&number(None, records()), &pages).unwrap(), ["page=1", "page=2", "page=3"]);
        assert_eq!(asked(&skip(records()), &[(0, Some("0"))]).unwrap(), ["offset=0"]);
        assert_eq!(asked(&skip(records()), &[(10, Some("20")), (10, Some("20"))]).unwrap(), ["offset=0", "offset=10"]);
        // What is called a total may count one page.
        let own = [(10, Some("10")), (10, Some("10")), (3, Some("3")), (0, Some("0"))];
        assert_eq!(asked(&skip(records()), &own).unwrap(), ["offset=0", "offset=10", "offset=20", "offset=23"]);
        let full = [(10, Some("10")), (0, Some("10"))];
        assert_eq!(asked(&skip(records()), &full).unwrap(), ["offset=0", "offset=10"]);
        let error = asked(&skip(records()), &[total(10), total(0)]).unwrap_err();
        assert!(matches!(error, PaginationError::Incomplete { received: 10, declared: 25 }), "{error}");
        let pages = number(Some(10), Until::Pages(FoundIn::Header("X-Total-Pages".into())));
        let three = |received| (received, Some("3"));
        assert_eq!(asked(&pages, &[three(3), three(0), three(10)]).unwrap(), ["page=1", "page=2", "page=3"]);
        // What one response declares holds for those that do not.
        assert_eq!(asked(&pages, &[three(10), (10, None), (9, None), (0, None)]).unwrap().len(), 4);
        assert_eq!(asked(&pages, &[three(10), (0, None), (9, None), (0, None)]).unwrap().len(), 4);
        let error = asked(&skip(records()), &[total(10), (0, None)]).unwrap_err();
        assert!(matches!(error, PaginationError::Incomplete { received: 10, declared: 25 }), "{error}");
        let error = asked(&pages, &[(10, Some("many"))]).unwrap_err().to_string();
        assert_eq!(
            error,
            "what the response declares in the header `X-Total-Pages` is \"many\", which is not a whole number"
        );
    }

    #[test]
    fn a_truth_value_says_whether_there_is_more() {
        let more = |received| (received, Some("true"));
        let style = number(Some(10), Until::NoMore("/has_more".into()));
        let pages = [more(10), more(2), more(0), (10, Some("false"))];
        assert_eq!(asked(&style, &pages).unwrap(), ["page=1", "page=2", "page=3", "page=4"]);
        let error = asked(&skip(Until::NoMore("/has_more".into())), &[more(10), more(0)]).unwrap_err();
        assert!(matches!(error, PaginationError::NothingToGoOnFrom), "{error}");
    }

    #[test]
    fn the_same_page_again_is_an_error_even_if_all_that_is_declared_is_there() {
        let page = |said| PageEnd { digest: 7, ..end(said, 10) };
        let again = Counted { pages: 3, records: 30, of: None, digest: 7 };
        for (style, said) in [
            (number(Some(10), Until::EmptyPage), None),
            (skip(Until::ShortPage), None),
            (number(Some(10), Until::Records("/total".into())), Some("50")),
            (number(Some(10), Until::Records("/total".into())), Some("40")),
            (number(Some(10), Until::Pages("/pages".into())), Some("4")),
            (number(Some(10), Until::NoMore("/more".into())), Some("false")),
        ] {
            let result = style.next(Some(&PageToken::Page(4)), again, page(said));
            assert!(matches!(result, Err(PaginationError::SamePage { .. })), "{result:?}");
        }
    }

    #[test]
    fn nothing_is_asked_for_ahead_beyond_a_declared_end() {
        let of = |of| Counted { pages: 1, records: 10, of: Some(of), digest: 0 };
        let token = |style: &Pagination, counted| style.ahead(None, counted).and_then(|following| following.token);
        let records = || Until::Records("/total".into());
        assert_eq!(token(&skip(Until::EmptyPage), of(1)), Some(PageToken::Offset(10)));
        assert_eq!(token(&skip(records()), of(21)), Some(PageToken::Offset(10)));
        assert_eq!(token(&skip(records()), of(20)), None);
        assert_eq!(token(&number(Some(10), records()), of(21)), Some(PageToken::Page(2)));
        assert_eq!(token(&number(None, Until::Pages("/pages".into())), of(2)), None);
        assert_eq!(token(&cursor(), of(9)), None);
    }
}
