//! A connector as its generated crate states it: a name, an API, the parameters that its user sets, and its operations.

mod backfill;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

pub use backfill::BackfillFacts;

use crate::format::OutputFormat;
use crate::http::{Authenticator, SharedAuthenticator};
use crate::operation::{Operation, OperationFacts, SlicedOperation, Typed, TypedOperation, record_schema};
use crate::page::TokenIn;
use crate::position::{Position, PositionMisfit};
use crate::slice::{Backfill, Slice, SliceError, Slicing};

/// A generated connector.
pub struct Connector {
    pub(crate) name: &'static str,
    pub(crate) base_url: Option<&'static str>,
    pub(crate) document: Option<&'static str>,
    pub(crate) parameters: Vec<ParameterDefinition>,
    pub(crate) operations: Vec<OperationDefinition>,
    pub(crate) authenticator: Option<SharedAuthenticator>,
}

/// A configuration property that the connector's annotations introduce with `${config:NAME}`.
pub(crate) struct ParameterDefinition {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
}

/// Makes an operation from the configured parameters and the values of a slice.
type BuildOperation = dyn Fn(&Parameters) -> Result<Arc<dyn Operation>, ConnectorError> + Send + Sync;

/// Gives a list of values from the configured parameters.
type ListValues = fn(&Parameters) -> Result<Vec<String>, ConnectorError>;

/// An operation, before its parameters are known.
pub(crate) struct OperationDefinition {
    pub(crate) facts: OperationFacts,
    /// The schema of its records in a format; `None` for one without schemas.
    pub(crate) schema: fn(OutputFormat) -> Option<&'static str>,
    /// What makes its slices, but for the lists.
    pub(crate) slicing: Slicing,
    /// Whether only what changes is written, unless the configuration says otherwise.
    pub(crate) writes_changes: bool,
    /// Whether the crate's own code decides what is written.
    pub(crate) is_hooked: bool,
    /// What is done with personal data in its records, unless the configuration says otherwise.
    pub(crate) redact: &'static str,
    /// The parameters that have several values one after the other, and these.
    pub(crate) lists: Vec<(&'static str, ListValues)>,
    /// How it can be read step by step, if it can.
    pub(crate) backfill: Option<BackfillFacts>,
    /// How it is made from the parameters.
    pub(crate) build: Arc<BuildOperation>,
}

impl OperationDefinition {
    /// The operation with the configured parameters, and with what is read of it once.
    ///
    /// # Errors
    ///
    /// If it lacks a parameter, or does not take one. One that is read in slices tells when it comes to them.
    pub(crate) fn configured(
        &self,
        parameters: &Parameters,
        backfill: Option<Backfill>,
    ) -> Result<Box<dyn SlicedOperation>, ConnectorError> {
        match (self.build)(parameters) {
            Ok(_) | Err(ConnectorError::Slice(_)) => {}
            Err(error) => return Err(error),
        }
        let mut slicing = Slicing { backfill, ..self.slicing.clone() };
        for (name, values) in &self.lists {
            slicing.lists.push(((*name).into(), values(parameters)?));
        }
        Ok(Box::new(Configured {
            facts: self.facts.clone(),
            schema: self.schema,
            slicing,
            until: self.backfill.as_ref().map(|facts| facts.until.clone()),
            build: Arc::clone(&self.build),
            parameters: parameters.clone(),
        }))
    }
}

/// An operation with its configured parameters.
struct Configured {
    facts: OperationFacts,
    schema: fn(OutputFormat) -> Option<&'static str>,
    slicing: Slicing,
    /// What says where a step of a backfill ends.
    until: Option<TokenIn>,
    build: Arc<BuildOperation>,
    parameters: Parameters,
}

impl SlicedOperation for Configured {
    fn facts(&self) -> &OperationFacts {
        &self.facts
    }

    fn slicing(&self) -> &Slicing {
        &self.slicing
    }

    fn schema(&self, format: OutputFormat) -> Option<&str> {
        (self.schema)(format)
    }

    fn can_stand_at(&self, position: &Position) -> Result<(), PositionMisfit> {
        position.check(&self.facts)
    }

    /// The offset of a backfill is a time.
    fn offset_at(&self, time: Timestamp) -> Option<String> {
        self.until.as_ref().map(|_| time.to_string())
    }

