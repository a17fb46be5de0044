//! How diagnostics look.

use std::error::Error;
use std::io::{self, Write};

use headwater::diagnostic::{Diagnostic, Diagnostics};

/// Writes diagnostics in the order found.
pub(crate) fn diagnostics(diagnostics: &Diagnostics, err: &mut dyn Write) -> io::Result<()> {
    diagnostics.iter().try_for_each(|one| diagnostic(one, err))
}

fn diagnostic(diagnostic: &Diagnostic, err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "{}: {}", diagnostic.severity, diagnostic.message)?;
    match (&diagnostic.place, &diagnostic.origin) {
        (Some(place), Some(origin)) => writeln!(err, " --> {place} (written by {origin})")?,
        (Some(place), None) => writeln!(err, " --> {place}")?,
        (None, _) => {}
    }
    match &diagnostic.hint {
        Some(hint) => writeln!(err, "hint: {hint}"),
        None => Ok(()),
    }
}

/// Writes an error with what is behind it.
pub(crate) fn error(error: &dyn Error, hint: Option<&str>, err: &mut dyn Write) -> io::Result<()> {
    write!(err, "error: {error}")?;
    let mut source = error.source();
    while let Some(cause) = source {
        write!(err, ": {cause}")?;
        source = cause.source();
    }
    writeln!(err)?;
    match hint {
        Some(hint) => writeln!(err, "hint: {hint}"),
        None => Ok(()),
    }
}
