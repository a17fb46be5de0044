//! Schemas → types. They live in an arena: a type has its id before its body, so one that contains itself is no special
//! case.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::UNMAPPED;
use super::model::{
    AdditionalFields, Element, EnumType, EnumValue, Field, Scalar, StructType, Type, TypeId, TypeKind, TypeNames,
};
use super::names::{self, Scope};
use super::schema::{Property, SchemaRef, Schemas, Shape, ShapeKind};

mod finish;
mod record;
#[cfg(test)]
mod tests;
mod unions;

/// Schemas nested deeper than this in one another are kept as JSON.
const DEEPEST: usize = 48;

/// The arena under construction: names are wanted, not yet given.
pub(super) struct Types<'a> {
    schemas: Schemas<'a>,
    types: Vec<Type>,
    components: BTreeMap<&'a str, TypeId>,
    /// The properties of components: what is `allOf` a component has them with their types.
    properties: BTreeMap<(&'a str, &'a str), Lowered<'a>>,
    scalars: Vec<(Scalar, TypeId)>,
    /// Components that have an id and no body yet.
    pending: Vec<(TypeId, &'a str, Shape<'a>)>,
    depth: usize,
}

/// A schema's type, and what was said where it is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lowered<'a> {
    pub(super) ty: TypeId,
    pub(super) nullable: bool,
    pub(super) doc: Option<&'a str>,
}

impl<'a> Types<'a> {
    pub(super) fn new(schemas: Schemas<'a>) -> Self {
        Self {
            schemas,
            types: Vec::new(),
            components: BTreeMap::new(),
            properties: BTreeMap::new(),
            scalars: Vec::new(),
            pending: Vec::new(),
            depth: 0,
        }
    }

    /// What a type is.
    pub(super) fn kind(&self, id: TypeId) -> Option<&TypeKind> {
        self.types.get(id.0).map(|ty| &ty.kind)
    }

    /// The type of a schema; one without a name of its own is called `wanted`.
    pub(super) fn lower(&mut self, schema: SchemaRef<'a>, wanted: &str) -> Lowered<'a> {
        let lowered = self.lower_one(schema, wanted);
        while let Some((id, name, shape)) = self.pending.pop() {
            self.fill(id, shape, &names::type_name(name));
        }
        lowered
    }

    fn lower_one(&mut self, schema: SchemaRef<'a>, wanted: &str) -> Lowered<'a> {
        let followed = self.schemas.follow(schema);
        let shape = self.schemas.shape(&followed.schema);
        let nullable = followed.nullable || shape.nullable;
        if self.depth >= DEEPEST {
            return Lowered { ty: self.scalar(Scalar::Json), nullable, doc: followed.doc };
        }
        self.depth += 1;
        let lowered = match followed.schema {
            SchemaRef::Named(name) => Lowered { ty: self.component(name, shape), nullable, doc: followed.doc },
            SchemaRef::Inline(_) | SchemaRef::All(_) | SchemaRef::ListOf(_) => {
                let doc = followed.doc.or(shape.doc);
                let id = match scalar_of(&shape.kind) {
                    Some(scalar) => self.scalar(scalar),
                    None => {
                        let id = self.reserve(doc);
                        self.fill(id, shape, wanted);
                        id
                    }
                };
                Lowered { ty: id, nullable, doc }
            }
        };
        self.depth -= 1;
        lowered
    }

    fn component(&mut self, name: &'a str, shape: Shape<'a>) -> TypeId {
        if let Some(id) = self.components.get(name) {
            return *id;
        }
        if let Some(scalar) = scalar_of(&shape.kind) {
            return self.scalar(scalar);
        }
        let shape = self.with_heirs(name, shape);
        let id = self.reserve(shape.doc);
        self.components.insert(name, id);
        self.pending.push((id, name, shape));
        id
    }

    fn reserve(&mut self, doc: Option<&str>) -> TypeId {
        self.add(doc, TypeKind::Scalar(Scalar::Json))
    }

    fn add(&mut self, doc: Option<&str>, kind: TypeKind) -> TypeId {
        self.types.push(Type { doc: doc.map(str::to_owned), kind, borrows: false });
        TypeId(self.types.len() - 1)
    }

    fn scalar(&mut self, scalar: Scalar) -> TypeId {
        if let Some((_, id)) = self.scalars.iter().find(|(known, _)| *known == scalar) {
            return *id;
        }
        let id = self.add(None, TypeKind::Scalar(scalar));
        self.scalars.push((scalar, id));
        id
    }

    fn fill(&mut self, id: TypeId, shape: Shape<'a>, wanted: &str) {
        let kind = match shape.kind {
            ShapeKind::String { values, .. } => enum_of(wanted, &values),
            ShapeKind::Array { items } => TypeKind::List(self.element(items, &names::singular(wanted))),
            ShapeKind::Object { properties, additional, .. } if properties.is_empty() => {
                TypeKind::Map(self.element(additional, &format!("{wanted}Value")))
            }
            ShapeKind::Object { properties, additional, .. } => self.struct_of(wanted, properties, additional),
            ShapeKind::OneOf(branches) => self.union_of(wanted, branches, shape.discriminator, shape.base),
            ShapeKind::Any
            | ShapeKind::Boolean
            | ShapeKind::Integer { .. }
            | ShapeKind::Number
            | ShapeKind::Decimal(_) => return,
        };
        if let Some(ty) = self.types.get_mut(id.0) {
            ty.kind = kind;
        }
    }

    /// What a list or a map holds; anything, if the document does not say.
    fn element(&mut self, schema: Option<SchemaRef<'a>>, wanted: &str) -> Element {
        match schema {
            Some(schema) => {
                let lowered = self.lower_one(schema, wanted);
                Element { ty: lowered.ty, optional: lowered.nullable }
            }
            None => Element { ty: self.scalar(Scalar::Json), optional: false },
        }
    }

    /// The type of a property of an object that is called `wanted`. One of a component is called after that, and is one for
    /// all that take the component in.
    fn property(&mut self, name: &'a str, Property { schema, owner, .. }: Property<'a>, wanted: &str) -> Lowered<'a> {
        let Some(owner) = owner.filter(|_| matches!(schema, SchemaRef::Inline(_)) && self.depth < DEEPEST) else {
            return self.lower_one(schema, &format!("{wanted}{}", names::type_name(name)));
        };
        if let Some(lowered) = self.properties.get(&(owner, name)) {
            return *lowered;
        }
        let lowered = self.lower_one(schema, &format!("{}{}", names::type_name(owner), names::type_name(name)));
        self.properties.insert((owner, name), lowered);
        lowered
    }

    fn struct_of(
        &mut self,
        wanted: &str,
        properties: IndexMap<&'a str, Property<'a>>,
        additional: Option<SchemaRef<'a>>,
    ) -> TypeKind {
        let mut fields = Vec::with_capacity(properties.len());
        for (name, property) in properties {
            let required = property.required;
            let lowered = self.property(name, property, wanted);
            let element = Element { ty: lowered.ty, optional: !required || lowered.nullable };
            fields.push(field(name, lowered.doc, element));
        }
        let mut names = FieldNames::default();
        names.give(&mut fields);
        let additional = additional.map(|schema| {
            let element = self.element(Some(schema), &format!("{wanted}Value"));
            names.additional(element)
        });
        TypeKind::Struct(names.structure(wanted, fields, additional))
    }
}

/// The names of one record's fields, in every language.
struct FieldNames {
    rust: Scope,
    avro: BTreeSet<String>,
    proto: Scope,
}

impl Default for FieldNames {
    fn default() -> Self {
        let avro = BTreeSet::from([UNMAPPED.to_owned()]);
        Self { rust: Scope::default(), avro, proto: names::scope_without(&[UNMAPPED]) }
    }
}

/// A field that has no names yet.
fn field(name: &str, doc: Option<&str>, element: Element) -> Field {
    Field {
        wire_name: name.to_owned(),
        rust_name: String::new(),
        avro_name: String::new(),
        proto_name: String::new(),
        number: 0,
        doc: doc.map(str::to_owned),
        element,
        boxed: false,
    }
}

impl FieldNames {
    /// Names the fields, whatever their order is: what a field is called is no matter of where it stands.
    fn give(&mut self, fields: &mut [Field]) {
        let mut fields: Vec<&mut Field> = fields.iter_mut().collect();
        fields.sort_by(|left, right| names::order(&left.wire_name).cmp(&names::order(&right.wire_name)));
        for field in fields {
            field.rust_name = names::field_name(&field.wire_name, &mut self.rust);
            field.avro_name = names::avro_field_name(&field.wire_name, &mut self.avro);
            field.proto_name = names::proto_field_name(&field.wire_name, &mut self.proto);
        }
    }

