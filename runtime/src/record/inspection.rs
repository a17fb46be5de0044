//! What of a record is not as the document declares, and where.

use std::fmt;

use super::{Field, FieldFacts, Json, Map, Undeclared, Value};

/// How a value departs from its declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriftKind {
    /// A field that the document does not declare.
    Undeclared,
    /// A text out of a list that is not on it.
    Unlisted,
    /// A value of another type that can be read as the declared one.
    Coerced,
    /// A value of another type.
    Misfit,
    /// A required field that is absent.
    Missing,
    /// A required field that is `null`.
    Null,
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Undeclared => "undeclared field",
            Self::Unlisted => "unlisted value",
            Self::Coerced => "value in another form",
            Self::Misfit => "value of another type",
            Self::Missing => "missing field",
            Self::Null => "null in a required field",
        })
    }
}

/// One departure of a record from its declaration.
#[derive(Clone, Debug)]
pub struct Drift<'page> {
    /// What it is.
    pub kind: DriftKind,
    /// JSON Pointer (RFC 6901) from the record.
    pub pointer: String,
    /// The pointer with `*` for items of lists and keys of maps: the same for all records.
    pub place: String,
    /// What was sent, where that has no place in the declared types.
    pub unmapped: Option<Json<'page>>,
}

/// A walk through a record that collects its departures.
#[derive(Debug, Default)]
pub struct Inspection<'page> {
    pointer: String,
    place: String,
    found: Vec<Drift<'page>>,
}

impl<'page> Inspection<'page> {
    /// What `record` departs in.
    pub(crate) fn of(record: &impl Value<'page>) -> Vec<Drift<'page>> {
        let mut inspection = Self::default();
        record.inspect(&mut inspection);
        inspection.found
    }

    /// Looks into a field of an object.
    pub fn field<T: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, T>) {
        self.within(facts.name, facts.name, |inspection| match field {
            Field::Absent if facts.required => inspection.found(DriftKind::Missing, None),
            Field::Null if facts.required => inspection.found(DriftKind::Null, None),
            Field::Absent | Field::Null => {}
            Field::Value(value) => value.inspect(inspection),
            Field::Other { value: Some(value), .. } => {
                inspection.found(DriftKind::Coerced, None);
                value.inspect(inspection);
            }
            Field::Other { sent, value: None } => inspection.found(DriftKind::Misfit, Some(*sent)),
        });
    }

    /// Looks into the values of the fields whose names are data.
    pub fn additional<T: Value<'page>>(&mut self, map: &Map<'page, T>) {
        map.inspect(self);
    }

    /// Notes a text that is not on its list.
    pub fn unlisted(&mut self) {
        self.found(DriftKind::Unlisted, None);
    }

    pub(super) fn undeclared(&mut self, undeclared: &Undeclared<'page>) {
        for (name, sent) in undeclared.entries() {
            self.within(name, name, |inspection| inspection.found(DriftKind::Undeclared, Some(*sent)));
        }
    }

    pub(super) fn at_item(&mut self, index: usize, look: impl FnOnce(&mut Self)) {
        self.within(&index.to_string(), "*", look);
    }

    pub(super) fn at_entry(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        self.within(key, "*", look);
    }

    fn within(&mut self, segment: &str, place: &str, look: impl FnOnce(&mut Self)) {
        let (pointer_len, place_len) = (self.pointer.len(), self.place.len());
        push_segment(&mut self.pointer, segment);
        push_segment(&mut self.place, place);
        look(self);
        self.pointer.truncate(pointer_len);
        self.place.truncate(place_len);
    }

    fn found(&mut self, kind: DriftKind, unmapped: Option<Json<'page>>) {
        self.found.push(Drift { kind, pointer: self.pointer.clone(), place: self.place.clone(), unmapped });
    }
}

/// Appends a segment to a JSON Pointer (RFC 6901).
pub(crate) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for c in segment.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}
