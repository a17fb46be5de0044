//! `preview`: the first records of the operations, as tables: what they say in the format that they would be written in.

use std::path::Path;

use super::diagnostic::{Diagnostic, Failure};
use super::operation::known;
use super::run;
use super::table::table;
use crate::config::{ApiConfig, Environment};
use crate::connector::Connector;
use crate::flow::{self, Preview, PreviewRecord, RunError};
use crate::format::OutputFormat;

/// How many fields have a column.
const COLUMNS: usize = 6;

/// How many characters of a value are shown.
const CELL: usize = 32;

/// What the operations hold, and what stopped those that did not get so far.
pub(super) fn run(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
    operation: Option<&str>,
    limit: usize,
) -> Result<(String, Option<Failure>), Failure> {
    if let Some(id) = operation {
        known(connector, id)?;
    }
    let config = ApiConfig::load(connector, config, environment)?;
    let runtime = super::runtime()?;
    let previews = runtime.block_on(flow::preview(connector, &config, operation, limit));
    // Names that are still looked up must not hold up the end.
    runtime.shutdown_background();
    let previews = previews.map_err(|error| Failure::input([Diagnostic::of_error(&error)]))?;
    let text: Vec<_> = previews.iter().map(render).collect();
    let mut diagnostics = Vec::new();
    for Preview { operation, failure, .. } in previews {
        if let Some(source) = failure {
            diagnostics.push(run::diagnostic(&RunError::Stream { operation, source }));
        }
    }
    Ok((text.join("\n"), (!diagnostics.is_empty()).then(|| Failure::run(diagnostics))))
}

fn render(preview: &Preview) -> String {
    let Preview { operation, topic, records, rejected, .. } = preview;
    let (all, columns) = columns(records);
    let topic = topic.as_ref().map_or_else(|| "no topic".to_owned(), |topic| format!("topic `{topic}`"));
    let mut text = format!("operation `{operation}`, {topic}, {}: {} records", format_of(preview), records.len());
    if all > columns.len() {
        text.push_str(&format!(", {} of {all} fields", columns.len()));
    }
    if *rejected > 0 {
        text.push_str(&format!(", {rejected} to the dead letters"));
    }
    text.push('\n');
    if records.is_empty() {
        return text;
    }
    let mut header: Vec<&str> =
        ["key", "time"].into_iter().chain(columns.iter().map(|name| shown_name(name))).collect();
    let mut rows: Vec<_> = records.iter().map(|record| row(record, &columns)).collect();
    // A column of key and time only where there is one.
    for (column, is_there) in [
        (1, records.iter().any(|record| record.timestamp.is_some())),
        (0, records.iter().any(|record| record.key.is_some())),
    ] {
        if !is_there {
            header.remove(column);
            rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
    }
    text + &table(&header, rows) + "\n"
}

/// How the records would be written.
fn format_of(preview: &Preview) -> String {
    let format = match preview.format {
        OutputFormat::Avro => "Avro",
        OutputFormat::Protobuf => "Protobuf",
        OutputFormat::JsonSchema => "JSON Schema",
        OutputFormat::Json => return "JSON".to_owned(),
    };
    if preview.learns_schema { format!("{format} by a schema learnt from them") } else { format.to_owned() }
}

/// How many fields the records have, and those that are shown: the first ones that are not always `null`, plain values before
/// lists and objects.
fn columns(records: &[PreviewRecord]) -> (usize, Vec<&str>) {
    let mut names: Vec<(&str, Rank)> = Vec::new();
    for (name, value) in records.iter().flat_map(|record| &record.fields) {
        let rank = match value.as_str() {
            "null" => Rank::Nothing,
            value if value.starts_with(['[', '{']) => Rank::Compound,
            _ => Rank::Plain,
        };
        match names.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = (*known).max(rank),
            None => names.push((name, rank)),
        }
    }
    let all = names.len();
    let of_rank = |wanted| names.iter().filter(move |(_, rank)| *rank == wanted).map(|(name, _)| *name);
    let mut shown: Vec<_> = of_rank(Rank::Plain).chain(of_rank(Rank::Compound)).take(COLUMNS).collect();
    if shown.is_empty() {
        shown.extend(of_rank(Rank::Nothing).take(COLUMNS));
    }
    (all, shown)
}

/// What the values of a field are at most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Nothing,
    Plain,
    Compound,
}

/// What is no object has no name.
fn shown_name(name: &str) -> &str {
    if name.is_empty() { "value" } else { name }
}

fn row(record: &PreviewRecord, columns: &[&str]) -> Vec<String> {
    let key = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let mut row = vec![cut(&key), record.timestamp.map(instant).unwrap_or_default()];
    row.extend(columns.iter().map(|column| {
        let value = record.fields.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str());
        // Text is shown without its quotes and escapes.
        match value.map(|value| serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())) {
            Some(text) => cut(&text),
            None => String::new(),
        }
    }));
    row
}

/// The beginning of a text on one line, without what would steer a terminal.
fn cut(text: &str) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = characters.by_ref().take(CELL).collect();
    if characters.next().is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// Milliseconds since 1970-01-01T00:00:00Z as RFC 3339 has it, in UTC.
fn instant(millis: i64) -> String {
    let (day, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = date(day);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let fraction = match rest % 1_000 {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar, by eras of 400 years that begin
/// with March.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_007, "2024-02-29T23:59:59.007Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(instant(millis), text);
            let parsed = crate::record::time::parse_instant(text).unwrap();
            assert_eq!(parsed.millis(), millis, "{text}");
        }
        assert!(instant(i64::MIN).starts_with('-') && instant(i64::MAX).ends_with('Z'));
    }

    #[test]
    fn a_record_is_a_line_of_plain_values() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let record = |fields| PreviewRecord { key: Some(b"7".to_vec()), timestamp: Some(0), fields };
        let mut fields: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| field(name, "1")).collect();
        fields.insert(0, field("list", "[1]"));
        let first = record([fields, vec![field("text", "\"\\u001b[2J a\\n\\\"b\\\"\""), field("more", "2")]].concat());
        let second = record(vec![field("new", "3"), field("b", "null")]);
        let preview = Preview {
            operation: "op".to_owned(),
            topic: Some("t".to_owned()),
            format: OutputFormat::Avro,
            learns_schema: false,
            rejected: 1,
            records: vec![first, second],
            failure: None,
        };
        let text = render(&preview);
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[0], "operation `op`, topic `t`, Avro: 2 records, 6 of 9 fields, 1 to the dead letters");
        assert_eq!(lines[2], "key time a b c d e text");
        assert_eq!(lines[4], "7 1970-01-01T00:00:00Z 1 1 1 1 1 [2J a \"b\"");
        assert_eq!(lines[5], "7 1970-01-01T00:00:00Z null");
        assert_eq!(cut(&"é".repeat(CELL)), "é".repeat(CELL));
        assert_eq!(cut(&"é".repeat(CELL + 1)), "é".repeat(CELL - 1) + "…");
    }
}
