//! What must not be found in a cassette, and what stands there in its place.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::http::{Asked, percent_encode};
use crate::secret::Secret;

/// Anything shorter is found in ordinary text, and replacing it there would only garble the text.
const SHORTEST: usize = 4;

/// Names of headers and query parameters whose values are credentials, whoever has configured them.
const CREDENTIALS: [&str; 16] = [
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth_token",
    "authorization",
    "client_secret",
    "cookie",
    "password",
    "private-token",
    "private_token",
    "secret",
    "sig",
    "signature",
    "x-api-key",
    "x-auth-token",
];

/// A text as it stands in a URL that it was put into without being encoded: in its query and in its path.
fn in_urls(text: &str) -> Vec<String> {
    let Ok(mut url) = Url::parse("http://a/") else { return Vec::new() };
    url.set_query(Some(text));
    url.set_path(text);
    let path = url.path().trim_start_matches('/').to_owned();
    url.query().map(str::to_owned).into_iter().chain([path]).collect()
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name.to_ascii_lowercase().as_str())
}

/// Replaces secrets, in whatever form they are written, and masked values.
#[derive(Debug, Default)]
pub(super) struct Scrubber {
    /// What stands in the place of what. The same value is always replaced by the same.
    replacements: BTreeMap<Vec<u8>, String>,
    secrets: usize,
    /// Masked values, by the JSON that they were.
    masked: BTreeMap<String, usize>,
}

impl Scrubber {
    /// Has a secret replaced: as it is, and as URLs, forms, JSON and Basic credentials write it.
    pub(super) fn add(&mut self, secret: &Secret) {
        let secret = secret.expose();
        if secret.len() < SHORTEST || self.replacements.contains_key(secret.as_bytes()) {
            return;
        }
        self.secrets += 1;
        let placeholder = format!("secret-{}", self.secrets);
        let mut encoded = String::new();
        percent_encode(secret, &mut encoded);
        let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = Value::from(secret).to_string().trim_matches('"').to_owned();
        let base64 = [BASE64_STANDARD.encode(secret), BASE64_URL_SAFE.encode(secret)];
        let base64 = base64.map(|text| text.trim_end_matches('=').to_owned());
        for form in [secret.to_owned(), encoded, form, json].into_iter().chain(base64).chain(in_urls(secret)) {
            if form.len() < SHORTEST {
                continue;
            }
            self.replacements.entry(form.into_bytes()).or_insert_with(|| placeholder.clone());
        }
    }

