//! Where the records of a response are: pieces of its text, so that they are written as the API wrote them.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use serde_json::value::RawValue;
use serde_json_path::{JsonPath, NormalizedPath, PathElement};
use xxhash_rust::xxh3::xxh3_64;

use super::pointer::{Key, Pointer};
use crate::body::ListAt;

/// Where records are in a response.
#[derive(Clone, Debug)]
pub enum RecordsAt {
    /// At a JSON Pointer: an array is many records, anything else but `null` is one.
    Pointer(Pointer),
    /// What an array or object at a JSON Pointer holds, each element or member value a record.
    Members(Pointer),
    /// What a JSONPath (RFC 9535) selects, each a record.
    Path(Box<JsonPath>),
}

/// The way through a document to its records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// What stands here, if it is records.
    pub(crate) stands: Option<Stands>,
    /// What leads further down, by name or index.
    pub(crate) below: BTreeMap<String, Way>,
}

/// What stands at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// An array of records, or one record.
    Value,
    /// An array or object whose elements or member values are records.
    Members,
    /// A record.
    Record,
}

impl Way {
    fn lead(&mut self, segments: impl IntoIterator<Item = String>, stands: Stands) {
        let end = segments.into_iter().fold(self, |way, segment| way.below.entry(segment).or_default());
        end.stands = Some(stands);
    }
}

/// The records of a response.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) records: Vec<&'a RawValue>,
    /// Whether there could have been any number of them.
    pub(crate) is_list: bool,
    /// Whether the response has nothing, not even `null`, where they should be.
    pub(crate) is_absent: bool,
}

impl Found<'_> {
    /// A hash of the records, and of those before them, whose hash is `before`; 0 if there are none.
    pub(crate) fn digest(&self, before: u64) -> u64 {
        let hashes = self.records.iter().map(|record| xxh3_64(record.get().as_bytes()));
        hashes.fold(before, |digest, hash| digest.rotate_left(5).wrapping_add(hash))
    }
}

impl RecordsAt {
    /// Where they are one value, as a JSON Pointer.
    pub(crate) fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Pointer(pointer) => Some(pointer),
            Self::Members(_) | Self::Path(_) => None,
        }
    }

    /// Reads a JSON Pointer, or a JSONPath, which begins with `$`.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.starts_with('$') {
            return Pointer::parse(text).map(Self::Pointer);
        }
        if let Some(names) = text.strip_suffix("[*]").and_then(plain_names) {
            return Some(Self::Members(Pointer::of(names)));
        }
        JsonPath::parse(text).ok().map(|path| Self::Path(Box::new(path)))
    }

    /// Where they are a list that is found without knowing the whole response.
    pub(crate) fn list(&self) -> Option<ListAt> {
        match self {
            Self::Pointer(pointer) => Some(ListAt { path: pointer.segments().to_vec(), members: false }),
            Self::Members(pointer) => Some(ListAt { path: pointer.segments().to_vec(), members: true }),
            Self::Path(_) => None,
        }
    }

    /// The way through a document to the records in it.
    ///
    /// # Errors
    ///
    /// If it must be JSON to tell, and is not.
    pub(crate) fn way(&self, document: &str) -> Result<Way, serde_json::Error> {
        let mut way = Way::default();
        match self {
            Self::Pointer(pointer) => way.lead(pointer.segments().iter().cloned(), Stands::Value),
            Self::Members(pointer) => way.lead(pointer.segments().iter().cloned(), Stands::Members),
            Self::Path(path) => {
                let tree: Value = serde_json::from_str(document)?;
                path.query_located(&tree).iter().for_each(|node| way.lead(segments(node.location()), Stands::Record));
            }
        }
        Ok(way)
    }

    /// The records of a response.
    ///
    /// # Errors
    ///
    /// If the response is not JSON.
    pub(crate) fn find<'a>(&self, body: &'a str) -> Result<Found<'a>, serde_json::Error> {
        match self {
            Self::Pointer(pointer) => match pointer.find(body)? {
                None => Ok(Found { is_absent: true, ..Found::default() }),
                Some(value) => of_value(value),
            },
            Self::Members(pointer) => match pointer.find(body)? {
                None => Ok(Found::default()),
                Some(value) => members(value),
            },
            Self::Path(path) => select(path, body),
        }
    }
}

/// The names of a path such as `$.a.b`, whose names need no quotes. Paths of this form are followed without a tree of the
/// response.
pub(super) fn plain_names(path: &str) -> Option<Vec<String>> {
    let plain = |name: &str| {
        name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
    };
    match path.strip_prefix('$')? {
        "" => Some(Vec::new()),
        names => {
            let names: Vec<_> = names.strip_prefix('.')?.split('.').collect();
            names.iter().all(|name| plain(name)).then(|| names.into_iter().map(str::to_owned).collect())
        }
    }
}

fn members(value: &RawValue) -> Result<Found<'_>, serde_json::Error> {
    let records = match cut(value)? {
        Parts::List(items) => items,
        Parts::Map(members) => members.into_iter().map(|(_, value)| value).collect(),
        Parts::Scalar => Vec::new(),
    };
    Ok(Found { records, is_list: true, is_absent: false })
}

fn of_value(value: &RawValue) -> Result<Found<'_>, serde_json::Error> {
    match value.get().as_bytes().first() {
        Some(b'[') => Ok(Found { records: serde_json::from_str(value.get())?, is_list: true, is_absent: false }),
        Some(b'n') => Ok(Found::default()),
        _ => Ok(Found { records: vec![value], ..Found::default() }),
    }
}

