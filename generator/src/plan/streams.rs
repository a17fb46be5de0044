//! An operation, read as a stream: annotations first, then the rules.

use super::annotations::{self, Limit, Offset, Pagination, Source};
use super::auth;
use super::fields::{self, NoField, Use};
use super::infer::{self, Inferred};
use super::model::{
    FieldPath, Inference, OffsetMode, OffsetPlan, PaginationPlan, ParameterLocation, ParameterValue, StreamPlan,
    TypeId, TypeKind,
};
use super::names;
use super::operations::{Answer, OperationRef};
use super::parameters::{self, Known};
use super::schema::{Located, SchemaRef, Schemas, ShapeKind};
use super::types::Types;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::document::{Document, pointer};

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
    /// Whether required parameters without a value become configuration properties.
    pub(super) configures_missing: bool,
}

/// A stream whose record's id is of the arena, and whose names are not given yet.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) stream: StreamPlan,
    /// Whether the operation is annotated.
    pub(super) is_annotated: bool,
    /// Required parameters without a value.
    pub(super) missing: Vec<String>,
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
    if operation.method != "GET" {
        return Err(format!("its method is {}, not GET", operation.method));
    }
    if let Some(fault) = context.document.faults_of(&operation.at).first() {
        let place = fault.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        return Err(format!("{}{place}", fault.message));
    }
    let answer = operation.answer(context.document)?;
    let known = parameters::of(context.document, context.schemas, operation)?;
    let mut reading = Reading {
        document: context.document,
        source: &source,
        known,
        inferences: Vec::new(),
        said,
        page_size: None,
        configures_missing: context.configures_missing,
    };

    let found = reading.records(context.schemas, &answer, operation.path)?;
    let wanted = names::type_name(&names::singular(last_name(operation.path).unwrap_or(&operation.id)));
    let record = context.types.lower(found.record, &wanted).ty;
    if !matches!(context.types.kind(record), Some(TypeKind::Struct(_))) {
        return Err(format!("what is at `{}` are no objects with fields", found.pointer));
    }

    reading.set_parameters(&context.connector);
    let key = reading.key(&context.types, record);
    let timestamp = reading.timestamp(&context.types, record);
    let offset = reading.offset(&context.types, record);
    let pagination = reading.pagination(context.schemas, &answer);
    if let Some(offset) = &offset {
        reading.is_set_by_runtime(&offset.parameter);
    }
    let topic = reading.topic(context.connector.topic_prefix.as_deref().unwrap_or(&context.name), &operation.id);

    reading.configure_missing();
    let Reading { known, inferences, page_size, .. } = reading;
    let parameters: Vec<_> = known.into_iter().map(|known| known.plan).collect();
    let missing = parameters.iter().filter(|plan| plan.required && plan.value.is_none());
    Ok(Draft {
        is_annotated,
        missing: missing.map(|plan| plan.wire_name.clone()).collect(),
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
            records: found.pointer,
            records_required: found.required,
            parameters,
            key,
            timestamp,
            offset,
            pagination,
            page_size_parameter: page_size,
            auth: auth::of(context.document, operation.operation.security.as_ref()),
            interval_ms: source.interval_ms.or(context.connector.interval_ms).unwrap_or(INTERVAL_MS),
            inferences,
        },
    })
}

/// The last segment of a path that is no parameter.
fn last_name(path: &str) -> Option<&str> {
    path.split('/').rev().find(|segment| !segment.is_empty() && !segment.contains('{'))
}

/// Where the records are.
struct Records<'a> {
    pointer: String,
    required: bool,
    record: SchemaRef<'a>,
}

/// The annotation of one operation, as it is read against the document.
struct Reading<'r> {
    document: &'r Document,
    source: &'r Source,
    known: Vec<Known>,
    inferences: Vec<Inference>,
    said: &'r mut Diagnostics,
    /// Query parameter that says how many records a page has.
    page_size: Option<String>,
    configures_missing: bool,
}

