//! Whose child a stream is: the stream whose records give its requests their parameters.

use std::collections::BTreeSet;

use super::{Inferred, is_same};
use crate::document::pointer;
use crate::plan::model::{Binding, ParentPlan, TypeId};
use crate::plan::names;

/// A stream, as its relatives see it.
pub(in crate::plan) struct Kin {
    pub(in crate::plan) operation_id: String,
    pub(in crate::plan) path: String,
    pub(in crate::plan) record: TypeId,
    pub(in crate::plan) is_single: bool,
    /// JSON Pointer to the key, and whether the key is a text.
    pub(in crate::plan) key: Option<(String, bool)>,
    /// The record's fields that can be a parameter.
    pub(in crate::plan) values: Vec<String>,
    /// Its objects that have fields which can be: their names with JSON Pointers to those.
    pub(in crate::plan) nested: Vec<(String, String)>,
    /// Whether it answers only about what it is asked for by identifiers, or by what must be given.
    pub(in crate::plan) is_asked: bool,
    /// Path parameters, and whether each is a text.
    pub(in crate::plan) parameters: Vec<(String, bool)>,
    /// The links of its response: the operation that each leads to, with parameters and pointers from a record.
    pub(in crate::plan) links: Vec<Link>,
}

/// A link of a response (OAS 3.0.3 section 4.7.20), from one of its records.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Link {
    pub(in crate::plan) operation_id: String,
    pub(in crate::plan) bind: Vec<Binding>,
}

/// Names that an API gives a thing where it does not call it by its identifier.
const NAMES: [&str; 5] = ["login", "slug", "name", "key", "id"];

/// The parent, by the response that says so or else by the path. `paths` are those of all operations that read, streams or
/// not.
pub(in crate::plan) fn infer(child: &Kin, all: &[Kin], paths: &BTreeSet<&str>) -> Option<Inferred<ParentPlan>> {
    linked(child, all).or_else(|| by_path(child, all, paths))
}

/// Whether what a rule has found is sure enough to be followed unasked. A list is often called as another thing's path is, and
/// has not all that there is, or has far more.
pub(in crate::plan) fn is_sure(rule: &str) -> bool {
    [LINK, PREFIX].contains(&rule)
}

/// The response has a link.
const LINK: &str = "openapi-link";

/// The path goes on from that of the list.
const PREFIX: &str = "path-prefix";

fn linked(child: &Kin, all: &[Kin]) -> Option<Inferred<ParentPlan>> {
    let others = all.iter().filter(|other| other.operation_id != child.operation_id);
    others.flat_map(|other| other.links.iter().map(move |link| (other, link))).find_map(|(other, link)| {
        let is_meant = link.operation_id == child.operation_id && !link.bind.is_empty();
        let reason = format!("the response of `{}` has a link to this operation", other.operation_id);
        let value = ParentPlan { operation_id: other.operation_id.clone(), bind: link.bind.clone() };
        is_meant.then_some(Inferred { value, rule: LINK, reason })
    })
}

