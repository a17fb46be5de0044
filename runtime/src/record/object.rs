//! Objects with declared fields: what `#[derive(Object)]` implements, and how they are read.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, Visitor};

use super::{Field, Inspection, Json, Map, Reading, Text, Value};
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

    /// Gives what was sent to the field of this name. `false`: there is no such field, and nothing was read.
    ///
    /// # Errors
    ///
    /// As `sent` has them.
    fn set<S: Sent<'page>>(&mut self, name: &Text<'page>, sent: S) -> Result<bool, S::Error>;

    /// What the document does not declare.
    fn undeclared(&self) -> &Undeclared<'page>;

    /// The same, to be added to.
    fn undeclared_mut(&mut self) -> &mut Undeclared<'page>;

    /// Shows the fields in order.
    fn visit<V: FieldVisitor<'page>>(&self, visitor: &mut V);
}

/// What was sent for a field, on its way there.
///
/// Generated code calls it once for each field, and so does little else: what it does stands here, and is checked by the
/// compiler once and not for each field.
pub trait Sent<'page> {
    /// If it is not what the field should have.
    type Error;

    /// Puts it into a declared field. Always `true`.
    ///
    /// # Errors
    ///
    /// If it is not of the field's type.
    fn into_field<T: Value<'page>>(self, field: &mut Field<'page, T>) -> Result<bool, Self::Error>;

    /// Puts it among the fields whose names are data. `false`: it does not belong there.
    ///
    /// # Errors
    ///
    /// If it is not of their type.
    fn into_additional<T: Value<'page>>(
        self,
        name: &Text<'page>,
        fields: &mut Map<'page, T>,
    ) -> Result<bool, Self::Error>;
}

/// Who looks at the fields of an object, one after the other.
pub trait FieldVisitor<'page> {
    /// A declared field.
    fn visit_field<T: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, T>);

    /// The fields whose names are data, beside the declared ones.
    fn visit_additional<T: Value<'page>>(&mut self, facts: &FieldFacts, fields: &Map<'page, T>);
}

impl<'page, E: Encoder> FieldVisitor<'page> for E {
    #[inline]
    fn visit_field<T: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, T>) {
        self.field(facts, field);
    }

    #[inline]
    fn visit_additional<T: Value<'page>>(&mut self, facts: &FieldFacts, fields: &Map<'page, T>) {
        self.additional(facts, fields);
    }
}

impl<'page> FieldVisitor<'page> for Inspection<'page> {
    fn visit_field<T: Value<'page>>(&mut self, facts: &FieldFacts, field: &Field<'page, T>) {
        self.field(facts, field);
    }

    fn visit_additional<T: Value<'page>>(&mut self, _: &FieldFacts, fields: &Map<'page, T>) {
        self.additional(fields);
    }
}

/// The next value of an object that is read as it should be.
struct Next<'a, A>(&'a mut A);

impl<'page, A: MapAccess<'page>> Sent<'page> for Next<'_, A> {
    type Error = A::Error;

    #[inline]
    fn into_field<T: Value<'page>>(self, field: &mut Field<'page, T>) -> Result<bool, A::Error> {
        *field = self.0.next_value()?;
        Ok(true)
    }

    #[inline]
    fn into_additional<T: Value<'page>>(
        self,
        name: &Text<'page>,
        fields: &mut Map<'page, T>,
    ) -> Result<bool, A::Error> {
        let value = self.0.next_value()?;
        fields.push(name.clone(), value);
        Ok(true)
    }
}

/// Whatever was sent is taken.
impl<'page> Sent<'page> for Json<'page> {
    type Error = Infallible;

    fn into_field<T: Value<'page>>(self, field: &mut Field<'page, T>) -> Result<bool, Infallible> {
        *field = Field::tolerant(self);
        Ok(true)
    }

    fn into_additional<T: Value<'page>>(
        self,
        name: &Text<'page>,
        fields: &mut Map<'page, T>,
    ) -> Result<bool, Infallible> {
        let Reading::Exact(value) = Value::tolerant(self) else { return Ok(false) };
        fields.push(name.clone(), value);
        Ok(true)
    }
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
                if !object.set(&name, Next(&mut map))? {
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
        let Ok(is_known) = object.set(&name, sent);
        if !is_known {
            object.undeclared_mut().0.push((name, sent));
        }
    }
    Reading::Exact(object)
}

/// Notes what in an object is not as the document declares.
pub fn inspect_object<'page, O: Object<'page>>(object: &O, inspection: &mut Inspection<'page>) {
    object.visit(inspection);
    inspection.undeclared(object.undeclared());
}
