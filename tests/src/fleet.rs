//! Several instances of one source, which share its streams: processes that are started, suspended and killed, the API that
//! they read, and what they are to have written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Answer, HarnessError, Isolation, Received, ScriptedApi, consume_each, create_topic, headwater, unique_name,
};

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a condition is looked at.
const TICK: Duration = Duration::from_millis(50);

/// How many shards there are.
pub const SHARDS: usize = 16;

/// A source with streams of numbered records, all of which go to one topic, and its API.
pub struct Fleet {
    bootstrap: String,
    api: ScriptedApi,
    /// How many records each stream has by now.
    count: Arc<AtomicUsize>,
    streams: usize,
    topic: String,
    config: Value,
    scratch: TempDir,
    started: usize,
}

/// A fault of the API: `None` answers as it should.
pub type Fault = dyn Fn(&Received) -> Option<Answer> + Send + Sync;

impl Fleet {
    /// A source of so many streams, whose pages have `page` records and take `pause` each.
    ///
    /// # Errors
    ///
    /// If the API cannot be started or the topic not be created.
    pub fn new(bootstrap: &str, streams: usize, page: usize, pause: Duration) -> Result<Self, HarnessError> {
        Self::with_faults(bootstrap, streams, page, pause, Box::new(|_| None))
    }

