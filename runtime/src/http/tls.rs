//! TLS: whom a client trusts, and who it says it is.

use super::error::{Cause, HttpError};
use crate::keystore::{ClientCertificate, TrustStore};
use crate::secret::Secret;

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that servers are trusted by. `None`: those of the system.
    pub trusted: Option<TrustStore>,
    /// The client's own certificate.
    pub identity: Option<ClientCertificate>,
    /// The versions that are spoken.
    pub versions: TlsVersions,
    /// Whether a server's certificate must lead to a trusted one.
    pub checks_certificates: bool,
    /// Whether a server's certificate must be for its name.
    pub checks_names: bool,
}

/// Versions of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// Only 1.2.
    Only12,
    /// Only 1.3.
    Only13,
}

impl Default for Tls {
    /// Servers are checked by the certificates of the system; the client has none.
    fn default() -> Self {
        Self {
            trusted: None,
            identity: None,
            versions: TlsVersions::Both,
            checks_certificates: true,
            checks_names: true,
        }
    }
}

impl Tls {
    /// Has a client speak so; if it speaks TLS at all.
    pub(super) fn apply(
        &self,
        mut builder: reqwest::ClientBuilder,
        is_https: bool,
    ) -> Result<reqwest::ClientBuilder, HttpError> {
        let failed = |error: reqwest::Error| HttpError::Setup { source: Cause::innermost(&error) };
        match &self.trusted {
            Some(store) => {
                let certificates = store.certificates().map(reqwest::Certificate::from_der);
                builder = builder.tls_certs_only(certificates.collect::<Result<Vec<_>, _>>().map_err(failed)?);
            }
            // All requests stay on the origin, so the system's certificates need neither be there nor be read.
            None if !is_https => builder = builder.tls_certs_only([]),
            None => {}
        }
        if let Some(identity) = &self.identity {
            let pem = Secret::new(format!("{}{}", identity.key().expose(), identity.certificates()));
            let identity = reqwest::Identity::from_pem(pem.expose().as_bytes()).map_err(failed)?;
            builder = builder.identity(identity);
        }
        if matches!(self.versions, TlsVersions::Only13) {
            builder = builder.tls_version_min(reqwest::tls::Version::TLS_1_3);
        }
        if matches!(self.versions, TlsVersions::Only12) {
            builder = builder.tls_version_max(reqwest::tls::Version::TLS_1_2);
        }
        if !self.checks_certificates {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if !self.checks_names {
            builder = builder.tls_danger_accept_invalid_hostnames(true);
        }
        Ok(builder)
    }
}
