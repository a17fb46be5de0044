//! The table of what the generator makes of each document.

use std::fmt::Write as _;

use super::{Checked, Document, Generated, Measured};

/// A row: a document, and what was made of it.
#[derive(Debug)]
pub struct Row {
    /// The document.
    pub document: Document,
    /// The crate with every operation that can be a stream.
    pub all: Generated,
    /// `headwater check` of it, if it was generated.
    pub is_as_generated: Option<Measured>,
    /// What the compiler says of it, if it was generated.
    pub checked: Option<Checked>,
    /// Streams of a crate of at most ten, and what `cargo check` of it took.
    pub sample: Option<(usize, Measured)>,
}

impl Row {
    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<String> {
        let steps = [
            ("generate", Some(&self.all.generate)),
            ("headwater check", self.is_as_generated.as_ref()),
            ("cargo check", self.checked.as_ref().map(|checked| &checked.check)),
            ("cargo clippy", self.checked.as_ref().map(|checked| &checked.clippy)),
            ("cargo check of the sample", self.sample.as_ref().map(|(_, check)| check)),
        ];
        let failed = steps.into_iter().filter_map(|(what, step)| Some((what, step?)));
        failed
            .filter(|(_, step)| !step.status.success())
            .map(|(what, step)| format!("{}: {what} failed: {}", self.document.name, first_error(&step.output)))
            .collect()
    }

    fn cells(&self) -> [String; 13] {
        let seconds = |measured: &Measured| format!("{:.2}", measured.seconds);
        let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
        let size = std::fs::metadata(&self.document.path).map_or(0, |file| file.len());
        let lines_per_operation = self.all.lines as f64 / self.all.operations.max(1) as f64;
        let checked = self.checked.as_ref();
        [
            self.document.name.clone(),
            format!("{:.2}", size as f64 / 1e6),
            self.all.operations.to_string(),
            self.all.streams.to_string(),
            seconds(&self.all.generate),
            self.all.generate.peak_mb().to_string(),
            self.all.lines.to_string(),
            format!("{lines_per_operation:.0}"),
            self.all.largest.1.to_string(),
            format!("{:.1}", self.all.schema_bytes as f64 / 1e6),
            or_none(checked.map(|checked| seconds(&checked.check))),
            or_none(checked.map(|checked| checked.check.peak_mb().to_string())),
            or_none(self.sample.as_ref().map(|(streams, check)| format!("{} ({streams})", seconds(check)))),
        ]
    }
}

/// What stands over the columns.
const COLUMNS: [&str; 13] = [
    "document",
    "MB",
    "operations",
    "streams",
    "generate s",
    "peak MB",
    "Rust lines",
    "per operation",
    "largest file",
    "schemas MB",
    "check s",
    "check peak MB",
    "check of ≤ 10 s",
];

/// The rows as a table in Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = format!("| {} |\n", COLUMNS.join(" | "));
    let rules = COLUMNS.iter().enumerate().map(|(index, _)| if index == 0 { "---" } else { "---:" });
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| {} |", rules.collect::<Vec<_>>().join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.cells().join(" | "));
    }
    text
}

/// The first line that tells of an error, with its place.
fn first_error(output: &str) -> String {
    let mut lines = output.lines().skip_while(|line| !line.starts_with("error"));
    let error = lines.next().unwrap_or_default();
    let place = lines.next().filter(|line| line.trim_start().starts_with("-->")).unwrap_or_default();
    format!("{error}{place}")
}
