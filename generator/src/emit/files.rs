//! The files of a crate, in memory.

use std::collections::BTreeMap;

use super::EmitError;

/// Files by their path from the crate's root, with `/` between its parts, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSet(BTreeMap<String, Vec<u8>>);

impl FileSet {
    /// The files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The content of one file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all of these.
    pub(super) fn take(&mut self, files: Self) -> Result<(), EmitError> {
        files.0.into_iter().try_for_each(|(path, content)| self.add(path, content))
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Result<(), EmitError> {
        let path = path.into();
        if self.0.contains_key(&path) {
            return Err(EmitError::Twice { path });
        }
        self.0.insert(path, content.into());
        Ok(())
    }
}
