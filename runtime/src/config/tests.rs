use std::time::Duration;

use super::property::Scope;
use super::testing::{NEEDED, config, connector, load, problems};
use super::*;
use crate::format::OutputFormat;
use crate::http::{Auth, Backoff};
use crate::schedule::Schedule;
use crate::secret::Secret;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Properties for a client as text.
fn exposed(properties: &[(String, Secret)]) -> Vec<(&str, &str)> {
    properties.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

#[test]
fn defaults_are_values_and_hold_where_nothing_is_set() {
    for property in properties() {
        if let property::DefaultValue::Text(text) = property.definition().default {
            assert!(property.accepts(text), "{}", property.definition().name);
        }
    }
    let config = config(&[]);
    assert_eq!(config.name, "test");
    assert_eq!(config.offsets_topic(), ("headwater-test-offsets", 16, None));
    assert_eq!((config.topics.partitions, config.topics.replication), (1, None));
    assert_eq!(config.delivery, Delivery { exactly_once: ExactlyOnce::Requested, boundary: Boundary::Poll });
    let [events, users] = &config.operations[..] else { panic!("two operations") };
    assert_eq!((events.id.as_str(), events.topic.as_deref()), ("events", Some("test.events")));
    assert!(matches!(events.schedule, Schedule::Interval(interval) if interval == millis(60_000)));
    assert_eq!(events.initial_offset.as_deref(), Some("2024-01-01T00:00:00Z"));
    assert_eq!(users.initial_offset, None);
    assert_eq!(events.retry, crate::http::RetryPolicy::default());
    assert_eq!((events.http.connect_timeout, events.http.request_timeout), (millis(30_000), millis(30_000)));
    assert_eq!((events.http.base_url.as_str(), &events.http.auth), ("https://api.test/", &Auth::None));
    assert_eq!(config.kafka.bootstrap_servers, "kafka:9092");
    assert_eq!(exposed(&config.kafka.client), [("security.protocol", "plaintext")]);
    let registry = config.registry.unwrap();
    assert_eq!((registry.url.as_str(), &registry.auth), ("http://registry:8081/", &Auth::None));
    assert_eq!(config.parameters.text("owner").unwrap(), "me");
}

impl ConnectorConfig {
    fn offsets_topic(&self) -> (&str, u32, Option<u16>) {
        (&self.offsets.name, self.offsets.creation.partitions, self.offsets.creation.replication)
    }
}

#[test]
fn the_properties_of_the_connector_act() {
    let config = config(&[
        ("name", "mine"),
        ("connector.class", "HttpSourceV2"),
        ("tasks.max", "1"),
        ("http.api.base.url", "http://localhost:1/v2"),
        ("offset.storage.topic", "positions"),
        ("offset.storage.partitions", "3"),
        ("offset.storage.replication.factor", "2"),
        ("topic.creation.default.partitions", "4"),
        ("topic.creation.default.replication.factor", "-1"),
        ("output.data.format", "PROTOBUF"),
        ("api2.output.data.format", "JSON"),
        ("exactly.once.support", "REQUIRED"),
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "500"),
    ]);
    assert_eq!(config.name, "mine");
    assert_eq!(config.operations[1].http.base_url.as_str(), "http://localhost:1/v2");
    assert_eq!(config.offsets_topic(), ("positions", 3, Some(2)));
    assert_eq!((config.topics.partitions, config.topics.replication), (4, None));
    let formats: Vec<_> = config.operations.iter().map(|operation| operation.format).collect();
    assert_eq!(formats, [OutputFormat::Protobuf, OutputFormat::Json]);
    let boundary = Boundary::Interval(millis(500));
    assert_eq!(config.delivery, Delivery { exactly_once: ExactlyOnce::Required, boundary });
    assert_eq!(super::testing::config(&[("name", "a-b")]).offsets.name, "headwater-a-b-offsets");
}