/// What a path selects. The path is followed in a tree of the response; the records are then cut out of the text.
fn select<'a>(path: &JsonPath, body: &'a str) -> Result<Found<'a>, serde_json::Error> {
    let tree: Value = serde_json::from_str(body)?;
    let mut pieces = Pieces::default();
    let mut records = Vec::new();
    for node in path.query_located(&tree).iter() {
        records.extend(pieces.at(&segments(node.location()), body)?);
    }
    Ok(Found { records, is_list: true, is_absent: false })
}

fn segments(location: &NormalizedPath<'_>) -> Vec<String> {
    let segment = |element: &PathElement<'_>| match element {
        PathElement::Name(name) => (*name).to_owned(),
        PathElement::Index(index) => index.to_string(),
    };
    location.iter().map(segment).collect()
}

/// Pieces of a text, each container being cut up only once.
#[derive(Default)]
struct Pieces<'a>(HashMap<Vec<String>, Parts<'a>>);

/// What a value is cut into.
pub(crate) enum Parts<'a> {
    List(Vec<&'a RawValue>),
    Map(Vec<(String, &'a RawValue)>),
    Scalar,
}

impl<'a> Pieces<'a> {
    fn at(&mut self, segments: &[String], body: &'a str) -> Result<Option<&'a RawValue>, serde_json::Error> {
        let Some((last, parent)) = segments.split_last() else { return serde_json::from_str(body).map(Some) };
        if !self.0.contains_key(parent) {
            let parts = match self.at(parent, body)? {
                Some(value) => cut(value)?,
                None => Parts::Scalar,
            };
            self.0.insert(parent.to_vec(), parts);
        }
        Ok(match self.0.get(parent) {
            Some(Parts::List(items)) => last.parse().ok().and_then(|index: usize| items.get(index).copied()),
            // Of a name that is there twice, the last counts, as in the tree.
            Some(Parts::Map(members)) => members.iter().rfind(|(name, _)| name == last).map(|(_, value)| *value),
            Some(Parts::Scalar) | None => None,
        })
    }
}

/// Cuts a value into its elements or members, as they are written.
pub(crate) fn cut(value: &RawValue) -> Result<Parts<'_>, serde_json::Error> {
    struct Members<'a>(Vec<(String, &'a RawValue)>);
    impl<'de> serde::Deserialize<'de> for Members<'de> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Map;
            impl<'de> serde::de::Visitor<'de> for Map {
                type Value = Members<'de>;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                    let mut members = Vec::new();
                    while let Some((Key(name), value)) = map.next_entry()? {
                        members.push((name.into_owned(), value));
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Map)
        }
    }
    match value.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(value.get()).map(Parts::List),
        Some(b'{') => serde_json::from_str(value.get()).map(|Members(members)| Parts::Map(members)),
        _ => Ok(Parts::Scalar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(at: &str, body: &'static str) -> Vec<&'static str> {
        let found = RecordsAt::parse(at).unwrap().find(body).unwrap();
        found.records.into_iter().map(RawValue::get).collect()
    }

    #[test]
    fn an_array_is_many_records_and_anything_else_one() {
        for (at, body, expected) in [
            ("", r#"[1, {"a": 2}]"#, vec!["1", r#"{"a": 2}"#]),
            ("", r#" {"a": 1} "#, vec![r#"{"a": 1}"#]),
            ("/a", r#"{"a": [ "x" ]}"#, vec![r#""x""#]),
            ("/a/1", r#"{"a": [1, [2, 3]]}"#, vec!["2", "3"]),
            ("/a", r#"{"a": 7.10}"#, vec!["7.10"]),
            ("/a", r#"{"a": null}"#, vec![]),
            ("/a", r#"{"b": [1]}"#, vec![]),
            ("/a", r#"{"a": []}"#, vec![]),
        ] {
            assert_eq!(records(at, body), expected, "{at}");
        }
        assert!(!RecordsAt::parse("").unwrap().find("{}").unwrap().is_list);
        for (body, is_absent) in [(r#"{"b": [1]}"#, true), (r#"{"a": null}"#, false), (r#"{"a": []}"#, false)] {
            assert_eq!(RecordsAt::parse("/a").unwrap().find(body).unwrap().is_absent, is_absent, "{body}");
        }
        assert!(RecordsAt::parse("").unwrap().find("[]").unwrap().is_list);
        assert!(RecordsAt::parse("/a").unwrap().find(r#"{"a": [1}"#).is_err());
    }

    #[test]
    fn a_path_selects_records_as_they_are_written() {
        let store = r#"{"store": {"book": [{"n": "a", "p": 8.950, "id": 9007199254740993},
            {"n": "b", "p": 22.99}], "x/y": {"k~": [true]}}, "rates": {"EUR": 1.10, "USD": 1.0}}"#;
        for (at, expected) in [
            ("$.store.book[*].p", vec!["8.950", "22.99"]),
            ("$.store.book[?@.p < 10].id", vec!["9007199254740993"]),
            ("$.store.book[-1].n", vec![r#""b""#]),
            ("$.rates.*", vec!["1.10", "1.0"]),
            ("$['store']['x/y']['k~'][*]", vec!["true"]),
            ("$..n", vec![r#""a""#, r#""b""#]),
            ("$.none[*]", vec![]),
        ] {
            assert_eq!(records(at, store), expected, "{at}");
        }
        assert_eq!(records("$", "[1, 2]"), ["[1, 2]"]);
        assert_eq!(records("$[*]", "[1, 1E400]"), ["1", "1E400"]);
        assert_eq!(records("$.a.b[*]", r#"{"a": {"b": {"y": 1.0, "x": 2}}}"#), ["1.0", "2"]);
        assert!(records("$.a[*]", r#"{"a": 7}"#).is_empty());
        assert!(["$.", "$[", "a", "$x"].iter().all(|text| RecordsAt::parse(text).is_none()));
    }
}
