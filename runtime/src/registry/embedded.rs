//! A schema registry in this process, for trying a connector out with nothing installed.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use url::Url;

use super::routes;
use super::store::Store;

/// A schema registry that speaks the part of Confluent's REST API that serializers, deserializers and people at a shell
/// use. It keeps everything in memory and stops when it is dropped.
///
/// It is no judge: it accepts every schema that is JSON, says of each that it is compatible, and keeps the rule that it
/// is given only to tell it again.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    url: Url,
    /// Dropping it tells the server to stop.
    _stop: oneshot::Sender<()>,
}

impl EmbeddedRegistry {
    /// Starts a registry on an address; port 0 stands for any free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?)).map_err(io::Error::other)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let app: Router = routes::routes(Arc::new(Mutex::new(Store::default())));
        // Schemas of large documents have several megabytes, and nobody but this process and its user asks.
        let app = app.layer(DefaultBodyLimit::disable());
        let server = axum::serve(listener, app).with_graceful_shutdown(async {
            // An error says that the sender was dropped, which is how it tells.
            let _ = stopped.await;
        });
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the embedded schema registry stopped");
            }
        });
        Ok(Self { url, _stop: stop })
    }

    /// Its base URL.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::ask;
    use crate::registry::{RegistryClient, RegistrySettings, SchemaType, Verdict};

    async fn start() -> EmbeddedRegistry {
        EmbeddedRegistry::start(([127, 0, 0, 1], 0).into()).await.unwrap()
    }

    const SCHEMA: &str = r#"{"schema":"{\"type\": \"string\"}"}"#;

    #[tokio::test]
    async fn a_schema_of_any_size_is_taken() {
        let registry = EmbeddedRegistry::start(([127, 0, 0, 1], 0).into()).await.unwrap();
        let client = RegistryClient::new(RegistrySettings::new(registry.url().clone())).unwrap();
        let schema = format!(r#"{{"type": "string", "doc": "{}"}}"#, "x".repeat(4 << 20));
        client.register("large-value", SchemaType::Avro, &schema).await.unwrap();
    }

    #[tokio::test]
    async fn serves_the_client() {
        let registry = start().await;
        let client = || RegistryClient::new(RegistrySettings::new(registry.url().clone())).unwrap();
        client().check_reachable().await.unwrap();
        let id = client().register("a-value", SchemaType::Avro, "\"string\"").await.unwrap();
        assert_eq!(
            client().register("a-value", SchemaType::Avro, " \"string\"").await.unwrap(),
            id,
            "the same schema again"
        );
        assert_eq!(
            client().register("b/ä-value", SchemaType::Avro, "\"string\"").await.unwrap(),
            id,
            "ids are of schemas"
        );
        assert_ne!(client().register("a-value", SchemaType::Avro, "\"int\"").await.unwrap(), id);
        assert_eq!(client().test("a-value", SchemaType::Avro, "\"float\"").await.unwrap(), Verdict::Compatible);
        assert_eq!(client().test("none", SchemaType::Avro, "\"float\"").await.unwrap(), Verdict::First);
        let error = client().register("a-value", SchemaType::Avro, "{").await.unwrap_err();
        assert!(error.to_string().starts_with("the schema of `a-value` is not valid: "), "{error}");
        assert_eq!(ask(registry.url(), "GET", "/subjects", "").await, (200, r#"["a-value","b/ä-value"]"#.to_owned()));
    }

    #[tokio::test]
    async fn answers_as_a_registry_does() {
        let registry = start().await;
        for (method, path, body, status, answer) in [
            ("GET", "/", "", 200, "{}"),
            ("GET", "/subjects", "", 200, "[]"),
            ("GET", "/schemas/types", "", 200, r#"["JSON","PROTOBUF","AVRO"]"#),
            ("POST", "/subjects/a/versions", SCHEMA, 200, r#"{"id":1}"#),
            ("POST", "/subjects/a/versions", SCHEMA, 200, r#"{"id":1}"#),
            ("POST", "/subjects/a/versions", r#"{"schema":"{}","schemaType":"JSON"}"#, 200, r#"{"id":2}"#),
            ("POST", "/subjects/b/versions", SCHEMA, 200, r#"{"id":1}"#),
            ("GET", "/subjects", "", 200, r#"["a","b"]"#),
            ("GET", "/subjects/a/versions", "", 200, "[1,2]"),
            (
                "GET",
                "/subjects/a/versions/1",
                "",
                200,
                r#"{"subject":"a","version":1,"id":1,"schema":"{\"type\":\"string\"}"}"#,
            ),
            (
                "GET",
                "/subjects/a/versions/latest",
                "",
                200,
                r#"{"subject":"a","version":2,"id":2,"schemaType":"JSON","schema":"{}"}"#,
            ),
            ("GET", "/subjects/a/versions/latest/schema", "", 200, "{}"),
            (
                "POST",
                "/subjects/a",
                SCHEMA,
                200,
                r#"{"subject":"a","version":1,"id":1,"schema":"{\"type\":\"string\"}"}"#,
            ),
            ("POST", "/compatibility/subjects/a/versions/latest", SCHEMA, 200, r#"{"is_compatible":true}"#),
            ("GET", "/schemas/ids/1", "", 200, r#"{"schema":"{\"type\":\"string\"}"}"#),
            ("GET", "/schemas/ids/2?fetchMaxId=false", "", 200, r#"{"schemaType":"JSON","schema":"{}"}"#),
            ("GET", "/schemas/ids/1/schema", "", 200, r#"{"type":"string"}"#),
            ("GET", "/config", "", 200, r#"{"compatibilityLevel":"BACKWARD"}"#),
            ("PUT", "/config", r#"{"compatibility":"FULL"}"#, 200, r#"{"compatibility":"FULL"}"#),
            ("GET", "/config", "", 200, r#"{"compatibilityLevel":"FULL"}"#),
            (
                "GET",
                "/config/a",
                "",
                404,
                r#"{"error_code":40408,"message":"Subject 'a' does not have subject-level compatibility configured"}"#,
            ),
            ("GET", "/config/a?defaultToGlobal=true", "", 200, r#"{"compatibilityLevel":"FULL"}"#),
            ("PUT", "/config/a", r#"{"compatibility":"NONE"}"#, 200, r#"{"compatibility":"NONE"}"#),
            ("GET", "/config/a", "", 200, r#"{"compatibilityLevel":"NONE"}"#),
            (
                "PUT",
                "/config",
                r#"{"compatibility":"SOME"}"#,
                422,
                r#"{"error_code":42203,"message":"Invalid compatibility level"}"#,
            ),
            ("DELETE", "/subjects/a", "", 200, "[1,2]"),
            ("GET", "/subjects", "", 200, r#"["b"]"#),
            ("GET", "/schemas/ids/2/schema", "", 200, "{}"),
        ] {
            assert_eq!(ask(registry.url(), method, path, body).await, (status, answer.to_owned()), "{method} {path}");
        }
    }

    #[tokio::test]
    async fn says_what_is_missing() {
        let registry = start().await;
        ask(registry.url(), "POST", "/subjects/a/versions", SCHEMA).await;
        for (method, path, body, status, code) in [
            ("GET", "/subjects/x/versions", "", 404, 40401),
            ("GET", "/subjects/x/versions/1", "", 404, 40401),
            ("POST", "/subjects/x", SCHEMA, 404, 40401),
            ("DELETE", "/subjects/x", "", 404, 40401),
            ("POST", "/compatibility/subjects/x/versions/latest", SCHEMA, 404, 40401),
            ("POST", "/compatibility/subjects/a/versions/2", SCHEMA, 404, 40402),
            ("POST", "/compatibility/subjects/a/versions/latest", "{}", 422, 42201),
            ("GET", "/subjects/a/versions/2", "", 404, 40402),
            ("GET", "/subjects/a/versions/0", "", 422, 42202),
            ("GET", "/subjects/a/versions/first", "", 422, 42202),
            ("POST", "/subjects/a", r#"{"schema":"\"int\""}"#, 404, 40403),
            ("GET", "/schemas/ids/9", "", 404, 40403),
            ("GET", "/schemas/ids/9/schema", "", 404, 40403),
            ("GET", "/schemas/ids/nine", "", 404, 404),
            ("POST", "/subjects/a/versions", r#"{"schema":"{"}"#, 422, 42201),
            ("POST", "/subjects/a/versions", r#"{"schema":"syntax = \"proto3\";","schemaType":"XML"}"#, 422, 42201),
            ("POST", "/subjects/a/versions", "{}", 422, 42201),
            ("POST", "/subjects/a/versions", "", 422, 42201),
            ("GET", "/nowhere", "", 404, 404),
        ] {
            let (actual, answer) = ask(registry.url(), method, path, body).await;
            assert_eq!(actual, status, "{method} {path}: {answer}");
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["error_code"], code, "{method} {path}: {answer}");
            assert!(answer["message"].is_string());
        }
    }

    #[tokio::test]
    async fn stops_when_it_is_dropped() {
        let registry = start().await;
        let url = registry.url().clone();
        ask(&url, "GET", "/subjects", "").await;
        drop(registry);
        let address = (url.host_str().unwrap(), url.port().unwrap());
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
