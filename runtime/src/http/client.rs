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

use super::addresses::{AddressFilter, DisallowedHost, FilteringResolver};
use super::authenticator::{Outgoing, SharedAuthenticator};
use super::error::{Cause, FailureContent, HttpError};
use super::hosts::{Connecting, Host, Hosts};
use super::limit::Priority;
use super::oauth2::{OAuth2, Tokens};
use super::redact::Redactor;
use super::request::{Method, Request};
use super::response::{Begun, Response};
use super::retry_after::retry_after;
use super::tape::Tape;
use super::tls::Tls;
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
    /// How large a response's content may be once decompressed, in bytes, if it is read to its end at once.
    pub max_response_bytes: usize,
    /// Whether responses may come compressed.
    pub compression: bool,
    /// How TLS is spoken.
    pub tls: Tls,
    /// How many redirects are followed.
    pub redirects: usize,
    /// What requests go through.
    pub proxy: Option<Proxy>,
    /// What must not be connected to. A proxy may, wherever it is; behind it, only an address in place of a name is checked.
    pub addresses: AddressFilter,
    /// Headers of every request. A header of the same name in a request takes precedence.
    pub headers: Vec<(String, Secret)>,
    /// The hosts that are asked, with their rate limits: those of other clients, if they are to be shared.
    pub hosts: Hosts,
    /// Whether requests are recorded, or answered from a recording.
    pub tape: Tape,
    /// Whether nothing of what comes is shown in messages.
    pub withholds_content: bool,
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
            tls: Tls::default(),
            redirects: 5,
            proxy: None,
            addresses: AddressFilter::default(),
            headers: Vec::new(),
            hosts: Hosts::default(),
            tape: Tape::Off,
            withholds_content: false,
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
    /// In a way of one's own.
    Own(SharedAuthenticator),
}

/// Sends requests to one API. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    priority: Priority,
}

struct Inner {
    http: reqwest::Client,
    base: Base,
    /// `None`: no host is asked, as everything is answered from a recording.
    host: Option<Arc<Host>>,
    tape: Tape,
    headers: HeaderMap,
    /// A query parameter of every request.
    query_key: Option<(String, Secret)>,
    tokens: Option<Arc<Tokens>>,
    own: Option<SharedAuthenticator>,
    redactor: Redactor,
    redirects: usize,
    connect_timeout: Duration,
    request_timeout: Duration,
    max_response_bytes: usize,
    withholds_content: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.inner.base).finish_non_exhaustive()
    }
}

