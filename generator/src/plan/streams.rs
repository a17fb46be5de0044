//! An operation, read as a stream: annotations first, then the rules.

use super::annotations::{self, Source};
use super::auth;
use super::bodies::{self, Body};
use super::infer::hints::Hints;
use super::infer::{self, Inferred};
use super::model::{PaginationPlan, ParameterPlan, RateLimitPlan, StreamPlan, TypeKind};
use super::names;
use super::operations::OperationRef;
use super::parameters;
use super::relatives;
use super::schema::Schemas;
use super::types::Types;
use crate::diagnostic::Diagnostics;
use crate::document::{Document, pointer};
use reading::Reading;

mod paging;
mod reading;

/// How often a stream is read where nothing says how often.
const INTERVAL_MS: u64 = 60_000;

/// What streams are made from.
pub(super) struct Context<'a> {
    pub(super) document: &'a Document,
    pub(super) schemas: Schemas<'a>,
    pub(super) connector: annotations::Connector,
    /// The connector's name, and the first part of topics that are not annotated.
    pub(super) name: String,
    pub(super) types: Types<'a>,
    /// Whether the parameter that says how many records a page has becomes a configuration property where it is required and
    /// has no value.
    pub(super) configures_missing: bool,
    /// Whether a person has named the operations: a POST is then taken, whatever its name says.
    pub(super) are_named: bool,
}

/// A stream whose record's id is of the arena, and whose names are not given yet.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) stream: StreamPlan,
    /// Whether the operation is annotated.
    pub(super) is_annotated: bool,
    /// The links of its response, from one record.
    pub(super) links: Vec<infer::parent::Link>,
}

impl Draft {
    /// The required parameters without a value.
    pub(super) fn missing(&self) -> impl Iterator<Item = &ParameterPlan> {
        self.stream.parameters.iter().filter(|plan| plan.required && plan.value.is_none())
    }
}

/// The stream that an operation is, or why it is none. What is wrong with its annotation goes into `said`.
pub(super) fn draft<'a>(
    context: &mut Context<'a>,
    operation: &OperationRef<'a>,
    said: &mut Diagnostics,
) -> Result<Draft, String> {
    let annotation = operation.operation.extensions.get(annotations::SOURCE);
    let source = annotations::source(context.document, &operation.at, annotation, said);
    let is_annotated = annotation.is_some();
    let source =
        source.unwrap_or_else(|| Source { at: pointer::join(&operation.at, annotations::SOURCE), ..Source::default() });
    operation.reads(is_annotated || context.are_named)?;
    if let Some(fault) = context.document.faults_of(&operation.at).first() {
        let place = fault.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        return Err(format!("{}{place}", fault.message));
    }
    let answer = operation.answer(context.document)?;
    let mut unsent = Diagnostics::default();
    let mut scope = names::builder_scope();
    let mut known = parameters::of(context.document, context.schemas, operation, &mut scope, &mut unsent)?;
    let body = bodies::of(context.document, context.schemas, operation, &source.parameters, &known, &mut scope)?;
    let body = body.map(|Body { plan, members }| {
        known.extend(members);
        plan
    });
    let mut reading = Reading {
        document: context.document,
        source: &source,
        known,
        inferences: Vec::new(),
        said,
        page_size: None,
        has_body: body.is_some(),
        configures_missing: context.configures_missing,
        path: operation.path,
        hints: Hints::of(operation.operation),
    };

    let found = reading.records(context.schemas, &answer, operation.path)?;
    let wanted = names::type_name(&names::singular(infer::last_name(operation.path).unwrap_or(&operation.id)));
    let record = context.types.record(found.schema.clone(), &wanted);
    if !matches!(context.types.kind(record), Some(TypeKind::Struct(_))) {
        return Err(format!("what is at `{}` are no objects with fields", found.at));
    }

    reading.set_parameters(&context.connector);
    let facts = infer::key::Facts {
        types: &context.types,
        record,
        schemas: context.schemas,
        schema: &found.schema,
        path: operation.path,
        records: &found.at,
        is_paged_by_record: infer::pagination::is_by_record(&reading.known),
    };
    if found.is_single && operation.method == "POST" && !(is_annotated || context.are_named) {
        return Err("its method is POST, and it does not answer with a list".to_owned());
    }
    let key = reading.key(&facts);
    let timestamp = reading.timestamp(&facts);
    let offset = reading.offset(&facts);
    let is_one_thing = found.is_single && operation.path.ends_with('}');
    let pagination = match is_one_thing && source.pagination.is_none() {
        true => reading.no_pages(),
        false => reading.pagination(context.schemas, &answer, &found.at, key.is_some()),
    };
    if found.is_single && source.records.is_none() && pagination != PaginationPlan::None {
        return Err(format!(
            "it is read in pages, but where the records are on a page cannot be told: {}",
            reading.why("records")
        ));
    }
    if let Some(offset) = &offset {
        reading.is_set_by_runtime(&offset.parameter);
    }
    let backfill = reading.backfill(offset.as_ref());
    let topic = reading.topic(context.connector.topic_prefix.as_deref().unwrap_or(&context.name), &operation.id);

    let (refuses, headers) = operation.limits(context.document);
    let rate_limit = infer::limits::infer(refuses, &headers);
    let auth = auth::of(context.document, operation.operation.security.as_ref());
    if !is_annotated {
        if let Some(rate_limit) = rate_limit.clone() {
            reading.infer("rate-limit", describe_limit(&rate_limit.value), rate_limit);
        }
        if !auth.is_empty() {
            let reason = "the security requirements of the operation or the document say so".to_owned();
            let inferred = Inferred { value: (), rule: "security-schemes", reason };
            reading.infer("auth", auth::describe(&auth).join(" or "), inferred);
        }
    }
    let links = relatives::links(context.document, &answer.links, &found.at, found.is_single);
    reading.said.append(unsent);
    let Reading { known, inferences, page_size, .. } = reading;
    let parameters: Vec<_> = known.into_iter().map(|known| known.plan).collect();
    Ok(Draft {
        is_annotated,
        links,
        stream: StreamPlan {
            operation_id: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.to_owned(),
            summary: operation.operation.summary.clone(),
            description: operation.operation.description.clone(),
            rust_name: String::new(),
            module: String::new(),
            topic,
            record,
            records: found.at,
            body,
            records_required: found.required,
            is_single: found.is_single,
            lines: answer.lines.map(str::to_owned),
            parameters,
            key,
            timestamp,
            offset,
            backfill,
            pagination,
            page_size_parameter: page_size,
            auth,
            parent: source.parent.clone(),
            children: Vec::new(),
            rate_limit: rate_limit.map(|inferred| inferred.value),
            interval_ms: source.interval_ms.or(context.connector.interval_ms).unwrap_or(INTERVAL_MS),
            writes_changes: source.writes_changes,
            redact: source.redact.clone(),
            is_hooked: source.is_hooked,
            inferences,
        },
    })
}

/// What is known of a limit, in words.
fn describe_limit(limit: &RateLimitPlan) -> String {
    let status = limit.refuses.then_some("status 429");
    status.into_iter().chain(limit.headers.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
}
