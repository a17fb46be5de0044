//! Objects with declared fields: what `#[derive(Object)]` implements, and how they are read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, Visitor};

use super::{Inspection, Json, Reading, Text, Value};
use crate::format::Encoder;

/// What is known of a field before any record is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldFacts {
    /// Its name in the API.
    pub name: &'static str,
    /// Its name as JSON text, with quotes and colon.
    pub json: &'static str,
    /// Its Protobuf field number; stays the same while the field exists.
    pub number: u32,
    /// Whether the document promises a value, `null` being none.
    pub required: bool,
}

/// An object with declared fields.
pub trait Object<'page>: Value<'page> + Default {
    /// Its fields, in the order of their declaration.
    const FIELDS: &'static [FieldFacts];

    /// Reads the value of a field as it should be. `false`: there is no such field, and the value was not read.
    ///
    /// # Errors
    ///
    /// If the value is not of the field's type.
    fn set<A: MapAccess<'page>>(&mut self, name: &Text<'page>, values: &mut A) -> Result<bool, A::Error>;

    /// Takes whatever was sent for a field. `false`: there is no such field.
    fn set_tolerantly(&mut self, name: &Text<'page>, sent: Json<'page>) -> bool;

    /// What the document does not declare.
    fn undeclared(&self) -> &Undeclared<'page>;

    /// The same, to be added to.
    fn undeclared_mut(&mut self) -> &mut Undeclared<'page>;

    /// Writes the fields in order.
    fn encode_fields<E: Encoder>(&self, out: &mut E);

    /// Notes what in the fields is not as the document declares.
    fn inspect_fields(&self, inspection: &mut Inspection<'page>);
}

/// The fields of an object that the document does not declare, in the order sent.
#[derive(Clone, Default, PartialEq)]
pub struct Undeclared<'page>(Vec<(Text<'page>, Json<'page>)>);

impl<'page> Undeclared<'page> {
    /// The fields, in the order sent.
    pub fn entries(&self) -> &[(Text<'page>, Json<'page>)] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Undeclared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, sent)| (name, sent))).finish()
    }
}

/// Reads an object as it should be.
///
/// # Errors
///
/// If it is none, or a value is not of its field's type.
pub fn decode_object<'page, O: Object<'page>, D: Deserializer<'page>>(deserializer: D) -> Result<O, D::Error> {
    struct ObjectVisitor<O>(PhantomData<O>);

    impl<'page, O: Object<'page>> Visitor<'page> for ObjectVisitor<O> {
        type Value = O;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'page>>(self, mut map: A) -> Result<O, A::Error> {
            let mut object = O::default();
            while let Some(name) = map.next_key::<Text<'page>>()? {
                if !object.set(&name, &mut map)? {
                    let sent = map.next_value()?;
                    object.undeclared_mut().0.push((name, sent));
                }
            }
            Ok(object)
        }
    }

    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

/// Reads an object, whatever its fields hold.
pub fn tolerate_object<'page, O: Object<'page>>(sent: Json<'page>) -> Reading<O> {
    let Some(entries) = sent.entries() else { return Reading::Misfit };
    let mut object = O::default();
    for (name, sent) in entries {
        if !object.set_tolerantly(&name, sent) {
            object.undeclared_mut().0.push((name, sent));
        }
    }
    Reading::Exact(object)
}

/// Notes what in an object is not as the document declares.
pub fn inspect_object<'page, O: Object<'page>>(object: &O, inspection: &mut Inspection<'page>) {
    object.inspect_fields(inspection);
    inspection.undeclared(object.undeclared());
}
