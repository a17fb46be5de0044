//! How one page leads to the next.

use super::{Inferred, first_of};
use crate::document::pointer;
use crate::plan::annotations::{Limit, Pagination};
use crate::plan::model::ParameterLocation;
use crate::plan::parameters::Known;
use crate::plan::schema::{SchemaRef, Schemas, ShapeKind};

const CURSOR_PARAMETERS: [&str; 11] = [
    "cursor",
    "page_token",
    "next_token",
    "continuation_token",
    "continuation",
    "continue",
    "after",
    "marker",
    "next_cursor",
    "start_cursor",
    "page[after]",
];
const CURSOR_FIELDS: [&str; 14] = [
    "next_cursor",
    "next_page_token",
    "next_token",
    "continuation_token",
    "next_offset",
    "next_marker",
    "next",
    "next_page",
    "cursor",
    "continuation",
    "continue",
    "end_cursor",
    "after",
    "marker",
];
const URL_FIELDS: [&str; 6] = ["next", "next_url", "next_link", "next_page_url", "next_page_uri", "@odata.nextLink"];
const PAGE_PARAMETERS: [&str; 5] = ["page", "page_number", "page_no", "page_num", "page[number]"];
const OFFSET_PARAMETERS: [&str; 5] = ["offset", "skip", "start_at", "start", "start_index"];
const LIMIT_PARAMETERS: [&str; 14] = [
    "per_page",
    "page_size",
    "limit",
    "size",
    "max_results",
    "count",
    "max",
    "results_per_page",
    "page_limit",
    "rows",
    "top",
    "first",
    "take",
    "page[size]",
];
/// Objects beside the records that say how to go on.
const PLACES: [&str; 9] =
    ["meta", "metadata", "pagination", "paging", "page_info", "page", "links", "_links", "response_metadata"];

/// What the operation looks like from outside.
pub(in crate::plan) struct Facts<'f, 'a> {
    pub(in crate::plan) schemas: Schemas<'a>,
    pub(in crate::plan) response: &'f SchemaRef<'a>,
    pub(in crate::plan) headers: &'f [&'a str],
    pub(in crate::plan) parameters: &'f [Known],
}

/// The rules, in the order in which they are tried.
pub(in crate::plan) fn infer(facts: &Facts<'_, '_>) -> Inferred<Pagination> {
    link_header(facts)
        .or_else(|| cursor(facts))
        .or_else(|| next_url(facts))
        .or_else(|| page_number(facts))
        .or_else(|| offset(facts))
        .unwrap_or_else(|| Inferred {
            value: Pagination::None,
            rule: "nothing-found",
            reason: "neither parameters nor the response say how to go on".to_owned(),
        })
}

fn link_header(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let name = facts.headers.iter().find(|name| name.eq_ignore_ascii_case("link"))?;
    let reason = format!("the response has the header `{name}`");
    Some(Inferred { value: Pagination::LinkHeader, rule: "link-header", reason })
}

fn cursor(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.query_parameter(&CURSOR_PARAMETERS)?;
    let (pointer, _) = facts.body_field(&CURSOR_FIELDS, |format| !is_url(format))?;
    let reason = format!("the parameter `{parameter}` takes what the response has at `{pointer}`");
    let value = Pagination::Cursor { pointer, parameter: parameter.to_owned(), limit: Limit::default() };
    Some(Inferred { value, rule: "cursor-in-body", reason })
}

fn next_url(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let (pointer, format) = facts.body_field(&URL_FIELDS, |_| true)?;
    let says_url = is_url(format) || pointer.to_lowercase().contains("ur") || pointer.to_lowercase().contains("link");
    let reason = format!("the response has a URL at `{pointer}`");
    says_url.then_some(Inferred { value: Pagination::NextUrl { pointer }, rule: "next-url-in-body", reason })
}

fn page_number(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.query_parameter(&PAGE_PARAMETERS)?;
    let known = facts.parameters.iter().find(|known| known.plan.wire_name == parameter)?;
    let default = known.default.as_ref().and_then(serde_json::Value::as_u64);
    let minimum = known.minimum.and_then(|minimum| u64::try_from(minimum).ok());
    let first = default.or(minimum).unwrap_or(1);
    let reason = format!("the parameter `{parameter}` has the name of a page number");
    let value = Pagination::Page { parameter: parameter.to_owned(), first, limit: Limit::default() };
    Some(Inferred { value, rule: "page-parameter", reason })
}

fn offset(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.query_parameter(&OFFSET_PARAMETERS)?;
    let limit = facts.query_parameter(&LIMIT_PARAMETERS)?;
    let reason = format!("the parameters `{parameter}` and `{limit}` say what to skip and how much to send");
    let value = Pagination::Offset { parameter: parameter.to_owned(), limit: Limit::default() };
    Some(Inferred { value, rule: "offset-parameter", reason })
}

/// The query parameter that says how many records a page has, if one has such a name.
pub(in crate::plan) fn limit_parameter(parameters: &[Known]) -> Option<&str> {
    first_of(&LIMIT_PARAMETERS, query_names(parameters).collect::<Vec<_>>())
}

fn query_names(parameters: &[Known]) -> impl Iterator<Item = &str> {
    parameters
        .iter()
        .filter(|known| known.plan.location == ParameterLocation::Query)
        .map(|known| known.plan.wire_name.as_str())
}

fn is_url(format: Option<&str>) -> bool {
    matches!(format, Some("uri" | "url" | "uri-reference"))
}

impl<'f, 'a> Facts<'f, 'a> {
    fn query_parameter(&self, wanted: &[&str]) -> Option<&'f str> {
        first_of(wanted, query_names(self.parameters).collect::<Vec<_>>())
    }

    /// A text or number of one of these names, at the top of the response or in an object that says how to go on.
    fn body_field(&self, wanted: &[&str], fits: impl Fn(Option<&'a str>) -> bool) -> Option<(String, Option<&'a str>)> {
        let ShapeKind::Object { properties, .. } = self.schemas.shape(self.response).kind else { return None };
        if let Some(found) = self.field_in(self.response, "", wanted, &fits) {
            return Some(found);
        }
        PLACES.iter().find_map(|place| {
            let name = first_of(&[place], properties.keys().copied())?;
            self.field_in(&properties.get(name)?.schema, &pointer::join("", name), wanted, &fits)
        })
    }

    fn field_in(
        &self,
        object: &SchemaRef<'a>,
        at: &str,
        wanted: &[&str],
        fits: &dyn Fn(Option<&'a str>) -> bool,
    ) -> Option<(String, Option<&'a str>)> {
        let ShapeKind::Object { properties, .. } = self.schemas.shape(object).kind else { return None };
        let fitting: Vec<(&str, Option<&'a str>)> = properties
            .iter()
            .filter_map(|(name, property)| match self.schemas.shape(&property.schema).kind {
                ShapeKind::String { format, .. } if fits(format) => Some((*name, format)),
                ShapeKind::Integer { .. } if fits(None) => Some((*name, None)),
                _ => None,
            })
            .collect();
        let name = first_of(wanted, fitting.iter().map(|(name, _)| *name))?;
        let format = fitting.iter().find(|(other, _)| *other == name).and_then(|(_, format)| *format);
        Some((pointer::join(at, name), format))
    }
}
