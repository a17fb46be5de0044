//! A request with variables, and how what they stand for is encoded in each place.

use crate::http::{Method, Request, Target, percent_encode};

use super::template::{Rendered, Template, Values, Variable};
use crate::slice::{Slice, SliceError};

/// A request with variables.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    /// The method.
    pub method: Method,
    /// The path below the base URL, perhaps with a query.
    pub path: Template,
    /// Query parameters, after those of the path.
    pub query: Vec<QueryTemplate>,
    /// Headers in the order sent.
    pub headers: Vec<(String, Template)>,
    /// What the request carries.
    pub body: Option<BodyTemplate>,
}

/// A query parameter with variables.
#[derive(Clone, Debug)]
pub struct QueryTemplate {
    /// Its name.
    pub name: Template,
    /// Its value; `None`: the name stands alone.
    pub value: Option<Template>,
}

/// What a request carries, with variables.
#[derive(Clone, Debug)]
pub struct BodyTemplate {
    /// Value of the `Content-Type` header.
    pub content_type: String,
    /// The content.
    pub content: Template,
}

/// How a value goes into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyEncoding {
    /// Escaped where it stands within a JSON string.
    Json,
    /// As `application/x-www-form-urlencoded`.
    Form,
    Plain,
}

impl RequestTemplate {
    /// Whether a variable that `is` picks is anywhere in the request.
    pub(crate) fn uses(&self, is: impl Fn(&Variable) -> bool) -> bool {
        self.templates().any(|template| template.uses(&is))
    }

    /// The names of the slice's values that are anywhere in the request.
    pub(crate) fn slice_values(&self) -> Vec<String> {
        self.templates().flat_map(Template::slice_values).map(str::to_owned).collect()
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let query = self.query.iter().flat_map(|query| [Some(&query.name), query.value.as_ref()]).flatten();
        let headers = self.headers.iter().map(|(_, value)| value);
        let body = self.body.as_ref().map(|body| &body.content);
        [&self.path].into_iter().chain(query).chain(headers).chain(body)
    }

    /// The request with the values of a slice put in.
    ///
    /// # Errors
    ///
    /// If the slice lacks one of them.
    pub(super) fn of_slice(&self, slice: &Slice) -> Result<Self, SliceError> {
        let mut request = self.clone();
        request.path.put_slice(slice)?;
        for QueryTemplate { name, value } in &mut request.query {
            name.put_slice(slice)?;
            value.as_mut().map_or(Ok(()), |value| value.put_slice(slice))?;
        }
        for (_, value) in &mut request.headers {
            value.put_slice(slice)?;
        }
        if let Some(body) = &mut request.body {
            body.content.put_slice(slice)?;
        }
        Ok(request)
    }

    /// The request. `url` is called as it is, in place of path and query; `more` are parameters that paging adds.
    pub(crate) fn request(&self, values: &Values<'_>, url: Option<&str>, more: &[(&str, &str)]) -> Request {
        let target = match url {
            Some(url) => Target::Absolute(url.to_owned()),
            None => Target::Written(self.target(values, more)),
        };
        let headers = self.headers.iter().map(|(name, value)| (name.clone().into(), value.plain(values))).collect();
        let request = Request { method: self.method, target, headers, body: None };
        match &self.body {
            Some(body) => request.body(body.content_type.clone(), body.content(values)),
            None => request,
        }
    }

    /// Path and query.
    fn target(&self, values: &Values<'_>, more: &[(&str, &str)]) -> String {
        let mut target = String::new();
        self.path.render(values, |part| match part {
            Rendered::Text(text) | Rendered::UrlPart(text) => encode_written(text, "", &mut target),
            Rendered::Value(value) => percent_encode(value, &mut target),
        });
        let mut add = |pair: &str| {
            target.push(match target.split_once('?') {
                None => '?',
                Some((_, query)) if query.is_empty() || query.ends_with('&') => return target.push_str(pair),
                Some(_) => '&',
            });
            target.push_str(pair);
        };
        let write = |template: &Template, out: &mut String, reserved: &str| {
            template.render(values, |part| match part {
                Rendered::Text(text) => encode_written(text, reserved, out),
                Rendered::Value(value) | Rendered::UrlPart(value) => percent_encode(value, out),
            });
        };
        for QueryTemplate { name, value } in &self.query {
            let mut pair = String::new();
            write(name, &mut pair, "&=");
            if let Some(value) = value {
                pair.push('=');
                write(value, &mut pair, "&");
            }
            add(&pair);
        }
        for (name, value) in more {
            let mut pair = String::new();
            percent_encode(name, &mut pair);
            pair.push('=');
            percent_encode(value, &mut pair);
            add(&pair);
        }
        target
    }
}

