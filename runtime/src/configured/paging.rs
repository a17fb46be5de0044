//! How one request leads to the next: the offset modes of Confluent's connectors, and what goes beyond them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::pointer::{Pointer, scalar};
use super::progress::{Progress, Seen, Within};
use super::time::earlier;
use super::{ConfiguredOperation, OperationPlan, now};
use crate::http::Response;
use crate::operation::{DecodeError, PageError, Place};
use crate::page::{Counted, PaginationError, Until};
use crate::position::Position;
use crate::record::time::parse_instant;

/// How one request leads to the next.
#[derive(Clone, Debug)]
pub enum Paging {
    /// `SIMPLE_INCREMENTING`: the offset is a number that grows by the number of records.
    Increment {
        /// How many records a full page has, if that is known.
        full: Option<u64>,
        /// Query parameter that takes the offset.
        parameter: Option<String>,
        /// What ends a cycle.
        until: Until<Told>,
    },
    /// Every cycle counts records up from 0.
    Skip {
        /// How many records a full page has, if that is known.
        full: Option<u64>,
        /// Query parameter that takes the number of records to skip.
        parameter: String,
        /// What ends a cycle.
        until: Until<Told>,
    },
    /// Every cycle numbers pages.
    Page {
        /// The number of the first.
        first: u64,
        /// How many records a full page has, if that is known.
        full: Option<u64>,
        /// Query parameter that takes the number.
        parameter: Option<String>,
        /// What ends a cycle.
        until: Until<Told>,
    },
    /// `CHAINING`: the offset is a field of the last record.
    Chain {
        /// The field.
        offset: Pointer,
        /// The field whose value is `${primary_key}`.
        primary_key: Option<Pointer>,
        /// Query parameter that takes the primary key of the last record, from the second page of a window on.
        parameter: Option<String>,
    },
    /// `CURSOR_PAGINATION`: the response names the next page.
    Cursor {
        /// Where it names it.
        next: Told,
        /// Whether what it names is called as it is, if it is a URL.
        urls: bool,
        /// Query parameter that takes what it names, from the second page on.
        parameter: Option<String>,
    },
    /// `SNAPSHOT_PAGINATION`: every cycle reads everything, by a field of the last record if there is one.
    Snapshot {
        /// The field.
        offset: Option<Pointer>,
    },
    /// Every cycle reads everything, by the URLs in the `Link` headers (RFC 8288).
    Link,
    /// By the URLs in the responses; the last page names the one that the next cycle begins with (OData 4.01 Protocol
    /// sections 11.2.6.7 and 11.3).
    OData,
}

/// Where a response says something of its pages.
#[derive(Clone, Debug)]
pub enum Told {
    /// In the body.
    Body(Pointer),
    /// In the header of this name.
    Header(String),
}

impl Told {
    /// What it says; `None` if it says nothing.
    fn find(&self, body: &str, response: &Response) -> Result<Option<String>, serde_json::Error> {
        let text = match self {
            Self::Header(name) => response.header(name).map(str::to_owned),
            Self::Body(_) if body.trim().is_empty() => None,
            Self::Body(pointer) => in_body(pointer, body).map_err(|error| match error.is_data() {
                true => serde::de::Error::custom(format_args!("what stands {self} {error}")),
                false => error,
            })?,
        };
        Ok(text.filter(|text| !text.is_empty()))
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(pointer) => write!(f, "at `{pointer}`"),
            Self::Header(name) => write!(f, "in the header `{name}`"),
        }
    }
}

fn in_body(pointer: &Pointer, body: &str) -> Result<Option<String>, serde_json::Error> {
    let Some(value) = pointer.find(body)? else { return Ok(None) };
    let text = scalar(value).map_err(serde::de::Error::custom)?;
    Ok(text.map(Cow::into_owned))
}

/// What OData calls the URL of the next page, and the one for what has changed since.
const NEXT_LINK: &str = "@odata.nextLink";
const DELTA_LINK: &str = "@odata.deltaLink";

fn odata(name: &str) -> Told {
    Told::Body(Pointer::of(vec![name.to_owned()]))
}

