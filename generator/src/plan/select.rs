//! Which operations become streams, and the plan of them together.

use std::collections::{BTreeMap, BTreeSet};

use super::UNMAPPED;
use super::annotations;
use super::fields::{self, NoField, Use};
use super::infer;
use super::left_out::{LeftOut, by_reason, first_few};
use super::model::{ConnectorPlan, DocumentFacts, PaginationPlan, ParameterPlan, StreamPlan, TypeKind};
use super::names::{self, Items};
use super::numbers::FieldNumbers;
use super::operations::{OperationRef, operations};
use super::parameters;
use super::redaction;
use super::relatives;
use super::schema::Schemas;
use super::streams::{Context, Draft, draft};
use super::types::Types;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, nearest};
use crate::document::{Document, pointer};

/// Which operations are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Those with `x-kafka-source`.
    #[default]
    Annotated,
    /// Those with these ids.
    Operations(Vec<String>),
    /// Every one that can be a stream. Required parameters without a value become configuration properties.
    All,
}

/// What the user says beside the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Which operations are wanted.
    pub selection: Selection,
    /// The connector's name, in place of the document's.
    pub name: Option<String>,
    /// Whether required parameters without a value become configuration properties also where operations are selected by
    /// name or annotation. Otherwise those are refused.
    pub configures_missing: bool,
    /// The Protobuf field numbers that an earlier generation gave out.
    pub numbers: FieldNumbers,
}

/// A plan, and what was left out of it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: ConnectorPlan,
    /// What the user should know, though nothing is wrong.
    pub warnings: Diagnostics,
    /// How many operations the document has.
    pub operations: usize,
    /// The operations that are not in the plan, in the document's order.
    pub left_out: Vec<LeftOut>,
    /// What becomes of the document's schemas.
    pub schemas: SchemaCount,
}

/// How many of the schemas among a document's components are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaCount {
    /// All of them.
    pub all: usize,
    /// Those that cannot be read.
    pub unreadable: usize,
    /// Those that the answers of the plan's operations need.
    pub needed: usize,
}

/// Whether any operation has `x-kafka-source`.
pub fn is_annotated(document: &Document) -> bool {
    operations(document).iter().any(|it| it.operation.extensions.contains_key(annotations::SOURCE))
}

/// Plans the connector.
///
/// # Errors
///
/// Everything that is wrong with the annotations of the selected operations, or with the selection.
pub fn plan(document: &Document, options: &PlanOptions) -> Result<Planned, Diagnostics> {
    let selection = &options.selection;
    let mut said = Diagnostics::default();
    let all = operations(document);
    let mut context = context(document, options.name.as_deref(), &mut said);
    context.configures_missing = options.configures_missing || *selection == Selection::All;
    context.are_named = matches!(selection, Selection::Operations(_));
    if let Selection::Operations(ids) = selection {
        for id in ids.iter().filter(|id| !all.iter().any(|operation| operation.id == **id)) {
            let message = format!("the document has no operation `{id}`");
            let names = all.iter().map(|operation| operation.id.as_str());
            said.push(document.locate(Diagnostic::error(message).nearest(id, names), "/paths"));
        }
    }
    let mut drafts = Vec::new();
    let mut left_out = Vec::new();
    for operation in &all {
        let is_annotated = operation.operation.extensions.contains_key(annotations::SOURCE);
        let is_named = match selection {
            Selection::Annotated => is_annotated,
            Selection::Operations(ids) => ids.contains(&operation.id),
            Selection::All => true,
        };
        if !is_named {
            left_out.push(LeftOut::new(operation, "not selected"));
            continue;
        }
        // `--all` takes what it can get, but an annotation states a wish.
        let must = is_annotated || *selection != Selection::All;
        match draft(&mut context, operation, &mut said) {
            Err(reason) if must => {
                let faults = document.faults_of(&operation.at);
                for fault in &faults {
                    if !said.iter().any(|said| said == *fault) {
                        said.push((*fault).clone());
                    }
                }
                if !faults.is_empty() {
                    continue;
                }
                if !said.has_errors() || !already_said(&said, &operation.at) {
                    let message = format!("the operation `{}` cannot be a stream: {reason}", operation.id);
                    said.push(document.locate(Diagnostic::error(message), &operation.at));
                }
            }
            Err(reason) => left_out.push(LeftOut::new(operation, reason)),
            Ok(draft) => drafts.push(draft),
        }
    }
    check_parents(&mut context, &all, &drafts, &mut said);
    relatives::relate(document, &context.types, &mut drafts, context.configures_missing);
    for draft in drafts.iter().filter(|draft| draft.missing().next().is_some()) {
        let Some(operation) = all.iter().find(|operation| operation.id == draft.stream.operation_id) else { continue };
        // A parent that cannot be one is why.
        let parent = format!("{}/parent", pointer::join(&operation.at, annotations::SOURCE));
        if !already_said(&said, &parent) {
            draft.missing().for_each(|missing| said.push(missing_value(document, operation, draft, missing)));
        }
    }
    drafts.retain(|draft| draft.missing().next().is_none());
    check_changes(document, &all, &drafts, &mut said);
    redaction::check(&context, &all, &drafts, &mut said);
    warn_of_unfollowed(document, &drafts, &mut said);
    warn_of_undescribed(document, &context.types, &drafts, &mut said);
    warn_of_faults(document, &mut said);
    if drafts.is_empty() && !said.has_errors() {
        said.push(nothing_selected(document, selection, &left_out));
    }
    if said.has_errors() {
        return Err(said);
    }
    let is_planned =
        |operation: &&OperationRef<'_>| drafts.iter().any(|draft| draft.stream.operation_id == operation.id);
    let planned = all.iter().filter(is_planned).map(|operation| operation.at.as_str());
    let (all_schemas, unreadable, needed) = document.schemas(planned);
    let schemas = SchemaCount { all: all_schemas, unreadable, needed };
    let plan = assemble(context, drafts, &options.numbers);
    Ok(Planned { plan, warnings: said, operations: all.len(), left_out, schemas })
}

