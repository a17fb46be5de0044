//! What follows when a record departs from the API's document.

use crate::record::DriftKind;

/// What follows when a record departs from the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// It is written all the same, counted, and told once for each place.
    #[default]
    Warn,
    /// It goes to the dead letters, and is counted and told too.
    Quarantine,
    /// The stream stops.
    Stop,
}

/// What follows, by how the record departs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriftPolicy {
    /// It has a field that is not declared.
    pub unknown_field: OnDrift,
    /// It has a value of another type than the declared one, whether or not it can be read as that.
    pub wrong_type: OnDrift,
    /// It lacks a required field, or has `null` there.
    pub missing_field: OnDrift,
    /// It has a value that is not one of those that are declared.
    pub unknown_value: OnDrift,
}

impl DriftPolicy {
    /// The same whatever it is.
    pub fn all(on_drift: OnDrift) -> Self {
        Self { unknown_field: on_drift, wrong_type: on_drift, missing_field: on_drift, unknown_value: on_drift }
    }

    /// What follows on a departure of this kind.
    pub(super) fn of(&self, kind: DriftKind) -> OnDrift {
        match kind {
            DriftKind::Undeclared => self.unknown_field,
            DriftKind::Coerced | DriftKind::Misfit => self.wrong_type,
            DriftKind::Missing | DriftKind::Null => self.missing_field,
            DriftKind::Unlisted => self.unknown_value,
        }
    }
}
