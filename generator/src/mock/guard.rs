//! What a mock answers in place of a page: it refuses requests without credentials, and fails when told to.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderMap, header};

use crate::plan::model::{ApiKeyPlace, AuthScheme};

/// The header that asks for a fault.
pub const FAULT_HEADER: &str = "x-mock-fault";
/// The query parameter that asks for a fault.
pub const FAULT_PARAMETER: &str = "mock_fault";

/// How long a slow answer takes.
pub(super) const SLOW: Duration = Duration::from_secs(2);

/// A fault that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Status 500.
    ServerError,
    /// Status 429 with `Retry-After: 1`.
    TooManyRequests,
    /// The answer comes late.
    Slow,
    /// The connection ends in the middle of the body.
    Cut,
}

impl Fault {
    /// The fault that a request asks for; `Err` is a name that none has.
    pub(super) fn of(query: &BTreeMap<String, String>, headers: &HeaderMap) -> Result<Option<Self>, String> {
        let header = headers.get(FAULT_HEADER).and_then(|value| value.to_str().ok());
        match header.or(query.get(FAULT_PARAMETER).map(String::as_str)) {
            None => Ok(None),
            Some("500") => Ok(Some(Self::ServerError)),
            Some("429") => Ok(Some(Self::TooManyRequests)),
            Some("slow") => Ok(Some(Self::Slow)),
            Some("cut") => Ok(Some(Self::Cut)),
            Some(other) => Err(other.to_owned()),
        }
    }
}

/// Whether a request shows what one of the `ways` takes. Any value will do, and schemes that a mock cannot check pass.
pub(super) fn lets_in(ways: &[Vec<AuthScheme>], query: &BTreeMap<String, String>, headers: &HeaderMap) -> bool {
    ways.is_empty() || ways.iter().any(|way| way.iter().all(|scheme| shows(scheme, query, headers)))
}

fn shows(scheme: &AuthScheme, query: &BTreeMap<String, String>, headers: &HeaderMap) -> bool {
    match scheme {
        AuthScheme::Basic => authorization(headers, "basic"),
        AuthScheme::Bearer => authorization(headers, "bearer"),
        AuthScheme::ApiKey { place: ApiKeyPlace::Query, name } => query.get(name).is_some_and(|key| !key.is_empty()),
        AuthScheme::ApiKey { place: ApiKeyPlace::Header, name } => headers.get(name).is_some_and(|key| !key.is_empty()),
        AuthScheme::ApiKey { place: ApiKeyPlace::Cookie, name } => cookie(headers, name),
        AuthScheme::Other(_) => true,
    }
}

/// Whether there are credentials of this scheme, whose case does not count (RFC 9110 section 11.1).
fn authorization(headers: &HeaderMap, scheme: &str) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let parts = value.and_then(|value| value.split_once(' '));
    parts.is_some_and(|(given, credentials)| given.eq_ignore_ascii_case(scheme) && !credentials.trim().is_empty())
}

fn cookie(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(given, value)| given == name && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn query(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn any_credential_of_the_scheme_lets_in() {
        let key = |place, name: &str| AuthScheme::ApiKey { place, name: name.to_owned() };
        let none = (query(&[]), headers(&[]));
        for (scheme, query, headers) in [
            (AuthScheme::Bearer, query(&[]), headers(&[("authorization", "bearer x")])),
            (AuthScheme::Basic, query(&[]), headers(&[("authorization", "Basic eDp5")])),
            (key(ApiKeyPlace::Query, "key"), query(&[("key", "x")]), headers(&[])),
            (key(ApiKeyPlace::Header, "X-Key"), query(&[]), headers(&[("x-key", "x")])),
            (key(ApiKeyPlace::Cookie, "sid"), query(&[]), headers(&[("cookie", "a=b; sid=x")])),
        ] {
            let ways = [vec![scheme]];
            assert!(lets_in(&ways, &query, &headers), "{ways:?}");
            assert!(!lets_in(&ways, &none.0, &none.1), "{ways:?}");
        }
        assert!(!lets_in(&[vec![AuthScheme::Basic]], &none.0, &headers(&[("authorization", "Bearer x")])));
        assert!(!lets_in(&[vec![AuthScheme::Bearer]], &none.0, &headers(&[("authorization", "Bearer ")])));
    }

    #[test]
    fn one_way_is_enough_and_a_way_is_taken_whole() {
        let key = AuthScheme::ApiKey { place: ApiKeyPlace::Query, name: "key".to_owned() };
        let both = [vec![AuthScheme::Bearer, key.clone()]];
        assert!(!lets_in(&both, &query(&[("key", "x")]), &headers(&[])));
        assert!(lets_in(&both, &query(&[("key", "x")]), &headers(&[("authorization", "Bearer x")])));
        assert!(lets_in(&[vec![AuthScheme::Bearer], vec![key]], &query(&[("key", "x")]), &headers(&[])));
        for open in [vec![], vec![vec![AuthScheme::Bearer], vec![]], vec![vec![AuthScheme::Other("oauth2".to_owned())]]]
        {
            assert!(lets_in(&open, &query(&[]), &headers(&[])), "{open:?}");
        }
    }

    #[test]
    fn faults_have_names() {
        let none = headers(&[]);
        assert_eq!(Fault::of(&query(&[]), &none), Ok(None));
        assert_eq!(Fault::of(&query(&[("mock_fault", "429")]), &none), Ok(Some(Fault::TooManyRequests)));
        assert_eq!(Fault::of(&query(&[]), &headers(&[("x-mock-fault", "cut")])), Ok(Some(Fault::Cut)));
        assert_eq!(Fault::of(&query(&[("mock_fault", "x")]), &none), Err("x".to_owned()));
    }
}
