//! `check`: tells whether all that a connector needs can be reached.

use std::path::Path;

use super::diagnostic::{Diagnostic, Failure};
use crate::config::{ConnectorConfig, Environment, Services};
use crate::connector::Connector;
use crate::flow::{self, Check, CheckError};

/// What can be reached, a line each, and what cannot, which is the input's fault.
pub(super) fn run(
    connector: &Connector,
    config: Option<&Path>,
    environment: &Environment,
) -> Result<(String, Option<Failure>), Failure> {
    let config = ConnectorConfig::load(connector, config, environment, &Services::Configured)?;
    let runtime = super::runtime()?;
    let checks = runtime.block_on(flow::check(connector, &config));
    // Names that are still looked up must not hold up the end.
    runtime.shutdown_background();
    let mut text = String::new();
    let mut diagnostics = Vec::new();
    for Check { subject, result } in checks.map_err(|error| Failure::input([Diagnostic::of_error(&error)]))? {
        match result {
            Ok(()) => text.push_str(&format!("ok: {subject}\n")),
            Err(error) => diagnostics.push(diagnostic(&error)),
        }
    }
    let failure = (!diagnostics.is_empty()).then(|| Failure::input(diagnostics));
    Ok((text, failure))
}

fn diagnostic(error: &CheckError) -> Diagnostic {
    let hint = match error {
        CheckError::Api { source, .. } => source.hint(),
        CheckError::Slice { source, .. } => super::run::hint_of_stream(source),
        CheckError::Registry(registry) => registry.hint(),
        CheckError::Kafka(kafka) => kafka.hint(),
    };
    Diagnostic::of_error(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use axum::http::StatusCode;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;
    use url::Url;

    use super::*;
    use crate::config::testing::connector;
    use crate::flow::Embedded;
    use crate::http::testing::{nobody, serve};

    /// What the command prints, and its exit code.
    async fn told(api: &Url, registry: &Url, embedded: &Embedded) -> (String, String, ExitCode) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let config = json!({
            "owner": "me",
            "number": "7",
            "http.api.base.url": api.as_str(),
            "value.converter.schema.registry.url": registry.as_str(),
            "bootstrap.servers": embedded.bootstrap_servers(),
        });
        std::fs::write(file.path(), config.to_string()).unwrap();
        let check = move || run(&connector(), Some(file.path()), &Environment::default()).unwrap();
        let (text, failure) = tokio::task::spawn_blocking(check).await.unwrap();
        let diagnostics = failure.as_ref().map(ToString::to_string).unwrap_or_default();
        (text, diagnostics, failure.map_or(ExitCode::SUCCESS, |failure| failure.exit_code()))
    }

    #[tokio::test]
    async fn tells_what_can_be_reached_and_what_cannot() {
        let embedded = Embedded::start().await.unwrap();
        let registry = embedded.registry_url();
        let api = |answer: Result<Json<()>, StatusCode>| {
            serve(Router::new().route("/events", get(move || async move { answer })))
        };
        let of_api = "ok: the API, operation `events`\nok: the API, operation `users`\n";
        let beside_api = "ok: the schema registry\nok: Kafka\n";

        let open = api(Ok(Json(()))).await;
        assert_eq!(
            told(&open, registry, &embedded).await,
            (format!("{of_api}{beside_api}"), String::new(), ExitCode::SUCCESS)
        );

        let closed = api(Err(StatusCode::UNAUTHORIZED)).await;
        let refused = |operation: &str| {
            format!(
                "error: asking the API for the first page of operation `{operation}`: `{closed}events` answered \
                 401 Unauthorized\nhint: check the credentials\n"
            )
        };
        assert_eq!(
            told(&closed, registry, &embedded).await,
            (beside_api.to_owned(), refused("events") + &refused("users"), ExitCode::from(2))
        );

        // Something else than a registry, and nothing at all.
        let (text, diagnostics, code) = told(&open, &open, &embedded).await;
        assert_eq!((text, code), (format!("{of_api}ok: Kafka\n"), ExitCode::from(2)));
        assert!(diagnostics.starts_with(&format!("error: the schema registry `{open}` failed")), "{diagnostics}");
        let (_socket, nobody) = nobody();
        let (text, diagnostics, _) = told(&nobody, registry, &embedded).await;
        assert_eq!(text, beside_api);
        assert!(diagnostics.contains("\nhint: check the base URL and the network\n"), "{diagnostics}");
    }
}
