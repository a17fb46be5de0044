//! The configuration of a source that needs no generated code: the properties of Confluent's HTTP Source V2, and what
//! goes beyond them.

mod accepted;
mod dialect;
mod offsets;
mod request;

use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use url::Url;

use super::kind::{BASE_URL, Kind, MAX_MILLIS, TEXT, TOPIC, count, millis};
use super::names::{Names, api_name};
use super::property::{AnyProperty, Importance, Property, properties};
use super::raw::{self, Entry};
use super::reader::Reader;
use super::settings::Settings;
use super::{
    ConfigError, ConfigProblems, ConnectorConfig, Documentation, Environment, OperationSettings, PropertyDocumentation,
    Services, api, delivery, identity, kafka, registry, variable_name,
};
use crate::configured::{
    ConfiguredOperation, OperationPlan, Pointer, QueryTemplate, RecordsAt, Template, properties_of,
};
use crate::connector::{Connector, Parameters};
use crate::flow::OnError;
use crate::format::OutputFormat;
use crate::http::{Proxy, StatusRanges};
use crate::operation::Operation;
use crate::registry::RegistrySettings;
use crate::schedule::{CronSchedule, Schedule};
use crate::secret::Secret;

/// A source as it is configured.
pub struct SourceConfig {
    /// What every connector is configured with; its operations are those of `operations`.
    pub connector: ConnectorConfig,
    /// What is read.
    pub operations: Vec<Box<dyn Operation>>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    JsonSchema,
    Avro,
    Protobuf,
}

/// A JSON Pointer.
const POINTER: Kind<Pointer> = Kind::Text {
    type_name: "string",
    expected: "a JSON Pointer (RFC 6901), such as `/data/items`",
    parse: |text| Pointer::parse(text.trim()),
};

/// Where records are.
const RECORDS: Kind<RecordsAt> = Kind::Text {
    type_name: "string",
    expected: "a JSON Pointer (RFC 6901), such as `/data/items`, or a JSONPath (RFC 9535), such as `$.data[*]`",
    parse: |text| RecordsAt::parse(text.trim()),
};

const BOOLEAN: Kind<bool> = Kind::OneOf(&[("true", true), ("false", false)]);

const STATUSES: Kind<StatusRanges> = Kind::Text {
    type_name: "string",
    expected: "a comma-separated list of status codes and ranges, such as `404,429,500-599` or `500-`",
    // The API says of these itself that they pass; Confluent's connector tries them again whatever the list says.
    parse: |text| format!("{text},401,408,429").trim_start_matches(',').parse().ok(),
};

const TIME_ZONE: Kind<TimeZone> = Kind::Text {
    type_name: "string",
    expected: "the name of a time zone, such as `UTC` or `Europe/Berlin`",
    parse: |text| TimeZone::get(text.trim()).ok(),
};

properties! {
    in GLOBAL;

    APIS: u32 = Property::new("apis.num", count(1, i32::MAX as i64), "How many APIs are read: `api1.` to `apiN.`.")
        .default("1").high();
    FORMAT: Format = Property::new(
        "output.data.format",
        Kind::OneOf(&[
            ("JSON", Format::Json),
            ("JSON_SR", Format::JsonSchema),
            ("AVRO", Format::Avro),
            ("PROTOBUF", Format::Protobuf),
        ]),
        "How records are written. JSON: without a schema. JSON_SR: with a JSON Schema in the registry, which is learnt from \
         the records and only ever widens. AVRO, PROTOBUF: refused, because they are not written yet.",
    ).aliases(&["data.format"]).default("JSON_SR").high();
    CONTEXT: String = Property::new(
        "schema.context.name",
        TEXT,
        "The registry's context that subjects are in; `default` is the one without a name.",
    ).default("default").low();
    VALUE_CONVERTER: Format = Property::new(
        "value.converter",
        Kind::OneOf(&[
            ("org.apache.kafka.connect.json.JsonConverter", Format::Json),
            ("io.confluent.connect.json.JsonSchemaConverter", Format::JsonSchema),
            ("io.confluent.connect.avro.AvroConverter", Format::Avro),
            ("io.confluent.connect.protobuf.ProtobufConverter", Format::Protobuf),
        ]),
        "How records are written, as Kafka Connect says it; in place of `output.data.format`.",
    ).low();
    ON_ERROR: OnError = Property::new(
        "behavior.on.error",
        Kind::OneOf(&[("FAIL", OnError::Fail), ("IGNORE", OnError::Ignore), ("LOG", OnError::Ignore)]),
        "What follows when a request has failed for good, or its response cannot be read. FAIL: the connector stops. \
         IGNORE and LOG: it is told in the log, and the same request is made again when the next cycle begins.",
    ).default("FAIL");
    TLS_13: bool = Property::new(
        "https.ssl.enabled",
        BOOLEAN,
        "Whether nothing older than TLS 1.3 is spoken. HTTPS is always TLS, of version 1.2 at least.",
    ).default("false").low();
    TLS_PROTOCOL: () = Property::new(
        "https.ssl.protocol",
        Kind::OneOf(&[("TLSv1.3", ())]),
        "Only this value; with `https.ssl.enabled`.",
    ).default("TLSv1.3").low();
    PROXY_HOST: String = Property::new("http.proxy.host", TEXT, "The host of a proxy for all requests to the APIs.");
    PROXY_PORT: u32 = Property::new("http.proxy.port", count(1, 65_535), "The port of the proxy.");
    PROXY_USER: String = Property::new("http.proxy.user", TEXT, "The user for the proxy.").low();
    PROXY_PASSWORD: Secret = Property::secret("http.proxy.password", "The password for the proxy.").low();
}

