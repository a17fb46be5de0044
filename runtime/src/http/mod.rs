//! Requests and responses. Knows no Kafka; the only place that names the HTTP client.

mod actions;
mod addresses;
mod authenticator;
mod breaker;
mod client;
mod error;
mod hosts;
mod jwt;
mod limit;
mod oauth2;
mod redact;
mod request;
mod response;
mod retry;
mod retry_after;
mod status;
mod style;
mod tape;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod url;
mod validators;

pub use actions::{Action, Actions, ActionsError, Detour};
pub use addresses::{AddressFilter, DisallowedHost};
pub use authenticator::{Authenticator, Credentials, Outgoing, SharedAuthenticator};
pub use breaker::BreakerSettings;
pub use client::{Auth, Client, ClientSettings, Proxy};
pub use error::{Cause, FailureContent, HttpError, HttpErrorKind};
pub(crate) use error::{WITHHELD, reason_phrase};
pub use hosts::Hosts;
pub use jwt::{Jwt, JwtAlgorithm, SigningKey};
pub use limit::{Budget, LimitHeaders, Limits};
pub use oauth2::{CredentialsIn, Grant, OAuth2, OAuthClient, Proof};
pub(crate) use request::percent_encode;
pub use request::{Body, Method, Parameter, Request, Target};
pub use response::{Begun, Response};
pub use retry::{Backoff, Failed, Retry, RetryPolicy, begin, send_with_retry, with_retry};
pub use status::{StatusRanges, StatusRangesError};
pub use style::{Parts, Style};
pub use tape::{Answered, Asked, Exchange, Playback, Player, Recorder, Recording, Tape};
pub use tls::{CipherSuites, Tls, TlsVersions};
pub(crate) use url::shown as shown_url;
pub(crate) use validators::Validators;
