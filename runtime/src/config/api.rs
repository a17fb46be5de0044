//! The API: where it is, how requests authenticate, and how each operation is read.

use std::time::Duration;

use url::Url;

use super::kind::{BASE_URL, Kind, MAX_MILLIS, SEPARATOR, TEXT, TOPIC, count, millis};
use super::names::api_name;
use super::property::{Generated, Property, properties};
use super::reader::Reader;
use crate::flow::OnError;
use crate::format::OutputFormat;
use crate::http::{Auth, Backoff, ClientSettings, CredentialsIn, OAuth2, RetryPolicy, StatusRanges};
use crate::operation::{IncrementalMode, OperationFacts};
use crate::record::time::parse_instant;
use crate::schedule::Schedule;
use crate::secret::Secret;

/// How requests authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthType {
    None,
    Basic,
    OAuth2,
    Bearer,
    ApiKey,
}

/// Where an API key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyLocation {
    Header,
    Query,
}

/// Status codes and ranges of them.
const STATUSES: Kind<StatusRanges> = Kind::Text {
    type_name: "string",
    expected: "a comma-separated list of status codes and ranges, such as `404,429,500-599` or `500-`",
    parse: |text| text.parse().ok(),
};

// Of any connector.
properties! {
    in GLOBAL;

    BASE_URL_PROPERTY: Url = Property::new(
        "http.api.base.url",
        BASE_URL,
        "The API's base URL; the operations' paths are below it.",
    ).generated(Generated::BaseUrl).high();
    AUTH_TYPE: AuthType = Property::new(
        "auth.type",
        Kind::OneOf(&[
            ("NONE", AuthType::None),
            ("BASIC", AuthType::Basic),
            ("OAUTH2", AuthType::OAuth2),
            ("BEARER", AuthType::Bearer),
            ("API_KEY", AuthType::ApiKey),
        ]),
        "How requests authenticate: not at all, by user and password (RFC 7617), by tokens that are got \
         with client credentials (RFC 6749 section 4.4), by a token (RFC 6750), or by a key.",
    ).default("NONE").high();
    USER: String = Property::new("connection.user", TEXT, "The user, for `auth.type=BASIC`.");
    PASSWORD: Secret = Property::secret("connection.password", "The password, for `auth.type=BASIC`.");
    BEARER_TOKEN: Secret = Property::secret("bearer.token", "The token, for `auth.type=BEARER`.");
    TOKEN_URL: Url = Property::new("oauth2.token.url", BASE_URL, "The token endpoint, for `auth.type=OAUTH2`.");
    CLIENT_ID: String = Property::new("oauth2.client.id", TEXT, "The client's id, for `auth.type=OAUTH2`.");
    CLIENT_SECRET: Secret = Property::secret("oauth2.client.secret", "The client's secret, for `auth.type=OAUTH2`.");
    SCOPE: String = Property::new("oauth2.client.scope", TEXT, "The scope that is asked for.").default("any");
    CLIENT_AUTH: CredentialsIn = Property::new(
        "oauth2.client.auth.mode",
        Kind::OneOf(&[
            ("header", CredentialsIn::Header),
            ("url", CredentialsIn::Url),
            ("request_body", CredentialsIn::Body),
        ]),
        "Where the client's id and secret go: into the `Authorization` header, the query of the token endpoint's URL, or \
         the form that is sent.",
    ).default("header").low();
    TOKEN_PROPERTY: String = Property::new(
        "oauth2.token.property",
        TEXT,
        "The member of the token endpoint's answer that is the token.",
    ).default("access_token").low();
    TOKEN_HEADERS: Secret = Property::secret(
        "oauth2.client.headers",
        "Headers of the request for a token, as `Name:value|Name:value`.",
    );
    TOKEN_HEADERS_SEPARATOR: String = Property::new(
        "oauth2.client.header.separator",
        SEPARATOR,
        "What stands between two of `oauth2.client.headers`.",
    ).default("|").low();
    KEY_LOCATION: KeyLocation = Property::new(
        "api.key.location",
        Kind::OneOf(&[("HEADER", KeyLocation::Header), ("QUERY", KeyLocation::Query)]),
        "Where the key goes, for `auth.type=API_KEY`: into a header or a query parameter.",
    ).default("HEADER");
    KEY_NAME: String = Property::new("api.key.name", TEXT, "The name of that header or query parameter.")
        .default("X-API-KEY");
    KEY_VALUE: Secret = Property::secret("api.key.value", "The key, for `auth.type=API_KEY`.");
}