    fn slice(&self, slice: &Slice) -> Result<Arc<dyn Operation>, SliceError> {
        let parameters = Parameters { configured: self.parameters.configured.clone(), slice: slice.clone() };
        let operation = (self.build)(&parameters).map_err(|error| match error {
            ConnectorError::Slice(error) => error,
            error => SliceError::Operation { reason: error.to_string() },
        })?;
        Ok(match (self.until.clone(), slice.range()) {
            (Some(parameter), Some(range)) => {
                Arc::new(backfill::Until { operation, parameter, end: range.end.to_string() })
            }
            _ => operation,
        })
    }
}

impl Connector {
    /// A connector without operations. `name` is its default name: of its consumer group, transactional id and offsets.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            base_url: None,
            document: None,
            parameters: Vec::new(),
            operations: Vec::new(),
            authenticator: None,
        }
    }

    /// Whether the records of an operation call for slices of others.
    pub(crate) fn is_parent(&self, definition: &OperationDefinition) -> bool {
        self.operations.iter().any(|other| other.slicing.parent.as_ref() == Some(&definition.facts.id))
    }

    /// The API's base URL, by the document; configuration overrides it.
    #[must_use]
    pub fn base_url(mut self, url: &'static str) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Has requests authenticate in a way of one's own, where the configuration names no `auth.type`. A program beside the
    /// generated one hands the connector over with it:
    ///
    /// ```ignore
    /// fn main() -> std::process::ExitCode {
    ///     headwater_runtime::cli::main(my_connector::connector().authenticator(MySignature::new()))
    /// }
    /// ```
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticator = Some(SharedAuthenticator::new(authenticator));
        self
    }

    /// The part of the API's document that the connector was generated from; records can tell its hash.
    #[must_use]
    pub fn document(mut self, text: &'static str) -> Self {
        self.document = Some(text);
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
            slicing: O::slicing(),
            writes_changes: O::writes_changes(),
            is_hooked: O::hook().is_some(),
            redact: O::redact(),
            lists: Vec::new(),
            backfill: None,
            build: Arc::new(move |parameters| Ok(Arc::new(Typed::new(build(parameters)?)))),
        });
        self
    }

    /// Has the operation that was added last read in slices, one for each of the values of `parameter`, and for every
    /// combination with those of others.
    #[must_use]
    pub fn slices(
        mut self,
        parameter: &'static str,
        values: fn(&Parameters) -> Result<Vec<String>, ConnectorError>,
    ) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.lists.push((parameter, values));
        }
        self
    }
}

impl Connector {
    /// Has a range of time read once of the operation that was added last, step by step, if the facts or the configuration name
    /// one.
    #[must_use]
    pub fn backfill(mut self, facts: BackfillFacts) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.backfill = Some(facts);
        }
        self
    }
}

/// The configured values of a connector's parameters, and the values of the slice that is read.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    configured: Arc<BTreeMap<String, String>>,
    slice: Slice,
}

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
    /// The values of a slice do not fit the API's document.
    #[error(transparent)]
    Slice(#[from] SliceError),
}

impl Parameters {
    pub(crate) fn new(configured: BTreeMap<String, String>) -> Self {
        Self { configured: Arc::new(configured), slice: Slice::whole() }
    }

    /// A value of the slice that is read, as text.
    ///
    /// # Errors
    ///
    /// If the slice does not have it.
    pub fn slice(&self, name: &str) -> Result<String, ConnectorError> {
        let value = self.slice.get(name).map(str::to_owned);
        Ok(value.ok_or_else(|| SliceError::Missing { name: name.to_owned() })?)
    }

    /// A value of the slice that is read, as another type.
    ///
    /// # Errors
    ///
    /// If the slice does not have it, or it is not what `expected` says.
    pub fn parse_slice<T: FromStr>(&self, name: &str, expected: &'static str) -> Result<T, ConnectorError> {
        let value = self.slice(name)?;
        Ok(value.parse().map_err(|_| SliceError::Invalid { name: name.to_owned(), value, expected })?)
    }

    /// The value of `${config:NAME}` as text.
    ///
    /// # Errors
    ///
    /// If it is not configured.
    pub fn text(&self, name: &str) -> Result<String, ConnectorError> {
        self.configured.get(name).cloned().ok_or_else(|| ConnectorError::Missing { name: name.to_owned() })
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

    /// The value of `${config:NAME}` as the values of slices: a list as [`Parameters::list`] takes it, each value once.
    ///
    /// # Errors
    ///
    /// If it is not configured or has no value, or one of them is not what `expected` says.
    pub fn values<T: FromStr>(&self, name: &str, expected: &'static str) -> Result<Vec<String>, ConnectorError> {
        self.list::<T>(name, expected)?;
        let mut values: Vec<String> = Vec::new();
        for value in self.list::<String>(name, expected)? {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if values.is_empty() {
            let expected = "a list with values";
            return Err(ConnectorError::Invalid { name: name.to_owned(), value: self.text(name)?, expected });
        }
        Ok(values)
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
