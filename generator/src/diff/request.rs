//! What changed about what a connector asks for. What a connector that was generated from the older plan goes on sending,
//! and how it reads what comes back, is what may break.

use super::change::{Change, ChangeKind, Impact, Rule, Ways};
use crate::plan::auth;
use crate::plan::model::{
    AuthScheme, BackfillPlan, ConnectorPlan, ListedValues, OffsetPlan, PaginationPlan, ParameterPlan, ParameterScalar,
    ParameterType, ParameterValue, StreamPlan, StyleKind,
};
use crate::plan::{describe_offset, describe_pagination};

/// What changed for all streams alike.
pub(super) fn connector(old: &ConnectorPlan, new: &ConnectorPlan, rule: Rule) -> Vec<Change> {
    let mut changes = Changes::new(rule);
    // What is configured wins, and what was unknown had to be configured.
    changes.compare(ChangeKind::BaseUrl, old.base_url.clone(), new.base_url.clone(), old.base_url.is_none());
    for name in old.parameters.keys().filter(|name| !new.parameters.contains_key(*name)) {
        changes.push(ChangeKind::PropertyRemoved, name, None, None, true);
    }
    for name in new.parameters.keys().filter(|name| !old.parameters.contains_key(*name)) {
        changes.push(ChangeKind::PropertyAdded, name, None, None, false);
    }
    changes.found
}

/// What changed about a stream, but for the fields of its records.
pub(super) fn stream(old: &StreamPlan, new: &StreamPlan, rule: Rule) -> Vec<Change> {
    let mut changes = Changes::new(rule);
    let text = |text: &str| Some(text.to_owned());
    // Positions are stored by it.
    changes.compare(ChangeKind::OperationId, text(&old.operation_id), text(&new.operation_id), false);
    changes.compare(ChangeKind::Method, text(&old.method), text(&new.method), false);
    changes.compare(ChangeKind::Path, text(&old.path), text(&new.path), false);
    let body = |stream: &StreamPlan| stream.body.as_ref().map(|body| body.media_type().to_owned());
    changes.compare(ChangeKind::Body, body(old), body(new), false);
    changes.compare(ChangeKind::Auth, ways(&old.auth), ways(&new.auth), still_lets_in(&old.auth, &new.auth));
    changes.parameters(old, new);
    changes.compare(
        ChangeKind::Pagination,
        Some(describe_pagination(&old.pagination)),
        Some(describe_pagination(&new.pagination)),
        same_pages(&old.pagination, &new.pagination),
    );
    let same_offset = match (&old.offset, &new.offset) {
        (Some(old), Some(new)) => describe_offset(old) == describe_offset(new),
        // Reading less than everything needs the new request; reading everything does not.
        (None, Some(_)) | (None, None) => true,
        (Some(_), None) => false,
    };
    changes.compare(ChangeKind::Offset, offset(old.offset.as_ref()), offset(new.offset.as_ref()), same_offset);
    changes.compare(ChangeKind::Records, place(&old.records), place(&new.records), false);
    let interval = |stream: &StreamPlan| Some(format!("{} ms", stream.interval_ms));
    changes.compare(ChangeKind::Interval, interval(old), interval(new), true);
    changes.readers(ChangeKind::Topic, text(&old.topic), text(&new.topic), Ways::NEITHER);
    let key = |stream: &StreamPlan| stream.key.as_ref().map(|key| key.pointer.clone());
    changes.readers(ChangeKind::Key, key(old), key(new), Ways::NEITHER);
    let timestamp = |stream: &StreamPlan| stream.timestamp.as_ref().map(|field| field.pointer.clone());
    changes.readers(ChangeKind::Timestamp, timestamp(old), timestamp(new), Ways::BOTH);
    let output = |stream: &StreamPlan| Some(if stream.writes_changes { "changes" } else { "all" }.to_owned());
    // Tombstones are new to who has read a topic without them.
    let ways = Ways { backward: !old.writes_changes, forward: !new.writes_changes };
    changes.readers(ChangeKind::Output, output(old), output(new), ways);
    changes.readers(ChangeKind::Redaction, redaction(old), redaction(new), Ways::BOTH);
    changes.compare(ChangeKind::Backfill, backfill(old), backfill(new), true);
    changes.found
}

fn redaction(stream: &StreamPlan) -> Option<String> {
    let rules = stream.redact.iter().map(|rule| format!("{} of {}", rule.action.annotated(), rule.pointer));
    Some(rules.collect::<Vec<_>>().join(", ")).filter(|rules| !rules.is_empty())
}

fn backfill(stream: &StreamPlan) -> Option<String> {
    let BackfillPlan { until, start, end, step } = stream.backfill.as_ref()?;
    let [start, end] = [start, end].map(|time| time.as_deref().unwrap_or("configured"));
    let step = step.as_deref().map(|step| format!(" by {step}")).unwrap_or_default();
    Some(format!("{start} to {end}{step}, in the parameter {until}"))
}

struct Changes {
    rule: Rule,
    found: Vec<Change>,
}

impl Changes {
    fn new(rule: Rule) -> Self {
        Self { rule, found: Vec::new() }
    }

    fn push(&mut self, kind: ChangeKind, subject: &str, before: Option<String>, after: Option<String>, works: bool) {
        self.found.push(Change::new(kind, subject, before, after, Impact::Request(works), self.rule));
    }

    /// `works`: whether a connector of the older plan still does.
    fn compare(&mut self, kind: ChangeKind, before: Option<String>, after: Option<String>, works: bool) {
        if before != after {
            let or_none = |text: Option<String>| Some(text.unwrap_or_else(|| "none".to_owned()));
            self.push(kind, "", or_none(before), or_none(after), works);
        }
    }

