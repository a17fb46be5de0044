//! Structured logs on standard error.

use std::io::IsTerminal;

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Environment;

/// The environment variable that says what is logged: a level, or directives such as `info,headwater_runtime=debug`.
pub(crate) const FILTER: &str = "HEADWATER_LOG";

/// The environment variable that says how logs are written: `text` or `json`.
pub(crate) const FORMAT: &str = "HEADWATER_LOG_FORMAT";

/// What is logged unless [`FILTER`] says otherwise.
const DEFAULT_FILTER: &str = "info";

/// Logging that cannot be set up as the environment asks.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("environment variable HEADWATER_LOG is `{value}`, which is neither a level nor a list of directives")]
    Filter {
        /// Its value.
        value: String,
    },
    /// The format is none.
    #[error("environment variable HEADWATER_LOG_FORMAT is `{value}`, which is not one of `text`, `json`")]
    Format {
        /// Its value.
        value: String,
    },
    /// The process logs already.
    #[error("setting up logging")]
    Install(#[from] tracing_subscriber::util::TryInitError),
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// Sends what the process logs to standard error.
///
/// # Errors
///
/// If the environment asks for what there is not, or the process logs already.
pub fn init(environment: &Environment) -> Result<(), TelemetryError> {
    let filter = filter(environment)?;
    let format = format(environment)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).finish().try_init()?,
        Format::Json => builder.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}

fn filter(environment: &Environment) -> Result<EnvFilter, TelemetryError> {
    let value = environment.get(FILTER).filter(|value| !value.is_empty()).unwrap_or(DEFAULT_FILTER);
    EnvFilter::try_new(value).map_err(|_| TelemetryError::Filter { value: value.to_owned() })
}

fn format(environment: &Environment) -> Result<Format, TelemetryError> {
    match environment.get(FORMAT) {
        None | Some("" | "text") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        Some(other) => Err(TelemetryError::Format { value: other.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        [(name, value)].into_iter().collect()
    }

    #[test]
    fn reads_filter_and_format() {
        assert_eq!(filter(&Environment::default()).unwrap().to_string(), "info");
        assert_eq!(
            filter(&environment(FILTER, "headwater_runtime=debug")).unwrap().to_string(),
            "headwater_runtime=debug"
        );
        assert_eq!(format(&Environment::default()).unwrap(), Format::Text);
        assert_eq!(format(&environment(FORMAT, "json")).unwrap(), Format::Json);
        assert!(matches!(format(&environment(FORMAT, "xml")), Err(TelemetryError::Format { .. })));
        assert!(matches!(filter(&environment(FILTER, "a=b=c")), Err(TelemetryError::Filter { .. })));
    }
}