impl BodyTemplate {
    fn encoding(&self) -> BodyEncoding {
        let media_type = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => BodyEncoding::Form,
            json if json.ends_with("json") => BodyEncoding::Json,
            _ => BodyEncoding::Plain,
        }
    }

    fn content(&self, values: &Values<'_>) -> String {
        let encoding = self.encoding();
        let mut out = String::new();
        let mut string = InString::default();
        self.content.render(values, |part| match (part, encoding) {
            (Rendered::Text(text), BodyEncoding::Json) => {
                string.read(text);
                out.push_str(text);
            }
            (Rendered::Text(text), _) => out.push_str(text),
            (Rendered::Value(value) | Rendered::UrlPart(value), _) => match encoding {
                BodyEncoding::Json if string.inside => escape(value, &mut out),
                BodyEncoding::Form => percent_encode(value, &mut out),
                BodyEncoding::Json | BodyEncoding::Plain => out.push_str(value),
            },
        });
        out
    }
}

/// Whether the end of what was read stands within a JSON string.
#[derive(Default)]
struct InString {
    inside: bool,
    escaped: bool,
}

impl InString {
    fn read(&mut self, json: &str) {
        for char in json.chars() {
            match char {
                _ if self.escaped => self.escaped = false,
                '\\' if self.inside => self.escaped = true,
                '"' => self.inside = !self.inside,
                _ => {}
            }
        }
    }
}

/// Appends text as the inside of a JSON string (RFC 8259 section 7).
fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
}

/// Appends a part of a URL that a person or the API wrote: what may stand there stays, `%41` too, and the rest, and what
/// is `reserved`, is percent-encoded.
fn encode_written(text: &str, reserved: &str, out: &mut String) {
    const LEGAL: &str = "-._~!$&'()*+,;=:@/?[]";
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let (first, after) = rest.split_at(char.len_utf8());
        let triplet = char == '%' && after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
        let legal = char.is_ascii_alphanumeric() || LEGAL.contains(char);
        if triplet || (legal && !reserved.contains(char)) {
            out.push(char);
        } else {
            percent_encode(first, out);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configured::time::TimeFormat;

    fn template(text: &str) -> Template {
        Template::parse(text, &TimeFormat::UnixMillis, &|_| None).unwrap()
    }

    fn values(offset: &str) -> Values<'_> {
        Values { offset, offset_is_from_api: true, primary_key: "k", window: None, now: jiff::Timestamp::UNIX_EPOCH }
    }

    fn target(path: &str, query: &[(&str, Option<&str>)], offset: &str, more: &[(&str, &str)]) -> String {
        let query = query
            .iter()
            .map(|(name, value)| QueryTemplate { name: template(name), value: value.map(template) })
            .collect();
        let path = template(path);
        let request = RequestTemplate { method: Method::Get, path, query, headers: Vec::new(), body: None };
        request.target(&values(offset), more)
    }

    #[test]
    fn values_are_encoded_and_what_was_written_is_not() {
        for (path, query, offset, expected) in [
            ("/a b/${offset}", &[][..], "x/y?z", "/a%20b/x%2Fy%3Fz"),
            ("/a%20b/%zz/é", &[], "", "/a%20b/%25zz/%C3%A9"),
            ("/a?x=1&y=a,b+c", &[("z", Some("${offset}"))], "1&2=3", "/a?x=1&y=a,b+c&z=1%262%3D3"),
            ("/a?", &[("z", Some("a=b&c#d")), ("flag", None)], "", "/a?z=a=b%26c%23d&flag"),
            ("/a?x=${offset}", &[], "ü", "/a?x=%C3%BC"),
            ("/a${offset}", &[], "?page=2&x=%20y", "/a?page=2&x=%20y"),
            ("", &[("q", Some("${offset}"))], "", "?q="),
        ] {
            assert_eq!(target(path, query, offset, &[]), expected);
        }
        assert_eq!(target("/a", &[], "", &[("page[after]", "a b")]), "/a?page%5Bafter%5D=a%20b");
    }

    fn body(content_type: &str, content: &str, offset: &str) -> String {
        BodyTemplate { content_type: content_type.to_owned(), content: template(content) }.content(&values(offset))
    }

    #[test]
    fn a_body_takes_values_as_its_type_needs_them() {
        let json = "application/vnd.api+json; charset=utf-8";
        let sort = r#"{"a": [${offset}], "b": "x ${offset} \" ${offset}"}"#;
        assert_eq!(body(json, sort, r#"1"2\"#), r#"{"a": [1"2\], "b": "x 1\"2\\ \" 1\"2\\"}"#);
        assert_eq!(body("application/x-www-form-urlencoded", "a=b&c=${offset}", "x y&z"), "a=b&c=x%20y%26z");
        assert_eq!(body("text/plain", "<${offset}>", "\"&"), "<\"&>");
        assert_eq!(body("application/json", r#""${offset}""#, "a\n\u{1}"), "\"a\\n\\u0001\"");
    }
}