pub(super) fn context<'a>(document: &'a Document, name: Option<&str>, said: &mut Diagnostics) -> Context<'a> {
    let schemas = Schemas::new(&document.api);
    let connector = annotations::connector(document, said);
    let name = name.or(connector.name.as_deref()).unwrap_or(&document.api.info.title);
    Context {
        document,
        schemas,
        name: names::package_name(name),
        connector,
        types: Types::new(schemas),
        configures_missing: false,
        are_named: false,
    }
}

/// What cannot be read and is not missed, or only by operations that are left out.
pub(super) fn warn_of_faults(document: &Document, said: &mut Diagnostics) {
    document.repairs().iter().for_each(|repair| said.push(repair.clone()));
    for fault in document.faults() {
        if !said.iter().any(|said| said == fault) {
            said.push(fault.clone().as_warning());
        }
    }
}

/// Refuses annotated parents that are not there, and records that lack what is bound.
fn check_parents<'a>(context: &mut Context<'a>, all: &[OperationRef<'a>], drafts: &[Draft], said: &mut Diagnostics) {
    for child in drafts.iter().filter(|draft| draft.is_annotated) {
        let Some(parent) = &child.stream.parent else { continue };
        let Some(operation) = all.iter().find(|operation| operation.id == child.stream.operation_id) else { continue };
        let at = format!("{}/parent", pointer::join(&operation.at, annotations::SOURCE));
        let mut error = |message: String, at: &str, hint: Option<String>| {
            let mut diagnostic = context.document.locate(Diagnostic::error(message), at);
            diagnostic.hint = hint;
            said.push(diagnostic);
        };
        let Some(above) = all.iter().find(|above| above.id == parent.operation_id) else {
            let near = nearest(&parent.operation_id, all.iter().map(|operation| operation.id.as_str()));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            error(format!("the document has no operation `{}`", parent.operation_id), &format!("{at}/operation"), hint);
            continue;
        };
        for bound in &parent.bind {
            if !child.stream.parameters.iter().any(|plan| plan.wire_name == bound.parameter) {
                let message = format!("the operation has no parameter `{}`", bound.parameter);
                error(message, &pointer::join(&format!("{at}/bind"), &bound.parameter), None);
            }
        }
        let known = drafts.iter().find(|draft| draft.stream.operation_id == above.id).cloned();
        let above = match known.map_or_else(|| draft(context, above, &mut Diagnostics::default()), Ok) {
            Ok(above) => above,
            Err(reason) => {
                let message = format!("the operation `{}` cannot be a parent: {reason}", parent.operation_id);
                said.push(context.document.locate(Diagnostic::error(message), &format!("{at}/operation")));
                continue;
            }
        };
        for bound in &parent.bind {
            let found = fields::resolve(&context.types, above.stream.record, &bound.pointer, Use::Value);
            if let Err(NoField { message, hint }) = found {
                let at = pointer::join(&format!("{at}/bind"), &bound.parameter);
                let mut diagnostic = context.document.locate(Diagnostic::error(message), &at);
                diagnostic.hint = hint;
                said.push(diagnostic);
            }
        }
    }
}

