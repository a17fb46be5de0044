//! What is kept out of recordings, besides the secrets that are configured.

use super::kind::Kind;
use super::property::{Property, properties};
use super::reader::Reader;
use super::transforms::LIST;

/// What is kept out of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrubbing {
    /// Headers that are left out, of requests and responses.
    pub headers: Vec<String>,
    /// Where in JSON responses values are masked: JSON Pointers, in which `*` stands for every element or member.
    pub masked: Vec<String>,
}

const POINTERS: Kind<Vec<String>> = Kind::Text {
    type_name: "list",
    expected: "a list of JSON Pointers with commas between them, in which `*` may stand for every element or member",
    parse: |text| {
        let pointers: Vec<_> = text.split(',').map(|pointer| pointer.trim().to_owned()).collect();
        pointers.iter().all(|pointer| pointer.starts_with('/')).then_some(pointers)
    },
};

properties! {
    HEADERS: Vec<String> = Property::new(
        "cassette.scrub.headers",
        LIST,
        "Headers that `record` leaves out of a cassette, of requests and responses. Credentials, cookies, and every \
         configured secret wherever it stands are left out always.",
    ).low();
    MASKED: Vec<String> = Property::new(
        "cassette.mask.pointers",
        POINTERS,
        "What `record` masks in JSON responses, as personal data: JSON Pointers from the response's root, in which `*` stands \
         for every element or member, as in `/items/*/email`. Equal values become equal ones, wherever in the cassette.",
    ).low();
}

/// Reads what is kept out of recordings.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Scrubbing> {
    let (headers, masked) = (reader.get(&HEADERS), reader.get(&MASKED));
    let is_read = |is_set: bool, is_there: bool| !is_set || is_there;
    (is_read(reader.is_set(&HEADERS), headers.is_some()) && is_read(reader.is_set(&MASKED), masked.is_some()))
        .then(|| Scrubbing { headers: headers.unwrap_or_default(), masked: masked.unwrap_or_default() })
}