impl Paging {
    /// The query parameter that takes what the next page is asked for by.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Chain { parameter, .. }
            | Self::Cursor { parameter, .. }
            | Self::Increment { parameter, .. }
            | Self::Page { parameter, .. } => parameter.as_deref(),
            Self::Skip { parameter, .. } => Some(parameter),
            Self::Snapshot { .. } | Self::Link | Self::OData => None,
        }
    }

    /// Whether `next` is a URL to be called as it is.
    pub(super) fn calls(&self, next: &str) -> bool {
        matches!(self, Self::Cursor { urls: true, .. } | Self::Link | Self::OData) && is_url(next)
    }

    /// How many records a full page has, if that is known and the next page is asked for by counting.
    pub(super) fn full(&self) -> Option<u64> {
        self.until()?.1
    }

    /// Where a response's body says something of its pages, if it does.
    pub(crate) fn told(&self) -> Option<&Pointer> {
        let told = match self {
            Self::Cursor { next, .. } => Some(next),
            _ => self.until().and_then(|(until, _)| until.found_in()),
        };
        match told? {
            Told::Body(pointer) => Some(pointer),
            Told::Header(_) => None,
        }
    }

    /// What ends a cycle, if the next page is asked for by counting.
    fn until(&self) -> Option<(&Until<Told>, Option<u64>)> {
        match self {
            Self::Increment { until, full, .. } | Self::Skip { until, full, .. } | Self::Page { until, full, .. } => {
                Some((until, *full))
            }
            _ => None,
        }
    }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)))
}

/// Where a stream stands after a full page, as far as the next request needs it; `None` if that must be read to tell.
pub(super) fn ahead(
    paging: &Paging,
    asks_by_offset: bool,
    offset: Option<String>,
    mut progress: Progress,
) -> Option<(Option<String>, Progress)> {
    let (until, full) = paging.until().filter(|_| asks_by_offset)?;
    let full = progress.size.or(full);
    let counted = counted(paging, offset.as_deref(), progress.within.as_ref()).with(full.unwrap_or_default(), 0);
    if !until.may_have_more(&counted) {
        return None;
    }
    let within = progress.within.get_or_insert_default();
    within.counted = Some(counted);
    let by = match paging {
        Paging::Page { .. } => 1,
        _ => full?,
    };
    let asked = integer(&asked_number(paging, offset.as_deref(), within.next.as_deref())).ok()?;
    let after = asked.checked_add(i128::from(by))?.to_string();
    match paging {
        Paging::Increment { .. } => Some((Some(after), progress)),
        _ => {
            within.next = Some(after);
            Some((offset, progress))
        }
    }
}

/// The number that a page is asked for by, in the styles that count.
pub(super) fn asked_number<'a>(paging: &Paging, offset: Option<&'a str>, next: Option<&'a str>) -> Cow<'a, str> {
    let asked = match paging {
        Paging::Increment { .. } => offset,
        _ => next,
    };
    match (asked, paging) {
        (Some(asked), _) => Cow::Borrowed(asked),
        (None, Paging::Page { first, .. }) => Cow::Owned(first.to_string()),
        (None, _) => Cow::Borrowed("0"),
    }
}

/// What has been counted before a page.
fn counted(paging: &Paging, offset: Option<&str>, within: Option<&Within>) -> Counted {
    if let Some(counted) = within.and_then(|within| within.counted) {
        return counted;
    }
    // An offset that is counted up over all cycles says by itself how many records there were.
    let records = match paging {
        Paging::Increment { .. } => offset.and_then(|offset| offset.trim().parse().ok()).unwrap_or_default(),
        _ => 0,
    };
    Counted { records, ..Counted::default() }
}

/// A record of the page that is read.
pub(super) struct RecordView<'a> {
    index: usize,
    pub(super) raw: &'a RawValue,
}

impl<'a> RecordView<'a> {
    pub(super) fn new(index: usize, raw: &'a RawValue) -> Self {
        Self { index, raw }
    }

    /// A field as text; `None` if it is absent or null.
    pub(super) fn text(&self, pointer: &Pointer) -> Result<Option<Cow<'a, str>>, DecodeError> {
        let place = Place::Record(self.index);
        let value = pointer.find(self.raw.get()).map_err(|source| DecodeError::Json { place, source })?;
        value.map(scalar).transpose().map(Option::flatten).map_err(|reason| DecodeError::Offset {
            place,
            field: pointer.to_string(),
            reason: reason.to_owned(),
        })
    }

    /// A field that must be there, as text.
    fn required(&self, pointer: &Pointer) -> Result<String, DecodeError> {
        self.text(pointer)?.map(Cow::into_owned).ok_or_else(|| DecodeError::Offset {
            place: Place::Record(self.index),
            field: pointer.to_string(),
            reason: "is missing".to_owned(),
        })
    }
}

/// A page that is being read.
pub(super) struct Reading<'p> {
    paging: &'p Paging,
    newest: Option<Newest<'p>>,
    /// What the request asked from.
    offset: Option<String>,
    progress: Progress,
    /// The offset after the records so far.
    reached: Option<String>,
    /// The records at `reached`, or all of the page, by the style of paging.
    seen: Seen,
    primary_key: Option<String>,
    /// Records that were not there before.
    new: usize,
}

