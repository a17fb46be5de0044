//! Every name that a configuration can use, for one connector: properties, their aliases, properties of each operation,
//! and the connector's own parameters.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::environment::{family_member, variable_name};
use super::problem::{Problem, ProblemKind, PropertyName};
use super::property::{AnyProperty, Definition, Scope};
use super::suggest::nearest;
use crate::connector::Connector;

/// The names that a connector's configuration can use. What every operation has stands once, however many there are.
pub(super) struct Names {
    /// What the connector has.
    of_connector: Spellings,
    /// What each operation has, without `apiN.`.
    of_operations: Spellings,
    /// The beginnings of properties of what is named in the configuration.
    named: Vec<&'static str>,
    /// The operations' ids, in order.
    operations: Vec<String>,
    /// By the names that properties are kept by, those that they were written by, if they were translated.
    written: BTreeMap<String, String>,
    /// The environment variables among these.
    variables_written: BTreeMap<String, String>,
}

/// The spellings of properties.
#[derive(Default)]
struct Spellings {
    /// Every spelling, and what it means.
    known: BTreeMap<String, Known>,
    /// The same by environment variable.
    variables: BTreeMap<String, String>,
    /// The beginnings of families.
    families: Vec<&'static str>,
}

/// What a name means.
struct Known {
    /// The name that it is kept by.
    name: String,
    /// Whether its value must not be shown.
    secret: bool,
}

impl Spellings {
    fn add(&mut self, spelling: &str, known: Known) {
        self.variables.insert(variable_name(spelling), spelling.to_owned());
        self.known.insert(spelling.to_owned(), known);
    }

    /// Adds a property with its aliases.
    fn add_property(&mut self, definition: &Definition) {
        for spelling in [definition.name].into_iter().chain(definition.aliases.iter().copied()) {
            self.add(spelling, Known { name: definition.name.to_owned(), secret: definition.secret });
        }
    }

    /// The name that a spelling is kept by, with the `beginnings` of properties that may go on in any way.
    fn canonical<'a>(&'a self, spelling: &'a str, beginnings: &[&str]) -> Option<&'a str> {
        match self.known.get(spelling) {
            Some(known) => Some(&known.name),
            None => {
                self.families.iter().chain(beginnings).any(|family| is_member(spelling, family)).then_some(spelling)
            }
        }
    }

    /// The spelling that an environment variable overrides.
    fn of_variable(&self, variable: &str, beginnings: &[&str]) -> Option<String> {
        self.variables.get(variable).cloned().or_else(|| {
            let mut families = self.families.iter().chain(beginnings);
            families.find_map(|family| Some(format!("{family}{}", family_member(variable, family)?)))
        })
    }
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

/// The number of the operation whose property a variable overrides, and the variable of that property without it.
fn split_variable(variable: &str) -> Option<(usize, String)> {
    let (number, rest) = variable.strip_prefix(&variable_name("api"))?.split_once('_')?;
    let number = number.parse().ok().filter(|value: &usize| *value > 0 && value.to_string() == number)?;
    Some((number, variable_name(rest)))
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
            of_connector: Spellings::default(),
            of_operations: Spellings::default(),
            named: Vec::new(),
            operations,
            written: BTreeMap::new(),
            variables_written: BTreeMap::new(),
        };
        for parameter in parameters {
            names.of_connector.add(parameter, Known { name: parameter.to_owned(), secret: false });
        }
        for property in properties {
            let definition = property.definition();
            if matches!(definition.scope, Scope::Global | Scope::Overridable) {
                names.of_connector.add_property(definition);
            }
            match definition.scope {
                Scope::Global => {}
                Scope::PerApi | Scope::Overridable => names.of_operations.add_property(definition),
                Scope::Family => names.of_connector.families.push(definition.name),
                Scope::PerApiFamily => names.of_operations.families.push(definition.name),
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

    /// Splits `apiN.NAME`, if there is such an operation.
    fn split<'a>(&self, name: &'a str) -> Option<(usize, &'a str)> {
        split_api(name).filter(|(number, _)| *number <= self.operations.len())
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
        let of_connector = self.of_connector.canonical(spelling, &self.named).map(str::to_owned);
        of_connector.or_else(|| {
            let (number, rest) = self.split(spelling)?;
            Some(api_name(number, self.of_operations.canonical(rest, &[])?))
        })
    }

    /// The spelling that an environment variable overrides.
    pub(super) fn of_variable(&self, variable: &str) -> Option<String> {
        self.of_connector.of_variable(variable, &self.named).or_else(|| {
            let (number, rest) = split_variable(variable).filter(|(number, _)| *number <= self.operations.len())?;
            Some(api_name(number, &self.of_operations.of_variable(&rest, &[])?))
        })
    }

    /// Whether the value of a property must not be shown. Those of families are not known, and may be anything.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        let of_operation = || self.of_operations.known.get(self.split(name)?.1);
        match self.of_connector.known.get(name).or_else(of_operation) {
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
        if self.of_operations.known.contains_key(name) && !self.operations.is_empty() {
            return Some(format!("it belongs to an operation: did you mean `{}`?", api_name(1, name)));
        }
        let of_connector = self.of_connector.known.keys().map(String::as_str);
        let of_connector = of_connector.chain(self.of_connector.families.iter().chain(&self.named).copied());
        // Of the operations, the one whose number the name begins with, however that is misspelt.
        let digits: String =
            name.split('.').next().unwrap_or_default().matches(|char: char| char.is_ascii_digit()).collect();
        let number = digits.parse().ok().filter(|number| (1..=self.operations.len()).contains(number)).unwrap_or(1);
        let rests =
            self.of_operations.known.keys().map(String::as_str).chain(self.of_operations.families.iter().copied());
        let of_operation: Vec<_> =
            rests.filter(|_| !self.operations.is_empty()).map(|rest| api_name(number, rest)).collect();
        let candidates = of_connector.chain(of_operation.iter().map(String::as_str));
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
