//! The commands.

mod diff;
mod init;
mod input;
#[cfg(feature = "run")]
mod mock;

use std::env;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use headwater::diagnostic::Diagnostic;
use headwater::emit::{EmitError, EmitOptions, FileSet, HOOKS, Hook, RuntimeDependency, emit, hooks};
use headwater::output;
use headwater::plan::{PlanOptions, Planned, SchemaCount, Selection, by_reason, plan, survey};
#[cfg(feature = "run")]
use headwater_runtime::cli::{SourceCommand, SourceOffsets, source};

use self::input::Input;
use crate::{inspect, report};

/// Generates a typed Kafka connector from an annotated OpenAPI document.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows every operation that can be a stream, with what was inferred and why; and what cannot, and why.
    Inspect(Inspect),
    /// Writes an overlay with the inferred annotations of every operation that can be a stream, for a person to edit.
    Init(init::Init),
    /// Writes the connector's crate.
    Generate(Generate),
    /// Tells whether a crate is what `generate` would write; prints a diff if it is not.
    Check(Generate),
    /// Tells what changed between two documents for each stream, and what of it breaks: readers of the topics, in each
    /// format and by a schema registry's rule, or a connector that goes on asking as before.
    Diff(diff::Diff),
    /// Serves the API from its document: records that are true to their schemas, on pages that follow one another as the
    /// API's do. Runs until it is interrupted or terminated; then it says how many pages and records it has served.
    ///
    /// A request without the credential that the document asks for is answered with 401; any value is taken. A request
    /// with the header `X-Mock-Fault` or the query parameter `mock_fault` gets a fault: `500`, `429` (with `Retry-After`),
    /// `slow` (after two seconds) or `cut` (the connection ends in the middle of the body).
    #[cfg(feature = "run")]
    Mock(mock::Mock),
    /// Runs a connector from its configuration alone, without generated code.
    #[cfg(feature = "run")]
    Run {
        /// The configuration: JSON, flat or in Kafka Connect's envelope, or .properties. Environment variables override it:
        /// HEADWATER_, and a property's name in upper case with `_` for `.` and `-`.
        config: PathBuf,
        /// Use a broker and a schema registry within this process, and print their addresses.
        #[arg(long)]
        dev: bool,
        /// Stop when every API has been read to its end.
        #[arg(long)]
        once: bool,
    },
    /// Has a user log in, in a browser on this machine, and keeps the refresh token for `run`.
    ///
    /// By an authorization code with PKCE, for `oauth2.grant.type=REFRESH_TOKEN`: `oauth2.authorization.url` says where, and
    /// `oauth2.refresh.token.file` is where the refresh token is kept.
    #[cfg(feature = "run")]
    Login {
        /// The configuration, as for `run`.
        config: PathBuf,
        #[command(flatten)]
        login: headwater_runtime::cli::LoginArguments,
    },
    /// Reads some pages of the APIs with a broker of its own, and keeps what they answered, without secrets, for `replay`.
    #[cfg(feature = "run")]
    Record {
        /// The configuration, as for `run`.
        config: PathBuf,
        #[command(flatten)]
        recording: headwater_runtime::cli::RecordingArguments,
    },
    /// Runs from what `record` has kept, without a network, and tells whether the records are the same as then.
    #[cfg(feature = "run")]
    Replay(headwater_runtime::cli::ReplayArguments),
    /// Tells everything that is wrong with a configuration for `run`.
    #[cfg(feature = "run")]
    Validate {
        /// The configuration.
        config: PathBuf,
        /// How to tell it: `json` is what Kafka Connect answers.
        #[arg(long, value_enum, default_value_t = headwater_runtime::cli::ReportFormat::Text)]
        format: headwater_runtime::cli::ReportFormat,
    },
    /// Shows every property of a configuration for `run`.
    #[cfg(feature = "run")]
    Config {
        /// What is configured.
        #[arg(long, value_enum, default_value_t = Configured::Source)]
        connector: Configured,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = headwater_runtime::cli::Format::Table)]
        format: headwater_runtime::cli::Format,
    },
    /// Shows or changes how far each API of a configuration for `run` has been read.
    #[cfg(feature = "run")]
    Offsets {
        #[command(subcommand)]
        command: SourceOffsets,
    },
    /// The dead letters of a configuration for `run`: what stood among the records and was none.
    #[cfg(feature = "run")]
    Dlq {
        #[command(subcommand)]
        command: headwater_runtime::cli::DlqCommand<headwater_runtime::cli::SourceFile>,
    },
    /// The main job in one command: generates a connector, builds it, runs it against a mock of its API and an embedded
    /// broker, and shows what it reads back from Kafka. Runs in a checkout of headwater.
    #[cfg(feature = "run")]
    Demo,
}

