//! `RegexRouter`: another topic, by a regular expression.

use std::borrow::Cow;

use regex::Regex;

use super::{Fate, Record, Refusal, Transform};

/// An expression that takes only whole texts.
pub(crate) fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{pattern})$")).ok()
}

/// The expression that a topic must match as a whole, and what its first match becomes.
#[derive(Clone, Debug)]
pub(crate) struct RegexRouter {
    whole: Regex,
    pattern: Regex,
    replacement: Vec<Part>,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The group of this number.
    Group(usize),
}

impl RegexRouter {
    /// `None` if the expression is none. The replacement is Java's: `$1` and `${name}` stand for groups, `\` before a
    /// character for the character (`java.util.regex.Matcher.appendReplacement`); `Some(None)` if it is none.
    pub(crate) fn new(pattern: &str, replacement: &str) -> Option<Option<Self>> {
        let (whole, pattern) = (whole(pattern)?, Regex::new(pattern).ok()?);
        let replacement = parts(replacement, &pattern);
        Some(replacement.map(|replacement| Self { whole, pattern, replacement }))
    }

    fn route(&self, topic: &str) -> Option<String> {
        if !self.whole.is_match(topic) {
            return None;
        }
        let found = self.pattern.captures(topic)?;
        let range = found.get(0)?.range();
        let mut routed = topic[..range.start].to_owned();
        for part in &self.replacement {
            match part {
                Part::Text(text) => routed.push_str(text),
                Part::Group(group) => routed.push_str(found.get(*group).map_or("", |group| group.as_str())),
            }
        }
        routed.push_str(&topic[range.end..]);
        Some(routed)
    }
}

fn parts(replacement: &str, pattern: &Regex) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = replacement;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let escaped = rest.chars().next()?;
                text.push(escaped);
                rest = &rest[escaped.len_utf8()..];
            }
            '$' => {
                let group = if let Some(named) = rest.strip_prefix('{') {
                    let (name, after) = named.split_once('}')?;
                    rest = after;
                    pattern.capture_names().position(|known| known == Some(name))?
                } else {
                    let digit =
                        |text: &str| text.chars().next().and_then(|c| c.to_digit(10)).map(|digit| digit as usize);
                    let mut group = digit(rest)?;
                    rest = &rest[1..];
                    // As many digits as still name a group.
                    while let Some(next) = digit(rest).filter(|next| group * 10 + next < pattern.captures_len()) {
                        group = group * 10 + next;
                        rest = &rest[1..];
                    }
                    Some(group).filter(|group| *group < pattern.captures_len())?
                };
                parts.push(Part::Text(std::mem::take(&mut text)));
                parts.push(Part::Group(group));
            }
            c => text.push(c),
        }
    }
    parts.push(Part::Text(text));
    Some(parts)
}

impl Transform for RegexRouter {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        if let Some(routed) = self.route(&record.topic) {
            record.topic = Cow::Owned(routed);
        }
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_java_s() {
        let route = |pattern, replacement, topic| {
            RegexRouter::new(pattern, replacement).unwrap().and_then(|router: RegexRouter| router.route(topic))
        };
        for (pattern, replacement, topic, routed) in [
            ("(.*)-(.*)", "$2_$1", "a-b", Some("b_a")),
            ("(?P<x>a)b", "${x}\\$1", "ab", Some("a$1")),
            ("a|ab", "x", "ab", Some("xb")),
            ("a", "x", "ba", None),
            ("(a)b", "$12", "ab", Some("a2")),
        ] {
            assert_eq!(route(pattern, replacement, topic).as_deref(), routed, "{pattern}");
        }
        assert!(RegexRouter::new("(", "x").is_none());
        assert!(["$2", "${x}", "$", "\\"].iter().all(|wrong| matches!(RegexRouter::new("(a)", wrong), Some(None))));
    }
}
