//! What the clients of a connector share: each host that they ask has one rate limit and one circuit breaker,
//! whoever asks; those who connect in the same way share their connections, and those who ask for tokens in the same way these.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Origin;

use super::addresses::AddressFilter;
use super::breaker::{Breaker, BreakerSettings};
use super::client::Proxy;
use super::error::HttpError;
use super::limit::{Limiter, Limits};
use super::oauth2::{OAuth2, Tokens};
use super::tls::Tls;

/// The hosts that the clients of a connector ask. Clones are the same hosts.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    limits: Limits,
    breaker: BreakerSettings,
    known: Mutex<BTreeMap<String, Arc<Host>>>,
    connections: Mutex<Vec<(Connecting, reqwest::Client)>>,
    tokens: Mutex<Vec<(OAuth2, Arc<Tokens>)>>,
}

/// How a client connects. Thousands of clients of one host are mostly alike in this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connecting {
    pub(super) origin: Origin,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) redirects: usize,
    pub(super) compression: bool,
    pub(super) proxy: Option<Proxy>,
    pub(super) addresses: AddressFilter,
    pub(super) tls: Tls,
}

/// A host: scheme, name and port.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) limiter: Limiter,
    pub(super) breaker: Breaker,
}

impl Hosts {
    /// Hosts, each with a rate limit and a circuit breaker of its own.
    pub fn new(limits: Limits, breaker: BreakerSettings) -> Self {
        Self { shared: Arc::new(Shared { limits, breaker, ..Shared::default() }) }
    }

    pub(super) fn host(&self, origin: &Origin) -> Arc<Host> {
        let name = origin.ascii_serialization();
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let limiter = Limiter::new(name.clone(), &self.shared.limits);
            Arc::new(Host { limiter, breaker: Breaker::new(name.clone(), self.shared.breaker) })
        };
        Arc::clone(known.entry(name.clone()).or_insert_with(new))
    }

    /// The tokens of those who ask for them so; `new` makes them for the first.
    pub(super) fn tokens(
        &self,
        oauth: &OAuth2,
        new: impl FnOnce() -> Result<Tokens, HttpError>,
    ) -> Result<Arc<Tokens>, HttpError> {
        common(&self.shared.tokens, oauth, || new().map(Arc::new))
    }

    /// The connections of those who connect so; `new` makes them for the first.
    pub(super) fn connections(
        &self,
        connecting: &Connecting,
        new: impl FnOnce() -> Result<reqwest::Client, HttpError>,
    ) -> Result<reqwest::Client, HttpError> {
        common(&self.shared.connections, connecting, new)
    }
}

/// What is known under `key`, or what `new` makes.
fn common<K: Clone + PartialEq, V: Clone>(
    known: &Mutex<Vec<(K, V)>>,
    key: &K,
    new: impl FnOnce() -> Result<V, HttpError>,
) -> Result<V, HttpError> {
    // Not held while it is made: tokens are asked for by a client, which has connections.
    let find = || {
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone())
    };
    if let Some(value) = find() {
        return Ok(value);
    }
    let value = new()?;
    known.lock().unwrap_or_else(PoisonError::into_inner).push((key.clone(), value.clone()));
    Ok(value)
}
