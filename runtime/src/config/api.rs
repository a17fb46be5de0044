//! The API: where it is, and how each operation is read.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::connection::{self, Connection};
use super::kind::{BASE_URL, BOOLEAN, Kind, MAX_MILLIS, TEXT, TOPIC, count, millis};
use super::names::api_name;
use super::property::{Generated, Property, properties};
use super::reader::Reader;
use super::{auth, drift, failure, limits, schedule};
use crate::flow::{Learning, OnError, Pace, PageLimit, Provenance, SnapshotSettings, Tolerance};
use crate::format::OutputFormat;
use crate::http::{Actions, Auth, Backoff, ClientSettings, Detour, Hosts, RetryPolicy, StatusRanges};
use crate::operation::{IncrementalMode, OperationFacts};
use crate::page::DriftPolicy;
use crate::record::time::parse_instant;
use crate::redaction::Redaction;
use crate::schedule::Schedule;
use crate::slice::Backfill;
use crate::transform::Transforms;

/// Status codes and ranges of them.
const STATUSES: Kind<StatusRanges> = Kind::Text {
    type_name: "string",
    expected: "a comma-separated list of status codes and ranges, such as `404,429,500-599` or `500-`",
    parse: |text| text.parse().ok(),
};

/// Rules for answers.
const ACTION_RULES: Kind<Actions> = Kind::Text {
    type_name: "string",
    expected: "a list of rules such as `404 -> EMPTY; 403 ~quota -> RETRY; 200 /status=error -> FAIL`, in which `;` stands \
               between rules and the actions are RETRY, FAIL, EMPTY, REFRESH, SKIP, SHRINK, SPLIT and RESTART",
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
    MAX_IN_FLIGHT: u32 = Property::new(
        "max.in.flight.requests",
        count(1, 1000),
        "How many requests for the pages of an API may be under way at once, where one can be asked for before the last has \
         come: if they are numbered, or records are counted and the size of a page is known. A cycle begins with one, \
         and every page that is followed by another doubles it. When the API answers 429, the pages of the cycle are \
         asked for one by one. Of an API that is read in slices, it is how many slices are read at a time; the pages of each \
         follow one another.",
    ).default("10");
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
    ).overridable().default("AVRO").high();
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
    API_MAX_IN_FLIGHT: u32 = Property::new(
        "max.in.flight.requests",
        count(1, 1000),
        "As `max.in.flight.requests`, for this API; in its place.",
    ).per_api().low();
    EMPTY_ON: StatusRanges = Property::new(
        "http.empty.on.status.codes",
        STATUSES,
        "The statuses that say, of the first page of a cycle or of a slice, that nothing is there, such as `404`: no error, \
         and no records.",
    ).per_api();
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
    ACTIONS: Actions = Property::new(
        "http.response.actions",
        ACTION_RULES,
        "What is done with answers that need something else than their status says: rules with `;` between them, of \
         which the first that an answer meets decides. A rule is `404 -> EMPTY`, or for a part of the answers with these \
         statuses `403 ~quota -> RETRY`, whose content has that text in it, or `200 /status=error -> FAIL`, whose JSON has \
         that value at that JSON Pointer. RETRY: the request is tried again. FAIL: it has failed for good. EMPTY: the answer \
         counts as a page without records. REFRESH: the token is got anew, and the request is tried again. SKIP: the page \
         is left out, told in the log and the error topic, and the next one asked for. SHRINK: half as many records are \
         asked for, until the cycle ends. SPLIT: the first half of the time window is asked for, and then the second. \
         RESTART: the cycle, or the time window, begins with its first page again, and what it had read comes twice.",
    ).per_api();
    CONDITIONAL: bool = Property::new(
        "http.request.conditional",
        BOOLEAN,
        "Whether a cycle of one page asks for it only if it has changed, by the `ETag` or `Last-Modified` of the last          answer (RFC 9110 section 13). If it has not, the cycle brings no records.",
    ).per_api().default("false");
    REPEATS_ALL: bool = Property::new(
        "retry.non.idempotent",
        BOOLEAN,
        "Whether a POST or PATCH request is tried again that the API may have acted on. What it says it has not acted on          (401, 408, 425, 429, or with `Retry-After`), and what did not reach it, always is.",
    ).per_api().default("true").low();
    RETRY_TIMEOUT: Duration = Property::new(
        "retry.timeout.ms",
        millis(0, MAX_MILLIS),
        "No try again begins later than this after the first try, in milliseconds. Not set: `max.retries` alone decides.",
    ).per_api().low();
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
    /// The Kafka topic of its records; `None`: they are not written, and only call for slices of other operations.
    pub topic: Option<String>,
    /// How its records are written.
    pub format: OutputFormat,
    /// What follows when a record departs from the API's document.
    pub on_drift: DriftPolicy,
    /// Whether a record that departs from a schema that is learnt stops it.
    pub is_strict: bool,
    /// When its cycles begin.
    pub schedule: Schedule,
    /// How the pauses between its cycles depart from that.
    pub pace: Pace,
    /// Whether it asks for an answer only if there is a newer one.
    pub is_conditional: bool,
    /// Where it begins without a stored position; `None`: without an offset.
    pub initial_offset: Option<String>,
    /// Its HTTP client.
    pub http: ClientSettings,
    /// When its requests are tried again.
    pub retry: RetryPolicy,
    /// How many requests for its pages, or for its slices, may be under way at once.
    pub max_in_flight: usize,
    /// What is read once of a generated operation, in steps, besides what its cycles read.
    pub backfill: Option<Backfill>,
    /// How it is read for what changes, if it is.
    pub snapshot: Option<SnapshotSettings>,
    /// What its records tell of where they come from, if they do.
    pub provenance: Provenance,
    /// How many of its pages are read in all, if not all.
    pub pages: Option<PageLimit>,
    /// What is done with personal data in its records before anything else is done with them.
    pub redaction: Option<Arc<Redaction>>,
    /// How the schema is learnt from the records, if it is.
    pub learning: Option<Learning>,
    /// How its records are changed.
    pub transforms: Transforms,
    /// What follows if they cannot be.
    pub tolerance: Tolerance,
    /// The statuses that say of the first page of a cycle, or of a slice, that nothing is there.
    pub empty_on: StatusRanges,
    /// What follows when they have failed for good.
    pub on_error: OnError,
}

