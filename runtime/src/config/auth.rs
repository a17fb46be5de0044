//! How requests authenticate: those of the connector, and those of an API that has something else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::kind::{BASE_URL, BOOLEAN, Kind, MAX_MILLIS, SEPARATOR, TEXT, http_url, millis};
use super::names::api_name;
use super::property::{AnyProperty, Property, properties};
use super::reader::Reader;
use super::store;
use crate::http::{
    Auth, CredentialsIn, Grant, Jwt, JwtAlgorithm, OAuth2, OAuthClient, Proof, SigningKey, TokenEndpoint,
};
use crate::keystore::Passwords;
use crate::login;
use crate::secret::Secret;

/// How requests authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthType {
    None,
    Basic,
    OAuth2,
    Bearer,
    ApiKey,
}

/// Where an API key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyLocation {
    Header,
    Query,
}

/// What tokens are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GrantType {
    ClientCredentials,
    Password,
    RefreshToken,
    JwtBearer,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientAuth {
    Secret(CredentialsIn),
    Assertion,
}

/// Why some properties are needed.
const OF_OAUTH2: &str = "it is needed because `auth.type` is `OAUTH2`";

/// Claims of a JWT.
const CLAIMS: Kind<Map<String, Value>> =
    Kind::Text { type_name: "string", expected: "a JSON object", parse: |text| serde_json::from_str(text).ok() };

/// Where a user is asked: an endpoint whose query is kept (RFC 6749 section 3.1), with no parameter in it twice.
const AUTHORIZATION_URL_KIND: Kind<Url> = Kind::Text {
    type_name: "string",
    expected: "an absolute `http` or `https` URL without credentials and fragment, in whose query is nothing that `login` adds",
    parse: |text| {
        let plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let is_free = |url: &Url| url.query_pairs().all(|(name, _)| !login::PARAMETERS.contains(&&*name));
        http_url(text).filter(plain).filter(is_free)
    },
};

