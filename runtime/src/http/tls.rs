//! TLS: whom a client trusts, and who it says it is.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite};
use rustls_platform_verifier::Verifier;

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
    /// The cipher suites that are offered, if not all. Servers are then always checked.
    pub suites: Option<CipherSuites>,
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

/// Cipher suites, the first of which is liked best; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct CipherSuites(Vec<SupportedCipherSuite>);

// They are compared by what names them.
impl Eq for CipherSuites {}

impl CipherSuites {
    /// The suites of these names (RFC 8446 appendix B.4, and the registry of IANA).
    ///
    /// # Errors
    ///
    /// The first name that is of none.
    pub fn named<'n>(names: impl Iterator<Item = &'n str>) -> Result<Self, &'n str> {
        let find = |wanted: &'n str| {
            let mut known = ring::ALL_CIPHER_SUITES.iter();
            known.find(|suite| name_of(suite).eq_ignore_ascii_case(wanted)).copied().ok_or(wanted)
        };
        names.map(find).collect::<Result<_, _>>().map(Self)
    }

    /// The names of all that there are.
    pub fn known() -> impl Iterator<Item = String> {
        ring::ALL_CIPHER_SUITES.iter().map(name_of)
    }

    /// Whether some are left of a version of TLS.
    pub fn are_of(&self, versions: TlsVersions) -> bool {
        let speaks = |suite: &SupportedCipherSuite| match versions {
            TlsVersions::Both => true,
            TlsVersions::Only12 => suite.tls13().is_none(),
            TlsVersions::Only13 => suite.tls13().is_some(),
        };
        self.0.iter().any(speaks)
    }
}

/// rustls calls those of TLS 1.3 `TLS13_…`.
fn name_of(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

impl Default for Tls {
    /// Servers are checked by the certificates of the system; the client has none.
    fn default() -> Self {
        Self {
            trusted: None,
            identity: None,
            versions: TlsVersions::Both,
            suites: None,
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
        if let Some(suites) = self.suites.as_ref().filter(|_| is_https) {
            return Ok(builder.tls_backend_preconfigured(self.with_suites(suites)?));
        }
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

    /// The same as [`Tls::apply`] asks for, with these suites alone.
    fn with_suites(&self, suites: &CipherSuites) -> Result<ClientConfig, HttpError> {
        let failed = |error: rustls::Error| HttpError::Setup { source: Cause::innermost(&error) };
        let provider = Arc::new(CryptoProvider { cipher_suites: suites.0.clone(), ..ring::default_provider() });
        let versions: &[_] = match self.versions {
            TlsVersions::Both => &[&rustls::version::TLS13, &rustls::version::TLS12],
            TlsVersions::Only12 => &[&rustls::version::TLS12],
            TlsVersions::Only13 => &[&rustls::version::TLS13],
        };
        // Those of which there is no suite cannot be spoken.
        let versions: Vec<_> = versions
            .iter()
            .copied()
            .filter(|version| suites.0.iter().any(|suite| suite.version().version == version.version))
            .collect();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(failed)?;
        let builder = match &self.trusted {
            Some(store) => {
                let mut roots = RootCertStore::empty();
                for der in store.certificates() {
                    roots.add(CertificateDer::from(der.to_vec())).map_err(failed)?;
                }
                builder.with_root_certificates(roots)
            }
            None => {
                let verifier = Verifier::new(provider).map_err(failed)?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let mut config = match &self.identity {
            Some(identity) => {
                let unreadable =
                    |error: &rustls::pki_types::pem::Error| HttpError::Setup { source: Cause::innermost(error) };
                let chain = CertificateDer::pem_slice_iter(identity.certificates().as_bytes());
                let chain = chain.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
                let key = PrivateKeyDer::from_pem_slice(identity.key().expose().as_bytes());
                builder.with_client_auth_cert(chain, key.map_err(|error| unreadable(&error))?).map_err(failed)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}
