//! What can go wrong with a request: what kind it is, whether to try again, and whether the request may have been sent.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::actions::Detour;
use super::addresses::DisallowedHost;
use super::request::Method;
use super::response::Response;
use super::retry::RetryPolicy;

/// A request that did not lead to a response that can be used. URLs in it have neither query nor credentials.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The base URL cannot be used.
    #[error("the base URL `{url}` {reason}")]
    BaseUrl {
        /// The base URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header's name or value cannot be sent (RFC 9110 section 5).
    #[error("the header `{name}` has a name or value that HTTP cannot carry")]
    Header {
        /// The header's name. The value may be a secret.
        name: String,
    },
    /// The HTTP client cannot be set up.
    #[error("setting up the HTTP client failed")]
    Setup {
        /// Why.
        source: Cause,
    },
    /// A request's path or URL cannot be used.
    #[error("the target `{target}` {reason}")]
    Target {
        /// The path or URL.
        target: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The API named a URL that is not its own.
    #[error("`{url}` is not on `{origin}`, which the credentials must not leave")]
    ForeignOrigin {
        /// The URL.
        url: String,
        /// Scheme, host and port of the base URL.
        origin: String,
    },
    /// The API redirected the request to a URL that is not its own.
    #[error("`{url}` redirects to `{location}`, which is not on `{origin}`, which the credentials must not leave")]
    ForeignRedirect {
        /// The URL that redirects.
        url: String,
        /// Where to.
        location: String,
        /// Scheme, host and port of the base URL.
        origin: String,
    },
    /// Redirect followed redirect.
    #[error("`{url}` redirects more than {limit} times")]
    TooManyRedirects {
        /// The URL that was asked.
        url: String,
        /// How many redirects are followed.
        limit: usize,
    },
    /// The host is at an address that must not be connected to.
    #[error("connecting to `{url}` is not allowed")]
    Disallowed {
        /// The URL that was to be asked.
        url: String,
        /// Which address, and why.
        source: DisallowedHost,
    },
    /// No connection came about.
    #[error("connecting to `{url}` failed")]
    Connect {
        /// The URL that was asked.
        url: String,
        /// Why.
        source: Cause,
    },
    /// No connection came about in time.
    #[error("connecting to `{url}` took longer than {limit:?}")]
    ConnectTimeout {
        /// The URL that was asked.
        url: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The response did not arrive, or not to its end, in time.
    #[error("the response of `{url}` took longer than {limit:?}")]
    Timeout {
        /// The URL that was asked.
        url: String,
        /// How long it may take, from the start of the request to the end of the response.
        limit: Duration,
    },
    /// The connection broke before a response began.
    #[error("the request to `{url}` failed")]
    Connection {
        /// The URL that was asked.
        url: String,
        /// Why.
        source: Cause,
    },
    /// The response's content was cut short or cannot be decompressed.
    #[error("the response of `{url}` is incomplete or damaged")]
    Content {
        /// The URL that was asked.
        url: String,
        /// Why.
        source: Cause,
    },
    /// The response's content is larger than it may be.
    #[error("the response of `{url}` is larger than {limit} bytes")]
    TooLarge {
        /// The URL that was asked.
        url: String,
        /// How large it may be once decompressed, in bytes.
        limit: usize,
    },
    /// The response's status is not one of success (RFC 9110 section 15).
    #[error("`{url}` answered {}{}", status_line(*status), excerpt(body.shown()))]
    Status {
        /// The URL that was asked.
        url: String,
        /// The status code.
        status: u16,
        /// The beginning of the content.
        body: FailureContent,
        /// How long the API asks to wait (RFC 9110 section 10.2.3).
        retry_after: Option<Duration>,
    },
    /// By a rule for the answer, something else is asked for.
    #[error("by a rule for the answer, {detour} is called for")]
    Detour {
        /// What.
        detour: Detour,
        /// The answer.
        source: Box<HttpError>,
    },
    /// No token could be got from the token endpoint.
    #[error("asking `{url}` for a token")]
    Token {
        /// The token endpoint.
        url: String,
        /// Why not.
        source: Box<HttpError>,
    },
    /// The token endpoint's answer has no token.
    #[error("the answer of `{url}` has no token in `{property}`")]
    NoToken {
        /// The token endpoint.
        url: String,
        /// Where the token should be.
        property: String,
    },
    /// An authenticator of one's own has no credentials.
    #[error("no credentials for `{url}`")]
    Credentials {
        /// The URL that is to be asked.
        url: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The API asks to wait for longer than is worth waiting.
    #[error("the API asks to wait for {wait:?}, more than the limit of {limit:?}")]
    RetryAfter {
        /// How long the API asks to wait.
        wait: Duration,
        /// How long a wait may be.
        limit: Duration,
        /// What the API answered.
        source: Box<HttpError>,
    },
    /// The request may have had an effect, and is not to be sent twice.
    #[error("the API may have acted on the {method:?} request, which is not sent again (`retry.non.idempotent`)")]
    NotRepeated {
        /// The method.
        method: Method,
        /// How the request failed.
        source: Box<HttpError>,
    },
    /// The request is to be answered from a recording, which lacks it.
    #[error("the cassette has no answer for `{operation}` to `{request}`{}", nearest_recorded(nearest.as_deref()))]
    NotRecorded {
        /// The id of the operation that asks.
        operation: String,
        /// Method, path and query.
        request: String,
        /// What of that operation comes nearest to it, in words.
        nearest: Option<String>,
    },
    /// Every try failed.
    #[error("gave up after {tries} tries")]
    GaveUp {
        /// How often the request was tried.
        tries: u32,
        /// How the last try failed.
        source: Box<HttpError>,
    },
}

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The settings or the request cannot be used; nothing was sent.
    Input,
    /// The API led to a place that is not its own, or around in circles.
    Redirect,
    /// No connection came about.
    Connect,
    /// The response took too long.
    Timeout,
    /// The connection broke before a response began.
    Connection,
    /// The response's content is incomplete, damaged or too large.
    Content,
    /// The response's status is not one of success.
    Status,
}

impl HttpErrorKind {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Redirect => "Redirect",
            Self::Connect => "Connect",
            Self::Timeout => "Timeout",
            Self::Connection => "Connection",
            Self::Content => "Content",
            Self::Status => "Status",
        }
    }
}

