//! Records that are true to their schemas.

use serde_json::{Map, Value, json};

use crate::plan::model::{
    ConnectorPlan, DecimalFacts, Element, FieldPath, OffsetMode, Scalar, StreamPlan, Type, TypeId, TypeKind,
};

/// How deep optional parts are filled in; beyond it they are absent, so that recursive types end.
const DEPTH: usize = 4;

/// 2024-01-01T00:00:00Z in seconds since the epoch: the time of the first record.
const FIRST_RECORD: u64 = 1_704_067_200;

/// Seconds between two records.
const STEP: u64 = 7;

/// Makes the records of one stream.
pub(crate) struct Records<'a> {
    plan: &'a ConnectorPlan,
    stream: &'a StreamPlan,
    seed: u64,
}

impl<'a> Records<'a> {
    pub(crate) fn new(plan: &'a ConnectorPlan, stream: &'a StreamPlan, seed: u64) -> Self {
        Self { plan, stream, seed }
    }

    /// Record number `index`, counted from 0. Its key is its own, as is what other streams are asked with for it; its offset comes after that of the one before.
    pub(crate) fn record(&self, index: u64) -> Value {
        let mut choices = Choices(self.seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut record = self.value(self.stream.record, "record", DEPTH, &mut choices);
        if let Some(key) = &self.stream.key {
            set(&mut record, &key.pointer, distinct(key, index));
        }
        for (_, field) in self.stream.children.iter().flat_map(|child| &child.bind) {
            set(&mut record, &field.pointer, distinct(field, index));
        }
        if let Some(timestamp) = &self.stream.timestamp {
            set(&mut record, &timestamp.pointer, json!(rfc3339(FIRST_RECORD + index * STEP)));
        }
        if let Some(offset) = &self.stream.offset {
            let value = match offset.mode {
                OffsetMode::Timestamp => json!(rfc3339(FIRST_RECORD + index * STEP)),
                OffsetMode::Cursor => distinct(&offset.field, index),
            };
            set(&mut record, &offset.field.pointer, value);
        }
        record
    }

    /// Whether record number `index` has this key, as a request names it.
    pub(crate) fn has_key(&self, index: u64, key: &str) -> bool {
        self.stream.key.as_ref().is_some_and(|path| match distinct(path, index) {
            Value::String(text) => text == key,
            Value::Number(number) => number.as_u64().is_some_and(|number| key.parse() == Ok(number)),
            _ => false,
        })
    }

    fn ty(&self, id: TypeId) -> Option<&Type> {
        self.plan.types.get(id.0)
    }

    fn element(&self, element: Element, name: &str, depth: usize, choices: &mut Choices) -> Option<Value> {
        if element.optional && (depth == 0 || choices.below(4) == 0) {
            return None;
        }
        Some(self.value(element.ty, name, depth.saturating_sub(1), choices))
    }

    fn value(&self, id: TypeId, name: &str, depth: usize, choices: &mut Choices) -> Value {
        let Some(ty) = self.ty(id) else { return Value::Null };
        match &ty.kind {
            TypeKind::Struct(object) if object.is_undescribed() => scalar_value(Scalar::Json, name, choices),
            TypeKind::Struct(object) => {
                let fields = object.fields.iter().filter_map(|field| {
                    let value = self.element(field.element, &field.wire_name, depth, choices)?;
                    Some((field.wire_name.clone(), value))
                });
                Value::Object(fields.collect())
            }
            TypeKind::Enum(listed) => {
                let index = choices.below(listed.values.len() as u64) as usize;
                listed.values.get(index).map_or(Value::Null, |value| json!(value.wire_name))
            }
            TypeKind::Union(union) => {
                let index = choices.below(union.variants.len() as u64) as usize;
                union.variants.get(index).map_or(Value::Null, |variant| self.value(variant.ty, name, depth, choices))
            }
            TypeKind::List(element) => {
                let len = if depth == 0 { 0 } else { choices.below(3) };
                (0..len).filter_map(|_| self.element(*element, name, depth, choices)).collect()
            }
            TypeKind::Map(element) => {
                let len = if depth == 0 { 0 } else { choices.below(3) };
                let entries = (0..len).filter_map(|index| {
                    Some((
                        format!("{}-{index}", WORDS[index as usize % WORDS.len()]),
                        self.element(*element, name, depth, choices)?,
                    ))
                });
                Value::Object(entries.collect::<Map<_, _>>())
            }
            TypeKind::Scalar(scalar) => scalar_value(*scalar, name, choices),
        }
    }
}

const WORDS: &[&str] = &["amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron"];

fn scalar_value(scalar: Scalar, name: &str, choices: &mut Choices) -> Value {
    match scalar {
        Scalar::Boolean => json!(choices.below(2) == 1),
        Scalar::Int32 => json!(choices.below(1_000)),
        Scalar::Int64 => json!(choices.below(1 << 40)),
        Scalar::Number => json!(choices.below(100_000) as f64 / 100.0),
        Scalar::Decimal(decimal) => decimal_value(decimal, choices),
        Scalar::String => json!(format!("{name} {}", WORDS[choices.below(WORDS.len() as u64) as usize])),
        Scalar::Date => json!(rfc3339(FIRST_RECORD + choices.below(365) * 86_400)[..10]),
        Scalar::DateTime => json!(rfc3339(FIRST_RECORD + choices.below(31_536_000))),
        Scalar::Uuid => json!(uuid(choices.next(), choices.next())),
        Scalar::Base64 => json!("aGVhZHdhdGVy"),
        Scalar::Json => json!({ "note": WORDS[choices.below(WORDS.len() as u64) as usize] }),
    }
}

fn decimal_value(decimal: DecimalFacts, choices: &mut Choices) -> Value {
    let mut digits =
        |count: u32| (0..count.min(9)).map(|_| char::from(b'0' + choices.below(10) as u8)).collect::<String>();
    // The first digit is not 0, so that it is a number in JSON too.
    let whole = match decimal.precision - decimal.scale {
        0 => "0".to_owned(),
        count => format!("1{}", digits(count - 1)),
    };
    let text = if decimal.scale == 0 { whole } else { format!("{whole}.{}", digits(decimal.scale)) };
    match text.parse::<f64>() {
        Ok(number) if !decimal.is_text => json!(number),
        _ => json!(text),
    }
}

/// A value of the field's type that no other record has, and that grows with `index`.
fn distinct(field: &FieldPath, index: u64) -> Value {
    match field.scalar {
        Scalar::Int32 | Scalar::Int64 => json!(index + 1),
        Scalar::Uuid => json!(uuid(0, index + 1)),
        Scalar::DateTime => json!(rfc3339(FIRST_RECORD + index * STEP)),
        Scalar::Date => json!(rfc3339(FIRST_RECORD + index * 86_400)[..10]),
        _ => json!(format!("{:012}", index + 1)),
    }
}

/// Puts `value` where `pointer` leads, making the objects on the way.
fn set(record: &mut Value, pointer: &str, value: Value) {
    let mut at = record;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[segment];
    }
    *at = value;
}

/// The same choices for the same seed (splitmix64).
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

/// Seconds since the epoch as RFC 3339 text.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // Howard Hinnant's civil-from-days: years begin in March, so that the leap day is the last of the year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_instants() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (FIRST_RECORD, "2024-01-01T00:00:00Z"),
            (1_709_209_845, "2024-02-29T12:30:45Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }

    #[test]
    fn sets_what_a_pointer_leads_to() {
        let mut record = json!({ "a": 1 });
        set(&mut record, "/a/b~1c", json!(2));
        assert_eq!(record, json!({ "a": { "b/c": 2 } }));
    }
}
