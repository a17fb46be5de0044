//! `dlq`: what stands in the dead letter topic.

use std::fmt::Write as _;

use super::DlqCommand;
use super::diagnostic::Failure;
use super::loaded::Loaded;
use super::offsets::wait;
use crate::flow::{self, Replayed};
use clap::Args;

/// Does what is wanted with the dead letters of a connector, and tells what came of it.
pub(super) fn run<C: Args>(
    command: DlqCommand<C>,
    load: impl Fn(&C) -> Result<Loaded, Failure>,
) -> Result<String, Failure> {
    let DlqCommand::Replay { config, dry_run } = command;
    let Loaded { config, operations } = load(&config)?;
    let Replayed { replayed, still_dead, skipped } = wait(flow::replay_dead_letters(operations, &config, dry_run))?;
    let mut text = format!("{}{}\n", config.dead_letters, if dry_run { ", if it were replayed" } else { "" });
    for (what, count) in [("replayed", replayed), ("still dead", still_dead), ("skipped", skipped)] {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {what}: {count}");
    }
    Ok(text)
}