/// What a status code means, in the words of RFC 9110.
pub(crate) fn reason_phrase(status: u16) -> Option<&'static str> {
    reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason())
}

impl HttpError {
    /// What sort of thing went wrong, in the last try if there were several.
    pub fn kind(&self) -> HttpErrorKind {
        match self {
            Self::BaseUrl { .. } | Self::Header { .. } | Self::Setup { .. } | Self::Target { .. } => {
                HttpErrorKind::Input
            }
            Self::NotRecorded { .. } | Self::Disallowed { .. } => HttpErrorKind::Input,
            Self::NoToken { .. } | Self::Credentials { .. } => HttpErrorKind::Content,
            Self::ForeignOrigin { .. } | Self::ForeignRedirect { .. } | Self::TooManyRedirects { .. } => {
                HttpErrorKind::Redirect
            }
            Self::Connect { .. } | Self::ConnectTimeout { .. } => HttpErrorKind::Connect,
            Self::Timeout { .. } => HttpErrorKind::Timeout,
            Self::Connection { .. } => HttpErrorKind::Connection,
            Self::Content { .. } | Self::TooLarge { .. } => HttpErrorKind::Content,
            Self::Status { .. } => HttpErrorKind::Status,
            Self::Token { source, .. }
            | Self::RetryAfter { source, .. }
            | Self::NotRepeated { source, .. }
            | Self::Detour { source, .. }
            | Self::GaveUp { source, .. } => source.kind(),
        }
    }

