//! How the instances of a connector share its streams: as members of a consumer group.

use crate::config::kind::{Kind, TEXT};
use crate::config::property::{Property, properties};
use crate::config::reader::Reader;
use crate::kafka::{GroupProtocol, GroupSettings};

properties! {
    PROTOCOL: GroupProtocol = Property::new(
        "group.protocol",
        Kind::OneOf(&[("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)]),
        "How instances of the same name, which are the consumer group `headwater-<name>`, share the streams: by the classic \
         protocol, cooperatively, or by the one of KIP-848, which brokers have from Kafka 4.0 on. All need the same.",
    ).default("classic").low();
    INSTANCE_ID: String = Property::new(
        "group.instance.id",
        TEXT,
        "Names this instance: one that comes back under the same name within the session keeps its streams, and nothing \
         moves (KIP-345). Each instance needs another.",
    ).low();
}

/// Reads how instances share the streams.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<GroupSettings> {
    let (protocol, instance_id) = (reader.get(&PROTOCOL), reader.get(&INSTANCE_ID));
    Some(GroupSettings { protocol: protocol?, instance_id })
}
