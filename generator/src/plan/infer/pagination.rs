//! How one page leads to the next.

use super::{Inferred, UNDESCRIBED, first_of};
use crate::document::pointer;
use crate::plan::annotations::{Limit, Pagination};
use crate::plan::model::{FoundIn, ParameterScalar, ParameterType, TokenIn, Until};
use crate::plan::parameters::{self, Known};
use crate::plan::schema::{Located, SchemaRef, Schemas, ShapeKind};

const CURSOR_PARAMETERS: [&str; 20] = [
    "cursor",
    "page_token",
    "next_token",
    "pagination_token",
    "continuation_token",
    "continuation",
    "continue",
    "after",
    "marker",
    "next_cursor",
    "start_cursor",
    "starting_token",
    "page_cursor",
    "page[after]",
    "page[cursor]",
    "next_page_token",
    "start_key",
    "bookmark",
    "iterator",
    "from_token",
];
const CURSOR_FIELDS: [&str; 18] = [
    "next_cursor",
    "next_page_token",
    "next_token",
    "continuation_token",
    "next_offset",
    "next_marker",
    "next_page_cursor",
    "next_start_key",
    "next",
    "next_page",
    "cursor",
    "continuation",
    "continue",
    "end_cursor",
    "after",
    "marker",
    "bookmark",
    "iterator",
];
const URL_FIELDS: [&str; 8] =
    ["next", "next_url", "next_link", "next_page_url", "next_page_uri", "next_uri", "@odata.nextLink", "next_page"];
/// Parameters that take the key of the last record read.
const LAST_RECORD_PARAMETERS: [&str; 4] = ["starting_after", "after_id", "last_id", "start_after"];
/// Truth values that say whether there is more.
const MORE_FIELDS: [&str; 3] = ["has_more", "has_next", "has_next_page"];
/// Headers that hold a token for the next page.
const CURSOR_HEADERS: [&str; 6] =
    ["x-next-cursor", "x-next-page-token", "x-next-token", "x-continuation-token", "next-cursor", "x-cursor"];
/// What the last page calls the URL that the next cycle begins with.
const DELTA_FIELDS: [&str; 1] = ["@odata.deltaLink"];
/// How many pages, and how many records there are in all.
const PAGES_HEADERS: [&str; 3] = ["x-total-pages", "x-page-count", "x-pagination-page-count"];
const PAGES_FIELDS: [&str; 6] =
    ["total_pages", "page_count", "num_pages", "number_of_pages", "pages_count", "last_page"];
const TOTAL_HEADERS: [&str; 4] = ["x-total-count", "x-total", "x-total-results", "x-pagination-total-count"];
const TOTAL_FIELDS: [&str; 9] = [
    "total",
    "total_count",
    "total_results",
    "total_records",
    "total_items",
    "total_elements",
    "total_entries",
    "total_size",
    "total_hits",
];
const PAGE_PARAMETERS: [&str; 8] =
    ["page", "page_number", "page_no", "page_num", "page[number]", "page_index", "current_page", "pg"];
const OFFSET_PARAMETERS: [&str; 6] = ["offset", "skip", "start_at", "start", "start_index", "page[offset]"];
const LIMIT_PARAMETERS: [&str; 16] = [
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
    "page[limit]",
    "items_per_page",
];
/// Objects beside the records that say how to go on, by the way to them.
const PLACES: [&[&str]; 15] = [
    &["meta"],
    &["metadata"],
    &["pagination"],
    &["paging"],
    &["page_info"],
    &["page"],
    &["links"],
    &["_links"],
    &["response_metadata"],
    &["cursor"],
    &["cursors"],
    &["paging", "cursors"],
    &["paging", "next"],
    &["meta", "page"],
    &["meta", "pagination"],
];

/// What the operation looks like from outside.
pub(in crate::plan) struct Facts<'f, 'a> {
    pub(in crate::plan) schemas: Schemas<'a>,
    pub(in crate::plan) response: &'f SchemaRef<'a>,
    pub(in crate::plan) headers: &'f [&'a str],
    pub(in crate::plan) parameters: &'f [Known],
    /// JSON Pointer to the records.
    pub(in crate::plan) records: &'f str,
    /// Whether the records have a key.
    pub(in crate::plan) has_key: bool,
}

