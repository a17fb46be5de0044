//! How the APIs are connected to: TLS, a proxy, redirects.

use super::addresses;
use super::kind::{BOOLEAN, Kind, TEXT, count};
use super::property::{AnyProperty, Property, properties};
use super::reader::Reader;
use super::store;
use crate::http::{AddressFilter, CipherSuites, ClientSettings, Proxy, Tls, TlsVersions};
use crate::keystore::{ClientCertificate, Passwords, StoreError, TrustStore};
use crate::secret::Secret;

const VERSIONS: Kind<TlsVersions> = Kind::Text {
    type_name: "list",
    expected: "a list of `TLSv1.2` and `TLSv1.3`",
    parse: |text| {
        let words: Vec<_> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let known = words.iter().all(|word| ["TLSv1.2", "TLSv1.3"].contains(word));
        match (known, words.contains(&"TLSv1.2"), words.contains(&"TLSv1.3")) {
            (true, true, true) => Some(TlsVersions::Both),
            (true, true, false) => Some(TlsVersions::Only12),
            (true, false, true) => Some(TlsVersions::Only13),
            _ => None,
        }
    },
};

properties! {
    TLS_13: bool = Property::new(
        "https.ssl.enabled",
        BOOLEAN,
        "Whether nothing older than TLS 1.3 is spoken. HTTPS is always TLS, of version 1.2 at least.",
    ).default("false").low();
    PROTOCOL: TlsVersions = Property::new(
        "https.ssl.protocol",
        Kind::OneOf(&[
            ("TLSv1.3", TlsVersions::Both),
            ("TLSv1.2", TlsVersions::Only12),
            ("TLS", TlsVersions::Both),
        ]),
        "The newest version of TLS that is spoken.",
    ).default("TLSv1.3").low();
    PROTOCOLS: TlsVersions = Property::new(
        "https.ssl.enabled.protocols",
        VERSIONS,
        "The versions of TLS that are spoken.",
    ).default("TLSv1.2,TLSv1.3").low();
    CIPHER_SUITES: String = Property::new(
        "https.ssl.cipher.suites",
        TEXT,
        "The cipher suites that are offered, by the names of IANA, which Java's are, separated by commas. Not set: all that are \
         known, which are `TLS_AES_256_GCM_SHA384`, `TLS_AES_128_GCM_SHA256`, `TLS_CHACHA20_POLY1305_SHA256` of TLS 1.3, and \
         those of 1.2 that begin with `TLS_ECDHE_ECDSA_WITH_` or `TLS_ECDHE_RSA_WITH_` and end with `AES_256_GCM_SHA384`, \
         `AES_128_GCM_SHA256` or `CHACHA20_POLY1305_SHA256`.",
    ).low();
    TRUSTSTORE_FILE: Secret = Property::secret(
        "https.ssl.truststorefile",
        "The certificates that servers are trusted by, in place of the system's: the content of a JKS or \
         PKCS #12 store in Base64, or PEM.",
    );
    TRUSTSTORE_LOCATION: Secret = Property::secret(
        "https.ssl.truststore.location",
        "The file with the certificates that servers are trusted by, in place of the system's: a JKS or PKCS #12 store, or \
         PEM.",
    ).aliases(&["http.ssl.truststore.location"]);
    TRUSTSTORE_CERTIFICATES: Secret = Property::secret(
        "https.ssl.truststore.certificates",
        "The certificates that servers are trusted by, in place of the system's, in PEM.",
    ).low();
    TRUSTSTORE_PASSWORD: Secret = Property::secret(
        "https.ssl.truststore.password",
        "The password of that store. A JKS store is read without one, too; then nothing tells whether it is as it was written.",
    ).aliases(&["http.ssl.truststore.password"]);
    TRUSTSTORE_TYPE: () = Property::new(
        "https.ssl.truststore.type",
        store::TYPE,
        store::SEEN,
    ).default("JKS").low();
    KEYSTORE_FILE: Secret = Property::secret(
        "https.ssl.keystorefile",
        "The client's certificate and private key, for servers that ask for one: the content of a JKS or \
         PKCS #12 store in Base64, or PEM.",
    ).low();
    KEYSTORE_LOCATION: Secret = Property::secret(
        "https.ssl.keystore.location",
        "The file with the client's certificate and private key: a JKS or PKCS #12 store, or \
         PEM.",
    ).aliases(&["http.ssl.keystore.location"]);
    KEYSTORE_CHAIN: Secret = Property::secret(
        "https.ssl.keystore.certificate.chain",
        "The client's certificate, and those that lead to its authority, in PEM; with `https.ssl.keystore.key`.",
    ).low();
    KEYSTORE_KEY: Secret = Property::secret(
        "https.ssl.keystore.key",
        "The client's private key in PEM; with `https.ssl.keystore.certificate.chain`.",
    ).low();
    KEYSTORE_PASSWORD: Secret = Property::secret(
        "https.ssl.keystore.password",
        "The password of the key store.",
    ).aliases(&["http.ssl.keystore.password"]);
    KEY_PASSWORD: Secret = Property::secret(
        "https.ssl.key.password",
        "The password of the private key, if it is not that of the store. A PKCS #12 store has one password for all.",
    ).low();
    KEYSTORE_TYPE: () = Property::new(
        "https.ssl.keystore.type",
        store::TYPE,
        store::SEEN,
    ).default("JKS").low();
    IDENTIFICATION: bool = Property::new(
        "https.ssl.endpoint.identification.algorithm",
        Kind::OneOf(&[("https", true), ("none", false)]),
        "Whether a server's certificate must be for its name: `https`, or not: `none`.",
    ).default("https").low();
    CHECK: bool = Property::new(
        "https.ssl.certificate.check",
        BOOLEAN,
        "Whether a server's certificate must lead to a trusted one. If not, anyone on the way can read and change what is \
         sent: for tests only.",
    ).default("true").low();
    PROXY_ENABLED: bool = Property::new(
        "http.proxy.enabled",
        BOOLEAN,
        "If set to `false`, the proxy of `http.proxy.host` is not used. Not set: it is, if there is one.",
    ).default("false").low();
    PROXY_HOST: String = Property::new("http.proxy.host", TEXT, "The host of a proxy for all requests to the APIs and for tokens.");
    PROXY_PORT: u32 = Property::new("http.proxy.port", count(1, 65_535), "The port of the proxy.");
    PROXY_USER: String = Property::new("http.proxy.user", TEXT, "The user for the proxy.").low();
    PROXY_PASSWORD: Secret = Property::secret("http.proxy.password", "The password for the proxy.").low();
    REDIRECTS: u32 = Property::new(
        "http.redirects.max",
        count(0, 20),
        "How many redirects of one request are followed, always on the origin of the base URL.",
    ).default("5").low();
}

