//! Every way in which one page leads to the next: an API that pages so, and a source that is configured for it.

use serde_json::{Map, Value, json};

use crate::scripted::{Answer, Received};

/// The second since 1970 at which the time windows of a source begin: 2024-01-01T00:00:00Z. Record 0 is of that second,
/// record 1 of the next one.
const START: usize = 1_704_067_200;

/// A way of paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    /// `${offset}` counts records, until a page is empty.
    Increment,
    /// A parameter counts records, until a page is empty.
    Offset,
    /// The same, until all are there that the response declares.
    OffsetTotal,
    /// Pages are numbered, until one is short.
    Page,
    /// The same, until all records are there that the response declares.
    PageTotal,
    /// The same, until all pages are there that the response declares.
    PagePages,
    /// The same, until the response says that there is no more.
    PageHasMore,
    /// A field of the last record, until a page is empty.
    Chain,
    /// The same, and everything again in each cycle.
    Snapshot,
    /// What is newer than the last cycle, counted.
    Timestamp,
    /// A token in the body, for the query.
    Token,
    /// A token in a header.
    HeaderToken,
    /// A token in the body, for the body.
    BodyToken,
    /// A URL in the body.
    Url,
    /// A URL in the header `Link`.
    Link,
    /// OData.
    OData,
    /// Time windows of several pages, by a token.
    CursorWindows,
    /// Time windows of several pages, by a field of the last record.
    ChainWindows,
}

