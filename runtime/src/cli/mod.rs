//! The command of a generated connector: what its `main` calls. The only place that prints.

mod cassette;
mod check;
mod diagnostic;
mod dlq;
mod documentation;
mod import;
mod loaded;
mod login;
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

use crate::cassette::Subject;
use crate::config::{Environment, Logins, Services, SourceConfig, source_documentation};
use crate::connector::Connector;
use crate::format::OutputFormat;
use crate::slice::Slice;
use crate::telemetry;
use diagnostic::{Diagnostic, Failure};
use loaded::Loaded;
pub use login::LoginArguments;

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
    ///
    /// Instances of one name share the operations, as a consumer group.
    Run {
        #[command(flatten)]
        config: ConfigFile,
        /// Uses a broker and a schema registry within this process, and prints their addresses
        #[arg(long)]
        dev: bool,
        /// Stops when every operation has been read to its end; reads them all, whoever else runs
        #[arg(long)]
        once: bool,
    },
    /// Has a user log in, in a browser on this machine, and keeps the refresh token for `run`
    ///
    /// By an authorization code with PKCE, for `oauth2.grant.type=REFRESH_TOKEN`: `oauth2.authorization.url` says where, and
    /// `oauth2.refresh.token.file` is where the refresh token is kept.
    Login {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        login: LoginArguments,
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
    /// Reads some pages of the API with a broker of its own, and keeps what it answered, without secrets, for `replay`
    Record {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        recording: RecordingArguments,
    },
    /// Runs from what `record` has kept, without a network, and tells whether the records are the same as then
    Replay(ReplayArguments),
    /// Shows or changes how far each operation has been read
    Offsets {
        #[command(subcommand)]
        command: OffsetsCommand<ConfigFile>,
    },
    /// The dead letters: what stood among the records and was none
    Dlq {
        #[command(subcommand)]
        command: DlqCommand<ConfigFile>,
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

#[derive(Clone, Debug, Args)]
struct ConfigFile {
    /// Configuration: JSON, flat or in Connect's envelope, or .properties. Environment variables override it:
    /// HEADWATER_, and a property's name in upper case with `_` for `.` and `-`
    #[arg(long = "config", value_name = "FILE")]
    path: Option<PathBuf>,
}

/// What is recorded, and where to.
#[derive(Args, Clone, Debug)]
pub struct RecordingArguments {
    /// The cassette; the records that it leads to go beside it, into a file that ends in `.records.json`. Not given:
    /// `tests/cassettes/NAME.json`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How many pages of each operation are read
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub pages: usize,
}

/// What is replayed.
#[derive(Args, Clone, Debug)]
pub struct ReplayArguments {
    /// Cassettes that `record` has written
    #[arg(required = true, value_name = "CASSETTE")]
    pub cassettes: Vec<PathBuf>,
    /// Writes the records beside the cassette, in place of comparing them with what is there
    #[arg(long)]
    pub update: bool,
}

/// How it is told what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For reading in a terminal.
    Text,
    /// For programs: every property with its value and what is wrong with it, as Kafka Connect answers a request to
    /// validate.
    Json,
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

/// How positions are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For reading in a terminal.
    Table,
    /// For programs.
    Json,
}

/// What can be done with positions; `C` says which connector's.
#[derive(Clone, Debug, Subcommand)]
pub enum OffsetsCommand<C: Args> {
    /// Shows the committed position of each operation
    List {
        /// Which connector's.
        #[command(flatten)]
        config: C,
        /// How to show them
        #[arg(long, value_enum, default_value_t = ListFormat::Table)]
        format: ListFormat,
    },
    /// Sets the position of an operation
    ///
    /// It is written as the connector itself writes it, in a transaction under its name, and only while no instance runs;
    /// one that runs alone (`--once`) is ended.
    Set {
        /// Which connector's.
        #[command(flatten)]
        config: C,
        /// The operation
        #[arg(long, value_name = "ID")]
        operation: String,
        /// A slice of it, as `offsets list` shows it: {"shop":"7"}
        #[arg(long, value_name = "JSON")]
        slice: Option<Slice>,
        /// The position, as `offsets list` shows it: {"offset":"2024-01-01T00:00:00Z"}
        #[arg(value_name = "JSON")]
        position: String,
    },
    /// Removes positions, so that operations begin from the beginning
    ///
    /// Only while no instance runs; one that runs alone (`--once`) is ended.
    #[command(group = clap::ArgGroup::new("which").required(true).args(["operation", "all"]))]
    Reset {
        /// Which connector's.
        #[command(flatten)]
        config: C,
        /// The position of this operation
        #[arg(long, value_name = "ID")]
        operation: Option<String>,
        /// Of a slice of it, as `offsets list` shows it: {"shop":"7"}
        #[arg(long, value_name = "JSON", requires = "operation")]
        slice: Option<Slice>,
        /// The positions of all operations
        #[arg(long)]
        all: bool,
    },
}

/// What can be done with dead letters; `C` says which connector's.
#[derive(Clone, Debug, Subcommand)]
pub enum DlqCommand<C: Args> {
    /// Sends the dead letters that are records now to the topic of the records, each once
    ///
    /// For when the document, the configuration or a transform has been put right. What is still no record goes to the end of the
    /// dead letter topic, with the new reason. How far the topic has been read are the offsets of the consumer group
    /// `headwater-NAME-dlq`, committed in the transactions of the records.
    Replay {
        /// Which connector's.
        #[command(flatten)]
        config: C,
        /// Only tells what would become of them
        #[arg(long)]
        dry_run: bool,
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
    /// Reads some pages of the APIs and keeps what they answered.
    Record {
        /// The configuration file.
        config: PathBuf,
        /// What is recorded, and where to.
        recording: RecordingArguments,
    },
    /// Runs from what has been kept.
    Replay(ReplayArguments),
    /// Has a user log in, and keeps the refresh token.
    Login {
        /// The configuration file.
        config: PathBuf,
        /// How.
        login: LoginArguments,
    },
    /// Tells everything that is wrong with a configuration.
    Validate {
        /// The configuration file.
        config: PathBuf,
        /// How to tell it.
        format: ReportFormat,
    },
    /// Shows every configuration property.
    Config {
        /// How to show them.
        format: Format,
    },
    /// Shows or changes how far each API has been read.
    Offsets(SourceOffsets),
    /// The dead letters.
    Dlq(DlqCommand<SourceFile>),
}

/// The configuration of a source without generated code.
#[derive(Clone, Debug, Args)]
pub struct SourceFile {
    /// The configuration: JSON, flat or in Kafka Connect's envelope, or .properties.
    #[arg(value_name = "CONFIG")]
    path: PathBuf,
}

/// What can be done with the positions of a source without generated code.
#[derive(Clone, Debug, Subcommand)]
pub enum SourceOffsets {
    #[expect(missing_docs, reason = "they would stand in the help")]
    #[command(flatten)]
    OfConnector(OffsetsCommand<SourceFile>),
    /// Takes over the offsets of Kafka Connect: of Confluent's HTTP Source, or another connector of the same APIs
    ///
    /// They are read from the topic that Connect keeps them in (`offset.storage.topic` of its workers), which must be in
    /// the same Kafka. Stop the connector first. What stands there is shown beside what becomes of it.
    Import {
        /// Which source's.
        #[command(flatten)]
        config: SourceFile,
        /// The topic that Kafka Connect keeps offsets in
        #[arg(long, value_name = "TOPIC")]
        topic: String,
        /// The connector's name in Kafka Connect, if it is not the one that is configured
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
        /// Only shows what would become of them
        #[arg(long)]
        dry_run: bool,
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
        SourceCommand::Login { config, login } => {
            login::run(login, |operation| Logins::of_source(&config, environment, operation))
        }
        SourceCommand::Record { config, recording: RecordingArguments { out, pages } } => {
            print(&cassette::record(Subject::Source, Some(&config), environment, out, pages)?)
        }
        SourceCommand::Replay(ReplayArguments { cassettes, update }) => {
            outcome(cassette::replay(Subject::Source, &cassettes, update))
        }
        SourceCommand::Validate { config, format: ReportFormat::Json } => {
            let validation = SourceConfig::validate(&config, environment, &Services::Configured)
                .map_err(crate::config::ConfigError::from)?;
            print(&format!("{:#}\n", serde_json::json!(validation)))?;
            if validation.error_count == 0 { Ok(()) } else { Err(Failure::input([])) }
        }
        SourceCommand::Validate { config, format: ReportFormat::Text } => {
            let source = SourceConfig::load(&config, environment, &Services::Configured)?;
            let apis = source.operations.len();
            print(&format!("{}: valid, {apis} API{}\n", config.display(), if apis == 1 { "" } else { "s" }))
        }
        SourceCommand::Dlq(command) => {
            let load = |config: &SourceFile| Loaded::source(&config.path, environment, &Services::Configured);
            print(&dlq::run(command, load)?)
        }
        SourceCommand::Config { format } => print(&documentation::render_properties(&source_documentation(), format)),
        SourceCommand::Offsets(command) => {
            let load = |config: &SourceFile| Loaded::source(&config.path, environment, &Services::Configured);
            print(&match command {
                SourceOffsets::OfConnector(command) => offsets::run(command, load)?,
                SourceOffsets::Import { config, topic, connector, dry_run } => {
                    import::run(&load(&config)?, &topic, connector.as_deref(), dry_run)?
                }
            })
        }
    }
}

fn execute(command: Command, connector: &Connector, environment: &Environment) -> Result<(), Failure> {
    telemetry::init(environment).map_err(|error| Failure::input([Diagnostic::of_error(&error)]))?;
    match command {
        Command::Run { config, dev, once } => run::run(connector, config.path.as_deref(), environment, dev, once),
        Command::Login { config, login } => login::run(login, |operation| {
            Logins::of_connector(connector, config.path.as_deref(), environment, operation)
        }),
        Command::Check { config } => outcome(check::run(connector, config.path.as_deref(), environment)?),
        Command::Preview { config, operation, limit } => {
            let (config, operation) = (config.path.as_deref(), operation.as_deref());
            outcome(preview::run(connector, config, environment, operation, limit)?)
        }
        Command::Record { config, recording: RecordingArguments { out, pages } } => {
            let subject = Subject::Generated(connector);
            print(&cassette::record(subject, config.path.as_deref(), environment, out, pages)?)
        }
        Command::Replay(ReplayArguments { cassettes, update }) => {
            outcome(cassette::replay(Subject::Generated(connector), &cassettes, update))
        }
        Command::Offsets { command } => print(&offsets::run(command, |config| {
            Loaded::generated(connector, config.path.as_deref(), environment, &Services::Configured)
        })?),
        Command::Dlq { command } => print(&dlq::run(command, |config| {
            Loaded::generated(connector, config.path.as_deref(), environment, &Services::Configured)
        })?),
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
