//! Generating a crate from a document, and checking it, by the real programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Document, Measured, measure};
use crate::HarnessError;
use crate::harness::directory;
use crate::harness::error::run_to_end;
use crate::program::{target, workspace};

/// A generated crate, alone in its folder.
#[derive(Debug)]
pub struct Generated {
    /// The name that it was given.
    name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What generating it took and said.
    pub generate: Measured,
    /// Operations of the document.
    pub operations: usize,
    /// Those of them that the crate reads as streams.
    pub streams: usize,
    /// Lines of Rust.
    pub lines: usize,
    /// The file with the most lines of Rust, and how many.
    pub largest: (String, usize),
    /// Bytes of schemas, of all formats.
    pub schema_bytes: u64,
}

/// What a compiler's front end took and said of a crate.
#[derive(Debug)]
pub struct Checked {
    /// `cargo check` with warnings as errors.
    pub check: Measured,
    /// `cargo clippy` with warnings as errors.
    pub clippy: Measured,
}

/// Where generated crates go.
pub fn folder() -> PathBuf {
    target().join("generated")
}

impl Generated {
    /// Generates a crate of this name by `headwater generate` with these arguments more. What was in its folder is gone.
    ///
    /// No other crate may have the name: to Cargo, crates of one name in different workspaces of the same target directory
    /// are the same.
    ///
    /// # Errors
    ///
    /// If a program cannot be run or a file not read. That `generate` refuses the document is no error:
    /// [`Measured::status`] says so.
    pub fn new(headwater: &Path, document: &Document, name: &str, arguments: &[&str]) -> Result<Self, HarnessError> {
        let folder = folder().join("crates").join(name);
        directory::remove(&folder)?;
        let mut command = headwater_command(headwater, "generate", document, &folder, name);
        let generate = measure(command.args(arguments))?;
        let (operations, streams) = counts(&generate.output);
        let mut generated = Self {
            name: name.to_owned(),
            folder,
            generate,
            operations,
            streams,
            lines: 0,
            largest: (String::new(), 0),
            schema_bytes: 0,
        };
        if generated.generate.status.success() {
            generated.count()?;
        }
        Ok(generated)
    }

    /// `headwater check` with the arguments that it was generated with.
    ///
    /// # Errors
    ///
    /// If the program cannot be run.
    pub fn is_as_generated(
        &self,
        headwater: &Path,
        document: &Document,
        arguments: &[&str],
    ) -> Result<Measured, HarnessError> {
        measure(headwater_command(headwater, "check", document, &self.folder, &self.name).args(arguments))
    }

    /// Has the crate checked by itself, with every warning an error: its manifest is changed for that.
    ///
    /// # Errors
    ///
    /// If a program cannot be run or a file not written. That a check fails is no error: [`Measured::status`] says so.
    pub fn check(&self) -> Result<Checked, HarnessError> {
        self.stand_alone()?;
        let check = measure(self.cargo("check").arg("--quiet"))?;
        let clippy = self.cargo("clippy").args(["--all-targets", "--quiet", "--", "-D", "warnings"]).measured()?;
        Ok(Checked { check, clippy })
    }

    /// Builds the crate's program, unoptimised.
    ///
    /// # Errors
    ///
    /// If it does not compile.
    pub fn build(&self) -> Result<PathBuf, HarnessError> {
        self.stand_alone()?;
        run_to_end("building a generated crate", self.cargo("build").arg("--quiet"))?;
        Ok(target().join("debug").join(self.package()?))
    }

    /// The package's name.
    ///
    /// # Errors
    ///
    /// If the manifest cannot be read.
    pub fn package(&self) -> Result<String, HarnessError> {
        let manifest = self.folder.join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).map_err(HarnessError::io(format!("reading {}", manifest.display())))?;
        let name = text.lines().find_map(|line| line.strip_prefix("name = \""));
        let name = name.and_then(|name| name.strip_suffix('"')).unwrap_or_default();
        Ok(name.to_owned())
    }

    /// Makes the crate the root of a workspace of its own, with the dependencies' versions of ours.
    fn stand_alone(&self) -> Result<(), HarnessError> {
        let manifest = self.folder.join("Cargo.toml");
        let failed = || HarnessError::io(format!("changing {}", manifest.display()));
        let mut text = fs::read_to_string(&manifest).map_err(failed())?;
        text.push_str("\n[workspace]\n\n[lints.rust]\nwarnings = \"deny\"\n");
        directory::write(&manifest, &text)?;
        let lock = self.folder.join("Cargo.lock");
        fs::copy(workspace().join("Cargo.lock"), &lock).map_err(failed())?;
        Ok(())
    }

    /// A command of cargo on this crate alone. What it depends on is compiled once for all, into the workspace's target
    /// directory.
    pub fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(command).current_dir(&self.folder).env("CARGO_TARGET_DIR", target()).env("CARGO_BUILD_JOBS", "1");
        // As the workspace, so that what both depend on is compiled once.
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
        // What an earlier run left would be measured, too.
        cargo.env("CARGO_INCREMENTAL", "0");
        // What `cargo run` tells this program of its own package would look like a change to some build scripts.
        for (name, _) in std::env::vars_os() {
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                cargo.env_remove(name);
            }
        }
        cargo
    }

    fn count(&mut self) -> Result<(), HarnessError> {
        for file in files(&self.folder)? {
            let failed = || HarnessError::io(format!("reading {}", file.display()));
            let below = file.strip_prefix(&self.folder).unwrap_or(&file);
            if below.starts_with("schemas") {
                self.schema_bytes += fs::metadata(&file).map_err(failed())?.len();
            } else if below.starts_with("src") {
                let lines = fs::read_to_string(&file).map_err(failed())?.lines().count();
                self.lines += lines;
                if lines > self.largest.1 {
                    self.largest = (below.display().to_string(), lines);
                }
            }
        }
        Ok(())
    }
}

/// [`measure`], at the end of a chain.
trait Measure {
    fn measured(&mut self) -> Result<Measured, HarnessError>;
}

impl Measure for Command {
    fn measured(&mut self) -> Result<Measured, HarnessError> {
        measure(self)
    }
}

fn headwater_command(headwater: &Path, command: &str, document: &Document, folder: &Path, name: &str) -> Command {
    let mut headwater = Command::new(headwater);
    headwater.arg(command).arg(&document.path).arg("--out").arg(folder).args(["--name", name]);
    headwater.arg("--runtime").arg(workspace().join("runtime"));
    headwater
}

/// Operations and streams, by the line `N operations in the document, M generated, …`.
fn counts(output: &str) -> (usize, usize) {
    let line = output.lines().find_map(|line| line.split_once(" operations in the document, "));
    let Some((operations, rest)) = line else { return (0, 0) };
    let streams = rest.split_once(" generated").map_or("", |(streams, _)| streams);
    (operations.parse().unwrap_or(0), streams.parse().unwrap_or(0))
}

/// Every file below a folder, ordered.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, HarnessError> {
    let failed = || HarnessError::io(format!("reading {}", folder.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
