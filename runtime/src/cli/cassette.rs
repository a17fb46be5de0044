//! `record` and `replay`: what an API answered, kept for running the connector without it.

use std::path::{Path, PathBuf};

use super::diagnostic::{Diagnostic, Failure};
use super::run;
use crate::cassette::{self, CassetteError, Recorded, Subject};
use crate::config::Environment;

/// Where a cassette goes unless it is said: where the test of a generated crate looks for it.
const FOLDER: &str = "tests/cassettes";

/// Records a run; the text says what has been written.
pub(super) fn record(
    subject: Subject<'_>,
    config: Option<&Path>,
    environment: &Environment,
    out: Option<PathBuf>,
    pages: usize,
) -> Result<String, Failure> {
    let stem = match subject {
        Subject::Generated(connector) => connector.name.to_owned(),
        Subject::Source => {
            let stem = config.and_then(Path::file_stem);
            stem.map_or_else(|| "source".to_owned(), |stem| stem.to_string_lossy().into_owned())
        }
    };
    let out = out.unwrap_or_else(|| Path::new(FOLDER).join(format!("{stem}.json")));
    let recorded = run::in_runtime(cassette::record(subject, config, environment, pages, &out))?.map_err(failure)?;
    let Recorded { responses, records } = recorded;
    Ok(format!("{}: {responses} responses, which lead to {records} records\n", out.display()))
}

/// Replays cassettes one after the other; the text has a line for each up to the first that fails.
pub(super) fn replay(subject: Subject<'_>, cassettes: &[PathBuf], update: bool) -> (String, Option<Failure>) {
    let mut text = String::new();
    for path in cassettes {
        match run::in_runtime(cassette::replay(subject, path, update)).and_then(|result| result.map_err(failure)) {
            Ok(records) if update => text += &format!("{}: leads to {records} records\n", path.display()),
            Ok(records) => text += &format!("{}: leads to the same {records} records\n", path.display()),
            Err(failure) => return (text, Some(failure)),
        }
    }
    (text, None)
}

fn failure(error: CassetteError) -> Failure {
    match error {
        CassetteError::Config(error) => error.into(),
        CassetteError::Run(error) => run::failure(error),
        error => {
            let diagnostic = Diagnostic::of_error(&error).hint(error.hint());
            match error {
                CassetteError::File { .. }
                | CassetteError::Syntax { .. }
                | CassetteError::Format { .. }
                | CassetteError::Unmaskable { .. }
                | CassetteError::Unredactable { .. }
                | CassetteError::NoSnapshot { .. } => Failure::input([diagnostic]),
                _ => Failure::run([diagnostic]),
            }
        }
    }
}
