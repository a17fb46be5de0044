//! What a written value says: it is read back by its schema, as a consumer would. For people who look on.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{NamesRef, ResolvedSchema};
use apache_avro::types::Value as Avro;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;

use super::{OutputFormat, proto_file};

/// The value, with fields by the names of its schema; `None` if the schema is none of its, or the format is text itself.
pub(crate) fn shown(format: OutputFormat, schema: &str, written: &[u8]) -> Option<Value> {
    match format {
        OutputFormat::Avro => avro(schema, written),
        OutputFormat::Protobuf => protobuf(schema, written),
        OutputFormat::Json | OutputFormat::JsonSchema => None,
    }
}

fn avro(schema: &str, mut written: &[u8]) -> Option<Value> {
    let schema = Schema::parse_str(schema).ok()?;
    let value = GenericDatumReader::builder(&schema).build().ok()?.read_value(&mut written).ok()?;
    let names = ResolvedSchema::try_from(&schema).ok()?;
    if written.is_empty() { of_avro(value, &schema, names.get_names()) } else { None }
}

/// As people write it, where JSON has no such type.
fn of_avro(value: Avro, schema: &Schema, names: &NamesRef<'_>) -> Option<Value> {
    Some(match (value, schema) {
        (value, Schema::Ref { name }) => of_avro(value, names.get(name)?, names)?,
        (Avro::Union(index, value), Schema::Union(union)) => {
            of_avro(*value, union.variants().get(usize::try_from(index).ok()?)?, names)?
        }
        (Avro::Record(values), Schema::Record(record)) => {
            let fields = values.into_iter().zip(&record.fields);
            let fields = fields.map(|((name, value), field)| Some((name, of_avro(value, &field.schema, names)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
        (Avro::Map(entries), Schema::Map(map)) => {
            let entries = entries.into_iter().map(|(key, value)| Some((key, of_avro(value, &map.types, names)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
        (Avro::Array(items), Schema::Array(array)) => {
            Value::Array(items.into_iter().map(|item| of_avro(item, &array.items, names)).collect::<Option<_>>()?)
        }
        (Avro::TimestampMillis(millis), _) => jiff::Timestamp::from_millisecond(millis).ok()?.to_string().into(),
        (Avro::Date(days), _) => {
            let days = jiff::Span::new().try_days(days).ok()?;
            jiff::civil::date(1970, 1, 1).checked_add(days).ok()?.to_string().into()
        }
        (Avro::Decimal(value), Schema::Decimal(decimal)) => point(&Vec::try_from(&value).ok()?, decimal.scale)?.into(),
        (Avro::Uuid(uuid), _) => uuid.to_string().into(),
        (Avro::Bytes(bytes), _) => BASE64_STANDARD.encode(bytes).into(),
        (other, _) => Value::try_from(other).ok()?,
    })
}

/// A number in two's complement, with its point.
fn point(bytes: &[u8], scale: usize) -> Option<String> {
    let mut whole = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { [0xff; 16] } else { [0; 16] };
    let start = whole.len().checked_sub(bytes.len())?;
    whole.get_mut(start..)?.copy_from_slice(bytes);
    let number = i128::from_be_bytes(whole);
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (before, after) = digits.split_at_checked(digits.len() - scale)?;
    Some(if scale == 0 { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") })
}

fn protobuf(schema: &str, written: &[u8]) -> Option<Value> {
    let record = proto_file::compile(schema)?.messages().next()?;
    let message = DynamicMessage::decode(record, written).ok()?;
    if message.unknown_fields().next().is_some() {
        return None;
    }
    let options = SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn avro_is_shown_as_people_write_it() {
        let schema = json!({
            "type": "record", "name": "R", "namespace": "n", "fields": [
                { "name": "count", "type": ["null", "int"] },
                { "name": "none", "type": ["null", "long"] },
                { "name": "at", "type": { "type": "long", "logicalType": "timestamp-millis" } },
                { "name": "on", "type": { "type": "int", "logicalType": "date" } },
                { "name": "price", "type": ["null", { "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 }] },
                { "name": "raw", "type": "bytes" },
                { "name": "tags", "type": { "type": "array", "items": "string" } },
                { "name": "by", "type": { "type": "map", "values": "long" } },
                { "name": "in", "type": { "type": "record", "name": "In", "fields": [
                    { "name": "up", "type": ["null", "R"] }, { "name": "id", "type": "string" },
                ] } },
            ],
        });
        let schema = schema.to_string();
        let written = [2, 13, 0, 2, 1, 2, 2, 0xfb, 4, 1, 2, 2, 2, b'a', 0, 2, 2, b'k', 4, 0, 0, 2, b'u'];
        let expected = json!({
            "count": -7, "none": null, "at": "1970-01-01T00:00:00.001Z", "on": "1969-12-31", "price": "-0.05", "raw": "AQI=", "tags": ["a"],
            "by": { "k": 2 }, "in": { "up": null, "id": "u" },
        });
        assert_eq!(shown(OutputFormat::Avro, &schema, &written), Some(expected));
        assert_eq!(shown(OutputFormat::Avro, &schema, &written[..9]), None, "cut off");
        assert_eq!(shown(OutputFormat::Avro, &schema, &[&written[..], &[0]].concat()), None, "of another schema");
        assert_eq!(point(&[0x30, 0x39], 0).unwrap(), "12345");
        assert_eq!(point(&[0x30, 0x39], 7).unwrap(), "0.0012345");
    }

    #[test]
    fn protobuf_is_shown_by_the_names_of_its_schema() {
        let schema = r#"
            syntax = "proto3";
            import "google/protobuf/timestamp.proto";
            message R {
              optional int64 is_id = 1 [json_name = "is-id"];
              optional .google.protobuf.Timestamp at = 2;
              map<string, string> unmapped = 536870911;
            }
        "#;
        let written = [0x08, 7, 0x12, 2, 0x08, 1, 0xfa, 0xff, 0xff, 0xff, 0x0f, 6, 0x0a, 1, b'/', 0x12, 1, b'1'];
        let expected = json!({ "is_id": 7, "at": "1970-01-01T00:00:01Z", "unmapped": { "/": "1" } });
        assert_eq!(shown(OutputFormat::Protobuf, schema, &written), Some(expected));
        assert_eq!(shown(OutputFormat::Protobuf, schema, &[0x18, 1]), None, "of another schema");
        assert_eq!(shown(OutputFormat::Protobuf, schema, &[0x0a, 9]), None, "cut off");
    }
}
