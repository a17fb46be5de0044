//! Where a request goes: its target below the API's base URL, and never off the base URL's origin.

use url::{Origin, Url};

use super::error::HttpError;
use super::request::{Target, percent_encode};

/// The API's base URL.
#[derive(Clone, Debug)]
pub(super) struct Base {
    url: Url,
}

impl Base {
    /// Takes a base URL that has a scheme, a host and perhaps a path, and nothing else.
    pub(super) fn new(url: Url) -> Result<Self, HttpError> {
        let reason = if !matches!(url.scheme(), "http" | "https") {
            "is neither `http` nor `https`"
        } else if !url.username().is_empty() || url.password().is_some() {
            "holds credentials, which would be seen wherever it is shown"
        } else if url.query().is_some() || url.fragment().is_some() {
            "has a query or a fragment"
        } else {
            return Ok(Self { url });
        };
        Err(HttpError::BaseUrl { url: shown(&url), reason })
    }

    pub(super) fn origin(&self) -> Origin {
        self.url.origin()
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The URL of a path below the base URL.
    fn below(&self, path: &str, query: Option<&str>) -> Result<Url, HttpError> {
        if path.split('/').any(is_dot_segment) {
            let reason = "has a `.` or `..` segment, which leads elsewhere (RFC 3986 section 5.2.4)";
            return Err(HttpError::Target { target: path.to_owned(), reason });
        }
        let mut url = self.url.clone();
        let below = url.path().trim_end_matches('/');
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        url.set_path(&format!("{below}{slash}{path}"));
        url.set_query(query);
        Ok(url)
    }

    /// The URL of a target.
    pub(super) fn resolve(&self, target: &Target) -> Result<Url, HttpError> {
        match target {
            Target::Relative { path, query } => {
                self.below(path, (!query.is_empty()).then(|| encode_query(query)).as_deref())
            }
            Target::Written(text) => match text.split_once('?') {
                Some((path, query)) => self.below(path, Some(query)),
                None => self.below(text, None),
            },
            Target::Absolute(text) => {
                let url = self.url.join(text).map_err(|_| HttpError::Target {
                    target: text.split(['?', '#']).next().unwrap_or_default().to_owned(),
                    reason: "is not a URL",
                })?;
                if url.origin() != self.origin() {
                    let origin = self.origin().ascii_serialization();
                    return Err(HttpError::ForeignOrigin { url: shown(&url), origin });
                }
                Ok(url)
            }
        }
    }
}

/// The URL Standard takes `%2e` for a dot.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// In names, as in the values already, everything but what is meant to be reserved is percent-encoded, a space as `%20`: both a reader of RFC 3986 and one of
/// `application/x-www-form-urlencoded` understand that.
fn encode_query(query: &[(impl AsRef<str>, String)]) -> String {
    let mut text = String::new();
    for (name, value) in query {
        if !text.is_empty() {
            text.push('&');
        }
        percent_encode(name.as_ref(), &mut text);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// A URL for messages: queries and user information can hold secrets.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // These fail only for a URL that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;

    fn base(text: &str) -> Base {
        Base::new(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_path_goes_below_the_base_path() {
        for (base_url, path, url) in [
            ("https://a", "/items", "https://a/items"),
            ("https://a/", "/items", "https://a/items"),
            ("https://a/api/v1", "/items", "https://a/api/v1/items"),
            ("https://a/api/v1/", "/items", "https://a/api/v1/items"),
            ("https://a/api/v1/", "items", "https://a/api/v1/items"),
            ("https://a/api/v1", "", "https://a/api/v1"),
            ("https://a/api", "/", "https://a/api/"),
            ("https://a:8443", "/a%2Fb", "https://a:8443/a%2Fb"),
            ("https://a", "/what?#", "https://a/what%3F%23"),
        ] {
            let target = Target::Relative { path: path.to_owned(), query: Vec::new() };
            assert_eq!(base(base_url).resolve(&target).unwrap().as_str(), url);
        }
    }

    #[test]
    fn query_values_survive() {
        let request = Request::get("/x")
            .query("since", &"2024-01-01T00:00:00+02:00".to_owned())
            .query("q", &"a b&c=d/é+%".to_owned())
            .query("filter[name]", &"x".to_owned())
            .query("empty", &String::new());
        let url = base("http://a").resolve(&request.target).unwrap();
        assert_eq!(
            url.query(),
            Some("since=2024-01-01T00%3A00%3A00%2B02%3A00&q=a%20b%26c%3Dd%2F%C3%A9%2B%25&filter%5Bname%5D=x&empty=")
        );
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs[0].1, "2024-01-01T00:00:00+02:00");
        assert_eq!(pairs[1].1, "a b&c=d/é+%");
    }

    #[test]
    fn what_is_written_stays_as_it_is() {
        let base = base("https://a/api/");
        for (written, url) in [
            ("/items?ids=1,2&q=a+b&flag", "https://a/api/items?ids=1,2&q=a+b&flag"),
            ("items%2F1", "https://a/api/items%2F1"),
            ("?page=2", "https://a/api?page=2"),
            ("", "https://a/api"),
        ] {
            assert_eq!(base.resolve(&Target::Written(written.to_owned())).unwrap().as_str(), url);
        }
        assert!(base.resolve(&Target::Written("/a/../b?x=..".to_owned())).is_err());
    }

    #[test]
    fn dots_lead_nowhere_else() {
        for path in ["/a/../b", "/.", "/a/%2e%2E/b"] {
            let target = Target::Relative { path: path.to_owned(), query: Vec::new() };
            let error = base("http://a/api").resolve(&target).unwrap_err();
            assert!(matches!(error, HttpError::Target { .. }), "{error}");
        }
    }

    #[test]
    fn a_url_of_the_api_stays_on_its_origin() {
        let base = base("https://api.example.com/v1");
        for (text, url) in [
            ("https://api.example.com/v2?page=2&x=a%20b", "https://api.example.com/v2?page=2&x=a%20b"),
            ("https://API.example.com:443/v1?c=%2F", "https://api.example.com/v1?c=%2F"),
            ("/v1/items?page=2", "https://api.example.com/v1/items?page=2"),
        ] {
            assert_eq!(base.resolve(&Target::Absolute(text.to_owned())).unwrap().as_str(), url);
        }
        for text in [
            "https://evil.example.com/v1?token=t0ken",
            "http://api.example.com/v1",
            "https://api.example.com:8443/v1",
            "//evil.example.com/v1",
            "file:///etc/passwd",
        ] {
            let error = base.resolve(&Target::Absolute(text.to_owned())).unwrap_err();
            assert!(matches!(error, HttpError::ForeignOrigin { .. }), "{error}");
            assert!(!error.to_string().contains("t0ken"));
        }
        let error = base.resolve(&Target::Absolute("https://[bad?token=t0ken".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "the target `https://[bad` is not a URL");
    }

    #[test]
    fn a_base_url_is_no_place_for_secrets() {
        for text in ["ftp://a", "https://user:s3cr3t@a/b", "https://a?key=s3cr3t", "https://a#x"] {
            let error = Base::new(text.parse().unwrap()).unwrap_err();
            assert!(matches!(error, HttpError::BaseUrl { .. }));
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
    }
}
