//! Where the harness keeps what it fetches and runs.

use std::path::{Path, PathBuf};

use super::HarnessError;

/// `<target>/harness`, created.
///
/// The target directory is found from the running executable, because neither `CARGO_TARGET_DIR` nor a build directory
/// from a configuration file is visible to it: cargo marks the top of every target directory with `CACHEDIR.TAG`.
pub(crate) fn harness_directory() -> Result<PathBuf, HarnessError> {
    let executable = std::env::current_exe().map_err(HarnessError::io("finding the running executable"))?;
    let top = executable.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
    let directory = top.map_or_else(std::env::temp_dir, Path::to_path_buf).join("harness");
    create(&directory)?;
    Ok(directory)
}

/// Creates a directory and those above it.
pub(crate) fn create(directory: &Path) -> Result<(), HarnessError> {
    std::fs::create_dir_all(directory).map_err(HarnessError::io(format!("creating {}", directory.display())))
}

/// Removes a directory with all it holds; a missing one is fine.
pub(crate) fn remove(directory: &Path) -> Result<(), HarnessError> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(HarnessError::io(format!("removing {}", directory.display()))(error))
        }
        _ => Ok(()),
    }
}

/// Writes a file.
pub(crate) fn write(file: &Path, content: &str) -> Result<(), HarnessError> {
    std::fs::write(file, content).map_err(HarnessError::io(format!("writing {}", file.display())))
}
