//! Where responses and requests speak of pages.

use std::borrow::Cow;

use serde_json::Value;

use crate::http::Request;

/// Where a response says something of its pages. Nothing, `null` or an empty text there says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundIn {
    /// In the body, at a JSON Pointer (RFC 6901).
    Body(Cow<'static, str>),
    /// In the header of this name.
    Header(Cow<'static, str>),
}

impl FoundIn {
    /// The JSON Pointer, if it is in the body.
    pub(crate) fn pointer(&self) -> Option<&str> {
        match self {
            Self::Body(pointer) => Some(pointer),
            Self::Header(_) => None,
        }
    }
}

/// A JSON Pointer into the body.
impl From<&'static str> for FoundIn {
    fn from(pointer: &'static str) -> Self {
        Self::Body(pointer.into())
    }
}

/// Where a request says which page it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenIn {
    /// In the query parameter of this name.
    Query(Cow<'static, str>),
    /// In the header of this name.
    Header(Cow<'static, str>),
    /// In the place of `{name}` in the path.
    Path(Cow<'static, str>),
    /// In the JSON body, at a JSON Pointer (RFC 6901) through objects, which are made if need be; or in the field of a form.
    Body(Cow<'static, str>),
    /// The same, where the API reads a number: a token that was read as text is written as the number that it is.
    BodyNumber(Cow<'static, str>),
}

impl TokenIn {
    /// Makes `request` say it. Numbers are numbers in a body, and text anywhere else.
    pub(crate) fn set(&self, request: &mut Request, token: Value) {
        let text = |token: Value| match token {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match self {
            Self::Query(name) => request.set_query(name, text(token)),
            Self::Header(name) => request.set_header(name, text(token)),
            Self::Path(name) => request.set_path(name, text(token)),
            Self::Body(pointer) => request.set_in_body(pointer, token),
            Self::BodyNumber(pointer) => {
                let number = token.as_str().and_then(|text| text.parse().ok()).map(Value::Number);
                request.set_in_body(pointer, number.unwrap_or(token));
            }
        }
    }
}

/// The name of a query parameter.
impl From<&'static str> for TokenIn {
    fn from(name: &'static str) -> Self {
        Self::Query(name.into())
    }
}

impl std::fmt::Display for FoundIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(pointer) => write!(f, "at `{pointer}`"),
            Self::Header(name) => write!(f, "in the header `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, Target};

    fn path(request: &Request) -> &str {
        let Target::Relative { path, .. } = &request.target else { panic!("relative") };
        path
    }

    #[test]
    fn a_token_goes_where_it_belongs() {
        let token = || Value::from("a/b c");
        let mut request = Request::get("/things/{page}").header("X-Page", &"old".to_owned());
        TokenIn::Path("page".into()).set(&mut request, token());
        assert_eq!(path(&request), "/things/a%2Fb%20c");
        TokenIn::Header("x-page".into()).set(&mut request, token());
        assert_eq!(request.headers, [("x-page".into(), "a/b c".to_owned())]);
        TokenIn::from("page").set(&mut request, token());
        let Target::Relative { query, .. } = &request.target else { panic!("relative") };
        assert_eq!(query, &[("page".into(), "a%2Fb%20c".to_owned())]);
    }

    #[test]
    fn a_token_in_a_body_leaves_the_rest_of_it() {
        let content = |request: &Request| {
            let Body { content_type, bytes } = request.body.as_ref().unwrap();
            assert_eq!(content_type, "application/json");
            serde_json::from_slice::<Value>(bytes).unwrap()
        };
        let mut request = Request::post("/search").body("application/json", r#"{"size": 2, "page": {"after": "x"}}"#);
        TokenIn::Body("/page/after".into()).set(&mut request, "y".into());
        TokenIn::Body("/page/from".into()).set(&mut request, 7.into());
        assert_eq!(content(&request), serde_json::json!({"size": 2, "page": {"after": "y", "from": 7}}));
        let mut request = Request::post("/search");
        TokenIn::Body("/from".into()).set(&mut request, 0.into());
        TokenIn::BodyNumber("/after".into()).set(&mut request, "17".into());
        assert_eq!(content(&request), serde_json::json!({"from": 0, "after": 17}));
    }
}