    /// The status code, if the API answered with one that is not of success.
    pub fn status(&self) -> Option<u16> {
        match self.cause() {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// A response without content in place of such a status, for where it says that nothing is there.
    pub fn without_content(&self) -> Option<Response> {
        match self.cause() {
            Self::Status { url, .. } => Response::without_content(url),
            _ => None,
        }
    }

    /// The same, with other content of the answer.
    pub(super) fn with_body(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Status { url, status, retry_after, body } => {
                let body = FailureContent { text: change(&body.text), ..body };
                Self::Status { url, status, retry_after, body }
            }
            error => error,
        }
    }

    /// The URL that was asked, without its query; `None` if there was none.
    pub fn url(&self) -> Option<&str> {
        match self.cause() {
            Self::BaseUrl { url, .. }
            | Self::ForeignOrigin { url, .. }
            | Self::ForeignRedirect { url, .. }
            | Self::TooManyRedirects { url, .. }
            | Self::Disallowed { url, .. }
            | Self::Connect { url, .. }
            | Self::ConnectTimeout { url, .. }
            | Self::Timeout { url, .. }
            | Self::Connection { url, .. }
            | Self::Content { url, .. }
            | Self::TooLarge { url, .. }
            | Self::Status { url, .. }
            | Self::NoToken { url, .. }
            | Self::Credentials { url, .. } => Some(url),
            _ => None,
        }
    }

    /// The beginning of what came with such a status, as text, if it may be shown.
    pub fn body(&self) -> Option<&str> {
        match self.cause() {
            Self::Status { body, .. } => Some(body.shown()),
            _ => None,
        }
    }

    /// Whether the same request may succeed later: the network failed, the status is one of the policy's, or the API
    /// says with `Retry-After` that it may (as GitHub does with 403).
    pub fn is_retryable(&self, policy: &RetryPolicy) -> bool {
        match self {
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Timeout { .. }
            | Self::Connection { .. }
            | Self::Content { .. } => true,
            Self::Token { source, .. } => source.is_retryable(policy),
            Self::Status { status, retry_after, .. } => policy.statuses.contains(*status) || retry_after.is_some(),
            _ => false,
        }
    }

    /// Whether the API may have seen and acted on the request.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::ForeignOrigin { .. } | Self::Token { .. } | Self::NoToken { .. } | Self::Credentials { .. } => false,
            Self::GaveUp { tries, source } => *tries > 1 || source.may_have_been_sent(),
            _ => !matches!(self.kind(), HttpErrorKind::Input | HttpErrorKind::Connect),
        }
    }

    /// Whether the API says that it did not act on the request: it did not know the client, or had too many requests, or
    /// asks to come back (RFC 9110 section 10.2.3, RFC 6585 section 4, RFC 8470 section 5.2).
    pub(super) fn was_refused(&self) -> bool {
        matches!(self, Self::Status { status: 401 | 408 | 425 | 429, .. } | Self::Status { retry_after: Some(_), .. })
    }

    /// Whether the host does not answer, or is in trouble itself.
    pub(super) fn is_of_the_host(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::ConnectTimeout { .. } | Self::Timeout { .. } | Self::Connection { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// What a user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self.cause() {
            Self::Status { status: 401, .. } => Some("check the credentials"),
            Self::Status { status: 403, .. } => {
                Some("the credentials are known but lack a permission: check their roles and scopes")
            }
            Self::Status { status: 404, .. } => Some("check the base URL and the parameters in the path"),
            Self::NotRecorded { .. } => Some("if the connector is meant to ask this now, record the cassette again"),
            Self::NoToken { .. } => Some("check `oauth2.token.property`"),
            Self::Setup { .. } => Some("check that the system's certificates are installed"),
            Self::TooLarge { .. } => Some("ask for smaller pages, or allow larger responses"),
            Self::ForeignRedirect { .. } => Some("if the API has moved, set the base URL to where it is now"),
            Self::Disallowed { .. } => Some("if it is meant, except its address: `connection.allow.cidr.ranges`"),
            Self::Connect { .. } | Self::ConnectTimeout { .. } => Some("check the base URL and the network"),
            _ => None,
        }
    }

    /// The error of the last try.
    fn cause(&self) -> &Self {
        match self {
            Self::Token { source, .. }
            | Self::RetryAfter { source, .. }
            | Self::NotRepeated { source, .. }
            | Self::Detour { source, .. }
            | Self::GaveUp { source, .. } => source.cause(),
            error => error,
        }
    }
}

/// What stands in the place of what an API sent where records are redacted: nobody knows where in it their fields are.
pub(crate) const WITHHELD: &str = "[withheld: `record.redact` is set]";

/// The beginning of what came with a failure, as text, known secrets hidden.
#[derive(Clone, PartialEq, Eq)]
pub struct FailureContent {
    text: String,
    is_withheld: bool,
}

impl FailureContent {
    /// One that may be shown, unless `is_withheld`.
    pub(super) fn new(text: String, is_withheld: bool) -> Self {
        Self { text, is_withheld }
    }

    /// What may be shown of it.
    pub fn shown(&self) -> &str {
        if self.is_withheld && !self.text.is_empty() { WITHHELD } else { &self.text }
    }

