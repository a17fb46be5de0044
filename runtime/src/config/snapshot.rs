//! What a cycle writes of what it reads: everything, or what has changed.

use super::delivery::ExactlyOnce;
use super::kind::{Kind, TOPIC, count};
use super::names::api_name;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::flow::SnapshotSettings;

/// What a cycle writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    All,
    Changes,
}

properties! {
    in OF_APIS;

    OUTPUT: Output = Property::new(
        "snapshot.output",
        Kind::OneOf(&[("ALL", Output::All), ("CHANGES", Output::Changes)]),
        "What is written of an API that is read from its beginning in every cycle. ALL: every record. CHANGES: the records that \
         are new or not as they were, and when a cycle has come to its end a tombstone, which is a key without a value, for \
         each record that is not there any more. Every record then needs a key, and delivery transactions. A generated \
         connector does what the annotation `output` says if this is not set.",
    ).per_api().default("ALL");
    MAX_DELETES: u32 = Property::new(
        "snapshot.max.deletes.percent",
        count(0, 100),
        "What share of the records may go in one cycle, in percent, with `snapshot.output=CHANGES`. If more have gone, the \
         cycle deletes nothing and the stream stops, because an API that answers with a part of its list looks the same. Up \
         to 10 may always go, unless none would be left.",
    ).per_api().default("20");
}

properties! {
    in GLOBAL;

    TOPIC_PROPERTY: String = Property::new(
        "snapshot.storage.topic",
        TOPIC,
        "The compacted topic that says what the topics of streams with `snapshot.output=CHANGES` hold, made as the offsets \
         topic is. Without it, everything is written again.",
    ).derived("`headwater-<name>-snapshots`").low();
}

/// Why an operation cannot be read for what changes: it makes slices, or is read in them.
pub(super) const SLICES: &str = "it is read in slices, or other operations are read for its records";

/// Why an operation cannot be read for what changes: it does not read everything.
pub(super) const INCREMENTAL: &str = "a cycle does not read everything, but goes on from the one before";

/// Why an operation cannot be read for what changes: its records cannot be told from each other.
pub(super) const KEYLESS: &str = "its records have no key";

/// Reads what a cycle of one operation writes, which is only what changes if nothing is configured and `writes_changes`;
/// `obstacle` says why it cannot be that, if it cannot.
pub(super) fn read(
    reader: &mut Reader<'_>,
    number: usize,
    writes_changes: bool,
    obstacle: Option<&str>,
) -> Option<Option<SnapshotSettings>> {
    let (mut output, max_deletes) = (reader.get_of(number, &OUTPUT), reader.get_of(number, &MAX_DELETES));
    if writes_changes && !reader.has(&api_name(number, OUTPUT.name())) {
        output = Some(Output::Changes);
    }
    if output? == Output::All {
        return Some(None);
    }
    if let Some(obstacle) = obstacle {
        reader.conflict(&api_name(number, OUTPUT.name()), format!("cannot be `CHANGES`: {obstacle}"), None);
        return None;
    }
    Some(Some(SnapshotSettings { max_deletes: max_deletes? }))
}

/// Tells if only what changes is to be written, and without transactions.
pub(super) fn check_delivery(
    reader: &mut Reader<'_>,
    number: usize,
    snapshot: Option<SnapshotSettings>,
    exactly_once: ExactlyOnce,
) {
    if snapshot.is_some() && exactly_once == ExactlyOnce::Disabled {
        let reason = "cannot be `CHANGES`: without transactions, what the topic holds is not known after a crash";
        reader.conflict(&api_name(number, OUTPUT.name()), reason, Some("leave `exactly.once.support` out".to_owned()));
    }
}

/// Reads the topic that says what the topics hold, for a connector of this name.
pub(super) fn read_topic(reader: &mut Reader<'_>, name: Option<&str>) -> Option<String> {
    match reader.get(&TOPIC_PROPERTY) {
        Some(topic) => Some(topic),
        None if reader.is_set(&TOPIC_PROPERTY) => None,
        None => Some(format!("headwater-{}-snapshots", name?)),
    }
}