/// The rules, in the order in which they are tried.
pub(in crate::plan) fn infer(facts: &Facts<'_, '_>) -> Inferred<Pagination> {
    link_header(facts)
        .or_else(|| cursor(facts))
        .or_else(|| last_record(facts))
        .or_else(|| next_url(facts))
        .or_else(|| page_number(facts))
        .or_else(|| offset(facts))
        .unwrap_or_else(|| Inferred {
            value: Pagination::None,
            rule: "nothing-found",
            reason: "neither parameters nor the response say how to go on".to_owned(),
        })
}

/// The rule for a response that the document does not describe: what the parameters are called is too little to go by.
pub(in crate::plan) fn of_undescribed(facts: &Facts<'_, '_>) -> Inferred<Pagination> {
    link_header(facts).unwrap_or_else(|| Inferred {
        value: Pagination::None,
        rule: UNDESCRIBED,
        reason: "the document does not describe the response, and so not how to go on".to_owned(),
    })
}

fn link_header(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let name = facts.headers.iter().find(|name| name.eq_ignore_ascii_case("link"))?;
    let reason = format!("the response has the header `{name}`");
    Some(Inferred { value: Pagination::LinkHeader, rule: "link-header", reason })
}

fn cursor(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.parameter(&CURSOR_PARAMETERS);
    let found = parameter.and_then(|parameter| {
        let field = facts.body_field(&CURSOR_FIELDS, |field| field.is_token() && !field.says_url())?;
        Some((parameter, field))
    });
    // What the response calls as the request does, and is text, is for the next request.
    let same = || {
        let parameter = facts.parameter(&OFFSET_PARAMETERS).filter(|name| facts.is_text(name))?;
        let field = facts.body_field(&[parameter], |field| field.is_text() && !field.says_url())?;
        Some((parameter, field))
    };
    // `next_position` in the response is for `position`, whatever that is.
    let next = || {
        asking_names(facts.parameters).find_map(|parameter| {
            let is_next = |field: &Field<'_>| field.is_token() || matches!(field.kind, ShapeKind::OneOf(_));
            let name = format!("next_{parameter}");
            let field = facts.body_field(&[&name], |field| is_next(field) && !field.says_url())?;
            Some((parameter, field))
        })
    };
    let in_header = || {
        let name = parameter.and_then(|_| first_of(&CURSOR_HEADERS, facts.headers.iter().copied()))?;
        Some((parameter?, FoundIn::Header(name.to_owned())))
    };
    let in_body = found.or_else(same).or_else(next).map(|(parameter, field)| (parameter, FoundIn::Body(field.pointer)));
    let (parameter, pointer) = in_body.or_else(in_header)?;
    let reason = format!("the parameter `{parameter}` takes what the response has at `{pointer}`");
    let value =
        Pagination::Cursor { pointer, parameter: facts.token(parameter), initial: None, limit: Limit::default() };
    Some(Inferred { value, rule: "cursor-in-body", reason })
}

fn last_record(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.parameter(&LAST_RECORD_PARAMETERS).filter(|_| facts.has_key)?;
    let more = facts.body_field(&MORE_FIELDS, |field| matches!(field.kind, ShapeKind::Boolean));
    let has_more = more.map(|field| field.pointer);
    let until = match &has_more {
        Some(pointer) => format!(", and `{pointer}` says whether there is more"),
        None => String::new(),
    };
    let reason = format!("the parameter `{parameter}` takes the key of the last record read{until}");
    let value = Pagination::LastRecord { parameter: facts.token(parameter), has_more, limit: Limit::default() };
    Some(Inferred { value, rule: "last-record", reason })
}

