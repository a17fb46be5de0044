//! The command of a generated connector: what its `main` calls. The only place that prints.

mod check;
mod diagnostic;
mod documentation;
mod offsets;
mod operation;
mod preview;
mod run;
mod schemas;
mod table;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::{Environment, Services, SourceConfig, source_documentation};
use crate::connector::Connector;
use crate::format::OutputFormat;
use crate::telemetry;
use diagnostic::{Diagnostic, Failure};

/// Exit code for wrong input: configuration, or servers that it names and that cannot be used.
const INPUT: u8 = 2;

#[derive(Parser)]
#[command(version, propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads the API and writes to Kafka, until it is stopped
    Run {
        #[command(flatten)]
        config: ConfigFile,
        /// Uses a broker and a schema registry within this process, and prints their addresses
        #[arg(long)]
        dev: bool,
        /// Stops when every operation has been read to its end
        #[arg(long)]
        once: bool,
    },
    /// Tells whether the API, the schema registry and Kafka can be reached; writes nothing
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Shows the first records of the operations, as the API sends them; needs no Kafka and writes nothing
    Preview {
        #[command(flatten)]
        config: ConfigFile,
        /// Only the records of this operation
        #[arg(long, value_name = "ID")]
        operation: Option<String>,
        /// How many records of each operation
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
    },
    /// Shows or changes how far each operation has been read
    Offsets {
        #[command(subcommand)]
        command: OffsetsCommand,
    },
    /// Shows every configuration property
    Config {
        /// How to show them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// The schemas of the records
    Schemas {
        #[command(subcommand)]
        command: SchemasCommand,
    },
}

#[derive(Args)]
struct ConfigFile {
    /// Configuration: JSON, flat or in Connect's envelope, or .properties. Environment variables override it:
    /// HEADWATER_, and a property's name in upper case with `_` for `.` and `-`
    #[arg(long = "config", value_name = "FILE")]
    path: Option<PathBuf>,
}

/// How properties are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For reading in a terminal.
    Table,
    /// For programs.
    Json,
    /// For documentation.
    Markdown,
}

#[derive(Clone, Copy, ValueEnum)]
enum ListFormat {
    Table,
    Json,
}

#[derive(Subcommand)]
enum OffsetsCommand {
    /// Shows the committed position of each operation
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// How to show them
        #[arg(long, value_enum, default_value_t = ListFormat::Table)]
        format: ListFormat,
    },
    /// Sets the position of an operation
    ///
    /// It is written as the connector itself writes it, in a transaction under its name: an instance that runs is ended
    /// by it, and says that another instance has taken over.
    Set {
        #[command(flatten)]
        config: ConfigFile,
        /// The operation
        #[arg(long, value_name = "ID")]
        operation: String,
        /// The position, as `offsets list` shows it: {"offset":"2024-01-01T00:00:00Z"}
        #[arg(value_name = "JSON")]
        position: String,
    },
    /// Removes positions, so that operations begin from the beginning
    ///
    /// An instance that runs is ended by it, and says that another instance has taken over.
    #[command(group = clap::ArgGroup::new("which").required(true).args(["operation", "all"]))]
    Reset {
        #[command(flatten)]
        config: ConfigFile,
        /// The position of this operation
        #[arg(long, value_name = "ID")]
        operation: Option<String>,
        /// The positions of all operations
        #[arg(long)]
        all: bool,
    },
}

/// A language of schemas.
#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Avro,
    Protobuf,
    Json,
}

impl Language {
    fn format(self) -> OutputFormat {
        match self {
            Self::Avro => OutputFormat::Avro,
            Self::Protobuf => OutputFormat::Protobuf,
            Self::Json => OutputFormat::JsonSchema,
        }
    }
}

