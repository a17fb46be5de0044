//! A request as an operation describes it: relative to the API's base URL, without authentication.

use std::borrow::Cow;

use bytes::Bytes;

/// An HTTP request method (RFC 9110 section 9, and RFC 5789 for PATCH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the methods of these names")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// One HTTP request, relative to the API's base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where the request goes.
    pub target: Target,
    /// Headers in the order sent.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// What it carries.
    pub body: Option<Body>,
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Value of the `Content-Type` header.
    pub content_type: Cow<'static, str>,
    /// The content.
    pub bytes: Bytes,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A path below the base URL, percent-encoded, and query parameters, not yet encoded.
    Relative {
        /// Begins with `/`.
        path: String,
        /// In the order sent; names may repeat.
        query: Vec<(Cow<'static, str>, String)>,
    },
    /// A path below the base URL, with its query if it has one, all of it percent-encoded already.
    Written(String),
    /// A URL that the API itself gave, as of its next page. It is only followed within the base URL's origin.
    Absolute(String),
}

impl Request {
    /// A GET request. `{name}` in the template stands for what [`Request::path`] puts in.
    pub fn get(template: &'static str) -> Self {
        Self::new(Method::Get, template)
    }

    /// A POST request. `{name}` in the template stands for what [`Request::path`] puts in.
    pub fn post(template: &'static str) -> Self {
        Self::new(Method::Post, template)
    }

    fn new(method: Method, template: &'static str) -> Self {
        Self {
            method,
            target: Target::Relative { path: template.to_owned(), query: Vec::new() },
            headers: Vec::new(),
            body: None,
        }
    }

    /// Puts a path parameter in, percent-encoded (OAS 3.0 parameter style `simple`).
    #[must_use]
    pub fn path(mut self, name: &str, value: &impl Parameter) -> Self {
        let mut text = String::new();
        value.each(&mut |part| {
            if !text.is_empty() {
                text.push(',');
            }
            percent_encode(part, &mut text);
        });
        if let Target::Relative { path, .. } = &mut self.target {
            *path = path.replace(&format!("{{{name}}}"), &text);
        }
        self
    }

    /// Adds a query parameter; a list repeats the name (OAS 3.0 style `form`, exploded), an absent value adds nothing.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: &impl Parameter) -> Self {
        if let Target::Relative { query, .. } = &mut self.target {
            value.each(&mut |part| query.push((Cow::Borrowed(name), part.to_owned())));
        }
        self
    }

    /// Adds a query parameter whose list is joined with `separator` (OAS 3.0 styles `form` not exploded,
    /// `spaceDelimited`, `pipeDelimited`).
    #[must_use]
    pub fn query_joined(mut self, name: &'static str, value: &impl Parameter, separator: &str) -> Self {
        let mut parts = Vec::new();
        value.each(&mut |part| parts.push(part.to_owned()));
        if let (Target::Relative { query, .. }, false) = (&mut self.target, parts.is_empty()) {
            query.push((Cow::Borrowed(name), parts.join(separator)));
        }
        self
    }

    /// Adds a header; an absent value adds nothing.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &impl Parameter) -> Self {
        let mut parts = Vec::new();
        value.each(&mut |part| parts.push(part.to_owned()));
        if !parts.is_empty() {
            self.headers.push((Cow::Borrowed(name), parts.join(",")));
        }
        self
    }

    /// Sets what the request carries.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(Body { content_type: content_type.into(), bytes: bytes.into() });
        self
    }

    /// Sets a query parameter, in place of one of the same name. Of an absolute target nothing changes: it is complete.
    pub(crate) fn set_query(&mut self, name: &str, value: String) {
        if let Target::Relative { query, .. } = &mut self.target {
            query.retain(|(existing, _)| existing != name);
            query.push((Cow::Owned(name.to_owned()), value));
        }
    }
}

/// A value that a parameter can take.
pub trait Parameter {
    /// Calls `push` with each part of the value as text: once for a scalar, never for an absent one.
    fn each(&self, push: &mut dyn FnMut(&str));
}

impl Parameter for String {
    fn each(&self, push: &mut dyn FnMut(&str)) {
        push(self);
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn each(&self, push: &mut dyn FnMut(&str)) {
        if let Some(value) = self {
            value.each(push);
        }
    }
}

impl<T: Parameter> Parameter for Vec<T> {
    fn each(&self, push: &mut dyn FnMut(&str)) {
        for value in self {
            value.each(push);
        }
    }
}

macro_rules! parameter_by_display {
    ($($type:ty),*) => {$(
        impl Parameter for $type {
            fn each(&self, push: &mut dyn FnMut(&str)) {
                push(&self.to_string());
            }
        }
    )*};
}

parameter_by_display!(bool, i32, i64, f32, f64);

/// Appends `text` with everything encoded that is not unreserved (RFC 3986 section 2.3).
pub(crate) fn percent_encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_find_their_places() {
        let request = Request::get("/repos/{owner}/{repo}/issues")
            .path("owner", &"a b/c".to_owned())
            .path("repo", &"déjà".to_owned())
            .query("state", &Some("open".to_owned()))
            .query("since", &None::<String>)
            .query("label", &vec![1_i64, 2])
            .query_joined("fields", &vec!["id".to_owned(), "title".to_owned()], ",")
            .header("X-Trace", &true);
        let Target::Relative { path, query } = &request.target else { panic!("relative") };
        assert_eq!(path, "/repos/a%20b%2Fc/d%C3%A9j%C3%A0/issues");
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(query, ["state=open", "label=1", "label=2", "fields=id,title"]);
        assert_eq!(request.headers, [(Cow::Borrowed("X-Trace"), "true".to_owned())]);
    }

    #[test]
    fn a_set_parameter_replaces() {
        let mut request = Request::get("/x").query("page", &1_i64).query("q", &"a".to_owned());
        request.set_query("page", "2".to_owned());
        let Target::Relative { query, .. } = request.target else { panic!("relative") };
        assert_eq!(query, [("q".into(), "a".to_owned()), ("page".into(), "2".to_owned())]);
    }
}
