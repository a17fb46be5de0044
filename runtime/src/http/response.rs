//! A response: read to its end, or on its way.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, LINK};
use url::Url;

use super::error::{Cause, HttpError};
use crate::page::next_link;

/// A response with a status of success, decompressed.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code, from 200 to 299; or 304, if the request asked for another version only.
    pub status: u16,
    /// The content, or the part of it that is being read.
    pub body: Bytes,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

impl Response {
    /// The same without content, and without headers that could lead on.
    pub(super) fn emptied(self) -> Self {
        Self { body: Bytes::new(), headers: HeaderMap::new(), ..self }
    }

    /// A response from `url` that has no content (RFC 9110 section 15.3.5); `None` if that is no URL.
    pub(super) fn without_content(url: &str) -> Option<Self> {
        Some(Self { status: 204, body: Bytes::new(), url: url.parse().ok()?, headers: HeaderMap::new() })
    }

    /// The value of a header; of several with this name, the first. A value that is not visible ASCII counts as absent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The absolute URL of the next page, by the `Link` headers (RFC 8288), which count as one list (RFC 9110
    /// section 5.3).
    pub fn next_link(&self) -> Option<String> {
        let values: Vec<_> =
            self.headers.get_all(LINK).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        next_link(&values.join(", ")).map(|link| self.resolve(link))
    }

    /// A URL that the response names, made absolute against the URL that it came from (RFC 3986 section 5.2). What is
    /// no URL stays as it is: asking for it is an error, which forgetting it would hide.
    pub fn resolve(&self, reference: &str) -> String {
        self.url.join(reference).map_or_else(|_| reference.to_owned(), String::from)
    }
}

/// A response with a status of success whose content is on its way.
#[derive(Debug)]
pub struct Begun {
    head: Response,
    /// `None`: it has ended.
    rest: Option<reqwest::Response>,
    /// What has come and was not yet taken.
    held: BytesMut,
    /// The URL that was asked, for messages.
    shown: String,
    timeout: Duration,
}

impl Begun {
    pub(super) fn new(head: Response, rest: reqwest::Response, shown: String, timeout: Duration) -> Self {
        Self { head, rest: Some(rest), held: BytesMut::new(), shown, timeout }
    }

    /// A response that has come to its end.
    pub(super) fn ended(mut head: Response) -> Self {
        let held = std::mem::take(&mut head.body).into();
        Self { head, rest: None, held, shown: String::new(), timeout: Duration::ZERO }
    }

    /// The same without content, and without headers that could lead on.
    pub(super) fn emptied(self) -> Self {
        Self::ended(self.head.emptied())
    }

    /// Status and headers; the content is not in it.
    pub fn head(&self) -> &Response {
        &self.head
    }

    /// What has come of the content and was not yet taken.
    pub fn start(&self) -> &[u8] {
        &self.held
    }

    /// Whether the content has come to its end; then what has not been taken is all that is left of it.
    pub fn has_ended(&self) -> bool {
        self.rest.is_none()
    }

    /// Waits until the content ends or more than `length` bytes of it are held.
    pub(super) async fn fill(&mut self, length: usize) -> Result<(), HttpError> {
        /// A length that the API only claims is not worth more memory than this.
        const CLAIM: usize = 1 << 20;
        if length == 0 {
            return Ok(());
        }
        self.held.reserve(self.claimed().min(length).min(CLAIM).saturating_sub(self.held.len()));
        while self.held.len() <= length {
            match self.rest().await? {
                Some(chunk) => self.held.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(())
    }

    /// The next piece of the content; `None` after the last.
    ///
    /// # Errors
    ///
    /// If the content does not come to its end, cannot be decompressed, or takes too long.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        if !self.held.is_empty() {
            return Ok(Some(self.held.split().freeze()));
        }
        self.rest().await
    }

    /// The next piece of what has not come yet.
    async fn rest(&mut self) -> Result<Option<Bytes>, HttpError> {
        let Some(rest) = &mut self.rest else { return Ok(None) };
        let chunk = match rest.chunk().await {
            Ok(chunk) => chunk,
            Err(error) => return Err(self.cut(&error)),
        };
        if chunk.is_none() {
            self.rest = None;
        }
        Ok(chunk)
    }

    /// How long the API says that the content is, in bytes; 0 if it does not.
    fn claimed(&self) -> usize {
        let length = self.rest.as_ref().and_then(reqwest::Response::content_length);
        length.map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Reads the content to its end.
    ///
    /// # Errors
    ///
    /// As [`Begun::chunk`]; or if it is larger than `limit` bytes.
    pub async fn complete(mut self, limit: usize) -> Result<Response, HttpError> {
        let claimed = self.claimed();
        if claimed <= limit {
            self.fill(limit).await?;
        }
        if claimed > limit || self.held.len() > limit {
            return Err(HttpError::TooLarge { url: self.shown, limit });
        }
        Ok(Response { body: self.held.freeze(), ..self.head })
    }

    /// Why a response did not come to its end.
    fn cut(&self, error: &reqwest::Error) -> HttpError {
        let url = self.shown.clone();
        if error.is_timeout() {
            HttpError::Timeout { url, limit: self.timeout }
        } else {
            HttpError::Content { url, source: Cause::innermost(error) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(links: &[&'static str]) -> Response {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(LINK, link.parse().unwrap());
        }
        Response { status: 200, body: Bytes::new(), url: "https://a/v1/items?page=1".parse().unwrap(), headers }
    }

    #[test]
    fn the_next_link_is_absolute() {
        for (links, next) in [
            (vec![], None),
            (vec![r#"<https://a/v1/items?page=2>; rel="next""#], Some("https://a/v1/items?page=2")),
            (vec![r#"</v1/items?page=2>; rel="next""#], Some("https://a/v1/items?page=2")),
            (vec!["<?page=2>; rel=next"], Some("https://a/v1/items?page=2")),
            (vec!["<other?page=2>; rel=next"], Some("https://a/v1/other?page=2")),
            (vec!["</first>; rel=first", "</2>; rel=next"], Some("https://a/2")),
            (vec!["<https://[>; rel=next"], Some("https://[")),
        ] {
            assert_eq!(response(&links).next_link().as_deref(), next);
        }
        assert_eq!(response(&["<x>"]).header("LINK"), Some("<x>"));
    }
}
