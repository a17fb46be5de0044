//! What annotations leave open, inferred: one module per subject, each a list of rules that have names and give reasons.

pub(super) mod hints;
pub(super) mod key;
pub(super) mod limits;
pub(super) mod offset;
pub(super) mod pagination;
pub(super) mod parent;
pub(super) mod records;
#[cfg(test)]
mod tests;
pub(super) mod topic;

/// Something inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inferred<T> {
    pub(super) value: T,
    /// Name of the rule.
    pub(super) rule: &'static str,
    /// Why the rule applied.
    pub(super) reason: String,
}

/// The rule for what the document does not describe.
const UNDESCRIBED: &str = "undescribed";

/// The first of `wanted` that is among `names`; case and separators do not count.
fn first_of<'a>(wanted: &[&str], names: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    wanted.iter().find_map(|wanted| names.clone().into_iter().find(|name| is_same(wanted, name)))
}

/// The last segment of a path that is no parameter.
pub(super) fn last_name(path: &str) -> Option<&str> {
    path.split('/').rev().find(|segment| !segment.is_empty() && !segment.contains('{'))
}

fn is_same(left: &str, right: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' ' | '$')).map(|c| c.to_ascii_lowercase()).collect()
    };
    letters(left) == letters(right)
}
