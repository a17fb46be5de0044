//! `Cast`: values as another type, by the rules of Java.

use std::borrow::Cow;

use super::java::{Number, double_text, float_text, json_double, number_of};
use super::record::{get, put};
use super::{Fate, Record, Refusal, Side, Transform};
use crate::record::Tree;

/// What values become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CastType {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
}

/// What is cast.
#[derive(Clone, Debug)]
pub(crate) enum Cast {
    /// All of it.
    Whole(Side, CastType),
    /// Fields.
    Fields(Side, Vec<(String, CastType)>),
}

impl CastType {
    /// By Connect's names for types.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "int8" => Self::Int8,
            "int16" => Self::Int16,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "float32" => Self::Float32,
            "float64" => Self::Float64,
            "boolean" => Self::Boolean,
            "string" => Self::String,
            _ => return None,
        })
    }

    fn cast(self, value: &Tree<'_>) -> Result<Tree<'static>, String> {
        let number = |text: String| Ok(Tree::Number(Cow::Owned(text)));
        match (self, value) {
            (_, Tree::Null) => Ok(Tree::Null),
            (_, Tree::List(_) | Tree::Object(_)) => Err(format!("{} cannot be cast", value.noun())),
            (Self::Boolean, Tree::Boolean(truth)) => Ok(Tree::Boolean(*truth)),
            (Self::Boolean, Tree::String(text)) => Ok(Tree::Boolean(text.eq_ignore_ascii_case("true"))),
            (Self::Boolean, Tree::Number(text)) => Ok(Tree::Boolean(match number_of(text) {
                Number::Integer(value) => value != 0,
                Number::Double(value) => value as i64 != 0,
            })),
            (Self::String, Tree::Boolean(truth)) => Ok(Tree::String(Cow::Owned(truth.to_string()))),
            (Self::String, Tree::String(text)) => Ok(Tree::String(Cow::Owned(text.to_string()))),
            (Self::String, Tree::Number(text)) => Ok(Tree::String(Cow::Owned(number_text(text)))),
            (Self::Float32, _) => {
                let float = match value {
                    Tree::Number(text) => text.parse::<f32>().ok(),
                    Tree::Boolean(truth) => Some(f32::from(u8::from(*truth))),
                    Tree::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                number(float.filter(|float| float.is_finite()).map(float_text).ok_or_else(|| self.out_of_range(value))?)
            }
            (Self::Float64, _) => {
                let double = match value {
                    Tree::Number(text) => text.parse::<f64>().ok(),
                    Tree::Boolean(truth) => Some(f64::from(u8::from(*truth))),
                    Tree::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                number(double.and_then(json_double).ok_or_else(|| self.out_of_range(value))?)
            }
            (_, Tree::Boolean(truth)) => number(u8::from(*truth).to_string()),
            (_, Tree::Number(text)) => number(self.narrow(number_of(text)).to_string()),
            (_, Tree::String(text)) => {
                let integer = text.parse::<i64>().ok().filter(|value| self.narrow(Number::Integer(*value)) == *value);
                number(integer.ok_or_else(|| self.out_of_range(value))?.to_string())
            }
        }
    }

    /// The lowest bits of an integer; of a double the nearest towards zero (Java Language Specification 5.1.3).
    fn narrow(self, number: Number) -> i64 {
        let value = match (self, number) {
            (_, Number::Integer(value)) => value,
            (Self::Int64, Number::Double(value)) => return value as i64,
            (_, Number::Double(value)) => i64::from(value as i32),
        };
        match self {
            Self::Int8 => i64::from(value as i8),
            Self::Int16 => i64::from(value as i16),
            Self::Int32 => i64::from(value as i32),
            _ => value,
        }
    }

    fn out_of_range(self, value: &Tree<'_>) -> String {
        format!("{} is no value of that type", value.to_json())
    }
}

/// A number as Java writes it, unless that would lose digits.
fn number_text(text: &str) -> String {
    match number_of(text) {
        Number::Integer(value) => value.to_string(),
        Number::Double(value) => {
            let written = double_text(value);
            let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
            // What has more digits than a double keeps is left as it was sent.
            if digits(text) > 17 { text.to_owned() } else { written }
        }
    }
}

impl Transform for Cast {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        match self {
            Self::Whole(side, to) => {
                let side = record.side(*side);
                *side = to.cast(side).map_err(Refusal::of_record)?;
            }
            Self::Fields(side, fields) => {
                let Some(members) = record.members_or_null(*side)? else { return Ok(Fate::Kept) };
                for (name, to) in fields {
                    let cast = to.cast(get(members, name)).map_err(|reason| Refusal::of_field(name, reason))?;
                    put(members, name, cast);
                }
            }
        }
        Ok(Fate::Kept)
    }
}
