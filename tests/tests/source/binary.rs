//! `headwater run CONFIG --dev`: a source and a broker of its own, which any client can use while it runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::{Isolation, Received, ScriptedApi, consume, headwater, run_headwater};
use serde_json::json;

use crate::support::{TOPIC, config};

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_configuration_is_all_that_run_needs() {
    let api = ScriptedApi::start(|request: &Received| {
        let start = request.number("start");
        json!({ "results": (start..50).take(20).collect::<Vec<_>>() })
    })
    .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("numbers.json");
    let config = config(
        &api,
        json!({
            "api1.http.request.parameters": "start=${offset}",
            "api1.http.initial.offset": "0",
            "api1.http.response.data.json.pointer": "/results",
        }),
    );
    std::fs::write(&path, config.to_string()).unwrap();
    let path = path.to_str().unwrap();

    let once = run_headwater(&["run", path, "--dev", "--once"]).unwrap();
    let said = String::from_utf8_lossy(&once.stderr);
    assert!(once.status.success(), "{said}");
    assert!(said.contains("stopped records=50 pages=4"), "{said}");

    let mut command = Command::new(headwater().unwrap());
    command.args(["run", path, "--dev"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut said = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first = said.next().unwrap();
    let broker = first.strip_prefix("embedded broker: ").unwrap().to_owned();
    let log = std::thread::spawn(move || said.collect::<Vec<_>>());
    let began = Instant::now();
    let mut read = consume(&broker, TOPIC, Isolation::ReadCommitted).unwrap();
    while read.len() < 50 {
        assert!(began.elapsed() < LIMIT, "only {} records in the embedded broker", read.len());
        std::thread::sleep(Duration::from_millis(100));
        read = consume(&broker, TOPIC, Isolation::ReadCommitted).unwrap();
    }
    let values: Vec<usize> =
        read.iter().map(|record| String::from_utf8_lossy(record.value.as_ref().unwrap()).parse().unwrap()).collect();
    assert_eq!(values, (0..50).collect::<Vec<_>>());
    assert!(Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap().success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0), "{}", log.join().unwrap().join("\n"));
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It fails where it has ended already.
        let _ = self.0.kill();
    }
}