    /// What concerns whoever reads the topic, in whatever format.
    fn readers(&mut self, kind: ChangeKind, before: Option<String>, after: Option<String>, ways: Ways) {
        if before != after {
            let or_none = |text: Option<String>| Some(text.unwrap_or_else(|| "none".to_owned()));
            let impact = Impact::Schemas { avro: ways, protobuf: ways, json_schema: ways };
            self.found.push(Change::new(kind, "", or_none(before), or_none(after), impact, self.rule));
        }
    }

    fn parameters(&mut self, old: &StreamPlan, new: &StreamPlan) {
        let same = |one: &ParameterPlan, other: &ParameterPlan| {
            (one.location, &one.wire_name) == (other.location, &other.wire_name)
        };
        for parameter in &old.parameters {
            let (name, sends) = (parameter.wire_name.as_str(), sends(old, parameter));
            let Some(other) = new.parameters.iter().find(|other| same(parameter, other)) else {
                // That the path lacks it, the path itself tells.
                self.push(ChangeKind::ParameterRemoved, name, Some(describe(parameter)), None, !sends);
                continue;
            };
            let (before, after) = (describe(parameter), describe(other));
            if before != after {
                self.push(ChangeKind::ParameterType, name, Some(before), Some(after), !sends);
            }
            match (parameter.required, other.required) {
                (false, true) => self.push(ChangeKind::ParameterRequired, name, None, None, sends),
                (true, false) => self.push(ChangeKind::ParameterOptional, name, None, None, true),
                _ => {}
            }
            let (before, after) = (value(parameter), value(other));
            if before != after {
                self.push(ChangeKind::ParameterValue, name, before, after, true);
            }
        }
        for parameter in &new.parameters {
            if old.parameters.iter().all(|other| !same(parameter, other)) {
                let (name, is) = (parameter.wire_name.as_str(), describe(parameter));
                self.push(ChangeKind::ParameterAdded, name, None, Some(is), !parameter.required);
            }
        }
    }
}

/// Whether the connector sends a parameter.
fn sends(stream: &StreamPlan, parameter: &ParameterPlan) -> bool {
    let of_offset = stream.offset.as_ref().map(|offset| &offset.parameter);
    let mut tokens = stream.pagination.parameter().into_iter().chain(of_offset);
    parameter.value.is_some() || tokens.any(|token| token.is_in(parameter))
}

fn value(parameter: &ParameterPlan) -> Option<String> {
    match parameter.value.as_ref()? {
        ParameterValue::Literal(value) => Some(value.to_string()),
        ParameterValue::Config(name) => Some(format!("${{config:{name}}}")),
        ParameterValue::Slice(name) => Some(format!("the parent's value `{name}`")),
        ParameterValue::Each(ListedValues::Literals(values)) => Some(format!("each of {}", values.join(", "))),
        ParameterValue::Each(ListedValues::Config(name)) => Some(format!("each of ${{config:{name}}}")),
    }
}

fn describe(parameter: &ParameterPlan) -> String {
    let scalar = |scalar| match scalar {
        ParameterScalar::String => "string",
        ParameterScalar::Boolean => "boolean",
        ParameterScalar::Int32 => "int32",
        ParameterScalar::Int64 => "int64",
        ParameterScalar::Double => "number",
        ParameterScalar::Json => "JSON",
    };
    let location = parameter.location.word();
    let style = match parameter.style.kind {
        StyleKind::Simple => "simple",
        StyleKind::Label => "label",
        StyleKind::Matrix => "matrix",
        StyleKind::Form => "form",
        StyleKind::SpaceDelimited => "spaceDelimited",
        StyleKind::PipeDelimited => "pipeDelimited",
        StyleKind::DeepObject => "deepObject",
    };
    let exploded = if parameter.style.explode { ", exploded" } else { "" };
    match parameter.ty {
        ParameterType::One(one) => format!("{}, in {location}", scalar(one)),
        ParameterType::List { item } => format!("list of {}, {style}{exploded} in {location}", scalar(item)),
        ParameterType::Object => format!("object, {style}{exploded} in {location}"),
    }
}

fn ways(ways: &[Vec<AuthScheme>]) -> Option<String> {
    let ways = auth::describe(ways);
    (!ways.is_empty()).then(|| ways.join(" or "))
}

/// Whether everyone who was let in still is: each way to be let in shows all that some new way asks for.
fn still_lets_in(old: &[Vec<AuthScheme>], new: &[Vec<AuthScheme>]) -> bool {
    let nothing = Vec::new();
    let old: Vec<_> = if old.is_empty() { vec![&nothing] } else { old.iter().collect() };
    let is_enough = |shown: &Vec<AuthScheme>| new.iter().any(|asked| asked.iter().all(|it| shown.contains(it)));
    new.is_empty() || old.into_iter().all(is_enough)
}

/// Whether the pages still follow one another as before, however many records they hold.
fn same_pages(old: &PaginationPlan, new: &PaginationPlan) -> bool {
    match (old, new) {
        (PaginationPlan::Offset { parameter: old, .. }, PaginationPlan::Offset { parameter: new, .. }) => old == new,
        (
            PaginationPlan::Page { parameter: old, first: old_first, .. },
            PaginationPlan::Page { parameter: new, first: new_first, .. },
        ) => (old, old_first) == (new, new_first),
        _ => old == new,
    }
}

fn offset(offset: Option<&OffsetPlan>) -> Option<String> {
    let offset = offset?;
    let from = offset.initial.as_ref().map(|initial| format!(" from {initial}")).unwrap_or_default();
    Some(describe_offset(offset) + &from)
}

fn place(pointer: &str) -> Option<String> {
    Some(if pointer.is_empty() { "the root".to_owned() } else { pointer.to_owned() })
}
