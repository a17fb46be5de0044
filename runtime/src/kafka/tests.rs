//! The room as a whole, against the embedded cluster. It shows records of open and aborted transactions and fences
//! nobody; that is proved against real brokers elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;
use crate::secret::Secret;
use crate::slice::Slice;

const PATIENCE: Duration = Duration::from_secs(20);

fn settings(bootstrap_servers: &str) -> KafkaSettings {
    KafkaSettings { bootstrap_servers: bootstrap_servers.to_owned(), ..KafkaSettings::default() }
}

fn with_producer(bootstrap_servers: &str, properties: &[(&str, &str)]) -> KafkaSettings {
    let producer = properties.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    KafkaSettings { producer, ..settings(bootstrap_servers) }
}

fn exactly_once() -> Delivery {
    Delivery::ExactlyOnce { transactional_id: "orders".to_owned(), transaction_timeout: Duration::from_secs(60) }
}

fn record<'a>(topic: &'a str, key: &'a str, value: &'a str) -> ProducerRecord<'a> {
    ProducerRecord {
        topic,
        partition: None,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        timestamp: Some(1_700_000_000_000),
        headers: &[],
    }
}

/// Aborts what has failed, and delivers a record. librdkafka may ask for another abort before it has new sequence
/// numbers, or before it has connected again.
async fn deliver(producer: &Producer, record: ProducerRecord<'_>) {
    loop {
        producer.abort(PATIENCE).await.unwrap();
        producer.begin().unwrap();
        let outcome = match producer.send(record).await {
            Ok(()) => producer.commit(PATIENCE).await,
            refused => refused,
        };
        match outcome {
            Ok(()) => break,
            Err(error) => assert!(error.requires_abort(), "{error:?}"),
        }
    }
}

/// A cluster that can be told to fail.
fn faulty() -> MockCluster<'static, DefaultProducerContext> {
    MockCluster::new(1).unwrap()
}

#[tokio::test]
async fn what_is_committed_is_read_back() {
    let cluster = EmbeddedCluster::start(2).unwrap();
    cluster.create_topic("orders", 3).unwrap();
    let settings = settings(cluster.bootstrap_servers());
    for delivery in [exactly_once(), Delivery::AtLeastOnce] {
        let producer = Producer::connect(&settings, delivery, PATIENCE).await.unwrap();
        for transaction in 0..3 {
            producer.begin().unwrap();
            for number in 0..100 {
                let key = format!("{transaction}-{number}");
                producer.send(record("orders", &key, "value")).await.unwrap();
            }
            producer.commit(PATIENCE).await.unwrap();
        }
    }
    let records = TopicReader::new(settings, PATIENCE).read("orders").await.unwrap();
    assert_eq!(records.len(), 600);
    for record in &records {
        assert_eq!(record.timestamp, Some(1_700_000_000_000));
        assert_eq!(record.value.as_deref(), Some(&b"value"[..]));
        assert_eq!(record.partition, murmur2::partition(record.key.as_ref().unwrap(), 3));
    }
    assert!(records.is_sorted_by_key(|record| (record.partition, record.offset)));
}

#[tokio::test]
async fn a_transaction_without_records_and_an_aborted_one_leave_the_producer_usable() {
    let cluster = EmbeddedCluster::start(1).unwrap();
    let settings = settings(cluster.bootstrap_servers());
    for delivery in [exactly_once(), Delivery::AtLeastOnce] {
        let producer = Producer::connect(&settings, delivery, PATIENCE).await.unwrap();
        producer.begin().unwrap();
        producer.commit(PATIENCE).await.unwrap();
        producer.begin().unwrap();
        producer.send(record("orders", "a", "1")).await.unwrap();
        producer.abort(PATIENCE).await.unwrap();
        producer.begin().unwrap();
        producer.send(record("orders", "b", "2")).await.unwrap();
        producer.commit(PATIENCE).await.unwrap();
    }
    let records = TopicReader::new(settings, PATIENCE).read("orders").await.unwrap();
    assert_eq!(records.iter().filter(|record| record.key.as_deref() == Some(b"b")).count(), 2);
}