properties! {
    AUTH_TYPE: AuthType = Property::new(
        "auth.type",
        Kind::OneOf(&[
            ("NONE", AuthType::None),
            ("BASIC", AuthType::Basic),
            ("OAUTH2", AuthType::OAuth2),
            ("BEARER", AuthType::Bearer),
            ("API_KEY", AuthType::ApiKey),
        ]),
        "How requests authenticate: not at all, by user and password (RFC 7617), by tokens of a token endpoint (RFC 6749), \
         by a token (RFC 6750), or by a key.",
    ).default("NONE").high().overridable();
    USER: String = Property::new(
        "connection.user",
        TEXT,
        "The user, for `auth.type=BASIC` and `oauth2.grant.type=PASSWORD`.",
    ).overridable();
    PASSWORD: Secret = Property::secret("connection.password", "The password of that user.").overridable();
    BEARER_TOKEN: Secret = Property::secret("bearer.token", "The token, for `auth.type=BEARER`.").overridable();
    TOKEN_URL: Url = Property::new("oauth2.token.url", BASE_URL, "The token endpoint, for `auth.type=OAUTH2`.").overridable();
    GRANT: GrantType = Property::new(
        "oauth2.grant.type",
        Kind::OneOf(&[
            ("CLIENT_CREDENTIALS", GrantType::ClientCredentials),
            ("PASSWORD", GrantType::Password),
            ("REFRESH_TOKEN", GrantType::RefreshToken),
            ("JWT_BEARER", GrantType::JwtBearer),
        ]),
        "What tokens are given for: that the client is who it is (RFC 6749 section 4.4), `connection.user` with its password \
         (section 4.3), `oauth2.refresh.token` (section 6), or an assertion that `oauth2.jwt.*` says (RFC 7523 section 2.1).",
    ).default("CLIENT_CREDENTIALS").overridable();
    CLIENT_ID: String = Property::new("oauth2.client.id", TEXT, "The client's id, for `auth.type=OAUTH2`.").overridable();
    CLIENT_SECRET: Secret = Property::secret(
        "oauth2.client.secret",
        "The client's secret, for `auth.type=OAUTH2`. Refresh tokens and assertions are taken of clients without one, too.",
    ).overridable();
    SCOPE: String = Property::new(
        "oauth2.client.scope",
        TEXT,
        "The scope that is asked for. Unless it is set, none is asked for with a refresh token or an assertion.",
    ).default("any").overridable();
    CLIENT_AUTH: ClientAuth = Property::new(
        "oauth2.client.auth.mode",
        Kind::OneOf(&[
            ("header", ClientAuth::Secret(CredentialsIn::Header)),
            ("url", ClientAuth::Secret(CredentialsIn::Url)),
            ("request_body", ClientAuth::Secret(CredentialsIn::Body)),
            ("jwt", ClientAuth::Assertion),
        ]),
        "Where the client's id and secret go: into the `Authorization` header, the query of the token endpoint's URL, or \
         the form that is sent; or `jwt`: an assertion in place of the secret (RFC 7523 section 2.2).",
    ).default("header").low().overridable();
    TOKEN_PROPERTY: String = Property::new(
        "oauth2.token.property",
        TEXT,
        "The member of the token endpoint's answer that is the token.",
    ).default("access_token").low().overridable();
    TOKEN_HEADERS: Secret = Property::secret(
        "oauth2.client.headers",
        "Headers of the request for a token, as `Name:value|Name:value`.",
    ).overridable();
    TOKEN_HEADERS_SEPARATOR: String = Property::new(
        "oauth2.client.header.separator",
        SEPARATOR,
        "What stands between two of `oauth2.client.headers`.",
    ).default("|").low().overridable();
    REFRESH_TOKEN: Secret = Property::secret(
        "oauth2.refresh.token",
        "The refresh token that tokens are got with, for `oauth2.grant.type=REFRESH_TOKEN`. If the endpoint answers with a new \
         one, that is used from then on.",
    ).overridable();
    REFRESH_TOKEN_FILE: String = Property::new(
        "oauth2.refresh.token.file",
        TEXT,
        "The file in which a new refresh token is kept for the next run; what is in it takes the place of \
         `oauth2.refresh.token`. Needed where a refresh token is good for one use. The command `login` keeps there what a \
         login brings.",
    ).low().overridable();
    AUTHORIZATION_URL: Url = Property::new(
        "oauth2.authorization.url",
        AUTHORIZATION_URL_KIND,
        "Where a user lets the client in, for the command `login`: the authorization endpoint (RFC 6749 section 3.1), \
         perhaps with a query of its own.",
    ).low().overridable();
    JWT: bool = Property::new(
        "oauth2.jwt.enabled",
        BOOLEAN,
        "Whether a signed JWT goes with the request for a token, as its parameter `jwt_token`.",
    ).default("false").overridable();
    JWT_STORE: Secret = Property::secret(
        "oauth2.jwt.keystore.path",
        "The private key that JWTs are signed with: the path or the content, in Base64, of a JKS or PKCS #12 store, \
         or PEM.",
    ).overridable();
    JWT_STORE_PASSWORD: Secret = Property::secret("oauth2.jwt.keystore.password", "The password of that store, and of the key in it.").overridable();
    JWT_STORE_TYPE: () = Property::new("oauth2.jwt.keystore.type", store::TYPE, store::SEEN).default("JKS").low().overridable();
    JWT_CLAIMS: Map<String, Value> = Property::new(
        "oauth2.jwt.claimset",
        CLAIMS,
        "What the JWT claims, as JSON. Added unless they are there: `iss` and `sub`, the client's id; `aud`, the token \
         endpoint; `iat`, `exp` and `jti`.",
    ).overridable();
    JWT_ALGORITHM: JwtAlgorithm = Property::new(
        "oauth2.jwt.signature.algorithm",
        Kind::OneOf(&[
            ("RS256", JwtAlgorithm::Rs256),
            ("RS384", JwtAlgorithm::Rs384),
            ("RS512", JwtAlgorithm::Rs512),
            ("PS256", JwtAlgorithm::Ps256),
            ("PS384", JwtAlgorithm::Ps384),
            ("PS512", JwtAlgorithm::Ps512),
            ("ES256", JwtAlgorithm::Es256),
            ("ES384", JwtAlgorithm::Es384),
            ("EdDSA", JwtAlgorithm::EdDsa),
        ]),
        "How JWTs are signed (RFC 7518 section 3.1).",
    ).default("RS256").low().overridable();
    JWT_KEY_ID: String = Property::new(
        "oauth2.jwt.key.id",
        TEXT,
        "The `kid` of JWTs, by which the endpoint finds the public key.",
    ).low().overridable();
    JWT_LIFETIME: Duration = Property::new(
        "oauth2.jwt.lifetime.ms",
        millis(1000, MAX_MILLIS),
        "How long after it is signed a JWT ends, in milliseconds.",
    ).default("300000").low().overridable();
    KEY_LOCATION: KeyLocation = Property::new(
        "api.key.location",
        Kind::OneOf(&[("HEADER", KeyLocation::Header), ("QUERY", KeyLocation::Query)]),
        "Where the key goes, for `auth.type=API_KEY`: into a header or a query parameter.",
    ).default("HEADER").overridable();
    KEY_NAME: String = Property::new("api.key.name", TEXT, "The name of that header or query parameter.")
        .default("X-API-KEY").overridable();
    KEY_VALUE: Secret = Property::secret("api.key.value", "The key, for `auth.type=API_KEY`.").overridable();
}