/// What a response has brought, when all of it has been read.
#[derive(Default)]
pub(super) struct Received {
    /// How many records.
    pub(super) records: usize,
    /// Whether there could have been any number of them.
    pub(super) is_list: bool,
    /// Whether it has a place for them, be it empty.
    pub(super) has_place: bool,
    /// A hash of the records.
    pub(super) digest: u64,
    /// A hash of all of it.
    pub(super) content: u64,
    /// What it names as the next page, or says of whether there is one.
    pub(super) named: Option<String>,
    /// The URL that the next cycle begins with.
    pub(super) delta: Option<String>,
    /// When it says that the next window begins.
    pub(super) window: Option<Timestamp>,
}

/// Reads an offset that is counted up.
fn integer(text: &str) -> Result<i128, DecodeError> {
    text.trim().parse().map_err(|_| DecodeError::Offset {
        place: Place::Page,
        field: "offset".to_owned(),
        reason: format!("is {text:?}, which cannot be counted up from"),
    })
}

/// The newest time of a record.
struct Newest<'p> {
    field: &'p Pointer,
    value: Option<String>,
    /// The records of that time, or within the look-back window before it.
    seen: Seen,
    lookback: Option<Duration>,
    /// The oldest time that the cycle asks for.
    since: Option<String>,
}

impl Newest<'_> {
    /// Takes note of a record; `false` if it is older than `began`, or of the same time and in `seen`.
    fn take(&mut self, record: &RecordView<'_>, began: Option<&str>, seen: &Seen) -> Result<bool, DecodeError> {
        let (value, content) = (record.required(self.field)?, record.raw.get().as_bytes());
        if let Some(lookback) = self.lookback {
            return Ok(self.take_late(value, content, lookback, seen));
        }
        let is_new = match began.map(|began| compare(&value, began)) {
            Some(Ordering::Less) => false,
            Some(Ordering::Equal) => !seen.contains(content),
            Some(Ordering::Greater) | None => true,
        };
        match self.value.as_deref().map(|newest| compare(&value, newest)) {
            Some(Ordering::Less) => {}
            Some(Ordering::Equal) => self.seen.add(content),
            Some(Ordering::Greater) | None => {
                self.value = Some(value);
                self.seen.clear();
                self.seen.add(content);
            }
        }
        Ok(is_new)
    }

    /// The same where records may come late: those within the window before the newest one are remembered.
    fn take_late(&mut self, value: String, content: &[u8], lookback: Duration, seen: &Seen) -> bool {
        let is_asked_for = self.since.as_deref().is_none_or(|since| compare(&value, since) != Ordering::Less);
        let is_new = is_asked_for && !seen.contains(content);
        if self.value.as_deref().is_none_or(|newest| compare(&value, newest) == Ordering::Greater) {
            self.value = Some(value.clone());
        }
        let since = self.value.as_deref().and_then(|newest| earlier(newest, lookback));
        if since.is_none_or(|since| compare(&value, &since) != Ordering::Less) {
            self.seen.add_last(content);
        }
        is_new
    }
}

/// What a cycle of a stream that asks for what is newer than `offset` asks from. Where nothing has been delivered, nothing
/// can be late.
pub(super) fn asks_from(offset: &str, lookback: Option<Duration>, seen: &Seen) -> Option<String> {
    earlier(offset, lookback.filter(|_| !seen.is_empty())?)
}

/// Compares two times; what is none as numbers, or else as text.
fn compare(left: &str, right: &str) -> Ordering {
    if let (Some(left), Some(right)) = (parse_instant(left), parse_instant(right)) {
        return left.cmp(&right);
    }
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return left.cmp(&right);
    }
    left.cmp(right)
}

impl<'p> Reading<'p> {
    pub(super) fn new(plan: &'p OperationPlan, offset: Option<String>, progress: Progress) -> Self {
        let paging = &plan.paging;
        let lookback = plan.lookback;
        let newest = plan.newest.as_ref().map(|field| {
            let (value, seen) = match (&progress.within, lookback) {
                (Some(within), _) => (within.newest.clone(), within.newest_seen.clone()),
                // All of the window comes again.
                (None, Some(_)) => (offset.clone(), Seen::default()),
                (None, None) => (offset.clone(), progress.seen.clone()),
            };
            let began = offset.as_deref();
            let since = began.and_then(|began| asks_from(began, lookback, &progress.seen)).or_else(|| offset.clone());
            Newest { field, value, seen, lookback, since }
        });
        let seen = match paging {
            Paging::Chain { .. } => progress.seen.clone(),
            _ => Seen::default(),
        };
        let primary_key = progress.primary_key.clone();
        Self { paging, newest, reached: offset.clone(), offset, progress, seen, primary_key, new: 0 }
    }

