//! How many requests are sent to a host, whichever operations they are of.

use std::num::NonZeroU32;
use std::time::Duration;

use super::kind::{MAX_MILLIS, TEXT, count, millis};
use super::property::{Property, properties};
use super::reader::Reader;
use crate::http::{Budget, LimitHeaders, Limits};

properties! {
    MAX_REQUESTS: u32 = Property::new(
        "http.throttle.max.requests",
        count(1, MAX_MILLIS),
        "How many requests are sent to one host in any window of `http.throttle.window.ms`, those of all operations together, \
         and each try again counted. Not set: as many as there are.",
    );
    WINDOW: Duration = Property::new(
        "http.throttle.window.ms",
        millis(1, MAX_MILLIS),
        "The length of the window of `http.throttle.max.requests`, in milliseconds.",
    ).default("60000");
    CONCURRENT: u32 = Property::new(
        "http.throttle.max.concurrent",
        count(1, MAX_MILLIS),
        "How many requests to one host are under way at once, those of all operations together. Not set: as many as there \
         are.",
    );
    REMAINING_HEADER: String = Property::new(
        "http.rate.limit.header",
        TEXT,
        "The header of responses that says how many requests are left; when none is, nothing is sent to the host until \
         `http.rate.limit.reset.header`. Not set: the usual ones, `X-RateLimit-Remaining` and the like, and the `RateLimit` of \
         the IETF.",
    ).low();
    RESET_HEADER: String = Property::new(
        "http.rate.limit.reset.header",
        TEXT,
        "The header of responses that says when there will be more: seconds from now, seconds or milliseconds since 1970, \
         or an HTTP date. Not set: the usual ones.",
    ).low();
    MAX_WAIT: Duration = Property::new(
        "http.rate.limit.max.wait.ms",
        millis(0, MAX_MILLIS),
        "The longest wait that an API may ask for, in milliseconds. Beyond it, a request that `Retry-After` holds up fails at \
         once, and what rate limit headers say is not heeded.",
    ).default("600000").low();
}

/// Reads the limits of every host.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Limits> {
    let (requests, window) = (reader.get(&MAX_REQUESTS), reader.get(&WINDOW));
    let concurrency = reader.get(&CONCURRENT);
    let headers = LimitHeaders { remaining: reader.get(&REMAINING_HEADER), reset: reader.get(&RESET_HEADER) };
    let max_wait = reader.get(&MAX_WAIT);
    let window = window?;
    let budget = requests.and_then(NonZeroU32::new).map(|requests| Budget { requests, window });
    Some(Limits { budget, concurrency: concurrency.and_then(NonZeroU32::new), headers, max_wait: max_wait? })
}
