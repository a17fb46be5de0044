//! Cycles that begin when they are asked for, through the REST interface of the running command.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use headwater_tests::{Isolation, Received, ScriptedApi, consume, headwater};
use serde_json::{Value, json};

use crate::support::{TOPIC, config};

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(60);

/// A source that runs with a broker of its own.
struct Running {
    process: Child,
    broker: String,
    admin: String,
    _scratch: tempfile::TempDir,
}

impl Running {
    fn start(config: &Value) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("source.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let mut command = Command::new(headwater().unwrap());
        command.arg("run").arg(&path).arg("--dev").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut after = |mark: &str| said.find_map(|line| Some(line.split_once(mark)?.1.to_owned())).unwrap();
        let broker = after("embedded broker: ");
        let admin = format!("http://{}", after("address="));
        std::thread::spawn(move || said.for_each(drop));
        Self { process, broker, admin, _scratch: scratch }
    }

    /// The status that asking for a cycle is answered with.
    fn ask(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut request = agent.post(format!("{}{path}", self.admin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send_empty().unwrap().status().as_u16()
    }

    /// Asks until the stream waits for a cycle, and has begun one.
    fn begin(&self, path: &str, headers: &[(&str, &str)]) {
        let began = Instant::now();
        while self.ask(path, headers) != 202 {
            assert!(began.elapsed() < LIMIT, "no cycle can be asked for");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The records, once there are so many.
    fn records(&self, number: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let read = consume(&self.broker, TOPIC, Isolation::ReadCommitted).unwrap();
            if read.len() >= number {
                return read.into_iter().map(|record| String::from_utf8(record.value.unwrap()).unwrap()).collect();
            }
            assert!(began.elapsed() < LIMIT, "only {} records", read.len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It fails where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const CYCLE: &str = "/connectors/source/streams/api1/cycle";

/// A door that requests wait at while it is shut.
#[derive(Default)]
struct Door {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Door {
    fn set(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap() = is_shut;
        self.opened.notify_all();
    }

    fn pass(&self) {
        drop(self.opened.wait_while(self.is_shut.lock().unwrap(), |is_shut| *is_shut).unwrap());
    }
}

#[test]
fn a_cycle_begins_when_it_is_asked_for_and_never_while_one_is_under_way() {
    let (door, cycles) = (Arc::new(Door::default()), Mutex::new(0));
    let api = ScriptedApi::start({
        let door = Arc::clone(&door);
        move |_: &Received| {
            door.pass();
            let mut cycles = cycles.lock().unwrap();
            *cycles += 1;
            json!([*cycles])
        }
    })
    .unwrap();
    let more = json!({
        "listeners": "http://127.0.0.1:0",
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
        "api1.request.on.demand": "true",
    });
    let source = Running::start(&config(&api, more));
    source.begin(CYCLE, &[]);
    assert_eq!(source.records(1), ["1"], "none began by itself");

    door.set(true);
    source.begin(CYCLE, &[]);
    assert_eq!(source.ask(CYCLE, &[]), 409);
    assert_eq!(source.ask(CYCLE, &[]), 409);
    door.set(false);
    assert_eq!(source.records(2), ["1", "2"]);

    assert_eq!(source.ask("/connectors/source/streams/api2/cycle", &[]), 404);
    assert_eq!(source.ask("/connectors/other/streams/api1/cycle", &[]), 404);
    assert_eq!(source.ask(CYCLE, &[("origin", "http://elsewhere.test")]), 403);
    source.begin(CYCLE, &[]);
    assert_eq!(source.records(3), ["1", "2", "3"]);
    assert_eq!(api.received().len(), 3, "each cycle is one request");
}

#[test]
fn streams_of_slices_and_of_other_schedules_are_asked_too_by_whoever_may() {
    let api = ScriptedApi::start(|request: &Received| json!([request.path()])).unwrap();
    let more = json!({
        "listeners": "http://0.0.0.0:0",
        "rest.basic.auth.user.info": "ops:s3cret",
        "api1.http.api.path": "/${slice.region}",
        "api1.slices.region": "eu,us",
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
        "api1.request.interval.ms": "86400000",
    });
    let source = Running::start(&config(&api, more));
    source.records(2);
    assert_eq!(source.ask(CYCLE, &[]), 401);
    assert_eq!(source.ask(CYCLE, &[("authorization", "Basic b3BzOnNlY3JldA==")]), 401);
    source.begin(CYCLE, &[("authorization", "Basic b3BzOnMzY3JldA==")]);
    let mut records = source.records(4);
    records.sort_unstable();
    assert_eq!(records, [r#""/eu""#, r#""/eu""#, r#""/us""#, r#""/us""#]);
}