/// What can be configured.
#[cfg(feature = "run")]
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Configured {
    /// A source: from HTTP into Kafka.
    Source,
}

#[derive(Debug, Args)]
struct Inspect {
    #[command(flatten)]
    input: Input,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Debug, Args)]
struct Generate {
    #[command(flatten)]
    input: Input,
    /// The crate's folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Ids of the operations to generate, in place of the annotated ones.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', conflicts_with = "all")]
    operations: Vec<String>,
    /// Generate every operation that can be a stream; required parameters without a value are then configured.
    #[arg(long)]
    all: bool,
    /// The connector's name, in place of the document's.
    #[arg(long)]
    name: Option<String>,
    /// Where the crate finds the runtime: a folder, or a version in the package registry.
    #[arg(long, value_name = "PATH|VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    runtime: String,
}

/// This version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// All is well.
const OK: u8 = 0;
/// What was checked differs, or writing failed.
const FAILED: u8 = 1;
/// The input is wrong.
const REFUSED: u8 = 2;

impl Cli {
    /// Runs the command; its exit code.
    pub(crate) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        match self.command {
            Command::Inspect(command) => command.run(out, err),
            Command::Init(command) => command.run(out, err),
            Command::Generate(command) => command.generate(out, err),
            Command::Check(command) => command.check(out, err),
            Command::Diff(command) => command.run(out, err),
            #[cfg(feature = "run")]
            Command::Mock(command) => command.run(out, err),
            #[cfg(feature = "run")]
            Command::Run { config, dev, once } => Ok(source(SourceCommand::Run { config, dev, once })),
            #[cfg(feature = "run")]
            Command::Login { config, login } => Ok(source(SourceCommand::Login { config, login })),
            #[cfg(feature = "run")]
            Command::Record { config, recording } => Ok(source(SourceCommand::Record { config, recording })),
            #[cfg(feature = "run")]
            Command::Replay(replay) => Ok(source(SourceCommand::Replay(replay))),
            #[cfg(feature = "run")]
            Command::Validate { config, format } => Ok(source(SourceCommand::Validate { config, format })),
            #[cfg(feature = "run")]
            Command::Config { connector: Configured::Source, format } => Ok(source(SourceCommand::Config { format })),
            #[cfg(feature = "run")]
            Command::Offsets { command } => Ok(source(SourceCommand::Offsets(command))),
            #[cfg(feature = "run")]
            Command::Dlq { command } => Ok(source(SourceCommand::Dlq(command))),
            #[cfg(feature = "run")]
            Command::Demo => demo(out, err),
        }
    }
}

#[cfg(feature = "run")]
fn demo(out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    use headwater::demo::{DemoError, run};

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match runtime.block_on(run(out)) {
        Ok(()) => Ok(OK),
        Err(DemoError::Generate(diagnostics)) => {
            report::diagnostics(&diagnostics, err)?;
            Ok(REFUSED)
        }
        Err(error) => {
            report::error(&error, None, err)?;
            Ok(FAILED)
        }
    }
}

