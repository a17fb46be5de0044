//! Where the demo finds its document and the runtime, and how it builds what it generated.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::DemoError;

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
        self.root.join("specs/petstore-events").join(file)
    }

    pub(super) fn runtime(&self) -> PathBuf {
        self.root.join("runtime")
    }

    /// Where the demo's connector is generated.
    pub(super) fn connector(&self) -> PathBuf {
        self.target.join("demo").join("petstore-events")
    }

    /// Builds the generated crate with what is already compiled; cargo's own progress goes to standard error.
    pub(super) fn build(&self, crate_dir: &Path, name: &str) -> Result<PathBuf, DemoError> {
        // The same versions as the checkout, or everything would be compiled again.
        let lock = crate_dir.join("Cargo.lock");
        std::fs::copy(self.root.join("Cargo.lock"), &lock)
            .map_err(|source| DemoError::Io { what: "the copy of `Cargo.lock`", source })?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).arg("build").arg("--manifest-path").arg(crate_dir.join("Cargo.toml"));
        cargo.arg("--target-dir").arg(&self.target);
        if self.profile == "release" {
            cargo.arg("--release");
        }
        let status = cargo.status().map_err(|source| DemoError::Io { what: "`cargo build`", source })?;
        if !status.success() {
            return Err(DemoError::Failed { what: "`cargo build` of the generated crate", status });
        }
        Ok(self.target.join(&self.profile).join(name).with_extension(std::env::consts::EXE_EXTENSION))
    }
}
