//! Tokens of a token endpoint of OAuth 2.0 (RFC 6749).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::client::{Auth, Client, ClientSettings};
use super::error::HttpError;
use super::jwt::Jwt;
use super::redact::Redactor;
use super::request::{Body, Method, Request, Target, percent_encode};
use super::token_file;
use crate::clock;
use crate::secret::Secret;

/// How tokens are got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// Who gives them, and how it is asked.
    pub endpoint: TokenEndpoint,
    /// What a token is given for.
    pub grant: Grant,
}

/// A token endpoint, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEndpoint {
    /// Where it is.
    pub url: Url,
    /// Who asks.
    pub client: Option<OAuthClient>,
    /// What is asked for; empty: what the endpoint gives by itself.
    pub scope: String,
    /// A JWT that is sent beside all that, as the parameter `jwt_token`.
    pub jwt: Option<Jwt>,
    /// The member of the answer that is the token.
    pub token_property: String,
    /// Headers of the request for a token.
    pub headers: Vec<(String, Secret)>,
}

/// What a token is given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// That the client is who it is (RFC 6749 section 4.4).
    ClientCredentials,
    /// A user's name and password (RFC 6749 section 4.3).
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token (RFC 6749 section 6). If the answer has a new one, it is used from then on.
    RefreshToken {
        /// The first.
        token: Secret,
        /// Where a new one is kept for the next run, if anywhere.
        file: Option<PathBuf>,
    },
    /// A signed assertion (RFC 7523 section 2.1).
    JwtBearer(Jwt),
    /// What a user's login has led to (RFC 6749 section 4.1.3); it is good for one use.
    AuthorizationCode {
        /// The code.
        code: Secret,
        /// What the code was asked for with (RFC 7636 section 4.5).
        verifier: Secret,
        /// Where the code was sent.
        redirect_uri: String,
    },
}

/// A client of a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthClient {
    /// Its id.
    pub id: String,
    /// What proves that it is who it says.
    pub proof: Proof,
}

/// What proves who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: its id goes into the form (RFC 6749 section 2.1, a public client).
    None,
    /// A secret.
    Secret(Secret, CredentialsIn),
    /// A signed assertion (RFC 7523 section 2.2).
    Assertion(Jwt),
}

/// Where a client's id and secret go in the request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsIn {
    /// The `Authorization` header (RFC 6749 section 2.3.1).
    Header,
    /// The query of the token endpoint's URL.
    Url,
    /// The form that is sent.
    Body,
}

/// A token is not used in the last moments of its life: it might end on the way.
const MARGIN: Duration = Duration::from_secs(10);

/// The grant of RFC 7523 section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The client assertion of RFC 7523 section 2.2.
const JWT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Gets tokens and keeps the last one.
pub(super) struct Tokens {
    client: Client,
    oauth: OAuth2,
    url: String,
    current: Mutex<Current>,
}

/// What is known at the time.
#[derive(Default)]
struct Current {
    token: Option<Token>,
    /// The refresh token that the endpoint gave last.
    refresh: Option<Secret>,
}

struct Token {
    value: Secret,
    /// When it is no longer used; `None`: when it is refused.
    until: Option<Instant>,
}

/// What a token endpoint answers.
struct Answer {
    token: Token,
    /// A refresh token, if it gives one.
    refresh: Option<Secret>,
}

