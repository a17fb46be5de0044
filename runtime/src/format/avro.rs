//! Avro binary encoding (Avro specification 1.12, "Binary Encoding"), written straight from a record's fields.

use super::EncodeError;
use crate::record::{Base64, Date, DateTime, Json, Map, Text, Uuid};

/// A value that can be written in Avro's binary encoding.
///
/// What is written follows one Avro type: see each implementation.
pub trait Encode {
    /// Appends the value.
    ///
    /// # Errors
    ///
    /// If the value has no form in its Avro type, as a date-time that is none.
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>>;

    /// Appends the value where it is optional: as a branch of a union whose first branch is `null`.
    ///
    /// A type that is a union itself writes its own branches after `null` here, because a union holds no union
    /// directly (Avro specification 1.12, "Unions").
    ///
    /// # Errors
    ///
    /// As [`Encode::encode`].
    #[inline]
    fn encode_some(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.branch(1);
        self.encode(out)
    }
}

/// The bytes of values being encoded, one behind the other.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// What has been written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets what was written after the first `len` bytes; the room stays allocated.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Appends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes one field of a record. `name` is its name in the API, for the message of an error.
    ///
    /// # Errors
    ///
    /// The error of the value, with its place.
    #[inline]
    pub fn field<T: Encode + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Box<EncodeError>> {
        value.encode(self).map_err(|error| error.within(name))
    }

    /// Writes which branch of a union follows.
    #[inline]
    pub fn branch(&mut self, index: i64) {
        self.long(index);
    }

    /// An Avro `boolean`.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    /// An Avro `int` or `long`: zig-zag, variable length.
    #[inline]
    pub fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    /// An Avro `float`.
    #[inline]
    pub fn float(&mut self, value: f32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// An Avro `double`.
    #[inline]
    pub fn double(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// An Avro `bytes` or `string`.
    #[inline]
    pub fn blob(&mut self, bytes: &[u8]) {
        self.long(bytes.len() as i64);
        self.bytes.extend_from_slice(bytes);
    }
}

/// Avro `boolean`.
impl Encode for bool {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.boolean(*self);
        Ok(())
    }
}

/// Avro `int`.
impl Encode for i32 {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.long(i64::from(*self));
        Ok(())
    }
}

/// Avro `long`.
impl Encode for i64 {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.long(*self);
        Ok(())
    }
}

/// Avro `float`.
impl Encode for f32 {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.float(*self);
        Ok(())
    }
}

/// Avro `double`.
impl Encode for f64 {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.double(*self);
        Ok(())
    }
}

/// Avro `string`.
impl Encode for Text<'_> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.blob(self.as_bytes());
        Ok(())
    }
}

/// Avro `string` with logical type `uuid`.
impl Encode for Uuid<'_> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.blob(self.as_str().as_bytes());
        Ok(())
    }
}

/// Avro `string` holding JSON text.
impl Encode for Json<'_> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        out.blob(self.get().as_bytes());
        Ok(())
    }
}

/// Avro `long` with logical type `timestamp-millis`.
impl Encode for DateTime<'_> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        match self.epoch_millis() {
            Some(millis) => {
                out.long(millis);
                Ok(())
            }
            None => Err(EncodeError::new(format!("{:?} is no RFC 3339 date-time", self.as_str()))),
        }
    }
}

/// Avro `int` with logical type `date`.
impl Encode for Date<'_> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        match self.epoch_days() {
            Some(days) => {
                out.long(i64::from(days));
                Ok(())
            }
            None => Err(EncodeError::new(format!("{:?} is no RFC 3339 date", self.as_str()))),
        }
    }
}

/// Avro `bytes`.
impl Encode for Base64<'_> {
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        match self.bytes() {
            Some(bytes) => {
                out.blob(&bytes);
                Ok(())
            }
            None => Err(EncodeError::new("the text is no base64")),
        }
    }
}

/// Avro union of `null` and the value's type, in this order; of a type that is a union, its branches follow `null`.
impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        match self {
            None => {
                out.branch(0);
                Ok(())
            }
            Some(value) => value.encode_some(out),
        }
    }
}

/// As the boxed value.
impl<T: Encode> Encode for Box<T> {
    #[inline]
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        T::encode(self, out)
    }

    #[inline]
    fn encode_some(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        T::encode_some(self, out)
    }
}

/// Avro `array`, in one block.
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        if !self.is_empty() {
            out.long(self.len() as i64);
            for (index, item) in self.iter().enumerate() {
                item.encode(out).map_err(|error| error.within(&index.to_string()))?;
            }
        }
        out.long(0);
        Ok(())
    }
}