const USER_AGENT: &str = concat!("headwater/", env!("CARGO_PKG_VERSION"));

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
        // Neither redirects nor the URLs of next pages leave the origin, so that this holds for all requests.
        if let Err(source) = settings.addresses.check(&settings.base_url) {
            return Err(HttpError::Disallowed { url: shown(&settings.base_url), source });
        }
        let (headers, redactor) = constant_headers(&settings.auth, &settings.headers)?;
        let query_key = match &settings.auth {
            Auth::QueryKey { name, key } => Some((name.clone(), key.clone())),
            _ => None,
        };
        let tokens = match &settings.auth {
            Auth::OAuth2(oauth) => Some(settings.hosts.tokens(oauth, || Tokens::new(oauth, &settings))?),
            _ => None,
        };
        let own = match &settings.auth {
            Auth::Own(own) => Some(own.clone()),
            _ => None,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                http: settings.hosts.connections(&connecting(&base, &settings), || build(&base, &settings))?,
                host: match &settings.tape {
                    Tape::Replaying(_) => None,
                    Tape::Off | Tape::Recording(_) => Some(settings.hosts.host(&base.origin())),
                },
                tape: settings.tape.clone(),
                base,
                headers,
                query_key,
                tokens,
                own,
                redactor,
                redirects: settings.redirects,
                connect_timeout: settings.connect_timeout,
                request_timeout: settings.request_timeout,
                max_response_bytes: settings.max_response_bytes,
                withholds_content: settings.withholds_content,
            }),
            priority: Priority::Live,
        })
    }

    /// The same; but its requests wait for those of all other clients of the host, if the host's limits do not allow both.
    #[must_use]
    pub(crate) fn after_others(self) -> Self {
        Self { priority: Priority::Backfill, ..self }
    }

    /// Sends a request once and reads the response to its end. Redirects are followed within the base URL's origin.
    ///
    /// # Errors
    ///
    /// If there is no response with a status of success, or it cannot be read to its end.
    pub async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let limit = self.inner.max_response_bytes;
        self.begin(request, 0).await?.complete(limit).await
    }

    /// Sends a request once and reads the response until it ends or more than `at_once` bytes of its content have come; 0 stands
    /// for its head.
    ///
    /// # Errors
    ///
    /// As [`Client::send`]; that the content is large is no error.
    pub async fn begin(&self, request: &Request, at_once: usize) -> Result<Begun, HttpError> {
        let mut url = self.inner.base.resolve(&request.target)?;
        if let Some((name, key)) = &self.inner.query_key {
            // The URL of a next page may repeat it.
            if url.query_pairs().all(|(existing, _)| existing != name.as_str()) {
                url.query_pairs_mut().append_pair(name, key.expose());
            }
        }
        if matches!(self.inner.tape, Tape::Replaying(_)) {
            // Nothing is sent, and nobody asks who it is from.
            return self.send_as(request, &url, &[], at_once).await;
        }
        if let Some(own) = &self.inner.own {
            return match self.send_as(request, &url, &self.own(own, request, &url).await?, at_once).await {
                Err(HttpError::Status { status: 401, .. }) if own.0.refused() => {
                    self.send_as(request, &url, &self.own(own, request, &url).await?, at_once).await
                }
                result => result,
            };
        }
        let Some(tokens) = &self.inner.tokens else { return self.send_as(request, &url, &[], at_once).await };
        let token = tokens.get().await?;
        match self.send_as(request, &url, &[bearer(&token)], at_once).await {
            Err(HttpError::Status { status: 401, .. }) => {
                // The token may have ended before its time. A second one that is refused says something else.
                tokens.forget(&token).await;
                self.send_as(request, &url, &[bearer(&tokens.get().await?)], at_once).await
            }
            result => result,
        }
    }

    /// What an authenticator of one's own has for a request.
    async fn own(
        &self,
        own: &SharedAuthenticator,
        request: &Request,
        url: &Url,
    ) -> Result<Vec<(String, Secret)>, HttpError> {
        let body = request.body.as_ref().map_or(&[][..], |body| &body.bytes);
        let outgoing = Outgoing { method: request.method.as_str(), url, body };
        own.0.credentials(outgoing).await.map_err(|source| HttpError::Credentials { url: shown(url), source })
    }

    async fn send_as(
        &self,
        request: &Request,
        url: &Url,
        credentials: &[(String, Secret)],
        at_once: usize,
    ) -> Result<Begun, HttpError> {
        let Some(host) = &self.inner.host else {
            let mut begun = self.exchange(request, url, credentials).await?;
            begun.fill(at_once).await?;
            return Ok(begun);
        };
        let pass = host.breaker.pass().await;
        let slot = host.limiter.slot(self.priority).await;
        let mut result = self.exchange(request, url, credentials).await;
        if let Ok(begun) = &mut result
            && let Err(error) = begun.fill(at_once).await
        {
            result = Err(error);
        }
        drop(slot);
        pass.ended(!result.as_ref().is_err_and(HttpError::is_of_the_host));
        result
    }

    async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        credentials: &[(String, Secret)],
    ) -> Result<Begun, HttpError> {
        let mut response = match &self.inner.tape {
            Tape::Off => self.head(request, url.clone(), credentials).await?,
            Tape::Recording(recorder) => {
                credentials.iter().for_each(|(_, value)| recorder.note_credential(value));
                let response = self.head(request, url.clone(), credentials).await?;
                recorder.keep(request, &self.inner.base.resolve(&request.target)?, response).await?
            }
            Tape::Replaying(player) => player.answer(request, url)?,
        };
        let status = response.status();
        if let Some(host) = &self.inner.host {
            host.limiter.note(response.headers());
        }
        if status == reqwest::StatusCode::NOT_MODIFIED && is_conditional(request) {
            let (url, headers) = (response.url().clone(), HeaderMap::new());
            return Ok(Begun::ended(Response { status: status.as_u16(), body: Bytes::new(), url, headers }));
        }
        if !status.is_success() {
            let mut redactor = self.inner.redactor.clone();
            for (_, value) in credentials {
                // Without the scheme, too.
                redactor.add(value.expose());
                redactor.add(value.expose().rsplit(' ').next().unwrap_or_default());
            }
            let body = self.content(&redactor, &read_start(&mut response).await);
            let retry_after =
                response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, clock::now()));
            if let (reqwest::StatusCode::TOO_MANY_REQUESTS, Some(wait), Some(host)) =
                (status, retry_after, &self.inner.host)
            {
                // It is not this request that is one too many, but any.
                host.limiter.keep_quiet(wait);
            }
            let (url, status) = (shown(response.url()), status.as_u16());
            return Err(HttpError::Status { url, status, retry_after, body });
        }
        let head = Response {
            status: status.as_u16(),
            body: Bytes::new(),
            url: response.url().clone(),
            headers: std::mem::take(response.headers_mut()),
        };
        Ok(Begun::new(head, response, shown(url), self.inner.request_timeout))
    }

    /// How large a response's content may be once decompressed, in bytes.
    pub(super) fn max_response_bytes(&self) -> usize {
        self.inner.max_response_bytes
    }

    /// Method and URL of a request, without what authenticates it; `None` if it has no URL.
    pub(crate) fn shown_request(&self, request: &Request) -> Option<String> {
        let url = self.inner.base.resolve(&request.target).ok()?;
        Some(self.inner.redactor.hide(&format!("{} {url}", request.method.as_str())))
    }

    /// What may be shown of a text that the API sent: known secrets are hidden, and all of it where records are redacted.
    pub fn hide(&self, text: &str) -> String {
        self.content(&self.inner.redactor, text).shown().to_owned()
    }

    fn content(&self, redactor: &Redactor, text: &str) -> FailureContent {
        FailureContent::new(redactor.hide(text), self.inner.withholds_content)
    }

    /// Gets a new token for the next request, if requests have tokens.
    pub(super) async fn refresh(&self) {
        if let Some(tokens) = &self.inner.tokens {
            tokens.forget_any().await;
        }
        if let Some(own) = &self.inner.own {
            own.0.refused();
        }
    }

    /// A page without content.
    pub(super) fn nothing(&self, request: &Request) -> Result<Begun, HttpError> {
        let url = self.inner.base.resolve(&request.target)?;
        Ok(Begun::ended(Response { status: 204, body: Bytes::new(), url, headers: HeaderMap::new() }))
    }

    /// The failure that an answer with a status of success is by its content.
    pub(super) fn refusal(&self, begun: &Begun) -> HttpError {
        let start = begun.start().get(..FAILURE_CONTENT).unwrap_or(begun.start());
        HttpError::Status {
            url: shown(&begun.head().url),
            status: begun.head().status,
            body: self.content(&self.inner.redactor, &String::from_utf8_lossy(start)),
            retry_after: None,
        }
    }

    /// Sends a request and reads the head of the response.
    async fn head(
        &self,
        request: &Request,
        url: Url,
        credentials: &[(String, Secret)],
    ) -> Result<reqwest::Response, HttpError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
            Method::Options => reqwest::Method::OPTIONS,
        };
        let mut headers = self.inner.headers.clone();
        if let Some(body) = &request.body {
            headers.insert(CONTENT_TYPE, header_value(CONTENT_TYPE.as_str(), &body.content_type)?);
        }
        for (name, value) in &request.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        for (name, value) in credentials {
            headers.insert(header_name(name)?, secret_value(name, value.expose())?);
        }
        let mut builder = self.inner.http.request(method, url.clone()).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.bytes.clone());
        }
        builder.send().await.map_err(|error| self.failure(&url, &error))
    }

    /// Why no response began.
    fn failure(&self, url: &Url, error: &reqwest::Error) -> HttpError {
        if let Some(refused) = std::error::Error::source(error).and_then(|source| source.downcast_ref()) {
            return match refused {
                RefusedRedirect::TooMany => {
                    HttpError::TooManyRedirects { url: shown(url), limit: self.inner.redirects }
                }
                RefusedRedirect::Foreign { from, to } => HttpError::ForeignRedirect {
                    url: shown(from),
                    location: shown(to),
                    origin: self.inner.base.origin().ascii_serialization(),
                },
            };
        }
        let url = shown(url);
        if let Some(source) = disallowed(error) {
            return HttpError::Disallowed { url, source: source.clone() };
        }
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => HttpError::ConnectTimeout { url, limit: self.inner.connect_timeout },
            (true, false) => HttpError::Connect { url, source: Cause::innermost(error) },
            (false, true) => HttpError::Timeout { url, limit: self.inner.request_timeout },
            (false, false) => HttpError::Connection { url, source: Cause::innermost(error) },
        }
    }
}

