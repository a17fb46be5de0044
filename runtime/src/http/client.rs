//! The client of one API: it knows the base URL, authenticates, and keeps to the limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use thiserror::Error;
use url::Url;

use super::error::{Cause, HttpError};
use super::oauth2::{OAuth2, Tokens};
use super::redact::Redactor;
use super::request::{Method, Request};
use super::response::Response;
use super::retry_after::retry_after;
use super::url::{Base, shown};
use crate::clock;
use crate::secret::Secret;

/// What a client needs to know of an API.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Scheme, host, perhaps port and path: what the paths of requests are below.
    pub base_url: Url,
    /// How requests authenticate.
    pub auth: Auth,
    /// How long connecting may take, TLS handshake included.
    pub connect_timeout: Duration,
    /// How long a request may take, from its start to the end of the response.
    pub request_timeout: Duration,
    /// How large a response's content may be once decompressed, in bytes.
    pub max_response_bytes: usize,
    /// Whether responses may come compressed.
    pub compression: bool,
    /// Whether nothing older than TLS 1.3 is spoken.
    pub tls_13: bool,
    /// What requests go through.
    pub proxy: Option<Proxy>,
    /// Headers of every request. A header of the same name in a request takes precedence.
    pub headers: Vec<(String, Secret)>,
}

impl ClientSettings {
    /// No authentication, 10 s to connect, 30 s for a request, 256 MiB for a response.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            auth: Auth::None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            max_response_bytes: 256 << 20,
            compression: true,
            tls_13: false,
            proxy: None,
            headers: Vec::new(),
        }
    }
}

/// A proxy that requests go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password for it.
    pub credentials: Option<(String, Secret)>,
}

/// How requests authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    None,
    /// By user and password (RFC 7617).
    Basic {
        /// The user. It has no colon: that is where the password would begin.
        user: String,
        /// The password.
        password: Secret,
    },
    /// By a token (RFC 6750).
    Bearer(Secret),
    /// By tokens of a token endpoint.
    OAuth2(Box<OAuth2>),
    /// By a key in a header of this name.
    HeaderKey {
        /// The header.
        name: String,
        /// The key.
        key: Secret,
    },
    /// By a key in a query parameter of this name.
    QueryKey {
        /// The parameter.
        name: String,
        /// The key.
        key: Secret,
    },
}

/// Sends requests to one API. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    base: Base,
    headers: HeaderMap,
    /// A query parameter of every request.
    query_key: Option<(String, Secret)>,
    tokens: Option<Tokens>,
    redactor: Redactor,
    connect_timeout: Duration,
    request_timeout: Duration,
    max_response_bytes: usize,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.inner.base).finish_non_exhaustive()
    }
}

const USER_AGENT: &str = concat!("headwater/", env!("CARGO_PKG_VERSION"));

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// How much is read of the content that comes with a failure, in bytes.
const FAILURE_CONTENT: usize = 8 << 10;

