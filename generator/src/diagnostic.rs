//! What is said to the user about an input: what is wrong, where, and what to do. How it looks is the command's
//! business.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing can be generated.
    Error,
    /// Something was left out or guessed.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A place in an input file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// Where in the file.
    pub spot: Spot,
}

/// Where in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// The whole file.
    File,
    /// A place in its text, both counted from 1.
    Text {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A JSON Pointer (RFC 6901) into what it says.
    Pointer(String),
}

impl Place {
    /// The whole of `file`.
    pub fn file(file: &str) -> Self {
        Self { file: file.to_owned(), spot: Spot::File }
    }

    /// What `pointer` leads to in `file`.
    pub fn pointer(file: &str, pointer: &str) -> Self {
        Self { file: file.to_owned(), spot: Spot::Pointer(pointer.to_owned()) }
    }
}

impl Place {
    /// What `rest`, a JSON Pointer too, leads to from here.
    #[must_use]
    pub fn below(&self, rest: &str) -> Self {
        match &self.spot {
            Spot::Pointer(pointer) => Self::pointer(&self.file, &format!("{pointer}{rest}")),
            Spot::File | Spot::Text { .. } => self.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spot {
            Spot::File => f.write_str(&self.file),
            Spot::Text { line, column } => write!(f, "{}:{line}:{column}", self.file),
            Spot::Pointer(pointer) => write!(f, "{}#{pointer}", self.file),
        }
    }
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Where what is wrong was written, if an overlay put it there.
    pub origin: Option<Place>,
    /// What the user can do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), place: None, origin: None, hint: None }
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same, as a warning: where nothing that is wanted depends on it.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says where it was written.
    #[must_use]
    pub fn from_origin(mut self, origin: Option<Place>) -> Self {
        self.origin = origin;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which of `names` was perhaps meant by `name`, if one is near.
    #[must_use]
    pub fn nearest<'a>(self, name: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, names) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// Several things to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// In the order found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Adds all of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

/// The one of `names` that `name` is most likely a slip of, if any is near enough.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let mut best = None;
    for candidate in names {
        let likeness = strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase());
        if likeness >= 0.5 && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_editors_and_pointers_read_them() {
        assert_eq!(Place::file("a.yaml").to_string(), "a.yaml");
        let text = Place { file: "a.yaml".to_owned(), spot: Spot::Text { line: 3, column: 7 } };
        assert_eq!(text.to_string(), "a.yaml:3:7");
        assert_eq!(Place::pointer("a.yaml", "/paths/~1x").to_string(), "a.yaml#/paths/~1x");
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["topic", "records", "key", "parameters"];
        assert_eq!(nearest("topics", names), Some("topic"));
        assert_eq!(nearest("Key", names), Some("key"));
        assert_eq!(nearest("paramters", names), Some("parameters"));
        assert_eq!(nearest("xyz", names), None);
    }
}
