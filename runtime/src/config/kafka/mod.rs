//! Kafka: where it is, and how clients authenticate. Properties have the names of Kafka's own clients; what is read has
//! librdkafka's.

mod group;
mod jaas;
mod overrides;
mod ssl;

use super::kind::{Kind, TEXT};
use super::property::{AnyProperty, Property, properties};
use super::reader::Reader;
use crate::kafka::KafkaSettings;
use crate::memory::Memory;
use crate::secret::Secret;
use jaas::LoginModule;

/// How clients talk to brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    fn is_ssl(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// The word for it in librdkafka.
    fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }
}

/// How SASL authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

impl Mechanism {
    fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }

    fn login_module(self) -> LoginModule {
        match self {
            Self::Plain => LoginModule::Plain,
            Self::ScramSha256 | Self::ScramSha512 => LoginModule::Scram,
        }
    }
}

properties! {
    BOOTSTRAP_SERVERS: String = Property::new(
        "bootstrap.servers",
        TEXT,
        "Kafka brokers to ask for the others, as `host:port`, separated by commas. Not needed with `--dev`.",
    ).required();
    SECURITY_PROTOCOL: Protocol = Property::new(
        "security.protocol",
        Kind::OneOf(&[
            ("PLAINTEXT", Protocol::Plaintext),
            ("SSL", Protocol::Ssl),
            ("SASL_PLAINTEXT", Protocol::SaslPlaintext),
            ("SASL_SSL", Protocol::SaslSsl),
        ]),
        "How to talk to brokers.",
    ).derived("`SASL_SSL` with `kafka.api.key`, `PLAINTEXT` otherwise");
    SASL_MECHANISM: Mechanism = Property::new(
        "sasl.mechanism",
        Kind::OneOf(&[
            ("PLAIN", Mechanism::Plain),
            ("SCRAM-SHA-256", Mechanism::ScramSha256),
            ("SCRAM-SHA-512", Mechanism::ScramSha512),
        ]),
        "How to authenticate to brokers by SASL.",
    ).derived("`PLAIN` with `kafka.api.key`");
    SASL_JAAS_CONFIG: Secret = Property::secret(
        "sasl.jaas.config",
        "User and password for SASL, as Java's clients write them: \
         `org.apache.kafka.common.security.plain.PlainLoginModule required username=\"…\" password=\"…\";`, or with \
         `org.apache.kafka.common.security.scram.ScramLoginModule`.",
    );
    API_KEY: String = Property::new(
        "kafka.api.key",
        TEXT,
        "The key of Confluent Cloud: short for SASL_SSL, PLAIN, and the key as the user.",
    );
    API_SECRET: Secret = Property::secret("kafka.api.secret", "The secret that belongs to `kafka.api.key`.");
}

/// All properties of Kafka's clients, in the order of the documentation.
pub(super) fn properties() -> impl Iterator<Item = &'static dyn AnyProperty> {
    PROPERTIES.iter().chain(ssl::PROPERTIES).chain(group::PROPERTIES).chain(overrides::PROPERTIES).copied()
}

/// Reads what the user says of Kafka.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<KafkaSettings> {
    let bootstrap_servers = reader.get(&BOOTSTRAP_SERVERS);
    let client = read_security(reader);
    let group = group::read(reader);
    let overrides = overrides::read(reader);
    Some(KafkaSettings {
        bootstrap_servers: bootstrap_servers?,
        client: client?,
        producer: overrides.producer,
        consumer: overrides.consumer,
        group: group?,
    })
}

/// What the user says of Kafka that also holds for an embedded broker, which takes no authentication.
pub(super) fn read_embedded(reader: &mut Reader<'_>, bootstrap_servers: String) -> KafkaSettings {
    let group = group::read(reader).unwrap_or_default();
    let overrides = overrides::read(reader);
    let (producer, consumer) = (overrides.producer, overrides.consumer);
    KafkaSettings { bootstrap_servers, client: Vec::new(), producer, consumer, group }
}

