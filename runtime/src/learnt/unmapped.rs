//! What of a record has no place in its schema, collected while it is written.

use crate::record::{Tree, push_segment};

/// A step from a value to one that it holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

/// What has no place, by JSON Pointer from the record, and where the encoder stands.
#[derive(Debug, Default)]
pub(super) struct Unmapped<'a> {
    path: Vec<Step<'a>>,
    found: Vec<(String, String)>,
}

impl<'a> Unmapped<'a> {
    pub(super) fn enter(&mut self, step: Step<'a>) {
        self.path.push(step);
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Notes the value at which the encoder stands.
    pub(super) fn note(&mut self, value: &Tree<'_>) {
        let mut pointer = String::new();
        for step in &self.path {
            match step {
                Step::Member(name) => push_segment(&mut pointer, name),
                Step::Item(index) => push_segment(&mut pointer, &index.to_string()),
            }
        }
        self.found.push((pointer, value.to_json()));
    }

    /// JSON by JSON Pointer, in the order of the record.
    pub(super) fn found(&self) -> &[(String, String)] {
        &self.found
    }
}
