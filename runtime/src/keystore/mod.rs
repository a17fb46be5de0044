//! Certificates and private keys, from the stores that Java's clients have (JKS, PKCS #12) and from PEM. What a store is, is
//! seen from its content.

mod jks;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use crate::secret::Secret;
use jks::Jks;

/// What opens a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passwords<'a> {
    /// The password of the store. A JKS store is read without one, too; then nothing tells whether it is as it was written.
    pub store: Option<&'a Secret>,
    /// The password of the private key, if it is another.
    pub key: Option<&'a Secret>,
}

impl<'a> Passwords<'a> {
    /// One password for all.
    pub fn of_store(password: Option<&'a Secret>) -> Self {
        Self { store: password, key: None }
    }

    /// The store's password. An empty one is none.
    fn of_all(self) -> Option<&'a str> {
        self.store.map(Secret::expose).filter(|password| !password.is_empty())
    }

    /// The key's.
    fn of_key(self) -> &'a str {
        let own = self.key.map(Secret::expose).filter(|password| !password.is_empty());
        own.or(self.of_all()).unwrap_or_default()
    }
}

/// Why a store cannot be used. Nothing of its content is shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is a store of Java's for which there is no standard.
    #[error("is a JCEKS store, which only Java reads")]
    Jceks,
    /// It is a JKS store without its end, or with something in it that no such store has.
    #[error("is a JKS store that is cut off or damaged")]
    Damaged,
    /// What a JKS store ends with does not fit to what it holds and to the password.
    #[error("is a JKS store that its password does not open: the password is wrong, or the store was changed since")]
    StorePassword,
    /// It is none that is known, or the password is wrong.
    #[error("is neither PEM, nor a JKS store, nor a PKCS #12 store that opens with its password: {0}")]
    Unreadable(String),
    /// There is no certificate in it.
    #[error("holds no certificate")]
    NoCertificate,
    /// There is no private key in it.
    #[error("holds no private key")]
    NoKey,
    /// The private key has a password, and not this one.
    #[error("holds a private key that the password does not open")]
    KeyPassword,
    /// The private key is encrypted in a way that is not known.
    #[error("holds a private key that is encrypted by an algorithm other than those of PBES2 (RFC 8018)")]
    KeyEncryption,
    /// The private key is of another kind.
    #[error("holds a private key that cannot sign by the algorithm that is asked for")]
    WrongKey,
}

/// What a JCEKS store begins with.
const JCEKS_MAGIC: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

/// What a store is.
enum Opened<'a> {
    Pem,
    Jks(Jks<'a>),
    Pkcs12(KeyStore),
}

