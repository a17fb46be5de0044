//! The rate limit of a host: a budget of requests, how many may be under way, and what the API's headers say is left. All
//! clients of a connector that ask one host share it.

mod headers;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use crate::clock;

/// How a client keeps to a rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many requests may begin within how long a time.
    pub budget: Option<Budget>,
    /// How many requests may be under way at once.
    pub concurrency: Option<NonZeroU32>,
    /// Names of headers that say what is left, besides the usual ones.
    pub headers: LimitHeaders,
    /// The longest wait that such headers may ask for. Beyond it the request is sent all the same, and the API's answer
    /// decides.
    pub max_wait: Duration,
}

/// So many requests in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many requests.
    pub requests: NonZeroU32,
    /// How long the window is.
    pub window: Duration,
}

/// Names of an API's own headers that say what is left of its rate limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitHeaders {
    /// How many requests are left.
    pub remaining: Option<String>,
    /// When there will be more: seconds from now, seconds or milliseconds since 1970, or an HTTP date.
    pub reset: Option<String>,
}

impl Default for Limits {
    /// No budget; waiting at most 10 minutes as the API's headers ask.
    fn default() -> Self {
        Self { budget: None, concurrency: None, headers: LimitHeaders::default(), max_wait: Duration::from_secs(600) }
    }
}

/// Which requests go first when not all may be sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// Those that bring what is new.
    Live,
    /// Those that bring what is old: they take what the others leave.
    Backfill,
}

/// Keeps the requests to one host within its limits.
#[derive(Debug)]
pub(super) struct Limiter {
    /// For messages.
    host: String,
    concurrency: Option<Semaphore>,
    budget: Option<Log>,
    headers: LimitHeaders,
    max_wait: Duration,
    /// Until when nothing is sent, as the API asked.
    quiet_until: Mutex<Option<Instant>>,
    /// How many live requests wait.
    live: watch::Sender<usize>,
}

/// A live request that waits.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// The last requests, as many as the budget allows. Each keeps its place for one window after its answer came. An API that
/// counts when a request arrives, which is before that, thus never counts more than the budget in any window, however long
/// requests are on their way.
#[derive(Debug)]
struct Log {
    window: Duration,
    places: Semaphore,
    state: Mutex<Places>,
}

#[derive(Debug)]
struct Places {
    /// Places that no request has had yet.
    fresh: u32,
    /// When each of the others is free again, in order.
    free: VecDeque<Instant>,
}

/// Leave to send one request. It ends when the answer has been read.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    _concurrency: Option<SemaphorePermit<'a>>,
    _place: Option<Place<'a>>,
}

#[derive(Debug)]
struct Place<'a> {
    log: &'a Log,
    /// When the place was free; `None` once it has been used.
    unused: Option<Instant>,
    _permit: SemaphorePermit<'a>,
}