/// Reads how the connector's requests authenticate.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Auth> {
    let auth = Of { reader, api: None }.auth();
    if auth == Some(Auth::None)
        && let Some(property) = reader.first_set(&[&USER, &PASSWORD, &BEARER_TOKEN, &KEY_VALUE])
    {
        tracing::warn!(property, "the property has no effect, because `auth.type` is `NONE`");
    }
    auth
}

/// Reads how the requests of one API authenticate, if it is said of it; `None` has told what is wrong.
pub(super) fn read_of(reader: &mut Reader<'_>, number: usize) -> Option<Option<Auth>> {
    match has_own(reader, number) {
        true => Of { reader, api: Some(number) }.auth().map(Some),
        false => Some(None),
    }
}

/// Reads how a user logs in for the requests of one API, if one does; `None` has told what is wrong.
pub(super) fn read_login(reader: &mut Reader<'_>, number: usize) -> Option<Option<login::Authorization>> {
    let api = has_own(reader, number).then_some(number);
    Of { reader, api }.login()
}

/// Whether the requests of one API authenticate in their own way.
fn has_own(reader: &Reader<'_>, number: usize) -> bool {
    let is_set = |property: &&dyn AnyProperty| reader.has(&api_name(number, property.definition().name));
    PROPERTIES.iter().any(is_set)
}

/// Properties of an API, each of which holds in place of the connector's; or those of the connector.
struct Of<'r, 'a> {
    reader: &'r mut Reader<'a>,
    api: Option<usize>,
}

impl Of<'_, '_> {
    /// The name that a property is set by.
    fn name<T>(&self, property: &Property<T>) -> String {
        let own = self.api.map(|number| api_name(number, property.name()));
        own.filter(|name| self.reader.has(name)).unwrap_or_else(|| property.name().to_owned())
    }

    fn is_set<T>(&self, property: &Property<T>) -> bool {
        self.reader.has(&self.name(property))
    }

    fn get<T: Clone + Sync>(&mut self, property: &Property<T>) -> Option<T> {
        let name = self.name(property);
        self.reader.get_named(property, &name)
    }

    fn require<T: Clone + Sync>(&mut self, property: &Property<T>, reason: &str) -> Option<T> {
        let name = match self.api {
            Some(number) if !self.is_set(property) => api_name(number, property.name()),
            _ => self.name(property),
        };
        self.reader.require_named(property, &name, reason)
    }

    fn conflict<T>(&mut self, property: &Property<T>, reason: impl Into<String>, hint: Option<String>) {
        let name = self.name(property);
        self.reader.conflict(&name, reason, hint);
    }

