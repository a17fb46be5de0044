//! Tokens by the client credentials grant of OAuth 2.0 (RFC 6749 section 4.4).

use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::client::{Auth, Client, ClientSettings};
use super::error::HttpError;
use super::request::{Body, Method, Request, Target, percent_encode};
use crate::clock;
use crate::secret::Secret;

/// How tokens are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Secret,
    /// What is asked for.
    pub scope: String,
    /// Where id and secret go.
    pub credentials: CredentialsIn,
    /// The member of the answer that is the token.
    pub token_property: String,
    /// Headers of the request for a token.
    pub headers: Vec<(String, Secret)>,
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

/// Gets tokens and keeps the last one.
pub(super) struct Tokens {
    client: Client,
    request: Request,
    property: String,
    url: String,
    current: Mutex<Option<Token>>,
}

struct Token {
    value: Secret,
    /// When it is no longer used; `None`: when it is refused.
    until: Option<Instant>,
}

impl Tokens {
    pub(super) fn new(oauth: &OAuth2, of: &ClientSettings) -> Result<Self, HttpError> {
        let mut settings = ClientSettings::new(oauth.token_url.clone());
        settings.connect_timeout = of.connect_timeout;
        settings.request_timeout = of.request_timeout;
        settings.headers.clone_from(&oauth.headers);
        let mut form = vec![("grant_type", "client_credentials")];
        if !oauth.scope.is_empty() {
            form.push(("scope", &oauth.scope));
        }
        let credentials = [("client_id", oauth.client_id.as_str()), ("client_secret", oauth.client_secret.expose())];
        let mut target = String::new();
        match oauth.credentials {
            CredentialsIn::Header => {
                // Both are encoded before they are joined (RFC 6749 section 2.3.1).
                settings.auth = Auth::Basic {
                    user: encode(&oauth.client_id),
                    password: Secret::new(encode(oauth.client_secret.expose())),
                };
            }
            CredentialsIn::Url => target = format!("?{}", pairs(&credentials)),
            CredentialsIn::Body => form.extend(credentials),
        }
        let body = Body { content_type: "application/x-www-form-urlencoded".into(), bytes: pairs(&form).into() };
        let request =
            Request { method: Method::Post, target: Target::Written(target), headers: Vec::new(), body: Some(body) };
        Ok(Self {
            url: super::url::shown(&oauth.token_url),
            client: Client::new(settings)?,
            request,
            property: oauth.token_property.clone(),
            current: Mutex::default(),
        })
    }

    /// A token that has not ended, as far as it is known.
    pub(super) async fn get(&self) -> Result<Secret, HttpError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| token.until.is_none_or(|until| clock::instant() < until)) {
            return Ok(token.value.clone());
        }
        let asked = clock::instant();
        let failed = |source| HttpError::Token { url: self.url.clone(), source: Box::new(source) };
        let response = Box::pin(self.client.send(&self.request)).await.map_err(failed)?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let value = answer.get(&self.property).and_then(Value::as_str).filter(|token| !token.is_empty());
        let Some(value) = value else {
            return Err(HttpError::NoToken { url: self.url.clone(), property: self.property.clone() });
        };
        let lifetime = answer
            .get("expires_in")
            .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).map(Duration::from_secs));
        let value = Secret::new(value);
        *current = Some(Token {
            value: value.clone(),
            until: lifetime.map(|lifetime| asked + lifetime.saturating_sub(MARGIN)),
        });
        Ok(value)
    }

    /// Forgets a token that was refused.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.value == *refused) {
            *current = None;
        }
    }
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    percent_encode(text, &mut out);
    out
}

fn pairs(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}
