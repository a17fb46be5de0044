//! JSON arrays that are put together record by record.

use super::cut::{Limits, RECORD_WEIGHT};

/// The records of a part as a JSON array.
#[derive(Default)]
pub(super) struct Array {
    text: Vec<u8>,
    /// How many records it has.
    records: usize,
    /// How many records the parts before have.
    before: usize,
}

impl Array {
    /// Adds a record, which is a JSON text.
    pub(super) fn push(&mut self, record: &[u8]) {
        self.begin();
        self.text.extend_from_slice(record);
    }

    /// Begins another record, whose text is to be appended.
    pub(super) fn begin(&mut self) -> &mut Vec<u8> {
        self.text.push(if self.records == 0 { b'[' } else { b',' });
        self.records += 1;
        &mut self.text
    }

    /// Which record of the response the next one is, from 0.
    pub(super) fn index(&self) -> usize {
        self.before + self.records
    }

    /// Whether it is as large as a part gets.
    pub(super) fn is_full(&self, limits: Limits) -> bool {
        self.records > 0 && self.text.len() + self.records * RECORD_WEIGHT >= limits.part
    }

    /// The array so far; another one begins.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.text);
        if self.records == 0 {
            text.push(b'[');
        }
        text.push(b']');
        self.before += std::mem::take(&mut self.records);
        text
    }
}