#[test]
fn the_properties_of_an_operation_act_on_it_alone() {
    let config = config(&[
        ("api1.topics", "t"),
        ("api1.request.interval.ms", "5"),
        ("api1.http.initial.offset", "2025-01-01T00:00:00Z"),
        ("api1.http.connect.timeout.ms", "1"),
        ("api1.http.request.timeout.ms", "2"),
        ("api1.max.retries", "0"),
        ("api1.retry.backoff.policy", "constant_value"),
        ("api1.retry.backoff.ms", "70000"),
        ("api1.retry.backoff.max.ms", "4"),
        ("api1.retry.on.status.codes", "400-"),
    ]);
    let operation = &config.operations[0];
    assert_eq!(operation.topic.as_deref(), Some("t"));
    assert!(matches!(operation.schedule, Schedule::Interval(interval) if interval == millis(5)));
    assert_eq!(operation.initial_offset.as_deref(), Some("2025-01-01T00:00:00Z"));
    assert_eq!((operation.http.connect_timeout, operation.http.request_timeout), (millis(1), millis(2)));
    let retry = &operation.retry;
    assert_eq!((retry.max_retries, retry.backoff), (0, Backoff::Constant));
    assert_eq!((retry.initial, retry.cap), (millis(70_000), millis(4)));
    assert!(retry.statuses.contains(404));
    let other = &config.operations[1];
    assert_eq!((other.topic.as_deref(), other.retry.max_retries), (Some("test.users"), 5));
}

#[test]
fn requests_authenticate_as_configured() {
    let auth = |properties: &[(&str, &str)]| config(properties).operations.remove(0).http.auth;
    assert_eq!(auth(&[("auth.type", "bearer"), ("bearer.token", "t")]), Auth::Bearer(Secret::new("t")));
    let basic = auth(&[("auth.type", "BASIC"), ("connection.user", "u"), ("connection.password", "p")]);
    assert_eq!(basic, Auth::Basic { user: "u".to_owned(), password: Secret::new("p") });
    assert_eq!(auth(&[("bearer.token", "t")]), Auth::None);
    assert_eq!(
        problems(&[("auth.type", "BEARER")]),
        ["property `bearer.token` is missing / it is needed because `auth.type` is `BEARER`"]
    );
    assert_eq!(problems(&[("auth.type", "BASIC")]).len(), 2, "user and password");
    assert_eq!(
        problems(&[("auth.type", "BAERER")]),
        [
            "property `auth.type` is `BAERER`, which is not one of `NONE`, `BASIC`, `OAUTH2`, `BEARER`, `API_KEY` / did you mean `BEARER`?"
        ]
    );
    let colon = problems(&[("auth.type", "BASIC"), ("connection.user", "a:b"), ("connection.password", "p")]);
    assert_eq!(colon.len(), 1, "{colon:?}");
}

#[test]
fn the_registry_authenticates_as_configured() {
    let auth = |properties: &[(&str, &str)]| config(properties).registry.unwrap().auth;
    let basic = Auth::Basic { user: "u".to_owned(), password: Secret::new("p:@") };
    let user_info = ("value.converter.schema.registry.basic.auth.user.info", "u:p:@");
    assert_eq!(auth(&[user_info]), basic);
    assert_eq!(auth(&[user_info, ("value.converter.basic.auth.credentials.source", "USER_INFO")]), basic);
    assert_eq!(auth(&[("value.converter.basic.auth.user.info", "u:p:@")]), basic);
    for name in ["value.converter.schema.registry.bearer.auth.token", "value.converter.bearer.auth.token"] {
        assert_eq!(auth(&[(name, "t")]), Auth::Bearer(Secret::new("t")));
    }
    let in_url =
        load(&[&NEEDED[..3], &[("value.converter.schema.registry.url", "https://u:p%3a%40@r/x")]].concat(), &[]);
    let registry = in_url.unwrap().registry.unwrap();
    assert_eq!((registry.url.as_str(), registry.auth), ("https://r/x", basic));
    let no_colon = problems(&[("value.converter.basic.auth.user.info", "s3cr3t")]);
    assert_eq!(no_colon, ["property `value.converter.basic.auth.user.info` has no colon between user and password"]);
    let twice = problems(&[user_info, ("value.converter.basic.auth.user.info", "u:p")]);
    assert!(twice[0].contains("are names of the same property"), "{twice:?}");
    assert_eq!(problems(&[user_info, ("value.converter.bearer.auth.token", "t")]).len(), 1);
}

