//! The only place that reads a clock or sleeps. Sleeping follows Tokio's time, which tests can pause.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The wall clock's time.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// A point in time to measure from. It never goes back, unlike the wall clock.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