impl Reading<'_> {
    /// An error about a key of the annotation.
    fn error(&mut self, key: &str, message: String, hint: Option<String>) {
        let mut diagnostic = self.document.locate(Diagnostic::error(message), &format!("{}{key}", self.source.at));
        diagnostic.hint = hint;
        self.said.push(diagnostic);
    }

    fn infer<T>(&mut self, subject: &'static str, value: String, inferred: Inferred<T>) -> T {
        self.inferences.push(Inference { subject, value, rule: inferred.rule, reason: inferred.reason });
        inferred.value
    }

    fn records<'a>(&mut self, schemas: Schemas<'a>, answer: &Answer<'a>, path: &str) -> Result<Records<'a>, String> {
        let pointer = match &self.source.records {
            Some(pointer) => pointer.clone(),
            None => {
                let inferred = infer::records::infer(schemas, &answer.schema, path)?;
                let value = format!("`{}`", inferred.value);
                self.infer("records", value, inferred)
            }
        };
        match schemas.locate(&answer.schema, &pointer) {
            Located::Found { schema, required } => {
                let record = match schemas.shape(&schema).kind {
                    ShapeKind::Array { items: Some(items) } => items,
                    _ => schema,
                };
                Ok(Records { pointer, required, record })
            }
            Located::Missing { parent, segment, names } => {
                let message = missing_in_response(&pointer, &parent, &segment);
                self.error("/records", message, near(&segment, &names));
                Err(format!("the response has nothing at `{pointer}`"))
            }
            Located::Free => Err(format!("the document does not say what is at `{pointer}`")),
        }
    }

    fn topic(&mut self, prefix: &str, id: &str) -> String {
        match &self.source.topic {
            Some(topic) => topic.clone(),
            None => {
                let inferred = infer::topic::infer(prefix, id);
                let value = format!("`{}`", inferred.value);
                self.infer("topic", value, inferred)
            }
        }
    }

    /// Sets the parameters that the annotations have values for.
    fn set_parameters(&mut self, connector: &annotations::Connector) {
        for (name, value) in &connector.parameters {
            if let Some(known) = self.known.iter_mut().find(|known| known.plan.wire_name == *name) {
                match parameters::value(value, known.plan.ty) {
                    Ok(value) => known.plan.value = Some(value),
                    Err(reason) => {
                        let at = pointer::join(&format!("/{}/parameters", annotations::CONNECTOR), name);
                        let message = format!("the parameter `{name}`: {reason}");
                        self.said.push(self.document.locate(Diagnostic::error(message), &at));
                    }
                }
            }
        }
        for (name, value) in &self.source.parameters {
            let at = pointer::join("/parameters", name);
            let Some(known) = self.known.iter_mut().find(|known| known.plan.wire_name == *name) else {
                let names: Vec<&str> = self.known.iter().map(|known| known.plan.wire_name.as_str()).collect();
                let hint = near(name, &names);
                self.error(&at, format!("the operation has no parameter `{name}`"), hint);
                continue;
            };
            match parameters::value(value, known.plan.ty) {
                Ok(value) => known.plan.value = Some(value),
                Err(reason) => self.error(&at, format!("the parameter `{name}`: {reason}"), None),
            }
        }
    }

    /// A field that the annotation names.
    fn field(&mut self, key: &str, types: &Types<'_>, record: TypeId, path: &str, usage: Use) -> Option<FieldPath> {
        match fields::resolve(types, record, path, usage) {
            Ok(path) => Some(path),
            Err(NoField { message, hint }) => {
                self.error(key, message, hint);
                None
            }
        }
    }

    fn key(&mut self, types: &Types<'_>, record: TypeId) -> Option<FieldPath> {
        match &self.source.key {
            Some(path) => self.field("/key", types, record, path, Use::Value),
            None => {
                let inferred = infer::key::infer(types, record)?;
                let value = format!("`{}`", inferred.value.pointer);
                Some(self.infer("key", value, inferred))
            }
        }
    }

    fn timestamp(&mut self, types: &Types<'_>, record: TypeId) -> Option<FieldPath> {
        let path = self.source.timestamp.as_ref()?;
        self.field("/timestamp", types, record, path, Use::Instant)
    }

    fn offset(&mut self, types: &Types<'_>, record: TypeId) -> Option<OffsetPlan> {
        match &self.source.offset {
            Some(Offset::None) => None,
            Some(Offset::Field { mode, field, parameter, initial }) => {
                let usage = match mode {
                    OffsetMode::Timestamp => Use::Instant,
                    OffsetMode::Cursor => Use::Value,
                };
                self.documented("/offset/parameter", parameter);
                let field = self.field("/offset/field", types, record, field, usage)?;
                Some(OffsetPlan { mode: *mode, field, parameter: parameter.clone(), initial: initial.clone() })
            }
            None => {
                let inferred = infer::offset::infer(types, record, &self.known)?;
                let value = format!("`{}` asks from `{}`", inferred.value.parameter, inferred.value.field.pointer);
                Some(self.infer("offset", value, inferred))
            }
        }
    }

    fn pagination(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>) -> PaginationPlan {
        let pagination = match &self.source.pagination {
            Some(pagination) => pagination.clone(),
            None => {
                let facts = infer::pagination::Facts {
                    schemas,
                    response: &answer.schema,
                    headers: &answer.headers,
                    parameters: &self.known,
                };
                let inferred = infer::pagination::infer(&facts);
                let value = describe(&inferred.value);
                self.infer("pagination", value, inferred)
            }
        };
        match pagination {
            Pagination::None => PaginationPlan::None,
            Pagination::LinkHeader => {
                self.page_size = infer::pagination::limit_parameter(&self.known).map(str::to_owned);
                PaginationPlan::LinkHeader
            }
            Pagination::NextUrl { pointer } => {
                self.page_size = infer::pagination::limit_parameter(&self.known).map(str::to_owned);
                self.in_body(schemas, answer, &pointer);
                PaginationPlan::NextUrl { pointer }
            }
            Pagination::Cursor { pointer, parameter, limit } => {
                self.in_body(schemas, answer, &pointer);
                self.documented("/pagination/parameter", &parameter);
                self.is_set_by_runtime(&parameter);
                self.page_size(&limit);
                PaginationPlan::Cursor { pointer, parameter }
            }
            Pagination::Offset { parameter, limit } => {
                self.documented("/pagination/parameter", &parameter);
                self.is_set_by_runtime(&parameter);
                PaginationPlan::Offset { parameter, limit: self.page_size(&limit) }
            }
            Pagination::Page { parameter, first, limit } => {
                self.documented("/pagination/parameter", &parameter);
                self.is_set_by_runtime(&parameter);
                PaginationPlan::Page { parameter, first, size: self.page_size(&limit) }
            }
        }
    }

    /// Refuses a pointer to the next page's token that the response's schema lacks.
    fn in_body(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>, path: &str) {
        if let Located::Missing { parent, segment, names } = schemas.locate(&answer.schema, path) {
            let message = missing_in_response(path, &parent, &segment);
            self.error("/pagination/pointer", message, near(&segment, &names));
        }
    }

    /// Warns of a query parameter that the document does not know: it may be one, but it may be a slip.
    fn documented(&mut self, key: &str, parameter: &str) {
        let query = self.known.iter().filter(|known| known.plan.location == ParameterLocation::Query);
        let names: Vec<&str> = query.map(|known| known.plan.wire_name.as_str()).collect();
        if !names.contains(&parameter) {
            let message = format!("the operation documents no query parameter `{parameter}`");
            let mut diagnostic =
                self.document.locate(Diagnostic::warning(message), &format!("{}{key}", self.source.at));
            diagnostic.hint = near(parameter, &names);
            self.said.push(diagnostic);
        }
    }

    /// The runtime gives this query parameter its value, so the connector need not.
    fn is_set_by_runtime(&mut self, parameter: &str) {
        for known in &mut self.known {
            if known.plan.location == ParameterLocation::Query && known.plan.wire_name == parameter {
                known.plan.required = false;
            }
        }
    }

    /// Has the required parameters that nothing has set configured, if that is wanted.
    fn configure_missing(&mut self) {
        for known in self.known.iter_mut().filter(|_| self.configures_missing) {
            if known.plan.required && known.plan.value.is_none() {
                known.plan.value = Some(parameters::configured_value(&known.plan.wire_name));
            }
        }
    }

    /// How many records a full page has: what the connector sets, else what the document says happens if it does not.
    fn page_size(&mut self, limit: &Limit) -> Option<u64> {
        let inferred = infer::pagination::limit_parameter(&self.known).map(str::to_owned);
        let name = limit.parameter.clone().or(inferred);
        let known = self.known.iter_mut().find(|known| Some(&known.plan.wire_name) == name.as_ref());
        let Some(known) = known else {
            if let Some(name) = &limit.parameter {
                self.documented("/pagination/limit_parameter", name);
            }
            return limit.value;
        };
        self.page_size = Some(known.plan.wire_name.clone());
        match (&known.plan.value, limit.value) {
            (Some(ParameterValue::Literal(value)), _) => value.as_u64(),
            (Some(ParameterValue::Config(_)), _) => None,
            (None, Some(value)) => {
                let set = parameters::value(&value.into(), known.plan.ty);
                known.plan.value = set.ok();
                Some(value)
            }
            (None, None) if self.configures_missing && known.plan.required => {
                known.plan.value = Some(parameters::configured_value(&known.plan.wire_name));
                None
            }
            (None, None) => known.default.as_ref().and_then(serde_json::Value::as_u64),
        }
    }
}

fn missing_in_response(path: &str, parent: &str, segment: &str) -> String {
    match parent {
        "" => format!("`{path}`: the schema of the response has no field `{segment}`"),
        parent => format!("`{path}`: the schema of the response has no field `{segment}` at `{parent}`"),
    }
}

fn near(name: &str, names: &[&str]) -> Option<String> {
    match nearest(name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("there are: {}", names.join(", "))),
    }
}

/// A pagination in a few words.
fn describe(pagination: &Pagination) -> String {
    match pagination {
        Pagination::None => "none".to_owned(),
        Pagination::LinkHeader => "link-header".to_owned(),
        Pagination::NextUrl { pointer } => format!("next-url at `{pointer}`"),
        Pagination::Cursor { pointer, parameter, .. } => format!("cursor from `{pointer}` to `{parameter}`"),
        Pagination::Offset { parameter, .. } => format!("offset in `{parameter}`"),
        Pagination::Page { parameter, first, .. } => format!("page in `{parameter}`, from {first}"),
    }
}