    fn additional(&mut self, element: Element) -> AdditionalFields {
        const NAME: &str = "additional_properties";
        AdditionalFields {
            rust_name: names::field_name(NAME, &mut self.rust),
            avro_name: names::avro_field_name(NAME, &mut self.avro),
            proto_name: names::proto_field_name(NAME, &mut self.proto),
            number: 0,
            element,
        }
    }

    fn structure(mut self, wanted: &str, fields: Vec<Field>, additional: Option<AdditionalFields>) -> StructType {
        let undeclared = names::field_name("undeclared", &mut self.rust);
        StructType { names: wanted_names(wanted), fields, additional, undeclared }
    }
}

fn wanted_names(wanted: &str) -> TypeNames {
    TypeNames { rust: wanted.to_owned(), module: String::new(), avro: String::new() }
}

fn enum_of(wanted: &str, values: &[&str]) -> TypeKind {
    let mut scope = Scope::default();
    let mut seen = BTreeSet::new();
    let values = values
        .iter()
        .filter(|value| seen.insert(**value))
        .map(|value| EnumValue { wire_name: (*value).to_owned(), rust_name: names::variant_name(value, &mut scope) })
        .collect();
    TypeKind::Enum(EnumType { names: wanted_names(wanted), values })
}

/// The scalar that a shape is, if it is one.
fn scalar_of(kind: &ShapeKind<'_>) -> Option<Scalar> {
    Some(match kind {
        ShapeKind::Any => Scalar::Json,
        ShapeKind::Boolean => Scalar::Boolean,
        ShapeKind::Integer { is_int32: true } => Scalar::Int32,
        ShapeKind::Integer { is_int32: false } => Scalar::Int64,
        ShapeKind::Number => Scalar::Number,
        ShapeKind::Decimal(decimal) => Scalar::Decimal(*decimal),
        ShapeKind::String { values, .. } if !values.is_empty() => return None,
        ShapeKind::String { format, .. } => match format {
            Some("date") => Scalar::Date,
            Some("date-time") => Scalar::DateTime,
            Some("uuid") => Scalar::Uuid,
            Some("byte") => Scalar::Base64,
            _ => Scalar::String,
        },
        ShapeKind::Object { properties, additional: None, .. } if properties.is_empty() => Scalar::Json,
        ShapeKind::Object { .. } | ShapeKind::Array { .. } | ShapeKind::OneOf(_) => return None,
    })
}
