//! What is told of a failure: on standard error, `error: …`, and on a line of its own what can be done about it.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use super::INPUT;
use crate::config::{ConfigError, Problem};
use crate::error::chain;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diagnostic {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Diagnostic {
    /// An error with its causes.
    pub(super) fn of_error(error: &dyn Error) -> Self {
        Self { message: chain(error), hint: None }
    }

    /// Adds what can be done about it.
    pub(super) fn hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }
}

impl From<&Problem> for Diagnostic {
    fn from(problem: &Problem) -> Self {
        let message = match &problem.origin {
            Some(origin) => format!("{origin}: {}", problem.kind),
            None => problem.kind.to_string(),
        };
        Self { message, hint: problem.hint.clone() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    diagnostics: Vec<Diagnostic>,
    code: u8,
}

impl Failure {
    /// The input was wrong.
    pub(super) fn input(diagnostics: impl IntoIterator<Item = Diagnostic>) -> Self {
        Self { diagnostics: diagnostics.into_iter().collect(), code: INPUT }
    }

    /// It ran and failed.
    pub(super) fn run(diagnostics: impl IntoIterator<Item = Diagnostic>) -> Self {
        Self { diagnostics: diagnostics.into_iter().collect(), code: 1 }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    pub(super) fn code(&self) -> u8 {
        self.code
    }

    /// Writes the diagnostics. If standard error is gone, there is no way to say so.
    pub(super) fn print(&self) {
        let _ = write!(io::stderr().lock(), "{self}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostics.iter().try_for_each(|diagnostic| diagnostic.fmt(f))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match &error {
            ConfigError::Problems(problems) => Self::input(problems.0.iter().map(Diagnostic::from)),
            ConfigError::Read(_) => Self::input([Diagnostic::of_error(&error)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{ConnectorConfig, Environment, Services};
    use crate::connector::Connector;

    #[test]
    fn tells_each_problem_with_its_place_and_hint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        std::fs::write(&path, "{\n\"auth.tpye\": \"NONE\",\n\"value.converter.schema.registry.url\": \"http://r\"}")
            .unwrap();
        let load = |path: &Path| {
            let connector = Connector::new("c").base_url("http://api.test");
            ConnectorConfig::load(&connector, Some(path), &Environment::default(), &Services::Configured)
        };
        let failure = Failure::from(load(&path).unwrap_err());
        assert_eq!(
            failure.to_string(),
            format!(
                "error: {}:2: property `auth.tpye` is unknown\nhint: did you mean `auth.type`?\n\
                 error: property `bootstrap.servers` is missing\nhint: Kafka brokers to ask for the others, as \
                 `host:port`, separated by commas. Not needed with `--dev`.\n",
                path.display()
            )
        );
        assert_eq!(failure.code, 2);
        let missing = Failure::from(load(Path::new("/none/c.json")).unwrap_err());
        let [diagnostic] = &missing.diagnostics[..] else { panic!("one problem") };
        assert!(diagnostic.message.starts_with("reading `/none/c.json`: "), "{diagnostic}");
    }
}
