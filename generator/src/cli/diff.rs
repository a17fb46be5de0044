//! `headwater diff`.

mod show;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use headwater::diagnostic::Diagnostics;
use headwater::diff::{self, Rule, diff};
use headwater::document::Document;
use headwater::plan::{PlanOptions, Selection, plan, survey};

use super::{FAILED, OK, REFUSED};
use crate::report;
use show::Found;

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The OpenAPI document as it was, JSON or YAML.
    old: PathBuf,
    /// The OpenAPI document as it is.
    new: PathBuf,
    /// An OpenAPI Overlay to lay over both; may be given more than once.
    #[arg(long = "overlay", value_name = "FILE")]
    overlays: Vec<PathBuf>,
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
        let loaded = Document::load(&self.old, &self.overlays)
            .and_then(|old| Ok((old, Document::load(&self.new, &self.overlays)?)))
            .and_then(|(old, new)| {
                let selection = self.selection(&old, &new)?;
                let options = PlanOptions { selection, name: None, configures_missing: self.all };
                Ok((plan(&old, &options)?, plan(&new, &options)?))
            });
        let (old, new) = match loaded {
            Ok(planned) => planned,
            Err(diagnostics) => {
                report::diagnostics(&diagnostics, err)?;
                return Ok(REFUSED);
            }
        };
        report::diagnostics(&new.warnings, err)?;
        let rule = match self.compatibility {
            Compatibility::Backward => Rule::Backward,
            Compatibility::Forward => Rule::Forward,
            Compatibility::Full => Rule::Full,
            Compatibility::None => Rule::None,
        };
        let found = match diff(&old.plan, &new.plan, rule) {
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

    fn selection(&self, old: &Document, new: &Document) -> Result<Selection, Diagnostics> {
        if !self.operations.is_empty() {
            return Ok(Selection::Operations(self.operations.clone()));
        }
        let is_annotated = |document: &Document| -> Result<bool, Diagnostics> {
            Ok(survey(document)?.streams.iter().any(|stream| stream.is_annotated))
        };
        Ok(if !self.all && (is_annotated(old)? || is_annotated(new)?) { Selection::Annotated } else { Selection::All })
    }
}
