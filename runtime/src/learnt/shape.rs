//! What records look like: the types seen in each place, whatever language their schema is written in.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::Widening;
use crate::record::Tree;

/// What values look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(super) types: BTreeSet<Type>,
    /// In the order in which they were first seen.
    pub(super) members: IndexMap<String, Shape>,
    pub(super) items: Option<Box<Shape>>,
}

/// A type of JSON Schema. The order is that of the written schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// Whether a JSON number is an integer, as it is written.
pub(super) fn is_integer(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

impl Type {
    fn of(value: &Tree<'_>) -> Self {
        match value {
            Tree::Null => Self::Null,
            Tree::Boolean(_) => Self::Boolean,
            Tree::Number(text) if is_integer(text) => Self::Integer,
            Tree::Number(_) => Self::Number,
            Tree::String(_) => Self::String,
            Tree::List(_) => Self::Array,
            Tree::Object(_) => Self::Object,
        }
    }
}

impl Shape {
    /// The shape of one type, of which no content was seen.
    pub(super) fn of_type(only: Type) -> Self {
        Self { types: BTreeSet::from([only]), ..Self::default() }
    }

    /// Whether a value of this type was seen.
    pub(super) fn has(&self, of: Type) -> bool {
        self.types.contains(&of)
    }

    /// Widens the shape so that it takes a value.
    pub(crate) fn learn(&mut self, value: &Tree<'_>) {
        self.add(Type::of(value));
        match value {
            Tree::List(items) => {
                for item in items {
                    self.items.get_or_insert_default().learn(item);
                }
            }
            Tree::Object(members) => {
                for (name, value) in members {
                    match self.members.get_mut(name.as_ref()) {
                        Some(member) => member.learn(value),
                        None => self.members.entry(name.to_string()).or_default().learn(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds a type; `false` if it is there. Every integer is a number.
    fn add(&mut self, of: Type) -> bool {
        if of == Type::Integer && self.has(Type::Number) {
            return false;
        }
        if of == Type::Number {
            self.types.remove(&Type::Integer);
        }
        self.types.insert(of)
    }

    /// Whether a value is of this shape.
    pub(super) fn takes(&self, value: &Tree<'_>) -> bool {
        let of = Type::of(value);
        let is_of_type = self.has(of) || (of == Type::Integer && self.has(Type::Number));
        if !is_of_type {
            return false;
        }
        match value {
            Tree::List(items) => items.iter().all(|item| self.items.as_ref().is_some_and(|shape| shape.takes(item))),
            Tree::Object(members) => members
                .iter()
                .all(|(name, value)| self.members.get(name.as_ref()).is_some_and(|shape| shape.takes(value))),
            _ => true,
        }
    }

    /// Widens the shape so that it takes what `other` takes.
    pub(super) fn widen(&mut self, other: &Self, widening: &mut Widening) {
        for of in &other.types {
            if self.add(*of) {
                widening.note();
            }
        }
        for (name, shape) in &other.members {
            widening.within(name, |widening| match self.members.get_mut(name) {
                Some(member) => member.widen(shape, widening),
                None => {
                    widening.note();
                    self.members.insert(name.clone(), shape.clone());
                }
            });
        }
        if let Some(others) = &other.items {
            widening.within("*", |widening| match &mut self.items {
                Some(items) => items.widen(others, widening),
                none => {
                    widening.note();
                    *none = Some(others.clone());
                }
            });
        }
    }
}
