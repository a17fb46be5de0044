//! Which operations become streams, and the plan of them together.

use std::collections::BTreeMap;

use super::annotations;
use super::model::{ConnectorPlan, DocumentFacts};
use super::names::{self, Items};
use super::operations::{OperationRef, operations};
use super::parameters;
use super::schema::Schemas;
use super::streams::{Context, Draft, draft};
use super::types::Types;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::document::{Document, pointer};

/// Which operations are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Those with `x-kafka-source`.
    #[default]
    Annotated,
    /// Those with these ids.
    Operations(Vec<String>),
    /// Every one that can be a stream and whose required parameters have values, or are configured
    /// ([`PlanOptions::configures_missing`]).
    All,
}

/// What the user says beside the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Which operations are wanted.
    pub selection: Selection,
    /// The connector's name, in place of the document's.
    pub name: Option<String>,
    /// Whether required parameters without a value become configuration properties of their names. Otherwise their
    /// operations are refused, or left out of all.
    pub configures_missing: bool,
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
}

/// An operation that is not in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub operation_id: String,
    /// Its method, in upper case.
    pub method: String,
    /// Its path template.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl LeftOut {
    pub(super) fn new(operation: &OperationRef<'_>, reason: impl Into<String>) -> Self {
        Self {
            operation_id: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.to_owned(),
            reason: reason.into(),
        }
    }
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
    context.configures_missing = options.configures_missing;
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
            Ok(draft) if !draft.missing.is_empty() && must => {
                for name in &draft.missing {
                    said.push(missing_value(document, operation, name));
                }
            }
            Ok(draft) if !draft.missing.is_empty() => {
                left_out.push(LeftOut::new(operation, missing_reason(&draft.missing)));
            }
            Ok(draft) => drafts.push(draft),
        }
    }
    warn_of_faults(document, &mut said);
    if drafts.is_empty() && !said.has_errors() {
        said.push(nothing_selected(document, selection));
    }
    if said.has_errors() {
        return Err(said);
    }
    let plan = assemble(context, drafts);
    Ok(Planned { plan, warnings: said, operations: all.len(), left_out })
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
    }
}

/// What cannot be read and is not missed, or only by operations that are left out.
pub(super) fn warn_of_faults(document: &Document, said: &mut Diagnostics) {
    for fault in document.faults() {
        if !said.iter().any(|said| said == fault) {
            said.push(fault.clone().as_warning());
        }
    }
}

/// Why an operation's required parameters keep it out.
pub(super) fn missing_reason(missing: &[String]) -> String {
    format!("no value for the required `{}`", missing.join("`, `"))
}

fn already_said(said: &Diagnostics, at: &str) -> bool {
    use crate::diagnostic::Spot;
    said.iter().filter(|said| said.severity == Severity::Error).any(|said| {
        matches!(&said.place, Some(place) if matches!(&place.spot, Spot::Pointer(pointer) if pointer.starts_with(at)))
    })
}

fn missing_value(document: &Document, operation: &OperationRef<'_>, name: &str) -> Diagnostic {
    let message = format!("the required parameter `{name}` of `{}` has no value", operation.id);
    let property = parameters::property_name(name);
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

fn nothing_selected(document: &Document, selection: &Selection) -> Diagnostic {
    let message = match selection {
        Selection::All => "no operation can be a stream",
        Selection::Annotated | Selection::Operations(_) => "no operation is selected",
    };
    let hint = format!(
        "annotate operations with `{}`, or name them with `--operations`; `headwater inspect` lists what can be a stream",
        annotations::SOURCE
    );
    document.locate(Diagnostic::error(message), "/paths").hint(hint)
}

fn assemble(context: Context<'_>, drafts: Vec<Draft>) -> ConnectorPlan {
    let mut items = Items::default();
    let records: Vec<_> = drafts.iter().map(|draft| draft.stream.record).collect();
    let finished = context.types.finish(&records, &mut items);
    let mut configured = BTreeMap::new();
    let mut streams = Vec::with_capacity(drafts.len());
    for (draft, record) in drafts.into_iter().zip(finished.records) {
        let mut stream = draft.stream;
        let item = items.of_operation(&stream.operation_id);
        stream.record = record;
        stream.rust_name = item.rust;
        stream.module = item.module;
        parameters::configured(&stream.parameters, &mut configured);
        streams.push(stream);
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
        },
        base_url: base_url(context.document),
        parameters: configured,
        types: finished.types,
        streams,
    }
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
