//! The only place that makes Rust, Avro and Protobuf names.

use std::collections::BTreeSet;

use heck::{ToKebabCase, ToSnakeCase, ToUpperCamelCase};

#[cfg(test)]
mod tests;

/// Names of Rust's own and of what generated modules import, which a generated type must not shadow.
const RESERVED_TYPES: [&str; 43] = [
    "Self",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "Box",
    "Vec",
    "String",
    "Send",
    "Sync",
    "Sized",
    "Copy",
    "Clone",
    "Debug",
    "Default",
    "PartialEq",
    "Eq",
    "From",
    "Into",
    "AsRef",
    "Iterator",
    "Drop",
    "Fn",
    "Base64",
    "Date",
    "DateTime",
    "Decimal",
    "DecimalNumber",
    "Field",
    "Json",
    "Map",
    "Number",
    "Object",
    "OpenEnum",
    "Record",
    "Text",
    "Undeclared",
    "Union",
    "Uuid",
    "KeyField",
    "OffsetField",
];

/// What the module of an operation imports besides.
const RESERVED_OPERATIONS: [&str; 10] = [
    "Connector",
    "ConnectorError",
    "Parameter",
    "Parameters",
    "Request",
    "Incremental",
    "IncrementalMode",
    "OffsetValue",
    "OperationFacts",
    "TypedOperation",
];

/// Keywords that have a raw form (The Rust Reference, "Keywords"), of every edition.
const KEYWORDS: [&str; 49] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "union",
];

/// Keywords that have none.
const PATH_KEYWORDS: [&str; 4] = ["self", "super", "crate", "_"];

/// The names given out in one scope. Two names that a file system may take for one are one here.
#[derive(Debug, Default)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    /// `name`, or the first of `name2`, `name3`… that is free.
    fn unique(&mut self, name: &str, separator: &str) -> String {
        // Two separators in a row are not `snake_case`.
        let separator = if name.ends_with(separator) { "" } else { separator };
        let mut candidate = name.to_owned();
        let mut number = 2;
        while !self.0.insert(candidate.to_lowercase()) {
            candidate = format!("{name}{separator}{number}");
            number += 1;
        }
        candidate
    }
}

/// A type's or an operation's name, and that of the module that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) rust: String,
    pub(super) module: String,
}

/// The names of types and operations: one scope, because the module of an operation imports types.
#[derive(Debug, Default)]
pub(super) struct Items {
    names: Scope,
    modules: Scope,
}

impl Items {
    /// Names a type after `wanted`, which [`type_name`] made.
    pub(super) fn of_type(&mut self, wanted: &str) -> Item {
        let base = if is_one_of(&RESERVED_TYPES, wanted) || is_one_of(&RESERVED_OPERATIONS, wanted) {
            format!("{wanted}Model")
        } else {
            wanted.to_owned()
        };
        self.item(&base)
    }

    /// Names an operation after its id.
    pub(super) fn of_operation(&mut self, id: &str) -> Item {
        let wanted = type_name(id);
        let is_taken = is_one_of(&RESERVED_TYPES, &wanted)
            || is_one_of(&RESERVED_OPERATIONS, &wanted)
            || self.names.0.contains(&wanted.to_lowercase());
        self.item(&if is_taken { format!("{wanted}Operation") } else { wanted })
    }

    fn item(&mut self, base: &str) -> Item {
        let mut rust = self.names.unique(base, "");
        loop {
            let module = module_name(&rust);
            if self.modules.0.insert(module.clone()) {
                return Item { rust, module };
            }
            rust = self.names.unique(base, "");
        }
    }
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}

/// How many letters of a document's name are taken for one that becomes a file's: those that make it unique come after them,
/// and `snake_case` has up to as many signs more. File systems take 255.
const LONGEST: usize = 100;

/// The beginning of an ASCII name that is not too long.
fn shortened(mut name: String) -> String {
    name.truncate(LONGEST);
    name
}

/// What a type is called after words of the document, before it is made unique: `UpperCamelCase`.
pub(super) fn type_name(text: &str) -> String {
    let name = shortened(words(text).to_upper_camel_case());
    match name.chars().next() {
        None => "Value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("N{name}"),
        Some(_) => name,
    }
}

fn module_name(rust: &str) -> String {
    let name = rust.to_snake_case();
    if is_one_of(&KEYWORDS, &name) || is_one_of(&PATH_KEYWORDS, &name) { format!("{name}_") } else { name }
}

