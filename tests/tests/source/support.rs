//! A broker within this process, and sources that run against it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_runtime::config::{ConfigError, ConnectorConfig, Environment, Services, SourceConfig};
use headwater_runtime::connector::Connector;
use headwater_runtime::flow::{self, Embedded, Handle, Mode, RunError, Summary};
use headwater_runtime::kafka::{Delivery, KafkaSettings, Producer, ProducerRecord, SourcePartition};
use headwater_runtime::slice::Slice;
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
        let handle = Arc::new(Handle::new(&connector.name));
        let run = flow::run_operations(operations, connector, Some(&self.embedded), Mode::Once, handle, stopped);
        self.runtime.block_on(run)
    }

    /// Runs a source cycle after cycle until `is_enough`.
    pub(crate) fn run_until(&self, config: &Value, mut is_enough: impl FnMut() -> bool) -> Result<Summary, RunError> {
        let SourceConfig { connector, operations } = self.load(config, &[]);
        let (stop, stopped) = watch::channel(false);
        let handle = Arc::new(Handle::new(&connector.name));
        let embedded = Some(&self.embedded);
        let run = flow::run_operations(operations, connector, embedded, Mode::Continuous, handle, stopped);
        self.runtime.block_on(async {
            let watch = async {
                while !is_enough() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                stop.send_replace(true);
            };
            tokio::join!(run, watch).0
        })
    }

    /// Runs a generated connector until every operation has been read to its end.
    pub(crate) fn run_generated(&self, connector: &Connector, config: &Value) -> Result<Summary, RunError> {
        let environment = Environment::default();
        let loaded = ConnectorConfig::load(connector, Some(&self.file(config)), &environment, &self.services());
        let loaded = loaded.unwrap_or_else(|error| panic!("{}", told(&error)));
        let (_stop, stopped) = watch::channel(false);
        self.runtime.block_on(flow::run(connector, loaded, Some(&self.embedded), Mode::Once, stopped))
    }

    /// Writes records with these keys and values to a topic.
    pub(crate) fn write(&self, topic: &str, records: &[(&str, Option<&str>)]) {
        let bootstrap_servers = self.bootstrap_servers().to_owned();
        let settings = KafkaSettings { bootstrap_servers, ..KafkaSettings::default() };
        self.runtime.block_on(async {
            let producer = Producer::connect(&settings, Delivery::AtLeastOnce, Duration::from_secs(60)).await.unwrap();
            for (key, value) in records {
                let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
                let record = ProducerRecord { topic, partition: None, key, value, timestamp: None, headers: &[] };
                producer.send(record).await.unwrap();
            }
            producer.commit(Duration::from_secs(60)).await.unwrap();
        });
    }

    /// Where it is.
    pub(crate) fn bootstrap_servers(&self) -> &str {
        self.embedded.bootstrap_servers()
    }

    /// Sets where an operation of a source stands.
    pub(crate) fn set_position(&self, config: &Value, operation: &str, position: &str) {
        let SourceConfig { connector, operations } = self.load(config, &[]);
        let partition = SourcePartition { operation: operation.to_owned(), slice: Slice::whole() };
        let positions = [(partition, Some(position.to_owned()))].into();
        self.runtime.block_on(flow::write_positions(&connector, &operations, &positions, &BTreeSet::new())).unwrap();
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

    /// The same with headers.
    pub(crate) fn consume(&self, topic: &str) -> Vec<Consumed> {
        consume(self.embedded.bootstrap_servers(), topic, Isolation::ReadCommitted).unwrap()
    }

    /// The last value of each key in a topic; those without a value are gone.
    pub(crate) fn read_last(&self, topic: &str) -> BTreeMap<String, String> {
        let mut last = BTreeMap::new();
        for consumed in self.consume(topic) {
            let key = String::from_utf8(consumed.key.unwrap()).unwrap();
            match consumed.value {
                Some(value) => drop(last.insert(key, String::from_utf8(value).unwrap())),
                None => drop(last.remove(&key)),
            }
        }
        last
    }

    /// The keys in the offsets topic of [`config`], and how often each was written.
    pub(crate) fn offsets(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for consumed in self.consume("headwater-source-offsets") {
            *times.entry(String::from_utf8(consumed.key.unwrap()).unwrap()).or_default() += 1;
        }
        times
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

pub(crate) fn told(error: &ConfigError) -> String {
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
    with(&mut config, more);
    config
}

/// Lays properties over others.
pub(crate) fn with(config: &mut Value, more: Value) {
    let members: &mut Map<String, Value> = config.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
}
