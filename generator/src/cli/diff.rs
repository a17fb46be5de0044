//! `headwater diff`.

mod show;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use headwater::diagnostic::Diagnostics;
use headwater::diff::{self, Rule, diff};
use headwater::document::Document;
use headwater::plan::model::ConnectorPlan;
use headwater::plan::{PlanOptions, Planned, Selection, is_annotated, plan};

use super::input::With;
use super::{FAILED, OK, REFUSED};
use crate::report;
use show::Found;

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The OpenAPI document as it was, JSON or YAML.
    old: PathBuf,
    /// The OpenAPI document as it is.
    new: PathBuf,
    #[command(flatten)]
    with: With,
    /// Ids of the operations to compare. Without it: the annotated ones or, if none is, all.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', conflicts_with = "all")]
    operations: Vec<String>,
    /// Compare every operation that can be a stream.
    #[arg(long)]
    all: bool,
    /// The rule of the schema registry that the schemas are held against.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Compatibility::Backward)]
    compatibility: Compatibility,
    /// The formats that the records are written in: what breaks their readers makes the command fail. All are shown.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "avro")]
    value_format: Vec<ValueFormat>,
    /// How to show it; `markdown` is meant for a comment on a pull request.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Compatibility {
    /// Who reads by the new schema can read what was written by the old one.
    Backward,
    /// Who reads by the old schema can read what is written by the new one.
    Forward,
    /// Both.
    Full,
    /// Schemas may change in any way.
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ValueFormat {
    Avro,
    Protobuf,
    JsonSchema,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
    Markdown,
}

impl Diff {
    pub(super) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let Compared { old, new, warnings } = match self.compared() {
            Ok(compared) => compared,
            Err(diagnostics) => {
                report::diagnostics(&diagnostics, err)?;
                return Ok(REFUSED);
            }
        };
        report::diagnostics(&warnings, err)?;
        let rule = match self.compatibility {
            Compatibility::Backward => Rule::Backward,
            Compatibility::Forward => Rule::Forward,
            Compatibility::Full => Rule::Full,
            Compatibility::None => Rule::None,
        };
        let found = match diff(&old, &new, rule) {
            Ok(found) => found,
            Err(error) => {
                report::error(&error, Some("this is a fault of headwater: please report it with the documents"), err)?;
                return Ok(FAILED);
            }
        };
        let formats = self.value_format.iter().map(|format| match format {
            ValueFormat::Avro => diff::Format::Avro,
            ValueFormat::Protobuf => diff::Format::Protobuf,
            ValueFormat::JsonSchema => diff::Format::JsonSchema,
        });
        let found = Found { diff: found, rule, formats: formats.collect() };
        match self.format {
            Format::Table => found.table(out)?,
            Format::Json => found.json(out)?,
            Format::Markdown => found.markdown(out)?,
        }
        Ok(if found.breaking() == 0 { OK } else { FAILED })
    }

    fn compared(&self) -> Result<Compared, Diagnostics> {
        // One overlay is for two states of the document: in one of them it may have nothing to change.
        let load = |path: &Path| self.with.load(path, true);
        let (old, new) = (load(&self.old)?, load(&self.new)?);
        let selection = self.selection(&old, &new);
        let only_annotated = selection == Selection::Annotated;
        let options = PlanOptions { selection, configures_missing: self.all, ..PlanOptions::default() };
        Ok(match (is_annotated(&old), is_annotated(&new)) {
            (true, false) if only_annotated => {
                let old = plan(&old, &options)?.plan;
                Compared { new: without_streams(old.clone()), old, warnings: Diagnostics::default() }
            }
            (false, true) if only_annotated => {
                let Planned { plan: new, warnings, .. } = plan(&new, &options)?;
                Compared { old: without_streams(new.clone()), new, warnings }
            }
            _ => {
                let old = plan(&old, &options)?.plan;
                let Planned { plan: new, warnings, .. } = plan(&new, &options)?;
                Compared { old, new, warnings }
            }
        })
    }

    fn selection(&self, old: &Document, new: &Document) -> Selection {
        match (self.operations.is_empty(), self.all) {
            (false, _) => Selection::Operations(self.operations.clone()),
            (true, false) if is_annotated(old) || is_annotated(new) => Selection::Annotated,
            (true, _) => Selection::All,
        }
    }
}

/// Two connectors, and what the user should know of the newer one.
struct Compared {
    old: ConnectorPlan,
    new: ConnectorPlan,
    warnings: Diagnostics,
}

/// The connector as it would be if none of its operations were there.
fn without_streams(plan: ConnectorPlan) -> ConnectorPlan {
    ConnectorPlan { streams: Vec::new(), types: Vec::new(), ..plan }
}
