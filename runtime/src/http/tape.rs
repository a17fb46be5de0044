//! What is asked and answered, kept in a recording, or answered from one without a network.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use reqwest::ResponseBuilderExt as _;
use reqwest::header::HeaderMap;
use url::Url;

use super::error::{Cause, HttpError};
use super::request::Request;
use super::url::shown;
use crate::secret::Secret;

/// How large a response may be that is recorded, in bytes: all of it is held until the recording ends.
const MAX_RECORDED: usize = 64 << 20;

/// Headers of responses that say nothing of their content: they are about the connection, the moment or the session, or
/// tell who asks. `Content-Encoding` is among them because content is kept decompressed.
const NOT_KEPT: [&str; 22] = [
    "alt-svc",
    "authentication-info",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "retry-after",
    "server-timing",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "transfer-encoding",
    "www-authenticate",
    "x-amz-security-token",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
];

/// Whether a client's requests are recorded, or answered from a recording.
#[derive(Clone, Debug, Default)]
pub enum Tape {
    /// They are sent, and that is all.
    #[default]
    Off,
    /// They are sent and recorded.
    Recording(Recorder),
    /// They are not sent.
    Replaying(Player),
}

/// A request of an operation as it is recorded: without what authenticates it, and without the API's host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers that belong to the operation.
    pub headers: Vec<(String, String)>,
    /// The content, if it carries some.
    pub body: Option<Bytes>,
}

/// The response to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Path and query of where redirects led to, if they led anywhere.
    pub redirected: Option<String>,
    /// The headers that say something of the content, by their names.
    pub headers: Vec<(String, String)>,
    /// The content, decompressed.
    pub body: Bytes,
}

/// A request and its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The id of the operation that asked.
    pub operation: String,
    /// What was asked.
    pub asked: Asked,
    /// What was answered.
    pub answered: Answered,
}

/// What the clients of a connector have recorded. Clones are the same recording.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    exchanges: Vec<Exchange>,
    credentials: Vec<Secret>,
}

impl Recording {
    /// What one operation records.
    pub fn of(&self, operation: &str) -> Tape {
        Tape::Recording(Recorder { operation: operation.to_owned(), recording: self.clone() })
    }

    /// All exchanges so far, in the order in which their responses came.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().exchanges.clone()
    }

    /// What requests carried to be let in, and the cookies that responses have set.
    pub fn credentials(&self) -> Vec<Secret> {
        self.lock().credentials.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records what one operation asks.
#[derive(Clone, Debug)]
pub struct Recorder {
    operation: String,
    recording: Recording,
}

impl Recorder {
    /// Takes note of what a request shows to be let in, which must not be found in what is recorded: neither with the scheme
    /// nor without.
    pub(super) fn note_credential(&self, credential: &Secret) {
        let alone = credential.expose().rsplit(' ').next().unwrap_or_default();
        let mut recorded = self.recording.lock();
        for secret in [credential.clone(), Secret::new(alone)] {
            if !recorded.credentials.contains(&secret) {
                recorded.credentials.push(secret);
            }
        }
    }

    /// Reads a response to its end and keeps it; what comes back reads as the response itself.
    pub(super) async fn keep(
        &self,
        request: &Request,
        url: &Url,
        mut response: reqwest::Response,
    ) -> Result<reqwest::Response, HttpError> {
        let mut body = BytesMut::new();
        loop {
            let chunk = response.chunk().await;
            let chunk =
                chunk.map_err(|error| HttpError::Content { url: shown(url), source: Cause::innermost(&error) })?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > MAX_RECORDED {
                return Err(HttpError::TooLarge { url: shown(url), limit: MAX_RECORDED });
            }
            body.extend_from_slice(&chunk);
        }
        for cookie in response.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            // RFC 6265 section 4.1: a name, its value, and what is said of them.
            let value = cookie.split(';').next().and_then(|pair| pair.split_once('=')).map(|(_, value)| value.trim());
            value.into_iter().for_each(|value| self.note_credential(&Secret::new(value)));
        }
        let redirected = target(response.url());
        let answered = Answered {
            status: response.status().as_u16(),
            redirected: (redirected != target(url)).then_some(redirected),
            headers: kept(response.headers()),
            body: body.freeze(),
        };
        let replayed = answered.response(url)?;
        let exchange = Exchange { operation: self.operation.clone(), asked: Asked::new(request, url), answered };
        self.recording.lock().exchanges.push(exchange);
        Ok(replayed)
    }
}

/// The answers of a recording that have not been given yet, by who asked what. Clones share them.
#[derive(Clone, Debug)]
pub struct Playback(Arc<Mutex<Answers>>);

type Answers = BTreeMap<(String, Asked), VecDeque<Answered>>;

impl Playback {
    /// Answers as they were recorded: each once, those to the same request in their order.
    pub fn new(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let mut answers = Answers::new();
        for Exchange { operation, asked, answered } in exchanges {
            answers.entry((operation, asked)).or_default().push_back(answered);
        }
        Self(Arc::new(Mutex::new(answers)))
    }

