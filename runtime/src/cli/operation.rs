//! Operations that a user names.

use super::diagnostic::{Diagnostic, Failure};
use crate::connector::{Connector, OperationDefinition};

/// The operation of this id.
///
/// # Errors
///
/// If the connector has none: the input's fault.
pub(super) fn known<'a>(connector: &'a Connector, id: &str) -> Result<&'a OperationDefinition, Failure> {
    connector.operations.iter().find(|definition| definition.facts.id == id).ok_or_else(|| {
        let ids: Vec<_> = connector.operations.iter().map(|definition| format!("`{}`", definition.facts.id)).collect();
        let message = format!("the connector has no operation `{id}`");
        Failure::input([Diagnostic { message, hint: Some(format!("its operations are {}", ids.join(", "))) }])
    })
}
