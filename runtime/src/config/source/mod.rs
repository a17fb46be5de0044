//! The configuration of a source that needs no generated code: the properties of Confluent's HTTP Source V2, and what
//! goes beyond them.

mod accepted;
mod body;
mod dialect;
mod offsets;
mod request;
mod slices;
mod validation;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::kind::{BASE_URL, BOOLEAN, Kind, MAX_MILLIS, TEXT, TOPIC, count, millis};
use super::names::{Names, api_name};
use super::property::{AnyProperty, Importance, Property, properties};
use super::raw::{self, Entry};
use super::reader::Reader;
use super::redaction::Used;
use super::settings::Settings;
use super::{
    ConfigError, ConfigProblems, ConfiguredSecrets, ConnectorConfig, Documentation, Environment, OperationSettings,
    Problem, PropertyDocumentation, RecordedConfig, Services, addresses, api, auth, backfill, cassette, connection,
    delivery, failure, identity, kafka, limits, listener, provenance, redaction, registry, schedule, snapshot,
    transforms, variable_name,
};
use crate::configured::{ConfiguredSource, OperationPlan, Paging, Pointer, RecordsAt, properties_of};
use crate::connector::{Connector, Parameters};
use crate::flow::{Learning, Provenance, Tolerance};
use crate::format::OutputFormat;
use crate::http::StatusRanges;
use crate::operation::SlicedOperation;
use crate::page::DriftPolicy;
use crate::registry::{RegistrySettings, SchemaType};
use crate::slice::Slicing;
use crate::transform::Transforms;

pub use validation::{PropertyDefinition, PropertyValue, ValidatedProperty, Validation};

/// A source as it is configured.
pub struct SourceConfig {
    /// What every connector is configured with; its operations are those of `operations`.
    pub connector: ConnectorConfig,
    /// What is read.
    pub operations: Vec<Box<dyn SlicedOperation>>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    JsonSchema,
    Avro,
    Protobuf,
}

impl Format {
    /// The language of its schemas, if it has any.
    fn language(self) -> Option<SchemaType> {
        match self {
            Self::Json => None,
            Self::JsonSchema => Some(SchemaType::Json),
            Self::Avro => Some(SchemaType::Avro),
            Self::Protobuf => Some(SchemaType::Protobuf),
        }
    }
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

const STATUSES: Kind<StatusRanges> = Kind::Text {
    type_name: "string",
    expected: "a comma-separated list of status codes and ranges, such as `404,429,500-599` or `500-`",
    // The API says of these itself that they pass; Confluent's connector tries them again whatever the list says.
    parse: |text| format!("{text},401,408,429").trim_start_matches(',').parse().ok(),
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
        "How records are written. JSON: without a schema. JSON_SR, AVRO, PROTOBUF: with a schema in the registry, which is \
         learnt from the records and only ever widens.",
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
}

properties! {
    in OF_APIS;

    TOPICS: String = Property::new("topics", TOPIC, "The Kafka topic of the records. Must be set, unless other APIs are read \
         for each record of this one: not set, its records are not written.").per_api().high();
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
    ENFORCE: bool = Property::new(
        "http.response.schema.enforce",
        Kind::OneOf(&[("NONE", false), ("STRICT", true), ("EVOLVE", false)]),
        "What follows if a record departs from the schema that is learnt. NONE, EVOLVE: the schema widens. STRICT: it is an \
         error, and the schema stays; one must have been learnt before.",
    ).per_api().default("NONE");
    STATUSES_PROPERTY: StatusRanges = Property::new(
        "retry.on.status.codes",
        STATUSES,
        "The statuses on which a request is tried again. 401, 408, 429 and failures without a status always are.",
    ).per_api().default("400-");
}

/// Every property of a source, in the order of the documentation.
pub(crate) fn source_properties() -> impl Iterator<Item = &'static dyn AnyProperty> {
    let first = [
        identity::PROPERTIES,
        GLOBAL,
        slices::GLOBAL,
        api::GLOBAL,
        auth::PROPERTIES,
        connection::PROPERTIES,
        addresses::PROPERTIES,
        limits::PROPERTIES,
        failure::PROPERTIES,
    ];
    let first = first.into_iter().flatten();
    let of_apis = [
        OF_APIS,
        schedule::PROPERTIES,
        body::PROPERTIES,
        request::PROPERTIES,
        slices::OF_APIS,
        backfill::PROPERTIES,
        offsets::PROPERTIES,
        api::REQUESTS,
        redaction::OF_APIS,
        snapshot::OF_APIS,
    ];
    let of_apis = of_apis.into_iter().flatten();
    let acting = first.chain(of_apis).copied().chain(kafka::properties()).chain(super::last_properties());
    acting.chain(accepted::properties())
}