/// Refuses streams that are to write only what changes, where that cannot be seen.
fn check_changes(document: &Document, all: &[OperationRef<'_>], drafts: &[Draft], said: &mut Diagnostics) {
    for StreamPlan { operation_id, key, offset, pagination, children, .. } in
        drafts.iter().map(|draft| &draft.stream).filter(|stream| stream.writes_changes)
    {
        let is_child = drafts
            .iter()
            .any(|draft| draft.stream.operation_id == *operation_id && draft.stream.followed_parent().is_some());
        let goes_on = offset.is_some() || matches!(pagination, PaginationPlan::NextUrl { delta: Some(_), .. });
        let obstacle = if is_child || !children.is_empty() {
            "it is read for the records of another operation, or others are read for its records"
        } else if goes_on {
            "a cycle does not read everything, but goes on from the one before"
        } else if key.is_none() {
            "its records have no `key` to be told apart by"
        } else {
            continue;
        };
        let Some(operation) = all.iter().find(|operation| operation.id == *operation_id) else { continue };
        let at = format!("{}/output", pointer::join(&operation.at, annotations::SOURCE));
        let message = format!("the output of `{operation_id}` cannot be `changes`: {obstacle}");
        said.push(document.locate(Diagnostic::error(message), &at));
    }
}

/// Says whose parents are not followed, because everything that is bound is also set.
fn warn_of_unfollowed(document: &Document, drafts: &[Draft], said: &mut Diagnostics) {
    let has_own = |draft: &&Draft| draft.is_annotated && draft.stream.parent.is_some();
    let unfollowed: Vec<_> = drafts
        .iter()
        .filter(|draft| has_own(draft) && draft.stream.followed_parent().is_none())
        .map(|draft| format!("`{}`", draft.stream.operation_id))
        .collect();
    if !unfollowed.is_empty() && !said.has_errors() {
        let (names, are) = (unfollowed.join(", "), if unfollowed.len() == 1 { "is" } else { "are" });
        let message =
            format!("{names} {are} read with the parameters that are set, and not for each record of a parent");
        said.push(document.locate(Diagnostic::warning(message), "/paths"));
    }
}

/// Says of which records the document says nothing.
fn warn_of_undescribed(document: &Document, types: &Types<'_>, drafts: &[Draft], said: &mut Diagnostics) {
    let is_undescribed =
        |stream: &&StreamPlan| matches!(types.kind(stream.record), Some(TypeKind::Struct(it)) if it.is_undescribed());
    let streams = drafts.iter().map(|draft| &draft.stream).filter(is_undescribed);
    let ids: Vec<&str> = streams.map(|stream| stream.operation_id.as_str()).collect();
    if !ids.is_empty() && !said.has_errors() {
        let message = format!(
            "the document does not describe the records of {}: they have no declared fields, and by a schema all that is \
             sent stands in `{UNMAPPED}`",
            first_few(ids)
        );
        said.push(document.locate(Diagnostic::warning(message), "/paths").hint(fields::DESCRIBE));
    }
}

fn already_said(said: &Diagnostics, at: &str) -> bool {
    use crate::diagnostic::Spot;
    said.iter().filter(|said| said.severity == Severity::Error).any(|said| {
        matches!(&said.place, Some(place) if matches!(&place.spot, Spot::Pointer(pointer) if pointer.starts_with(at)))
    })
}

fn missing_value(
    document: &Document,
    operation: &OperationRef<'_>,
    draft: &Draft,
    missing: &ParameterPlan,
) -> Diagnostic {
    let (name, property) = (&missing.wire_name, parameters::property_name(missing, operation.path));
    let is_bound = draft.stream.parent.iter().flat_map(|parent| &parent.bind).any(|bound| bound.parameter == *name);
    let why = if is_bound { ": its `parent` is not one of the streams" } else { "" };
    let message = format!("the required parameter `{name}` of `{}` has no value{why}", operation.id);
    let hint = format!(
        "add it to `{}` under `parameters`: a literal, or \"${{config:{property}}}\" to have it configured",
        annotations::SOURCE
    );
    let at = match operation.operation.extensions.contains_key(annotations::SOURCE) {
        true => pointer::join(&operation.at, annotations::SOURCE),
        false => operation.at.clone(),
    };
    document.locate(Diagnostic::error(message), &at).hint(hint)
}

fn nothing_selected(document: &Document, selection: &Selection, left_out: &[LeftOut]) -> Diagnostic {
    let mut message = match selection {
        Selection::All => "no operation can be a stream".to_owned(),
        Selection::Annotated | Selection::Operations(_) => "no operation is selected".to_owned(),
    };
    if *selection == Selection::All {
        for group in by_reason(left_out) {
            message.push_str(&format!("\n  {group}: {}", first_few(group.operation_ids.iter().copied())));
        }
    }
    let hint = format!(
        "annotate operations with `{}`, or name them with `--operations`; `headwater inspect` lists what can be a stream",
        annotations::SOURCE
    );
    document.locate(Diagnostic::error(message), "/paths").hint(hint)
}

fn assemble(context: Context<'_>, drafts: Vec<Draft>, numbers: &FieldNumbers) -> ConnectorPlan {
    let mut drafts = drafts;
    distinct_topics(&mut drafts);
    let mut items = Items::default();
    let places: Vec<_> = drafts.iter().map(|draft| place(&draft.stream)).collect();
    let records = drafts.iter().map(|draft| (draft.stream.operation_id.as_str(), draft.stream.record));
    let records: Vec<_> = records.collect();
    let mut finished = context.types.finish(&records, &mut items);
    let numbers = numbers.assign(&mut finished.types);
    let mut configured = BTreeMap::new();
    let mut streams = Vec::with_capacity(drafts.len());
    for (draft, record) in drafts.into_iter().zip(finished.records) {
        let stream = StreamPlan { record, ..draft.stream };
        parameters::configured(&stream.parameters, &mut configured);
        streams.push(stream);
    }
    for stream in by_id(&mut streams, |stream| &stream.operation_id) {
        let item = items.of_operation(&stream.operation_id);
        stream.rust_name = item.rust;
        stream.module = item.module;
    }
    let info = &context.document.api.info;
    let file = std::path::Path::new(&context.document.file).file_name().and_then(|name| name.to_str());
    ConnectorPlan {
        name: context.name,
        document: DocumentFacts {
            file: file.unwrap_or(&context.document.file).to_owned(),
            sha256: context.document.sha256.clone(),
            title: info.title.clone(),
            version: info.version.clone(),
            description: info.description.clone(),
            part: context.document.part(&places),
        },
        base_url: base_url(context.document),
        parameters: configured,
        types: finished.types,
        numbers,
        streams,
    }
}

/// Operations in an order that is not the document's, so that none is called after where it stands there.
fn by_id<T>(operations: &mut [T], id: fn(&T) -> &String) -> Vec<&mut T> {
    let mut operations: Vec<_> = operations.iter_mut().collect();
    operations.sort_by(|left, right| id(left).cmp(id(right)));
    operations
}

/// Inferred topics of their own: two operation ids can come to the same name.
fn distinct_topics(drafts: &mut [Draft]) {
    let is_inferred = |draft: &Draft| draft.stream.inferences.iter().any(|inference| inference.subject == "topic");
    let annotated = drafts.iter().filter(|draft| !is_inferred(draft));
    let mut taken: BTreeSet<String> = annotated.map(|draft| draft.stream.topic.clone()).collect();
    for draft in by_id(drafts, |draft| &draft.stream.operation_id).into_iter().filter(|draft| is_inferred(draft)) {
        let (base, mut number) = (draft.stream.topic.clone(), 2);
        while !taken.insert(draft.stream.topic.clone()) {
            draft.stream.topic = infer::topic::numbered(&base, number);
            number += 1;
        }
    }
}

/// JSON Pointer to a stream's operation.
fn place(stream: &StreamPlan) -> String {
    pointer::join(&pointer::join("/paths", &stream.path), &stream.method.to_lowercase())
}

/// The first server's URL with its variables filled in (OAS 3.0.3 section 4.7.5), if it is absolute.
fn base_url(document: &Document) -> Option<String> {
    let server = document.api.servers.first()?;
    let mut url = server.url.clone();
    for (name, variable) in server.variables.iter().flatten() {
        url = url.replace(&format!("{{{name}}}"), &variable.default);
    }
    let is_absolute = url.starts_with("http://") || url.starts_with("https://");
    is_absolute.then(|| url.trim_end_matches('/').to_owned())
}
