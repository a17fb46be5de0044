//! What a connector is called, and what Connect asks for besides.

use super::kind::{self, TEXT, count};
use super::property::{Generated, Property, properties};
use super::reader::Reader;

/// The property that names the connector.
pub(super) const NAME: &str = "name";

properties! {
    NAME_PROPERTY: String = Property::new(
        NAME,
        kind::NAME,
        "The connector's name. Its positions are kept by it, and instances of one name share its streams.",
    ).generated(Generated::Name).high();
    CONNECTOR_CLASS: String = Property::new(
        "connector.class",
        TEXT,
        "Taken and without effect: the program is the connector.",
    ).low();
    TASKS_MAX: u32 = Property::new(
        "tasks.max",
        count(1, i32::MAX as i64),
        "Taken and without effect: every operation has a task of its own.",
    ).low();
}

/// Reads the name.
pub(super) fn read(reader: &mut Reader<'_>, generated: &str) -> Option<String> {
    reader.get(&CONNECTOR_CLASS);
    reader.get(&TASKS_MAX);
    for property in [reader.first_set(&[&CONNECTOR_CLASS]), reader.first_set(&[&TASKS_MAX])].into_iter().flatten() {
        tracing::info!(property, "the property has no effect");
    }
    match reader.get(&NAME_PROPERTY) {
        Some(name) => Some(name),
        None if reader.is_set(&NAME_PROPERTY) => None,
        None => Some(generated.to_owned()),
    }
}
