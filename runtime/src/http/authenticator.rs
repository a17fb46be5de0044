//! Ways to authenticate that are not among those of this module.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use url::Url;

use crate::secret::Secret;

/// A way to authenticate of one's own: a signature, a login, a token of another kind.
///
/// It is asked for each request, also when the same is made once more.
pub trait Authenticator: Send + Sync {
    /// The headers by which the API knows who asks. They take precedence over others of the same name, and are printed
    /// nowhere.
    fn credentials<'a>(&'a self, request: Outgoing<'a>) -> Credentials<'a>;

    /// The API has answered 401. If the next credentials are others, `true` has the request made once more with them.
    fn refused(&self) -> bool {
        false
    }
}

/// A request before it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The whole URL, query included.
    pub url: &'a Url,
    /// The content.
    pub body: &'a [u8],
}

/// Headers to come, or why there are none. The error becomes part of the stream's.
pub type Credentials<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<(String, Secret)>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// An authenticator that clients share.
#[derive(Clone)]
pub struct SharedAuthenticator(pub(super) Arc<dyn Authenticator>);

impl SharedAuthenticator {
    /// Has clients share it.
    pub fn new(authenticator: impl Authenticator + 'static) -> Self {
        Self(Arc::new(authenticator))
    }
}

impl PartialEq for SharedAuthenticator {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedAuthenticator {}

impl fmt::Debug for SharedAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedAuthenticator")
    }
}
