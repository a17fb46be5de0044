//! `MaskField`: values replaced by what says nothing.

use std::borrow::Cow;

use super::java::{Number, number_of};
use super::record::{get, put};
use super::{Fate, Record, Refusal, Side, Transform};
use crate::record::Tree;

/// Which fields are masked: by a replacement, or by the empty value of their type.
#[derive(Clone, Debug)]
pub(crate) struct MaskField {
    pub(crate) side: Side,
    pub(crate) fields: Vec<String>,
    pub(crate) replacement: Option<String>,
}

impl MaskField {
    fn masked(&self, value: &Tree<'_>) -> Result<Tree<'static>, String> {
        let Some(replacement) = &self.replacement else {
            return Ok(match value {
                Tree::Null => Tree::Null,
                Tree::Boolean(_) => Tree::Boolean(false),
                Tree::Number(text) => Tree::Number(Cow::Borrowed(match number_of(text) {
                    Number::Integer(_) => "0",
                    Number::Double(_) => "0.0",
                })),
                Tree::String(_) => Tree::String(Cow::Borrowed("")),
                Tree::List(_) => Tree::List(Vec::new()),
                Tree::Object(_) => Tree::Object(Vec::new()),
            });
        };
        match value {
            Tree::Null => Ok(Tree::Null),
            Tree::String(_) => Ok(Tree::String(Cow::Owned(replacement.clone()))),
            Tree::Number(text) => {
                let number = match number_of(text) {
                    Number::Integer(_) => replacement.parse::<i64>().ok().map(|value| value.to_string()),
                    Number::Double(_) => replacement.trim().parse().ok().and_then(super::java::json_double),
                };
                let number = number.ok_or_else(|| format!("its replacement `{replacement}` is no such number"))?;
                Ok(Tree::Number(Cow::Owned(number)))
            }
            other => Err(format!("{} takes no replacement", other.noun())),
        }
    }
}

impl Transform for MaskField {
    fn apply(&self, record: &mut Record<'_>) -> Result<Fate, Refusal> {
        let members = record.members(self.side)?;
        for name in &self.fields {
            let masked = self.masked(get(members, name)).map_err(|reason| Refusal::of_field(name, reason))?;
            put(members, name, masked);
        }
        Ok(Fate::Kept)
    }
}