    /// The same with an API that fails.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_faults(
        bootstrap: &str,
        streams: usize,
        page: usize,
        pause: Duration,
        fault: Box<Fault>,
    ) -> Result<Self, HarnessError> {
        let count = Arc::new(AtomicUsize::new(0));
        let served = Arc::clone(&count);
        let api = ScriptedApi::start_on(4, move |request: &Received| {
            std::thread::sleep(pause);
            fault(request).unwrap_or_else(|| answer(request, page, served.load(Ordering::Relaxed)))
        })?;
        let topic = unique_name("fleet");
        create_topic(bootstrap, &topic, 1, &[])?;
        let mut config = json!({
            "name": topic,
            "bootstrap.servers": bootstrap,
            "http.api.base.url": api.url(),
            "apis.num": streams.to_string(),
            "output.data.format": "JSON",
            "exactly.once.support": "required",
            "offset.storage.partitions": SHARDS.to_string(),
            "topic.creation.default.partitions": "1",
            "listeners": "http://127.0.0.1:0",
            "consumer.override.session.timeout.ms": "3000",
        });
        for number in 1..=streams {
            for (name, value) in [
                ("topics", topic.as_str()),
                ("http.api.path", &format!("/streams/{number}")),
                ("http.request.parameters", "at=${offset}"),
                ("http.initial.offset", "0"),
                ("http.response.data.json.pointer", "/items"),
                ("record.key.json.pointer", "/stream"),
                ("request.interval.ms", "20"),
                ("retry.backoff.ms", "10"),
            ] {
                config[format!("api{number}.{name}")] = json!(value);
            }
        }
        let scratch = tempfile::tempdir().map_err(HarnessError::io("creating a temporary directory"))?;
        let bootstrap = bootstrap.to_owned();
        Ok(Self { bootstrap, api, count, streams, topic, config, scratch, started: 0 })
    }

    /// Lays properties over those of instances that are started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.config[name] = json!(value);
    }

    /// The same of each stream.
    pub fn set_each(&mut self, name: &str, value: &str) {
        for number in 1..=self.streams {
            self.config[format!("api{number}.{name}")] = json!(value);
        }
    }

    /// Leaves a property out for instances that are started from now on.
    pub fn unset(&mut self, name: &str) {
        self.config.as_object_mut().map(|config| config.remove(name));
    }

    /// Has each stream have so many records more; gives how many it has then.
    pub fn add(&self, records: usize) -> usize {
        // So that they do not pile up.
        self.asked();
        self.count.fetch_add(records, Ordering::Relaxed) + records
    }

    /// How many requests have come since the last call.
    pub fn asked(&self) -> usize {
        self.api.received().len()
    }

    /// How far the topic has been written, which is at least the number of records in it.
    ///
    /// # Errors
    ///
    /// If Kafka does not say.
    pub fn end(&self) -> Result<usize, HarnessError> {
        let failed = || HarnessError::kafka(format!("looking for the end of topic {}", self.topic));
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().map_err(failed())?;
        let (_, end) = client.fetch_watermarks(&self.topic, 0, LIMIT).map_err(failed())?;
        Ok(usize::try_from(end).unwrap_or_default())
    }

    /// Starts an instance.
    ///
    /// # Errors
    ///
    /// If its files cannot be written or it cannot be started.
    pub fn start(&mut self) -> Result<Instance, HarnessError> {
        self.started += 1;
        let name = format!("instance-{}", self.started);
        let config = self.scratch.path().join(format!("{name}.json"));
        std::fs::write(&config, self.config.to_string()).map_err(HarnessError::io("writing a configuration"))?;
        let log = self.scratch.path().join(format!("{name}.log"));
        let output = File::create(&log).map_err(HarnessError::io("creating a log"))?;
        let mut command = Command::new(headwater()?);
        command.arg("run").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let child = command.spawn().map_err(HarnessError::io("starting an instance"))?;
        let mut instance = Instance { name, child, log, admin: String::new(), connector: self.topic.clone() };
        instance.admin = await_some(|| instance.address(), || instance.said("serves no status"))?;
        Ok(instance)
    }

    /// The records in Kafka by their stream, each in its order.
    ///
    /// # Errors
    ///
    /// If Kafka cannot be read, or has something else.
    pub fn written(&self) -> Result<BTreeMap<usize, Vec<usize>>, HarnessError> {
        let mut written = BTreeMap::<_, Vec<_>>::new();
        let mut strange = None;
        consume_each(&self.bootstrap, &self.topic, Isolation::ReadCommitted, |record| {
            let value = record.value.as_deref().and_then(|value| serde_json::from_slice::<Value>(value).ok());
            let number = |name: &str| value.as_ref()?[name].as_u64()?.try_into().ok();
            match (number("stream"), number("id")) {
                (Some(stream), Some(id)) => written.entry(stream).or_default().push(id),
                _ => strange = Some(record.offset),
            }
        })?;
        match strange {
            None => Ok(written),
            Some(offset) => Err(HarnessError::Setup(format!("the record at {offset} is none of the API's"))),
        }
    }

    /// The longest time that a stream has written nothing in, between two of its records.
    ///
    /// # Errors
    ///
    /// As [`Self::written`].
    pub fn longest_pause(&self) -> Result<Duration, HarnessError> {
        let (mut last, mut longest) = (BTreeMap::new(), 0);
        consume_each(&self.bootstrap, &self.topic, Isolation::ReadCommitted, |record| {
            let (Some(stream), Some(at)) = (record.key, record.timestamp) else { return };
            longest = longest.max(last.insert(stream, at).map_or(0, |before| at - before));
        })?;
        Ok(Duration::from_millis(longest.try_into().unwrap_or_default()))
    }

    /// How many records are in Kafka.
    ///
    /// # Errors
    ///
    /// As [`Self::written`].
    pub fn total(&self) -> Result<usize, HarnessError> {
        Ok(self.written()?.values().map(Vec::len).sum())
    }

    /// Waits until there are at least so many records in Kafka.
    ///
    /// # Errors
    ///
    /// As [`Self::written`]; or if it takes for ever.
    pub fn await_total(&self, least: usize) -> Result<(), HarnessError> {
        await_some(|| Ok((self.total()? >= least).then_some(())), || format!("fewer than {least} records in Kafka"))
    }

    /// What is wrong with what is in Kafka: every record of every stream is to be there once, in its order.
    ///
    /// # Errors
    ///
    /// As [`Self::written`].
    pub fn faults(&self) -> Result<Vec<String>, HarnessError> {
        let (written, count) = (self.written()?, self.count.load(Ordering::Relaxed));
        let none = Vec::new();
        let mut faults = Vec::new();
        for stream in 1..=self.streams {
            let ids = written.get(&stream).unwrap_or(&none);
            if let Some(at) = (0..count.max(ids.len())).find(|at| ids.get(*at) != Some(at).filter(|at| **at < count)) {
                let once: BTreeSet<_> = ids.iter().collect();
                let around = ids.get(at.saturating_sub(2)..(at + 3).min(ids.len())).unwrap_or_default();
                faults.push(format!(
                    "stream {stream}: {} records, {} different ones, of {count}; around {at} stands {around:?}",
                    ids.len(),
                    once.len()
                ));
            }
        }
        Ok(faults)
    }

    /// Waits until the shards are those of these instances, each of one, and all streams run; gives what each has.
    ///
    /// # Errors
    ///
    /// If it takes for ever, or one of them has ended.
    pub fn await_shared(&self, instances: &mut [&mut Instance]) -> Result<Vec<BTreeSet<i32>>, HarnessError> {
        let mut seen = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            seen.clear();
            for instance in instances.iter_mut() {
                if let Some(status) = instance.ended()? {
                    return Err(HarnessError::Setup(instance.said(&format!("ended ({status})"))));
                }
                seen.push(instance.shards().unwrap_or_default());
            }
            let all: BTreeSet<i32> = seen.iter().flatten().copied().collect();
            let is_shared = all.len() == SHARDS && seen.iter().map(BTreeSet::len).sum::<usize>() == SHARDS;
            // What is left over is not moved to have it even: nobody has two more than another.
            let (least, most) = (seen.iter().map(BTreeSet::len).min(), seen.iter().map(BTreeSet::len).max());
            if is_shared && most.unwrap_or_default() - least.unwrap_or_default() <= 1 {
                return Ok(seen);
            }
            std::thread::sleep(TICK);
        }
        let logs: String = instances.iter().map(|instance| instance.said("shares nothing") + "\n").collect();
        Err(HarnessError::Setup(format!("the shards are {seen:?}\n{logs}")))
    }
}

