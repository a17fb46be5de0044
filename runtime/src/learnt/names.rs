//! Names for what an API calls anything: Avro and Protobuf take letters, digits and `_`, a digit not first.

use std::collections::BTreeSet;

/// A legal name that is as near to `text` as can be.
pub(super) fn legal(text: &str) -> String {
    let mut name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    name
}

/// A legal name of a type: `UpperCamelCase`.
pub(super) fn type_name(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capitalised = words.map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    match capitalised.collect::<String>() {
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name,
        name => format!("Record{name}"),
    }
}

/// The names given out in one scope. Two that differ in case only are one: some languages take them for one.
#[derive(Debug, Default)]
pub(super) struct Scope {
    names: BTreeSet<String>,
    /// Names of another kind, which are the same only letter by letter.
    exact: BTreeSet<String>,
}

impl Scope {
    /// Notes a name that is taken.
    pub(super) fn take(&mut self, name: &str) {
        self.names.insert(name.to_ascii_lowercase());
    }

    /// Notes the name of something of another kind in the same scope.
    pub(super) fn take_exactly(&mut self, name: &str) {
        self.exact.insert(name.to_owned());
    }

    /// `name`, or the first of `name2`, `name3`… that is free. It is taken then.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let mut candidate = name.to_owned();
        let mut number = 2;
        while self.exact.contains(&candidate) || !self.names.insert(candidate.to_ascii_lowercase()) {
            candidate = format!("{name}{number}");
            number += 1;
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_unique() {
        for (text, name) in
            [("id", "id"), ("@time", "_time"), ("2nd", "_2nd"), ("", "_"), ("a-b.c", "a_b_c"), ("é", "_")]
        {
            assert_eq!(legal(text), name);
        }
        for (text, name) in [("user", "User"), ("my-orders.v1", "MyOrdersV1"), ("fooBar", "FooBar"), ("1", "Record1")] {
            assert_eq!(type_name(text), name);
        }
        assert_eq!(type_name(""), "Record");
        let mut scope = Scope::default();
        scope.take("Id");
        scope.take_exactly("id2");
        assert_eq!(["id", "id", "other"].map(|name| scope.unique(name)), ["id3", "id4", "other"]);
    }
}
