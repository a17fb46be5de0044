//! TLS: whom a source trusts, and who it says it is, against a server that speaks it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use headwater_tests::unique_name;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::support::{Broker, with};

/// An authority, and what it has signed.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL finds authorities by their names: no two have the same, nor one that it has signed.
        params.distinguished_name.push(DnType::CommonName, unique_name("authority"));
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        Signed { certificate: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }
}

impl Signed {
    /// Both in a PKCS #12 store.
    pub(crate) fn store(&self, password: &str) -> Vec<u8> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let key = PrivateKey::from_der(key.secret_der()).unwrap();
        let chain = PrivateKeyChain::new("1", key, [certificate(&self.certificate)]);
        let mut store = KeyStore::new();
        store.add_entry("client", KeyStoreEntry::PrivateKeyChain(chain));
        store.writer(password).write().unwrap()
    }
}

fn certificate(pem: &str) -> Certificate {
    Certificate::from_der(&CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap()
}

fn trust_store(authority: &Authority, password: &str) -> Vec<u8> {
    let mut store = KeyStore::new();
    store.add_entry("authority", KeyStoreEntry::Certificate(certificate(&authority.pem())));
    store.writer(password).write().unwrap()
}

/// The port of a server that answers everything with one record. With `clients` it wants a certificate of theirs.
pub(crate) fn serve(server: &Signed, clients: Option<&Authority>) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chain = vec![CertificateDer::from_pem_slice(server.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
    let builder = ServerConfig::builder();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
                let mut line = String::new();
                // A client that refuses the server is gone after the handshake.
                while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
                    if line.ends_with("\r\n\r\n") {
                        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
                        let _ = stream.get_mut().write_all(format!("{head}content-length: 3\r\n\r\n[7]").as_bytes());
                        let _ = stream.get_mut().flush();
                        stream.get_mut().conn.send_close_notify();
                        let _ = stream.get_mut().flush();
                        return;
                    }
                }
            });
        }
    });
    port
}

/// What comes of a run against a server at this URL: nothing if it has read the record.
pub(crate) fn run(url: &str, more: Value) -> String {
    let mut config = json!({
        "name": "tls",
        "output.data.format": "JSON",
        "http.api.base.url": url,
        "api1.topics": "records",
        "api1.http.api.path": "/one",
        "api1.max.retries": "0",
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
    });
    with(&mut config, more);
    let broker = Broker::start();
    let told = broker.problems_with(&config, &[], true);
    if !told.is_empty() {
        return told;
    }
    match broker.run(&config) {
        Ok(summary) => {
            assert_eq!(summary.records, 1);
            String::new()
        }
        Err(error) => headwater_runtime::error::chain(&error),
    }
}

