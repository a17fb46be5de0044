//! Protobuf binary encoding (proto3, "Encoding"), written straight from a record's fields.
//!
//! Scalars have explicit presence (`optional`): what was sent is written, also zero. A list or a map cannot stand in a
//! list, a map or a `oneof`, nor can `null`: there a message with the one field `value = 1` holds it. Lists are written
//! item by item; every parser takes that for packed fields too.

use super::{Encoder, UNMAPPED_NUMBER};
use crate::record::{
    Base64, BranchFacts, Date, DateTime, Drift, Field, FieldFacts, Json, Map, Number, Object, Undeclared, Uuid, Value,
};

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const DELIMITED: u32 = 2;

/// Number of the one field of a message that holds what cannot stand alone; also of a map entry's key.
const WRAPPED: u32 = 1;

/// Number of a map entry's value.
const ENTRY_VALUE: u32 = 2;

/// Writes a record.
pub(super) struct ProtobufEncoder<'out> {
    out: &'out mut Vec<u8>,
    /// The number that the next value is written under.
    number: u32,
    has_drifted: bool,
}

impl<'out> ProtobufEncoder<'out> {
    pub(super) fn new(out: &'out mut Vec<u8>) -> Self {
        Self { out, number: 0, has_drifted: false }
    }

    #[inline]
    fn varint(&mut self, mut rest: u64) {
        while rest >= 0x80 {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }

    #[inline]
    fn tag(&mut self, wire_type: u32) {
        self.varint(u64::from(self.number << 3 | wire_type));
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.tag(DELIMITED);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    fn entry(&mut self, number: u32, bytes: &[u8]) {
        self.number = number;
        self.bytes(bytes);
    }

    /// A message: its length stands before it and is known after it.
    fn message(&mut self, write: impl FnOnce(&mut Self)) {
        self.tag(DELIMITED);
        let number = self.number;
        let start = self.out.len();
        self.out.push(0);
        write(self);
        self.number = number;
        let mut length = self.out.len() - start - 1;
        if length < 0x80 {
            self.out[start] = length as u8;
            return;
        }
        let mut varint = [0; 10];
        let mut len = 0;
        while length >= 0x80 {
            varint[len] = length as u8 | 0x80;
            length >>= 7;
            len += 1;
        }
        varint[len] = length as u8;
        self.out.splice(start..=start, varint[..=len].iter().copied());
    }

    /// A value in a list, a map or a union.
    #[inline]
    fn element<'page, V: Value<'page>>(&mut self, value: &V) {
        if V::IS_PLURAL {
            self.message(|encoder| {
                encoder.number = WRAPPED;
                value.encode(encoder);
            });
        } else {
            value.encode(self);
        }
    }
}

impl Encoder for ProtobufEncoder<'_> {
    fn begin_record(&mut self) {}

    fn end_record(&mut self, drift: &[Drift<'_>]) {
        for (pointer, sent) in drift.iter().filter_map(|drift| Some((&drift.pointer, drift.unmapped?))) {
            self.number = UNMAPPED_NUMBER;
            self.message(|encoder| {
                encoder.entry(WRAPPED, pointer.as_bytes());
                encoder.entry(ENTRY_VALUE, sent.get().as_bytes());
            });
        }
    }

    fn drifted(&mut self) {
        self.has_drifted = true;
    }

    fn has_drifted(&self) -> bool {
        self.has_drifted
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.tag(VARINT);
        self.out.push(u8::from(value));
    }

    /// `int32`.
    #[inline]
    fn int32(&mut self, value: i32) {
        self.int64(i64::from(value));
    }

    /// `int64`.
    #[inline]
    fn int64(&mut self, value: i64) {
        self.tag(VARINT);
        self.varint(value as u64);
    }

    /// `double`.
    #[inline]
    fn number(&mut self, value: Number<'_>) {
        self.tag(FIXED64);
        self.out.extend_from_slice(&value.as_f64().to_le_bytes());
    }

    /// A `string`: Protobuf has no decimals.
    fn decimal(&mut self, sent: &str, _: i128) {
        self.bytes(sent.as_bytes());
    }

    fn decimal_number(&mut self, sent: Number<'_>, unscaled: i128) {
        self.decimal(sent.as_str(), unscaled);
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    fn uuid(&mut self, value: &Uuid<'_>) {
        self.bytes(value.as_str().as_bytes());
    }

    fn date(&mut self, value: &Date<'_>) {
        self.bytes(value.as_str().as_bytes());
    }

    /// `google.protobuf.Timestamp`.
    fn date_time(&mut self, value: &DateTime<'_>) {
        let instant = value.instant();
        self.message(|encoder| {
            encoder.number = 1;
            encoder.int64(instant.seconds);
            if instant.nanos != 0 {
                encoder.number = 2;
                encoder.int64(i64::from(instant.nanos));
            }
        });
    }

    fn base64(&mut self, value: &Base64<'_>) {
        self.bytes(value.bytes());
    }

    fn json(&mut self, value: Json<'_>) {
        self.bytes(value.get().as_bytes());
    }

    fn object<'page, O: Object<'page>>(&mut self, object: &O) {
        self.message(|encoder| {
            object.visit(encoder);
            encoder.undeclared(object.undeclared());
        });
    }

    #[inline]
    fn field<'page, V: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, V>) {
        self.number = facts.number;
        match field {
            Field::Value(value) => value.encode(self),
            Field::Absent | Field::Null => self.has_drifted |= facts.required,
            Field::Other { value, .. } => {
                self.has_drifted = true;
                if let Some(value) = value {
                    value.encode(self);
                }
            }
        }
    }

    fn additional<'page, V: Value<'page>>(&mut self, facts: &FieldFacts, map: &Map<'page, V>) {
        self.number = facts.number;
        self.map(map);
    }

    fn undeclared(&mut self, undeclared: &Undeclared<'_>) {
        self.has_drifted |= !undeclared.is_empty();
    }

    fn option<'page, V: Value<'page>>(&mut self, value: Option<&V>) {
        if let Some(value) = value {
            value.encode(self);
        }
    }

    fn list<'page, V: Value<'page>>(&mut self, items: &[V]) {
        let number = self.number;
        for item in items {
            self.number = number;
            self.element(item);
        }
    }

    fn map<'page, V: Value<'page>>(&mut self, map: &Map<'page, V>) {
        let number = self.number;
        for (key, value) in map.entries() {
            self.number = number;
            self.message(|encoder| {
                encoder.entry(WRAPPED, key.as_bytes());
                encoder.number = ENTRY_VALUE;
                encoder.element(value);
            });
        }
    }

    /// A message of one `oneof`.
    fn branch<'page, V: Value<'page>>(&mut self, _: usize, facts: &BranchFacts, value: &V) {
        self.message(|encoder| {
            encoder.number = facts.number;
            encoder.element(value);
        });
    }
}
