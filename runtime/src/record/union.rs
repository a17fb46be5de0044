//! Values of one of several types: how the type is told.

use super::{FieldFacts, Json, JsonKind, Text};

/// What is known of a branch of a union before any record is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchFacts {
    /// What kind of JSON value it is.
    pub kind: JsonKind,
    /// Its Protobuf field number.
    pub number: u32,
    /// The values of the discriminator that stand for it.
    pub tags: &'static [&'static str],
    /// Its fields, if it is an object that declares any.
    pub fields: &'static [FieldFacts],
}

/// Which branch a value is of: the one of its kind. Among objects the discriminator decides (OAS 3.0.3 section 4.7.25):
/// what is tagged as none of them is of the branch without tags, if there is one;
/// and without one the branch that misses the fewest required fields, then the one that leaves the fewest fields
/// undeclared, then the first. `None`: it is of no branch.
pub fn choose(sent: Json<'_>, discriminator: Option<&str>, branches: &[BranchFacts]) -> Option<usize> {
    let kind = sent.kind();
    let mut of_kind = branches.iter().enumerate().filter(|(_, branch)| branch.kind == kind);
    if kind != JsonKind::Object {
        return of_kind.next().map(|(index, _)| index);
    }
    let first = of_kind.next()?;
    let Some(second) = of_kind.next() else { return Some(first.0) };
    let entries = sent.entries()?;
    let tag = discriminator.and_then(|name| entries.iter().rev().find(|(key, _)| key.as_str() == name));
    if let Some((_, tag)) = tag {
        let tag: Text<'_> = serde_json::from_str(tag.get()).ok()?;
        let objects = || [first, second].into_iter().chain(of_kind.clone());
        let tagged = objects().find(|(_, branch)| branch.tags.contains(&tag.as_str()));
        return tagged.or_else(|| objects().find(|(_, branch)| branch.tags.is_empty())).map(|(index, _)| index);
    }
    let fit = |branch: &BranchFacts| {
        let is_sent = |name: &str| entries.iter().any(|(key, _)| key.as_str() == name);
        let missing = branch.fields.iter().filter(|field| field.required && !is_sent(field.name)).count();
        let undeclared =
            entries.iter().filter(|(key, _)| !branch.fields.iter().any(|field| field.name == key.as_str())).count();
        (missing, undeclared)
    };
    [first, second]
        .into_iter()
        .chain(of_kind)
        .map(|(index, branch)| (fit(branch), branch, index))
        // An object of none of a branch's fields is no value of it, unless the branch takes any.
        .filter(|((_, undeclared), branch, _)| *undeclared < entries.len() || branch.fields.is_empty())
        .min_by_key(|(fit, _, index)| (*fit, *index))
        .map(|(_, _, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, required: bool) -> FieldFacts {
        FieldFacts { name, json: "", number: 1, required }
    }

    const fn branch(kind: JsonKind, tags: &'static [&'static str], fields: &'static [FieldFacts]) -> BranchFacts {
        BranchFacts { kind, number: 1, tags, fields }
    }

    const BRANCHES: &[BranchFacts] = &[
        branch(JsonKind::String, &[], &[]),
        branch(JsonKind::Object, &["cat"], &[field("kind", true), field("lives", true)]),
        branch(JsonKind::Object, &["dog", "DOG"], &[field("kind", true), field("breed", false), field("good", false)]),
    ];

    fn chosen(json: &str, discriminator: Option<&str>) -> Option<usize> {
        choose(serde_json::from_str(json).unwrap(), discriminator, BRANCHES)
    }

    #[test]
    fn the_kind_of_value_decides() {
        assert_eq!(chosen("\"x\"", None), Some(0));
        assert_eq!(chosen("1", None), None);
        assert_eq!(chosen("[]", None), None);
    }

    #[test]
    fn the_discriminator_decides_among_objects() {
        assert_eq!(chosen(r#"{"kind": "cat", "breed": "x"}"#, Some("kind")), Some(1));
        assert_eq!(chosen(r#"{"lives": 9, "kind": "DOG"}"#, Some("kind")), Some(2));
        assert_eq!(chosen(r#"{"kind": "fish", "lives": 9}"#, Some("kind")), None);
        assert_eq!(chosen(r#"{"kind": 7}"#, Some("kind")), None);
    }

    #[test]
    fn what_is_tagged_as_none_is_of_the_branch_without_tags() {
        const BASE: BranchFacts = branch(JsonKind::Object, &[], &[field("kind", true)]);
        let branches = [BRANCHES[1], BASE, BRANCHES[2]];
        let chosen = |json| choose(serde_json::from_str(json).unwrap(), Some("kind"), &branches);
        assert_eq!(chosen(r#"{"kind": "fish", "lives": 9}"#), Some(1));
        assert_eq!(chosen(r#"{"kind": "dog"}"#), Some(2));
    }

    #[test]
    fn the_fields_decide_without_it() {
        assert_eq!(chosen(r#"{"kind": "?", "lives": 9}"#, None), Some(1));
        assert_eq!(chosen(r#"{"kind": "?", "breed": "x"}"#, None), Some(2));
        assert_eq!(chosen(r#"{"good": true}"#, Some("kind")), Some(2));
        assert_eq!(chosen(r#"{"wings": 2}"#, None), None);
        assert_eq!(chosen("{}", None), None);
    }
}
