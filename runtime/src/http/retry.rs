//! When to try a request again, and how long to wait before that.

use std::time::Duration;

use fastrand::Rng;

use super::actions::{Action, Actions};
use super::client::Client;
use super::error::HttpError;
use super::request::Request;
use super::response::{Begun, Response};
use super::status::StatusRanges;
use crate::clock;

/// When to try a request again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often to try again after the first try.
    pub max_retries: u32,
    /// No retry begins later than this after the first try.
    pub max_elapsed: Option<Duration>,
    /// How waits follow one another.
    pub backoff: Backoff,
    /// The first wait, or the greatest one that it is drawn from.
    pub initial: Duration,
    /// The longest wait of an exponential backoff.
    pub cap: Duration,
    /// The statuses that are tried again.
    pub statuses: StatusRanges,
    /// Whether a request that is not idempotent (RFC 9110 section 9.2.2) is tried again though the API may have acted on it.
    /// Requests here read, and a search is a POST often enough.
    pub repeats_all: bool,
    /// What is done with answers that need something else than their status says.
    pub actions: Actions,
    /// The longest wait that `Retry-After` may ask for. Beyond it the request fails at once, rather than have the
    /// stream stand still without a word.
    pub retry_after_limit: Duration,
}

/// How waits follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// A wait drawn uniformly from 0 up to the initial one doubled by every retry (“full jitter”), so that clients that
    /// failed together do not come back together.
    ExponentialWithJitter,
    /// The initial wait every time.
    Constant,
}

impl Default for RetryPolicy {
    /// Five retries in an exponential backoff from 3 s to 60 s, on `408,425,429,500-`, waiting at most 10 minutes as
    /// `Retry-After` asks.
    fn default() -> Self {
        Self {
            max_retries: 5,
            max_elapsed: None,
            backoff: Backoff::ExponentialWithJitter,
            initial: Duration::from_secs(3),
            cap: Duration::from_secs(60),
            statuses: StatusRanges::default(),
            repeats_all: true,
            actions: Actions::default(),
            retry_after_limit: Duration::from_secs(600),
        }
    }
}

impl RetryPolicy {
    /// The same, but with these statuses being no reason to try again.
    #[must_use]
    pub fn but_not(self, statuses: &StatusRanges) -> Self {
        Self { statuses: self.statuses.without(statuses), ..self }
    }

    /// Whether a request that failed so is not sent again, because it may have had an effect.
    fn refuses_to_repeat(&self, request: &Request, error: &HttpError) -> bool {
        !self.repeats_all
            && !request.method.is_idempotent()
            && error.is_retryable(self)
            && error.may_have_been_sent()
            && !error.was_refused()
    }

    /// The wait before the retry of this number, counted from 0.
    fn wait(&self, retry: u32, rng: &mut Rng) -> Duration {
        match self.backoff {
            Backoff::Constant => self.initial,
            Backoff::ExponentialWithJitter => {
                let factor = 1_u32.checked_shl(retry).unwrap_or(u32::MAX);
                self.initial.saturating_mul(factor).min(self.cap).mul_f64(rng.f64())
            }
        }
    }
}

/// A retry that is about to be waited for.
#[derive(Clone, Copy, Debug)]
pub struct Retry<'a> {
    /// Its number, counted from 1.
    pub number: u32,
    /// How long to wait before it.
    pub wait: Duration,
    /// How the last try failed.
    pub error: &'a HttpError,
}

/// A try that failed, and what the rules say about it.
#[derive(Debug)]
pub struct Failed {
    error: HttpError,
    action: Option<Action>,
}

impl From<HttpError> for Failed {
    fn from(error: HttpError) -> Self {
        Self { error, action: None }
    }
}