impl Inspect {
    fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let surveyed = self.input.load().and_then(|document| survey(&document));
        match surveyed {
            Ok(survey) => {
                report::diagnostics(&survey.warnings, err)?;
                match self.format {
                    Format::Table => inspect::table(&survey, out)?,
                    Format::Json => inspect::json(&survey, out)?,
                }
                Ok(OK)
            }
            Err(diagnostics) => {
                report::diagnostics(&diagnostics, err)?;
                Ok(REFUSED)
            }
        }
    }
}

/// What a fault of ours is told with.
fn fault(error: &EmitError, err: &mut dyn Write) -> io::Result<u8> {
    report::error(error, Some("this is a fault of headwater: please report it with the document"), err)?;
    Ok(FAILED)
}

fn missing_hook(hook: &Hook) -> Diagnostic {
    let Hook { name, operation_id, signature } = hook;
    let message = format!("`{HOOKS}` has no function `{name}`, which is called with each record of `{operation_id}`");
    Diagnostic::warning(message).hint(format!("add it there: `{signature} {{ … }}`"))
}

impl Generate {
    fn generate(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let (planned, files) = match self.files(err)? {
            Ok(generated) => generated,
            Err(code) => return Ok(code),
        };
        let hooks = match hooks(&planned.plan) {
            Ok(hooks) => hooks,
            Err(error) => return fault(&error, err),
        };
        let written = output::write(&files, &self.out).and_then(|report| {
            let missing = hooks.as_ref().map(|hooks| output::begin_hooks(hooks, &self.out)).transpose()?;
            Ok((report, missing.unwrap_or_default()))
        });
        match written {
            Ok((report, missing)) => {
                report::diagnostics(&missing.into_iter().map(missing_hook).collect(), err)?;
                let (written, unchanged, removed) =
                    (report.written.len(), report.unchanged.len(), report.removed.len());
                let folder = self.out.display();
                writeln!(out, "{folder}: {written} files written, {unchanged} unchanged, {removed} removed")?;
                self.count(&planned, out)?;
                Ok(OK)
            }
            Err(error) => {
                report::error(&error, error.hint(), err)?;
                Ok(FAILED)
            }
        }
    }

    fn check(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let (_, files) = match self.files(err)? {
            Ok(generated) => generated,
            Err(code) => return Ok(code),
        };
        let checked = output::check(&files, &self.out).and_then(|found| Ok((found, output::generator(&self.out)?)));
        let (differences, generator) = match checked {
            Ok(checked) => checked,
            Err(error) => {
                report::error(&error, error.hint(), err)?;
                return Ok(FAILED);
            }
        };
        let (folder, differing, all) = (self.out.display(), differences.len(), files.len());
        if differences.is_empty() {
            writeln!(out, "{folder}: {all} files are as `generate` would write them")?;
            return Ok(OK);
        }
        match generator.filter(|version| version != VERSION) {
            // What another version writes differently would hide what somebody changed.
            Some(version) => {
                for difference in &differences {
                    writeln!(out, "{}", difference.path)?;
                }
                writeln!(
                    err,
                    "error: {folder} was generated by another version, {version}, and this is {VERSION}; \
                     {differing} of {all} files differ"
                )?;
                writeln!(err, "hint: generate it again, or check it with version {version}")?;
            }
            None => {
                for difference in &differences {
                    write!(out, "{}", difference.diff)?;
                }
                writeln!(err, "error: {folder} is not what `generate` would write: {differing} of {all} files")?;
                writeln!(err, "hint: run `headwater generate` with the same arguments")?;
            }
        }
        Ok(FAILED)
    }

    /// What would be written, or the exit code if nothing can be.
    fn files(&self, err: &mut dyn Write) -> io::Result<Result<(Planned, FileSet), u8>> {
        let numbers = match output::field_numbers(&self.out) {
            Ok(numbers) => numbers,
            Err(error) => {
                report::error(&error, error.hint(), err)?;
                return Ok(Err(FAILED));
            }
        };
        let (selection, name) = (self.selection(), self.name.clone());
        let options = PlanOptions { selection, name, configures_missing: false, numbers };
        let planned = match self.input.load().and_then(|document| plan(&document, &options)) {
            Ok(planned) => planned,
            Err(diagnostics) => {
                report::diagnostics(&diagnostics, err)?;
                return Ok(Err(REFUSED));
            }
        };
        report::diagnostics(&planned.warnings, err)?;
        let options = EmitOptions { runtime: runtime(&self.runtime, &self.out)? };
        match emit(&planned.plan, &options) {
            Ok(files) => Ok(Ok((planned, files))),
            Err(error) => fault(&error, err).map(Err),
        }
    }

