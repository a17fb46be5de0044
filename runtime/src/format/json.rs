//! JSON (RFC 8259), either as the API sent it or true to the declared types.

use super::{Encoder, UNMAPPED};
use crate::record::{
    Base64, BranchFacts, Date, DateTime, Drift, Field, FieldFacts, Json, Map, Number, Object, Undeclared, Uuid, Value,
};

/// Writes a record.
pub(super) struct JsonEncoder<'out> {
    out: &'out mut Vec<u8>,
    /// Whether values of other types are written as declared, and what cannot be is left to [`UNMAPPED`].
    is_true_to_schema: bool,
    has_drifted: bool,
}

impl<'out> JsonEncoder<'out> {
    /// What was sent comes out again, also where it is not what the document declares.
    pub(super) fn as_sent(out: &'out mut Vec<u8>) -> Self {
        Self { out, is_true_to_schema: false, has_drifted: false }
    }

    /// What comes out is always true to the schema.
    pub(super) fn true_to_schema(out: &'out mut Vec<u8>) -> Self {
        Self { out, is_true_to_schema: true, has_drifted: false }
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Separates what follows from what stands before it in the same object or array.
    #[inline]
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push(b'"');
        let mut done = 0;
        for (index, byte) in text.bytes().enumerate() {
            // Only these must be escaped (RFC 8259 section 7).
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out.extend_from_slice(&text.as_bytes()[done..index]);
            done = index + 1;
            match byte {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                b'\r' => self.raw("\\r"),
                b'\t' => self.raw("\\t"),
                _ => {
                    const DIGITS: &[u8; 16] = b"0123456789abcdef";
                    self.raw("\\u00");
                    self.out.push(DIGITS[usize::from(byte >> 4)]);
                    self.out.push(DIGITS[usize::from(byte & 15)]);
                }
            }
        }
        self.out.extend_from_slice(&text.as_bytes()[done..]);
        self.out.push(b'"');
    }

    fn entries<'page, V: Value<'page>>(&mut self, map: &Map<'page, V>) {
        for (key, value) in map.entries() {
            self.separate();
            self.string(key);
            self.out.push(b':');
            value.encode(self);
        }
    }
}

impl Encoder for JsonEncoder<'_> {
    fn begin_record(&mut self) {
        self.out.push(b'{');
    }

    fn end_record(&mut self, drift: &[Drift<'_>]) {
        // Undeclared fields stand where they were: a schema allows them.
        let misfits = drift.iter().filter(|drift| drift.kind == crate::record::DriftKind::Misfit);
        let mut misfits = misfits.filter_map(|drift| Some((&drift.pointer, drift.unmapped?))).peekable();
        if self.is_true_to_schema && misfits.peek().is_some() {
            self.separate();
            self.string(UNMAPPED);
            self.raw(":{");
            for (pointer, sent) in misfits {
                self.separate();
                self.string(pointer);
                self.out.push(b':');
                self.raw(sent.get());
            }
            self.out.push(b'}');
        }
        self.out.push(b'}');
    }

    fn drifted(&mut self) {
        self.has_drifted = true;
    }

    fn has_drifted(&self) -> bool {
        self.has_drifted
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    #[inline]
    fn int32(&mut self, value: i32) {
        self.int64(i64::from(value));
    }

    #[inline]
    fn int64(&mut self, value: i64) {
        self.raw(itoa::Buffer::new().format(value));
    }

    #[inline]
    fn number(&mut self, value: Number<'_>) {
        self.raw(value.as_str());
    }

    fn decimal(&mut self, sent: &str, _: i128) {
        self.string(sent);
    }

    fn decimal_number(&mut self, sent: Number<'_>, _: i128) {
        self.number(sent);
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.string(value);
    }

    fn uuid(&mut self, value: &Uuid<'_>) {
        self.string(value.as_str());
    }

    fn date(&mut self, value: &Date<'_>) {
        self.string(value.as_str());
    }

    fn date_time(&mut self, value: &DateTime<'_>) {
        self.string(value.as_str());
    }

    fn base64(&mut self, value: &Base64<'_>) {
        self.string(value.as_str());
    }

    fn json(&mut self, value: Json<'_>) {
        self.raw(value.get());
    }

    fn object<'page, O: Object<'page>>(&mut self, object: &O) {
        self.out.push(b'{');
        object.visit(self);
        self.undeclared(object.undeclared());
        self.out.push(b'}');
    }

    fn field<'page, V: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, V>) {
        if matches!(field, Field::Absent) {
            self.has_drifted |= facts.required;
            return;
        }
        self.separate();
        self.raw(facts.json);
        match field {
            Field::Absent | Field::Null => {
                self.has_drifted |= facts.required;
                self.raw("null");
            }
            Field::Value(value) => value.encode(self),
            Field::Other { sent, value } => {
                self.has_drifted = true;
                match value {
                    _ if !self.is_true_to_schema => self.raw(sent.get()),
                    Some(value) => value.encode(self),
                    None => self.raw("null"),
                }
            }
        }
    }

    fn additional<'page, V: Value<'page>>(&mut self, _: &FieldFacts, map: &Map<'page, V>) {
        self.entries(map);
    }

    fn undeclared(&mut self, undeclared: &Undeclared<'_>) {
        for (name, sent) in undeclared.entries() {
            self.has_drifted = true;
            self.separate();
            self.string(name);
            self.out.push(b':');
            self.raw(sent.get());
        }
    }

    fn option<'page, V: Value<'page>>(&mut self, value: Option<&V>) {
        match value {
            Some(value) => value.encode(self),
            None => self.raw("null"),
        }
    }

    fn list<'page, V: Value<'page>>(&mut self, items: &[V]) {
        self.out.push(b'[');
        for item in items {
            self.separate();
            item.encode(self);
        }
        self.out.push(b']');
    }

    fn map<'page, V: Value<'page>>(&mut self, map: &Map<'page, V>) {
        self.out.push(b'{');
        self.entries(map);
        self.out.push(b'}');
    }

    fn branch<'page, V: Value<'page>>(&mut self, _: usize, _: &BranchFacts, value: &V) {
        value.encode(self);
    }
}
