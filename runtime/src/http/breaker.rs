//! A circuit breaker: a host that does not answer is left in peace for a while, and then asked by one request only.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock;

/// When a host is left in peace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerSettings {
    /// After so many failures one after another, of whichever requests. `None`: never, which is the default.
    pub failures: Option<NonZeroU32>,
    /// For how long.
    pub pause: Duration,
}

/// Counts the failures of a host, and holds its requests up while it does not answer.
#[derive(Debug)]
pub(super) struct Breaker {
    /// For messages.
    host: String,
    settings: BreakerSettings,
    state: Mutex<State>,
    /// A probe has ended.
    probed: Notify,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Requests pass; so many failed one after another.
    Closed { failures: u32 },
    /// No request passes before this.
    Open { until: Instant },
    /// One request is under way, and decides for all.
    HalfOpen,
}

/// Leave to ask the host. Dropping it says nothing of the host.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    pub(super) fn new(host: String, settings: BreakerSettings) -> Self {
        Self { host, settings, state: Mutex::new(State::Closed { failures: 0 }), probed: Notify::new() }
    }

    /// Waits until the host may be asked.
    pub(super) async fn pass(&self) -> Pass<'_> {
        loop {
            // Asked for before the state is looked at, so that no end of a probe is missed.
            let probed = self.probed.notified();
            let until = {
                let mut state = self.state();
                match *state {
                    State::Closed { .. } => return Pass { breaker: self, is_probe: false },
                    State::Open { until } if until <= clock::instant() => {
                        *state = State::HalfOpen;
                        return Pass { breaker: self, is_probe: true };
                    }
                    State::Open { until } => Some(until),
                    State::HalfOpen => None,
                }
            };
            match until {
                Some(until) => clock::sleep(until.saturating_duration_since(clock::instant())).await,
                None => probed.await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Says whether the host answered.
    pub(super) fn ended(mut self, answered: bool) {
        let Breaker { host, settings: BreakerSettings { failures: most, pause }, state, probed } = self.breaker;
        let Some(most) = most else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let open = State::Open { until: clock::instant() + *pause };
        *state = match (*state, answered) {
            (State::HalfOpen, true) if self.is_probe => {
                tracing::info!(host, "the host answers again");
                State::Closed { failures: 0 }
            }
            (State::HalfOpen, false) if self.is_probe => open,
            (State::Closed { .. }, true) => State::Closed { failures: 0 },
            (State::Closed { failures }, false) if failures + 1 >= most.get() => {
                tracing::warn!(host, failures = failures + 1, ?pause, "the host does not answer: it is left in peace");
                open
            }
            (State::Closed { failures }, false) => State::Closed { failures: failures + 1 },
            // A request that began before the breaker opened decides nothing.
            (state @ (State::Open { .. } | State::HalfOpen), _) => state,
        };
        if std::mem::take(&mut self.is_probe) {
            probed.notify_waiters();
        }
    }
}

impl Drop for Pass<'_> {
    /// A probe that was given up decides nothing: the next one may try at once.
    fn drop(&mut self) {
        if self.is_probe {
            *self.breaker.state() = State::Open { until: clock::instant() };
            self.breaker.probed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(failures: u32) -> Breaker {
        let pause = Duration::from_secs(30);
        Breaker::new("a".to_owned(), BreakerSettings { failures: NonZeroU32::new(failures), pause })
    }

    async fn waited(breaker: &Breaker, answered: bool) -> u64 {
        let began = clock::instant();
        breaker.pass().await.ended(answered);
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_closes_when_a_probe_is_answered() {
        let breaker = breaker(3);
        for answered in [false, false, true, false, false, false] {
            assert_eq!(waited(&breaker, answered).await, 0);
        }
        assert_eq!(waited(&breaker, false).await, 30, "open, and the probe fails");
        assert_eq!(waited(&breaker, true).await, 30, "open again, and the probe is answered");
        assert_eq!(waited(&breaker, false).await, 0, "closed, and the count begins anew");
        assert_eq!(waited(&breaker, false).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_probes_while_the_others_wait() {
        let breaker = breaker(1);
        breaker.pass().await.ended(false);
        let probe = breaker.pass().await;
        let minute = Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, breaker.pass()).await.is_err());
        let (second, ()) = tokio::join!(tokio::time::timeout(minute, breaker.pass()), async { probe.ended(true) });
        assert!(second.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_makes_room_for_another() {
        let breaker = breaker(1);
        breaker.pass().await.ended(false);
        drop(breaker.pass().await);
        assert_eq!(waited(&breaker, true).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_number_it_never_opens() {
        let breaker = breaker(0);
        for _ in 0..100 {
            assert_eq!(waited(&breaker, false).await, 0);
        }
    }
}
