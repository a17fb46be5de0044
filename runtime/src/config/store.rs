//! Stores of keys and certificates, as properties give them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::kind::Kind;
use crate::keystore::StoreError;

/// What a store is, which is seen from its content.
pub(super) const TYPE: Kind<()> = Kind::OneOf(&[("JKS", ()), ("PKCS12", ()), ("PEM", ())]);

/// What is said of such a property.
pub(super) const SEEN: &str = "What that store is. It is seen from its content, whatever is said here.";

/// PEM as it is; anything else is in Base64, perhaps as a `data:` URL.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let text = text.trim();
    if text.contains("-----BEGIN ") {
        return text.as_bytes().to_vec();
    }
    let text = text.rsplit_once("base64,").map_or(text, |(_, rest)| rest);
    let text: String = text.split_whitespace().collect();
    // What is no Base64 is no store either, which is told then.
    BASE64_STANDARD.decode(text).unwrap_or_default()
}

/// What can be done about a store that cannot be used; `key_password` is the property for the password of its key, if there is
/// one.
pub(super) fn hint(error: &StoreError, key_password: Option<&str>) -> Option<String> {
    match error {
        StoreError::Jceks => Some(
            "convert it: `keytool -importkeystore -srckeystore STORE -srcstoretype JCEKS -destkeystore store.p12 \
                  -deststoretype PKCS12`"
                .to_owned(),
        ),
        StoreError::KeyPassword => {
            key_password.map(|name| format!("set `{name}`, if the key has a password of its own"))
        }
        StoreError::KeyEncryption => {
            Some("encrypt it anew: `openssl pkcs8 -in KEY -out key.pem -topk8 -v2 aes-256-cbc`".to_owned())
        }
        _ => None,
    }
}
