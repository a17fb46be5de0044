//! A Kafka that a connector cannot use: each obstacle is one clear error, exit code 2, before a record is written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test, helpers included")]

use std::process::Command;

use headwater_tests::{
    Isolation, OwnKafka, PASSWORD, PagedApi, consume, create_topic, headwater, real_parts, unique_name,
};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use serde_json::{Value, json};

const NEEDED: &str = "hint: the principal needs `Read` and `Write` on the offsets topic, `Write` on the topics of records and \
                      errors, `Read` on the consumer group, and `Write` and `Describe` on transactional ids that begin \
                      with `headwater-`\n";

/// A source, and the API that it reads.
struct Source {
    api: PagedApi,
    name: String,
    config: Value,
}

impl Source {
    fn new(bootstrap: &str) -> Self {
        let records: Vec<_> = (0..5).map(|id| json!({ "id": id })).collect();
        let api = PagedApi::start("/items", "id", &records, 10).unwrap();
        let name = unique_name("preflight");
        let config = json!({
            "name": name,
            "bootstrap.servers": bootstrap,
            "http.api.base.url": api.url(),
            "api1.http.api.path": "/items",
            "api1.topics": name,
            "output.data.format": "JSON",
            "exactly.once.support": "required",
        });
        Self { api, name, config }
    }

    /// The same as somebody at a listener that asks who one is.
    fn log_in(mut self, user: &str) -> Self {
        let login = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        self.config["security.protocol"] = json!("SASL_PLAINTEXT");
        self.config["sasl.mechanism"] = json!("PLAIN");
        self.config["sasl.jaas.config"] = json!(format!("{login} username=\"{user}\" password=\"{PASSWORD}\";"));
        self
    }

    fn offsets(&self) -> String {
        format!("headwater-{}-offsets", self.name)
    }

    /// Runs it to its end: the exit code, and what it says besides its log.
    fn run(&self) -> (Option<i32>, String) {
        self.run_with(&["--once"])
    }

    fn run_with(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("source.json");
        std::fs::write(&path, self.config.to_string()).unwrap();
        let output = Command::new(headwater().unwrap()).arg("run").arg(&path).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains(PASSWORD), "{said}");
        let lines = said.lines().skip_while(|line| !line.starts_with("error: "));
        (output.status.code(), lines.map(|line| format!("{line}\n")).collect())
    }

    /// Asserts that it ends with this before it has asked the API for anything.
    fn is_refused(&self, expected: &str) {
        let (code, said) = self.run();
        assert_eq!((code, said.as_str()), (Some(2), expected));
        assert_eq!(self.api.requests(), 0);
    }
}

