//! What is printed of the properties: the same definitions that they are read by.

use serde::Serialize;

use super::names::api_name;
use super::property::{AnyProperty, DefaultValue, Generated, Importance, Scope};
use super::{properties, variable_name};
use crate::connector::{Connector, OperationDefinition};

/// What is said of a connector's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Documentation {
    /// The operations, and how their properties begin.
    pub operations: Vec<OperationDocumentation>,
    /// The properties. Those of operations are there once, as `apiN.NAME`.
    pub properties: Vec<PropertyDocumentation>,
}

/// What is said of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationDocumentation {
    /// What the names of its properties begin with, before a dot.
    pub prefix: String,
    /// Its id.
    pub id: String,
    /// Its topic, unless configured.
    pub topic: String,
    /// Pause between two cycles in milliseconds, unless configured.
    pub interval_ms: u128,
    /// Where it begins, unless configured.
    pub initial_offset: Option<String>,
}

/// What is said of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyDocumentation {
    /// Its name; `apiN.` stands for the prefix of an operation, a `*` at the end for any rest.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<&'static str>,
    /// The type of its values, as Kafka names it.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// Whether it has to be set.
    pub required: bool,
    /// What holds if it is not set; in parentheses where it is not a value.
    pub default: Option<String>,
    /// What values it takes, unless that is any of its type.
    pub valid_values: Option<String>,
    /// How likely it has to be set.
    pub importance: &'static str,
    /// Whether its value is never printed.
    pub secret: bool,
    /// The environment variable that overrides it.
    pub environment_variable: String,
    /// What it means.
    pub documentation: String,
}

/// Every property of a connector: its own parameters, those of the connector, and those of its operations.
pub fn documentation(connector: &Connector) -> Documentation {
    let parameters = connector.parameters.iter().map(|parameter| PropertyDocumentation {
        name: parameter.name.to_owned(),
        aliases: Vec::new(),
        type_name: "string",
        required: true,
        default: None,
        valid_values: None,
        importance: Importance::High.as_str(),
        secret: false,
        environment_variable: variable_name(parameter.name),
        documentation: parameter.description.to_owned(),
    });
    let properties = parameters.chain(of(connector, properties()).properties).collect();
    Documentation { operations: operations(connector), properties }
}

/// These properties, of a connector without operations and parameters of its own.
pub(super) fn of(connector: &Connector, properties: impl Iterator<Item = &'static dyn AnyProperty>) -> Documentation {
    let properties = properties.map(|property| document(property, connector)).collect();
    Documentation { operations: Vec::new(), properties }
}

fn operations(connector: &Connector) -> Vec<OperationDocumentation> {
    let document = |(number, definition): (usize, &OperationDefinition)| {
        let facts = &definition.facts;
        let initial = facts.incremental.as_ref().and_then(|incremental| incremental.initial.as_ref());
        OperationDocumentation {
            prefix: format!("api{number}"),
            id: facts.id.to_string(),
            topic: facts.topic.to_string(),
            interval_ms: facts.interval.as_millis(),
            initial_offset: initial.map(ToString::to_string),
        }
    };
    (1..).zip(&connector.operations).map(document).collect()
}

fn document(property: &dyn AnyProperty, connector: &Connector) -> PropertyDocumentation {
    let definition = property.definition();
    let name = match definition.scope {
        Scope::Global | Scope::Overridable => definition.name.to_owned(),
        Scope::PerApi => api_name("N", definition.name),
        Scope::Family => format!("{}*", definition.name),
        Scope::Named(prefix) => format!("{prefix}{}", definition.name),
        Scope::PerApiFamily => api_name("N", &format!("{}*", definition.name)),
    };
    let mut required = false;
    let default = match definition.default {
        DefaultValue::Required => {
            required = true;
            None
        }
        DefaultValue::None => None,
        DefaultValue::Text(text) => Some(text.to_owned()),
        DefaultValue::Derived(from) => Some(format!("({from})")),
        DefaultValue::Generated(Generated::Name) if connector.name.is_empty() => {
            Some("(the file's name without its ending)".to_owned())
        }
        DefaultValue::Generated(Generated::Name) => Some(connector.name.to_owned()),
        DefaultValue::Generated(Generated::BaseUrl) => {
            required = connector.base_url.is_none();
            connector.base_url.map(str::to_owned)
        }
        DefaultValue::Generated(Generated::Annotation) => Some("(the operation's annotation)".to_owned()),
    };
    PropertyDocumentation {
        environment_variable: variable_name(&name),
        name,
        aliases: definition.aliases.to_vec(),
        type_name: property.type_name(),
        required,
        default,
        valid_values: property.valid_values(),
        importance: definition.importance.as_str(),
        secret: definition.secret,
        documentation: match definition.scope {
            Scope::Overridable => {
                format!("{} An API of its own has `{}`.", definition.doc, api_name("N", definition.name))
            }
            _ => definition.doc.to_owned(),
        },
    }
}
