//! What is read once of an API, besides what its cycles read: a range of time, in steps.

use jiff::Timestamp;

use super::super::kind::Kind;
use super::super::names::api_name;
use super::super::property::{Property, properties};
use super::super::reader::Reader;
use crate::clock;
use crate::configured::{RequestTemplate, Variable, read_any};
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
        "Where a range of time begins that is read once, in steps from `${start_time}` to `${end_time}`, besides what is new. \
         Several steps are read at a time, as `max.in.flight.requests` allows; requests for what is new go first. Times \
         without a zone are UTC.",
    ).per_api();
    END: Timestamp = Property::new(
        "backfill.end",
        INSTANT,
        "Where that range ends, without being a part of it; it cannot be in the future. There the time windows begin that \
         bring what is new, each as long as `http.timestamp.interval` at most.",
    ).per_api();
    STEP: Step = Property::new(
        "backfill.step",
        Kind::Text { type_name: "string", expected: Step::EXPECTED, parse: Step::parse },
        "How long each step of a backfill is, as an ISO 8601 duration: `PT6H`, `P1D`, `P2W`, `P1M`, `P1Y`.",
    ).per_api().default("P1D");
}

/// Reads what is read once of an API.
pub(super) fn read(reader: &mut Reader<'_>, number: usize) -> Option<Option<Backfill>> {
    let (start, end) = (reader.get_of(number, &START), reader.get_of(number, &END));
    let step = reader.get_of(number, &STEP);
    let range = match (start, end) {
        (None, None) => return Some(None),
        (Some(start), Some(end)) => Range { start, end },
        (Some(_), None) => {
            reader.require_of(number, &END, "it is needed because a range of time has two ends")?;
            return None;
        }
        (None, Some(_)) => {
            reader.require_of(number, &START, "it is needed because a range of time has two ends")?;
            return None;
        }
    };
    if range.start >= range.end {
        let reason = format!("is not after `{}`", api_name(number, START.name()));
        reader.conflict(&api_name(number, END.name()), reason, None);
        return None;
    }
    Some(Some(Backfill { range, step: step? }))
}

/// Tells what of an API does not go with a backfill.
pub(super) fn check(reader: &mut Reader<'_>, number: usize, backfill: &Backfill, request: &RequestTemplate) {
    if Timestamp::try_from(clock::now()).is_ok_and(|now| backfill.range.end > now) {
        let reason = "is later than now, and what has not happened cannot be read";
        reader.conflict(&api_name(number, END.name()), reason, None);
    }
    let has_start = request.uses(|variable| matches!(variable, Variable::Start(_)));
    let has_end = request.uses(|variable| matches!(variable, Variable::End(_)));
    for (name, has) in [("start_time", has_start), ("end_time", has_end)] {
        if !has {
            let reason = format!("needs `${{{name}}}` in the request, or each step would bring the same");
            reader.conflict(&api_name(number, START.name()), reason, None);
        }
    }
}
