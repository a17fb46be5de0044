//! The document that a command reads.

use std::path::{Path, PathBuf};

use clap::Args;
use headwater::diagnostic::Diagnostics;
use headwater::document::{Document, Reading};

#[cfg(feature = "http-refs")]
use crate::fetch::Http;

#[derive(Debug, Args)]
pub(super) struct Input {
    /// The OpenAPI document, JSON or YAML.
    spec: PathBuf,
    #[command(flatten)]
    with: With,
}

/// What a document is read with.
#[derive(Debug, Args)]
pub(super) struct With {
    /// An OpenAPI Overlay to lay over it; may be given more than once.
    #[arg(long = "overlay", value_name = "FILE")]
    overlays: Vec<PathBuf>,
    /// Fetch what `$ref`s to other documents by `http` or `https` lead to. Without it they are refused.
    #[cfg(feature = "http-refs")]
    #[arg(long)]
    allow_http_refs: bool,
}

impl Input {
    pub(super) fn load(&self) -> Result<Document, Diagnostics> {
        self.with.load(&self.spec, false)
    }
}

impl With {
    /// Reads `spec`; `overlays_may_miss` if the overlays are for another state of it.
    pub(super) fn load(&self, spec: &Path, overlays_may_miss: bool) -> Result<Document, Diagnostics> {
        #[cfg(feature = "http-refs")]
        let http = self.allow_http_refs.then(Http::default);
        #[cfg(feature = "http-refs")]
        let network = http.as_ref().map(|http| http as _);
        #[cfg(not(feature = "http-refs"))]
        let network = None;
        Document::read(spec, &self.overlays, Reading { network, overlays_may_miss })
    }
}
