//! Stores of keys and certificates, as properties give them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::kind::Kind;
use crate::http::StoreError;

/// What a store is. It is seen from its content; a JKS store is told as one that cannot be read.
pub(super) const TYPE: Kind<()> = Kind::OneOf(&[("JKS", ()), ("PKCS12", ()), ("PEM", ())]);

/// What is said of such a property.
pub(super) const SEEN: &str = "What that store is. It is seen from its content: PKCS #12 (which Java's tools write by the name of JKS too), or PEM.";

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

/// What can be done about a store that cannot be used.
pub(super) fn hint(error: &StoreError) -> Option<String> {
    let convert =
        "convert it: `keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype PKCS12`";
    matches!(error, StoreError::Jks).then(|| convert.to_owned())
}