impl Style {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Increment,
        Self::Offset,
        Self::OffsetTotal,
        Self::Page,
        Self::PageTotal,
        Self::PagePages,
        Self::PageHasMore,
        Self::Chain,
        Self::Snapshot,
        Self::Timestamp,
        Self::Token,
        Self::HeaderToken,
        Self::BodyToken,
        Self::Url,
        Self::Link,
        Self::OData,
        Self::CursorWindows,
        Self::ChainWindows,
    ];

    /// Its name, which is where it is asked: `/NAME`.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The style and the number of a record.
    pub fn of_record(value: &[u8]) -> Option<(Self, usize)> {
        let record: Value = serde_json::from_slice(value).ok()?;
        let style = Self::ALL.into_iter().find(|style| record["style"] == style.name())?;
        Some((style, usize::try_from(record["id"].as_u64()?).ok()?))
    }

    /// The style that a request is of.
    pub fn of(request: &Received) -> Option<Self> {
        let name = request.path().trim_start_matches('/');
        Self::ALL.into_iter().find(|style| style.name() == name)
    }

    /// What the API of number `number` of a source has to be configured with, but for its topic.
    pub fn properties(self, number: usize, page: usize) -> Map<String, Value> {
        let mut properties = json!({
            "http.api.path": format!("/{self:?}"),
            "http.response.data.json.pointer": "/items",
            "record.key.json.pointer": "/id",
        });
        let more = match self {
            Self::Increment => json!({ "http.request.parameters": "at=${offset}", "http.initial.offset": "0" }),
            Self::Offset | Self::OffsetTotal => {
                json!({ "http.pagination.type": "OFFSET", "http.pagination.offset.param": "at" })
            }
            Self::Page | Self::PageTotal | Self::PagePages | Self::PageHasMore => {
                json!({ "http.pagination.type": "PAGE" })
            }
            Self::Chain | Self::Snapshot => json!({
                "http.request.parameters": "at=${offset}",
                "http.offset.mode": if self == Self::Chain { "CHAINING" } else { "SNAPSHOT_PAGINATION" },
                "http.offset.json.pointer": "/next",
                "http.initial.offset": "0",
            }),
            Self::Timestamp => json!({
                "http.offset.mode": "TIMESTAMP",
                "http.offset.json.pointer": "/next",
                "http.pagination.type": "OFFSET",
                "http.pagination.offset.param": "at",
            }),
            Self::Token => json!({
                "http.request.parameters": "at=${offset}",
                "http.offset.mode": "CURSOR_PAGINATION",
                "http.next.page.json.pointer": "/next",
            }),
            Self::HeaderToken => json!({
                "http.pagination.type": "CURSOR",
                "http.pagination.cursor.path": "header:X-Next",
                "http.pagination.cursor.param": "at",
            }),
            Self::BodyToken => json!({
                "http.request.method": "POST",
                "http.request.body": "{\"at\":\"${offset}\"}",
                "http.offset.mode": "CURSOR_PAGINATION",
                "http.next.page.json.pointer": "/next",
            }),
            Self::Url => {
                json!({ "http.offset.mode": "CURSOR_PAGINATION", "http.next.page.json.pointer": "/next" })
            }
            Self::Link => json!({ "http.pagination.type": "LINK_HEADER" }),
            Self::OData => json!({
                "http.pagination.type": "ODATA",
                "http.response.data.json.pointer": "/value",
            }),
            Self::CursorWindows | Self::ChainWindows => json!({
                "http.request.parameters": "from=${start_time}&to=${end_time}",
                "timestamp.format": "Unix Timestamp Seconds",
                "initial.start.timestamp.value": START.to_string(),
                // Two and a half pages, and a second window of the rest.
                "initial.end.timestamp.value": (START + page * 5 / 2).to_string(),
                "timestamp.interval.format": "Days",
                "http.timestamp.interval": "30000",
            }),
        };
        let rule = match self {
            Self::Offset | Self::Timestamp => json!({ "http.pagination.limit.value": page.to_string() }),
            Self::Page => json!({
                "http.pagination.limit.value": page.to_string(),
                "http.pagination.stop.on.short.page": "true",
            }),
            Self::OffsetTotal | Self::PageTotal => json!({ "http.pagination.total": "/total" }),
            Self::PagePages => json!({ "http.pagination.total.pages": "/pages" }),
            Self::PageHasMore => json!({ "http.pagination.has.more": "/more" }),
            Self::CursorWindows => json!({
                "http.offset.mode": "CURSOR_PAGINATION",
                "http.next.page.json.pointer": "/next",
                "enable.cursor.pagination.with.timestamp.mode": "true",
                "http.cursor.pagination.parameter.name": "at",
            }),
            Self::ChainWindows => json!({
                "http.offset.mode": "CHAINING",
                "http.offset.json.pointer": "/next",
                "http.offset.json.primary.key.pointer": "/next",
                "chaining.with.timestamp.mode": "true",
                "http.chaining.pagination.parameter.name": "at",
                "http.initial.offset": "0",
            }),
            _ => json!({}),
        };
        for more in [more, rule] {
            if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
                properties.extend(more);
            }
        }
        let Value::Object(properties) = properties else { return Map::new() };
        properties.into_iter().map(|(name, value)| (format!("api{number}.{name}"), value)).collect()
    }

    /// The record that the page begins with which a request asks for.
    pub fn start_of(self, request: &Received, page: usize) -> usize {
        let at = request.number("at");
        match self {
            Self::Page | Self::PageTotal | Self::PagePages | Self::PageHasMore => {
                request.number("page").saturating_sub(1) * page
            }
            Self::BodyToken => {
                let digits = request.body.chars().filter(char::is_ascii_digit);
                digits.collect::<String>().parse().unwrap_or_default()
            }
            Self::CursorWindows | Self::ChainWindows => at.max(request.number("from").saturating_sub(START)),
            _ => at,
        }
    }

    /// The page before the one that a request asks for, as an API sends it that mixes them up: with all that it says of the
    /// next one. Before the first page, of all or of a time window, there is none, and it is that.
    pub fn answer_before(self, request: &Received, count: usize, page: usize) -> Answer {
        let first = request.number("from").saturating_sub(START);
        // Behind a last page that is not full, the page before it is that one.
        let before = self.start_of(request, page).saturating_sub(first + 1);
        let start = first + before / page * page;
        self.answer_from(start, request, count, page, false)
    }

    /// The page that a request asks for, out of `count` records. `names_end` has the last page name another one after it,
    /// where that is the API's to say.
    pub fn answer(self, request: &Received, count: usize, page: usize, names_end: bool) -> Answer {
        self.answer_from(self.start_of(request, page), request, count, page, names_end)
    }

    /// The page that begins with a record.
    fn answer_from(self, start: usize, request: &Received, count: usize, page: usize, names_end: bool) -> Answer {
        let window = match self {
            Self::CursorWindows | Self::ChainWindows => request.number("to").saturating_sub(START).min(count),
            _ => count,
        };
        let end = window.min(start + page);
        let items: Vec<_> = (start..end).map(|id| json!({ "id": id, "next": id + 1, "style": self.name() })).collect();
        let has_next = end < window || (names_end && end == window && start < end);
        let next = has_next.then_some(end);
        let path = request.path();
        match self {
            Self::OffsetTotal | Self::PageTotal => json!({ "items": items, "total": count }).into(),
            Self::PagePages => json!({ "items": items, "pages": count.div_ceil(page) }).into(),
            Self::PageHasMore => json!({ "items": items, "more": end < count }).into(),
            Self::Token | Self::BodyToken | Self::CursorWindows => json!({ "items": items, "next": next }).into(),
            Self::Url => json!({ "items": items, "next": next.map(|next| format!("{path}?at={next}")) }).into(),
            Self::OData => match next {
                Some(next) => json!({ "value": items, "@odata.nextLink": format!("{path}?at={next}") }).into(),
                None => json!({ "value": items }).into(),
            },
            Self::HeaderToken | Self::Link => {
                let answer = Answer::from(json!({ "items": items }));
                match (self, next) {
                    (Self::Link, Some(next)) => answer.header("link", &format!("<{path}?at={next}>; rel=\"next\"")),
                    (_, Some(next)) => answer.header("x-next", &next.to_string()),
                    (_, None) => answer,
                }
            }
            _ => json!({ "items": items }).into(),
        }
    }
}
