//! Names and texts from file and environment, references resolved: what typed values are read from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::environment::Environment;
use super::names::Names;
use super::problem::{Origin, Problem, ProblemKind, Shown};
use super::raw::Entry;
use super::reference;

/// A configured value.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) text: String,
    /// Whether it must not be shown.
    pub(super) secret: bool,
    pub(super) origin: Origin,
    /// The name that it is written by.
    pub(super) spelling: String,
}

impl Value {
    /// The value as a message may show it.
    pub(super) fn shown(&self) -> Shown {
        if self.secret { Shown::hidden() } else { Shown::new(&self.text) }
    }
}

/// All configured values, by the names that properties are kept by.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<String, Value>,
    /// Properties that are set, but to nothing that can be read: their problem is told already.
    broken: BTreeSet<String>,
}

impl Settings {
    /// Lays the environment over the file's entries and resolves references. What is wrong goes to `problems`.
    pub(super) fn assemble(
        path: &str,
        entries: Vec<Entry>,
        environment: &Environment,
        names: &Names,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut file = Layer::default();
        for Entry { name, text, line } in entries {
            let origin = match names.variable_that_wrote(&name) {
                Some(variable) => Origin::Environment { variable: variable.to_owned() },
                None => Origin::File { path: path.to_owned(), line },
            };
            match names.canonical(&name) {
                Some(canonical) => file.set(canonical, name, text, origin, problems),
                None => problems.push(Problem { origin: Some(origin), ..names.unknown(&name) }),
            }
        }
        let mut overrides = Layer::default();
        for (variable, text) in environment.overrides() {
            let spelling = names.of_variable(variable);
            match spelling.and_then(|spelling| Some((names.canonical(&spelling)?, spelling))) {
                Some((canonical, spelling)) => {
                    let origin = Origin::Environment { variable: variable.to_owned() };
                    overrides.set(canonical, spelling, text.to_owned(), origin, problems);
                }
                None => tracing::debug!(variable, "the environment variable overrides no property"),
            }
        }
        file.0.extend(overrides.0);

        let mut settings = Self::default();
        for (name, Written { spelling, text, origin }) in file.0 {
            match reference::resolve(&text, environment) {
                Ok(resolved) => {
                    let secret = resolved.referred || names.is_secret(&name);
                    settings.values.insert(name, Value { text: resolved.text, secret, origin, spelling });
                }
                Err(errors) => {
                    problems.extend(errors.into_iter().map(|error| Problem {
                        origin: Some(origin.clone()),
                        kind: ProblemKind::Reference {
                            name: names.in_message(&name, Some(&spelling)),
                            reference: error.reference,
                            reason: error.reason,
                        },
                        hint: error.hint,
                    }));
                    settings.broken.insert(name);
                }
            }
        }
        settings
    }

    /// A property's value.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Whether a property is set, if only to nothing that can be read.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.broken.contains(name)
    }

    /// What is set, by name; `None` for what must not be shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        self.values.iter().map(|(name, value)| (name.as_str(), (!value.secret).then(|| value.text.clone())))
    }

    /// The properties of a family, each by the rest of its name.
    pub(super) fn family<'a>(&'a self, family: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let from = self.values.range::<str, _>((Bound::Included(family), Bound::Unbounded));
        from.map_while(move |(name, value)| Some((name.strip_prefix(family)?, value)))
    }
}

/// A value as it is written in one place.
struct Written {
    /// The name that it is written by.
    spelling: String,
    text: String,
    origin: Origin,
}

/// The values of one place, by the names that properties are kept by.
#[derive(Default)]
struct Layer(BTreeMap<String, Written>);

impl Layer {
    /// Sets a value. Of one name the last counts, as in Java; two names of one property are a problem.
    fn set(&mut self, name: String, spelling: String, text: String, origin: Origin, problems: &mut Vec<Problem>) {
        if let Some(other) = self.0.get(&name).filter(|other| other.spelling != spelling) {
            let kind = ProblemKind::Twice { first: other.spelling.clone(), second: spelling };
            problems.push(Problem { origin: Some(origin), kind, hint: Some("set only one of them".to_owned()) });
            return;
        }
        self.0.insert(name, Written { spelling, text, origin });
    }
}
