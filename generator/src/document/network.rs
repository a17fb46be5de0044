//! What `$ref`s to the network lead to. This library asks no network itself: whoever reads a document may give it a way.

use std::fmt;

use url::Url;

/// A way to get what stands at a URL.
pub trait Fetch {
    /// What stands at `url`, which is of the scheme `http` or `https` and has no fragment.
    ///
    /// # Errors
    ///
    /// Why it cannot be had, in a few words.
    fn fetch(&self, url: &Url) -> Result<Fetched, String>;
}

/// What stands at a URL.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it was found, redirects followed: what is relative in it is relative to this (RFC 3986 section 5.1.3).
    pub url: Url,
    /// JSON or YAML.
    pub text: Vec<u8>,
}

/// How a document is read.
#[derive(Clone, Copy, Default)]
pub struct Reading<'a> {
    /// Gets what `$ref`s to the network lead to; without it they are refused.
    pub network: Option<&'a dyn Fetch>,
    /// The overlays were written for another state of the document: what they would change need not be there.
    pub overlays_may_miss: bool,
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("network", &self.network.is_some())
            .field("overlays_may_miss", &self.overlays_may_miss)
            .finish()
    }
}
