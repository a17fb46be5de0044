//! Every name that a configuration can use, for one connector: properties, their aliases, properties of each operation,
//! and the connector's own parameters.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::environment::{family_member, variable_name};
use super::problem::{Problem, ProblemKind, PropertyName};
use super::property::{AnyProperty, Scope};
use super::suggest::nearest;
use crate::connector::Connector;

/// The names that a connector's configuration can use.
pub(super) struct Names {
    /// Every spelling, and what it means.
    known: BTreeMap<String, Known>,
    /// The same by environment variable.
    variables: BTreeMap<String, String>,
    /// The beginnings of families.
    families: Vec<String>,
    /// The beginnings of properties of what is named in the configuration.
    named: Vec<&'static str>,
    /// The operations' ids, in order.
    operations: Vec<String>,
    /// By the names that properties are kept by, those that they were written by, if they were translated.
    written: BTreeMap<String, String>,
    /// The environment variables among these.
    variables_written: BTreeMap<String, String>,
}

/// What a name means.
#[derive(Clone)]
struct Known {
    /// The name that it is kept by.
    name: String,
    /// Whether its value must not be shown.
    secret: bool,
}

/// The full name of a property of an operation; `number` counts from 1.
pub(super) fn api_name(number: impl Display, name: &str) -> String {
    format!("api{number}.{name}")
}

/// Splits `apiN.NAME`.
fn split_api(name: &str) -> Option<(usize, &str)> {
    let (number, rest) = name.strip_prefix("api")?.split_once('.')?;
    let number = number.parse().ok().filter(|value: &usize| *value > 0 && value.to_string() == number)?;
    Some((number, rest))
}

impl Names {
    pub(super) fn new(connector: &Connector, properties: impl Iterator<Item = &'static dyn AnyProperty>) -> Self {
        let operations = connector.operations.iter().map(|definition| definition.facts.id.to_string()).collect();
        Self::of(operations, connector.parameters.iter().map(|parameter| parameter.name), properties)
    }

    /// The names for operations of these ids and a connector's own parameters of these names.
    pub(super) fn of<'a>(
        operations: Vec<String>,
        parameters: impl Iterator<Item = &'a str>,
        properties: impl Iterator<Item = &'static dyn AnyProperty>,
    ) -> Self {
        let mut names = Self {
            known: BTreeMap::new(),
            variables: BTreeMap::new(),
            families: Vec::new(),
            named: Vec::new(),
            operations,
            written: BTreeMap::new(),
            variables_written: BTreeMap::new(),
        };
        for parameter in parameters {
            names.add(parameter, Known { name: parameter.to_owned(), secret: false });
        }
        for property in properties {
            let definition = property.definition();
            let spellings = || [definition.name].into_iter().chain(definition.aliases.iter().copied());
            if matches!(definition.scope, Scope::Global | Scope::Overridable) {
                for spelling in spellings() {
                    names.add(spelling, Known { name: definition.name.to_owned(), secret: definition.secret });
                }
            }
            match definition.scope {
                Scope::Global => {}
                Scope::PerApi | Scope::Overridable => {
                    for number in 1..=names.operations.len() {
                        for spelling in spellings() {
                            let name = api_name(number, definition.name);
                            names.add(&api_name(number, spelling), Known { name, secret: definition.secret });
                        }
                    }
                }
                Scope::Family => names.families.push(definition.name.to_owned()),
                Scope::PerApiFamily => {
                    names.families.extend((1..=names.operations.len()).map(|number| api_name(number, definition.name)));
                }
                Scope::Named(prefix) => {
                    let family = prefix.trim_end_matches("NAME.");
                    if !names.named.contains(&family) {
                        names.named.push(family);
                    }
                }
            }
        }
        names
    }

    /// What names begin with whose rest is not known here.
    fn beginnings(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(String::as_str).chain(self.named.iter().copied())
    }

    fn add(&mut self, spelling: &str, known: Known) {
        self.variables.insert(variable_name(spelling), spelling.to_owned());
        self.known.insert(spelling.to_owned(), known);
    }

    /// Has messages name properties as they were written before they were translated.
    pub(super) fn written(mut self, written: BTreeMap<String, String>, variables: BTreeMap<String, String>) -> Self {
        self.written = written;
        self.variables_written = variables;
        self
    }

    /// The environment variable that a property was written by before it was translated, if it was one.
    pub(super) fn variable_that_wrote(&self, name: &str) -> Option<&str> {
        self.variables_written.get(self.written.get(name)?).map(String::as_str)
    }

    /// The operations' ids, in order.
    pub(super) fn operations(&self) -> &[String] {
        &self.operations
    }

    /// The name that a spelling is kept by.
    pub(super) fn canonical(&self, spelling: &str) -> Option<String> {
        match self.known.get(spelling) {
            Some(known) => Some(known.name.clone()),
            None => self.beginnings().any(|family| is_member(spelling, family)).then(|| spelling.to_owned()),
        }
    }

    /// The spelling that an environment variable overrides.
    pub(super) fn of_variable(&self, variable: &str) -> Option<String> {
        self.variables.get(variable).cloned().or_else(|| {
            self.beginnings().find_map(|family| Some(format!("{family}{}", family_member(variable, family)?)))
        })
    }

    /// Whether the value of a property must not be shown. Those of families are not known, and may be anything.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        match self.known.get(name) {
            Some(known) => known.secret,
            None => !self.named.iter().any(|family| is_member(name, family)),
        }
    }

    /// A property as messages name it: by the name that it is written by, if it is.
    pub(super) fn in_message(&self, name: &str, spelling: Option<&str>) -> PropertyName {
        if let Some(written) = self.written.get(name) {
            return PropertyName { name: written.clone(), operation: None };
        }
        let name = spelling.unwrap_or(name);
        let operation = split_api(name).and_then(|(number, _)| self.operations.get(number - 1).cloned());
        // An id that the name begins with says nothing new.
        let operation = operation.filter(|id| !name.starts_with(&format!("{id}.")));
        PropertyName { name: name.to_owned(), operation }
    }

    /// What is wrong with a name that is not known.
    pub(super) fn unknown(&self, name: &str) -> Problem {
        let name = name.to_owned();
        let beyond = split_api(&name).filter(|(number, _)| *number > self.operations.len());
        let (kind, hint) = match beyond {
            Some(_) => (ProblemKind::NoSuchOperation { name }, Some(self.list_operations())),
            None => {
                let hint = self.suggestion(&name);
                (ProblemKind::Unknown { name }, hint)
            }
        };
        Problem { origin: None, kind, hint }
    }

    fn suggestion(&self, name: &str) -> Option<String> {
        let of_operation = api_name(1, name);
        if self.known.contains_key(&of_operation) {
            return Some(format!("it belongs to an operation: did you mean `{of_operation}`?"));
        }
        let candidates = self.known.keys().map(String::as_str).chain(self.beginnings());
        nearest(name, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
    }

    fn list_operations(&self) -> String {
        let name = |(index, id): (usize, &String)| format!("`api{}` is `{id}`", index + 1);
        match self.operations.len() {
            0 => "the connector has no operations".to_owned(),
            _ => self.operations.iter().enumerate().map(name).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Whether a property belongs to a family.
fn is_member(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| !rest.is_empty())
}