    fn auth(&mut self) -> Option<Auth> {
        match self.get(&AUTH_TYPE)? {
            AuthType::None => Some(Auth::None),
            AuthType::Basic => {
                let (user, password) = self.user("it is needed because `auth.type` is `BASIC`")?;
                if user.contains(':') {
                    let expected = "a user without a colon, which would begin the password (RFC 7617 section 2)";
                    let name = self.name(&USER);
                    self.reader.invalid(&name, expected, None);
                }
                Some(Auth::Basic { user, password })
            }
            AuthType::Bearer => {
                let token = self.require(&BEARER_TOKEN, "it is needed because `auth.type` is `BEARER`")?;
                if token.expose().chars().any(|char| !char.is_ascii_graphic()) {
                    self.conflict(&BEARER_TOKEN, "holds a blank or another character that no token has", None);
                }
                Some(Auth::Bearer(token))
            }
            AuthType::OAuth2 => self.oauth2().map(|oauth| Auth::OAuth2(Box::new(oauth))),
            AuthType::ApiKey => {
                let key = self.require(&KEY_VALUE, "it is needed because `auth.type` is `API_KEY`");
                let (location, name) = (self.get(&KEY_LOCATION), self.get(&KEY_NAME));
                let (name, key) = (name?, key?);
                Some(match location? {
                    KeyLocation::Header => Auth::HeaderKey { name, key },
                    KeyLocation::Query => Auth::QueryKey { name, key },
                })
            }
        }
    }

    fn user(&mut self, reason: &str) -> Option<(String, Secret)> {
        let (user, password) = (self.require(&USER, reason), self.require(&PASSWORD, reason));
        Some((user?, password?))
    }

    fn oauth2(&mut self) -> Option<OAuth2> {
        let (endpoint, grant) = self.endpoint_with(|of, grant, jwt| match grant {
            GrantType::ClientCredentials => Some(Grant::ClientCredentials),
            GrantType::Password => of
                .user("it is needed because `oauth2.grant.type` is `PASSWORD`")
                .map(|(user, password)| Grant::Password { user, password }),
            GrantType::RefreshToken => of.refresh_token(),
            GrantType::JwtBearer => jwt.map(Grant::JwtBearer),
        })?;
        Some(OAuth2 { endpoint, grant })
    }

    /// The token endpoint, and what `read` makes of what it is asked with.
    fn endpoint_with<T>(
        &mut self,
        read: impl FnOnce(&mut Self, GrantType, Option<Jwt>) -> Option<T>,
    ) -> Option<(TokenEndpoint, T)> {
        let url = self.require(&TOKEN_URL, OF_OAUTH2);
        let (grant, client_auth, with_jwt) = (self.get(&GRANT)?, self.get(&CLIENT_AUTH)?, self.get(&JWT)?);
        let signs = with_jwt || grant == GrantType::JwtBearer || client_auth == ClientAuth::Assertion;
        let jwt = if signs { Some(self.jwt()) } else { None };
        let client = self.client(grant, client_auth, jwt.clone().flatten());
        let by_itself = matches!(grant, GrantType::RefreshToken | GrantType::JwtBearer) && !self.is_set(&SCOPE);
        let scope = if by_itself { Some(String::new()) } else { self.get(&SCOPE) };
        let read = read(self, grant, jwt.clone().flatten());
        let token_property = self.get(&TOKEN_PROPERTY);
        let headers = self.headers();
        let jwt = if with_jwt { jwt?.map(Some) } else { Some(None) };
        let endpoint = TokenEndpoint {
            url: url?,
            client: client?,
            scope: scope?,
            jwt: jwt?,
            token_property: token_property?,
            headers: headers?,
        };
        Some((endpoint, read?))
    }

    /// How a user logs in, if one does for this.
    fn login(&mut self) -> Option<Option<login::Authorization>> {
        if self.get(&AUTH_TYPE)? != AuthType::OAuth2 || self.get(&GRANT)? != GrantType::RefreshToken {
            return Some(None);
        }
        // That login has happened elsewhere.
        if self.is_set(&REFRESH_TOKEN) && !self.is_set(&AUTHORIZATION_URL) {
            return Some(None);
        }
        let (endpoint, (client_id, url, file)) = self.endpoint_with(|of, _, _| {
            let (id, url) =
                (of.require(&CLIENT_ID, OF_OAUTH2), of.require(&AUTHORIZATION_URL, "it is where a user logs in"));
            let file = of.require(&REFRESH_TOKEN_FILE, "it is where the refresh token is kept that a login brings");
            Some((id?, url?, PathBuf::from(file?)))
        })?;
        Some(Some(login::Authorization { url, client_id, endpoint, file }))
    }

