//! Where a user's browser comes back to: a server on this machine, for one answer.

use std::borrow::Cow;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use url::form_urlencoded;

use super::LoginError;
use crate::secret::Secret;

/// The path that a browser comes back to.
pub(super) const PATH: &str = "/callback";

/// How long the browser may take to read what it is answered.
const FAREWELL: Duration = Duration::from_secs(1);

/// Listens for a browser.
#[derive(Debug)]
pub(super) struct Callback {
    address: SocketAddr,
    came: mpsc::Receiver<Result<Secret, LoginError>>,
    /// Dropped, it ends the server.
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

/// What an answer is recognised by, and whom it is told.
struct Expected {
    state: Secret,
    came: mpsc::Sender<Result<Secret, LoginError>>,
}

impl Callback {
    /// Listens on this machine alone, for an answer with this `state`.
    pub(super) async fn listen(port: u16, state: Secret) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (sender, came) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().route(PATH, get(answer)).with_state(Arc::new(Expected { state, came: sender }));
        let stopped = async move { drop(stopped.await) };
        let server = axum::serve(listener, router).with_graceful_shutdown(stopped);
        Ok(Self { address, came, stop, server: tokio::spawn(server.into_future()) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The code that the first answer has.
    pub(super) async fn wait(self, limit: Duration) -> Result<Secret, LoginError> {
        let Self { mut came, stop, server, .. } = self;
        let came = tokio::time::timeout(limit, came.recv()).await;
        drop(stop);
        // A browser may hold connections open that it asks nothing on.
        drop(tokio::time::timeout(FAREWELL, server).await);
        came.ok().flatten().unwrap_or(Err(LoginError::TimedOut { limit }))
    }
}

/// What the browser is answered.
async fn answer(State(expected): State<Arc<Expected>>, RawQuery(query): RawQuery) -> impl IntoResponse {
    let brought = brought(&query.unwrap_or_default(), &expected.state);
    let (status, sentence) = match &brought {
        Ok(_) => (StatusCode::OK, "You have come back from the login, and this page can be closed.\n"),
        Err(LoginError::State) => {
            (StatusCode::BAD_REQUEST, "This is no answer to the login that was begun: see where it was begun.\n")
        }
        Err(_) => (StatusCode::OK, "The login has not come about: see where it was begun.\n"),
    };
    // Only the first counts: browsers ask again.
    let _ = expected.came.try_send(brought);
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CONNECTION, "close")], sentence)
}

/// The code in an answer (RFC 6749 section 4.1.2), or what is there instead.
fn brought(query: &str, state: &Secret) -> Result<Secret, LoginError> {
    let parameter = |wanted: &str| -> Option<Cow<'_, str>> {
        let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted)?;
        Some(value).filter(|value| !value.is_empty())
    };
    // First of all, as nothing else in it can be believed.
    if !parameter("state").is_some_and(|given| state.is(given.as_bytes())) {
        return Err(LoginError::State);
    }
    match (parameter("error").as_deref(), parameter("code")) {
        (Some("access_denied"), _) => Err(LoginError::Denied),
        (Some(error), _) => Err(LoginError::refused(error, parameter("error_description").as_deref())),
        (None, Some(code)) => Ok(Secret::new(code)),
        (None, None) => Err(LoginError::NoCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brings_a_code_or_says_why_not() {
        let state = Secret::new("s1");
        let brought = |query: &str| match brought(query, &state) {
            Ok(code) => code.expose().to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(brought("code=a%2Fb&state=s1"), "a/b");
        let foreign = LoginError::State.to_string();
        for query in ["", "code=c", "code=c&state=", "code=c&state=s2", "code=c&state=s11", "error=access_denied"] {
            assert_eq!(brought(query), foreign, "{query}");
        }
        assert_eq!(brought("error=access_denied&state=s1&code=c"), LoginError::Denied.to_string());
        assert_eq!(brought("state=s1&code="), LoginError::NoCode.to_string());
        let refused = brought("state=s1&error=invalid_scope&error_description=no+such%0Ascope%1b");
        assert_eq!(refused, "the authorization server refused: `invalid_scope`: no such scope");
    }
}
