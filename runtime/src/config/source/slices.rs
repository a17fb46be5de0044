//! What the APIs are read in: slices by the records of other APIs, and by lists of values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::kind::TEXT;
use super::super::names::api_name;
use super::super::property::{Property, properties};
use super::super::reader::Reader;
use super::POINTER;
use crate::configured::{ChildPlan, OperationPlan, Pointer};
use crate::slice::{Slice, Slicing};

/// The name that the one value of `http.chaining.json.pointer` has in templates.
const PARENT_VALUE: &str = "parent_value";

/// What the names of pointers to values of a parent end in.
const JSON_POINTER: &str = ".json.pointer";

/// Why a name cannot be that of a slice's value.
const RESERVED: &str = "has a name that the steps of a backfill have in the offsets topic: choose another";

properties! {
    in GLOBAL;

    RELATIONSHIPS: String = Property::new(
        "api.chaining.parent.child.relationship",
        TEXT,
        "Which APIs are read for each record of others, as `PARENT::CHILD,PARENT::CHILD`, such as \
         `api1::api2,api2::api3`: over as many levels as one wants.",
    );
}

properties! {
    in OF_APIS;

    PARENT_POINTERS: String = Property::new(
        "parent.",
        TEXT,
        "`apiN.parent.NAME.json.pointer`: JSON Pointer, from a record of the parent, to the value that is `${parent.NAME}` in \
         this API's requests. A record without one of the values has no requests made for it.",
    ).family_per_api();
    CHAINING_POINTER: Pointer = Property::new(
        "http.chaining.json.pointer",
        POINTER,
        "JSON Pointer, from a record of the parent, to the value that is `${parent_value}` in this API's requests.",
    ).per_api().low();
    LISTS: String = Property::new(
        "slices.",
        TEXT,
        "`apiN.slices.NAME`: values with commas between them, each of which is `${slice.NAME}` in the requests of a slice of \
         its own. Of several such properties, every combination is a slice.",
    ).family_per_api();
}

/// An API whose slices are read: its number and what is planned so far.
pub(super) struct Api<'a> {
    pub(super) number: usize,
    pub(super) plan: &'a mut OperationPlan,
}

/// Reads what makes the slices of the APIs, and sees that their requests use nothing else.
pub(super) fn read(reader: &mut Reader<'_>, ids: &[String], apis: &mut [Api<'_>]) {
    let relationships = read_relationships(reader, ids);
    let mut bound = Vec::new();
    for Api { number, plan } in apis.iter_mut() {
        let bind = read_bindings(reader, *number);
        let parent = relationships.iter().find(|relationship| relationship.child == plan.id);
        let lists = read_lists(reader, *number, &bind);
        let backfill = plan.slicing.backfill.take();
        plan.slicing = Slicing { parent: parent.map(|it| it.parent.clone().into()), lists, backfill };
        check_use(reader, *number, &plan.id, &bind, parent);
        bound.push((plan.slicing.clone(), ChildPlan { operation: plan.id.clone(), bind }));
    }
    let known = bound.iter().map(|bound| (bound.1.operation.as_str(), bound)).collect();
    for Api { number, plan } in apis.iter() {
        check_values(reader, *number, plan, &known);
    }
    for (slicing, child) in bound {
        let Some(parent) = slicing.parent else { continue };
        let parent = apis.iter_mut().find(|api| api.plan.id == *parent);
        parent.into_iter().for_each(|parent| parent.plan.children.push(child.clone()));
    }
}

/// Whether other APIs are read for each record of this one.
pub(super) fn is_parent(reader: &Reader<'_>, id: &str) -> bool {
    let text = reader.text(RELATIONSHIPS.name()).unwrap_or_default();
    text.split(',').any(|pair| pair.split_once("::").is_some_and(|(parent, _)| parent.trim() == id))
}

/// An API that is read for each record of another.
struct Relationship {
    parent: String,
    child: String,
}

fn read_relationships(reader: &mut Reader<'_>, ids: &[String]) -> Vec<Relationship> {
    let mut found: Vec<Relationship> = Vec::new();
    let Some(text) = reader.get(&RELATIONSHIPS) else { return found };
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let mut problem = |reason: String| reader.conflict(RELATIONSHIPS.name(), reason, None);
        let Some((parent, child)) = pair.split_once("::") else {
            problem(format!("holds `{pair}`, which is not `PARENT::CHILD`"));
            continue;
        };
        let (parent, child) = (parent.trim(), child.trim());
        if let Some(id) = [parent, child].into_iter().find(|id| ids.iter().all(|known| known != id)) {
            problem(format!("names `{id}`, and there is no such API: they are `{}`", ids.join("`, `")));
        } else if found.iter().any(|other| other.child == child) {
            problem(format!("gives `{child}` more than one parent"));
        } else if parent == child || ancestors(&found, parent).contains(&child) {
            problem(format!("makes `{child}` a child of itself"));
        } else {
            found.push(Relationship { parent: parent.to_owned(), child: child.to_owned() });
        }
    }
    found
}