#[tokio::test]
async fn restores_the_last_position_of_each_operation_in_the_shards_that_are_asked_for() {
    let cluster = EmbeddedCluster::start(1).unwrap();
    cluster.create_topic("offsets", 4).unwrap();
    let settings = settings(cluster.bootstrap_servers());
    let producer = Producer::connect(&settings, exactly_once(), PATIENCE).await.unwrap();
    let store = OffsetStore::open(&settings, "offsets", "orders", PATIENCE).await.unwrap();
    assert_eq!(store.restore(&store.shards()).await.unwrap(), Stored::default());
    let other = OffsetStore::open(&settings, "offsets", "others", PATIENCE).await.unwrap();
    let whole = Slice::whole();
    let name = |operation: i32| format!("operation/{operation}");
    producer.begin().unwrap();
    for page in 0..3 {
        for operation in (0..10).map(name) {
            let shard = store.shard(&operation, &whole);
            let (key, position) = (store.key(&operation, &whole), format!("{{\"page\":{page}}}"));
            producer.send(store.record(shard, &key, Some(&position))).await.unwrap();
            producer.send(other.record(shard, &other.key(&operation, &whole), Some("{}"))).await.unwrap();
        }
    }
    let removed = store.key(&name(3), &whole);
    producer.send(store.record(store.shard(&name(3), &whole), &removed, None)).await.unwrap();
    producer.commit(PATIENCE).await.unwrap();

    let mut expected: BTreeMap<i32, BTreeMap<SourcePartition, String>> = BTreeMap::new();
    for operation in (0..10).filter(|operation| *operation != 3).map(name) {
        let shard = expected.entry(store.shard(&operation, &whole)).or_default();
        shard.insert(SourcePartition { operation, slice: whole.clone() }, "{\"page\":2}".to_owned());
    }
    assert!(expected.len() > 1, "the test should have used several shards");
    assert_eq!(store.restore(&store.shards()).await.unwrap().positions, expected);
    let (shard, positions) = expected.pop_last().unwrap();
    let some = store.restore(&[shard].into()).await.unwrap();
    assert_eq!(some.positions, BTreeMap::from([(shard, positions)]));
}

#[tokio::test]
async fn a_topic_whose_number_of_partitions_has_changed_is_refused() {
    // Two topics stand for one before and after.
    let cluster = EmbeddedCluster::start(1).unwrap();
    cluster.create_topic("offsets", 4).unwrap();
    let settings = settings(cluster.bootstrap_servers());
    let producer = Producer::connect(&settings, exactly_once(), PATIENCE).await.unwrap();
    let store = OffsetStore::open(&settings, "offsets", "orders", PATIENCE).await.unwrap();
    let stored = store.restore(&store.shards()).await.unwrap();
    store.hold_to_partitions(&stored, &producer, PATIENCE).await.unwrap();
    let stored = store.restore(&store.shards()).await.unwrap();
    assert_eq!(stored, Stored { positions: BTreeMap::new(), partitions: Some(4) });
    store.hold_to_partitions(&stored, &producer, PATIENCE).await.unwrap();
    assert_eq!(TopicReader::new(settings.clone(), PATIENCE).read("offsets").await.unwrap().len(), 1);

    let before = Stored { partitions: Some(3), ..Stored::default() };
    let error = store.hold_to_partitions(&before, &producer, PATIENCE).await.unwrap_err();
    assert!(matches!(error, KafkaError::Repartitioned { before: 3, now: 4, .. }), "{error:?}");
}

#[tokio::test]
async fn brokers_without_transactions_are_told_from_those_that_do_not_answer() {
    let cluster = faulty();
    cluster.apiversion(RDKafkaApiKey::InitProducerId, None, None).unwrap();
    let settings = settings(&cluster.bootstrap_servers());
    let error = Producer::connect(&settings, exactly_once(), Duration::from_secs(2)).await.err().unwrap();
    assert!(matches!(error, KafkaError::NoTransactions { .. }), "{error:?}");
}

#[tokio::test]
async fn what_a_broker_does_not_tell_of_topics_is_not_checked() {
    let cluster = EmbeddedCluster::start(1).unwrap();
    for topic in ["offsets", "orders"] {
        cluster.create_topic(topic, 1).unwrap();
    }
    let settings = settings(cluster.bootstrap_servers());
    check_topics(&settings, "offsets", &["orders"], PATIENCE).await.unwrap();
}

