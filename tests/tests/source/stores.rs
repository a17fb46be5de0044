//! Java's own stores, as `keytool` makes them: towards APIs, and towards a Kafka that asks who one is.

use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use headwater_tests::{Isolation, OwnKafka, PagedApi, consume, headwater, unique_name};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::with;
use crate::tls::{Authority, Signed, run, serve};

/// Java's tool for stores, and a folder for what it makes.
pub(crate) struct Keytool(TempDir);

impl Keytool {
    pub(crate) fn in_scratch() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Whether this machine lacks it, after one line on stderr: the test returns.
    pub(crate) fn is_missing(&self, test: &str) -> bool {
        let is_missing = Command::new("keytool").arg("-help").output().is_err();
        if is_missing {
            eprintln!("skipped {test}: keytool of Java is not installed");
        }
        is_missing
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Has it do something to a store.
    pub(crate) fn run(&self, arguments: &[&str], store: &str) {
        self.run_on(arguments, "-keystore", store);
    }

    /// Has it make a store of another one.
    pub(crate) fn run_to(&self, arguments: &[&str], store: &str) {
        self.run_on(arguments, "-destkeystore", store);
    }

    fn run_on(&self, arguments: &[&str], option: &str, store: &str) {
        let mut command = Command::new("keytool");
        let output = command.args(arguments).arg("-noprompt").arg(option).arg(self.path(store)).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// A JKS store of trusted certificates.
    fn trust(&self, authority: &Authority, password: &str, name: &str) -> String {
        let pem = self.write(&format!("{name}.pem"), authority.pem());
        let import = ["-importcert", "-alias", "authority", "-file", &pem, "-storetype", "JKS", "-storepass", password];
        self.run(&import, name);
        self.path(name)
    }

    /// A JKS store of a certificate and its key.
    fn identity(&self, identity: &Signed, password: &str, key_password: &str, name: &str) -> String {
        let p12 = self.write(&format!("{name}.p12"), identity.store("changeit"));
        let import = ["-importkeystore", "-srckeystore", &p12, "-srcstorepass", "changeit", "-srcalias", "client"];
        let to = ["-deststoretype", "JKS", "-deststorepass", password, "-destkeypass", key_password];
        self.run_to(&[&import[..], &to].concat(), name);
        self.path(name)
    }
}

fn base64_of(path: &str) -> String {
    BASE64_STANDARD.encode(std::fs::read(path).unwrap())
}

#[test]
fn servers_are_trusted_by_a_store_of_javas() {
    let stores = Keytool::in_scratch();
    if stores.is_missing("servers_are_trusted_by_a_store_of_javas") {
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let url = format!("https://localhost:{}", serve(&authority.sign("localhost"), None));
    let trusted = stores.trust(&authority, "storepass", "trust.jks");
    let both = stores.trust(&other, "storepass", "both.jks");
    stores.trust(&authority, "storepass", "more.jks");
    let import = ["-importkeystore", "-srckeystore", &trusted, "-srcstorepass", "storepass", "-deststoretype", "JKS"];
    stores.run_to(
        &[&import[..], &["-deststorepass", "storepass", "-destalias", "b", "-srcalias", "authority"]].concat(),
        "both.jks",
    );
    for more in [
        json!({ "https.ssl.truststore.location": trusted, "https.ssl.truststore.password": "storepass" }),
        json!({ "https.ssl.truststore.location": both, "https.ssl.truststore.password": "storepass",
                "https.ssl.truststore.type": "JKS" }),
        // As Java, which then does not check whether the store was changed.
        json!({ "https.ssl.truststore.location": trusted }),
        json!({ "https.ssl.truststorefile": base64_of(&trusted), "https.ssl.truststore.password": "storepass" }),
    ] {
        assert_eq!(run(&url, more.clone()), "", "{more}");
    }
    let untrusted = stores.trust(&other, "storepass", "other.jks");
    let refused = run(&url, json!({ "https.ssl.truststore.location": untrusted }));
    assert!(refused.contains("certificate"), "{refused}");

    let content = std::fs::read(&trusted).unwrap();
    let cut = stores.write("cut.jks", &content[..content.len() / 2]);
    let mut changed = content.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let changed = stores.write("changed.jks", changed);
    let jceks = stores.write("jceks.jks", [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2]);
    for (path, password, words) in [
        (&trusted, "n0tthis", "is a JKS store that its password does not open: the password is wrong, or"),
        (&cut, "storepass", "is a JKS store that is cut off or damaged"),
        (&changed, "storepass", "or the store was changed since"),
        (&jceks, "storepass", "is a JCEKS store, which only Java reads / convert it: `keytool -importkeystore"),
    ] {
        let told =
            run(&url, json!({ "https.ssl.truststore.location": path, "https.ssl.truststore.password": password }));
        assert!(told.starts_with("property `https.ssl.truststore.location`") && told.contains(words), "{told}");
        assert!(!told.contains(password), "{told}");
    }
}

#[test]
fn a_server_that_wants_a_certificate_gets_one_of_a_store_of_javas() {
    let stores = Keytool::in_scratch();
    if stores.is_missing("a_server_that_wants_a_certificate_gets_one_of_a_store_of_javas") {
        return;
    }
    let (servers, clients) = (Authority::new(), Authority::new());
    let url = format!("https://localhost:{}", serve(&servers.sign("localhost"), Some(&clients)));
    let client = clients.sign("client");
    let same = stores.identity(&client, "storepass", "storepass", "same.jks");
    let own = stores.identity(&client, "storepass", "keypass", "own.jks");
    let trusting = |more: Value| {
        let mut all = json!({ "https.ssl.truststore.certificates": servers.pem() });
        with(&mut all, more);
        run(&url, all)
    };
    for more in [
        json!({ "https.ssl.keystore.location": same, "https.ssl.keystore.password": "storepass" }),
        json!({ "https.ssl.keystorefile": base64_of(&same), "https.ssl.keystore.password": "storepass" }),
        json!({ "https.ssl.keystore.location": own, "https.ssl.keystore.password": "storepass",
                "https.ssl.key.password": "keypass" }),
        json!({ "https.ssl.keystore.location": own, "https.ssl.key.password": "keypass" }),
    ] {
        assert_eq!(trusting(more.clone()), "", "{more}");
    }
    let closed = trusting(json!({ "https.ssl.keystore.location": own, "https.ssl.keystore.password": "storepass" }));
    let hint = "holds a private key that the password does not open / set `https.ssl.key.password`";
    assert!(closed.contains(hint), "{closed}");
    let trusted = stores.trust(&servers, "storepass", "trust.jks");
    let keyless =
        trusting(json!({ "https.ssl.keystore.location": trusted, "https.ssl.keystore.password": "storepass" }));
    assert!(keyless.contains("holds no private key"), "{keyless}");
}

#[test]
fn kafka_is_reached_with_stores_of_javas() {
    let stores = Keytool::in_scratch();
    if stores.is_missing("kafka_is_reached_with_stores_of_javas") {
        return;
    }
    let (brokers, clients) = (Authority::new(), Authority::new());
    let broker = stores.identity(&brokers.sign("localhost"), "storepass", "storepass", "broker.jks");
    let trusted = stores.trust(&brokers, "storepass", "trust.jks");
    let trusted_clients = stores.trust(&clients, "storepass", "clients.jks");
    let Some(kafka) = OwnKafka::start_tls(&broker, &trusted_clients, "storepass").unwrap() else { return };

    let client = stores.identity(&clients.sign("client"), "storepass", "keypass", "client.jks");
    let records: Vec<_> = (0..5).map(|id| json!({ "id": id })).collect();
    let api = PagedApi::start("/items", "id", &records, 10).unwrap();
    let run = |more: Value| {
        let name = unique_name("stores");
        let mut config = json!({
            "name": name,
            "bootstrap.servers": kafka.guarded().replace("127.0.0.1", "localhost"),
            "security.protocol": "SSL",
            "ssl.truststore.location": trusted,
            "ssl.truststore.password": "storepass",
            "ssl.truststore.type": "JKS",
            "http.api.base.url": api.url(),
            "api1.http.api.path": "/items",
            "api1.topics": name,
            "output.data.format": "JSON",
            "exactly.once.support": "required",
        });
        with(&mut config, more);
        let path = stores.write("source.json", config.to_string());
        let output = Command::new(headwater().unwrap()).args(["run", "--once", &path]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("storepass") && !said.contains("keypass") && !said.contains("PRIVATE KEY"), "{said}");
        let read = consume(kafka.bootstrap(), &name, Isolation::ReadCommitted).unwrap_or_default();
        (output.status.code(), read.len(), said)
    };
    let p12 = stores.path("client.jks.p12");
    for more in [
        json!({ "ssl.keystore.location": client, "ssl.keystore.password": "storepass", "ssl.key.password": "keypass" }),
        json!({ "ssl.keystore.location": p12, "ssl.keystore.password": "changeit", "ssl.keystore.type": "PKCS12" }),
    ] {
        let (code, records, said) = run(more);
        assert_eq!((code, records), (Some(0), 5), "{said}");
    }
    let (code, _, said) = run(json!({ "ssl.keystore.location": client, "ssl.keystore.password": "storepass" }));
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("property `ssl.keystore.location` holds a private key that the password does not open"),
        "{said}"
    );
    assert!(said.contains("hint: set `ssl.key.password`"), "{said}");
    let (code, _, said) = run(json!({ "ssl.truststore.password": "wr0ng" }));
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("property `ssl.truststore.location` is a JKS store that its password does not open"),
        "{said}"
    );
}