impl SourceConfig {
    /// Reads a source's configuration from a file and the environment.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; otherwise with everything that is wrong in it.
    pub fn load(file: &Path, environment: &Environment, services: &Services) -> Result<Self, ConfigError> {
        load(file, environment, |reader, names| read(reader, names, file, services))
    }

    /// Reads the configuration that a recording has of a source.
    ///
    /// # Errors
    ///
    /// With everything that is wrong in it.
    pub fn of_recording(path: &Path, recorded: &RecordedConfig, services: &Services) -> Result<Self, ConfigError> {
        let read = |reader: &mut Reader<'_>, names: &Names| read(reader, names, path, services);
        read_entries(path, recorded.entries(), &recorded.environment(), read).without_problems()
    }

    /// What a recording keeps of a source's configuration, and what must not be found in it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn recorded(
        &self,
        file: &Path,
        environment: &Environment,
    ) -> Result<(RecordedConfig, ConfiguredSecrets), ConfigError> {
        self.connector.recorded_by(Some(file), environment, source_properties())
    }
}

/// What a file comes to.
struct Read<T> {
    config: Option<T>,
    problems: Vec<Problem>,
    /// How many APIs there are.
    apis: usize,
    /// What is set, by the names that properties are written by; `None` for what must not be shown.
    values: BTreeMap<String, Option<String>>,
}

impl<T> Read<T> {
    fn without_problems(self) -> Result<T, ConfigError> {
        match self.config {
            Some(config) if self.problems.is_empty() => Ok(config),
            _ => Err(ConfigProblems(self.problems).into()),
        }
    }
}

