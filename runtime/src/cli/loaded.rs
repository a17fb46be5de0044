//! A connector as it is configured, with generated code or without.

use std::path::Path;

use super::diagnostic::Failure;
use super::{operation, run};
use crate::config::{ConnectorConfig, Environment, Services, SourceConfig};
use crate::connector::Connector;
use crate::flow;
use crate::operation::SlicedOperation;

/// A configuration, and the operations that it is for.
pub(super) struct Loaded {
    pub(super) config: ConnectorConfig,
    pub(super) operations: Vec<Box<dyn SlicedOperation>>,
}

impl Loaded {
    /// A generated connector.
    pub(super) fn generated(
        connector: &Connector,
        config: Option<&Path>,
        environment: &Environment,
        services: &Services,
    ) -> Result<Self, Failure> {
        let config = ConnectorConfig::load(connector, config, environment, services)?;
        let operations = flow::operations(connector, &config.parameters, &config.operations)
            .map_err(|error| run::failure(error.into()))?;
        Ok(Self { config, operations })
    }

    /// A source from its configuration alone.
    pub(super) fn source(config: &Path, environment: &Environment, services: &Services) -> Result<Self, Failure> {
        let SourceConfig { connector, operations } = SourceConfig::load(config, environment, services)?;
        Ok(Self { config: connector, operations })
    }

    /// The ids of the operations.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.facts().id.as_ref())
    }

    /// The operation of this id.
    ///
    /// # Errors
    ///
    /// If there is none: the input's fault.
    pub(super) fn operation(&self, id: &str) -> Result<&dyn SlicedOperation, Failure> {
        let found = self.operations.iter().find(|operation| operation.facts().id == id);
        found.map(AsRef::as_ref).ok_or_else(|| operation::unknown(id, self.ids()))
    }
}
