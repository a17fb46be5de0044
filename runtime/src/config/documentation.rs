//! What is printed of the properties: the same definitions that they are read by.

use serde::Serialize;

use super::names::api_name;
use super::property::{AnyProperty, DefaultValue, Generated, Importance, Scope};
use super::{describe, properties, variable_name};
use crate::connector::Connector;
use crate::operation::OperationFacts;

/// What is said of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyDocumentation {
    /// Its name.
    pub name: String,
    /// Other names for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The id of its operation, for a property of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The type of its values, as Kafka names it.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// Whether it has to be set.
    pub required: bool,
    /// What holds if it is not set.
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

/// Every property of a connector: its own parameters, those of the connector, and those of each of its operations.
pub fn documentation(connector: &Connector) -> Vec<PropertyDocumentation> {
    let operations = describe(connector);
    let facts = operations.iter().map(|operation| operation.as_deref().map(|operation| operation.facts()));
    let facts: Vec<_> = facts.collect();
    let parameters = connector.parameters.iter().map(|parameter| PropertyDocumentation {
        name: parameter.name.to_owned(),
        aliases: Vec::new(),
        operation: None,
        type_name: "string",
        required: true,
        default: None,
        valid_values: None,
        importance: Importance::High.as_str(),
        secret: false,
        environment_variable: variable_name(parameter.name),
        documentation: parameter.description.to_owned(),
    });
    let of_connector = properties()
        .filter(|property| property.definition().scope != Scope::PerApi)
        .map(|property| document(property, property.definition().name.to_owned(), connector, None));
    let of_operations = facts.iter().enumerate().flat_map(|(index, facts)| {
        properties()
            .filter(|property| property.definition().scope == Scope::PerApi)
            .map(move |property| document(property, api_name(index + 1, property.definition().name), connector, *facts))
    });
    parameters.chain(of_connector).chain(of_operations).collect()
}

/// What the connector was generated with.
fn generated(fact: Generated, connector: &Connector, facts: Option<&OperationFacts>) -> Option<String> {
    match fact {
        Generated::Name => Some(connector.name.to_owned()),
        Generated::BaseUrl => connector.base_url.map(str::to_owned),
        Generated::Topic => Some(facts?.topic.to_string()),
        Generated::Interval => Some(facts?.interval.as_millis().to_string()),
        Generated::InitialOffset => facts?.incremental.as_ref()?.initial.as_ref().map(ToString::to_string),
    }
}

fn document(
    property: &dyn AnyProperty,
    name: String,
    connector: &Connector,
    facts: Option<&OperationFacts>,
) -> PropertyDocumentation {
    let definition = property.definition();
    let name = if definition.scope == Scope::Family { name + "*" } else { name };
    let default = match definition.default {
        DefaultValue::Required | DefaultValue::None => None,
        DefaultValue::Text(text) => Some(text.to_owned()),
        DefaultValue::Derived(from) => Some(format!("({from})")),
        DefaultValue::Generated(fact) => generated(fact, connector, facts),
    };
    let required = match definition.default {
        DefaultValue::Required => true,
        DefaultValue::Generated(Generated::BaseUrl) => default.is_none(),
        _ => false,
    };
    PropertyDocumentation {
        environment_variable: variable_name(&name),
        name,
        aliases: definition.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        operation: facts.map(|facts| facts.id.to_string()),
        type_name: property.type_name(),
        required,
        default,
        valid_values: property.valid_values(),
        importance: definition.importance.as_str(),
        secret: definition.secret,
        documentation: definition.doc.to_owned(),
    }
}
