//! How the clients are configured.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::secret::Secret;

/// What the user configured of Kafka. Property names are librdkafka's; see its `CONFIGURATION.md`.
#[derive(Clone, Debug, Default)]
pub struct KafkaSettings {
    /// Brokers to ask for the others, as `host:port`, separated by commas.
    pub bootstrap_servers: String,
    /// Properties of every client, such as `security.protocol`.
    pub client: Vec<(String, Secret)>,
    /// Properties of producers. They override `client` and this room's defaults, but not what delivery depends on.
    pub producer: Vec<(String, Secret)>,
    /// Properties of consumers. They override `client`.
    pub consumer: Vec<(String, Secret)>,
    /// How instances share the work.
    pub group: GroupSettings,
}

/// How an instance is a member of the consumer group of its connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    /// The protocol.
    pub protocol: GroupProtocol,
    /// Names a static member (KIP-345).
    pub instance_id: Option<String>,
}

/// How the members of a consumer group agree on who has what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupProtocol {
    /// One of the members assigns: `cooperative-sticky` (KIP-429).
    #[default]
    Classic,
    /// The broker assigns (KIP-848).
    Consumer,
}

/// How long a member may be silent before its partitions are given to others, unless `session.timeout.ms` says otherwise: the
/// least that brokers take by default, because it is also how long the only instance waits for itself when it was killed.
const SESSION_TIMEOUT: &str = "6000";

/// Defaults of producers, chosen by measurement: memory stays bounded, and batches are large enough that the broker's
/// round trips do not matter. The partitioner is the one of Kafka's own clients, so that a key lands in the same
/// partition whoever writes it.
const PRODUCER_DEFAULTS: [(&str, &str); 6] = [
    ("queue.buffering.max.kbytes", "16384"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.ms", "5"),
    ("batch.size", "1000000"),
    ("compression.codec", "none"),
    ("partitioner", "murmur2_random"),
];

/// How large a record may be unless `message.max.bytes` says otherwise.
const MAX_RECORD: usize = 1_000_000;

impl KafkaSettings {
    /// The same for each of several producers, which share the memory that one would have: at least enough for the largest
    /// record.
    pub(crate) fn shared_by(&self, producers: usize) -> Self {
        let (mut settings, config) = (self.clone(), self.producer());
        let number = |name| config.get(name).and_then(|value| value.parse::<usize>().ok());
        let record = number("message.max.bytes").unwrap_or(MAX_RECORD);
        for (name, least) in
            [("queue.buffering.max.kbytes", record.div_ceil(1 << 10) + 1), ("queue.buffering.max.messages", 1)]
        {
            // What is no number librdkafka refuses.
            if let Some(whole) = number(name) {
                let share = (whole / producers.max(1)).max(least.min(whole));
                settings.producer.push((name.to_owned(), Secret::new(share.to_string())));
            }
        }
        settings
    }

    /// A producer's configuration.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.base();
        for (name, value) in PRODUCER_DEFAULTS {
            config.set(name, value);
        }
        set_all(&mut config, &self.client);
        set_all(&mut config, &self.producer);
        config.set("enable.idempotence", "true");
        // In a transaction the commit is the acknowledgement, and a record that failed makes it fail: an event for
        // each record that arrived would only cost time.
        config.set("delivery.report.only.error", "true");
        config
    }

    /// A producer's configuration, with transactions.
    pub(super) fn transactional_producer(&self, transactional_id: &str, timeout: Duration) -> ClientConfig {
        let mut config = self.producer();
        config.set("transactional.id", transactional_id);
        config.set("transaction.timeout.ms", timeout.as_millis().to_string());
        config
    }

    /// The configuration of a consumer that reads given partitions from their beginning to their end.
    pub(super) fn consumer(&self) -> ClientConfig {
        let mut config = self.base();
        // librdkafka assigns partitions only within a group. Nothing joins it and nothing is committed to it.
        config.set("group.id", "headwater-reader");
        // At the end of a partition the broker would wait half a second for more before it says so.
        config.set("fetch.wait.max.ms", "10");
        set_all(&mut config, &self.client);
        set_all(&mut config, &self.consumer);
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("enable.partition.eof", "true");
        config.set("isolation.level", "read_committed");
        config.set("auto.offset.reset", "earliest");
        config
    }

    /// The configuration of a member of a consumer group, which reads nothing.
    pub(super) fn member(&self, group: &str) -> ClientConfig {
        let mut config = self.base();
        if self.group.protocol == GroupProtocol::Classic {
            config.set("session.timeout.ms", SESSION_TIMEOUT);
        }
        set_all(&mut config, &self.client);
        set_all(&mut config, &self.consumer);
        config.set("group.id", group);
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        match self.group.protocol {
            GroupProtocol::Classic => {
                config.set("partition.assignment.strategy", "cooperative-sticky");
                // Three heartbeats are to be missed, not one.
                let session = config.get("session.timeout.ms").and_then(|value| value.parse::<u32>().ok());
                if let (Some(session), None) = (session, config.get("heartbeat.interval.ms")) {
                    config.set("heartbeat.interval.ms", (session / 3).max(1).to_string());
                }
            }
            GroupProtocol::Consumer => drop(config.set("group.protocol", "consumer")),
        }
        if let Some(instance) = &self.group.instance_id {
            config.set("group.instance.id", instance);
        }
        config
    }

    /// The configuration of a client that only asks about topics or changes them.
    pub(super) fn admin(&self) -> ClientConfig {
        let mut config = self.base();
        set_all(&mut config, &self.client);
        config
    }

    fn base(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap_servers);
        config.set("client.id", "headwater");
        // Brokers close idle connections; that is no news.
        config.set("log.connection.close", "false");
        // Whether it is shown is up to `tracing`.
        config.set_log_level(RDKafkaLogLevel::Debug);
        config
    }
}

