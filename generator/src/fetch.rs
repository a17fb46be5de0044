//! Fetches what `$ref`s to the network lead to, within bounds.

use std::time::Duration;

use headwater::document::{Fetch, Fetched};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error, ResponseExt as _};
use url::Url;

/// How long one document may take, redirects included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many redirects one document may take.
const REDIRECTS: u32 = 5;
/// How many bytes one document may have.
const SIZE: u64 = 64 * 1024 * 1024;

/// Asks the servers themselves, with the certificates that this machine trusts.
pub(crate) struct Http(Agent);

impl Default for Http {
    fn default() -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(REDIRECTS).tls_config(tls);
        Self(config.user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION"))).build().into())
    }
}

impl Fetch for Http {
    fn fetch(&self, url: &Url) -> Result<Fetched, String> {
        let reason = |error: Error| match error {
            Error::StatusCode(status) => format!("the server answers {status}"),
            Error::Timeout(_) => format!("there is no answer within {} seconds", TIMEOUT.as_secs()),
            Error::TooManyRedirects => format!("there are more than {REDIRECTS} redirects"),
            Error::BodyExceedsLimit(_) => format!("the document has more than {} MiB", SIZE / (1024 * 1024)),
            error => error.to_string(),
        };
        let accept = "application/yaml, application/json, */*;q=0.8";
        let mut response = self.0.get(url.as_str()).header("Accept", accept).call().map_err(reason)?;
        let found = Url::parse(&response.get_uri().to_string()).map_err(|error| error.to_string())?;
        let text = response.body_mut().with_config().limit(SIZE).read_to_vec().map_err(reason)?;
        Ok(Fetched { url: found, text })
    }
}
