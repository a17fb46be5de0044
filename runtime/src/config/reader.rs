//! Typed values out of names and texts. What is wrong is collected, so that it is told all at once.

use super::names::{Names, api_name};
use super::problem::{Problem, ProblemKind, PropertyName};
use super::property::{AnyProperty, DefaultValue, Property};
use super::settings::{Settings, Value};
use super::suggest::nearest;

/// Reads properties and collects problems. A method that returns `None` has told why, unless the property is optional.
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    names: &'a Names,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings, names: &'a Names, problems: Vec<Problem>) -> Self {
        Self { settings, names, problems }
    }

    /// All that is wrong, by place: the file's lines, the environment, and then what is missing.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        use super::problem::Origin::{Environment, File};
        // What holds for several APIs is read for each of them.
        let all = std::mem::take(&mut self.problems);
        for problem in all {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        self.problems.sort_by_key(|problem| match &problem.origin {
            Some(File { line, .. }) => (0, *line),
            Some(Environment { .. }) => (1, 0),
            None => (2, 0),
        });
        self.problems
    }

    /// The value of a property of the connector, or its default.
    pub(super) fn get<T: Clone + Sync>(&mut self, property: &Property<T>) -> Option<T> {
        self.read(property, property.name())
    }

    /// The value of a property of an operation, or its default; `number` counts from 1.
    pub(super) fn get_of<T: Clone + Sync>(&mut self, number: usize, property: &Property<T>) -> Option<T> {
        self.read(property, &api_name(number, property.name()))
    }

    fn read<T: Clone + Sync>(&mut self, property: &Property<T>, name: &str) -> Option<T> {
        if let Some(value) = self.settings.get(name) {
            let parsed = property.parse(&value.text);
            if parsed.is_none() {
                self.invalid_value(property, name, value);
            }
            return parsed;
        }
        match property.definition().default {
            _ if self.settings.is_set(name) => None,
            DefaultValue::Text(text) => property.parse(text),
            DefaultValue::None | DefaultValue::Derived(_) | DefaultValue::Generated(_) => None,
            DefaultValue::Required => {
                self.missing(name, Some(property.definition().doc.to_owned()));
                None
            }
        }
    }

    /// The value of a property of something that is named, by its full name, or its default.
    pub(super) fn get_named<T: Clone + Sync>(&mut self, property: &Property<T>, name: &str) -> Option<T> {
        match property.definition().default {
            DefaultValue::Required if !self.settings.is_set(name) => None,
            _ => self.read(property, name),
        }
    }

    /// The value of a property of something that is named, which `reason` makes necessary.
    pub(super) fn require_named<T: Clone + Sync>(
        &mut self,
        property: &Property<T>,
        name: &str,
        reason: &str,
    ) -> Option<T> {
        if !self.settings.is_set(name) {
            self.missing(name, Some(reason.to_owned()));
        }
        self.get_named(property, name)
    }

    /// Tells of properties that begin with `prefix` and do not go on with one of `known`.
    pub(super) fn check_names(&mut self, prefix: &str, known: &[&'static str]) {
        for (rest, value) in self.settings.family(prefix).filter(|(rest, _)| !known.contains(rest)) {
            let hint = nearest(rest, known.iter().copied()).map(|nearest| format!("did you mean `{prefix}{nearest}`?"));
            let kind = ProblemKind::Unknown { name: format!("{prefix}{rest}") };
            self.problems.push(Problem { origin: Some(value.origin.clone()), kind, hint });
        }
    }

    /// Tells of properties that begin with `prefix` and belong to none of the names that `list` holds.
    pub(super) fn check_members(&mut self, prefix: &str, names: &[String], list: &'static str) {
        let belongs = |rest: &str| {
            names.iter().any(|name| rest.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')))
        };
        for (rest, value) in self.settings.family(prefix).filter(|(rest, _)| !belongs(rest)) {
            let name = rest.split('.').next().unwrap_or_default();
            let near = nearest(name, names.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{prefix}{near}.…`?"),
                None => format!("name `{name}` in `{list}`"),
            };
            let kind = ProblemKind::Unknown { name: format!("{prefix}{rest}") };
            self.problems.push(Problem { origin: Some(value.origin.clone()), kind, hint: Some(hint) });
        }
    }

    /// The value of a property that `reason` makes necessary.
    pub(super) fn require<T: Clone + Sync>(&mut self, property: &Property<T>, reason: &str) -> Option<T> {
        if !self.is_set(property) {
            self.missing(property.name(), Some(reason.to_owned()));
        }
        self.get(property)
    }

    /// The value of a property of an operation that `reason` makes necessary.
    pub(super) fn require_of<T: Clone + Sync>(
        &mut self,
        number: usize,
        property: &Property<T>,
        reason: &str,
    ) -> Option<T> {
        let name = api_name(number, property.name());
        if !self.settings.is_set(&name) {
            self.missing(&name, Some(reason.to_owned()));
        }
        self.get_of(number, property)
    }

    /// Everything that is set and may be shown, a line for each property in the order of their names.
    pub(super) fn shown(&self) -> String {
        let shown = self.settings.shown().filter_map(|(name, text)| Some(format!("{name}={}\n", text?)));
        shown.collect()
    }

    /// The text of a property of any kind.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.settings.get(name).map(|value| value.text.clone())
    }

    /// The value of one of the connector's own parameters, all of which must be set.
    pub(super) fn parameter(&mut self, name: &str, description: &str) -> Option<String> {
        if !self.settings.is_set(name) {
            self.missing(name, Some(description.to_owned()));
        }
        self.settings.get(name).map(|value| value.text.clone())
    }

    /// The properties of a family, each by the rest of its name.
    pub(super) fn family(&self, property: &Property<String>) -> Vec<(&'a str, &'a Value)> {
        self.settings.family(property.definition().name).collect()
    }

    /// The properties of a family of an operation, each by the rest of its name; `number` counts from 1.
    pub(super) fn family_of(&self, number: usize, property: &Property<String>) -> Vec<(String, String)> {
        let family = api_name(number, property.name());
        self.settings.family(&family).map(|(rest, value)| (rest.to_owned(), value.text.clone())).collect()
    }

    /// Whether a property of the connector is set, rightly or wrongly.
    pub(super) fn is_set<T>(&self, property: &Property<T>) -> bool {
        self.settings.is_set(property.name())
    }

    /// The same of a property of any kind, by its full name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.settings.is_set(name)
    }

    /// The first of some properties that is set.
    pub(super) fn first_set(&self, properties: &[&'static dyn AnyProperty]) -> Option<&'static str> {
        properties.iter().map(|property| property.definition().name).find(|name| self.settings.is_set(name))
    }

    /// A property as messages name it.
    fn in_message(&self, name: &str) -> PropertyName {
        self.names.in_message(name, self.settings.get(name).map(|value| value.spelling.as_str()))
    }

    /// Tells that a property must be set.
    fn missing(&mut self, name: &str, hint: Option<String>) {
        let kind = ProblemKind::Missing { name: self.in_message(name) };
        self.problems.push(Problem { origin: None, kind, hint });
    }

    /// Tells that a property's value is not what it has to be here, though its kind may be right.
    pub(super) fn invalid(&mut self, name: &str, expected: impl Into<String>, hint: Option<String>) {
        let Some(value) = self.settings.get(name) else { return };
        self.problems.push(Problem {
            origin: Some(value.origin.clone()),
            kind: ProblemKind::Invalid { name: self.in_message(name), value: value.shown(), expected: expected.into() },
            hint,
        });
    }

    /// Tells if a property of any type is set to something that it does not take.
    pub(super) fn check(&mut self, property: &dyn AnyProperty, name: &str) {
        if let Some(value) = self.settings.get(name).filter(|value| !property.accepts(&value.text)) {
            self.invalid_value(property, name, value);
        }
    }

    fn invalid_value(&mut self, property: &dyn AnyProperty, name: &str, value: &Value) {
        let near = nearest(value.text.trim(), property.words()).filter(|_| !value.secret);
        self.invalid(name, property.expected(), near.map(|word| format!("did you mean `{word}`?")));
    }

    /// Tells that a property does not go with the rest; `reason` follows its name.
    pub(super) fn conflict(&mut self, name: &str, reason: impl Into<String>, hint: Option<String>) {
        self.problems.push(Problem {
            origin: self.settings.get(name).map(|value| value.origin.clone()),
            kind: ProblemKind::Conflict { name: self.in_message(name), reason: reason.into() },
            hint,
        });
    }
}