/// The same with a producer's queue that stays within its share of the memory, unless the user says otherwise.
pub(super) fn within(mut kafka: KafkaSettings, memory: Memory) -> KafkaSettings {
    /// What librdkafka keeps of a message besides its key and value is in the order of this.
    const MESSAGE: usize = 160;
    let queue = memory.queue();
    if queue < Memory::default().queue() {
        let bounds = [("queue.buffering.max.kbytes", queue >> 10), ("queue.buffering.max.messages", queue / MESSAGE)];
        let bounds = bounds.map(|(name, value)| (name.to_owned(), Secret::new(value.to_string())));
        kafka.producer.splice(0..0, bounds);
    }
    kafka
}

fn read_security(reader: &mut Reader<'_>) -> Option<Vec<(String, Secret)>> {
    let with_key = reader.is_set(&API_KEY) || reader.is_set(&API_SECRET);
    let protocol = match reader.get(&SECURITY_PROTOCOL) {
        Some(protocol) => protocol,
        None if reader.is_set(&SECURITY_PROTOCOL) => return None,
        None if with_key => Protocol::SaslSsl,
        None => Protocol::Plaintext,
    };
    let mut client = vec![("security.protocol".to_owned(), Secret::new(protocol.as_str()))];
    if with_key {
        client.extend(read_key(reader, protocol)?);
    } else if protocol.is_sasl() {
        client.extend(read_jaas(reader)?);
    } else if let Some(property) = reader.first_set(&[&SASL_MECHANISM, &SASL_JAAS_CONFIG]) {
        let hint = "set `security.protocol` to `SASL_SSL` or `SASL_PLAINTEXT`".to_owned();
        reader.conflict(property, "has no effect without SASL", Some(hint));
    }
    if protocol.is_ssl() {
        client.extend(ssl::read(reader));
    } else if let Some(property) = reader.first_set(ssl::PROPERTIES) {
        let hint = "set `security.protocol` to `SSL` or `SASL_SSL`".to_owned();
        reader.conflict(property, "has no effect without TLS", Some(hint));
    }
    Some(client)
}

/// Reads a key of Confluent Cloud.
fn read_key(reader: &mut Reader<'_>, protocol: Protocol) -> Option<Vec<(String, Secret)>> {
    let key = reader.require(&API_KEY, "it is needed because `kafka.api.secret` is set");
    let secret = reader.require(&API_SECRET, "it is needed because `kafka.api.key` is set");
    if !protocol.is_sasl() {
        let name = SECURITY_PROTOCOL.name();
        reader.invalid(name, "`SASL_SSL`, which `kafka.api.key` stands for", Some(format!("leave `{name}` out")));
    }
    if let Some(property) = reader.first_set(&[&SASL_JAAS_CONFIG, &SASL_MECHANISM]) {
        let reason = "is set beside `kafka.api.key`, which stands for the same";
        reader.conflict(property, reason, Some("set only one of them".to_owned()));
    }
    Some(sasl(Mechanism::Plain, key?, secret?))
}

fn read_jaas(reader: &mut Reader<'_>) -> Option<Vec<(String, Secret)>> {
    let reason = "it is needed because `security.protocol` asks for SASL";
    let mechanism = reader.require(&SASL_MECHANISM, reason);
    let login = reader.require(&SASL_JAAS_CONFIG, reason).map(|text| jaas::parse(text.expose()));
    let name = SASL_JAAS_CONFIG.name();
    let login = match login? {
        Ok(login) => login,
        Err(error) => {
            reader.conflict(name, error.to_string(), None);
            return None;
        }
    };
    let mechanism = mechanism?;
    if login.module != mechanism.login_module() {
        let reason = format!("names another login module than `{}` takes", mechanism.as_str());
        reader.conflict(name, reason, Some(format!("use `{}`", mechanism.login_module().class())));
        return None;
    }
    Some(sasl(mechanism, login.user, login.password))
}

fn sasl(mechanism: Mechanism, user: String, password: Secret) -> Vec<(String, Secret)> {
    vec![
        ("sasl.mechanisms".to_owned(), Secret::new(mechanism.as_str())),
        ("sasl.username".to_owned(), Secret::new(user)),
        ("sasl.password".to_owned(), password),
    ]
}
