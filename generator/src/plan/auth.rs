//! What the API asks for before it lets a request in.

use openapiv3::{APIKeyLocation, ReferenceOr, SecurityRequirement, SecurityScheme};

use super::model::{ApiKeyPlace, AuthScheme};
use crate::document::Document;

/// The ways to be let in, one of which must be taken: the operation's own, else the document's (OAS 3.0.3 section
/// 4.7.30).
pub(super) fn of(document: &Document, own: Option<&Vec<SecurityRequirement>>) -> Vec<Vec<AuthScheme>> {
    let requirements = own.or(document.api.security.as_ref());
    let ways = requirements.into_iter().flatten();
    ways.map(|requirement| requirement.keys().map(|name| scheme(document, name)).collect()).collect()
}

fn scheme(document: &Document, name: &str) -> AuthScheme {
    let schemes = document.api.components.as_ref().map(|components| &components.security_schemes);
    match schemes.and_then(|schemes| schemes.get(name)) {
        Some(ReferenceOr::Item(SecurityScheme::HTTP { scheme, .. })) => match scheme.to_lowercase().as_str() {
            "basic" => AuthScheme::Basic,
            "bearer" => AuthScheme::Bearer,
            other => AuthScheme::Other(other.to_owned()),
        },
        Some(ReferenceOr::Item(SecurityScheme::APIKey { location, name, .. })) => {
            let place = match location {
                APIKeyLocation::Query => ApiKeyPlace::Query,
                APIKeyLocation::Header => ApiKeyPlace::Header,
                APIKeyLocation::Cookie => ApiKeyPlace::Cookie,
            };
            AuthScheme::ApiKey { place, name: name.clone() }
        }
        Some(ReferenceOr::Item(SecurityScheme::OAuth2 { .. })) => AuthScheme::Other("oauth2".to_owned()),
        Some(ReferenceOr::Item(SecurityScheme::OpenIDConnect { .. })) => AuthScheme::Other("openid-connect".to_owned()),
        Some(ReferenceOr::Reference { .. }) | None => AuthScheme::Other(name.to_owned()),
    }
}

/// The ways in words.
pub(crate) fn describe(ways: &[Vec<AuthScheme>]) -> Vec<String> {
    let all_of = |way: &Vec<AuthScheme>| match way.is_empty() {
        true => "none".to_owned(),
        false => way.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
    };
    ways.iter().map(all_of).collect()
}