properties! {
    in OF_APIS;

    TOPICS: String = Property::new("topics", TOPIC, "The Kafka topic of the records.").per_api().high();
    API_BASE_URL: Url = Property::new(
        "http.api.base.url",
        BASE_URL,
        "The base URL of this API, in place of the connector's. Credentials are sent there too.",
    ).per_api().low();
    DATA: RecordsAt = Property::new(
        "http.response.data.json.pointer",
        RECORDS,
        "Where the records are in a response: a JSON Pointer to an array, each element being a record, or to one record; \
         or a JSONPath (RFC 9535), which begins with `$`, each value that it selects being a record. Not set: the whole \
         response. Nothing there: an empty page.",
    ).per_api().high();
    KEY: Pointer = Property::new(
        "record.key.json.pointer",
        POINTER,
        "JSON Pointer, from a record, to what becomes the Kafka key, as text. Not set: records have no key.",
    ).per_api();
    TIMESTAMP: Pointer = Property::new(
        "record.timestamp.json.pointer",
        POINTER,
        "JSON Pointer, from a record, to its time: RFC 3339, or seconds or milliseconds since 1970. Not set: the time at \
         which it is written.",
    ).per_api();
    INTERVAL: Duration = Property::new(
        "request.interval.ms",
        millis(1, MAX_MILLIS),
        "Pause between two cycles, in milliseconds. The pages of one cycle follow one another at once.",
    ).per_api().default("60000").high();
    CRON: String = Property::new(
        "request.cron",
        TEXT,
        "When cycles begin, in place of `request.interval.ms`: a cron expression of five fields, or of six or seven that \
         begin with seconds (Quartz).",
    ).per_api();
    CRON_ZONE: TimeZone = Property::new("request.cron.timezone", TIME_ZONE, "The time zone of `request.cron`.")
        .per_api().default("UTC").low();
    STATUSES_PROPERTY: StatusRanges = Property::new(
        "retry.on.status.codes",
        STATUSES,
        "The statuses on which a request is tried again. 401, 408, 429 and failures without a status always are.",
    ).per_api().default("400-");
}

/// Every property of a source, in the order of the documentation.
pub(crate) fn source_properties() -> impl Iterator<Item = &'static dyn AnyProperty> {
    let first = [identity::PROPERTIES, GLOBAL, api::GLOBAL].into_iter().flatten();
    let of_apis = [OF_APIS, request::PROPERTIES, offsets::PROPERTIES, api::REQUESTS].into_iter().flatten();
    let last = [registry::PROPERTIES, delivery::PROPERTIES].into_iter().flatten();
    let acting = first.chain(of_apis).copied().chain(kafka::properties()).chain(last.copied());
    acting.chain(accepted::properties())
}

impl SourceConfig {
    /// Reads a source's configuration from a file and the environment.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; otherwise with everything that is wrong in it.
    pub fn load(file: &Path, environment: &Environment, services: &Services) -> Result<Self, ConfigError> {
        // Forms are often left empty.
        let entries: Vec<_> = raw::read(file)?.into_iter().filter(|entry| !entry.text.trim().is_empty()).collect();
        let dialect::Translated { entries, written } = dialect::translate(entries);
        let ids = (1..=number_of_apis(&entries, environment)).map(|number| format!("api{number}")).collect();
        let parameters: Vec<_> =
            entries.iter().flat_map(|entry| properties_of(&entry.text)).map(str::to_owned).collect();
        let names = Names::of(ids, parameters.iter().map(String::as_str), source_properties()).written(written);
        let mut problems = Vec::new();
        let path = file.display().to_string();
        let settings = Settings::assemble(&path, entries, environment, &names, &mut problems);
        let mut reader = Reader::new(&settings, &names, problems);
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let config = read(&mut reader, names.operations(), &stem, services);
        let problems = reader.into_problems();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigProblems(problems).into()),
        }
    }
}

