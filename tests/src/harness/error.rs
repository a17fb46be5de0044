//! What can go wrong before a test has even begun.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// Why the harness could not give what was asked for.
///
/// `Debug` prints the same text as `Display`, so that `unwrap` and a test that returns the error stay readable.
#[derive(thiserror::Error)]
pub enum HarnessError {
    /// A tool that this machine need not have (Java, Maven, Python) is missing: the test is skipped.
    #[error("{0}")]
    Unavailable(String),
    /// A file or a process could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted, with the path or the command.
        what: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A command ended with an error.
    #[error("{what} failed ({status}):\n{tail}")]
    Command {
        /// The command, in words.
        what: String,
        /// How it ended.
        status: String,
        /// The end of what it printed.
        tail: String,
    },
    /// A part did not come up, or did not stay up.
    #[error("{name} {reason}; the end of its log:\n{tail}")]
    Part {
        /// Which one.
        name: String,
        /// What happened.
        reason: String,
        /// The end of its log.
        tail: String,
    },
    /// The environment or the state of the harness makes no sense.
    #[error("{0}")]
    Setup(String),
    /// Kafka refused.
    #[error("{what}: {source}")]
    Kafka {
        /// What was attempted.
        what: String,
        /// The client's answer.
        source: rdkafka::error::KafkaError,
    },
}

impl fmt::Debug for HarnessError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl HarnessError {
    /// For `map_err`: an I/O error with what was attempted.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// For `map_err`: a Kafka client's error with what was attempted.
    pub(crate) fn kafka(what: impl Into<String>) -> impl FnOnce(rdkafka::error::KafkaError) -> Self {
        let what = what.into();
        move |source| Self::Kafka { what, source }
    }
}

/// Runs a command to its end; anything but success is an error that holds the end of its output.
pub(crate) fn run_to_end(what: &str, command: &mut Command) -> Result<Output, HarnessError> {
    let output = command.stdin(std::process::Stdio::null()).output().map_err(HarnessError::io(what))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(HarnessError::Command { what: what.to_owned(), status: output.status.to_string(), tail: tail(&text) })
}

/// The last lines of a log file, or why it cannot be read.
pub(crate) fn tail_of(log: &Path) -> String {
    match std::fs::read(log) {
        Ok(bytes) => tail(&String::from_utf8_lossy(&bytes)),
        Err(error) => format!("(no log: {error})"),
    }
}

/// The last lines of a text. A Java stack trace is long and its head says more than its frames, so those are left out.
fn tail(text: &str) -> String {
    const LINES: usize = 30;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("at ")).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
