//! Oddities of real documents, one small pass for each.

mod bounds;
mod dialect;
mod expansion;
mod siblings;

use serde_json::Value;

use super::repair::Repairs;

/// Brings the document into the form that the typed model reads. What is legal is not told of.
pub(super) fn normalise(document: &mut Value, repairs: &mut Repairs) {
    expansion::drop(document);
    siblings::keep(document);
    dialect::lower(document, repairs);
    bounds::drop(document);
}
