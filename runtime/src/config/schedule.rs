//! When the cycles of each API begin.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::kind::{BOOLEAN, Kind, MAX_MILLIS, TEXT, millis};
use super::names::api_name;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::flow::Pace;
use crate::schedule::{CronSchedule, Schedule};

const TIME_ZONE: Kind<TimeZone> = Kind::Text {
    type_name: "string",
    expected: "the name of a time zone, such as `UTC` or `Europe/Berlin`",
    parse: |text| TimeZone::get(text.trim()).ok(),
};

properties! {
    CRON: String = Property::new(
        "request.cron",
        TEXT,
        "When cycles begin, in place of `request.interval.ms`: a cron expression of five fields, or of six or seven that \
         begin with seconds (Quartz).",
    ).per_api();
    CRON_ZONE: TimeZone = Property::new("request.cron.timezone", TIME_ZONE, "The time zone of `request.cron`.")
        .per_api().default("UTC").low();
    ON_DEMAND: bool = Property::new(
        "request.on.demand",
        BOOLEAN,
        "Whether cycles begin only when it is asked for, by `POST /connectors/NAME/streams/STREAM/cycle` at one of \
         `listeners`. It can be asked for with any other schedule too.",
    ).per_api().default("false").low();
    JITTER: Duration = Property::new(
        "request.interval.jitter.ms",
        millis(0, MAX_MILLIS),
        "Each pause between two cycles is longer by up to this many milliseconds, drawn anew each time.",
    ).per_api().default("0").low();
    IDLE: Duration = Property::new(
        "request.interval.max.ms",
        millis(1, MAX_MILLIS),
        "The pause between two cycles doubles with each cycle that brings no record, up to this many milliseconds; a record \
         resets it. Not set: it does not grow.",
    ).per_api().low();
}

/// Reads when the cycles of one operation begin, if not after `interval`.
pub(super) fn read(reader: &mut Reader<'_>, number: usize, interval: Duration) -> Option<Schedule> {
    let (zone, on_demand) = (reader.get_of(number, &CRON_ZONE), reader.get_of(number, &ON_DEMAND));
    let cron = reader.get_of(number, &CRON);
    if on_demand? {
        if cron.is_some() {
            let reason = format!("has no effect with `{}`", api_name(number, ON_DEMAND.name()));
            reader.conflict(&api_name(number, CRON.name()), reason, Some("set only one of them".to_owned()));
        }
        return Some(Schedule::OnDemand);
    }
    let Some(expression) = cron else { return Some(Schedule::Interval(interval)) };
    match CronSchedule::parse(&expression, zone?) {
        Ok(cron) => Some(Schedule::Cron(Box::new(cron))),
        Err(_) => {
            let expected = "a cron expression of five fields, or of six or seven that begin with seconds";
            reader.invalid(&api_name(number, CRON.name()), expected, None);
            None
        }
    }
}

/// Reads how the pauses between the cycles of one operation depart from its schedule.
pub(super) fn read_pace(reader: &mut Reader<'_>, number: usize) -> Option<Pace> {
    let (jitter, idle) = (reader.get_of(number, &JITTER), reader.get_of(number, &IDLE));
    Some(Pace { jitter: jitter?, idle })
}