impl Limiter {
    pub(super) fn new(host: String, limits: &Limits) -> Self {
        let semaphore = |count: NonZeroU32| {
            Semaphore::new(usize::try_from(count.get()).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS))
        };
        Self {
            host,
            concurrency: limits.concurrency.map(semaphore),
            budget: limits.budget.map(|Budget { requests, window }| Log {
                window,
                places: semaphore(requests),
                state: Mutex::new(Places { fresh: requests.get(), free: VecDeque::new() }),
            }),
            headers: limits.headers.clone(),
            max_wait: limits.max_wait,
            quiet_until: Mutex::default(),
            live: watch::Sender::new(0),
        }
    }

    /// Waits until a request may be sent. Those who wait are served in their order, live ones first.
    pub(super) async fn slot(&self, priority: Priority) -> Slot<'_> {
        if priority == Priority::Live {
            let _waiting = Waiting::new(&self.live);
            return self.next_slot().await;
        }
        let mut live = self.live.subscribe();
        loop {
            // The sender is this limiter's own, and never gone.
            let _ = live.wait_for(|waiting| *waiting == 0).await;
            tokio::select! {
                biased;
                // Whoever comes later and goes first must not find it in the way.
                _ = live.wait_for(|waiting| *waiting > 0) => {}
                slot = self.next_slot() => return slot,
            }
        }
    }

    /// Waits until a request may be sent, in the order of who asks.
    async fn next_slot(&self) -> Slot<'_> {
        // Neither semaphore is ever closed.
        let concurrency = match &self.concurrency {
            Some(semaphore) => semaphore.acquire().await.ok(),
            None => None,
        };
        let place = match &self.budget {
            Some(log) => log.place().await,
            None => None,
        };
        while let Some(wait) = self.quiet() {
            clock::sleep(wait).await;
        }
        let place = place.map(|mut place| {
            place.unused = None;
            place
        });
        Slot { _concurrency: concurrency, _place: place }
    }

    /// For how long nothing is to be sent yet.
    fn quiet(&self) -> Option<Duration> {
        let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.map(|until| until.saturating_duration_since(clock::instant())).filter(|wait| !wait.is_zero())
    }

    /// Takes note of what the headers of an answer say is left.
    pub(super) fn note(&self, headers: &HeaderMap) {
        if let Some(wait) = headers::wait(headers, &self.headers, clock::now()) {
            self.keep_quiet(wait);
        }
    }

    /// Sends nothing for so long, if it is not too long.
    pub(super) fn keep_quiet(&self, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        if wait > self.max_wait {
            tracing::warn!(host = self.host, ?wait, limit = ?self.max_wait, "the API's rate limit is used up for too long to wait for it");
            return;
        }
        let until = clock::instant() + wait;
        let mut quiet_until = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        if quiet_until.is_none_or(|known| known < until) {
            // Requests that were under way together say it again, some moments apart.
            if quiet_until.is_none_or(|known| known + Duration::from_secs(1) < until) {
                tracing::info!(host = self.host, ?wait, "the API's rate limit is used up: waiting");
            }
            *quiet_until = Some(until);
        }
    }
}

