//! Oddities of real documents, one small pass for each.

mod bounds;
mod dialect;
mod expansion;
mod siblings;

use serde_json::Value;

/// The passes, in the order in which they run.
const PASSES: [fn(&mut Value); 4] = [expansion::drop, siblings::keep, dialect::lower, bounds::drop];

/// Brings the document into the form that the typed model reads.
pub(super) fn normalise(document: &mut Value) {
    for pass in PASSES {
        pass(document);
    }
}
