//! Calls that block, made from asynchronous code.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::KafkaError;

/// Whether anybody still waits for the outcome of a blocking call.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Fails once nobody does, so that a shutdown need not wait for a broker's answer.
    pub(super) fn check(&self) -> Result<(), KafkaError> {
        if self.0.load(Ordering::Relaxed) { Err(KafkaError::Interrupted) } else { Ok(()) }
    }
}

/// Ends the waiting when the future is dropped.
struct EndWaiting(Waiting);

impl Drop for EndWaiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on a thread that may block. It goes on if the future is dropped, unless it asks its argument.
pub(super) async fn blocking<T, W>(work: W) -> Result<T, KafkaError>
where
    T: Send + 'static,
    W: FnOnce(&Waiting) -> Result<T, KafkaError> + Send + 'static,
{
    let waiting = Waiting::default();
    let _end = EndWaiting(waiting.clone());
    match tokio::task::spawn_blocking(move || work(&waiting)).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(KafkaError::Interrupted),
        },
    }
}