fn next_url(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let field = facts.body_field(&URL_FIELDS, |field| field.is_text() && field.says_url());
    // HAL and others put the URL into an object.
    let within = || facts.body_field(&["href", "url"], |field| field.is_text() && field.pointer.contains("/next/"));
    let pointer = field.or_else(within)?.pointer;
    let delta = facts.body_field(&DELTA_FIELDS, Field::is_text).map(|field| field.pointer);
    let changes = match &delta {
        Some(pointer) => format!(", and what the next cycle begins with at `{pointer}`"),
        None => String::new(),
    };
    let reason = format!("the response has the URL of the next page at `{pointer}`{changes}");
    let value = Pagination::NextUrl { pointer: FoundIn::Body(pointer), delta };
    Some(Inferred { value, rule: "next-url-in-body", reason })
}

fn page_number(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.parameter(&PAGE_PARAMETERS).filter(|name| !facts.is_text(name))?;
    let known = facts.parameters.iter().find(|known| known.plan.wire_name == parameter)?;
    let default = known.default.as_ref().and_then(serde_json::Value::as_u64);
    let minimum = known.minimum.and_then(|minimum| u64::try_from(minimum).ok());
    let first = default.or(minimum).unwrap_or(1);
    let (until, ends) = until(facts, true);
    let reason = format!("the parameter `{parameter}` has the name of a page number{ends}");
    let value = Pagination::Page { parameter: facts.token(parameter), first, limit: Limit::default(), until };
    Some(Inferred { value, rule: "page-parameter", reason })
}

fn offset(facts: &Facts<'_, '_>) -> Option<Inferred<Pagination>> {
    let parameter = facts.parameter(&OFFSET_PARAMETERS).filter(|name| !facts.is_text(name))?;
    let limit = facts.parameter(&LIMIT_PARAMETERS)?;
    let (until, ends) = until(facts, false);
    let reason = format!("the parameters `{parameter}` and `{limit}` say what to skip and how much to send{ends}");
    let value = Pagination::Offset { parameter: facts.token(parameter), limit: Limit::default(), until };
    Some(Inferred { value, rule: "offset-parameter", reason })
}

/// What ends a cycle of pages that are counted, and the reason in a few words.
fn until(facts: &Facts<'_, '_>, numbered: bool) -> (Until, String) {
    let in_header =
        |wanted: &[&str]| first_of(wanted, facts.headers.iter().copied()).map(|name| FoundIn::Header(name.to_owned()));
    let in_body = |wanted: &[&str], fits: &dyn Fn(&Field<'_>) -> bool| {
        facts.body_field(wanted, fits).map(|field| FoundIn::Body(field.pointer))
    };
    let declares =
        |headers: &[&str], fields: &[&str]| in_header(headers).or_else(|| in_body(fields, &|field| field.is_integer()));
    if let Some(found) = declares(&PAGES_HEADERS, &PAGES_FIELDS).filter(|_| numbered) {
        let reason = format!(", and the response declares at `{found}` how many there are");
        return (Until::Pages(found), reason);
    }
    if let Some(found) = declares(&TOTAL_HEADERS, &TOTAL_FIELDS) {
        let reason = format!(", and the response declares at `{found}` how many records there are");
        return (Until::Records(found), reason);
    }
    if let Some(found) = in_body(&MORE_FIELDS, &|field| field.is_truth_value()) {
        let reason = format!(", and `{found}` says whether there is more");
        return (Until::NoMore(found), reason);
    }
    (Until::EmptyPage, String::new())
}

/// Whether a parameter has the name of one that takes the key of the last record read.
pub(in crate::plan) fn is_by_record(parameters: &[Known]) -> bool {
    first_of(&LAST_RECORD_PARAMETERS, asking_names(parameters).collect::<Vec<_>>()).is_some()
}

/// The parameter that says how many records a page has, if one has such a name.
pub(in crate::plan) fn limit_parameter(parameters: &[Known]) -> Option<&str> {
    first_of(&LIMIT_PARAMETERS, asking_names(parameters).collect::<Vec<_>>())
}

fn asking_names(parameters: &[Known]) -> impl Iterator<Item = &str> {
    parameters.iter().filter(|known| known.plan.location.asks()).map(|known| known.plan.wire_name.as_str())
}

/// A field of the response that could lead to the next page.
struct Field<'a> {
    pointer: String,
    kind: ShapeKind<'a>,
    doc: Option<&'a str>,
}

