//! The annotation of one operation, read against the document; what it leaves open is inferred.

use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::document::{Document, pointer};
use crate::plan::annotations::{self, Offset, Source};
use crate::plan::fields::{self, NoField, Use};
use crate::plan::infer::hints::Hints;
use crate::plan::infer::key::Facts;
use crate::plan::infer::{self, Inferred};
use crate::plan::model::{
    BackfillPlan, FieldPath, Inference, OffsetMode, OffsetPlan, ParameterLocation, TokenIn, TokenPlace,
};
use crate::plan::operations::Answer;
use crate::plan::parameters::{self, Known};
use crate::plan::schema::{Located, SchemaPath, SchemaRef, Schemas, ShapeKind};

/// Where the records are.
pub(super) struct Records<'a> {
    /// JSON Pointer, or JSONPath if it begins with `$`.
    pub(super) at: String,
    pub(super) required: bool,
    pub(super) is_single: bool,
    /// The schema of one.
    pub(super) schema: SchemaRef<'a>,
}

impl Records<'_> {
    /// Those at a place of which the document says nothing.
    fn undescribed(at: String, is_single: bool) -> Self {
        Self { at, required: false, is_single, schema: SchemaRef::of_anything() }
    }
}

/// The annotation of one operation, as it is read against the document.
pub(super) struct Reading<'r> {
    pub(super) document: &'r Document,
    pub(super) source: &'r Source,
    pub(super) known: Vec<Known>,
    pub(super) inferences: Vec<Inference>,
    pub(super) said: &'r mut Diagnostics,
    /// Parameter that says how many records a page has.
    pub(super) page_size: Option<String>,
    /// Whether its requests carry something.
    pub(super) has_body: bool,
    pub(super) configures_missing: bool,
    /// The operation's path template.
    pub(super) path: &'r str,
    /// What extensions of other generators say.
    pub(super) hints: Hints,
}

