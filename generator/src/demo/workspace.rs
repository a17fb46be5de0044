//! Where the demo finds its document and the runtime, and how it builds what it generated.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::DemoError;

/// The connector that the demo is about.
const NAME: &str = "petstore-events";

/// The checkout that the demo runs in.
pub(super) struct Workspace {
    root: PathBuf,
    /// Cargo's target directory, the one that this program was built into.
    target: PathBuf,
    /// `debug` or `release`: the profile that this program was built with.
    profile: String,
}

impl Workspace {
    /// Looks for the checkout from the current directory upwards.
    pub(super) fn find() -> Result<Self, DemoError> {
        let current =
            std::env::current_dir().map_err(|source| DemoError::Io { what: "the current directory", source })?;
        let root = current
            .ancestors()
            .find(|dir| dir.join("specs/petstore-events/openapi.yaml").is_file() && dir.join("runtime").is_dir())
            .ok_or(DemoError::NoWorkspace)?
            .to_owned();
        let program =
            std::env::current_exe().map_err(|source| DemoError::Io { what: "this program's path", source })?;
        let folder = program.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let profile = if folder == Some("release") { "release" } else { "debug" };
        // Cargo marks its target directory; a program that was installed elsewhere builds into the checkout's own.
        let target = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file()).map(Path::to_owned);
        Ok(Self { target: target.unwrap_or_else(|| root.join("target")), root, profile: profile.to_owned() })
    }

    pub(super) fn spec(&self, file: &str) -> PathBuf {
        self.root.join("specs").join(NAME).join(file)
    }

    /// The connector that is generated: a member of the checkout's workspace, as its copy in git is.
    pub(super) fn connector(&self) -> PathBuf {
        self.root.join("examples").join(NAME)
    }

    /// Where files of the demo's own go.
    pub(super) fn scratch(&self) -> Result<PathBuf, DemoError> {
        let scratch = self.target.join("demo");
        std::fs::create_dir_all(&scratch).map_err(|source| DemoError::Io { what: "the demo's folder", source })?;
        Ok(scratch)
    }

    /// Builds the connector with what is already compiled; cargo's own progress goes to standard error.
    pub(super) fn build(&self) -> Result<PathBuf, DemoError> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Together with this program, so that both take their dependencies with the same features; by itself the
        // connector would have half of them compiled again.
        cargo.current_dir(&self.root).args(["build", "--package", "headwater", "--package", NAME]);
        cargo.arg("--target-dir").arg(&self.target);
        if self.profile == "release" {
            cargo.arg("--release");
        }
        // What `cargo run` tells this program of its own package would look like a change to some build scripts.
        for (name, _) in std::env::vars_os() {
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                cargo.env_remove(name);
            }
        }
        let status = cargo.status().map_err(|source| DemoError::Io { what: "`cargo build`", source })?;
        if !status.success() {
            return Err(DemoError::Failed { what: "`cargo build` of the generated crate", status });
        }
        Ok(self.target.join(&self.profile).join(NAME).with_extension(std::env::consts::EXE_EXTENSION))
    }
}
