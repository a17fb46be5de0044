//! The API: where it is, how requests authenticate, and how each operation is read.

use std::time::Duration;

use url::Url;

use super::kind::{BASE_URL, Kind, MAX_MILLIS, TEXT, TOPIC, count, millis};
use super::names::api_name;
use super::property::{Generated, Property, properties};
use super::reader::Reader;
use crate::format::OutputFormat;
use crate::http::{Auth, Backoff, ClientSettings, RetryPolicy, StatusRanges};
use crate::operation::{IncrementalMode, OperationFacts};
use crate::record::time::parse_instant;
use crate::secret::Secret;

/// How requests authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthType {
    None,
    Basic,
    Bearer,
}

/// Status codes and ranges of them.
const STATUSES: Kind<StatusRanges> = Kind::Text {
    type_name: "string",
    expected: "a comma-separated list of status codes and ranges, such as `404,429,500-599` or `500-`",
    parse: |text| text.parse().ok(),
};

properties! {
    BASE_URL_PROPERTY: Url = Property::new(
        "http.api.base.url",
        BASE_URL,
        "The API's base URL; the operations' paths are below it.",
    ).generated(Generated::BaseUrl).high();
    AUTH_TYPE: AuthType = Property::new(
        "auth.type",
        Kind::OneOf(&[("NONE", AuthType::None), ("BASIC", AuthType::Basic), ("BEARER", AuthType::Bearer)]),
        "How requests authenticate: not at all, by user and password (RFC 7617), or by a token (RFC 6750).",
    ).default("NONE").high();
    USER: String = Property::new("connection.user", TEXT, "The user, for `auth.type=BASIC`.");
    PASSWORD: Secret = Property::secret("connection.password", "The password, for `auth.type=BASIC`.");
    BEARER_TOKEN: Secret = Property::secret("bearer.token", "The token, for `auth.type=BEARER`.");

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
    /// Pause between two cycles.
    pub interval: Duration,
    /// Where it begins without a stored position; `None`: without an offset.
    pub initial_offset: Option<String>,
    /// Its HTTP client.
    pub http: ClientSettings,
    /// When its requests are tried again.
    pub retry: RetryPolicy,
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
            if let Some(property) = reader.first_set(&[&USER, &PASSWORD, &BEARER_TOKEN]) {
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
    }
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
    let connect_timeout = reader.get_of(number, &CONNECT_TIMEOUT);
    let request_timeout = reader.get_of(number, &REQUEST_TIMEOUT);
    let retry = read_retry(reader, number);
    if let Some(value) = &initial_offset {
        check_initial_offset(reader, number, value, facts);
    }
    let api = api?;
    let initial_offset = initial_offset.or_else(|| Some(facts.incremental.as_ref()?.initial.as_ref()?.to_string()));
    let mut http = ClientSettings::new(api.base_url.clone());
    http.auth = api.auth.clone();
    http.connect_timeout = connect_timeout?;
    http.request_timeout = request_timeout?;
    Some(OperationSettings {
        id: facts.id.to_string(),
        topic: topic.unwrap_or_else(|| facts.topic.to_string()),
        format: format?,
        is_strict: is_strict?,
        interval: interval.unwrap_or(facts.interval),
        initial_offset,
        http,
        retry: retry?,
    })
}

fn read_retry(reader: &mut Reader<'_>, number: usize) -> Option<RetryPolicy> {
    let max_retries = reader.get_of(number, &MAX_RETRIES);
    let backoff = reader.get_of(number, &RETRY_POLICY);
    let initial = reader.get_of(number, &RETRY_BACKOFF);
    let cap = reader.get_of(number, &RETRY_BACKOFF_MAX);
    let statuses = reader.get_of(number, &RETRY_STATUSES);
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