#[derive(Subcommand)]
enum SchemasCommand {
    /// Prints the schema of each operation's records, by the subject that it is registered under
    Print {
        /// The language of the schemas
        #[arg(long, value_enum, default_value_t = Language::Avro)]
        language: Language,
        /// Only the schema of this operation
        #[arg(long, value_name = "ID")]
        operation: Option<String>,
    },
    /// Registers the schemas at the configured schema registry
    Register {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Asks the configured schema registry whether the schemas are compatible with those that are registered; registers
    /// nothing
    Test {
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// Runs a generated connector's command with the arguments of this process.
///
/// The exit code is 0 if all went well, 1 if it ran and failed, and 2 if the input was wrong.
pub fn main(connector: Connector) -> ExitCode {
    let command = Cli::command().name(connector.name).bin_name(connector.name);
    let cli = match command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // Also how help is shown. If it cannot be printed, there is no way to say so.
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let environment = Environment::of_process();
    match execute(cli.command, &connector, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

/// What can be done with a configuration alone, without generated code.
#[derive(Clone, Debug)]
pub enum SourceCommand {
    /// Reads the APIs and writes to Kafka, until it is stopped.
    Run {
        /// The configuration file.
        config: PathBuf,
        /// Whether to use a broker and a schema registry within this process.
        dev: bool,
        /// Whether to stop when every API has been read to its end.
        once: bool,
    },
    /// Tells everything that is wrong with a configuration.
    Validate {
        /// The configuration file.
        config: PathBuf,
    },
    /// Shows every configuration property.
    Config {
        /// How to show them.
        format: Format,
    },
}

/// Runs a command that needs no generated code, and prints what comes of it.
///
/// The exit code is 0 if all went well, 1 if it ran and failed, and 2 if the input was wrong.
pub fn source(command: SourceCommand) -> u8 {
    let environment = Environment::of_process();
    match execute_source(command, &environment) {
        Ok(()) => 0,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    }
}

fn execute_source(command: SourceCommand, environment: &Environment) -> Result<(), Failure> {
    telemetry::init(environment).map_err(|error| Failure::input([Diagnostic::of_error(&error)]))?;
    match command {
        SourceCommand::Run { config, dev, once } => run::run_source(&config, environment, dev, once),
        SourceCommand::Validate { config } => {
            let source = SourceConfig::load(&config, environment, &Services::Configured)?;
            let apis = source.operations.len();
            print(&format!("{}: valid, {apis} API{}\n", config.display(), if apis == 1 { "" } else { "s" }))
        }
        SourceCommand::Config { format } => print(&documentation::render_properties(&source_documentation(), format)),
    }
}

fn execute(command: Command, connector: &Connector, environment: &Environment) -> Result<(), Failure> {
    telemetry::init(environment).map_err(|error| Failure::input([Diagnostic::of_error(&error)]))?;
    match command {
        Command::Run { config, dev, once } => run::run(connector, config.path.as_deref(), environment, dev, once),
        Command::Check { config } => outcome(check::run(connector, config.path.as_deref(), environment)?),
        Command::Preview { config, operation, limit } => {
            let (config, operation) = (config.path.as_deref(), operation.as_deref());
            outcome(preview::run(connector, config, environment, operation, limit)?)
        }
        Command::Offsets { command } => print(&match command {
            OffsetsCommand::List { config, format } => {
                offsets::list(connector, config.path.as_deref(), environment, format)?
            }
            OffsetsCommand::Set { config, operation, position } => {
                offsets::set(connector, config.path.as_deref(), environment, &operation, &position)?
            }
            // Without an operation, it is all of them.
            OffsetsCommand::Reset { config, operation, all: _ } => {
                offsets::reset(connector, config.path.as_deref(), environment, operation.as_deref())?
            }
        }),
        Command::Config { format } => print(&documentation::render(connector, format)),
        Command::Schemas { command } => match command {
            SchemasCommand::Print { language, operation } => {
                print(&schemas::render(connector, language.format(), operation.as_deref())?)
            }
            SchemasCommand::Register { config } => {
                outcome(schemas::register(connector, config.path.as_deref(), environment)?)
            }
            SchemasCommand::Test { config } => outcome(schemas::test(connector, config.path.as_deref(), environment)?),
        },
    }
}

/// What a command found, and what of it is a failure.
fn outcome((text, failure): (String, Option<Failure>)) -> Result<(), Failure> {
    print(&text)?;
    failure.map_or(Ok(()), Err)
}

/// What commands that ask a few servers once run in.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::run([Diagnostic::of_error(&error)]))
}

/// Prints a command's result. A reader that has seen enough and left is no failure.
fn print(text: &str) -> Result<(), Failure> {
    use io::Write as _;
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::run([Diagnostic::of_error(&error)])),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
