//! Clients that share no code with ours: Confluent's Python client with its Avro deserializer, and fastavro.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::error::run_to_end;
use crate::harness::{FileLock, HarnessError, RealParts, available, directory, harness_directory, say};

/// The folder of the scripts, and of their pinned requirements.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

/// A Python with the packages of `tests/python/requirements.txt`.
#[derive(Debug)]
pub struct Python {
    interpreter: PathBuf,
}

/// The Python, prepared on first use in a virtual environment in the target directory, and kept there.
///
/// `None` if this machine has no Python 3.10 with `venv`, after one line on stderr: the test returns.
pub fn python() -> Result<Option<&'static Python>, &'static HarnessError> {
    static PYTHON: OnceLock<Result<Python, HarnessError>> = OnceLock::new();
    available(PYTHON.get_or_init(Python::prepare))
}

impl Python {
    /// Runs a script of `tests/python` to its end.
    ///
    /// A script that fails is an error that holds the end of what it printed.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        script: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output, HarnessError> {
        run_to_end(script, Command::new(&self.interpreter).arg(Path::new(SCRIPTS).join(script)).args(arguments))
    }

    /// Runs `read_avro.py` on a topic: one JSON object per record, see there. `options` are further arguments, such as
    /// `["--raw"]`.
    pub fn read_avro(&self, parts: &RealParts, topic: &str, options: &[&str]) -> Result<Vec<Value>, HarnessError> {
        self.read_avro_from(&parts.bootstrap, &parts.registry, topic, options)
    }

    /// As [`Python::read_avro`], of any broker and registry.
    pub fn read_avro_from(
        &self,
        bootstrap: &str,
        registry: &str,
        topic: &str,
        options: &[&str],
    ) -> Result<Vec<Value>, HarnessError> {
        let arguments = ["--bootstrap", bootstrap, "--registry", registry, "--topic", topic];
        let output = self.run("read_avro.py", arguments.iter().chain(options))?;
        let lines = String::from_utf8_lossy(&output.stdout);
        let parse = |line| {
            serde_json::from_str(line)
                .map_err(|error| HarnessError::Setup(format!("read_avro.py printed no JSON ({error}): {line}")))
        };
        lines.lines().map(parse).collect()
    }

    fn prepare() -> Result<Self, HarnessError> {
        let harness = harness_directory()?;
        let environment = harness.join("python");
        let interpreter = environment.join("bin/python");
        let requirements = Path::new(SCRIPTS).join("requirements.txt");
        let wanted = std::fs::read_to_string(&requirements).map_err(HarnessError::io("reading requirements.txt"))?;
        // Written last. An environment cannot be renamed into place: it holds its own path.
        let marker = environment.join("installed.txt");
        let _lock = FileLock::exclusive(&harness.join("python.lock"))?;
        if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(Self { interpreter });
        }
        let usable = Command::new("python3")
            .args(["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"])
            .output()
            .is_ok_and(|output| output.status.success());
        if !usable {
            return Err(HarnessError::Unavailable(
                "Python 3.10 or newer with venv and pip is not installed".to_owned(),
            ));
        }
        say("installing the Python clients with pip, once ...");
        directory::remove(&environment)?;
        run_to_end("creating a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let mut install = Command::new(&interpreter);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        run_to_end("installing the Python clients with pip", install.arg(&requirements))?;
        directory::write(&marker, &wanted)?;
        Ok(Self { interpreter })
    }
}