    /// Takes note of a record; `false` if it was delivered before.
    pub(super) fn take(&mut self, record: &RecordView<'_>) -> Result<bool, DecodeError> {
        let content = record.raw.get().as_bytes();
        if let Some(newest) = &mut self.newest {
            let is_new = newest.take(record, self.offset.as_deref(), &self.progress.seen)?;
            self.new += usize::from(is_new);
            return Ok(is_new);
        }
        let is_new = match self.paging {
            Paging::Increment { .. } | Paging::Skip { .. } | Paging::Page { .. } | Paging::Link | Paging::OData => true,
            Paging::Chain { offset, primary_key, .. } => {
                let value = record.required(offset)?;
                if let Some(pointer) = primary_key {
                    self.primary_key = Some(record.required(pointer)?);
                }
                let repeated = self.offset.as_deref() == Some(&value) && self.progress.seen.contains(content);
                if self.reached.as_deref() != Some(&value) {
                    self.reached = Some(value);
                    self.seen.clear();
                }
                self.seen.add(content);
                !repeated
            }
            Paging::Cursor { .. } => {
                self.seen.add(content);
                // Only the first page of a cycle is one that was read before: as the last of the cycle before.
                self.progress.within.is_some() || !self.progress.seen.contains(content)
            }
            Paging::Snapshot { offset } => {
                if let Some(pointer) = offset {
                    self.reached = Some(record.required(pointer)?);
                }
                true
            }
        };
        self.new += usize::from(is_new);
        Ok(is_new)
    }

    /// What the response names as the next page, or says of whether there is one.
    pub(super) fn next_named(&self, body: &str, response: &Response) -> Result<Option<String>, serde_json::Error> {
        match self.paging {
            Paging::Cursor { next, urls, .. } => {
                let is_part = |text: &str| text.starts_with(['/', '?']);
                Ok(next.find(body, response)?.map(|text| match urls {
                    true if is_url(&text) || is_part(&text) => response.resolve(&text),
                    _ => text,
                }))
            }
            Paging::Link => Ok(response.next_link()),
            Paging::OData => Ok(odata(NEXT_LINK).find(body, response)?.map(|url| response.resolve(&url))),
            Paging::Increment { until, .. } | Paging::Skip { until, .. } | Paging::Page { until, .. } => {
                until.found_in().map_or(Ok(None), |told| told.find(body, response))
            }
            Paging::Chain { .. } | Paging::Snapshot { .. } => Ok(None),
        }
    }

    /// The URL that the next cycle begins with, if the response names one.
    pub(super) fn delta(&self, body: &str, response: &Response) -> Result<Option<String>, serde_json::Error> {
        match self.paging {
            Paging::OData => Ok(odata(DELTA_LINK).find(body, response)?.map(|url| response.resolve(&url))),
            _ => Ok(None),
        }
    }

