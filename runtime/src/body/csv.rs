//! Comma-separated values (RFC 4180): an object for each row, whose values are text.

use std::collections::BTreeSet;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::array::Array;
use super::cut::Limits;
use super::{BodyError, CutError};

/// How values are separated, and what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFormat {
    /// What stands between two values.
    pub delimiter: u8,
    /// What stands around a value that holds a delimiter or the end of a line; doubled within.
    pub quote: u8,
    /// The names of the values; `None`: the first row says them.
    pub header: Option<Vec<String>>,
}

impl Default for CsvFormat {
    /// Commas, double quotes, and a row of names.
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', header: None }
    }
}

/// Reads rows.
pub(crate) struct Csv {
    reader: Reader,
    /// The names as JSON texts.
    header: Option<Vec<String>>,
    limits: Limits,
    /// The values of the row so far, one after the other.
    values: Vec<u8>,
    /// How much of `values` is in use.
    length: usize,
    /// Where each value ends.
    ends: Vec<usize>,
    /// How many of `ends` are in use.
    count: usize,
    array: Array,
}

impl Csv {
    pub(super) fn new(format: &CsvFormat, limits: Limits) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(format.delimiter).quote(format.quote).build(),
            header: format.header.as_ref().map(|names| names.iter().map(|name| quoted(name)).collect()),
            limits,
            values: vec![0; 1 << 10],
            length: 0,
            ends: vec![0; 64],
            count: 0,
            array: Array::default(),
        }
    }

    pub(super) fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
        while !input.is_empty() {
            self.step(input)?;
            if self.array.is_full(self.limits) {
                return Ok(Some(self.array.take()));
            }
        }
        Ok(None)
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, BodyError> {
        // The reader is told of the end by input that is empty.
        while self.step(&mut &[][..])? {}
        Ok(self.array.take())
    }

    /// Goes on until the input is taken or something has come to its end; `false` at the end of all.
    fn step(&mut self, input: &mut &[u8]) -> Result<bool, BodyError> {
        let (result, taken, written, ended) =
            self.reader.read_record(input, &mut self.values[self.length..], &mut self.ends[self.count..]);
        *input = &input[taken..];
        self.length += written;
        self.count += ended;
        if self.length > self.limits.whole {
            return Err(CutError::Record { index: self.array.index(), limit: self.limits.whole }.into());
        }
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull => self.values.resize(self.values.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            ReadRecordResult::Record => self.end_row()?,
            ReadRecordResult::End => return Ok(false),
        }
        Ok(true)
    }

    fn end_row(&mut self) -> Result<(), BodyError> {
        let row = self.array.index() + 1;
        let text = std::str::from_utf8(&self.values[..self.length])
            .map_err(|_| BodyError::Row { row, reason: "is not UTF-8".to_owned() })?;
        let starts = std::iter::once(0).chain(self.ends[..self.count].iter().copied());
        let values = starts.zip(&self.ends[..self.count]).map(|(start, end)| text.get(start..*end).unwrap_or_default());
        match &self.header {
            None => {
                let mut names: Vec<_> = values.collect();
                if let Some(name) = names.first_mut() {
                    *name = name.trim_start_matches('\u{feff}');
                }
                let different: BTreeSet<_> = names.iter().collect();
                if different.len() < names.len() {
                    return Err(BodyError::Row { row: 0, reason: "names two values alike".to_owned() });
                }
                self.header = Some(names.into_iter().map(quoted).collect());
            }
            Some(names) if names.len() != self.count => {
                let reason = format!("has {} values, where {} were expected", self.count, names.len());
                return Err(BodyError::Row { row, reason });
            }
            Some(names) => {
                let text = self.array.begin();
                for (index, (name, value)) in names.iter().zip(values).enumerate() {
                    text.push(if index == 0 { b'{' } else { b',' });
                    text.extend_from_slice(name.as_bytes());
                    text.push(b':');
                    text.extend_from_slice(quoted(value).as_bytes());
                }
                text.push(b'}');
            }
        }
        (self.length, self.count) = (0, 0);
        Ok(())
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
