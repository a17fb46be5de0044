//! What is right and wrong with a configuration, in the shape in which Kafka Connect answers
//! `PUT /connector-plugins/{plugin}/config/validate`.

use std::path::Path;

use serde::Serialize;

use super::super::names::Names;
use super::super::problem::ProblemKind;
use super::super::raw::{self, ReadError};
use super::super::reader::Reader;
use super::super::{Environment, Problem, Services};
use super::{Read, SourceConfig, source_documentation};

/// What is right and wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// The connector's class, as configured.
    pub name: String,
    /// How much is wrong.
    pub error_count: usize,
    /// The groups of the properties; there are none.
    pub groups: Vec<String>,
    /// The properties, and whatever else is configured.
    pub configs: Vec<ValidatedProperty>,
}

/// A property and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidatedProperty {
    /// What it is.
    pub definition: PropertyDefinition,
    /// What it is set to.
    pub value: PropertyValue,
}

/// What a property is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of Kafka Connect's `ConfigKeyInfo`")]
pub struct PropertyDefinition {
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: String,
    pub documentation: String,
    pub group: Option<String>,
    pub width: &'static str,
    pub display_name: String,
    pub dependents: Vec<String>,
    pub order: i32,
}

/// What a property is set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of Kafka Connect's `ConfigValueInfo`")]
pub struct PropertyValue {
    pub name: String,
    /// Its text, or what holds if it is not set. A secret is not shown.
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl SourceConfig {
    /// Tells of every property what it is and what it is set to, and what is wrong with it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn validate(file: &Path, environment: &Environment, services: &Services) -> Result<Validation, ReadError> {
        let read = |reader: &mut Reader<'_>, names: &Names| super::read(reader, names, file, services);
        let entries = raw::read(file)?;
        let Read { config: _, problems, apis, values } = super::read_entries(file, entries, environment, read);
        let class = raw::read(file)?.into_iter().find(|entry| entry.name == "connector.class").map(|entry| entry.text);
        let mut rest: Vec<_> = problems.iter().collect();
        let mut configs = Vec::new();
        for property in source_documentation().properties {
            if property.name.ends_with('*') {
                continue;
            }
            let names: Vec<_> = match property.name.strip_prefix("apiN.") {
                Some(name) => (1..=apis).map(|number| format!("api{number}.{name}")).collect(),
                None => vec![property.name.clone()],
            };
            for name in names {
                let errors =
                    rest.iter().filter(|problem| is_about(problem, &name)).map(|problem| told(problem)).collect();
                rest.retain(|problem| !is_about(problem, &name));
                let value = match values.get(&name) {
                    Some(value) => value.clone(),
                    None => property.default.clone().filter(|default| !default.starts_with('(')),
                };
                configs.push(ValidatedProperty {
                    definition: PropertyDefinition {
                        display_name: name.clone(),
                        order: i32::try_from(configs.len()).unwrap_or(i32::MAX) + 1,
                        type_name: property.type_name.to_uppercase(),
                        required: property.required,
                        default_value: property.default.clone(),
                        importance: property.importance.to_uppercase(),
                        documentation: property.documentation.clone(),
                        ..definition(name.clone())
                    },
                    value: PropertyValue { name, value, recommended_values: Vec::new(), errors, visible: true },
                });
            }
        }
        // What is wrong with names that there are not.
        for problem in rest {
            let name = name_of(problem).to_owned();
            let errors = vec![told(problem)];
            let definition = definition(name.clone());
            let value = PropertyValue { name, value: None, recommended_values: Vec::new(), errors, visible: true };
            configs.push(ValidatedProperty { definition, value });
        }
        Ok(Validation { name: class.unwrap_or_default(), error_count: problems.len(), groups: Vec::new(), configs })
    }
}

fn definition(name: String) -> PropertyDefinition {
    PropertyDefinition {
        display_name: name.clone(),
        name,
        type_name: "STRING".to_owned(),
        required: false,
        default_value: None,
        importance: "LOW".to_owned(),
        documentation: String::new(),
        group: None,
        width: "NONE",
        dependents: Vec::new(),
        order: -1,
    }
}

fn name_of(problem: &Problem) -> &str {
    match &problem.kind {
        ProblemKind::Missing { name }
        | ProblemKind::Invalid { name, .. }
        | ProblemKind::Reference { name, .. }
        | ProblemKind::Conflict { name, .. } => &name.name,
        ProblemKind::Unknown { name } | ProblemKind::NoSuchOperation { name } => name,
        ProblemKind::Twice { second, .. } => second,
    }
}

fn is_about(problem: &Problem, name: &str) -> bool {
    name_of(problem) == name
}

fn told(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{}; {hint}", problem.kind),
        None => problem.kind.to_string(),
    }
}
