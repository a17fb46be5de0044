//! How a stream reads only what is new.

use super::{Inferred, first_of};
use crate::document::pointer;
use crate::plan::fields::{self, Use};
use crate::plan::model::{OffsetMode, OffsetPlan, ParameterLocation, TypeId, TypeKind};
use crate::plan::parameters::Known;
use crate::plan::types::Types;

/// Query parameters that ask for what changed since an instant, with the fields that say when, the likeliest first.
const RULES: [(&str, &[&str], &[&str]); 2] = [
    (
        "updated-since",
        &["updated_since", "updated_after", "modified_since", "modified_after", "updated_from", "since"],
        &[
            "updated_at",
            "updated",
            "modified_at",
            "modified",
            "last_modified",
            "last_updated",
            "updated_on",
            "modified_on",
        ],
    ),
    (
        "created-since",
        &["created_since", "created_after", "since", "occurred_after", "start_time", "from"],
        &["occurred_at", "created_at", "created", "timestamp", "event_time", "time", "created_on", "date"],
    ),
];

/// A query parameter for an instant together with a required field that holds one.
pub(in crate::plan) fn infer(types: &Types<'_>, record: TypeId, parameters: &[Known]) -> Option<Inferred<OffsetPlan>> {
    let TypeKind::Struct(ty) = types.kind(record)? else { return None };
    let query = parameters
        .iter()
        .filter(|known| known.plan.location == ParameterLocation::Query)
        .map(|known| known.plan.wire_name.as_str());
    let instants = ty.fields.iter().filter(|field| !field.element.optional).map(|field| field.wire_name.as_str());
    RULES.iter().find_map(|(rule, parameters, wanted)| {
        let parameter = first_of(parameters, query.clone())?;
        let field = first_of(wanted, instants.clone())?;
        let path = fields::resolve(types, record, &pointer::join("", field), Use::Instant).ok()?;
        let reason =
            format!("the parameter `{parameter}` asks for what is new, and every record has the instant `{field}`");
        let plan =
            OffsetPlan { mode: OffsetMode::Timestamp, field: path, parameter: parameter.to_owned(), initial: None };
        Some(Inferred { value: plan, rule, reason })
    })
}
