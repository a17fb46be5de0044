//! A connector to configure in tests.

use std::sync::Arc;
use std::time::Duration;

use super::{ConfigError, ConfigProblems, ConnectorConfig, Environment, Services, SourceConfig};
use crate::codegen::{Object, Undeclared};
use crate::connector::Connector;
use crate::http::Request;
use crate::operation::{Incremental, IncrementalMode, Operation, OperationFacts, TypedOperation};
use crate::page::Pagination;
use crate::record::Record;
use crate::slice::Slice;

#[derive(Default, Object)]
pub(crate) struct Event<'page> {
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Event<'page> {
    const AVRO_SCHEMA: &'static str = r#"{"type": "record", "name": "Event", "fields": []}"#;
    const PROTOBUF_SCHEMA: &'static str = "syntax = \"proto3\";\nmessage Event {}\n";
    const JSON_SCHEMA: &'static str = r#"{"type": "object"}"#;
}

/// The operation `events`, which is read incrementally, or `users`, which is not.
struct List<const INCREMENTAL: bool>;

impl<const INCREMENTAL: bool> TypedOperation for List<INCREMENTAL> {
    type Record<'page> = Event<'page>;

    fn facts() -> OperationFacts {
        let incremental = Incremental {
            mode: IncrementalMode::Timestamp,
            field: "/at".into(),
            parameter: "since".into(),
            initial: Some("2024-01-01T00:00:00Z".into()),
            lookback: None,
        };
        let id = if INCREMENTAL { "events" } else { "users" };
        OperationFacts {
            id: id.into(),
            topic: format!("test.{id}").into(),
            records: "".into(),
            records_required: true,
            pagination: Pagination::None,
            incremental: INCREMENTAL.then_some(incremental),
            interval: Duration::from_secs(60),
        }
    }

    fn request(&self) -> Request {
        Request::get("/events")
    }
}

/// A connector with the parameters `owner`, text, and `number`, an integer, and the operations `events`, which is read
/// incrementally, and `users`, which is not.
pub(crate) fn connector() -> Connector {
    Connector::new("test")
        .base_url("https://api.test")
        .parameter("owner", "The owner.")
        .parameter("number", "The number.")
        .operation(|parameters| {
            parameters.text("owner")?;
            parameters.parse::<i64>("number", "an integer")?;
            Ok(List::<true>)
        })
        .operation(|_| Ok(List::<false>))
}

/// What every configuration of [`connector`] needs.
pub(crate) const NEEDED: [(&str, &str); 4] = [
    ("owner", "me"),
    ("number", "7"),
    ("bootstrap.servers", "kafka:9092"),
    ("value.converter.schema.registry.url", "http://registry:8081"),
];

/// Loads properties as a file and variables as the environment.
pub(crate) fn load(properties: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<ConnectorConfig, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    let object = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
    std::fs::write(&path, serde_json::Value::Object(object.collect()).to_string()).unwrap();
    let environment: Environment = variables.iter().copied().collect();
    ConnectorConfig::load(&connector(), Some(&path), &environment, &Services::Configured).map_err(|error| match error {
        ConfigError::Problems(ConfigProblems(problems)) => problems
            .into_iter()
            .map(|problem| match problem.hint {
                Some(hint) => format!("{} / {hint}", problem.kind),
                None => problem.kind.to_string(),
            })
            .collect(),
        ConfigError::Read(error) => vec![error.to_string()],
    })
}

/// The operation of a source that is configured so, with its records at `/items`.
pub(crate) fn configured(properties: serde_json::Value) -> Arc<dyn Operation> {
    let mut config = serde_json::json!({
        "bootstrap.servers": "kafka:9092",
        "output.data.format": "JSON",
        "http.api.base.url": "https://api.test",
        "api1.topics": "things",
        "api1.http.api.path": "/items",
        "api1.http.response.data.json.pointer": "/items",
    });
    config.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let loaded = SourceConfig::load(&path, &Environment::default(), &Services::Configured);
    let source = loaded.unwrap_or_else(|error| panic!("{error:?}")).operations.swap_remove(0);
    source.slice(&Slice::whole()).unwrap()
}

/// The configuration with what it needs and `properties`.
pub(crate) fn config(properties: &[(&str, &str)]) -> ConnectorConfig {
    load(&[&NEEDED, properties].concat(), &[]).unwrap()
}

/// The problems of a configuration with what it needs and `properties`, each with its hint after a slash.
pub(crate) fn problems(properties: &[(&str, &str)]) -> Vec<String> {
    load(&[&NEEDED, properties].concat(), &[]).unwrap_err()
}