fn set_all(config: &mut ClientConfig, properties: &[(String, Secret)]) {
    for (name, value) in properties {
        config.set(canonical(name), value.expose());
    }
}

/// librdkafka's own name of a property that has two and a default of ours: of two names, either could win.
fn canonical(name: &str) -> &str {
    match name {
        "linger.ms" => "queue.buffering.max.ms",
        "compression.type" => "compression.codec",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Vec<(String, Secret)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
    }

    #[test]
    fn the_user_overrides_defaults_but_not_what_delivery_depends_on() {
        let settings = KafkaSettings {
            bootstrap_servers: "kafka:9092".to_owned(),
            client: properties(&[("client.id", "mine"), ("batch.size", "1")]),
            producer: properties(&[
                ("linger.ms", "50"),
                ("compression.type", "zstd"),
                ("batch.size", "2"),
                ("enable.idempotence", "false"),
                ("transactional.id", "other"),
            ]),
            consumer: properties(&[
                ("group.id", "readers"),
                ("isolation.level", "read_uncommitted"),
                ("session.timeout.ms", "9000"),
            ]),
            group: GroupSettings { protocol: GroupProtocol::Classic, instance_id: Some("a".to_owned()) },
        };
        let producer = settings.transactional_producer("name", Duration::from_secs(60));
        assert_eq!(producer.get("bootstrap.servers"), Some("kafka:9092"));
        assert_eq!(producer.get("client.id"), Some("mine"));
        assert_eq!(producer.get("queue.buffering.max.ms"), Some("50"));
        assert_eq!(producer.get("linger.ms"), None);
        assert_eq!(producer.get("compression.codec"), Some("zstd"));
        assert_eq!(producer.get("batch.size"), Some("2"));
        assert_eq!(producer.get("enable.idempotence"), Some("true"));
        assert_eq!(producer.get("transactional.id"), Some("name"));
        assert_eq!(producer.get("transaction.timeout.ms"), Some("60000"));
        let consumer = settings.consumer();
        assert_eq!(consumer.get("group.id"), Some("readers"));
        assert_eq!(consumer.get("isolation.level"), Some("read_committed"));
        let member = settings.member("headwater-orders");
        for (name, value) in [
            ("group.id", "headwater-orders"),
            ("session.timeout.ms", "9000"),
            ("heartbeat.interval.ms", "3000"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("group.instance.id", "a"),
        ] {
            assert_eq!(member.get(name), Some(value), "{name}");
        }
        let group = GroupSettings { protocol: GroupProtocol::Consumer, instance_id: None };
        let member = KafkaSettings { consumer: Vec::new(), group, ..settings }.member("headwater-orders");
        assert_eq!(member.get("group.protocol"), Some("consumer"));
        assert_eq!(member.get("session.timeout.ms"), None, "it is the broker's");
    }

    #[test]
    fn producers_share_the_memory_of_one() {
        let settings = KafkaSettings {
            producer: properties(&[("queue.buffering.max.kbytes", "16384"), ("message.max.bytes", "2000000")]),
            ..KafkaSettings::default()
        };
        let shares = |producers| {
            let config = settings.shared_by(producers).producer();
            ["queue.buffering.max.kbytes", "queue.buffering.max.messages"]
                .map(|name| config.get(name).unwrap().parse::<u32>().unwrap())
        };
        assert_eq!(shares(1), [16_384, 100_000]);
        assert_eq!(shares(4), [4_096, 25_000]);
        assert_eq!(shares(16), [1_955, 6_250]);
    }
}
