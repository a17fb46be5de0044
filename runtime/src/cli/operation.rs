//! Operations that a user names.

use super::diagnostic::{Diagnostic, Failure};
use crate::connector::{Connector, OperationDefinition};

/// The operation of this id.
///
/// # Errors
///
/// If the connector has none: the input's fault.
pub(super) fn known<'a>(connector: &'a Connector, id: &str) -> Result<&'a OperationDefinition, Failure> {
    let ids = connector.operations.iter().map(|definition| definition.facts.id.as_ref());
    connector.operations.iter().find(|definition| definition.facts.id == id).ok_or_else(|| unknown(id, ids))
}

/// That there is no operation of this id, but these.
pub(super) fn unknown<'a>(id: &str, ids: impl Iterator<Item = &'a str>) -> Failure {
    let ids: Vec<_> = ids.map(|id| format!("`{id}`")).collect();
    let message = format!("the connector has no operation `{id}`");
    Failure::input([Diagnostic { message, hint: Some(format!("its operations are {}", ids.join(", "))) }])
}
