//! What is read once of an API, besides what its cycles read: a range of time, in steps.

use jiff::Timestamp;

use super::kind::Kind;
use super::names::api_name;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::clock;
use crate::configured::{RequestTemplate, Variable, read_any};
use crate::connector::BackfillFacts;
use crate::slice::{Backfill, Range, Step};

/// An instant, in a form that tells by itself what it is.
const INSTANT: Kind<Timestamp> = Kind::Text {
    type_name: "string",
    expected: "a time, such as `2024-01-31T12:00:00Z` or `2024-01-31`",
    parse: read_any,
};

properties! {
    START: Timestamp = Property::new(
        "backfill.start",
        INSTANT,
        "Where a range of time begins that is read once, in steps, besides what is new. Where a step begins and ends is \
         `${start_time}` and `${end_time}` in the request, or what the annotation of a generated connector's operation says. \
         Several steps are read at a time, as `max.in.flight.requests` allows; requests for what is new go first. Times \
         without a zone are UTC.",
    ).per_api();
    END: Timestamp = Property::new(
        "backfill.end",
        INSTANT,
        "Where that range ends, without being a part of it; it cannot be in the future. There begins what is \
         new: time windows, each as long as `http.timestamp.interval` at most, or the offset of a generated connector.",
    ).per_api();
    STEP: Step = Property::new(
        "backfill.step",
        Kind::Text { type_name: "string", expected: Step::EXPECTED, parse: Step::parse },
        "How long each step of a backfill is, as an ISO 8601 duration: `PT6H`, `P1D`, `P2W`, `P1M`, `P1Y`.",
    ).per_api().default("P1D");
}

/// Reads what is read once of an API, by what is said of it if nothing is configured; `None` has told what is wrong.
pub(super) fn read(
    reader: &mut Reader<'_>,
    number: usize,
    annotated: Option<&BackfillFacts>,
) -> Option<Option<Backfill>> {
    let default = |text: fn(&BackfillFacts) -> Option<&'static str>| annotated.and_then(text);
    let start = reader.get_of(number, &START).or_else(|| START.parse(default(|facts| facts.start)?));
    let end = reader.get_of(number, &END).or_else(|| END.parse(default(|facts| facts.end)?));
    let step = match default(|facts| facts.step) {
        Some(step) if !reader.has(&api_name(number, STEP.name())) => STEP.parse(step),
        _ => reader.get_of(number, &STEP),
    };
    let range = match (start, end) {
        (None, None) => return Some(None),
        (Some(start), Some(end)) => Range { start, end },
        // The annotation has one end of the range, and nobody the other.
        _ if ![START.name(), END.name()].iter().any(|name| reader.has(&api_name(number, name))) => return Some(None),
        (Some(_), None) => {
            reader.require_of(number, &END, "it is needed because a range of time has two ends")?;
            return None;
        }
        (None, Some(_)) => {
            reader.require_of(number, &START, "it is needed because a range of time has two ends")?;
            return None;
        }
    };
    let end = api_name(number, END.name());
    if range.start >= range.end {
        reader.conflict(&end, format!("is not after `{}`", api_name(number, START.name())), None);
        return None;
    }
    if Timestamp::try_from(clock::now()).is_ok_and(|now| range.end > now) {
        reader.conflict(&end, "is later than now, and what has not happened cannot be read", None);
    }
    Some(Some(Backfill { range, step: step? }))
}

/// Tells that an operation has no parameters for the steps of a backfill, if one is configured.
pub(super) fn refuse(reader: &mut Reader<'_>, number: usize) {
    for name in [START.name(), END.name(), STEP.name()].map(|name| api_name(number, name)) {
        if reader.has(&name) {
            let reason = "is of an operation whose annotation has no `backfill`, which names the parameter for the end of a step";
            reader.conflict(&name, reason, None);
        }
    }
}

/// Tells what of a request does not go with a backfill.
pub(super) fn check(reader: &mut Reader<'_>, number: usize, request: &RequestTemplate) {
    let has_start = request.uses(|variable| matches!(variable, Variable::Start(_)));
    let has_end = request.uses(|variable| matches!(variable, Variable::End(_)));
    for (name, has) in [("start_time", has_start), ("end_time", has_end)] {
        if !has {
            let reason = format!("needs `${{{name}}}` in the request, or each step would bring the same");
            reader.conflict(&api_name(number, START.name()), reason, None);
        }
    }
}
