//! Texts that are many JSON texts: one a line (NDJSON, JSON Lines), or each after a mark (RFC 7464). As a document they are
//! an array.

use serde::de::IgnoredAny;

use super::array::Array;
use super::cut::Limits;
use super::{BodyError, CutError};

/// The mark before each text of a sequence (RFC 7464 section 2.2).
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;

/// Reads lines.
pub(crate) struct Lines {
    /// What stands between two records.
    separator: u8,
    limits: Limits,
    /// The beginning of a record whose end has not come.
    line: Vec<u8>,
    array: Array,
}

impl Lines {
    pub(super) fn new(separator: u8, limits: Limits) -> Self {
        Self { separator, limits, line: Vec::new(), array: Array::default() }
    }

    pub(super) fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
        while let Some(length) = input.iter().position(|byte| *byte == self.separator) {
            self.line.extend_from_slice(&input[..length]);
            *input = &input[length + 1..];
            self.end_line()?;
            if self.array.is_full(self.limits) {
                return Ok(Some(self.array.take()));
            }
        }
        self.line.extend_from_slice(input);
        *input = &[];
        if self.line.len() > self.limits.whole {
            return Err(CutError::Record { index: self.array.index(), limit: self.limits.whole }.into());
        }
        Ok(None)
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, BodyError> {
        self.end_line()?;
        Ok(self.array.take())
    }

    /// Takes the line as a record, unless it is blank. That it is one JSON text is looked at here: as a part of an array,
    /// `1,2` would be two.
    fn end_line(&mut self) -> Result<(), BodyError> {
        let line = self.line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.line).trim_ascii();
        if !line.is_empty() {
            serde_json::from_slice::<IgnoredAny>(line)
                .map_err(|source| BodyError::Line { number: self.array.index(), source })?;
            self.array.push(line);
        }
        self.line.clear();
        Ok(())
    }
}
