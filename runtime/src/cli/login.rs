//! `login`: a user lets the client in, and the refresh token is kept for runs.

use std::time::Duration;

use clap::Args;

use super::diagnostic::{Diagnostic, Failure};
use super::operation;
use crate::config::{ConfigError, Logins};
use crate::login::{Login, LoginError};

/// How a user logs in.
#[derive(Args, Clone, Debug)]
pub struct LoginArguments {
    /// The port of 127.0.0.1 that the browser comes back to, if the client is registered with one; the redirect URI is
    /// `http://127.0.0.1:PORT/callback`. 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// How long to wait for the user, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub timeout: u64,
    /// The login of this operation, if operations have several
    #[arg(long, value_name = "ID")]
    pub operation: Option<String>,
}

/// Has a user log in; `load` reads the logins, or that of one operation.
pub(super) fn run(
    LoginArguments { port, timeout, operation }: LoginArguments,
    load: impl FnOnce(Option<&str>) -> Result<Logins, ConfigError>,
) -> Result<(), Failure> {
    let logins = load(operation.as_deref())?;
    let login = chosen(logins, operation.as_deref())?;
    let runtime = super::runtime()?;
    let result = runtime.block_on(async {
        let begun = login.begin(port).await.map_err(failure)?;
        super::print(&format!(
            "Open this in a browser on this machine, and log in:\n\n  {}\n\nWaiting for it to come back to {} …\n",
            begun.url(),
            begun.redirect_uri(),
        ))?;
        begun.finish(Duration::from_secs(timeout)).await.map_err(failure)
    });
    // A browser's connections must not hold up the end.
    runtime.shutdown_background();
    result?;
    super::print(&format!("The refresh token is kept in {}.\n", login.authorization.file.display()))
}

/// The one login that is meant.
fn chosen(Logins { operations, mut needed }: Logins, operation: Option<&str>) -> Result<Login, Failure> {
    if let Some(id) = operation.filter(|id| !operations.iter().any(|known| known == id)) {
        return Err(operation::unknown(id, operations.iter().map(String::as_str)));
    }
    let refused = |message: &str, hint: String| {
        Err(Failure::input([Diagnostic { message: message.to_owned(), hint: Some(hint) }]))
    };
    match (needed.pop(), needed.as_slice()) {
        (Some((_, login)), []) => Ok(login),
        (Some((last, _)), others) => {
            let ids: Vec<_> = others.iter().map(|(id, _)| id).chain([&last]).map(|id| format!("`{id}`")).collect();
            refused("the operations have several logins", format!("name one with `--operation`: {}", ids.join(", ")))
        }
        (None, _) => refused(
            "there is nothing to log in to",
            "set `auth.type=OAUTH2`, `oauth2.grant.type=REFRESH_TOKEN`, `oauth2.authorization.url` and \
             `oauth2.refresh.token.file`"
                .to_owned(),
        ),
    }
}

fn failure(error: LoginError) -> Failure {
    let diagnostic = Diagnostic::of_error(&error).hint(error.hint());
    if error.is_input() { Failure::input([diagnostic]) } else { Failure::run([diagnostic]) }
}
