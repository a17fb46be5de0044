//! A connector as its generated crate states it: a name, an API, the parameters that its user sets, and its operations.

use std::collections::BTreeMap;
use std::str::FromStr;

use thiserror::Error;

use crate::format::OutputFormat;
use crate::operation::{Operation, OperationFacts, Typed, TypedOperation, record_schema};

/// A generated connector.
pub struct Connector {
    pub(crate) name: &'static str,
    pub(crate) base_url: Option<&'static str>,
    pub(crate) parameters: Vec<ParameterDefinition>,
    pub(crate) operations: Vec<OperationDefinition>,
}

/// A configuration property that the connector's annotations introduce with `${config:NAME}`.
pub(crate) struct ParameterDefinition {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
}

/// Makes an operation from the configured parameters.
type BuildOperation = dyn Fn(&Parameters) -> Result<Box<dyn Operation>, ConnectorError>;

/// An operation, before its parameters are known.
pub(crate) struct OperationDefinition {
    pub(crate) facts: OperationFacts,
    /// The schema of its records in a format; `None` for one without schemas.
    pub(crate) schema: fn(OutputFormat) -> Option<&'static str>,
    /// How it is made from the parameters.
    pub(crate) build: Box<BuildOperation>,
}

impl Connector {
    /// A connector without operations. `name` is its default name: of its consumer group, transactional id and offsets.
    pub fn new(name: &'static str) -> Self {
        Self { name, base_url: None, parameters: Vec::new(), operations: Vec::new() }
    }

    /// The API's base URL, by the document; configuration overrides it.
    #[must_use]
    pub fn base_url(mut self, url: &'static str) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Introduces a configuration property that the operations need.
    #[must_use]
    pub fn parameter(mut self, name: &'static str, description: &'static str) -> Self {
        self.parameters.push(ParameterDefinition { name, description });
        self
    }

    /// Adds an operation; `build` makes it from the configured parameters.
    #[must_use]
    pub fn operation<O: TypedOperation>(mut self, build: fn(&Parameters) -> Result<O, ConnectorError>) -> Self {
        self.operations.push(OperationDefinition {
            facts: O::facts(),
            schema: record_schema::<O>,
            build: Box::new(move |parameters| Ok(Box::new(Typed::new(build(parameters)?)))),
        });
        self
    }
}

/// The configured values of a connector's parameters.
#[derive(Clone, Debug, Default)]
pub struct Parameters(BTreeMap<String, String>);

/// A connector that cannot be made from its configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectorError {
    /// A parameter that the operations need is not configured.
    #[error("missing property `{name}`")]
    Missing {
        /// The property.
        name: String,
    },
    /// A parameter's value does not fit the API's document.
    #[error("property `{name}`: {value:?} is not {expected}")]
    Invalid {
        /// The property.
        name: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl Parameters {
    pub(crate) fn new(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }

    /// The value of `${config:NAME}` as text.
    ///
    /// # Errors
    ///
    /// If it is not configured.
    pub fn text(&self, name: &str) -> Result<String, ConnectorError> {
        self.0.get(name).cloned().ok_or_else(|| ConnectorError::Missing { name: name.to_owned() })
    }

    /// The value of `${config:NAME}` as another type.
    ///
    /// # Errors
    ///
    /// If it is not configured, or is not what `expected` says.
    pub fn parse<T: FromStr>(&self, name: &str, expected: &'static str) -> Result<T, ConnectorError> {
        let value = self.text(name)?;
        value.parse().map_err(|_| ConnectorError::Invalid { name: name.to_owned(), value, expected })
    }

    /// The value of `${config:NAME}` as a list: separated by commas, as Kafka's own lists are, with or without spaces
    /// around them. An empty value is an empty list.
    ///
    /// # Errors
    ///
    /// If it is not configured, or an item is not what `expected` says.
    pub fn list<T: FromStr>(&self, name: &str, expected: &'static str) -> Result<Vec<T>, ConnectorError> {
        let value = self.text(name)?;
        if value.trim().is_empty() {
            return Ok(Vec::new());
        }
        let item = |item: &str| {
            item.trim().parse().map_err(|_| ConnectorError::Invalid {
                name: name.to_owned(),
                value: item.trim().to_owned(),
                expected,
            })
        };
        value.split(',').map(item).collect()
    }

    /// The value of `${config:NAME}` as the properties of an object: `key=value`, separated by commas, with or without
    /// spaces around them. An empty value is an object without properties.
    ///
    /// # Errors
    ///
    /// If it is not configured, or a property has no `=`.
    pub fn object(&self, name: &str) -> Result<Vec<(String, String)>, ConnectorError> {
        let expected = "a list of `key=value`";
        let property = |item: String| match item.split_once('=') {
            Some((key, value)) => Ok((key.trim_end().to_owned(), value.trim_start().to_owned())),
            None => Err(ConnectorError::Invalid { name: name.to_owned(), value: item, expected }),
        };
        self.list::<String>(name, expected)?.into_iter().map(property).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_separated_by_commas() {
        let values = [("ids", "1, 2,3"), ("none", " "), ("odd", "1,x"), ("color", "R=100, G = 2=3")];
        let parameters = Parameters::new(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(parameters.list::<i64>("ids", "an integer").unwrap(), [1, 2, 3]);
        assert!(parameters.list::<i64>("none", "an integer").unwrap().is_empty());
        let color = [("R", "100"), ("G", "2=3")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(parameters.object("color").unwrap(), color);
        assert!(parameters.object("none").unwrap().is_empty());
        let error = parameters.object("odd").unwrap_err();
        assert_eq!(error.to_string(), r#"property `odd`: "1" is not a list of `key=value`"#);
        let error = parameters.list::<i64>("odd", "an integer").unwrap_err();
        assert_eq!(error.to_string(), r#"property `odd`: "x" is not an integer"#);
    }
}
