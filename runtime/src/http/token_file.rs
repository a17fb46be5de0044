//! The file that a refresh token is kept in from one run to the next.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::secret::Secret;

/// Writes a refresh token where the next run finds it, for its owner's eyes only. Whoever reads the file meanwhile finds the
/// old one or the new one.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn keep(file: &Path, token: &Secret) -> io::Result<()> {
    let mut beside = beside(file)?;
    beside.write_all(token.expose().as_bytes())?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}

/// Whether a refresh token could be kept there, as far as it can be told; nothing is left behind.
///
/// # Errors
///
/// If it could not.
pub(crate) fn try_to_keep(file: &Path) -> io::Result<()> {
    if file.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    beside(file)?.close()
}

/// A file in the same folder, which only its owner can read.
fn beside(file: &Path) -> io::Result<NamedTempFile> {
    // A name alone stands in the current folder.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = file.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".");
    tempfile::Builder::new().prefix(&name).tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn is_for_its_owner_alone_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        try_to_keep(&file).unwrap();
        assert!(!file.exists());
        for token in ["a-first-token", "second"] {
            keep(&file, &Secret::new(token)).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), token);
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        try_to_keep(&file).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn cannot_be_where_no_file_can() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(try_to_keep(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        let nowhere = folder.path().join("none/token");
        assert_eq!(try_to_keep(&nowhere).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(keep(&nowhere, &Secret::new("t")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