/// How the APIs are connected to.
pub(super) struct Connection {
    tls: Tls,
    proxy: Option<Proxy>,
    addresses: AddressFilter,
    redirects: usize,
}

impl Connection {
    pub(super) fn apply(&self, http: &mut ClientSettings) {
        http.tls = self.tls.clone();
        http.proxy.clone_from(&self.proxy);
        http.addresses.clone_from(&self.addresses);
        http.redirects = self.redirects;
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Connection> {
    let versions = read_versions(reader);
    let suites = read_suites(reader, versions);
    let trusted = read_truststore(reader);
    let identity = read_keystore(reader);
    let (names, certificates) = (reader.get(&IDENTIFICATION), reader.get(&CHECK));
    let proxy = read_proxy(reader);
    let addresses = addresses::read(reader);
    let redirects = reader.get(&REDIRECTS);
    let (checks_names, checks_certificates) = (names?, certificates?);
    let suites = suites?;
    if suites.is_some() && !(checks_certificates && checks_names) {
        let reason = "goes only with servers whose certificates are checked in full";
        reader.conflict(CIPHER_SUITES.name(), reason, None);
    }
    if !(checks_certificates && checks_names) {
        tracing::warn!("certificates of servers are not checked in full: anyone on the way may read what is sent");
    }
    let (proxy, addresses) = (proxy?, addresses?);
    if proxy.is_some() && addresses.is_active() {
        tracing::warn!(
            "the proxy resolves the names of hosts: what they lead to is not checked by `connection.disallow.*`"
        );
    }
    Some(Connection {
        tls: Tls {
            trusted: trusted?,
            identity: identity?,
            versions: versions?,
            suites,
            checks_certificates,
            checks_names,
        },
        proxy,
        addresses,
        redirects: usize::try_from(redirects?).unwrap_or_default(),
    })
}

fn read_versions(reader: &mut Reader<'_>) -> Option<TlsVersions> {
    let (only_13, protocol, protocols) = (reader.get(&TLS_13)?, reader.get(&PROTOCOL)?, reader.get(&PROTOCOLS)?);
    let mut chosen = if only_13 { TlsVersions::Only13 } else { TlsVersions::Both };
    for (versions, property) in [(protocol, &PROTOCOL), (protocols, &PROTOCOLS)] {
        match (chosen, versions) {
            (_, TlsVersions::Both) => {}
            (TlsVersions::Both, versions) => chosen = versions,
            (chosen, versions) if chosen == versions => {}
            _ => reader.conflict(property.name(), "leaves no version of TLS that the other properties allow", None),
        }
    }
    Some(chosen)
}

fn read_suites(reader: &mut Reader<'_>, versions: Option<TlsVersions>) -> Option<Option<CipherSuites>> {
    let Some(text) = reader.get(&CIPHER_SUITES) else { return Some(None) };
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let (reason, hint) = match CipherSuites::named(names) {
        Ok(suites) if versions.is_none_or(|versions| suites.are_of(versions)) => return Some(Some(suites)),
        Ok(_) => ("has none of a version of TLS that is spoken".to_owned(), None),
        Err(unknown) => {
            let known: Vec<_> = CipherSuites::known().collect();
            (format!("names `{unknown}`, which is not known"), Some(format!("there are: {}", known.join(", "))))
        }
    };
    reader.conflict(CIPHER_SUITES.name(), reason, hint);
    None
}

fn read_truststore(reader: &mut Reader<'_>) -> Option<Option<TrustStore>> {
    let password = reader.get(&TRUSTSTORE_PASSWORD);
    reader.get(&TRUSTSTORE_TYPE);
    let (name, content) = read_one(reader, &[&TRUSTSTORE_FILE, &TRUSTSTORE_CERTIFICATES], &TRUSTSTORE_LOCATION)?;
    let Some(content) = content else { return Some(None) };
    let store = TrustStore::read(&content, password.as_ref());
    told(reader, name, store).map(Some)
}

fn read_keystore(reader: &mut Reader<'_>) -> Option<Option<ClientCertificate>> {
    let password = reader.get(&KEYSTORE_PASSWORD);
    let (key_password, chain, key) =
        (reader.get(&KEY_PASSWORD), reader.get(&KEYSTORE_CHAIN), reader.get(&KEYSTORE_KEY));
    reader.get(&KEYSTORE_TYPE);
    let passwords = Passwords { store: password.as_ref(), key: key_password.as_ref() };
    if let (Some(chain), Some(key)) = (&chain, &key) {
        let pem = format!("{}\n{}\n", chain.expose(), key.expose());
        let store = ClientCertificate::read(pem.as_bytes(), passwords);
        return told(reader, KEYSTORE_KEY.name(), store).map(Some);
    }
    if chain.is_some() || key.is_some() {
        let (set, other) =
            if key.is_some() { (&KEYSTORE_KEY, &KEYSTORE_CHAIN) } else { (&KEYSTORE_CHAIN, &KEYSTORE_KEY) };
        reader.conflict(set.name(), format!("needs `{}`", other.name()), None);
        return None;
    }
    let (name, content) = read_one(reader, &[&KEYSTORE_FILE], &KEYSTORE_LOCATION)?;
    let Some(content) = content else { return Some(None) };
    let store = ClientCertificate::read(&content, passwords);
    told(reader, name, store).map(Some)
}

/// By which property a store is given, as such or by the name of its file, and its content if there is one; `None` has
/// told why it cannot be read.
fn read_one(
    reader: &mut Reader<'_>,
    contents: &[&'static Property<Secret>],
    location: &'static Property<Secret>,
) -> Option<(&'static str, Option<Vec<u8>>)> {
    for property in contents {
        if let Some(text) = reader.get(property) {
            return Some((property.name(), Some(store::decoded(text.expose()))));
        }
    }
    let Some(path) = reader.get(location) else { return Some((location.name(), None)) };
    match std::fs::read(path.expose()) {
        Ok(content) => Some((location.name(), Some(content))),
        Err(error) => {
            reader.conflict(location.name(), format!("names a file that cannot be read: {error}"), None);
            None
        }
    }
}

fn told<T>(reader: &mut Reader<'_>, name: &str, store: Result<T, StoreError>) -> Option<T> {
    store
        .map_err(|error| {
            reader.conflict(name, error.to_string(), store::hint(&error, Some(KEY_PASSWORD.name())));
        })
        .ok()
}

fn read_proxy(reader: &mut Reader<'_>) -> Option<Option<Proxy>> {
    let (port, user, password) = (reader.get(&PROXY_PORT), reader.get(&PROXY_USER), reader.get(&PROXY_PASSWORD));
    let is_off = reader.is_set(&PROXY_ENABLED) && reader.get(&PROXY_ENABLED) == Some(false);
    match reader.get(&PROXY_HOST) {
        Some(_) if is_off => {
            tracing::info!("the proxy is not used, because `http.proxy.enabled` is `false`");
            Some(None)
        }
        Some(host) => {
            let port = match port {
                Some(port) => Some(port),
                None => reader.require(&PROXY_PORT, "it is needed because `http.proxy.host` is set"),
            };
            let credentials = user.map(|user| (user, password.unwrap_or_else(|| Secret::new(""))));
            Some(Some(Proxy { host, port: u16::try_from(port?).ok()?, credentials }))
        }
        None => {
            let others: [&'static dyn AnyProperty; 3] = [&PROXY_PORT, &PROXY_USER, &PROXY_PASSWORD];
            // V1 has port 0 for none.
            if let Some(property) = reader.first_set(&others) {
                tracing::warn!(property, "the property has no effect without `http.proxy.host`");
            }
            Some(None)
        }
    }
}
