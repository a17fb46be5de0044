//! TLS towards brokers: from the stores of Java's clients to the files of librdkafka, which reads PEM, and PKCS #12 for
//! the client's own key.

use std::path::Path;

use crate::config::kind::{Kind, TEXT};
use crate::config::property::{Property, properties};
use crate::config::reader::Reader;
use crate::secret::Secret;

/// What a store's file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoreType {
    Jks,
    Pkcs12,
    Pem,
}

const STORE_TYPE: Kind<StoreType> =
    Kind::OneOf(&[("PEM", StoreType::Pem), ("PKCS12", StoreType::Pkcs12), ("JKS", StoreType::Jks)]);

/// How the broker's name is compared to its certificate. The text is librdkafka's word.
const IDENTIFICATION: Kind<&str> = Kind::OneOf(&[("https", "https"), ("none", "none"), ("", "none")]);

properties! {
    TRUSTSTORE_LOCATION: String = Property::new(
        "ssl.truststore.location",
        TEXT,
        "File with the certificates of the authorities that brokers' certificates are checked by (PEM). The system's \
         own are used if there is none.",
    );
    TRUSTSTORE_TYPE: StoreType = Property::new(
        "ssl.truststore.type",
        STORE_TYPE,
        "What the trust store is; only `PEM` can be read.",
    ).derived("the end of the file's name").low();
    TRUSTSTORE_CERTIFICATES: String = Property::new(
        "ssl.truststore.certificates",
        TEXT,
        "The authorities' certificates themselves (PEM), instead of a file.",
    ).low();
    TRUSTSTORE_PASSWORD: Secret = Property::secret(
        "ssl.truststore.password",
        "Taken and without effect: certificates in PEM have no password.",
    ).low();
    KEYSTORE_LOCATION: String = Property::new(
        "ssl.keystore.location",
        TEXT,
        "File with the client's certificate and private key (PEM or PKCS #12), for brokers that ask for one.",
    );
    KEYSTORE_TYPE: StoreType = Property::new(
        "ssl.keystore.type",
        STORE_TYPE,
        "What the key store is; `PEM` and `PKCS12` can be read.",
    ).derived("the end of the file's name").low();
    KEYSTORE_PASSWORD: Secret = Property::secret("ssl.keystore.password", "The password of a PKCS #12 key store.");
    KEYSTORE_CERTIFICATES: String = Property::new(
        "ssl.keystore.certificate.chain",
        TEXT,
        "The client's certificate itself, and those that lead to its authority (PEM), instead of a file.",
    ).low();
    KEYSTORE_KEY: Secret = Property::secret(
        "ssl.keystore.key",
        "The client's private key itself (PEM, PKCS #8), instead of a file.",
    ).low();
    KEY_PASSWORD: Secret = Property::secret("ssl.key.password", "The password of the private key.");
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
    set(&mut client, "ssl.key.password", reader.get(&KEY_PASSWORD));
    let identification = reader.get(&ENDPOINT_IDENTIFICATION);
    set(&mut client, "ssl.endpoint.identification.algorithm", identification.map(Secret::new));
    client
}

fn set(client: &mut Vec<(String, Secret)>, name: &str, value: Option<Secret>) {
    client.extend(value.map(|value| (name.to_owned(), value)));
}

fn read_truststore(reader: &mut Reader<'_>, client: &mut Vec<(String, Secret)>) {
    reader.get(&TRUSTSTORE_PASSWORD);
    set(client, "ssl.ca.pem", reader.get(&TRUSTSTORE_CERTIFICATES).map(Secret::new));
    let Some((path, store)) = read_store(reader, &TRUSTSTORE_LOCATION, &TRUSTSTORE_TYPE) else { return };
    match store {
        StoreType::Pem => set(client, "ssl.ca.location", Some(Secret::new(path))),
        StoreType::Pkcs12 => {
            let hint = "convert it: `openssl pkcs12 -in STORE -nokeys -out certificates.pem`";
            refuse(reader, TRUSTSTORE_LOCATION.name(), "PKCS #12 trust store", hint);
        }
        StoreType::Jks => refuse(reader, TRUSTSTORE_LOCATION.name(), "JKS trust store", JKS_HINT),
    }
}

fn read_keystore(reader: &mut Reader<'_>, client: &mut Vec<(String, Secret)>) {
    let password = reader.get(&KEYSTORE_PASSWORD);
    set(client, "ssl.certificate.pem", reader.get(&KEYSTORE_CERTIFICATES).map(Secret::new));
    set(client, "ssl.key.pem", reader.get(&KEYSTORE_KEY));
    let Some((path, store)) = read_store(reader, &KEYSTORE_LOCATION, &KEYSTORE_TYPE) else { return };
    match store {
        // One file holds both.
        StoreType::Pem => {
            set(client, "ssl.certificate.location", Some(Secret::new(path.as_str())));
            set(client, "ssl.key.location", Some(Secret::new(path)));
        }
        StoreType::Pkcs12 => {
            set(client, "ssl.keystore.location", Some(Secret::new(path)));
            set(client, "ssl.keystore.password", password);
        }
        StoreType::Jks => refuse(reader, KEYSTORE_LOCATION.name(), "JKS key store", JKS_HINT),
    }
}

const JKS_HINT: &str = "convert it: `keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype \
                        PKCS12`, and a trust store on to PEM: `openssl pkcs12 -in store.p12 -nokeys -out certificates.pem`";

fn refuse(reader: &mut Reader<'_>, location: &str, what: &str, hint: &str) {
    reader.conflict(location, format!("names a {what}, which only Java reads"), Some(hint.to_owned()));
}

/// Reads where a store is and what it is: as configured, or by the end of its file's name.
fn read_store(
    reader: &mut Reader<'_>,
    location: &Property<String>,
    store_type: &Property<StoreType>,
) -> Option<(String, StoreType)> {
    let configured = reader.get(store_type);
    let path = reader.get(location)?;
    if !Path::new(&path).is_file() {
        reader.invalid(location.name(), "a file", None);
        return None;
    }
    let extension = Path::new(&path).extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let by_name = match extension.as_deref() {
        Some("pem" | "crt" | "cer" | "key") => Some(StoreType::Pem),
        Some("p12" | "pfx" | "pkcs12") => Some(StoreType::Pkcs12),
        Some("jks") => Some(StoreType::Jks),
        _ => None,
    };
    if configured.is_none() && by_name.is_none() && !reader.is_set(store_type) {
        let hint = format!("set `{}` to `PEM` or `PKCS12`", store_type.name());
        reader.conflict(location.name(), "does not tell by its name what it is", Some(hint));
    }
    Some((path, configured.or(by_name)?))
}