impl Log {
    async fn place(&self) -> Option<Place<'_>> {
        let permit = self.places.acquire().await.ok()?;
        let free = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let now = clock::instant();
            match state.free.front().copied() {
                Some(free) if free <= now || state.fresh == 0 => {
                    state.free.pop_front();
                    free
                }
                _ => {
                    state.fresh = state.fresh.saturating_sub(1);
                    now
                }
            }
        };
        let place = Place { log: self, unused: Some(free), _permit: permit };
        clock::sleep(free.saturating_duration_since(clock::instant())).await;
        Some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.log.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.unused {
            Some(free) => state.free.push_front(free),
            None => state.free.push_back(clock::instant() + self.log.window),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn limits(requests: u32, window: Duration) -> Limits {
        Limits { budget: NonZeroU32::new(requests).map(|requests| Budget { requests, window }), ..Limits::default() }
    }

    /// The greatest number of arrivals in any window of this length that is open at one end.
    fn most_in_a_window(arrivals: &[Instant], window: Duration) -> usize {
        let within = |from: Instant| arrivals.iter().filter(|at| (from..from + window).contains(at)).count();
        arrivals.iter().map(|from| within(*from)).max().unwrap_or_default()
    }

    /// What the server sees of `count` requests by 8 workers, each on its way for up to `latency` in each direction.
    async fn arrivals(limiter: Limiter, count: usize, latency: Duration) -> Vec<Instant> {
        let limiter = Arc::new(limiter);
        let left = Arc::new(std::sync::atomic::AtomicUsize::new(count));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..8 {
            let (limiter, left, seen) = (Arc::clone(&limiter), Arc::clone(&left), Arc::clone(&seen));
            workers.spawn(async move {
                let mut random = fastrand::Rng::with_seed(worker);
                let taken = |left: usize| left.checked_sub(1);
                let order = std::sync::atomic::Ordering::Relaxed;
                while left.fetch_update(order, order, taken).is_ok() {
                    let slot = limiter.slot(Priority::Live).await;
                    clock::sleep(latency.mul_f64(random.f64())).await;
                    seen.lock().unwrap().push(clock::instant());
                    clock::sleep(latency.mul_f64(random.f64())).await;
                    drop(slot);
                }
            });
        }
        workers.join_all().await;
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_ever_has_more_than_the_budget() {
        let window = Duration::from_secs(10);
        for (requests, latency) in [(1, 0), (5, 300), (7, 4_000), (20, 30)] {
            let limiter = Limiter::new("a".to_owned(), &limits(requests, window));
            let began = clock::instant();
            let seen = arrivals(limiter, 100, Duration::from_millis(latency)).await;
            assert_eq!(seen.len(), 100);
            let most = most_in_a_window(&seen, window);
            assert!(most <= requests as usize, "{most} of {requests}");
            let windows = began.elapsed().as_secs_f64() / 10.0;
            let fewest = 100.0 / f64::from(requests) - 1.0;
            assert!(windows < fewest * 2.0 + 2.0, "the budget is used: {windows} windows for {fewest}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_under_way_at_once_and_no_more() {
        let limits = Limits { concurrency: NonZeroU32::new(2), ..Limits::default() };
        let limiter = Limiter::new("a".to_owned(), &limits);
        let (first, second) = (limiter.slot(Priority::Live).await, limiter.slot(Priority::Live).await);
        let third = tokio::time::timeout(Duration::from_secs(60), limiter.slot(Priority::Live)).await;
        assert!(third.is_err(), "a third must wait");
        drop(first);
        let third = tokio::time::timeout(Duration::from_secs(60), limiter.slot(Priority::Live)).await;
        assert!(third.is_ok());
        drop(second);
    }

    #[tokio::test(start_paused = true)]
    async fn live_requests_go_first_and_backfill_takes_what_is_left() {
        let once = Limits { concurrency: NonZeroU32::new(1), ..Limits::default() };
        for limits in [once, limits(2, Duration::from_secs(10))] {
            let limiter = Arc::new(Limiter::new("a".to_owned(), &limits));
            let order = Arc::new(Mutex::new(Vec::new()));
            let mut all = tokio::task::JoinSet::new();
            // The backfill waits already when the live requests come.
            for priority in [[Priority::Backfill; 6], [Priority::Live; 6]].concat() {
                let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
                all.spawn(async move {
                    if priority == Priority::Live {
                        clock::sleep(Duration::from_millis(500)).await;
                    }
                    let slot = limiter.slot(priority).await;
                    order.lock().unwrap().push(priority);
                    clock::sleep(Duration::from_secs(1)).await;
                    drop(slot);
                });
            }
            all.join_all().await;
            let order = order.lock().unwrap().clone();
            let before = order.iter().position(|priority| *priority == Priority::Live).unwrap();
            assert!((1..=2).contains(&before), "only what had been sent before: {order:?}");
            let expected =
                [vec![Priority::Backfill; before], vec![Priority::Live; 6], vec![Priority::Backfill; 6 - before]];
            assert_eq!(order, expected.concat());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_was_not_sent_gives_its_place_back() {
        let limiter = Limiter::new("a".to_owned(), &limits(1, Duration::from_secs(10)));
        limiter.keep_quiet(Duration::from_secs(5));
        let cancelled = tokio::time::timeout(Duration::from_secs(1), limiter.slot(Priority::Live)).await;
        assert!(cancelled.is_err());
        let began = clock::instant();
        drop(limiter.slot(Priority::Live).await);
        assert_eq!(began.elapsed().as_secs(), 4, "only the rest of the quiet");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_api_asks_for_holds_for_all_unless_it_is_too_long() {
        let limiter = Limiter::new("a".to_owned(), &Limits::default());
        let waited = async || {
            let began = clock::instant();
            drop(limiter.slot(Priority::Live).await);
            began.elapsed().as_secs()
        };
        limiter.keep_quiet(Duration::from_secs(600));
        limiter.keep_quiet(Duration::from_secs(3));
        assert_eq!(waited().await, 600);
        limiter.keep_quiet(Duration::from_secs(601));
        assert_eq!(waited().await, 0);
    }
}