impl OperationSettings {
    /// Has its records redacted. What the API answers is then shown nowhere.
    pub(super) fn redact_by(&mut self, redaction: Option<Arc<Redaction>>) {
        self.http.withholds_content = redaction.is_some();
        self.redaction = redaction;
    }
}

/// What the operations have in common.
pub(super) struct Api {
    base_url: Url,
    auth: Auth,
    max_in_flight: u32,
    hosts: Hosts,
    max_wait: Duration,
    on_error: OnError,
    connection: Connection,
}

impl Api {
    /// What follows when requests have failed for good.
    pub(super) fn on_error(&self) -> OnError {
        self.on_error
    }
}

/// Reads what the operations have in common; `generated` is the base URL in the API's document.
pub(super) fn read(reader: &mut Reader<'_>, generated: Option<&str>) -> Option<Api> {
    let base_url = match generated.and_then(|url| BASE_URL_PROPERTY.parse(url)) {
        Some(generated) if !reader.is_set(&BASE_URL_PROPERTY) => Some(generated),
        _ => reader.require(&BASE_URL_PROPERTY, "the API's document names no absolute URL of a server"),
    };
    let auth = auth::read(reader);
    let max_in_flight = reader.get(&MAX_IN_FLIGHT);
    let limits = limits::read(reader);
    let connection = connection::read(reader);
    let breaker = failure::read_breaker(reader);
    let on_error = failure::read_behavior(reader);
    let limits = limits?;
    let max_wait = limits.max_wait;
    let hosts = Hosts::new(limits, breaker?);
    Some(Api {
        base_url: base_url?,
        auth: auth?,
        max_in_flight: max_in_flight?,
        hosts,
        max_wait,
        on_error: on_error?,
        connection: connection?,
    })
}

