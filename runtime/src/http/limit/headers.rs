//! What the headers of an answer say is left of a rate limit.
//!
//! Read are the headers that most APIs send, `X-RateLimit-Remaining` with `X-RateLimit-Reset` and their spellings with and
//! without `X-` and hyphens, and those of the IETF (draft-ietf-httpapi-ratelimit-headers): `RateLimit` with
//! `RateLimit-Policy` as of draft 8 and later (`"default";r=0;t=30`), and as of draft 7 and earlier (`limit=100,
//! remaining=0, reset=30`).

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use super::LimitHeaders;

const REMAINING: [&str; 3] = ["x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"];
const RESET: [&str; 3] = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];

/// How long to wait if nothing is left; `None` if something is, or if it is not said.
pub(super) fn wait(headers: &HeaderMap, own: &LimitHeaders, now: SystemTime) -> Option<Duration> {
    let named = |name: &Option<String>, usual: &[&str]| match name {
        Some(name) => value(headers, name).map(str::to_owned),
        None => usual.iter().find_map(|name| value(headers, name)).map(str::to_owned),
    };
    let plain = match named(&own.remaining, &REMAINING) {
        Some(remaining) if is_nothing(&remaining) => named(&own.reset, &RESET).and_then(|text| until(&text, now)),
        _ => None,
    };
    let standard = value(headers, "ratelimit").and_then(|limits| standard(limits, value(headers, "ratelimit-policy")));
    plain.max(standard)
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Some APIs count in fractions, or below zero.
fn is_nothing(remaining: &str) -> bool {
    remaining.trim().parse::<f64>().is_ok_and(|left| left < 1.0)
}

/// The time to a reset: an HTTP date, or a number that is too large for seconds from now, and thus one since 1970.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    /// 2001-09-09, in seconds; as seconds from now, thirty years.
    const SINCE_1970: f64 = 1e9;
    let text = text.trim();
    let Ok(number) = text.parse::<f64>() else {
        let at = httpdate::parse_http_date(text).ok()?;
        return Some(at.duration_since(now).unwrap_or(Duration::ZERO));
    };
    let seconds = if number < SINCE_1970 {
        number
    } else {
        let at = if number < SINCE_1970 * 1e3 { number } else { number / 1e3 };
        at - now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64()
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// The longest wait of the limits that are used up.
fn standard(limits: &str, policies: Option<&str>) -> Option<Duration> {
    let seconds = |text: &str| text.parse().ok().map(Duration::from_secs);
    let members = pairs(limits, ',');
    if let Some(remaining) = members.iter().find(|(name, _)| *name == "remaining") {
        let reset = members.iter().find(|(name, _)| *name == "reset");
        return reset.filter(|_| is_nothing(remaining.1)).and_then(|(_, text)| seconds(text));
    }
    let of_window = |limit: &str| {
        let policy = policies?.split(',').find(|policy| name_of(policy) == limit)?;
        pairs(policy, ';').iter().find(|(name, _)| *name == "w").and_then(|(_, text)| seconds(text))
    };
    let wait = |limit: &str| {
        let parameters = pairs(limit, ';');
        let parameter = |wanted: &str| parameters.iter().find(|(name, _)| *name == wanted).map(|(_, text)| *text);
        if !is_nothing(parameter("r")?) {
            return None;
        }
        // Without a time, the window of the policy of the same name is the longest that it can take.
        parameter("t").and_then(seconds).or_else(|| of_window(name_of(limit)))
    };
    limits.split(',').filter_map(wait).max()
}

fn name_of(item: &str) -> &str {
    item.split(';').next().unwrap_or_default().trim()
}

fn pairs(text: &str, separator: char) -> Vec<(&str, &str)> {
    text.split(separator)
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(headers: &[(&'static str, &'static str)], own: &LimitHeaders) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        wait(&map, own, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn reads_what_apis_send() {
        for (headers, expected) in [
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000060")][..], Some(60)),
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000060000")], Some(60)),
            (&[("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", "30")], Some(30)),
            (&[("RateLimit-Remaining", "0.5"), ("RateLimit-Reset", "7.9")], Some(7)),
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "Tue, 14 Nov 2023 22:14:20 GMT")], Some(60)),
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1600000000")], Some(0)),
            (&[("X-RateLimit-Remaining", "1"), ("X-RateLimit-Reset", "30")], None),
            (&[("X-RateLimit-Remaining", "0")], None),
            (&[("X-RateLimit-Remaining", "none"), ("X-RateLimit-Reset", "30")], None),
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "soon")], None),
            (&[("RateLimit", "limit=100, remaining=0, reset=30")], Some(30)),
            (&[("RateLimit", "limit=100, remaining=9, reset=30")], None),
            (&[("RateLimit", "\"default\";r=0;t=30")], Some(30)),
            (&[("RateLimit", "\"burst\";r=0;t=3, \"daily\";r=0;t=30, \"b\";r=1;t=90")], Some(30)),
            (&[("RateLimit", "\"a\";r=0"), ("RateLimit-Policy", "\"b\";q=1;w=5, \"a\";q=100;w=60")], Some(60)),
            (&[("RateLimit", "\"a\";r=0")], None),
            (&[("RateLimit", "\"a\";r=5;t=30"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "9")], Some(9)),
            (&[("RateLimit", "nonsense")], None),
            (&[], None),
        ] {
            assert_eq!(waits(headers, &LimitHeaders::default()), expected, "{headers:?}");
        }
    }

    #[test]
    fn reads_headers_by_their_own_names() {
        let own = LimitHeaders { remaining: Some("X-Left".to_owned()), reset: Some("X-Again".to_owned()) };
        let headers = [("X-Left", "0"), ("X-Again", "5"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "9")];
        assert_eq!(waits(&headers, &own), Some(5));
        assert_eq!(waits(&headers, &LimitHeaders::default()), Some(9));
    }
}
