//! Properties of producers and consumers that are passed on: from the names of Kafka's own clients to librdkafka's.

use crate::config::kind::TEXT;
use crate::config::property::{Property, properties};
use crate::config::reader::Reader;
use crate::secret::Secret;

properties! {
    PRODUCER: String = Property::new(
        "producer.override.",
        TEXT,
        "A property of the Kafka producer, by Kafka's or librdkafka's name, such as `producer.override.linger.ms`.",
    ).family().low();
    CONSUMER: String = Property::new(
        "consumer.override.",
        TEXT,
        "A property of the Kafka consumers that restore positions and are a member of the group, by Kafka's or librdkafka's \
         name, such as `consumer.override.session.timeout.ms`: how long an instance may be silent before others take over \
         its streams, 6000 if nothing is said; with `group.protocol=consumer` the brokers say it.",
    ).family().low();
}

/// What is passed on.
pub(super) struct Overrides {
    pub(super) producer: Vec<(String, Secret)>,
    pub(super) consumer: Vec<(String, Secret)>,
}

/// Reads what is passed on.
pub(super) fn read(reader: &mut Reader<'_>) -> Overrides {
    Overrides {
        producer: read_family(reader, &PRODUCER, producer_property),
        consumer: read_family(reader, &CONSUMER, consumer_property),
    }
}

/// What becomes of a property.
enum Translation {
    /// librdkafka has it by this name.
    Name(&'static str),
    /// librdkafka has it by this name, in KiB rather than bytes.
    Kibibytes(&'static str),
    /// It is the connector's own business.
    Reserved,
    /// Nothing in librdkafka is like it.
    None,
    /// librdkafka has it by the same name, or says that it has not.
    Same,
}

/// Producer properties (`org.apache.kafka.clients.producer.ProducerConfig`) whose names differ.
fn producer_property(name: &str) -> Translation {
    match name {
        "max.request.size" => Translation::Name("message.max.bytes"),
        "buffer.memory" => Translation::Kibibytes("queue.buffering.max.kbytes"),
        "transactional.id" | "enable.idempotence" => Translation::Reserved,
        "max.block.ms" | "partitioner.class" | "partitioner.ignore.keys" | "key.serializer" | "value.serializer" => {
            Translation::None
        }
        other => client_property(other),
    }
}

/// Consumer properties (`org.apache.kafka.clients.consumer.ConsumerConfig`) whose names differ.
fn consumer_property(name: &str) -> Translation {
    match name {
        "fetch.max.wait.ms" => Translation::Name("fetch.wait.max.ms"),
        "request.timeout.ms" => Translation::Name("socket.timeout.ms"),
        "group.id"
        | "group.protocol"
        | "group.instance.id"
        | "partition.assignment.strategy"
        | "isolation.level"
        | "enable.auto.commit"
        | "auto.offset.reset" => Translation::Reserved,
        "max.poll.records" | "default.api.timeout.ms" | "key.deserializer" | "value.deserializer" => Translation::None,
        other => client_property(other),
    }
}

/// Properties of both whose names differ.
fn client_property(name: &str) -> Translation {
    match name {
        "send.buffer.bytes" => Translation::Name("socket.send.buffer.bytes"),
        "receive.buffer.bytes" => Translation::Name("socket.receive.buffer.bytes"),
        "bootstrap.servers" | "security.protocol" => Translation::Reserved,
        other if other.starts_with("sasl.") || other.starts_with("ssl.") => Translation::Reserved,
        "interceptor.classes" | "metric.reporters" | "metrics.sample.window.ms" => Translation::None,
        _ => Translation::Same,
    }
}

fn read_family(
    reader: &mut Reader<'_>,
    family: &Property<String>,
    translate: fn(&str) -> Translation,
) -> Vec<(String, Secret)> {
    let mut properties = Vec::new();
    for (name, value) in reader.family(family) {
        let full = format!("{}{name}", family.name());
        match translate(name) {
            Translation::Name(translated) => properties.push((translated.to_owned(), Secret::new(&value.text))),
            Translation::Same => properties.push((name.to_owned(), Secret::new(&value.text))),
            Translation::Kibibytes(translated) => match value.text.trim().parse::<u64>() {
                Ok(bytes) => {
                    let kibibytes = bytes.div_ceil(1024).max(1).to_string();
                    properties.push((translated.to_owned(), Secret::new(kibibytes)));
                }
                Err(_) => reader.invalid(&full, "a number of bytes", None),
            },
            Translation::Reserved => {
                reader.conflict(
                    &full,
                    "cannot be overridden",
                    Some("the connector sets it for its clients".to_owned()),
                );
            }
            Translation::None => {
                reader.conflict(&full, "has no like in librdkafka, the client that is used here", None);
            }
        }
    }
    properties
}