/// What `read` makes of a file and the environment.
pub(super) fn load<T>(
    file: &Path,
    environment: &Environment,
    read: impl FnOnce(&mut Reader<'_>, &Names) -> Option<T>,
) -> Result<T, ConfigError> {
    read_entries(file, raw::read(file)?, environment, read).without_problems()
}

fn read_entries<T>(
    file: &Path,
    entries: Vec<Entry>,
    environment: &Environment,
    read: impl FnOnce(&mut Reader<'_>, &Names) -> Option<T>,
) -> Read<T> {
    // Forms are often left empty.
    let mut entries: Vec<_> = entries.into_iter().filter(|entry| !entry.text.trim().is_empty()).collect();
    let variables = dialect::lay_over(&mut entries, environment);
    let dialect::Translated { entries, written } = dialect::translate(entries);
    let ids: Vec<_> = (1..=number_of_apis(&entries, environment)).map(|number| format!("api{number}")).collect();
    let apis = ids.len();
    let parameters: Vec<_> = entries.iter().flat_map(|entry| properties_of(&entry.text)).map(str::to_owned).collect();
    let names = Names::of(ids, parameters.iter().map(String::as_str), source_properties()).written(written, variables);
    let mut problems = Vec::new();
    let path = file.display().to_string();
    let settings = Settings::assemble(&path, entries, environment, &names, &mut problems);
    let mut reader = Reader::new(&settings, &names, problems);
    let config = read(&mut reader, &names);
    let problems = reader.into_problems();
    let values = settings.shown().map(|(name, value)| (names.in_message(name, None).name, value)).collect();
    Read { config, problems, apis, values }
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
fn read(reader: &mut Reader<'_>, names: &Names, file: &Path, services: &Services) -> Option<SourceConfig> {
    let ids = names.operations();
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = identity::read(reader, &stem);
    reader.get(&APIS);
    let format = read_format(reader);
    let context = reader.get(&CONTEXT);
    let api = api::read(reader, None);
    let mut apis: Vec<_> = (1..).zip(ids).map(|(number, id)| read_api(reader, number, id, api.as_ref())).collect();
    let planned = (1..).zip(&mut apis).filter_map(|(number, api)| Some((number, &mut api.as_mut()?.0)));
    let mut planned: Vec<_> = planned.map(|(number, plan)| slices::Api { number, plan }).collect();
    slices::read(reader, ids, &mut planned);
    let kafka = match services {
        Services::Configured => kafka::read(reader),
        Services::Embedded { bootstrap_servers, .. } => Some(kafka::read_embedded(reader, bootstrap_servers.clone())),
    };
    let registry = read_registry(reader, format, services);
    let delivery = delivery::read(reader);
    let memory = delivery::read_memory(reader);
    let offsets = delivery::read_offsets(reader, name.as_deref());
    let snapshots = snapshot::read_topic(reader, name.as_deref());
    let dead_letters = delivery::read_dead_letters(reader, name.as_deref());
    let errors = failure::read_error_topic(reader, name.as_deref());
    let topics = delivery::read_topics(reader);
    let listener = listener::read(reader);
    let scrubbing = cassette::read(reader);
    let provenance = provenance::read(reader, None);
    let transformation = transforms::read(reader);
    accepted::read(reader, ids.len());
    let (plans, mut settings): (Vec<_>, Vec<OperationSettings>) =
        apis.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let delivery = delivery?;
    for (number, (plan, settings)) in (1..).zip(plans.iter().zip(&mut settings)) {
        // What is wrong with it has been told.
        settings.snapshot = snapshot::read(reader, number, false, snapshot_obstacle(plan)).flatten();
        settings.redact_by(redaction::read(reader, number, "", &used(plan)).flatten().map(Arc::new));
        snapshot::check_delivery(reader, number, settings.snapshot, delivery.exactly_once);
    }
    let operations =
        plans.into_iter().map(|plan| -> Box<dyn SlicedOperation> { Box::new(ConfiguredSource::new(plan)) });
    let operations = operations.collect();
    let (context, transformation, provenance) = (context?, transformation?, provenance?);
    for (number, settings) in (1..).zip(&mut settings) {
        if settings.is_strict && format == Some(Format::Json) {
            let hint = Some(format!("use another `{}`", FORMAT.name()));
            reader.conflict(&api_name(number, ENFORCE.name()), "has no schema to hold records against", hint);
        }
        settings.transforms = transformation.transforms.clone();
        settings.tolerance = transformation.tolerance;
        settings.provenance.clone_from(&provenance);
        settings.learning = format.and_then(Format::language).map(|language| Learning {
            language,
            context: (context != "default").then(|| context.clone()),
            record_name: transformation.record_name.clone(),
            is_strict: settings.is_strict,
        });
    }
    let connector = ConnectorConfig {
        name: name?,
        parameters: Parameters::default(),
        operations: settings,
        kafka: kafka::within(kafka?, memory?),
        registry: registry?,
        delivery,
        memory: memory?,
        offsets: offsets?,
        snapshots: snapshots?,
        dead_letters: dead_letters?,
        errors: errors?,
        topics: topics?,
        listener,
        scrubbing: scrubbing?,
    };
    Some(SourceConfig { connector, operations })
}

/// Why an API cannot be read for what changes, if it cannot.
fn snapshot_obstacle(plan: &OperationPlan) -> Option<&'static str> {
    if plan.key.is_none() {
        Some(snapshot::KEYLESS)
    } else if !plan.slicing.is_whole() || !plan.children.is_empty() {
        Some(snapshot::SLICES)
    } else if !plan.begins_anew() {
        Some(snapshot::INCREMENTAL)
    } else {
        None
    }
}

/// The fields of its records that an API is read by.
fn used(plan: &OperationPlan) -> Vec<Used> {
    let (offset, primary_key) = match &plan.paging {
        Paging::Chain { offset, primary_key, .. } => (Some(offset), primary_key.as_ref()),
        Paging::Snapshot { offset } => (offset.as_ref(), None),
        _ => (None, None),
    };
    let offsets = plan.newest.iter().chain(offset).chain(primary_key);
    let bound = plan.children.iter().flat_map(|child| &child.bind).map(|(_, at)| at);
    let key = plan.key.iter().map(|at| Used { at: at.clone(), what: "the records' key", takes_hash: true });
    let of_offsets = offsets.map(|at| Used::as_sent(at, "what the stream's position is made of"));
    let of_children = bound.map(|at| Used::as_sent(at, "what the records of another API are asked for by"));
    let of_times = plan.timestamp.iter().map(|at| Used::as_sent(at, "the records' time"));
    let of_pages = plan.paging.told().and_then(|told| Used::of_pages(told, plan.records.pointer()?));
    of_offsets.chain(of_children).chain(of_times).chain(of_pages).chain(key).collect()
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
) -> Option<(OperationPlan, OperationSettings)> {
    let topic = match slices::is_parent(reader, id) {
        true => Some(reader.get_of(number, &TOPICS)),
        false => reader.require_of(number, &TOPICS, "every API needs the topic that its records go to").map(Some),
    };
    let base_url = reader.get_of(number, &API_BASE_URL);
    let data = reader.get_of(number, &DATA);
    let key = reader.get_of(number, &KEY);
    let timestamp = reader.get_of(number, &TIMESTAMP);
    let is_strict = reader.get_of(number, &ENFORCE);
    let format = body::read(reader, number);
    let schedule = reader.get_of(number, &INTERVAL).and_then(|interval| schedule::read(reader, number, interval));
    let (pace, is_conditional) = (schedule::read_pace(reader, number), api::read_conditional(reader, number));
    let retry = api::read_retry(reader, number, api, &STATUSES_PROPERTY);
    let max_in_flight = api::read_max_in_flight(reader, number, api);
    let empty_on = api::read_empty_on(reader, number);
    let http = api::read_client(reader, number, api);
    let backfill = backfill::read(reader, number, None);
    let offsets = offsets::read(reader, number, backfill.as_ref().and_then(Option::as_ref));
    let request = request::read(reader, number, offsets.as_ref().map(|offsets| &offsets.time_format));
    let (mut http, mut offsets, (request, headers), backfill) = (http?, offsets?, request?, backfill?);
    offsets.settle(reader, number, &request);
    offsets::check(reader, number, &offsets, &request);
    if backfill.is_some() {
        backfill::check(reader, number, &request);
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
        format: format?,
        records: data.unwrap_or_else(|| RecordsAt::Pointer(Pointer::root())),
        key,
        timestamp,
        page_size: offsets.limit.map(|(name, _)| name),
        paging: offsets.paging,
        newest: offsets.newest,
        lookback: offsets.lookback,
        initial_offset: offsets.initial.clone(),
        windows: offsets.windows,
        slicing: Slicing { backfill, ..Slicing::default() },
        children: Vec::new(),
    };
    let retry = retry?;
    api::check_detours(reader, number, &retry, |detour| plan.allows(detour));
    let settings = OperationSettings {
        backfill: None,
        id: id.to_owned(),
        topic,
        // Records are written as they came, whatever their schema is learnt to be.
        format: OutputFormat::Json,
        // The API declares nothing.
        on_drift: DriftPolicy::default(),
        is_strict: is_strict?,
        schedule: schedule?,
        pace: pace?,
        is_conditional: is_conditional?,
        initial_offset: offsets.initial,
        http,
        retry: retry.but_not(&empty_on),
        max_in_flight: max_in_flight?,
        provenance: Provenance::default(),
        pages: None,
        empty_on,
        snapshot: None,
        redaction: None,
        learning: None,
        transforms: Transforms::default(),
        tolerance: Tolerance::default(),
        on_error: api?.on_error(),
    };
    Some((plan, settings))
}

/// Every property of a source.
pub fn source_documentation() -> Documentation {
    let mut documentation = super::documentation::of(&Connector::new(""), source_properties());
    documentation.properties.extend(dialect::spellings().map(|spelling| PropertyDocumentation {
        name: spelling.name.to_owned(),
        aliases: Vec::new(),
        type_name: "string",
        required: false,
        default: spelling.default.map(str::to_owned),
        valid_values: None,
        importance: Importance::Low.as_str(),
        secret: spelling.name.ends_with("password") || spelling.name.ends_with("secret"),
        environment_variable: variable_name(spelling.name),
        documentation: spelling.meaning(),
    }));
    documentation
}