#[tokio::test]
async fn topics_that_exist_are_taken_as_they_are() {
    let cluster = EmbeddedCluster::start(1).unwrap();
    cluster.create_topic("orders", 3).unwrap();
    cluster.create_topic("offsets", 5).unwrap();
    let settings = settings(cluster.bootstrap_servers());
    let spec = |name: &str| TopicSpec {
        name: name.to_owned(),
        partitions: 1,
        replication_factor: None,
        cleanup: CleanupPolicy::Compact,
    };
    let partitions = ensure_topics(&settings, &[spec("orders"), spec("offsets")], PATIENCE).await.unwrap();
    assert_eq!(partitions, BTreeMap::from([("orders".to_owned(), 3), ("offsets".to_owned(), 5)]));
    let error = ensure_topics(&settings, &[spec("not a topic")], PATIENCE).await.unwrap_err();
    assert!(matches!(&error, KafkaError::Topic { topic, .. } if topic == "not a topic"), "{error:?}");
}

#[tokio::test]
async fn brokers_that_do_not_answer_are_given_up_on() {
    // Nothing listens on the discard port of the loopback interface.
    let settings = settings("127.0.0.1:9");
    let patience = Duration::from_millis(700);
    let spec = TopicSpec {
        name: "orders".to_owned(),
        partitions: 1,
        replication_factor: None,
        cleanup: CleanupPolicy::Delete,
    };
    let errors = [
        Producer::connect(&settings, exactly_once(), patience).await.err().unwrap(),
        Producer::connect(&settings, Delivery::AtLeastOnce, patience).await.err().unwrap(),
        ensure_topics(&settings, &[spec], patience).await.unwrap_err(),
        OffsetStore::open(&settings, "offsets", "orders", patience).await.unwrap_err(),
        TopicReader::new(settings, patience).read("orders").await.unwrap_err(),
    ];
    for error in errors {
        let KafkaError::Unreachable { bootstrap, waited, source } = &error else { panic!("{error:?}") };
        assert_eq!(bootstrap, "127.0.0.1:9");
        assert!(*waited >= patience);
        let source = source.as_ref().unwrap().to_string();
        assert!(source.contains("127.0.0.1:9"), "{source}");
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_refused() {
    for (property, value) in [("no.such.property", "1"), ("batch.size", "many"), ("acks", "1")] {
        let settings = with_producer("127.0.0.1:9", &[(property, value)]);
        let error = Producer::connect(&settings, exactly_once(), PATIENCE).await.err().unwrap();
        assert!(matches!(error, KafkaError::Configuration { .. }), "{error:?}");
        assert!(error.to_string().contains(property), "{error}");
    }
}

#[tokio::test]
async fn a_full_queue_holds_the_sender_back_and_loses_nothing() {
    let cluster = faulty();
    cluster.create_topic("orders", 2, 1).unwrap();
    cluster.broker_round_trip_time(-1, Duration::from_millis(20)).unwrap();
    let bootstrap = cluster.bootstrap_servers();
    let tiny = with_producer(&bootstrap, &[("queue.buffering.max.messages", "10"), ("linger.ms", "0")]);
    for delivery in [exactly_once(), Delivery::AtLeastOnce] {
        let producer = Producer::connect(&tiny, delivery, PATIENCE).await.unwrap();
        producer.begin().unwrap();
        let mut full = 0;
        for number in 0..200 {
            let key = number.to_string();
            if producer.try_send(&record("orders", &key, "value")).unwrap() == TrySend::Full {
                full += 1;
                producer.send(record("orders", &key, "value")).await.unwrap();
            }
        }
        assert!(full > 0, "the queue was never full");
        producer.commit(PATIENCE).await.unwrap();
    }
    let records = TopicReader::new(settings(&bootstrap), PATIENCE).read("orders").await.unwrap();
    let mut times = BTreeMap::new();
    for record in records {
        *times.entry(record.key.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 200);
    assert!(times.values().all(|count| *count == 2));
}

#[tokio::test]
async fn errors_that_pass_lose_and_repeat_nothing() {
    let cluster = faulty();
    cluster.create_topic("orders", 1, 1).unwrap();
    cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        ],
    );
    cluster.request_errors(
        RDKafkaApiKey::EndTxn,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT],
    );
    let settings = settings(&cluster.bootstrap_servers());
    let producer = Producer::connect(&settings, exactly_once(), PATIENCE).await.unwrap();
    producer.begin().unwrap();
    for number in 0..50 {
        producer.send(record("orders", &number.to_string(), "value")).await.unwrap();
    }
    producer.commit(PATIENCE).await.unwrap();
    assert_eq!(TopicReader::new(settings, PATIENCE).read("orders").await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_commit_never_succeeds_without_one_of_its_records() {
    let cluster = faulty();
    cluster.create_topic("orders", 1, 1).unwrap();
    let settings = settings(&cluster.bootstrap_servers());
    for delivery in [exactly_once(), Delivery::AtLeastOnce] {
        let producer = Producer::connect(&settings, delivery, PATIENCE).await.unwrap();
        for failure in
            [RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD]
        {
            cluster.request_errors(RDKafkaApiKey::Produce, &[failure]);
            producer.begin().unwrap();
            producer.send(record("orders", "lost", "value")).await.unwrap();
            let error = producer.commit(PATIENCE).await.unwrap_err();
            let KafkaError::Abortable { source } = &error else { panic!("{error:?}") };
            assert!(source.to_string().contains("orders"), "{source}");
            assert!(error.requires_abort());
            deliver(&producer, record("orders", "kept", "value")).await;
        }
    }
    let records = TopicReader::new(settings, PATIENCE).read("orders").await.unwrap();
    assert!(records.len() >= 4);
    assert!(records.iter().all(|record| record.key.as_deref() == Some(b"kept")));
}

#[tokio::test]
async fn records_that_time_out_make_the_commit_fail() {
    for delivery in [exactly_once(), Delivery::AtLeastOnce] {
        let cluster = faulty();
        cluster.create_topic("orders", 1, 1).unwrap();
        let settings = with_producer(
            &cluster.bootstrap_servers(),
            &[("message.timeout.ms", "1000"), ("reconnect.backoff.max.ms", "100")],
        );
        let producer = Producer::connect(&settings, delivery, PATIENCE).await.unwrap();
        producer.begin().unwrap();
        cluster.broker_down(-1).unwrap();
        producer.send(record("orders", "a", "1")).await.unwrap();
        let unfinished = producer.commit(Duration::from_millis(100)).await.unwrap_err();
        assert!(unfinished.is_retryable(), "{unfinished:?}");
        let error = producer.commit(PATIENCE).await.unwrap_err();
        assert!(error.requires_abort(), "{error:?}");
        cluster.broker_up(-1).unwrap();
        deliver(&producer, record("orders", "b", "2")).await;
    }
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_at_once() {
    let cluster = EmbeddedCluster::start(1).unwrap();
    let settings = with_producer(cluster.bootstrap_servers(), &[("message.max.bytes", "1000")]);
    let producer = Producer::connect(&settings, exactly_once(), PATIENCE).await.unwrap();
    producer.begin().unwrap();
    let error = producer.send(record("orders", "key", &"x".repeat(2000))).await.unwrap_err();
    assert!(matches!(error, KafkaError::RecordTooLarge { bytes: 2003, .. }), "{error:?}");
    let error = producer.send(record("no\0topic", "key", "value")).await.unwrap_err();
    assert!(matches!(error, KafkaError::Topic { .. }), "{error:?}");
    producer.send(record("orders", "key", "value")).await.unwrap();
    producer.commit(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_fenced_producer_says_so() {
    let cluster = faulty();
    cluster.create_topic("orders", 1, 1).unwrap();
    let settings = settings(&cluster.bootstrap_servers());
    let producer = Producer::connect(&settings, exactly_once(), PATIENCE).await.unwrap();
    producer.begin().unwrap();
    producer.send(record("orders", "a", "1")).await.unwrap();
    cluster.request_errors(RDKafkaApiKey::EndTxn, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_PRODUCER_FENCED]);
    for outcome in [
        producer.commit(PATIENCE).await,
        producer.abort(PATIENCE).await,
        producer.begin(),
        producer.send(record("orders", "b", "2")).await,
    ] {
        let error = outcome.unwrap_err();
        assert!(error.is_fenced(), "{error:?}");
        assert_eq!(error.to_string(), "another instance has taken over the transactional id `orders`");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_connection_that_is_not_wanted_any_more() {
    let settings = settings("127.0.0.1:9");
    let connecting = Producer::connect(&settings, exactly_once(), Duration::from_secs(3600));
    assert!(tokio::time::timeout(Duration::from_millis(50), connecting).await.is_err());
    // The runtime ends only when its blocking threads have: this test would not.
}