    /// What answers one operation.
    pub fn of(&self, operation: &str) -> Tape {
        Tape::Replaying(Player { operation: operation.to_owned(), playback: self.clone() })
    }
}

/// Answers what one operation asks.
#[derive(Clone, Debug)]
pub struct Player {
    operation: String,
    playback: Playback,
}

impl Player {
    /// The recorded response to a request.
    pub(super) fn answer(&self, request: &Request, url: &Url) -> Result<reqwest::Response, HttpError> {
        let mut answers = self.playback.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.operation.clone(), Asked::new(request, url));
        if let Some(answered) = answers.get_mut(&key).and_then(VecDeque::pop_front) {
            return answered.response(url);
        }
        let wanted = key.1.line();
        let others = answers.keys().filter(|(operation, _)| *operation == self.operation).map(|(_, asked)| asked);
        let nearest = others.min_by_key(|asked| (strsim::levenshtein(&asked.line(), &wanted), asked.line()));
        let nearest = nearest.map(|asked| match asked.line() {
            line if line != wanted => format!("`{line}`"),
            _ if *asked == key.1 => "the same, which was asked for less often".to_owned(),
            _ => "the same with other headers or another body".to_owned(),
        });
        Err(HttpError::NotRecorded { operation: self.operation.clone(), request: wanted, nearest })
    }
}

impl Asked {
    fn new(request: &Request, url: &Url) -> Self {
        Self {
            method: request.method.as_str().to_owned(),
            target: target(url),
            headers: request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
            body: request.body.as_ref().map(|body| body.bytes.clone()),
        }
    }

    /// Method and target, for messages.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

impl Answered {
    /// The response as the client reads it, to a request for `url`.
    fn response(&self, url: &Url) -> Result<reqwest::Response, HttpError> {
        let url = match &self.redirected {
            Some(target) => url.join(target).unwrap_or_else(|_| url.clone()),
            None => url.clone(),
        };
        let mut builder = ::http::Response::builder().status(self.status).url(url);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let built = builder.body(reqwest::Body::from(self.body.clone()));
        let built = built.map_err(|error| HttpError::Setup { source: Cause::innermost(&error) })?;
        Ok(built.into())
    }
}

/// Path and query.
fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// The headers that are kept, by name; those of one name in their order. What is no text cannot be written down.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let mut kept: Vec<_> = text
        .filter(|(name, _)| !NOT_KEPT.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    kept.sort_by(|(left, _), (right, _)| left.cmp(right));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;

    fn exchange(target: &str, body: &'static str) -> Exchange {
        let asked = Asked { method: "GET".to_owned(), target: target.to_owned(), headers: Vec::new(), body: None };
        let answered = Answered { status: 200, redirected: None, headers: Vec::new(), body: body.into() };
        Exchange { operation: "items".to_owned(), asked, answered }
    }

    async fn ask(player: &Tape, target: &'static str) -> Result<String, String> {
        let Tape::Replaying(player) = player else { panic!("a player") };
        let url = format!("http://api.test{target}").parse().unwrap();
        let response = player.answer(&Request::get("/items"), &url).map_err(|error| error.to_string())?;
        Ok(response.text().await.unwrap())
    }

    #[tokio::test]
    async fn each_answer_is_given_once_and_what_is_missing_is_named() {
        let playback = Playback::new([
            exchange("/items?page=1", "first"),
            exchange("/items?page=1", "second"),
            exchange("/items?page=2", "third"),
        ]);
        let player = playback.of("items");
        assert_eq!(ask(&player, "/items?page=1").await.unwrap(), "first");
        assert_eq!(ask(&player, "/items?page=2").await.unwrap(), "third");
        assert_eq!(ask(&player, "/items?page=1").await.unwrap(), "second");
        assert_eq!(
            ask(&player, "/items?page=1").await.unwrap_err(),
            "the cassette has no answer for `items` to `GET /items?page=1`; the nearest it has is the same, which was \
             asked for less often"
        );
        assert_eq!(
            ask(&player, "/items?page=22").await.unwrap_err(),
            "the cassette has no answer for `items` to `GET /items?page=22`; the nearest it has is `GET /items?page=2`"
        );
        assert_eq!(
            ask(&playback.of("other"), "/other").await.unwrap_err(),
            "the cassette has no answer for `other` to `GET /other`, nor to anything else it asks"
        );
    }

    #[test]
    fn headers_of_the_session_are_not_kept() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-next", "2"), ("set-cookie", "s=1"), ("date", "now"), ("link", "<a>"), ("link", "<b>")]
        {
            headers.append(name, value.parse().unwrap());
        }
        let kept = kept(&headers);
        let pairs: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("link", "<a>"), ("link", "<b>"), ("x-next", "2")]);
    }
}
