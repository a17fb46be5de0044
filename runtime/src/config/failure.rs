//! What follows when requests fail: how a host that does not answer is treated, whether streams begin again, and where
//! failures are reported.

use std::num::NonZeroU32;
use std::time::Duration;

use super::kind::{Kind, MAX_MILLIS, TOPIC_OF_CONNECTOR, count, millis};
use super::property::{Property, properties};
use super::reader::Reader;
use crate::flow::{OnError, ReportAs, Restart};
use crate::http::BreakerSettings;

/// What follows when a request has failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behavior {
    Fail,
    Ignore,
    Restart,
}

/// The topic of failed requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorTopic {
    /// Its name.
    pub name: String,
    /// What its records are.
    pub report: ReportAs,
}

properties! {
    ON_ERROR: Behavior = Property::new(
        "behavior.on.error",
        Kind::OneOf(&[
            ("FAIL", Behavior::Fail),
            ("IGNORE", Behavior::Ignore),
            ("LOG", Behavior::Ignore),
            ("RESTART", Behavior::Restart),
        ]),
        "What follows when a request has failed for good, or its response cannot be read. FAIL: the connector stops. \
         IGNORE and LOG: it is told in the log, and the same request is made again when the next cycle begins. RESTART: the \
         stream begins again at its position after a pause, up to `stream.restart.max` times; then it has failed, the other \
         streams go on, and when they have ended the connector ends with an error.",
    ).default("FAIL");
    RESTARTS: u32 = Property::new(
        "stream.restart.max",
        count(0, MAX_MILLIS),
        "How often a stream begins again without a page in between, for `behavior.on.error=RESTART`.",
    ).default("10").low();
    RESTART_PAUSE: Duration = Property::new(
        "stream.restart.backoff.ms",
        millis(1, MAX_MILLIS),
        "The pause before a stream begins again, in milliseconds. It doubles each time without a page in between.",
    ).default("10000").low();
    RESTART_PAUSE_MAX: Duration = Property::new(
        "stream.restart.backoff.max.ms",
        millis(1, MAX_MILLIS),
        "The longest pause before a stream begins again, in milliseconds.",
    ).default("300000").low();
    FAILURES: u32 = Property::new(
        "http.circuit.breaker.failures",
        count(0, MAX_MILLIS),
        "After how many failures in a row of whichever requests a host is left in peace for \
         `http.circuit.breaker.pause.ms`; then one request asks whether it answers again. A failure is no answer, or a status \
         from 500 on. 0: never.",
    ).default("10").low();
    PAUSE: Duration = Property::new(
        "http.circuit.breaker.pause.ms",
        millis(1, MAX_MILLIS),
        "For how long a host that does not answer is left in peace, in milliseconds.",
    ).default("30000").low();
    ERROR_TOPIC: String = Property::new(
        "reporter.error.topic.name",
        TOPIC_OF_CONNECTOR,
        "The topic with a record for each request that has failed for good, made when there is one. `${connector}` stands \
         for the connector's name.",
    ).default("error-${connector}");
    REPORT_AS: ReportAs = Property::new(
        "report.errors.as",
        Kind::OneOf(&[("Error string", ReportAs::Text), ("Http response", ReportAs::Response)]),
        "What those records are: a text that says what happened, or the content of the response. Status, URL and the rest \
         are in their headers.",
    ).default("Error string");
}

/// Reads what follows when a request has failed for good.
pub(super) fn read_behavior(reader: &mut Reader<'_>) -> Option<OnError> {
    let behavior = reader.get(&ON_ERROR);
    let (max, pause) = (reader.get(&RESTARTS), reader.get(&RESTART_PAUSE));
    let max_pause = reader.get(&RESTART_PAUSE_MAX);
    let restart = Restart { max: max?, pause: pause?, max_pause: max_pause? };
    Some(match behavior? {
        Behavior::Fail => OnError::Fail,
        Behavior::Ignore => OnError::Ignore,
        Behavior::Restart => OnError::Restart(restart),
    })
}

/// Reads when a host is left in peace.
pub(super) fn read_breaker(reader: &mut Reader<'_>) -> Option<BreakerSettings> {
    let (failures, pause) = (reader.get(&FAILURES), reader.get(&PAUSE));
    Some(BreakerSettings { failures: NonZeroU32::new(failures?), pause: pause? })
}

/// Reads where failed requests are reported, for a connector of this name.
pub(super) fn read_error_topic(reader: &mut Reader<'_>, name: Option<&str>) -> Option<ErrorTopic> {
    let (topic, report) = (reader.get(&ERROR_TOPIC), reader.get(&REPORT_AS));
    Some(ErrorTopic { name: topic?.replace("${connector}", name?), report: report? })
}
