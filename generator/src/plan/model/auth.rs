//! What requests show to be let in.

use std::fmt;

/// What a request shows to be let in (OAS 3.0.3 section 4.7.27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthScheme {
    /// User and password (RFC 7617).
    Basic,
    /// A token in the header `Authorization` (RFC 6750).
    Bearer,
    /// A key.
    ApiKey {
        /// Where it goes.
        place: ApiKeyPlace,
        /// Name of the parameter, header or cookie.
        name: String,
    },
    /// Anything else, by its name.
    Other(String),
}

/// Where an API key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyPlace {
    /// Into the query.
    Query,
    /// Into a header.
    Header,
    /// Into a cookie.
    Cookie,
}

impl fmt::Display for AuthScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic => f.write_str("basic"),
            Self::Bearer => f.write_str("bearer"),
            Self::ApiKey { place, name } => {
                let place = match place {
                    ApiKeyPlace::Query => "query parameter",
                    ApiKeyPlace::Header => "header",
                    ApiKeyPlace::Cookie => "cookie",
                };
                write!(f, "API key in the {place} {name}")
            }
            Self::Other(name) => f.write_str(name),
        }
    }
}