/// How many APIs there are, as far as it can be told before anything is read. There cannot be more than properties, each
/// needing one at least; of a larger number, the first that lacks its properties is told.
fn number_of_apis(entries: &[Entry], environment: &Environment) -> u32 {
    let written = entries.iter().rfind(|entry| entry.name == APIS.name()).map(|entry| entry.text.as_str());
    let text = environment.get(&variable_name(APIS.name())).or(written);
    let most = entries.len() + environment.overrides().count() + 1;
    text.and_then(|text| APIS.parse(text)).unwrap_or(1).min(u32::try_from(most).unwrap_or(u32::MAX))
}

/// Reads everything, so that all problems are found, and only then gives up.
fn read(reader: &mut Reader<'_>, ids: &[String], stem: &str, services: &Services) -> Option<SourceConfig> {
    let name = identity::read(reader, stem);
    reader.get(&APIS);
    let format = read_format(reader);
    let context = reader.get(&CONTEXT);
    let on_error = reader.get(&ON_ERROR);
    let connection = read_connection(reader);
    if let Some(Format::Avro | Format::Protobuf) = format {
        let reason = "is a format that a source without generated code does not write yet";
        reader.conflict(FORMAT.name(), reason, Some("use `JSON_SR` or `JSON`".to_owned()));
    }
    let api = api::read(reader, None);
    let apis: Vec<_> = (1..).zip(ids).map(|(number, id)| read_api(reader, number, id, api.as_ref())).collect();
    let kafka = match services {
        Services::Configured => kafka::read(reader),
        Services::Embedded { bootstrap_servers, .. } => Some(kafka::read_embedded(reader, bootstrap_servers.clone())),
    };
    let registry = read_registry(reader, format, services);
    let delivery = delivery::read(reader);
    let offsets = delivery::read_offsets(reader, name.as_deref());
    let dead_letters = delivery::read_dead_letters(reader, name.as_deref());
    let topics = delivery::read_topics(reader);
    accepted::read(reader, ids.len());
    let (operations, mut settings): (_, Vec<OperationSettings>) =
        apis.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let context = context?;
    let (on_error, Connection { tls_13, proxy }) = (on_error?, connection?);
    for settings in &mut settings {
        settings.on_error = on_error;
        if format == Some(Format::JsonSchema) {
            settings.inferred_subject = Some(subject(&context, &settings.topic));
        }
        settings.http.tls_13 = tls_13;
        settings.http.proxy.clone_from(&proxy);
    }
    let connector = ConnectorConfig {
        name: name?,
        parameters: Parameters::default(),
        operations: settings,
        kafka: kafka?,
        registry: registry?,
        delivery: delivery?,
        offsets: offsets?,
        dead_letters: dead_letters?,
        topics: topics?,
    };
    Some(SourceConfig { connector, operations })
}

/// The subject of the schema of a topic's values, by Confluent's `TopicNameStrategy`.
fn subject(context: &str, topic: &str) -> String {
    match context {
        "default" => format!("{topic}-value"),
        context => format!(":.{context}:{topic}-value"),
    }
}

fn read_format(reader: &mut Reader<'_>) -> Option<Format> {
    let (format, converter) = (reader.get(&FORMAT), reader.get(&VALUE_CONVERTER));
    match (reader.is_set(&FORMAT), converter) {
        (true, Some(converter)) if format.is_some_and(|format| format != converter) => {
            let reason = format!("says something else than `{}`", FORMAT.name());
            reader.conflict(VALUE_CONVERTER.name(), reason, Some("set only one of them".to_owned()));
            None
        }
        (false, Some(converter)) => Some(converter),
        _ => format,
    }
}

/// How the APIs are connected to.
struct Connection {
    tls_13: bool,
    proxy: Option<Proxy>,
}

