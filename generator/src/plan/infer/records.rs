//! Where the records are in a response.

use super::{Inferred, UNDESCRIBED, first_of, is_same, last_name};
use crate::document::pointer;
use crate::plan::schema::{Property, SchemaRef, Schemas, ShapeKind};

/// What lists of records are called in an envelope, the likeliest first.
const NAMES: [&str; 15] = [
    "data", "items", "results", "records", "value", "values", "entries", "hits", "content", "elements", "rows", "list",
    "objects", "features", "@graph",
];

/// What an envelope within an envelope is called.
const ENVELOPES: [&str; 7] = ["data", "result", "response", "payload", "_embedded", "hits", "meta"];

/// Parts of the names of what stands in an envelope beside the records.
const BESIDE: [&str; 27] = [
    "total", "count", "limit", "offset", "page", "paging", "size", "next", "prev", "more", "last", "first", "max",
    "start", "cursor", "token", "self", "href", "url", "link", "kind", "version", "object", "status", "error",
    "warning", "meta",
];

/// How many other fields an envelope has at most.
const MOST_OTHERS: usize = 3;

/// Why one that is described has no fields all the same.
const SEVERAL: &str = "the response is one of several things";

/// JSON Pointer to the records, or why none can be told. A list goes before the object that it stands in.
pub(in crate::plan) fn infer(
    schemas: Schemas<'_>,
    response: &SchemaRef<'_>,
    path: &str,
) -> Result<Inferred<String>, String> {
    let whole = |rule, reason: &str| Ok(Inferred { value: String::new(), rule, reason: reason.to_owned() });
    if schemas.is_undescribed(response) {
        return whole(UNDESCRIBED, "the document does not describe the response");
    }
    if schemas.is_undescribed_list(response) {
        return whole(UNDESCRIBED, "the response is a list, and the document does not describe what it holds");
    }
    let shape = schemas.shape(response);
    match shape.kind {
        ShapeKind::Array { items } => match items {
            Some(items) if is_record(schemas, &items) => whole("root-array", "the response is a list of objects"),
            _ => Err("the response is a list, but not of objects with fields, of which records are made".to_owned()),
        },
        ShapeKind::Object { properties, .. } if properties.is_empty() && shape.has_branches => {
            whole(UNDESCRIBED, SEVERAL)
        }
        ShapeKind::Object { properties, .. } => {
            let reason = match in_envelope(schemas, response, "", path) {
                Ok(found) => return Ok(found),
                Err(NoRecords::Fatal(reason)) => return Err(reason),
                Err(NoRecords::Perhaps(reason)) => match inner_envelope(schemas, response, path) {
                    Some(found) => return Ok(found),
                    None => reason,
                },
            };
            if properties.is_empty() {
                return Err("the response is an object whose keys are data".to_owned());
            }
            whole("single-object", &format!("{reason}, so the response is one record"))
        }
        ShapeKind::OneOf(_) if is_record(schemas, response) => {
            whole("single-object", "the response is one of several kinds of object, so the response is one record")
        }
        ShapeKind::OneOf(_) | ShapeKind::Any => whole(UNDESCRIBED, SEVERAL),
        _ => Err("the response is neither an object nor a list".to_owned()),
    }
}