/// Avro `map`, in one block.
impl<T: Encode> Encode for Map<'_, T> {
    fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
        let entries = self.entries();
        if !entries.is_empty() {
            out.long(entries.len() as i64);
            for (key, value) in entries {
                out.blob(key.as_bytes());
                value.encode(out).map_err(|error| error.within(key))?;
            }
        }
        out.long(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use apache_avro::Schema;
    use apache_avro::reader::datum::GenericDatumReader;
    use apache_avro::types::Value;

    use super::*;

    /// What an independent reader makes of `value` written by `schema`.
    fn read_back(schema: &str, value: &impl Encode) -> Value {
        let mut out = Writer::default();
        value.encode(&mut out).unwrap();
        let mut bytes = out.bytes();
        let schema = Schema::parse_str(schema).unwrap();
        let read = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut bytes).unwrap();
        assert!(bytes.is_empty(), "the reader left {} bytes", bytes.len());
        read
    }

    fn decode<'a, T: serde::Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn scalars_read_back() {
        for value in [0, -1, 1, 63, 64, -64, -65, i64::MAX, i64::MIN] {
            assert_eq!(read_back(r#""long""#, &value), Value::Long(value));
        }
        assert_eq!(read_back(r#""int""#, &-7_i32), Value::Int(-7));
        assert_eq!(read_back(r#""double""#, &0.1_f64), Value::Double(0.1));
        assert_eq!(read_back(r#""float""#, &0.5_f32), Value::Float(0.5));
        assert_eq!(read_back(r#""boolean""#, &true), Value::Boolean(true));
        assert_eq!(read_back(r#""string""#, &Text::from("é")), Value::String("é".into()));
        assert_eq!(read_back(r#""string""#, &decode::<Json>(r#"{"a": [1]}"#)), Value::String(r#"{"a": [1]}"#.into()));
        assert_eq!(read_back(r#""bytes""#, &decode::<Base64>(r#""aGk=""#)), Value::Bytes(b"hi".to_vec()));
        assert_eq!(
            read_back(
                r#"{"type":"long","logicalType":"timestamp-millis"}"#,
                &decode::<DateTime>(r#""1970-01-01T00:00:01.5Z""#)
            ),
            Value::TimestampMillis(1500)
        );
        assert_eq!(
            read_back(r#"{"type":"int","logicalType":"date"}"#, &decode::<Date>(r#""1970-01-03""#)),
            Value::Date(2)
        );
    }

    #[test]
    fn options_lists_and_maps_read_back() {
        let union = r#"["null","string"]"#;
        assert_eq!(read_back(union, &None::<Text>), Value::Union(0, Box::new(Value::Null)));
        assert_eq!(read_back(union, &Some(Text::from("x"))), Value::Union(1, Box::new(Value::String("x".into()))));
        let longs = r#"{"type":"array","items":"long"}"#;
        assert_eq!(read_back(longs, &Vec::<i64>::new()), Value::Array(vec![]));
        assert_eq!(read_back(longs, &vec![1_i64, 2]), Value::Array(vec![Value::Long(1), Value::Long(2)]));
        let map = r#"{"type":"map","values":"long"}"#;
        let expected = Value::Map([("a".to_owned(), Value::Long(1)), ("b".to_owned(), Value::Long(2))].into());
        assert_eq!(read_back(map, &decode::<Map<i64>>(r#"{"a":1,"b":2}"#)), expected);
    }

    /// In the shape that is generated.
    enum Amount {
        Text(Text<'static>),
        Number(f64),
    }

    impl Amount {
        fn encode_branch(&self, first: i64, out: &mut Writer) -> Result<(), Box<EncodeError>> {
            match self {
                Self::Text(value) => {
                    out.branch(first);
                    value.encode(out)
                }
                Self::Number(value) => {
                    out.branch(first + 1);
                    value.encode(out)
                }
            }
        }
    }

    impl Encode for Amount {
        fn encode(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
            self.encode_branch(0, out)
        }

        fn encode_some(&self, out: &mut Writer) -> Result<(), Box<EncodeError>> {
            self.encode_branch(1, out)
        }
    }

    #[test]
    fn an_optional_union_is_one_union() {
        let half = Value::Double(0.5);
        let read = read_back(r#"["string","double"]"#, &Amount::Number(0.5));
        assert_eq!(read, Value::Union(1, Box::new(half.clone())));
        let optional = r#"["null","string","double"]"#;
        assert_eq!(read_back(optional, &Some(Amount::Number(0.5))), Value::Union(2, Box::new(half.clone())));
        assert_eq!(read_back(optional, &Some(Box::new(Amount::Number(0.5)))), Value::Union(2, Box::new(half)));
        assert_eq!(read_back(optional, &None::<Amount>), Value::Union(0, Box::new(Value::Null)));
        let list = vec![Some(Amount::Text("x".into())), None];
        let expected =
            vec![Value::Union(1, Box::new(Value::String("x".into()))), Value::Union(0, Box::new(Value::Null))];
        assert_eq!(read_back(r#"{"type":"array","items":["null","string","double"]}"#, &list), Value::Array(expected));
    }

    #[test]
    fn an_error_says_where() {
        let mut out = Writer::default();
        let times = Some(decode::<Vec<DateTime>>(r#"["1970-01-01T00:00:00Z", "yesterday"]"#));
        let error = out.field("a/b", &times).unwrap_err();
        assert_eq!(error.to_string(), "`/a~1b/1`: \"yesterday\" is no RFC 3339 date-time");
    }
}