// What generated connectors have annotations for.
properties! {
    in ANNOTATED;

    TOPICS: String = Property::new("topics", TOPIC, "The Kafka topic of the records.")
        .per_api().generated(Generated::Annotation).high();
    FORMAT: OutputFormat = Property::new(
        "output.data.format",
        Kind::OneOf(&[
            ("AVRO", OutputFormat::Avro),
            ("PROTOBUF", OutputFormat::Protobuf),
            ("JSON_SR", OutputFormat::JsonSchema),
            ("JSON", OutputFormat::Json),
        ]),
        "How the records' values are written: in Avro, Protobuf or JSON by a schema of the registry, or in JSON as the \
         API sends it, without a schema.",
    ).per_api().default("AVRO").high();
    ENFORCE: bool = Property::new(
        "http.response.schema.enforce",
        Kind::OneOf(&[("NONE", false), ("STRICT", true)]),
        "Whether a record that is not as the API's document says stops its stream. If not, it is delivered, and what has \
         no place in its schema goes into the field `unmapped`.",
    ).per_api().default("NONE");
    INTERVAL: Duration = Property::new(
        "request.interval.ms",
        millis(1, MAX_MILLIS),
        "Pause between two cycles, in milliseconds. The pages of one cycle follow one another at once.",
    ).per_api().generated(Generated::Annotation).high();
    INITIAL_OFFSET: String = Property::new(
        "http.initial.offset",
        TEXT,
        "Where a stream without a stored position begins; for operations that are read incrementally.",
    ).per_api().generated(Generated::Annotation);
}

// Of each operation of any connector.
properties! {
    in REQUESTS;

    CONNECT_TIMEOUT: Duration = Property::new(
        "http.connect.timeout.ms",
        millis(1, MAX_MILLIS),
        "How long connecting may take, in milliseconds, TLS handshake included.",
    ).per_api().default("30000").low();
    REQUEST_TIMEOUT: Duration = Property::new(
        "http.request.timeout.ms",
        millis(1, MAX_MILLIS),
        "How long a request may take, in milliseconds, from its start to the end of the response.",
    ).per_api().default("30000");
    MAX_RETRIES: u32 = Property::new(
        "max.retries",
        count(0, 5000),
        "How often a request that failed is tried again before its stream stops.",
    ).per_api().default("5");
    RETRY_POLICY: Backoff = Property::new(
        "retry.backoff.policy",
        Kind::OneOf(&[
            ("EXPONENTIAL_WITH_JITTER", Backoff::ExponentialWithJitter),
            ("CONSTANT_VALUE", Backoff::Constant),
        ]),
        "How the pauses between tries grow: drawn from 0 up to a limit that doubles with every try, or always the same. \
         A `Retry-After` of the API takes precedence.",
    ).per_api().default("EXPONENTIAL_WITH_JITTER").low();
    RETRY_BACKOFF: Duration = Property::new(
        "retry.backoff.ms",
        millis(1, MAX_MILLIS),
        "The first limit, or the constant pause, in milliseconds.",
    ).per_api().default("3000");
    RETRY_BACKOFF_MAX: Duration = Property::new(
        "retry.backoff.max.ms",
        millis(1, MAX_MILLIS),
        "The largest limit that the pauses are drawn from, in milliseconds.",
    ).per_api().default("60000").low();
}

// Of each operation of a generated connector.
properties! {
    in RETRIED;

    RETRY_STATUSES: StatusRanges = Property::new(
        "retry.on.status.codes",
        STATUSES,
        "The statuses on which a request is tried again. Failures without a status always are.",
    ).per_api().default("408,425,429,500-");
}

