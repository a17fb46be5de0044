//! Delivery: transactions, the offsets topic, and the topics that are created.

use std::time::Duration;

use super::kind::{Kind, REPLICATION, TOPIC, bytes, count, millis};
use super::property::{Property, properties};
use super::reader::Reader;
use crate::memory::Memory;

/// Whether records and positions are written in transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactlyOnce {
    /// They are, or the connector does not start.
    Required,
    /// They are where the broker can.
    Requested,
    /// They are not: after a crash, records may be there twice.
    Disabled,
}

/// When a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// With the pages that have been read.
    Poll,
    /// When it has been open for so long.
    Interval(Duration),
}

/// How records are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whether in transactions.
    pub exactly_once: ExactlyOnce,
    /// When a transaction ends.
    pub boundary: Boundary,
}

/// How a topic is made if it does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicCreation {
    /// Its partitions.
    pub partitions: u32,
    /// How often each is kept. `None`: as the broker is configured to.
    pub replication: Option<u16>,
}

/// The topic that positions are kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetsTopic {
    /// Its name.
    pub name: String,
    /// How it is made if it does not exist.
    pub creation: TopicCreation,
}

#[derive(Clone, Copy)]
enum BoundaryKind {
    Poll,
    Interval,
}

properties! {
    EXACTLY_ONCE: ExactlyOnce = Property::new(
        "exactly.once.support",
        Kind::OneOf(&[
            ("required", ExactlyOnce::Required),
            ("requested", ExactlyOnce::Requested),
            ("disabled", ExactlyOnce::Disabled),
        ]),
        "Whether records and positions are written in one transaction: always, or the connector does not start; \
         where the broker can; or never.",
    ).default("requested");
    BOUNDARY: BoundaryKind = Property::new(
        "transaction.boundary",
        Kind::OneOf(&[("poll", BoundaryKind::Poll), ("interval", BoundaryKind::Interval)]),
        "When a transaction ends: with the pages that have been read, or after a while.",
    ).default("poll").low();
    // A transaction may be open for a minute before the broker ends it.
    BOUNDARY_INTERVAL: Duration = Property::new(
        "transaction.boundary.interval.ms",
        millis(1, 30_000),
        "How long a transaction stays open, in milliseconds, for `transaction.boundary=interval`.",
    ).default("1000").low();
    MEMORY: Memory = Property::new(
        "memory.max.bytes",
        bytes(8 << 20),
        "How much memory may be taken by what is on its way from the APIs to Kafka, in bytes: responses, records, and the \
         producer's queue. A quarter, at most 16 MiB, is for the queue; a quarter for responses of up to a 256th, which are \
         read side by side, so that 16 requests at most are under way; the rest for larger ones, which are read one after the other, in parts of a 16th. What \
         cannot be cut into parts, such as a single record, may be as large as an 8th.",
    ).default("268435456");
    OFFSETS_TOPIC: String = Property::new(
        "offset.storage.topic",
        TOPIC,
        "The compacted topic that positions are kept in.",
    ).derived("`headwater-<name>-offsets`");
    OFFSETS_PARTITIONS: u32 = Property::new(
        "offset.storage.partitions",
        count(1, 10_000),
        "Partitions of the offsets topic, if it is created.",
    ).default("16").low();
    OFFSETS_REPLICATION: Option<u16> = Property::new(
        "offset.storage.replication.factor",
        REPLICATION,
        "Replicas of the offsets topic, if it is created; -1: the broker's default.",
    ).default("-1");
    DEAD_LETTERS: String = Property::new(
        "errors.deadletterqueue.topic.name",
        TOPIC,
        "The topic of what stands among the records and is none: its bytes as they were sent, and in headers why.",
    ).derived("`dlq-<name>`").low();
    PARTITIONS: u32 = Property::new(
        "topic.creation.default.partitions",
        count(1, 10_000),
        "Partitions of a records' topic, if it is created.",
    ).default("1");
    TOPIC_REPLICATION: Option<u16> = Property::new(
        "topic.creation.default.replication.factor",
        REPLICATION,
        "Replicas of a records' topic, if it is created; -1: the broker's default.",
    ).default("-1");
}

/// Reads how records are delivered.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Delivery> {
    let exactly_once = reader.get(&EXACTLY_ONCE);
    let boundary = reader.get(&BOUNDARY);
    let interval = reader.get(&BOUNDARY_INTERVAL);
    let boundary = match boundary? {
        BoundaryKind::Poll => Boundary::Poll,
        BoundaryKind::Interval => Boundary::Interval(interval?),
    };
    Some(Delivery { exactly_once: exactly_once?, boundary })
}

/// Reads how much memory may be taken.
pub(super) fn read_memory(reader: &mut Reader<'_>) -> Option<Memory> {
    reader.get(&MEMORY)
}

/// Reads where positions are kept, for a connector of this name.
pub(super) fn read_offsets(reader: &mut Reader<'_>, name: Option<&str>) -> Option<OffsetsTopic> {
    let topic = reader.get(&OFFSETS_TOPIC);
    let creation = read_creation(reader, &OFFSETS_PARTITIONS, &OFFSETS_REPLICATION);
    let topic = match topic {
        Some(topic) => topic,
        None if reader.is_set(&OFFSETS_TOPIC) => return None,
        None => format!("headwater-{}-offsets", name?),
    };
    Some(OffsetsTopic { name: topic, creation: creation? })
}

/// Reads where what is no record goes, for a connector of this name.
pub(super) fn read_dead_letters(reader: &mut Reader<'_>, name: Option<&str>) -> Option<String> {
    match reader.get(&DEAD_LETTERS) {
        Some(topic) => Some(topic),
        None if reader.is_set(&DEAD_LETTERS) => None,
        None => Some(format!("dlq-{}", name?)),
    }
}

/// Reads how the records' topics are made.
pub(super) fn read_topics(reader: &mut Reader<'_>) -> Option<TopicCreation> {
    read_creation(reader, &PARTITIONS, &TOPIC_REPLICATION)
}

fn read_creation(
    reader: &mut Reader<'_>,
    partitions: &Property<u32>,
    replication: &Property<Option<u16>>,
) -> Option<TopicCreation> {
    let (partitions, replication) = (reader.get(partitions), reader.get(replication));
    Some(TopicCreation { partitions: partitions?, replication: replication? })
}
