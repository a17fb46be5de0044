//! Requests and responses. Knows no Kafka; the only place that names the HTTP client.

mod client;
mod error;
mod oauth2;
mod redact;
mod request;
mod response;
mod retry;
mod retry_after;
mod status;
mod style;
#[cfg(test)]
pub(crate) mod testing;
mod url;

pub use client::{Auth, Client, ClientSettings, Proxy};
pub use error::{Cause, HttpError, HttpErrorKind};
pub use oauth2::{CredentialsIn, OAuth2};
pub(crate) use request::percent_encode;
pub use request::{Body, Method, Parameter, Request, Target};
pub use response::Response;
pub use retry::{Backoff, Retry, RetryPolicy, send_with_retry};
pub use status::{StatusRanges, StatusRangesError};
pub use style::{Parts, Style};
pub(crate) use url::shown as shown_url;