#[test]
fn sasl_takes_user_and_password_from_jaas_or_a_cloud_key() {
    let client = |properties: &[(&str, &str)]| config(properties).kafka;
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";";
    let scram = plain.replace("plain.Plain", "scram.Scram");
    let protocol = ("security.protocol", "SASL_PLAINTEXT");
    let expected = |protocol, mechanism| {
        [
            ("security.protocol", protocol),
            ("sasl.mechanisms", mechanism),
            ("sasl.username", "u"),
            ("sasl.password", "p"),
        ]
    };
    let by_jaas = client(&[protocol, ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", plain)]);
    assert_eq!(exposed(&by_jaas.client), expected("sasl_plaintext", "PLAIN"));
    let by_scram = client(&[protocol, ("sasl.mechanism", "scram-sha-512"), ("sasl.jaas.config", &scram)]);
    assert_eq!(exposed(&by_scram.client), expected("sasl_plaintext", "SCRAM-SHA-512"));
    let by_key = client(&[("kafka.api.key", "u"), ("kafka.api.secret", "p")]);
    assert_eq!(exposed(&by_key.client)[..4], expected("sasl_ssl", "PLAIN"));
    assert_eq!(exposed(&by_key.client)[4..], [("ssl.endpoint.identification.algorithm", "https")]);

    assert_eq!(
        problems(&[protocol, ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", &scram)]),
        ["property `sasl.jaas.config` names another login module than `PLAIN` takes / use \
          `org.apache.kafka.common.security.plain.PlainLoginModule`"]
    );
    assert_eq!(problems(&[protocol]).len(), 2, "mechanism and jaas are missing");
    assert_eq!(problems(&[("kafka.api.key", "k")]).len(), 1);
    assert_eq!(
        problems(&[("sasl.jaas.config", plain)]),
        ["property `sasl.jaas.config` has no effect without SASL / set `security.protocol` to `SASL_SSL` or \
          `SASL_PLAINTEXT`"]
    );
    assert_eq!(problems(&[("kafka.api.key", "k"), ("kafka.api.secret", "s"), ("security.protocol", "SSL")]).len(), 1);
    assert_eq!(problems(&[("kafka.api.key", "k"), ("kafka.api.secret", "s"), ("sasl.jaas.config", plain)]).len(), 1);
}

#[test]
fn tls_goes_from_javas_stores_to_what_librdkafka_reads() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let pem = file("a.pem", b"-----BEGIN CERTIFICATE-----");
    let jks = file("b", include_bytes!("../keystore/java.jks"));
    let unknown = file("c.jks", b"PK");
    let ssl = ("security.protocol", "SSL");
    let client = |properties: &[(&str, &str)]| {
        let properties: Vec<_> = [ssl].into_iter().chain(properties.iter().copied()).collect();
        let client = config(&properties).kafka.client;
        let mut pairs: Vec<_> = client.iter().map(|(n, v)| (n.clone(), v.expose().to_owned())).collect();
        pairs.retain(|(name, value)| name != "security.protocol" && value != "https");
        pairs
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(client(&[]), []);
    assert_eq!(client(&[("ssl.truststore.location", &pem)]), [pair("ssl.ca.location", &pem)]);
    assert_eq!(client(&[("ssl.truststore.certificates", "-CA-")]), [pair("ssl.ca.pem", "-CA-")]);
    assert_eq!(
        client(&[("ssl.keystore.location", &pem), ("ssl.key.password", "k")]),
        [pair("ssl.certificate.location", &pem), pair("ssl.key.location", &pem), pair("ssl.key.password", "k")]
    );
    let whole = client(&[("ssl.truststore.location", &jks), ("ssl.truststore.password", "store-pass")]);
    let [(name, trusted)] = &whole[..] else { panic!("{whole:?}") };
    assert_eq!((name.as_str(), trusted.matches("-----BEGIN CERTIFICATE-----").count()), ("ssl.ca.pem", 2));
    let passwords = [("ssl.keystore.password", "store-pass"), ("ssl.key.password", "key-pass")];
    let whole = client(&[&[("ssl.keystore.location", &*jks), ("ssl.keystore.type", "JKS")][..], &passwords].concat());
    let [(chain_name, chain), (key_name, key)] = &whole[..] else { panic!("{whole:?}") };
    assert_eq!((chain_name.as_str(), key_name.as_str()), ("ssl.certificate.pem", "ssl.key.pem"));
    assert!(chain.starts_with("-----BEGIN CERTIFICATE-----") && key.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(
        client(&[("ssl.keystore.certificate.chain", "-C-"), ("ssl.keystore.key", "-K-")]),
        [pair("ssl.certificate.pem", "-C-"), pair("ssl.key.pem", "-K-")]
    );
    let unnamed = pair("ssl.endpoint.identification.algorithm", "none");
    assert_eq!(client(&[("ssl.endpoint.identification.algorithm", "")]), [unnamed]);

    let refused = |name: &str, path: &str| problems(&[ssl, (name, path)]).concat();
    for (name, path, words) in [
        ("ssl.truststore.location", &unknown, "is neither PEM, nor a JKS store, nor a PKCS #12 store"),
        ("ssl.keystore.location", &jks, "holds a private key that the password does not open / set `ssl.key.password`"),
        ("ssl.keystore.location", &"/none.pem".to_owned(), "names a file that cannot be read"),
    ] {
        let text = refused(name, path);
        assert!(text.contains(words), "{text}");
    }
    assert!(problems(&[("ssl.truststore.location", &pem)])[0].contains("has no effect without TLS"));
}

#[test]
fn overrides_take_librdkafkas_names() {
    let kafka = config(&[
        ("producer.override.linger.ms", "7"),
        ("producer.override.max.request.size", "8388698"),
        ("producer.override.buffer.memory", "1025"),
        ("producer.override.send.buffer.bytes", "9"),
        ("consumer.override.fetch.max.wait.ms", "5"),
    ])
    .kafka;
    let mut producer = exposed(&kafka.producer);
    producer.sort_unstable();
    let expected = [
        ("linger.ms", "7"),
        ("message.max.bytes", "8388698"),
        ("queue.buffering.max.kbytes", "2"),
        ("socket.send.buffer.bytes", "9"),
    ];
    assert_eq!(producer, expected);
    assert_eq!(exposed(&kafka.consumer), [("fetch.wait.max.ms", "5")]);
    for refused in [
        "producer.override.transactional.id",
        "producer.override.max.block.ms",
        "producer.override.sasl.jaas.config",
        "consumer.override.group.id",
        "producer.override.",
    ] {
        assert_eq!(problems(&[(refused, "x")]).len(), 1, "{refused}");
    }
    let variables = [("HEADWATER_PRODUCER_OVERRIDE_BATCH_SIZE", "10")];
    assert_eq!(exposed(&load(&NEEDED, &variables).unwrap().kafka.producer), [("batch.size", "10")]);
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = [
        ("HEADWATER_OWNER", "you"),
        ("HEADWATER_API2_TOPICS", "t2"),
        ("HEADWATER_BEARER_TOKEN", "t"),
        ("HEADWATER_AUTH_TYPE", "BEARER"),
        ("HEADWATER_VALUE_CONVERTER_BASIC_AUTH_USER_INFO", "u:p"),
        ("HEADWATER_SOMETHING_ELSE", "x"),
        ("HEADWATER_LOG", "debug"),
    ];
    let config = load(&[&NEEDED[..], &[("api2.topics", "t1")]].concat(), &variables).unwrap();
    assert_eq!(config.parameters.text("owner").unwrap(), "you");
    assert_eq!(config.operations[1].topic.as_deref(), Some("t2"));
    assert_eq!(config.operations[1].http.auth, Auth::Bearer(Secret::new("t")));
    assert!(matches!(config.registry.unwrap().auth, Auth::Basic { .. }));
}

#[test]
fn references_are_resolved_and_their_values_are_not_shown() {
    let with =
        |properties: &[(&str, &str)], variables: &[(&str, &str)]| load(&[&NEEDED[..], properties].concat(), variables);
    let token = [("auth.type", "BEARER"), ("bearer.token", "${env:TOKEN}")];
    let config = with(&token, &[("TOKEN", "t0k3n")]).unwrap();
    assert_eq!(config.operations[0].http.auth, Auth::Bearer(Secret::new("t0k3n")));
    assert_eq!(
        with(&token, &[]).unwrap_err(),
        ["property `bearer.token` holds `${env:TOKEN}`, but there is no environment variable of this name"]
    );
    let wrong = with(&[("api1.max.retries", "${env:N}")], &[("N", "s3cr3t")]).unwrap_err();
    assert_eq!(
        wrong,
        ["property `api1.max.retries` (operation `events`) is [hidden], which is not an integer from 0 to 5000"]
    );
    let number = load(&[&NEEDED[..1], &NEEDED[2..], &[("number", "${env:N}")]].concat(), &[("N", "s3cr3t")]);
    assert_eq!(number.unwrap_err(), ["property `number` is [hidden], which is not an integer"]);
}

#[test]
fn a_typo_is_told_with_the_nearest_name() {
    for (name, told) in [
        ("auth.tpye", "property `auth.tpye` is unknown / did you mean `auth.type`?"),
        ("api1.max.retrys", "property `api1.max.retrys` is unknown / did you mean `api1.max.retries`?"),
        (
            "max.retries",
            "property `max.retries` is unknown / it belongs to an operation: did you mean `api1.max.retries`?",
        ),
        ("ownr", "property `ownr` is unknown / did you mean `owner`?"),
        ("api3.topics", "property `api3.topics` belongs to no operation / `api1` is `events`, `api2` is `users`"),
        ("offset", "property `offset` is unknown"),
    ] {
        assert_eq!(problems(&[(name, "s3cr3t")]), [told]);
    }
}

#[test]
fn all_problems_are_told_at_once_by_place() {
    let told = load(
        &[
            ("auth.type", "BEARER"),
            ("number", "x"),
            ("owner", "me"),
            ("api1.http.initial.offset", "yesterday"),
            ("api2.http.initial.offset", "1"),
            ("api1.retry.backoff.ms", "61000"),
            ("http.api.base.url", "api.test"),
            ("nmae", "x"),
            ("offset.storage.topic", "a b"),
        ],
        &[("HEADWATER_EXACTLY_ONCE_SUPPORT", "maybe")],
    )
    .unwrap_err();
    let names = [
        "`nmae`",
        "`http.api.base.url` is `api.test`, which is not an absolute",
        "`number` is `x`, which is not an integer",
        "`api1.http.initial.offset` (operation `events`) is `yesterday`, which is not",
        "`api2.http.initial.offset` (operation `users`) has no effect",
        "`api1.retry.backoff.ms` (operation `events`) is more than `api1.retry.backoff.max.ms`, 60000",
        "`offset.storage.topic`",
        "`exactly.once.support` is `maybe`",
        "`bearer.token` is missing",
        "`bootstrap.servers` is missing",
        "`value.converter.schema.registry.url` is missing",
    ];
    for name in names {
        assert_eq!(told.iter().filter(|text| text.contains(name)).count(), 1, "{name}: {told:#?}");
    }
    assert_eq!(told.len(), names.len(), "{told:#?}");
    let missing = told.iter().position(|text| text.contains("missing"));
    assert_eq!(missing, Some(told.len() - 3), "what is missing has no place, and comes last");
}

#[test]
fn an_initial_offset_fits_its_operation() {
    assert_eq!(
        problems(&[("api1.http.initial.offset", "yesterday"), ("api2.http.initial.offset", "1")]),
        [
            "property `api1.http.initial.offset` (operation `events`) is `yesterday`, which is not an RFC 3339 instant, \
             such as `2024-01-01T00:00:00Z`",
            "property `api2.http.initial.offset` (operation `users`) has no effect: every cycle of the operation reads \
             everything",
        ]
    );
}

#[test]
fn embedded_services_need_no_addresses_and_take_no_credentials() {
    let services = Services::Embedded {
        bootstrap_servers: "127.0.0.1:1".to_owned(),
        registry: Url::parse("http://127.0.0.1:2").unwrap(),
    };
    let environment: Environment = [
        ("HEADWATER_OWNER", "me"),
        ("HEADWATER_NUMBER", "1"),
        ("HEADWATER_BOOTSTRAP_SERVERS", "elsewhere:9092"),
        ("HEADWATER_SECURITY_PROTOCOL", "SASL_SSL"),
        ("HEADWATER_PRODUCER_OVERRIDE_LINGER_MS", "1"),
    ]
    .into_iter()
    .collect();
    let config = ConnectorConfig::load(&connector(), None, &environment, &services).unwrap();
    assert_eq!(config.kafka.bootstrap_servers, "127.0.0.1:1");
    assert_eq!(exposed(&config.kafka.client), []);
    assert_eq!(exposed(&config.kafka.producer), [("linger.ms", "1")]);
    assert_eq!(config.registry.unwrap().url.as_str(), "http://127.0.0.1:2/");
}

#[test]
fn a_base_url_is_needed_where_the_document_has_none() {
    let load = |connector: &Connector| {
        let variables: Vec<_> = NEEDED[2..].iter().map(|(name, value)| (variable_name(name), *value)).collect();
        let environment: Environment = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        ConnectorConfig::load(connector, None, &environment, &Services::Configured)
    };
    assert!(load(&Connector::new("c").base_url("http://api.test")).is_ok());
    for connector in [Connector::new("c"), Connector::new("c").base_url("/relative")] {
        let Err(ConfigError::Problems(ConfigProblems(problems))) = load(&connector) else { panic!("no problem") };
        assert_eq!(problems[0].kind.to_string(), "property `http.api.base.url` is missing");
    }
}

/// Every secret property, with a value that is wrong or does not go with the rest, and every other property besides that
/// makes it one.
#[test]
fn no_secret_is_ever_told() {
    const SECRET: &str = "s3cr3t";
    let secrets: Vec<_> = properties().filter(|property| property.definition().secret).collect();
    assert!(secrets.len() >= 10);
    let names = secrets.iter().flat_map(|property| {
        let definition = property.definition();
        [definition.name].into_iter().chain(definition.aliases.iter().copied())
    });
    let companions: [&[(&str, &str)]; 7] = [
        &[("auth.type", "BEARER"), ("max.retries", "1")],
        &[("auth.type", "BASIC"), ("unknown", SECRET)],
        &[("security.protocol", "SASL_SSL"), ("sasl.mechanism", "PLAIN")],
        &[("security.protocol", "SSL"), ("ssl.keystore.type", "x")],
        &[("kafka.api.key", "k"), ("security.protocol", "SSL")],
        &[("value.converter.basic.auth.credentials.source", "x")],
        &[("http.api.base.url", "ftp://u:s3cr3t@host"), ("number", "${env:VALUE}")],
    ];
    for name in names {
        for companion in companions {
            for value in [SECRET.to_owned(), format!("{SECRET}\n"), format!(" {SECRET}: \"{SECRET}")] {
                let mut properties = vec![(name, value.as_str()), ("owner", "me")];
                properties.extend(companion);
                let told = load(&properties, &[("VALUE", SECRET)]).unwrap_err();
                assert!(!told.is_empty() && told.iter().all(|text| !text.contains(SECRET)), "{name}: {told:?}");
            }
        }
    }
    let config = config(&[("auth.type", "BEARER"), ("bearer.token", SECRET)]);
    assert!(!format!("{config:?} {:?}", config.operations).contains(SECRET));
}

#[test]
fn the_documentation_has_every_property_once() {
    let documentation = documentation(&connector());
    let mut names: Vec<_> = documentation.properties.iter().map(|property| property.name.as_str()).collect();
    assert_eq!(names.len(), properties().count() + 2);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), properties().count() + 2);
    let find = |name: &str| documentation.properties.iter().find(|property| property.name == name).unwrap();
    assert_eq!(find("apiN.max.retries").default.as_deref(), Some("5"));
    assert_eq!(find("apiN.max.retries").environment_variable, "HEADWATER_APIN_MAX_RETRIES");
    assert_eq!(find("http.api.base.url").default.as_deref(), Some("https://api.test"));
    assert!(find("owner").required && find("bootstrap.servers").required && !find("name").required);
    assert!(find("bearer.token").secret);
    assert_eq!(find("auth.type").valid_values.as_deref(), Some("NONE, BASIC, OAUTH2, BEARER, API_KEY"));
    assert!(names.contains(&"producer.override.*"));
    let operations: Vec<_> = documentation.operations.iter().map(|operation| operation.prefix.as_str()).collect();
    assert_eq!(operations, ["api1", "api2"]);
    assert_eq!(documentation.operations[0].id, "events");
    assert!(properties().all(|property| {
        let definition = property.definition();
        definition.doc.ends_with('.')
            && matches!(definition.scope, Scope::Family | Scope::PerApiFamily) == definition.name.ends_with('.')
    }));
}

#[test]
fn what_is_annotated_to_write_only_changes_does_so_unless_it_is_configured() {
    let mut connector = connector();
    connector.operations[1].writes_changes = true;
    let snapshot = |properties: &[(&str, &str)]| {
        let properties = NEEDED.iter().chain(properties).map(|(name, value)| (variable_name(name), *value));
        let environment: Vec<_> = properties.collect();
        let environment: Environment = environment.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let config = ConnectorConfig::load(&connector, None, &environment, &Services::Configured).unwrap();
        config.operations[1].snapshot.map(|settings| settings.max_deletes)
    };
    assert_eq!(snapshot(&[]), Some(20));
    assert_eq!(snapshot(&[("api2.snapshot.max.deletes.percent", "5")]), Some(5));
    assert_eq!(snapshot(&[("api2.snapshot.output", "ALL")]), None);
}

#[test]
fn what_is_annotated_to_be_redacted_and_cannot_be_read_is_an_error() {
    let mut connector = connector();
    connector.operations[1].redact = "/email -> ENCRYPT";
    let variables: Vec<_> = NEEDED.iter().map(|(name, value)| (variable_name(name), *value)).collect();
    let environment: Environment = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let error = ConnectorConfig::load(&connector, None, &environment, &Services::Configured).err();
    let Some(ConfigError::Problems(ConfigProblems(problems))) = error else { panic!("{error:?}") };
    let told: Vec<_> = problems.iter().map(|problem| problem.kind.to_string()).collect();
    let expected = "property `api2.record.redact` (operation `users`) is annotated with what cannot be read: \
                    `/email -> ENCRYPT` is no rule such as `/email -> HASH`";
    assert_eq!(told, [expected]);
}
