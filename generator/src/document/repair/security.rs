//! Security requirements and schemes (OAS 3.0.3 sections 4.7.27 to 4.7.30).

use serde_json::{Map, Value, json};

use super::{Repairs, remove, text, word};
use crate::document::pointer;

/// Puts right the `security` of a document or an operation.
pub(super) fn requirements(at: &str, holder: &mut Value, repairs: &mut Repairs) {
    let at = pointer::join(at, "security");
    let Some(security) = holder.get_mut("security") else { return };
    if security.is_object() {
        *security = json!([security.take()]);
        repairs.note(
            "security",
            &at,
            "`security` is an object where a list should stand: it is taken for its only item",
        );
    }
    let Some(list) = security.as_array_mut() else {
        let message = format!("`security` is {} where a list should stand: it is left out", word(security));
        repairs.note("security", &at, message);
        remove(holder, "security");
        return;
    };
    let mut index = 0;
    list.retain_mut(|requirement| {
        let at = format!("{at}/{index}");
        index += 1;
        match requirement {
            Value::Object(schemes) => {
                for (name, scopes) in schemes {
                    let at = pointer::join(&at, name);
                    self::scopes(&at, scopes, repairs);
                }
                true
            }
            Value::String(name) => {
                repairs.note("security", &at, "a text stands where a requirement should: it is taken for a scheme");
                *requirement = json!({ name.as_str(): [] });
                true
            }
            _ => {
                repairs.note("security", &at, "what stands here names no security scheme: it is left out");
                false
            }
        }
    });
}