/// What configuration says of one operation, with what holds where it says nothing.
#[derive(Clone, Debug)]
pub struct OperationSettings {
    /// The operation's id.
    pub id: String,
    /// The Kafka topic of its records.
    pub topic: String,
    /// How its records are written.
    pub format: OutputFormat,
    /// Whether a record that departs from the document stops it.
    pub is_strict: bool,
    /// When its cycles begin.
    pub schedule: Schedule,
    /// Where it begins without a stored position; `None`: without an offset.
    pub initial_offset: Option<String>,
    /// Its HTTP client.
    pub http: ClientSettings,
    /// When its requests are tried again.
    pub retry: RetryPolicy,
    /// The subject of the schema that is learnt from the records, if it is.
    pub inferred_subject: Option<String>,
    /// What follows when they have failed for good.
    pub on_error: OnError,
}

/// What the operations have in common.
pub(super) struct Api {
    base_url: Url,
    auth: Auth,
}

/// Reads what the operations have in common; `generated` is the base URL in the API's document.
pub(super) fn read(reader: &mut Reader<'_>, generated: Option<&str>) -> Option<Api> {
    let base_url = match generated.and_then(|url| BASE_URL_PROPERTY.parse(url)) {
        Some(generated) if !reader.is_set(&BASE_URL_PROPERTY) => Some(generated),
        _ => reader.require(&BASE_URL_PROPERTY, "the API's document names no absolute URL of a server"),
    };
    let auth = read_auth(reader);
    Some(Api { base_url: base_url?, auth: auth? })
}

fn read_auth(reader: &mut Reader<'_>) -> Option<Auth> {
    match reader.get(&AUTH_TYPE)? {
        AuthType::None => {
            if let Some(property) = reader.first_set(&[&USER, &PASSWORD, &BEARER_TOKEN, &KEY_VALUE]) {
                tracing::warn!(property, "the property has no effect, because `auth.type` is `NONE`");
            }
            Some(Auth::None)
        }
        AuthType::Basic => {
            let reason = "it is needed because `auth.type` is `BASIC`";
            let user = reader.require(&USER, reason);
            let password = reader.require(&PASSWORD, reason);
            if user.as_ref().is_some_and(|user| user.contains(':')) {
                let expected = "a user without a colon, which would begin the password (RFC 7617 section 2)";
                reader.invalid(USER.name(), expected, None);
            }
            Some(Auth::Basic { user: user?, password: password? })
        }
        AuthType::Bearer => {
            let token = reader.require(&BEARER_TOKEN, "it is needed because `auth.type` is `BEARER`")?;
            if token.expose().chars().any(|char| !char.is_ascii_graphic()) {
                reader.conflict(BEARER_TOKEN.name(), "holds a blank or another character that no token has", None);
            }
            Some(Auth::Bearer(token))
        }
        AuthType::OAuth2 => read_oauth2(reader).map(|oauth| Auth::OAuth2(Box::new(oauth))),
        AuthType::ApiKey => {
            let key = reader.require(&KEY_VALUE, "it is needed because `auth.type` is `API_KEY`");
            let (location, name) = (reader.get(&KEY_LOCATION), reader.get(&KEY_NAME));
            let (name, key) = (name?, key?);
            Some(match location? {
                KeyLocation::Header => Auth::HeaderKey { name, key },
                KeyLocation::Query => Auth::QueryKey { name, key },
            })
        }
    }
}

