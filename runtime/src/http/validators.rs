//! Conditional requests (RFC 9110 section 13): what an answer says of its version, and asking only for another one.

use std::time::Duration;

use reqwest::header::{DATE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LINK};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::request::Request;
use super::response::Response;

/// What is remembered of an answer, to ask whether there is a newer one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Validators {
    /// Hash of the request that was answered, as hexadecimal text: any other request has other answers.
    request: String,
    /// The header and its value that the next request carries.
    #[serde(flatten)]
    validator: Validator,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Validator {
    Etag(String),
    LastModified(String),
}

impl Validators {
    /// What an answer says of its version; `None` if it is not said for sure, or if pages are linked by headers, which no
    /// version accounts for.
    pub(crate) fn of(request: &Request, response: &Response) -> Option<Self> {
        let validator = validator(&response.headers)?;
        Some(Self { request: hash(request), validator })
    }

    /// Has the same request ask for another version only.
    pub(crate) fn apply(&self, request: &mut Request) {
        if hash(request) == self.request {
            let (name, value) = match &self.validator {
                Validator::Etag(value) => (IF_NONE_MATCH, value),
                Validator::LastModified(value) => (IF_MODIFIED_SINCE, value),
            };
            request.headers.push((name.as_str().to_owned().into(), value.clone()));
        }
    }
}

fn validator(headers: &HeaderMap) -> Option<Validator> {
    if headers.contains_key(LINK) {
        return None;
    }
    let text = |name| headers.get(name)?.to_str().ok();
    if let Some(etag) = text(ETAG) {
        return Some(Validator::Etag(etag.to_owned()));
    }
    // What was changed in the second in which it was sent may change again in it (RFC 9110 section 8.8.2.2).
    let modified = text(LAST_MODIFIED)?;
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let age = date(text(DATE)?)?.duration_since(date(modified)?).ok()?;
    (age >= Duration::from_secs(1)).then(|| Validator::LastModified(modified.to_owned()))
}

fn hash(request: &Request) -> String {
    format!("{:016x}", xxh3_64(format!("{request:?}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<Validator> {
        validator(&headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
    }

    #[test]
    fn a_version_is_known_by_its_tag_or_by_a_time_that_is_over() {
        let (early, late) = ("Fri, 31 Dec 1999 23:58:00 GMT", "Fri, 31 Dec 1999 23:58:01 GMT");
        assert_eq!(of(&[("etag", "W/\"1\""), ("last-modified", early)]), Some(Validator::Etag("W/\"1\"".to_owned())));
        let modified = Some(Validator::LastModified(early.to_owned()));
        assert_eq!(of(&[("last-modified", early), ("date", late)]), modified);
        assert_eq!(of(&[("last-modified", late), ("date", late)]), None);
        assert_eq!(of(&[("last-modified", early)]), None);
        assert_eq!(of(&[("etag", "\"1\""), ("link", "</2>; rel=next")]), None);
    }

    #[test]
    fn only_the_same_request_is_conditional() {
        let request = Request::get("/items");
        let validators = Validators { request: hash(&request), validator: Validator::Etag("\"1\"".to_owned()) };
        let stored = serde_json::to_string(&validators).unwrap();
        assert!(stored.ends_with(r#""etag":"\"1\""}"#), "{stored}");
        let restored: Validators = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored, validators);
        let (mut same, mut other) = (request.clone(), Request::get("/others"));
        restored.apply(&mut same);
        restored.apply(&mut other);
        assert_eq!(same.headers, [("if-none-match".into(), "\"1\"".to_owned())]);
        assert!(other.headers.is_empty());
    }
}
