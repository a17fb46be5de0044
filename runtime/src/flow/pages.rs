//! How many pages are read of an operation that is not read to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The pages that are left to read of an operation, all its slices together. Clones are the same limit.
#[derive(Clone, Debug)]
pub struct PageLimit(Arc<AtomicUsize>);

impl PageLimit {
    /// So many pages.
    pub fn new(pages: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(pages)))
    }

    /// Takes one; `false` if none is left.
    pub(crate) fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_is_left() {
        let limit = PageLimit::new(2);
        assert!(limit.clone().take() && limit.take());
        assert!(!limit.take() && !limit.clone().take());
    }
}
