//! Which field: a name, or names of fields in fields (KIP-821).

use super::Refusal;
use crate::record::{Members, Tree};

/// The names that lead to a field; there is one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    outer: Vec<String>,
    last: String,
}

impl Path {
    /// One name, whatever is in it: `field.syntax.version=V1`.
    pub(crate) fn name(name: &str) -> Self {
        Self { outer: Vec::new(), last: name.to_owned() }
    }

    /// Names with dots between them: `field.syntax.version=V2`. A name with dots stands between backticks; a backtick
    /// before a dot in it has a backslash before it. `None` if a backtick has no other.
    pub(crate) fn nested(text: &str) -> Option<Self> {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let after = if let Some(quoted) = rest.strip_prefix('`') {
                let (name, after) = quoted_name(quoted)?;
                names.push(name);
                after
            } else {
                let (name, after) = match rest.split_once('.') {
                    Some((name, after)) => (name, Some(after)),
                    None => (rest, None),
                };
                names.push(name.to_owned());
                after
            };
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
        let last = names.pop()?;
        Some(Self { outer: names, last })
    }

    /// The field's value, if there is one. What stands around it must be objects.
    pub(super) fn find<'t, 'a>(&self, members: &'t mut Members<'a>) -> Result<Option<&'t mut Tree<'a>>, Refusal> {
        let mut members = members;
        for name in &self.outer {
            match members.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value) {
                None | Some(Tree::Null) => return Ok(None),
                Some(Tree::Object(inner)) => members = inner,
                Some(other) => {
                    return Err(Refusal::of_field(name, format!("it is {}, not an object", other.noun())));
                }
            }
        }
        Ok(members.iter_mut().find(|(known, _)| *known == self.last).map(|(_, value)| value))
    }

    /// The field's name, for messages.
    pub(super) fn last(&self) -> &str {
        &self.last
    }

    /// Whether it is one name.
    pub(super) fn is_name(&self) -> bool {
        self.outer.is_empty()
    }
}

/// The name up to the backtick that ends it, and what follows the dot behind that.
fn quoted_name(text: &str) -> Option<(String, Option<&str>)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('`')?;
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let is_escaped = before.ends_with('\\');
        if after.is_empty() {
            return (!is_escaped).then(|| (format!("{name}{before}"), None));
        }
        match after.strip_prefix('.') {
            // One that no dot follows belongs to the name.
            None => {
                name.push_str(&rest[..=at]);
                rest = after;
            }
            Some(_) if is_escaped => {
                name.push_str(before.strip_suffix('\\').unwrap_or(before));
                name.push('`');
                rest = after;
            }
            Some(next) => return Some((format!("{name}{before}"), Some(next))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_dots() {
        let names = |text| Path::nested(text).map(|path| [path.outer, vec![path.last]].concat());
        for (text, expected) in [
            ("a", vec!["a"]),
            ("a.b.c", vec!["a", "b", "c"]),
            ("`a.b`.c", vec!["a.b", "c"]),
            ("a.`b.c`", vec!["a", "b.c"]),
            ("`a\\`.b`.c", vec!["a`.b", "c"]),
            ("`a`b`", vec!["a`b"]),
            ("a.", vec!["a", ""]),
        ] {
            assert_eq!(names(text), Some(expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
        assert!(["`a", "a.`b", "`a\\`"].iter().all(|text| names(text).is_none()));
    }
}