impl Reading<'_> {
    /// An error about a key of the annotation.
    pub(super) fn error(&mut self, key: &str, message: String, hint: Option<String>) {
        let mut diagnostic = self.document.locate(Diagnostic::error(message), &format!("{}{key}", self.source.at));
        diagnostic.hint = hint;
        self.said.push(diagnostic);
    }

    /// Why something was inferred.
    pub(super) fn why(&self, subject: &str) -> &str {
        let inference = self.inferences.iter().find(|inference| inference.subject == subject);
        inference.map_or("", |inference| &inference.reason)
    }

    pub(super) fn infer<T>(&mut self, subject: &'static str, value: String, inferred: Inferred<T>) -> T {
        self.inferences.push(Inference { subject, value, rule: inferred.rule, reason: inferred.reason });
        inferred.value
    }

    pub(super) fn records<'a>(
        &mut self,
        schemas: Schemas<'a>,
        answer: &Answer<'a>,
        path: &str,
    ) -> Result<Records<'a>, String> {
        let source = self.source;
        let pointer = match &source.records {
            Some(path) if path.starts_with('$') => return self.selected(schemas, answer, path),
            Some(pointer) => pointer.clone(),
            None if self.hints.records.is_some() => self.hinted_records(schemas, answer)?,
            None => {
                let inferred = infer::records::infer(schemas, &answer.schema, path)?;
                let value = format!("`{}`", inferred.value);
                self.infer("records", value, inferred)
            }
        };
        // What the end of the path names is one thing; of anything else, the API may have several.
        let is_one = path.ends_with('}');
        match schemas.locate(&answer.schema, &pointer) {
            Located::Found { schema, required } => {
                let (is_single, schema) = match schemas.shape(&schema).kind {
                    ShapeKind::Array { items } => (false, items.unwrap_or_else(SchemaRef::of_anything)),
                    ShapeKind::Any => (is_one, schema),
                    ShapeKind::OneOf(branches) if branches.iter().any(|branch| schemas.is_list(branch)) => {
                        (is_one, schema)
                    }
                    _ => (true, schema),
                };
                Ok(Records { at: pointer, required, is_single, schema })
            }
            Located::Missing { parent, segment, names } => {
                let message = missing_in_response(&pointer, &parent, &segment);
                self.error("/records", message, near(&segment, &names));
                Err(format!("the response has nothing at `{pointer}`"))
            }
            Located::Free => {
                if source.records.is_some() {
                    self.undescribed("/records", &pointer);
                }
                Ok(Records::undescribed(pointer, is_one))
            }
        }
    }

    /// Warns of an annotated place of which the document says nothing: a slip in it would not be seen.
    pub(super) fn undescribed(&mut self, key: &str, place: &str) {
        self.warn(key, format!("`{place}`: the document does not describe what is there"), None);
    }

    /// What a JSONPath selects.
    fn selected<'a>(&mut self, schemas: Schemas<'a>, answer: &Answer<'a>, text: &str) -> Result<Records<'a>, String> {
        let path = SchemaPath::parse(text)?;
        let nothing = Err(format!("`{text}` selects nothing in the response"));
        // What a pointer can say too is read without a tree of the response.
        if let Some((pointer, is_all)) = path.plain()
            && let Located::Found { schema, required } = schemas.locate(&answer.schema, &pointer)
        {
            match (schemas.shape(&schema).kind, is_all) {
                (ShapeKind::Any, _) => return Ok(Records::undescribed(pointer, !is_all)),
                (ShapeKind::Array { items }, true) => {
                    let schema = items.unwrap_or_else(SchemaRef::of_anything);
                    return Ok(Records { at: pointer, required, is_single: false, schema });
                }
                (ShapeKind::Array { .. }, false) => {
                    let hint = format!("write `{text}[*]` for the elements of the list");
                    self.error("/records", format!("`{text}` selects a list, which is no record"), Some(hint));
                    return nothing;
                }
                (ShapeKind::Object { .. }, false) => {
                    return Ok(Records { at: pointer, required, is_single: true, schema });
                }
                _ => {}
            }
        }
        let at = text.to_owned();
        match schemas.select(&answer.schema, &path) {
            None => {
                self.undescribed("/records", text);
                Ok(Records::undescribed(at, false))
            }
            Some(found) => match <[_; 1]>::try_from(found) {
                Ok([schema]) => Ok(Records { at, required: false, is_single: false, schema }),
                Err(none) if none.is_empty() => {
                    let message = format!("`{text}`: by its schema, the response has nothing that this selects");
                    self.error("/records", message, None);
                    nothing
                }
                Err(several) => {
                    let message = format!("`{text}` selects values of {} schemas", several.len());
                    self.error("/records", message, Some("the records of a stream are of one".to_owned()));
                    nothing
                }
            },
        }
    }

    /// Where an extension says that the records are, if they are there.
    fn hinted_records(&mut self, schemas: Schemas<'_>, answer: &Answer<'_>) -> Result<String, String> {
        let Some(hinted) = self.hints.records.clone() else { return Err("nothing says where".to_owned()) };
        match schemas.locate(&answer.schema, &hinted.value) {
            Located::Found { .. } | Located::Free => {
                let value = format!("`{}`", hinted.value);
                Ok(self.infer("records", value, hinted))
            }
            Located::Missing { .. } => {
                Err(format!("{}, but the response has nothing at `{}`", hinted.reason, hinted.value))
            }
        }
    }

    pub(super) fn topic(&mut self, prefix: &str, id: &str) -> String {
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
    pub(super) fn set_parameters(&mut self, connector: &annotations::Connector) {
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
        for (name, values) in &self.source.slices {
            let at = pointer::join("/slices", name);
            let Some(known) = self.known.iter_mut().find(|known| known.plan.wire_name == *name) else {
                let names: Vec<&str> = self.known.iter().map(|known| known.plan.wire_name.as_str()).collect();
                let hint = near(name, &names);
                self.error(&at, format!("the operation has no parameter `{name}`"), hint);
                continue;
            };
            let others = [
                (self.source.parameters.contains_key(name), "`parameters` sets it, too"),
                (self.source.parent.iter().any(|parent| parent.binds(name)), "`parent` binds it, too"),
            ];
            let value = match others.into_iter().find(|(is_so, _)| *is_so) {
                Some((_, reason)) => Err(reason.to_owned()),
                None => parameters::each(values, known.plan.ty),
            };
            match value {
                Ok(value) => known.plan.value = Some(value),
                Err(reason) => self.error(&at, format!("the parameter `{name}`: {reason}"), None),
            }
        }
    }

    /// A field that the annotation names.
    fn field(&mut self, key: &str, facts: &Facts<'_, '_>, path: &str, usage: Use) -> Option<FieldPath> {
        match fields::resolve(facts.types, facts.record, path, usage) {
            Ok(path) => Some(path),
            Err(NoField { message, hint }) => {
                self.error(key, message, hint);
                None
            }
        }
    }

    pub(super) fn key(&mut self, facts: &Facts<'_, '_>) -> Option<FieldPath> {
        match &self.source.key {
            Some(path) => self.field("/key", facts, path, Use::Value),
            None => {
                let inferred = infer::key::infer(facts)?;
                let value = format!("`{}`", inferred.value.pointer);
                Some(self.infer("key", value, inferred))
            }
        }
    }

    pub(super) fn timestamp(&mut self, facts: &Facts<'_, '_>) -> Option<FieldPath> {
        let path = self.source.timestamp.as_ref()?;
        self.field("/timestamp", facts, path, Use::Instant)
    }

    pub(super) fn offset(&mut self, facts: &Facts<'_, '_>) -> Option<OffsetPlan> {
        match &self.source.offset {
            Some(Offset::None) => None,
            Some(Offset::Field { mode, field, parameter, initial, lookback_ms }) => {
                let usage = match mode {
                    OffsetMode::Timestamp => Use::Moment,
                    OffsetMode::Cursor => Use::Value,
                };
                let parameter = self.placed("/offset/parameter", parameter.as_str().into());
                let field = self.field("/offset/field", facts, field, usage)?;
                let (initial, lookback_ms) = (initial.clone(), *lookback_ms);
                Some(OffsetPlan { mode: *mode, field, parameter, initial, lookback_ms })
            }
            // All that there is has to be read to see what has gone.
            None if self.source.writes_changes => None,
            None => {
                let inferred = infer::offset::infer(facts, &self.known)?;
                let value = format!("`{}` asks from `{}`", inferred.value.parameter, inferred.value.field.pointer);
                Some(self.infer("offset", value, inferred))
            }
        }
    }

    /// What is read once, step by step: from where the offset's parameter says to where another does.
    pub(super) fn backfill(&mut self, offset: Option<&OffsetPlan>) -> Option<BackfillPlan> {
        let mut plan = self.source.backfill.clone()?;
        plan.until = self.placed("/backfill/until", plan.until);
        let until = &plan.until;
        let obstacle = match offset {
            Some(OffsetPlan { mode: OffsetMode::Timestamp, lookback_ms: None, parameter, .. }) => (parameter == until)
                .then_some(("/backfill/until", "it is the parameter of `offset`, where a step begins")),
            Some(OffsetPlan { mode: OffsetMode::Timestamp, .. }) => {
                Some(("/backfill", "`offset` has a `lookback`, by which each step would bring some of the one before"))
            }
            _ => Some((
                "/backfill",
                "there is no `offset` of the mode `timestamp`, whose parameter says where a step begins",
            )),
        };
        if let Some((key, reason)) = obstacle {
            self.error(key, format!("`{}`: {reason}", key.trim_start_matches('/').replace('/', ".")), None);
            return None;
        }
        if let Some(known) = self.known.iter().find(|known| until.is_in(&known.plan))
            && (known.plan.required || known.plan.value.is_some())
        {
            let reason = "what is new is asked for without it, so it can neither be required nor have a value";
            let message = format!("the parameter `{}`: {reason}", until.parameter());
            self.error("/backfill/until", message, None);
            return None;
        }
        Some(plan)
    }

    /// A warning about a key of the annotation.
    pub(super) fn warn(&mut self, key: &str, message: String, hint: Option<String>) {
        let mut diagnostic = self.document.locate(Diagnostic::warning(message), &format!("{}{key}", self.source.at));
        diagnostic.hint = hint;
        self.said.push(diagnostic);
    }

    /// Where the request has what an annotation names: in the body, if a member of it is called so and nothing in the query,
    /// or if it is a pointer and there is a body. Warns of what the document does not know: it may be there, but it may be
    /// a slip.
    pub(super) fn placed(&mut self, key: &str, token: TokenIn) -> TokenIn {
        let token = match token.place {
            TokenPlace::Query if self.has_body && token.name.starts_with('/') => {
                TokenIn { place: TokenPlace::Body, ..token }
            }
            TokenPlace::Query => parameters::token(&self.known, &token.name),
            _ => token,
        };
        if token.place == TokenPlace::Body && !self.has_body {
            self.error(key, format!("`{}` is to be in the body, and the operation has none", token.name), None);
            return token;
        }
        self.documented(key, token.place.location(), &token.parameter());
        let is_number = |known: &Known| token.is_in(&known.plan) && parameters::is_number(&known.plan);
        let is_number = token.place == TokenPlace::Body && self.known.iter().any(is_number);
        TokenIn { is_number, ..token }
    }

    /// Warns of a parameter that the document does not know.
    pub(super) fn documented(&mut self, key: &str, location: ParameterLocation, parameter: &str) {
        let there = self.known.iter().filter(|known| known.plan.location == location);
        let names: Vec<&str> = there.map(|known| known.plan.wire_name.as_str()).collect();
        // A body of which nothing is said may have anything.
        let is_free = location == ParameterLocation::Body && names.is_empty();
        if !names.contains(&parameter) && !is_free {
            let place = location.word();
            let (message, hint) =
                (format!("the operation documents no {place} parameter `{parameter}`"), near(parameter, &names));
            self.warn(key, message, hint);
        }
    }

    /// The runtime gives this parameter its value, so the connector need not.
    pub(super) fn is_set_by_runtime(&mut self, token: &TokenIn) {
        for known in self.known.iter_mut().filter(|known| token.is_in(&known.plan)) {
            known.plan.required = false;
        }
    }
}

pub(super) fn missing_in_response(path: &str, parent: &str, segment: &str) -> String {
    match parent {
        "" => format!("`{path}`: the schema of the response has no field `{segment}`"),
        parent => format!("`{path}`: the schema of the response has no field `{segment}` at `{parent}`"),
    }
}

pub(super) fn near(name: &str, names: &[&str]) -> Option<String> {
    match nearest(name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("there are: {}", names.join(", "))),
    }
}
