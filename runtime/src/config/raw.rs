//! Configuration files, up to names and texts: JSON, flat or in Connect's envelope, and Java's `.properties`.

use std::path::Path;

use thiserror::Error;

use super::{java_properties, json};

/// A property in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) text: String,
    /// The line that it begins on, from 1.
    pub(super) line: usize,
}

/// A file that cannot be read. Nothing of its content is shown: it may hold secrets.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened, or is not UTF-8.
    #[error("reading `{path}`")]
    File {
        /// The file, as it was named.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not what its name or beginning promises.
    #[error("{path}:{line}: {reason}")]
    Syntax {
        /// The file, as it was named.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// What is wrong in a text, and on which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) reason: String,
}

/// Reads a file's properties, in its order. A file whose name ends in neither `.json` nor `.properties` is JSON if it
/// begins with a brace.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, ReadError> {
    let shown = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ReadError::File { path: shown(), source })?;
    parse(path, &text).map_err(|SyntaxError { line, reason }| ReadError::Syntax { path: shown(), line, reason })
}

fn parse(path: &Path, text: &str) -> Result<Vec<Entry>, SyntaxError> {
    // Editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => true,
        Some("properties") => false,
        _ => text.trim_start().starts_with('{'),
    };
    if is_json { json::parse(text) } else { java_properties::parse(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(path: &str, text: &str) -> Vec<(String, String)> {
        parse(Path::new(path), text).unwrap().into_iter().map(|entry| (entry.name, entry.text)).collect()
    }

    #[test]
    fn flat_envelope_and_properties_say_the_same() {
        let flat = values("c.json", r#"{"name": "n", "a.b": 5, "c": true, "d": null, "e": 1.5, "f": "x=y"}"#);
        let envelope = r#"{"name": "n", "config": {"a.b": "5", "c": "true", "e": "1.5", "f": "x=y"}}"#;
        let properties = "\u{feff}name = n\na.b: 5\nc true\ne=1.5\nf=x=y\n";
        assert_eq!(flat, values("c", envelope));
        assert_eq!(flat, values("c.properties", properties));
        assert_eq!(flat.len(), 5);
    }

    #[test]
    fn names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        std::fs::write(&path, "{\n  \"a\": 1,\n  \"b\" 2\n}").unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("{}:3: expected `:` at column 7", path.display()));
        let missing = read(&folder.path().join("none.json")).unwrap_err();
        assert!(missing.to_string().ends_with("none.json`"), "{missing}");
    }
}