/// The parent of an API, the parent of that one, and so on.
fn ancestors<'a>(relationships: &'a [Relationship], id: &str) -> Vec<&'a str> {
    let parent = |id: &str| Some(relationships.iter().find(|it| it.child == id)?.parent.as_str());
    std::iter::successors(parent(id), |id| parent(id)).collect()
}

fn read_bindings(reader: &mut Reader<'_>, number: usize) -> Vec<(String, Pointer)> {
    let mut bind = Vec::new();
    for (rest, text) in reader.family_of(number, &PARENT_POINTERS) {
        let full = api_name(number, &format!("{}{rest}", PARENT_POINTERS.name()));
        match rest.strip_suffix(JSON_POINTER).filter(|name| !name.is_empty()) {
            Some(name) if Slice::is_reserved(name) => {
                reader.conflict(&full, RESERVED, None);
            }
            Some(name) => match Pointer::parse(text.trim()) {
                Some(pointer) => bind.push((name.to_owned(), pointer)),
                None => reader.invalid(&full, "a JSON Pointer (RFC 6901), such as `/id`", None),
            },
            None => {
                let example = api_name(number, &format!("{}NAME{JSON_POINTER}", PARENT_POINTERS.name()));
                reader.conflict(&full, format!("does not end in `{JSON_POINTER}`, as `{example}` does"), None);
            }
        }
    }
    bind.extend(reader.get_of(number, &CHAINING_POINTER).map(|pointer| (PARENT_VALUE.to_owned(), pointer)));
    bind
}

fn read_lists(
    reader: &mut Reader<'_>,
    number: usize,
    bind: &[(String, Pointer)],
) -> Vec<(Cow<'static, str>, Vec<String>)> {
    let mut lists = Vec::new();
    for (name, text) in reader.family_of(number, &LISTS) {
        let mut values: Vec<String> = Vec::new();
        for value in text.split(',').map(str::trim).filter(|value| !value.is_empty()) {
            if !values.iter().any(|other| other == value) {
                values.push(value.to_owned());
            }
        }
        let problem = [
            (values.is_empty(), "holds no value"),
            (bind.iter().any(|(bound, _)| *bound == name), "is also the name of a value of the parent"),
            (Slice::is_reserved(&name), RESERVED),
        ];
        if let Some((_, reason)) = problem.into_iter().find(|(is_so, _)| *is_so) {
            reader.conflict(&api_name(number, &format!("{}{name}", LISTS.name())), reason, None);
        }
        lists.push((name.into(), values));
    }
    lists
}

/// Sees that what is bound has a parent to come from, and that a parent is not for nothing.
fn check_use(
    reader: &mut Reader<'_>,
    number: usize,
    id: &str,
    bind: &[(String, Pointer)],
    parent: Option<&Relationship>,
) {
    match (parent, bind) {
        (Some(Relationship { parent, .. }), []) => {
            let property = api_name(number, &format!("{}NAME{JSON_POINTER}", PARENT_POINTERS.name()));
            let reason =
                format!("makes `{id}` a child of `{parent}`, and no `{property}` says what it takes from there");
            reader.conflict(RELATIONSHIPS.name(), reason, None);
        }
        (None, [(name, _), ..]) => {
            let property = match name.as_str() {
                PARENT_VALUE => CHAINING_POINTER.name().to_owned(),
                name => format!("{}{name}{JSON_POINTER}", PARENT_POINTERS.name()),
            };
            let reason = format!("has no effect: `{}` gives `{id}` no parent", RELATIONSHIPS.name());
            reader.conflict(&api_name(number, &property), reason, None);
        }
        _ => {}
    }
}

/// Sees that a request uses only values that its slices have: of lists, of the parent's records, and of those above.
fn check_values(
    reader: &mut Reader<'_>,
    number: usize,
    plan: &OperationPlan,
    bound: &BTreeMap<&str, &(Slicing, ChildPlan)>,
) {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut next = Some(plan.id.as_str());
    while let Some((slicing, child)) = next.and_then(|id| bound.get(id)) {
        known.extend(child.bind.iter().map(|(name, _)| name.as_str()));
        known.extend(slicing.lists.iter().map(|(name, _)| name.as_ref()));
        next = slicing.parent.as_deref();
    }
    for name in plan.request.slice_values() {
        if !known.contains(name.as_str()) {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "has none".to_owned() } else { format!("has {}", known.join(", ")) };
            let reason =
                format!("or another part of the request takes the value `{name}` of a slice, and the API {known}");
            let properties = ["slices.NAME", "parent.NAME.json.pointer"].map(|name| api_name(number, name));
            let hint = format!("`{}` and `{}` give slices their values", properties[0], properties[1]);
            reader.conflict(&api_name(number, "http.api.path"), reason, Some(hint));
        }
    }
}
