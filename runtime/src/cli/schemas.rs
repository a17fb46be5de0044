//! `schemas`: the schemas of the records, on paper and in the registry.

use std::path::Path;

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, Failure};
use super::operation::known;
use super::run;
use crate::config::{ConnectorConfig, Environment, Services};
use crate::connector::{Connector, OperationDefinition};
use crate::flow::schema_type;
use crate::format::OutputFormat;
use crate::registry::{RegistryClient, RegistryError, SchemaType, Verdict, value_subject};

/// The schemas as one JSON object, by subject, or only the schema of one operation. Protobuf's are texts in it.
pub(super) fn render(connector: &Connector, format: OutputFormat, operation: Option<&str>) -> Result<String, Failure> {
    if let Some(id) = operation {
        return Ok(match schema(known(connector, id)?, format)? {
            Value::String(text) => text,
            schema => pretty(&schema),
        });
    }
    let mut schemas = Map::new();
    for definition in &connector.operations {
        schemas.insert(value_subject(&definition.facts.topic), schema(definition, format)?);
    }
    Ok(pretty(&Value::Object(schemas)))
}

fn schema(definition: &OperationDefinition, format: OutputFormat) -> Result<Value, Failure> {
    let schema = (definition.schema)(format).unwrap_or("null");
    if format == OutputFormat::Protobuf {
        return Ok(schema.into());
    }
    serde_json::from_str(schema).map_err(|error| Failure::run([Diagnostic::of_error(&error)]))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Registers the schemas at the configured registry: a line for each, and those that it refuses.
pub(super) fn register(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
) -> Result<(String, Option<Failure>), Failure> {
    each(connector, config, environment, async |registry, Subject { name: subject, language, schema }| {
        let id = registry.register(subject, *language, schema).await?;
        Ok((format!("{subject}: id {id}\n"), None))
    })
}

/// Asks the configured registry whether it would take the schemas as the next versions of their subjects: a line for
/// each, and what it says against them.
pub(super) fn test(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
) -> Result<(String, Option<Failure>), Failure> {
    each(connector, config, environment, async |registry, Subject { name: subject, language, schema }| {
        let told = |what: &str| format!("{subject}: {what}\n");
        Ok(match registry.test(subject, *language, schema).await? {
            Verdict::First => (told("compatible: the subject has no version yet"), None),
            Verdict::Compatible => (told("compatible"), None),
            Verdict::Incompatible { messages } => {
                let lines = messages.iter().map(|message| format!("  {message}\n"));
                // Some registries give none.
                let message = if messages.is_empty() { "no reason given".to_owned() } else { messages.join(" ") };
                let error = RegistryError::Incompatible { subject: subject.clone(), message };
                (told("not compatible") + &lines.collect::<String>(), Some(error))
            }
        })
    })
}

/// A subject and the schema that belongs there.
#[derive(PartialEq)]
struct Subject {
    name: String,
    language: SchemaType,
    schema: &'static str,
}

/// Does something with each subject and its schema. What the registry has against one does not keep it from the others.
fn each(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
    what: impl AsyncFn(&RegistryClient, &Subject) -> Result<(String, Option<RegistryError>), RegistryError>,
) -> Result<(String, Option<Failure>), Failure> {
    let config = ConnectorConfig::load(connector, config, environment, &Services::Configured)?;
    let mut subjects = Vec::new();
    for (definition, settings) in connector.operations.iter().zip(&config.operations) {
        let schema = (definition.schema)(settings.format);
        let (Some(language), Some(schema), Some(topic)) = (schema_type(settings.format), schema, &settings.topic)
        else {
            continue;
        };
        let subject = Subject { name: value_subject(topic), language, schema };
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    let Some(registry) = config.registry else { return Ok((String::new(), None)) };
    let mut text = String::new();
    let mut refused = Vec::new();
    let runtime = super::runtime()?;
    let result = runtime.block_on(async {
        let registry = RegistryClient::new(registry)?;
        for subject in &subjects {
            match what(&registry, subject).await {
                Ok((line, error)) => {
                    text.push_str(&line);
                    refused.extend(error);
                }
                Err(error @ (RegistryError::Incompatible { .. } | RegistryError::Invalid { .. })) => {
                    refused.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    });
    // Names that are still looked up must not hold up the end.
    runtime.shutdown_background();
    result.map_err(|error| run::failure(error.into()))?;
    let refused: Vec<_> = refused.iter().map(|error| Diagnostic::of_error(error).hint(error.hint())).collect();
    Ok((text, (!refused.is_empty()).then(|| Failure::run(refused))))
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use axum::http::{StatusCode, Uri};
    use axum::response::IntoResponse as _;
    use axum::{Json, Router};
    use serde_json::json;

    use super::*;
    use crate::config::testing::connector;
    use crate::http::testing::serve;

    #[test]
    fn prints_schemas_by_subject_or_one() {
        let all: Value = serde_json::from_str(&render(&connector(), OutputFormat::Avro, None).unwrap()).unwrap();
        assert_eq!(all["test.users-value"]["name"], "Event");
        let one: Value =
            serde_json::from_str(&render(&connector(), OutputFormat::Avro, Some("events")).unwrap()).unwrap();
        assert_eq!(one["type"], "record");
        let one = render(&connector(), OutputFormat::Protobuf, Some("events")).unwrap();
        assert!(one.starts_with("syntax = \"proto3\";"), "{one}");
        assert!(render(&connector(), OutputFormat::Avro, Some("none")).is_err());
    }

    /// A registry that has a version of `test.events-value` and takes no other, and knows no other subject.
    async fn strict(uri: Uri) -> axum::response::Response {
        let missing = json!({"error_code": 40401, "message": "Subject not found."});
        match uri.path() {
            "/compatibility/subjects/test.events-value/versions/latest" => {
                assert_eq!(uri.query(), Some("verbose=true"));
                Json(json!({"is_compatible": false, "messages": ["a: MISSING", "b: CHANGED"]})).into_response()
            }
            "/subjects/test.events-value/versions" => {
                (StatusCode::CONFLICT, Json(json!({"error_code": 409, "message": "a: MISSING"}))).into_response()
            }
            "/subjects/test.users-value/versions" => Json(json!({"id": 4})).into_response(),
            _ => (StatusCode::NOT_FOUND, Json(missing)).into_response(),
        }
    }

    #[tokio::test]
    async fn tells_what_the_registry_says_of_each() {
        let registry = serve(Router::new().fallback(strict)).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let config = json!({
            "owner": "me",
            "number": "7",
            "bootstrap.servers": "kafka:9092",
            "value.converter.schema.registry.url": registry.as_str(),
        });
        std::fs::write(file.path(), config.to_string()).unwrap();
        let path = file.path().to_owned();
        let both = tokio::task::spawn_blocking(move || {
            let told = |(text, failure): (String, Option<Failure>)| {
                let failure = failure.unwrap();
                (text, failure.to_string(), failure.exit_code())
            };
            let (connector, environment) = (connector(), Environment::default());
            let tested = test(&connector, Some(&path), &environment).unwrap();
            let registered = register(&connector, Some(&path), &environment).unwrap();
            (told(tested), told(registered))
        });
        let (tested, registered) = both.await.unwrap();
        let error = |message: &str| {
            format!(
                "error: the schema of `test.events-value` is not compatible with its earlier versions: {message}\n\
                 hint: change the schema compatibly, or the compatibility rule of the subject\n"
            )
        };
        let text = "test.events-value: not compatible\n  a: MISSING\n  b: CHANGED\n\
                    test.users-value: compatible: the subject has no version yet\n";
        assert_eq!(tested, (text.to_owned(), error("a: MISSING b: CHANGED"), ExitCode::from(1)));
        assert_eq!(registered, ("test.users-value: id 4\n".to_owned(), error("a: MISSING"), ExitCode::from(1)));
    }
}
