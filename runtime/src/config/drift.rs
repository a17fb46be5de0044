//! What follows when a record departs from the API's document.

use super::kind::Kind;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::page::{DriftPolicy, OnDrift};

const POLICY: Kind<OnDrift> =
    Kind::OneOf(&[("WARN", OnDrift::Warn), ("QUARANTINE", OnDrift::Quarantine), ("STOP", OnDrift::Stop)]);

const FROM_ENFORCE: &str = "STOP with `http.response.schema.enforce=STRICT`, otherwise WARN";

properties! {
    in PROPERTIES;

    ENFORCE: bool = Property::new(
        "http.response.schema.enforce",
        Kind::OneOf(&[("NONE", false), ("STRICT", true)]),
        "Whether a record that is not as the API's document says stops its stream. If not, it is delivered, and what has \
         no place in its schema goes into the field `unmapped`. The four properties below say it for each kind of departure.",
    ).per_api().default("NONE");
    UNKNOWN_FIELD: OnDrift = Property::new(
        "http.response.schema.on.unknown.field",
        POLICY,
        "What follows on a field that the document does not declare. WARN: the record is delivered, the departure counted, and \
         told once for each place. QUARANTINE: the record goes to the dead letter topic. STOP: its stream stops.",
    ).per_api().derived(FROM_ENFORCE);
    WRONG_TYPE: OnDrift = Property::new(
        "http.response.schema.on.wrong.type",
        POLICY,
        "The same, on a value of another type than the declared one, such as an integer as text.",
    ).per_api().derived(FROM_ENFORCE);
    MISSING_FIELD: OnDrift = Property::new(
        "http.response.schema.on.missing.field",
        POLICY,
        "The same, on a required field that is absent or `null`.",
    ).per_api().derived(FROM_ENFORCE);
    UNKNOWN_VALUE: OnDrift = Property::new(
        "http.response.schema.on.unknown.value",
        POLICY,
        "The same, on a value that is not one of those that the document lists.",
    ).per_api().derived(FROM_ENFORCE);
}

/// Reads what follows when a record of one operation departs from the document.
pub(super) fn read(reader: &mut Reader<'_>, number: usize) -> Option<DriftPolicy> {
    let is_strict = reader.get_of(number, &ENFORCE);
    let mut of = |property: &Property<OnDrift>| reader.get_of(number, property);
    let (unknown_field, wrong_type) = (of(&UNKNOWN_FIELD), of(&WRONG_TYPE));
    let (missing_field, unknown_value) = (of(&MISSING_FIELD), of(&UNKNOWN_VALUE));
    let otherwise = if is_strict? { OnDrift::Stop } else { OnDrift::Warn };
    Some(DriftPolicy {
        unknown_field: unknown_field.unwrap_or(otherwise),
        wrong_type: wrong_type.unwrap_or(otherwise),
        missing_field: missing_field.unwrap_or(otherwise),
        unknown_value: unknown_value.unwrap_or(otherwise),
    })
}