#[test]
fn permissions_that_are_missing() {
    let users = ["stranger", "reader", "forgetful", "writer", "single", "whole"];
    let Some(kafka) = OwnKafka::start_guarded(&users).unwrap() else { return };
    let source = |user: &str| Source::new(kafka.guarded()).log_in(user);
    let with_topics = |user: &str| {
        let source = source(user);
        create_topic(kafka.bootstrap(), &source.name, 1, &[]).unwrap();
        create_topic(kafka.bootstrap(), &source.offsets(), 16, &[("cleanup.policy", "compact")]).unwrap();
        source
    };
    let single = with_topics("single");
    let topics = ["reader", "forgetful", "writer", "single", "whole"].map(|user| [user, "TOPIC", "*", "DESCRIBE"]);
    let offsets = single.offsets();
    let mut permissions = topics.to_vec();
    permissions.extend([
        ["reader", "TOPIC", "*", "READ"],
        ["forgetful", "TOPIC", "*", "WRITE"],
        ["writer", "TOPIC", "*", "READ"],
        ["writer", "TOPIC", "*", "WRITE"],
        ["single", "TOPIC", "*", "READ"],
        ["single", "TOPIC", &offsets, "WRITE"],
        ["whole", "TOPIC", "*", "READ"],
        ["whole", "TOPIC", "*", "WRITE"],
        ["whole", "TOPIC", "*", "CREATE"],
        ["whole", "TRANSACTIONAL_ID", "*", "WRITE"],
        ["whole", "TRANSACTIONAL_ID", "*", "DESCRIBE"],
    ]);
    kafka.grant(&permissions).unwrap();

    let stranger = with_topics("stranger");
    stranger.is_refused(&format!(
        "error: topic `{}` cannot be used: TopicAuthorizationFailed (Broker: Topic authorization failed)\n\
         hint: allow the connector's principal to create, describe, read and write the topic\n",
        stranger.offsets()
    ));
    let maker = source("writer");
    maker.is_refused(&format!(
        "error: topic `{}` does not exist, and Kafka does not create it with 16 partitions: \
         TopicAuthorizationFailed (Broker: Topic authorization failed)\n\
         hint: create it, an offsets topic with `cleanup.policy=compact`, or allow the connector's principal to create \
         topics\n",
        maker.offsets()
    ));
    let denied = |source: &Source, what: &str| {
        source.is_refused(&format!("error: Kafka does not allow the connector's principal to {what}\n{NEEDED}"));
    };
    let reader = with_topics("reader");
    denied(&reader, &format!("write to topic `{}`", reader.offsets()));
    let forgetful = with_topics("forgetful");
    denied(&forgetful, &format!("read topic `{}`", forgetful.offsets()));
    denied(&single, &format!("write to topic `{}`", single.name));
    let writer = with_topics("writer");
    // Each shard has an id of its own; which one the stream belongs to depends on the name.
    let id = format!("use the transactional id `headwater-{}-", writer.name);
    let shard = writer.run().1.split_once(&id).and_then(|(_, rest)| Some(rest.split_once('`')?.0.to_owned())).unwrap();
    assert!(shard.parse::<u32>().unwrap() < 16, "{shard}");
    let refusal = "Broker: Transactional Id authorization failed: Transactional Id authorization failed.";
    let broker = kafka.guarded();
    let said = format!("Failed to find transaction coordinator: sasl_plaintext://{broker}/1: {refusal}");
    denied(&writer, &format!("{id}{shard}`: {said}"));
    // Who shares the streams with others is a member of their group.
    let loner = with_topics("whole");
    let (code, said) = loner.run_with(&[]);
    let group = format!("read the consumer group `headwater-{}`", loner.name);
    let expected = format!("error: Kafka does not allow the connector's principal to {group}\n{NEEDED}");
    assert_eq!((code, said.as_str(), loner.api.requests()), (Some(2), expected.as_str(), 0));
    let whole = source("whole");
    assert_eq!(whole.run(), (Some(0), String::new()));
    assert_eq!(consume(kafka.bootstrap(), &whole.name, Isolation::ReadCommitted).unwrap().len(), 5);
}

#[test]
fn brokers_without_a_coordinator_of_transactions() {
    // What a cluster of one broker is that nobody has told that it is one.
    let Some(kafka) = OwnKafka::start("transaction.state.log.replication.factor=3\n").unwrap() else { return };
    let source = Source::new(kafka.bootstrap());
    let (code, said) = source.run();
    assert_eq!(code, Some(2), "{said}");
    let start =
        format!("error: Kafka at `{}` answers, but not its transaction coordinator, within ", kafka.bootstrap());
    assert!(said.starts_with(&start), "{said}");
    assert!(
        said.ends_with(
            "hint: the brokers keep transactions in a topic of their own: are there as many of them as \
             `transaction.state.log.replication.factor` says, 3 by default?\n"
        ),
        "{said}"
    );
    assert_eq!(source.api.requests(), 0);
}

#[test]
fn an_offsets_topic_that_is_not_compacted() {
    let Some(parts) = real_parts().unwrap() else { return };
    let source = Source::new(&parts.bootstrap);
    create_topic(&parts.bootstrap, &source.offsets(), 16, &[]).unwrap();
    source.is_refused(&format!(
        "error: the topic `{}` is not compacted: its `cleanup.policy` is `delete`, so that what it holds would be lost\n\
         hint: set `cleanup.policy=compact` on it, or name another topic with `offset.storage.topic` or \
         `snapshot.storage.topic`\n",
        source.offsets()
    ));
}

#[test]
fn an_offsets_topic_with_another_number_of_partitions_than_before() {
    let Some(parts) = real_parts().unwrap() else { return };
    let source = Source::new(&parts.bootstrap);
    assert_eq!(source.run(), (Some(0), String::new()));
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &parts.bootstrap).create().unwrap();
    let offsets = source.offsets();
    let more = NewPartitions::new(&offsets, 20);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(admin.create_partitions([&more], &AdminOptions::new())).unwrap();
    assert!(answer.iter().all(Result::is_ok), "{answer:?}");
    let before = source.api.requests();
    let (code, said) = source.run();
    let expected = format!(
        "error: the offsets topic `{offsets}` has 20 partitions, but had 16 when the connector `{}` began to use it\n\
         hint: its number of partitions must not change; name a new topic with `offset.storage.topic` and set the positions \
         in it, or give the connector another name to read everything again\n",
        source.name
    );
    assert_eq!((code, said.as_str()), (Some(2), expected.as_str()));
    assert_eq!(source.api.requests(), before);
    assert_eq!(consume(&parts.bootstrap, &source.name, Isolation::ReadCommitted).unwrap().len(), 5);
}
