//! How one request leads to the next.

use std::time::Duration;

use jiff::Timestamp;

use super::super::kind::{Kind, MAX_MILLIS, TEXT, millis};
use super::super::names::api_name;
use super::super::property::{Property, properties};
use super::super::reader::Reader;
use super::{BOOLEAN, POINTER};
use crate::configured::{Paging, Pointer, RequestTemplate, TimeFormat, Told, Variable, Windows};
use crate::page::Until;
use crate::slice::Backfill;

/// The offset modes of Confluent's connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    SimpleIncrementing,
    Chaining,
    Cursor,
    Snapshot,
    Timestamp,
}

/// How the pages of a cycle follow one another, if `http.offset.mode` does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pagination {
    None,
    Offset,
    Page,
    Cursor,
    LinkHeader,
    OData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ordering {
    Global,
    Relative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeForm {
    Millis,
    Seconds,
    Date,
}

const SECONDS_PER_DAY: u64 = 86_400;

/// A JSON Pointer or a JSONPath that says the same, or a header.
const TOLD: Kind<Told> = Kind::Text {
    type_name: "string",
    expected: "a JSON Pointer such as `/next`, a plain JSONPath such as `$.next`, or a header such as `header:X-Next`",
    parse: |text| match text.trim().strip_prefix("header:") {
        Some(name) => Some(Told::Header(name.trim().to_owned())).filter(|_| !name.trim().is_empty()),
        None => Pointer::parse_path(text.trim()).map(Told::Body),
    },
};

properties! {
    MODE: Mode = Property::new(
        "http.offset.mode",
        Kind::OneOf(&[
            ("SIMPLE_INCREMENTING", Mode::SimpleIncrementing),
            ("CHAINING", Mode::Chaining),
            ("CURSOR_PAGINATION", Mode::Cursor),
            ("SNAPSHOT_PAGINATION", Mode::Snapshot),
            ("TIMESTAMP", Mode::Timestamp),
        ]),
        "What `${offset}` stands for. SIMPLE_INCREMENTING: a number that grows by the number of records read. CHAINING: a \
         field of the last record read. CURSOR_PAGINATION: what the response names as its next page. \
         SNAPSHOT_PAGINATION: a field of the last record, and every cycle reads everything again. TIMESTAMP: the newest \
         time of a record in the cycles before; records that are older, or were there before, are dropped.",
    ).per_api().default("SIMPLE_INCREMENTING").high();
    INITIAL: String = Property::new(
        "http.initial.offset",
        TEXT,
        "What `${offset}` stands for in the first request of a stream without a stored position.",
    ).per_api().high();
    OFFSET: Pointer = Property::new(
        "http.offset.json.pointer",
        POINTER,
        "JSON Pointer, from a record, to its offset; for CHAINING, SNAPSHOT_PAGINATION and TIMESTAMP.",
    ).per_api();
    NEXT_PAGE: Pointer = Property::new(
        "http.next.page.json.pointer",
        POINTER,
        "JSON Pointer, from the whole response, to what names the next page: a token or a URL, for CURSOR_PAGINATION. \
         Nothing, `null` or an empty text there ends the cycle; the next one asks for the last page again, and drops what \
         it has read of it.",
    ).per_api();
    ABSOLUTE: bool = Property::new(
        "is.next.page.token.absolute.url",
        BOOLEAN,
        "Whether what names the next page is called as it is, if it is a URL; a relative one is meant from the URL of \
         its page. Otherwise it is always `${offset}`.",
    ).per_api().default("true");
    CURSOR_PARAMETER: String = Property::new(
        "http.cursor.pagination.parameter.name",
        TEXT,
        "Query parameter that takes what names the next page, from the second page on; for CURSOR_PAGINATION.",
    ).per_api();
    PAGINATION: Pagination = Property::new(
        "http.pagination.type",
        Kind::OneOf(&[
            ("NONE", Pagination::None),
            ("OFFSET", Pagination::Offset),
            ("PAGE", Pagination::Page),
            ("CURSOR", Pagination::Cursor),
            ("LINK_HEADER", Pagination::LinkHeader),
            ("ODATA", Pagination::OData),
        ]),
        "How pages follow one another, besides SIMPLE_INCREMENTING or TIMESTAMP. NONE: as `http.offset.mode` says. OFFSET: \
         a parameter counts the records. PAGE: a parameter numbers the pages, and every cycle begins with the first. \
         CURSOR: as CURSOR_PAGINATION. LINK_HEADER: the response's `Link` header names the next page's URL (RFC 8288), and \
         every cycle begins with the first page. ODATA: `@odata.nextLink` does, and the next cycle begins with the \
         `@odata.deltaLink` of the last page, if it has one.",
    ).per_api().default("NONE");
    OFFSET_PARAM: String = Property::new(
        "http.pagination.offset.param",
        TEXT,
        "Query parameter that takes the number of records to skip; for `http.pagination.type=OFFSET`. If the request has \
         `${offset}` somewhere, that takes it, unless this is set too.",
    ).per_api().default("offset");
    PAGE_PARAM: String = Property::new(
        "http.pagination.page.param",
        TEXT,
        "Query parameter that takes the number of the page; for `http.pagination.type=PAGE`. If the request has `${offset}` \
         somewhere, that takes it, unless this is set too.",
    ).per_api().default("page");
    PAGE_FIRST: u64 = Property::new(
        "http.pagination.page.first",
        Kind::Integer { min: 0, max: i64::MAX, make: |value| value.unsigned_abs() },
        "The number of the first page; for `http.pagination.type=PAGE`.",
    ).per_api().default("1").low();
    LIMIT_PARAM: String = Property::new(
        "http.pagination.limit.param",
        TEXT,
        "Query parameter that takes `http.pagination.limit.value`.",
    ).per_api().default("limit");
    LIMIT_VALUE: u64 = Property::new(
        "http.pagination.limit.value",
        Kind::Integer { min: 1, max: i64::MAX, make: |value| value.unsigned_abs() },
        "How many records are asked for with each page. For `http.pagination.type` OFFSET and PAGE. The API may give fewer: only \
         an empty page ends a cycle, unless a response declares the end, or `http.pagination.stop.on.short.page` is set.",
    ).per_api();
    SHORT_PAGE: bool = Property::new(
        "http.pagination.stop.on.short.page",
        BOOLEAN,
        "Whether a page with fewer records than `http.pagination.limit.value` ends a cycle; for `http.pagination.type` OFFSET \
         and PAGE. It saves the request for an empty page. What the API has is lost in part if it ever gives fewer records \
         than it is asked for before the end, for instance because it has a limit of its own.",
    ).per_api().default("false");
    TOTAL: Told = Property::new(
        "http.pagination.total",
        TOLD,
        "Where a response declares how many records there are; for `http.pagination.type` OFFSET and PAGE. A page that is \
         short before that ends nothing, and it is an error if the pages end before.",
    ).per_api();
    TOTAL_PAGES: Told = Property::new(
        "http.pagination.total.pages",
        TOLD,
        "Where a response declares how many pages there are; for `http.pagination.type` OFFSET and PAGE.",
    ).per_api();
    HAS_MORE: Told = Property::new(
        "http.pagination.has.more",
        TOLD,
        "Where a response says whether there is more, as `true` or `false`; for `http.pagination.type` OFFSET and PAGE.",
    ).per_api();
    LOOKBACK: Duration = Property::new(
        "http.offset.lookback.ms",
        millis(1, MAX_MILLIS),
        "How far before the newest time of a record a cycle asks, in milliseconds, for records that come late; for TIMESTAMP. \
         What was written of that time is recognised by its content and dropped: the last 4,000 records are.",
    ).per_api();
    CURSOR_PARAM: String = Property::new(
        "http.pagination.cursor.param",
        TEXT,
        "Query parameter that takes the cursor; for `http.pagination.type=CURSOR`. If the request has `${offset}` \
         somewhere, that takes it, unless this is set too.",
    ).per_api().default("cursor");
    CURSOR_PATH: Told = Property::new(
        "http.pagination.cursor.path",
        TOLD,
        "Where the cursor is in a response, as a JSON Pointer, a plain JSONPath such as `$.next_cursor`, or \
         `header:NAME`; for `http.pagination.type=CURSOR`.",
    ).per_api();
    CURSOR_WINDOWS: bool = Property::new(
        "enable.cursor.pagination.with.timestamp.mode",
        BOOLEAN,
        "Whether CURSOR_PAGINATION goes through time windows, `${start_time}` to `${end_time}`, each of several pages.",
    ).per_api().default("false");
    CHAIN_WINDOWS: bool = Property::new(
        "chaining.with.timestamp.mode",
        BOOLEAN,
        "Whether CHAINING goes through time windows, `${start_time}` to `${end_time}`, each of several pages.",
    ).per_api().default("false");
    ORDERING: Ordering = Property::new(
        "chaining.with.timestamp.mode.record.ordering",
        Kind::OneOf(&[("Global", Ordering::Global), ("Relative", Ordering::Relative)]),
        "With `chaining.with.timestamp.mode`: whether `${offset}` goes on from one window to the next, or begins anew.",
    ).per_api().default("Global").low();
    CHAIN_PARAMETER: String = Property::new(
        "http.chaining.pagination.parameter.name",
        TEXT,
        "Query parameter that takes `${primary_key}`, from the second page of a window on; with \
         `chaining.with.timestamp.mode`.",
    ).per_api();
    PRIMARY_KEY: Pointer = Property::new(
        "http.offset.json.primary.key.pointer",
        POINTER,
        "JSON Pointer, from a record, to what `${primary_key}` stands for in the next request; for CHAINING.",
    ).per_api();
    WINDOW_NEXT: Pointer = Property::new(
        "http.timestamp.json.pointer",
        POINTER,
        "JSON Pointer, from the whole response, to the time at which the next window begins. Not set, or nothing there: \
         where the last one ended.",
    ).per_api();
    WINDOW_START: String = Property::new(
        "initial.start.timestamp.value",
        TEXT,
        "Where the first time window begins, as `timestamp.format` says.",
    ).per_api();
    WINDOW_END: String = Property::new(
        "initial.end.timestamp.value",
        TEXT,
        "Where the first time window ends, as `timestamp.format` says. Not set: after `http.timestamp.interval`.",
    ).per_api();
    TIMESTAMP_FORMAT: TimeForm = Property::new(
        "timestamp.format",
        Kind::OneOf(&[
            ("Unix Timestamp Milliseconds", TimeForm::Millis),
            ("Unix Timestamp Seconds", TimeForm::Seconds),
            ("Simple Date Format", TimeForm::Date),
        ]),
        "How `${start_time}` and `${end_time}` are written. Simple Date Format: as `initial.start.timestamp.value` is.",
    ).per_api().default("Unix Timestamp Milliseconds");
    INTERVAL_UNIT: u64 = Property::new(
        "timestamp.interval.format",
        Kind::OneOf(&[("Seconds", 1), ("Days", SECONDS_PER_DAY)]),
        "The unit of `http.timestamp.interval`.",
    ).per_api().default("Seconds").low();
    INTERVAL: u64 = Property::new(
        "http.timestamp.interval",
        Kind::Integer { min: 1, max: i64::MAX, make: |value| value.unsigned_abs() },
        "How long a time window is, in the unit of `timestamp.interval.format`.",
    ).per_api().default("86400");
    DELAY: Duration = Property::new(
        "time.range.request.delay",
        millis(0, MAX_MILLIS),
        "How far time windows stay behind the clock, in milliseconds, so that late records are not missed.",
    ).per_api().default("0");
}

/// How the requests of an API follow one another.
pub(super) struct Offsets {
    pub(super) paging: Paging,
    pub(super) initial: Option<String>,
    pub(super) windows: Option<Windows>,
    /// The field of a record that is its time, for TIMESTAMP.
    pub(super) newest: Option<Pointer>,
    /// How far before that a cycle asks.
    pub(super) lookback: Option<Duration>,
    /// A query parameter of every request.
    pub(super) limit: Option<(String, u64)>,
    /// How times are written in requests.
    pub(super) time_format: TimeFormat,
}

/// Reads how the requests of an API follow one another.
pub(super) fn read(reader: &mut Reader<'_>, number: usize, backfill: Option<&Backfill>) -> Option<Offsets> {
    let mode = reader.get_of(number, &MODE);
    let initial = reader.get_of(number, &INITIAL);
    let offset = reader.get_of(number, &OFFSET);
    let next = reader.get_of(number, &NEXT_PAGE);
    let urls = reader.get_of(number, &ABSOLUTE);
    let cursor_parameter = reader.get_of(number, &CURSOR_PARAMETER);
    let chain_parameter = reader.get_of(number, &CHAIN_PARAMETER);
    let primary_key = reader.get_of(number, &PRIMARY_KEY);
    let (cursor_windows, chain_windows) =
        (reader.get_of(number, &CURSOR_WINDOWS), reader.get_of(number, &CHAIN_WINDOWS));
    let relative = reader.get_of(number, &ORDERING).map(|ordering| ordering == Ordering::Relative);
    let mode = mode?;
    let windowed = match mode {
        Mode::Cursor => cursor_windows?,
        Mode::Chaining => chain_windows?,
        Mode::SimpleIncrementing | Mode::Snapshot | Mode::Timestamp => false,
    };
    if mode == Mode::Timestamp && backfill.is_some() {
        let reason = "TIMESTAMP asks by itself for what is new, and does not go with a backfill";
        let hint = "leave it out: what is new is asked for from `${start_time}` to `${end_time}`, too";
        reader.conflict(&api_name(number, MODE.name()), reason, Some(hint.to_owned()));
        return None;
    }
    let (windowed, is_chain) = (windowed || backfill.is_some(), mode == Mode::Chaining);
    // What is counted within a window says nothing of the next one.
    let relative = if is_chain { relative? } else { backfill.is_some() };
    let (windows, time_format) = read_windows(reader, number, windowed, relative, backfill)?;
    let pagination = read_pagination(reader, number)?;
    let lookback = reader.get_of(number, &LOOKBACK);
    if lookback.is_some() && mode != Mode::Timestamp {
        reader.conflict(&api_name(number, LOOKBACK.name()), "goes only with `http.offset.mode=TIMESTAMP`", None);
    }
    if mode == Mode::SimpleIncrementing || mode == Mode::Timestamp {
        let newest = match mode {
            Mode::Timestamp => {
                let reason = "it is needed because `http.offset.mode` is `TIMESTAMP`";
                Some(match offset.clone() {
                    Some(offset) => offset,
                    None => reader.require_of(number, &OFFSET, reason)?,
                })
            }
            _ => None,
        };
        let own = match pagination {
            Some(Paged { style: Style::Offset { parameter }, limit, until }) => {
                let full = limit.as_ref().map(|(_, full)| *full);
                let paging = match newest {
                    Some(_) => Paging::Skip { full, parameter, until },
                    None => Paging::Increment { full, parameter: Some(parameter), until },
                };
                Some((paging, limit))
            }
            Some(Paged { style: Style::Page { parameter, first }, limit, until }) => {
                let full = limit.as_ref().map(|(_, full)| *full);
                Some((Paging::Page { first, full, parameter: Some(parameter), until }, limit))
            }
            Some(Paged { style: Style::By(paging), .. }) => Some((paging, None)),
            None => newest.is_some().then_some((Paging::Snapshot { offset: None }, None)),
        };
        if let Some((paging, limit)) = own {
            if matches!(paging, Paging::Increment { .. }) {
                check_integer(reader, number, initial.as_deref());
            }
            return Some(Offsets { paging, initial, windows, newest, lookback, limit, time_format });
        }
    } else if pagination.is_some() {
        let reason = "goes only with SIMPLE_INCREMENTING and TIMESTAMP, because other modes say it by themselves";
        reader.conflict(&api_name(number, PAGINATION.name()), reason, None);
    }
    let paging = match mode {
        Mode::SimpleIncrementing | Mode::Timestamp => {
            check_integer(reader, number, initial.as_deref());
            Paging::Increment { full: None, parameter: None, until: Until::EmptyPage }
        }
        Mode::Chaining => {
            let offset = match offset {
                Some(offset) => Some(offset),
                None => reader.require_of(number, &OFFSET, "it is needed because `http.offset.mode` is `CHAINING`"),
            };
            if chain_parameter.is_some() && primary_key.is_none() {
                let reason = format!("it is needed because `{}` is set", CHAIN_PARAMETER.name());
                reader.require_of(number, &PRIMARY_KEY, &reason);
            }
            Paging::Chain { offset: offset?, primary_key, parameter: chain_parameter.filter(|_| windowed) }
        }
        Mode::Cursor => {
            let reason = "it is needed because `http.offset.mode` is `CURSOR_PAGINATION`";
            let next = match next {
                Some(next) => Some(next),
                None => reader.require_of(number, &NEXT_PAGE, reason),
            };
            Paging::Cursor { next: Told::Body(next?), urls: urls?, parameter: cursor_parameter }
        }
        Mode::Snapshot => Paging::Snapshot { offset },
    };
    Some(Offsets { paging, initial, windows, newest: None, lookback: None, limit: None, time_format })
}

fn check_integer(reader: &mut Reader<'_>, number: usize, initial: Option<&str>) {
    if initial.is_some_and(|text| text.trim().parse::<i64>().is_err()) {
        reader.invalid(&api_name(number, INITIAL.name()), "an integer, which SIMPLE_INCREMENTING needs", None);
    }
}

/// How pages follow one another by `http.pagination.type`.
struct Paged {
    style: Style,
    /// The query parameter for the number of records of a page, and that number.
    limit: Option<(String, u64)>,
    until: Until<Told>,
}

enum Style {
    Offset { parameter: String },
    Page { parameter: String, first: u64 },
    By(Paging),
}

fn read_pagination(reader: &mut Reader<'_>, number: usize) -> Option<Option<Paged>> {
    let (offset_parameter, limit_parameter) =
        (reader.get_of(number, &OFFSET_PARAM), reader.get_of(number, &LIMIT_PARAM));
    let (page_parameter, first) = (reader.get_of(number, &PAGE_PARAM), reader.get_of(number, &PAGE_FIRST));
    let (full, cursor_parameter) = (reader.get_of(number, &LIMIT_VALUE), reader.get_of(number, &CURSOR_PARAM));
    let path = reader.get_of(number, &CURSOR_PATH);
    let pagination = reader.get_of(number, &PAGINATION);
    let until = read_until(reader, number, pagination);
    let style = match pagination? {
        Pagination::None => return Some(None),
        Pagination::Offset => Style::Offset { parameter: offset_parameter? },
        Pagination::Page => Style::Page { parameter: page_parameter?, first: first? },
        Pagination::Cursor => {
            let reason = "it is needed because `http.pagination.type` is `CURSOR`";
            let next = match path {
                Some(path) => path,
                None => reader.require_of(number, &CURSOR_PATH, reason)?,
            };
            Style::By(Paging::Cursor { next, urls: true, parameter: cursor_parameter })
        }
        Pagination::LinkHeader => Style::By(Paging::Link),
        Pagination::OData => Style::By(Paging::OData),
    };
    let limit = full.map(|full| Some((limit_parameter?, full)));
    let limit = match limit {
        Some(limit) => Some(limit?),
        None => None,
    };
    Some(Some(Paged { style, limit, until: until? }))
}

/// Reads what ends a cycle of pages that are counted.
fn read_until(reader: &mut Reader<'_>, number: usize, pagination: Option<Pagination>) -> Option<Until<Told>> {
    type Rule = fn(Told) -> Until<Told>;
    let mut found = Vec::new();
    let rules: [(_, Rule); 3] = [(&TOTAL, Until::Records), (&TOTAL_PAGES, Until::Pages), (&HAS_MORE, Until::NoMore)];
    for (property, rule) in rules {
        if let Some(told) = reader.get_of(number, property) {
            found.push((api_name(number, property.name()), rule(told)));
        }
    }
    if reader.get_of(number, &SHORT_PAGE)? {
        found.push((api_name(number, SHORT_PAGE.name()), Until::ShortPage));
        if pagination.is_some_and(counts) {
            let reason = format!("it is needed because `{}` is set", SHORT_PAGE.name());
            reader.require_of(number, &LIMIT_VALUE, &reason)?;
        }
    }
    match &found[..] {
        [(name, _), ..] if !counts(pagination?) => {
            reader.conflict(name, "goes only with `http.pagination.type` OFFSET and PAGE", None);
            return None;
        }
        [(first, _), (second, _), ..] => {
            let reason = format!("says when a cycle ends, and so does `{first}`");
            reader.conflict(second, reason, Some("set only one of them".to_owned()));
            return None;
        }
        _ => {}
    }
    Some(found.pop().map_or(Until::EmptyPage, |(_, until)| until))
}

/// Whether the next page is asked for by counting.
fn counts(pagination: Pagination) -> bool {
    matches!(pagination, Pagination::Offset | Pagination::Page)
}

impl Offsets {
    /// Takes the query parameter back that nobody has asked for, where `${offset}` says in its place which page is asked
    /// for.
    pub(super) fn settle(&mut self, reader: &mut Reader<'_>, number: usize, request: &RequestTemplate) {
        if self.newest.is_some() || !request.uses(|variable| *variable == Variable::Offset) {
            return;
        }
        let (parameter, property) = match &mut self.paging {
            Paging::Increment { parameter, .. } => (parameter, &OFFSET_PARAM),
            Paging::Page { parameter, .. } => (parameter, &PAGE_PARAM),
            Paging::Cursor { parameter, .. } => (parameter, &CURSOR_PARAM),
            _ => return,
        };
        let is_set = |name| reader.text(&api_name(number, name)).is_some();
        if is_set(PAGINATION.name()) && !is_set(property.name()) {
            *parameter = None;
        }
    }
}

/// Reads the time windows, if there are to be any, and how times are written.
fn read_windows(
    reader: &mut Reader<'_>,
    number: usize,
    windowed: bool,
    relative: bool,
    backfill: Option<&Backfill>,
) -> Option<(Option<Windows>, TimeFormat)> {
    let (start, end) = (reader.get_of(number, &WINDOW_START), reader.get_of(number, &WINDOW_END));
    let form = reader.get_of(number, &TIMESTAMP_FORMAT)?;
    let format = match form {
        TimeForm::Millis => TimeFormat::UnixMillis,
        TimeForm::Seconds => TimeFormat::UnixSeconds,
        TimeForm::Date => start.as_deref().and_then(TimeFormat::of_example).unwrap_or(TimeFormat::Rfc3339),
    };
    let mut read = |property: &Property<String>, text: &Option<String>| -> Option<Option<Timestamp>> {
        let Some(text) = text else { return Some(None) };
        let at = format.read(text);
        if at.is_none() {
            let expected = match form {
                TimeForm::Millis => "milliseconds since 1970",
                TimeForm::Seconds => "seconds since 1970",
                TimeForm::Date => "a time, such as `2024-01-31T12:00:00Z`, `2024-01-31 12:00:00` or `2024-01-31`",
            };
            reader.invalid(&api_name(number, property.name()), expected, None);
        }
        at.map(Some)
    };
    let (start, end) = (read(&WINDOW_START, &start), read(&WINDOW_END, &end));
    let (next, unit) = (reader.get_of(number, &WINDOW_NEXT), reader.get_of(number, &INTERVAL_UNIT));
    let (length, delay) = (reader.get_of(number, &INTERVAL), reader.get_of(number, &DELAY));
    if !windowed {
        return Some((None, format));
    }
    let (mut start, end) = (start?, end?);
    if let Some(Backfill { range, .. }) = backfill {
        for (property, bound) in [(&WINDOW_START, start), (&WINDOW_END, end)] {
            if bound.is_some_and(|bound| bound != range.end) {
                let reason = "is another time than the end of the backfill, where the first time window begins";
                reader.conflict(&api_name(number, property.name()), reason, Some("leave it out".to_owned()));
            }
        }
        start = Some(range.end);
    }
    if start.is_none() && !relative {
        reader.require_of(number, &WINDOW_START, "it is needed because time windows have to begin somewhere");
        return None;
    }
    let length = Duration::from_secs(length?.saturating_mul(unit?));
    let windows = Windows { start, end, length, delay: delay?, next, format: format.clone(), relative, single: false };
    Some((Some(windows), format))
}

/// Tells what in a request does not go with how requests follow one another.
pub(super) fn check(reader: &mut Reader<'_>, number: usize, offsets: &Offsets, request: &RequestTemplate) {
    let mode = api_name(number, MODE.name());
    let windowed = request.uses(|variable| matches!(variable, Variable::Start(_) | Variable::End(_)));
    if windowed && offsets.windows.is_none() {
        let hint = format!("set `{}`, `{}`, or a backfill", CURSOR_WINDOWS.name(), CHAIN_WINDOWS.name());
        let reason = "goes through no time windows, but the request asks for `${start_time}` or `${end_time}`";
        reader.conflict(&mode, reason, Some(hint));
    }
    let by_offset = request.uses(|variable| *variable == Variable::Offset);
    let counts = matches!(offsets.paging, Paging::Increment { .. } | Paging::Chain { .. });
    if by_offset && counts && offsets.initial.is_none() && offsets.windows.is_none() {
        let reason = "it is needed because the request asks from `${offset}`";
        reader.require_of(number, &INITIAL, reason);
    }
}
