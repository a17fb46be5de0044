//! What a program takes.

use std::io::{Read as _, Seek as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

use crate::HarnessError;

/// A program that has run to its end.
#[derive(Debug)]
pub struct Measured {
    /// How it ended.
    pub status: ExitStatus,
    /// Wall clock time.
    pub seconds: f64,
    /// The largest resident set of it, or of a program that it has started and waited for, in bytes. The system counts
    /// what this process itself had when it started the program, so that no figure is below that.
    pub peak_bytes: u64,
    /// What it printed, standard error after standard output.
    pub output: String,
}

impl Measured {
    /// The peak in MB (10⁶ bytes), rounded.
    pub fn peak_mb(&self) -> u64 {
        (self.peak_bytes + 500_000) / 1_000_000
    }
}

/// Runs a program to its end.
///
/// # Errors
///
/// If it cannot be started or waited for. That it fails is no error.
pub fn measure(command: &mut Command) -> Result<Measured, HarnessError> {
    let what = command.get_program().to_string_lossy().into_owned();
    let failed = || HarnessError::io(format!("running {what}"));
    // Files, so that nobody has to read while the program runs.
    let mut out = tempfile::tempfile().map_err(failed())?;
    let mut err = tempfile::tempfile().map_err(failed())?;
    command.stdin(Stdio::null());
    command.stdout(out.try_clone().map_err(failed())?).stderr(err.try_clone().map_err(failed())?);
    let began = Instant::now();
    let ended = command.spawn().and_then(|mut child| child.wait4()).map_err(failed())?;
    let seconds = began.elapsed().as_secs_f64();
    let mut bytes = Vec::new();
    for file in [&mut out, &mut err] {
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed())?;
    }
    let output = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Measured { status: ended.status, seconds, peak_bytes: ended.rusage.maxrss, output })
}
