//! `headwater init`.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use headwater::emit::overlay;
use headwater::plan::{PlanOptions, Selection, plan};

use super::input::Input;
use super::{FAILED, OK, REFUSED};
use crate::report;

#[derive(Debug, Args)]
pub(super) struct Init {
    #[command(flatten)]
    input: Input,
    /// The file to write; it must not exist. Without it, the overlay is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let options = PlanOptions { selection: Selection::All, configures_missing: true, ..PlanOptions::default() };
        let planned = match self.input.load().and_then(|document| plan(&document, &options)) {
            Ok(planned) => planned,
            Err(diagnostics) => {
                report::diagnostics(&diagnostics, err)?;
                return Ok(REFUSED);
            }
        };
        report::diagnostics(&planned.warnings, err)?;
        let text = match overlay(&planned.plan) {
            Ok(text) => text,
            Err(error) => {
                report::error(&error, Some("this is a fault of headwater: please report it with the document"), err)?;
                return Ok(FAILED);
            }
        };
        let Some(path) = &self.out else {
            out.write_all(text.as_bytes())?;
            return Ok(OK);
        };
        match File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => {
                writeln!(out, "{}: {} streams", path.display(), planned.plan.streams.len())?;
                Ok(OK)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                writeln!(err, "error: `{}` exists already", path.display())?;
                writeln!(err, "hint: name another file with `--out`, or delete this one if nothing in it was edited")?;
                Ok(REFUSED)
            }
            Err(error) => {
                writeln!(err, "error: writing `{}`: {error}", path.display())?;
                Ok(FAILED)
            }
        }
    }
}
