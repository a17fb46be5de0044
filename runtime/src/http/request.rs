//! A request as an operation describes it: relative to the API's base URL, without authentication.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::style::{self, Encode, Parts, Style};

/// The header of cookies.
const COOKIE: &str = "Cookie";
/// The media type of forms (WHATWG URL, section 5).
const FORM: &str = "application/x-www-form-urlencoded";

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

impl Method {
    /// Its name (RFC 9110 section 9.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Whether sending a request twice is meant to have the effect of sending it once (RFC 9110 section 9.2.2).
    pub(super) fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
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
    /// A path below the base URL, and query parameters.
    Relative {
        /// Begins with `/`; percent-encoded.
        path: String,
        /// In the order sent; names may repeat. The names are not yet percent-encoded, the values are.
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
    pub fn path(self, name: &str, value: &impl Parameter) -> Self {
        self.path_as(name, value, Style::Simple, false)
    }

    /// Puts a path parameter in, percent-encoded, in a style for paths: `simple`, `label` or `matrix`.
    #[must_use]
    pub fn path_as(mut self, name: &str, value: &impl Parameter, style: Style, explode: bool) -> Self {
        let text = style::expand(name, &value.parts(), style, explode, style::encoded);
        if let Target::Relative { path, .. } = &mut self.target {
            *path = path.replace(&format!("{{{name}}}"), &text);
        }
        self
    }

    /// Adds a query parameter; a list repeats the name (OAS 3.0 style `form`, exploded), an absent value adds nothing.
    #[must_use]
    pub fn query(self, name: &'static str, value: &impl Parameter) -> Self {
        self.query_as(name, value, Style::Form, true)
    }

    /// Adds a query parameter in a style for queries: `form`, `spaceDelimited`, `pipeDelimited` or `deepObject`. An absent
    /// value adds nothing.
    #[must_use]
    pub fn query_as(self, name: &'static str, value: &impl Parameter, style: Style, explode: bool) -> Self {
        self.queried(name, value, style, explode, style::encoded)
    }

    /// As [`Request::query_as`], but leaves reserved characters in the value that a query can hold (OAS 3.0
    /// `allowReserved`).
    #[must_use]
    pub fn query_reserved(self, name: &'static str, value: &impl Parameter, style: Style, explode: bool) -> Self {
        self.queried(name, value, style, explode, style::encoded_but_reserved)
    }

    fn queried(
        mut self,
        name: &'static str,
        value: &impl Parameter,
        style: Style,
        explode: bool,
        encode: Encode,
    ) -> Self {
        if let Target::Relative { query, .. } = &mut self.target {
            let pairs = style::query(name, &value.parts(), style, explode, encode);
            query.extend(pairs.into_iter().map(|(pair, value)| match pair == name {
                true => (Cow::Borrowed(name), value),
                false => (Cow::Owned(pair), value),
            }));
        }
        self
    }

    /// Adds a query parameter whose list is joined with `separator` (OAS 3.0 styles `form` not exploded,
    /// `spaceDelimited`, `pipeDelimited`).
    #[must_use]
    pub fn query_joined(self, name: &'static str, value: &impl Parameter, separator: &str) -> Self {
        let style = match separator {
            " " => Style::SpaceDelimited,
            "|" => Style::PipeDelimited,
            _ => Style::Form,
        };
        self.query_as(name, value, style, false)
    }

    /// Adds a header; an absent value adds nothing.
    #[must_use]
    pub fn header(self, name: &'static str, value: &impl Parameter) -> Self {
        self.header_as(name, value, false)
    }

    /// Adds a header in the style `simple`; exploded, an object is written as `key=value`. An absent value adds nothing.
    #[must_use]
    pub fn header_as(mut self, name: &'static str, value: &impl Parameter, explode: bool) -> Self {
        let parts = value.parts();
        let is_empty = match &parts {
            Parts::Absent => true,
            Parts::One(_) => false,
            Parts::List(items) => items.is_empty(),
            Parts::Object(properties) => properties.is_empty(),
        };
        if !is_empty {
            let text = style::expand(name, &parts, Style::Simple, explode, style::plain);
            self.headers.push((Cow::Borrowed(name), text));
        }
        self
    }

    /// Adds a cookie in the style `form`; an absent value adds nothing. All cookies share one header (RFC 6265 section
    /// 5.4).
    #[must_use]
    pub fn cookie(mut self, name: &str, value: &impl Parameter, explode: bool) -> Self {
        for (name, value) in style::query(name, &value.parts(), Style::Form, explode, style::encoded) {
            let pair = format!("{}={value}", style::encoded(&name));
            match self.headers.iter_mut().find(|(header, _)| header == COOKIE) {
                Some((_, cookies)) => {
                    cookies.push_str("; ");
                    cookies.push_str(&pair);
                }
                None => self.headers.push((Cow::Borrowed(COOKIE), pair)),
            }
        }
        self
    }

    /// Sets what the request carries.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(Body { content_type: content_type.into(), bytes: bytes.into() });
        self
    }

