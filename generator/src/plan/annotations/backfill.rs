//! `backfill`: what is read once, step by step, besides what the cycles read.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp, Zoned};

use super::Keys;
use crate::plan::model::BackfillPlan;

pub(super) fn read(keys: &mut Keys<'_>) -> Option<BackfillPlan> {
    let until = keys.required_text("until");
    let (start, end) = (instant(keys, "start"), instant(keys, "end"));
    if let (Some((start, from)), Some((_, to))) = (&start, &end)
        && from >= to
    {
        keys.error(Some("end"), format!("`end` is not after `start`, which is {start}"), None);
    }
    let step = keys.text("step").filter(|step| {
        let fits = is_step(step);
        if !fits {
            let hint = "an ISO 8601 duration that is longer than nothing, such as `P1M`, `P7D` or `PT6H`";
            keys.error(Some("step"), format!("`{step}` is no step of a backfill"), Some(hint));
        }
        fits
    });
    Some(BackfillPlan {
        until: until?.as_str().into(),
        start: start.map(|(text, _)| text),
        end: end.map(|(text, _)| text),
        step,
    })
}

/// A time, as it is written and as an instant.
fn instant(keys: &mut Keys<'_>, key: &'static str) -> Option<(String, Timestamp)> {
    let text = keys.text(key)?;
    let midnight = |date: Date| date.to_zoned(jiff::tz::TimeZone::UTC).ok();
    // A date is one only if there is no time after it.
    let date = || text.parse::<DateTime>().ok().filter(|_| text.len() == "2024-01-31".len()).map(DateTime::date);
    match text.parse::<Timestamp>().ok().or_else(|| date().and_then(midnight).map(|zoned: Zoned| zoned.timestamp())) {
        Some(at) => Some((text, at)),
        None => {
            let hint = "write `2024-01-31T12:00:00Z` or `2024-01-31`";
            keys.error(Some(key), format!("`{text}` is no time"), Some(hint));
            None
        }
    }
}

fn is_step(text: &str) -> bool {
    text.starts_with('P') && text.parse::<Span>().is_ok_and(Span::is_positive)
}
