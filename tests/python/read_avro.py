"""Prints a topic, from its beginning to its end, as one JSON object per record and line:

    {"partition", "offset", "key", "timestamp", "headers", "value"}

Values are decoded with Confluent's Avro deserializer and the schema registry. What JSON has no form for is printed as a
string: dates and times in ISO 8601 (with a zone: in UTC, to the microsecond), bytes in base64, decimals and UUIDs as
text. The timestamp is in milliseconds since the epoch. Headers are a list of [name, value], values as text, or
{"base64": ...} if they are none. An empty or missing topic prints nothing.
"""

import argparse
import base64
import datetime
import decimal
import json
import math
import uuid

from confluent_kafka import KafkaError, TIMESTAMP_NOT_AVAILABLE, DeserializingConsumer, TopicPartition
from confluent_kafka.error import ConsumeError
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer

# Only bounds a hang, in seconds.
SILENCE_LIMIT = 60


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True, help="host:port of a broker")
    parser.add_argument("--registry", help="base URL of the schema registry; not needed for raw and text")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--isolation", choices=["read_committed", "read_uncommitted"], default="read_committed")
    parser.add_argument("--key", choices=["text", "avro", "raw"], default="text", help="what the keys are")
    parser.add_argument("--raw", action="store_true", help="do not decode the values: print them in base64")
    return parser.parse_args()


def base64_text(data):
    return base64.b64encode(data).decode("ascii")


def raw(data, _context):
    return None if data is None else base64_text(data)


def text(data, _context):
    return None if data is None else data.decode("utf-8")


def header_value(data):
    if not isinstance(data, bytes):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64_text(data)}


def plain(value):
    """The value in types that JSON has."""
    match value:
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case bytes():
            return base64_text(value)
        case datetime.datetime():
            if value.tzinfo is not None:
                value = value.astimezone(datetime.timezone.utc)
            return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal() | uuid.UUID():
            return str(value)
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value


def record(message):
    kind, timestamp = message.timestamp()
    return {
        "partition": message.partition(),
        "offset": message.offset(),
        "key": plain(message.key()),
        "timestamp": None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        "headers": [[name, header_value(value)] for name, value in message.headers() or []],
        "value": plain(message.value()),
    }


def main():
    options = arguments()
    if options.registry:
        avro = AvroDeserializer(SchemaRegistryClient({"url": options.registry}))
    elif options.raw and options.key != "avro":
        avro = None
    else:
        raise SystemExit("Avro needs --registry")
    consumer = DeserializingConsumer({
        "bootstrap.servers": options.bootstrap,
        "group.id": "headwater-tests-python",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": options.isolation,
        "key.deserializer": {"text": text, "avro": avro, "raw": raw}[options.key],
        "value.deserializer": raw if options.raw else avro,
    })
    partitions = consumer.list_topics(options.topic, timeout=SILENCE_LIMIT).topics[options.topic].partitions
    unfinished = set(partitions)
    consumer.assign([TopicPartition(options.topic, partition, 0) for partition in partitions])
    while unfinished:
        try:
            message = consumer.poll(SILENCE_LIMIT)
        except ConsumeError as failure:
            if failure.code != KafkaError._PARTITION_EOF:
                raise
            unfinished.discard(failure.kafka_message.partition())
            continue
        if message is None:
            raise SystemExit(f"no answer from {options.bootstrap} for {SILENCE_LIMIT} s")
        print(json.dumps(record(message), ensure_ascii=False))
    consumer.close()


if __name__ == "__main__":
    main()