impl Field<'_> {
    fn is_text(&self) -> bool {
        matches!(self.kind, ShapeKind::String { .. } | ShapeKind::Any)
    }

    fn is_integer(&self) -> bool {
        matches!(self.kind, ShapeKind::Integer { .. })
    }

    fn is_truth_value(&self) -> bool {
        matches!(self.kind, ShapeKind::Boolean)
    }

    /// Whether its value can be sent back.
    fn is_token(&self) -> bool {
        self.is_text() || matches!(self.kind, ShapeKind::Integer { .. } | ShapeKind::Number { .. })
    }

    /// Whether its format, name, place or description says that it holds a URL.
    fn says_url(&self) -> bool {
        let by_format = matches!(self.kind, ShapeKind::String { format: Some("uri" | "url" | "uri-reference"), .. });
        let pointer = self.pointer.to_lowercase();
        let by_name = pointer.contains("url") || pointer.contains("uri") || pointer.contains("link");
        let by_doc = self.doc.is_some_and(|doc| {
            let is_word = |word: &str| ["url", "uri", "link", "hyperlink"].contains(&word);
            doc.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(is_word)
        });
        by_format || by_name || by_doc
    }
}

impl<'f, 'a> Facts<'f, 'a> {
    fn parameter(&self, wanted: &[&str]) -> Option<&'f str> {
        first_of(wanted, asking_names(self.parameters).collect::<Vec<_>>())
    }

    /// Where the request has a parameter.
    fn token(&self, parameter: &str) -> TokenIn {
        parameters::token(self.parameters, parameter)
    }

    fn is_text(&self, parameter: &str) -> bool {
        let known = self.parameters.iter().find(|known| known.plan.wire_name == parameter);
        known.is_some_and(|known| known.plan.ty == ParameterType::One(ParameterScalar::String))
    }

    /// A field of one of these names beside the records, at the top of the response, or in an object that says how to go
    /// on.
    fn body_field(&self, wanted: &[&str], fits: impl Fn(&Field<'a>) -> bool) -> Option<Field<'a>> {
        // Of `/orders/items`, what is in `/orders` stands beside the records.
        let beside = self.records.rsplit_once('/').map_or("", |(beside, _)| beside);
        let mut tops = vec![beside];
        if !beside.is_empty() {
            tops.push("");
        }
        tops.into_iter().find_map(|top| {
            let Located::Found { schema, .. } = self.schemas.locate(self.response, top) else { return None };
            let next: [&[&str]; 4] = [&["next"], &["links", "next"], &["_links", "next"], &["pagination", "next"]];
            let places = std::iter::once(&[] as &[&str]).chain(PLACES).chain(next);
            places.into_iter().find_map(|place| {
                let (schema, at) = place.iter().try_fold((schema.clone(), top.to_owned()), |(schema, at), name| {
                    let ShapeKind::Object { properties, .. } = self.schemas.shape(&schema).kind else { return None };
                    let name = first_of(&[name], properties.keys().copied())?;
                    Some((properties.get(name)?.schema.clone(), pointer::join(&at, name)))
                })?;
                self.field_in(&schema, &at, wanted, &fits)
            })
        })
    }

    fn field_in(
        &self,
        object: &SchemaRef<'a>,
        at: &str,
        wanted: &[&str],
        fits: &dyn Fn(&Field<'a>) -> bool,
    ) -> Option<Field<'a>> {
        let ShapeKind::Object { properties, .. } = self.schemas.shape(object).kind else { return None };
        let fields = properties.iter().map(|(name, property)| {
            let shape = self.schemas.shape(&property.schema);
            (*name, Field { pointer: pointer::join(at, name), kind: shape.kind, doc: shape.doc })
        });
        let mut fitting: Vec<_> = fields.filter(|(_, field)| fits(field)).collect();
        let name = first_of(wanted, fitting.iter().map(|(name, _)| *name))?;
        let index = fitting.iter().position(|(other, _)| *other == name)?;
        Some(fitting.swap_remove(index).1)
    }
}
