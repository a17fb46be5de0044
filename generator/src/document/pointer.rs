//! JSON Pointers (RFC 6901).

use std::borrow::Cow;

/// `pointer` with one segment more.
pub(crate) fn join(pointer: &str, segment: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + segment.len() + 1);
    joined.push_str(pointer);
    joined.push('/');
    joined.push_str(&escape(segment));
    joined
}

/// A segment as it stands in a pointer.
pub(crate) fn escape(segment: &str) -> Cow<'_, str> {
    if segment.contains(['~', '/']) {
        Cow::Owned(segment.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// The segments of a pointer, as names.
pub(crate) fn segments(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|segment| {
        if segment.contains('~') {
            Cow::Owned(segment.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(segment)
        }
    })
}

/// Whether the text is a pointer: empty, or beginning with `/`.
pub(crate) fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

/// What leads from `above` to `pointer`, if that is at or below it.
pub(crate) fn below<'a>(pointer: &'a str, above: &str) -> Option<&'a str> {
    pointer.strip_prefix(above).filter(|rest| is_pointer(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_survive_a_pointer() {
        let pointer = join(&join("", "paths"), "/a~b/{c}");
        assert_eq!(pointer, "/paths/~1a~0b~1{c}");
        assert_eq!(segments(&pointer).collect::<Vec<_>>(), ["paths", "/a~b/{c}"]);
        assert_eq!(segments("").count(), 0);
        assert_eq!(segments("/").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn below_is_by_whole_segments() {
        assert_eq!(below("/a/b", "/a"), Some("/b"));
        assert_eq!(below("/a", "/a"), Some(""));
        assert_eq!(below("/ab", "/a"), None);
    }
}