    /// Who asks for tokens; `None` has told what is missing.
    fn client(&mut self, grant: GrantType, auth: ClientAuth, jwt: Option<Jwt>) -> Option<Option<OAuthClient>> {
        let id = match grant {
            // The assertion says who asks.
            GrantType::JwtBearer if auth != ClientAuth::Assertion => match self.get(&CLIENT_ID) {
                Some(id) => id,
                None => return Some(None),
            },
            _ => self.require(&CLIENT_ID, OF_OAUTH2)?,
        };
        let proof = match auth {
            ClientAuth::Assertion => Proof::Assertion(jwt?),
            ClientAuth::Secret(place) => {
                let secret = match grant {
                    GrantType::ClientCredentials => Some(self.require(&CLIENT_SECRET, OF_OAUTH2)?),
                    _ => self.get(&CLIENT_SECRET),
                };
                secret.map_or(Proof::None, |secret| Proof::Secret(secret, place))
            }
        };
        Some(Some(OAuthClient { id, proof }))
    }

    fn refresh_token(&mut self) -> Option<Grant> {
        let file = self.get(&REFRESH_TOKEN_FILE).map(PathBuf::from);
        let kept = match file.as_deref().map(std::fs::read_to_string) {
            Some(Ok(text)) if !text.trim().is_empty() => Some(Secret::new(text.trim())),
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
                self.conflict(&REFRESH_TOKEN_FILE, format!("names a file that cannot be read: {error}"), None);
                return None;
            }
            _ => None,
        };
        let token = match kept {
            Some(token) => token,
            None => {
                let reason = match file {
                    Some(_) => {
                        "nothing is in `oauth2.refresh.token.file` yet: run `login` with this configuration, or set this \
                         for the first run"
                    }
                    None => "it is needed because `oauth2.grant.type` is `REFRESH_TOKEN`",
                };
                self.require(&REFRESH_TOKEN, reason)?
            }
        };
        Some(Grant::RefreshToken { token, file })
    }

    fn jwt(&mut self) -> Option<Jwt> {
        let (algorithm, id, lifetime) = (self.get(&JWT_ALGORITHM), self.get(&JWT_KEY_ID), self.get(&JWT_LIFETIME));
        let password = self.get(&JWT_STORE_PASSWORD);
        self.get(&JWT_STORE_TYPE);
        let claims = if self.is_set(&JWT_CLAIMS) { self.get(&JWT_CLAIMS)? } else { Map::new() };
        let text = self.require(&JWT_STORE, "it is needed because a JWT is to be signed")?;
        // Confluent Cloud has the content, its connectors elsewhere the path.
        let content = match std::fs::read(Path::new(text.expose())) {
            Ok(content) => content,
            Err(_) => store::decoded(text.expose()),
        };
        match SigningKey::read(&content, Passwords::of_store(password.as_ref()), algorithm?, id) {
            Ok(key) => Some(Jwt { key, claims, lifetime: lifetime? }),
            Err(error) => {
                self.conflict(&JWT_STORE, error.to_string(), store::hint(&error, None));
                None
            }
        }
    }

    fn headers(&mut self) -> Option<Vec<(String, Secret)>> {
        let separator = self.get(&TOKEN_HEADERS_SEPARATOR);
        let Some(text) = self.get(&TOKEN_HEADERS) else { return Some(Vec::new()) };
        secret_headers(&text, &separator?).or_else(|| {
            let name = self.name(&TOKEN_HEADERS);
            self.reader.invalid(&name, "a list of names and values with `:` between them", None);
            None
        })
    }
}

/// Reads headers that must not be seen: names and values with a colon between them.
pub(super) fn secret_headers(text: &Secret, separator: &str) -> Option<Vec<(String, Secret)>> {
    let entries = text.expose().split(separator).filter(|entry| !entry.trim().is_empty());
    let header = |entry: &str| {
        let (name, value) = entry.split_once(':').filter(|(name, _)| !name.trim().is_empty())?;
        Some((name.trim().to_owned(), Secret::new(value.trim())))
    };
    entries.map(header).collect()
}
