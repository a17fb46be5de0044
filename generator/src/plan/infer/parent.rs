//! Whose child a stream is: the stream whose records give its requests their parameters.

use super::{Inferred, is_same, last_name};
use crate::document::pointer;
use crate::plan::model::{Binding, ParentPlan};
use crate::plan::names;

/// A stream, as its relatives see it.
pub(in crate::plan) struct Kin {
    pub(in crate::plan) operation_id: String,
    pub(in crate::plan) path: String,
    pub(in crate::plan) is_single: bool,
    /// JSON Pointer to the key, and whether the key is a text.
    pub(in crate::plan) key: Option<(String, bool)>,
    /// The record's fields that can be a parameter.
    pub(in crate::plan) values: Vec<String>,
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

/// The parent, by the response that says so or else by the path.
pub(in crate::plan) fn infer(child: &Kin, all: &[Kin]) -> Option<Inferred<ParentPlan>> {
    linked(child, all).or_else(|| by_path(child, all))
}

fn linked(child: &Kin, all: &[Kin]) -> Option<Inferred<ParentPlan>> {
    let others = all.iter().filter(|other| other.operation_id != child.operation_id);
    others.flat_map(|other| other.links.iter().map(move |link| (other, link))).find_map(|(other, link)| {
        let is_meant = link.operation_id == child.operation_id && !link.bind.is_empty();
        let reason = format!("the response of `{}` has a link to this operation", other.operation_id);
        let value = ParentPlan { operation_id: other.operation_id.clone(), bind: link.bind.clone() };
        is_meant.then_some(Inferred { value, rule: "openapi-link", reason })
    })
}

/// `/pets/{pet}/visits` is asked for each record of `/pets`.
fn by_path(child: &Kin, all: &[Kin]) -> Option<Inferred<ParentPlan>> {
    let (before, after) = child.path.rsplit_once('{')?;
    let (parameter, rest) = after.split_once('}')?;
    let above = before.strip_suffix('/').filter(|above| !above.ends_with('}') && !above.is_empty())?;
    if !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let parent = all.iter().find(|other| !other.is_single && other.path.trim_end_matches('/') == above)?;
    let is_text = child.parameters.iter().any(|(name, is_text)| name == parameter && *is_text);
    let pointer = binding(parent, parameter, is_text)?;
    let reason = format!("the path goes on from that of `{}`, and its records have `{pointer}`", parent.operation_id);
    let bind = vec![Binding { parameter: parameter.to_owned(), pointer }];
    let value = ParentPlan { operation_id: parent.operation_id.clone(), bind };
    Some(Inferred { value, rule: "path-prefix", reason })
}

/// JSON Pointer to what a record of `parent` gives the parameter.
fn binding(parent: &Kin, parameter: &str, is_text: bool) -> Option<String> {
    let field = |name: &str| {
        let name = parent.values.iter().find(|value| is_same(value, name))?;
        Some(pointer::join("", name))
    };
    let thing = last_name(&parent.path).map(names::singular).unwrap_or_default();
    let key = parent.key.as_ref().map(|(pointer, _)| pointer.clone());
    if let Some(same) = field(parameter) {
        return Some(same);
    }
    if is_same(parameter, &thing) {
        // What is called by a text is not meant by its number.
        return match &parent.key {
            Some((_, false)) if is_text => NAMES.iter().find_map(|name| field(name)),
            Some((pointer, _)) => Some(pointer.clone()),
            None => NAMES.iter().find_map(|name| field(name)),
        };
    }
    let lower = parameter.to_lowercase();
    let suffix = ["id", "uuid", "sid", "slug", "login", "name", "key", "number", "code"];
    let named = suffix.iter().find(|suffix| lower.ends_with(*suffix)).and_then(|suffix| field(suffix));
    let is_identifier = lower.ends_with("id") || lower.contains("idor");
    named.or_else(|| key.filter(|_| is_identifier))
}