fn open<'a>(content: &'a [u8], passwords: Passwords<'_>) -> Result<Opened<'a>, StoreError> {
    if is_pem(content) {
        return Ok(Opened::Pem);
    }
    if content.starts_with(&jks::MAGIC) {
        return Jks::read(content, passwords.of_all()).map(Opened::Jks);
    }
    if content.starts_with(&JCEKS_MAGIC) {
        return Err(StoreError::Jceks);
    }
    // It has one password for all that is in it.
    let password = passwords.of_all().unwrap_or_else(|| passwords.of_key());
    KeyStore::from_pkcs12(content, password, Pkcs12ImportPolicy::Relaxed)
        .map(Opened::Pkcs12)
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Whether a store is text.
pub(crate) fn is_pem(content: &[u8]) -> bool {
    content.windows(11).any(|window| window == b"-----BEGIN ")
}

/// Certificates of authorities, or of servers themselves, in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustStore(Vec<Vec<u8>>);

impl TrustStore {
    /// Reads the certificates of a store.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or there is none.
    pub fn read(content: &[u8], password: Option<&Secret>) -> Result<Self, StoreError> {
        let certificates: Vec<_> = match open(content, Passwords::of_store(password))? {
            Opened::Pem => certificates_in(content)?,
            Opened::Jks(store) => store.certificates().into_iter().map(<[u8]>::to_vec).collect(),
            Opened::Pkcs12(store) => {
                let of_entry = |entry: &KeyStoreEntry| match entry {
                    KeyStoreEntry::Certificate(certificate) => vec![certificate.as_der().to_vec()],
                    KeyStoreEntry::PrivateKeyChain(chain) => {
                        chain.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect()
                    }
                    KeyStoreEntry::Secret(_) => Vec::new(),
                };
                store.entries().flat_map(|(_, entry)| of_entry(entry)).collect()
            }
        };
        if certificates.is_empty() { Err(StoreError::NoCertificate) } else { Ok(Self(certificates)) }
    }

    /// The certificates in DER.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The certificates in PEM.
    pub(crate) fn pem(&self) -> String {
        self.certificates().map(|der| to_pem("CERTIFICATE", der)).collect()
    }
}

/// A client's certificate, those that lead to its authority, and its private key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    certificates: String,
    key: Secret,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

impl ClientCertificate {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or one of them is missing.
    pub fn read(content: &[u8], passwords: Passwords<'_>) -> Result<Self, StoreError> {
        let (key, chain) = identity(content, passwords)?;
        if chain.is_empty() {
            return Err(StoreError::NoCertificate);
        }
        let label = match &key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        let certificates = chain.iter().map(|der| to_pem("CERTIFICATE", der)).collect();
        Ok(Self { certificates, key: Secret::new(to_pem(label, key.secret_der())) })
    }

    /// The certificates in PEM, the client's own first.
    pub(crate) fn certificates(&self) -> &str {
        &self.certificates
    }

    /// The private key in PEM.
    pub(crate) fn key(&self) -> &Secret {
        &self.key
    }
}

/// The private key of a store.
pub(crate) fn private_key(content: &[u8], passwords: Passwords<'_>) -> Result<PrivateKeyDer<'static>, StoreError> {
    identity(content, passwords).map(|(key, _)| key)
}

/// The private key of a store, and the certificates beside it.
fn identity(content: &[u8], passwords: Passwords<'_>) -> Result<(PrivateKeyDer<'static>, Vec<Vec<u8>>), StoreError> {
    match open(content, passwords)? {
        Opened::Pem => Ok((key_in(content, passwords.of_key())?, certificates_in(content)?)),
        Opened::Jks(store) => {
            let entry = store.key().ok_or(StoreError::NoKey)?;
            let key = PrivateKeyDer::Pkcs8(entry.open(passwords.of_key())?.into());
            Ok((key, entry.chain.iter().map(|der| der.to_vec()).collect()))
        }
        Opened::Pkcs12(store) => {
            let (_, chain) = store.private_key_chain().ok_or(StoreError::NoKey)?;
            let key = PrivateKeyDer::Pkcs8(chain.key().as_der().to_vec().into());
            Ok((key, chain.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect()))
        }
    }
}

fn certificates_in(pem: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    CertificateDer::pem_slice_iter(pem)
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The private key in PEM, which may be encrypted (RFC 5958 section 3).
fn key_in(pem: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, StoreError> {
    if let Ok(key) = PrivateKeyDer::from_pem_slice(pem) {
        return Ok(key);
    }
    let encrypted = encrypted_key_in(pem).ok_or(StoreError::NoKey)?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(&*encrypted).map_err(|_| StoreError::KeyEncryption)?;
    if encrypted.encryption_algorithm.pbes2().is_none() {
        return Err(StoreError::KeyEncryption);
    }
    let key = encrypted.decrypt(password).map_err(|_| StoreError::KeyPassword)?;
    Ok(PrivateKeyDer::Pkcs8(key.as_bytes().to_vec().into()))
}

/// The content of the section with the encrypted key.
fn encrypted_key_in(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let (content, _) = rest.split_once("-----END ENCRYPTED PRIVATE KEY-----")?;
    let content: String = content.split_whitespace().collect();
    BASE64_STANDARD.decode(content).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As `openssl pkcs8 -topk8 -v2 aes-256-cbc` writes one; the password is `key-pass`.
    const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjCXUdIFiV1IgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHgx4zEXf8+TEybM80QnhoMEgZDI
0TXIJk2Wu62MeXN5+l29BqrDXQ5vx5z5B3QKddeY/M37pAgWLBJsYdxrcqsaNhVa
tScobCMdHdfhOMIrNOKRdFBssax0bmHZiMWaOlO+htQFlxTPRY5NqTrg3TGIAYUA
8CgmFKXF4M8j0SFROzm1h+SO0zx4rUH3R0JkGHTiri1GJSngEaN0Ytkw4G3hOAM=
-----END ENCRYPTED PRIVATE KEY-----
";

    /// The same by `-v1 PBE-SHA1-3DES`.
    const OLD: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIX2vPIdtKzisCAggABIGQZ4SmCk3ge19BzrzL
MFhFzkxmVo6cNXDovV75fbPDkLV+y9TIhIBvYFcfY6JlfDvkOZyE7clSC8M2WYV/
YPVw4FXc9ZEpi/nh41H2oaeVd81f4n/81nWMLMlQiWmCslDjC9ZUxiYAYYOYXt6Q
CFQm5Wq9ZRKrdZUn/+/ebFejYV+ZF+KLBCpALCi7B14HY9kZ
-----END ENCRYPTED PRIVATE KEY-----
";

    #[test]
    fn a_key_in_pem_may_be_encrypted() {
        let secret = Secret::new("key-pass");
        let passwords = Passwords { store: None, key: Some(&secret) };
        assert!(matches!(private_key(ENCRYPTED.as_bytes(), passwords), Ok(PrivateKeyDer::Pkcs8(_))));
        let without = Passwords::default();
        assert!(matches!(private_key(ENCRYPTED.as_bytes(), without), Err(StoreError::KeyPassword)));
        assert!(matches!(private_key(OLD.as_bytes(), passwords), Err(StoreError::KeyEncryption)));
        let garbled = ENCRYPTED.replace("MIHs", "MIHt");
        assert!(matches!(private_key(garbled.as_bytes(), passwords), Err(StoreError::KeyEncryption)));
    }

    #[test]
    fn what_opens_a_store_opens_its_key_unless_that_has_a_password_of_its_own() {
        let store = include_bytes!("java.jks");
        let [all, key, none] = ["store-pass", "key-pass", ""].map(Secret::new);
        let read = |passwords| ClientCertificate::read(store, passwords);
        assert!(read(Passwords { store: Some(&all), key: Some(&key) }).is_ok());
        assert!(read(Passwords { store: Some(&none), key: Some(&key) }).is_ok());
        for key in [None, Some(&none)] {
            assert!(matches!(read(Passwords { store: Some(&all), key }), Err(StoreError::KeyPassword)));
        }
        assert!(matches!(read(Passwords { store: Some(&key), key: Some(&key) }), Err(StoreError::StorePassword)));
        let trusted = TrustStore::read(store, None).unwrap().pem();
        assert_eq!(TrustStore::read(trusted.as_bytes(), None).unwrap().pem(), trusted);
    }
}
