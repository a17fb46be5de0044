//! TLS towards brokers: from the stores of Java's clients to librdkafka, which reads PEM: files of it by their names, and other
//! stores as texts in memory.

use crate::config::kind::{Kind, TEXT};
use crate::config::property::{Property, properties};
use crate::config::reader::Reader;
use crate::config::store;
use crate::keystore::{self, ClientCertificate, Passwords, StoreError, TrustStore};
use crate::secret::Secret;

/// How the broker's name is compared to its certificate. The text is librdkafka's word.
const IDENTIFICATION: Kind<&str> = Kind::OneOf(&[("https", "https"), ("none", "none"), ("", "none")]);

properties! {
    TRUSTSTORE_LOCATION: String = Property::new(
        "ssl.truststore.location",
        TEXT,
        "File with the certificates of the authorities that brokers' certificates are checked by: a JKS or PKCS #12 store, or \
         PEM. The system's own are used if there is none.",
    );
    TRUSTSTORE_TYPE: () = Property::new("ssl.truststore.type", store::TYPE, store::SEEN).default("JKS").low();
    TRUSTSTORE_CERTIFICATES: String = Property::new(
        "ssl.truststore.certificates",
        TEXT,
        "The authorities' certificates themselves (PEM), instead of a file.",
    ).low();
    TRUSTSTORE_PASSWORD: Secret = Property::secret(
        "ssl.truststore.password",
        "The password of that store. A JKS store is read without one, too; then nothing tells whether it is as it was written.",
    ).low();
    KEYSTORE_LOCATION: String = Property::new(
        "ssl.keystore.location",
        TEXT,
        "File with the client's certificate and private key, for brokers that ask for one: a JKS or PKCS #12 store, or PEM.",
    );
    KEYSTORE_TYPE: () = Property::new("ssl.keystore.type", store::TYPE, store::SEEN).default("JKS").low();
    KEYSTORE_PASSWORD: Secret = Property::secret("ssl.keystore.password", "The password of the key store.");
    KEYSTORE_CERTIFICATES: String = Property::new(
        "ssl.keystore.certificate.chain",
        TEXT,
        "The client's certificate itself, and those that lead to its authority (PEM), instead of a file.",
    ).low();
    KEYSTORE_KEY: Secret = Property::secret(
        "ssl.keystore.key",
        "The client's private key itself (PEM, PKCS #8), instead of a file.",
    ).low();
    KEY_PASSWORD: Secret = Property::secret(
        "ssl.key.password",
        "The password of the private key, if it is not that of the store. A PKCS #12 store has one password for all.",
    );
    ENDPOINT_IDENTIFICATION: &'static str = Property::new(
        "ssl.endpoint.identification.algorithm",
        IDENTIFICATION,
        "Whether a broker's name must be in its certificate: `https`, or not: `none` or empty.",
    ).default("https").low();
}

/// Reads the properties that librdkafka takes.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<(String, Secret)> {
    let mut client = Vec::new();
    read_truststore(reader, &mut client);
    read_keystore(reader, &mut client);
    let identification = reader.get(&ENDPOINT_IDENTIFICATION);
    set(&mut client, "ssl.endpoint.identification.algorithm", identification.map(Secret::new));
    client
}

fn set(client: &mut Vec<(String, Secret)>, name: &str, value: Option<Secret>) {
    client.extend(value.map(|value| (name.to_owned(), value)));
}

fn read_truststore(reader: &mut Reader<'_>, client: &mut Vec<(String, Secret)>) {
    let password = reader.get(&TRUSTSTORE_PASSWORD);
    reader.get(&TRUSTSTORE_TYPE);
    set(client, "ssl.ca.pem", reader.get(&TRUSTSTORE_CERTIFICATES).map(Secret::new));
    let Some((path, content)) = read_store(reader, &TRUSTSTORE_LOCATION) else { return };
    if keystore::is_pem(&content) {
        set(client, "ssl.ca.location", Some(Secret::new(path)));
        return;
    }
    match TrustStore::read(&content, password.as_ref()) {
        Ok(store) => set(client, "ssl.ca.pem", Some(Secret::new(store.pem()))),
        Err(error) => refuse(reader, &TRUSTSTORE_LOCATION, &error),
    }
}

fn read_keystore(reader: &mut Reader<'_>, client: &mut Vec<(String, Secret)>) {
    let (password, key_password) = (reader.get(&KEYSTORE_PASSWORD), reader.get(&KEY_PASSWORD));
    reader.get(&KEYSTORE_TYPE);
    set(client, "ssl.certificate.pem", reader.get(&KEYSTORE_CERTIFICATES).map(Secret::new));
    set(client, "ssl.key.pem", reader.get(&KEYSTORE_KEY));
    let store = read_store(reader, &KEYSTORE_LOCATION);
    if let Some((_, content)) = &store
        && !keystore::is_pem(content)
    {
        let passwords = Passwords { store: password.as_ref(), key: key_password.as_ref() };
        match ClientCertificate::read(content, passwords) {
            Ok(store) => {
                set(client, "ssl.certificate.pem", Some(Secret::new(store.certificates())));
                set(client, "ssl.key.pem", Some(store.key().clone()));
            }
            Err(error) => refuse(reader, &KEYSTORE_LOCATION, &error),
        }
        return;
    }
    if let Some((path, _)) = store {
        // One file holds both.
        set(client, "ssl.certificate.location", Some(Secret::new(path.as_str())));
        set(client, "ssl.key.location", Some(Secret::new(path)));
    }
    set(client, "ssl.key.password", key_password);
}

fn refuse(reader: &mut Reader<'_>, location: &Property<String>, error: &StoreError) {
    reader.conflict(location.name(), error.to_string(), store::hint(error, Some(KEY_PASSWORD.name())));
}

/// Reads where a store is, and what it holds.
fn read_store(reader: &mut Reader<'_>, location: &Property<String>) -> Option<(String, Vec<u8>)> {
    let path = reader.get(location)?;
    match std::fs::read(&path) {
        Ok(content) => Some((path, content)),
        Err(error) => {
            reader.conflict(location.name(), format!("names a file that cannot be read: {error}"), None);
            None
        }
    }
}
