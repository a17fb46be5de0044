//! What the document says of how often the API may be asked.

use super::Inferred;
use crate::plan::model::RateLimitPlan;

/// Headers of responses, and what they are of: `None` is a status without headers.
pub(in crate::plan) fn infer(refuses: bool, headers: &[&str]) -> Option<Inferred<RateLimitPlan>> {
    let mut named: Vec<String> = Vec::new();
    for header in headers.iter().filter(|header| is_of_limits(header)) {
        if !named.iter().any(|name| name.eq_ignore_ascii_case(header)) {
            named.push((*header).to_owned());
        }
    }
    let (rule, reason) = match (refuses, named.as_slice()) {
        (false, []) => return None,
        (true, []) => ("status-429", "the operation can answer with status 429".to_owned()),
        (_, named) => ("rate-limit-headers", format!("its responses have the headers `{}`", named.join("`, `"))),
    };
    Some(Inferred { value: RateLimitPlan { refuses, headers: named }, rule, reason })
}

/// `X-RateLimit-Remaining`, `RateLimit-Policy` and the like, and `Retry-After` (RFC 9110 section 10.2.3).
fn is_of_limits(header: &str) -> bool {
    let letters = header.to_ascii_lowercase().replace(['-', '_'], "");
    letters.contains("ratelimit") || letters == "retryafter"
}
