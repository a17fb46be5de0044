//! Schemas that are learnt from records, in the three languages that registries know, and the encoders that write by them.
//!
//! A schema only ever widens, in the ways that the registry's rule BACKWARD allows. What has no place in it all the same is
//! carried in [`UNMAPPED`](crate::format::UNMAPPED), as with generated types.

mod avro;
mod json;
mod names;
mod number;
mod proto;
mod protobuf;
mod shape;
mod unmapped;

pub(crate) use shape::Shape;

use crate::record::{Tree, push_segment};
use crate::registry::SchemaType;

/// How many fields one object has in a schema at most. Names that are data would go on for ever; the values of further ones
/// are carried beside the schema.
const MAX_FIELDS: usize = 1_000;

/// A schema that is learnt.
#[derive(Clone, Debug)]
pub(crate) enum Learnt {
    Json(Shape),
    Avro(avro::Schema),
    Protobuf(protobuf::Schema),
}

/// A widening under way.
#[derive(Debug, Default)]
struct Widening {
    path: Vec<String>,
    /// Where the schema was widened first, as a JSON Pointer with `*` for items of lists.
    changed: Option<String>,
}

impl Widening {
    fn note(&mut self) {
        let path = &self.path;
        self.changed.get_or_insert_with(|| {
            let mut pointer = String::new();
            for segment in path {
                push_segment(&mut pointer, segment);
            }
            pointer
        });
    }

    fn within<T>(&mut self, segment: &str, widen: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(segment.to_owned());
        let result = widen(self);
        self.path.pop();
        result
    }
}

impl Learnt {
    /// Of no record yet. Records have this full name, or one after their topic.
    pub(crate) fn new(language: SchemaType, full_name: Option<&str>, topic: &str) -> Self {
        let (space, name) = match full_name {
            Some(full_name) => {
                let (space, name) = full_name.rsplit_once('.').unwrap_or((topic, full_name));
                (space.split('.').map(names::legal).collect::<Vec<_>>().join("."), names::legal(name))
            }
            None => (names::legal(topic), names::type_name(topic)),
        };
        match language {
            SchemaType::Json => Self::Json(Shape::default()),
            SchemaType::Avro => Self::Avro(avro::Schema::new(space, name)),
            SchemaType::Protobuf => Self::Protobuf(protobuf::Schema::new(&space, name)),
        }
    }

    /// Reads a schema that was learnt; `None` for any other.
    pub(crate) fn restore(language: SchemaType, text: &str) -> Option<Self> {
        match language {
            SchemaType::Json => json::restore(text).map(Self::Json),
            SchemaType::Avro => avro::Schema::restore(text).map(Self::Avro),
            SchemaType::Protobuf => protobuf::Schema::restore(text).map(Self::Protobuf),
        }
    }

    /// Whether it need not widen for a record.
    pub(crate) fn takes(&self, record: &Tree<'_>) -> bool {
        match self {
            Self::Json(shape) => shape.takes(record),
            Self::Avro(schema) => schema.takes(record),
            Self::Protobuf(schema) => schema.takes(record),
        }
    }

    /// Widens so that it takes records of this shape. Says where it first had to, as a JSON Pointer with `*` for items of
    /// lists; `None` if it did not.
    pub(crate) fn widen(&mut self, shape: &Shape) -> Option<String> {
        let mut widening = Widening::default();
        match self {
            Self::Json(known) => known.widen(shape, &mut widening),
            Self::Avro(schema) => schema.widen(shape, &mut widening),
            Self::Protobuf(schema) => schema.widen(shape, &mut widening),
        }
        widening.changed
    }

    /// The schema as text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Json(shape) => json::schema(shape),
            Self::Avro(schema) => schema.text(),
            Self::Protobuf(schema) => schema.text(),
        }
    }

    /// Appends a record. What has no place in the schema is carried beside it.
    pub(crate) fn encode(&self, record: &Tree<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Json(_) => record.write(out),
            Self::Avro(schema) => schema.encode(record, out),
            Self::Protobuf(schema) => schema.encode(record, out),
        }
    }
}
