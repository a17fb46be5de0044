//! How a stream reads only what is new.

use super::key::Facts;
use super::{Inferred, first_of, is_same};
use crate::document::pointer;
use crate::plan::fields::{self, Use};
use crate::plan::model::{OffsetMode, OffsetPlan, ParameterLocation, ParameterScalar, ParameterType};
use crate::plan::parameters::Known;
use crate::plan::schema::ShapeKind;

/// Query parameters that ask for what changed since an instant, with the fields that say when, the likeliest first.
const RULES: [(&str, &[&str], &[&str]); 2] = [
    (
        "updated-since",
        &[
            "updated_since",
            "updated_after",
            "modified_since",
            "modified_after",
            "if_modified_since",
            "last_modified_after",
            "changed_since",
            "updated_from",
            "min_updated",
            "since",
        ],
        &UPDATED,
    ),
    (
        "created-since",
        &[
            "created_since",
            "created_after",
            "since",
            "occurred_after",
            "start_time",
            "start_date",
            "start",
            "from",
            "from_date",
            "after",
        ],
        &CREATED,
    ),
];

/// Fields that say when a record changed.
const UPDATED: [&str; 14] = [
    "updated_at",
    "updated",
    "update_time",
    "updated_time",
    "updated_on",
    "updated_date",
    "date_updated",
    "modified_at",
    "modified",
    "modified_on",
    "last_modified",
    "last_modified_at",
    "last_updated",
    "last_updated_at",
];

/// Fields that say when a record came to be.
const CREATED: [&str; 13] = [
    "occurred_at",
    "created_at",
    "created",
    "create_time",
    "created_time",
    "created_on",
    "created_date",
    "date_created",
    "timestamp",
    "event_time",
    "time",
    "date",
    "when",
];

/// What makes a lower bound of the name of a field.
const BOUNDS: [&str; 9] = ["[gte]", "[gt]", "[since]", "[after]", "_gte", "_gt", "_since", "_after", "_from"];

/// A query parameter for an instant together with a field that every record has and that holds one.
pub(in crate::plan) fn infer(facts: &Facts<'_, '_>, parameters: &[Known]) -> Option<Inferred<OffsetPlan>> {
    let ShapeKind::Object { properties, .. } = facts.schemas.shape(facts.schema).kind else { return None };
    // An instant is sent as text.
    let is_text = |known: &&Known| known.plan.ty == ParameterType::One(ParameterScalar::String);
    let query = parameters.iter().filter(|known| known.plan.location == ParameterLocation::Query).filter(is_text);
    let query: Vec<&str> = query.map(|known| known.plan.wire_name.as_str()).collect();
    let instant = |name: &str| {
        let path = fields::resolve(facts.types, facts.record, &pointer::join("", name), Use::Instant).ok()?;
        Some(path)
    };
    let required = properties.iter().filter(|(_, property)| property.required);
    let sure = required.filter(|(_, property)| !facts.schemas.shape(&property.schema).nullable);
    let instants: Vec<&str> = sure.map(|(name, _)| *name).filter(|name| instant(name).is_some()).collect();
    let found = |parameter: &str, field: &str, rule, says: &str| {
        let reason = format!("the parameter `{parameter}` {says}, and every record has the instant `{field}`");
        let (mode, parameter) = (OffsetMode::Timestamp, parameter.to_owned());
        let value = OffsetPlan { mode, field: instant(field)?, parameter, initial: None };
        Some(Inferred { value, rule, reason })
    };
    // A bound that is called as its field is leaves no doubt.
    for wanted in UPDATED.iter().chain(&CREATED) {
        let Some(field) = first_of(&[wanted], instants.iter().copied()) else { continue };
        let bound = |parameter: &&&str| BOUNDS.iter().any(|bound| is_same(&format!("{field}{bound}"), parameter));
        if let Some(parameter) = query.iter().find(bound) {
            return found(parameter, field, "field-bound", &format!("is a lower bound of `{field}`"));
        }
    }
    RULES.iter().find_map(|(rule, parameters, wanted)| {
        let parameter = first_of(parameters, query.iter().copied())?;
        let field = first_of(wanted, instants.iter().copied())?;
        found(parameter, field, rule, "asks for what is new")
    })
}
