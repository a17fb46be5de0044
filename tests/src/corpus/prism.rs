//! Prism (`@stoplight/prism-cli`), a mock server that shares no code with ours, asked what it thinks of the requests that
//! generated builders make.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::crates::folder;
use super::examples::Examples;
use super::{Document, Generated, Sample, requests};
use crate::HarnessError;
use crate::harness::error::run_to_end;
use crate::harness::{FileLock, directory, say};
use crate::program::target;

/// What is installed, once.
const PACKAGE: &str = "@stoplight/prism-cli@5.14.2";

/// Only bounds a hang: how long Prism may take to start.
const START_LIMIT: Duration = Duration::from_secs(120);

/// What came of asking Prism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It has validated the requests.
    Validated(Validated),
    /// It cannot serve the document; what it said last.
    NotServed(String),
}

/// What Prism says of the requests of a document's builders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// Requests sent.
    pub requests: usize,
    /// Requests that Prism found nothing wrong with.
    pub valid: usize,
    /// What it found, with the request.
    pub violations: Vec<String>,
}

/// Prism's program, installed below the target directory. `None`, after one line on stderr, without Node.js and npm.
///
/// # Errors
///
/// If npm fails.
pub fn prism() -> Result<Option<PathBuf>, HarnessError> {
    let usable = |program| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !usable("node") || !usable("npm") {
        say("skipped: Node.js and npm are not installed");
        return Ok(None);
    }
    let prefix = target().join("prism");
    directory::create(&prefix)?;
    let _lock = FileLock::exclusive(&prefix.join("install.lock"))?;
    let program = prefix.join("node_modules/.bin/prism");
    if !program.exists() {
        say("installing Prism with npm, once ...");
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&prefix).arg(PACKAGE);
        run_to_end("installing Prism with npm", &mut npm)?;
    }
    Ok(Some(program))
}

/// Sends a request of each builder of a sample of the document's streams to Prism. `None` if it has no streams.
///
/// # Errors
///
/// If a program fails.
pub fn validate(prism: &Path, headwater: &Path, document: &Document) -> Result<Option<Asked>, HarnessError> {
    let Some(sample) = Sample::new(headwater, document)? else { return Ok(None) };
    let arguments = sample.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let generated = Generated::new(headwater, document, &format!("{}-requests", document.name), &arguments)?;
    if !generated.generate.status.success() {
        return Err(HarnessError::Setup(generated.generate.output));
    }
    let examples = Examples::new(document)?;
    let (text, requests) = requests::program(&generated, &generated.package()?, &examples)?;
    directory::write(&generated.folder.join("src/main.rs"), &text)?;
    let manifest = generated.folder.join("Cargo.toml");
    let failed = || HarnessError::io(format!("changing {}", manifest.display()));
    let with_tokio = fs::read_to_string(&manifest).map_err(failed())?
        + "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";
    directory::write(&manifest, &with_tokio)?;
    let program = generated.build()?;

    let server = match Server::start(prism, document)? {
        Ok(server) => server,
        Err(said) => return Ok(Some(Asked::NotServed(said))),
    };
    run_to_end("sending the requests", Command::new(program).arg(&server.url))?;
    let said = server.stop()?;
    let violations = violations(&said);
    let valid = said.matches("The request passed the validation rules").count();
    Ok(Some(Asked::Validated(Validated { requests, valid, violations })))
}

/// What Prism's log says is wrong with requests. What is wrong with its answers is not our business.
fn violations(log: &str) -> Vec<String> {
    let mut request = "";
    let mut found = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("[HTTP SERVER] ") {
            request = rest.split_once(" ℹ").map_or(request, |(request, _)| request);
        }
        let is_refused = ["UNAUTHORIZED", "NO_PATH_MATCHED", "NO_METHOD_MATCHED", "UNPROCESSABLE"]
            .iter()
            .any(|error| line.contains("terminated with error") && line.contains(error));
        let is_violation = line.contains("[VALIDATOR]") && line.contains("error");
        if is_refused || is_violation {
            let message = line.split_once("error").map_or(line, |(_, message)| message);
            found.push(format!("{request}: {}", message.trim()));
        }
    }
    found
}

/// A running Prism. It is killed when dropped.
struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    /// Starts it, or returns what it said last when it ended or would not serve.
    fn start(prism: &Path, document: &Document) -> Result<Result<Self, String>, HarnessError> {
        let failed = || HarnessError::io("starting Prism");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed())?;
        let port = listener.local_addr().map_err(failed())?.port();
        drop(listener);
        let log = folder().join(format!("prism-{}.log", document.name));
        let out = fs::File::create(&log).map_err(failed())?;
        let errors = out.try_clone().map_err(failed())?;
        let mut command = Command::new(prism);
        command.args(["mock", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()]).arg(&document.path);
        let child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn().map_err(failed())?;
        let mut server = Self { child, url: format!("http://127.0.0.1:{port}"), log };
        let began = Instant::now();
        while !server.said()?.contains("Prism is listening") {
            let has_ended = server.child.try_wait().map_err(failed())?.is_some();
            if has_ended || began.elapsed() > START_LIMIT {
                let said = server.said()?;
                let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                return Ok(Err(last.trim().to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Ok(server))
    }

    fn said(&self) -> Result<String, HarnessError> {
        let bytes = fs::read(&self.log).map_err(HarnessError::io("reading what Prism says"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn stop(mut self) -> Result<String, HarnessError> {
        self.child.kill().and_then(|()| self.child.wait()).map_err(HarnessError::io("ending Prism"))?;
        self.said()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
