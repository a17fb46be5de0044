//! How one request leads to the next.

use std::time::Duration;

use jiff::Timestamp;

use super::super::kind::{Kind, MAX_MILLIS, TEXT, millis};
use super::super::names::api_name;
use super::super::property::{Property, properties};
use super::super::reader::Reader;
use super::{BOOLEAN, POINTER};
use crate::configured::{Paging, Pointer, RequestTemplate, TimeFormat, Variable, Windows};

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
    Cursor,
    LinkHeader,
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

/// A JSON Pointer, or a JSONPath that says the same.
const PATH: Kind<Pointer> = Kind::Text {
    type_name: "string",
    expected: "a JSON Pointer such as `/next`, or a plain JSONPath such as `$.next`",
    parse: |text| Pointer::parse_path(text.trim()),
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
            ("CURSOR", Pagination::Cursor),
            ("LINK_HEADER", Pagination::LinkHeader),
        ]),
        "How pages follow one another, besides SIMPLE_INCREMENTING or TIMESTAMP. NONE: as `http.offset.mode` says. OFFSET: \
         a parameter counts the records. CURSOR: as CURSOR_PAGINATION. LINK_HEADER: the response's `Link` header names \
         the next page's URL (RFC 8288), and every cycle begins with the first page.",
    ).per_api().default("NONE");
    OFFSET_PARAM: String = Property::new(
        "http.pagination.offset.param",
        TEXT,
        "Query parameter that takes the number of records to skip; for `http.pagination.type=OFFSET`.",
    ).per_api().default("offset");
    LIMIT_PARAM: String = Property::new(
        "http.pagination.limit.param",
        TEXT,
        "Query parameter that takes `http.pagination.limit.value`.",
    ).per_api().default("limit");
    LIMIT_VALUE: u64 = Property::new(
        "http.pagination.limit.value",
        Kind::Integer { min: 1, max: i64::MAX, make: |value| value.unsigned_abs() },
        "How many records a full page has; a page with fewer ends the cycle. For `http.pagination.type=OFFSET`.",
    ).per_api();
    CURSOR_PARAM: String = Property::new(
        "http.pagination.cursor.param",
        TEXT,
        "Query parameter that takes the cursor; for `http.pagination.type=CURSOR`.",
    ).per_api().default("cursor");
    CURSOR_PATH: Pointer = Property::new(
        "http.pagination.cursor.path",
        PATH,
        "Where the cursor is in a response, as a JSON Pointer or a plain JSONPath such as `$.next_cursor`; for \
         `http.pagination.type=CURSOR`.",
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
    /// A query parameter of every request.
    pub(super) limit: Option<(String, u64)>,
    /// How times are written in requests.
    pub(super) time_format: TimeFormat,
}

/// Reads how the requests of an API follow one another.
pub(super) fn read(reader: &mut Reader<'_>, number: usize) -> Option<Offsets> {
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
    let (windows, time_format) =
        read_windows(reader, number, windowed, mode == Mode::Chaining && relative?, mode == Mode::Chaining)?;
    let pagination = read_pagination(reader, number)?;
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
            Some(Paged::Offset { parameter, limit_parameter, full }) => {
                let limit = full.map(|full| (limit_parameter, full));
                let paging = match newest {
                    Some(_) => Paging::Skip { full, parameter },
                    None => Paging::Increment { full, parameter: Some(parameter) },
                };
                Some((paging, limit))
            }
            Some(Paged::By(paging)) => Some((paging, None)),
            None => newest.is_some().then_some((Paging::Snapshot { offset: None }, None)),
        };
        if let Some((paging, limit)) = own {
            if matches!(paging, Paging::Increment { .. }) {
                check_integer(reader, number, initial.as_deref());
            }
            return Some(Offsets { paging, initial, windows, newest, limit, time_format });
        }
    } else if pagination.is_some() {
        let reason = "goes only with SIMPLE_INCREMENTING and TIMESTAMP, because other modes say it by themselves";
        reader.conflict(&api_name(number, PAGINATION.name()), reason, None);
    }
    let paging = match mode {
        Mode::SimpleIncrementing | Mode::Timestamp => {
            check_integer(reader, number, initial.as_deref());
            Paging::Increment { full: None, parameter: None }
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
            Paging::Cursor { next: next?, urls: urls?, parameter: cursor_parameter }
        }
        Mode::Snapshot => Paging::Snapshot { offset },
    };
    Some(Offsets { paging, initial, windows, newest: None, limit: None, time_format })
}

fn check_integer(reader: &mut Reader<'_>, number: usize, initial: Option<&str>) {
    if initial.is_some_and(|text| text.trim().parse::<i64>().is_err()) {
        reader.invalid(&api_name(number, INITIAL.name()), "an integer, which SIMPLE_INCREMENTING needs", None);
    }
}

/// How pages follow one another by `http.pagination.type`.
enum Paged {
    Offset { parameter: String, limit_parameter: String, full: Option<u64> },
    By(Paging),
}

fn read_pagination(reader: &mut Reader<'_>, number: usize) -> Option<Option<Paged>> {
    let (parameter, limit_parameter) = (reader.get_of(number, &OFFSET_PARAM), reader.get_of(number, &LIMIT_PARAM));
    let (full, cursor_parameter) = (reader.get_of(number, &LIMIT_VALUE), reader.get_of(number, &CURSOR_PARAM));
    let path = reader.get_of(number, &CURSOR_PATH);
    Some(match reader.get_of(number, &PAGINATION)? {
        Pagination::None => None,
        Pagination::Offset => Some(Paged::Offset { parameter: parameter?, limit_parameter: limit_parameter?, full }),
        Pagination::Cursor => {
            let reason = "it is needed because `http.pagination.type` is `CURSOR`";
            let next = match path {
                Some(path) => path,
                None => reader.require_of(number, &CURSOR_PATH, reason)?,
            };
            Some(Paged::By(Paging::Cursor { next, urls: true, parameter: cursor_parameter }))
        }
        Pagination::LinkHeader => Some(Paged::By(Paging::Link)),
    })
}

/// Reads the time windows, if there are to be any, and how times are written.
fn read_windows(
    reader: &mut Reader<'_>,
    number: usize,
    windowed: bool,
    relative: bool,
    chaining: bool,
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
    let (start, end) = (start?, end?);
    if start.is_none() && !(chaining && relative) {
        reader.require_of(number, &WINDOW_START, "it is needed because time windows have to begin somewhere");
        return None;
    }
    let length = Duration::from_secs(length?.saturating_mul(unit?));
    let windows = Windows { start, end, length, delay: delay?, next, format: format.clone(), relative };
    Some((Some(windows), format))
}

/// Tells what in a request does not go with how requests follow one another.
pub(super) fn check(reader: &mut Reader<'_>, number: usize, offsets: &Offsets, request: &RequestTemplate) {
    let mode = api_name(number, MODE.name());
    let windowed = request.uses(|variable| matches!(variable, Variable::Start(_) | Variable::End(_)));
    if windowed && offsets.windows.is_none() {
        let hint = format!("set `{}` or `{}`", CURSOR_WINDOWS.name(), CHAIN_WINDOWS.name());
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
