//! The harness itself: real Kafka keeps what was committed and hides what was aborted, and the registry registers.

use std::time::Duration;

use headwater_tests::{Isolation, consume, create_topic, python, real_parts, unique_name};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(60);

/// 100 records in a transaction that is committed, then 50 in one that is aborted.
fn produce(bootstrap: &str, topic: &str) -> Result<(), KafkaError> {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("transactional.id", topic).create()?;
    producer.init_transactions(TIMEOUT)?;
    for (name, count) in [("committed", 100), ("aborted", 50)] {
        producer.begin_transaction()?;
        for number in 0..count {
            let (key, value) = (format!("{name}-{number}"), format!("value {number}"));
            producer.send(BaseRecord::to(topic).key(&key).payload(&value)).map_err(|(error, _)| error)?;
        }
        producer.flush(TIMEOUT)?;
        match name {
            "committed" => producer.commit_transaction(TIMEOUT)?,
            _ => producer.abort_transaction(TIMEOUT)?,
        }
    }
    Ok(())
}

#[test]
fn what_was_committed_is_read_and_nothing_else() {
    let Some(parts) = real_parts().unwrap() else {
        return;
    };
    let topic = unique_name("transactions");
    create_topic(&parts.bootstrap, &topic, 2, &[]).unwrap();
    produce(&parts.bootstrap, &topic).unwrap();

    let committed = consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap();
    assert_eq!(committed.len(), 100);
    assert!(committed.iter().all(|record| record.key.as_ref().unwrap().starts_with(b"committed-")));
    let all = consume(&parts.bootstrap, &topic, Isolation::ReadUncommitted).unwrap();
    assert_eq!(all.len(), 150);

    let Some(python) = python().unwrap() else {
        return;
    };
    let records = python.read_avro(parts, &topic, &["--raw"]).unwrap();
    assert_eq!(records.len(), 100);
    assert!(records.iter().all(|record| record["key"].as_str().unwrap().starts_with("committed-")));
    let all = python.read_avro(parts, &topic, &["--raw", "--isolation", "read_uncommitted"]).unwrap();
    assert_eq!(all.len(), 150);
}

#[test]
fn a_topic_without_records_and_one_that_is_missing_are_both_empty() {
    let Some(parts) = real_parts().unwrap() else {
        return;
    };
    let (empty, missing) = (unique_name("empty"), unique_name("missing"));
    create_topic(&parts.bootstrap, &empty, 3, &[("cleanup.policy", "compact")]).unwrap();
    for topic in [&empty, &missing] {
        assert_eq!(consume(&parts.bootstrap, topic, Isolation::ReadCommitted).unwrap(), []);
        let Some(python) = python().unwrap() else {
            return;
        };
        assert_eq!(python.read_avro(parts, topic, &[]).unwrap(), [] as [Value; 0]);
    }
}

#[test]
fn a_registered_schema_is_read_back_and_decodes_records() {
    let Some(parts) = real_parts().unwrap() else {
        return;
    };
    let topic = unique_name("avro");
    let schema = json!({
        "type": "record",
        "name": "Order",
        "fields": [
            { "name": "id", "type": "long" },
            { "name": "placed", "type": { "type": "long", "logicalType": "timestamp-millis" } },
            { "name": "price", "type": { "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 } },
            { "name": "proof", "type": "bytes" },
        ],
    });
    let versions = format!("{}/subjects/{topic}-value/versions", parts.registry);
    let registered: Value = ureq::post(&versions)
        .send_json(json!({ "schema": schema.to_string() }))
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    let id = u32::try_from(registered["id"].as_u64().unwrap()).unwrap();

    let back: Value =
        ureq::get(format!("{}/schemas/ids/{id}", parts.registry)).call().unwrap().body_mut().read_json().unwrap();
    let back: Value = serde_json::from_str(back["schema"].as_str().unwrap()).unwrap();
    assert_eq!(back, schema);

    let Some(python) = python().unwrap() else {
        return;
    };
    create_topic(&parts.bootstrap, &topic, 1, &[]).unwrap();
    let mut value = vec![0];
    value.extend(id.to_be_bytes());
    // 1 as a zigzag varint; 0 milliseconds; 12.34 as 1234, two bytes; one byte of proof.
    value.extend([2, 0, 4, 0x04, 0xD2, 2, 0xFF]);
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &parts.bootstrap).create().unwrap();
    producer.send(BaseRecord::to(&topic).key("1").payload(&value).timestamp(7)).map_err(|(error, _)| error).unwrap();
    producer.flush(TIMEOUT).unwrap();
    let expected = json!({
        "partition": 0,
        "offset": 0,
        "key": "1",
        "timestamp": 7,
        "headers": [],
        "value": { "id": 1, "placed": "1970-01-01T00:00:00.000000Z", "price": "12.34", "proof": "/w==" },
    });
    assert_eq!(python.read_avro(parts, &topic, &[]).unwrap(), [expected]);
}