/// Reads what belongs to one operation; `number` counts from 1.
pub(super) fn read_operation(
    reader: &mut Reader<'_>,
    number: usize,
    api: Option<&Api>,
    facts: &OperationFacts,
) -> Option<OperationSettings> {
    let topic = reader.get_of(number, &TOPICS);
    let has_own_format = reader.has(&api_name(number, FORMAT.name()));
    let format = if has_own_format { reader.get_of(number, &FORMAT) } else { reader.get(&FORMAT) };
    let on_drift = drift::read(reader, number);
    let interval = reader.get_of(number, &INTERVAL);
    let initial_offset = reader.get_of(number, &INITIAL_OFFSET);
    let schedule = schedule::read(reader, number, interval.unwrap_or(facts.interval));
    let (pace, is_conditional) = (schedule::read_pace(reader, number), read_conditional(reader, number));
    let http = read_client(reader, number, api);
    let retry = read_retry(reader, number, api, &RETRY_STATUSES);
    let max_in_flight = read_max_in_flight(reader, number, api);
    let empty_on = read_empty_on(reader, number);
    if let Some(value) = &initial_offset {
        check_initial_offset(reader, number, value, facts);
    }
    let retry = retry?;
    check_detours(reader, number, &retry, |detour| facts.pagination.allows(detour));
    let initial_offset = initial_offset.or_else(|| Some(facts.incremental.as_ref()?.initial.as_ref()?.to_string()));
    Some(OperationSettings {
        id: facts.id.to_string(),
        topic: Some(topic.unwrap_or_else(|| facts.topic.to_string())),
        format: format?,
        on_drift: on_drift?,
        is_strict: false,
        schedule: schedule?,
        pace: pace?,
        is_conditional: is_conditional?,
        initial_offset,
        http: http?,
        retry: retry.but_not(&empty_on),
        max_in_flight: max_in_flight?,
        provenance: Provenance::default(),
        pages: None,
        empty_on,
        snapshot: None,
        backfill: None,
        redaction: None,
        learning: None,
        transforms: Transforms::default(),
        tolerance: Tolerance::default(),
        on_error: api?.on_error,
    })
}

/// Reads whether one operation asks for answers only if there are newer ones.
pub(super) fn read_conditional(reader: &mut Reader<'_>, number: usize) -> Option<bool> {
    reader.get_of(number, &CONDITIONAL)
}

/// Reads what the HTTP client of one operation needs to know.
pub(super) fn read_client(reader: &mut Reader<'_>, number: usize, api: Option<&Api>) -> Option<ClientSettings> {
    let timeouts = read_timeouts(reader, number);
    let own = auth::read_of(reader, number);
    let api = api?;
    let mut http = ClientSettings::new(api.base_url.clone());
    http.auth = own?.unwrap_or_else(|| api.auth.clone());
    http.hosts = api.hosts.clone();
    api.connection.apply(&mut http);
    (http.connect_timeout, http.request_timeout) = timeouts?;
    Some(http)
}

/// Reads how long connecting, and a request, may take for one operation.
pub(super) fn read_timeouts(reader: &mut Reader<'_>, number: usize) -> Option<(Duration, Duration)> {
    let (connect, request) = (reader.get_of(number, &CONNECT_TIMEOUT), reader.get_of(number, &REQUEST_TIMEOUT));
    Some((connect?, request?))
}

/// Reads how many requests of one operation may be under way at once.
pub(super) fn read_max_in_flight(reader: &mut Reader<'_>, number: usize, api: Option<&Api>) -> Option<usize> {
    let own = reader.get_of(number, &API_MAX_IN_FLIGHT);
    usize::try_from(own.or(Some(api?.max_in_flight))?).ok()
}

/// Tells of rules that call for something that there is not, in place of a page.
pub(super) fn check_detours(
    reader: &mut Reader<'_>,
    number: usize,
    retry: &RetryPolicy,
    allows: impl Fn(Detour) -> Result<(), &'static str>,
) {
    for detour in retry.actions.detours() {
        if let Err(reason) = allows(detour) {
            let reason = format!("says {detour}, which cannot act here: {reason}");
            reader.conflict(&api_name(number, ACTIONS.name()), reason, None);
        }
    }
}

/// Reads the statuses that say that nothing is there.
pub(super) fn read_empty_on(reader: &mut Reader<'_>, number: usize) -> StatusRanges {
    reader.get_of(number, &EMPTY_ON).unwrap_or_else(StatusRanges::none)
}

/// Reads when the requests of one operation are tried again; `statuses` is the property for the statuses.
pub(super) fn read_retry(
    reader: &mut Reader<'_>,
    number: usize,
    api: Option<&Api>,
    statuses: &Property<StatusRanges>,
) -> Option<RetryPolicy> {
    let max_retries = reader.get_of(number, &MAX_RETRIES);
    let backoff = reader.get_of(number, &RETRY_POLICY);
    let initial = reader.get_of(number, &RETRY_BACKOFF);
    let cap = reader.get_of(number, &RETRY_BACKOFF_MAX);
    let statuses = reader.get_of(number, statuses);
    let repeats_all = reader.get_of(number, &REPEATS_ALL);
    let actions = reader.get_of(number, &ACTIONS);
    let max_elapsed = reader.get_of(number, &RETRY_TIMEOUT);
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
        max_elapsed,
        repeats_all: repeats_all?,
        actions: actions.unwrap_or_default(),
        retry_after_limit: api?.max_wait,
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
