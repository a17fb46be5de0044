//! The operations of a document that are no streams.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use super::operations::OperationRef;

/// An operation that is not in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub operation_id: String,
    /// Its method, in upper case.
    pub method: String,
    /// Its path template.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl LeftOut {
    pub(super) fn new(operation: &OperationRef<'_>, reason: impl Into<String>) -> Self {
        Self {
            operation_id: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Operations that are left out for one reason. In words, how many they are, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutFor<'a> {
    /// Why.
    pub reason: &'a str,
    /// The operations' ids, in the document's order.
    pub operation_ids: Vec<&'a str>,
}

impl fmt::Display for LeftOutFor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} {}", self.operation_ids.len(), self.reason)
    }
}

/// What is left out by the reasons, the one of most operations first.
pub fn by_reason(left_out: &[LeftOut]) -> Vec<LeftOutFor<'_>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for LeftOut { reason, operation_id, .. } in left_out {
        reasons.entry(reason).or_default().push(operation_id);
    }
    let grouped = reasons.into_iter().map(|(reason, operation_ids)| LeftOutFor { reason, operation_ids });
    let mut grouped: Vec<_> = grouped.collect();
    grouped.sort_by_key(|group| Reverse(group.operation_ids.len()));
    grouped
}

/// The first of some names, and how many more there are.
pub(super) fn first_few<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_are_left_out_for_comes_first() {
        let left_out = |id: &str, reason: &str| LeftOut {
            operation_id: id.to_owned(),
            method: String::new(),
            path: String::new(),
            reason: reason.to_owned(),
        };
        let all = [left_out("a", "x"), left_out("b", "y"), left_out("c", "y"), left_out("d", "w")];
        let texts: Vec<_> = by_reason(&all).iter().map(|it| format!("{it}: {}", it.operation_ids.join(" "))).collect();
        assert_eq!(texts, ["   2 y: b c", "   1 w: d", "   1 x: a"]);
    }

    #[test]
    fn few_names_are_shown() {
        assert_eq!(first_few(["a", "b", "c"]), "`a`, `b`, `c`");
        assert_eq!(first_few(["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
    }
}
