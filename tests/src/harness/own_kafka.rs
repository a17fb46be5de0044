//! A Kafka that one test has for itself, because it is not as others are.

use std::path::PathBuf;

use tempfile::TempDir;

use super::error::run_to_end;
use super::java::Java;
use super::kafka::{self, Kafka, Ports};
use super::{HarnessError, say};

/// What everybody's password is.
pub const PASSWORD: &str = "secret";

/// The program that grants permissions; Java compiles it by itself (JEP 330).
const GRANT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/java/Grant.java");

/// A Kafka of one's own. It ends when this is dropped, or with the thread that started it.
#[derive(Debug)]
pub struct OwnKafka {
    kafka: Kafka,
    java: Java,
    _directory: TempDir,
}

impl OwnKafka {
    /// Starts one with properties laid over the usual ones, each a line.
    ///
    /// `None` if this machine has no Java or no Maven, after one line on stderr: the test returns.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub fn start(properties: &str) -> Result<Option<Self>, HarnessError> {
        Self::start_with(|_| properties.to_owned())
    }

    /// Starts one that asks who one is at [`OwnKafka::guarded`]: one of `users`, by SASL PLAIN, who may do nothing but what
    /// [`OwnKafka::grant`] has granted. At [`OwnKafka::bootstrap`] everybody may do everything.
    ///
    /// # Errors
    ///
    /// As [`OwnKafka::start`].
    pub fn start_guarded(users: &[&str]) -> Result<Option<Self>, HarnessError> {
        let users: String = users.iter().map(|user| format!(" user_{user}=\"{PASSWORD}\"")).collect();
        Self::start_with(|Ports { broker, controller, guarded }| {
            format!(
                "\
listeners=PLAINTEXT://127.0.0.1:{broker},SASL_PLAINTEXT://127.0.0.1:{guarded},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},SASL_PLAINTEXT://127.0.0.1:{guarded}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
                org.apache.kafka.common.security.plain.PlainLoginModule required{users};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"
            )
        })
    }

    /// Starts one that speaks TLS at [`OwnKafka::guarded`], at the name `localhost`, with the key of a JKS store, and wants
    /// certificates that lead to one of another.
    ///
    /// # Errors
    ///
    /// As [`OwnKafka::start`].
    pub fn start_tls(keys: &str, trusted: &str, password: &str) -> Result<Option<Self>, HarnessError> {
        Self::start_with(|Ports { broker, controller, guarded }| {
            format!(
                "\
listeners=PLAINTEXT://127.0.0.1:{broker},SSL://127.0.0.1:{guarded},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},SSL://localhost:{guarded}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
ssl.client.auth=required
ssl.keystore.type=JKS
ssl.keystore.location={keys}
ssl.keystore.password={password}
ssl.key.password={password}
ssl.truststore.type=JKS
ssl.truststore.location={trusted}
ssl.truststore.password={password}
"
            )
        })
    }

    fn start_with(properties: impl Fn(Ports) -> String) -> Result<Option<Self>, HarnessError> {
        let Some((java, package)) = install()? else { return Ok(None) };
        let directory = tempfile::tempdir().map_err(HarnessError::io("creating a temporary directory"))?;
        let kafka = Kafka::start_with(&java, &package, &directory.path().join("kafka"), properties)?;
        Ok(Some(Self { kafka, java, _directory: directory }))
    }

    /// `host:port` for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.kafka.bootstrap
    }

    /// The same of the listener that asks who one is.
    pub fn guarded(&self) -> &str {
        &self.kafka.guarded
    }

    /// Grants permissions, each as user, kind of resource, its name or `*`, and operation, with Kafka's names:
    /// `["orders", "TOPIC", "*", "DESCRIBE"]`.
    ///
    /// # Errors
    ///
    /// If Kafka refuses.
    pub fn grant(&self, permissions: &[[&str; 4]]) -> Result<(), HarnessError> {
        let mut command = self.java.command();
        command.arg("-cp").arg(kafka::PACKAGE.fetch()?.join("lib/*")).arg(GRANT).arg(self.bootstrap());
        command.args(permissions.iter().flatten());
        run_to_end("Grant.java", &mut command).map(drop)
    }
}

/// What a Kafka of one's own needs; `None` if this machine has no Java or no Maven, after one line on stderr.
pub(crate) fn install() -> Result<Option<(Java, PathBuf)>, HarnessError> {
    match Java::find().and_then(|java| Ok((java, kafka::PACKAGE.fetch()?))) {
        Ok(found) => Ok(Some(found)),
        Err(HarnessError::Unavailable(reason)) => {
            let thread = std::thread::current();
            say(&format!("skipped {}: {reason}", thread.name().unwrap_or("test")));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