/// A page of a stream that has `count` records.
fn answer(request: &Received, page: usize, count: usize) -> Answer {
    let stream: usize = request.path().rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let at = request.number("at");
    let items: Vec<_> = (at..count).take(page).map(|id| json!({ "stream": stream, "id": id })).collect();
    json!({ "items": items }).into()
}

/// Waits until there is something.
fn await_some<T>(
    mut look: impl FnMut() -> Result<Option<T>, HarnessError>,
    why: impl Fn() -> String,
) -> Result<T, HarnessError> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > LIMIT {
            return Err(HarnessError::Setup(why()));
        }
        std::thread::sleep(TICK);
    }
}

/// An instance. It is killed when it is dropped.
pub struct Instance {
    name: String,
    child: Child,
    log: PathBuf,
    admin: String,
    connector: String,
}

impl Instance {
    /// Where it serves its status, once it says so.
    fn address(&self) -> Result<Option<String>, HarnessError> {
        let log = std::fs::read_to_string(&self.log).map_err(HarnessError::io("reading a log"))?;
        let address = log.lines().find_map(|line| line.split_once("address=")?.1.split_whitespace().next());
        Ok(address.map(|address| format!("http://{address}")))
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What is said of it, with the end of its log.
    pub fn said(&self, what: &str) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().rev().take(30).collect();
        format!("{} {what}:\n{}", self.name, lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// What it answers at a path.
    pub fn get(&self, path: &str) -> Option<String> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
        agent.get(format!("{}{path}", self.admin)).call().ok()?.body_mut().read_to_string().ok()
    }

    /// What it answers to a request about the connector: status and content.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub fn ask(&self, method: &str, what: &str, content: &Value) -> Result<(u16, Value), HarnessError> {
        let uri = format!("{}/connectors/{}/{what}", self.admin, self.connector);
        let failed = |error: &dyn std::fmt::Display| HarnessError::Setup(format!("{method} {uri}: {error}"));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(LIMIT))
            .build()
            .into();
        let request = ureq::http::Request::builder().method(method).uri(&uri).body(content.to_string());
        let mut answer = agent.run(request.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
        let text = answer.body_mut().read_to_string().map_err(|error| failed(&error))?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
    }

    /// The shards that it has, if all their streams run.
    pub fn shards(&self) -> Option<BTreeSet<i32>> {
        let status: Value = serde_json::from_str(&self.get(&format!("/connectors/{}/status", self.connector))?).ok()?;
        let shards = status["connector"]["shards"].as_object()?;
        let running = shards.iter().map(|(shard, state)| (*state == "RUNNING").then(|| shard.parse().ok())?);
        running.collect()
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The sum of the metrics of this name, whatever their labels.
    pub fn metric(&self, name: &str) -> f64 {
        let metrics = self.get("/metrics").unwrap_or_default();
        let of_name = |line: &&str| line.split(['{', ' ']).next() == Some(name);
        metrics.lines().filter(of_name).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    /// How many streams it has.
    pub fn streams(&self) -> usize {
        let status = self.get(&format!("/connectors/{}/status", self.connector));
        let status: Value = status.and_then(|status| serde_json::from_str(&status).ok()).unwrap_or_default();
        status["tasks"].as_array().map_or(0, Vec::len)
    }

    /// How often the streams of each shard have begun.
    pub fn starts(&self) -> BTreeMap<i32, u64> {
        let metrics = self.get("/metrics").unwrap_or_default();
        let of_shard = |line: &str| {
            let (_, rest) = line.strip_prefix("headwater_shard_starts_total{")?.split_once("shard=\"")?;
            let (shard, rest) = rest.split_once("\"} ")?;
            Some((shard.parse().ok()?, rest.parse().ok()?))
        };
        metrics.lines().filter_map(of_shard).collect()
    }

    /// Sends it a signal, by the name that `kill` has for it.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn signal(&self, name: &str) -> Result<(), HarnessError> {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        match sent.map_err(HarnessError::io("running kill"))?.success() {
            true => Ok(()),
            false => Err(HarnessError::Setup(self.said("could not be sent a signal"))),
        }
    }

    /// Kills it, with no time to say anything.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn kill(&mut self) -> Result<(), HarnessError> {
        self.child.kill().map_err(HarnessError::io("killing an instance"))?;
        self.child.wait().map(drop).map_err(HarnessError::io("waiting for an instance"))
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Errors
    ///
    /// If it is gone, or ends with an error.
    pub fn stop(&mut self) -> Result<(), HarnessError> {
        self.signal("TERM")?;
        let status = self.child.wait().map_err(HarnessError::io("waiting for an instance"))?;
        match status.success() {
            true => Ok(()),
            false => Err(HarnessError::Setup(self.said(&format!("ended ({status})")))),
        }
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    ///
    /// If it cannot be watched.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, HarnessError> {
        self.child.try_wait().map_err(HarnessError::io("watching an instance"))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // They fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
