//! Whether the topics are such that a connector can use them: asked before its first record is written.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::error::RDKafkaErrorCode;

use super::blocking::blocking;
use super::error::{Cause, KafkaError};
use super::events::ClientEvents;
use super::permissions::{Permission, permissions};
use super::reader::consumer;
use super::settings::KafkaSettings;

/// Checks that the principal may read and write the topic `kept`, that this is compacted, and that the topics `records`
/// may be written to. All must exist. What the brokers do not tell is not checked: of permissions, brokers before version
/// 2.3; of compaction, those that do not allow `DescribeConfigs`.
///
/// # Errors
///
/// [`KafkaError::Denied`] if a permission is missing; [`KafkaError::NotCompacted`].
pub async fn check_topics(
    settings: &KafkaSettings,
    kept: &str,
    records: &[&str],
    patience: Duration,
) -> Result<(), KafkaError> {
    let policy = cleanup_policy(settings, kept, patience);
    let permitted = check_permissions(settings, kept, records, patience);
    let (policy, permitted) = tokio::join!(policy, permitted);
    permitted?;
    match policy {
        Ok(Some(policy)) if policy.split(',').all(|policy| policy.trim() != "compact") => {
            Err(KafkaError::NotCompacted { topic: kept.to_owned(), policy })
        }
        Ok(_) => Ok(()),
        // A broker that has no such question is a small one.
        Err(cause) if cause.code() == Some(RDKafkaErrorCode::UnsupportedFeature) => Ok(()),
        Err(cause) => {
            tracing::warn!(topic = kept, %cause, "cannot see whether the topic is compacted");
            Ok(())
        }
    }
}

async fn check_permissions(
    settings: &KafkaSettings,
    kept: &str,
    records: &[&str],
    patience: Duration,
) -> Result<(), KafkaError> {
    let wanted = [(kept, Permission::Read, "read"), (kept, Permission::Write, "write to")];
    let wanted = wanted.into_iter().chain(records.iter().map(|topic| (*topic, Permission::Write, "write to")));
    let wanted: Vec<_> = wanted.map(|(topic, permission, named)| (topic.to_owned(), permission, named)).collect();
    let settings = settings.clone();
    blocking(move |_| {
        let topics: BTreeSet<_> = wanted.iter().map(|(topic, ..)| topic.as_str()).collect();
        let found = permissions(&consumer(&settings.admin())?, &topics, patience);
        let missing = wanted
            .into_iter()
            .find(|(topic, permission, _)| found.get(topic).is_some_and(|found| !found.contains(permission)));
        missing.map_or(Ok(()), |(topic, _, operation)| {
            Err(KafkaError::Denied { operation, resource: format!("topic `{topic}`"), source: None })
        })
    })
    .await
}

/// The `cleanup.policy` of a topic, if it has one.
async fn cleanup_policy(settings: &KafkaSettings, topic: &str, patience: Duration) -> Result<Option<String>, Cause> {
    let client: AdminClient<ClientEvents> =
        settings.admin().create_with_context(ClientEvents::default()).map_err(Cause::from)?;
    let asked = topic.to_owned();
    let client = tokio::task::spawn_blocking(move || {
        // Any broker can tell. The one that controls the others, which would be asked otherwise, not all clusters name.
        let metadata = client.inner().fetch_metadata(Some(&asked), patience);
        let broker = metadata.map(|metadata| metadata.brokers().first().map(|broker| broker.id()));
        (client, broker)
    });
    let (client, broker) = client.await.map_err(|error| Cause::of_ours(error.to_string()))?;
    let options = AdminOptions::new().request_timeout(Some(patience)).broker_id(broker.map_err(Cause::from)?);
    let answer = client.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
    // The client waits for its thread when it is dropped.
    tokio::task::spawn_blocking(move || drop(client));
    let configs = answer.map_err(Cause::from)?.into_iter().next().map(|result| result.map_err(Cause::from));
    Ok(configs.transpose()?.and_then(|config| config.get("cleanup.policy")?.value.clone()))
}
