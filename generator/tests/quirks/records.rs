//! Put beside the crates of all quirks: their records, from JSON to every wire format. What follows is one test for each.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use headwater_runtime::codegen::{Reading, Record, TypedOperation, decode_object, tolerate_object};
use headwater_runtime::format::{OutputFormat, write};
use serde_json::Value;
use serde_json::value::RawValue;

fn schema<'a, R: Record<'a>>(_: &R, format: OutputFormat) -> &'static str {
    match format {
        OutputFormat::Avro => R::AVRO_SCHEMA,
        OutputFormat::Protobuf => R::PROTOBUF_SCHEMA,
        OutputFormat::JsonSchema | OutputFormat::Json => R::JSON_SCHEMA,
    }
}

/// A record as the page reads it: strictly, or else with tolerance.
fn read<R: Record<'static>>(sent: &'static RawValue) -> R {
    if let Ok(record) = decode_object(&mut serde_json::Deserializer::from_str(sent.get())) {
        return record;
    }
    match tolerate_object(serde_json::from_str(sent.get()).unwrap()) {
        Reading::Exact(record) => record,
        Reading::Coerced(_) | Reading::Misfit => panic!("no record: {sent}"),
    }
}

/// Each record is read, written as JSON as it was sent, and as Avro that another reader takes by the schema to its end.
fn keeps<O: TypedOperation>(records: &'static str) {
    let records: Vec<&'static RawValue> = serde_json::from_str(records).unwrap();
    assert!(!records.is_empty());
    for sent in records {
        let record: O::Record<'static> = read(sent);
        let written = |format| {
            let mut out = Vec::new();
            write(format, &record, &mut out);
            out
        };
        let value: Value = serde_json::from_str(sent.get()).unwrap();
        let kept: Value = serde_json::from_slice(&written(OutputFormat::Json)).unwrap();
        assert_eq!(kept, value);
        assert!(serde_json::from_slice::<Value>(&written(OutputFormat::JsonSchema)).unwrap().is_object());
        assert!(serde_json::from_str::<Value>(schema(&record, OutputFormat::JsonSchema)).unwrap().is_object());
        let avro = written(OutputFormat::Avro);
        let schema = Schema::parse_str(schema(&record, OutputFormat::Avro)).unwrap();
        let mut rest = avro.as_slice();
        GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
        assert!(rest.is_empty(), "the reader left {} of {} bytes", rest.len(), avro.len());
    }
}

