//! How a parameter's value is written (OAS 3.0.3 section 4.7.12.2, "Style Values"; RFC 6570). Names and values are
//! percent-encoded, what stands between them is not.

use super::request::percent_encode;

/// A style of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the styles of OAS 3.0.3 section 4.7.12.2")]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

/// A parameter's value, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// None.
    Absent,
    /// A single value.
    One(String),
    /// A list of them.
    List(Vec<String>),
    /// The properties of an object.
    Object(Vec<(String, String)>),
}

/// How a text is written into a request.
pub(super) type Encode = fn(&str) -> String;

/// Percent-encodes everything that is not unreserved (RFC 3986 section 2.3).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    percent_encode(text, &mut out);
    out
}

/// As [`encoded`], but leaves the reserved characters (RFC 3986 section 2.2) that a query can hold and that have no
/// meaning between its parameters: what `allowReserved` is about.
pub(super) fn encoded_but_reserved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if ":/?@!$'()*,;=".contains(character) {
            out.push(character);
        } else {
            percent_encode(character.encode_utf8(&mut [0; 4]), &mut out);
        }
    }
    out
}

/// As a header has it: as it is.
pub(super) fn plain(text: &str) -> String {
    text.to_owned()
}

/// A value for a path or a header.
pub(super) fn expand(name: &str, parts: &Parts, style: Style, explode: bool, encode: Encode) -> String {
    let separator = match (style, explode) {
        (Style::Label, true) => ".",
        (Style::Matrix, true) => ";",
        _ => ",",
    };
    let name = encode(name);
    let named = |value: &str| if value.is_empty() { name.clone() } else { format!("{name}={value}") };
    let text = match (parts, style, explode) {
        (Parts::Absent, ..) => return String::new(),
        (Parts::One(value), Style::Matrix, _) => named(&encode(value)),
        (Parts::One(value), ..) => encode(value),
        (Parts::List(items), Style::Matrix, true) => joined(items.iter().map(|item| named(&encode(item))), separator),
        (Parts::List(items), ..) => joined(items.iter().map(|item| encode(item)), separator),
        (Parts::Object(_), _, true) => {
            joined(pairs(parts, encode).map(|(key, value)| format!("{key}={value}")), separator)
        }
        (Parts::Object(_), ..) => joined(pairs(parts, encode).flat_map(|(key, value)| [key, value]), separator),
    };
    match style {
        Style::Label => format!(".{text}"),
        Style::Matrix if explode || matches!(parts, Parts::One(_)) => format!(";{text}"),
        Style::Matrix => format!(";{}", named(&text)),
        _ => text,
    }
}

/// The name-value pairs of a query, with the names as they are and the values encoded.
pub(super) fn query(name: &str, parts: &Parts, style: Style, explode: bool, encode: Encode) -> Vec<(String, String)> {
    let separator = match style {
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "%7C",
        _ => ",",
    };
    let pair = |value: String| vec![(name.to_owned(), value)];
    match parts {
        Parts::Absent => Vec::new(),
        Parts::List(items) if items.is_empty() => Vec::new(),
        Parts::Object(properties) if properties.is_empty() => Vec::new(),
        Parts::One(value) => pair(encode(value)),
        Parts::List(items) if style == Style::DeepObject => {
            items.iter().enumerate().map(|(index, item)| (format!("{name}[{index}]"), encode(item))).collect()
        }
        Parts::List(items) if explode => items.iter().map(|item| (name.to_owned(), encode(item))).collect(),
        Parts::List(items) => pair(joined(items.iter().map(|item| encode(item)), separator)),
        Parts::Object(properties) if style == Style::DeepObject => {
            properties.iter().map(|(key, value)| (format!("{name}[{key}]"), encode(value))).collect()
        }
        Parts::Object(properties) if explode => {
            properties.iter().map(|(key, value)| (key.clone(), encode(value))).collect()
        }
        Parts::Object(_) => pair(joined(pairs(parts, encode).flat_map(|(key, value)| [key, value]), separator)),
    }
}

fn pairs(parts: &Parts, encode: Encode) -> impl Iterator<Item = (String, String)> {
    let properties = match parts {
        Parts::Object(properties) => properties.as_slice(),
        _ => &[],
    };
    properties.iter().map(move |(key, value)| (encode(key), encode(value)))
}

fn joined(items: impl Iterator<Item = String>, separator: &str) -> String {
    items.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> [Parts; 4] {
        let text = |text: &&str| (*text).to_owned();
        [
            Parts::One(String::new()),
            Parts::One("blue".to_owned()),
            Parts::List(["blue", "black", "brown"].iter().map(text).collect()),
            Parts::Object([("R", "100"), ("G", "200"), ("B", "150")].iter().map(|(k, v)| (text(k), text(v))).collect()),
        ]
    }

    /// The table of OAS section "Style Examples", in the reading of 3.0.4, which puts right what 3.0.3 says of `label`
    /// against RFC 6570.
    #[test]
    fn paths_are_as_in_the_table_of_examples() {
        for (style, explode, expected) in [
            (Style::Matrix, false, [";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"]),
            (
                Style::Matrix,
                true,
                [";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
            ),
            (Style::Label, false, [".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
            (Style::Label, true, [".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
            (Style::Simple, false, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]),
            (Style::Simple, true, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]),
        ] {
            let written = values().map(|parts| expand("color", &parts, style, explode, encoded));
            assert_eq!(written, expected, "{style:?} {explode}");
        }
        assert_eq!(expand("color", &Parts::Absent, Style::Matrix, false, encoded), "");
    }

    #[test]
    fn queries_are_as_in_the_table_of_examples() {
        for (style, explode, expected) in [
            (Style::Form, false, ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]),
            (Style::Form, true, ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"]),
            (
                Style::SpaceDelimited,
                false,
                ["color=", "color=blue", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
            ),
            (
                Style::PipeDelimited,
                false,
                ["color=", "color=blue", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
            ),
            (
                Style::DeepObject,
                true,
                [
                    "color=",
                    "color=blue",
                    "color[0]=blue&color[1]=black&color[2]=brown",
                    "color[R]=100&color[G]=200&color[B]=150",
                ],
            ),
        ] {
            let written = values().map(|parts| {
                let pairs = query("color", &parts, style, explode, encoded);
                pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
            });
            assert_eq!(written, expected, "{style:?} {explode}");
        }
        for nothing in [Parts::Absent, Parts::List(Vec::new()), Parts::Object(Vec::new())] {
            assert!(query("color", &nothing, Style::Form, true, encoded).is_empty());
        }
    }

    #[test]
    fn what_stands_between_values_is_told_from_what_stands_in_them() {
        let list = Parts::List(vec!["a,b".to_owned(), "c d|e".to_owned()]);
        assert_eq!(query("q", &list, Style::Form, false, encoded), [("q".to_owned(), "a%2Cb,c%20d%7Ce".to_owned())]);
        let one = Parts::One("2024-01-01T00:00:00+02:00&a=b/c#[]é".to_owned());
        assert_eq!(
            query("q", &one, Style::Form, true, encoded_but_reserved),
            [("q".to_owned(), "2024-01-01T00:00:00%2B02:00%26a=b/c%23%5B%5D%C3%A9".to_owned())]
        );
    }
}
