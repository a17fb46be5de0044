//! Writing a JSON document anew without what is redacted. What no rule is about is copied as it was sent.

use std::fmt::Write as _;

use ring::hmac;
use serde_json::value::RawValue;

use super::Action;
use super::place::{Place, Places};
use crate::configured::{Parts, Stands, Way, cut, scalar};

/// What a rewriting is done by.
#[derive(Clone, Copy)]
pub(super) struct Rewriting<'r> {
    pub(super) places: &'r Place,
    pub(super) key: Option<&'r hmac::Key>,
}

impl Rewriting<'_> {
    /// A value on the way to the records.
    pub(super) fn along(self, value: &RawValue, way: &Way, out: &mut String) -> Result<(), serde_json::Error> {
        let Some(stands) = way.stands else { return self.below(value, way, out) };
        if way.below.is_empty() {
            return self.standing(value, stands, out);
        }
        // A record that has others in it: these first.
        let mut inner = String::with_capacity(value.get().len());
        self.below(value, way, &mut inner)?;
        self.standing(serde_json::from_str(&inner)?, stands, out)
    }

    fn below(self, value: &RawValue, way: &Way, out: &mut String) -> Result<(), serde_json::Error> {
        self.container(value, out, |name, value, out| match way.below.get(name) {
            Some(way) => self.along(value, way, out).map(|()| true),
            None => {
                out.push_str(value.get());
                Ok(true)
            }
        })
    }

    fn standing(self, value: &RawValue, stands: Stands, out: &mut String) -> Result<(), serde_json::Error> {
        let is_list = value.get().starts_with('[');
        match stands {
            Stands::Value if is_list => self.members(value, out),
            Stands::Value | Stands::Record => self.record(value, out),
            Stands::Members => self.members(value, out),
        }
    }

    /// A value whose members or elements are records.
    fn members(self, value: &RawValue, out: &mut String) -> Result<(), serde_json::Error> {
        self.container(value, out, |_, value, out| self.record(value, out).map(|()| true))
    }

    /// A record. One that is no object has none of the fields that are redacted, or is all of them: it says nothing.
    pub(super) fn record(self, record: &RawValue, out: &mut String) -> Result<(), serde_json::Error> {
        match is_container(record) {
            true => self.value(record, &Places::at(self.places), out).map(drop),
            false => {
                mask(record, out);
                Ok(())
            }
        }
    }

    /// A value in a record; `false`: it goes, and nothing has been written.
    fn value(self, value: &RawValue, places: &Places<'_>, out: &mut String) -> Result<bool, serde_json::Error> {
        if places.is_nowhere() {
            out.push_str(value.get());
            return Ok(true);
        }
        match places.action().or_else(|| places.action_below().filter(|_| !is_container(value))) {
            Some(Action::Drop) => return Ok(false),
            Some(Action::Mask) => mask(value, out),
            Some(Action::Hash) => self.hash(value, out)?,
            None if value.get().starts_with('[') => {
                self.container(value, out, |index, value, out| self.value(value, &places.element(index), out))?;
            }
            None => self.container(value, out, |name, value, out| self.value(value, &places.member(name), out))?,
        }
        Ok(true)
    }

    /// The hash of a value as text, and of a container that of each value in it.
    fn hash(self, value: &RawValue, out: &mut String) -> Result<(), serde_json::Error> {
        let Some(key) = self.key else {
            mask(value, out);
            return Ok(());
        };
        let text = match scalar(value) {
            Ok(None) => {
                out.push_str("null");
                return Ok(());
            }
            Ok(Some(text)) => text,
            Err(_) if is_container(value) => {
                return self.container(value, out, |_, value, out| self.hash(value, out).map(|()| true));
            }
            // A string that is no Unicode text.
            Err(_) => value.get().into(),
        };
        out.push('"');
        for byte in hmac::sign(key, text.as_bytes()).as_ref() {
            // Writing to a text cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
        out.push('"');
        Ok(())
    }

    /// Writes an array or object with what `write` makes of its elements or members; those for which it says `false` go.
    fn container(
        self,
        value: &RawValue,
        out: &mut String,
        mut write: impl FnMut(&str, &RawValue, &mut String) -> Result<bool, serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        let (open, members, close) = match cut(value)? {
            Parts::Scalar => {
                out.push_str(value.get());
                return Ok(());
            }
            Parts::List(items) => {
                let items = items.into_iter().enumerate();
                ('[', items.map(|(index, item)| (Err(index), item)).collect::<Vec<_>>(), ']')
            }
            Parts::Map(members) => ('{', members.into_iter().map(|(name, value)| (Ok(name), value)).collect(), '}'),
        };
        out.push(open);
        let mut is_first = true;
        for (name, value) in members {
            let before = out.len();
            if !is_first {
                out.push(',');
            }
            let kept = match name {
                Ok(name) => {
                    out.push_str(&serde_json::to_string(&name)?);
                    out.push(':');
                    write(&name, value, out)?
                }
                Err(index) => write(&index.to_string(), value, out)?,
            };
            match kept {
                true => is_first = false,
                false => out.truncate(before),
            }
        }
        out.push(close);
        Ok(())
    }
}

fn is_container(value: &RawValue) -> bool {
    value.get().starts_with(['{', '['])
}

/// The empty value of a type, as `MaskField` of Kafka Connect has it.
fn mask(value: &RawValue, out: &mut String) {
    let text = value.get();
    out.push_str(match text.as_bytes().first() {
        Some(b'"') => "\"\"",
        Some(b't' | b'f') => "false",
        Some(b'{') => "{}",
        Some(b'[') => "[]",
        Some(b'n') => "null",
        _ if text.contains(['.', 'e', 'E']) => "0.0",
        _ => "0",
    });
}