/// The scopes of a requirement: a list of texts.
fn scopes(at: &str, scopes: &mut Value, repairs: &mut Repairs) {
    let fitting = match scopes {
        Value::Array(items) if items.iter().all(Value::is_string) => return,
        Value::Array(items) => items.iter().filter_map(text).collect(),
        Value::String(scope) => vec![scope.clone()],
        Value::Object(scopes) => scopes.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let message = format!("{} stands where a list of scopes should: it is read as `{}`", word(scopes), json!(fitting));
    repairs.note("scopes", at, message);
    *scopes = json!(fitting);
}

/// The flows of OAuth 2.0 with the URLs that they need.
const FLOWS: [(&str, &[&str]); 4] = [
    ("implicit", &["authorizationUrl"]),
    ("password", &["tokenUrl"]),
    ("clientCredentials", &["tokenUrl"]),
    ("authorizationCode", &["authorizationUrl", "tokenUrl"]),
];

pub(super) fn scheme(at: &str, scheme: &mut Value, repairs: &mut Repairs) {
    if !scheme.is_object() {
        return;
    }
    match scheme.get("type").and_then(Value::as_str) {
        Some("oauth2") => {
            if !scheme.get("flows").is_some_and(Value::is_object) {
                repairs.note("oauth", at, "the scheme has no `flows`");
                set(scheme, "flows", json!({}));
            }
            let at = pointer::join(at, "flows");
            let Some(Value::Object(flows)) = scheme.get_mut("flows") else { return };
            flows.retain(|name, flow| {
                let is_known =
                    name.starts_with("x-") || (FLOWS.iter().any(|(known, _)| known == name) && flow.is_object());
                if !is_known {
                    repairs.note("oauth", &pointer::join(&at, name), "this is no flow of OAuth 2.0: it is left out");
                }
                is_known
            });
            for (name, urls) in FLOWS {
                if let Some(flow) = flows.get_mut(name) {
                    self::flow(&pointer::join(&at, name), flow, urls, repairs);
                }
            }
        }
        Some("http") if !scheme.get("scheme").is_some_and(Value::is_string) => {
            repairs.note("scheme", at, "the scheme of type `http` does not say which: `bearer` is taken");
            set(scheme, "scheme", json!("bearer"));
        }
        Some("basic") => {
            repairs.note("scheme", at, "the type `basic` is of Swagger 2.0: `http` with `scheme: basic` is taken");
            set(scheme, "type", json!("http"));
            set(scheme, "scheme", json!("basic"));
        }
        Some("openIdConnect") if !scheme.get("openIdConnectUrl").is_some_and(Value::is_string) => {
            repairs.note("scheme", at, "the scheme has no `openIdConnectUrl`");
            set(scheme, "openIdConnectUrl", json!(""));
        }
        Some("apiKey") => {
            let place = scheme.get("in").and_then(Value::as_str).map(str::to_ascii_lowercase);
            if let Some(place) = place.filter(|place| scheme.get("in") != Some(&json!(place))) {
                repairs.note("scheme", &pointer::join(at, "in"), format!("it is read as `{place}`"));
                set(scheme, "in", json!(place));
            }
        }
        _ => {}
    }
}

fn flow(at: &str, flow: &mut Value, urls: &[&str], repairs: &mut Repairs) {
    for key in urls {
        if !flow.get(*key).is_some_and(Value::is_string) {
            repairs.note("oauth", at, format!("the flow has no `{key}`"));
            set(flow, key, json!(""));
        }
    }
    if flow.get("refreshUrl").is_some_and(|url| !url.is_string()) {
        repairs.note("oauth", &pointer::join(at, "refreshUrl"), "`refreshUrl` is no text: it is left out");
        remove(flow, "refreshUrl");
    }
    let scopes: Map<String, Value> = match flow.get("scopes") {
        Some(Value::Object(scopes)) if scopes.values().all(Value::is_string) => return,
        Some(Value::Object(scopes)) => {
            scopes.iter().map(|(name, said)| (name.clone(), json!(text(said).unwrap_or_default()))).collect()
        }
        Some(Value::Array(names)) => names.iter().filter_map(text).map(|name| (name, json!(""))).collect(),
        _ => Map::new(),
    };
    repairs.note(
        "oauth",
        &pointer::join(at, "scopes"),
        "`scopes` is no object of texts: it is read as far as it can be",
    );
    set(flow, "scopes", Value::Object(scopes));
}

fn set(holder: &mut Value, key: &str, value: Value) {
    if let Value::Object(holder) = holder {
        holder.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::repair::repaired;

    fn document(security: Value, scheme: Value) -> (Value, Value, Vec<String>) {
        let (mut document, said) = repaired(json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, "security": security,
            "components": {"securitySchemes": {"a": scheme}}
        }));
        let scheme = document["components"]["securitySchemes"]["a"].take();
        let said = said.iter().map(|said| said.replace("/components/securitySchemes", "")).collect();
        (document["security"].take(), scheme, said)
    }

    #[test]
    fn requirements_name_schemes() {
        for (wrong, right, message) in [
            (json!(null), json!(null), "/security: `security` is `null` where something should stand: it is left out"),
            (
                json!([{"a": null}]),
                json!([{"a": []}]),
                "/security/0/a: `null` stands where a list of scopes should: it is read as `[]`",
            ),
            (
                json!([{"a": {"read": "Reads."}}]),
                json!([{"a": ["read"]}]),
                "/security/0/a: an object stands where a list of scopes should: it is read as `[\"read\"]`",
            ),
            (
                json!({"a": []}),
                json!([{"a": []}]),
                "/security: `security` is an object where a list should stand: it is taken for its only item",
            ),
            (
                json!(["a"]),
                json!([{"a": []}]),
                "/security/0: a text stands where a requirement should: it is taken for a scheme",
            ),
            (json!([null, {}]), json!([{}]), "/security/0: what stands here names no security scheme: it is left out"),
            (json!("a"), json!(null), "/security: `security` is a text where a list should stand: it is left out"),
        ] {
            let (security, _, said) = document(wrong, json!({"type": "http", "scheme": "basic"}));
            assert_eq!((security, said), (right, vec![message.to_owned()]));
        }
    }

    #[test]
    fn flows_have_what_the_model_asks_for() {
        let (_, scheme, said) = document(
            json!([]),
            json!({"type": "oauth2", "flows": {
                "authorizationCode": {"tokenUrl": "/token", "scopes": ["read"]}, "device": {}, "password": {"tokenUrl": "t", "scopes": null}
            }}),
        );
        assert_eq!(
            scheme["flows"],
            json!({
                "authorizationCode": {"tokenUrl": "/token", "scopes": {"read": ""}, "authorizationUrl": ""},
                "password": {"tokenUrl": "t", "scopes": {}}
            })
        );
        assert_eq!(
            said,
            [
                "/a/flows/device: this is no flow of OAuth 2.0: it is left out",
                "/a/flows/password/scopes: `scopes` is no object of texts: it is read as far as it can be",
                "/a/flows/authorizationCode: the flow has no `authorizationUrl`",
                "/a/flows/authorizationCode/scopes: `scopes` is no object of texts: it is read as far as it can be",
            ]
        );
    }

    #[test]
    fn schemes_of_other_words() {
        for (wrong, right) in [
            (json!({"type": "basic"}), json!({"type": "http", "scheme": "basic"})),
            (json!({"type": "http"}), json!({"type": "http", "scheme": "bearer"})),
            (
                json!({"type": "apiKey", "in": "Header", "name": "k"}),
                json!({"type": "apiKey", "in": "header", "name": "k"}),
            ),
            (json!({"type": "openIdConnect"}), json!({"type": "openIdConnect", "openIdConnectUrl": ""})),
            (json!({"type": "oauth2"}), json!({"type": "oauth2", "flows": {}})),
        ] {
            let (_, scheme, said) = document(json!([]), wrong);
            assert_eq!(scheme, right);
            assert_eq!(said.len(), 1, "{said:?}");
        }
    }
}
