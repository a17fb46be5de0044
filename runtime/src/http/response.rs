//! A response, read to its end.

use bytes::Bytes;
use reqwest::header::{HeaderMap, LINK};
use url::Url;

use crate::page::next_link;

/// A response with a status of success, read to its end and decompressed.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code, from 200 to 299.
    pub status: u16,
    /// The content.
    pub body: Bytes,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

impl Response {
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