fn read_connection(reader: &mut Reader<'_>) -> Option<Connection> {
    let tls_13 = reader.get(&TLS_13);
    reader.get(&TLS_PROTOCOL);
    let (port, user, password) = (reader.get(&PROXY_PORT), reader.get(&PROXY_USER), reader.get(&PROXY_PASSWORD));
    let proxy = match reader.get(&PROXY_HOST) {
        None => {
            let others: [&'static dyn AnyProperty; 3] = [&PROXY_PORT, &PROXY_USER, &PROXY_PASSWORD];
            // V1 has port 0 for none.
            if let Some(property) = reader.first_set(&others) {
                tracing::warn!(property, "the property has no effect without `http.proxy.host`");
            }
            None
        }
        Some(host) => {
            let port = match port {
                Some(port) => Some(port),
                None => reader.require(&PROXY_PORT, "it is needed because `http.proxy.host` is set"),
            };
            let credentials = user.map(|user| (user, password.unwrap_or_else(|| Secret::new(""))));
            Some(Proxy { host, port: u16::try_from(port?).ok()?, credentials })
        }
    };
    Some(Connection { tls_13: tls_13?, proxy })
}

/// The registry, if records are written with schemas.
fn read_registry(
    reader: &mut Reader<'_>,
    format: Option<Format>,
    services: &Services,
) -> Option<Option<RegistrySettings>> {
    match (format?, services) {
        (Format::Json, _) => Some(None),
        (_, Services::Configured) => registry::read(reader, true),
        (_, Services::Embedded { registry, .. }) => Some(Some(RegistrySettings::new(registry.clone()))),
    }
}

fn read_api(
    reader: &mut Reader<'_>,
    number: usize,
    id: &str,
    api: Option<&api::Api>,
) -> Option<(Box<dyn Operation>, OperationSettings)> {
    let topic = reader.require_of(number, &TOPICS, "every API needs the topic that its records go to");
    let base_url = reader.get_of(number, &API_BASE_URL);
    let data = reader.get_of(number, &DATA);
    let key = reader.get_of(number, &KEY);
    let timestamp = reader.get_of(number, &TIMESTAMP);
    let schedule = read_schedule(reader, number);
    let retry = api::read_retry(reader, number, &STATUSES_PROPERTY);
    let http = api::read_client(reader, number, api);
    let offsets = offsets::read(reader, number);
    let request = request::read(reader, number, offsets.as_ref().map(|offsets| &offsets.time_format));
    let (mut http, offsets, (mut request, headers)) = (http?, offsets?, request?);
    offsets::check(reader, number, &offsets, &request);
    if let Some((name, value)) = &offsets.limit {
        request
            .query
            .push(QueryTemplate { name: Template::text(name), value: Some(Template::text(&value.to_string())) });
    }
    if let Some(url) = base_url {
        http.base_url = url;
    }
    http.headers = headers;
    http.compression = request::read_compression(reader, number)?;
    let topic = topic?;
    let plan = OperationPlan {
        id: id.to_owned(),
        topic: topic.clone(),
        request,
        records: data.unwrap_or_else(|| RecordsAt::Pointer(Pointer::root())),
        key,
        timestamp,
        paging: offsets.paging,
        newest: offsets.newest,
        initial_offset: offsets.initial.clone(),
        windows: offsets.windows,
    };
    let settings = OperationSettings {
        id: id.to_owned(),
        topic,
        // Records are written as they came, whatever their schema is learnt to be.
        format: OutputFormat::Json,
        is_strict: false,
        schedule: schedule?,
        initial_offset: offsets.initial,
        http,
        retry: retry?,
        inferred_subject: None,
        on_error: OnError::Fail,
    };
    Some((Box::new(ConfiguredOperation::new(plan)), settings))
}

fn read_schedule(reader: &mut Reader<'_>, number: usize) -> Option<Schedule> {
    let interval = reader.get_of(number, &INTERVAL);
    let zone = reader.get_of(number, &CRON_ZONE);
    let Some(expression) = reader.get_of(number, &CRON) else { return interval.map(Schedule::Interval) };
    match CronSchedule::parse(&expression, zone?) {
        Ok(cron) => Some(Schedule::Cron(Box::new(cron))),
        Err(_) => {
            let expected = "a cron expression of five fields, or of six or seven that begin with seconds";
            reader.invalid(&api_name(number, CRON.name()), expected, None);
            None
        }
    }
}

/// Every property of a source.
pub fn source_documentation() -> Documentation {
    let mut documentation = super::documentation::of(&Connector::new(""), source_properties());
    documentation.properties.extend(dialect::SPELLINGS.iter().map(|spelling| PropertyDocumentation {
        name: spelling.name.to_owned(),
        aliases: Vec::new(),
        type_name: "string",
        required: false,
        default: spelling.default.map(str::to_owned),
        valid_values: None,
        importance: Importance::Low.as_str(),
        secret: spelling.name.ends_with("password") || spelling.name.ends_with("secret"),
        environment_variable: String::new(),
        documentation: spelling.meaning(),
    }));
    documentation
}