    /// Has the credentials replaced that a request carries by their names. Their schemes stay.
    pub(super) fn add_credentials_of(&mut self, asked: &Asked) {
        for (name, value) in asked.headers.iter().filter(|(name, _)| is_credential(name)) {
            if name.eq_ignore_ascii_case("cookie") {
                // RFC 6265 section 4.2.1.
                let values = value.split(';').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.trim());
                values.for_each(|value| self.add(&Secret::new(value)));
            } else {
                let credential = value.split_once(' ').map_or(value.as_str(), |(_, credential)| credential);
                self.add(&Secret::new(credential));
            }
        }
        let query = asked.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        for (_, value) in form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| is_credential(name)) {
            self.add(&Secret::new(value));
        }
        let body = asked.body.as_deref().unwrap_or_default();
        match serde_json::from_slice(body) {
            Ok(document) => self.add_credentials_in(&document),
            Err(_) => {
                for (_, value) in form_urlencoded::parse(body).filter(|(name, _)| is_credential(name)) {
                    self.add(&Secret::new(value));
                }
            }
        }
    }

    /// The same of a JSON document that was sent.
    fn add_credentials_in(&mut self, document: &Value) {
        match document {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if is_credential(name) => self.add(&Secret::new(text)),
                        value => self.add_credentials_in(value),
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.add_credentials_in(element)),
            _ => {}
        }
    }

    /// Has the passwords replaced that stand in URLs, before the host (RFC 3986 section 3.2.1).
    pub(super) fn add_passwords_of_urls(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        for rest in text.split("://").skip(1) {
            let ends = |character: char| {
                matches!(character, '/' | '?' | '#' | '"' | '<' | '>' | '\\') || character.is_whitespace()
            };
            let authority = rest.split(ends).next().unwrap_or_default();
            let userinfo = authority.rsplit_once('@').map(|(userinfo, _)| userinfo);
            if let Some((_, password)) = userinfo.and_then(|userinfo| userinfo.split_once(':')) {
                self.add(&Secret::new(password));
            }
        }
    }

    /// Masks what is at a pointer in a JSON document, and has it replaced wherever else it stands.
    pub(super) fn mask(&mut self, document: &mut Value, pointer: &str) {
        let segments: Vec<_> =
            pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
        self.mask_at(document, &segments);
    }

    fn mask_at(&mut self, value: &mut Value, segments: &[String]) {
        let Some((first, rest)) = segments.split_first() else { return self.mask_value(value) };
        match value {
            Value::Object(members) if first == "*" => {
                members.values_mut().for_each(|member| self.mask_at(member, rest));
            }
            Value::Array(elements) if first == "*" => {
                elements.iter_mut().for_each(|element| self.mask_at(element, rest));
            }
            Value::Object(members) => {
                if let Some(member) = members.get_mut(first) {
                    self.mask_at(member, rest);
                }
            }
            Value::Array(elements) => {
                if let Some(element) = first.parse::<usize>().ok().and_then(|index| elements.get_mut(index)) {
                    self.mask_at(element, rest);
                }
            }
            _ => {}
        }
    }

    fn mask_value(&mut self, value: &mut Value) {
        match value {
            Value::Null => {}
            Value::Bool(value) => *value = false,
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.mask_value(element)),
            Value::Object(members) => members.values_mut().for_each(|member| self.mask_value(member)),
            Value::String(_) | Value::Number(_) => {
                let known = self.masked.len() + 1;
                let number = *self.masked.entry(value.to_string()).or_insert(known);
                *value = match &*value {
                    Value::String(text) => {
                        let mask = format!("masked-{number}");
                        if text.len() >= SHORTEST {
                            let mut encoded = String::new();
                            percent_encode(text, &mut encoded);
                            for form in [text.clone(), encoded] {
                                self.replacements.entry(form.into_bytes()).or_insert_with(|| mask.clone());
                            }
                        }
                        Value::from(mask)
                    }
                    _ => Value::from(number),
                };
            }
        }
    }

    /// A text with everything replaced that must not be found.
    pub(super) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// The same of any bytes. At each place the longest that must not be found is replaced.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut by_first: BTreeMap<u8, Vec<(&[u8], &str)>> = BTreeMap::new();
        for (find, replace) in &self.replacements {
            if let Some(first) = find.first() {
                by_first.entry(*first).or_default().push((find, replace));
            }
        }
        by_first.values_mut().for_each(|finds| finds.sort_by_key(|(find, _)| std::cmp::Reverse(find.len())));
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            let found = by_first.get(first).and_then(|finds| finds.iter().find(|(find, _)| rest.starts_with(find)));
            match found {
                Some((find, replace)) => {
                    out.extend_from_slice(replace.as_bytes());
                    rest = &rest[find.len()..];
                }
                None => {
                    out.push(*first);
                    rest = after;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let mut scrubber = Scrubber::default();
        scrubber.add(&Secret::new("a b\"c/&"));
        scrubber.add(&Secret::new("a b\"c/&longer"));
        scrubber.add(&Secret::new("abc"));
        let base64 = BASE64_STANDARD.encode("a b\"c/&");
        let text = format!("a b\"c/& a%20b%22c%2F%26 a+b%22c%2F%26 a b\\\"c/& {base64} a b\"c/&longer abc");
        let replaced = "secret-1 secret-1 secret-1 secret-1 secret-1= secret-2 abc";
        let replaced = if base64.ends_with('=') { replaced.to_owned() } else { replaced.replace('=', "") };
        assert_eq!(scrubber.text(&text).replace("==", "="), replaced);
        assert_eq!(scrubber.bytes(b"\xffa b\"c/&\xff"), b"\xffsecret-1\xff");
    }

    #[test]
    fn what_is_named_as_a_credential_is_one() {
        let asked = Asked {
            method: "GET".to_owned(),
            target: "/a?page_token=next0&api_key=k%20eyed".to_owned(),
            headers: [("authorization", "Token t0ken"), ("Cookie", "a=first; b=second")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: Some(r#"{"user":[{"password":"p4ssword"}]}"#.into()),
        };
        let mut scrubber = Scrubber::default();
        scrubber.add_credentials_of(&asked);
        assert_eq!(scrubber.text("Token t0ken"), "Token secret-1");
        assert_eq!(scrubber.text("first second"), "secret-2 secret-3");
        assert_eq!(scrubber.text(&asked.target), "/a?page_token=next0&api_key=secret-4");
        assert_eq!(scrubber.text("p4ssword"), "secret-5");
        scrubber.add_credentials_of(&Asked { body: Some("a=b&client_secret=c%20d3f".into()), ..asked });
        assert_eq!(scrubber.text("a=b&client_secret=c%20d3f"), "a=b&client_secret=secret-6");
        scrubber
            .add_passwords_of_urls(br#"{"next":"https://me:s3same@api.test/items","at":"http://api.test/a@b:c4nine"}"#);
        assert_eq!(scrubber.text("s3same c4nine"), "secret-7 c4nine");
    }

    #[test]
    fn equal_values_are_masked_equally_wherever_they_stand() {
        let mut scrubber = Scrubber::default();
        let mut document = json!({ "items": [
            { "id": 1, "email": "a@test.dev", "seen": true, "tags": ["x", 5] },
            { "id": 2, "email": "b@test.dev" },
            { "id": 3, "email": "a@test.dev" },
        ]});
        scrubber.mask(&mut document, "/items/*/email");
        scrubber.mask(&mut document, "/items/0/tags");
        scrubber.mask(&mut document, "/items/*/seen");
        scrubber.mask(&mut document, "/nothing/*");
        assert_eq!(
            document,
            json!({ "items": [
                { "id": 1, "email": "masked-1", "seen": false, "tags": ["masked-3", 4] },
                { "id": 2, "email": "masked-2" },
                { "id": 3, "email": "masked-1" },
            ]})
        );
        assert_eq!(scrubber.text("/users/a%40test.dev?b=b@test.dev"), "/users/masked-1?b=masked-2");
    }
}
