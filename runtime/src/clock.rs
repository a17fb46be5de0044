//! The only place that reads a clock or sleeps. Sleeping follows Tokio's time, which tests can pause.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When the wall clock stands still, if it does.
static HELD: RwLock<Option<SystemTime>> = RwLock::new(None);

/// The wall clock's time.
pub(crate) fn now() -> SystemTime {
    held().unwrap_or_else(SystemTime::now)
}

/// The time that the wall clock stands still at, if it does.
pub(crate) fn held() -> Option<SystemTime> {
    *HELD.read().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the wall clock of this process stand still: what is recorded and what is replayed then sees the same time.
pub(crate) fn hold(at: SystemTime) {
    *HELD.write().unwrap_or_else(PoisonError::into_inner) = Some(at);
}

/// A point in time to measure from. It never goes back, unlike the wall clock.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
