//! Avro binary encoding (Avro specification 1.12, "Binary Encoding"), written straight from a record's fields.
//!
//! Every field is a union of `null` and its type, in this order: what APIs promise and what they send are two things.

use super::Encoder;
use crate::record::{
    Base64, BranchFacts, Date, DateTime, Drift, Field, FieldFacts, Json, Map, Number, Object, Undeclared, Uuid, Value,
};

/// Writes a record.
pub(super) struct AvroEncoder<'out> {
    out: &'out mut Vec<u8>,
    /// Index of a union's first branch: 1 behind `null`.
    first_branch: i64,
    has_drifted: bool,
}

/// Writes an `int` or `long`: zig-zag, variable length.
#[inline]
pub(crate) fn write_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

impl<'out> AvroEncoder<'out> {
    pub(super) fn new(out: &'out mut Vec<u8>) -> Self {
        Self { out, first_branch: 0, has_drifted: false }
    }

    #[inline]
    fn long(&mut self, value: i64) {
        write_long(self.out, value);
    }

    /// `bytes` or a `string`.
    #[inline]
    fn blob(&mut self, bytes: &[u8]) {
        self.long(bytes.len() as i64);
        self.out.extend_from_slice(bytes);
    }

    /// A value in a union whose first branch is `null`.
    #[inline]
    fn some<'page, V: Value<'page>>(&mut self, value: &V) {
        if V::IS_UNION {
            self.first_branch = 1;
        } else {
            self.long(1);
        }
        value.encode(self);
    }

    #[inline]
    fn null(&mut self) {
        self.long(0);
    }
}

impl Encoder for AvroEncoder<'_> {
    fn begin_record(&mut self) {}

    /// The last field: a `map` of `string`.
    fn end_record(&mut self, drift: &[Drift<'_>]) {
        let unmapped = || drift.iter().filter_map(|drift| Some((&drift.pointer, drift.unmapped?)));
        let count = unmapped().count();
        if count > 0 {
            self.long(count as i64);
            for (pointer, sent) in unmapped() {
                self.blob(pointer.as_bytes());
                self.blob(sent.get().as_bytes());
            }
        }
        self.long(0);
    }

    fn drifted(&mut self) {
        self.has_drifted = true;
    }

    fn has_drifted(&self) -> bool {
        self.has_drifted
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.out.push(u8::from(value));
    }

    #[inline]
    fn int32(&mut self, value: i32) {
        self.long(i64::from(value));
    }

    #[inline]
    fn int64(&mut self, value: i64) {
        self.long(value);
    }

    /// A `double`.
    #[inline]
    fn number(&mut self, value: Number<'_>) {
        self.out.extend_from_slice(&value.as_f64().to_le_bytes());
    }

    /// `bytes` of logical type `decimal`: two's complement, the fewest bytes that hold it, big-endian.
    fn decimal(&mut self, _: &str, unscaled: i128) {
        let bytes = unscaled.to_be_bytes();
        let is_filling = |pair: &[u8]| match pair {
            // Sign and nothing else.
            [0x00, next] => next & 0x80 == 0,
            [0xff, next] => next & 0x80 != 0,
            _ => false,
        };
        let filling = bytes.windows(2).take_while(|pair| is_filling(pair)).count();
        self.blob(&bytes[filling..]);
    }

    fn decimal_number(&mut self, sent: Number<'_>, unscaled: i128) {
        self.decimal(sent.as_str(), unscaled);
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.blob(value.as_bytes());
    }

    /// A `string` of logical type `uuid`.
    #[inline]
    fn uuid(&mut self, value: &Uuid<'_>) {
        self.blob(value.as_str().as_bytes());
    }

    /// An `int` of logical type `date`.
    #[inline]
    fn date(&mut self, value: &Date<'_>) {
        self.long(i64::from(value.epoch_days()));
    }

    /// A `long` of logical type `timestamp-millis`.
    #[inline]
    fn date_time(&mut self, value: &DateTime<'_>) {
        self.long(value.epoch_millis());
    }

    /// `bytes`.
    fn base64(&mut self, value: &Base64<'_>) {
        self.blob(value.bytes());
    }

    /// A `string` that holds JSON text.
    fn json(&mut self, value: Json<'_>) {
        self.blob(value.get().as_bytes());
    }

    #[inline]
    fn object<'page, O: Object<'page>>(&mut self, object: &O) {
        object.visit(self);
        self.undeclared(object.undeclared());
    }

    #[inline]
    fn field<'page, V: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, V>) {
        match field {
            Field::Value(value) => self.some(value),
            Field::Absent | Field::Null => {
                self.has_drifted |= facts.required;
                self.null();
            }
            Field::Other { value, .. } => {
                self.has_drifted = true;
                match value {
                    Some(value) => self.some(value),
                    None => self.null(),
                }
            }
        }
    }

    /// A `map`.
    fn additional<'page, V: Value<'page>>(&mut self, _: &FieldFacts, map: &Map<'page, V>) {
        self.map(map);
    }

    #[inline]
    fn undeclared(&mut self, undeclared: &Undeclared<'_>) {
        self.has_drifted |= !undeclared.is_empty();
    }

    /// A union of `null` and the value's type.
    #[inline]
    fn option<'page, V: Value<'page>>(&mut self, value: Option<&V>) {
        match value {
            Some(value) => self.some(value),
            None => self.null(),
        }
    }

    /// An `array`, in one block.
    fn list<'page, V: Value<'page>>(&mut self, items: &[V]) {
        if !items.is_empty() {
            self.long(items.len() as i64);
            for item in items {
                item.encode(self);
            }
        }
        self.long(0);
    }

    /// A `map`, in one block.
    fn map<'page, V: Value<'page>>(&mut self, map: &Map<'page, V>) {
        let entries = map.entries();
        if !entries.is_empty() {
            self.long(entries.len() as i64);
            for (key, value) in entries {
                self.blob(key.as_bytes());
                value.encode(self);
            }
        }
        self.long(0);
    }

    fn branch<'page, V: Value<'page>>(&mut self, index: usize, _: &BranchFacts, value: &V) {
        let first = std::mem::take(&mut self.first_branch);
        self.long(first + index as i64);
        value.encode(self);
    }
}
