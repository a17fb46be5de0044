//! Why a login has not come about.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::http::{HttpError, HttpErrorKind};

/// Why a login has not come about.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// A refresh token cannot be kept.
    #[error("a refresh token cannot be kept in `{}`", file.display())]
    File {
        /// Where.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to listen on.
    #[error("cannot listen on port {port} of 127.0.0.1")]
    Listen {
        /// The port; 0 is any.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// Nobody came.
    #[error("no answer of a login has come within {} s", limit.as_secs())]
    TimedOut {
        /// How long was waited.
        limit: Duration,
    },
    /// What came is not of this login (RFC 6749 section 10.12).
    #[error("an answer has come that is not of this login: its `state` is not the one that was sent")]
    State,
    /// The user said no.
    #[error("the client was not let in (`access_denied`)")]
    Denied,
    /// The authorization server said no (RFC 6749 section 4.1.2.1).
    #[error("the authorization server refused: `{error}`{description}")]
    Refused {
        /// Its code for it.
        error: String,
        /// What it says of it, after a colon.
        description: String,
    },
    /// The authorization server answered with nothing.
    #[error("the authorization server has answered without a code")]
    NoCode,
    /// The token endpoint does not take the code.
    #[error("exchanging the code of the login")]
    Exchange {
        /// Why.
        source: HttpError,
    },
    /// The token endpoint gave a token for now only.
    #[error("the token endpoint has answered without a refresh token")]
    NoRefreshToken,
}

impl LoginError {
    /// What the authorization server says, on one line.
    pub(super) fn refused(error: &str, description: Option<&str>) -> Self {
        let shown = |text: &str| -> String {
            let words: Vec<_> = text.split_whitespace().collect();
            words.join(" ").chars().filter(|character| !character.is_control()).take(200).collect()
        };
        let description = description.map(|text| format!(": {}", shown(text))).unwrap_or_default();
        Self::Refused { error: shown(error), description }
    }

    /// Whether nobody was asked, because of something on this machine.
    pub fn is_input(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Listen { .. })
    }

    /// What a user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::File { .. } => {
                Some("name a file in a folder that can be written to with `oauth2.refresh.token.file`")
            }
            Self::Listen { .. } => Some("name a port that nobody listens on with `--port`"),
            Self::Random => None,
            Self::TimedOut { .. } => Some(
                "run `login` again and open its URL in a browser on this machine; it waits longer with `--timeout`. If \
                 the server has shown an error, see whether it knows the redirect URI",
            ),
            Self::State => Some("run `login` again, and open nothing but the URL that it prints"),
            Self::Denied => Some("run `login` again, log in as a user who may let the client in, and consent"),
            Self::Refused { .. } | Self::NoCode => {
                Some("check `oauth2.authorization.url`, `oauth2.client.id` and `oauth2.client.scope`")
            }
            Self::Exchange { source } => match source.status() {
                Some(400 | 401) => Some(
                    "check `oauth2.client.id`, `oauth2.client.secret` and `oauth2.client.auth.mode`, and that `oauth2.token.url` \
                     belongs to `oauth2.authorization.url`",
                ),
                Some(404) => Some("check `oauth2.token.url`"),
                _ if source.kind() == HttpErrorKind::Connect => Some("check `oauth2.token.url` and the network"),
                _ => source.hint(),
            },
            Self::NoRefreshToken => Some(
                "ask for one: mostly by a scope such as `offline_access` in `oauth2.client.scope`, or in the query of \
                 `oauth2.authorization.url`, as by `access_type=offline`",
            ),
        }
    }
}
