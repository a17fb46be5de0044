//! Where the records are in a response.

use super::{Inferred, first_of, is_same, last_name};
use crate::document::pointer;
use crate::plan::schema::{SchemaRef, Schemas, ShapeKind};

/// What lists of records are called in an envelope, the likeliest first.
const NAMES: [&str; 15] = [
    "data", "items", "results", "records", "value", "values", "entries", "hits", "content", "elements", "rows", "list",
    "objects", "features", "@graph",
];

/// What an envelope within an envelope is called.
const ENVELOPES: [&str; 6] = ["data", "result", "response", "payload", "_embedded", "hits"];

/// Where the records are, and how many of them a response has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Place {
    /// JSON Pointer to them.
    pub(in crate::plan) pointer: String,
    /// Whether there is one, not a list.
    pub(in crate::plan) is_single: bool,
}

/// JSON Pointer to the records, or why none can be told. A list goes before the object that it stands in.
pub(in crate::plan) fn infer(
    schemas: Schemas<'_>,
    response: &SchemaRef<'_>,
    path: &str,
) -> Result<Inferred<Place>, String> {
    match schemas.shape(response).kind {
        ShapeKind::Array { items } => {
            if items.is_some_and(|items| is_record(schemas, &items)) {
                let reason = "the response is a list of objects".to_owned();
                return Ok(Inferred {
                    value: Place { pointer: String::new(), is_single: false },
                    rule: "root-array",
                    reason,
                });
            }
            Err("the response is a list, but not of objects with fields, of which records are made".to_owned())
        }
        ShapeKind::Object { properties, .. } => {
            let reason = match in_envelope(schemas, response, "", path) {
                Ok(found) => return Ok(found),
                Err(reason) => match inner_envelope(schemas, response, path) {
                    Some(found) => return Ok(found),
                    None => reason,
                },
            };
            if properties.is_empty() {
                return Err("the response is an object whose fields the document does not say".to_owned());
            }
            let value = Place { pointer: String::new(), is_single: true };
            Ok(Inferred { value, rule: "single-object", reason: format!("{reason}, so the response is one record") })
        }
        ShapeKind::OneOf(_) => Err("the response is one of several things".to_owned()),
        ShapeKind::Any => Err("the document does not say what the response is".to_owned()),
        _ => Err("the response is neither an object nor a list".to_owned()),
    }
}

fn in_envelope(
    schemas: Schemas<'_>,
    envelope: &SchemaRef<'_>,
    at: &str,
    path: &str,
) -> Result<Inferred<Place>, String> {
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
    let found = |name: &str, rule, reason| {
        Ok(Inferred { value: Place { pointer: pointer::join(at, name), is_single: false }, rule, reason })
    };
    // `/pets/{id}` answers with one pet, and a list in it is a part of it.
    let of_one = path.ends_with('}');
    let thing = properties.keys().find(|name| is_same("id", name));
    if let Some(segment) = last_name(path) {
        if let Some(name) = lists.iter().find(|name| is_same(name, segment)) {
            return found(name, "path-segment", format!("the list `{name}` is called as the end of the path is"));
        }
    }
    if let Some(name) = first_of(&NAMES, lists.iter().copied()).filter(|_| thing.is_none()) {
        return found(name, "envelope-name", format!("the list `{name}` has the name of one that holds records"));
    }
    Err(match (lists.as_slice(), thing) {
        ([], _) => "the response has no list of objects".to_owned(),
        ([only], None) if !of_one => {
            return found(only, "only-array", format!("`{only}` is the only list of objects in the response"));
        }
        ([only], Some(id)) => {
            format!("the response has an `{id}`, so that the list `{only}` seems to be a part of one object")
        }
        ([only], None) => format!("the path ends in a parameter, so that `{only}` seems to be a part of one object"),
        (lists, _) => format!("the response has several lists of objects: `{}`", lists.join("`, `")),
    })
}

/// An envelope within the envelope: one of a known name, or the only thing in it.
fn inner_envelope(schemas: Schemas<'_>, response: &SchemaRef<'_>, path: &str) -> Option<Inferred<Place>> {
    let ShapeKind::Object { properties, .. } = schemas.shape(response).kind else { return None };
    let only = properties.keys().next().copied().filter(|_| properties.len() == 1);
    let name = first_of(&ENVELOPES, properties.keys().copied()).or(only)?;
    let inner = &properties.get(name)?.schema;
    let is_object = matches!(schemas.shape(inner).kind, ShapeKind::Object { .. });
    let found = is_object.then(|| in_envelope(schemas, inner, &pointer::join("", name), path))?;
    found.ok()
}

fn is_record(schemas: Schemas<'_>, schema: &SchemaRef<'_>) -> bool {
    matches!(schemas.shape(schema).kind, ShapeKind::Object { properties, .. } if !properties.is_empty())
}
