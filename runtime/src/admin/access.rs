//! Who may do what.

use std::net::IpAddr;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::secret::Secret;

/// Paths that everyone may read: probes have no credentials.
const OPEN: [&str; 2] = ["/healthy", "/ready"];

/// Who may do what.
pub(super) struct Access {
    /// What the `Authorization` header has to be, if anyone asks for it.
    authorization: Option<Secret>,
    /// Whose credentials these are.
    user: Option<String>,
    is_local: bool,
}

impl Access {
    /// With credentials, whoever has them may do everything, and others nothing. Without, everyone may read, and change
    /// something only at an `address` that is not reached from another machine.
    pub(super) fn new(credentials: Option<&Secret>, address: IpAddr) -> Self {
        let header = |it: &Secret| Secret::new(format!("Basic {}", BASE64_STANDARD.encode(it.expose())));
        // RFC 7617: the name ends at the first colon.
        let user = |it: &Secret| it.expose().split(':').next().unwrap_or_default().to_owned();
        let (authorization, user) = (credentials.map(header), credentials.map(user));
        Self { authorization, user, is_local: address.is_loopback() }
    }

    /// Who has asked, after it was let through; nobody is known without credentials.
    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("anonymous")
    }

    /// What is answered to a request that is not allowed.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        if OPEN.contains(&request.uri().path()) {
            return None;
        }
        let changes = ![Method::GET, Method::HEAD].contains(request.method());
        match &self.authorization {
            Some(authorization) if given(request.headers(), authorization) => None,
            Some(_) => {
                let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"headwater\"")];
                Some((challenge, refused(StatusCode::UNAUTHORIZED, "credentials are missing or wrong")).into_response())
            }
            None if !changes => None,
            None if !self.is_local => {
                let why =
                    "without credentials nothing is changed from another machine: set `rest.basic.auth.user.info`";
                Some(refused(StatusCode::FORBIDDEN, why))
            }
            // A page that a browser on this machine shows must not act in its user's name.
            None if request.headers().contains_key(header::ORIGIN) => {
                Some(refused(StatusCode::FORBIDDEN, "without credentials nothing is changed from a browser"))
            }
            None => None,
        }
    }
}

/// Whether a request has this `Authorization`.
fn given(headers: &HeaderMap, authorization: &Secret) -> bool {
    authorization.is(headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes()))
}

/// An error as Kafka Connect's REST API tells it.
pub(super) fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error_code": status.as_u16(), "message": why }))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(access: &Access, method: Method, path: &str, headers: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        access.refusal(&request.body(Body::empty()).unwrap()).map(|response| response.status())
    }

    #[test]
    fn without_credentials_only_this_machine_changes_anything() {
        let [local, open] = ["127.0.0.1", "0.0.0.0"].map(|address| Access::new(None, address.parse().unwrap()));
        for access in [&local, &open] {
            assert_eq!(asked(access, Method::GET, "/connectors", &[]), None);
        }
        assert_eq!(asked(&local, Method::POST, "/x", &[]), None);
        assert_eq!(asked(&open, Method::POST, "/x", &[]), Some(StatusCode::FORBIDDEN));
        let browser = [("origin", "http://elsewhere.test")];
        assert_eq!(asked(&local, Method::POST, "/x", &browser), Some(StatusCode::FORBIDDEN));
    }

    #[test]
    fn with_credentials_all_but_health_asks_for_them() {
        let access = Access::new(Some(&Secret::new("u:p")), "0.0.0.0".parse().unwrap());
        let right = [("authorization", "Basic dTpw")];
        for path in OPEN {
            assert_eq!(asked(&access, Method::GET, path, &[]), None);
        }
        for (method, path) in [(Method::GET, "/metrics"), (Method::POST, "/x")] {
            assert_eq!(asked(&access, method.clone(), path, &right), None);
            for wrong in ["Basic dTpx", "Basic dTp", "Basic dTpwdTpw", "Bearer dTpw", ""] {
                let refused = asked(&access, method.clone(), path, &[("authorization", wrong)]);
                assert_eq!(refused, Some(StatusCode::UNAUTHORIZED), "{wrong}");
            }
            assert_eq!(asked(&access, method, path, &[]), Some(StatusCode::UNAUTHORIZED));
        }
    }
}
