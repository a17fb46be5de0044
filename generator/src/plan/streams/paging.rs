//! How the pages of one operation follow one another: what the annotation says, or what is inferred.

use super::reading::{Reading, missing_in_response, near};
use crate::plan::annotations::{Limit, Pagination};
use crate::plan::infer::{self, Inferred};
use crate::plan::model::{
    FoundIn, PaginationPlan, ParameterLocation, ParameterScalar, ParameterType, ParameterValue, TokenIn, TokenPlace,
    Until,
};
use crate::plan::operations::Answer;
use crate::plan::parameters::{self, Known};
use crate::plan::schema::{Located, Schemas};

impl Reading<'_> {
    /// What the path names by a parameter at its end is one thing, and has no further page.
    pub(super) fn no_pages(&mut self) -> PaginationPlan {
        let reason = "the response is one object, which the end of the path names".to_owned();
        let inferred = Inferred { value: PaginationPlan::None, rule: "single-object", reason };
        self.infer("pagination", "none".to_owned(), inferred)
    }

    /// How one page leads to the next.
    pub(super) fn pagination(
        &mut self,
        schemas: Schemas<'_>,
        answer: &Answer<'_>,
        records: &str,
        has_key: bool,
    ) -> PaginationPlan {
        let said = self.source.pagination.clone().or_else(|| self.hinted_pagination(schemas, answer));
        let pagination = match said {
            Some(pagination) => pagination,
            None => {
                let facts = infer::pagination::Facts {
                    schemas,
                    response: &answer.schema,
                    headers: &answer.headers,
                    parameters: &self.known,
                    records,
                    has_key,
                };
                let inferred = match schemas.is_undescribed(&answer.schema) {
                    true => infer::pagination::of_undescribed(&facts),
                    false => infer::pagination::infer(&facts),
                };
                let value = describe(&inferred.value);
                let pagination = self.infer("pagination", value, inferred);
                self.switch_on(&pagination);
                pagination
            }
        };
        match pagination {
            Pagination::None => PaginationPlan::None,
            Pagination::LinkHeader => {
                self.page_size = infer::pagination::limit_parameter(&self.known).map(str::to_owned);
                PaginationPlan::LinkHeader
            }
            Pagination::NextUrl { pointer, delta } => {
                self.page_size = infer::pagination::limit_parameter(&self.known).map(str::to_owned);
                self.found(schemas, answer, "/pagination/pointer", &pointer);
                if let Some(delta) = &delta {
                    self.in_body(schemas, answer, "/pagination/delta", delta);
                }
                PaginationPlan::NextUrl { pointer, delta }
            }
            Pagination::Cursor { pointer, parameter, initial, limit } => {
                self.found(schemas, answer, "/pagination/pointer", &pointer);
                let parameter = self.token(parameter);
                if parameter.place == TokenPlace::Path && initial.is_none() {
                    let message = "the first request needs something in the place of the cursor in the path";
                    self.error("/pagination", message.to_owned(), Some("say with `initial` what it is".to_owned()));
                }
                self.page_size(&limit);
                PaginationPlan::Cursor { pointer, parameter, initial }
            }
            Pagination::LastRecord { parameter, has_more, limit } => {
                if let Some(has_more) = &has_more {
                    self.in_body(schemas, answer, "/pagination/has_more", has_more);
                }
                // A key that is wrong has been spoken of.
                if !has_key && self.source.key.is_none() {
                    let message = "the style `last-record` sends the key of the last record, and the stream has no key";
                    let hint = "say with `key` which field it is".to_owned();
                    self.error("/pagination/style", message.to_owned(), Some(hint));
                }
                if parameter.place == TokenPlace::Path {
                    let message = "the style `last-record` has nothing for the path of the first request";
                    self.error("/pagination/in", message.to_owned(), None);
                }
                let parameter = self.token(parameter);
                self.page_size(&limit);
                PaginationPlan::LastRecord { parameter, has_more }
            }
            Pagination::Offset { parameter, limit, until } => {
                let parameter = self.token(parameter);
                self.until(schemas, answer, &until);
                let limit = self.counted_page_size(&limit, &until);
                PaginationPlan::Offset { parameter, limit, until }
            }
            Pagination::Page { parameter, first, limit, until } => {
                let parameter = self.token(parameter);
                self.until(schemas, answer, &until);
                let size = self.counted_page_size(&limit, &until);
                PaginationPlan::Page { parameter, first, size, until }
            }
        }
    }

    /// Leaves to the runtime what takes that which the next page is asked for by, wherever in the request that is.
    fn token(&mut self, token: TokenIn) -> TokenIn {
        let token = self.placed("/pagination/parameter", token);
        match token.place {
            // A path with a value in it would have no place left.
            TokenPlace::Path => self.known.retain(|known| !token.is_in(&known.plan)),
            _ => self.is_set_by_runtime(&token),
        }
        token
    }

    /// Checks where the response declares when a cycle ends.
    fn until(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>, until: &Until) {
        if let Some((key, found)) = until.annotated() {
            self.found(schemas, answer, &format!("/pagination/{key}"), found);
        }
    }

    /// Refuses what the response's schema lacks, and warns of a header that is not documented.
    fn found(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>, key: &str, found: &FoundIn) {
        match found {
            FoundIn::Body(pointer) => self.in_body(schemas, answer, key, pointer),
            FoundIn::Header(name) => {
                if !answer.headers.iter().any(|header| header.eq_ignore_ascii_case(name)) {
                    let message = format!("the response documents no header `{name}`");
                    self.warn(key, message, near(name, &answer.headers));
                }
            }
        }
    }

    /// What an extension says, if the response has what it speaks of.
    fn hinted_pagination(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>) -> Option<Pagination> {
        let hinted = self.hints.pagination.take()?;
        let pointer = match &hinted.value {
            Pagination::NextUrl { pointer: FoundIn::Body(pointer), .. }
            | Pagination::Cursor { pointer: FoundIn::Body(pointer), .. } => pointer.as_str(),
            _ => "",
        };
        if let Located::Missing { .. } = schemas.locate(&answer.schema, pointer) {
            return None;
        }
        let value = describe(&hinted.value);
        Some(self.infer("pagination", value, hinted))
    }

    /// Sets the truth value without which the API does not send the cursor, as `usemarker` beside `marker`.
    fn switch_on(&mut self, pagination: &Pagination) {
        let Pagination::Cursor { parameter, .. } = pagination else { return };
        let name = format!("use{}", parameter.name);
        let switch = self.known.iter_mut().find(|known| known.plan.wire_name == name && known.plan.value.is_none());
        let is_boolean = |known: &&mut Known| known.plan.ty == ParameterType::One(ParameterScalar::Boolean);
        if let Some(known) = switch.filter(is_boolean) {
            known.plan.value = Some(ParameterValue::Literal(true.into()));
        }
    }

    /// Refuses a pointer to the next page's token that the response's schema lacks.
    fn in_body(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>, key: &str, path: &str) {
        match schemas.locate(&answer.schema, path) {
            Located::Missing { parent, segment, names } => {
                let message = missing_in_response(path, &parent, &segment);
                self.error(key, message, near(&segment, &names));
            }
            Located::Free if self.source.pagination.is_some() => self.undescribed(key, path),
            Located::Free | Located::Found { .. } => {}
        }
    }

    /// How many records a full page has, if that has to be known.
    fn counted_page_size(&mut self, limit: &Limit, until: &Until) -> Option<u64> {
        let size = self.page_size(limit);
        if (until, size) == (&Until::ShortPage, None) {
            let message = "a page is short only beside a full one, and nothing says how many records that has";
            self.error("/pagination/stop_on_short_page", message.to_owned(), Some("say it with `limit`".to_owned()));
        }
        size
    }

    /// How many records a full page has: what the connector sets, else what the document says happens if it does not.
    fn page_size(&mut self, limit: &Limit) -> Option<u64> {
        let inferred = infer::pagination::limit_parameter(&self.known).map(str::to_owned);
        let name = limit.parameter.clone().or(inferred);
        let known = self.known.iter_mut().find(|known| Some(&known.plan.wire_name) == name.as_ref());
        let Some(known) = known else {
            if let Some(name) = &limit.parameter {
                self.documented("/pagination/limit_parameter", ParameterLocation::Query, name);
            }
            return limit.value;
        };
        self.page_size = Some(known.plan.wire_name.clone());
        match (&known.plan.value, limit.value) {
            (Some(ParameterValue::Literal(value)), _) => value.as_u64(),
            (Some(ParameterValue::Config(_) | ParameterValue::Slice(_) | ParameterValue::Each(_)), _) => None,
            (None, Some(value)) => {
                let set = parameters::value(&value.into(), known.plan.ty);
                known.plan.value = set.ok();
                Some(value)
            }
            (None, None) if self.configures_missing && known.plan.required => {
                known.plan.value = Some(parameters::configured_value(&known.plan, self.path));
                None
            }
            (None, None) => known.default.as_ref().and_then(serde_json::Value::as_u64),
        }
    }
}

/// A pagination in a few words.
fn describe(pagination: &Pagination) -> String {
    match pagination {
        Pagination::None => "none".to_owned(),
        Pagination::LinkHeader => "link-header".to_owned(),
        Pagination::NextUrl { pointer, delta: None } => format!("next-url at `{pointer}`"),
        Pagination::NextUrl { pointer, delta: Some(delta) } => format!("next-url at `{pointer}`, then `{delta}`"),
        Pagination::Cursor { pointer, parameter, .. } => format!("cursor from `{pointer}` to `{parameter}`"),
        Pagination::LastRecord { parameter, has_more: Some(pointer), .. } => {
            format!("last-record in `{parameter}` while `{pointer}`")
        }
        Pagination::LastRecord { parameter, has_more: None, .. } => format!("last-record in `{parameter}`"),
        Pagination::Offset { parameter, until, .. } => format!("offset in `{parameter}`{until}"),
        Pagination::Page { parameter, first, until, .. } => format!("page in `{parameter}`, from {first}{until}"),
    }
}
