//! A few of a document's streams: at least one for each way that pages follow one another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Document;
use super::crates::folder;
use crate::HarnessError;
use crate::harness::directory;
use crate::harness::error::run_to_end;

/// What stands for a way of paging where each answer is one record.
pub const SINGLE: &str = "single";

/// How many streams a sample has at most.
const STREAMS: usize = 10;

/// Streams of a document, and an overlay that annotates all of it as `headwater init` infers.
#[derive(Debug)]
pub struct Sample {
    /// The overlay.
    pub overlay: PathBuf,
    /// The streams.
    pub streams: Vec<Stream>,
}

/// A stream, as `headwater inspect` shows it.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The operation's id.
    pub operation: String,
    /// Its topic.
    pub topic: String,
    /// How its pages follow one another: the first word of what `inspect` says, or [`SINGLE`].
    pub pagination: String,
    /// What it can be asked with; one of these.
    pub auth: Vec<String>,
    /// The operation for each of whose records it is read.
    pub parent: Option<String>,
}

impl Sample {
    /// Asks `headwater` for a document's streams and takes a few. `None` if it has none.
    ///
    /// # Errors
    ///
    /// If a command fails, or prints what is not understood.
    pub fn new(headwater: &Path, document: &Document) -> Result<Option<Self>, HarnessError> {
        let streams = inspect(headwater, document)?;
        if streams.is_empty() {
            return Ok(None);
        }
        let overlays = folder().join("overlays");
        directory::create(&overlays)?;
        let overlay = overlays.join(format!("{}.yaml", document.name));
        if overlay.exists() {
            std::fs::remove_file(&overlay).map_err(HarnessError::io(format!("removing {}", overlay.display())))?;
        }
        let mut init = Command::new(headwater);
        run_to_end("headwater init", init.arg("init").arg(&document.path).arg("--out").arg(&overlay))?;
        Ok(Some(Self { overlay, streams: take(streams) }))
    }

    /// The arguments that select its streams, for `generate` and `mock`.
    pub fn arguments(&self) -> Vec<String> {
        let operations: Vec<_> = self.streams.iter().map(|stream| stream.operation.as_str()).collect();
        vec![
            "--overlay".to_owned(),
            self.overlay.display().to_string(),
            "--operations".to_owned(),
            operations.join(","),
        ]
    }
}

fn inspect(headwater: &Path, document: &Document) -> Result<Vec<Stream>, HarnessError> {
    let mut inspect = Command::new(headwater);
    let output =
        run_to_end("headwater inspect", inspect.arg("inspect").arg(&document.path).args(["--format", "json"]))?;
    let shown: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| HarnessError::Setup(format!("`headwater inspect` printed no JSON: {error}")))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let streams = shown["streams"].as_array().into_iter().flatten().map(|stream| Stream {
        operation: text(&stream["operation"]),
        topic: text(&stream["topic"]),
        pagination: match stream["single"].as_bool() {
            Some(true) => SINGLE.to_owned(),
            _ => text(&stream["pagination"]).split(' ').next().unwrap_or_default().to_owned(),
        },
        auth: stream["auth"].as_array().into_iter().flatten().map(text).collect(),
        parent: stream["follows"].as_str().map(str::to_owned),
    });
    // `--operations` takes a list that is separated by commas.
    Ok(streams.filter(|stream| !stream.operation.contains(',')).collect())
}

/// The first of each way of paging, then the second of each, and so on; of those that are read for the records of others, each
/// with the ones that it is read for.
fn take(streams: Vec<Stream>) -> Vec<Stream> {
    let mut by_style: BTreeMap<&str, Vec<&Stream>> = BTreeMap::new();
    for stream in &streams {
        by_style.entry(&stream.pagination).or_default().push(stream);
    }
    let longest = by_style.values().map(Vec::len).max().unwrap_or(0);
    let ranked = (0..longest).flat_map(|rank| by_style.values().filter_map(move |streams| streams.get(rank)));
    let mut taken: Vec<&Stream> = Vec::new();
    for stream in ranked {
        let above = |stream: &&Stream| streams.iter().find(|other| Some(&other.operation) == stream.parent.as_ref());
        let family = std::iter::successors(Some(*stream), above);
        let new: Vec<_> =
            family.filter(|stream| taken.iter().all(|taken| taken.operation != stream.operation)).collect();
        if taken.len() + new.len() <= STREAMS {
            taken.extend(new);
        }
    }
    taken.into_iter().cloned().collect()
}