fn in_envelope(
    schemas: Schemas<'_>,
    envelope: &SchemaRef<'_>,
    at: &str,
    path: &str,
) -> Result<Inferred<String>, NoRecords> {
    let ShapeKind::Object { properties, .. } = schemas.shape(envelope).kind else {
        return Err(NoRecords::Perhaps("the response is neither an object nor a list".to_owned()));
    };
    let of_records =
        |property: &Property<'_>| items_of(schemas, property).is_some_and(|items| is_record(schemas, &items));
    let lists = properties.iter().filter(|(_, property)| of_records(property));
    let lists: Vec<&str> = lists.map(|(name, _)| *name).collect();
    let undescribed = properties.iter().filter(|(_, property)| schemas.is_undescribed_list(&property.schema));
    let undescribed: Vec<&str> = undescribed.map(|(name, _)| *name).collect();
    // A list that cannot be read is no reason to take another for it.
    let unread = |property: &Property<'_>| {
        let shape = schemas.shape(&items_of(schemas, property)?);
        match shape.kind {
            ShapeKind::OneOf(_) => Some("things of several kinds"),
            ShapeKind::Object { properties, .. } if properties.is_empty() && shape.has_branches => {
                Some("things of several kinds")
            }
            ShapeKind::Object { properties, additional, .. } if properties.is_empty() && additional.is_some() => {
                Some("objects whose keys are data")
            }
            _ => None,
        }
    };
    let segment = last_name(path);
    let is_read = |name: &str| undescribed.contains(&name) || lists.contains(&name);
    let names = properties.iter().filter(|(name, property)| !is_read(name) && unread(property).is_some());
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    let name = first_of(&NAMES, names.iter().copied())
        .or(segment.and_then(|segment| first_of(&[segment], names.iter().copied())));
    if let Some((name, what)) = name.and_then(|name| Some((name, unread(properties.get(name)?)?))) {
        return Err(NoRecords::Fatal(format!("the list `{name}` holds {what}")));
    }
    let found = |name: &str, rule, reason: String| {
        let without =
            if undescribed.contains(&name) { ", and the document does not describe what it holds" } else { "" };
        Ok(Inferred { value: pointer::join(at, name), rule, reason: format!("{reason}{without}") })
    };
    // What a list holds that is not described can be told by the list's name only.
    let named = || lists.iter().chain(&undescribed).copied();
    // `/pets/{id}` answers with one pet, and a list in it is a part of it.
    let of_one = path.ends_with('}');
    let thing = properties.keys().find(|name| is_same("id", name));
    if let Some(name) = segment.and_then(|segment| named().find(|name| is_same(name, segment))) {
        return found(name, "path-segment", format!("the list `{name}` is called as the end of the path is"));
    }
    if let Some(name) = first_of(&NAMES, named()).filter(|_| thing.is_none()) {
        return found(name, "envelope-name", format!("the list `{name}` has the name of one that holds records"));
    }
    let is_other = |name: &&&str, property: &Property<'_>| {
        let lower = name.to_lowercase();
        !BESIDE.iter().any(|part| lower.contains(part)) && !of_records(property)
    };
    let others = properties.iter().filter(|(name, property)| is_other(name, property));
    let has_parts = others.clone().any(|(_, property)| is_record(schemas, &property.schema));
    let is_envelope = !has_parts && others.count() <= MOST_OTHERS;
    Err(NoRecords::Perhaps(match (lists.as_slice(), thing) {
        ([], _) => "the response has no list of objects".to_owned(),
        ([only], None) if !of_one && is_envelope => {
            return found(only, "only-array", format!("`{only}` is the only list of objects in the response"));
        }
        ([only], Some(id)) => {
            format!("the response has an `{id}`, so that the list `{only}` seems to be a part of one object")
        }
        ([only], None) if of_one => {
            format!("the path ends in a parameter, so that `{only}` seems to be a part of one object")
        }
        ([only], None) => format!("the response says much else, so that `{only}` seems to be a part of one object"),
        (lists, _) => format!("the response has several lists of objects: `{}`", lists.join("`, `")),
    }))
}

/// Why no list of records was found.
enum NoRecords {
    /// The response can still be a record itself.
    Perhaps(String),
    /// There is a list, and it cannot be read.
    Fatal(String),
}

/// An envelope within the envelope: one of a known name, or the only thing in it.
fn inner_envelope(schemas: Schemas<'_>, response: &SchemaRef<'_>, path: &str) -> Option<Inferred<String>> {
    let ShapeKind::Object { properties, .. } = schemas.shape(response).kind else { return None };
    let only = properties.keys().next().copied().filter(|_| properties.len() == 1);
    let name = first_of(&ENVELOPES, properties.keys().copied()).or(only)?;
    let inner = &properties.get(name)?.schema;
    let is_object = matches!(schemas.shape(inner).kind, ShapeKind::Object { .. });
    let found = is_object.then(|| in_envelope(schemas, inner, &pointer::join("", name), path))?;
    found.ok()
}

/// What a property is a list of.
fn items_of<'a>(schemas: Schemas<'a>, property: &Property<'a>) -> Option<SchemaRef<'a>> {
    match schemas.shape(&property.schema).kind {
        ShapeKind::Array { items } => items,
        _ => None,
    }
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