/// In which order names of a document that may become the same are given theirs: one that is so named already has it before
/// those that become it.
pub(super) fn order(wire: &str) -> (bool, &str) {
    (words(wire).to_snake_case() != wire, wire)
}

/// A field's or a parameter's Rust name.
pub(super) fn field_name(wire: &str, scope: &mut Scope) -> String {
    let name = words(wire).to_snake_case();
    let name = match name.chars().next() {
        None => "value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{name}"),
        Some(_) if is_one_of(&PATH_KEYWORDS, &name) => format!("{name}_"),
        Some(_) => name,
    };
    let name = scope.unique(&name, "_");
    if is_one_of(&KEYWORDS, &name) { format!("r#{name}") } else { name }
}

/// The Rust names that a builder's methods cannot have, because its own function does.
pub(super) fn builder_scope() -> Scope {
    Scope(BTreeSet::from(["new".to_owned()]))
}

/// A Protobuf field's name: `snake_case`, as its style guide has it, and unlike any type's.
pub(super) fn proto_field_name(wire: &str, scope: &mut Scope) -> String {
    let name = words(wire).to_snake_case();
    let name = match name.chars().next() {
        None => "value".to_owned(),
        Some(first) if !first.is_ascii_alphabetic() => format!("f{name}"),
        Some(_) => name,
    };
    // Names that differ only in case and underscores are one in Protobuf's JSON.
    let key = |name: &str| name.replace('_', "").to_lowercase();
    let mut candidate = name.clone();
    let mut number = 2;
    while !scope.0.insert(key(&candidate)) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

/// A scope in which some names are taken.
pub(super) fn scope_without(names: &[&str]) -> Scope {
    Scope(names.iter().map(|name| (*name).to_owned()).collect())
}

/// An Avro field's name: the wire name where it is one (Avro specification, "Names"). Avro tells cases apart.
pub(super) fn avro_field_name(wire: &str, taken: &mut BTreeSet<String>) -> String {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut base = wire.to_owned();
    if !is_name(&base) {
        base = words(wire)
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("_");
        if !is_name(&base) {
            base.insert(0, '_');
        }
    }
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}_{number}");
        number += 1;
    }
    name
}

/// The names of an enum's variants, in the order of its values.
pub(super) fn variant_name(wire: &str, scope: &mut Scope) -> String {
    let name = words(wire).to_upper_camel_case();
    let name = match name.as_str() {
        "" if wire.trim().is_empty() => "Empty".to_owned(),
        "" => "Value".to_owned(),
        "Self" | "Unknown" => format!("{name}Value"),
        name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("N{name}"),
        name => name.to_owned(),
    };
    scope.unique(&name, "")
}

/// A package's name.
pub(super) fn package_name(text: &str) -> String {
    // Not split within words: titles have names in them, as `GitHub`.
    let words = words(text).to_lowercase();
    let name = words.split([' ', '_']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let name = shortened(name).trim_end_matches('-').to_owned();
    match name.chars().next() {
        None => "connector".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name,
    }
}

/// A topic's name after an operation's id: `issues/list-for-repo` becomes `issues.list-for-repo`.
pub(super) fn topic_name(operation_id: &str) -> String {
    let parts: Vec<String> =
        operation_id.split(['/', '.']).map(str::to_kebab_case).filter(|part| !part.is_empty()).collect();
    parts.join(".")
}

/// What one of several is called: of `labels`, `label`.
pub(super) fn singular(plural: &str) -> String {
    let replace = |suffix: &str, with: &str| plural.strip_suffix(suffix).map(|stem| format!("{stem}{with}"));
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| plural.ends_with(suffix));
    if ends(&["ss", "us", "is", "news", "series"]) {
        return plural.to_owned();
    }
    if ends(&["ies"]) && plural.len() > 4 {
        return replace("ies", "y").unwrap_or_default();
    }
    if ends(&["sses", "shes", "ches", "xes", "zes", "uses"]) {
        return replace("es", "").unwrap_or_default();
    }
    match plural.strip_suffix('s') {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => plural.to_owned(),
    }
}

/// The text with what only ASCII names cannot hold taken out, and a sign before a number spelt out.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    for (sign, word) in [("+", "plus "), ("-", "minus ")] {
        if let Some(tail) = text.strip_prefix(sign)
            && (tail.is_empty() || tail.starts_with(|c: char| c.is_ascii_digit()))
        {
            words.push_str(word);
            rest = tail;
        }
    }
    words.extend(rest.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { ' ' }));
    words
}
