//! Signed JSON Web Tokens (RFC 7519), as what proves to a token endpoint who asks (RFC 7523).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Map, Value, json};

use crate::keystore::{Passwords, StoreError, private_key};
use crate::random;
use crate::secret::Secret;

/// How a JWT is signed (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the RFCs")]
pub enum JwtAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl JwtAlgorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A private key, and how it signs. Clones are the same key.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    algorithm: JwtAlgorithm,
    /// By which the other side finds the key that checks the signature (RFC 7515 section 4.1.4).
    id: Option<String>,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SigningKey {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.0.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads the private key of a store.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or holds no key that signs so.
    pub fn read(
        content: &[u8],
        passwords: Passwords<'_>,
        algorithm: JwtAlgorithm,
        id: Option<String>,
    ) -> Result<Self, StoreError> {
        let pair = Pair::of(&private_key(content, passwords)?, algorithm).ok_or(StoreError::WrongKey)?;
        Ok(Self(Arc::new(Inner { pair, algorithm, id })))
    }

    /// The claims in the compact form (RFC 7515 section 3.1).
    fn sign(&self, claims: &Map<String, Value>) -> Secret {
        let Inner { pair, algorithm, id } = &*self.0;
        let mut header = json!({ "typ": "JWT", "alg": algorithm.name() });
        if let Some(id) = id {
            header["kid"] = json!(id);
        }
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(json!(claims).to_string().as_bytes()));
        let signature = encode(&pair.sign(signed.as_bytes()));
        Secret::new(format!("{signed}.{signature}"))
    }
}

impl Pair {
    /// The key for an algorithm; `None` if it is of another kind.
    fn of(key: &PrivateKeyDer<'_>, algorithm: JwtAlgorithm) -> Option<Self> {
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let pair = match key {
                PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
                key => RsaKeyPair::from_pkcs8(key.secret_der()),
            };
            Some(Self::Rsa(pair.ok()?, encoding))
        };
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, key.secret_der(), &SystemRandom::new()).ok().map(Self::Ecdsa)
        };
        match algorithm {
            JwtAlgorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            JwtAlgorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
            JwtAlgorithm::Rs512 => rsa(&RSA_PKCS1_SHA512),
            JwtAlgorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            JwtAlgorithm::Ps384 => rsa(&RSA_PSS_SHA384),
            JwtAlgorithm::Ps512 => rsa(&RSA_PSS_SHA512),
            JwtAlgorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            JwtAlgorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            JwtAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_der()).ok().map(Self::Ed25519),
        }
    }

    /// Empty if the system has no random numbers, which the other side refuses.
    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                match pair.sign(*encoding, &random, text, &mut signature) {
                    Ok(()) => signature,
                    Err(_) => Vec::new(),
                }
            }
            Self::Ecdsa(pair) => pair.sign(&random, text).map(|it| it.as_ref().to_vec()).unwrap_or_default(),
            Self::Ed25519(pair) => pair.sign(text).as_ref().to_vec(),
        }
    }
}

/// A token that is signed anew each time it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwt {
    /// What signs it.
    pub key: SigningKey,
    /// What it claims. What is missing of `iss`, `sub`, `aud`, `iat`, `exp` and `jti` is added.
    pub claims: Map<String, Value>,
    /// How long it is good for.
    pub lifetime: Duration,
}

impl Jwt {
    /// A token of this client, if there is one, for who is at `audience` (RFC 7523 section 3).
    pub(super) fn signed(&self, client: Option<&str>, audience: &str, now: SystemTime) -> Secret {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut claims = self.claims.clone();
        let mut add = |name: &str, value: Value| {
            claims.entry(name).or_insert(value);
        };
        if let Some(client) = client {
            add("iss", client.into());
            add("sub", client.into());
        }
        add("aud", audience.into());
        add("iat", now.as_secs().into());
        add("exp", (now + self.lifetime).as_secs().into());
        add("jti", random::uuid().into());
        self.key.sign(&claims)
    }
}
