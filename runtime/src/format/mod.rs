//! Wire formats of record values. Knows neither HTTP nor Kafka.
//!
//! A record writes itself, field by field, through an [`Encoder`]; there is one for each format. What the document does
//! not declare has no place in a schema: the formats with one carry it in a field of its own, [`UNMAPPED`].

mod avro;
mod json;
pub(crate) mod proto_file;
mod protobuf;
mod shown;
#[cfg(test)]
mod tests;

use crate::record::{
    Base64, BranchFacts, Date, DateTime, Drift, Field, FieldFacts, Inspection, Json, Map, Number, Object, Record,
    Undeclared, Uuid, Value,
};

pub(crate) use avro::write_long;
pub(crate) use shown::shown;

/// How the value of a Kafka record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// Avro's binary encoding, by a schema of the registry.
    Avro,
    /// Protobuf's, by a schema of the registry.
    Protobuf,
    /// JSON, true to a JSON Schema of the registry.
    JsonSchema,
    /// JSON as the API sent it, without a schema.
    Json,
}

/// Name of the field that carries what has no place in the schema: values that the document does not declare or that are
/// not of their declared type, as JSON, by JSON Pointer from the record.
pub const UNMAPPED: &str = "unmapped";

/// Protobuf field number of [`UNMAPPED`]: the last there is, so that it never meets a declared field's.
pub const UNMAPPED_NUMBER: u32 = 536_870_911;

/// Appends a record in its wire format, and says where it departs from its declaration, if that declares any fields.
pub fn write<'page, R: Record<'page>>(format: OutputFormat, record: &R, out: &mut Vec<u8>) -> Vec<Drift<'page>> {
    match format {
        OutputFormat::Avro => write_with(avro::AvroEncoder::new(out), record),
        OutputFormat::Protobuf => write_with(protobuf::ProtobufEncoder::new(out), record),
        OutputFormat::JsonSchema => write_with(json::JsonEncoder::true_to_schema(out), record),
        OutputFormat::Json => write_with(json::JsonEncoder::as_sent(out), record),
    }
}

fn write_with<'page, E: Encoder, R: Record<'page>>(mut encoder: E, record: &R) -> Vec<Drift<'page>> {
    encoder.begin_record();
    record.visit(&mut encoder);
    encoder.undeclared(record.undeclared());
    let drift = if encoder.has_drifted() { Inspection::of(record) } else { Vec::new() };
    encoder.end_record(&drift);
    // What declares nothing is departed from by nothing.
    if R::FIELDS.is_empty() { Vec::new() } else { drift }
}

/// A wire format being written.
pub trait Encoder {
    /// Begins the record itself.
    fn begin_record(&mut self);

    /// Ends the record with what has no place in its fields.
    fn end_record(&mut self, drift: &[Drift<'_>]);

    /// Notes that the record is not as the document declares.
    fn drifted(&mut self);

    /// Whether the record is not as the document declares.
    fn has_drifted(&self) -> bool;

    /// `type: boolean`.
    fn boolean(&mut self, value: bool);

    /// `type: integer, format: int32`.
    fn int32(&mut self, value: i32);

    /// `type: integer`.
    fn int64(&mut self, value: i64);

    /// `type: number`.
    fn number(&mut self, value: Number<'_>);

    /// `type: string, format: decimal`, as sent, and the same without its point: times ten to the power of the scale.
    fn decimal(&mut self, sent: &str, unscaled: i128);

    /// `type: number, format: decimal`.
    fn decimal_number(&mut self, sent: Number<'_>, unscaled: i128);

    /// `type: string`.
    fn text(&mut self, value: &str);

    /// `type: string, format: uuid`.
    fn uuid(&mut self, value: &Uuid<'_>);

    /// `type: string, format: date`.
    fn date(&mut self, value: &Date<'_>);

    /// `type: string, format: date-time`.
    fn date_time(&mut self, value: &DateTime<'_>);

    /// `type: string, format: byte`.
    fn base64(&mut self, value: &Base64<'_>);

    /// Anything.
    fn json(&mut self, value: Json<'_>);

    /// An object with declared fields.
    fn object<'page, O: Object<'page>>(&mut self, object: &O);

    /// A field of an object.
    fn field<'page, V: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, V>);

    /// The fields of an object whose names are data, beside the declared ones.
    fn additional<'page, V: Value<'page>>(&mut self, facts: &FieldFacts, map: &Map<'page, V>);

    /// The fields of an object that are not declared.
    fn undeclared(&mut self, undeclared: &Undeclared<'_>);

    /// A value that can be `null`, in a list or a map.
    fn option<'page, V: Value<'page>>(&mut self, value: Option<&V>);

    /// A list.
    fn list<'page, V: Value<'page>>(&mut self, items: &[V]);

    /// An object whose keys are data.
    fn map<'page, V: Value<'page>>(&mut self, map: &Map<'page, V>);

    /// A value of one of several types.
    fn branch<'page, V: Value<'page>>(&mut self, index: usize, facts: &BranchFacts, value: &V);
}