    /// Begins a JSON body of this media type: an object without members.
    #[must_use]
    pub fn json(self, content_type: &'static str) -> Self {
        self.body(content_type, "{}")
    }

    /// Sets a member of the JSON body; an absent value and an empty list set nothing.
    #[must_use]
    pub fn member(self, name: &str, value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Array(items)) if items.is_empty() => self,
            // Of what generated code has, everything is JSON.
            Ok(Value::Null) | Err(_) => self,
            Ok(value) => self.with_member(name, value),
        }
    }

    /// Sets a member of the JSON body to JSON that is given as text; an absent one sets nothing. What is no JSON is a text.
    #[must_use]
    pub fn member_json<'a>(self, name: &str, text: impl Into<Option<&'a String>>) -> Self {
        match text.into() {
            None => self,
            Some(text) => {
                let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
                self.with_member(name, value)
            }
        }
    }

    fn with_member(mut self, name: &str, value: Value) -> Self {
        self.set_in_body(&format!("/{}", name.replace('~', "~0").replace('/', "~1")), value);
        self
    }

    /// Adds a field to a body that is a form; a list repeats the name, an absent value adds nothing.
    #[must_use]
    pub fn field(mut self, name: &str, value: &impl Parameter) -> Self {
        for (name, value) in style::query(name, &value.parts(), Style::Form, true, style::encoded) {
            self.push_field(&name, &value);
        }
        self
    }

    /// `value` is percent-encoded already.
    fn push_field(&mut self, name: &str, value: &str) {
        let mut form = self.form();
        if !form.is_empty() {
            form.push('&');
        }
        percent_encode(name, &mut form);
        form.push('=');
        form.push_str(value);
        self.body = Some(Body { content_type: FORM.into(), bytes: form.into() });
    }

    /// The fields of a body that is a form.
    fn form(&self) -> String {
        let body = self.body.as_ref().filter(|body| body.is_form());
        body.map(|body| String::from_utf8_lossy(&body.bytes).into_owned()).unwrap_or_default()
    }

    /// Sets a query parameter, in place of one of the same name. Of an absolute target nothing changes: it is complete.
    pub(crate) fn set_query(&mut self, name: &str, value: String) {
        if let Target::Relative { query, .. } = &mut self.target {
            query.retain(|(existing, _)| existing != name);
            query.push((Cow::Owned(name.to_owned()), style::encoded(&value)));
        }
    }

    /// Sets a header, in place of one of the same name (RFC 9110 section 5.1: whatever its case).
    pub(crate) fn set_header(&mut self, name: &str, value: String) {
        self.headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
        self.headers.push((Cow::Owned(name.to_owned()), value));
    }

    /// Puts a path parameter in, percent-encoded. Of an absolute target nothing changes: it is complete.
    pub(crate) fn set_path(&mut self, name: &str, value: String) {
        if let Target::Relative { path, .. } = &mut self.target {
            *path = path.replace(&format!("{{{name}}}"), &style::encoded(&value));
        }
    }

    /// Sets what is at a JSON Pointer in the JSON body. Objects on the way there are made, also in place of what is
    /// none; without a body, so is the body. Of a form, the field of that name is set.
    pub(crate) fn set_in_body(&mut self, pointer: &str, value: Value) {
        if self.body.as_ref().is_some_and(Body::is_form) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            return self.set_field(pointer.trim_start_matches('/'), &text);
        }
        let body = self.body.take();
        let mut content =
            body.as_ref().and_then(|body| serde_json::from_slice(&body.bytes).ok()).unwrap_or(Value::Null);
        let mut at = &mut content;
        for segment in pointer.split('/').skip(1) {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[segment.replace("~1", "/").replace("~0", "~")];
        }
        *at = value;
        let content_type = body.map_or(Cow::Borrowed("application/json"), |body| body.content_type);
        self.body = Some(Body { content_type, bytes: content.to_string().into() });
    }
}

