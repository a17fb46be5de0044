//! The programs under test: the `headwater` command, and the crates that it generates.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::harness::error::run_to_end;
use crate::{HarnessError, RealParts};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Cargo's target directory: the one that this test was built into.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let marked = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| workspace().join("target"), Path::to_owned)
}

/// The `headwater` command. The first call builds it, which takes no time if it is built.
pub fn headwater() -> Result<&'static Path, HarnessError> {
    static HEADWATER: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = HEADWATER.get() {
        return Ok(program);
    }
    let program = build(&["--package", "headwater"], "headwater")?;
    Ok(HEADWATER.get_or_init(|| program))
}

/// Runs the `headwater` command to its end.
pub fn run_headwater(arguments: &[&str]) -> Result<Output, HarnessError> {
    let mut command = Command::new(headwater()?);
    command.current_dir(workspace()).args(arguments);
    command.output().map_err(HarnessError::io("running headwater"))
}

/// Generates the annotated operations of a document that is not ours, with the workspace's runtime.
pub fn generate(document: &Path, overlay: &Path, crate_dir: &Path, name: &str) -> Result<(), HarnessError> {
    let mut command = Command::new(headwater()?);
    command.arg("generate").arg(document).arg("--overlay").arg(overlay).arg("--out").arg(crate_dir);
    command.args(["--name", name, "--runtime"]).arg(workspace().join("runtime"));
    run_to_end("headwater generate", &mut command).map(drop)
}

/// Builds a generated crate and returns its program. It shares what the workspace has compiled.
pub fn build_generated(crate_dir: &Path, name: &str) -> Result<PathBuf, HarnessError> {
    let lock = crate_dir.join("Cargo.lock");
    if !lock.is_file() {
        // The same versions as the workspace, or everything would be compiled again.
        std::fs::copy(workspace().join("Cargo.lock"), &lock)
            .map_err(HarnessError::io(format!("writing {}", lock.display())))?;
    }
    let manifest = crate_dir.join("Cargo.toml");
    build(&["--manifest-path", &manifest.to_string_lossy()], name)
}

/// The program of a connector in `examples/`, built if need be.
pub fn example(name: &str) -> Result<PathBuf, HarnessError> {
    build(&["--package", name], name)
}

/// What a connector is configured with to run against `parts` and an API.
pub fn configuration(parts: &RealParts, name: &str, api: &str) -> Value {
    json!({
        "name": name,
        "bootstrap.servers": parts.bootstrap,
        "value.converter.schema.registry.url": parts.registry,
        "http.api.base.url": api,
        "offset.storage.replication.factor": 1,
        "topic.creation.default.replication.factor": 1,
    })
}

fn build(arguments: &[&str], name: &str) -> Result<PathBuf, HarnessError> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["build", "--quiet", "--target-dir"]).arg(target()).args(arguments);
    // What `cargo test` tells this program of its own package would look like a change to some build scripts.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    run_to_end(&format!("building {name}"), &mut cargo)?;
    Ok(target().join("debug").join(name))
}
