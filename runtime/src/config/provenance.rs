//! Whether records tell where they come from.

use xxhash_rust::xxh3::xxh3_64;

use super::kind::BOOLEAN;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::flow::Provenance;

properties! {
    ENABLED: bool = Property::new(
        "provenance.headers.enabled",
        BOOLEAN,
        "Whether each record has headers that tell where it comes from: `headwater.spec` (a hash of the API's document or, \
         without generated code, of the configuration), `headwater.operation`, `headwater.slice`, `headwater.position` (where \
         the stream stood before the page), `headwater.request` (method and URL), `headwater.request.id` (as the API or else \
         the request has it in `X-Request-Id` and the like) and `headwater.response.hash`. They take about 300 bytes of each \
         record before compression.",
    ).default("false");
}

/// Reads what records tell; `document` is the API's, if the connector was generated from one.
pub(super) fn read(reader: &mut Reader<'_>, document: Option<&str>) -> Option<Provenance> {
    let spec = match document {
        Some(document) => format!("document:xxh3:{:016x}", xxh3_64(document.as_bytes())),
        None => format!("configuration:xxh3:{:016x}", xxh3_64(reader.shown().as_bytes())),
    };
    Some(Provenance::new(spec, reader.get(&ENABLED)?))
}