impl Request {
    /// Sets a field of the form, in place of those of the same name.
    fn set_field(&mut self, name: &str, value: &str) {
        let mut encoded = String::new();
        percent_encode(name, &mut encoded);
        let form = self.form();
        let is_other = |pair: &&str| pair.split('=').next() != Some(&encoded) && !pair.is_empty();
        let others = form.split('&').filter(is_other).collect::<Vec<_>>().join("&");
        self.body = Some(Body { content_type: FORM.into(), bytes: others.into() });
        self.push_field(name, &style::encoded(value));
    }
}

impl Body {
    fn is_form(&self) -> bool {
        self.content_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(FORM))
    }
}

/// A value that a parameter can take.
pub trait Parameter {
    /// The value as text.
    fn parts(&self) -> Parts;
}

impl Parameter for String {
    fn parts(&self) -> Parts {
        Parts::One(self.clone())
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn parts(&self) -> Parts {
        self.as_ref().map_or(Parts::Absent, Parameter::parts)
    }
}

impl<T: Parameter> Parameter for Vec<T> {
    fn parts(&self) -> Parts {
        let items = self.iter().filter_map(|item| match item.parts() {
            Parts::One(item) => Some(item),
            // Lists of lists have no style.
            Parts::Absent | Parts::List(_) | Parts::Object(_) => None,
        });
        Parts::List(items.collect())
    }
}

impl Parameter for Vec<(String, String)> {
    fn parts(&self) -> Parts {
        Parts::Object(self.clone())
    }
}

macro_rules! parameter_by_display {
    ($($type:ty),*) => {$(
        impl Parameter for $type {
            fn parts(&self) -> Parts {
                Parts::One(self.to_string())
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
            .query_as("color", &vec![("R".to_owned(), "1".to_owned())], Style::DeepObject, true)
            .header("X-Trace", &true)
            .header_as("X-Color", &vec![("R".to_owned(), "a b".to_owned()), ("G".to_owned(), "2".to_owned())], true)
            .header("X-None", &Vec::<i64>::new())
            .cookie("a", &vec!["x y".to_owned(), "z".to_owned()], false)
            .cookie("b", &vec![1_i64, 2], true)
            .cookie("c", &None::<i64>, true);
        let Target::Relative { path, query } = &request.target else { panic!("relative") };
        assert_eq!(path, "/repos/a%20b%2Fc/d%C3%A9j%C3%A0/issues");
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(query, ["state=open", "label=1", "label=2", "fields=id,title", "color[R]=1"]);
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(headers, ["X-Trace: true", "X-Color: R=a b,G=2", "Cookie: a=x%20y,z; b=1; b=2"]);
    }

    #[test]
    fn bodies_are_made_of_members_and_fields() {
        let content = |request: &Request| {
            let Body { content_type, bytes } = request.body.clone().unwrap();
            (content_type, String::from_utf8(bytes.to_vec()).unwrap())
        };
        let request = Request::post("/search")
            .json("application/json")
            .member("query", &"a \"b\"".to_owned())
            .member("page_size", &Some(100_i64))
            .member("none", &None::<bool>)
            .member("tags", &vec!["x".to_owned()])
            .member("nothing", &Vec::<i64>::new())
            .member_json("filter", &Some(r#"{"a": [1]}"#.to_owned()))
            .member_json("a/b", &"plain".to_owned())
            .member_json("sort", &None);
        assert_eq!(
            content(&request),
            (
                "application/json".into(),
                r#"{"query":"a \"b\"","page_size":100,"tags":["x"],"filter":{"a":[1]},"a/b":"plain"}"#.to_owned()
            )
        );
        let mut request = Request::post("/search")
            .field("q", &"a b&c".to_owned())
            .field("page", &1_i64)
            .field("none", &None::<i64>)
            .field("tag", &vec!["x".to_owned(), "y".to_owned()]);
        request.set_in_body("/page", 2.into());
        assert_eq!(content(&request), (FORM.into(), "q=a%20b%26c&tag=x&tag=y&page=2".to_owned()));
    }

    #[test]
    fn a_set_parameter_replaces() {
        let mut request = Request::get("/x").query("page", &1_i64).query("q", &"a".to_owned());
        request.set_query("page", "a b".to_owned());
        let Target::Relative { query, .. } = request.target else { panic!("relative") };
        assert_eq!(query, [("q".into(), "a".to_owned()), ("page".into(), "a%20b".to_owned())]);
    }
}
