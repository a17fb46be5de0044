//! A broker within this process, and sources that run against it.

use std::path::PathBuf;

use headwater_runtime::config::{ConfigError, Environment, Services, SourceConfig};
use headwater_runtime::flow::{self, Embedded, Mode, RunError, Summary};
use headwater_tests::{Consumed, Isolation, ScriptedApi, consume};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The topic that sources write to unless they say otherwise.
pub(crate) const TOPIC: &str = "records";

/// A broker and a registry, for as many runs as a test needs.
pub(crate) struct Broker {
    embedded: Embedded,
    runtime: Runtime,
    scratch: tempfile::TempDir,
}

/// A record as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Option<String>,
    pub(crate) value: String,
    pub(crate) timestamp: Option<i64>,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let embedded = runtime.block_on(Embedded::start()).unwrap();
        Self { embedded, runtime, scratch: tempfile::tempdir().unwrap() }
    }

    /// Runs a source until every API has been read to its end.
    pub(crate) fn run(&self, config: &Value) -> Result<Summary, RunError> {
        self.run_with(config, &[])
    }

    /// As [`Broker::run`], in an environment.
    pub(crate) fn run_with(&self, config: &Value, environment: &[(&str, &str)]) -> Result<Summary, RunError> {
        let SourceConfig { connector, operations } = self.load(config, environment);
        let (_stop, stopped) = watch::channel(false);
        self.runtime.block_on(flow::run_operations(operations, connector, Some(&self.embedded), Mode::Once, stopped))
    }

    /// A configuration that is right, in an environment.
    pub(crate) fn load(&self, config: &Value, environment: &[(&str, &str)]) -> SourceConfig {
        let environment = environment.iter().copied().collect();
        SourceConfig::load(&self.file(config), &environment, &self.services())
            .unwrap_or_else(|error| panic!("{}", told(&error)))
    }

    /// What is wrong with a configuration.
    pub(crate) fn problems(&self, config: &Value) -> String {
        self.problems_with(config, &[], false)
    }

    /// As [`Broker::problems`], in an environment, and perhaps with the embedded broker.
    pub(crate) fn problems_with(&self, config: &Value, environment: &[(&str, &str)], embedded: bool) -> String {
        let environment: Environment = environment.iter().copied().collect();
        let services = if embedded { self.services() } else { Services::Configured };
        match SourceConfig::load(&self.file(config), &environment, &services) {
            Ok(_) => String::new(),
            Err(error) => told(&error),
        }
    }

    fn services(&self) -> Services {
        Services::Embedded {
            bootstrap_servers: self.embedded.bootstrap_servers().to_owned(),
            registry: self.embedded.registry_url().clone(),
        }
    }

    fn file(&self, config: &Value) -> PathBuf {
        let path = self.scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Everything in a topic, in its order.
    pub(crate) fn read(&self, topic: &str) -> Vec<Record> {
        let consumed = consume(self.embedded.bootstrap_servers(), topic, Isolation::ReadCommitted).unwrap();
        consumed.into_iter().map(Record::from).collect()
    }

    /// The values in a topic, and the schema that each is written by.
    pub(crate) fn read_with_schemas(&self, topic: &str) -> Vec<(String, Value)> {
        let consumed = consume(self.embedded.bootstrap_servers(), topic, Isolation::ReadCommitted).unwrap();
        let by_schema = |consumed: Consumed| {
            let bytes = consumed.value.unwrap();
            assert_eq!(bytes[0], 0, "the wire format begins with a zero");
            let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
            let view = self.registry(&format!("schemas/ids/{id}"));
            assert_eq!(view["schemaType"], "JSON");
            let schema = serde_json::from_str(view["schema"].as_str().unwrap()).unwrap();
            (String::from_utf8(bytes[5..].to_vec()).unwrap(), schema)
        };
        consumed.into_iter().map(by_schema).collect()
    }

    /// What the registry answers at a path.
    pub(crate) fn registry(&self, path: &str) -> Value {
        let url = self.embedded.registry_url().join(path).unwrap();
        ureq::get(url.as_str()).call().unwrap().body_mut().read_json().unwrap()
    }

    /// The values in [`TOPIC`].
    pub(crate) fn values(&self) -> Vec<String> {
        self.read(TOPIC).into_iter().map(|record| record.value).collect()
    }
}

impl From<Consumed> for Record {
    fn from(consumed: Consumed) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { key: consumed.key.map(text), value: text(consumed.value.unwrap()), timestamp: consumed.timestamp }
    }
}

fn told(error: &ConfigError) -> String {
    match error {
        ConfigError::Problems(problems) => {
            let line = |problem: &headwater_runtime::config::Problem| match &problem.hint {
                Some(hint) => format!("{} / {hint}", problem.kind),
                None => problem.kind.to_string(),
            };
            problems.0.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        ConfigError::Read(error) => error.to_string(),
    }
}

/// The configuration of a source with one API at `/items` of `api`, with `more` laid over it.
pub(crate) fn config(api: &ScriptedApi, more: Value) -> Value {
    let mut config = json!({
        "name": "source",
        "connector.class": "HttpSourceV2",
        "tasks.max": "1",
        "output.data.format": "JSON",
        "http.api.base.url": api.url(),
        "apis.num": "1",
        "api1.topics": TOPIC,
        "api1.http.api.path": "/items",
        "api1.retry.backoff.ms": "1",
    });
    let members: &mut Map<String, Value> = config.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    config
}
