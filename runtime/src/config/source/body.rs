//! What responses are.

use super::super::kind::{Kind, TEXT};
use super::super::property::{Property, properties};
use super::super::reader::Reader;
use crate::body::{CsvFormat, Expected, Format};

/// What a body is, before it is known how.
#[derive(Clone, Copy)]
enum Name {
    Json,
    Lines,
    Sequence,
    Csv,
    Xml,
}

/// One byte of ASCII.
const CHARACTER: Kind<u8> = Kind::Text {
    type_name: "string",
    expected: "one character of ASCII, or `\\t` for a tab",
    parse: |text| match text.as_bytes() {
        [byte] if byte.is_ascii() => Some(*byte),
        br"\t" => Some(b'\t'),
        _ => None,
    },
};

properties! {
    FORMAT: Name = Property::new(
        "http.response.format",
        Kind::OneOf(&[
            ("JSON", Name::Json),
            ("NDJSON", Name::Lines),
            ("JSON_SEQ", Name::Sequence),
            ("CSV", Name::Csv),
            ("XML", Name::Xml),
        ]),
        "What responses are. NDJSON: a JSON text on each line. JSON_SEQ: a sequence of JSON texts (RFC 7464). CSV: rows of \
         values (RFC 4180), each of which becomes an object of texts. These three are taken for one array. XML: an element \
         becomes an object of its attributes as `@name`, its text as `#text`, and its elements by their names, those of one \
         name as an array; or only its text, if it has nothing else, or `null`. The elements at \
         `http.response.data.json.pointer` are an array even if there is one.",
    ).per_api().derived("by the response's `Content-Type`; JSON if that says nothing that is known");
    DELIMITER: u8 = Property::new(
        "http.response.csv.delimiter",
        CHARACTER,
        "What stands between two values of a row.",
    ).per_api().default(",").low();
    QUOTE: u8 = Property::new(
        "http.response.csv.quote",
        CHARACTER,
        "What stands around a value that holds a delimiter or the end of a line. Within, it is doubled.",
    ).per_api().default("\"").low();
    HEADER: String = Property::new(
        "http.response.csv.header",
        TEXT,
        "The names of the values of a row, separated by commas. Not set: the first row says them.",
    ).per_api().low();
}

/// Reads what the responses are.
pub(super) fn read(reader: &mut Reader<'_>, number: usize) -> Option<Expected> {
    let (delimiter, quote) = (reader.get_of(number, &DELIMITER), reader.get_of(number, &QUOTE));
    let header = reader.get_of(number, &HEADER);
    let name = reader.get_of(number, &FORMAT);
    let header = header.map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let csv = CsvFormat { delimiter: delimiter?, quote: quote?, header };
    Some(match name {
        None => Expected::Any,
        Some(Name::Json) => Expected::Only(Format::Json),
        Some(Name::Lines) => Expected::Only(Format::Lines),
        Some(Name::Sequence) => Expected::Only(Format::Sequence),
        Some(Name::Csv) => Expected::Only(Format::Csv(csv)),
        Some(Name::Xml) => Expected::Only(Format::Xml),
    })
}