impl Client {
    /// A client; it connects when it is used.
    ///
    /// # Errors
    ///
    /// If the base URL or a header cannot be used, or the TLS library cannot be set up.
    pub fn new(settings: ClientSettings) -> Result<Self, HttpError> {
        let base = Base::new(settings.base_url.clone())?;
        let (headers, redactor) = constant_headers(&settings.auth, &settings.headers)?;
        let query_key = match &settings.auth {
            Auth::QueryKey { name, key } => Some((name.clone(), key.clone())),
            _ => None,
        };
        let tokens = match &settings.auth {
            Auth::OAuth2(oauth) => Some(Tokens::new(oauth, &settings)?),
            _ => None,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                http: build(&base, &settings)?,
                base,
                headers,
                query_key,
                tokens,
                redactor,
                connect_timeout: settings.connect_timeout,
                request_timeout: settings.request_timeout,
                max_response_bytes: settings.max_response_bytes,
            }),
        })
    }

    /// Sends a request once and reads the response to its end. Redirects are followed within the base URL's origin.
    ///
    /// # Errors
    ///
    /// If there is no response with a status of success, or it cannot be read to its end.
    pub async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut url = self.inner.base.resolve(&request.target)?;
        if let Some((name, key)) = &self.inner.query_key {
            // The URL of a next page may repeat it.
            if url.query_pairs().all(|(existing, _)| existing != name.as_str()) {
                url.query_pairs_mut().append_pair(name, key.expose());
            }
        }
        let token = match &self.inner.tokens {
            Some(tokens) => Some(tokens.get().await?),
            None => None,
        };
        let mut response = self.begin(request, url.clone(), token.as_ref()).await?;
        let status = response.status();
        if !status.is_success() {
            let mut body = self.inner.redactor.hide(&read_start(&mut response).await);
            if let (Some(tokens), Some(token)) = (&self.inner.tokens, &token) {
                body = body.replace(token.expose(), "[hidden]");
                if status == reqwest::StatusCode::UNAUTHORIZED {
                    tokens.forget(token).await;
                }
            }
            return Err(HttpError::Status {
                url: shown(response.url()),
                status: status.as_u16(),
                retry_after: response
                    .headers()
                    .get(RETRY_AFTER)
                    .and_then(|value| retry_after(value.to_str().ok()?, clock::now())),
                body,
            });
        }
        let body = self.read(&mut response, &url).await?;
        Ok(Response {
            status: status.as_u16(),
            body,
            url: response.url().clone(),
            headers: std::mem::take(response.headers_mut()),
        })
    }

    /// Sends a request and reads the head of the response.
    async fn begin(&self, request: &Request, url: Url, token: Option<&Secret>) -> Result<reqwest::Response, HttpError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
            Method::Options => reqwest::Method::OPTIONS,
        };
        let mut headers = self.inner.headers.clone();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, secret_value(AUTHORIZATION.as_str(), &format!("Bearer {}", token.expose()))?);
        }
        if let Some(body) = &request.body {
            headers.insert(CONTENT_TYPE, header_value(CONTENT_TYPE.as_str(), &body.content_type)?);
        }
        for (name, value) in &request.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        let mut builder = self.inner.http.request(method, url.clone()).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.bytes.clone());
        }
        builder.send().await.map_err(|error| self.failure(&url, &error))
    }

    /// Reads a response's content to its end.
    async fn read(&self, response: &mut reqwest::Response, url: &Url) -> Result<Bytes, HttpError> {
        /// A length that the API only claims is not worth more memory than this.
        const CLAIM: usize = 1 << 20;
        let limit = self.inner.max_response_bytes;
        let too_large = || HttpError::TooLarge { url: shown(url), limit };
        let claimed = response.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if claimed > limit {
            return Err(too_large());
        }
        let mut content = Vec::with_capacity(claimed.min(CLAIM));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.cut(url, &error))? {
            if chunk.len() > limit - content.len() {
                return Err(too_large());
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content.into())
    }

    /// Why no response began.
    fn failure(&self, url: &Url, error: &reqwest::Error) -> HttpError {
        if let Some(refused) = std::error::Error::source(error).and_then(|source| source.downcast_ref()) {
            return match refused {
                RefusedRedirect::TooMany => HttpError::TooManyRedirects { url: shown(url), limit: REDIRECTS },
                RefusedRedirect::Foreign { from, to } => HttpError::ForeignRedirect {
                    url: shown(from),
                    location: shown(to),
                    origin: self.inner.base.origin().ascii_serialization(),
                },
            };
        }
        let url = shown(url);
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => HttpError::ConnectTimeout { url, limit: self.inner.connect_timeout },
            (true, false) => HttpError::Connect { url, source: Cause::innermost(error) },
            (false, true) => HttpError::Timeout { url, limit: self.inner.request_timeout },
            (false, false) => HttpError::Connection { url, source: Cause::innermost(error) },
        }
    }

    /// Why a response did not come to its end.
    fn cut(&self, url: &Url, error: &reqwest::Error) -> HttpError {
        let url = shown(url);
        if error.is_timeout() {
            HttpError::Timeout { url, limit: self.inner.request_timeout }
        } else {
            HttpError::Content { url, source: Cause::innermost(error) }
        }
    }
}

