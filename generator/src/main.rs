//! The command `headwater`.

mod cli;
#[cfg(feature = "http-refs")]
mod fetch;
mod inspect;
mod report;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Not locked: what runs in other threads logs to standard error, and would wait for ever.
    match cli::Cli::parse().run(&mut std::io::stdout(), &mut std::io::stderr()) {
        Ok(code) => ExitCode::from(code),
        // A reader that has seen enough, as `head`, is no failure; there is nobody to tell of any other.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