/// Whether a request asks for another version only.
fn is_conditional(request: &Request) -> bool {
    let asks = |name: &str| ["if-none-match", "if-modified-since"].iter().any(|it| name.eq_ignore_ascii_case(it));
    request.headers.iter().any(|(name, _)| asks(name))
}

/// Which addresses are the reason that no connection came about, if it is that.
fn disallowed(error: &reqwest::Error) -> Option<&DisallowedHost> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// Why a redirect is not followed.
#[derive(Debug, Error)]
#[error("redirect refused")]
enum RefusedRedirect {
    TooMany,
    Foreign { from: Url, to: Url },
}

fn connecting(base: &Base, settings: &ClientSettings) -> Connecting {
    Connecting {
        origin: base.origin(),
        connect_timeout: settings.connect_timeout,
        request_timeout: settings.request_timeout,
        redirects: settings.redirects,
        compression: settings.compression,
        proxy: settings.proxy.clone(),
        addresses: settings.addresses.clone(),
        tls: settings.tls.clone(),
    }
}

fn build(base: &Base, settings: &ClientSettings) -> Result<reqwest::Client, HttpError> {
    // Fails only if there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let origin = base.origin();
    let redirects = settings.redirects;
    let redirect = reqwest::redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > redirects {
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
    match &settings.proxy {
        Some(proxy) => builder = builder.proxy(through(proxy)?),
        // A proxy that the environment names would resolve names elsewhere.
        None if settings.addresses.is_active() => {
            builder = builder.no_proxy().dns_resolver(FilteringResolver(settings.addresses.clone()));
        }
        None => {}
    }
    settings
        .tls
        .apply(builder, base.is_https())?
        .build()
        .map_err(|error| HttpError::Setup { source: Cause::innermost(&error) })
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
        // These come later.
        Auth::None | Auth::OAuth2(_) | Auth::Own(_) => None,
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

/// A token as a header (RFC 6750 section 2.1).
fn bearer(token: &Secret) -> (String, Secret) {
    (AUTHORIZATION.to_string(), Secret::new(format!("Bearer {}", token.expose())))
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