impl From<Failed> for HttpError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Sends a request, reads the response to its end, and sends it again as long as the policy says so. Each retry is logged
/// and told to `on_retry`.
///
/// # Errors
///
/// As [`with_retry`].
pub async fn send_with_retry(
    client: &Client,
    request: &Request,
    policy: &RetryPolicy,
    on_retry: impl FnMut(&Retry<'_>),
) -> Result<Response, HttpError> {
    let limit = client.max_response_bytes();
    let attempt = || async { Ok(begin(client, request, policy, limit).await?.complete(limit).await?) };
    with_retry(policy, attempt, on_retry).await
}

/// Makes an attempt, and makes it again as long as the policy says so. Each retry is logged and told to `on_retry`.
///
/// # Errors
///
/// The error of the last try: as it is if it is not one to try again; otherwise in [`HttpError::GaveUp`], or in
/// [`HttpError::RetryAfter`] if the API asks for too long a wait.
pub async fn with_retry<T, F: Future<Output = Result<T, Failed>>>(
    policy: &RetryPolicy,
    attempt: impl FnMut() -> F,
    on_retry: impl FnMut(&Retry<'_>),
) -> Result<T, HttpError> {
    retry(policy, Rng::new(), attempt, on_retry).await
}

/// Sends a request once, as [`Client::begin`] does, and judges the answer by the policy's rules; of a large one, by what
/// has come.
///
/// # Errors
///
/// What failed.
pub async fn begin(client: &Client, request: &Request, policy: &RetryPolicy, at_once: usize) -> Result<Begun, Failed> {
    let begun = match client.begin(request, at_once).await {
        Ok(begun) => begun,
        Err(error) => return judge_failure(client, request, policy, error).await,
    };
    match policy.actions.of(begun.head().status, begun.start()) {
        None => Ok(begun),
        Some(Action::Empty) => Ok(begun.emptied()),
        action => Err(Failed { error: client.refusal(&begun), action }),
    }
}

/// What comes of a failure.
async fn judge_failure(
    client: &Client,
    request: &Request,
    policy: &RetryPolicy,
    error: HttpError,
) -> Result<Begun, Failed> {
    let action = match &error {
        HttpError::Status { status, body, .. } => policy.actions.of(*status, body.as_it_came().as_bytes()),
        _ => None,
    };
    match action {
        Some(Action::Empty) => return Ok(client.nothing(request)?),
        Some(Action::Refresh) => client.refresh().await,
        Some(Action::Retry | Action::Fail | Action::Detour(_)) => {}
        None if policy.refuses_to_repeat(request, &error) => {
            return Err(HttpError::NotRepeated { method: request.method, source: Box::new(error) }.into());
        }
        None => {}
    }
    Err(Failed { error, action })
}

async fn retry<T, F: Future<Output = Result<T, Failed>>>(
    policy: &RetryPolicy,
    mut rng: Rng,
    mut attempt: impl FnMut() -> F,
    mut on_retry: impl FnMut(&Retry<'_>),
) -> Result<T, HttpError> {
    let began = clock::instant();
    let mut retries = 0;
    loop {
        let Failed { error, action } = match attempt().await {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        let again = match action {
            Some(Action::Retry | Action::Refresh) => true,
            Some(Action::Fail | Action::Empty) => false,
            Some(Action::Detour(detour)) => return Err(HttpError::Detour { detour, source: Box::new(error) }),
            None => error.is_retryable(policy),
        };
        if !again {
            return Err(error);
        }
        let wait = match error {
            HttpError::Status { retry_after: Some(wait), .. } if wait > policy.retry_after_limit => {
                let limit = policy.retry_after_limit;
                return Err(HttpError::RetryAfter { wait, limit, source: Box::new(error) });
            }
            HttpError::Status { retry_after: Some(wait), .. } => wait,
            // A new token needs no time to become good.
            _ if action == Some(Action::Refresh) && retries == 0 => Duration::ZERO,
            _ => policy.wait(retries, &mut rng),
        };
        let too_late = policy.max_elapsed.is_some_and(|limit| began.elapsed().saturating_add(wait) > limit);
        if retries >= policy.max_retries || too_late {
            return Err(HttpError::GaveUp { tries: retries.saturating_add(1), source: Box::new(error) });
        }
        retries += 1;
        tell(&Retry { number: retries, wait, error: &error }, &mut on_retry);
        clock::sleep(wait).await;
    }
}

fn tell(retry: &Retry<'_>, on_retry: &mut impl FnMut(&Retry<'_>)) {
    tracing::warn!(
        error = %retry.error,
        cause = std::error::Error::source(retry.error).map(tracing::field::display),
        wait = ?retry.wait,
        retry = retry.number,
        "the request failed and is tried again"
    );
    on_retry(retry);
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::error::FailureContent;
    use super::*;

    fn status(status: u16, retry_after: Option<u64>) -> HttpError {
        HttpError::Status {
            url: "http://a/".to_owned(),
            status,
            body: FailureContent::new(String::new(), false),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    /// What the tries lead to, and the waits between them.
    async fn run(
        policy: &RetryPolicy,
        script: Vec<Result<&'static str, HttpError>>,
    ) -> (Result<&'static str, HttpError>, Vec<Duration>) {
        let began = clock::instant();
        let script = RefCell::new(script.into_iter());
        let mut waits = Vec::new();
        let attempt = || {
            let next = script.borrow_mut().next();
            async move { next.expect("a try too many").map_err(Failed::from) }
        };
        let result = retry(policy, Rng::with_seed(7), attempt, |retry| {
            assert_eq!(retry.number as usize, waits.len() + 1);
            waits.push(retry.wait);
        })
        .await;
        assert_eq!(script.borrow().len(), 0, "a try too few");
        // Tokio's timer counts in whole milliseconds.
        let slept = began.elapsed();
        let sum: Duration = waits.iter().sum();
        assert!(slept >= sum && slept <= sum + Duration::from_millis(waits.len() as u64), "{slept:?} {sum:?}");
        (result, waits)
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_waited_out() {
        let policy = RetryPolicy { backoff: Backoff::Constant, ..RetryPolicy::default() };
        let (result, waits) = run(&policy, vec![Err(status(503, None)), Err(status(500, None)), Ok("done")]).await;
        assert_eq!(result.unwrap(), "done");
        assert_eq!(waits, [Duration::from_secs(3); 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_failure_is_given_up() {
        let policy = RetryPolicy { max_retries: 2, backoff: Backoff::Constant, ..RetryPolicy::default() };
        let (result, _) = run(&policy, (0..3).map(|_| Err(status(503, None))).collect()).await;
        let error = result.unwrap_err();
        assert!(matches!(error, HttpError::GaveUp { tries: 3, .. }), "{error:?}");
        assert_eq!(error.status(), Some(503));

        let none = RetryPolicy { max_retries: 0, ..policy };
        let (result, _) = run(&none, vec![Err(status(503, None))]).await;
        assert!(matches!(result, Err(HttpError::GaveUp { tries: 1, .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_will_not_pass_is_returned_at_once() {
        let (result, waits) = run(&RetryPolicy::default(), vec![Err(status(404, None))]).await;
        assert!(matches!(result, Err(HttpError::Status { status: 404, .. })));
        assert!(waits.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_obeyed_up_to_a_limit() {
        let script = vec![Err(status(429, Some(120))), Err(status(403, Some(0))), Ok("done")];
        let (result, waits) = run(&RetryPolicy::default(), script).await;
        assert_eq!(result.unwrap(), "done");
        assert_eq!(waits, [Duration::from_secs(120), Duration::ZERO]);

        let (result, waits) = run(&RetryPolicy::default(), vec![Err(status(429, Some(601)))]).await;
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), "the API asks to wait for 601s, more than the limit of 600s");
        assert_eq!(error.status(), Some(429));
        assert!(waits.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_retry_begins_after_the_limit() {
        let policy = RetryPolicy {
            max_retries: u32::MAX,
            max_elapsed: Some(Duration::from_secs(7)),
            backoff: Backoff::Constant,
            ..RetryPolicy::default()
        };
        let (result, waits) = run(&policy, (0..3).map(|_| Err(status(503, None))).collect()).await;
        assert!(matches!(result, Err(HttpError::GaveUp { tries: 3, .. })));
        assert_eq!(waits.len(), 2);
    }

    #[test]
    fn waits_grow_to_the_cap_and_are_spread_below_it() {
        let policy = RetryPolicy::default();
        let mut rng = Rng::with_seed(1);
        for (retry, most) in [(0, 3), (1, 6), (2, 12), (3, 24), (4, 48), (5, 60), (31, 60), (32, 60), (u32::MAX, 60)] {
            let most = Duration::from_secs(most);
            let waits: Vec<_> = (0..200).map(|_| policy.wait(retry, &mut rng)).collect();
            assert!(waits.iter().all(|wait| *wait <= most), "{retry}");
            assert!(waits.iter().any(|wait| *wait > most.mul_f64(0.9)), "{retry}");
            assert!(waits.iter().any(|wait| *wait < most.mul_f64(0.1)), "{retry}");
        }
    }

    #[test]
    fn can_run_on_any_thread() {
        fn is_send(_: &impl Send) {}
        let client = Client::new(crate::http::ClientSettings::new("http://a".parse().unwrap())).unwrap();
        let (request, policy) = (Request::get("/"), RetryPolicy::default());
        is_send(&send_with_retry(&client, &request, &policy, |_| {}));
    }
}
