//! The command `headwater`.

mod cli;
mod inspect;
mod report;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let code = cli::Cli::parse().run(&mut std::io::stdout().lock(), &mut std::io::stderr().lock());
    // A reader that has seen enough, as `head`, is no failure.
    ExitCode::from(code.unwrap_or(0))
}
