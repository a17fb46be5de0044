//! How a stream reads only what is new.

use super::key::Facts;
use super::{Inferred, first_of, is_same};
use crate::document::pointer;
use crate::plan::fields::{self, Use};
use crate::plan::model::{OffsetMode, OffsetPlan, ParameterScalar, ParameterType, Scalar};
use crate::plan::parameters::{Known, token};
use crate::plan::schema::{SchemaRef, ShapeKind};

/// Parameters that ask for what changed since an instant, with the fields that say when, the likeliest first.
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
const CREATED: [&str; 16] = [
    "occurred_at",
    "created_at",
    "created",
    "create_time",
    "created_time",
    "created_on",
    "created_date",
    "date_created",
    "published_at",
    "issued_at",
    "issuance_time",
    "timestamp",
    "event_time",
    "time",
    "date",
    "when",
];

/// Objects that records of some kinds of API have around their fields: GeoJSON's (RFC 7946 section 3.2), JSON:API's.
const WRAPPERS: [&str; 2] = ["properties", "attributes"];

/// What makes a lower bound of the name of a field.
const BOUNDS: [&str; 9] = ["[gte]", "[gt]", "[since]", "[after]", "_gte", "_gt", "_since", "_after", "_from"];

/// A field that can say how far a stream has been read.
struct Instant<'a> {
    name: &'a str,
    /// JSON Pointer from the record.
    pointer: String,
    surety: Surety,
}

/// What the document says of the field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Surety {
    /// Every record has it, and it is an instant.
    Declared,
    /// It is an instant, and of no field does the document say that every record has it.
    Unrequired,
    /// Every record has it, and it is a text of no format.
    Text,
}

/// A parameter for an instant together with a field that holds one. What is sure goes before what is likely.
pub(in crate::plan) fn infer(facts: &Facts<'_, '_>, parameters: &[Known]) -> Option<Inferred<OffsetPlan>> {
    // An instant is sent as text.
    let is_text = |known: &&Known| known.plan.ty == ParameterType::One(ParameterScalar::String);
    let asking = parameters.iter().filter(|known| known.plan.location.asks()).filter(is_text);
    let asking: Vec<&Known> = asking.collect();
    let mut instants = Vec::new();
    collect(facts, facts.schema, "", true, &mut instants);
    by_names(facts, &asking, &instants, Surety::Declared)
        .or_else(|| by_names(facts, &asking, &instants, Surety::Unrequired))
        .or_else(|| {
            // The format that the field lacks, its parameter has.
            let asking: Vec<&Known> = asking.iter().copied().filter(|known| known.is_instant).collect();
            by_names(facts, &asking, &instants, Surety::Text)
        })
}

/// The fields of an object that every record has, or may have.
fn collect<'a>(facts: &Facts<'a, '_>, schema: &SchemaRef<'a>, at: &str, is_sure: bool, found: &mut Vec<Instant<'a>>) {
    let ShapeKind::Object { properties, .. } = facts.schemas.shape(schema).kind else { return };
    let says_required = properties.values().any(|property| property.required);
    for (name, property) in properties {
        if (says_required && !property.required) || facts.schemas.shape(&property.schema).nullable {
            continue;
        }
        let pointer = pointer::join(at, name);
        let is_sure = is_sure && property.required;
        let surety = match fields::resolve(facts.types, facts.record, &pointer, Use::Moment) {
            Ok(path) if path.scalar == Scalar::DateTime && is_sure => Surety::Declared,
            Ok(path) if path.scalar == Scalar::DateTime => Surety::Unrequired,
            Ok(_) if is_sure => Surety::Text,
            Ok(_) => continue,
            Err(_) => {
                if at.is_empty() && WRAPPERS.contains(&name) {
                    collect(facts, &property.schema, &pointer, is_sure, found);
                }
                continue;
            }
        };
        found.push(Instant { name, pointer, surety });
    }
}

fn by_names(
    facts: &Facts<'_, '_>,
    asking: &[&Known],
    instants: &[Instant<'_>],
    surety: Surety,
) -> Option<Inferred<OffsetPlan>> {
    let parameters_named: Vec<&str> = asking.iter().map(|known| known.plan.wire_name.as_str()).collect();
    let instants: Vec<&Instant<'_>> = instants.iter().filter(|instant| instant.surety == surety).collect();
    let names: Vec<&str> = instants.iter().map(|instant| instant.name).collect();
    let found = |parameter: &str, name: &str, rule, says: &str| {
        let pointer = &instants.iter().find(|instant| instant.name == name)?.pointer;
        let field = pointer.strip_prefix('/').unwrap_or(pointer);
        let (rule, has) = match surety {
            Surety::Declared => (rule, format!("every record has the instant `{field}`")),
            Surety::Unrequired => {
                let unsaid = "the document says of no field that every record has it";
                ("unrequired-instant", format!("the records have the instant `{field}`; {unsaid}"))
            }
            Surety::Text => {
                ("text-instant", format!("every record has the text `{field}`, which is named as an instant is"))
            }
        };
        let reason = format!("the parameter `{parameter}` {says}, and {has}");
        let field = fields::resolve(facts.types, facts.record, pointer, Use::Moment).ok()?;
        let (mode, parameter) = (OffsetMode::Timestamp, token(asking.iter().copied(), parameter));
        let value = OffsetPlan { mode, field, parameter, initial: None, lookback_ms: None };
        Some(Inferred { value, rule, reason })
    };
    // A bound that is called as its field is leaves no doubt.
    for wanted in UPDATED.iter().chain(&CREATED) {
        let Some(field) = first_of(&[wanted], names.iter().copied()) else { continue };
        let bound = |parameter: &&&str| BOUNDS.iter().any(|bound| is_same(&format!("{field}{bound}"), parameter));
        if let Some(parameter) = parameters_named.iter().find(bound) {
            return found(parameter, field, "field-bound", &format!("is a lower bound of `{field}`"));
        }
    }
    RULES.iter().find_map(|(rule, parameters, wanted)| {
        let parameter = first_of(parameters, parameters_named.iter().copied())?;
        let field = first_of(wanted, names.iter().copied())?;
        found(parameter, field, rule, "asks for what is new")
    })
}
