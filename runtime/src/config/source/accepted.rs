//! Properties of Confluent's connectors that are taken so that a configuration can be brought as it is: those that change
//! nothing here, and those of which only one value can be honoured. Each says why.

use super::super::kind::{Kind, TEXT};
use super::super::names::api_name;
use super::super::property::{AnyProperty, Property, Scope, properties};
use super::super::reader::Reader;
use super::BOOLEAN;
use crate::secret::Secret;

/// What is said of a property without effect.
macro_rules! no_effect {
    ($why:literal) => {
        concat!("Accepted, has no effect: ", $why)
    };
}

/// What is said of a property of which only one value can be honoured.
macro_rules! only {
    ($why:literal) => {
        concat!("Only this value, because ", $why, " yet.")
    };
}

properties! {
    in WITHOUT_EFFECT;

    USE_OPEN_API_SPEC: bool = Property::new(
        "use.open.api.spec",
        BOOLEAN,
        no_effect!("the configuration says what is read. `headwater generate` reads OpenAPI documents."),
    ).default("true").low();
    OPEN_API_SPEC_FORMAT: String = Property::new(
        "open.api.spec.format",
        TEXT,
        no_effect!("as of `use.open.api.spec`."),
    ).default("URL").low();
    OPEN_API_SPEC_URL: String = Property::new(
        "open.api.spec.url",
        TEXT,
        no_effect!("as of `use.open.api.spec`."),
    ).low();
    OPEN_API_SPEC_FILE: String = Property::new(
        "open.api.spec.file",
        TEXT,
        no_effect!("as of `use.open.api.spec`."),
    ).low();
    KAFKA_AUTH_MODE: String = Property::new(
        "kafka.auth.mode",
        TEXT,
        no_effect!("of Confluent Cloud. `kafka.api.key`, or `sasl.*` and `ssl.*`, say how to authenticate to Kafka."),
    ).low();
    KAFKA_SERVICE_ACCOUNT_ID: String = Property::new(
        "kafka.service.account.id",
        TEXT,
        no_effect!("of Confluent Cloud. `kafka.api.key` belongs to an account already."),
    ).low();
    SR_SERVICE_ACCOUNT_ID: String = Property::new(
        "sr.service.account.id",
        TEXT,
        no_effect!("of Confluent Cloud. The registry's credentials belong to an account already."),
    ).low();
    DATAPREVIEW_SCHEMAS_ENABLE: String = Property::new(
        "datapreview.schemas.enable",
        TEXT,
        no_effect!("of Confluent Cloud, whose pages show previews of data."),
    ).default("false").low();
    SECRET_MANAGER: String = Property::new("secret.manager", TEXT, no_effect!("as of `secret.manager.enabled`.")).low();
    SECRET_MANAGER_MANAGED_CONFIGS: String = Property::new(
        "secret.manager.managed.configs",
        TEXT,
        no_effect!("as of `secret.manager.enabled`."),
    ).low();
    SECRET_MANAGER_PROVIDER_INTEGRATION_ID: String = Property::new(
        "secret.manager.provider.integration.id",
        TEXT,
        no_effect!("as of `secret.manager.enabled`."),
    ).low();
    GCP_CREDENTIALS_JSON: Secret = Property::secret(
        "gcp.credentials.json",
        no_effect!("no `auth.type` uses it."),
    ).low();
    AUTO_RESTART_ON_USER_ERROR: bool = Property::new(
        "auto.restart.on.user.error",
        BOOLEAN,
        no_effect!("of Confluent Cloud. `behavior.on.error=RESTART` has streams begin again."),
    ).default("true").low();
    CONNECTOR_EGRESS_WHITELIST: String = Property::new(
        "connector.egress.whitelist",
        TEXT,
        no_effect!("of Confluent Cloud. Requests never leave the origin of the base URL."),
    ).low();
    HEADER_CONVERTER: String = Property::new("header.converter", TEXT, no_effect!("records have no headers.")).low();
    KEY_CONVERTER_KEY_SCHEMA_ID_SERIALIZER: String = Property::new(
        "key.converter.key.schema.id.serializer",
        TEXT,
        no_effect!("keys are text."),
    ).default("io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer").low();
    KEY_CONVERTER_KEY_SUBJECT_NAME_STRATEGY: String = Property::new(
        "key.converter.key.subject.name.strategy",
        TEXT,
        no_effect!("keys are text."),
    ).default("TopicNameStrategy").aliases(&["key.subject.name.strategy"]).low();
    VALUE_CONVERTER_VALUE_SCHEMA_ID_SERIALIZER: String = Property::new(
        "value.converter.value.schema.id.serializer",
        TEXT,
        no_effect!("the schema's id stands at the beginning of a value."),
    ).default("io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer").low();
    VALUE_CONVERTER_REFERENCE_SUBJECT_NAME_STRATEGY: String = Property::new(
        "value.converter.reference.subject.name.strategy",
        TEXT,
        no_effect!("schemas refer to no others."),
    ).default("DefaultReferenceSubjectNameStrategy").low();
    VALUE_CONVERTER_DECIMAL_FORMAT: String = Property::new(
        "value.converter.decimal.format",
        TEXT,
        no_effect!("numbers are written as the API wrote them."),
    ).default("BASE64").aliases(&["json.output.decimal.format"]).low();
    VALUE_CONVERTER_IGNORE_DEFAULT_FOR_NULLABLES: bool = Property::new(
        "value.converter.ignore.default.for.nullables",
        BOOLEAN,
        no_effect!("values have no defaults."),
    ).default("false").aliases(&["ignore.default.for.nullables"]).low();
    VALUE_CONVERTER_FLATTEN_SINGLETON_UNIONS: bool = Property::new(
        "value.converter.flatten.singleton.unions",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).default("false").low();
    VALUE_CONVERTER_OPTIONAL_FOR_PROTO2: bool = Property::new(
        "value.converter.optional.for.proto2",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_GENERATE_STRUCT_FOR_NULLS: bool = Property::new(
        "value.converter.generate.struct.for.nulls",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_INT_FOR_ENUMS: bool = Property::new(
        "value.converter.int.for.enums",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_ENHANCED_AVRO_SCHEMA_SUPPORT: bool = Property::new(
        "value.converter.enhanced.avro.schema.support",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_USE_OPTIONAL_FOR_NONREQUIRED: bool = Property::new(
        "value.converter.use.optional.for.nonrequired",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_FLATTEN_UNIONS: bool = Property::new(
        "value.converter.flatten.unions",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_CONNECT_META_DATA: bool = Property::new(
        "value.converter.connect.meta.data",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_OPTIONAL_FOR_NULLABLES: bool = Property::new(
        "value.converter.optional.for.nullables",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_SCRUB_INVALID_NAMES: bool = Property::new(
        "value.converter.scrub.invalid.names",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_WRAPPER_FOR_RAW_PRIMITIVES: bool = Property::new(
        "value.converter.wrapper.for.raw.primitives",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_OBJECT_ADDITIONAL_PROPERTIES: bool = Property::new(
        "value.converter.object.additional.properties",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_WRAPPER_FOR_NULLABLES: bool = Property::new(
        "value.converter.wrapper.for.nullables",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_LATEST_COMPATIBILITY_STRICT: bool = Property::new(
        "value.converter.latest.compatibility.strict",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_GENERATE_INDEX_FOR_UNIONS: bool = Property::new(
        "value.converter.generate.index.for.unions",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_ALLOW_OPTIONAL_MAP_KEYS: bool = Property::new(
        "value.converter.allow.optional.map.keys",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_ENHANCED_PROTOBUF_SCHEMA_SUPPORT: bool = Property::new(
        "value.converter.enhanced.protobuf.schema.support",
        BOOLEAN,
        no_effect!("records are written as they came."),
    ).low();
    VALUE_CONVERTER_SCHEMAS_ENABLE: bool = Property::new(
        "value.converter.schemas.enable",
        BOOLEAN,
        no_effect!("JSON is written without a schema around it."),
    ).default("true").low();
    SENSITIVE_HEADERS_LIST: String = Property::new(
        "sensitive.headers.list",
        TEXT,
        no_effect!("headers are never printed."),
    ).default("authorization").low();
    SENSITIVE_HEADERS_VALIDATION_ENABLED: bool = Property::new(
        "sensitive.headers.validation.enabled",
        BOOLEAN,
        no_effect!("headers are never printed."),
    ).default("true").low();
    USE_HTTP_OFFSET_JSON_POINTER_AS_STRING: bool = Property::new(
        "use.http.offset.json.pointer.as.string",
        BOOLEAN,
        no_effect!("an offset is text, as the API wrote it."),
    ).default("true").low();
    HTTPS_SSL_PROVIDER: String = Property::new("https.ssl.provider", TEXT, no_effect!("of Java.")).low();
    HTTPS_SSL_KEYMANAGER_ALGORITHM: String = Property::new(
        "https.ssl.keymanager.algorithm",
        TEXT,
        no_effect!("of Java."),
    ).default("SunX509").low();
    HTTPS_SSL_TRUSTMANAGER_ALGORITHM: String = Property::new(
        "https.ssl.trustmanager.algorithm",
        TEXT,
        no_effect!("of Java."),
    ).default("PKIX").low();
    HTTPS_SSL_SECURE_RANDOM_IMPLEMENTATION: String = Property::new(
        "https.ssl.secure.random.implementation",
        TEXT,
        no_effect!("of Java."),
    ).low();
    HTTPS_SSL_ENGINE_FACTORY_CLASS: String = Property::new(
        "https.ssl.engine.factory.class",
        TEXT,
        no_effect!("of Java."),
    ).low();
    CONFLUENT_LICENSE: Secret = Property::secret("confluent.license", no_effect!("no license is needed.")).low();
    CONFLUENT_TOPIC_BOOTSTRAP_SERVERS: String = Property::new(
        "confluent.topic.bootstrap.servers",
        TEXT,
        no_effect!("no license is needed."),
    ).low();
    CONFLUENT_TOPIC: String = Property::new(
        "confluent.topic",
        TEXT,
        no_effect!("no license is needed."),
    ).default("_confluent-command").low();
    CONFLUENT_TOPIC_REPLICATION_FACTOR: String = Property::new(
        "confluent.topic.replication.factor",
        TEXT,
        no_effect!("no license is needed."),
    ).default("3").low();
    KEY_CONVERTER: String = Property::new("key.converter", TEXT, no_effect!("keys are text.")).low();
    KEY_CONVERTER_SCHEMAS_ENABLE: bool = Property::new(
        "key.converter.schemas.enable",
        BOOLEAN,
        no_effect!("keys are text."),
    ).low();
    KEY_CONVERTER_CONVERTER_TYPE: String = Property::new(
        "key.converter.converter.type",
        TEXT,
        no_effect!("keys are text."),
    ).low();
    KEY_CONVERTER_CONVERTER_ENCODING: String = Property::new(
        "key.converter.converter.encoding",
        TEXT,
        no_effect!("keys are text."),
    ).default("UTF-8").low();
    VALUE_CONVERTER_CONVERTER_TYPE: String = Property::new(
        "value.converter.converter.type",
        TEXT,
        no_effect!("it says that the converter is one of values."),
    ).low();
    VALUE_CONVERTER_SCHEMAS_CACHE_SIZE: String = Property::new(
        "value.converter.schemas.cache.size",
        TEXT,
        no_effect!("the schema of a topic is kept."),
    ).default("1000").low();
    VALUE_CONVERTER_REPLACE_NULL_WITH_DEFAULT: bool = Property::new(
        "value.converter.replace.null.with.default",
        BOOLEAN,
        no_effect!("values have no defaults."),
    ).default("true").low();
    VALUE_CONVERTER_SCHEMA_CONTENT: String = Property::new(
        "value.converter.schema.content",
        TEXT,
        no_effect!("JSON is written without a schema around it."),
    ).low();
    ERRORS_LOG_ENABLE: bool = Property::new(
        "errors.log.enable",
        BOOLEAN,
        no_effect!("failures are always logged."),
    ).low();
    ERRORS_LOG_INCLUDE_MESSAGES: bool = Property::new(
        "errors.log.include.messages",
        BOOLEAN,
        no_effect!("records are never logged."),
    ).low();
    HTTP_TIMER_TYPE: String = Property::new(
        "http.timer.type",
        TEXT,
        no_effect!("`http.timer.cron.expression` says it."),
    ).low();
    HTTP_RESPONSE_ERROR_CODES: String = Property::new(
        "http.response.error.codes",
        TEXT,
        no_effect!("every status but those of success is an error."),
    ).low();
    HTTP_SSL_ENABLED: bool = Property::new(
        "http.ssl.enabled",
        BOOLEAN,
        no_effect!("the URL says whether TLS is spoken."),
    ).low();
    HTTP_RESPONSE_SCHEMA: String = Property::new(
        "http.response.schema",
        TEXT,
        no_effect!("records are written as they came."),
    ).per_api().low();
    TEST_API: bool = Property::new(
        "test.api",
        BOOLEAN,
        no_effect!("it marks test calls of Confluent Cloud. `headwater run --dev --once` tries a configuration out."),
    ).per_api().default("false").low();
}

properties! {
    in ONLY;

    AUTO_REGISTER: () = Property::new(
        "value.converter.auto.register.schemas",
        Kind::OneOf(&[("true", ())]),
        only!("the schema of a topic is learnt from its records and registered"),
    )
    .low();
    USE_LATEST: () = Property::new(
        "value.converter.use.latest.version",
        Kind::OneOf(&[("false", ())]),
        only!("the schema of a topic is learnt from its records and registered"),
    )
    .low();
    CSFLE_ENABLED: () = Property::new(
        "csfle.enabled",
        Kind::OneOf(&[("false", ())]),
        only!("client-side field encryption is not written"),
    ).default("false").low();
    SECRET_MANAGER_ENABLED: () = Property::new(
        "secret.manager.enabled",
        Kind::OneOf(&[("false", ())]),
        only!("secrets are referred to, as in `${env:NAME}`"),
    ).default("false").low();
    VALUE_CONVERTER_VALUE_SUBJECT_NAME_STRATEGY: () = Property::new(
        "value.converter.value.subject.name.strategy",
        Kind::OneOf(&[("TopicNameStrategy", ())]),
        only!("schemas are registered by topic"),
    ).default("TopicNameStrategy").aliases(&["subject.name.strategy", "value.subject.name.strategy"]).low();
}

/// All of them, in the order of the documentation.
pub(super) fn properties() -> impl Iterator<Item = &'static dyn AnyProperty> {
    [WITHOUT_EFFECT, ONLY].into_iter().flatten().copied()
}

/// Tells of those that are set: of what has no effect in the log, of the rest as problems.
pub(super) fn read(reader: &mut Reader<'_>, apis: usize) {
    for property in WITHOUT_EFFECT {
        for name in full_names(*property, apis) {
            if reader.text(&name).is_some() {
                reader.check(*property, &name);
                tracing::info!(property = name, "the property has no effect");
            }
        }
    }
    for property in ONLY {
        for name in full_names(*property, apis) {
            reader.check(*property, &name);
        }
    }
}

fn full_names(property: &dyn AnyProperty, apis: usize) -> Vec<String> {
    let name = property.definition().name;
    match property.definition().scope {
        Scope::PerApi => (1..=apis).map(|number| api_name(number, name)).collect(),
        Scope::Global | Scope::Overridable | Scope::Family | Scope::PerApiFamily | Scope::Named(_) => {
            vec![name.to_owned()]
        }
    }
}
