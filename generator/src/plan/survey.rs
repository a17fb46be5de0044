//! What a document has to offer: every operation that can be a stream, with what is known and inferred of it, and every
//! other with the reason.

use super::auth;
use super::left_out::LeftOut;
use super::model::{Inference, OffsetMode, OffsetPlan, PaginationPlan, RateLimitPlan, Until};
use super::operations::operations;
use super::relatives;
use super::select::{context, warn_of_faults};
use super::streams::{Draft, draft};
use crate::diagnostic::Diagnostics;
use crate::document::Document;

/// What a document has to offer, in its own order.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The operations that can be streams.
    pub streams: Vec<Candidate>,
    /// The others.
    pub others: Vec<LeftOut>,
    /// What the user should know, though nothing is wrong.
    pub warnings: Diagnostics,
}

/// An operation that can be a stream.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its id.
    pub operation_id: String,
    /// Its path template.
    pub path: String,
    /// Whether it has `x-kafka-source`.
    pub is_annotated: bool,
    /// Whether a response is one record.
    pub is_single: bool,
    /// The topic.
    pub topic: String,
    /// JSON Pointer to the records.
    pub records: String,
    /// JSON Pointer to the key, from a record.
    pub key: Option<String>,
    /// How one page leads to the next, in words.
    pub pagination: String,
    /// How it reads only what is new, in words.
    pub offset: Option<String>,
    /// The operation whose records give this one's requests their parameters, in words.
    pub parent: Option<String>,
    /// The id of that operation, if this one is read for each of its records.
    pub follows: Option<String>,
    /// What the document says of how often the API may be asked.
    pub rate_limit: Option<RateLimitPlan>,
    /// What the API asks for: one of these.
    pub auth: Vec<String>,
    /// Required parameters without a value.
    pub missing: Vec<String>,
    /// What was inferred, with reasons.
    pub inferences: Vec<Inference>,
}

/// Looks at every operation.
///
/// # Errors
///
/// What is wrong with the annotations.
pub fn survey(document: &Document) -> Result<Survey, Diagnostics> {
    let mut said = Diagnostics::default();
    let mut context = context(document, None, &mut said);
    let (mut drafts, mut others) = (Vec::new(), Vec::new());
    for operation in operations(document) {
        match draft(&mut context, &operation, &mut said) {
            Ok(draft) => drafts.push(draft),
            Err(reason) => others.push(LeftOut::new(&operation, reason)),
        }
    }
    relatives::relate(document, &context.types, &mut drafts, false);
    let streams = drafts.into_iter().map(candidate).collect();
    warn_of_faults(document, &mut said);
    if said.has_errors() { Err(said) } else { Ok(Survey { streams, others, warnings: said }) }
}

fn candidate(draft: Draft) -> Candidate {
    let missing = draft.missing().map(|missing| missing.wire_name.clone()).collect();
    let Draft { stream, is_annotated, .. } = draft;
    let follows = stream.followed_parent().map(|parent| parent.operation_id.clone());
    Candidate {
        operation_id: stream.operation_id,
        path: stream.path,
        is_annotated,
        is_single: stream.is_single,
        topic: stream.topic,
        records: stream.records,
        key: stream.key.map(|key| key.pointer),
        pagination: pagination(&stream.pagination),
        offset: stream.offset.as_ref().map(offset),
        parent: stream.parent.as_ref().map(relatives::describe),
        follows,
        rate_limit: stream.rate_limit,
        auth: auth::describe(&stream.auth),
        missing,
        inferences: stream.inferences,
    }
}

pub(crate) fn pagination(pagination: &PaginationPlan) -> String {
    let full = |size: &Option<u64>| size.map(|size| format!(", {size} records")).unwrap_or_default();
    let ends = |until: &Until| if *until == Until::EmptyPage { String::new() } else { format!(",{until}") };
    match pagination {
        PaginationPlan::None => "none".to_owned(),
        PaginationPlan::LinkHeader => "link-header".to_owned(),
        PaginationPlan::NextUrl { pointer, delta: None } => format!("next-url at {pointer}"),
        PaginationPlan::NextUrl { pointer, delta: Some(delta) } => format!("next-url at {pointer}, then {delta}"),
        PaginationPlan::Cursor { pointer, parameter, .. } => format!("cursor {parameter} from {pointer}"),
        PaginationPlan::LastRecord { parameter, has_more: Some(pointer) } => {
            format!("last-record {parameter} while {pointer}")
        }
        PaginationPlan::LastRecord { parameter, has_more: None } => format!("last-record {parameter}"),
        PaginationPlan::Offset { parameter, limit, until } => {
            format!("offset {parameter}{}{}", full(limit), ends(until))
        }
        PaginationPlan::Page { parameter, first, size, until } => {
            format!("page {parameter} from {first}{}{}", full(size), ends(until))
        }
    }
}

pub(crate) fn offset(offset: &OffsetPlan) -> String {
    let mode = match offset.mode {
        OffsetMode::Timestamp => "timestamp",
        OffsetMode::Cursor => "cursor",
    };
    format!("{mode} {} in {}", offset.field.pointer, offset.parameter)
}
