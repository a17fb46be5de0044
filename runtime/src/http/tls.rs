//! TLS: whom a client trusts, and who it says it is, from the stores that Java's clients have and from PEM.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use super::error::{Cause, HttpError};
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

/// Certificates of authorities, or of servers themselves, in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustStore(Vec<Vec<u8>>);

/// A client's certificate, those that lead to its authority, and its private key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// All of them in PEM.
    pem: Secret,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

/// Why a store cannot be used. Nothing of its content is shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is a store of Java's own.
    #[error("is a JKS store, which only Java reads")]
    Jks,
    /// It is neither PEM nor PKCS #12, or the password is wrong.
    #[error("is neither PEM nor a PKCS #12 store that opens with its password: {0}")]
    Unreadable(String),
    /// There is no certificate in it.
    #[error("holds no certificate")]
    NoCertificate,
    /// There is no private key in it.
    #[error("holds no private key that is not encrypted")]
    NoKey,
    /// The private key is of another kind.
    #[error("holds a private key that cannot sign by the algorithm that is asked for")]
    WrongKey,
}

/// What a JKS store begins with.
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

fn is_pem(content: &[u8]) -> bool {
    content.windows(11).any(|window| window == b"-----BEGIN ")
}

fn open(content: &[u8], password: &str) -> Result<KeyStore, StoreError> {
    if content.starts_with(&JKS) {
        return Err(StoreError::Jks);
    }
    KeyStore::from_pkcs12(content, password, Pkcs12ImportPolicy::Relaxed)
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

impl TrustStore {
    /// Reads certificates in PEM, or of a PKCS #12 store.
    ///
    /// # Errors
    ///
    /// If it is neither, or there is none.
    pub fn read(content: &[u8], password: &str) -> Result<Self, StoreError> {
        let certificates: Vec<_> = if is_pem(content) {
            certificates_in(content)?
        } else {
            let store = open(content, password)?;
            let of_entry = |entry: &KeyStoreEntry| match entry {
                KeyStoreEntry::Certificate(certificate) => vec![certificate.as_der().to_vec()],
                KeyStoreEntry::PrivateKeyChain(chain) => {
                    chain.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect()
                }
                KeyStoreEntry::Secret(_) => Vec::new(),
            };
            store.entries().flat_map(|(_, entry)| of_entry(entry)).collect()
        };
        if certificates.is_empty() { Err(StoreError::NoCertificate) } else { Ok(Self(certificates)) }
    }
}

fn certificates_in(pem: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    CertificateDer::pem_slice_iter(pem)
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

impl ClientCertificate {
    /// Reads a certificate and its key in PEM, or of a PKCS #12 store.
    ///
    /// # Errors
    ///
    /// If it is neither, or one of them is missing.
    pub fn read(content: &[u8], password: &str) -> Result<Self, StoreError> {
        if is_pem(content) {
            if certificates_in(content)?.is_empty() {
                return Err(StoreError::NoCertificate);
            }
            PrivateKeyDer::from_pem_slice(content).map_err(|_| StoreError::NoKey)?;
            return Ok(Self { pem: Secret::new(String::from_utf8_lossy(content)) });
        }
        let store = open(content, password)?;
        let (_, chain) = store.private_key_chain().ok_or(StoreError::NoKey)?;
        let mut pem = to_pem("PRIVATE KEY", chain.key().as_der());
        for certificate in chain.certs() {
            pem.push_str(&to_pem("CERTIFICATE", certificate.as_der()));
        }
        if chain.certs().is_empty() { Err(StoreError::NoCertificate) } else { Ok(Self { pem: Secret::new(pem) }) }
    }
}

/// The private key in PEM, or of a PKCS #12 store.
pub(super) fn private_key(content: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, StoreError> {
    if is_pem(content) {
        return PrivateKeyDer::from_pem_slice(content).map_err(|_| StoreError::NoKey);
    }
    let store = open(content, password)?;
    let (_, chain) = store.private_key_chain().ok_or(StoreError::NoKey)?;
    Ok(PrivateKeyDer::Pkcs8(chain.key().as_der().to_vec().into()))
}

/// PEM (RFC 7468).
fn to_pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
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
            Some(TrustStore(certificates)) => {
                let certificates = certificates.iter().map(|der| reqwest::Certificate::from_der(der));
                builder = builder.tls_certs_only(certificates.collect::<Result<Vec<_>, _>>().map_err(failed)?);
            }
            // All requests stay on the origin, so the system's certificates need neither be there nor be read.
            None if !is_https => builder = builder.tls_certs_only([]),
            None => {}
        }
        if let Some(identity) = &self.identity {
            let identity = reqwest::Identity::from_pem(identity.pem.expose().as_bytes()).map_err(failed)?;
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
