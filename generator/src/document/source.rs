//! Where what stands in the document was written: parts of it come from other files, or have been copied.

use super::pointer;
use crate::diagnostic::Place;

/// The origin of a document's parts.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// The document's own file, as the user named it.
    file: String,
    /// Parts that were written elsewhere: where they stand, and where they come from. Later ones win.
    moved: Vec<(String, Place)>,
}

impl Sources {
    /// Everything is of one file.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), moved: Vec::new() }
    }

    /// Says that what stands at `at` was written at `pointer` of `file`.
    pub(super) fn moved(&mut self, at: &str, file: &str, pointer: &str) {
        self.moved.push((at.to_owned(), Place::pointer(file, pointer)));
    }

    /// Says that what stands at `at` was copied from `from`, which is a place in the document.
    pub(super) fn copied(&mut self, at: &str, from: &str) {
        let place = self.place(from);
        self.moved.push((at.to_owned(), place));
    }

    /// Where what stands at `at` was written.
    pub(super) fn place(&self, at: &str) -> Place {
        let nearest = self
            .moved
            .iter()
            .enumerate()
            .filter_map(|(index, (moved, place))| Some((moved.len(), index, pointer::below(at, moved)?, place)))
            .max_by_key(|(length, index, ..)| (*length, *index));
        match nearest {
            Some((_, _, rest, place)) => place.below(rest),
            None => Place::pointer(&self.file, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_origin_counts() {
        let mut sources = Sources::new("a.yaml");
        sources.moved("/components/schemas/B", "b.yaml", "/B");
        sources.copied("/components/schemas/B-c", "/components/schemas/B/properties/c");
        let place = |at: &str| sources.place(at).to_string();
        assert_eq!(place("/paths"), "a.yaml#/paths");
        assert_eq!(place("/components/schemas/B/type"), "b.yaml#/B/type");
        assert_eq!(place("/components/schemas/B-c/type"), "b.yaml#/B/properties/c/type");
    }
}
