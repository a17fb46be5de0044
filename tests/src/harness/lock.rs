//! Locks between processes that the kernel gives back when their holder dies, however it dies.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::HarnessError;

/// An `flock` on a file, held until it is dropped. The file itself stays: removing it would split the lock in two.
#[derive(Debug)]
pub(crate) struct FileLock {
    // Opened close-on-exec by the standard library, so that no child keeps the lock for us.
    _file: File,
}

impl FileLock {
    /// Waits for the lock, alone.
    pub(crate) fn exclusive(path: &Path) -> Result<Self, HarnessError> {
        Self::wait(path, FlockOperation::LockExclusive)
    }

    /// Waits for the lock, together with others that share it.
    pub(crate) fn shared(path: &Path) -> Result<Self, HarnessError> {
        Self::wait(path, FlockOperation::LockShared)
    }

    /// The lock, alone, if it is free now.
    pub(crate) fn try_exclusive(path: &Path) -> Result<Option<Self>, HarnessError> {
        Self::attempt(path, FlockOperation::NonBlockingLockExclusive)
    }

    /// Whether someone holds the lock alone.
    pub(crate) fn is_held(path: &Path) -> Result<bool, HarnessError> {
        Ok(Self::attempt(path, FlockOperation::NonBlockingLockShared)?.is_none())
    }

    fn wait(path: &Path, operation: FlockOperation) -> Result<Self, HarnessError> {
        loop {
            if let Some(lock) = Self::attempt(path, operation)? {
                return Ok(lock);
            }
        }
    }

    fn attempt(path: &Path, operation: FlockOperation) -> Result<Option<Self>, HarnessError> {
        let failed = || HarnessError::io(format!("locking {}", path.display()));
        let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed())?;
        match flock(&file, operation) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(errno) => Err(failed()(errno.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_may_have_it_alone_or_many_may_share_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = FileLock::shared(&path).unwrap();
        let second = FileLock::shared(&path).unwrap();
        assert!(FileLock::try_exclusive(&path).unwrap().is_none());
        assert!(!FileLock::is_held(&path).unwrap());
        drop((first, second));
        let alone = FileLock::try_exclusive(&path).unwrap();
        assert!(alone.is_some());
        assert!(FileLock::is_held(&path).unwrap());
        drop(alone);
        assert!(!FileLock::is_held(&path).unwrap());
    }
}
