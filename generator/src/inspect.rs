//! How a survey looks.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use headwater::plan::model::RateLimitPlan;
use headwater::plan::survey::{Candidate, Survey};
use serde_json::{Value, json};

/// Columns of text that the tables fit in.
const WIDTH: u16 = 160;

pub(crate) fn table(survey: &Survey, out: &mut dyn Write) -> io::Result<()> {
    let Survey { streams, others, .. } = survey;
    writeln!(out, "{} operations can be streams", streams.len())?;
    if !streams.is_empty() {
        let mut table = new_table(["operation", "records", "key", "pagination", "offset", "why"]);
        for stream in streams {
            table.add_row(row(stream));
        }
        writeln!(out, "{table}")?;
    }
    writeln!(out, "{} cannot", others.len())?;
    if !others.is_empty() {
        let mut table = new_table(["operation", "method", "path", "why not"]);
        for other in others {
            table.add_row([&other.operation_id, &other.method, &other.path, &other.reason]);
        }
        writeln!(out, "{table}")?;
    }
    Ok(())
}

pub(crate) fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH).set_header(header);
    table
}

fn row(stream: &Candidate) -> [String; 6] {
    let mut operation = vec![stream.operation_id.clone()];
    if stream.is_annotated {
        operation.push("annotated".to_owned());
    }
    if !stream.missing.is_empty() {
        operation.push(format!("needs {}", stream.missing.join(", ")));
    }
    if let Some(parent) = &stream.parent {
        let how = if stream.follows.is_some() { "read for each record of" } else { "could be a child of" };
        operation.push(format!("{how} {parent}"));
    }
    if !stream.auth.is_empty() {
        operation.push(format!("auth: {}", stream.auth.join(" or ")));
    }
    if let Some(limit) = &stream.rate_limit {
        operation.push(format!("rate limit: {}", rate_limit(limit).join(", ")));
    }
    let mut records = if stream.records.is_empty() { "(root)" } else { &stream.records }.to_owned();
    if stream.is_single {
        records.push_str("\none record");
    }
    let why = stream
        .inferences
        .iter()
        .map(|inference| format!("{}: {} ({})", inference.subject, inference.reason, inference.rule));
    [
        operation.join("\n"),
        records,
        stream.key.clone().unwrap_or_default(),
        stream.pagination.clone(),
        stream.offset.clone().unwrap_or_default(),
        why.collect::<Vec<_>>().join("\n"),
    ]
}

/// The status that refuses, and the headers that tell.
fn rate_limit(limit: &RateLimitPlan) -> Vec<&str> {
    let status = limit.refuses.then_some("429");
    status.into_iter().chain(limit.headers.iter().map(String::as_str)).collect()
}

pub(crate) fn json(survey: &Survey, out: &mut dyn Write) -> io::Result<()> {
    let streams: Vec<Value> = survey.streams.iter().map(stream).collect();
    let others: Vec<Value> = survey
        .others
        .iter()
        .map(|other| {
            json!({
                "operation": other.operation_id, "method": other.method, "path": other.path, "reason": other.reason,
            })
        })
        .collect();
    writeln!(out, "{:#}", json!({ "streams": streams, "others": others }))
}

fn stream(stream: &Candidate) -> Value {
    let inferred: Vec<Value> = stream
        .inferences
        .iter()
        .map(|inference| {
            json!({
                "subject": inference.subject, "value": inference.value, "rule": inference.rule,
                "reason": inference.reason,
            })
        })
        .collect();
    json!({
        "operation": stream.operation_id,
        "path": stream.path,
        "annotated": stream.is_annotated,
        "topic": stream.topic,
        "records": stream.records,
        "single": stream.is_single,
        "key": stream.key,
        "pagination": stream.pagination,
        "offset": stream.offset,
        "parent": stream.parent,
        "follows": stream.follows,
        "auth": stream.auth,
        "rate_limit": stream.rate_limit.as_ref().map(rate_limit),
        "missing": stream.missing,
        "inferred": inferred,
    })
}
