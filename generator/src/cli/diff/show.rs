//! How a comparison looks.

use std::io::{self, Write};

use headwater::diff::{Change, Format, PlanDiff, Rule, StreamDiff, Verdict};
use serde_json::{Value, json};

use crate::inspect::new_table;

const HEADER: [&str; 5] = ["change", "Avro", "Protobuf", "JSON Schema", "request"];

/// What is said of changes that concern all streams.
const CONNECTOR: &str = "all streams";

/// A comparison, and what it was held against.
pub(super) struct Found {
    pub(super) diff: PlanDiff,
    pub(super) rule: Rule,
    pub(super) formats: Vec<Format>,
}

impl Found {
    pub(super) fn breaking(&self) -> usize {
        self.diff.breaking(&self.formats)
    }

    pub(super) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.summary())?;
        for (title, changes) in groups(&self.diff, |text| text.to_owned()) {
            let mut table = new_table(HEADER);
            for change in changes {
                let [avro, protobuf, json_schema, request] = verdicts(change).map(word);
                table.add_row([change.words(|text| text.to_owned()), avro, protobuf, json_schema, request]);
            }
            writeln!(out, "\n{title}\n{table}")?;
        }
        Ok(())
    }

    pub(super) fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "**{}**", self.summary())?;
        for (title, changes) in groups(&self.diff, code) {
            writeln!(out, "\n### {title}\n\n| {} |\n|{}", HEADER.join(" | "), " --- |".repeat(HEADER.len()))?;
            for change in changes {
                let marked = verdicts(change).map(|verdict| match verdict {
                    Verdict::Breaking => "**breaking**".to_owned(),
                    other => word(other),
                });
                // A bar would end the cell, even within code.
                writeln!(out, "| {} | {} |", change.words(code).replace('|', "\\|"), marked.join(" | "))?;
            }
        }
        Ok(())
    }

    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let changes = |changes: &[Change]| changes.iter().map(change).collect::<Vec<_>>();
        let streams: Vec<Value> = self
            .diff
            .streams
            .iter()
            .map(|StreamDiff { operation_id, topic, changes: found }| {
                json!({ "operation": operation_id, "topic": topic, "changes": changes(found) })
            })
            .collect();
        let all = json!({
            "compatibility": self.rule.to_string(),
            "breaking": self.breaking(),
            "connector": changes(&self.diff.connector),
            "streams": streams,
            "unchanged": self.diff.unchanged,
        });
        writeln!(out, "{all:#}")
    }

    /// One line: how much changed, and how much of it breaks.
    fn summary(&self) -> String {
        let Self { diff, rule, formats } = self;
        let all = diff.changes().count();
        if all == 0 {
            return format!("No changes in {}", counted(diff.unchanged, "stream"));
        }
        let (breaking, changed) = (self.breaking(), diff.streams.len());
        let formats: Vec<_> = formats.iter().map(ToString::to_string).collect();
        format!(
            "{}, {breaking} of them breaking, in {changed} of {} ({}, compatibility {rule})",
            counted(all, "change"),
            counted(changed + diff.unchanged, "stream"),
            formats.join(", "),
        )
    }
}

fn change(change: &Change) -> Value {
    let verdict = |verdict| match verdict {
        Verdict::Untouched => Value::Null,
        other => Value::String(word(other)),
    };
    json!({
        "kind": change.kind.name(),
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
        "avro": verdict(change.avro),
        "protobuf": verdict(change.protobuf),
        "json_schema": verdict(change.json_schema),
        "request": verdict(change.request),
    })
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn groups(diff: &PlanDiff, code: impl Fn(&str) -> String) -> Vec<(String, &[Change])> {
    let of_all = (!diff.connector.is_empty()).then(|| (CONNECTOR.to_owned(), diff.connector.as_slice()));
    let of_streams = diff
        .streams
        .iter()
        .map(|stream| (format!("{} → {}", code(&stream.operation_id), code(&stream.topic)), stream.changes.as_slice()));
    of_all.into_iter().chain(of_streams).collect()
}

fn verdicts(change: &Change) -> [Verdict; 4] {
    [change.avro, change.protobuf, change.json_schema, change.request]
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Untouched => "",
        Verdict::Compatible => "compatible",
        Verdict::Breaking => "breaking",
    }
    .to_owned()
}

/// Text of the document as code: nothing in it is read as Markdown.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{fence}{pad}{line}{pad}{fence}")
}