#[test]
fn servers_are_trusted_by_what_is_configured() {
    let (authority, other) = (Authority::new(), Authority::new());
    let port = serve(&authority.sign("localhost"), None);
    let url = format!("https://localhost:{port}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let untrusted = run(&url, json!({}));
    assert!(untrusted.contains("connecting to") && untrusted.contains("certificate"), "{untrusted}");
    let wrong = run(&url, json!({ "https.ssl.truststore.certificates": other.pem() }));
    assert!(wrong.contains("certificate"), "{wrong}");

    let store = trust_store(&authority, "changeit");
    let (p12, pem) = (file("store.jks", &store), file("ca.pem", authority.pem().as_bytes()));
    for more in [
        json!({ "https.ssl.truststore.certificates": authority.pem() }),
        json!({ "https.ssl.truststore.location": pem, "https.ssl.truststore.type": "PEM" }),
        json!({ "https.ssl.truststore.location": p12, "https.ssl.truststore.password": "changeit" }),
        json!({ "http.ssl.truststore.location": p12, "http.ssl.truststore.password": "changeit" }),
        json!({ "https.ssl.truststorefile": BASE64_STANDARD.encode(&store), "https.ssl.truststore.password": "changeit" }),
        json!({ "https.ssl.truststorefile": format!("data:text/plain;base64,{}", BASE64_STANDARD.encode(&store)),
                "https.ssl.truststore.password": "changeit" }),
        json!({ "https.ssl.certificate.check": "false" }),
    ] {
        assert_eq!(run(&url, more.clone()), "", "{more}");
    }

    let wrong = run(&url, json!({ "https.ssl.truststore.location": p12, "https.ssl.truststore.password": "n0tthis" }));
    assert!(
        wrong.contains("is neither PEM, nor a JKS store, nor a PKCS #12 store that opens with its password"),
        "{wrong}"
    );
    assert!(!wrong.contains("n0tthis"), "{wrong}");
    let missing = run(&url, json!({ "https.ssl.truststore.location": "/nowhere/store.p12" }));
    assert!(missing.contains("names a file that cannot be read"), "{missing}");
}

#[test]
fn a_name_that_is_not_in_the_certificate_is_refused_unless_names_are_not_checked() {
    let authority = Authority::new();
    let port = serve(&authority.sign("elsewhere.test"), None);
    let url = format!("https://localhost:{port}");
    let trusted = |more: Value| {
        let mut all = json!({ "https.ssl.truststore.certificates": authority.pem() });
        with(&mut all, more);
        run(&url, all)
    };
    let refused = trusted(json!({}));
    assert!(refused.contains("not valid for name"), "{refused}");
    assert_eq!(trusted(json!({ "https.ssl.endpoint.identification.algorithm": "none" })), "");
}

#[test]
fn a_server_that_wants_a_certificate_gets_it() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let port = serve(&servers.sign("localhost"), Some(&clients));
    let url = format!("https://localhost:{port}");
    let client = clients.sign("client");
    let store = client.store("changeit");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(Path::new(&path("client.p12")), &store).unwrap();
    std::fs::write(Path::new(&path("client.pem")), format!("{}{}", client.certificate, client.key)).unwrap();
    let trusting = |more: Value| {
        let mut all = json!({ "https.ssl.truststore.certificates": servers.pem() });
        with(&mut all, more);
        run(&url, all)
    };
    assert!(!trusting(json!({})).is_empty(), "without a certificate it answers nothing");
    for more in [
        json!({ "https.ssl.keystore.location": path("client.p12"), "https.ssl.keystore.password": "changeit" }),
        json!({ "http.ssl.keystore.location": path("client.p12"), "http.ssl.keystore.password": "changeit" }),
        json!({ "https.ssl.keystore.location": path("client.p12"), "https.ssl.key.password": "changeit",
                "https.ssl.keystore.type": "PKCS12" }),
        json!({ "https.ssl.keystorefile": BASE64_STANDARD.encode(&store), "https.ssl.keystore.password": "changeit" }),
        json!({ "https.ssl.keystore.location": path("client.pem") }),
        json!({ "https.ssl.keystore.certificate.chain": client.certificate, "https.ssl.keystore.key": client.key }),
    ] {
        assert_eq!(trusting(more.clone()), "", "{more}");
    }
    let half = trusting(json!({ "https.ssl.keystore.key": client.key }));
    assert!(half.contains("needs `https.ssl.keystore.certificate.chain`"), "{half}");
    assert!(!half.contains("PRIVATE"), "{half}");
}

#[test]
fn versions_are_as_configured() {
    let told = |more: Value| run("https://localhost:1", more);
    let contradiction = told(json!({ "https.ssl.enabled": "true", "https.ssl.protocol": "TLSv1.2" }));
    assert!(contradiction.contains("leaves no version of TLS"), "{contradiction}");
    let unknown = told(json!({ "https.ssl.enabled.protocols": "SSLv3" }));
    assert!(unknown.contains("a list of `TLSv1.2` and `TLSv1.3`"), "{unknown}");
}

#[test]
fn cipher_suites_are_as_configured() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let open = format!("https://localhost:{}", serve(&servers.sign("localhost"), None));
    let closed = format!("https://localhost:{}", serve(&servers.sign("localhost"), Some(&clients)));
    let client = clients.sign("client");
    let with_suites = |url: &str, suites: &str, more: Value| {
        let mut all = json!({ "https.ssl.cipher.suites": suites, "https.ssl.truststore.certificates": servers.pem() });
        with(&mut all, more);
        run(url, all)
    };
    let identity =
        json!({ "https.ssl.keystore.certificate.chain": client.certificate, "https.ssl.keystore.key": client.key });
    // The server has a key of ECDSA.
    for suites in [
        "TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ] {
        assert_eq!(with_suites(&open, suites, json!({})), "", "{suites}");
        assert_eq!(with_suites(&closed, suites, identity.clone()), "", "{suites}");
    }
    let of_rsa = with_suites(&open, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", json!({}));
    assert!(of_rsa.contains("connecting to"), "{of_rsa}");
    let untrusted = run(&open, json!({ "https.ssl.cipher.suites": "TLS_AES_128_GCM_SHA256" }));
    assert!(untrusted.contains("connecting to") && untrusted.contains("certificate"), "{untrusted}");
    for (more, words) in [
        (json!({ "https.ssl.enabled": "true" }), "has none of a version of TLS that is spoken"),
        (
            json!({ "https.ssl.certificate.check": "false" }),
            "goes only with servers whose certificates are checked in full",
        ),
    ] {
        let told = with_suites(&open, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", more);
        assert!(told.contains(words), "{told}");
    }
}