/// `/pets/{pet}/visits` is asked for each record of `/pets` or of `/pets/search`, or of another list that ends in `pets`.
fn by_path(child: &Kin, all: &[Kin], paths: &BTreeSet<&str>) -> Option<Inferred<ParentPlan>> {
    let segments: Vec<&str> = child.path.split('/').collect();
    let end = segments.iter().rposition(|segment| is_parameter(segment))?;
    let begin = segments.iter().take(end).rposition(|segment| !is_parameter(segment))? + 1;
    let parameters: Vec<&str> = segments.get(begin..=end)?.iter().map(|name| name.trim_matches(['{', '}'])).collect();
    let above = segments.get(..begin)?.join("/");
    let list = segments.get(begin - 1).filter(|segment| !segment.is_empty())?;
    let lists = || all.iter().filter(|other| !other.is_single && !other.is_asked && other.path != child.path);
    let at = |path: String| lists().find(move |other| other.path.trim_end_matches('/') == path);
    let thing = names::singular(list);
    let bound = |rule: &'static str, parent: &Kin, parameters: &[&str], how: &str| {
        let bind = parameters.iter().map(|parameter| {
            let is_text = child.parameters.iter().any(|(name, is_text)| name == parameter && *is_text);
            let pointer = binding(parent, &thing, parameter, is_text, parameters.len() > 1)?;
            Some(Binding { parameter: (*parameter).to_owned(), pointer })
        });
        let bind = bind.collect::<Option<Vec<_>>>()?;
        let reason = format!("{how} `{}`, and its records have what the path asks for", parent.operation_id);
        Some(Inferred { value: ParentPlan { operation_id: parent.operation_id.clone(), bind }, rule, reason })
    };
    // Of several parameters in a row, the list can have been asked with all but the last.
    if parameters.len() > 1
        && let Some(parent) = at(segments.get(..end)?.join("/"))
    {
        return bound(PREFIX, parent, parameters.get(parameters.len() - 1..)?, "the path goes on from that of");
    }
    if let Some(parent) = at(above.clone()).or_else(|| at(format!("{above}/search"))) {
        return bound(PREFIX, parent, &parameters, "the path goes on from that of");
    }
    // Nothing else is meant if there is such a path, or if the parameter is not named after what the list holds.
    let last = parameters.last()?.to_lowercase();
    if paths.contains(above.as_str()) || !last.contains(&names::singular(list).to_lowercase()) {
        return None;
    }
    // The list that takes the fewest parameters itself, and of those the one with the shortest path.
    let mut others: Vec<&Kin> = lists().filter(|other| last_segment(&other.path) == Some(list)).collect();
    others.sort_by_key(|other| (other.path.matches('{').count(), other.path.len()));
    others
        .into_iter()
        .find_map(|parent| bound("path-of-list", parent, &parameters, "the path goes on from what is listed by"))
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1
}

fn last_segment(path: &str) -> Option<&str> {
    path.trim_end_matches('/').rsplit('/').next()
}

/// JSON Pointer to what a record of `parent`, each a `thing`, gives the parameter. One of several parameters can also be within an object
/// of its name.
fn binding(parent: &Kin, thing: &str, parameter: &str, is_text: bool, is_one_of_several: bool) -> Option<String> {
    let field = |name: &str| {
        let name = parent.values.iter().find(|value| is_same(value, name))?;
        Some(pointer::join("", name))
    };
    let within = |object: &str| {
        let pointers = || parent.nested.iter().filter(|(name, _)| is_same(name, object)).map(|(_, pointer)| pointer);
        NAMES.iter().find_map(|name| pointers().find(|pointer| pointer.ends_with(&format!("/{name}"))).cloned())
    };
    if let Some(same) = field(parameter) {
        return Some(same);
    }
    if let Some(inner) = within(parameter).filter(|_| is_one_of_several) {
        return Some(inner);
    }
    if is_same(parameter, thing) {
        // What is called by a text is not meant by its number.
        return match &parent.key {
            Some((_, false)) if is_text => NAMES.iter().find_map(|name| field(name)),
            Some((pointer, _)) => Some(pointer.clone()),
            None => NAMES.iter().find_map(|name| field(name)),
        };
    }
    // Objects of Kubernetes are named in their metadata.
    if is_same(parameter, "name") {
        return within("metadata").filter(|pointer| pointer.ends_with("/name"));
    }
    let lower = parameter.to_lowercase();
    let suffixes = ["uuid", "sid", "id", "slug", "login", "username", "name", "key", "number", "code"];
    let named = suffixes.iter().filter(|suffix| lower.ends_with(*suffix)).find_map(|suffix| field(suffix));
    let is_its_name = is_same(parameter, &format!("{thing}name"));
    let named = named.or_else(|| NAMES.iter().filter(|_| is_its_name).find_map(|name| field(name)));
    let is_identifier = lower.ends_with("id") || lower.ends_with("pk") || lower.contains("idor");
    let key = parent.key.as_ref().map(|(pointer, _)| pointer.clone());
    named.or_else(|| key.filter(|_| is_identifier))
}
