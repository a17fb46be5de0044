//! Topics for tests.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::HarnessError;

/// A name that no other test uses: Kafka and the registry are shared, and may outlive a test run.
pub fn unique_name(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("{prefix}-{time:x}-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Creates a topic, with as many replicas as the broker is configured to make, and with options such as `("cleanup.policy", "compact")`.
pub fn create_topic(
    bootstrap: &str,
    topic: &str,
    partitions: i32,
    options: &[(&str, &str)],
) -> Result<(), HarnessError> {
    let failed = || format!("creating topic {topic}");
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).create().map_err(HarnessError::kafka(failed()))?;
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
    for (name, value) in options {
        new = new.set(name, value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(HarnessError::io(failed()))?;
    let request = admin.create_topics([&new], &AdminOptions::new().operation_timeout(Some(Duration::from_secs(30))));
    let results = runtime.block_on(request).map_err(HarnessError::kafka(failed()))?;
    for result in results {
        result.map_err(|(_, code)| HarnessError::kafka(failed())(rdkafka::error::KafkaError::AdminOp(code)))?;
    }
    Ok(())
}