    /// It as it came, for who decides by it and shows nothing.
    pub(super) fn as_it_came(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for FailureContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

/// The innermost reason of a failure, as the network or the TLS library gives it.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    /// The reason at the end of an error's chain. The outer ones only say again what the [`HttpError`] says.
    pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut innermost = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self(innermost.to_string())
    }
}

/// What a recording has in place of what it lacks.
fn nearest_recorded(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("; the nearest it has is {nearest}"),
        None => ", nor to anything else it asks".to_owned(),
    }
}

fn status_line(status: u16) -> String {
    match reason_phrase(status) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// The first 200 characters of a response's content on one line, after a colon; nothing of an empty one.
fn excerpt(body: &str) -> String {
    const LENGTH: usize = 200;
    let mut line = String::new();
    let mut length = 0;
    for word in body.split_whitespace() {
        line.push_str(if length == 0 { ": " } else { " " });
        for character in word.chars() {
            if length == LENGTH {
                line.push('…');
                return line;
            }
            if !character.is_control() {
                line.push(character);
                length += 1;
            }
        }
        length += 1;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, body: &str, retry_after: Option<Duration>) -> HttpError {
        HttpError::Status {
            url: "http://a/b".to_owned(),
            status,
            body: FailureContent::new(body.to_owned(), false),
            retry_after,
        }
    }

    #[test]
    fn a_status_is_one_short_line() {
        assert_eq!(
            status(404, "{\n  \"message\": \"Not\tFound\"\n}", None).to_string(),
            r#"`http://a/b` answered 404 Not Found: { "message": "Not Found" }"#
        );
        assert_eq!(status(500, " \n", None).to_string(), "`http://a/b` answered 500 Internal Server Error");
        assert_eq!(status(799, "", None).to_string(), "`http://a/b` answered 799");
        let long = status(400, &"é".repeat(500), None).to_string();
        assert_eq!(long, format!("`http://a/b` answered 400 Bad Request: {}…", "é".repeat(200)));
    }

    #[test]
    fn says_whether_to_try_again_and_whether_it_was_sent() {
        let policy = RetryPolicy::default();
        let url = || "http://a/b".to_owned();
        let cause = || Cause("refused".to_owned());
        for (error, kind, retryable, sent) in [
            (HttpError::Connect { url: url(), source: cause() }, HttpErrorKind::Connect, true, false),
            (HttpError::Timeout { url: url(), limit: Duration::ZERO }, HttpErrorKind::Timeout, true, true),
            (HttpError::Connection { url: url(), source: cause() }, HttpErrorKind::Connection, true, true),
            (HttpError::Content { url: url(), source: cause() }, HttpErrorKind::Content, true, true),
            (HttpError::TooLarge { url: url(), limit: 1 }, HttpErrorKind::Content, false, true),
            (HttpError::ForeignOrigin { url: url(), origin: url() }, HttpErrorKind::Redirect, false, false),
            (HttpError::Header { name: "x".to_owned() }, HttpErrorKind::Input, false, false),
            (status(503, "", None), HttpErrorKind::Status, true, true),
            (status(404, "", None), HttpErrorKind::Status, false, true),
            (status(403, "", Some(Duration::ZERO)), HttpErrorKind::Status, true, true),
        ] {
            assert_eq!(error.kind(), kind, "{error}");
            assert_eq!(error.is_retryable(&policy), retryable, "{error}");
            assert_eq!(error.may_have_been_sent(), sent, "{error}");
        }
    }

    #[test]
    fn giving_up_tells_of_the_last_try() {
        let error = HttpError::GaveUp { tries: 3, source: Box::new(status(401, "", None)) };
        assert_eq!(error.to_string(), "gave up after 3 tries");
        assert_eq!(error.kind(), HttpErrorKind::Status);
        assert_eq!(error.status(), Some(401));
        assert_eq!(error.hint(), Some("check the credentials"));
        assert!(!error.is_retryable(&RetryPolicy::default()));
        let connect = || HttpError::ConnectTimeout { url: "http://a/".to_owned(), limit: Duration::ZERO };
        assert!(!HttpError::GaveUp { tries: 1, source: Box::new(connect()) }.may_have_been_sent());
        assert!(HttpError::GaveUp { tries: 2, source: Box::new(connect()) }.may_have_been_sent(), "the first one may");
    }
}