    /// Where the stream stands after the page, and whether there is more to read at once.
    pub(super) fn end(
        mut self,
        operation: &ConfiguredOperation,
        response: Received,
    ) -> Result<(Position, bool), PageError> {
        let plan = &operation.plan;
        let within = self.progress.within.take();
        let Received { records: received, is_list, has_place, digest, content, named, delta, window } = response;
        let received = received as u64;
        let asked = within.as_ref().and_then(|within| within.next.clone());
        let asks_by_offset = operation.asks_by_offset;
        // The styles in which the response names the next page may have one without records that is like the last.
        let page = match self.paging {
            Paging::Cursor { .. } | Paging::Link | Paging::OData => content,
            _ => digest,
        };
        let is_repeated = match self.paging {
            Paging::Chain { .. } | Paging::Snapshot { .. } => within.as_ref().is_some_and(|within| within.page == page),
            _ => {
                within.as_ref().and_then(|within| within.counted).is_some_and(|counted| counted.is_repeated_by(digest))
            }
        };
        // What the next page of the cycle is asked for by; `None` after the last.
        let (mut counts, mut leads_to) = (None, self.reached.clone());
        let next: Option<String> = match self.paging {
            Paging::Increment { until, full, .. }
            | Paging::Skip { until, full, .. }
            | Paging::Page { until, full, .. } => {
                let before = integer(&asked_number(self.paging, self.offset.as_deref(), asked.as_deref()))?;
                let by = if let Paging::Page { .. } = self.paging { 1 } else { received };
                let after = before.saturating_add(i128::from(by)).to_string();
                leads_to = Some(after.clone());
                // What nobody asks by need not be remembered.
                if matches!(self.paging, Paging::Increment { .. }) && asks_by_offset {
                    self.reached = Some(after.clone());
                }
                let before = counted(self.paging, self.offset.as_deref(), within.as_ref());
                let mut counted = before.with(received, digest);
                // One object is all that a cycle reads where the next one goes on behind it.
                let is_one = matches!(self.paging, Paging::Increment { .. }) && !is_list && received > 0;
                let more = asks_by_offset
                    && !is_one
                    && until.has_more(self.progress.size.or(*full), received, named.as_deref(), &mut counted)?;
                if more && by == 0 {
                    return Err(PaginationError::NothingToGoOnFrom.into());
                }
                counts = Some(counted);
                more.then_some(after)
            }
            Paging::Chain { .. } => self.reached.clone().filter(|_| asks_by_offset && self.new > 0 && self.moved()),
            Paging::Cursor { .. } | Paging::Link | Paging::OData => named,
            Paging::Snapshot { .. } => {
                let reached = self.reached.clone().filter(|reached| received > 0 && asked.as_ref() != Some(reached));
                reached.filter(|_| asks_by_offset && self.moved())
            }
        };
        // After a page with records it is no list that is empty, but an answer of another kind.
        if let (None, false, Some(_), Some(pointer)) = (&next, has_place, &within, plan.records.pointer()) {
            return Err(DecodeError::NoRecords { pointer: pointer.to_string() }.into());
        }
        // Neither the next page nor the end, however much there is with it.
        if is_repeated && (self.new > 0 || counts.is_some() && received > 0) {
            return Err(PaginationError::SamePage { token: leads_to.unwrap_or_default() }.into());
        }
        let mut progress = Progress { window: self.progress.window, ..Progress::default() };
        let mut offset = self.reached.clone();
        match self.paging {
            Paging::Chain { .. } => {
                progress.seen = self.seen.clone();
                progress.primary_key = self.primary_key.clone();
            }
            Paging::Cursor { .. } => match &next {
                // A cycle that has more to read goes on from its beginning, and drops there what the last one has seen.
                Some(_) => offset = self.offset.clone(),
                None => {
                    offset = asked.clone().or_else(|| self.offset.clone());
                    progress.seen = self.seen.clone();
                }
            },
            Paging::OData if next.is_none() => offset = delta.or_else(|| plan.initial_offset.clone()),
            Paging::Skip { .. } | Paging::Page { .. } | Paging::Snapshot { .. } | Paging::Link | Paging::OData => {
                offset = self.offset.clone();
            }
            Paging::Increment { .. } => {}
        }
        let newest = self.newest.take();
        if newest.is_some() {
            // What the cycle began with, until it ends.
            offset = self.offset.clone();
            progress.seen = self.progress.seen.clone();
        }
        if let Some(next) = &next {
            let mut after = Within::after(within, page, next)?;
            after.counted = counts;
            after.next = match self.paging {
                // What the position says already.
                Paging::Increment { .. } | Paging::Chain { .. } => None,
                _ => Some(next.clone()),
            };
            progress.within = Some(after);
            progress.size = self.progress.size;
        }
        let mut more = next.is_some();
        if let Some(mut newest) = newest {
            // A cycle that was sent nothing has not seen its window.
            if newest.seen.is_empty() && newest.lookback.is_some() {
                newest.seen = self.progress.seen.clone();
            }
            match &mut progress.within {
                Some(within) => (within.newest, within.newest_seen) = (newest.value, newest.seen),
                None => {
                    // A request that asks from the newest time may have more to give.
                    more = matches!(self.paging, Paging::Snapshot { .. })
                        && asks_by_offset
                        && self.new > 0
                        && newest.value != offset;
                    (offset, progress.seen) = (newest.value, newest.seen);
                }
            }
        }
        if let (None, Some(windows), Some(current)) = (&next, &plan.windows, progress.window) {
            let (window, due) = windows.after(current, window, now());
            more = due;
            progress.window = Some(window);
            progress.primary_key = None;
            // What names a page of one window says nothing of the next one.
            if windows.relative || matches!(self.paging, Paging::Cursor { .. }) {
                offset = plan.initial_offset.clone();
            }
        }
        Ok((Position::configured(offset, progress), more))
    }

    /// Whether the offset is another one than the request asked from.
    fn moved(&self) -> bool {
        self.reached != self.offset
    }
}
