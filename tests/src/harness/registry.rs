//! Apicurio Registry, which also speaks the API of Confluent's registry.

use std::path::Path;
use std::time::Duration;

use super::HarnessError;
use super::directory::{create, remove};
use super::java::Java;
use super::maven::Package;
use super::process::{Part, free_ports, start_on_free_ports};

/// The version of Apicurio Registry that tests run against: the newest one that runs on Java 17 (3.3 needs Java 21).
pub const REGISTRY_VERSION: &str = "3.0.9";

pub(crate) const PACKAGE: Package = Package {
    name: "apicurio-registry",
    version: REGISTRY_VERSION,
    dependencies: &[],
    goal: &["unpack", "-Dartifact=io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all", "-DoutputDirectory=."],
};

/// Below the registry's root: the API that serializers of the Kafka world speak.
const CONFLUENT_API: &str = "/apis/ccompat/v7";
/// Below the registry's root: its own API.
const NATIVE_API: &str = "/apis/registry/v3";

/// A running registry. It keeps its schemas in memory.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) part: Part,
    /// Base URL of the Confluent-compatible API.
    pub(crate) confluent: String,
    /// Base URL of its own API.
    pub(crate) native: String,
}

impl Registry {
    /// Starts it and waits until it serves. All it writes goes below `directory`.
    pub(crate) fn start(java: &Java, package: &Path, directory: &Path) -> Result<Self, HarnessError> {
        start_on_free_ports(|| Self::attempt(java, package, directory))
    }

    fn attempt(java: &Java, package: &Path, directory: &Path) -> Result<Self, HarnessError> {
        remove(directory)?;
        create(directory)?;
        let [port] = free_ports()?;
        let mut command = java.command();
        command
            .arg("-jar")
            .arg(package.join(format!("apicurio-registry-app-{REGISTRY_VERSION}-runner.jar")))
            .current_dir(directory)
            .env("APICURIO_STORAGE_KIND", "sql")
            .env("APICURIO_STORAGE_SQL_KIND", "h2")
            .env("QUARKUS_HTTP_HOST", "127.0.0.1")
            .env("QUARKUS_HTTP_PORT", port.to_string());
        let name = format!("Apicurio Registry {REGISTRY_VERSION}");
        let mut part = Part::spawn(name, &mut command, directory.join("registry.log"))?;
        let root = format!("http://127.0.0.1:{port}");
        let confluent = format!("{root}{CONFLUENT_API}");
        part.await_ready(|_| answers(&format!("{confluent}/subjects")))?;
        Ok(Self { part, confluent, native: format!("{root}{NATIVE_API}") })
    }
}

/// The address of the native API beside a Confluent-compatible one, if that looks like Apicurio's.
pub(crate) fn native_beside(confluent: &str) -> Option<String> {
    confluent.trim_end_matches('/').strip_suffix(CONFLUENT_API).map(|root| format!("{root}{NATIVE_API}"))
}

fn answers(url: &str) -> bool {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
    agent.get(url).call().is_ok()
}

#[cfg(test)]
mod tests {
    use super::native_beside;

    #[test]
    fn native_api_of_apicurio_only() {
        let apicurio = native_beside("http://registry:8080/apis/ccompat/v7/");
        assert_eq!(apicurio.as_deref(), Some("http://registry:8080/apis/registry/v3"));
        assert_eq!(native_beside("http://registry:8081"), None);
    }
}