fn read_oauth2(reader: &mut Reader<'_>) -> Option<OAuth2> {
    let reason = "it is needed because `auth.type` is `OAUTH2`";
    let token_url = reader.require(&TOKEN_URL, reason);
    let client_id = reader.require(&CLIENT_ID, reason);
    let client_secret = reader.require(&CLIENT_SECRET, reason);
    let scope = reader.get(&SCOPE);
    let credentials = reader.get(&CLIENT_AUTH);
    let token_property = reader.get(&TOKEN_PROPERTY);
    let separator = reader.get(&TOKEN_HEADERS_SEPARATOR);
    let headers = match reader.get(&TOKEN_HEADERS) {
        Some(text) => secret_headers(&text, &separator?).or_else(|| {
            reader.invalid(TOKEN_HEADERS.name(), "a list of names and values with `:` between them", None);
            None
        }),
        None => Some(Vec::new()),
    };
    Some(OAuth2 {
        token_url: token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        scope: scope?,
        credentials: credentials?,
        token_property: token_property?,
        headers: headers?,
    })
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

/// Reads what belongs to one operation; `number` counts from 1.
pub(super) fn read_operation(
    reader: &mut Reader<'_>,
    number: usize,
    api: Option<&Api>,
    facts: &OperationFacts,
) -> Option<OperationSettings> {
    let topic = reader.get_of(number, &TOPICS);
    let format = reader.get_of(number, &FORMAT);
    let is_strict = reader.get_of(number, &ENFORCE);
    let interval = reader.get_of(number, &INTERVAL);
    let initial_offset = reader.get_of(number, &INITIAL_OFFSET);
    let http = read_client(reader, number, api);
    let retry = read_retry(reader, number, &RETRY_STATUSES);
    if let Some(value) = &initial_offset {
        check_initial_offset(reader, number, value, facts);
    }
    let initial_offset = initial_offset.or_else(|| Some(facts.incremental.as_ref()?.initial.as_ref()?.to_string()));
    Some(OperationSettings {
        id: facts.id.to_string(),
        topic: topic.unwrap_or_else(|| facts.topic.to_string()),
        format: format?,
        is_strict: is_strict?,
        schedule: Schedule::Interval(interval.unwrap_or(facts.interval)),
        initial_offset,
        http: http?,
        retry: retry?,
        inferred_subject: None,
        on_error: OnError::Fail,
    })
}

/// Reads what the HTTP client of one operation needs to know.
pub(super) fn read_client(reader: &mut Reader<'_>, number: usize, api: Option<&Api>) -> Option<ClientSettings> {
    let connect_timeout = reader.get_of(number, &CONNECT_TIMEOUT);
    let request_timeout = reader.get_of(number, &REQUEST_TIMEOUT);
    let api = api?;
    let mut http = ClientSettings::new(api.base_url.clone());
    http.auth = api.auth.clone();
    http.connect_timeout = connect_timeout?;
    http.request_timeout = request_timeout?;
    Some(http)
}

/// Reads when the requests of one operation are tried again; `statuses` is the property for the statuses.
pub(super) fn read_retry(
    reader: &mut Reader<'_>,
    number: usize,
    statuses: &Property<StatusRanges>,
) -> Option<RetryPolicy> {
    let max_retries = reader.get_of(number, &MAX_RETRIES);
    let backoff = reader.get_of(number, &RETRY_POLICY);
    let initial = reader.get_of(number, &RETRY_BACKOFF);
    let cap = reader.get_of(number, &RETRY_BACKOFF_MAX);
    let statuses = reader.get_of(number, statuses);
    let (initial, cap, backoff) = (initial?, cap?, backoff?);
    if backoff == Backoff::ExponentialWithJitter && initial > cap {
        let cap = format!("is more than `{}`, {}", api_name(number, RETRY_BACKOFF_MAX.name()), cap.as_millis());
        reader.conflict(&api_name(number, RETRY_BACKOFF.name()), cap, None);
    }
    Some(RetryPolicy {
        max_retries: max_retries?,
        backoff,
        initial,
        cap,
        statuses: statuses?,
        ..RetryPolicy::default()
    })
}

fn check_initial_offset(reader: &mut Reader<'_>, number: usize, value: &str, facts: &OperationFacts) {
    let name = api_name(number, INITIAL_OFFSET.name());
    match &facts.incremental {
        None => {
            reader.conflict(&name, "has no effect: every cycle of the operation reads everything", None);
        }
        Some(incremental) if incremental.mode == IncrementalMode::Timestamp && parse_instant(value).is_none() => {
            reader.invalid(&name, "an RFC 3339 instant, such as `2024-01-01T00:00:00Z`", None);
        }
        Some(_) => {}
    }
}