    fn selection(&self) -> Selection {
        match (self.all, self.operations.is_empty()) {
            (true, _) => Selection::All,
            (false, false) => Selection::Operations(self.operations.clone()),
            (false, true) => Selection::Annotated,
        }
    }

    /// Nothing is left out in silence.
    fn count(&self, planned: &Planned, out: &mut dyn Write) -> io::Result<()> {
        let (all, streams, rest) = (planned.operations, planned.plan.streams.len(), planned.left_out.len());
        writeln!(out, "{all} operations in the document, {streams} generated, {rest} left out")?;
        for group in by_reason(&planned.left_out) {
            write!(out, "  {group}")?;
            if self.all {
                write!(out, ": {}", group.operation_ids.join(", "))?;
            }
            writeln!(out)?;
        }
        let SchemaCount { all, unreadable, needed } = planned.schemas;
        let rest = all.saturating_sub(needed);
        writeln!(out, "{all} schemas in the document, {needed} needed, {rest} left out")?;
        let unneeded = rest.saturating_sub(unreadable);
        for (count, reason) in
            [(unneeded, "no answer of a generated operation needs it"), (unreadable, "it cannot be read")]
        {
            if count > 0 {
                writeln!(out, "  {count:>4} {reason}")?;
            }
        }
        Ok(())
    }
}

/// A version begins with a digit or an operator of Cargo's requirements; anything else is a folder. A folder that is
/// given relative to the current one is made relative to the crate, so that both can move together.
fn runtime(text: &str, out: &Path) -> io::Result<RuntimeDependency> {
    if text.starts_with(|c: char| c.is_ascii_digit() || "^~=<>*".contains(c)) {
        return Ok(RuntimeDependency::Version(text.to_owned()));
    }
    let path = Path::new(text);
    let path = match (path.is_absolute(), out.is_absolute()) {
        (true, _) => path.to_owned(),
        (false, true) => flat(&env::current_dir()?.join(path)),
        (false, false) => {
            let current = env::current_dir()?;
            relative(&flat(&current.join(path)), &flat(&current.join(out)))
        }
    };
    // Cargo reads `/` on every system.
    Ok(RuntimeDependency::Path(path.display().to_string().replace('\\', "/")))
}

/// `path` without `.` and `..`, by its text alone.
fn flat(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                flat.pop();
            }
            other => flat.push(other),
        }
    }
    flat
}

/// The way from the folder `from` to `to`, both absolute and flat.
fn relative(to: &Path, from: &Path) -> PathBuf {
    let shared = to.components().zip(from.components()).take_while(|(to, from)| to == from).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_a_version_or_a_folder() {
        let of = |text: &str, out: &str| runtime(text, Path::new(out)).unwrap();
        let path = |text: &str| RuntimeDependency::Path(text.to_owned());
        assert_eq!(of("0.1.0", "out"), RuntimeDependency::Version("0.1.0".to_owned()));
        assert_eq!(of("^0.1", "out"), RuntimeDependency::Version("^0.1".to_owned()));
        assert_eq!(of("runtime", "examples/a"), path("../../runtime"));
        assert_eq!(of("./runtime", "./examples/../examples/a/"), path("../../runtime"));
        assert_eq!(of("/x/runtime", "examples/a"), path("/x/runtime"));
        let RuntimeDependency::Path(absolute) = of("runtime", "/tmp/a") else { panic!("a path") };
        assert!(absolute.starts_with('/') && absolute.ends_with("/runtime"));
    }

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