/// Why a redirect is not followed.
#[derive(Debug, Error)]
#[error("redirect refused")]
enum RefusedRedirect {
    TooMany,
    Foreign { from: Url, to: Url },
}

fn build(base: &Base, settings: &ClientSettings) -> Result<reqwest::Client, HttpError> {
    // Fails only if there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let origin = base.origin();
    let redirect = reqwest::redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS {
            return attempt.error(RefusedRedirect::TooMany);
        }
        match attempt.previous().last() {
            Some(from) if attempt.url().origin() != origin => {
                let refused = RefusedRedirect::Foreign { from: from.clone(), to: attempt.url().clone() };
                attempt.error(refused)
            }
            _ => attempt.follow(),
        }
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.request_timeout)
        .redirect(redirect)
        .referer(false);
    if !settings.compression {
        builder = builder.no_gzip().no_brotli().no_zstd();
    }
    if settings.tls_13 {
        builder = builder.tls_version_min(reqwest::tls::Version::TLS_1_3);
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(through(proxy)?);
    }
    if !base.is_https() {
        // All requests stay on the origin, so the system's certificates need neither be there nor be read.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| HttpError::Setup { source: Cause::innermost(&error) })
}

fn through(Proxy { host, port, credentials }: &Proxy) -> Result<reqwest::Proxy, HttpError> {
    let proxy = reqwest::Proxy::all(format!("http://{host}:{port}"))
        .map_err(|error| HttpError::Setup { source: Cause::innermost(&error) })?;
    Ok(match credentials {
        Some((user, password)) => proxy.basic_auth(user, password.expose()),
        None => proxy,
    })
}

/// The headers of every request, and the secrets that went into them.
fn constant_headers(auth: &Auth, others: &[(String, Secret)]) -> Result<(HeaderMap, Redactor), HttpError> {
    let mut headers = HeaderMap::new();
    let mut redactor = Redactor::default();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let credentials = match auth {
        // Tokens come later.
        Auth::None | Auth::OAuth2(_) => None,
        Auth::Basic { user, password } => {
            let encoded = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
            redactor.add(password.expose());
            redactor.add(&encoded);
            Some(format!("Basic {encoded}"))
        }
        Auth::Bearer(token) => {
            redactor.add(token.expose());
            Some(format!("Bearer {}", token.expose()))
        }
        Auth::HeaderKey { name, key } => {
            redactor.add(key.expose());
            headers.insert(header_name(name)?, secret_value(name, key.expose())?);
            None
        }
        Auth::QueryKey { key, .. } => {
            redactor.add(key.expose());
            None
        }
    };
    if let Some(credentials) = credentials {
        headers.insert(AUTHORIZATION, secret_value(AUTHORIZATION.as_str(), &credentials)?);
    }
    for (name, value) in others {
        redactor.add(value.expose());
        headers.insert(header_name(name)?, secret_value(name, value.expose())?);
    }
    Ok((headers, redactor))
}

fn header_name(name: &str) -> Result<HeaderName, HttpError> {
    name.parse().map_err(|_| HttpError::Header { name: name.to_owned() })
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, HttpError> {
    value.parse().map_err(|_| HttpError::Header { name: name.to_owned() })
}

fn secret_value(name: &str, value: &str) -> Result<HeaderValue, HttpError> {
    let mut value = header_value(name, value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the beginning of the content that comes with a failure. If it breaks off, what came is enough.
async fn read_start(response: &mut reqwest::Response) -> String {
    let mut content = Vec::new();
    while let (Ok(Some(chunk)), true) = (response.chunk().await, content.len() < FAILURE_CONTENT) {
        content.extend_from_slice(&chunk);
    }
    content.truncate(FAILURE_CONTENT);
    String::from_utf8_lossy(&content).into_owned()
}

#[cfg(test)]
mod tests;
