//! A user's login: an authorization code (RFC 6749 section 4.1) with PKCE (RFC 7636), which comes back to this machine
//! (RFC 8252 section 7.3) and is exchanged for a refresh token, which is kept for runs.

mod callback;
mod error;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use url::Url;

pub use self::error::LoginError;

use self::callback::Callback;
use crate::http::{
    ClientSettings, Grant, OAuth2, TokenEndpoint, keep_refresh_token, refresh_token, try_to_keep_refresh_token,
};
use crate::secret::Secret;

/// The parameters that a login adds to the URL that a user opens.
pub const PARAMETERS: [&str; 7] =
    ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"];

/// Who is asked to let whom in, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The authorization endpoint.
    pub url: Url,
    /// Who wants to be let in.
    pub client_id: String,
    /// Where the code is exchanged.
    pub endpoint: TokenEndpoint,
    /// Where the refresh token is kept.
    pub file: PathBuf,
}

/// A login that can be begun.
#[derive(Clone, Debug)]
pub struct Login {
    /// What is asked.
    pub authorization: Authorization,
    /// How the token endpoint is connected to.
    pub http: ClientSettings,
}

/// A login that waits for its user.
#[derive(Debug)]
pub struct Begun<'l> {
    login: &'l Login,
    callback: Callback,
    redirect_uri: String,
    state: Secret,
    verifier: Secret,
}

impl Login {
    /// Sees to it that the refresh token can be kept, and listens for the user's browser; 0 is any free port.
    ///
    /// # Errors
    ///
    /// If one of both cannot be done.
    pub async fn begin(&self, port: u16) -> Result<Begun<'_>, LoginError> {
        let file = &self.authorization.file;
        try_to_keep_refresh_token(file).map_err(|source| LoginError::File { file: file.clone(), source })?;
        let (state, verifier) = (unguessable()?, unguessable()?);
        let callback =
            Callback::listen(port, state.clone()).await.map_err(|source| LoginError::Listen { port, source })?;
        let redirect_uri = format!("http://{}{}", callback.address(), callback::PATH);
        Ok(Begun { login: self, callback, redirect_uri, state, verifier })
    }
}

impl Begun<'_> {
    /// What the user is to open.
    pub fn url(&self) -> Url {
        let Authorization { url, client_id, endpoint, .. } = &self.login.authorization;
        let challenge = challenge(&self.verifier);
        let mut url = url.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", client_id);
        query.append_pair("redirect_uri", &self.redirect_uri);
        if !endpoint.scope.is_empty() {
            query.append_pair("scope", &endpoint.scope);
        }
        query.append_pair("state", self.state.expose());
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        drop(query);
        url
    }

    /// Where the user's browser comes back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the user's browser, exchanges what it brings, and keeps the refresh token.
    ///
    /// # Errors
    ///
    /// If the browser does not come in time, or brings something else than a code of this login; if there is no refresh token
    /// for it, or it cannot be kept.
    pub async fn finish(self, limit: Duration) -> Result<(), LoginError> {
        let Self { login: Login { authorization, http }, callback, redirect_uri, verifier, .. } = self;
        let code = callback.wait(limit).await?;
        let oauth = OAuth2 {
            endpoint: authorization.endpoint.clone(),
            grant: Grant::AuthorizationCode { code, verifier, redirect_uri },
        };
        let token = refresh_token(&oauth, http).await.map_err(|source| LoginError::Exchange { source })?;
        let token = token.ok_or(LoginError::NoRefreshToken)?;
        let file = &authorization.file;
        keep_refresh_token(file, &token).map_err(|source| LoginError::File { file: file.clone(), source })
    }
}

/// 256 bits that nobody can guess, in characters that need no encoding (RFC 7636 section 4.1).
fn unguessable() -> Result<Secret, LoginError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| LoginError::Random)?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// What a verifier is recognised by: `S256` (RFC 7636 section 4.2).
fn challenge(verifier: &Secret) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_as_in_the_example_of_the_standard() {
        // RFC 7636 appendix B.
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn what_is_made_up_is_long_enough_and_never_the_same() {
        let (one, other) = (unguessable().unwrap(), unguessable().unwrap());
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one, other);
    }
}
