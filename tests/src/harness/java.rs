//! The Java runtime of this machine.

use std::path::PathBuf;
use std::process::Command;

use super::HarnessError;

/// What Kafka 4 needs.
const OLDEST: u32 = 17;

/// A `java` command that is recent enough.
#[derive(Debug, Clone)]
pub(crate) struct Java {
    program: PathBuf,
}

impl Java {
    /// The one of `JAVA_HOME`, or else the one on the path.
    pub(crate) fn find() -> Result<Self, HarnessError> {
        let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
        let program = home.filter(|java| java.is_file()).unwrap_or_else(|| "java".into());
        let Ok(output) = Command::new(&program).arg("-version").output() else {
            return Err(HarnessError::Unavailable(format!("Java {OLDEST} or newer is not installed")));
        };
        let text = String::from_utf8_lossy(&output.stderr);
        match major(&text) {
            Some(version) if version >= OLDEST => Ok(Self { program }),
            Some(version) => {
                Err(HarnessError::Unavailable(format!("Java {OLDEST} or newer is needed, this is Java {version}")))
            }
            None => Err(HarnessError::Unavailable(format!("`java -version` does not work here: {}", text.trim()))),
        }
    }

    /// A command with options that favour a quick start and a small footprint over peak speed.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args([
            "-Xms64m",
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
        ]);
        command
    }
}

/// The major version in the output of `java -version`: `openjdk version "17.0.15"`, or `"1.8.0_402"` of old.
fn major(text: &str) -> Option<u32> {
    let version = text.split_once("version \"")?.1.split('"').next()?;
    let mut numbers = version.split(|character: char| !character.is_ascii_digit());
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn versions_old_and_new() {
        assert_eq!(major("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(major("Picked up JAVA_TOOL_OPTIONS: -X\nopenjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(major("java version \"21-ea\""), Some(21));
        assert_eq!(major("java version \"1.8.0_402\""), Some(8));
        assert_eq!(major("command not found"), None);
    }
}
