//! Kafka Connect's own transforms, applied to cases by a small program in Java.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::run_to_end;
use super::java::Java;
use super::maven::Package;
use super::{HarnessError, say};

const PACKAGE: Package = Package {
    name: "connect-transforms",
    version: "4.2.0",
    dependencies: &["org.apache.kafka:connect-transforms:4.2.0", "org.apache.kafka:connect-json:4.2.0"],
    goal: &["copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"],
};

/// The program; Java compiles it by itself (JEP 330).
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/java/Transforms.java");

/// What Kafka Connect makes of the cases in a file, in their order.
///
/// `None` if this machine has no Java or no Maven, after one line on stderr: the test returns.
///
/// # Errors
///
/// If the program cannot be fetched or fails.
pub fn connect_transforms(cases: &Path) -> Result<Option<Vec<Value>>, HarnessError> {
    let (java, package) = match prepare() {
        Ok(prepared) => prepared,
        Err(HarnessError::Unavailable(reason)) => {
            let thread = std::thread::current();
            say(&format!("skipped {}: {reason}", thread.name().unwrap_or("test")));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut command = java.command();
    command.arg("-cp").arg(package.join("lib/*")).arg(PROGRAM).arg(cases);
    let output = run_to_end("Transforms.java", &mut command)?;
    let parse = |line: &str| {
        serde_json::from_str(line)
            .map_err(|error| HarnessError::Setup(format!("Transforms.java printed no JSON ({error}): {line}")))
    };
    String::from_utf8_lossy(&output.stdout).lines().map(parse).collect::<Result<_, _>>().map(Some)
}

fn prepare() -> Result<(Java, PathBuf), HarnessError> {
    let java = Java::find()?;
    Ok((java, PACKAGE.fetch()?))
}