/// Asks a token endpoint for a refresh token, once; `None` if it answers without one. `of` says how to connect.
///
/// # Errors
///
/// If it does not answer with a token.
pub(crate) async fn refresh_token(oauth: &OAuth2, of: &ClientSettings) -> Result<Option<Secret>, HttpError> {
    Ok(Tokens::new(oauth, of)?.ask(None).await?.refresh)
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for a client with these settings.
    pub(super) fn new(oauth: &OAuth2, of: &ClientSettings) -> Result<Self, HttpError> {
        let mut settings = ClientSettings::new(oauth.endpoint.url.clone());
        settings.connect_timeout = of.connect_timeout;
        settings.request_timeout = of.request_timeout;
        settings.headers.clone_from(&oauth.endpoint.headers);
        settings.hosts = of.hosts.clone();
        settings.tls = of.tls.clone();
        settings.proxy.clone_from(&of.proxy);
        settings.addresses.clone_from(&of.addresses);
        if let Some(OAuthClient { id, proof: Proof::Secret(secret, CredentialsIn::Header) }) = &oauth.endpoint.client {
            // Both are encoded before they are joined (RFC 6749 section 2.3.1).
            settings.auth = Auth::Basic { user: encode(id), password: Secret::new(encode(secret.expose())) };
        }
        Ok(Self {
            url: super::url::shown(&oauth.endpoint.url),
            client: Client::new(settings)?,
            oauth: oauth.clone(),
            current: Mutex::default(),
        })
    }

    /// A token that has not ended, as far as it is known.
    pub(super) async fn get(&self) -> Result<Secret, HttpError> {
        let mut current = self.current.lock().await;
        let is_good = |token: &&Token| token.until.is_none_or(|until| clock::instant() < until);
        if let Some(token) = current.token.as_ref().filter(is_good) {
            return Ok(token.value.clone());
        }
        let Answer { token, refresh } = self.ask(current.refresh.as_ref()).await?;
        let value = token.value.clone();
        current.token = Some(token);
        if let (Grant::RefreshToken { token, file }, Some(new)) = (&self.oauth.grant, refresh)
            && new != *current.refresh.as_ref().unwrap_or(token)
        {
            if let Some(file) = file
                && let Err(error) = token_file::keep(file, &new)
            {
                tracing::error!(file = %file.display(), %error, "the new refresh token cannot be kept for the next run");
            }
            current.refresh = Some(new);
        }
        Ok(value)
    }

    /// Asks the endpoint; `refresh` is the refresh token that was given last.
    async fn ask(&self, refresh: Option<&Secret>) -> Result<Answer, HttpError> {
        let asked = clock::instant();
        let mut redactor = Redactor::default();
        let request = self.request(refresh, &mut redactor);
        let sent = Box::pin(self.client.send(&request)).await;
        let failed = |error: HttpError| HttpError::Token {
            url: self.url.clone(),
            source: Box::new(error.with_body(|body| redactor.hide(body))),
        };
        let response = sent.map_err(failed)?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(value) = text(&self.oauth.endpoint.token_property).map(Secret::new) else {
            let property = self.oauth.endpoint.token_property.clone();
            return Err(HttpError::NoToken { url: self.url.clone(), property });
        };
        let lifetime = answer
            .get("expires_in")
            .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).map(Duration::from_secs));
        let until = lifetime.map(|lifetime| asked + lifetime.saturating_sub(MARGIN));
        Ok(Answer { token: Token { value, until }, refresh: text("refresh_token").map(Secret::new) })
    }

    /// The request for a token; `refresh` is the refresh token that was given last. What must not be shown of it goes to
    /// `redactor`.
    fn request(&self, refresh: Option<&Secret>, redactor: &mut Redactor) -> Request {
        let OAuth2 { grant, endpoint: TokenEndpoint { url, client, scope, jwt, .. } } = &self.oauth;
        let id = client.as_ref().map(|client| client.id.as_str());
        let sign = |jwt: &Jwt| jwt.signed(id, url.as_str(), clock::now());
        let mut hidden = |name: &'static str, secret: &Secret| {
            redactor.add(secret.expose());
            (name, secret.expose().to_owned())
        };
        let shown = |name: &'static str, value: &str| (name, value.to_owned());
        let mut form = match grant {
            Grant::ClientCredentials => vec![shown("grant_type", "client_credentials")],
            Grant::Password { user, password } => {
                vec![shown("grant_type", "password"), shown("username", user), hidden("password", password)]
            }
            Grant::RefreshToken { token, .. } => {
                vec![shown("grant_type", "refresh_token"), hidden("refresh_token", refresh.unwrap_or(token))]
            }
            Grant::JwtBearer(jwt) => vec![shown("grant_type", JWT_BEARER), hidden("assertion", &sign(jwt))],
            Grant::AuthorizationCode { code, verifier, redirect_uri } => vec![
                shown("grant_type", "authorization_code"),
                hidden("code", code),
                hidden("code_verifier", verifier),
                shown("redirect_uri", redirect_uri),
            ],
        };
        // A code is given for a scope, which is not said again.
        if !scope.is_empty() && !matches!(grant, Grant::AuthorizationCode { .. }) {
            form.push(shown("scope", scope));
        }
        let mut target = String::new();
        if let Some(OAuthClient { id, proof }) = client {
            match proof {
                Proof::None => form.push(shown("client_id", id)),
                // The client itself has them.
                Proof::Secret(_, CredentialsIn::Header) => {}
                Proof::Secret(secret, CredentialsIn::Url) => {
                    target = format!("?{}", pairs(&[shown("client_id", id), hidden("client_secret", secret)]));
                }
                Proof::Secret(secret, CredentialsIn::Body) => {
                    form.extend([shown("client_id", id), hidden("client_secret", secret)]);
                }
                Proof::Assertion(jwt) => form.extend([
                    shown("client_id", id),
                    shown("client_assertion_type", JWT_ASSERTION),
                    hidden("client_assertion", &sign(jwt)),
                ]),
            }
        }
        if let Some(jwt) = jwt {
            form.push(hidden("jwt_token", &sign(jwt)));
        }
        let body = Body { content_type: "application/x-www-form-urlencoded".into(), bytes: pairs(&form).into() };
        Request { method: Method::Post, target: Target::Written(target), headers: Vec::new(), body: Some(body) }
    }

    /// Forgets the token.
    pub(super) async fn forget_any(&self) {
        self.current.lock().await.token = None;
    }

    /// Forgets a token that was refused.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.token.as_ref().is_some_and(|token| token.value == *refused) {
            current.token = None;
        }
    }
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    percent_encode(text, &mut out);
    out
}

fn pairs(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}
