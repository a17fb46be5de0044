//! Where the records are in a response.

use super::{Inferred, first_of};
use crate::document::pointer;
use crate::plan::schema::{SchemaRef, Schemas, ShapeKind};

/// What lists of records are called in an envelope, the likeliest first.
const NAMES: [&str; 13] = [
    "data", "items", "results", "records", "value", "values", "entries", "content", "elements", "rows", "list",
    "objects", "events",
];

/// What an envelope within an envelope is called.
const ENVELOPES: [&str; 5] = ["data", "result", "response", "payload", "_embedded"];

/// JSON Pointer to the records, or why none can be told.
pub(in crate::plan) fn infer(
    schemas: Schemas<'_>,
    response: &SchemaRef<'_>,
    path: &str,
) -> Result<Inferred<String>, String> {
    match schemas.shape(response).kind {
        ShapeKind::Array { items } => {
            if items.is_some_and(|items| is_record(schemas, &items)) {
                let reason = "the response is a list of objects".to_owned();
                return Ok(Inferred { value: String::new(), rule: "root-array", reason });
            }
            Err("the response is a list, but not of objects with fields".to_owned())
        }
        ShapeKind::Object { .. } => match in_envelope(schemas, response, "") {
            // `/pets/{id}` answers with one pet, and a list in it is a part of it.
            Ok(found) if path.ends_with('}') && !has_envelope_name(&found.value) => {
                Err(format!("the path ends in a parameter, so that `{}` seems to be a part of one object", found.value))
            }
            Ok(found) => Ok(found),
            Err(reason) => inner_envelope(schemas, response).ok_or(reason),
        },
        _ => Err("the response is neither an object nor a list".to_owned()),
    }
}

fn has_envelope_name(at: &str) -> bool {
    first_of(&NAMES, at.strip_prefix('/')).is_some()
}

fn in_envelope(schemas: Schemas<'_>, envelope: &SchemaRef<'_>, at: &str) -> Result<Inferred<String>, String> {
    let ShapeKind::Object { properties, .. } = schemas.shape(envelope).kind else {
        return Err("the response is neither an object nor a list".to_owned());
    };
    let lists: Vec<&str> = properties
        .iter()
        .filter(|(_, property)| match schemas.shape(&property.schema).kind {
            ShapeKind::Array { items: Some(items) } => is_record(schemas, &items),
            _ => false,
        })
        .map(|(name, _)| *name)
        .collect();
    if let [only] = lists.as_slice() {
        let reason = format!("`{only}` is the only list of objects in the response");
        return Ok(Inferred { value: pointer::join(at, only), rule: "only-array", reason });
    }
    if let Some(name) = first_of(&NAMES, lists.iter().copied()) {
        let reason = format!("of the lists in the response, `{name}` has the name of one that holds records");
        return Ok(Inferred { value: pointer::join(at, name), rule: "envelope-name", reason });
    }
    Err(match lists.as_slice() {
        [] => "the response has no list of objects".to_owned(),
        lists => format!("the response has several lists of objects: `{}`", lists.join("`, `")),
    })
}

fn inner_envelope(schemas: Schemas<'_>, response: &SchemaRef<'_>) -> Option<Inferred<String>> {
    let ShapeKind::Object { properties, .. } = schemas.shape(response).kind else { return None };
    let name = first_of(&ENVELOPES, properties.keys().copied())?;
    let inner = &properties.get(name)?.schema;
    in_envelope(schemas, inner, &pointer::join("", name)).ok()
}

fn is_record(schemas: Schemas<'_>, schema: &SchemaRef<'_>) -> bool {
    match schemas.shape(schema).kind {
        ShapeKind::Object { properties, .. } => !properties.is_empty(),
        // Records of several types. A branch that is a union itself would have to be looked into without end.
        ShapeKind::OneOf(branches) => branches.iter().all(|branch| match schemas.shape(branch).kind {
            ShapeKind::Object { properties, .. } => !properties.is_empty(),
            _ => false,
        }),
        _ => false,
    }
}
